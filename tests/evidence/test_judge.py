"""Judging: hand tables, brute force, properties, and the defects other tools have had."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payoff.errors import DataError, EvidenceError
from payoff.evidence.acted import Acted, Background
from payoff.evidence.evidence import Evidence
from payoff.evidence.judge import judge
from payoff.policy.choose import baselines, policies
from tests.worlds import POWERS, SIMPLE, at_stake, binary, calibrated, judged, three_by_three


def test_the_confusion_table_counts_people_and_money_by_hand():
    """10 rows: 3 called right, 2 called wrong, 1 missed, 4 left right."""
    decision = binary(POWERS, volume=1000)
    prob = [0.9] * 3 + [0.9] * 2 + [0.01] * 1 + [0.01] * 4
    y = [1] * 3 + [0] * 2 + [1] + [0] * 4
    found = judged(decision, {"y": y}, prob).policy("expected")
    cells = {(c.action, c.outcome): c for c in found.cells}
    assert {k: c.n for k, c in cells.items()} == {
        ("call", "yes"): 3, ("call", "no"): 2, ("leave", "yes"): 1, ("leave", "no"): 4,
    }  # fmt: skip
    assert found.value.value == pytest.approx((3 * 1000 - 2 * 100 - 10 + 4) / 10)
    assert found.total.value == pytest.approx(1000 * (3 * 1000 - 200 - 10 + 4) / 10)
    assert cells["call", "no"].per_period == pytest.approx(200)
    assert cells["call", "no"].money_per_period == pytest.approx(200 * -100)
    assert cells["leave", "yes"].regret_per_period == pytest.approx(100 * 1010)
    assert cells["call", "yes"].regret_per_period == 0
    assert sum(c.money_per_period for c in found.cells) == pytest.approx(found.total.value)
    assert {a.action: a.per_period for a in found.actions} == {"call": 500, "leave": 500}


def test_two_totals_with_different_baselines_are_never_shown_as_one():
    """The same costs and data give -1.32 or +7.73 by baseline: both stand side by side here."""
    decision = binary({"call": {"yes": 5, "no": -1}, "leave": {"yes": -9, "no": 0}})
    prob, y = calibrated(np.random.default_rng(1), 400)
    found = judged(decision, {"y": y}, prob)
    nothing = found.policy("do_nothing").value.value
    own = found.policy("expected").value.value
    against = next(c for c in found.comparisons if c.against == "do_nothing")
    assert nothing < 0
    assert against.value.value == pytest.approx(own - nothing)


def test_normalising_by_predicted_class_is_not_how_value_is_counted():
    """Value is per unit judged, not per unit acted on."""
    decision = binary()
    found = judged(decision, {"y": [1] + [0] * 99}, [0.9] + [0.01] * 99)
    assert found.policy("expected").value.value == pytest.approx(9 / 100)


def test_paired_differences_use_only_rows_where_actions_differ(rng):
    decision = binary()
    prob, y = calibrated(rng, 600)
    found = judged(decision, {"y": y}, prob)
    for comparison in found.comparisons:
        a, b = found.policy("expected"), found.policy(comparison.against)
        assert comparison.value.value == pytest.approx(a.value.value - b.value.value)
    half = next(c for c in found.comparisons if c.against == "half")
    independent = np.hypot(
        found.policy("expected").value.high - found.policy("expected").value.value,
        found.policy("half").value.high - found.policy("half").value.value,
    )
    assert half.value.high - half.value.value < independent


def test_policies_that_act_alike_differ_by_exactly_nothing():
    decision = binary()
    found = judged(decision, {"y": [0, 1] * 50}, [0.9] * 100)
    same = next(c for c in found.comparisons if c.against == "all:call")
    assert (same.value.low, same.value.value, same.value.high) == (0, 0, 0)
    assert same.value.method == "exact"
    assert same.differ == 0


def test_three_actions_three_outcomes_by_brute_force(rng):
    decision = three_by_three()
    n = 500
    prob = rng.dirichlet([1, 2, 6], n)
    names = np.array(["fraud", "error", "fine"])
    y = names[[rng.choice(3, p=p) for p in prob]]
    amount = rng.lognormal(5, 1, n)
    found = judged(decision, {"y": y, "amount": amount}, prob)
    total = 0.0
    for i in range(n):
        a = amount[i]
        table = np.array([[a, a / 2, -200], [a - 30, a / 2 - 30, -30], [0, 0, 0]])
        total += table[int(np.argmax(table @ prob[i])), list(names).index(y[i])]
    assert found.policy("expected").value.value == pytest.approx(total / n)
    assert "not_measured" in found.curve


def test_value_lies_between_the_worst_and_the_best_action_of_each_row(rng):
    decision = binary(POWERS)
    prob, y = calibrated(rng, 300)
    _, stake = at_stake(decision, {"y": y}, prob)
    for policy in judged(decision, {"y": y}, prob).policies:
        assert stake.realised.min(1).mean() <= policy.value.value <= stake.realised.max(1).mean()


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_scaling_money_scales_every_total(seed, factor):
    rng = np.random.default_rng(seed)
    prob, y = calibrated(rng, 80)
    if len(set(y)) < 2:
        return
    scaled = {a: {o: m * factor for o, m in row.items()} for a, row in SIMPLE.items()}
    one, other = judged(binary(), {"y": y}, prob), judged(binary(scaled), {"y": y}, prob)
    for p in one.policies:
        expected = p.total.value * factor
        assert other.policy(p.name).total.value == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_order_of_rows_and_of_actions_does_not_matter(rng):
    prob, y = calibrated(rng, 400)
    decision = binary()
    order = rng.permutation(400)
    one, other = judged(decision, {"y": y}, prob), judged(decision, {"y": y[order]}, prob[order])
    swapped = dataclasses.replace(decision, actions=decision.actions[::-1])
    third = judged(swapped, {"y": y}, prob)
    for p in one.policies:
        assert other.policy(p.name).value.value == pytest.approx(p.value.value)
        assert third.policy(p.name).value.value == pytest.approx(p.value.value)


def test_a_row_written_twice_is_a_row_of_weight_two(rng):
    prob, y = calibrated(rng, 300)
    twice = np.arange(300) < 100
    repeated = np.concatenate([np.arange(300), np.flatnonzero(twice)])
    doubled = judged(binary(), {"y": y[repeated]}, prob[repeated])
    weighted = judged(binary(weight="w"), {"y": y, "w": 1.0 + twice}, prob)
    for p in doubled.policies:
        if p.name == "threshold":
            continue
        assert weighted.policy(p.name).value.value == pytest.approx(p.value.value)
        for a, b in zip(p.cells, weighted.policy(p.name).cells, strict=True):
            assert b.share == pytest.approx(a.share)


def test_rows_that_did_not_judge_are_refused():
    decision = binary()
    _, stake = at_stake(decision, {"y": [1, 0]}, [0.5, 0.5], part="choose")
    with pytest.raises(EvidenceError, match="PAY-E001"):
        judge(
            decision,
            stake,
            policies(decision, stake),
            recommended="expected",
            subgroups={},
            background=Background(data={}, model={}),
        )


def test_a_policy_tuned_on_the_judging_rows_is_refused():
    decision = binary()
    _, stake = at_stake(decision, {"y": [1, 0, 1, 0]}, [0.9, 0.1, 0.8, 0.2])
    with pytest.raises(EvidenceError, match="PAY-E001"):
        judge(
            decision,
            stake,
            policies(decision, stake),
            recommended="expected",
            subgroups={},
            background=Background(data={}, model={}),
        )


def test_one_outcome_cannot_judge():
    with pytest.raises(DataError, match="PAY-L008"):
        judged(binary(), {"y": [0, 0, 0]}, [0.1, 0.2, 0.3])


# ------------------------------------------------------------------------------- the verdict


def test_a_better_simple_policy_is_refused_on_page_one(rng):
    """The model never acts, and calling everyone pays."""
    y = (rng.random(800) < 0.5).astype(int)
    found = judged(binary(), {"y": y}, np.full(800, 0.01))
    assert found.verdict["state"] == "refuse"
    assert found.verdict["best_trivial"] == "all:call"
    (loud,) = [c for c in found.checks if c.code == "PAY-E202"]
    assert loud.status == "issue"
    assert "“call: all”, which needs no model, earned EUR " in found.verdict["sentence"]
    assert found.verdict["next"].startswith("For now use “call: all”.")
    assert not loud.page_one  # the headline says it, once


def test_a_clear_gain_is_to_deploy(rng):
    prob, y = calibrated(rng, 5000, a=0.3, b=1.0)
    found = judged(
        binary({"call": {"yes": 2, "no": -1}, "leave": {"yes": 0, "no": 0}}), {"y": y}, prob
    )
    assert found.verdict["state"] == "deploy"


def test_a_gain_within_its_interval_is_uncertain():
    """A model barely better than leaving everyone alone, on few rows."""
    rng = np.random.default_rng(5)
    prob = rng.uniform(0.05, 0.16, 120)
    y = (rng.random(120) < prob).astype(int)
    found = judged(binary(), {"y": y}, prob)
    gain = next(c for c in found.comparisons if c.against == found.verdict["best_trivial"])
    expected = "refuse" if gain.total.value <= 0 else "uncertain"
    assert gain.total.low is None or gain.total.low < 0
    assert found.verdict["state"] == expected


def test_what_exceeds_the_capacity_is_no_rival(rng):
    """Calling everyone would pay more, but only one in ten can be called."""
    prob, y = calibrated(rng, 2000, a=4, b=2)
    found = judged(binary(capacity=0.1), {"y": y}, prob)
    everyone = found.policy("all:call")
    assert everyone.value.value > found.policy("expected").value.value
    assert not everyone.feasible
    assert found.verdict["best_trivial"] == "do_nothing"
    (room,) = found.capacity
    assert room["used_share"] <= 0.1 + 1e-9
    assert room["binding"]


def test_the_current_rule_is_the_reference_when_there_is_one(rng):
    prob, y = calibrated(rng, 500)
    found = judged(binary(rule="age > 50"), {"y": y, "age": rng.integers(20, 80, 500)}, prob)
    assert found.verdict["reference"] == "current_rule"


def test_actions_alone_can_be_judged(rng):
    decision = binary()
    from payoff.policy.stakes import stakes_to_judge
    from tests.worlds import rows

    data = rows(decision, {"y": [1, 0] * 50})
    stake = stakes_to_judge(data, None)
    policy = dataclasses.replace(baselines(decision)[0], name="predicted", baseline=False)
    found = judge(
        decision,
        stake,
        [Acted(policy=policy, codes=np.tile([0, 1], 50).astype(np.int16)), *baselines(decision)],
        recommended="predicted",
        subgroups={},
        background=Background(data={}, model={}),
    )
    assert found.policy("predicted").value.value == pytest.approx(4.5)
    assert "not_measured" in found.calibration
    assert "not_measured" in found.curve


# ------------------------------------------------------------- curve, calibration, base rate


def test_the_curve_is_the_value_of_each_threshold_by_brute_force(rng):
    for weighted in (False, True):
        decision = binary(POWERS, volume=50, **({"weight": "w"} if weighted else {}))
        prob, y = calibrated(rng, 400)
        w = rng.random(400) + 0.1 if weighted else np.ones(400)
        curve = judged(decision, {"y": y, "w": w}, prob).curve
        for t, value, low, high, acted in zip(
            curve["threshold"],
            curve["value"],
            curve["low"],
            curve["high"],
            curve["acted_share"],
            strict=True,
        ):
            act = prob >= t
            money = np.where(act, np.where(y, 1000.0, -100), np.where(y, -10.0, 1))
            mean = np.average(money, weights=w)
            error = np.sqrt((w**2 * (money - mean) ** 2).sum() * 400 / 399) / w.sum()
            assert value == pytest.approx(50 * mean)
            assert acted == pytest.approx(np.average(act, weights=w), abs=1e-12)
            assert high - low == pytest.approx(2 * 50 * 1.959964 * error, rel=1e-6, abs=1e-9)


def test_a_probability_equal_to_the_threshold_acts():
    from payoff.evidence.curve import threshold_values

    prob = np.array([0.25, 0.5, 0.75])
    ones = np.ones(3)
    value, _, acted = threshold_values(prob, 0 * ones, ones, ones, np.array([0.25, 0.5, 0.75, 0.8]))
    assert acted.tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0])
    assert value.tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0])


def test_the_curve_with_clusters_equals_the_interval_of_one_threshold(rng):
    from payoff.clusters import mean_and_error
    from payoff.evidence.curve import threshold_values

    prob, y = calibrated(rng, 600)
    cluster = rng.integers(0, 80, 600)
    high, low, w = np.where(y, 9.0, -1.0), np.zeros(600), np.ones(600)
    value, error, _ = threshold_values(prob, low, high, w, np.array([0.2]), cluster)
    mean, one = mean_and_error(np.where(prob >= 0.2, high, 0.0), w, cluster)
    assert value[0] == pytest.approx(mean)
    assert error[0] == pytest.approx(one)


def test_reliability_of_calibrated_probabilities_passes_and_of_inflated_ones_does_not(rng):
    prob, y = calibrated(rng, 20_000)
    good = judged(binary(), {"y": y}, prob)
    bad = judged(binary(), {"y": y}, np.clip(prob * 1.8, 0, 1))
    status = {
        name: next(c.status for c in e.checks if c.code == "PAY-E205")
        for name, e in (("good", good), ("bad", bad))
    }
    assert status == {"good": "passed", "bad": "issue"}
    inside = [b["rate_low"] <= b["mean_prob"] <= b["rate_high"] for b in good.calibration["bins"]]
    assert sum(inside) >= 8
    assert sum(b["n"] for b in good.calibration["bins"]) == 20_000
    from sklearn.metrics import brier_score_loss, log_loss

    assert good.calibration["log_loss"] == pytest.approx(log_loss(y, prob), rel=1e-6)
    assert good.calibration["brier"] == pytest.approx(brier_score_loss(y, prob), rel=1e-9)


def test_a_moved_base_rate_is_loud(rng):
    prob, y = calibrated(rng, 4000, a=2, b=5)
    shares = {"yes": 0.05, "no": 0.95}
    background = Background(data={}, model={}, fit_shares=shares, fit_n=9000, choose_shares=shares)
    found = judged(binary(), {"y": y}, prob, background=background)
    loud = next(c for c in found.checks if c.code == "PAY-E204")
    assert loud.page_one
    assert "was 5 % in" in loud.detail
    assert "Call" in loud.detail or "call" in loud.detail
    same = {"yes": float(y.mean()), "no": 1 - float(y.mean())}
    quiet = judged(
        binary(), {"y": y}, prob, background=dataclasses.replace(background, fit_shares=same)
    )
    assert next(c for c in quiet.checks if c.code == "PAY-E204").status == "passed"


# ------------------------------------------------------------------------------- the record


def test_evidence_is_json_both_ways_and_the_same_bytes_twice(rng):
    prob, y = calibrated(rng, 400)
    group = np.array(list("ab"))[rng.integers(0, 2, 400)]
    one = judged(binary(subgroups=("g",), capacity=0.3), {"y": y, "g": group}, prob)
    two = judged(binary(subgroups=("g",), capacity=0.3), {"y": y, "g": group}, prob)
    import json

    assert one.to_json() == two.to_json()
    again = Evidence.from_dict(json.loads(one.to_json()))
    assert again.to_json() == one.to_json()
    assert "NaN" not in one.to_json()


def test_every_estimate_has_unit_n_and_an_interval_or_a_reason(rng):
    prob, y = calibrated(rng, 60)
    found = judged(binary(subgroups=("g",)), {"y": y, "g": ["a"] * 30 + ["b"] * 30}, prob)

    def walk(value):
        if isinstance(value, dict):
            if {"value", "low", "high", "unit", "n"} <= set(value):
                yield value
            for inner in value.values():
                yield from walk(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner)

    every = list(walk(found.to_dict()))
    assert len(every) > 20
    for estimate in every:
        assert estimate["unit"]
        assert estimate["n"] > 0
        assert (estimate["low"] is not None) or estimate["reason"]


@pytest.mark.parametrize("code", [f"PAY-E{n}" for n in range(201, 211)])
def test_every_check_speaks(code, rng):
    prob, y = calibrated(rng, 100)
    (found,) = [c for c in judged(binary(), {"y": y}, prob).checks if c.code == code]
    assert found.detail
    assert found.status in ("issue", "tip", "passed", "not_applicable", "skipped")
    if found.status in ("issue", "tip"):
        assert found.mend


def test_a_few_rows_that_carry_the_money_are_named(rng):
    prob, y = calibrated(rng, 500)
    amount = np.ones(500)
    amount[int(np.flatnonzero(y)[0])] = 1e6
    decision = binary({"call": {"yes": "amount", "no": -1}, "leave": {"yes": 0, "no": 0}})
    found = judged(decision, {"y": y, "amount": amount}, prob)
    assert next(c for c in found.checks if c.code == "PAY-E208").status == "issue"


@pytest.mark.parametrize(
    ("payoffs", "status", "words"),
    [
        (SIMPLE, "passed", "worth taking on some"),
        (
            {"call": {"yes": 9, "no": 1}, "leave": {"yes": 0, "no": 0}},
            "issue",
            "'call' is the best",
        ),
        (
            {"call": {"yes": -9, "no": -1}, "leave": {"yes": 0, "no": 0}},
            "issue",
            "'leave' is the b",
        ),
        ({"call": {"yes": 0, "no": 0}, "leave": {"yes": 0, "no": 0}}, "issue", "nothing to decide"),
        ({"call": {"yes": "a", "no": "a"}, "leave": {"yes": 0, "no": 0}}, "issue", "'call' is the"),
    ],
)
def test_a_wrong_sign_shows_row_by_row(payoffs, status, words, rng):
    prob, y = calibrated(rng, 200)
    found = judged(binary(payoffs), {"y": y, "a": np.full(200, 3.0)}, prob)
    (check,) = [c for c in found.checks if c.code == "PAY-E212"]
    assert check.status == status
    assert words in check.detail


def test_foreign_rows_are_not_vouched_for(rng):
    prob, y = calibrated(rng, 200)
    shares = {"yes": 0.2, "no": 0.8}
    background = Background(data={}, model={}, fit_shares=shares, fit_n=500, choose_shares=shares)
    ours = judged(binary(), {"y": y}, prob, background=background)
    theirs = judged(binary(), {"y": y}, prob)
    status = [next(c.status for c in e.checks if c.code == "PAY-E201") for e in (ours, theirs)]
    assert status == ["passed", "skipped"]
