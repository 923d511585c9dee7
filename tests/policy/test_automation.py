"""Automation as a policy: who is sure, who goes elsewhere, what strangers get."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payoff.declare import (
    Action,
    Automation,
    Capacity,
    Data,
    Decision,
    Outcome,
    PayoffTable,
    Review,
)
from payoff.declare.file import from_toml, to_toml
from payoff.errors import DeclarationError
from payoff.policy.answer import remarks
from payoff.policy.automate import automation_policy, with_strangers
from payoff.policy.automation import chance_right, misrouted
from payoff.policy.best import actions_of, best_policy, sureness
from payoff.policy.policy import Policy
from tests.worlds import at_stake

ASK = Review(cost="4", errors={"fraud": 0.0, "fine": 0.0})


FIVE = Automation(max_error=0.05)


def decision(*, capacity=None, automation=FIVE, **more):
    return Decision(
        name="claims",
        currency="EUR",
        unit="claim",
        outcomes=(Outcome(name="fraud", values=(1,)), Outcome(name="fine", values=(0,))),
        actions=(
            Action(name="block"),
            Action(name="pay"),
            Action(
                name="ask",
                label="Ask a person",
                review=ASK,
                capacity=None if capacity is None else Capacity(share=capacity),
            ),
        ),
        payoffs=PayoffTable.of(
            {"block": {"fraud": 0, "fine": -30}, "pay": {"fraud": -100, "fine": 0}}
        ),
        data=Data(outcome="y"),
        automation=automation,
        **more,
    )


def world(rng, n, declared, part="choose"):
    """Probabilities that are right, most of them far from the middle."""
    prob = rng.beta(0.15, 0.3, n)
    y = (rng.random(n) < prob).astype(int)
    return at_stake(declared, {"y": y}, prob, part)[1]


# ------------------------------------------------------------------------------- declaration


def test_otherwise_is_the_only_review():
    declared = decision()
    assert declared.automation.otherwise == "ask"
    assert declared.reviewer == "ask"
    assert declared.automatic == ("block", "pay")
    assert from_toml(to_toml(declared)) == declared


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"max_error": 0.0}, "PAY-D006", "automation.max_error"),
        ({"max_error": 0.9}, "PAY-D006", "automation.max_error"),
        ({"max_error": 0.1, "confidence": 1.0}, "PAY-D006", "automation.confidence"),
        ({"max_error": 0.1, "otherwise": "nobody"}, "PAY-D007", "automation.otherwise"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, code, where):
    with pytest.raises(DeclarationError, match=code) as caught:
        decision(automation=Automation(**change))
    assert where in str(caught.value)


def test_without_a_review_the_action_has_to_be_named():
    declared = decision(automation=None)
    plain = (*(a for a in declared.actions if a.review is None), Action(name="wait"))
    rows = {"block": {"fraud": 0, "fine": -30}, "pay": {"fraud": -9, "fine": 0}}
    table = PayoffTable.of(rows | {"wait": {"fraud": -5, "fine": -5}})
    facts = {"actions": plain, "payoffs": table}
    with pytest.raises(DeclarationError, match="PAY-D004"):
        dataclasses.replace(declared, **facts, automation=Automation(max_error=0.1))
    named = dataclasses.replace(
        declared, **facts, automation=Automation(max_error=0.1, otherwise="wait")
    )
    assert named.automatic == ("block", "pay")


def test_one_automatic_action_could_never_be_wrong_so_it_is_refused():
    with pytest.raises(DeclarationError, match="could never be wrong"):
        decision(automation=Automation(max_error=0.1, otherwise="pay"))


def test_a_policy_of_an_earlier_version_still_reads(rng):
    declared = decision(automation=None)
    policy = best_policy(declared, world(rng, 50, declared))
    old = policy.to_dict()
    for key in ("automatic", "otherwise", "unfamiliar", "stranger"):
        del old[key]
    assert Policy.from_dict(old) == policy


# --------------------------------------------------------------------------------- who is sure


@given(st.integers(0, 2**32 - 1))
def test_the_chance_of_being_right_by_brute_force(seed):
    rng = np.random.default_rng(seed)
    n, outcomes = 5, 3
    prob = rng.dirichlet(np.ones(outcomes), n)
    money = rng.integers(-3, 4, size=(n, 4, outcomes)).astype(float)  # ties are frequent
    cells = {(a, o): money[:, a, o] for a in range(4) for o in range(outcomes)}
    found = chance_right(cells, prob, 4, automatic=(0, 2, 3))
    for i in range(n):
        for a in (0, 2, 3):
            right = sum(
                prob[i, o]
                for o in range(outcomes)
                if money[i, a, o] == max(money[i, b, o] for b in (0, 2, 3))
            )
            assert found[i, a] == pytest.approx(right)
    assert not found[:, 1].any()
    happened = rng.integers(outcomes, size=n)
    realised = money[np.arange(n), :, happened]
    for a in (0, 2, 3):
        wrong = misrouted(realised, np.full(n, a, dtype=np.int16), (0, 2, 3))
        assert wrong.tolist() == (realised[:, a] < realised[:, [0, 2, 3]].max(axis=1)).tolist()


def test_the_policy_keeps_the_limit_and_sends_the_rest_to_a_person(rng):
    declared = decision()
    chosen, testing = world(rng, 3000, declared), world(rng, 3000, declared)
    base = best_policy(declared, chosen)
    policy, record = automation_policy(declared, base, chosen, testing)
    assert record["threshold"] == policy.threshold
    assert record["fits"]
    assert record["p_value"] <= 0.05
    assert record["method"] == "binomial"
    fresh = world(rng, 200_000, declared, "judge")
    codes = actions_of(policy, fresh)
    acted = codes != 2
    wrong = misrouted(fresh.realised, codes, (0, 1)) & acted
    assert wrong.sum() / acted.sum() < 0.055
    assert 0.3 < acted.mean() < 0.99
    # By hand: the likelier side by money, where its own probability reaches the threshold.
    p = fresh.prob[:, 0]
    block = -30 * (1 - p) >= -100 * p
    own = np.where(block, p, 1 - p)
    assert np.array_equal(acted, own >= policy.threshold)
    assert np.array_equal(codes[acted] == 0, block[acted])
    assert Policy.from_dict(policy.to_dict()) == policy


def test_a_hopeless_model_automates_nothing_and_says_so(rng):
    declared = decision(automation=Automation(max_error=0.02))
    y = (rng.random(800) < 0.4).astype(int)
    one = at_stake(declared, {"y": y}, np.full(800, 0.4), "choose")[1]
    policy, record = automation_policy(declared, best_policy(declared, one), one, one)
    assert record["threshold"] is None
    assert record["needed"] is None
    assert policy.threshold > 1
    assert set(actions_of(policy, one).tolist()) == {2}
    assert "Ask a person for all" in policy.how


def test_too_few_rows_say_how_many_would_do(rng):
    declared = decision(automation=Automation(max_error=0.02))
    prob = np.tile([0.0005, 0.9995], 40)
    y = (prob > 0.5).astype(int)
    one = at_stake(declared, {"y": y}, prob, "choose")[1]
    _, record = automation_policy(declared, best_policy(declared, one), one, one)
    assert record["threshold"] is None
    assert 149 <= record["needed"] < 600


def test_the_rest_must_fit_into_the_room_of_the_person(rng):
    wide, narrow = decision(capacity=0.95), decision(capacity=0.01)
    for declared, fits in ((wide, True), (narrow, False)):
        chosen, testing = world(rng, 3000, declared), world(rng, 3000, declared)
        base = best_policy(declared, chosen)
        policy, record = automation_policy(declared, base, chosen, testing)
        assert record["fits"] is fits
        assert record["room"] == pytest.approx(declared.capacity_share(declared.actions[2]))
        # The batch is not cut to the room: that would automate what the model is not sure of.
        assert np.mean(actions_of(policy, testing) == 2) == pytest.approx(record["rest"])


# ---------------------------------------------------------------------------------- strangers


def test_strangers_go_to_the_person_whatever_the_model_says(rng):
    declared = decision(automation=None)
    chosen = world(rng, 2000, declared)
    familiar = rng.random(2000)
    chosen = dataclasses.replace(chosen, familiar=familiar)
    base = best_policy(declared, chosen)
    plain = actions_of(base, chosen)
    (found,) = with_strangers(declared, [base], 0.1)
    codes = actions_of(found, chosen)
    assert set(codes[familiar < 0.1].tolist()) == {2}
    assert np.array_equal(codes[familiar >= 0.1], plain[familiar >= 0.1])
    assert with_strangers(declared, [base], None) == [base]


def test_strangers_take_the_room_first(rng):
    declared = decision(capacity=0.05, automation=None)
    chosen = world(rng, 2000, declared)
    familiar = rng.random(2000)
    chosen = dataclasses.replace(chosen, familiar=familiar)
    (found,) = with_strangers(declared, [best_policy(declared, chosen)], 0.03)
    codes = actions_of(found, chosen)
    assert np.mean(codes == 2) <= 0.05 + 1e-9
    assert set(codes[familiar < 0.03].tolist()) == {2}


def test_without_a_review_strangers_are_only_flagged(rng):
    declared = decision(automation=None)
    plain = tuple(a for a in declared.actions if a.review is None)
    two = dataclasses.replace(
        declared,
        actions=plain,
        payoffs=PayoffTable.of(
            {"block": {"fraud": 0, "fine": -3}, "pay": {"fraud": -9, "fine": 0}}
        ),
    )
    chosen = world(rng, 500, two)
    chosen = dataclasses.replace(chosen, familiar=rng.random(500))
    base = best_policy(two, chosen)
    (found,) = with_strangers(two, [base], 0.5)
    assert found.stranger is None
    assert np.array_equal(actions_of(found, chosen), actions_of(base, chosen))
    assert found.strange(np.array([0.4, 0.6])).tolist() == [True, False]


# ------------------------------------------------------------------------------------- answers


def test_an_answer_says_why_it_was_not_automated(rng):
    declared = decision()
    chosen = world(rng, 3000, declared)
    chosen = dataclasses.replace(chosen, familiar=np.full(3000, 0.9))
    (base,) = with_strangers(declared, [best_policy(declared, chosen)], 0.2)
    policy, _ = automation_policy(declared, base, chosen, chosen)
    three = at_stake(declared, {"y": [1, 1, 1]}, [0.999, 0.3, 0.999], "judge")[1]
    said = remarks(policy, three.expected, None, sureness(policy, three), np.array([0.9, 0.9, 0.1]))
    assert [s["automated"] for s in said] == [True, False, False]
    assert [s["familiar"] for s in said] == [True, True, False]
    assert said[0]["why_not"] is None
    assert "is needed" in said[1]["why_not"]
    assert "unlike" in said[2]["why_not"]
    codes = actions_of(policy, dataclasses.replace(three, familiar=np.array([0.9, 0.9, 0.1])))
    assert [c != 2 for c in codes] == [s["automated"] for s in said]
    plain = best_policy(declared, chosen)
    assert remarks(plain, three.expected, None, None, None) == [{}, {}, {}]
