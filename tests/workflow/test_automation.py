"""A guaranteed error rate the whole way: declared, tested, judged, bundled, served, scored."""

from __future__ import annotations

import html
import json

import numpy as np
import pyarrow as pa
import pytest

from payoff.bundle import Bundle
from payoff.declare.file import from_toml
from payoff.evidence.automation import _nothing
from payoff.evidence.evidence import Evidence
from payoff.workflow import compare, judge_predictions, run
from payoff.workflow.scored_rows import score_rows
from tests.serve.asking import client_of, post, validate

PLAIN = """
schema_version = 1
[decision]
name = "claims"
unit = "claim"
currency = "EUR"
[data]
outcome = "y"
[outcomes]
fraud = "fraud"
fine = "fine"
[actions]
block = "Block"
pay = "Pay"
ask = { label = "Ask a person", review = { cost = 4, errors = 0.02 }%s }
[payoffs.block]
fraud = 0
fine = -30
[payoffs.pay]
fraud = -100
fine = 0
[automation]
max_error = %s
[training]
candidates = ["logistic"]
"""


def table(n=6000, seed=0, **more):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.normal(size=n)
    y = rng.random(n) < 1 / (1 + np.exp(-(4 * x + z - 2)))
    return pa.table({"x": x, "z": z, "y": np.where(y, "fraud", "fine"), **more})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("automation") / "claims"
    done = run(from_toml(PLAIN % ("", 0.05)), table(), out=folder)
    return done.evidence, folder


def test_the_policy_with_the_limit_is_recommended_beside_expected_money(made):
    evidence = made[0]
    assert evidence.verdict["recommended"] == "automation"
    assert [p.name for p in evidence.policies][:2] == ["automation", "expected"]
    found = evidence.automation
    assert found["recommended"]
    assert found["chosen"]["n"] == 600  # half of a fifth of the rows
    assert found["state"] == "kept"
    assert 0.3 < found["automated"]["value"] < 0.95
    assert found["error"]["method"] == "clopper-pearson"
    assert found["error"]["low"] < found["error"]["value"] < found["error"]["high"]
    beside = next(c for c in evidence.comparisons if c.against == "expected")
    assert found["against"]["total"]["value"] == pytest.approx(beside.total.value)
    assert found["against"]["total"]["low"] == pytest.approx(beside.total.low)
    check = next(c for c in evidence.checks if c.code == "PAY-E241")
    assert check.status == "passed"
    assert "at most 5 % (95 % sure)" in found["sentences"][0]
    assert Evidence.from_dict(json.loads(evidence.to_json())) == evidence


def test_the_figures_are_those_of_the_rows(made):
    """Counted again from what ``payoff score`` writes, without the evidence's code."""
    evidence, folder = made
    rows = score_rows(folder, table()).to_pandas()
    judged = rows[rows.payoff_part == "judge"]
    found = evidence.automation
    acted = judged[judged.payoff_automated]
    wrong = np.where(
        acted.y == "fraud", acted.payoff_action != "block", acted.payoff_action != "pay"
    )
    assert (len(acted), int(wrong.sum())) == (found["n_automated"], found["errors"])
    assert set(judged[~judged.payoff_automated].payoff_action) == {"ask"}
    own = judged[["y_prob_fraud", "y_prob_fine"]].to_numpy()
    by_money = judged.expected_block.to_numpy() >= judged.expected_pay.to_numpy()
    sure = np.where(by_money, own[:, 0], own[:, 1])
    assert np.array_equal(sure >= found["threshold"], judged.payoff_automated.to_numpy())
    point = found["curve"]["points"][20]
    some = sure >= point["threshold"]
    errs = np.where(by_money, judged.y != "fraud", judged.y != "fine")[some]
    assert point["n"] == some.sum()
    assert point["error"] == pytest.approx(errs.mean())


def test_it_is_served_row_by_row(made):
    bundle = Bundle.open(made[1])
    rows = table(40, seed=9).select(["x", "z"]).to_pylist()
    together = bundle.decide(rows)
    assert [bundle.decide([r])[0] for r in rows] == together
    assert {d["automated"] for d in together} == {True, False}
    assert all((d["action"] == "ask") != d["automated"] for d in together)
    client = client_of(bundle)
    answer = post(client, json.dumps({"rows": rows}).encode())
    assert answer.status_code == 200
    document = client.get("/openapi.json").json()
    one = document["components"]["schemas"]["Decision"]
    for decided, expected in zip(answer.json()["decisions"], together, strict=True):
        validate(document, one, decided)
        assert decided["automated"] == expected["automated"]
        assert (decided["why_not"] is None) == decided["automated"]


def test_the_report_shows_the_limit(made):
    page = (made[1] / "report.html").read_text()
    assert "What is automated, at which error rate" in page
    assert "Error rate against the share automated" in page
    first = page[page.index('id="m-options"') : page.index('id="m-limits"')]
    assert made[0].automation["sentences"][0] in html.unescape(first)


def test_the_rest_beyond_the_room_is_refused_in_words():
    text = PLAIN % (", capacity_share = 0.02", 0.02)
    evidence = run(from_toml(text), table(3000)).evidence
    assert evidence.verdict["recommended"] == "expected"
    assert "automation" in [p.name for p in evidence.policies]
    assert not evidence.policy("automation").feasible
    check = next(c for c in evidence.checks if c.code == "PAY-E241")
    assert (check.status, check.page_one) == ("issue", True)
    assert "there is room for 20" in check.detail
    assert "it is not recommended" in check.detail


def test_with_too_few_rows_nothing_is_automated_and_the_words_say_how_many_would_do():
    evidence = run(from_toml(PLAIN % ("", 0.01)), table(1200)).evidence
    found = evidence.automation
    assert found["threshold"] is None
    assert found["n_automated"] == 0
    assert found["state"] == "idle"
    assert found["sentences"][0].startswith("Nothing is automated: on 120 rows")
    assert evidence.policies[0].actions[2].share == 1.0


@pytest.mark.parametrize(
    ("needed", "said", "never"),
    [
        (157.0, "about 157 would do on average", "would have been enough"),
        (493.0, "About 493 such rows would have been enough", "on average"),
        (None, "a better model or a higher limit will", "would"),
    ],
)
def test_how_many_rows_would_do_is_never_fewer_than_failed(needed, said, never):
    """An estimate below the rows that failed means chance, not that fewer rows are enough."""
    decision = from_toml(PLAIN % ("", 0.15))
    chosen = {"chosen": {"n": 215, "needed": needed}}
    sentence = _nothing(decision, decision.automation, chosen)
    assert said in sentence
    assert never not in sentence.replace(said, "")


def test_weights_and_clusters_are_bounded_too():
    n = 8000
    rng = np.random.default_rng(3)
    declared = (PLAIN % ("", 0.1)).replace(
        'outcome = "y"', 'outcome = "y"\ncluster = "who"\nweight = "w"'
    )
    data = table(n, who=np.arange(n) // 2, w=0.5 + rng.random(n))
    found = run(from_toml(declared), data).evidence.automation
    assert found["chosen"]["method"] == "chernoff"
    assert found["chosen"]["n_clusters"] < found["chosen"]["n"]
    assert found["threshold"] is not None
    assert found["error"]["method"] == "wilson"


def test_without_the_table_nothing_changes():
    declared = from_toml((PLAIN % ("", 0.05)).replace("[automation]\nmax_error = 0.05\n", ""))
    evidence = run(declared, table(1000)).evidence
    assert evidence.verdict["recommended"] == "expected"
    assert "not_measured" in evidence.automation
    assert "not_measured" in evidence.familiarity


def test_predictions_made_elsewhere_have_no_rows_to_test_a_threshold_on():
    declared = from_toml(PLAIN % ("", 0.05))
    rng = np.random.default_rng(2)
    prob = rng.beta(0.3, 0.6, 800)
    y = np.where(rng.random(800) < prob, "fraud", "fine")
    evidence = judge_predictions(declared, pa.table({"y": y, "y_prob": prob}))
    assert "made elsewhere" in evidence.automation["not_measured"]
    assert evidence.verdict["recommended"] == "expected"
    check = next(c for c in evidence.checks if c.code == "PAY-E241")
    assert check.status == "skipped"


def test_compared_with_another_policy_it_acts_as_it_was_judged(made, tmp_path):
    evidence, folder = made
    plain = from_toml((PLAIN % ("", 0.05)).replace("[automation]\nmax_error = 0.05\n", ""))
    other = run(plain, table(), out=tmp_path / "plain", pages=False)
    found = compare(f"kept={folder}", f"free={other.folder}", data=table())
    named = {p.name: p for p in found.standings}
    own = next(p for p in evidence.policies if p.name == "automation")
    assert named["kept"].value.value == pytest.approx(own.value.value)
