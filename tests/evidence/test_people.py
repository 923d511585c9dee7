"""Errors as people: hand counts, both readings of a mistake, what a group may and may not show."""

from __future__ import annotations

import numpy as np
import pytest

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
