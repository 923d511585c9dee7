"""``decision.toml`` <-> :class:`~payoff.declare.decision.Decision`, exact both ways."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from payoff.declare.automation import Automation
from payoff.declare.decision import Decision
from payoff.declare.interactions import (
    Attributes,
    InteractionData,
    Recommend,
    Stock,
    list_payoffs,
)
from payoff.declare.limits import Constraint, Limit
from payoff.declare.listing import ListConstraint, ListSettings
from payoff.declare.multilabel import MultiLabel
from payoff.declare.past import Past
from payoff.declare.payoffs import Action, Capacity, Cell, Outcome, PayoffTable, money_text
from payoff.declare.review import Review
from payoff.declare.settings import (
    Case,
    CurrentRule,
    Data,
    EvidenceSettings,
    Predictions,
    Split,
    Subgroup,
    Training,
)
from payoff.declare.spec import read_file_keys
from payoff.declare.text import TextSettings
from payoff.errors import DeclarationError, PayoffError, plain

__all__ = ["from_toml", "load", "to_toml"]

_LARGEST: Final = 1_000_000
_T = TypeVar("_T", Limit, Constraint)


def load(path: str | Path) -> Decision:
    """Read a decision file.

    Parameters
    ----------
    path
        A UTF-8 TOML file of at most 1 MB.

    Raises
    ------
    DeclarationError
        ``PAY-D0xx`` with the file, the line where it can be found, and the key.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise DeclarationError.unreadable(
                str(path),
                f"{path.stat().st_size:,} bytes",
                "Name the decision file; rows go in a file of their own, named by data.source",
            )
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        bad = error.object[: error.start].count(b"\n") + 1
        raise DeclarationError.unreadable(
            str(path), f"bytes that are not UTF-8 in line {bad}", "Save the file as UTF-8"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DeclarationError.unreadable(str(path), reason) from None
    try:
        return from_toml(text)
    except PayoffError as error:
        line = _line_of(text, error.where or "")
        raise error.within(plain(path.name) + (f", line {line}" if line else "")) from None


def from_toml(text: str) -> Decision:
    """Read a decision from TOML text.

    Examples
    --------
    >>> from payoff.declare.file import from_toml
    >>> from_toml('''
    ... schema_version = 1
    ... [decision]
    ... name = "calls"
    ... currency = "EUR"
    ... [data]
    ... outcome = "y"
    ... [outcomes]
    ... yes = 1
    ... no = 0
    ... [actions]
    ... call = "Call"
    ... leave = "Leave alone"
    ... [payoffs.call]
    ... yes = 9
    ... no = -1
    ... [payoffs.leave]
    ... yes = 0
    ... no = 0
    ... ''').action_names
    ('call', 'leave')
    """
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError.not_toml(str(error)) from None
    except RecursionError:
        raise DeclarationError.not_toml("brackets nested too deep") from None
    except ValueError:  # Python reads no int beyond 4,300 digits
        raise DeclarationError.not_toml("a whole number of more than 4,300 digits") from None
    read_file_keys(value)
    if value["schema_version"] != 1:
        raise DeclarationError.bad_value(
            "schema_version", value["schema_version"], "1", "Use the payoff that wrote this file"
        )
    return _decision(value)


def _decision(value: Mapping[str, Any]) -> Decision:
    facts: dict[str, Any] = dict(value["decision"])
    if "interactions" in value:
        return _recommendation(value, facts)
    data = dict(value["data"])
    for name in ("features", "text"):
        if name in data:
            data[name] = tuple(data[name])
    text = dict(value.get("text", {}))
    for name in ("languages", "slices", "keep"):
        if name in text:
            text[name] = tuple(text[name])
    return Decision(
        **facts,
        data=Data(**data),
        outcomes=tuple(_outcome(n, o) for n, o in value["outcomes"].items()),
        actions=tuple(_action(n, a, value["outcomes"]) for n, a in value["actions"].items()),
        payoffs=PayoffTable(
            cells={
                (action, outcome): _cell(cell, f"payoffs.{action}.{outcome}")
                for action, row in value["payoffs"].items()
                for outcome, cell in row.items()
            }
        ),
        subgroups=tuple(_subgroup(s, n) for n, s in enumerate(value.get("subgroups", []))),
        limits=tuple(_limit(x, n) for n, x in enumerate(value.get("limits", []))),
        constraints=tuple(
            _placed(Constraint, "constraints", n, {**x, "actions": tuple(x.get("actions", ()))})
            for n, x in enumerate(value.get("constraints", []))
        ),
        current_rule=_rule(value.get("current_rule")),
        text=TextSettings(**text),
        past=_past(value.get("past")),
        automation=Automation(**value["automation"]) if "automation" in value else None,
        multilabel=_multilabel(value.get("multilabel")),
        predictions=Predictions(**value.get("predictions", {})),
        split=Split(**value.get("split", {})),
        training=_training(value),
        evidence=EvidenceSettings(**value.get("evidence", {})),
    )


def _multilabel(value: Mapping[str, Any] | None) -> MultiLabel | None:
    if value is None:
        return None
    return MultiLabel(**{**value, "names": tuple(value.get("names", ()))})


def _recommendation(value: Mapping[str, Any], facts: Mapping[str, Any]) -> Decision:
    """Make a decision whose unit is a list shown to a user."""
    given = dict(value["interactions"])
    if "margin" in given:
        given["margin"] = money_text(given["margin"], "interactions.margin")
    data = InteractionData(**given)
    row = {
        action: {o: _cell(cell, f"payoffs.{action}.{o}") for o, cell in cells.items()}
        for action, cells in value.get("payoffs", {}).items()
    }
    tables: dict[str, Any] = {
        name: make(**{"from_" if k == "from" else k: v for k, v in value[name].items()})
        for name, make in (("items", Attributes), ("users", Attributes), ("stock", Stock))
        if name in value
    }
    usual = {"unit": "list", "do_nothing": "none"}
    return Decision(
        **{**usual, **facts},
        **list_payoffs(row, data),
        recommend=Recommend(interactions=data, list=_list(value.get("list", {})), **tables),
        subgroups=tuple(_subgroup(s, n) for n, s in enumerate(value.get("subgroups", []))),
        split=Split(**value.get("split", {})),
        training=_training(value),
        evidence=EvidenceSettings(**value.get("evidence", {})),
    )


def _list(value: Mapping[str, Any]) -> ListSettings:
    constraints = []
    for n, one in enumerate(value.get("constraints", [])):
        try:
            constraints.append(ListConstraint(**one))
        except DeclarationError as error:
            error.where = (error.where or "").replace(".constraints.", f".constraints[{n}].")
            raise
    given = {k: v for k, v in value.items() if k != "constraints"}
    return ListSettings(**given, constraints=tuple(constraints))


def _training(value: Mapping[str, Any]) -> Training:
    training = dict(value.get("training", {}))
    if "candidates" in training:
        training["candidates"] = tuple(training["candidates"])
    return Training(**training)


def _outcome(name: str, value: Any) -> Outcome:
    if not isinstance(value, dict):
        return Outcome(name=name, values=(value,))
    if ("value" in value) == ("values" in value):
        raise DeclarationError.bad_value(
            f"outcomes.{name}",
            sorted(value),
            "either 'value' or 'values'",
            "Say which value of the outcome column means this outcome",
        )
    values = tuple(value["values"]) if "values" in value else (value["value"],)
    return Outcome(name=name, values=values, label=value.get("label", ""))


def _action(name: str, value: Any, outcomes: Iterable[str]) -> Action:
    if isinstance(value, str):
        return Action(name=name, label=value)
    limit = None
    if "capacity" in value or "capacity_share" in value:
        try:
            limit = Capacity(per_period=value.get("capacity"), share=value.get("capacity_share"))
        except DeclarationError as error:
            error.where = (error.where or "").replace("actions.", f"actions.{name}.")
            raise
    review = value.get("review")
    return Action(
        name=name,
        label=value.get("label", ""),
        capacity=limit,
        fixed_cost=value.get("fixed_cost", 0.0),
        review=None if review is None else _review(review, f"actions.{name}.review", outcomes),
    )


def _review(value: Mapping[str, Any], key: str, outcomes: Iterable[str]) -> Review:
    errors = value["errors"]
    return Review(
        cost=money_text(value["cost"], f"{key}.cost"),
        errors=errors if isinstance(errors, dict) else dict.fromkeys(outcomes, errors),
        right=value.get("right", {}),
        wrong=value.get("wrong", {}),
    )


def _cell(value: Any, key: str) -> Cell:
    if isinstance(value, dict):
        facts = {k: v for k, v in value.items() if k != "money"}
        return Cell(money=money_text(value["money"], key), **facts)
    return Cell(money=money_text(value, key))


def _subgroup(value: Mapping[str, Any], number: int) -> Subgroup:
    name = value.get("name") or value.get("column") or " x ".join(value.get("intersect", []))
    if not name:
        raise DeclarationError.missing_key(
            f"subgroups[{number}].column", "a column or 'intersect'", 'column = "age"'
        )
    try:
        return Subgroup(
            name=name,
            column=value.get("column"),
            bands=tuple(float(b) for b in value.get("bands", ())),
            intersect=tuple(value.get("intersect", ())),
        )
    except DeclarationError as error:
        error.where = (error.where or "").replace(f"subgroups.{name}", f"subgroups[{number}]")
        raise


def _limit(value: Mapping[str, Any], number: int) -> Limit:
    uses = value["actions"]
    given = {**value, "actions": uses if isinstance(uses, dict) else dict.fromkeys(uses, 1.0)}
    return _placed(Limit, "limits", number, given)


def _placed(make: type[_T], table: str, number: int, value: Mapping[str, Any]) -> _T:
    """Make one entry of a list; an error names its place in the file, not its name."""
    try:
        return make(**value)
    except DeclarationError as error:
        error.where = (error.where or "").replace(f"{table}.{value['name']}", f"{table}[{number}]")
        raise


def _rule(value: Mapping[str, Any] | None) -> CurrentRule | None:
    if value is None:
        return None
    return CurrentRule(
        **{k: v for k, v in value.items() if k != "cases"},
        cases=tuple(Case(**c) for c in value.get("cases", ())),
    )


def _past(value: Mapping[str, Any] | None) -> Past | None:
    if value is None:
        return None
    known = tuple(value.get("outcomes_known", ()))
    return Past(**{**value, "outcomes_known": known})


def _line_of(text: str, where: str) -> int | None:
    """Find the line of the key named in an error; None when it cannot be told."""
    found = re.search(r"key ([^,]+)", where)
    if not found:
        return None
    places: dict[str, int] = {}
    header = ""
    for number, line in enumerate(text.splitlines(), start=1):
        section = re.match(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$", line)
        if section:
            header = section[2].replace('"', "")
            places.setdefault(header, number)
            if section[1] == "[[":
                header += f"[{sum(p.startswith(header + '[') and p[-1] == ']' for p in places)}]"
                places[header] = number
            continue
        key = re.match(r"\s*[\"']?([^\"'=]+?)[\"']?\s*=", line)
        if key:
            places.setdefault((f"{header}." if header else "") + key[1].strip(), number)
    wanted = found[1]
    for path in (wanted, re.sub(r"\[\d+\]$", "", wanted), wanted.rpartition(".")[0]):
        if path in places:
            return places[path]
    return None


def to_toml(decision: Decision) -> str:
    """Write a decision so that :func:`from_toml` gives an equal one.

    Defaults are left out; keys come in the order of the documentation.
    """
    from payoff.declare.writer import written

    return written(decision)
