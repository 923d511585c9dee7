"""JSON Schema of ``decision.toml``, made from the same keys that files are read with."""

from __future__ import annotations

import json
from typing import Any

from payoff.declare.interactions import PARTLY
from payoff.declare.spec import DECISION_FILE, RECOMMEND, Key, Kind

__all__ = ["json_schema", "schema_text"]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that editors use to complete decision files.

    Examples
    --------
    >>> json_schema()["properties"]["schema_version"]["type"]
    'integer'
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "payoff decision file",
        "description": "One decision: actions x outcomes -> money. Positive money is gain.",
        **_object(DECISION_FILE),
        **_by_kind(),
    }


def _by_kind() -> dict[str, Any]:
    """Return which tables a file must have, and may not have, for its kind of decision."""
    kind = {"properties": {"kind": {"const": "recommend"}}, "required": ["kind"]}
    needs = {n: k for n, k in DECISION_FILE.items() if k.required and k.kinds}
    rows = [n for n, k in needs.items() if "recommend" not in k.kinds]
    own = [n for n, k in needs.items() if "recommend" in k.kinds]
    return {
        "if": {"properties": {"decision": kind}, "required": ["decision"]},
        "then": {"required": own, "properties": dict.fromkeys(PARTLY, False)},
        "else": {"required": rows, "properties": dict.fromkeys(RECOMMEND, False)},
    }


def _object(keys: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, key in keys.items() if key.required and not key.kinds],
        "properties": {name: _key(key) for name, key in keys.items()},
    }


def _key(key: Key) -> dict[str, Any]:
    return {"description": key.meaning, **_kind(key.kind)}


def _kind(kind: Kind) -> dict[str, Any]:
    if kind.either:
        return {"anyOf": [_kind(k) for k in kind.either]}
    if kind.keys:
        return _object(kind.keys)
    if kind.values is not None:
        return {"type": "object", "additionalProperties": _kind(kind.values)}
    if kind.items is not None:
        return {"type": "array", "items": _kind(kind.items)}
    return dict(kind.schema)


def schema_text() -> str:
    """Return the schema as the text of ``schema.json``."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
