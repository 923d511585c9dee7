"""Documents that carry several labels become one row per label, after they were cleaned."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from payoff.declare.payoffs import value_key
from payoff.errors import DataError, counted, listed, show
from payoff.load.frame import codes_of, is_numeric, numbers

if TYPE_CHECKING:
    from payoff.declare import Decision
    from payoff.declare.multilabel import MultiLabel

__all__ = ["carried", "label_codes", "label_outcomes", "label_rows", "listed_labels"]

_SHOWN: Final = 5


def carried(table: pa.Table, decision: Decision, *, need: bool = True) -> NDArray[np.int8]:
    """Return which document carries which label: 1 yes, 0 no, -1 not known.

    Parameters
    ----------
    table
        n documents.
    decision
        With ``[multilabel]``.
    need
        Whether the labels must be there (not when documents are only to be decided).

    Returns
    -------
    ndarray of int8, shape (n, n_labels)

    Raises
    ------
    DataError
        ``PAY-L003`` nothing known, ``PAY-L005`` the label's column is there already, ``PAY-L006``
        unusable or empty cells, ``PAY-L007`` labels that are not declared.
    """
    labels = decision.multilabel
    assert labels is not None
    if labels.column in table.column_names:
        raise DataError.duplicate_columns([labels.column], "the rows and multilabel.column")
    if labels.columns:
        flags = [_flags(table, name, labels, need=need) for name in labels.columns.values()]
        found = np.stack(flags, axis=1)
    else:
        found = _of_lists(table, decision.data.outcome, labels, need=need)
    if not need:
        return found
    blank = int((found < 0).any(axis=1).sum())
    where = ", ".join(labels.columns.values()) or decision.data.outcome
    if blank and not labels.empty:
        raise DataError.bad_column(
            where,
            "the labels",
            f"empty cells in {counted(blank, 'row')}",
            "to know what they mean",
            "Write empty = 'none' in [multilabel] where such a document carries no label, or "
            "empty = 'unknown' where nobody has looked yet",
        )
    if (found < 0).all():
        raise DataError.empty(f"column {where}", "no document whose labels are known")
    return found


def _flags(table: pa.Table, name: str, labels: MultiLabel, *, need: bool) -> NDArray[np.int8]:
    if name not in table.column_names:
        if need:
            raise DataError.missing_column(
                name, "a label", table.column_names, "key multilabel.columns"
            )
        return np.full(table.num_rows, -1, dtype=np.int8)
    column = table.column(name)
    blank = column.null_count == len(column)
    if not (blank or pa.types.is_boolean(column.type) or is_numeric(column.type)):
        raise _no_flag(name, f"values of type {column.type}")
    values = np.full(len(column), np.nan) if blank else numbers(column)
    known = ~np.isnan(values)
    if not np.isin(values[known], (0, 1)).all():
        strange = values[known][~np.isin(values[known], (0, 1))][0]
        raise _no_flag(name, f"values such as {strange:g}")
    blank_means = 0 if labels.empty == "none" else -1
    return np.where(known, np.nan_to_num(values), blank_means).astype(np.int8)


def _no_flag(name: str, got: str) -> DataError:
    return DataError.bad_column(
        name, "a label", got, "true and false, or 1 and 0", "Name a column of true and false"
    )


def _of_lists(table: pa.Table, name: str, labels: MultiLabel, *, need: bool) -> NDArray[np.int8]:
    out = np.full((table.num_rows, len(labels.names)), -1, dtype=np.int8)
    if name not in table.column_names:
        return out
    codes, texts = codes_of(table.column(name))
    place = {value_key(n): k for k, n in enumerate(labels.names)}
    blank_means = 0 if labels.empty == "none" else -1
    made = np.full((len(texts) + 1, len(labels.names)), blank_means, dtype=np.int8)
    strange: dict[str, int] = {}
    for code, text in enumerate(texts):
        if not text.strip():
            continue
        made[code] = 0
        for label in listed_labels(text, labels.separator):
            if label in place:
                made[code, place[label]] = 1
            elif labels.others == "refuse":
                strange[label] = strange.get(label, 0) + int(np.sum(codes == code))
    if strange and need:
        raise _unknown_labels(name, strange, labels)
    out[:] = made[codes]
    return out


def _unknown_labels(name: str, strange: dict[str, int], labels: MultiLabel) -> DataError:
    order = sorted(strange, key=lambda label: -strange[label])
    one = order[0]
    hint = ""
    if labels.separator not in one:
        other = next((s for s in (";", ",", "|") if s in one and s != labels.separator), None)
        hint = (
            f"If {show(one)} is several labels, write separator = {show(other)}. " if other else ""
        )
    return DataError.unknown_labels(name, order, sum(strange.values()), listed(labels.names), hint)


def listed_labels(text: str, separator: str) -> list[str]:
    """Return the labels that a cell lists, between separators or in square brackets.

    Examples
    --------
    >>> (
    ...     listed_labels("card; fee", ";"),
    ...     listed_labels("['card', 'fee']", ";"),
    ...     listed_labels("[]", ";"),
    ... )
    (['card', 'fee'], ['card', 'fee'], [])
    """
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        found = _bracketed(text)
        if found is not None:
            return [value_key(v) for v in found if value_key(v)]
    return [part.strip() for part in text.split(separator) if part.strip()]


def _bracketed(text: str) -> list[Any] | None:
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, list) and all(isinstance(v, str | int | float) for v in found):
            return found
    return None


def label_rows(table: pa.Table, decision: Decision) -> tuple[pa.Table, NDArray[np.int64]]:
    """Return one row per document and label, the labels of a document together and in order.

    Documents are held once, however many labels they have.

    Returns
    -------
    table
        n x L rows, with the label in the column that ``[multilabel]`` names.
    document
        int64 (n x L,), the place of each row's document.
    """
    labels = decision.multilabel
    assert labels is not None
    n, size = table.num_rows, len(labels.names)
    document = np.repeat(np.arange(n, dtype=np.int64), size)
    for name in decision.data.text:
        place = table.column_names.index(name)
        held = pc.dictionary_encode(table.column(name).combine_chunks())
        table = table.set_column(place, name, pa.chunked_array([held]))
    rows = table.take(pa.array(document))
    named = pa.array(np.tile(np.array(labels.names, dtype=object), n), pa.string())
    return rows.append_column(labels.column, pa.chunked_array([named])), document


def label_outcomes(found: NDArray[np.int8], decision: Decision) -> NDArray[np.int16]:
    """Return the place of each row's outcome, int16 (n x L,), -1 where it is not known."""
    place = {value_key(v): k for k, o in enumerate(decision.outcomes) for v in o.values}
    by_flag = np.array([place["false"], place["true"], -1], dtype=np.int16)
    out: NDArray[np.int16] = by_flag[found.ravel()]
    return out


def label_codes(table: pa.Table, decision: Decision) -> NDArray[np.int64]:
    """Return the place of each row's label, int64 (n,)."""
    labels = decision.multilabel
    assert labels is not None
    codes, texts = codes_of(table.column(labels.column))
    place = {n: k for k, n in enumerate(labels.names)}
    out: NDArray[np.int64] = np.array([place[t] for t in texts], dtype=np.int64)[codes]
    return out
