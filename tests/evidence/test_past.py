"""What past decisions tell: second computations of every figure, and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import optimize, stats

from payoff.declare import Past, PayoffTable, Subgroup
from payoff.evidence.acted import Acted, Background
from payoff.evidence.evidence import Evidence
from payoff.evidence.exploration import rows_for
from payoff.evidence.judge import judge
from payoff.evidence.offpolicy import (
    bounded,
    effective_sample_size,
    imbens_manski,
    inverse_propensity,
    no_overlap,
    self_normalised,
)
from payoff.policy.choose import baselines, expected_policy
from tests.past_worlds import campaign, draw, stakes_of

SETTINGS = {"level": 0.95, "unit": "EUR per customer"}


def judged(decision, stakes, policies=None, subgroups=None):
    found = policies or [expected_policy(decision, {}), *baselines(decision)]
    first = found[0].policy.name if isinstance(found[0], Acted) else found[0].name
    return judge(
        decision,
        stakes,
        found,
        recommended=first,
        subgroups=subgroups or {},
        background=Background(data={}, model={}),
    )


def test_effective_sample_size_by_hand():
    assert effective_sample_size(np.ones(10)) == 10
    assert effective_sample_size(np.array([1.0, 1.0, 0.0])) == 2
    assert effective_sample_size(np.array([4.0, 1, 1, 1, 1])) == pytest.approx(64 / 20)
    assert effective_sample_size(np.zeros(3)) == 0


def test_three_estimators_by_a_second_computation(rng):
    world = draw(rng, 2000)
    stakes = stakes_of(world, prob=np.clip(world.buys + 0.1, 0, 1))
    decision = campaign(past=Past(action="done", propensity="chance"))
    found = judged(decision, stakes)
    codes = (stakes.expected[:, 0] <= stakes.expected[:, 1]).astype(int)
    e = world.chance[np.arange(2000), world.taken]
    v = np.where(world.outcome == 0, 10.0, 0.0) - (world.taken == 0)
    w = (codes == world.taken) / e
    m = stakes.expected[np.arange(2000), codes]
    first = found.past["estimators"][0]
    assert first["dr"]["value"] == pytest.approx(np.mean(m + w * (v - m)), abs=1e-9)
    assert first["ips"]["value"] == pytest.approx(np.mean(w * v), abs=1e-9)
    assert first["snips"]["value"] == pytest.approx(np.sum(w * v) / np.sum(w), abs=1e-9)
    assert first["ess"] == pytest.approx(w.sum() ** 2 / (w**2).sum())
    assert first["matched"] == (codes == world.taken).sum()
    assert first["largest_weight"] == w.max()
    assert found.policies[0].value.value == pytest.approx(first["dr"]["value"])
    done = found.policy("past")
    assert done.value.value == pytest.approx(v.mean(), abs=1e-12)
    error = v.std(ddof=1) / np.sqrt(2000)
    assert done.value.high - done.value.value == pytest.approx(1.96 * error, rel=0.02)


def test_the_self_normalised_error_is_that_of_a_ratio(rng):
    world = draw(rng, 3000)
    stakes = stakes_of(world)
    codes = np.zeros(3000, np.int16)
    w = stakes.past.weights(codes)
    found = self_normalised(stakes, w, **SETTINGS)
    v = np.where(w > 0, stakes.past.money, 0)
    mean = (w * v).sum() / w.sum()
    error = np.sqrt((w**2 * (v - mean) ** 2).sum()) / w.sum()
    assert found.method == "t"
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.01)


def test_doubly_robust_is_narrower_than_inverse_propensity(rng):
    world = draw(rng, 4000)
    stakes = stakes_of(world)
    found = judged(campaign(past=Past(action="done", propensity="chance")), stakes)
    first = found.past["estimators"][0]

    def width(e):
        return e["high"] - e["low"]

    assert width(first["dr"]) < 0.9 * width(first["ips"])


def test_cells_add_up_to_the_value_and_to_everybody(rng):
    world = draw(rng, 3000)
    found = judged(campaign(past=Past(action="done", propensity="chance")), stakes_of(world))
    for policy in found.policies:
        assert sum(c.money_per_period for c in policy.cells) == pytest.approx(policy.total.value)
        assert sum(c.share for c in policy.cells) == pytest.approx(1, abs=0.02)
        assert all(c.regret_per_period == 0 for c in policy.cells)
        agree = next(a for a in found.past["estimators"] if a["policy"] == policy.name)["matched"]
        assert sum(c.n for c in policy.cells) == agree


def test_cells_find_the_outcomes_that_would_have_been(rng):
    world = draw(rng, 40_000)
    found = judged(campaign(past=Past(action="done", propensity="chance")), stakes_of(world))
    cells = {(c.action, c.outcome): c for c in found.policy("all:mail").cells}
    truth = np.mean(world.would[:, 0] == 0)
    assert cells["mail", "buys"].share == pytest.approx(truth, abs=0.02)
    assert cells["mail", "buys"].low / 1000 < truth < cells["mail", "buys"].high / 1000


def test_what_outcomes_cannot_say_is_not_measured(rng):
    groups = {"g": (("a", "b"), rng.integers(0, 2, 2000).astype(np.int32))}
    decision = campaign(
        past=Past(action="done", propensity="chance"),
        subgroups=(Subgroup(name="g", column="g"),),
    )
    found = judged(
        decision,
        stakes_of(draw(rng, 2000)),
        subgroups=groups,
    )
    unseen = (found.people, found.base_rate, found.curve, found.shift)
    for section in unseen:
        assert "not_measured" in section
    assert set(found.subgroups[0].groups[0].rates) == {"acted"}
    assert found.calibration["bins"]  # probabilities of the action that was taken can be checked
    again = Evidence.from_dict(found.to_dict())
    assert again.to_json() == found.to_json()


def test_probabilities_under_the_action_taken_are_what_calibration_checks(rng):
    world = draw(rng, 20_000)
    right = judged(campaign(past=Past(action="done", propensity="chance")), stakes_of(world))
    gap = right.calibration["difference"]
    assert gap["low"] <= 0 <= gap["high"]
    wrong = judged(
        campaign(past=Past(action="done", propensity="chance")),
        stakes_of(world, prob=np.clip(world.buys + 0.2, 0, 1)),
    )
    assert wrong.calibration["difference"]["high"] < 0
    assert wrong.policies[0].value.value == pytest.approx(right.policies[0].value.value, abs=0.25)


def test_effects_and_fifths_find_who_gains(rng):
    world = draw(rng, 30_000)
    found = judged(campaign(past=Past(action="done", propensity="chance")), stakes_of(world))
    (effect,) = found.past["uplift"]
    truth = np.mean(world.expected()[:, 0] - world.expected()[:, 1])
    assert effect["effect"]["low"] < truth < effect["effect"]["high"]
    lift = np.mean(world.buys[:, 0] - world.buys[:, 1])
    assert effect["outcome_effect"]["low"] < lift < effect["outcome_effect"]["high"]
    assert effect["qini"]["low"] > 0
    (told,) = [s for s in found.past["sentences"] if "instead of" in s]
    total = effect["effect"]["value"] * 1000
    assert told.startswith("“mail” instead of “leave” for everybody would have earned EUR")
    assert ("more" if total > 0 else "less") in told
    assert ("not ruled out" in told) == (effect["effect"]["low"] <= 0 <= effect["effect"]["high"])
    fifths = [f["effect"]["value"] for f in effect["fifths"]]
    assert fifths[0] > fifths[-1]
    assert sum(f["n"] for f in effect["fifths"]) == 30_000
    assert effect["curve"]["gain"][-1] == pytest.approx(1000 * effect["effect"]["value"])


def test_an_action_never_taken_has_bounds_and_no_value(rng):
    world = draw(rng, 1000)
    world = dataclasses.replace(world, taken=np.ones(1000, np.int16))
    stakes = stakes_of(world, propensity=np.ones(1000))
    decision = campaign(past=Past(action="done", propensity="chance"))
    found = judged(decision, stakes)
    mail = found.policy("all:mail")
    assert mail.value.value is None
    assert mail.value.method == "bounds"
    truth = np.where(world.would[:, 0] == 0, 9.0, -1.0).mean()
    assert mail.value.low <= -1 < truth < 9 <= mail.value.high + 1e-9
    assert "the past did the same on 0 of 1,000 rows" in mail.value.reason
    check = next(c for c in found.checks if c.code == "PAY-E226")
    assert (check.status, check.page_one) == ("issue", True)
    assert found.verdict["state"] == "uncertain"
    against = next(c for c in found.comparisons if c.against == "do_nothing")
    assert against.value.value is None


def test_rows_that_could_never_have_got_an_action_are_noticed(rng):
    """Mail went to x > 0 only; the recorded chances say nothing of the rest."""
    world = draw(rng, 4000)
    could = world.x > 0
    mail = np.where(could, 0.5, 0.0)
    taken = (rng.random(4000) >= mail).astype(np.int16)
    world = dataclasses.replace(world, taken=taken, chance=np.stack([mail, 1 - mail], axis=1))
    stakes = stakes_of(world)
    names = ("Mail", "Leave")
    assert "never did it to rows like them" in no_overlap(stakes, np.zeros(4000, np.int16), names)
    assert no_overlap(stakes, np.where(could, 0, 1).astype(np.int16), names) == ""
    assert no_overlap(stakes, np.ones(4000, np.int16), names) == ""


def test_bounds_without_overlap_contain_the_truth(rng):
    for _ in range(20):
        world = draw(rng, 60)
        stakes = stakes_of(world)
        codes = rng.integers(0, 2, 60).astype(np.int16)
        past = stakes.past
        own = np.arange(60)
        agree = codes == past.taken
        low = np.where(agree, past.money, past.low[own, codes])
        high = np.where(agree, past.money, past.high[own, codes])
        money = np.array([[9.0, -1.0], [10.0, 0.0]])
        truth = money[codes, world.would[own, codes]].mean()
        found, (least, most) = bounded(
            stakes, low, high, level=0.95, unit="EUR per customer", reason="x"
        )
        assert found.low <= least <= truth <= most <= found.high
        assert most - least == pytest.approx(10 * np.mean(~agree))


def test_the_interval_of_bounds_solves_its_equation():
    for low, high in (((0.0, 1.0), (0.5, 2.0)), ((3.0, 0.2), (3.0, 0.1)), ((0.0, 1.0), (9.0, 0.5))):
        first, last = imbens_manski(low, high, 0.95)
        c = (low[0] - first) / low[1]
        assert (last - high[0]) / high[1] == pytest.approx(c)
        width = (high[0] - low[0]) / max(low[1], high[1])
        assert stats.norm.cdf(c + width) - stats.norm.cdf(-c) == pytest.approx(0.95, abs=1e-9)
        again = optimize.root_scalar(
            lambda k, w=width: stats.norm.cdf(k + w) - stats.norm.cdf(-k) - 0.95, bracket=(0, 9)
        )
        assert c == pytest.approx(again.root, abs=1e-6)
    assert imbens_manski((1.0, 0.0), (2.0, 0.0), 0.95) == (1.0, 2.0)


@pytest.mark.parametrize(("even", "status"), [(True, "passed"), (False, "issue")])
def test_chance_that_is_none_is_found_out(rng, even, status):
    world = draw(rng, 3000, even=even)
    predicted = np.stack([0.1 + 0.8 / (1 + np.exp(-world.x))] * 2, axis=1)
    predicted[:, 1] = 1 - predicted[:, 0]
    stakes = stakes_of(world, propensity=np.full(3000, 0.5), how="randomised", assignment=predicted)
    found = judged(campaign(), stakes)
    check = next(c for c in found.checks if c.code == "PAY-E225")
    assert check.status == status
    p = found.past["assignment"]["p_value"]
    assert (p < 0.01) == (status == "issue")


def test_a_policy_without_a_model_is_weighed_too(rng):
    """Actions given, no probabilities: money by inverse propensity, nothing said of fifths."""
    world = draw(rng, 2000)
    stakes = dataclasses.replace(stakes_of(world), expected=None)
    decision = campaign(past=Past(action="done", propensity="chance"))
    policy = dataclasses.replace(baselines(decision)[-1], name="predicted", kind="recorded")
    codes = (world.x <= 0).astype(np.int16)
    found = judged(decision, stakes, [Acted(policy=policy, codes=codes), *baselines(decision)])
    assert found.past["estimators"][0]["matched"] == (codes == world.taken).sum()
    assert "not_measured" in found.past["uplift"][0]["qini"]
    assert found.past["exploration"]["slices"][0]["cost_per_period"] is None


def test_the_default_that_was_never_done_leaves_no_uplift(rng):
    world = draw(rng, 500)
    world = dataclasses.replace(world, taken=np.zeros(500, np.int16))
    found = judged(
        campaign(past=Past(action="done", propensity="chance")),
        stakes_of(world, propensity=np.ones(500)),
    )
    assert "never done" in found.past["uplift"]["not_measured"]


def test_constant_money_needs_no_weights(rng):
    """Leaving costs nothing whatever happens: its value is 0 without an interval of chance."""
    decision = campaign(
        past=Past(action="done", propensity="chance"),
        payoffs=PayoffTable.of({"mail": {"buys": 9, "not": -1}, "leave": {"buys": 0, "not": 0}}),
    )
    world = draw(rng, 500)
    stakes = stakes_of(world)
    money = np.where(world.taken == 0, stakes.past.money, 0.0)
    cells = stakes.past.cells.copy()
    cells[:, 1] = 0.0
    past = dataclasses.replace(stakes.past, money=money, cells=cells)
    scores = stakes.realised.copy()
    scores[:, 1] = 0.0
    found = judged(decision, dataclasses.replace(stakes, past=past, realised=scores))
    nothing = found.policy("do_nothing").value
    assert (nothing.value, nothing.low, nothing.method) == (0, 0, "exact")


def test_rows_for_a_width_gives_the_width(rng):
    n = rows_for(0.5, 10.0, 2, 0.95)
    half = stats.norm.ppf(0.975) * 10 / np.sqrt(n / 2)
    assert half == pytest.approx(0.5)


def test_estimates_say_their_unit(rng):
    stakes = stakes_of(draw(rng, 400))
    w = stakes.past.weights(np.zeros(400, np.int16))
    assert inverse_propensity(stakes, w, **SETTINGS).unit == "EUR per customer"
