"""Scores of actions that were not taken, and bounds: by hand, by brute force, by property."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payoff.policy.past import Bounds, doubly_robust, weights


def test_scores_by_hand():
    """Costs 1, 10, 100, 1000: each sum shows which terms were counted."""
    model = np.array([[1.0, 10.0], [1.0, 10.0], [1.0, 10.0]])
    taken, chance = np.array([0, 1, 1]), np.array([0.5, 0.25, 1.0])
    seen = np.array([100.0, 1000.0, 10.0])
    found = doubly_robust(model, taken, chance, seen)
    assert found.tolist() == [[1 + 99 / 0.5, 10], [1, 10 + 990 / 0.25], [1, 10]]
    assert model.tolist() == [[1, 10]] * 3  # the model itself is left alone


def test_a_model_of_nothing_gives_inverse_propensity(rng):
    n = 200
    taken, chance = rng.integers(0, 3, n), rng.uniform(0.1, 1, n)
    seen, codes = rng.normal(size=n), rng.integers(0, 3, n)
    scores = doubly_robust(np.zeros((n, 3)), taken, chance, seen)
    by_weight = weights(codes, taken, chance) * seen
    assert scores[np.arange(n), codes] == pytest.approx(by_weight, rel=1e-12)


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_either_a_right_model_or_right_chances_suffice(seed):
    """Averaged over every way chance could have gone, the score is the truth."""
    rng = np.random.default_rng(seed)
    truth, chance = rng.normal(size=3), rng.dirichlet(np.ones(3))
    wrong_model, wrong_chance = rng.normal(size=3), rng.dirichlet(np.ones(3)) + 0.1
    for model, used in ((wrong_model, chance), (truth, wrong_chance)):
        mean = sum(
            chance[a]
            * doubly_robust(model[None, :], np.array([a]), np.array([used[a]]), truth[[a]])[0]
            for a in range(3)
        )
        assert mean == pytest.approx(truth, rel=1e-9, abs=1e-9)


def test_bounds_by_brute_force(rng):
    """Every way the unseen outcomes could have gone lies within, and both ends are reached."""
    n, n_actions, n_outcomes = 6, 3, 2
    money = rng.normal(size=(n, n_actions, n_outcomes))
    outcome = np.array([0, 1, -1, 0, -1, -1])
    unknown = np.flatnonzero(outcome < 0)
    realised = np.where(
        (outcome >= 0)[:, None],
        money[np.arange(n), :, np.maximum(outcome, 0)],
        np.nan,
    )
    bounds = Bounds(
        rows=unknown, low=money[unknown], high=money[unknown], taken=np.zeros(n, np.int16)
    )
    codes, other = rng.integers(0, n_actions, n), rng.integers(0, n_actions, n)
    totals, differences = [], []
    for way in itertools.product(range(n_outcomes), repeat=len(unknown)):
        full = outcome.copy()
        full[unknown] = way
        own = money[np.arange(n), codes, full]
        totals.append(own.sum())
        differences.append((own - money[np.arange(n), other, full]).sum())
    low, high = bounds.of(codes, realised)
    assert (low.sum(), high.sum()) == pytest.approx((min(totals), max(totals)))
    low, high = bounds.between(codes, other, realised)
    assert (low.sum(), high.sum()) == pytest.approx((min(differences), max(differences)))


def test_the_width_of_bounds_is_the_share_unknown_times_the_spread():
    n, k = 100, 30
    rows = np.arange(k)
    cells = np.broadcast_to(np.array([[-50.0, 10.0], [0.0, 0.0]]), (k, 2, 2))
    realised = np.zeros((n, 2))
    bounds = Bounds(rows=rows, low=cells, high=cells, taken=np.zeros(n, np.int16))
    low, high = bounds.of(np.zeros(n, np.int16), realised)
    assert high.mean() - low.mean() == pytest.approx(k / n * 60)
    low, high = bounds.of(np.ones(n, np.int16), realised)
    assert (low == high).all()
