"""What is at stake in the lists of one part: who could be shown one, and what each bought then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from payoff.policy.bounds import Group
from payoff.policy.listing.hits import hits_of

__all__ = ["ListStakes", "ListsToChoose", "ListsToJudge"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ListStakes:
    """Users of one part, each shown one list at its beginning, and what each did during it.

    Parameters
    ----------
    part
        Part of the interactions.
    user
        int32 (n,), code of the user of each row, each once.
    pair
        int64 (e,), sorted and each once: ``row * n_items + item`` for what was bought.
    hit
        float64 (e,), money a list earns by having foreseen it: ``payoffs.show.hit``.
    value, margin
        float64 (e,), money of what was bought; 0 where none is declared.
    miss
        Money of one place of a list that was no hit.
    n_items
        Size m of the catalogue.
    known
        int64 (n,), interactions of each user before the part: 0 for a user who is new.
    groups
        Subgroup -> labels and int32 (n,) codes, -1 where the group is not known.
    days
        Length of the part in days; None where time is not a date.
    """

    part: str
    user: NDArray[np.int32]
    pair: NDArray[np.int64]
    hit: NDArray[np.float64]
    value: NDArray[np.float64]
    margin: NDArray[np.float64]
    miss: float
    n_items: int
    known: NDArray[np.int64]
    groups: Mapping[str, Group] = field(default_factory=dict)
    days: float | None = None

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for array in (self.user, self.pair, self.hit, self.value, self.margin, self.known):
            array.setflags(write=False)

    def __len__(self) -> int:
        """Return the number n of users, one list each."""
        return len(self.user)

    def money(self, lists: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return what each list earned, float64 (n,): its hits, and its other places as misses.

        Parameters
        ----------
        lists
            int32 (n, k), best first, -1 where a list ends early.

        Examples
        --------
        One user bought items 1 (for 5) and 2 (for 7); of the two places one is a hit.

        >>> at_stake = ListStakes(
        ...     part="judge",
        ...     user=np.array([0], dtype=np.int32),
        ...     pair=np.array([1, 2]),
        ...     hit=np.array([5.0, 7.0]),
        ...     value=np.array([50.0, 70.0]),
        ...     margin=np.array([5.0, 7.0]),
        ...     miss=-0.5,
        ...     n_items=4,
        ...     known=np.array([3]),
        ... )
        >>> at_stake.money(np.array([[2, 0, -1]], dtype=np.int32))
        array([6.5])
        """
        row, rank = hits_of(lists, self.pair, self.n_items)
        misses = (lists >= 0).sum(axis=1) - np.bincount(row, minlength=len(self))
        earned: NDArray[np.float64] = self._summed(row, rank, lists, self.hit) + self.miss * misses
        return earned

    def bought(self, lists: NDArray[np.int32], of: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return for each list the sum of ``of`` (e,) over its hits, float64 (n,)."""
        row, rank = hits_of(lists, self.pair, self.n_items)
        return self._summed(row, rank, lists, of)

    def _summed(
        self,
        row: NDArray[np.int64],
        rank: NDArray[np.int64],
        lists: NDArray[np.int32],
        of: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        place = np.searchsorted(self.pair, row * self.n_items + lists[row, rank])
        found = np.bincount(row, of[place], minlength=len(self)).astype(np.float64)
        return np.asarray(found)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ListsToChoose(ListStakes):
    """What may tune a number of a list policy: never the judge's users."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ListsToJudge(ListStakes):
    """What may judge list policies. No function that tunes takes it."""
