"""False alarms among groups that do not differ, impact ratios, and what shrinking gains."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from payoff.evidence.subgroups.cells import CELL_RATES, cell_bootstrap
from payoff.evidence.subgroups.impact import impact_ratio
from payoff.evidence.subgroups.permute import dealt_sums
from payoff.evidence.subgroups.shrink import sampling_variance, shrink
from payoff.evidence.subgroups.simultaneous import Cases, cases_of, contrast
from tests.statistics.harness import FULL, FULL_RUNS, FULL_SEED, QUICK, Row, coverage, hold

TITLE = "Subgroups"
ABOUT = (
    "Groups that do not differ: how often any of them is said to. Groups that do: how near the "
    "shrunken gain comes to the truth beside the raw one. And the interval of the impact ratio."
)
LEVEL = 0.95
RESAMPLES = 499


def skewed(rng, n):
    """Gain of many small losses and few, uneven wins; its mean is 0."""
    win = rng.random(n) < 0.1
    return np.where(win, rng.lognormal(2, 0.8, n), 0.0) - 0.1 * math.exp(2.32)


def constant(rng, n):
    """9 with probability 10 %, else -1; its mean is 0."""
    return np.where(rng.random(n) < 0.1, 9.0, -1.0)


def unlike(rng, group):
    """Equal means of 0, but groups that are acted on between 5 % and 60 % of the time."""
    often = np.linspace(0.05, 0.6, int(group.max()) + 1)[group]
    return np.where(rng.random(len(group)) < often, constant(rng, len(group)), 0.0)


def sizes_of(rng, groups, low, high):
    """Group codes of groups whose sizes are spread evenly on a logarithmic scale."""
    sizes = np.exp(rng.uniform(np.log(low), np.log(high), groups)).astype(int)
    return np.repeat(np.arange(groups), sizes)


def alarms(runs: int, seed: int, draw, groups: int, low: int, high: int, world: str) -> list[Row]:
    """Measure any adjusted p at or below 5 %, and simultaneous intervals that all hold zero."""
    rng = np.random.default_rng(seed)
    any_alarm = held = naive = total = 0
    for _ in range(runs):
        group = sizes_of(rng, groups, low, high)
        value = draw(rng, group) if draw is unlike else draw(rng, len(group))
        found = contrast(
            cases_of(value, np.ones(len(value)), group, None),
            np.ones(groups, dtype=bool),
            level=LEVEL,
            rng=rng,
            resamples=RESAMPLES,
        )
        n = np.bincount(group)
        mean = np.bincount(group, value) / n
        any_alarm += found.p_any <= 1 - LEVEL
        held += bool(
            np.all(mean - found.high * found.error <= 0)
            and np.all(mean - found.low * found.error >= 0)
        )
        own = np.sqrt(np.maximum(np.bincount(group, value**2) / n - mean**2, 0) / (n - 1))
        naive += bool(np.any(np.abs(mean) > stats.t.ppf(0.975, n - 1) * own))
        total += len(group)
    n = round(total / runs)
    return [
        Row(
            what="any group of those that do not differ is said to",
            world=world,
            n=n,
            runs=runs,
            figure=coverage(any_alarm, runs),
            low=0.0,
            high=6.5,
            said=f"by each group's own interval {coverage(naive, runs):.0f} %",
        ),
        Row(
            what="simultaneous intervals of the gain all hold the truth",
            world=world,
            n=n,
            runs=runs,
            figure=coverage(held, runs),
            low=93.0,
            high=99.5,
        ),
    ]


def ratios(runs: int, seed: int) -> list[Row]:
    """Measure how often the interval of the impact ratio holds the true one."""
    rng = np.random.default_rng(seed)
    made = []
    for p, m, q, r in (
        (0.1, 100, 0.1, 1000),
        (0.3, 60, 0.3, 400),
        (0.16, 250, 0.2, 5000),
        (0.6, 80, 0.5, 300),
        (0.4, 1000, 0.5, 2000),
    ):
        a, b = rng.binomial(m, p, runs), rng.binomial(r, q, runs)
        held = 0
        for x, y in zip(a, b, strict=True):
            e = impact_ratio((x / m, m), (y / r, r), level=LEVEL, n=m)
            held += e.low is not None and e.low <= p / q <= e.high
        made.append(
            Row(
                what="95 % interval of the impact ratio holds the truth",
                world=f"{p:.0%} of {m:,} acted on beside {q:.0%} of {r:,}",
                n=m + r,
                runs=runs,
                figure=coverage(held, runs),
                low=93.5,
                high=96.5,
            )
        )
    return made


def shrinking(runs: int, seed: int, *, unlike_spread: bool = False) -> list[Row]:
    """Measure squared error and coverage of shrunken means beside raw ones."""
    rng = np.random.default_rng(seed)
    groups = 40
    raw, shrunken, pooled, held, lost = [], [], [], [], []
    for _ in range(runs):
        group = sizes_of(rng, groups, 60, 600)
        scale = np.exp(rng.normal(0, 0.5, groups)) if unlike_spread else np.ones(groups)
        truth = rng.normal(0, 0.25, groups)
        value = skewed(rng, len(group)) * scale[group] + truth[group]
        n = np.bincount(group)
        mean = np.bincount(group, value) / n
        cases = Cases(value, np.ones(len(value)), group, None)
        found = shrink(mean, sampling_variance(cases, np.ones(groups, dtype=bool)))
        raw.append(np.mean((mean - truth) ** 2))
        shrunken.append(np.mean((found.estimate - truth) ** 2))
        pooled.append(np.mean((value.mean() - truth) ** 2))
        held.append(np.mean(np.abs(found.estimate - truth) <= 1.96 * found.error))
        worst = [truth[np.argmin(m)] - truth.min() for m in (mean, found.estimate)]
        lost.append(worst[0] - worst[1])
    ratio = np.array(shrunken) / np.array(raw)
    error = float(ratio.std() / math.sqrt(runs))
    world = f"{groups} groups of 60 to 600 rows, skewed money, spread of true means 0.25"
    world += ", unequal spread within groups" if unlike_spread else ""
    said = f"mean squared error {np.mean(raw):.3f} raw, {np.mean(shrunken):.3f} shrunken, "
    said += f"{np.mean(pooled):.3f} by the mean of all"
    return [
        Row(
            what="squared error of the shrunken gain over that of the raw gain",
            world=world,
            n=groups,
            runs=runs,
            figure=float(ratio.mean()),
            low=0.0,
            high=0.9,
            error=error,
            unit="ratio",
            said=said,
        ),
        Row(
            what="shrunken intervals that hold the truth, of all groups",
            world=world,
            n=groups,
            runs=runs,
            figure=100 * float(np.mean(held)),
            low=88.0 if unlike_spread else 92.0,
            high=97.5,
            error=100 * float(np.std(held) / math.sqrt(runs)),
        ),
        Row(
            what="loss from taking the wrong group for the worst: raw minus shrunken",
            world=world,
            n=groups,
            runs=runs,
            figure=float(np.mean(lost)),
            low=0.0,
            high=math.inf,
            error=float(np.std(lost) / math.sqrt(runs)),
            unit="money per unit",
        ),
    ]


def rows(runs: int, seed: int) -> list[Row]:
    """Simulate; dealing labels makes a run dear, so alarms take a tenth as many."""
    few = max(runs // 10, 30)
    return [
        *alarms(few, seed, constant, 40, 60, 600, "40 groups, 9 with probability 10 %, else -1"),
        *alarms(few, seed, skewed, 40, 60, 250, "40 groups, skewed money"),
        *alarms(few, seed, unlike, 8, 100, 3000, "8 groups of equal means and unequal spread"),
        *ratios(runs, seed),
        *shrinking(few, seed),
        *shrinking(few, seed, unlike_spread=True),
    ]


def test_quick_ratios_and_shrinking(seed):
    hold([*ratios(1000, seed), *shrinking(60, seed)], QUICK)
    hold(shrinking(60, seed, unlike_spread=True), QUICK)


def test_quick_alarms(seed):
    hold(alarms(60, seed, constant, 12, 60, 300, "12 groups"), QUICK)


def test_the_spread_between_extremes_says_nothing(seed):
    """A percentile interval of the largest minus the smallest rate can never hold zero.

    Elsewhere that is the test of a difference, and it flags every data set without one. The chance
    of any difference does not.
    """
    rng = np.random.default_rng(seed)
    flagged = said = 0
    runs = 60
    for _ in range(runs):
        counts = rng.multinomial(250, [0.6, 0.1, 0.2, 0.1], size=8)
        drawn = rng.multinomial(250, counts / 250, size=(300, 8)).astype(float)
        rate = CELL_RATES["acted"](drawn)
        flagged += np.quantile(rate.max(axis=1) - rate.min(axis=1), 0.025) > 0
        acted = np.concatenate([np.repeat([0.0, 1.0], [250 - c, c]) for c in counts[:, 2:].sum(1)])
        group = np.repeat(np.arange(8), 250)
        found = contrast(
            cases_of(acted, np.ones(2000), group, None),
            np.ones(8, dtype=bool),
            level=LEVEL,
            rng=rng,
            resamples=199,
        )
        said += found.p_any <= 0.05
    assert flagged == runs
    assert said <= 10  # of 60; P(more | 5 %) is below 0.1 %


@pytest.mark.statistics
def test_full():
    hold(rows(FULL_RUNS, FULL_SEED), FULL)


def found_by(borrowed: float, runs: int, seed: int, world: str) -> float:
    """Share of runs in which a planted loss is named, or, with none planted, any group is."""
    rng = np.random.default_rng(seed)
    hits = 0
    for _ in range(runs):
        if world == "loss":
            group = sizes_of(rng, 40, 60, 3000)
            win = rng.random(len(group)) < 0.05
            value = np.where(win, rng.lognormal(3, 1, len(group)), -1.0)
            large = int(np.flatnonzero(np.bincount(group) > 1000)[0])
            value[group == large] -= 1.2
        else:
            group = np.repeat(np.arange(4), [100, 300, 1000, 3000])
            value = rng.normal(size=len(group)) * np.array([4, 1, 2, 1])[group]
        found = contrast(
            cases_of(value, np.ones(len(value)), group, None),
            np.ones(int(group.max()) + 1, dtype=bool),
            level=LEVEL,
            rng=rng,
            resamples=299,
            borrowed=borrowed,
        )
        p = found.p_adjusted[large] if world == "loss" else found.p_any
        hits += p <= 1 - LEVEL
    return hits / runs


@pytest.mark.statistics
def test_why_each_group_borrows_thirty_cases_worth_of_spread():
    """With none borrowed nothing is found; with only the common spread, false alarms."""
    assert found_by(1.0, 100, FULL_SEED, "loss") <= 0.05
    assert found_by(30.0, 100, FULL_SEED, "loss") >= 0.25
    assert found_by(30.0, 300, FULL_SEED, "unequal spread") <= 0.085
    assert found_by(1e9, 100, FULL_SEED, "unequal spread") >= 0.3


@pytest.mark.statistics
def test_three_ways_of_dealing_agree():
    """Counts, cases and the normal limit give the same spread of group sums."""
    rng = np.random.default_rng(FULL_SEED)
    n = 9000
    value = np.where(rng.random(n) < 0.1, 9.0, -1.0)
    s = value - value.mean()
    sizes = np.array([200, 1800, 7000])
    by_counts = dealt_sums(s, np.ones(n), sizes, resamples=20_000, rng=rng)
    jitter = s + rng.normal(0, 1e-9, n)
    by_limit = dealt_sums(jitter, np.ones(n), sizes, resamples=20_000, rng=rng)
    for g in range(3):
        a, b = by_counts[:, g, 0], by_limit[:, g, 0]
        exact = math.sqrt(sizes[g] * (1 - sizes[g] / n) * n / (n - 1) * s.var())
        assert a.std() == pytest.approx(exact, rel=0.03)
        assert b.std() == pytest.approx(exact, rel=0.03)
        for at in (0.025, 0.5, 0.975):
            gap = abs(np.quantile(a, at) - np.quantile(b, at))
            assert gap <= 0.06 * exact + 5.0  # sums by counts move in steps of 10


def test_cells_agree_with_resampling_rows(seed):
    """The percentile interval of cells is that of rows, up to the noise of resampling."""
    rng = np.random.default_rng(seed)
    counts = np.array([[300, 40, 60, 100]])
    rows_of = np.repeat(np.arange(4), counts[0])
    picked = rng.choice(rows_of, size=(4000, 500))
    table = np.stack([(picked == k).sum(axis=1) for k in range(4)], axis=1).astype(float)
    found = cell_bootstrap(counts, CELL_RATES, level=LEVEL, rng=rng, resamples=4000)
    for name, measure in CELL_RATES.items():
        low, high = np.quantile(measure(table), [0.025, 0.975])
        (mine,) = found[name]
        width = high - low
        assert mine.low == pytest.approx(low, abs=0.08 * width)
        assert mine.high == pytest.approx(high, abs=0.08 * width)
