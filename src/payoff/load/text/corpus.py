"""The documents of a table: checked, cleaned and redacted at the gate, once, for every reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.errors import DataError
from payoff.load.text.clean import clean
from payoff.load.text.names import finder_of
from payoff.load.text.personal import redact

__all__ = ["documents", "prepared", "prepared_text"]


def prepared(table: pa.Table, decision: Decision, *, need_word: bool = True) -> pa.Table:
    """Return the table with its text columns cleaned, and redacted where that is declared.

    Parameters
    ----------
    table, decision
        The rows and their declaration.
    need_word
        Whether some document must hold a word (not when rows are only to be decided).

    Raises
    ------
    DataError
        ``PAY-L003`` no document holds a word, ``PAY-L006`` a text column holds no text,
        ``PAY-L013`` a document is longer than ``text.longest``.
    """
    settings = decision.text
    any_word = not decision.data.text or not need_word
    for name in decision.data.text:
        column = table.column(name)
        blank = column.null_count == len(column)
        if not blank and not pa.types.is_string(column.type):
            raise DataError.bad_column(
                name,
                "a document",
                f"values of type {column.type}",
                "text",
                "Name the column of the documents, or take this one out of data.text: ordinary "
                "columns are used beside the text without being named there",
            )
        if not blank:
            lengths = pc.fill_null(pc.utf8_length(column), 0).to_numpy()
            if lengths.max() > settings.longest:
                row = int(np.argmax(lengths))
                raise DataError.long_document(name, row, int(lengths[row]), settings.longest)
        ready = prepared_text(column.to_pylist() if not blank else [None] * len(column), decision)
        any_word = any_word or any(ready)
        place = table.column_names.index(name)
        values = pa.array([t or None for t in ready], pa.string())
        table = table.set_column(place, name, pa.chunked_array([values]))
    if not any_word:
        where = ", ".join(f"column {name}" for name in decision.data.text)
        raise DataError.empty(where, "no document with a word in it")
    return table


def prepared_text(texts: Sequence[str | None], decision: Decision) -> list[str]:
    """Clean documents, and redact them where that is declared; doing it twice changes nothing.

    Served documents go through this very function, so that they look like those learnt from.
    """
    ready = clean(texts)
    if not decision.text.redact:
        return ready
    finder = finder_of(decision.text.names)
    kept = decision.text.kept
    return [redact(t, finder, kept) for t in ready]


def documents(table: pa.Table, names: Sequence[str]) -> list[str]:
    r"""Return one document per row: its text columns, joined by a line end where both are filled.

    Examples
    --------
    >>> documents(pa.table({"title": ["Hi", None], "body": ["there", "you"]}), ["title", "body"])
    ['Hi\nthere', 'you']
    """
    columns = [table.column(name).to_pylist() for name in names]
    return ["\n".join(t for t in row if t) for row in zip(*columns, strict=True)]


def counted_words(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of words of each document, int64 (n,).

    Examples
    --------
    >>> counted_words(["", "ok", "one two"]).tolist()
    [0, 1, 2]
    """
    counts: Any = [len(t.split()) for t in texts]
    return np.array(counts, dtype=np.int64)
