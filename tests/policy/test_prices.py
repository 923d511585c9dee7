"""Prices of several limits: against the whole linear program, integers, and finite differences."""

from __future__ import annotations

import dataclasses
import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp

from payoff.errors import EvidenceError
from payoff.policy import prices, program
from payoff.policy.bounds import Bound, cut, price_of, spent
from payoff.policy.policy import best_actions
from payoff.policy.prices import priced

ACTIONS = ("leave", "call", "visit", "write")
LABELS = ("north", "south", "west")


def world(rng, n, width, n_groups=3):
    """Skewed money, weights, groups; doing nothing is worth 0."""
    expected = rng.normal(0, 1, (n, width)) * rng.lognormal(0, 1, (n, 1))
    expected[:, 0] = 0
    weight = rng.choice([0.5, 1.0, 2.0], n) if rng.random() < 0.5 else np.ones(n)
    return (
        expected,
        weight,
        {"region": (LABELS[:n_groups], rng.integers(0, n_groups, n).astype(np.int32))},
    )


def some_bounds(rng, actions, labels):
    acted = dict.fromkeys(actions[1:], 1.0)
    every = {
        "each": [
            Bound(name=a, kind="capacity", uses={a: 1.0}, rooms={"": rng.random() * 0.5})
            for a in actions[1:]
        ],
        "hours": [
            Bound(name="hours", kind="limit", rooms={"": rng.random() * 0.4},
                  uses={a: 0.2 + rng.random() for a in actions[1:]})
        ],
        "regions": [
            Bound(name="regions", kind="limit", uses={actions[1]: 1.0}, subgroup="region",
                  of_group=bool(rng.random() < 0.5), rooms={g: rng.random() * 0.4 for g in labels})
        ],
        "floor": [
            Bound(name="floor", kind="floor", uses=acted, subgroup="region", of_group=True,
                  rooms={labels[0]: rng.random() * 0.3})
        ],
        "gap": [
            Bound(name="gap", kind="max_gap", uses=acted, subgroup="region", of_group=True,
                  rooms=dict.fromkeys(labels, 0.1))
        ],
    }  # fmt: skip
    return [b for bounds in every.values() if rng.random() < 0.5 for b in bounds]


def groups_of(bounds, groups, n):
    one = (("",), np.zeros(n, dtype=np.int32))
    return [groups[b.subgroup] if b.subgroup else one for b in bounds]


def rows_of(weight, bounds, actions, codes, *, dense=True):
    """The program written out row by row: one column per unit and action, one per gap."""
    n, width = len(weight), len(actions)
    gaps = [b.name for b in bounds if b.kind == "max_gap"]
    rows, room = [], []
    for bound, (labels, group) in zip(bounds, codes, strict=True):
        use = bound.usage(actions)
        for place, label in enumerate(labels):
            inside = group == place
            size = weight[inside].sum()
            if label not in bound.rooms or size == 0:
                continue
            own = ((inside * weight)[:, None] * use).ravel()
            extra = np.zeros(len(gaps))
            if bound.kind == "max_gap":
                extra[gaps.index(bound.name)] = -1
                rows += [np.r_[own / size, extra], np.r_[-own / size, -extra]]
                room += [bound.rooms[label], 0]
            else:
                sign = -1 if bound.kind == "floor" else 1
                rows.append(np.r_[sign * own, extra])
                room.append(sign * bound.rooms[label] * (size if bound.of_group else weight.sum()))
    one = np.zeros((n, n * width + len(gaps))) if dense else None
    for i in range(n if dense else 0):
        one[i, i * width : (i + 1) * width] = 1
    return np.array(rows), np.array(room), one, len(gaps)


def whole_program(expected, weight, bounds, actions, codes, *, whole=False):
    """Largest money per unit; with ``whole``, no unit is shared between actions."""
    rows, room, one, n_gaps = rows_of(weight, bounds, actions, codes)
    n = expected.size
    cost = np.r_[-(weight[:, None] * expected).ravel(), np.zeros(n_gaps)]
    low, high = np.r_[np.zeros(n), [-np.inf] * n_gaps], np.r_[np.ones(n), [np.inf] * n_gaps]
    if whole:
        found = milp(cost, integrality=np.r_[np.ones(n), np.zeros(n_gaps)],
                     bounds=Bounds(low, high),
                     constraints=[LinearConstraint(rows, -np.inf, room),
                                  LinearConstraint(one, 1, 1)],
                     options={"mip_rel_gap": 0})  # fmt: skip
    else:
        found = linprog(cost, A_ub=rows, b_ub=room, A_eq=one, b_eq=np.ones(len(expected)),
                        bounds=np.stack([low, high], 1), method="highs")  # fmt: skip
    return None if found.x is None else -found.fun / weight.sum()


def rounded(expected, weight, found, actions, groups):
    """What the policy does: best action at the prices, then cut to fit."""
    n = len(expected)
    rank = expected - price_of(found.bounds, actions, groups, n)
    return cut(best_actions(rank, 0), rank, weight, found.bounds, actions, groups)


@pytest.mark.parametrize("seed", range(60))
def test_the_optimum_is_that_of_the_whole_program_and_its_prices_prove_it(seed):
    """Primal value equals the full program's; weak duality at the prices gives the same number."""
    rng = np.random.default_rng(seed)
    width, n_groups = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    actions, labels = ACTIONS[:width], LABELS[:n_groups]
    expected, weight, groups = world(rng, int(rng.integers(5, 60)), width, n_groups)
    bounds = some_bounds(rng, actions, labels)
    if not bounds:
        return
    codes = groups_of(bounds, groups, len(expected))
    want = whole_program(expected, weight, bounds, actions, codes)
    if want is None:
        with pytest.raises(EvidenceError, match="PAY-E022"):
            priced(expected, weight, bounds, actions, codes)
        return
    found = priced(expected, weight, bounds, actions, codes)
    assert found.value == pytest.approx(want, rel=1e-9, abs=1e-9)
    net = expected - price_of(found.bounds, actions, groups, len(expected))
    dual = np.average(net.max(axis=1), weights=weight)
    for bound, (names, group) in zip(found.bounds, codes, strict=True):
        for place, label in enumerate(names):
            part = weight[group == place].sum() / weight.sum()
            price, room = bound.prices.get(label, 0.0), bound.rooms.get(label, 0.0)
            if bound.kind == "max_gap":
                dual += part * room * max(price, 0.0)
            else:
                dual += price * room * (part if bound.of_group else 1.0)
    assert dual == pytest.approx(want, rel=1e-6, abs=1e-6)
    assert found.split <= 2 * sum(len(b.rooms) for b in bounds)


@pytest.mark.parametrize("seed", range(12))
def test_rounding_loses_no_more_than_the_units_shared(seed):
    """Integer optimum <= linear optimum; the policy is below by at most the units shared."""
    rng = np.random.default_rng(100 + seed)
    expected, _, groups = world(rng, 30, 3)
    weight = np.ones(30)
    bounds = [b for b in some_bounds(rng, ACTIONS[:3], LABELS) if b.kind in ("capacity", "limit")]
    if not bounds:
        return
    codes = groups_of(bounds, groups, 30)
    found = priced(expected, weight, bounds, ACTIONS[:3], codes)
    best = whole_program(expected, weight, bounds, ACTIONS[:3], codes, whole=True)
    acted = rounded(expected, weight, found, ACTIONS[:3], groups)
    mine = expected[np.arange(30), acted].mean()
    assert mine <= best + 1e-9 <= found.value + 2e-9
    n_rows = sum(len(b.rooms) for b in bounds)
    assert found.value - mine <= n_rows * (np.ptp(expected, axis=1).max() / 30) + 1e-9
    for bound in bounds:
        for label, used in spent(bound, acted, weight, ACTIONS[:3], groups).items():
            assert used <= bound.rooms[label] + 1e-9


def test_two_limits_by_hand():
    """Six units, two calls and one hour: by enumeration of all 3^6 ways."""
    expected = np.array([[0, 9, 12], [0, 8, 3], [0, 7, 11], [0, 1, 6], [0, -2, 5], [0, 4, 2.0]])
    bounds = [
        Bound(name="call", kind="capacity", uses={"call": 1}, rooms={"": 2 / 6}),
        Bound(name="hours", kind="limit", uses={"call": 0.25, "visit": 0.5}, rooms={"": 1 / 6}),
    ]
    codes = groups_of(bounds, {}, 6)
    found = priced(expected, np.ones(6), bounds, ACTIONS[:3], codes)
    best = max(
        sum(expected[i, a] for i, a in enumerate(way))
        for way in itertools.product(range(3), repeat=6)
        if way.count(1) <= 2 and 0.25 * way.count(1) + 0.5 * way.count(2) <= 1
    )
    assert best == 28  # call the second and, of the first and third, one; visit the other
    assert found.value * 6 >= best - 1e-9
    assert found.value * 6 == pytest.approx(
        whole_program(expected, np.ones(6), bounds, ACTIONS[:3], codes) * 6
    )


@pytest.mark.parametrize("seed", range(15))
def test_the_worth_of_a_limit_is_what_a_little_more_would_earn(seed):
    """Right derivative of the optimum = finite difference towards more room."""
    rng = np.random.default_rng(500 + seed)
    expected, weight, groups = world(rng, 40, 3)
    bounds = [
        Bound(name="call", kind="capacity", uses={"call": 1.0}, rooms={"": 0.2}),
        Bound(name="hours", kind="limit", uses={"call": 0.5, "visit": 2.0}, rooms={"": 0.3}),
        Bound(name="visits", kind="limit", uses={"visit": 1.0}, rooms={"north": 0.05},
              subgroup="region"),
    ]  # fmt: skip
    codes = groups_of(bounds, groups, 40)
    found = priced(expected, weight, bounds, ACTIONS[:3], codes)
    for k, bound in enumerate(found.bounds):
        ((label, worth),) = bound.worth.items()
        more = list(bounds)
        step = 1e-6
        more[k] = dataclasses.replace(bound, rooms={label: bound.rooms[label] + step})
        gain = priced(expected, weight, more, ACTIONS[:3], codes).value - found.value
        assert worth == pytest.approx(gain / step, rel=1e-3, abs=1e-4)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1))
def test_more_room_is_never_worth_less(seed, one, other):
    rng = np.random.default_rng(seed)
    expected, weight, groups = world(rng, 40, 3)
    values = []
    for room in sorted([one, other]):
        bounds = [
            Bound(name="hours", kind="limit", uses={"call": 0.5, "visit": 2.0}, rooms={"": room}),
            Bound(name="call", kind="capacity", uses={"call": 1.0}, rooms={"": 0.3}),
        ]
        found = priced(expected, weight, bounds, ACTIONS[:3], groups_of(bounds, groups, 40))
        acted = rounded(expected, weight, found, ACTIONS[:3], groups)
        for bound in bounds:
            used = spent(bound, acted, weight, ACTIONS[:3], groups)[""]
            assert used <= bound.rooms[""] + 1e-9
        values.append(found.value)
    assert values[1] >= values[0] - 1e-9


def test_floors_caps_and_gaps_hold_up_to_the_units_shared(rng):
    n = 3000
    expected, _, groups = world(rng, n, 3)
    expected[groups["region"][1] == 0] -= np.array([0, 1.5, 1.5])  # the north is not worth it
    acted = {"call": 1.0, "visit": 1.0}
    facts = {"subgroup": "region", "of_group": True, "uses": acted}
    bounds = [
        Bound(name="floor", kind="floor", rooms={"north": 0.3}, **facts),
        Bound(name="cap", kind="cap", rooms={"south": 0.5}, **facts),
        Bound(name="gap", kind="max_gap", rooms=dict.fromkeys(LABELS, 0.15), **facts),
    ]
    free = expected.argmax(axis=1)
    shares = [(free[groups["region"][1] == g] > 0).mean() for g in range(3)]
    assert shares[0] < 0.3
    assert shares[1] > 0.5
    found = priced(expected, np.ones(n), bounds, ACTIONS[:3], groups_of(bounds, groups, n))
    mine = rounded(expected, np.ones(n), found, ACTIONS[:3], groups)
    shares = [(mine[groups["region"][1] == g] > 0).mean() for g in range(3)]
    assert shares[0] >= 0.3 - 1e-9
    assert shares[1] <= 0.5 + 1e-9
    assert max(shares) - min(shares) <= 0.15 + 3 / 900


def test_constraints_that_clash_are_named_and_only_those():
    expected = np.zeros((50, 2))
    group = {"region": (LABELS[:2], (np.arange(50) % 2).astype(np.int32))}
    facts = {"uses": {"call": 1.0}}
    bounds = [
        Bound(name="idle", kind="cap", rooms={"": 0.9}, **facts),
        Bound(name="call", kind="capacity", rooms={"": 0.1}, **facts),
        Bound(name="north", kind="floor", rooms={"north": 0.3}, subgroup="region", of_group=True,
              **facts),
    ]  # fmt: skip
    with pytest.raises(EvidenceError) as caught:
        priced(expected, np.ones(50), bounds, ACTIONS[:2], groups_of(bounds, group, 50))
    assert "'call'" in str(caught.value)
    assert "'north'" in str(caught.value)
    assert "idle" not in str(caught.value)


def test_a_group_nobody_belongs_to_binds_nothing():
    expected = np.array([[0.0, 1.0], [0.0, 2.0]])
    group = {"region": (LABELS[:2], np.zeros(2, dtype=np.int32))}
    bounds = [
        Bound(name="r", kind="limit", uses={"call": 1.0}, rooms={"north": 0.5, "south": 0.0},
              subgroup="region"),
        Bound(name="f", kind="floor", uses={"call": 1.0}, rooms={"south": 1.0}, of_group=True,
              subgroup="region"),
    ]  # fmt: skip
    found = priced(expected, np.ones(2), bounds, ACTIONS[:2], groups_of(bounds, group, 2))
    assert found.value == pytest.approx(1.0)
    assert found.bounds[0].prices == {"north": pytest.approx(1.0)}
    assert found.bounds[1].prices == {}


@pytest.mark.parametrize("seed", range(5))
def test_prices_scale_with_money_and_a_row_twice_is_a_weight_of_two(seed):
    rng = np.random.default_rng(900 + seed)
    expected, _, groups = world(rng, 50, 3)
    bounds = some_bounds(rng, ACTIONS[:3], LABELS)
    bounds = [b for b in bounds if b.kind != "floor"]
    if not bounds:
        return
    codes = groups_of(bounds, groups, 50)
    one = priced(expected, np.ones(50), bounds, ACTIONS[:3], codes)
    dear = priced(expected * 100, np.ones(50), bounds, ACTIONS[:3], codes)
    assert dear.value == pytest.approx(100 * one.value)
    for a, b in zip(one.bounds, dear.bounds, strict=True):
        assert b.prices == pytest.approx({k: 100 * v for k, v in a.prices.items()}, abs=1e-4)
    twice = np.arange(50) < 20
    rows = np.concatenate([np.arange(50), np.flatnonzero(twice)])
    again = [(labels, group[rows]) for labels, group in codes]
    repeated = priced(expected[rows], np.ones(70), bounds, ACTIONS[:3], again)
    weighted = priced(expected, 1.0 + twice, bounds, ACTIONS[:3], codes)
    assert repeated.value == pytest.approx(weighted.value)
    for a, b in zip(repeated.bounds, weighted.bounds, strict=True):
        assert b.prices == pytest.approx(dict(a.prices), abs=1e-6)


def test_many_actions_that_use_the_same_are_one_to_the_limits(rng):
    """200 letters, two calls: solved as three kinds, at the value of the whole program."""
    n, letters = 40, 200
    actions = ("leave", "call", "call again", *(f"letter {k}" for k in range(letters)))
    expected = rng.normal(0, 1, (n, len(actions)))
    bounds = [
        Bound(name="calls", kind="limit", uses={"call": 1.0, "call again": 1.0}, rooms={"": 0.1}),
        Bound(name="post", kind="limit", uses=dict.fromkeys(actions[3:], 1.0), rooms={"": 0.5}),
    ]
    codes = groups_of(bounds, {}, n)
    found = priced(expected, np.ones(n), bounds, actions, codes)
    want = whole_program(expected, np.ones(n), bounds, actions, codes)
    assert found.value == pytest.approx(want, rel=1e-9)
    alike = [Bound(name="all", kind="limit", uses=dict.fromkeys(actions, 1.0), rooms={"": 1.0})]
    free = priced(expected, np.ones(n), alike, actions, groups_of(alike, {}, n))
    assert free.value == pytest.approx(expected.max(axis=1).mean())
    assert free.bounds[0].prices == {"": 0.0}


@pytest.mark.parametrize("seed", range(4))
def test_columns_near_a_tie_give_the_optimum_of_all_columns(seed):
    """Too many columns to solve at once, few enough to check: sample, window, proof."""
    rng = np.random.default_rng(1000 + seed)
    n = 5000
    expected, weight, groups = world(rng, n, 3)
    bounds = [
        Bound(name="call", kind="capacity", uses={"call": 1.0}, rooms={"": 0.1}),
        Bound(name="hours", kind="limit", uses={"call": 0.5, "visit": 2.0}, rooms={"": 0.2}),
        Bound(name="visits", kind="limit", uses={"visit": 1.0}, rooms=dict.fromkeys(LABELS, 0.02),
              subgroup="region"),
        Bound(name="gap", kind="max_gap", uses={"call": 1.0, "visit": 1.0}, subgroup="region",
              of_group=True, rooms=dict.fromkeys(LABELS, 0.01)),
    ]  # fmt: skip
    codes = groups_of(bounds, groups, n)
    found = priced(expected, weight, bounds, ACTIONS[:3], codes)
    cost, rows, room, one, free = sparse_program(expected, weight, bounds, codes)
    want = linprog(cost, A_ub=rows, b_ub=room, A_eq=one, b_eq=np.ones(n), bounds=free)
    assert found.value == pytest.approx(-want.fun / weight.sum(), rel=1e-7)


def sparse_program(expected, weight, bounds, codes):
    """As ``whole_program``, for more units than a dense matrix holds."""
    n, width = expected.shape
    rows, room, _, n_gaps = rows_of(weight, bounds, ACTIONS[:width], codes, dense=False)
    one = sparse.kron(sparse.eye(n), np.ones((1, width)))
    one = sparse.hstack([one, sparse.csr_matrix((n, n_gaps))]).tocsr()
    cost = np.r_[-(weight[:, None] * expected).ravel(), np.zeros(n_gaps)]
    free = [(0, 1)] * expected.size + [(None, None)] * n_gaps
    return cost, sparse.csr_matrix(rows), room, one, free


@pytest.mark.parametrize("seed", range(5))
def test_where_the_search_does_not_end_all_columns_are_solved(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    expected, weight, groups = world(rng, 40, 3)
    bounds = [Bound(name=a, kind="capacity", uses={a: 1.0}, rooms={"": 0.2}) for a in ACTIONS[1:3]]
    codes = groups_of(bounds, groups, len(expected))
    want = priced(expected, weight, bounds, ACTIONS[:3], codes)
    monkeypatch.setattr(prices, "_ROUNDS", 0)
    found = priced(expected, weight, bounds, ACTIONS[:3], codes)
    assert found.value == pytest.approx(want.value, rel=1e-12)
    for one, other in zip(found.bounds, want.bounds, strict=True):
        assert one.prices == pytest.approx(dict(other.prices), rel=1e-9)


def test_a_solver_that_fails_says_how(rng, monkeypatch):
    expected, weight, groups = world(rng, 40, 2)
    bounds = [Bound(name="call", kind="capacity", uses={"call": 1.0}, rooms={"": 0.2})]
    failed = OptimizeResult(x=None, message="the solver lost its way")
    monkeypatch.setattr(program, "linprog", lambda *_, **__: failed)
    with pytest.raises(ArithmeticError, match="lost its way"):
        priced(expected, weight, bounds, ACTIONS[:2], groups_of(bounds, groups, 40))


def test_ties_of_money_are_solved_too():
    """Ten values only: thousands of units at each price."""
    rng = np.random.default_rng(3)
    n = 9000
    expected = np.stack([np.zeros(n), rng.integers(-3, 7, n), rng.integers(-3, 7, n)], axis=1) * 1.0
    bounds = [
        Bound(name="call", kind="capacity", uses={"call": 1.0}, rooms={"": 0.2}),
        Bound(name="hours", kind="limit", uses={"call": 1.0, "visit": 2.0}, rooms={"": 0.5}),
    ]
    codes = groups_of(bounds, {}, n)
    found = priced(expected, np.ones(n), bounds, ACTIONS[:3], codes)
    kinds, counts = np.unique(expected, axis=0, return_counts=True)
    want = whole_program(
        kinds, counts * 1.0, bounds, ACTIONS[:3], groups_of(bounds, {}, len(kinds))
    )
    assert found.value == pytest.approx(want, rel=1e-9)


@pytest.mark.slow
def test_a_million_rows_and_six_limits_take_seconds():
    rng = np.random.default_rng(0)
    n = 1_000_000
    expected, weight, groups = world(rng, n, 3)
    weight = np.ones(n)
    bounds = [
        Bound(name="call", kind="capacity", uses={"call": 1.0}, rooms={"": 0.1}),
        Bound(name="hours", kind="limit", uses={"call": 0.5, "visit": 2.0}, rooms={"": 0.2}),
        Bound(name="visits", kind="limit", uses={"visit": 1.0}, rooms=dict.fromkeys(LABELS, 0.02),
              subgroup="region"),
        Bound(name="floor", kind="floor", uses={"call": 1.0, "visit": 1.0}, rooms={"north": 0.2},
              subgroup="region", of_group=True),
    ]  # fmt: skip
    start = time.perf_counter()
    found = priced(expected, weight, bounds, ACTIONS[:3], groups_of(bounds, groups, n))
    assert time.perf_counter() - start < 60
    acted = rounded(expected, weight, found, ACTIONS[:3], groups)
    assert expected[np.arange(n), acted].mean() == pytest.approx(found.value, rel=1e-4)
