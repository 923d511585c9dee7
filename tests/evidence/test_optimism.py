"""Optimism: what tuning would have flattered, by hand, on noise, and in the record of a run."""

from __future__ import annotations

import numpy as np
import pytest

from payoff.evidence.optimism import (
    Step,
    best_of,
    cross_fitted_choice,
    optimism,
    tuned_threshold,
)
from payoff.policy.choose import best_threshold, orientation
from tests.worlds import at_stake, binary, three_by_three


def noise(seed, n=200):
    """Scores that know nothing of the outcome."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.1).astype(int)
    return at_stake(binary(), {"y": y}, rng.random(n), part="choose")[1]


def test_a_threshold_tuned_on_noise_flatters_and_its_cross_fitted_value_does_not():
    apparent, honest = [], []
    for seed in range(200):
        step = tuned_threshold(binary(), noise(seed), seed=seed)
        apparent.append(step.apparent.mean())
        honest.append(step.honest.mean())
    # The truth is known: calling a share c of the rows by chance is worth c * (0.1 * 9 - 0.9) = 0.
    assert np.mean(apparent) > 0.1
    assert abs(np.mean(honest)) < 3 * np.std(honest) / np.sqrt(200) + 0.02


def test_the_apparent_value_of_a_threshold_is_the_best_of_all_thresholds_by_brute_force():
    stake = noise(3)
    step = tuned_threshold(binary(), stake, seed=0)
    prob = stake.prob[:, 0]
    every = [
        np.where(prob >= t, stake.realised[:, 0], stake.realised[:, 1]).sum()
        for t in [0.0, *prob, 2.0]
    ]
    assert step.apparent.sum() == pytest.approx(max(every))
    assert step.apparent.mean() >= step.honest.mean()
    high, low = orientation(stake, binary())
    gain = stake.realised[:, high] - stake.realised[:, low]
    assert step.apparent.sum() == pytest.approx(gain[prob >= best_threshold(prob, gain)].sum())


def test_the_choice_among_models_is_cross_fitted_by_brute_force(rng):
    weight, fold = rng.random(60), rng.integers(5, size=60)
    per_unit = {name: rng.normal(size=60) for name in "abc"}
    found = cross_fitted_choice(per_unit, weight, fold)
    for i in range(60):
        others = fold != fold[i]
        best = max(per_unit, key=lambda k: np.average(per_unit[k][others], weights=weight[others]))
        assert found[i] == per_unit[best][i]
    apparent = per_unit[best_of(per_unit, weight)]
    assert np.average(apparent, weights=weight) >= np.average(found, weights=weight) - 1e-12


def test_among_equal_models_the_best_looks_good_and_its_honest_value_is_nothing():
    rng = np.random.default_rng(5)
    apparent, honest = [], []
    for _ in range(300):
        per_unit = {k: rng.normal(size=100) for k in range(10)}
        w, fold = np.ones(100), rng.integers(5, size=100)
        apparent.append(per_unit[best_of(per_unit, w)].mean())
        honest.append(cross_fitted_choice(per_unit, w, fold).mean())
    assert np.mean(apparent) > 0.12  # the mean of the largest of ten normals: 1.54 / sqrt(100)
    assert abs(np.mean(honest)) < 0.02


def test_each_step_says_what_was_taken_out_with_its_interval_and_in_a_sentence():
    decision, stake = binary(volume=1000), noise(4)
    found = optimism(decision, [tuned_threshold(decision, stake, seed=1)])
    (step,) = found["steps"]
    removed = step["apparent"]["value"] - step["honest"]["value"]
    assert step["removed"]["value"] == pytest.approx(removed)
    assert step["removed"]["unit"] == "EUR per month"
    assert step["removed"]["n"] == 200
    assert "none of that is in these figures" in found["sentences"][0]


def test_nothing_tuned_is_said_and_nothing_removed_is_exact():
    assert "nothing was tuned" in optimism(binary(), [])["not_measured"]
    stake = noise(6)
    same = Step(name="model", stakes=stake, apparent=np.ones(200), honest=np.ones(200))
    found = optimism(binary(), [same])
    assert found["steps"][0]["removed"]["value"] == 0
    assert found["steps"][0]["removed"]["method"] == "exact"
    assert found["sentences"] == []


def test_several_actions_or_actions_alone_have_no_threshold_to_flatter():
    decision = three_by_three()
    table = {"y": ["fraud", "error", "fine"], "amount": [10.0, 10.0, 10.0]}
    _, stake = at_stake(decision, table, np.full((3, 3), 1 / 3))
    assert tuned_threshold(decision, stake, seed=0) is None
