"""The OpenAPI 3.1 description of a service that recommends."""

from __future__ import annotations

from typing import Any, Final

from payoff.serve.document import (
    ASKED,
    ERRORS,
    PARAMETERS,
    answered,
    closed,
    fixed_schemas,
    read_only,
)
from payoff.serve.servable import Recommends

__all__ = ["openapi"]

_ID: Final = {"type": ["string", "integer"], "maxLength": 200}
_MAYBE: Final = {"type": ["number", "null"]}
_TEXT: Final = {"type": "string"}
_SHARE: Final = {"type": "number", "minimum": 0, "maximum": 1}


def openapi(bundle: Recommends, *, max_body: int, version: str) -> dict[str, Any]:
    """Describe every route, body and failure of the service, as an OpenAPI 3.1 document."""
    decision = bundle.decision
    ref = {"schema": {"$ref": "#/components/schemas/Question"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": decision.title,
            "version": version,
            "description": f"Lists of {decision.name!r} from bundle {bundle.id}, made "
            f"from interactions until {bundle.histories_until} and judged on those until "
            f"{bundle.evidence_until}. A request has at "
            f"most {max_body:,} bytes.",
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/recommend": {
                "post": {
                    "operationId": "recommend",
                    "summary": "List items for a user, a visitor's session, or an item.",
                    "parameters": ASKED,
                    "requestBody": {"required": True, "content": {"application/json": ref}},
                    "responses": {
                        "200": answered("One list.", "List"),
                        **{
                            str(s): answered(text, "Error")
                            for s, text in (ERRORS | _ERRORS).items()
                        },
                    },
                }
            },
            **read_only(),
        },
        "components": {
            "schemas": {
                "Question": _question(bundle),
                "List": _list(bundle),
                "Item": _item(bundle),
                "Why": _why(),
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


_ERRORS: Final = {
    400: "The filter is no condition over the attributes of items.",
    422: "The question does not fit; every problem is listed.",
    503: "The list could not be recorded, so it is not given.",
}


def _question(bundle: Recommends) -> dict[str, Any]:
    columns = ", ".join(bundle.items.attributes.column_names)
    ids = {"type": ["array", "null"], "maxItems": 10_000, "items": _ID}
    maybe_id = {**_ID, "type": ["string", "integer", "null"]}
    return {
        "type": "object",
        "description": "For whom the list is, and under which rules; all may be left out.",
        "properties": {
            "user": {**maybe_id, "description": "Unknown users get the list of strangers."},
            "session": {**ids, "description": "What a visitor looked at, the latest last."},
            "item": {**maybe_id, "description": "What goes with it; instead of the two above."},
            "k": {"type": ["integer", "null"], "minimum": 1, "maximum": 1_000},
            "filter": {
                "type": ["string", "null"],
                "maxLength": 2_000,
                "description": f"Condition over {columns}.",
            },
            "exclude": {**ids, "description": "Items not to be shown."},
            "only": {**ids, "description": "Items of which the list is made."},
            "at_most": {
                "type": ["object", "null"],
                "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 1_000},
                "description": "Attribute -> how many items of one value a list holds.",
            },
        },
        "additionalProperties": False,
        "examples": [{"user": "u-7", "k": 5}],
    }


def _list(bundle: Recommends) -> dict[str, Any]:
    decision = bundle.decision
    others = {"n": {"type": "integer", "minimum": 0}, "propensity": _SHARE}
    return closed(
        {
            "bundle_id": {**_TEXT, "const": bundle.id},
            "decision": {**_TEXT, "const": decision.name},
            "list_id": {**_TEXT, "description": "New in every answer; keep it with the list."},
            "user": {"type": ["string", "null"]},
            "known": {
                "type": ["boolean", "null"],
                "description": "Whether the user is known; null where none was named.",
            },
            "made_by": {**_TEXT, "description": "The policy that answered."},
            "made_by_label": {**_TEXT, "description": "Its label, for people."},
            "histories_until": {**_TEXT, "const": bundle.histories_until},
            "currency": {**_TEXT, "const": decision.currency},
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
            "explored": {"type": "boolean", "description": "Whether chance took a place."},
            "others": closed(others, "Items that could have been shown, and how likely each was."),
            "ignored": {"type": "array", "items": _TEXT, "description": "Ids no item has."},
        },
        "A list, best first.",
    )


def _item(bundle: Recommends) -> dict[str, Any]:
    currency = bundle.decision.currency
    return closed(
        {
            "item": _TEXT,
            "label": {**_TEXT, "description": "Its name where there is one, else its id."},
            "attributes": {
                "type": "object",
                "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            },
            "score": {**_MAYBE, "description": "Comparable within one list only."},
            "money_if_hit": {"type": "number", "description": f"Expected, in {currency}."},
            "expected_money": {
                **_MAYBE,
                "description": f"Of its place, in {currency}; null where no chance is known.",
            },
            "propensity": {**_SHARE, "description": "Probability of being in the list."},
            "explored": {"type": "boolean", "description": "Whether chance put it there."},
            "filled": {
                "type": "boolean",
                "description": "Whether the policy for strangers filled a place left empty.",
            },
            "why": {"$ref": "#/components/schemas/Why"},
        },
        "One place of the list.",
    )


def _why() -> dict[str, Any]:
    part = {"item": _TEXT, "label": _TEXT, "contribution": {"type": "number"}, "share": _SHARE}
    return closed(
        {
            "sentence": _TEXT,
            "from": {
                "type": ["array", "null"],
                "items": closed(part, "An item of the history that speaks for it."),
            },
            "rest": {**_MAYBE, "description": "The part of the score that no item carries."},
        },
        "Why the item is listed.",
    )
