"""Which listed items a user turned to afterwards."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["hits_of"]

#: Marks of one block of users kept at once: small enough for a processor's own memory.
_MARKS: Final = 1_000_000


def hits_of(
    shown: NDArray[np.int32], pair: NDArray[np.int64], n_items: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and rank (from 0) of each listed item that is among the pairs, in order.

    Parameters
    ----------
    shown
        int32 (n, K), -1 after the end.
    pair
        int64, sorted: ``row * n_items + item``.
    n_items
        Size m of the catalogue.

    Notes
    -----
    The pairs of a block of users are marked in a table of its own, one column more than items so
    that -1 falls on a mark that is never set. That reads each listed item once, whatever K.

    Examples
    --------
    >>> hits_of(np.array([[4, 2], [2, -1]], dtype=np.int32), np.array([2, 7]), 5)
    (array([0, 1]), array([1, 0]))
    """
    n, longest = shown.shape
    width = n_items + 1
    rows = max(1, min(n, _MARKS // width))
    marks = np.zeros(rows * width, dtype=bool)
    offset = (np.arange(rows, dtype=np.int32) * np.int32(width) + 1)[:, None]
    owner = pair // n_items
    bound = np.searchsorted(owner, np.arange(0, n + rows, rows))
    found = []
    for b, first in enumerate(range(0, n, rows)):
        own = slice(bound[b], bound[b + 1])
        at = pair[own] + (owner[own] + 1) - first * width
        marks[at] = True
        part = shown[first : first + rows]
        hit = marks[part + offset[: len(part)]]
        found.append(np.flatnonzero(hit) + first * longest)
        marks[at] = False
    place = np.concatenate(found) if found else np.empty(0, dtype=np.int64)
    return place // max(longest, 1), place % max(longest, 1)
