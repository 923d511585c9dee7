"""The shape of an explanation, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payoff.serve.servable import Servable

__all__ = ["explanation_schema"]

_NUMBER: Final = {"type": "number"}
_TEXT: Final = {"type": "string"}
_NOT_MEASURED: Final = {
    "type": "object",
    "description": "Why this is not said.",
    "properties": {"not_measured": _TEXT},
    "required": ["not_measured"],
    "additionalProperties": False,
}
_PLACE: Final = {"type": "integer", "minimum": 0}


def explanation_schema(bundle: Servable, beside: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of what ``POST /explain`` answers.

    Parameters
    ----------
    beside
        Properties that a decision may have beside its action.
    """
    decision = bundle.decision
    actions, outcomes = list(decision.action_names), list(decision.outcome_names)
    action = {"type": "string", "enum": actions}
    properties: dict[str, Any] = {
        "bundle_id": {"type": "string", "const": bundle.id},
        "decision": {"type": "string", "const": decision.name},
        "unit_id": {"type": ["string", "integer", "null"]},
        "action": action,
        "action_label": _TEXT,
        "probabilities": _by_name(outcomes, {"type": "number", "minimum": 0, "maximum": 1}),
        "expected_money": _by_name(actions, _NUMBER),
        "currency": {"type": "string", "const": decision.currency},
        "next_best": {
            "anyOf": [
                _closed({"action": action, "expected_money": _NUMBER}, "The best other action."),
                {"type": "null"},
            ]
        },
        "why": {"anyOf": [_why(outcomes), _NOT_MEASURED]},
        "documents": {
            "type": "object",
            "description": "Each document as it was read: cleaned, and redacted as is declared.",
            "additionalProperties": _TEXT,
        },
        "nearest": {"anyOf": [{"type": "array", "items": _nearest()}, _NOT_MEASURED]},
        "removal": {"anyOf": [_removal(action), _NOT_MEASURED]},
        "sentences": {"type": "array", "items": _TEXT, "description": "The same in words."},
        "warnings": {"type": "array", "items": _TEXT, "maxItems": 20},
    }
    closed = _closed(properties, "Why one row gets its decision.")
    return {**closed, "properties": {**properties, **beside}}


def _why(outcomes: list[str]) -> dict[str, Any]:
    outcome = {"type": "string", "enum": outcomes}
    word = {
        "column": _TEXT,
        "word": _TEXT,
        "start": {**_PLACE, "description": "In Unicode code points of the document."},
        "end": _PLACE,
        "log_odds": _NUMBER,
        "strength": {
            "type": "integer",
            "minimum": -3,
            "maximum": 3,
            "description": "How to mark it: above 0 for the decision, below against it.",
        },
    }
    without = {
        **_NUMBER,
        "description": "What leaving it out takes, where an embedding reads the whole document.",
    }
    one = {**_closed(word, ""), "properties": {**word, "without": without}}
    column = {
        "column": _TEXT,
        "value": {"type": ["string", "number", "boolean", "null"]},
        "log_odds": _NUMBER,
    }
    properties = {
        "outcome": {**outcome, "description": "The outcome that speaks most for the action."},
        "against": {**outcome, "description": "The one that speaks most for the next best."},
        "log_odds": {
            **_NUMBER,
            "description": "Of the first over the second, before calibration: the sum of words, "
            "columns and rest.",
        },
        "words": {"type": "array", "description": "In the order of the text.", "items": one},
        "columns": _list(column, "Ordinary columns, the strongest first."),
        "rest": _list({"name": _TEXT, "log_odds": _NUMBER}, "What no word or column carries."),
        "method": _TEXT,
        "note": _TEXT,
    }
    return _closed(properties, "What adds up to the log-odds that the decision rests on.")


def _nearest() -> dict[str, Any]:
    properties = {
        "row": {**_PLACE, "description": "Place in the source, from 0."},
        "outcome": _TEXT,
        "cosine": {"type": "number", "minimum": 0, "maximum": 1},
    }
    return _closed(properties, "A document learnt from; its text is not kept.")


def _removal(action: dict[str, Any]) -> dict[str, Any]:
    properties = {
        "action": action,
        "removed": {"type": ["array", "null"], "items": _TEXT},
        "becomes": {"anyOf": [action, {"type": "null"}]},
        "tried": {**_PLACE, "description": "Rows decided to find out."},
    }
    return _closed(properties, "The fewest words found whose removal changes the action.")


def _list(properties: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "description": description, "items": _closed(properties, "")}


def _by_name(names: list[str], value: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict.fromkeys(names, value),
        "required": names,
        "additionalProperties": False,
    }


def _closed(properties: dict[str, Any], description: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return made | {"description": description} if description else made
