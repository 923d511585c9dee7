"""What must hold of any decision on any rows; and rows that are answered or refused in words."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from payoff.clusters import cluster_sums
from payoff.errors import DataError, PayoffError
from payoff.evidence.interval import mean_money
from payoff.policy.choose import actions_of, capacity_prices, expected_policy, policy_value
from tests.worlds import SIMPLE, at_stake, binary, calibrated, judged, three_by_three

SEEDS = st.integers(0, 100_000)
MONEY = st.floats(-1e6, 1e6).map(lambda x: float(f"{x:.6g}"))


def rows_of(seed, n=120):
    rng = np.random.default_rng(seed)
    prob, y = calibrated(rng, n)
    assume(0 < y.sum() < n)
    return rng, prob, y


def times(payoffs, factor, plus=0.0):
    return {a: {o: m * factor + plus for o, m in row.items()} for a, row in payoffs.items()}


def same(one, other, factor=1.0, plus=0.0):
    """Whether an estimate is another times a factor, plus a sum: value, ends and method."""
    assert other.method == one.method
    for a, b in ((one.value, other.value), (one.low, other.low), (one.high, other.high)):
        if a is None:
            assert b is None
        else:
            assert b == pytest.approx(a * factor + plus, rel=1e-7, abs=1e-7 * max(factor, 1))


@settings(max_examples=25)
@given(SEEDS, st.floats(0.001, 1000))
def test_money_in_another_currency_scales_every_figure(seed, factor):
    _, prob, y = rows_of(seed)
    one = judged(binary(), {"y": y}, prob)
    other = judged(binary(times(SIMPLE, factor)), {"y": y}, prob)
    for p in one.policies:
        same(p.total, other.policy(p.name).total, factor)
    for a, b in zip(one.comparisons, other.comparisons, strict=True):
        same(a.total, b.total, factor)
    assert one.verdict["state"] == other.verdict["state"]
    for a, b in zip(one.intervals["figures"], other.intervals["figures"], strict=True):
        for key in ("differing", "method", "because"):
            assert a["diagnosis"][key] == b["diagnosis"][key]
        assert a["diagnosis"]["paying"] == pytest.approx(b["diagnosis"]["paying"], rel=1e-6)


@settings(max_examples=25)
@given(SEEDS, st.floats(-50, 50))
def test_a_sum_paid_whatever_happens_changes_no_gain(seed, plus):
    _, prob, y = rows_of(seed)
    one = judged(binary(), {"y": y}, prob)
    other = judged(binary(times(SIMPLE, 1.0, plus)), {"y": y}, prob)
    for p in one.policies:
        assert other.policy(p.name).value.value == pytest.approx(p.value.value + plus, abs=1e-9)
    for a, b in zip(one.comparisons, other.comparisons, strict=True):
        same(a.value, b.value)


@settings(max_examples=25)
@given(SEEDS)
def test_the_order_of_rows_changes_no_interval(seed):
    rng, prob, y = rows_of(seed)
    order = rng.permutation(len(y))
    cluster = rng.integers(0, 40, len(y))
    decision = binary(cluster="c")
    one = judged(decision, {"y": y, "c": cluster}, prob)
    other = judged(decision, {"y": y[order], "c": cluster[order]}, prob[order])
    for p in one.policies:
        same(p.value, other.policy(p.name).value)


@settings(max_examples=25)
@given(SEEDS, st.floats(0.01, 100))
def test_weights_have_no_unit(seed, factor):
    rng, prob, y = rows_of(seed)
    weight = rng.random(len(y)) + 0.1
    one = judged(binary(weight="w"), {"y": y, "w": weight}, prob)
    other = judged(binary(weight="w"), {"y": y, "w": weight * factor}, prob)
    for p in one.policies:
        same(p.value, other.policy(p.name).value)


@settings(max_examples=25)
@given(SEEDS, st.integers(2, 4))
def test_a_row_copied_with_its_cluster_is_a_row_of_that_weight(seed, copies):
    """Copies of one customer tell nothing new: figures and intervals are those of the weight."""
    rng, prob, y = rows_of(seed)
    n = len(y)
    often = rng.integers(1, copies + 1, n)
    place = np.repeat(np.arange(n), often)
    weighted = judged(binary(weight="w"), {"y": y, "w": often.astype(float)}, prob)
    copied = judged(binary(cluster="c"), {"y": y[place], "c": place}, prob[place])
    for p in weighted.policies:
        if p.name == "threshold" or p.value.method == "none":
            continue
        other = copied.policy(p.name).value
        assert other.value == pytest.approx(p.value.value)
        if other.method != "none":  # clusters need more cases than rows of known size
            same(p.value, other)


@settings(max_examples=40)
@given(SEEDS, st.lists(MONEY, min_size=4, max_size=4))
def test_value_lies_between_the_worst_and_the_best_action_of_each_row(seed, money):
    _, prob, y = rows_of(seed)
    a, b, c, d = money
    decision = binary({"call": {"yes": a, "no": b}, "leave": {"yes": c, "no": d}})
    _, stake = at_stake(decision, {"y": y}, prob)
    worst, best = stake.realised.min(1).mean(), stake.realised.max(1).mean()
    slack = 1e-9 * (1 + np.abs(stake.realised).max())
    for policy in judged(decision, {"y": y}, prob).policies:
        assert worst - slack <= policy.value.value <= best + slack
        if policy.value.low is not None:
            assert policy.value.low <= policy.value.value + slack
            assert policy.value.high >= policy.value.value - slack


@settings(max_examples=40)
@given(SEEDS, st.floats(0.02, 0.98), st.floats(0.02, 0.98))
def test_more_capacity_is_never_expected_to_earn_less(seed, one, other):
    rng = np.random.default_rng(seed)
    n = 80
    amount = rng.lognormal(3, 1, n)
    payoffs = {"call": {"yes": "amount", "no": -5}, "leave": {"yes": 0, "no": 0}}
    worth = []
    for share in sorted((one, other)):
        decision = binary(payoffs, capacity=share)
        _, stake = at_stake(
            decision,
            {"y": rng.integers(0, 2, n), "amount": amount},
            np.random.default_rng(seed).beta(1, 4, n),
        )
        policy = expected_policy(decision, capacity_prices(stake.expected, stake.weight, decision))
        codes = actions_of(policy, stake)
        worth.append(stake.expected[np.arange(n), codes].sum())
        assert (codes == 0).sum() <= share * n + 1e-9
        assert len(policy_value(codes, stake)) == n
    assert worth[1] >= worth[0] - 1e-9


@settings(max_examples=50)
@given(SEEDS, st.sampled_from(["normal", "gamma", "cells", "mixed"]))
def test_a_surer_interval_holds_a_less_sure_one(seed, shape):
    rng = np.random.default_rng(seed)
    values = {
        "normal": rng.normal(1, 2, 150),
        "gamma": rng.gamma(0.5, 1, 150),
        "cells": rng.choice([0.0, -1.0, 30.0], 150, p=[0.7, 0.2, 0.1]),
        "mixed": rng.gamma(0.5, 1, 150) * rng.choice([-1, 1], 150),
    }[shape]
    sums = cluster_sums(values, np.ones(150), None)
    found = [mean_money(sums, level=x, unit="EUR", constant=True) for x in (0.8, 0.9, 0.95, 0.99)]
    assume(found[0].low is not None)
    for narrow, wide in itertools.pairwise(found):
        assert wide.low <= narrow.low <= narrow.value <= narrow.high <= wide.high
    assert values.min() - 1e-9 <= found[-1].low or found[-1].method == "t"
    assert found[-1].high <= values.max() + 1e-9 or found[-1].method == "t"


# -------------------------------------------------------------- answered, or refused in words


def test_negative_weights_are_refused(rng):
    prob, y = calibrated(rng, 100)
    weight = np.ones(100)
    weight[3] = -1
    with pytest.raises(PayoffError, match="weight"):
        judged(binary(weight="w"), {"y": y, "w": weight}, prob)


def test_money_that_is_no_number_is_refused(rng):
    prob, y = calibrated(rng, 100)
    amount = np.full(100, 5.0)
    amount[int(np.flatnonzero(y)[0])] = np.nan
    decision = binary({"call": {"yes": "amount", "no": -1}, "leave": {"yes": 0, "no": 0}})
    with pytest.raises(DataError, match="amount"):
        judged(decision, {"y": y, "amount": amount}, prob)


def test_clusters_of_one_row_are_rows(rng):
    prob, y = calibrated(rng, 300)
    alone = judged(binary(), {"y": y}, prob)
    named = judged(binary(cluster="c"), {"y": y, "c": rng.permutation(300)}, prob)
    for p in alone.policies:
        same(p.value, named.policy(p.name).value)


def test_one_cluster_gets_figures_and_no_interval(rng):
    prob, y = calibrated(rng, 300)
    found = judged(binary(cluster="c"), {"y": y, "c": np.zeros(300, dtype=int)}, prob)
    own = found.policy("expected").value
    assert own.value is not None
    assert (own.low, own.method, own.n_clusters) == (None, "none", 1)
    assert own.reason
    assert next(c for c in found.checks if c.code == "PAY-E207").status == "issue"


def test_one_outcome_only_is_refused(rng):
    with pytest.raises(DataError, match="PAY-L008"):
        judged(binary(), {"y": np.ones(50, dtype=int)}, rng.random(50))


def test_a_billion_to_one_is_told_apart_from_a_certainty(rng):
    """Two winners among 500 rows, each worth a billion: an estimate, and no interval."""
    y = np.zeros(500, dtype=int)
    y[[17, 301]] = 1
    payoffs = {"call": {"yes": 1e9, "no": -1}, "leave": {"yes": 0, "no": 0}}
    found = judged(binary(payoffs), {"y": y}, np.full(500, 0.004))
    own = found.policy("expected").value
    assert own.value == pytest.approx((2e9 - 498) / 500)
    assert (own.low, own.method) == (None, "none")
    assert "only 2 of 500" in own.reason
    assert found.verdict["state"] != "deploy"


def test_a_declared_outcome_that_never_came_forbids_certainty(rng):
    """No fraud among 200 claims says little when one would cost a billion."""
    decision = three_by_three()
    payoffs = type(decision.payoffs).of(
        {
            "refuse": {"fraud": 0, "error": 5, "fine": -20},
            "review": {"fraud": -30, "error": 2, "fine": -3},
            "pay": {"fraud": -1e9, "error": -10, "fine": 0},
        }
    )
    decision = dataclasses.replace(decision, payoffs=payoffs)
    y = np.where(rng.random(200) < 0.4, "error", "fine")
    prob = np.stack([np.full(200, 1e-12), np.full(200, 0.4), np.full(200, 0.6)], axis=1)
    found = judged(decision, {"y": y}, prob)
    own = found.policies[0].value
    assert own.low is None
    assert "'fraud'" in own.reason
    assert "one in 67" in own.reason
    mild = dataclasses.replace(
        decision,
        payoffs=type(payoffs).of(
            {
                "refuse": {"fraud": 0, "error": 5, "fine": -20},
                "review": {"fraud": -3, "error": 2, "fine": -3},
                "pay": {"fraud": -4, "error": -10, "fine": 0},
            }
        ),
    )
    assert judged(mild, {"y": y}, prob).policies[0].value.low is not None
