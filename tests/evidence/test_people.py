"""Errors as people: hand counts, both readings of a mistake, what a group may and may not show."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from payoff.declare import Action, PayoffTable, Review
from payoff.declare.payoffs import Cell
from payoff.report import three_numbers
from tests.worlds import POWERS, binary, calibrated, judged, three_by_three


def small():
    """10 rows: 3 called right, 2 called wrong, 1 missed, 4 left right."""
    prob = [0.9] * 5 + [0.01] * 5
    y = [1] * 3 + [0] * 2 + [1] + [0] * 4
    return judged(binary(POWERS, volume=1000), {"y": y}, prob).people


def test_counts_and_costs_by_hand():
    found = small()
    assert found["false_alarms"]["value"] == pytest.approx(200)
    assert found["false_alarms"]["cost_per_period"] == pytest.approx(200 * 101)
    assert found["missed"]["value"] == pytest.approx(100)
    assert found["missed"]["cost_per_period"] == pytest.approx(100 * 1010)
    assert found["caught"]["value"] == pytest.approx(300)
    assert found["right"]["value"] == pytest.approx(700)
    assert found["mistakes"]["value"] == pytest.approx(300)
    assert found["cost"] == pytest.approx(200 * 101 + 100 * 1010)
    assert found["false_alarm_share"]["value"] == pytest.approx(0.4)
    words = {(k["action"], k["outcome"]): k["word"] for k in found["kinds"]}
    assert words == {("call", "no"): "false alarm", ("leave", "yes"): "missed case"}
    assert found["false_alarms"]["unit"] == "customers per month"


def looked_at(cells=None, **more):
    """40 rows of 25 customers: 20 looked at (6 yes), 10 called (9 yes), 10 left (1 yes)."""
    decision = dataclasses.replace(
        binary({"call": {"yes": 20, "no": -5}, "leave": {"yes": 0, "no": 0}}, volume=1000),
        actions=(
            Action(name="call"), Action(name="leave"),
            Action(name="ask", review=Review(cost="1", errors={"yes": 0.1, "no": 0.2})),
        ),
    )  # fmt: skip
    if cells:
        table = PayoffTable(cells={**decision.payoffs.cells, **cells})
        decision = dataclasses.replace(decision, payoffs=table)
    prob = [0.3] * 20 + [0.9] * 10 + [0.01] * 10
    y = [1] * 6 + [0] * 14 + [1] * 9 + [0] + [1] + [0] * 9
    return judged(decision, {"y": y}, prob, **more)


def test_a_case_sent_to_review_is_no_false_alarm():
    """By hand: the reviewer calls 0.2 x 14 in vain and misses 0.1 x 6; the policy errs twice."""
    evidence = looked_at()
    found = evidence.people
    assert found["false_alarms"]["value"] == found["missed"]["value"] == pytest.approx(25)
    assert found["caught"]["value"] == pytest.approx(9 * 25)
    assert found["mistakes"]["value"] == pytest.approx(50)
    seen = found["reviewed"]
    assert seen["reviewed"]["value"] == pytest.approx(500)
    assert seen["needless"]["value"] == pytest.approx(350)
    assert seen["false_alarms"]["value"] == pytest.approx(0.2 * 350)
    assert seen["missed"]["value"] == pytest.approx(0.1 * 150)
    assert seen["errors"]["value"] == pytest.approx(70 + 15)
    assert seen["cost"] == pytest.approx(500 * 1 + 70 * 5 + 15 * 20)
    assert seen["needless"]["low"] < 350 < seen["needless"]["high"]
    assert found["cost"] == pytest.approx(seen["cost"] + 25 * 5 + 25 * 20)
    words = {(k["action"], k["outcome"]): k["word"] for k in found["kinds"]}
    assert words["ask", "no"] == "needless review"
    assert words["ask", "yes"] == "needed review"
    assert found["against"]["false_alarms"] == pytest.approx(25 + 70)
    assert found["against"]["missed"] == pytest.approx(25 + 15 - 16 * 25)
    assert found["sentences"][1].startswith(
        "500 customers per month are looked at by a person first, 350 of them needlessly"
    )
    assert "70 without “yes” are acted on all the same and 15 with “yes” let pass." in str(
        str(found["sentences"])
    )
    people, mistakes = three_numbers(evidence)[1:]
    assert people["label"] == "Customers acted on or looked at"
    assert mistakes["figure"] == "95 false alarms, 40 missed cases"
    assert "70 and 15 of these are errors of reviewers" in mistakes["note"]


def test_ranges_say_that_the_derived_money_of_a_review_stays():
    found = looked_at({("call", "yes"): Cell(money="20", low=15, high=25)}).sensitivity
    assert (
        "The money of “ask”, which follows from the other payoffs, was kept"
        in (found["ranges"]["sentence"])
    )


def test_a_review_among_three_outcomes_is_no_mistake(rng):
    claims = three_by_three()
    right = {"fraud": "refuse", "error": "refuse", "fine": "pay"}
    review = Review(cost="1", errors=dict.fromkeys(right, 0.1), right=right)
    decision = dataclasses.replace(
        claims,
        volume=300,
        actions=(Action(name="refuse"), Action(name="review", review=review), Action(name="pay")),
        payoffs=PayoffTable.of(
            {
                "refuse": {"fraud": "amount", "error": "amount / 2", "fine": -200},
                "pay": {"fraud": 0, "error": 0, "fine": 0},
            }
        ),
    )
    names = np.array(["fraud", "error", "fine"])
    y = names[np.arange(300) % 3]
    table = {"y": y, "amount": np.full(300, 100.0)}
    evidence = judged(decision, table, np.tile([0.3, 0.3, 0.4], (300, 1)))
    assert {a.action: a.n for a in evidence.policies[0].actions}["review"] == 300
    found = evidence.people
    assert found["mistakes"]["value"] == 0
    assert found["reviewed"]["needless"]["value"] == pytest.approx(100)
    assert found["reviewed"]["errors"]["value"] == pytest.approx(30)
    assert "30 of them then get the wrong action" in str(found["sentences"])
    assert found["reviewed"]["errors"]["low"] < 30 < found["reviewed"]["errors"]["high"]


def test_sentences_say_numbers_and_units():
    first, second, third = small()["sentences"]
    assert "200 customers per month are acted on without “yes”" in first
    assert "EUR 101,000 per month" in first
    assert second == "About one in 2 customers acted on is a false alarm."
    assert third == (
        "Against “Do nothing” that is 200 more false alarms and 300 fewer missed cases per month."
    )


def test_more_and_fewer_than_the_reference_by_brute_force(rng):
    prob, y = calibrated(rng, 500)
    x = rng.normal(size=500)
    found = judged(binary(rule="x > 0"), {"y": y, "x": x}, prob).people["against"]
    own, rule = prob >= 0.1, x > 0
    assert found["false_alarms"] == pytest.approx(
        2.0 * ((own & (y == 0)).sum() - (rule & (y == 0)).sum())
    )
    assert found["missed"] == pytest.approx(
        2.0 * ((~own & (y == 1)).sum() - (~rule & (y == 1)).sum())
    )


def test_three_outcomes_speak_of_wrong_actions(rng):
    n = 500
    prob = rng.dirichlet([1, 2, 6], n)
    names = np.array(["fraud", "error", "fine"])
    y = names[[rng.choice(3, p=p) for p in prob]]
    amount = rng.lognormal(5, 1, n)
    found = judged(three_by_three(), {"y": y, "amount": amount}, prob)
    wrong = 0
    for i in range(n):
        a = amount[i]
        table = np.array([[a, a / 2, -200], [a - 30, a / 2 - 30, -30], [0, 0, 0]])
        took = int(np.argmax(table @ prob[i]))
        here = table[:, list(names).index(y[i])]
        wrong += here[took] < here.max()
    assert found.people["mistakes"]["value"] == pytest.approx(1000 * wrong / n)
    assert "false_alarms" not in found.people
    assert all(k["word"] == "wrong action" for k in found.people["kinds"])


def test_small_groups_and_few_mistakes_are_not_shown(rng):
    prob, y = calibrated(rng, 600)
    where = np.array(["big"] * 590 + ["tiny"] * 10)
    found = judged(binary(subgroups=("g",)), {"y": y, "g": where}, prob).people
    (groups,) = found["groups"]
    assert [g["label"] for g in groups["groups"]] == ["big"]
    assert groups["left_out"] == 1
    wrong = np.where(y == 1, prob < 0.1, prob >= 0.1)[:590]
    assert groups["groups"][0]["share"] == pytest.approx(wrong.mean())


def test_a_policy_without_mistakes_says_zero():
    found = judged(binary(), {"y": [1, 0] * 50}, [0.9, 0.01] * 50).people
    assert found["mistakes"]["value"] == 0
    assert found["mistakes"]["high"] > 0
    assert found["kinds"] == []
    assert found["sentences"][0].startswith("0 customers in every 1,000")
