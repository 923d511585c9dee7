"""Do the intervals of mean money hold the truth as often as they say?"""

from __future__ import annotations

import math

import numpy as np
import pytest

from payoff.evidence.interval import cluster_sums, mean_money
from tests.statistics.harness import FULL, FULL_RUNS, FULL_SEED, QUICK, Row, coverage, hold

TITLE = "Intervals of mean money"
ABOUT = "The 95 % interval of mean money per unit, over all runs in which one was given."

WORLDS = {
    "9 with probability 10 %, else -1": (lambda r, n: np.where(r.random(n) < 0.1, 9.0, -1.0), 0.0),
    "lognormal gain (sigma 0.8) with probability 10 %, else 0": (
        lambda r, n: np.where(r.random(n) < 0.1, r.lognormal(3, 0.8, n), 0.0),
        0.1 * math.exp(3 + 0.32),
    ),
    "lognormal (sigma 1)": (lambda r, n: r.lognormal(0, 1, n), math.exp(0.5)),
    "lognormal (sigma 1) of either sign with probability 20 %, else 0": (
        lambda r, n: r.lognormal(2, 1, n) * r.choice([-1, 1], n) * (r.random(n) < 0.2),
        0.0,
    ),
}


def rows(runs: int, seed: int, sizes: tuple[int, ...] = (300, 1000, 3000)) -> list[Row]:
    """Simulate every world at every size; the bootstrap makes a run dear, so a fifth as many."""
    runs = max(runs // 5, 200)
    rng = np.random.default_rng(seed)
    made = []
    for world, (draw, truth) in WORLDS.items():
        for n in sizes:
            held = shown = 0
            for run in range(runs):
                sums = cluster_sums(draw(rng, n), np.ones(n), None)
                found = mean_money(sums, level=0.95, unit="EUR", seed=run)
                if found.low is not None and found.high is not None:
                    shown += 1
                    held += found.low <= truth <= found.high
            made.append(
                Row(
                    what="95 % interval holds the truth",
                    world=world,
                    n=n,
                    runs=shown,
                    figure=coverage(held, shown),
                    low=92.5,
                    high=98.5,
                )
            )
    return made


def test_quick(seed):
    hold(rows(200, seed, sizes=(400,)), QUICK)


@pytest.mark.statistics
def test_full():
    hold(rows(FULL_RUNS, FULL_SEED), FULL)
