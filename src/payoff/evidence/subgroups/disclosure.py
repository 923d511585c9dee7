"""What else must be withheld so that a small group's figures cannot be got by subtraction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision

__all__ = ["Margin", "margins", "withheld"]

Codes = tuple[tuple[str, ...], NDArray[np.int32]]


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """Cells whose figures add up to a figure that is shown.

    ``cells`` are places of groups; ``blind`` counts the rows of the margin that lie in groups that
    also hold rows of other margins, whose part is therefore not known.
    """

    cells: NDArray[np.int64]
    blind: int = 0


def withheld(
    counts: NDArray[np.int64],
    small: NDArray[np.bool_],
    shown_sums: Sequence[Margin],
    *,
    smallest: int,
) -> NDArray[np.bool_]:
    """Return which groups to withhold beside the small ones.

    In each margin the groups without figures must be two or more, and hold ``smallest`` rows or
    more together: what is left after subtracting is then a figure of as many rows as may be shown.
    The smallest shown group is withheld until that holds.

    Parameters
    ----------
    counts
        int64 (G,), rows.
    small
        bool (G,), groups that are too small to show.
    shown_sums
        The margins whose sums are shown.
    smallest
        Fewest rows that may be shown.

    Returns
    -------
    ndarray
        bool (G,), True for a group that is large enough and yet withheld.

    Examples
    --------
    >>> withheld(
    ...     np.array([500, 40, 60, 7]),
    ...     np.array([False, False, False, True]),
    ...     [Margin(np.arange(4))],
    ...     smallest=30,
    ... ).tolist()
    [False, True, False, False]
    """
    out = np.zeros(len(counts), dtype=bool)
    changed = True
    while changed:
        changed = False
        for margin in shown_sums:
            cells = margin.cells[counts[margin.cells] > 0]
            hidden = cells[small[cells] | out[cells]]
            shown = cells[~(small[cells] | out[cells])]
            others = 1 if margin.blind else 0
            enough = int(counts[hidden].sum()) + margin.blind >= smallest
            if len(hidden) == 0 or len(shown) == 0 or (len(hidden) + others >= 2 and enough):
                continue
            out[shown[np.argmin(counts[shown])]] = True
            changed = True
    return out


def margins(
    decision: Decision,
    name: str,
    codes: dict[str, NDArray[np.int64]],
    hidden: dict[str, NDArray[np.bool_]],
    rows: NDArray[np.int64] | None = None,
) -> tuple[list[Margin], NDArray[np.int64]]:
    """Return the shown sums a subgroup's groups add up to, and the groups that give one away.

    All groups of a subgroup add up to the whole. The groups of an intersection also add up to the
    groups of each subgroup it combines.

    Parameters
    ----------
    decision
        The declaration.
    name
        The subgroup.
    codes
        Name -> int64 (n,) group of each row, codes from 0; the last code is "not known".
    hidden
        Name of a subgroup already treated -> bool (G,), its groups without figures.
    rows
        int64 (n,), rows that each code stands for; None means one.

    Returns
    -------
    margins, given_away
        The margins, and the places of groups that together would show a withheld group.
    """
    own = codes[name]
    groups = int(own.max()) + 1
    found = [Margin(np.arange(groups))]
    lost: list[NDArray[np.int64]] = []
    declared = next(s for s in decision.subgroups if s.name == name)
    for parent in declared.intersect:
        above = codes[parent]
        table = np.zeros((groups, int(above.max()) + 1), dtype=np.int64)
        np.add.at(table, (own, above), 1 if rows is None else rows)
        pure = (table > 0).sum(axis=1) == 1
        for value in range(table.shape[1]):
            inside = table[:, value] > 0
            cells = np.flatnonzero(inside & pure)
            if hidden[parent][value]:
                lost.append(np.flatnonzero(inside))
            else:
                blind = int(table[inside & ~pure, value].sum())
                found.append(Margin(cells, blind))
    return found, np.unique(np.concatenate(lost)) if lost else np.zeros(0, dtype=np.int64)
