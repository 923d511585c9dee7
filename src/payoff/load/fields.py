"""The data contract as plain values: what a row must look like (standard library only).

The contract is learnt from the fit rows by :mod:`payoff.load.contract`, kept in the bundle, and
held against every served row.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from payoff.errors import listed, nearest, show
from payoff.load.spelling import text_of

__all__ = ["FIELD_TYPES", "Contract", "Field", "FieldType"]

FieldType = Literal["number", "category", "date", "boolean", "text"]
_MOST_HINTS: Final = 5
_MOST_NOTES: Final = 20
FIELD_TYPES: Final = ("number", "category", "date", "boolean", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of the contract.

    Parameters
    ----------
    name, type
        Column name and what its values are.
    role
        ``"feature"`` for model input; ``"money"``, ``"rule"`` or ``"subgroup"`` for a column that
        only the payoffs, the current rule or the groups of limits and constraints read;
        ``"label"`` for the label that is decided about, one of its categories.
    required
        Whether a row without the field is refused (money), or the value counts as missing.
    missing_share
        Share of fit rows without a value.
    low, high
        Range seen in the fit rows (numbers; dates as ISO text in ``first``, ``last``).
    categories
        Values seen, most frequent first; cut after 1,000.
    n_categories
        Number of different values seen.
    longest, limit
        Characters of the longest document seen, and of the longest that is taken (type ``text``).
    """

    name: str
    type: FieldType
    role: str = "feature"
    required: bool = False
    missing_share: float = 0.0
    low: float | None = None
    high: float | None = None
    first: str | None = None
    last: str | None = None
    categories: tuple[str, ...] = ()
    n_categories: int = 0
    longest: int = 0
    limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The fields a row may have."""

    fields: tuple[Field, ...]

    @property
    def features(self) -> tuple[Field, ...]:
        """Fields the model reads, in model order."""
        return tuple(f for f in self.fields if f.role == "feature")

    def without_documents(self) -> Contract:
        """Return the contract of the ordinary columns."""
        return Contract(fields=tuple(f for f in self.fields if f.type != "text"))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"fields": [asdict(f) | {"categories": list(f.categories)} for f in self.fields]}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Contract:
        """Read the JSON form."""
        return cls(
            fields=tuple(
                Field(**{**f, "categories": tuple(f["categories"])}) for f in value["fields"]
            )
        )

    def problems(self, row: Mapping[str, Any], number: int = 0) -> list[dict[str, Any]]:
        """Return what is wrong with one row; an empty list means it can be decided.

        Examples
        --------
        >>> contract = Contract(fields=(Field(name="age", type="number"),))
        >>> contract.problems({"age": "old"})[0]["need"]
        'a number or null'
        """
        known = {f.name: f for f in self.fields}
        found: list[dict[str, Any]] = []
        for name in row:
            if name not in known:
                # Comparing spellings is slow; a few hints show what kind of slip it is.
                near = nearest(str(name), known) if len(found) < _MOST_HINTS else None
                found.append(
                    {
                        "row": number,
                        "field": str(name)[:200],
                        "got": "a field the contract does not have",
                        "need": f"one of the {len(known)} fields at /openapi.json",
                        "mend": f"Did you mean {show(near)}?" if near else "Remove the field",
                    }
                )
        for field in self.fields:
            reason = _mismatch(field, row.get(field.name))
            if reason:
                found.append({"row": number, "field": field.name, **reason})
        return found

    def unusual(self, rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """Return, per row, what can be decided but was not seen among the rows learnt from.

        Examples
        --------
        >>> contract = Contract(fields=(Field(name="age", type="number", low=18, high=90),))
        >>> contract.unusual([{"age": 7}, {"age": 20}])
        [["'age' = 7 lies outside 18 to 90, the range learnt from"], []]
        """
        complete = {
            f.name: frozenset(f.categories)
            for f in self.fields
            if f.categories and len(f.categories) == f.n_categories
        }
        return [
            [
                note
                for f in self.fields
                if (note := _oddity(f, row.get(f.name), complete.get(f.name)))
            ][:_MOST_NOTES]
            for row in rows
        ]

    def check(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the problems of several rows (at most 100)."""
        found: list[dict[str, Any]] = []
        for number, row in enumerate(rows):
            found += self.problems(row, number)
            if len(found) >= 100:
                return found[:100]
        return found


def _oddity(field: Field, value: Any, known: frozenset[str] | None) -> str:
    if value is None:
        if field.missing_share > 0 or field.role != "feature":
            return ""
        return f"{show(field.name)} is missing; it never was in the rows learnt from"
    if field.type == "number":
        low, high = field.low, field.high
        if low is not None and high is not None and not low <= value <= high:
            return (
                f"{show(field.name)} = {show(value)} lies outside {low:g} to {high:g}, the range "
                "learnt from"
            )
    elif field.type == "text":
        return _odd_document(field, value)
    elif known is not None and text_of(value) not in known:
        return f"{show(field.name)} = {show(value, 40)} was not among the values learnt from"
    return ""


def _odd_document(field: Field, value: str) -> str:
    """Say what is odd about a document without repeating its words, which may be personal."""
    if not value.strip():
        return f"{show(field.name)} is empty"
    if len(value) <= field.longest:
        return ""
    return (
        f"{show(field.name)} has {len(value):,} characters, more than the longest learnt from "
        f"({field.longest:,})"
    )


def _mismatch(field: Field, value: Any) -> dict[str, str] | None:
    if value is None:
        if not field.required:
            return None
        return {
            "got": "nothing",
            "need": f"a {field.type}",
            "mend": "Send the field; the decision depends on it",
        }
    tests: dict[str, Callable[[Any], bool]] = {
        "number": _is_number,
        "boolean": lambda v: isinstance(v, bool),
        "category": lambda v: isinstance(v, str | int | float | bool) and _is_plain(v),
        "date": _is_date,
        "text": lambda v: isinstance(v, str) and len(v) <= field.limit,
    }
    if field.role == "label" and (
        not tests["category"](value) or text_of(value) not in field.categories
    ):
        return {
            "got": show(value, 40),
            "need": f"one of {listed(field.categories)}, or nothing for all of them",
            "mend": f"Send a label that is decided about, or leave {show(field.name)} out",
        }
    if tests[field.type](value):
        return None
    needs = {
        "number": "a number or null",
        "boolean": "true, false or null",
        "category": "text of at most 10,000 characters, or null",
        "date": "an ISO 8601 date such as '2026-11-23', or null",
        "text": f"text of at most {field.limit:,} characters, or null",
    }
    if field.type == "text" and isinstance(value, str):
        return {
            "got": f"text of {len(value):,} characters",
            "need": needs["text"],
            "mend": f"Send a shorter {show(field.name)}, such as its first part",
        }
    return {"got": show(value), "need": needs[field.type], "mend": f"Correct {show(field.name)}"}


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e300 if isinstance(value, int) else math.isfinite(value)


def _is_plain(value: Any) -> bool:
    return (
        len(value) <= 10_000
        if isinstance(value, str)
        else not isinstance(value, float) or (math.isfinite(value))
    )


def _is_date(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > 40:
        return False
    try:
        datetime.datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
