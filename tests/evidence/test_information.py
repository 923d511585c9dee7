"""P(best), the worth of more rows and the margin: closed forms, brute force, properties."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from payoff.declare.settings import EvidenceSettings
from payoff.evidence.information import evsi
from tests.worlds import binary, calibrated, judged, three_by_three


def two(mean, error, draws=400_000, seed=0):
    rng = np.random.default_rng(seed)
    return np.array([mean, 0.0]), np.stack([rng.normal(mean, error, draws), np.zeros(draws)], 1)


@pytest.mark.parametrize("mean", [-1.0, -0.2, 0.0, 0.5])
@pytest.mark.parametrize("part", [0.1, 0.5, 1.0])
def test_against_the_unit_normal_loss_integral(mean, part):
    """For two options EVSI is s L(|m| / s), s the spread the new rows remove (Raiffa 1961)."""
    known, draws = two(mean, 0.7)
    s = 0.7 * np.sqrt(part)
    z = abs(mean) / s
    truth = s * (stats.norm.pdf(z) - z * stats.norm.sf(z))
    assert evsi(known, draws, part) == pytest.approx(truth, abs=0.003)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_more_rows_are_never_worth_less_and_at_most_perfect_information(seed, k):
    rng = np.random.default_rng(seed)
    mean = rng.normal(size=k)
    draws = rng.multivariate_normal(mean, np.diag(rng.random(k)), size=2000)
    worth = [evsi(mean, draws, p) for p in (0.0, 0.2, 0.5, 0.9, 1.0)]
    assert worth[0] == pytest.approx(0.0, abs=1e-12)
    assert all(a <= b + 1e-9 for a, b in itertools.pairwise(worth))


def test_evpi_of_drawn_rows_by_a_plain_bootstrap(rng):
    """The same figure by a loop over resamples of rows."""
    prob, y = calibrated(rng, 150)
    found = judged(binary(), {"y": y}, prob)
    kept = [p for p in found.policies if p.feasible]
    act = {
        "expected": prob >= 0.1, "half": prob >= 0.5, "all:call": np.ones(150, bool),
        "do_nothing": np.zeros(150, bool),
    }  # fmt: skip
    gain = np.where(y == 1, 9.0, -1.0)
    names = [p.name for p in kept if p.name in act]
    values = np.stack([np.where(act[n], gain, 0.0) for n in names], axis=1)
    means = np.stack([values[rng.integers(0, 150, 150)].mean(0) for _ in range(4000)])
    share = {n: np.mean(means.argmax(1) == k) for k, n in enumerate(names)}
    told = {o["policy"]: o["probability_best"] for o in found.information["options"]}
    # the tuned threshold shares the win of expected money: together they are its share
    ours = told["expected"] + told["threshold"]
    assert ours == pytest.approx(share["expected"], abs=0.03)
    assert sum(told.values()) == pytest.approx(1.0)


def test_an_option_that_always_wins_needs_no_more_rows(rng):
    prob, y = calibrated(rng, 4000, a=0.3, b=1.0)
    found = judged(binary({"call": {"yes": 2, "no": -1}, "leave": {"yes": 0, "no": 0}}),
                   {"y": y}, prob).information  # fmt: skip
    assert found["rows_needed"]["settled"]
    worth = [m["worth"] for m in found["more"]]
    assert 0 <= worth[0] <= worth[1] <= found["perfect"]["worth"] + 1e-9


def test_rows_needed_are_those_at_which_the_interval_would_touch_zero(rng):
    prob, y = calibrated(rng, 300)
    found = judged(binary(), {"y": y}, prob)
    trivial = found.verdict["best_trivial"]
    gain = next(c.value for c in found.comparisons if c.against == trivial)
    need = found.information["rows_needed"]
    if gain.method == "t":
        half = gain.high - gain.value
        assert need["rows"] == pytest.approx(300 * (half / gain.value) ** 2, rel=0.01, abs=1.01)


def against_rule(margin, *, better):
    """The policy against today's rule: 3,000 rows, a known loss or gain per row."""
    rng = np.random.default_rng(3)
    decision = dataclasses.replace(binary(rule="x > 0"), evidence=EvidenceSettings(margin=margin))
    prob, y = calibrated(rng, 3000)
    good = prob if better else np.full(3000, 0.01)
    return judged(decision, {"y": y, "x": rng.normal(size=3000)}, good).information["margin"]


def test_the_margin_is_answered_from_the_paired_one_sided_interval():
    assert against_rule(0.0, better=True)["answer"] == "yes"
    assert against_rule(None, better=True)["answer"] == "not asked"
    worse = against_rule(0.0, better=False)
    assert worse["answer"] == "no"
    assert worse["difference"]["level"] == pytest.approx(0.9)
    edge = -worse["difference"]["low"]
    assert against_rule(edge * 1.01, better=False)["answer"] == "yes"
    assert against_rule(edge * 0.99, better=False)["answer"] == "unknown"


def test_three_actions_are_compared_too(rng):
    n = 400
    prob = rng.dirichlet([1, 2, 6], n)
    y = np.array(["fraud", "error", "fine"])[[rng.choice(3, p=p) for p in prob]]
    table = {"y": y, "amount": rng.lognormal(5, 1, n)}
    found = judged(three_by_three(), table, prob).information
    assert len(found["options"]) == 5
    assert len(found["sentences"]) >= 2


def test_clusters_widen_what_is_not_known(rng):
    prob, y = calibrated(rng, 60)
    once = judged(binary(), {"y": y}, prob).information
    many = np.repeat(np.arange(60), 10)
    again = judged(binary(cluster="c"), {"y": y[many], "c": many}, prob[many]).information
    alone = judged(binary(), {"y": y[many]}, prob[many]).information
    assert again["n_clusters"] == 60
    assert again["perfect"]["worth"] == pytest.approx(once["perfect"]["worth"], rel=0.15)
    assert alone["perfect"]["worth"] <= again["perfect"]["worth"] + 1e-9


def test_where_a_few_cases_carry_the_gain_redraws_are_not_told_as_certainty(rng):
    prob, y = calibrated(rng, 400)
    decision = binary(
        {"call": {"yes": "amount", "no": -1}, "leave": {"yes": 0, "no": 0}},
    )
    amount = np.where(np.arange(400) < 3, 1e6, rng.lognormal(3, 1, 400))
    y[:3] = 1
    evidence = judged(decision, {"y": y, "amount": amount}, prob)
    best = evidence.verdict["best_trivial"]
    gain = next(c.total for c in evidence.comparisons if c.against == best)
    assert gain.low is None
    found = evidence.information
    assert found["caution"] == gain.reason
    assert found["rows_needed"] == {"not_measured": gain.reason}
    assert "cannot be told by redraws" in found["sentences"][0]
    assert not any("hardly change" in s or "The probability" in s for s in found["sentences"])
