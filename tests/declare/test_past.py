"""The declaration of past decisions: read, written, refused."""

from __future__ import annotations

import dataclasses

import pytest

from payoff.declare import Data, Past
from payoff.declare.file import from_toml, to_toml
from payoff.errors import DeclarationError
from tests.load.text import worlds as documents
from tests.past_worlds import campaign


@pytest.mark.parametrize(
    "past",
    [
        Past(action="done"),
        Past(action="done", randomised=True, shares={"mail": 0.25, "leave": 0.75}),
        Past(action="done", propensity="p", values={"mail": 1, "leave": "no"}),
        Past(action="done", outcomes_known=("mail",)),
    ],
)
def test_it_is_written_as_it_was_read(past):
    decision = campaign(past=past)
    assert from_toml(to_toml(decision)) == decision


@pytest.mark.parametrize(
    ("facts", "key"),
    [
        ({"randomised": True, "propensity": "p"}, "past.propensity"),
        ({"shares": {"mail": 1.0}}, "past.shares"),
        ({"randomised": True, "shares": {"mail": 0.5, "leave": 0.6}}, "past.shares"),
        ({"values": {"mail": 1, "leave": "1"}}, "past.values"),
    ],
)
def test_parts_that_contradict_each_other(facts, key):
    with pytest.raises(DeclarationError) as error:
        Past(action="done", **facts)
    assert key in error.value.where


@pytest.mark.parametrize(
    "facts",
    [
        {"values": {"male": 1}},
        {"outcomes_known": ("male",)},
        {"randomised": True, "shares": {"male": 0.5, "leave": 0.5}},
    ],
)
def test_names_that_are_no_actions(facts):
    with pytest.raises(DeclarationError) as error:
        campaign(past=Past(action="done", **facts))
    assert error.value.code == "PAY-D007"


def test_shares_name_every_action():
    with pytest.raises(DeclarationError) as error:
        campaign(past=Past(action="done", randomised=True, shares={"mail": 1.0}))
    assert error.value.code == "PAY-D006"


@pytest.mark.parametrize(
    "data",
    [
        Data(outcome="done"),
        Data(outcome="y", known_later={"done": "why"}),
        Data(outcome="y", features=("done",)),
    ],
)
def test_its_columns_have_no_other_role(data):
    with pytest.raises(DeclarationError):
        campaign(past=Past(action="done"), data=data)


def test_how_and_selected():
    assert Past(action="a").how == "modelled"
    assert Past(action="a", propensity="p").how == "given"
    assert not Past(action="a", randomised=True, outcomes_known=("mail",)).selected
    assert Past(action="a", propensity="p").columns == ("a", "p")
    needed = campaign(past=Past(action="a", propensity="p")).columns_needed
    assert {"a", "p"} <= set(needed)
    assert dataclasses.replace(campaign(), past=None).columns_needed == ("y",)


@pytest.mark.parametrize("how", ["", "randomised = true\n", 'propensity = "p"\n'])
def test_documents_are_not_learnt_from_per_action(how):
    text = documents.RIGHT + '[past]\naction = "desk"\n' + how
    with pytest.raises(DeclarationError, match=r"read each document as a category") as error:
        from_toml(text)
    assert error.value.code == "PAY-D006"
    assert "kind = 'predictions'" in str(error.value)


def test_documents_may_have_outcomes_recorded_under_some_actions_only():
    text = documents.RIGHT + '[past]\naction = "desk"\noutcomes_known = ["to_cards"]\n'
    assert from_toml(text).past.selected
