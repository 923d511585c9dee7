"""Policies under limits of groups, fixed costs and constraints: one row as the batch, by hand."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pytest

from payoff.declare import Action, Capacity, Constraint, Limit, Subgroup
from payoff.errors import EvidenceError
from payoff.load.evaluate import RowColumns, TableColumns
from payoff.policy.best import best_policy, earned, fixed_cost
from payoff.policy.bounds import Grouping, spent
from payoff.policy.choose import actions_of, policies, untuned
from payoff.policy.policy import Policy
from tests.worlds import at_stake, binary, calibrated, three_by_three

REGION = ("north", "south")


def regional(rng, n=2000, *, payoffs=None, limits=(), constraints=(), part="judge", **more):
    """Calls in two regions; the north answers less often."""
    decision = dataclasses.replace(
        binary(payoffs, subgroups=("region",), volume=more.pop("volume", None)),
        limits=tuple(limits), constraints=tuple(constraints), **more,
    )  # fmt: skip
    region = np.array(REGION)[rng.integers(0, 2, n)]
    prob, _ = calibrated(rng, n)
    prob = np.where(region == "north", prob * 0.3, prob)
    y = (rng.random(n) < prob).astype(int)
    _, stake = at_stake(decision, {"y": y, "region": region}, prob, part)
    return decision, stake, region


def test_a_limit_per_group_is_the_top_of_each_group(rng):
    limit = Limit(name="visits", actions={"call": 1.0}, share=0.05, subgroup="region")
    decision, stake, region = regional(rng, limits=[limit])
    codes = actions_of(best_policy(decision, stake), stake)
    gain = stake.expected[:, 0] - stake.expected[:, 1]
    for name in REGION:
        inside = np.flatnonzero(region == name)
        room = int(0.05 * len(inside))
        best = set(inside[np.argsort(-gain[inside])][:room]) & set(np.flatnonzero(gain > 0))
        assert set(np.flatnonzero(codes == 0)) & set(inside) == best


def test_a_limit_of_one_group_leaves_the_other_free(rng):
    limit = Limit(name="v", actions={"call": 1.0}, share=0.02, subgroup="region", group="south")
    decision, stake, region = regional(rng, limits=[limit])
    codes = actions_of(best_policy(decision, stake), stake)
    free = actions_of(best_policy(dataclasses.replace(decision, limits=()), stake), stake)
    assert (codes[region == "north"] == free[region == "north"]).all()
    assert (codes[region == "south"] == 0).mean() <= 0.02


def test_hours_of_two_actions_fill_by_gain_per_hour(rng):
    decision = dataclasses.replace(
        three_by_three(),
        volume=1000,
        limits=(Limit(name="h", actions={"refuse": 1.0, "review": 0.2}, per_period=30),),
    )
    n = 3000
    prob = rng.dirichlet([1, 1, 3], n)
    table = {"y": ["fraud"] * n, "amount": rng.lognormal(5, 1, n)}
    _, stake = at_stake(decision, table, prob)
    policy = best_policy(decision, stake)
    codes = actions_of(policy, stake)
    (bound,) = policy.bounds
    used = spent(bound, codes, stake.weight, decision.action_names, {})[""]
    assert 0.0299 <= used <= 0.03
    net = stake.expected - bound.prices[""] * np.array([1.0, 0.2, 0.0])
    assert (codes != net.argmax(axis=1)).sum() <= 2


def test_one_row_acts_as_the_batch_in_its_group(rng):
    limit = Limit(name="visits", actions={"call": 1.0}, share=0.05, subgroup="region")
    decision, stake, region = regional(rng, limits=[limit])
    policy = best_policy(decision, stake)
    again = Policy.from_dict(json.loads(json.dumps(policy.to_dict())))
    assert again == policy
    (grouping,) = again.groupings
    columns = RowColumns([{"region": r} for r in region[:300]], {"region": "category"})
    labels, codes = grouping.read(columns)
    single = [
        again.apply(n=1, expected=stake.expected[i : i + 1],
                    groups={"region": (labels, codes[i : i + 1])})[0]
        for i in range(300)
    ]  # fmt: skip
    batch = actions_of(policy, stake)[:300]
    assert (np.array(single) != batch).sum() <= 1  # the unit at the very price
    assert {0, 1} <= set(single)


def test_a_value_not_seen_has_no_group_and_pays_no_price():
    grouping = Grouping(name="region", column="region", labels=REGION)
    rows = [{"region": "west"}, {"region": None}, {"region": "south"}]
    assert grouping.read(RowColumns(rows, {"region": "category"}))[1].tolist() == [-1, -1, 1]
    rest = dataclasses.replace(grouping, labels=("north", "all others (2 values)"))
    assert rest.read(RowColumns(rows, {"region": "category"}))[1].tolist() == [1, -1, 1]


@pytest.mark.parametrize(
    ("column", "labels", "want"),
    [
        ([1, 2, None], ("1", "2"), [0, 1, -1]),
        ([True, False, None], ("false", "true"), [1, 0, -1]),
        (["b", "a", None], ("a", "b"), [1, 0, -1]),
    ],
)
def test_groups_are_found_as_the_report_names_them(column, labels, want):
    decision = binary(subgroups=("g",))
    data, _ = at_stake(decision, {"y": [1, 0, 1], "g": column}, [0.5] * 3)
    assert data.subgroups["g"][0] == labels
    grouping = Grouping(name="g", column="g", labels=labels)
    assert grouping.read(TableColumns(pa.table({"g": column})))[1].tolist() == want
    assert data.subgroups["g"][1].tolist() == want


def test_bands_find_the_group_of_a_number():
    grouping = Grouping(name="age", column="age", labels=("a", "b", "c"), bands=(30.0, 45.0))
    rows = RowColumns([{"age": a} for a in (29, 30, 45, None)], {"age": "number"})
    assert grouping.read(rows)[1].tolist() == [0, 1, 2, -1]


def test_groups_cut_at_quartiles_are_refused(rng):
    limit = Limit(name="a", actions={"call": 1.0}, share=0.1, subgroup="age")
    decision = dataclasses.replace(binary(subgroups=("age",)), limits=(limit,))
    with pytest.raises(EvidenceError, match=r"PAY-E023.*bands"):
        at_stake(decision, {"y": [1, 0] * 50, "age": rng.normal(40, 9, 100)}, [0.5] * 100)
    banded = dataclasses.replace(
        decision, subgroups=(Subgroup(name="age", column="age", bands=(40.0,)),)
    )
    at_stake(banded, {"y": [1, 0] * 50, "age": rng.normal(40, 9, 100)}, [0.5] * 100)


def test_an_unknown_group_is_named(rng):
    limit = Limit(name="v", actions={"call": 1.0}, share=0.1, subgroup="region", group="nort")
    decision, stake, _ = regional(rng, 200, limits=[limit])
    with pytest.raises(EvidenceError, match=r"PAY-E021.*'north'"):
        best_policy(decision, stake)


def test_a_floor_acts_on_the_best_of_its_group_although_they_lose(rng):
    floor = Constraint(name="f", kind="floor", share=0.4, subgroup="region", group="north")
    payoffs = {"call": {"yes": 9, "no": -4}, "leave": {"yes": 0, "no": 0}}
    decision, stake, region = regional(rng, payoffs=payoffs, constraints=[floor])
    codes = actions_of(best_policy(decision, stake), stake)
    north = np.flatnonzero(region == "north")
    acted = np.flatnonzero(codes[north] == 0)
    assert len(acted) == np.ceil(0.4 * len(north))
    gain = (stake.expected[:, 0] - stake.expected[:, 1])[north]
    assert set(acted) == set(np.argsort(-gain)[: len(acted)])
    free = best_policy(decision, stake, without="f")
    assert (actions_of(free, stake)[north] == 0).mean() < 0.4
    assert [p.name for p in untuned(decision, stake)][-1] == "without:f"


# --------------------------------------------------------------------------------- fixed costs


def costly(fixed, *, model=0.0, volume=1000.0, leave=0.0):
    decision = binary({"call": {"yes": 9, "no": -1}, "leave": {"yes": 0, "no": 0}}, volume=volume)
    actions = (
        dataclasses.replace(decision.actions[0], fixed_cost=fixed),
        dataclasses.replace(decision.actions[1], fixed_cost=leave),
    )
    return dataclasses.replace(decision, actions=actions, model_cost=model)


def test_fixed_costs_by_hand():
    """4 of 10 called: 3 x 9 - 1 = 26 in 10 units, 2.6 each; 1,000 units bear 1,000 + 100."""
    decision = costly(1000.0, model=100.0)
    prob, y = [0.9] * 4 + [0.01] * 6, [1, 1, 1, 0] + [0] * 6
    _, stake = at_stake(decision, {"y": y}, prob)
    policy = best_policy(decision, stake)
    codes = actions_of(policy, stake)
    assert codes.tolist() == [0] * 4 + [1] * 6
    assert fixed_cost(decision, policy, codes, stake.weight) == pytest.approx(1.1)
    assert earned(decision, policy, codes, stake).mean() == pytest.approx(2.6 - 1.1)
    by_name = {p.name: p for p in untuned(decision, stake)}
    nothing, everybody = by_name["do_nothing"], by_name["all:call"]
    for p, want in ((nothing, 0.0), (everybody, (3 * 9 - 7) / 10 - 1.0)):
        codes = actions_of(p, stake)
        assert earned(decision, p, codes, stake).mean() == pytest.approx(want)


def test_an_action_that_does_not_earn_its_fixed_cost_is_left_out():
    prob = [0.9] * 4 + [0.01] * 6  # expected gain of calling the four: 4 x 8 / 10 = 3.2 per unit
    for fixed, shut in ((3190.0, ()), (3210.0, ("call",))):
        decision = costly(fixed)
        _, stake = at_stake(decision, {"y": [1] * 10}, prob)
        policy = best_policy(decision, stake)
        assert policy.shut == shut
        assert (actions_of(policy, stake) == 0).any() == (not shut)
        assert ("would not earn its fixed cost" in policy.how) == bool(shut)


@pytest.mark.parametrize("leave", [0.0, 400.0])
def test_the_threshold_weighs_fixed_costs_as_brute_force_does(rng, leave):
    for fixed in (0.0, 300.0, 2000.0, 5000.0):
        decision = costly(fixed, leave=leave)
        prob, y = calibrated(rng, 300)
        _, stake = at_stake(decision, {"y": y}, prob, "choose")
        tuned = next(p for p in policies(decision, stake) if p.name == "threshold")
        value = earned(decision, tuned, actions_of(tuned, stake), stake).mean()
        best = max(
            earned(decision, tuned, np.where(prob >= t, 0, 1).astype(np.int16), stake).mean()
            for t in [0, *np.sort(prob), 1.01]
        )
        assert value == pytest.approx(best)


def test_which_of_several_actions_to_keep_is_found_by_trying_all(rng):
    base = three_by_three()
    fixed = {"refuse": 900.0, "review": 500.0, "pay": 0.0}
    actions = tuple(Action(name=a, fixed_cost=c) for a, c in fixed.items())
    decision = dataclasses.replace(base, actions=actions, volume=50)
    n = 200
    prob = rng.dirichlet([1, 1, 3], n)
    _, stake = at_stake(decision, {"y": ["fraud"] * n, "amount": rng.lognormal(4, 1, n)}, prob)
    policy = best_policy(decision, stake)
    best = {}
    for keep in ((0, 1, 2), (0, 2), (1, 2), (2,)):
        gross = stake.expected[:, keep].max(axis=1).mean()
        codes = np.array(keep)[stake.expected[:, keep].argmax(axis=1)]
        used = {decision.action_names[c] for c in codes}
        best[keep] = gross - sum(fixed[a] for a in used) / 50
    kept = max(best, key=best.get)
    assert set(policy.shut) == {decision.action_names[k] for k in {0, 1, 2} - set(kept)}


def test_no_batch_is_cut_to_an_action_that_is_shut():
    decision = dataclasses.replace(
        costly(9e9), actions=(
            Action(name="call", capacity=Capacity(share=0.1)),
            Action(name="write", fixed_cost=9e9), Action(name="leave"),
        ),
        payoffs=type(binary().payoffs).of({
            "call": {"yes": 9, "no": 9}, "write": {"yes": 8, "no": 8}, "leave": {"yes": 0, "no": 0},
        }),
    )  # fmt: skip
    _, stake = at_stake(decision, {"y": [1, 0] * 10}, [0.5] * 20)
    policy = best_policy(decision, stake)
    assert policy.shut == ("write",)
    open_gates = dataclasses.replace(
        policy, bounds=tuple(dataclasses.replace(b, prices={"": 0.0}) for b in policy.bounds)
    )
    codes = actions_of(open_gates, stake)
    assert np.bincount(codes, minlength=3).tolist() == [2, 0, 18]


def test_among_ties_a_floor_is_kept_rather_than_missed(rng):
    """Five probabilities only: the tied units at the price are all taken, so the floor holds."""
    floor = Constraint(name="f", kind="floor", share=0.35, subgroup="region")
    decision = dataclasses.replace(
        binary({"call": {"yes": 1, "no": -3}, "leave": {"yes": 0, "no": 0}},
               subgroups=("region",)),
        constraints=(floor,),
    )  # fmt: skip
    n = 3000
    region = np.array(REGION)[rng.integers(0, 2, n)]
    prob = rng.choice([0.1, 0.2, 0.3, 0.5, 0.6], n)
    _, stake = at_stake(decision, {"y": [1, 0] * (n // 2), "region": region}, prob)
    codes = actions_of(best_policy(decision, stake), stake)
    for name in REGION:
        acted = prob[(region == name) & (codes == 0)]
        assert 0.35 <= len(acted) / (region == name).sum() <= 0.45
        assert set(acted) == {0.5, 0.6}


def test_a_policy_decides_the_same_whatever_the_order_of_rows_and_limits(rng):
    limits = [
        Limit(name="v", actions={"call": 1.0}, share=0.1, subgroup="region"),
        Limit(name="h", actions={"call": 0.5}, share=0.04),
    ]
    decision, stake, _ = regional(rng, 1500, limits=limits)
    codes = actions_of(best_policy(decision, stake), stake)
    turned = dataclasses.replace(decision, limits=tuple(limits[::-1]))
    assert (actions_of(best_policy(turned, stake), stake) == codes).all()
    order = rng.permutation(1500)
    shuffled = dataclasses.replace(
        stake,
        expected=stake.expected[order], prob=stake.prob[order], realised=stake.realised[order],
        outcome=stake.outcome[order], weight=stake.weight[order], cluster=stake.cluster[order],
        groups={k: (labels, c[order]) for k, (labels, c) in stake.groups.items()},
    )  # fmt: skip
    assert (actions_of(best_policy(decision, shuffled), shuffled) == codes[order]).mean() > 0.999
