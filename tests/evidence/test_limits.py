"""Limits used, constraints kept and priced, fixed costs charged: judged on their own rows."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from payoff.declare import Action, Constraint, Limit, Review
from payoff.evidence.acted import Background
from payoff.evidence.evidence import Estimate, Evidence
from payoff.evidence.judge import judge
from payoff.evidence.wording import number
from payoff.policy.choose import policies
from payoff.report import three_numbers
from tests.policy.test_limits import costly, regional
from tests.worlds import at_stake, binary, calibrated, judged

HOURS = Limit(
    name="hours", label="Agents' hours", actions={"call": 0.5}, per_period=20, resource="hour"
)
NORTH = Constraint(
    name="north", label="Calls in the north", kind="floor", share=0.4, subgroup="region",
    group="north",
)  # fmt: skip
LOSS = {"call": {"yes": 9, "no": -4}, "leave": {"yes": 0, "no": 0}}


def evidence_of(rng, n=3000, **world):
    """Chosen on one sample, judged on another."""
    decision, chosen, _ = regional(rng, n, part="choose", **world)
    _, stake, _ = regional(rng, n, **world)
    return judge(
        decision, stake, policies(decision, chosen), recommended="expected", subgroups={},
        background=Background(data={}, model={}),
    )  # fmt: skip


def check(evidence, code):
    return next(c for c in evidence.checks if c.code == code)


def test_a_limit_says_its_room_its_use_and_its_price_in_its_own_unit(rng):
    found = evidence_of(rng, limits=[HOURS], volume=1000)
    (limit,) = found.capacity
    assert limit["per_period"] == pytest.approx(20)
    acted = found.policy("expected").actions[0].share
    assert limit["used_per_period"] == pytest.approx(acted * 1000 * 0.5)
    assert limit["used_per_period"] <= 20 + 1e-9
    assert limit["price_unit"] == "EUR per hour"
    price = limit["shadow_price"]
    assert limit["sentence"].startswith("Agents' hours: room for 20 hours per month, used ")
    assert f"One more hour would have earned about EUR {number(price)} " in limit["sentence"]


def test_the_price_of_a_limit_is_what_a_little_more_earned_where_it_was_chosen(rng):
    """EUR per hour = money of the choosing rows with one more hour less without, per hour."""
    decision, chosen, _ = regional(rng, 20_000, part="choose", limits=[HOURS], volume=1000)
    from payoff.policy.best import actions_of, best_policy

    def money(hours):
        more = dataclasses.replace(decision, limits=(dataclasses.replace(HOURS, per_period=hours),))
        codes = actions_of(best_policy(more, chosen), chosen)
        return chosen.expected[np.arange(len(codes)), codes].mean() * 1000

    worth = best_policy(decision, chosen).bounds[0].worth[""]
    assert worth == pytest.approx((money(20.5) - money(20)) / 0.5, rel=0.02)


def test_an_unlimited_limit_earns_nothing_more(rng):
    free = dataclasses.replace(HOURS, per_period=None, share=5.0)
    (limit,) = evidence_of(rng, limits=[free]).capacity
    assert limit["shadow_price"] == 0
    assert not limit["binding"]
    assert "More room would earn nothing." in limit["sentence"]
    assert "per 1,000 customers" in limit["sentence"]


def test_one_line_for_each_group_of_a_limit(rng):
    each = Limit(name="visits", actions={"call": 1.0}, share=0.05, subgroup="region")
    found = evidence_of(rng, limits=[each], volume=1000).capacity
    assert [c["group"] for c in found] == ["north", "south"]
    assert all(c["used_share"] <= 0.05 + 1e-9 for c in found)
    assert sum(c["per_period"] for c in found) == pytest.approx(50)
    assert "visits (region: south): room for 5 % of customers" in found[1]["sentence"]


def test_only_policies_that_capacity_allows_are_said_to_be_beaten(rng):
    """A policy beyond capacity may earn more, so it is not among those that were beaten."""
    found = evidence_of(rng, limits=[HOURS], volume=1000)
    assert any(p.baseline and not p.feasible for p in found.policies)
    said = "every policy without a model that capacity allows"
    assert said in found.verdict["sentence"]
    assert said in found.information["sentences"][0]
    found = evidence_of(np.random.default_rng(5), volume=1000)
    assert all(p.feasible for p in found.policies)
    assert "every policy without a model is" in found.information["sentences"][0]


def test_the_price_of_a_constraint_is_the_paired_difference(rng):
    found = evidence_of(rng, payoffs=LOSS, constraints=[NORTH], volume=1000)
    (one,) = found.constraints
    assert {p.name for p in found.policies}.isdisjoint({"without:north"})
    price, total = Estimate(**one["price"]), Estimate(**one["price_total"])
    assert price.value > 0
    assert price.low > 0
    assert total.value == pytest.approx(price.value * 1000)
    assert total.unit == "EUR per month"
    free = evidence_of(np.random.default_rng(5), payoffs=LOSS, volume=1000)
    bound = evidence_of(np.random.default_rng(5), payoffs=LOSS, constraints=[NORTH], volume=1000)
    want = free.policy("expected").value.value - bound.policy("expected").value.value
    assert Estimate(**bound.constraints[0]["price"]).value == pytest.approx(want)
    assert "at least 40 % of customers in “north”; acted on were" in one["sentence"]
    assert "Keeping it costs EUR " in one["sentence"]
    assert one["state"] in ("met", "within")
    assert check(found, "PAY-E218").status == "passed"


def test_a_constraint_that_does_not_bind_costs_exactly_nothing(rng):
    slack = dataclasses.replace(NORTH, share=0.0)
    (one,) = evidence_of(rng, constraints=[slack]).constraints
    assert one["price"]["method"] == "exact"
    assert one["price"]["value"] == 0
    assert "costs nothing" in one["sentence"]
    assert one["state"] == "met"


def test_a_gap_is_measured_between_the_groups_furthest_apart(rng):
    gap = Constraint(name="even", kind="max_gap", share=0.05, subgroup="region")
    found = evidence_of(rng, 6000, constraints=[gap])
    (one,) = found.constraints
    shares = {g["group"]: g["share"]["value"] for g in one["groups"]}
    assert one["measured"]["value"] == pytest.approx(abs(shares["north"] - shares["south"]))
    assert one["measured"]["value"] < 0.1
    assert one["measured"]["low"] <= 0.05
    free = evidence_of(np.random.default_rng(2), 6000)
    acted = {c.action: c.share for c in free.policy("expected").actions}
    assert acted["call"] > 0


def test_a_constraint_broken_beyond_chance_is_an_issue_on_page_one(rng):
    """The judging rows' north answers far less often than the choosing rows' did."""
    decision, chosen, _ = regional(rng, 3000, part="choose", payoffs=LOSS, constraints=[NORTH])
    n = 3000
    region = np.array(["north", "south"])[rng.integers(0, 2, n)]
    prob, y = calibrated(rng, n)
    prob = np.where(region == "north", prob * 0.02, prob)
    _, stake = at_stake(decision, {"y": y, "region": region}, prob)
    found = judge(
        decision, stake, policies(decision, chosen), recommended="expected", subgroups={},
        background=Background(data={}, model={}),
    )  # fmt: skip
    assert found.constraints[0]["state"] == "broken"
    marks = {p.name: p.outside for p in found.policies}
    assert marks["expected"] == marks["do_nothing"] == "breaks “Calls in the north”"
    assert marks["all:call"] == ""
    assert Evidence.from_dict(json.loads(found.to_json())).policies == found.policies
    result = check(found, "PAY-E218")
    assert result.status == "issue"
    assert result.page_one
    assert "Calls in the north" in result.detail


def test_limits_where_units_come_one_at_a_time(rng):
    """Judging rows twice as rich as the choosing rows: prices alone let too many through."""
    decision = binary(capacity=0.05)
    prob, y = calibrated(rng, 4000)
    _, chosen = at_stake(decision, {"y": y}, prob, "choose")
    same = judged(decision, {"y": y}, prob, chosen=chosen)
    assert check(same, "PAY-E219").status == "passed"
    richer = np.minimum(prob * 2, 1.0)
    found = judged(decision, {"y": y}, richer, chosen=chosen)
    assert check(found, "PAY-E219").status == "tip"
    assert "“call” by" in check(found, "PAY-E219").detail
    assert found.capacity[0]["used_share"] <= 0.05
    assert check(judged(binary(), {"y": y}, prob), "PAY-E219").status == "not_applicable"


def test_fixed_costs_come_off_totals_but_not_off_cells():
    decision = costly(1000.0, model=100.0)
    prob, y = [0.9] * 4 + [0.01] * 6, [1, 1, 1, 0] + [0] * 6
    found = judged(decision, {"y": y}, prob)
    own = found.policy("expected")
    assert own.fixed_per_period == pytest.approx(1100)
    assert own.total.value == pytest.approx(2600 - 1100)
    assert sum(c.money_per_period for c in own.cells) == pytest.approx(2600)
    assert found.policy("do_nothing").fixed_per_period == 0
    assert found.policy("all:call").fixed_per_period == pytest.approx(1000)
    against = {c.against: c.total.value for c in found.comparisons}
    assert against["all:call"] == pytest.approx(2600 - 1100 - (2000 - 1000))


def test_a_model_that_does_not_earn_its_cost_is_refused(rng):
    prob, y = calibrated(rng, 3000)
    cheap = judged(costly(0.0, model=1.0), {"y": y}, prob)
    dear = judged(costly(0.0, model=1e6), {"y": y}, prob)
    assert cheap.verdict["state"] == "deploy"
    assert dear.verdict["state"] == "refuse"
    gap = cheap.policy("expected").value.value - dear.policy("expected").value.value
    assert gap == pytest.approx((1e6 - 1.0) / 1000)


def test_an_action_left_out_for_its_fixed_cost_says_so_among_the_people():
    decision = costly(3210.0)  # calling the four of ten earns 3.2 per unit
    _, chosen = at_stake(decision, {"y": [1] * 10}, [0.9] * 4 + [0.01] * 6, "choose")
    prob, y = calibrated(np.random.default_rng(5), 400)
    _, stake = at_stake(decision, {"y": y}, prob)
    found = judge(
        decision, stake, policies(decision, chosen), recommended="expected", subgroups={},
        background=Background(data={}, model={}),
    )  # fmt: skip
    assert found.policies[0].shut == ("call",)
    note = three_numbers(found)[1]["note"]
    assert note.startswith("call: left out, because it would not earn its fixed cost of EUR 3,210")
    assert Evidence.from_dict(json.loads(found.to_json())).policies[0].shut == ("call",)


def test_review_is_chosen_where_it_is_worth_its_cost_and_judged_by_its_derived_money(rng):
    decision = dataclasses.replace(
        binary({"call": {"yes": 20, "no": -5}, "leave": {"yes": 0, "no": 0}}),
        actions=(
            Action(name="call"), Action(name="leave"),
            Action(name="ask", review=Review(cost="1", errors={"yes": 0.1, "no": 0.1})),
        ),
    )  # fmt: skip
    prob = rng.random(3000)
    y = (rng.random(3000) < prob).astype(int)
    found = judged(decision, {"y": y}, prob)
    low, high = 1.5 / 18.5, 3.5 / 6.5  # where the lines of the hand table cross
    share = ((prob > low) & (prob < high)).mean()
    uses = {a.action: a.share for a in found.policy("expected").actions}
    assert uses["ask"] == pytest.approx(share)
    per_unit = {1: 17.0, 0: -1.5}
    want = np.select(
        [prob > high, prob > low], [np.where(y, 20, -5), np.where(y, per_unit[1], per_unit[0])]
    ).mean()
    assert found.policy("expected").value.value == pytest.approx(want)
    assert check(found, "PAY-E212").status == "passed"  # with hindsight a review is never best


def test_json_both_ways_with_limits_and_constraints(rng):
    found = evidence_of(
        rng, limits=[HOURS], constraints=[dataclasses.replace(NORTH, share=0.01)], volume=1000
    )
    assert Evidence.from_dict(json.loads(found.to_json())).to_json() == found.to_json()


def test_sections_that_look_at_mistakes_and_promises_know_nothing_of_fixed_costs(rng):
    """A fixed cost makes no action a mistake and breaks no promise: those figures stay."""
    prob, y = calibrated(rng, 3000)
    free, dear = (judged(costly(c, model=c), {"y": y}, prob) for c in (0.0, 900.0))
    assert dear.people["mistakes"] == free.people["mistakes"]
    for key in ("expected", "realised"):
        assert dear.calibration[key] == pytest.approx(free.calibration[key])
    gap = 2 * 900.0
    own = dear.policy("expected").total.value
    assert own == pytest.approx(free.policy("expected").total.value - gap)
    assert dear.curve["recommended_value"] == pytest.approx(own)
    assert dear.curve["do_nothing"] == 0
    assert dear.curve["all"] == pytest.approx(dear.policy("all:call").total.value)
    inside = [0 < s < 1 for s in dear.curve["acted_share"]]
    lost = np.array(free.curve["value"]) - np.array(dear.curve["value"])
    assert lost[inside] == pytest.approx(gap)


def test_other_base_rates_are_decided_within_the_same_limits(rng):
    found = evidence_of(rng, limits=[HOURS], volume=1000)
    assert "not_measured" not in found.base_rate["refitted"]
    clash = evidence_of(rng, 400, constraints=[NORTH], payoffs=LOSS)
    assert clash.base_rate["refitted"]["value"]
