"""Is the error rate of what is automated kept as often as was promised?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from payoff.policy.guarantee import Trials, learn_order, try_in_order
from tests.statistics.harness import FULL, FULL_SEED, QUICK, Row, coverage, hold

TITLE = "The guaranteed error rate"
ABOUT = (
    "The threshold is tested on n rows after as many others chose the order, at a limit of 5 % and "
    "95 % confidence; broken is a run in which the true error rate of what is then automated "
    "exceeds the limit. *Automated at all* says that the promise is not kept by doing nothing."
)
LIMIT, CONFIDENCE = 0.05, 0.95


class Smooth:
    """Sureness is uniform; errors fall with it, from one in two to none."""

    name = "sureness without ties, errors from 50 % to 0"

    def draw(self, rng, n):
        sure = rng.random(n)
        wrong = rng.random(n) < 0.5 * (1 - sure) ** 2
        return Trials(sure=sure, wrong=wrong, weight=np.ones(n), cluster=None)

    def truth(self, threshold):
        return 0.5 * (1 - threshold) ** 2 / 3  # mean of (1 - s)^2 / 2 over s from the threshold


class Ties:
    """Four values of sureness, the loosest one just beyond the limit: the hardest case."""

    name = "four tied values of sureness, the last step 5.2 % wrong in all"
    values = np.array([0.9, 0.8, 0.7, 0.6])
    rates = np.array([0.046, 0.049, 0.053, 0.06])

    def draw(self, rng, n):
        k = rng.integers(4, size=n)
        wrong = rng.random(n) < self.rates[k]
        return Trials(sure=self.values[k], wrong=wrong, weight=np.ones(n), cluster=None)

    def truth(self, threshold):
        return float(self.rates[self.values >= threshold].mean())


class Edge:
    """Every threshold is at the limit plus next to nothing: any pass breaks the promise."""

    name = "every threshold a hair beyond the limit"

    def draw(self, rng, n):
        wrong = rng.random(n) < LIMIT + 1e-9
        return Trials(sure=rng.random(n), wrong=wrong, weight=np.ones(n), cluster=None)

    def truth(self, threshold):
        return LIMIT + 1e-9


class Together:
    """Documents in copies: whole clusters are right or wrong, and larger ones err no less."""

    name = "clusters of 1 to 4 rows, each right or wrong as a whole, all just beyond the limit"

    def draw(self, rng, n):
        size = rng.choice([1, 2, 4], p=[0.7, 0.2, 0.1], size=n)
        cluster = np.repeat(np.arange(n), size)
        wrong = (rng.random(n) < LIMIT + 1e-9)[cluster]
        sure = rng.random(n)[cluster]
        return Trials(sure=sure, wrong=wrong, weight=np.ones(len(cluster)), cluster=cluster)

    def truth(self, threshold):
        return LIMIT + 1e-9


class Weights:
    """Weights that differ by a factor of three."""

    name = "weights from 0.5 to 1.5, errors from 50 % to 0"

    def draw(self, rng, n):
        made = Smooth().draw(rng, n)
        weight = 0.5 + rng.random(n)
        return Trials(sure=made.sure, wrong=made.wrong, weight=weight, cluster=None)

    def truth(self, threshold):
        return Smooth().truth(threshold)


def found(rng, world, n):
    """Return the threshold that one run finds; None when none passes."""
    order = learn_order(world.draw(rng, n), LIMIT, CONFIDENCE)
    p_values = try_in_order(world.draw(rng, n), order, LIMIT, CONFIDENCE)
    passed = [p <= 1 - CONFIDENCE for p in p_values].count(True)
    return order[passed - 1] if passed else None


#: World, rows of each half, least share of runs in which something is automated, exact test.
WORLDS = (
    (Smooth(), 500, 50.0, True),
    (Smooth(), 2000, 99.0, True),
    (Ties(), 1000, 0.0, True),
    (Edge(), 1000, 0.0, True),
    (Together(), 1000, 0.0, False),
    (Weights(), 2000, 90.0, False),
)


def rows(runs: int, seed: int, worlds=WORLDS) -> list[Row]:
    """Simulate each world: how often the promise is broken, how often anything is automated."""
    rng = np.random.default_rng(seed)
    made = []
    for world, n, least, exact in worlds:
        some = runs if exact else max(50, runs // 10)
        thresholds = [found(rng, world, n) for _ in range(some)]
        broken = [t is not None and world.truth(t) > LIMIT for t in thresholds]
        made.append(
            Row(
                what="promise broken",
                world=world.name,
                n=n,
                runs=some,
                figure=coverage(broken, some),
                low=0.0,
                high=100 * (1 - CONFIDENCE),
                said="" if exact else "by the bound for weights and clusters",
            )
        )
        if least:
            made.append(
                Row(
                    what="automated at all",
                    world=world.name,
                    n=n,
                    runs=some,
                    figure=coverage([t is not None for t in thresholds], some),
                    low=least,
                    high=100.0,
                )
            )
    return made


def test_the_truth_is_that_of_many_rows(rng):
    for world in (Smooth(), Ties(), Weights()):
        made = world.draw(rng, 1_000_000)
        for threshold in (0.65, 0.75, 0.85):
            acted = made.sure >= threshold
            rate = np.average(made.wrong[acted], weights=made.weight[acted])
            error = np.sqrt(rate / acted.sum()) * 2
            assert rate == pytest.approx(world.truth(threshold), abs=4 * error)


def test_a_test_that_ignores_the_order_would_break_the_promise(rng):
    """The simulation can fail: taking the best of all thresholds untested breaks it often."""
    broken = 0
    for _ in range(200):
        made = Edge().draw(rng, 1000)
        grid = learn_order(Edge().draw(rng, 1000), LIMIT, 0.5)
        tails = [stats.binom.cdf(e.sum(), len(w), LIMIT) for w, e in map(made.at, grid)]
        broken += min(tails) <= 1 - CONFIDENCE
    assert broken / 200 > 0.08


def test_quick(seed):
    hold(rows(100, seed, WORLDS[:4]), QUICK)


@pytest.mark.statistics
def test_full():
    hold(rows(2_000, FULL_SEED), FULL)
