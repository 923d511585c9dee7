"""The Qini curve and coefficient: a hand table, brute force, the bootstrap, properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payoff.evidence.uplift import gain_curve, positions, qini_scores


def area_by_hand(score, effect):
    """Treat one more row at a time and add up the trapezoids; ties in their mean order."""
    n = len(score)
    order = np.argsort(-score, kind="stable")
    effect = effect.astype(float).copy()
    for value in np.unique(score):
        effect[score == value] = effect[score == value].mean()
    curve = np.concatenate([[0.0], np.cumsum(effect[order])]) / n
    area = ((curve[1:] + curve[:-1]) / 2).sum() / n
    return curve, area - curve[-1] / 2


def test_a_hand_table():
    """Effects 1000, 100, 10, 1 from the best score down: the curve is 250, 275, 277.5, 277.75."""
    score = np.array([1.0, 4.0, 2.0, 3.0])
    effect = np.array([1.0, 1000.0, 10.0, 100.0])
    gain, _ = gain_curve(score, effect, np.ones(4), np.array([0, 0.25, 0.5, 0.75, 1]))
    assert gain.tolist() == [0, 250, 275, 277.5, 277.75]
    area = (0 + 250) / 8 + (250 + 275) / 8 + (275 + 277.5) / 8 + (277.5 + 277.75) / 8
    found = qini_scores(score, effect, np.ones(4)).mean()
    assert found == pytest.approx(area - 277.75 / 2)


@settings(max_examples=60)
@given(st.integers(0, 100_000), st.integers(2, 60), st.booleans())
def test_brute_force(seed, n, ties):
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 5, n).astype(float) if ties else rng.normal(size=n)
    effect = rng.normal(size=n) * 100
    curve, area = area_by_hand(score, effect)
    assert qini_scores(score, effect, np.ones(n)).mean() == pytest.approx(area, abs=1e-9)
    gain, _ = gain_curve(score, effect, np.ones(n), np.arange(n + 1) / n)
    assert gain == pytest.approx(curve, abs=1e-9)


@settings(max_examples=30)
@given(st.integers(0, 100_000))
def test_a_row_written_twice_is_a_row_of_weight_two(seed):
    rng = np.random.default_rng(seed)
    score, effect = rng.integers(0, 4, 12).astype(float), rng.normal(size=12)
    weight = rng.integers(1, 4, 12)
    rows = np.repeat(np.arange(12), weight)
    twice = qini_scores(score[rows], effect[rows], np.ones(len(rows))).mean()
    once = np.average(qini_scores(score, effect, weight.astype(float)), weights=weight)
    assert once == pytest.approx(twice, abs=1e-12)


def test_the_standard_error_is_that_of_the_bootstrap(rng):
    n = 800
    score = rng.normal(size=n)
    effect = score * 2 + rng.normal(size=n) * 5
    values = qini_scores(score, effect, np.ones(n))
    drawn = [
        qini_scores(score[rows], effect[rows], np.ones(n)).mean()
        for rows in rng.integers(0, n, (600, n))
    ]
    assert values.std() / np.sqrt(n) == pytest.approx(np.std(drawn), rel=0.12)


def test_a_score_that_says_nothing_finds_nobody(rng):
    n = 4000
    effect = rng.normal(1, 1, n)
    values = qini_scores(rng.normal(size=n), effect, np.ones(n))
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(n)
    same = qini_scores(np.zeros(n), effect, np.ones(n))
    assert same.mean() == pytest.approx(0, abs=1e-12)


def test_positions_are_mid_ranks(rng):
    score = rng.integers(0, 6, 50)
    share, _ = positions(score, np.ones(50))
    by_hand = [(np.sum(score < s) + np.sum(score == s) / 2) / 50 for s in score]
    assert share == pytest.approx(by_hand)


def test_errors_of_the_curve_count_clusters(rng):
    score, effect = rng.normal(size=200), rng.normal(size=200)
    rows = np.repeat(np.arange(200), 3)
    _, once = gain_curve(score, effect, np.ones(200), np.array([0.5]))
    _, thrice = gain_curve(score[rows], effect[rows], np.ones(600), np.array([0.5]), rows)
    assert thrice == pytest.approx(once)
