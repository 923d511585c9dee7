"""Intervals: formulas against independent code, and refusals; coverage is in tests/statistics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special, stats

from payoff.clusters import cluster_sums, standard_error
from payoff.evidence.diagnosis import diagnose
from payoff.evidence.interval import Unseen, mean_money, score_ends, share, wilson


def estimate(values, weight=None, cluster=None, **more):
    values = np.asarray(values, dtype=float)
    weight = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=float)
    return mean_money(cluster_sums(values, weight, cluster), level=0.95, unit="EUR", **more)


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
    sums = cluster_sums(values, weight, cluster)
    assert standard_error(sums) == pytest.approx(error, rel=1e-9)
    assert found.high - found.low == pytest.approx(2 * error * stats.t.ppf(0.975, k - 1), rel=0.1)


def test_whole_weights_are_not_more_evidence_than_rows(rng):
    values = rng.normal(0, 1, 100)
    assert estimate(values, np.full(100, 7.0)).low == pytest.approx(estimate(values).low)


def test_rows_of_weight_zero_leave_no_trace(rng):
    values = rng.normal(0, 1, 100)
    weight = np.concatenate([np.ones(60), np.zeros(40)])
    assert estimate(values, weight) == estimate(values[:60])


def test_skewed_money_takes_the_score_interval_and_reaches_further_on_the_long_side(rng):
    values = rng.gamma(0.5, 1.0, 300)
    found = estimate(values)
    assert found.method == "score"
    assert found.high - found.value > found.value - found.low
    half = stats.sem(values) * stats.t.ppf(0.975, 299)
    assert found.high > found.value + half


def test_money_of_two_values_has_wilsons_interval():
    """The score interval is Wilson's with n - 1 for n, scaled to money."""
    values = np.repeat([9.0, -1.0], [30, 271])
    z = stats.norm.ppf(0.975)
    low, high = wilson(30 / 301, 300, 0.95)
    ends = score_ends(cluster_sums(values, np.ones(301), None), z)
    assert ends == pytest.approx((10 * low - 1, 10 * high - 1), rel=1e-9)
    found = estimate(values, constant=True)
    assert found.method == "score"
    assert (found.low, found.high) == pytest.approx(ends, rel=0.02)


@pytest.mark.parametrize("shape", ["gamma", "both tails", "cells"])
def test_the_ends_solve_their_equation_as_scipy_solves_it(shape, rng):
    """Another root finder, another parametrisation (the mean itself), another minimiser."""
    values = {
        "gamma": rng.gamma(0.3, 1.0, 200),
        "both tails": rng.gamma(0.3, 1.0, 200) * np.where(rng.random(200) < 0.3, -1, 1),
        "cells": rng.choice([0.0, 1.0, 30.0], 200, p=[0.8, 0.15, 0.05]),
    }[shape]
    values = values / values.std()
    mean, n, t = values.mean(), 200, 1.98

    def tilted(target):
        """Return the variance under the exponential tilt whose mean is the target."""
        away = values - target
        a = optimize.brentq(lambda a: special.softmax(a * away) @ away, -50, 50, xtol=1e-14)
        return float(special.softmax(a * away) @ away**2)

    def excess(target):
        return (target - mean) ** 2 * (n - 1) - t * t * tilted(target)

    error = values.std() / math.sqrt(n)
    lowest = max(mean - 3.5 * error, values.min() + 0.01 * error)
    low = optimize.brentq(excess, lowest, mean - error, xtol=1e-12)
    high = optimize.brentq(excess, mean + error, mean + 3.5 * error, xtol=1e-12)
    found = score_ends(cluster_sums(values, np.ones(n), None), t)
    assert found == pytest.approx((low, high), rel=1e-6)


def test_cells_and_rows_give_the_same_interval(rng, monkeypatch):
    from payoff.evidence import interval

    values = rng.choice([0.0, 1.0, 30.0], 2_000, p=[0.96, 0.035, 0.005])
    by_cell = estimate(values, constant=True)
    monkeypatch.setattr(interval, "_MOST_CELLS", 0)
    by_row = estimate(values, constant=True)
    assert by_cell.method == "score"
    assert (by_row.low, by_row.high) == pytest.approx((by_cell.low, by_cell.high), rel=1e-9)


def test_where_many_cases_pay_evenly_the_score_ends_are_those_of_t(rng):
    values = rng.normal(5, 2, 20_000)
    sums = cluster_sums(values, np.ones(20_000), None)
    t = stats.t.ppf(0.975, 19_999)
    error = values.std(ddof=1) / math.sqrt(20_000)
    assert score_ends(sums, t) == pytest.approx(
        (values.mean() - t * error, values.mean() + t * error), abs=0.005 * error
    )


def test_too_few_paying_rows_get_no_interval_and_the_reason():
    values = np.zeros(1000)
    values[:9] = 50.0
    found = estimate(values)
    assert found.value == pytest.approx(0.45)
    assert (found.low, found.method) == (None, "none")
    assert "only 9 of 1,000" in found.reason


def test_where_every_amount_is_declared_three_paying_rows_suffice():
    """No amount can be larger than is known, so what is uncertain is a count."""
    for paying, method in ((2, "none"), (3, "score")):
        values = np.zeros(1000)
        values[:paying] = 50.0
        assert estimate(values, constant=True).method == method


def test_one_row_that_carries_the_money_gets_no_interval(rng):
    values = np.concatenate([rng.uniform(0, 10, 500), [1e7]])
    found = estimate(values)
    assert found.method == "none"
    assert "equivalent of 1 paying cases among 501" in found.reason


def test_a_few_clusters_with_most_of_the_weight_get_no_interval(rng):
    cluster = np.concatenate([np.repeat([0, 1, 2], 3000), np.arange(3, 60)])
    found = estimate(rng.normal(0, 1, len(cluster)), cluster=cluster)
    assert found.method == "none"
    assert "hold most of the weight" in found.reason


def test_a_dear_outcome_that_no_row_had_forbids_an_interval(rng):
    """One in a billion would matter more than all that was seen: say so, do not average."""
    values = rng.normal(10, 1, 300)
    small = estimate(values, unseen=Unseen(outcome="fraud", money=5.0))
    dear = estimate(values, unseen=Unseen(outcome="fraud", money=1e9))
    assert small == estimate(values)
    assert dear.value == small.value
    assert (dear.low, dear.method) == (None, "none")
    assert "'fraud'" in dear.reason
    assert "one in 100" in dear.reason  # 300 rows, rule of three


def test_commonest_values_are_counted_in_full_among_many_rows():
    values = np.zeros(400_000)
    values[::10_000] = np.linspace(1, 2, 40)
    found = diagnose(cluster_sums(values, np.ones(400_000), None))
    assert found.differing == 40
    assert found.method == "score"


def test_a_weighted_constant_is_one_value(rng):
    """(w v) / w is not always v to the last bit; that makes no row differ."""
    values = np.where(np.arange(5000) < 60, 9.3, -0.68)
    found = diagnose(cluster_sums(values, rng.random(5000) + 0.1, None))
    assert found.differing == 60


def test_effective_paying_cases_by_hand():
    """k equal cases among many count k; one ten times as large counts nearly alone."""
    values = np.zeros(100_000)
    values[:50] = 7.0
    found = diagnose(cluster_sums(values, np.ones(100_000), None))
    assert found.paying == pytest.approx(50, rel=1e-2)
    assert found.largest == pytest.approx(1 / 50)
    assert found.largest_percent == pytest.approx(1)
    values[0] = 700.0
    found = diagnose(cluster_sums(values, np.ones(100_000), None))
    # residuals are the values to 1e-4: (100^2 + 49)^2 / (100^4 + 49)
    assert found.paying == pytest.approx((100**2 + 49) ** 2 / (100**4 + 49), rel=1e-2)
    assert found.largest == pytest.approx(100 / 149)


def test_skewness_is_scipys_and_freedom_satterthwaites(rng):
    values, weight = rng.gamma(2, 1, 400), rng.random(400) + 0.1
    plain = diagnose(cluster_sums(values, np.ones(400), None))
    assert plain.skewness == pytest.approx(stats.skew(values))
    assert plain.paying == pytest.approx(400 / stats.kurtosis(values, fisher=False))
    weighted = diagnose(cluster_sums(values, weight, None))
    assert weighted.independent_effective == pytest.approx(
        (weight**2).sum() ** 2 / (weight**4).sum()
    )


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


def test_rows_of_one_cluster_alone_say_so():
    found = mean_money(
        cluster_sums(np.arange(50.0), np.ones(50), np.zeros(50, dtype=np.int64)),
        level=0.95,
        unit="EUR",
    )
    assert found.low is None
    assert "all 50 rows belong together" in found.reason
