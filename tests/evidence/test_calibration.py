"""Calibration in money: CORP against scikit-learn, bounds by hand, worlds with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

from payoff.evidence.corp import corp, grouped, joined, pooled
from tests.worlds import SIMPLE, binary, calibrated, judged


def decomposition(prob, y, weight=None):
    w = np.ones(len(y)) if weight is None else weight
    return corp(prob, y.astype(bool), w, design=1.0, level=0.9, seed=0)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.booleans())
def test_corp_is_scikit_learns_isotonic_regression_and_its_scores(seed, weighted):
    """A second way: fit sklearn's isotonic map, score raw, mapped and constant forecasts."""
    rng = np.random.default_rng(seed)
    prob = np.round(rng.beta(1, 3, 150), 2 if seed % 2 else 6)
    y = (rng.random(150) < prob**1.3).astype(int)
    if len(set(y)) < 2:
        return
    w = rng.integers(1, 5, 150).astype(float) if weighted else np.ones(150)
    found = decomposition(prob, y, w)
    q = IsotonicRegression(y_min=0, y_max=1).fit(prob, y, sample_weight=w).predict(prob)
    flat = np.full(150, np.average(y, weights=w))
    for name, score in (("brier", brier_score_loss), ("log_loss", log_loss)):
        raw, best, base = (
            score(y, np.clip(x, 1e-15, 1 - 1e-15), sample_weight=w) for x in (prob, q, flat)
        )
        told = found[name]
        assert told["score"] == pytest.approx(raw, rel=1e-9)
        assert told["miscalibration"] == pytest.approx(raw - best, abs=1e-9)
        assert told["discrimination"] == pytest.approx(base - best, abs=1e-9)
        assert told["uncertainty"] == pytest.approx(base, rel=1e-9)
        total = told["miscalibration"] - told["discrimination"] + told["uncertainty"]
        assert told["score"] == pytest.approx(total)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 5)), min_size=1, max_size=40))
def test_pooled_is_monotone_and_keeps_the_total(pairs):
    rate, weight = (np.array(x) for x in zip(*pairs, strict=True))
    fitted = pooled(rate, weight)
    assert np.all(np.diff(fitted) >= -1e-12)
    assert fitted @ weight == pytest.approx(rate @ weight)


def test_grouping_keeps_totals_whatever_the_number_of_groups(rng):
    prob, y = calibrated(rng, 5000)
    w = rng.random(5000) + 0.5
    every = grouped(prob, y.astype(bool), w)
    for most in (None, 10, 500):
        found = every if most is None else joined(every, most)
        assert found.weight.sum() == pytest.approx(w.sum())
        assert found.weight @ found.prob == pytest.approx(w @ prob)
        assert found.weight @ found.rate == pytest.approx(w @ y)
        assert most is None or len(found.prob) <= most + 1
        assert found.n.sum() == pytest.approx((w.sum() ** 2 / (w @ w)), rel=0.1)


def test_right_probabilities_pass_and_wrong_ones_do_not(rng):
    prob, y = calibrated(rng, 4000)
    assert decomposition(prob, y)["p_value"] > 0.01
    assert decomposition(np.clip(prob * 1.5, 0, 1), y)["p_value"] < 0.01


def test_clusters_make_the_band_wider(rng):
    prob, y = calibrated(rng, 300)
    many = np.repeat(np.arange(300), 8)
    plain = judged(binary(), {"y": y[many]}, prob[many]).calibration["corp"]
    found = judged(binary(cluster="c"), {"y": y[many], "c": many}, prob[many]).calibration["corp"]
    width = [np.mean([b["high"] - b["low"] for b in c["curve"]]) for c in (plain, found)]
    assert width[1] > 1.5 * width[0]


# ------------------------------------------------------------------------------- in money


def test_recalibrating_right_probabilities_is_worth_nothing_that_can_be_seen(rng):
    prob, y = calibrated(rng, 5000)
    gain = judged(binary(), {"y": y}, prob).calibration["recalibrating"]["difference"]
    assert gain["low"] <= 0 or gain["value"] < 20


def test_recalibrating_halved_probabilities_regains_what_they_lost(rng):
    """p / 4 acts at a true probability of 0.4 where 0.1 is right; the loss is known row by row."""
    prob, y = calibrated(rng, 20_000)
    found = judged(binary(), {"y": y}, prob / 4)
    again = found.calibration["recalibrating"]
    lost = 1000 * np.where((prob >= 0.1) & (prob < 0.4), 10 * prob - 1, 0.0).mean()
    assert again["difference"]["low"] > 0
    assert again["difference"]["value"] == pytest.approx(lost, rel=0.2)
    check = next(c for c in found.checks if c.code == "PAY-E205")
    assert "Recalibrating would have earned" in check.detail
    assert "more" in found.calibration["sentences"][1]


@pytest.mark.statistics
def test_recalibrating_is_honest_on_few_rows():
    """With right probabilities cross-fitting shows a loss or nothing, on average never a gain."""
    gains = []
    for seed in range(200):
        prob, y = calibrated(np.random.default_rng(seed), 500)
        found = judged(binary(), {"y": y}, prob).calibration["recalibrating"]
        if "difference" in found:
            gains.append(found["difference"]["value"])
    assert np.mean(gains) <= 2 * np.std(gains) / np.sqrt(len(gains))


def test_no_model_earns_more_than_the_best_action_of_each_row(rng):
    prob, y = calibrated(rng, 800)
    found = judged(binary(), {"y": y}, prob)
    most = found.calibration["better_model"]["most"]
    oracle = np.where(y == 1, 9.0, 0.0)
    own = np.where(prob >= 0.1, np.where(y == 1, 9.0, -1.0), 0.0)
    assert most["value"] == pytest.approx(1000 * (oracle - own).mean())


def test_the_bound_keeps_to_the_capacity(rng):
    prob, y = calibrated(rng, 800)
    found = judged(binary(capacity=0.05), {"y": y}, prob).calibration["better_model"]["most"]
    best = 9.0 * min(40, int(y.sum()))
    own = np.where(y == 1, 9.0, -1.0)[np.argsort(-prob, kind="stable")[:40]].sum()
    assert found["value"] == pytest.approx(1000 / 800 * (best - own))


def test_a_column_left_out_shows_as_what_it_would_be_worth(rng):
    """One group has four times the odds; the model does not know it."""
    n = 20_000
    g = rng.integers(0, 2, n)
    base = rng.beta(1, 6, n)
    odds = base / (1 - base) * np.where(g == 1, 4.0, 0.5)
    y = (rng.random(n) < odds / (1 + odds)).astype(int)
    table = {"y": y, "g": np.array(["a", "b"])[g]}
    found = judged(binary(subgroups=("g",)), table, base).calibration["better_model"]["groups"]
    (one,) = found
    assert one["difference"]["low"] > 0
    assert one["grouping_loss"] > 0.001
    blind = {"y": y, "g": np.array(["a", "b"])[rng.integers(0, 2, n)]}
    (none,) = judged(binary(subgroups=("g",)), blind, base).calibration["better_model"]["groups"]
    assert none["difference"]["low"] <= 0 <= none["difference"]["high"]
    assert none["grouping_loss"] < 0.0005


def test_few_rows_of_an_outcome_are_not_recalibrated(rng):
    y = np.array([1] * 10 + [0] * 190)
    found = judged(binary(), {"y": y}, rng.random(200)).calibration["recalibrating"]
    assert "fewer than" in found["not_measured"]


def test_parts_of_the_promise_by_hand():
    """Predicted amount 10 where 30 came, probability 0.5 where it happened: 5, then 10, then 30."""
    import dataclasses

    from payoff.declare import Data, PayoffTable
    from payoff.evidence.acted import Background
    from payoff.evidence.judge import judge
    from payoff.model.scored import Scored
    from payoff.policy.choose import untuned
    from payoff.policy.stakes import stakes_to_judge
    from tests.worlds import rows

    decision = dataclasses.replace(
        binary(SIMPLE),
        payoffs=PayoffTable.of({"call": {"yes": "amount", "no": 0}, "leave": {"yes": 0, "no": 0}}),
        data=Data(outcome="y", known_later={"amount": "arrives with the order"}),
    )
    n = 60
    y = np.array([1, 0] * 30)
    data = rows(decision, {"y": y, "amount": np.where(y == 1, 30.0 + np.arange(n) % 3, np.nan)})
    prob = np.full((n, 2), 0.5)
    stake = stakes_to_judge(
        data, Scored(prob=prob, part="judge", amounts={("amount", "yes"): np.full(n, 10.0)})
    )
    found = judge(
        decision, stake, untuned(decision, stake), recommended="expected", subgroups={},
        background=Background(data={}, model={}),
    ).calibration  # fmt: skip
    truth = np.where(y == 1, 30.0 + np.arange(n) % 3, 0.0).mean()
    assert found["expected"] == pytest.approx(5.0)
    assert found["parts"]["probability"]["value"] == pytest.approx(0.0)
    assert found["parts"]["amount"]["value"] == pytest.approx(truth - 5.0)
