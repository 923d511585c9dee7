"""Several policies on the same rows: by hand, by brute force, and what the words may claim."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scipy import stats

from payoff.evidence.acted import Acted
from payoff.evidence.contest import contest
from payoff.policy.choose import actions_of, baselines
from tests.worlds import POWERS, at_stake, binary


def entries(decision, **codes):
    """Contestants with given actions."""
    blank = dataclasses.replace(baselines(decision)[0], baseline=False, kind="recorded", high=None)
    return [
        Acted(
            policy=dataclasses.replace(blank, name=name, label=name),
            codes=np.asarray(c, dtype=np.int16),
        )
        for name, c in codes.items()
    ]


def held(decision, table, **codes):
    data, stake = at_stake(decision, table, np.full(len(table["y"]), 0.5))
    simple = [Acted(policy=p, codes=actions_of(p, stake)) for p in baselines(decision)]
    return contest(
        decision,
        stake,
        entries(decision, **codes),
        simple,
        subgroups=data.subgroups,
        rows={"n": len(data)},
        seed=0,
    )


def test_money_differences_and_switches_by_hand():
    """a calls rows 1, 2; b calls rows 2, 3: they differ on rows 1 (yes) and 3 (no)."""
    found = held(
        binary(POWERS, volume=4),
        {"y": [1, 0, 0, 1]},
        a=[0, 0, 1, 1],
        b=[1, 0, 0, 1],
    )
    total = {s.name: s.total.value for s in found.standings}
    assert total["a"] == pytest.approx(1000 - 100 + 1 - 10)
    assert total["b"] == pytest.approx(-10 - 100 - 100 - 10)
    assert found.leader == "a"
    pair = next(p for p in found.pairs if p.against == "b")
    assert pair.total.value == pytest.approx(total["a"] - total["b"])
    assert pair.differ == pytest.approx(0.5)
    switches = {(s.leader, s.other): (s.n, s.total.value) for s in found.switches}
    assert switches[("call", "leave")] == (1, pytest.approx(1010))
    assert switches[("leave", "call")] == (1, pytest.approx(101))
    assert sum(s.total.value for s in found.switches) == pytest.approx(pair.total.value)


def test_the_chance_to_be_best_of_two_is_that_of_the_paired_normal_difference(rng):
    """With equal money at stake everywhere the paired difference is a mean of -10, 0 and 10."""
    y = (rng.random(2000) < 0.5).astype(int)
    a, b = rng.integers(0, 2, 2000), rng.integers(0, 2, 2000)
    found = held(binary({"call": {"yes": 5, "no": -5}, "leave": {"yes": -5, "no": 5}}), {"y": y},
                 a=a, b=b)  # fmt: skip
    d = np.where(a == (1 - y), 5.0, -5.0) - np.where(b == (1 - y), 5.0, -5.0)
    expected = stats.norm.cdf(d.mean() / (d.std(ddof=1) / np.sqrt(2000)))
    chance = {s.name: s.chance_best for s in found.standings if not s.baseline}
    assert chance["a"] == pytest.approx(expected, abs=0.03)
    assert sum(chance.values()) == pytest.approx(1)


def test_rows_of_one_cluster_count_once(rng):
    """Twenty copies of each row in one cluster say no more than the rows once."""
    y = rng.integers(0, 2, 60)
    table = {"y": np.repeat(y, 20), "who": np.repeat(np.arange(60), 20)}
    a, b = np.repeat(np.where(y, 0, rng.integers(0, 2, 60)), 20), np.repeat(1 - y, 20)
    once, alone = (
        held(binary(**more), table, a=a, b=b).pairs[0].total for more in ({"cluster": "who"}, {})
    )
    assert once.value == pytest.approx(alone.value)
    assert once.high - once.low > 3 * (alone.high - alone.low)


def test_equal_policies_share_the_chance_and_are_said_to_act_alike():
    found = held(binary(), {"y": [1, 0] * 20}, a=[0, 1] * 20, b=[0, 1] * 20)
    assert [s.chance_best for s in found.standings[:2]] == [0.5, 0.5]
    assert found.state == "alike"
    assert found.pairs[0].total.method == "exact"
    assert "act alike" in found.sentences[0]
    assert found.switches == ()


def test_a_clear_winner_is_named_and_noise_is_not(rng):
    y = (rng.random(2000) < 0.2).astype(int)
    good = np.where(rng.random(2000) < np.where(y == 1, 0.9, 0.1), 0, 1)
    noise = [rng.integers(0, 2, 2000) for _ in range(2)]
    clear = held(binary(volume=1000), {"y": y}, good=good, noise=noise[0])
    assert (clear.state, clear.leader) == ("ahead", "good")
    assert "wins" in clear.sentences[0]
    assert "EUR" in clear.sentences[0]
    unclear = held(binary(), {"y": y}, one=noise[0], two=noise[1])
    assert unclear.state == "open"
    assert "chance could have done it" in unclear.sentences[0]


def test_with_three_contestants_the_differences_hold_together_and_are_wider(rng):
    y = (rng.random(500) < 0.3).astype(int)
    found = held(
        binary(),
        {"y": y},
        **{k: rng.integers(0, 2, 500) for k in "abc"},
    )
    for p in found.pairs[:2]:
        assert p.together.low < p.total.low
        assert p.together.high > p.total.high
        ratio = (p.together.high - p.together.low) / (p.total.high - p.total.low)
        assert ratio == pytest.approx(stats.norm.ppf(1 - 0.05 / 6) / 1.96, rel=0.02)
    two = held(binary(), {"y": y}, a=rng.integers(0, 2, 500), b=rng.integers(0, 2, 500))
    assert two.pairs[0].together == two.pairs[0].total


def test_a_policy_without_a_model_that_beats_all_is_said_so():
    y = [1] * 30 + [0] * 10
    found = held(binary(), {"y": y}, a=[1] * 20 + [0] * 20, b=[1] * 40)
    assert "needs no model" in found.sentences[-1]
    assert "But" in found.sentences[-1]


def test_groups_hold_the_difference_where_it_is_large_enough_to_show(rng):
    y = rng.integers(0, 2, 300)
    g = np.array(["big"] * 280 + ["tiny"] * 20)
    decision = binary(subgroups=("g",), volume=300)
    found = held(decision, {"y": y, "g": g}, a=[0] * 300, b=[1] * 300)
    assert [x["group"] for x in found.groups] == ["big"]
    gain = np.where(y[:280] == 1, 9, -1).sum() * (1 if found.leader == "a" else -1)
    assert found.groups[0]["total"]["value"] == pytest.approx(gain)


def test_the_comparison_is_json_without_nan():
    found = held(binary(), {"y": [1, 0, 1, 0]}, a=[0, 0, 0, 0], b=[1, 1, 1, 1])
    text = found.to_json()
    assert json.loads(text)["leader"] == "a"
    assert "NaN" not in text
