"""The OpenAPI 3.1 description of one served decision, made from its contract."""

from __future__ import annotations

from typing import Any, Final

from payoff.errors import listed
from payoff.serve.explained import explanation_schema
from payoff.serve.servable import Field, Servable, unit_field

__all__ = [
    "ERRORS",
    "REQUEST_ID",
    "answered",
    "closed",
    "fixed_schemas",
    "openapi",
    "read_only",
    "sample",
    "seen",
]

_ROLES: Final = {
    "feature": "read by the model",
    "money": "read by the money of this decision",
    "rule": "read by today's rule",
    "subgroup": "read by the limits and constraints of groups",
    "label": "the label to decide about; left out, each label is decided",
}
# Values of a column with more different values than this may name people, and are not published.
_MOST_PUBLISHED: Final = 50
_MOST_EXAMPLES: Final = 5
REQUEST_ID: Final = {
    "name": "X-Request-Id",
    "in": "header",
    "required": False,
    "description": "Your id for this request: 1 to 64 letters, digits, '.', '_' or '-'. "
    "Another value is replaced by a new id.",
    "schema": {"type": "string"},
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes it safe to send a request again: with the same key, path and body the "
    "answer is that of the first time and nothing is decided anew. Read where the server keeps its "
    "decisions.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
}
PARAMETERS: Final = {"RequestId": REQUEST_ID, "IdempotencyKey": _KEY}
#: What every question to be answered and kept may carry.
ASKED: Final = [{"$ref": f"#/components/parameters/{name}"} for name in PARAMETERS]
ERRORS: Final = {
    400: "Money cannot be computed for a row.",
    408: "The body did not arrive in time.",
    413: "Too many bytes or too many rows.",
    415: "The body is not announced as plain JSON.",
    422: "The request does not fit the contract; every problem is listed.",
    500: "The server failed; the cause is in its log under the request id.",
    503: "The decision could not be recorded, so it is not given; or too many wait for it.",
}
_EXPLAIN_ERRORS: Final = {**ERRORS, 503: "Too many explanations are asked for at once."}


def openapi(bundle: Servable, *, max_rows: int, max_body: int, version: str) -> dict[str, Any]:
    """Describe every route, body and failure of the service.

    Parameters
    ----------
    bundle
        What is served.
    max_rows, max_body
        Most rows and bytes of one request.
    version
        Version of payoff.

    Returns
    -------
    dict
        An OpenAPI 3.1 document.
    """
    decision = bundle.decision
    return {
        "openapi": "3.1.0",
        "info": {
            "title": decision.title,
            "version": version,
            "description": f"Decides {decision.name!r} with bundle {bundle.id}. A request has at "
            f"most {max_rows:,} rows and {max_body:,} bytes. Fields may be left out unless they "
            "are required; a value beyond those seen in training is accepted.",
        },
        "servers": [{"url": "/"}],
        "paths": _paths(),
        "components": {
            "schemas": {
                "Row": _row(bundle),
                "Batch": {
                    "type": "object",
                    "description": "Several rows. An object with the key 'rows' is always a batch.",
                    "required": ["rows"],
                    "properties": {
                        "rows": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": max_rows,
                            "items": _ref("Row"),
                        }
                    },
                    "additionalProperties": False,
                },
                "Decision": _decision(bundle),
                "Answer": _answer(bundle),
                "Explanation": explanation_schema(bundle, {**_theme(bundle), **_remarks(bundle)}),
                **fixed_schemas(),
            },
            "parameters": PARAMETERS,
            "headers": {
                "RequestId": {
                    "description": "The id of this request, on every answer.",
                    "schema": {"type": "string"},
                }
            },
        },
    }


def seen(field: Field) -> str:
    """Say which values of a field occurred in training.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> seen(SimpleNamespace(type="number", low=18.0, high=95.0))
    'Seen in training: 18 to 95.'
    """
    if field.type == "number" and field.low is not None and field.high is not None:
        return f"Seen in training: {field.low:.6g} to {field.high:.6g}."
    if field.type == "date" and field.first is not None:
        return f"Seen in training: {field.first} to {field.last}."
    if field.type == "text" and field.longest:
        return f"Seen in training: up to {field.longest:,} characters."
    if field.type == "category" and field.n_categories:
        such = f", such as {listed(published(field))}" if published(field) else ""
        return f"Seen in training: {field.n_categories:,} different values{such}."
    return ""


def published(field: Field) -> tuple[str, ...]:
    """Return the categories that may be shown as examples."""
    if field.type != "category" or field.n_categories > _MOST_PUBLISHED:
        return ()
    return field.categories[:_MOST_EXAMPLES]


def sample(bundle: Servable, most: int | None = None) -> dict[str, Any]:
    """Return a row that fits the contract, for the documentation.

    Parameters
    ----------
    bundle
        What is served.
    most
        Most optional fields to show; required ones are always there.
    """
    row: dict[str, Any] = {}
    optional = 0
    for field in bundle.contract.fields:
        if field.role == "label":
            continue  # left out, every label is decided
        if not field.required:
            optional += 1
            if most is not None and optional > most:
                continue
        row[field.name] = _sample(field)
    return row


def _sample(field: Field) -> Any:
    if field.type == "number":
        value = 0.0 if field.low is None else float(field.low)
        return int(value) if value.is_integer() and abs(value) <= 2**53 else value
    if field.type == "boolean":
        return True
    if field.type == "date":
        return field.first or "2026-11-23"
    return next(iter(published(field)), "text")


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _row(bundle: Servable) -> dict[str, Any]:
    fields = bundle.contract.fields
    properties = {f.name: _property(f) for f in fields}
    unit = unit_field(bundle)
    if unit is not None:
        properties[unit] = {
            "type": ["string", "integer", "null"],
            "maxLength": 200,
            "description": "Names the unit; returned with its decision, and read by nothing else.",
        }
    schema = {
        "type": "object",
        "description": f"One {bundle.decision.unit} to decide about.",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
        "examples": [sample(bundle)],
    }
    required = [f.name for f in fields if f.required]
    return {**schema, "required": required} if required else schema


def _property(field: Field) -> dict[str, Any]:
    types = {
        "number": ["number"],
        "boolean": ["boolean"],
        "category": ["string", "number", "boolean"],
        "date": ["string"],
        "text": ["string"],
    }[field.type]
    nullable = "" if field.required else " null, or left out, means missing."
    role = _ROLES.get(field.role, field.role)
    text = f"{field.type.title()}, {role}. {seen(field)}".rstrip() + nullable
    schema: dict[str, Any] = {
        "type": types if field.required else [*types, "null"],
        "description": text,
    }
    if field.type == "category":
        schema["maxLength"] = 10_000
        if published(field):
            schema["examples"] = list(published(field))
    if field.type == "text":
        schema["maxLength"] = field.limit
    if field.type == "date":
        schema |= {"maxLength": 40, "examples": [_sample(field)]}
        schema["description"] += " ISO 8601, with or without a time."
    return schema


def _decision(bundle: Servable) -> dict[str, Any]:
    decision = bundle.decision
    share = {"type": "number", "minimum": 0, "maximum": 1}
    actions, outcomes = list(decision.action_names), list(decision.outcome_names)
    properties = {
        "id": {"type": "string", "description": "Id of this decision, new in every answer."},
        "unit_id": {
            "type": ["string", "integer", "null"],
            "description": "The unit's id as it was sent; null where none was.",
        },
        "action": {"type": "string", "enum": actions, "description": "What to do."},
        "action_label": {"type": "string", "description": "The action in words."},
        "probabilities": {
            "type": "object",
            "description": "Calibrated probability of each outcome.",
            "properties": dict.fromkeys(outcomes, share),
            "required": outcomes,
            "additionalProperties": False,
        },
        "expected_money": {
            "type": "object",
            "description": f"Expected money of each action in {decision.currency} per "
            f"{decision.unit}, before the price of a limited action; a gain is positive.",
            "properties": {name: {"type": "number"} for name in actions},
            "required": actions,
            "additionalProperties": False,
        },
        "warnings": {
            "type": "array",
            "items": {"type": "string"},
            "maxItems": 20,
            "description": "What was not seen among the rows learnt from: a missing field, a new "
            "category, a number out of range. The decision stands, on less experience.",
        },
    }
    whole = closed({**properties, **_theme(bundle)}, "One decision.")
    return {**whole, "properties": {**whole["properties"], **_remarks(bundle)}}


def _theme(bundle: Servable) -> dict[str, Any]:
    """Return the theme of a document, where themes were learnt."""
    if not bundle.themes:
        return {}
    return {
        "theme": {
            "enum": [*bundle.themes.names, None],
            "description": "What the document speaks of, by words that tell it from the others; "
            "null for a document without a word that was learnt.",
        }
    }


def _remarks(bundle: Servable) -> dict[str, Any]:
    """Return what an answer may say beside the action, where the decision asks for it."""
    decision = bundle.decision
    share = {"type": "number", "minimum": 0, "maximum": 1}
    found: dict[str, Any] = {}
    if decision.multilabel is not None:
        found["label"] = {
            "type": "string",
            "enum": list(decision.multilabel.names),
            "description": "The label that this decision is about.",
        }
    if decision.automation is not None:
        found |= {
            "automated": {
                "type": "boolean",
                "description": "Whether the action was taken without a person, at an error rate of "
                f"at most {decision.automation.max_error:g}; left out where none is kept.",
            },
            "sure": {**share, "description": "Probability that the automatic action is right."},
            "why_not": {
                "type": ["string", "null"],
                "description": "Why it was not automated; null where it was.",
            },
        }
    if decision.data.text and decision.text.unfamiliar > 0:
        found |= {
            "familiar": {
                "type": "boolean",
                "description": "Whether it is like what the model learnt from.",
            },
            "familiarity": {**share, "description": "How like; below a threshold, a stranger."},
        }
    return found


def _answer(bundle: Servable) -> dict[str, Any]:
    decision = bundle.decision
    properties = {
        "bundle_id": {"type": "string", "const": bundle.id},
        "decision": {"type": "string", "const": decision.name},
        "currency": {"type": "string", "const": decision.currency},
        "decisions": {
            "type": "array",
            "minItems": 1,
            "items": _ref("Decision"),
            "description": "One per row, in the order of the rows"
            + ("; of a row that names no label, one per label." if decision.multilabel else "."),
        },
    }
    return closed(properties, "The same shape for one row and for many.")


def closed(properties: dict[str, Any], description: str) -> dict[str, Any]:
    """Return the schema of an object that has all of these keys and no others."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def fixed_schemas() -> dict[str, Any]:
    """Return the shapes that do not depend on the decision."""
    text = {"type": "string"}
    maybe = {"type": ["string", "null"]}
    problem = closed(
        {
            "row": {"type": "integer", "minimum": 0, "description": "Place of the row, from 0."},
            "field": {**maybe, "description": "The field; null when the whole row is at fault."},
            "got": text,
            "need": text,
            "mend": text,
        },
        "One thing that is wrong with one field.",
    )
    error = closed(
        {
            "code": {**text, "pattern": "^PAY-[A-Z][0-9]{3}$"},
            "what": {**text, "description": "What is wrong."},
            "where": maybe,
            "got": maybe,
            "need": maybe,
            "mend": {**maybe, "description": "What to do about it."},
            "problems": {"type": "array", "maxItems": 100, "items": _ref("Problem")},
            "request_id": text,
        },
        "The one shape of every failure.",
    )
    ready = closed(
        {
            "status": {"const": "ready"},
            "bundle_id": text,
            "decision": text,
            "durable_log": {
                "type": "boolean",
                "description": "Whether every decision is kept before it is answered.",
            },
        },
        "The bundle is open and checked.",
    )
    thing = {"type": "object"}
    kept = closed(
        {
            "id": text,
            "number": {"type": "integer", "minimum": 1, "description": "Place in the log."},
            "at": {**text, "description": "When it was decided, ISO 8601 in UTC."},
            "request_id": text,
            "bundle_id": {**text, "description": "The bundle that decided."},
            "row": {**thing, "description": "The fields as they are kept; texts redacted."},
            "answer": {**thing, "description": "The decision as it was answered."},
            "hash": {**text, "description": "SHA-256 that chains it to the entry before."},
        },
        "One decision as it is kept.",
    )
    return {
        "Problem": problem,
        "Kept": kept,
        "Error": closed({"error": error}, "A failure."),
        "Alive": closed({"status": {"const": "alive"}}, "The process answers."),
        "Ready": ready,
    }


def _paths() -> dict[str, Any]:
    batch = {"schema": {"anyOf": [_ref("Batch"), _ref("Row")]}}
    return {
        "/decide": {
            "post": {
                "operationId": "decide",
                "summary": "Decide one row or several.",
                "parameters": ASKED,
                "requestBody": {"required": True, "content": {"application/json": batch}},
                "responses": {
                    "200": answered("The decisions.", "Answer"),
                    **{str(s): answered(text, "Error") for s, text in ERRORS.items()},
                },
            }
        },
        "/explain": {
            "post": {
                "operationId": "explain",
                "summary": "Say why one row gets its decision; nothing is recorded.",
                "parameters": [{"$ref": "#/components/parameters/RequestId"}],
                "requestBody": {
                    "required": True,
                    "description": "One row; a batch holds no more than one.",
                    "content": {"application/json": batch},
                },
                "responses": {
                    "200": answered("The decision and its reasons.", "Explanation"),
                    **{str(s): answered(text, "Error") for s, text in _EXPLAIN_ERRORS.items()},
                },
            }
        },
        **read_only(),
    }


def read_only() -> dict[str, Any]:
    """Return the routes that every service has beside its own."""
    return {
        "/decisions/{id}": {
            "get": {
                "operationId": "decision",
                "summary": "One decision as it is kept.",
                "parameters": [
                    {
                        "name": "id",
                        "in": "path",
                        "required": True,
                        "description": "The id in an answer.",
                        "schema": {"type": "string"},
                    }
                ],
                "responses": {
                    "200": answered("The decision.", "Kept"),
                    "404": answered("No decision of this id is kept.", "Error"),
                    "410": answered("The decision was erased.", "Error"),
                    "default": answered("Any failure.", "Error"),
                },
            }
        },
        "/livez": _get("livez", "Whether the process answers.", "Alive"),
        "/readyz": _get("readyz", "Whether decisions can be asked for.", "Ready"),
        "/openapi.json": _get("openapi", "This document.", None),
        "/": {
            "get": {
                "operationId": "page",
                "summary": "The decision on one page, for people.",
                "responses": {
                    "200": {"description": "The page.", "content": {"text/html": {}}},
                    "default": answered("Any failure.", "Error"),
                },
            }
        },
    }


def _get(name: str, summary: str, schema: str | None) -> dict[str, Any]:
    good = answered(summary, schema)
    bad = answered("Any failure.", "Error")
    return {
        "get": {"operationId": name, "summary": summary, "responses": {"200": good, "default": bad}}
    }


def answered(description: str, schema: str | None) -> dict[str, Any]:
    """Return one answer of a route; ``schema`` names a component."""
    shape = _ref(schema) if schema else {"type": "object"}
    return {
        "description": description,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
        "content": {"application/json": {"schema": shape}},
    }
