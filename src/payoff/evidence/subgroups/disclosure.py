"""What else must be withheld so that a small group's figures cannot be got by subtraction.

A total over the rows of a small group can be worked out from the totals that are shown exactly when
the group's indicator over rows is a linear combination of the indicators of shown groups and of the
whole. That is a regression without residual, and it needs only how many rows any two groups share.
It covers the one small group of a subgroup, the cells of an intersection beside its margins, and
bands that overlap with other bands.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["derivable", "withheld"]

_TOLERANCE = 1e-6


def withheld(
    codes: Mapping[str, NDArray[np.int64]],
    smallest: int,
    rows: NDArray[np.int64] | None = None,
    fixed: Mapping[str, NDArray[np.bool_]] | None = None,
) -> dict[str, NDArray[np.bool_]]:
    """Return which groups to withhold beside those that are too small to show.

    In each subgroup the groups without figures hold ``smallest`` rows or more together, and are two
    or more; and no small group can be worked out from all that is shown. Groups are withheld from
    the smallest up until both hold.

    Parameters
    ----------
    codes
        Name of each subgroup -> int64 (n,), group of each row, from 0; rows without a group are a
        group too.
    smallest
        Fewest rows of a group that is shown.
    rows
        int64 (n,), how many rows each code stands for; None means one.
    fixed
        Subgroups that were settled before, with what they withhold. They stay as they are; groups
        of the others are withheld for them, too.

    Returns
    -------
    dict
        Name -> bool (G,), True for a group that is large enough and yet withheld.

    Examples
    --------
    One small group: the next smallest goes with it.

    >>> rows = np.repeat([0, 1, 2, 3], [500, 40, 60, 7])
    >>> withheld({"g": rows}, 30)["g"].tolist()
    [False, True, False, False]
    """
    overlap = _Overlap(codes, rows)
    counts, of = overlap.counts, overlap.subgroup
    small = (counts > 0) & (counts < smallest)
    kept = np.zeros(len(counts), dtype=bool)
    settled = np.zeros(len(counts), dtype=bool)
    for number, name in enumerate(codes):
        if fixed is not None and name in fixed:
            settled |= of == number
            kept[of == number] = fixed[name]
        else:
            _fill(counts, of == number, small, kept, smallest)
    while True:
        shown = (counts > 0) & ~small & ~kept
        open_ones = [int(f) for f in np.flatnonzero(small) if overlap.derivable(int(f), shown)]
        if not open_ones or not (shown & ~settled).any():
            break
        kept[_give_up(overlap, open_ones[0], shown, settled)] = True
    return {name: kept[of == number] for number, name in enumerate(codes)}


def derivable(codes: Mapping[str, NDArray[np.int64]], group: int, shown: NDArray[np.bool_]) -> bool:
    """Say whether a group's totals follow from those of shown groups and the whole.

    Parameters
    ----------
    codes
        As in :func:`withheld`; groups are numbered through, subgroup after subgroup.
    group
        Number of the group.
    shown
        bool, of all groups of all subgroups.
    """
    return _Overlap(codes).derivable(group, shown)


class _Overlap:
    """How many rows any two groups of any two subgroups share."""

    def __init__(
        self,
        codes: Mapping[str, NDArray[np.int64]],
        rows: NDArray[np.int64] | None = None,
    ) -> None:
        every = list(codes.values())
        sizes = [int(c.max()) + 1 if len(c) else 0 for c in every]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        self.rows = int(rows.sum()) if rows is not None else len(every[0]) if every else 0
        self.subgroup = np.repeat(np.arange(len(every)), sizes)
        self.table = np.zeros((starts[-1], starts[-1]))
        for i, a in enumerate(every):
            for j, b in enumerate(every[: i + 1]):
                both = np.bincount(a * sizes[j] + b, weights=rows, minlength=sizes[i] * sizes[j])
                block = both.reshape(sizes[i], sizes[j])
                self.table[starts[i] : starts[i + 1], starts[j] : starts[j + 1]] = block
                self.table[starts[j] : starts[j + 1], starts[i] : starts[i + 1]] = block.T
        self.counts = np.diag(self.table).astype(np.int64)

    def derivable(self, group: int, shown: NDArray[np.bool_]) -> bool:
        """Whether regressing the group's indicator on the shown ones leaves no residual."""
        places = np.flatnonzero(shown)
        size = self.counts[places].astype(np.float64)
        gram = np.empty((len(places) + 1, len(places) + 1))
        gram[0, 0] = self.rows
        gram[0, 1:] = gram[1:, 0] = size
        gram[1:, 1:] = self.table[np.ix_(places, places)]
        own = np.concatenate([[self.counts[group]], self.table[places, group]])
        scale = 1 / np.sqrt(np.diag(gram))  # columns of equal length, for a sound rank
        found, *_ = np.linalg.lstsq(gram * np.outer(scale, scale), own * scale, rcond=1e-10)
        left = float(self.counts[group]) - float(found @ (own * scale))
        return left <= _TOLERANCE * float(self.counts[group])


def _fill(
    counts: NDArray[np.int64],
    inside: NDArray[np.bool_],
    small: NDArray[np.bool_],
    kept: NDArray[np.bool_],
    smallest: int,
) -> None:
    """Withhold the smallest groups of one subgroup until what is hidden is a crowd."""
    while True:
        hidden = inside & (small | kept)
        shown = np.flatnonzero(inside & ~hidden & (counts > 0))
        crowd = hidden.sum() >= 2 and counts[hidden].sum() >= smallest
        if not hidden.any() or crowd or not len(shown):
            return
        kept[shown[np.argmin(counts[shown])]] = True


def _give_up(
    overlap: _Overlap, group: int, shown: NDArray[np.bool_], settled: NDArray[np.bool_]
) -> int:
    """Return the smallest shown group without which ``group`` can no longer be worked out.

    Where no single one suffices, the smallest group that shares rows with its subgroup's hidden
    ones.
    """
    places = np.flatnonzero(shown & ~settled)
    places = places[np.argsort(overlap.counts[places], kind="stable")]
    for place in places:
        without = shown.copy()
        without[place] = False
        if not overlap.derivable(group, without):
            return int(place)
    same = places[overlap.subgroup[places] == overlap.subgroup[group]]
    return int(same[0] if len(same) else places[0])
