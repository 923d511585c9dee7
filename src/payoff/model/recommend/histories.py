"""What each user did, in order of time: what every recommender is fitted on and answers from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from payoff.errors import TrainingError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Histories"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histories:
    """The interactions of n users with a catalogue of m items, by user and then by time.

    A recommender keeps only what it learnt of items. A user it was fitted on, a user who came later
    and the basket of a visitor are all rows of such a value, so new interactions count at once,
    without fitting again.

    Parameters
    ----------
    n_items
        Size m of the catalogue; items are numbered from 0.
    start
        int64 (n + 1,). The interactions of user ``u`` are ``start[u]:start[u + 1]``.
    item
        int32 (e,). Earliest first within a user.
    time
        float64 (e,). In any unit, the same for all.
    weight
        float32 (e,). 1 for an event that counts once; never negative.
    segment
        int32 (n,). Group of each user, -1 where unknown.
    """

    n_items: int
    start: NDArray[np.int64]
    item: NDArray[np.int32]
    time: NDArray[np.float64]
    weight: NDArray[np.float32]
    segment: NDArray[np.int32]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for array in (self.start, self.item, self.time, self.weight, self.segment):
            array.setflags(write=False)

    @classmethod
    def of(
        cls,
        user: ArrayLike,
        item: ArrayLike,
        *,
        n_users: int,
        n_items: int,
        time: ArrayLike | None = None,
        weight: ArrayLike | None = None,
        segment: ArrayLike | None = None,
    ) -> Histories:
        """Sort interactions by user, then time; those of one moment stay in the order given.

        Parameters
        ----------
        user, item
            Whole numbers (e,), from 0 to ``n_users - 1`` and ``n_items - 1``.
        time
            Finite numbers (e,). Left out: the order given is the order of time.
        weight
            Finite numbers >= 0 (e,). Left out: 1.
        segment
            Whole numbers (n_users,), -1 where unknown.

        Raises
        ------
        TrainingError
            ``PAY-T008`` when the arrays do not fit together.

        Examples
        --------
        >>> of = Histories.of([1, 0, 1], [2, 0, 1], time=[5, 1, 3], n_users=2, n_items=3)
        >>> of.item.tolist(), of.start.tolist()
        ([0, 1, 2], [0, 1, 3])
        """
        users, items = _numbers(user, n_users, "user"), _numbers(item, n_items, "item")
        e = len(users)
        times = np.arange(e) if time is None else time
        t = _finite(times, e, "time")
        w = _finite(np.ones(e) if weight is None else weight, e, "weight", least=0.0)
        if len(items) != e:
            raise TrainingError.bad_interactions("item", f"{len(items)} values", f"{e}, as users")
        groups = np.full(n_users, -1) if segment is None else np.asarray(segment)
        if groups.shape != (n_users,) or groups.dtype.kind not in "iu":
            raise TrainingError.bad_interactions(
                "segment", f"{groups.dtype} {groups.shape}", f"whole numbers ({n_users},)"
            )
        order = np.lexsort((t, users))
        start = np.zeros(n_users + 1, dtype=np.int64)
        np.cumsum(np.bincount(users, minlength=n_users), out=start[1:])
        return cls(
            n_items=n_items,
            start=start,
            item=items[order].astype(np.int32),
            time=t[order],
            weight=w[order].astype(np.float32),
            segment=groups.astype(np.int32),
        )

    @classmethod
    def sessions(
        cls, sessions: Sequence[Sequence[int]], n_items: int, *, now: float = 0.0
    ) -> Histories:
        """Return one row for each list of items (earliest first), all at time ``now``.

        Examples
        --------
        >>> Histories.sessions([[2, 0], []], 3).start.tolist()
        [0, 2, 2]
        """
        user = np.repeat(np.arange(len(sessions)), [len(s) for s in sessions])
        item = np.array([i for s in sessions for i in s], dtype=np.int64)
        time = np.full(len(item), now)
        return cls.of(user, item, time=time, n_users=len(sessions), n_items=n_items)

    def __len__(self) -> int:
        """Return the number n of users."""
        return len(self.start) - 1

    @property
    def user(self) -> NDArray[np.int64]:
        """The user of each interaction, int64 (e,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    @property
    def back(self) -> NDArray[np.int64]:
        """How many interactions of its user came later, int64 (e,): 0 for the last."""
        counts = np.diff(self.start)
        return np.repeat(self.start[1:], counts) - 1 - np.arange(len(self.item))

    @property
    def latest(self) -> float:
        """The last time of any interaction; 0 without one."""
        return float(self.time.max()) if len(self.time) else 0.0

    def take(self, users: ArrayLike) -> Histories:
        """Return the rows of some users, in the order asked for.

        Raises
        ------
        TrainingError
            ``PAY-T008`` for a user outside the rows.

        Examples
        --------
        >>> Histories.sessions([[2, 0], [1]], 3).take([1]).item.tolist()
        [1]
        """
        rows = _numbers(users, len(self), "user")
        counts = np.diff(self.start)[rows]
        start = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(counts, out=start[1:])
        at = np.arange(start[-1]) + np.repeat(self.start[rows] - start[:-1], counts)
        return self._with(start, at, self.segment[rows])

    def only(self, keep: NDArray[np.bool_]) -> Histories:
        """Return the same users with some of their interactions, ``keep`` (e,).

        Examples
        --------
        >>> one = Histories.sessions([[2, 0], [1]], 3)
        >>> one.only(one.back > 0).item.tolist()
        [2]
        """
        ends = np.concatenate([[0], np.cumsum(keep)])
        return self._with(ends[self.start], np.flatnonzero(keep), self.segment)

    def among(self, items: NDArray[np.int32]) -> Histories:
        """Return the interactions with some items (in order of number), numbered anew from 0.

        Examples
        --------
        >>> Histories.sessions([[2, 0, 1]], 3).among(np.array([0, 2])).item.tolist()
        [1, 0]
        """
        if len(items) == self.n_items:
            return self
        place = np.full(self.n_items, -1, dtype=np.int32)
        place[items] = np.arange(len(items), dtype=np.int32)
        left = self.only(place[self.item] >= 0)
        return replace(left, item=place[left.item], n_items=len(items))

    def _with(
        self, start: NDArray[np.int64], at: NDArray[np.intp], segment: NDArray[np.int32]
    ) -> Histories:
        return Histories(
            n_items=self.n_items,
            start=start,
            item=self.item[at],
            time=self.time[at],
            weight=self.weight[at],
            segment=segment,
        )

    def matrix(self, *, weighted: bool = False) -> csr_matrix:
        """Return users x items, float32 (n, m): 1 where there was any, or the sum of weights.

        Examples
        --------
        >>> Histories.sessions([[2, 2]], 3).matrix().toarray().tolist()
        [[0.0, 0.0, 1.0]]
        """
        values = self.weight if weighted else np.ones(len(self.item), dtype=np.float32)
        x = self.spread(values)
        if not weighted:
            x.data[:] = 1.0
        return x

    def spread(self, values: NDArray[np.float32]) -> csr_matrix:
        """Return users x items (n, m) with the sum of ``values`` (e,) at each pair."""
        from scipy.sparse import csr_matrix

        x = csr_matrix(
            (values.copy(), self.item.copy(), self.start.copy()), shape=(len(self), self.n_items)
        )
        x.sum_duplicates()
        return x

    def popularity(self) -> NDArray[np.int64]:
        """Return how many users had each item, int64 (m,)."""
        pairs = self.matrix()
        return np.bincount(pairs.indices, minlength=self.n_items)


def _numbers(values: ArrayLike, below: int, name: str) -> NDArray[np.int64]:
    found: NDArray[Any] = np.asarray(values)
    if found.size == 0:
        found = found.astype(np.int64)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise TrainingError.bad_interactions(
            name, f"{found.dtype} {found.shape}", "whole numbers in one dimension"
        )
    outside = (found < 0) | (found >= below)
    if outside.any():
        raise TrainingError.bad_interactions(
            f"{name}, {int(outside.sum()):,} values",
            str(found[outside][0]),
            f"numbers from 0 to {below - 1}",
        )
    return found.astype(np.int64)


def _finite(
    values: ArrayLike, length: int, name: str, least: float = -np.inf
) -> NDArray[np.float64]:
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TrainingError.bad_interactions(name, str(error), "numbers") from None
    if found.shape != (length,):
        raise TrainingError.bad_interactions(name, f"shape {found.shape}", f"({length},), as users")
    bad = ~np.isfinite(found) | (found < least)
    if bad.any():
        raise TrainingError.bad_interactions(
            f"{name}, {int(bad.sum()):,} values",
            str(found[bad][0]),
            "finite numbers" if least == -np.inf else f"finite numbers of at least {least:g}",
        )
    return found
