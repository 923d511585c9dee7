"""``decision.toml`` and the value it stands for say the same."""

from __future__ import annotations

import tomllib
from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest
from hypothesis import given, settings

from payoff.declare import Action, Capacity, Decision, Outcome, PayoffTable
from payoff.declare.file import from_toml, load, to_toml
from payoff.declare.writer import toml_key, toml_value
from payoff.errors import DeclarationError
from tests.bad_input.making import RIGHT, changed
from tests.conftest import ROOT
from tests.strategies import columns, decisions, odd_text


@settings(max_examples=100)
@given(decisions())
def test_written_and_read_is_the_same(decision):
    assert from_toml(to_toml(decision)) == decision


@settings(max_examples=25)
@given(decisions())
def test_written_twice_is_the_same_text(decision):
    text = to_toml(decision)
    assert to_toml(from_toml(text)) == text


@given(odd_text)
def test_any_text_survives_toml(text):
    assert tomllib.loads(f"a = {toml_value(text)}") == {"a": text}


@given(columns)
def test_any_key_survives_toml(name):
    assert tomllib.loads(f"{toml_key(name)} = 1") == {name: 1}


EXAMPLES = sorted((ROOT / "examples").rglob("decision.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.parent.name)
def test_examples_are_read_and_survive(path):
    decision = load(path)
    assert from_toml(to_toml(decision)) == decision


def test_defaults_are_left_out():
    text = to_toml(from_toml(RIGHT))
    for word in ("[split]", "[evidence]", "period", "kind", "calibration", "label"):
        assert word not in text
    assert "schema_version = 1" in text


@pytest.mark.parametrize("money", ["0.0", "007", "-0", "1e3", "0.50", "1.", "3", "-2.5", "1e300"])
def test_money_written_as_text_keeps_its_spelling(money):
    decision = from_toml(changed(("no = -5", f'no = "{money}"')))
    assert decision.payoffs.cell("call", "no").money == money
    assert from_toml(to_toml(decision)) == decision


def test_order_of_declaration_is_kept():
    decision = from_toml(
        changed(
            ('yes = "yes"\nno = "no"', 'zeta = "no"\nalpha = "yes"'),
            ("yes =", "alpha ="),
            ("no =", "zeta ="),
            ("yes =", "alpha ="),
            ("no =", "zeta ="),
        )
    )
    assert decision.outcome_names == ("zeta", "alpha")
    assert decision.positive == "zeta"
    assert from_toml(to_toml(decision)).outcome_names == ("zeta", "alpha")


# ------------------------------------------------------------------------------------- frozen


def parts(value, path="decision"):
    if is_dataclass(value):
        yield path, value
        for field in fields(value):
            yield from parts(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from parts(one, f"{path}[{number}]")


def test_every_part_is_frozen():
    decision = load(ROOT / "examples" / "tabular" / "bank" / "decision.toml")
    found = list(parts(decision))
    assert len(found) > 10
    for path, value in found:
        for field in fields(value):
            with pytest.raises(FrozenInstanceError):
                setattr(value, field.name, None)
        assert not hasattr(value, "__dict__"), path
        for field in fields(value):
            held = getattr(value, field.name)
            assert not isinstance(held, list | dict | set), f"{path}.{field.name}"


def test_mappings_are_copied_and_shut():
    table = {("call", "yes"): None}
    decision = from_toml(RIGHT)
    for held in (decision.payoffs.cells, decision.data.exclude, decision.predictions.probability):
        with pytest.raises(TypeError):
            held["x"] = "y"
    mine = dict(decision.payoffs.cells)
    copy = PayoffTable(cells=mine)
    mine.clear()
    assert len(copy.cells) == 4
    assert table


def test_equal_decisions_are_equal_and_hashable_parts_hash():
    assert from_toml(RIGHT) == from_toml(RIGHT)
    assert from_toml(RIGHT) != from_toml(changed(("-5", "-6")))
    assert hash(Action(name="a")) == hash(Action(name="a"))
    assert hash(Outcome(name="a", values=(1,))) == hash(Outcome(name="a", values=(1,)))


# ----------------------------------------------------------------------------- derived values


@pytest.mark.parametrize(
    ("volume", "unit", "expected", "units"),
    [
        (None, "case", "EUR per 1,000 cases", 1000.0),
        (50, "case", "EUR per month", 50.0),
        (None, "enquiry", "EUR per 1,000 enquiries", 1000.0),
    ],
)
def test_money_unit(volume, unit, expected, units):
    line = f"volume = {volume}\n" if volume else ""
    decision = from_toml(changed(("volume = 1000\n", line), ('"customer"', f'"{unit}"')))
    assert decision.money_unit == expected
    assert decision.units_reported == units


@pytest.mark.parametrize(
    ("limit", "share"),
    [
        (None, None),
        (Capacity(share=0.2), 0.2),
        (Capacity(per_period=250), 0.25),
        (Capacity(per_period=5000), 1.0),
        (Capacity(per_period=0), 0.0),
    ],
)
def test_capacity_as_a_share(limit, share):
    decision = from_toml(RIGHT)
    assert decision.capacity_share(Action(name="call", capacity=limit)) == share


def test_columns_needed_are_all_that_are_read():
    text = changed(
        ('= "y"\n', '= "y"\ntime = "t"\nweight = "w"\n'),
        more='\n[current_rule]\notherwise = "leave"\n[[current_rule.cases]]\n'
        'when = "age > 3"\nthen = "call"\n[[subgroups]]\ncolumn = "g"\n',
    )
    assert set(from_toml(text).columns_needed) == {"y", "t", "w", "balance", "age", "g"}


def test_decision_is_made_from_python_with_the_same_checks():
    with pytest.raises(DeclarationError, match="PAY-D008"):
        Decision(
            name="calls",
            currency="EUR",
            outcomes=(Outcome(name="yes", values=(1,)), Outcome(name="no", values=(0,))),
            actions=(Action(name="call"), Action(name="leave")),
            payoffs=PayoffTable.of({"call": {"yes": 9, "no": -1}, "leave": {"yes": 0}}),
        )
