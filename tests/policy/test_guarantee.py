"""The tests behind a guaranteed error rate, against scipy, brute force and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from payoff.policy.guarantee import (
    Trials,
    binomial_tail,
    fewest,
    learn_order,
    p_value,
    try_in_order,
    weighted_tail,
)


def made(sure, wrong, weight=None, cluster=None):
    sure = np.asarray(sure, dtype=float)
    weight = np.ones(len(sure)) if weight is None else np.asarray(weight, dtype=float)
    return Trials(sure=sure, wrong=np.asarray(wrong, dtype=bool), weight=weight, cluster=cluster)


@given(st.integers(1, 3000), st.floats(0.001, 0.5), st.data())
def test_the_binomial_tail_is_that_of_scipy(n, limit, data):
    k = data.draw(st.integers(0, n))
    assert binomial_tail(k, n, limit) == pytest.approx(stats.binom.cdf(k, n, limit), abs=1e-9)


def test_it_is_the_dual_of_the_exact_interval():
    """The p-value passes at 5 % just where Clopper and Pearson's upper 95 % bound does."""
    for n, k in ((149, 0), (148, 0), (400, 3), (400, 4), (1000, 12), (1000, 13)):
        upper = stats.beta.ppf(0.95, k + 1, n - k)
        assert (binomial_tail(k, n, 0.02) <= 0.05) == (upper <= 0.02)


def worst_tail(weight, seen, limit):
    """Brute force: the largest P(sum w Y <= seen) over means that keep the weighted mean."""
    weight = np.asarray(weight)

    def tail(means):
        total = 0.0
        for y in itertools.product((0, 1), repeat=len(weight)):
            if np.dot(weight, y) <= seen + 1e-12:
                total += np.prod(np.where(y, means, 1 - means))
        return total

    rng = np.random.default_rng(1)
    best = 0.0
    for _ in range(30):
        start = rng.random(len(weight))
        found = optimize.minimize(
            lambda m: -tail(m),
            start,
            bounds=[(0, 1)] * len(weight),
            constraints={"type": "eq", "fun": lambda m: weight @ m - limit * weight.sum()},
            method="SLSQP",
        )
        if abs(weight @ found.x - limit * weight.sum()) < 1e-6:
            best = max(best, -found.fun)
    return best


@pytest.mark.parametrize(
    ("weight", "errors"),
    [
        ([1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0]),
        ([1, 1, 1, 1, 4, 4], [0, 1, 0, 0, 0, 0]),
        ([1, 2, 3, 4, 5], [0, 2, 0, 0, 0]),
        ([0.5, 0.5, 7, 1, 1], [0, 0, 0, 0, 0]),
    ],
)
def test_the_bound_lies_above_the_worst_case(weight, errors):
    bound = weighted_tail(np.array(weight, float), np.array(errors, float), 0.5)
    assert bound >= worst_tail(weight, sum(errors), 0.5) - 1e-6
    assert bound < 1


def test_the_bound_says_nothing_at_the_limit_and_is_monotone():
    weight = np.repeat([1.0, 3.0], [500, 50])
    tails = []
    for k in (0, 3, 6, 9, 30):
        errors = np.zeros(550)
        errors[:k] = weight[:k]
        tails.append(weighted_tail(weight, errors, 0.02))
    assert tails == sorted(tails)
    assert tails[-1] == 1.0
    assert 0 < tails[0] < 0.02


def test_it_does_not_depend_on_the_unit_of_weights():
    rng = np.random.default_rng(3)
    weight, wrong = 0.1 + rng.random(300), rng.random(300) < 0.02
    one = weighted_tail(weight, weight * wrong, 0.1)
    assert weighted_tail(1e5 * weight, 1e5 * weight * wrong, 0.1) == pytest.approx(one, rel=1e-6)


def test_equal_weights_are_exact_and_partly_wrong_cases_are_not():
    weight = np.full(300, 2.5)
    errors = np.zeros(300)
    errors[:3] = 2.5
    assert p_value(weight, errors, 0.05) == pytest.approx(stats.binom.cdf(3, 300, 0.05))
    errors[3] = 1.0
    assert p_value(weight, errors, 0.05) > stats.binom.cdf(3, 300, 0.05)
    assert p_value(np.empty(0), np.empty(0), 0.05) == 1.0


def test_clusters_count_as_one_case():
    sure = np.full(400, 0.9)
    wrong = np.zeros(400, dtype=bool)
    alone = made(sure, wrong)
    pairs = made(sure, wrong, cluster=np.repeat(np.arange(200), 2))
    p_alone, p_pairs = (p_value(*t.at(0.5), 0.01) for t in (alone, pairs))
    assert p_alone == pytest.approx(0.99**400)
    assert p_pairs == pytest.approx(0.99**200)


def test_testing_stops_at_the_first_that_does_not_pass():
    rng = np.random.default_rng(5)
    sure = rng.random(4000)
    wrong = rng.random(4000) < np.where(sure > 0.5, 0.01, 0.4)
    order = learn_order(made(sure, wrong), 0.05, 0.95)
    assert list(order) == sorted(order, reverse=True)
    assert order[-1] == 0.0
    found = try_in_order(made(sure, wrong), order, 0.05, 0.95)
    assert all(p <= 0.05 for p in found[:-1])
    assert found[-1] > 0.05
    assert 0.35 < order[len(found) - 2] < 0.5


def test_no_errors_means_everything_is_automated():
    sure, wrong = np.linspace(0.1, 1, 1000), np.zeros(1000, dtype=bool)
    order = learn_order(made(sure, wrong), 0.02, 0.95)
    found = try_in_order(made(sure, wrong), order, 0.02, 0.95)
    assert len(found) == len(order)
    assert max(found) <= 0.05


def test_without_rows_nothing_passes():
    none = made([], [])
    assert try_in_order(none, learn_order(none, 0.02, 0.95), 0.02, 0.95) == [1.0]


@given(st.sampled_from([0.01, 0.02, 0.05, 0.2]), st.floats(0, 0.9), st.sampled_from([0.9, 0.95]))
def test_so_many_rows_are_enough_and_one_less_is_not(limit, part, confidence):
    rate = part * limit
    n = fewest(rate, limit, confidence)
    assert binomial_tail(rate * n, n, limit) <= 1 - confidence
    assert n == 1 or binomial_tail(rate * (n - 1), n - 1, limit) > 1 - confidence
