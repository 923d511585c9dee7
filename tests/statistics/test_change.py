"""Break-even points, the base rate that turns the choice, margins, more rows, and calibration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from payoff.evidence.corp import corp
from payoff.evidence.information import evsi
from payoff.evidence.interval import cluster_sums, mean_money
from payoff.evidence.joint import covariance, fieller, joint_means
from tests.statistics.harness import FULL, FULL_RUNS, FULL_SEED, QUICK, Row, coverage, hold

TITLE = "What would change the answer"
ABOUT = (
    "Where two policies change places, as a payoff or as the base rate moves; how often a policy "
    "that loses exactly the margin is said not to; what more rows bring; and how often right "
    "probabilities are said to be wrong."
)
T = {n: float(stats.t.ppf(0.975, n - 1)) for n in (400, 800, 2000)}


def world(rng, n):
    """Outcome 20 %; the model calls 70 % of those and 20 % of the others, a rule calls 30 %."""
    y = rng.random(n) < 0.2
    own = rng.random(n) < np.where(y, 0.7, 0.2)
    rule = rng.random(n) < 0.3
    return y, own, rule


def break_even(runs: int, seed: int, n: int) -> Row:
    """The cost of a false alarm at which model and rule earn the same, known from the world."""
    rng = np.random.default_rng(seed)
    held = 0
    truth = -9 * 0.2 * (0.7 - 0.3) / (0.8 * (0.2 - 0.3))
    for _ in range(runs):
        y, own, rule = world(rng, n)
        act = own.astype(float) - rule
        columns = np.stack([act * np.where(y, 9.0, -1.0), act * ~y], axis=1)
        found = joint_means(columns, np.ones(n), None)
        ends = fieller(float(found.mean[0]), float(found.mean[1]), found.cov, T[n])
        held += ends is None or -1 + ends[0] <= truth <= -1 + ends[1]
    return Row(
        what="95 % interval of a payoff's break-even holds it",
        world="a model calls 30 % of customers, a rule another 30 %; cost of a false alarm",
        n=n,
        runs=runs,
        figure=coverage(held, runs),
        low=94.0,
        high=96.0,
        said="a set without an end counts as holding it",
    )


def turning(runs: int, seed: int, n: int) -> Row:
    """The base rate at which calling everybody overtakes the model."""
    rng = np.random.default_rng(seed)
    held = 0
    truth = 0.8 / (0.8 + 9 * 0.3)
    for _ in range(runs):
        y, own, _ = world(rng, n)
        lead = (own - 1.0) * np.where(y, 9.0, -1.0)
        means, parts = [], []
        for rows in (y, ~y):
            mean = lead[rows].mean()
            means.append(mean)
            parts.append(np.where(rows, lead - mean, 0.0) / rows.sum())
        cov = covariance(np.stack(parts, axis=1), None)
        pick = np.array([[0.0, 1.0], [1.0, -1.0]])  # at rate 0, and the slope
        d, slope = pick @ np.array(means)
        ends = fieller(float(d), float(slope), pick @ cov @ pick.T, T[n])
        held += ends is None or ends[0] <= truth <= ends[1]
    return Row(
        what="95 % interval of the base rate that turns the choice holds it",
        world="calling everybody against a model, outcome 20 %",
        n=n,
        runs=runs,
        figure=coverage(held, runs),
        low=94.0,
        high=96.0,
    )


def margins(runs: int, seed: int, n: int) -> Row:
    """The policy loses exactly the margin: how often it is said to lose no more."""
    rng = np.random.default_rng(seed)
    loss = 0.5 * (0.3 * 9 - 0.7)
    said = 0
    for _ in range(runs):
        y = rng.random(n) < 0.3
        lead = -np.where(rng.random(n) < 0.5, np.where(y, 9.0, -1.0), 0.0)
        sums = cluster_sums(lead, np.ones(n), None)
        found = mean_money(sums, level=0.9, unit="EUR")
        said += found.low is not None and found.low >= -loss
    return Row(
        what="not worse by more than the margin, said where it is worse by just that",
        world="doing nothing against calling half of the customers at random",
        n=n,
        runs=runs,
        figure=coverage(said, runs),
        low=4.0,
        high=6.0,
    )


def more_rows(runs: int, seed: int, n: int) -> Row:
    """What choosing after as many rows again brought, less what EVSI had said it would bring."""
    rng = np.random.default_rng(seed)
    error = 1.0 / np.sqrt(n)
    truth = rng.uniform(-8 * error, 8 * error, runs)
    now = truth + error * rng.standard_normal(runs)
    then = truth + error * rng.standard_normal(runs)
    noise = rng.standard_normal(4000) * error
    told = np.empty(runs)
    for k in range(runs):
        draws = np.stack([now[k] + noise, np.zeros(4000)], axis=1)
        told[k] = evsi(np.array([now[k], 0.0]), draws, 0.5)
    brought = truth * (((now + then) > 0).astype(float) - (now > 0))
    gap = (brought - told) / error
    return Row(
        what="gain by choosing after as many rows again, less its forecast (EVSI)",
        world="a difference of any size, in standard errors of today's rows",
        n=n,
        runs=runs,
        figure=float(gap.mean()),
        low=0.0,
        high=0.0,
        said=f"the gain itself is {float(told.mean() / error):.3f} standard errors on average",
        error=float(gap.std() / np.sqrt(runs)),
        unit="standard errors",
    )


def right_probabilities(runs: int, seed: int, n: int) -> Row:
    """How often as much miscalibration as seen is said to be beyond chance at 5 %."""
    rng = np.random.default_rng(seed)
    said = 0
    for k in range(runs):
        prob = rng.beta(1, 4, n)
        hit = rng.random(n) < prob
        found = corp(prob, hit, np.ones(n), design=1.0, level=0.95, seed=k)
        said += found["p_value"] <= 0.05
    return Row(
        what="right probabilities said to be wrong (p at or below 5 %)",
        world="probabilities from a beta distribution (1, 4)",
        n=n,
        runs=runs,
        figure=coverage(said, runs),
        low=4.0,
        high=6.0,
    )


def rows(runs: int, seed: int) -> list[Row]:
    """Return every promise of the topic beside what was measured."""
    return [
        break_even(runs, seed, 800),
        break_even(runs, seed + 1, 2000),
        turning(runs, seed + 2, 400),
        turning(runs, seed + 3, 2000),
        margins(runs, seed + 4, 800),
        more_rows(runs, seed + 5, 1000),
        right_probabilities(max(20, runs // 10), seed + 6, 400),
    ]


def test_quick():
    hold(rows(150, 11), QUICK)


@pytest.mark.statistics
def test_full():
    hold(rows(FULL_RUNS, FULL_SEED), FULL)
