"""A decision as TOML text: only what differs from the defaults, in the documented order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from payoff.declare.decision import Decision
from payoff.declare.limits import Limit
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
    found: dict[str, Any] = {"label": action.label}
    if action.capacity is not None and action.capacity.per_period is not None:
        found["capacity"] = action.capacity.per_period
    elif action.capacity is not None:
        found["capacity_share"] = action.capacity.share
    if action.fixed_cost:
        found["fixed_cost"] = action.fixed_cost
    if action.review is not None:
        review = {"cost": _money(action.review.cost), "errors": action.review.errors}
        chosen = {k: getattr(action.review, k) for k in ("right", "wrong")}
        found["review"] = review | {k: v for k, v in chosen.items() if v}
    return found if len(found) > 1 else action.label


def _cell(cell: Cell) -> Any:
    money = _money(cell.money)
    more = _changed(cell, skip=("money", "derived"))
    return {"money": money, **more} if more else money


def _money(text: str) -> Any:
    """Return money as a number where reading the number gives the same text."""
    money: Any = text
    if re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", money):
        number = float(money) if "." in money or "e" in money else int(money)
        if money_text(number) == money:  # else, as in "0.50", the number would be read otherwise
            money = number
    return money


def _limit(limit: Limit) -> dict[str, Any]:
    uses = limit.actions
    plain = all(amount == 1 for amount in uses.values())
    return {**_changed(limit, skip=("actions",)), "actions": tuple(uses) if plain else uses}


def _rule(rule: CurrentRule) -> list[str]:
    lines = _section("current_rule", _changed(rule, skip=("cases",)))
    if rule.cases and not lines:
        lines = ["[current_rule]", ""]
    for case in rule.cases:
        lines += _section("[current_rule.cases]", {"when": case.when, "then": case.then})
    return lines


def written(decision: Decision) -> str:
    """Return the TOML text of a decision."""
    sections = ("data", "outcomes", "actions", "payoffs", "subgroups", "limits", "constraints")
    optional = ("current_rule", "past", "automation", "multilabel", "recommend")
    settings = ("text", "predictions", "split", "training", "evidence")
    skipped = (*sections, *optional, *settings, "schema_version")
    facts = _changed(decision, skip=skipped)
    facts.setdefault("name", decision.name)
    labels = decision.multilabel
    if labels is not None:
        facts.pop("volume", None)  # it follows from the documents
    if decision.recommend is not None:
        return "\n".join(_recommendation(decision, facts))
    lines = ["schema_version = 1", "", *_section("decision", facts)]
    data = _changed(decision.data, skip=("exclude", "known_later", "outcome"))
    lines += _section("data", {"outcome": decision.data.outcome, **data})
    lines += _section("data.exclude", decision.data.exclude)
    lines += _section("data.known_later", decision.data.known_later)
    lines += _section("outcomes", {o.name: _outcome(o) for o in decision.outcomes})
    lines += _section("actions", {a.name: _action(a) for a in decision.actions})
    for action in decision.action_names:
        row = {o: decision.payoffs.cell(action, o) for o in decision.outcome_names}
        cells = {o: _cell(cell) for o, cell in row.items() if not cell.derived}
        lines += _section(f"payoffs.{toml_key(action)}", cells)
    for subgroup in decision.subgroups:
        lines += _section("[subgroups]", _changed(subgroup))
    for limit in decision.limits:
        lines += _section("[limits]", _limit(limit))
    for constraint in decision.constraints:
        lines += _section("[constraints]", _changed(constraint))
    if decision.current_rule is not None:
        lines += _rule(decision.current_rule)
    if decision.past is not None:
        lines += _section("past", _changed(decision.past))
    if decision.automation is not None:
        lines += _section("automation", _changed(decision.automation))
    if labels is not None:
        lines += _section("multilabel", _changed(labels, ("names",) if labels.columns else ()))
    for name in settings:
        lines += _section(name, _changed(getattr(decision, name)))
    return "\n".join(lines)


def _recommendation(decision: Decision, facts: Mapping[str, Any]) -> list[str]:
    """Write a decision of kind ``"recommend"``; what every list has is left out."""
    assert decision.recommend is not None
    lines = ["schema_version = 1", "", *_section("decision", facts)]
    for name in ("interactions", "items", "users", "stock"):
        held = getattr(decision.recommend, name)
        if held is None:
            continue
        found = {k.rstrip("_"): v for k, v in _changed(held, skip=("exclude",)).items()}
        if "margin" in found:
            found["margin"] = _money(found["margin"])
        lines += _section(name, found)
        if name in ("interactions", "users"):
            lines += _section(f"{name}.exclude", held.exclude)
    lines += _section("list", _changed(decision.recommend.list, skip=("constraints",)))
    for constraint in decision.recommend.list.constraints:
        lines += _section("[list.constraints]", _changed(constraint))
    row = {o: _cell(decision.payoffs.cell("show", o)) for o in ("hit", "miss")}
    lines += _section("payoffs.show", row)
    for subgroup in decision.subgroups:
        lines += _section("[subgroups]", _changed(subgroup))
    for name in ("split", "training", "evidence"):
        lines += _section(name, _changed(getattr(decision, name)))
    return lines
