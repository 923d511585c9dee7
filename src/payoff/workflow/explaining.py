"""Explain one row of a table with a bundle, as the server explains one it is sent."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from payoff.bundle import Bundle
from payoff.errors import DataError, RequestError, listed
from payoff.load.dataset import Dataset
from payoff.load.source import Source
from payoff.load.spelling import text_of
from payoff.load.text.corpus import documents
from payoff.progress import Progress, silent
from payoff.workflow.scored_rows import rows_to_score

__all__ = ["explain_row", "rows_of"]


def rows_of(table: pa.Table, bundle: Bundle, places: Sequence[int]) -> list[dict[str, Any]]:
    """Return rows of a table as the fields a server would be sent, and the unit's id.

    Parameters
    ----------
    places
        Which rows, from 0.
    """
    contract = bundle.contract
    names = [f.name for f in contract.fields]
    key = bundle.decision.data.unit_id
    if key is not None and key not in names:
        names.append(key)
    kinds = {f.name: f.type for f in contract.fields}
    there = [n for n in names if n in table.column_names]
    part = table.select(there).take(pa.array(np.asarray(places, dtype=np.int64)))
    return [
        {name: _sent(value, kinds.get(name, "")) for name, value in row.items()}
        for row in part.to_pylist()
    ]


def _sent(value: Any, kind: str) -> Any:
    """Return a value as JSON would carry it."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if kind == "category" and not isinstance(value, str | int | float | None):
        return text_of(value)
    return value


def explain_row(
    bundle: str | Path | Bundle,
    data: Any = None,
    *,
    row: int | None = None,
    unit: str | None = None,
    label: str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Explain the decision about one row.

    Parameters
    ----------
    bundle
        A bundle with a model, or its folder.
    data
        Path, pattern, SQL or frame; None takes the declared source.
    row
        Which row, counted from 1; the first where neither ``row`` nor ``unit`` is given.
    unit
        The unit's id, instead of ``row``.
    label
        Of a document that may carry several, which label; the likeliest when left out.

    Returns
    -------
    dict
        What the server answers (:meth:`payoff.bundle.Bundle.explain` with ``bundle_id``,
        ``decision``, ``action_label`` and ``warnings``), and ``row`` (from 1) and ``outcome`` (what
        happened, None where it is not known). Where the rows are those the bundle was made from
        and ``[text] excerpts`` allows it, nearest documents carry their ``text``.

    Raises
    ------
    BundleError
        ``PAY-B005`` when the bundle has no model.
    DataError
        ``PAY-L019`` when there is no such row; whatever reading the rows raises.
    RequestError
        ``PAY-S001`` when the row does not fit the contract.
    """
    opened, source, rows = rows_to_score(bundle, data, progress)
    decision, place = opened.decision, _place(source, opened, row, unit)
    [asked] = rows_of(rows.table, opened, [int(rows.leading[place])])
    labels = decision.multilabel
    if labels is not None:
        if label is not None and label not in labels.names:
            raise DataError.no_such_row(
                f"label {label!r}", f"one of {listed(labels.names)}", "Name one of them"
            )
        asked[labels.column] = label
    elif label is not None:
        raise DataError.no_such_row(
            f"label {label!r}", "a decision with [multilabel]", "Leave --label out"
        )
    key = decision.data.unit_id
    fields = {f.name for f in opened.contract.fields}
    bare = {k: v for k, v in asked.items() if k in fields}
    problems = opened.contract.check([bare])
    if problems:
        raise RequestError.invalid(problems)
    made = opened.explain(asked)
    words = {a.name: a.label for a in decision.actions}
    at = 0 if labels is None else labels.names.index(made["label"])
    code = int(rows.outcome[rows.leading[place] + at])
    _with_texts(made, opened, source, rows, place)
    return {
        "bundle_id": opened.id,
        "decision": decision.name,
        "row": place + 1,
        "outcome": decision.outcome_names[code] if code >= 0 else None,
        **made,
        "unit_id": asked.get(key) if key else None,
        "action_label": words[made["action"]],
        "warnings": opened.contract.unusual([bare])[0],
    }


def _place(source: Source, bundle: Bundle, row: int | None, unit: str | None) -> int:
    n = source.table.num_rows
    key = bundle.decision.data.unit_id
    if unit is None:
        number = 1 if row is None else row
        if not 1 <= number <= n:
            raise DataError.no_such_row(f"row {number:,}", f"rows 1 to {n:,}")
        return number - 1
    if key is None or key not in source.table.column_names:
        raise DataError.no_such_row(
            f"unit {unit!r}", "a decision whose [data] names a 'unit_id' column", "Use --row"
        )
    values = pc.cast(source.table.column(key), pa.string())
    found = pc.index(values, pa.scalar(unit)).as_py()
    if found < 0:
        raise DataError.no_such_row(f"unit {unit!r}", f"an id that stands in column {key}")
    return int(found)


def _with_texts(
    made: dict[str, Any], bundle: Bundle, source: Source, rows: Dataset, place: int
) -> None:
    """Add texts, and which document is the row itself, where the rows learnt from are at hand."""
    if not isinstance(made["nearest"], list):
        return
    if not bundle.made_from(source.fingerprint):
        return
    for one in made["nearest"]:
        one["itself"] = one["row"] == place
    if not bundle.decision.text.excerpts:
        return
    places = [one["row"] for one in made["nearest"]]
    part = rows.table.take(pa.array(rows.leading[np.array(places, dtype=np.int64)]))
    for one, text in zip(made["nearest"], documents(part, bundle.decision.data.text), strict=True):
        one["text"] = text
