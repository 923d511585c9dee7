"""What would change the answer: break-evens against judging again with the changed money."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from payoff.declare import Cell, Past, PayoffTable
from payoff.evidence.acted import Acted, Background
from payoff.evidence.judge import judge
from payoff.evidence.judged import Judged
from payoff.evidence.levers import reach
from payoff.evidence.ranges import draw_payoff, mean_of
from payoff.evidence.redecide import value_by_payoff
from payoff.evidence.room import _sentence
from payoff.policy.best import actions_of, policy_value
from payoff.policy.choose import baselines, expected_policy, untuned
from payoff.policy.policy import Policy
from tests.past_worlds import campaign, draw, stakes_of
from tests.worlds import POWERS, SIMPLE, at_stake, binary, calibrated, judged, three_by_three


def changed(table, action, outcome, money):
    return {a: {o: money if (a, o) == (action, outcome) else m for o, m in row.items()}
            for a, row in table.items()}  # fmt: skip


def held(table, prob, y, codes, **settings_):
    """Judge fixed actions under another table of money."""
    decision = binary(table, **settings_)
    data, stake = at_stake(decision, {"y": y}, prob)
    own = Acted(
        policy=Policy(name="own", kind="recorded", label="Own", how="", actions=("call", "leave"),
                      default="leave"),
        codes=codes,
    )  # fmt: skip
    others = [p for p in untuned(decision, stake) if p.baseline]
    return judge(
        decision, stake, [own, *others], recommended="own", subgroups=data.subgroups,
        background=Background(data={}, model={}),
    )  # fmt: skip


@pytest.fixture
def world(rng):
    prob, y = calibrated(rng, 800)
    return prob, y


def lever(found, action, outcome):
    return next(x for x in found["levers"] if (x["action"], x["outcome"]) == (action, outcome))


def best_simple(evidence):
    return max(p.total.value for p in evidence.policies[1:] if p.feasible)


@pytest.mark.parametrize(("action", "outcome"), [("call", "yes"), ("call", "no")])
@pytest.mark.parametrize("table", [SIMPLE, POWERS])
def test_at_the_break_even_the_two_earn_the_same(world, table, action, outcome):
    """Judged again from rows with u* in the table and the actions held, the lead is nothing."""
    prob, y = world
    codes = np.where(prob >= 0.1, 0, 1).astype(np.int16)
    found = held(table, prob, y, codes)
    ends = [lever(found.sensitivity, action, outcome)["stays"][k] for k in ("low", "high")]
    values = [e["value"] for e in ends if e["value"] is not None]
    assert values
    for u in values:
        again = held(changed(table, action, outcome, u), prob, y, codes)
        own = again.policies[0].total.value
        assert own == pytest.approx(best_simple(again), rel=1e-9, abs=1e-6)


def test_the_range_is_where_it_leads_and_nowhere_else(world):
    prob, y = world
    codes = np.where(prob >= 0.1, 0, 1).astype(np.int16)
    found = lever(held(SIMPLE, prob, y, codes).sensitivity, "call", "no")["stays"]
    low, high = found["low"]["value"], found["high"]["value"]
    for u, leads in (
        (low - 0.01, False),
        (low + 0.01, True),
        (high - 0.01, True),
        (high + 0.01, False),
    ):
        again = held(changed(SIMPLE, "call", "no", u), prob, y, codes)
        assert (again.policies[0].total.value > best_simple(again)) is leads


def test_who_takes_over_is_who_leads_beyond_the_end(world):
    prob, y = world
    codes = np.where(prob >= 0.1, 0, 1).astype(np.int16)
    stays = lever(held(SIMPLE, prob, y, codes).sensitivity, "call", "no")["stays"]
    assert (stays["below"], stays["above"]) == ("do_nothing", "all:call")


def test_the_interval_of_a_break_even_is_where_the_paired_test_just_rejects(world):
    """At the ends of Fieller's interval the lead's own p-value, by scipy, is 5 %."""
    prob, y = world
    codes = np.where(prob >= 0.1, 0, 1).astype(np.int16)
    end = lever(held(SIMPLE, prob, y, codes).sensitivity, "call", "no")["stays"]["low"]
    for u in (end["low"], end["high"]):
        lead = np.where(codes == 0, np.where(y == 1, 9.0, u), 0.0)
        t = lead.mean() / stats.sem(lead)
        assert 2 * stats.t.sf(abs(t), len(y) - 1) == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize("u", [-4.0, -2.0, -0.6, 0.5])
def test_deciding_again_is_judging_again(world, u):
    """The fast pass over critical changes gives what judging with the changed table gives."""
    prob, y = world
    found, again = (
        _judged_value(prob, y, SIMPLE),
        _judged_value(prob, y, changed(SIMPLE, "call", "no", u)),
    )
    _, value = value_by_payoff(found, "call", "no", np.array([u + 1.0]), factor=False)
    own = float(np.mean(again.own)) * 1000
    assert value[0] == pytest.approx(own, rel=1e-9, abs=1e-9)


def _judged_value(prob, y, table, decision=None, **columns):
    """Return the judged value of the expected-money policy (what sections are made from)."""
    decision = decision or binary(table)
    data, stake = at_stake(decision, {"y": y, **columns}, prob)
    found = untuned(decision, stake)
    acted = tuple(Acted(policy=p, codes=actions_of(p, stake)) for p in found)
    return Judged(
        decision=decision, stakes=stake, acted=acted,
        values={a.policy.name: policy_value(a.codes, stake) for a in acted},
        policies=(), comparisons=(), verdict={}, subgroups=data.subgroups,
        background=Background(data={}, model={}),
    )  # fmt: skip


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from(["refuse", "review", "pay"]),
       st.sampled_from(["fraud", "error", "fine"]), st.floats(-80, 80))  # fmt: skip
def test_deciding_again_with_three_actions_by_brute_force(seed, action, outcome, change):
    rng = np.random.default_rng(seed)
    n = 120
    prob = rng.dirichlet([1, 2, 6], n)
    names = ["fraud", "error", "fine"]
    y = np.array(names)[[rng.choice(3, p=p) for p in prob]]
    amount = rng.lognormal(5, 1, n)
    found = _judged_value(prob, y, None, three_by_three(), amount=amount)
    factor = "amount" in found.decision.payoffs.cell(action, outcome).money
    change = change / 100 if factor else change
    _, value = value_by_payoff(found, action, outcome, np.array([change]), factor=factor)
    a, o = ["refuse", "review", "pay"].index(action), names.index(outcome)
    total = 0.0
    for i in range(n):
        m = amount[i]
        table = np.array([[m, m / 2, -200], [m - 30, m / 2 - 30, -30], [0, 0, 0.0]])
        table[a, o] = table[a, o] * (1 + change) if factor else table[a, o] + change
        total += table[int(np.argmax(table @ prob[i])), names.index(y[i])]
    assert value[0] == pytest.approx(1000 * total / n, rel=1e-9, abs=1e-6)


def test_deciding_again_within_capacity_keeps_the_capacity(rng):
    prob, y = calibrated(rng, 400)
    found = judged(binary(capacity=0.1), {"y": y}, prob).sensitivity
    again = lever(found, "call", "yes")["again"]
    assert again["now"] == pytest.approx(
        1000 / 400 * np.where(y == 1, 9, -1)[np.argsort(-prob, kind="stable")[:40]].sum()
    )


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(-10, 10)), min_size=2, max_size=6))
def test_reach_by_looking_at_many_changes(lines):
    value, slope = (np.array(x) for x in zip(*lines, strict=True))
    found = reach(value, slope, range(1, len(value)))
    for change in np.linspace(-30, 30, 241):
        lead = (value[0] + change * slope[0]) - (value[1:] + change * slope[1:])
        low = -np.inf if found.low is None else found.low
        high = np.inf if found.high is None else found.high
        if np.abs(lead).min() < 1e-6:
            continue
        assert (lead.min() > 0) == (low <= change <= high and not found.empty)


def test_the_map_names_the_best_option_of_each_pair(world):
    prob, y = world
    evidence = judged(binary(), {"y": y}, prob)
    chart = evidence.sensitivity["map"]
    cells = {p.name: {(c.action, c.outcome): c.per_period for c in p.cells}
             for p in evidence.policies if p.name in chart["options"]}  # fmt: skip
    for v, row in zip(chart["up"]["values"], chart["best"], strict=True):
        for h, name in zip(chart["across"]["values"], row, strict=True):
            money = {
                (chart["across"]["action"], chart["across"]["outcome"]): h,
                (chart["up"]["action"], chart["up"]["outcome"]): v,
            }
            total = {
                k: sum(n * money.get(cell, SIMPLE[cell[0]][cell[1]]) for cell, n in c.items())
                for k, c in cells.items()
            }
            assert total[name] == pytest.approx(max(total.values()), abs=1e-6)


# ------------------------------------------------------------------------- ranges of payoffs


def ranged(**cells):
    table = {("call", "yes"): Cell(money="9"), ("call", "no"): Cell(money="-1"),
             ("leave", "yes"): Cell(money="0"), ("leave", "no"): Cell(money="0")}  # fmt: skip
    table |= {tuple(k.split("_")): v for k, v in cells.items()}
    return dataclasses.replace(binary(), payoffs=PayoffTable(cells=table))


def test_ranges_widen_the_interval_as_the_sum_of_variances_says(world):
    prob, y = world
    cell = Cell(money="-1", low=-1.5, high=-0.5, distribution="uniform")
    evidence = judged(ranged(call_no=cell), {"y": y}, prob)
    found = evidence.sensitivity["ranges"]
    own = evidence.policies[0]
    wrong = next(c.per_period for c in own.cells if (c.action, c.outcome) == ("call", "no"))
    without, both = found["value"]["without"], found["value"]["with"]
    sd = (own.total.high - own.total.low) / 2 / 1.963
    spread = np.hypot(sd, wrong * np.sqrt(1 / 12))
    assert (without["high"] - without["low"]) / 2 == pytest.approx(1.96 * sd, rel=0.08)
    assert (both["high"] - both["low"]) / 2 == pytest.approx(1.96 * spread, rel=0.08)
    assert both["value"] == pytest.approx(own.total.value)
    assert found["payoffs"][0]["part"] + found["rows_part"] == pytest.approx(1.0)


def test_a_lopsided_range_moves_the_value_by_its_mean(world):
    prob, y = world
    cell = Cell(money="-1", low=-4, high=-0.5)
    evidence = judged(ranged(call_no=cell), {"y": y}, prob)
    wrong = next(
        c.per_period for c in evidence.policies[0].cells if (c.action, c.outcome) == ("call", "no")
    )
    moved = (-4 - 1 - 0.5) / 3 + 1
    assert evidence.sensitivity["ranges"]["value"]["with"]["value"] == pytest.approx(
        evidence.policies[0].total.value + wrong * moved
    )
    (check,) = [c for c in evidence.checks if c.code == "PAY-E222"]
    assert check.status in ("passed", "issue")


def test_knowing_a_payoff_is_worth_what_switching_would_gain():
    """A payoff anywhere between -19 and 1, alike: acting pays if it turns out small."""
    y = np.array([1, 0] * 200)
    cell = Cell(money="-9", low=-19, high=1, distribution="uniform")
    decision = ranged(call_no=cell)
    found = judged(decision, {"y": y}, np.full(400, 0.5)).sensitivity["ranges"]
    # calling all earns (9 + u) / 2 per unit, 9 + u uniform on [-10, 10]: E max(., 0) = 2.5 / 2
    assert found["knowing"] == pytest.approx(1000 * 1.25, rel=0.06)


@pytest.mark.parametrize("kind", ["triangular", "uniform", "normal"])
def test_draws_have_the_declared_shape(kind, rng):
    x = draw_payoff(-2, -1, 0, kind, 200_000, rng)
    lopsided = draw_payoff(-4, -1, 0, kind, 200_000, rng)
    assert x.mean() == pytest.approx(-1, abs=0.01)
    assert lopsided.mean() == pytest.approx(mean_of(-4, -1, 0, kind), abs=0.02)
    assert np.mean((x > -2) & (x < 0)) == pytest.approx(0.95 if kind == "normal" else 1, abs=0.003)


def test_no_ranges_say_so(world):
    prob, y = world
    assert "range" in judged(binary(), {"y": y}, prob).sensitivity["ranges"]["not_measured"]


# ------------------------------------------------------------------------------ capacity, volume


def test_capacity_curve_by_brute_force(rng):
    prob, y = calibrated(rng, 500)
    found = judged(binary(capacity=0.1), {"y": y}, prob).sensitivity["capacity"]
    order = np.argsort(-prob, kind="stable")
    gain = np.where(y == 1, 9.0, -1.0)[order]
    useful = int((prob > 0.1).sum())
    for share, value in zip(found["share"], found["value"], strict=True):
        k = min(int(np.ceil(share * 500 - 1e-9)), useful)
        assert value == pytest.approx(2 * gain[:k].sum())
    assert found["enough"] == pytest.approx(useful / 500)
    assert found["value_now"] == pytest.approx(2 * gain[:50].sum())


def test_volume_matters_only_where_something_is_fixed_per_period(rng):
    prob, y = calibrated(rng, 400)
    assert not judged(binary(), {"y": y}, prob).sensitivity["volume"]["matters"]


def test_fixed_costs_are_earned_from_the_volume_where_both_earn_the_same(rng):
    """At the volume told, judged again, the policy and calling nobody earn the same."""
    prob, y = calibrated(rng, 600)
    dear = dataclasses.replace(binary(volume=5000.0), model_cost=900.0)
    found = judged(dear, {"y": y}, prob).sensitivity["volume"]
    (turn,) = [t for t in found["turns"] if t["against"] == "do_nothing"]
    at = turn["volume"]["value"]
    assert turn["volume"]["low"] < at < turn["volume"]["high"]
    there = judged(dataclasses.replace(dear, volume=at), {"y": y}, prob)
    assert there.policies[0].total.value == pytest.approx(0.0, abs=1e-6)
    assert found["matters"]


def test_lines_and_re_decisions_carry_the_cost_of_the_model(rng):
    prob, y = calibrated(rng, 600)
    dear = dataclasses.replace(binary(volume=5000.0), model_cost=900.0)
    found = judged(dear, {"y": y}, prob)
    total = found.policies[0].total.value
    assert lever(found.sensitivity, "call", "no")["again"]["now"] == pytest.approx(total)
    assert found.base_rate["options"][0]["at_judged"] == pytest.approx(total)
    assert found.calibration["recalibrating"]["difference"]["value"] == pytest.approx(
        0.0, abs=0.2 * abs(total)
    )


def test_past_decisions_leave_the_cost_of_an_action_to_be_moved(rng):
    """Where acting changes outcomes, cells are not seen; a cost needs only who got the action."""
    world = draw(rng, 2000)
    stakes = stakes_of(world, prob=np.clip(world.buys + 0.1, 0, 1))
    decision = campaign(past=Past(action="done", propensity="chance"))
    found = judge(
        decision, stakes, [expected_policy(decision, {}), *baselines(decision)],
        recommended="expected", subgroups={}, background=Background(data={}, model={}),
    )  # fmt: skip
    part = found.sensitivity
    assert {x["kind"] for x in part["levers"]} == {"cost"}
    assert "[past]" in part["ranges"]["not_measured"] or "range" in part["ranges"]["not_measured"]
    assert "not_measured" in part["map"]
    own = found.policies[0]
    used = {p.name: {u.action: u.per_period for u in p.actions} for p in found.policies}
    for one in part["levers"]:
        for side, who in (("low", "below"), ("high", "above")):
            at = one["stays"][side]["value"]
            if at is None:
                continue
            other = found.policy(one["stays"][who])
            moved = [p.total.value - at * used[p.name][one["action"]] for p in (own, other)]
            assert moved[0] == pytest.approx(moved[1], abs=1e-6)


@pytest.mark.parametrize(("more", "said"), [(2.0, "more; beyond"), (-2.0, "not have earned more")])
def test_room_that_earns_less_is_not_called_more(more, said):
    own = SimpleNamespace(decision=campaign())
    action = own.decision.action_names[0]
    found = {"action": action, "enough": 0.5, "room": 0.2, "value_enough": more, "value_now": 0.0}
    sentence = _sentence(own, found)
    assert said in sentence
    assert "-2" not in sentence
