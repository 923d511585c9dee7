"""Intervals: formulas against independent code, and refusals; coverage is in tests/statistics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from payoff.evidence.interval import (
    FEWEST_DIFFERENT,
    cluster_sums,
    mean_money,
    share,
    wilson,
)


def estimate(values, weight=None, cluster=None, **more):
    values = np.asarray(values, dtype=float)
    weight = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=float)
    return mean_money(cluster_sums(values, weight, cluster), level=0.95, unit="EUR", seed=0, **more)


def test_the_t_interval_is_scipys(rng):
    values = rng.normal(3, 2, 500)
    found = estimate(values)
    low, high = stats.t.interval(0.95, 499, values.mean(), stats.sem(values))
    assert found.method == "t"
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-10)


def test_clusters_are_what_is_resampled(rng):
    """Each row written five times says no more than once."""
    values = rng.normal(0, 1, 200)
    once = estimate(values)
    repeated = estimate(np.repeat(values, 5), cluster=np.repeat(np.arange(200), 5))
    assert (repeated.low, repeated.high) == pytest.approx((once.low, once.high), rel=1e-10)
    assert (repeated.n, repeated.n_clusters) == (1000, 200)


def test_a_cluster_robust_error_equals_the_textbook_sum(rng):
    cluster = rng.integers(0, 40, 300)
    weight = rng.random(300) + 0.5
    values = rng.normal(0, 1, 300) + cluster / 10
    found = estimate(values, weight, cluster)
    mean = np.average(values, weights=weight)
    total = 0.0
    present = np.unique(cluster)
    for c in present:
        rows = cluster == c
        total += float((weight[rows] * (values[rows] - mean)).sum()) ** 2
    k = len(present)
    error = math.sqrt(total * k / (k - 1)) / weight.sum()
    assert found.value == pytest.approx(mean)
    assert found.high - found.value == pytest.approx(error * stats.t.ppf(0.975, k - 1), rel=1e-9)


def test_whole_weights_are_not_more_evidence_than_rows(rng):
    values = rng.normal(0, 1, 100)
    assert estimate(values, np.full(100, 7.0)).low == pytest.approx(estimate(values).low)


def test_rows_of_weight_zero_leave_no_trace(rng):
    values = rng.normal(0, 1, 100)
    weight = np.concatenate([np.ones(60), np.zeros(40)])
    assert estimate(values, weight) == estimate(values[:60])


def test_one_sided_skew_takes_bootstrap_t_and_reaches_further_on_the_long_side(rng):
    values = rng.lognormal(0, 1.2, 300)
    found = estimate(values)
    assert found.method == "bootstrap-t"
    assert found.high - found.value > found.value - found.low
    half = stats.sem(values) * stats.t.ppf(0.975, 299)
    assert found.high > found.value + half


def test_bootstrap_t_agrees_with_a_plain_loop(rng):
    """The vectorised resampling against one written out, up to simulation error."""
    values = rng.exponential(1, 120)
    found = estimate(values)
    assert found.method == "bootstrap-t"
    mean, n = values.mean(), 120
    draws = []
    for _ in range(4000):
        pick = values[rng.integers(0, n, n)]
        draws.append((pick.mean() - mean) / (pick.std(ddof=1) / math.sqrt(n)))
    low, high = np.quantile(draws, [0.025, 0.975])
    error = values.std(ddof=1) / math.sqrt(n)
    t = stats.t.ppf(0.975, n - 1)
    assert found.high == pytest.approx(mean - min(low, -t) * error, abs=0.35 * error)
    assert found.low == pytest.approx(mean - max(high, t) * error, abs=0.2 * error)


def test_cells_tail_and_rows_give_the_same_interval(rng, monkeypatch):
    """Three ways of resampling the same rows: by cell, row by row, and tail with normal body."""
    from payoff.evidence import interval

    values = rng.choice([0.0, 0.0, 0.0, 0.0, 1.0, 30.0], 20_000, p=[0.24] * 4 + [0.035, 0.005])
    monkeypatch.setattr(interval, "_SKEW_LIMIT", 0.0)
    by_cell = estimate(values)
    monkeypatch.setattr(interval, "_MOST_CELLS", 0)
    by_tail = estimate(values)
    monkeypatch.setattr(interval, "_ALL_EXACT", 10**9)
    by_row = estimate(values)
    width = by_row.high - by_row.low
    for other in (by_cell, by_tail):
        assert other.method == "bootstrap-t"
        assert other.low == pytest.approx(by_row.low, abs=0.06 * width)
        assert other.high == pytest.approx(by_row.high, abs=0.06 * width)


def test_too_few_paying_rows_get_no_interval_and_the_reason():
    values = np.zeros(1000)
    values[: FEWEST_DIFFERENT - 1] = 50.0
    found = estimate(values)
    assert found.value == pytest.approx(0.45)
    assert (found.low, found.method) == (None, "none")
    assert f"only {FEWEST_DIFFERENT - 1} of 1,000" in found.reason


def test_equal_rows_are_no_evidence_of_certainty():
    found = estimate(np.zeros(500))
    assert found.method == "none"
    assert "variation cannot be seen" in found.reason


def test_equal_by_construction_is_exact():
    found = estimate(np.full(500, 2.0), identical="the two act alike")
    assert (found.low, found.value, found.high, found.method) == (2, 2, 2, "exact")


def test_no_rows_is_said():
    assert estimate([]).reason == "there are no rows"


@given(st.floats(1e-6, 1e6), st.integers(0, 1000))
def test_scaling_money_scales_the_interval(factor, seed):
    values = np.random.default_rng(seed).normal(1, 1, 60)
    one, other = estimate(values), estimate(values * factor)
    assert other.low == pytest.approx(one.low * factor, rel=1e-6, abs=1e-9 * factor)
    assert other.method == one.method


def test_wilson_is_scipys():
    for hits, n in ((0, 10), (3, 10), (10, 10), (17, 400)):
        found = stats.binomtest(hits, n).proportion_ci(method="wilson")
        assert wilson(hits / n, n, 0.95) == pytest.approx((found.low, found.high), abs=1e-12)


def test_a_share_with_clusters_is_wider(rng):
    cluster = np.repeat(np.arange(50), 10)
    hit = (rng.random(50) < 0.3)[cluster]
    alone = share(hit, np.ones(500), None, level=0.95)
    together = share(hit, np.ones(500), cluster, level=0.95)
    assert together.high - together.low > 2.5 * (alone.high - alone.low)
