"""Do intervals of mean money hold the truth as often as they say, and are they seldom refused?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from payoff.clusters import cluster_sums
from payoff.evidence.interval import mean_money
from tests.statistics.harness import FULL, FULL_RUNS, FULL_SEED, QUICK, Row, coverage, hold

TITLE = "Intervals of mean money"
ABOUT = (
    "The 95 % interval of mean money per unit where money is bounded: how often it holds the truth "
    "(over the runs in which one was given), and how often it was refused."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A world with bounded money: how to draw (values, weights, clusters), and the true mean."""

    n: int
    truth: float
    draw: Callable
    constant: bool = False
    low: float = 94.0
    high: float = 96.0
    said: str = ""


def cells(*levels, rest=0.0):
    """Money of declared constants: (probability, money) and the rest; and its mean."""
    p = np.array([level[0] for level in levels])
    money = np.array([*(level[1] for level in levels), rest])
    edges = np.cumsum(p)

    def draw(rng, n):
        return money[np.searchsorted(edges, rng.random(n))], None, None

    return {"draw": draw, "truth": float(p @ money[:-1] + (1 - p.sum()) * rest), "constant": True}


def sometimes(rate, amount, mean, rest=0.0):
    """An amount of its own per row, at a rate; the rest alike."""

    def draw(rng, n):
        return np.where(rng.random(n) < rate, amount(rng, n), rest), None, None

    return {"draw": draw, "truth": rate * mean + (1 - rate) * rest}


def two_tails(rng, n):
    u, amount = rng.random(n), rng.uniform(20, 100, n)
    return np.where(u < 0.05, amount, np.where(u < 0.1, -amount, -1.0)), None, None


def clustered(count):
    """Clusters of 1 to 20 rows, each with a rate of its own, and money of two values."""

    def draw(rng, _):
        cluster = np.repeat(np.arange(count), rng.integers(1, 21, count))
        rate = rng.beta(2, 8, count)[cluster]
        return np.where(rng.random(len(cluster)) < rate, 4.0, -1.0), None, cluster

    return draw


def clustered_amounts(rng, _):
    cluster = np.repeat(np.arange(60), rng.integers(1, 21, 60))
    own = rng.uniform(-5, 5, 60)[cluster]
    return own + rng.uniform(-5, 5, len(cluster)), None, cluster


def weighted(rng, n):
    return np.where(rng.random(n) < 0.2, 4.0, -1.0), rng.exponential(1, n) + 0.1, None


WORLDS = {
    "9 in 10 % of rows, else -1": World(n=300, **cells((0.1, 9.0), rest=-1.0)),
    "99 in 1 % of rows, else -1": World(n=2000, **cells((0.01, 99.0), rest=-1.0)),
    "99 in 2 % of rows, -10 in 5 %, else -1": World(
        n=500, **cells((0.02, 99.0), (0.05, -10.0), rest=-1.0)
    ),
    "99 in 2 % of rows, else -1": World(
        n=500,
        **cells((0.02, 99.0), rest=-1.0),
        low=94.0,
        high=97.5,
        said="ten paying rows of one value: 96.7 % by exact enumeration, because counts are whole",
    ),
    "all four cells: 1,000, -100, -10, 1": World(
        n=500, **cells((0.1, 1000.0), (0.2, -100.0), (0.03, -10.0), rest=1.0)
    ),
    "paired: +10 in 3 % of rows, -5 in 2 %, else 0": World(
        n=1000, **cells((0.03, 10.0), (0.02, -5.0))
    ),
    "paired, few disagree: +10 in 1 % of rows, -7 in 1 %, else 0": World(
        n=1000, **cells((0.01, 10.0), (0.01, -7.0))
    ),
    "subgroup: +5 in 30 % of rows, -3 in 20 %, else 0": World(
        n=60, **cells((0.3, 5.0), (0.2, -3.0))
    ),
    "uniform between 0 and 50": World(
        n=60, truth=25.0, draw=lambda rng, n: (rng.uniform(0, 50, n), None, None)
    ),
    "beta(0.5, 3) times 100": World(
        n=200, truth=100 / 7, draw=lambda rng, n: (100 * rng.beta(0.5, 3, n), None, None)
    ),
    "uniform between 0 and 100 in 10 % of rows, else 0": World(
        n=500, **sometimes(0.1, lambda rng, n: rng.uniform(0, 100, n), 50.0)
    ),
    "beta(1, 3) times 100 in 10 % of rows, else -2": World(
        n=1000, **sometimes(0.1, lambda rng, n: 100 * rng.beta(1, 3, n), 25.0, -2.0)
    ),
    "both tails: 20 to 100 in 5 % of rows, -20 to -100 in 5 %, else -1": World(
        n=500, truth=-0.9, draw=two_tails
    ),
    "100 clusters of 1 to 20 rows with rates of their own; 4 or -1": World(
        n=1050, truth=0.0, draw=clustered(100), constant=True
    ),
    "60 clusters of 1 to 20 rows; uniform effect of cluster and row": World(
        n=630, truth=0.0, draw=clustered_amounts
    ),
    "weights 0.1 + exponential; 4 in 20 % of rows, else -1": World(
        n=300, truth=0.0, draw=weighted, constant=True
    ),
}


def rows(runs: int, seed: int) -> list[Row]:
    """Simulate every world."""
    rng = np.random.default_rng(seed)
    made = []
    for name, world in WORLDS.items():
        held = shown = 0
        for _ in range(runs):
            value, weight, cluster = world.draw(rng, world.n)
            weight = np.ones(len(value)) if weight is None else weight
            sums = cluster_sums(value, weight, cluster)
            found = mean_money(sums, level=0.95, unit="EUR", constant=world.constant)
            if found.low is not None and found.high is not None:
                shown += 1
                held += found.low <= world.truth <= found.high
        said = {"world": name, "n": world.n, "said": world.said}
        made += [
            Row(
                what="95 % interval holds the truth",
                runs=shown,
                figure=coverage(held, shown),
                low=world.low,
                high=world.high,
                **said,
            ),
            Row(
                what="interval refused",
                runs=runs,
                figure=coverage(runs - shown, runs),
                low=0.0,
                high=1.0,
                **(said | {"said": ""}),
            ),
        ]
    return made


def test_quick(seed):
    hold(rows(200, seed), QUICK)


@pytest.mark.statistics
def test_full():
    hold(rows(FULL_RUNS, FULL_SEED), FULL)
