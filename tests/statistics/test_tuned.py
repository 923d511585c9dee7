"""Is the value of a tuned threshold the truth, once other rows judge it?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from payoff.policy.choose import (
    actions_of,
    best_threshold,
    cross_fitted_threshold,
    paired,
    policies,
    policy_value,
)
from payoff.policy.stakes import Choosing, Judging
from tests.statistics.harness import FULL, FULL_RUNS, FULL_SEED, QUICK, Row, hold
from tests.worlds import binary

TITLE = "Value of a tuned threshold"
ABOUT = (
    "A threshold is tuned on n rows; its value there (apparent), by cross-fitting, and on as many "
    "other rows (the judging part), each minus its true value, as the mean over runs. One standard "
    "error (SE) is that of the value in one run."
)

GAIN, SIGMA, COST = 3.0, 0.8, 5.0
AMOUNT = float(np.exp(GAIN + SIGMA**2 / 2))
A, B = 0.6, 9.0
DECISION = binary({"call": {"yes": "amount", "no": -COST}, "leave": {"yes": 0, "no": 0}})


def truth(threshold: float) -> float:
    """Value of calling all whose probability is at least this, by the incomplete beta function."""
    yes = A / (A + B) * stats.beta.sf(threshold, A + 1, B)
    return float(yes * AMOUNT - (stats.beta.sf(threshold, A, B) - yes) * COST)


def drawn(rng, n, kind, part):
    prob = rng.beta(A, B, n)
    yes = rng.random(n) < prob
    call = np.where(yes, rng.lognormal(GAIN, SIGMA, n), -COST)
    return kind(
        part=part,
        prob=np.stack([prob, 1 - prob], axis=1),
        expected=np.stack([prob * AMOUNT - (1 - prob) * COST, np.zeros(n)], axis=1),
        realised=np.stack([call, np.zeros(n)], axis=1),
        outcome=np.where(yes, 0, 1).astype(np.int16),
        rule=None,
        weight=np.ones(n),
        cluster=np.arange(n),
        clustered=False,
        weighted=False,
    )


def rows(runs: int, seed: int, sizes: tuple[int, ...] = (200, 500, 2000)) -> list[Row]:
    """Simulate each size: three ways to value one tuned threshold."""
    rng = np.random.default_rng(seed)
    made = []
    for n in sizes:
        misses = np.empty((runs, 3))
        errors = np.empty(runs)
        for run in range(runs):
            chosen = drawn(rng, n, Choosing, "choose")
            judged = drawn(rng, n, Judging, "judge")
            (tuned,) = [p for p in policies(DECISION, chosen) if p.name == "threshold"]
            own = policy_value(actions_of(tuned, chosen), chosen)
            crossed = policy_value(cross_fitted_threshold(chosen, DECISION, seed=run), chosen)
            other = policy_value(actions_of(tuned, judged), judged)
            true = truth(float(tuned.threshold))
            misses[run] = own.mean() - true, crossed.mean() - true, other.mean() - true
            errors[run] = paired(other, np.zeros(n), judged).standard_error
        unit = float(errors.mean())
        what = (
            ("apparent value minus truth", 0.5, np.inf, "flattered: this is why rows judge once"),
            ("cross-fitted value minus truth", -0.25, 0.1, "tuned on four fifths, so a bit low"),
            ("value on the judging part minus truth", -0.05, 0.05, ""),
        )
        for k, (name, low, high, said) in enumerate(what):
            made.append(
                Row(
                    what=name,
                    world="lognormal gain (sigma 0.8) when right, -5 when wrong, 6 % positive",
                    n=n,
                    runs=runs,
                    figure=float(misses[:, k].mean()) / unit,
                    error=float(misses[:, k].std(ddof=1)) / np.sqrt(runs) / unit,
                    low=low,
                    high=high,
                    unit="SE",
                    said=said,
                )
            )
    return made


def test_the_truth_is_that_of_many_rows(rng):
    stakes = drawn(rng, 2_000_000, Judging, "judge")
    for threshold in (0.0, 0.1, 0.3):
        value = np.where(stakes.prob[:, 0] >= threshold, stakes.realised[:, 0], 0.0)
        error = value.std() / np.sqrt(len(value))
        assert value.mean() == pytest.approx(truth(threshold), abs=4 * error)


def test_the_tuned_threshold_is_the_best_on_its_rows(rng):
    stakes = drawn(rng, 200, Choosing, "choose")
    prob, gain = stakes.prob[:, 0], stakes.realised[:, 0]
    found = best_threshold(prob, gain)
    value = [gain[prob >= t].sum() for t in [*prob, 2.0]]
    assert gain[prob >= found].sum() == pytest.approx(max(value))


def test_quick(seed):
    hold(rows(300, seed, sizes=(200,)), QUICK)


@pytest.mark.statistics
def test_full():
    hold(rows(FULL_RUNS, FULL_SEED), FULL)
