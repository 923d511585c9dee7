"""What changed documents do: shares and money by hand, states at their thresholds."""

import numpy as np
import pytest
from scipy import stats

from payoff.evidence.acted import Background
from payoff.evidence.behaviour import THRESHOLDS
from payoff.evidence.interval import exact_share
from payoff.evidence.trials import Trial, Trials
from tests.worlds import POWERS, binary, judged

#: Rows are turned in pairs of one yes and one no, so that people move and money does not.
EVEN = {"call": {"yes": 1, "no": -1}, "leave": {"yes": 0, "no": 0}}
FAMILIES = {"typing": "typing", "wording": "wording", "identity": "identity", "meaning": "meaning"}


def trial(name, family, rows, changed, after, **more):
    """A trial on rows that are left alone (action 1) as they stand."""
    return Trial(
        name=name,
        family=family,
        label=name,
        rows=np.array(rows),
        changed=np.array(changed, dtype=bool),
        before=np.ones(len(rows), dtype=np.int16),
        after=np.array(after, dtype=np.int16),
        **more,
    )


def evidence(trials, outcome, *, cluster=None, reason="", payoffs=POWERS, volume=None):
    n = len(outcome)
    found = Trials(
        trials=tuple(trials),
        place=np.arange(n) + 1000,
        families=FAMILIES,
        language="English.",
        reason=reason,
    )
    table = {"y": outcome} | ({} if cluster is None else {"who": cluster})
    decision = binary(payoffs, volume=volume, **({} if cluster is None else {"cluster": "who"}))
    background = Background(data={}, model={}, trials=found)
    return judged(decision, table, np.full(n, 0.01), background=background)


def moved(hits, n, name="typos", family="typing", total=1_000):
    """A trial that changes n of 1,000 documents and turns ``hits`` of them from leave to call."""
    rows = np.arange(total)
    after = np.where(rows < hits, 0, 1)
    return trial(name, family, rows, rows < n, after)


@pytest.mark.parametrize(("k", "n"), [(0, 5), (1, 500), (43, 500), (499, 500), (5, 5)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_exact_interval_is_that_of_scipy(k, n, level):
    found = exact_share(k, n, level)
    other = stats.binomtest(k, n).proportion_ci(level, "exact")
    assert (found.low, found.high) == pytest.approx((other.low, other.high), abs=1e-9)
    assert found.value == k / n


def test_money_and_people_by_hand():
    """Call: 1000 (yes), -100 (no); leave: -10, 1. Rows turned: one yes (+1010), one no (-101)."""
    outcome = [1, 0, 0, 0, 1, 0]
    one = trial("typos", "typing", [4, 1, 2, 0], [1, 1, 1, 0], [0, 0, 1, 1],
                texts={0: ("a", "b"), 1: ("He", "She")})  # fmt: skip
    [test] = evidence([one], outcome, volume=8).to_dict()["behaviour"]["tests"]
    assert (test["scanned"], test["documents"], test["changed"]) == (4, 3, 2)
    assert test["share"]["value"] == pytest.approx(2 / 3)
    assert test["money"]["value"] == pytest.approx((1010 - 101) / 4)
    assert test["total"]["value"] == pytest.approx(8 * (1010 - 101) / 4)
    assert test["total"]["unit"] == "EUR per month"
    assert test["moves"] == [{"from": "leave", "to": "call", "n": 2}]
    example = test["example"]
    assert (example["row"], example["money"]) == (1001, -101.0)
    assert (example["text_before"], example["text_after"]) == ("He", "She")
    assert (example["before"], example["after"]) == ("leave", "call")


def test_documents_that_belong_together_are_no_independent_cases():
    outcome = [0, 1] * 500
    alone = evidence([moved(40, 400)], outcome).behaviour["tests"][0]["share"]
    pairs = evidence([moved(40, 400)], outcome, cluster=np.arange(1_000) // 20)
    share = pairs.behaviour["tests"][0]["share"]
    assert alone["method"] == "clopper-pearson"
    assert share["value"] == alone["value"]
    assert share["high"] - share["low"] > 1.5 * (alone["high"] - alone["low"])


@pytest.mark.parametrize(
    ("hits", "n", "state"),
    [(0, 500, "passed"), (9, 500, "passed"), (25, 500, "tip"), (80, 500, "issue"), (0, 10, "few")],
)
def test_states_of_what_should_not_matter(hits, n, state):
    outcome = [0, 1] * 500
    found = evidence([moved(hits, n)], outcome, payoffs=EVEN)
    test = found.behaviour["tests"][0]
    assert test["state"] == state
    low = stats.binomtest(hits, n).proportion_ci(0.95, "exact").low
    if state in ("tip", "issue"):
        assert low > THRESHOLDS[state]
    check = next(c for c in found.checks if c.code == "PAY-E251")
    assert check.status == {"few": "skipped"}.get(state, state)


def test_identity_is_held_against_what_neutral_words_do():
    outcome = [0, 1] * 500
    swap = moved(25, 500, "gender", "identity")
    calm, noisy = moved(2, 500, "neutral", "wording"), moved(30, 500, "neutral", "wording")

    def state(*trials):
        found = evidence(trials, outcome, payoffs=EVEN)
        check = next(c for c in found.checks if c.code == "PAY-E253")
        test = next(t for t in found.behaviour["tests"] if t["name"] == "gender")
        assert check.status == test["state"]
        assert check.page_one is (check.status == "issue")
        return check.status

    assert state(calm, swap) == "issue"
    assert state(noisy, swap) == "tip"
    assert state(swap) == "issue"
    assert state(calm, moved(0, 500, "gender", "identity")) == "passed"
    assert state(calm, moved(2, 500, "gender", "identity")) == "tip"


def test_money_beyond_chance_is_an_issue_of_identity():
    """Every turned row is a yes: left 0 instead of called 9, far beyond chance."""
    outcome = np.where(np.arange(1_000) < 500, 1, 0)
    rows = np.arange(1_000)
    after = np.where((rows < 500) & (rows % 12 == 0), 0, 1)
    one = trial("gender", "identity", rows, np.ones(1_000), after)
    neutral = moved(60, 500, "neutral", "wording")
    payoffs = {"call": {"yes": 9, "no": -1}, "leave": {"yes": 0, "no": 0}}
    test = evidence([neutral, one], outcome, payoffs=payoffs).behaviour["tests"][1]
    assert test["share"]["low"] < test["noise"]
    assert test["money"]["low"] > 0
    assert test["state"] == "issue"


def test_meaning_is_measured_and_not_held_against_anybody():
    found = evidence([moved(400, 500, "negation", "meaning")], [0, 1] * 500)
    check = next(c for c in found.checks if c.code == "PAY-E254")
    assert check.status == "passed"
    assert "400 of 500" in check.detail


def test_what_is_not_measured_says_why():
    outcome = [0, 1] * 5
    none = trial("names", "identity", [0, 1], [0, 0], [1, 1])
    found = evidence([none], outcome)
    assert "not_measured" in found.behaviour["tests"][0]
    assert next(c for c in found.checks if c.code == "PAY-E253").status == "skipped"
    off = evidence([], outcome, reason="switched off")
    assert off.behaviour["not_measured"] == "switched off"
    assert [c.status for c in off.checks if c.code[:7] == "PAY-E25"] == ["skipped"] * 4
    tabular = judged(binary(), {"y": outcome}, np.full(10, 0.3))
    assert not [c for c in tabular.checks if c.code[:7] == "PAY-E25"]
    assert "not_measured" in tabular.behaviour


def test_sentences_have_numbers():
    said = evidence([moved(40, 500), moved(9, 500, "gender", "identity")], [0, 1] * 500)
    first, second = said.behaviour["sentences"]
    assert "40 of 500 decisions changed (8.0 %; 95 % interval" in first
    assert "9 of 500" in second
