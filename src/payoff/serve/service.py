"""One request from bytes to answer, without HTTP: decode, check, decide."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from payoff.errors import RequestError, show
from payoff.serve.keeping import Made
from payoff.serve.log import Batch, Entry
from payoff.serve.servable import REMARKS, Row, Servable, unit_field
from payoff.serve.wire import MOST_PROBLEMS, decode

__all__ = ["Service"]

_LONGEST_ID: Final = 200
# The contract looks for the nearest known name of every unknown field. That is a kindness for a
# slip and a burden for a thousand of them, so beyond this many the search is left out.
_MOST_SLIPS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Answers decisions with one bundle.

    Parameters
    ----------
    bundle
        What decides.
    clock
        Returns seconds since 1970.
    max_rows
        Most rows of one request.
    """

    bundle: Servable
    clock: Callable[[], float]
    max_rows: int

    def make(
        self, body: bytes, request_id: str, key: str | None = None, asked: bytes = b""
    ) -> Made:
        """Decide the rows of one request body; nothing is recorded yet.

        Parameters
        ----------
        body
            JSON as :func:`payoff.serve.wire.decode` reads it.
        request_id
            Written into the log's entries.
        key, asked
            The request's ``Idempotency-Key``, and the digest of what it asks.

        Returns
        -------
        Made
            ``bundle_id``, ``decision``, ``currency`` and ``decisions``: one per row, in order; of a
            document that may carry several labels one per label. And the entries to be kept.

        Raises
        ------
        RequestError
            ``PAY-S001``, ``PAY-S002`` or ``PAY-S006``.
        DataError
            ``PAY-L010`` when money cannot be computed for a row.
        """
        rows = decode(body, max_rows=self.max_rows)
        problems = self._problems(rows)
        if problems:
            raise RequestError.invalid(problems)
        kept = self.bundle.prepare(rows)  # nothing else is decided, answered or logged
        decision = self.bundle.decision
        labels = {a.name: a.label for a in decision.actions}
        decisions = [
            {
                "id": uuid.uuid4().hex,
                "unit_id": made.get("unit_id"),
                "action": made["action"],
                "action_label": labels[made["action"]],
                "probabilities": made["probabilities"],
                "expected_money": made["expected_money"],
                **{name: made[name] for name in REMARKS if name in made},
                **({"theme": made["theme"]} if self.bundle.themes else {}),
                "warnings": unusual,
            }
            for made, unusual in zip(
                self.bundle.decide(kept), self.bundle.contract.unusual(kept), strict=True
            )
        ]
        head = {
            "bundle_id": self.bundle.id,
            "decision": decision.name,
            "currency": decision.currency,
        }
        entries = self._entries(kept, decisions, request_id)
        return Made(
            answer={**head, "decisions": decisions},
            batch=Batch(entries=entries, key=key, asked=asked, head=head, under="decisions"),
        )

    def explain(self, body: bytes) -> dict[str, Any]:
        """Explain the decision about the one row of a request body; nothing is recorded.

        Returns
        -------
        dict
            ``bundle_id``, ``decision``, ``currency``, and what the bundle says of the row.

        Raises
        ------
        RequestError
            ``PAY-S001``, ``PAY-S002``; ``PAY-S006`` for more than one row.
        DataError
            ``PAY-L010`` when money cannot be computed for the row.
        """
        rows = decode(body, max_rows=1)
        problems = self._problems(rows)
        if problems:
            raise RequestError.invalid(problems)
        row = self.bundle.one(rows[0])
        decision = self.bundle.decision
        labels = {a.name: a.label for a in decision.actions}
        made = self.bundle.explain(row)
        return {
            "bundle_id": self.bundle.id,
            "decision": decision.name,
            **made,
            "action_label": labels[made["action"]],
            "warnings": self.bundle.contract.unusual([row])[0],
        }

    def _problems(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        unit = unit_field(self.bundle)
        known = {f.name for f in self.bundle.contract.fields}
        unknown = [
            (number, name)
            for number, row in enumerate(rows)
            for name in row
            if name not in known and name != unit
        ]
        if len(unknown) > _MOST_SLIPS:
            return [
                {
                    "row": number,
                    "field": name[:200],
                    "got": "a field the contract does not have",
                    "need": f"one of the {len(known)} fields at /openapi.json",
                    "mend": "Remove the field",
                }
                for number, name in unknown[:MOST_PROBLEMS]
            ]
        if unit is None:
            return self.bundle.contract.check(rows)
        found = [p for number, row in enumerate(rows) for p in _unit_problem(row, unit, number)]
        bare = [{name: value for name, value in row.items() if name != unit} for row in rows]
        return (found + self.bundle.contract.check(bare))[:MOST_PROBLEMS]

    def _entries(
        self, rows: Sequence[Row], decisions: Sequence[Mapping[str, Any]], request_id: str
    ) -> list[Entry]:
        at = self.clock()
        return [
            Entry(
                id=made["id"],
                request_id=request_id,
                at=at,
                bundle_id=self.bundle.id,
                row=row,
                answer=made,
                unit_id=made["unit_id"],
            )
            for row, made in zip(rows, decisions, strict=True)
        ]


def _unit_problem(row: Row, unit: str, number: int) -> list[dict[str, Any]]:
    value = row.get(unit)
    if len(row) == 1 and unit in row:
        return [
            {
                "row": number,
                "field": None,
                "got": "a row with nothing but its id",
                "need": "at least one field that the decision reads",
                "mend": "Send what is known of the unit; fields are described at /openapi.json",
            }
        ]
    whole = isinstance(value, int) and not isinstance(value, bool)
    if value is None or whole or (isinstance(value, str) and len(value) <= _LONGEST_ID):
        return []
    return [
        {
            "row": number,
            "field": unit,
            "got": show(value, 40),
            "need": f"text of at most {_LONGEST_ID} characters, a whole number or null",
            "mend": "Send the id as text",
        }
    ]
