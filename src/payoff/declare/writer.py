"""A decision as TOML text: only what differs from the defaults, in the documented order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from payoff.declare.decision import Decision
from payoff.declare.payoffs import Action, Cell, Outcome, money_text
from payoff.declare.settings import CurrentRule

__all__ = ["toml_key", "toml_value", "written"]

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b"}


def toml_value(value: Any) -> str:
    r"""Write one value as TOML.

    Examples
    --------
    >>> print(toml_value('say "no"'), toml_value((1, 2.5)), toml_value(True))
    "say \"no\"" [1, 2.5] true
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return '"' + "".join(_character(c) for c in value) + '"'
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml_key(k)} = {toml_value(v)}" for k, v in value.items()) + " }"
    return "[" + ", ".join(toml_value(v) for v in value) + "]"


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if ord(character) < 32 or ord(character) == 127 or not character.isprintable():
        return f"\\U{ord(character):08x}"
    return character


def toml_key(name: str) -> str:
    """Write a key, quoted where TOML asks for it.

    Examples
    --------
    >>> toml_key("age"), toml_key("a b")
    ('age', '"a b"')
    """
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_value(name)


def _changed(value: Any, skip: Iterable[str] = ()) -> dict[str, Any]:
    """Return the fields of a frozen value that differ from their defaults."""
    found = {}
    for spec in fields(value):
        if spec.name in skip:
            continue
        default = spec.default
        if default is MISSING and spec.default_factory is not MISSING:
            default = spec.default_factory()
        held = getattr(value, spec.name)
        if held != default and held is not None:
            found[spec.name] = held
    return found


def _section(header: str, values: Mapping[str, Any]) -> list[str]:
    if not values:
        return []
    lines = [f"[{header}]"] if header else []
    return [*lines, *(f"{toml_key(k)} = {toml_value(v)}" for k, v in values.items()), ""]


def _outcome(outcome: Outcome) -> Any:
    label = {} if outcome.label == outcome.name else {"label": outcome.label}
    if len(outcome.values) == 1:
        return {"value": outcome.values[0], **label} if label else outcome.values[0]
    return {"values": outcome.values, **label}


def _action(action: Action) -> Any:
    if action.capacity is None:
        return action.label
    limit = action.capacity
    key = "capacity" if limit.per_period is not None else "capacity_share"
    return {
        "label": action.label,
        key: limit.share if key == "capacity_share" else limit.per_period,
    }


def _cell(cell: Cell) -> Any:
    money: Any = cell.money
    if re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", money):
        number = float(money) if "." in money or "e" in money else int(money)
        if money_text(number) == money:  # else, as in "0.50", the number would be read otherwise
            money = number
    more = _changed(cell, skip=("money",))
    return {"money": money, **more} if more else money


def _rule(rule: CurrentRule) -> list[str]:
    lines = _section("current_rule", _changed(rule, skip=("cases",)))
    if rule.cases and not lines:
        lines = ["[current_rule]", ""]
    for case in rule.cases:
        lines += _section("[current_rule.cases]", {"when": case.when, "then": case.then})
    return lines


def written(decision: Decision) -> str:
    """Return the TOML text of a decision."""
    sections = ("data", "outcomes", "actions", "payoffs", "subgroups", "current_rule")
    skipped = (*sections, "predictions", "split", "training", "evidence", "schema_version")
    facts = _changed(decision, skip=skipped)
    facts.setdefault("name", decision.name)
    lines = ["schema_version = 1", "", *_section("decision", facts)]
    data = _changed(decision.data, skip=("exclude", "known_later", "outcome"))
    lines += _section("data", {"outcome": decision.data.outcome, **data})
    lines += _section("data.exclude", decision.data.exclude)
    lines += _section("data.known_later", decision.data.known_later)
    lines += _section("outcomes", {o.name: _outcome(o) for o in decision.outcomes})
    lines += _section("actions", {a.name: _action(a) for a in decision.actions})
    for action in decision.action_names:
        cells = {o: _cell(decision.payoffs.cell(action, o)) for o in decision.outcome_names}
        lines += _section(f"payoffs.{toml_key(action)}", cells)
    for subgroup in decision.subgroups:
        lines += _section("[subgroups]", _changed(subgroup))
    if decision.current_rule is not None:
        lines += _rule(decision.current_rule)
    for name in ("predictions", "split", "training", "evidence"):
        lines += _section(name, _changed(getattr(decision, name)))
    return "\n".join(lines)
