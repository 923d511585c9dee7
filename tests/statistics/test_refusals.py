"""Is an interval refused where none would hold the truth?"""

from __future__ import annotations

import numpy as np
import pytest

from payoff.clusters import cluster_sums
from payoff.evidence.interval import mean_money
from tests.statistics.harness import FULL, FULL_RUNS, FULL_SEED, QUICK, Row, coverage, hold

TITLE = "Refused intervals"
ABOUT = (
    "Money so heavy-tailed that no method holds the truth 95 times in 100: how often the interval "
    "is refused."
)

WORLDS = {
    "Pareto, tail index 1.1": (500, lambda rng, n: rng.pareto(1.1, n)),
    "Pareto, tail index 1.1, more rows": (2000, lambda rng, n: rng.pareto(1.1, n)),
    "Pareto, tail index 1.1, many rows": (20_000, lambda rng, n: rng.pareto(1.1, n)),
    "lognormal, sigma 3": (500, lambda rng, n: rng.lognormal(0, 3, n)),
    "lognormal, sigma 3, more rows": (2000, lambda rng, n: rng.lognormal(0, 3, n)),
    "lognormal, sigma 3, many rows": (20_000, lambda rng, n: rng.lognormal(0, 3, n)),
    "a jackpot of 5,000 in one row of 5,000, else -1": (
        5000,
        lambda rng, n: np.where(rng.random(n) < 1 / 5000, 5000.0, -1.0),
    ),
    "a jackpot of 5,000 in one row of 5,000, else normal": (
        20_000,
        lambda rng, n: np.where(rng.random(n) < 1 / 5000, 5000.0, rng.normal(0, 1, n)),
    ),
}
UNSEEN = "when no jackpot was drawn (2 % of runs), nothing in the rows can tell of it"


def rows(runs: int, seed: int) -> list[Row]:
    """Simulate every world; the larger ones in fewer runs."""
    rng = np.random.default_rng(seed)
    made = []
    for world, (n, draw) in WORLDS.items():
        these = runs if n <= 5000 else max(runs // 5, 100)
        refused = 0
        for _ in range(these):
            found = mean_money(cluster_sums(draw(rng, n), np.ones(n), None), level=0.95, unit="EUR")
            refused += found.low is None
        made.append(
            Row(
                what="interval refused",
                world=world,
                n=n,
                runs=these,
                figure=coverage(refused, these),
                low=95.0,
                high=100.0,
                said=UNSEEN if "else normal" in world else "",
            )
        )
    return made


def test_quick(seed):
    hold(rows(200, seed), QUICK)


@pytest.mark.statistics
def test_full():
    hold(rows(FULL_RUNS, FULL_SEED), FULL)
