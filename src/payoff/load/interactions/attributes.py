"""What is known of items and users beside their interactions, as codes and sparse numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from payoff.declare import Subgroup
from payoff.errors import DataError, show
from payoff.load.evaluate import TableColumns, condition
from payoff.load.frame import is_numeric, numbers
from payoff.load.interactions.events import Interactions
from payoff.load.roles import crossed_groups, simple_groups

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["codes_of_items", "item_groups", "item_matrix", "showable", "user_groups"]

Codes = tuple[tuple[str, ...], NDArray[np.int32]]

#: A column with more values than this share of the items is read as words, not as a name.
_NAMES: Final = 0.5
#: A word says something of items once so many have it.
_FEWEST_WITH_WORD: Final = 3
_MOST_WORDS: Final = 20_000
_BANDS: Final = 5
_WORD: Final = re.compile(r"[^\W\d_]{3,}")


def user_groups(data: Interactions) -> dict[str, Codes]:
    """Return the declared subgroups of users: labels, and a code for each user (-1 not known).

    Raises
    ------
    DataError
        ``PAY-L004`` when no table has the column.
    """
    table, simple = data.users.attributes, {}
    for one in data.decision.subgroups:
        if one.column is None:
            continue
        if table is None or one.column not in table.column_names:
            known = [] if table is None else table.column_names
            raise DataError.missing_column(one.column, f"the subgroup {show(one.name)}", known)
        simple[one.name] = simple_groups(table, one)
    return {
        one.name: simple[one.name]
        if one.column is not None
        else crossed_groups([simple[name] for name in one.intersect])
        for one in data.decision.subgroups
    }


def item_groups(data: Interactions) -> dict[str, Codes]:
    """Return the attributes of ``list.item_groups``: labels, and a code for each item."""
    rules, table = data.decision.recommend, data.items.attributes
    if rules is None or table is None:
        return {}
    return {
        name: simple_groups(table, Subgroup(name=name, column=name))
        for name in rules.list.item_groups
    }


def codes_of_items(data: Interactions, column: str) -> NDArray[np.int32]:
    """Return a code for each value of an attribute, int32 (m,): -1 where an item has none."""
    table = data.items.attributes
    assert table is not None
    found = table.column(column).combine_chunks().dictionary_encode().indices
    return np.asarray(found.fill_null(-1)).astype(np.int32)


def showable(data: Interactions) -> NDArray[np.bool_]:
    """Return bool (m,): the items that ``list.filter`` lets through."""
    rules, table = data.decision.recommend, data.items.attributes
    node = None if rules is None else rules.list.node
    if node is None or table is None:
        return np.ones(len(data.items), dtype=np.bool_)
    return condition(node, TableColumns(table))


def item_matrix(data: Interactions) -> csr_matrix | None:
    """Return 1 where an item has an attribute, sparse float64 (m, a); None without attributes.

    Notes
    -----
    Each value of a column is an attribute; of a column with more values than half the items, each
    word that three items have; of numbers with many values, each of five bands of equal count.
    """
    from scipy.sparse import csr_matrix, hstack

    rules, table = data.decision.recommend, data.items.attributes
    if rules is None or rules.items is None or table is None:
        return None
    declared = rules.items
    skipped = {declared.id, declared.from_, declared.until}
    m, parts = len(data.items), []
    for name in table.column_names:
        if name not in skipped:
            row, code = _of_column(table.column(name), m)
            if len(row):
                width = int(code.max()) + 1
                parts.append(csr_matrix((np.ones(len(row)), (row, code)), shape=(m, width)))
    return hstack(parts, format="csr") if parts else None


def _of_column(column: pa.ChunkedArray, m: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and attribute (from 0) of each thing that a column says."""
    if is_numeric(column.type):
        values = numbers(column)
        known = np.flatnonzero(~np.isnan(values))
        seen, code = np.unique(values[known], return_inverse=True)
        if len(seen) > 4 * _BANDS:
            cuts = np.quantile(values[known], np.arange(1, _BANDS) / _BANDS)
            code = np.searchsorted(cuts, values[known], side="right")
        return known, code.astype(np.int64)
    try:
        text = column.cast(pa.string()).combine_chunks()
    except pa.ArrowException:  # a column of lists says nothing here
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    coded = text.dictionary_encode()
    codes = np.asarray(coded.indices.fill_null(-1)).astype(np.int64)
    known = np.flatnonzero(codes >= 0)
    if len(coded.dictionary) <= max(2, _NAMES * m):
        return known, codes[known]
    return _words(text.to_pylist())


def _words(texts: list[str | None]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    having: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        for word in dict.fromkeys(_WORD.findall((text or "").casefold())):
            having.setdefault(word, []).append(row)
    common: Mapping[str, list[int]] = {
        w: rows for w, rows in having.items() if _FEWEST_WITH_WORD <= len(rows) <= len(texts) / 2
    }
    kept = sorted(common, key=lambda w: (-len(common[w]), w))[:_MOST_WORDS]
    rows = [row for word in kept for row in common[word]]
    codes = [code for code, word in enumerate(kept) for _ in common[word]]
    return np.array(rows, dtype=np.int64), np.array(codes, dtype=np.int64)
