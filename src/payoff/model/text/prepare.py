"""The documents of rows as a model reads them: text, never missing.

Cleaning and redaction come before, at the gate (:mod:`payoff.load.text.corpus` for a table,
:func:`prepared_rows` for served rows), once for every reader of a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from payoff.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from payoff.declare import Decision

__all__ = ["documents_of_rows", "documents_of_table", "joined", "prepared_rows"]


def prepared_rows(rows: Sequence[Mapping[str, Any]], decision: Decision) -> list[dict[str, Any]]:
    """Return served rows with their documents cleaned, and redacted where that is declared.

    Doing it twice changes nothing, so a log may keep what comes out and be replayed.
    """
    from payoff.load.text.clean import clean
    from payoff.load.text.names import finder_of
    from payoff.load.text.personal import redact

    finder, kept = finder_of(decision.text.names), decision.text.kept
    out = [dict(row) for row in rows]
    for name in decision.data.text:
        for row in out:
            text = row.get(name)
            if isinstance(text, str):
                ready = clean([text])[0]
                row[name] = (redact(ready, finder, kept) if decision.text.redact else ready) or None
    return out


def documents_of_table(table: pa.Table, names: Sequence[str]) -> dict[str, list[str]]:
    """Return the documents of each text column; a missing one is empty.

    Raises
    ------
    DataError
        ``PAY-L004`` when a column is absent.
    """
    for name in names:
        if name not in table.column_names:
            raise DataError.missing_column(name, "text", table.column_names)
    return {name: [_text(v) for v in table.column(name).to_pylist()] for name in names}


def documents_of_rows(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> dict[str, list[str]]:
    """Return the documents of each text column; an absent field is an empty document."""
    return {name: [_text(row.get(name)) for row in rows] for name in names}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def joined(documents: Mapping[str, Sequence[str]]) -> list[str]:
    r"""Return the columns of each row as one document, a line per column that says something.

    Examples
    --------
    >>> joined({"title": ["Late", ""], "body": ["Still not here", "Thanks"]})
    ['Late\nStill not here', 'Thanks']
    """
    return ["\n".join(t for t in texts if t) for texts in zip(*documents.values(), strict=True)]
