"""A list policy: a frozen rule from what a user did to the items shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from payoff.model.recommend.histories import Histories
from payoff.model.recommend.ranker import Lists, Recommender

__all__ = ["ListPolicy", "Offer"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Offer:
    """What can be shown at a moment, over the m items of a catalogue.

    Parameters
    ----------
    allowed
        bool (m,): in the catalogue, in stock, and let through by the declared filter.
    money
        float64 (m,): what a hit of the item is expected to earn, money of the decision's currency.
    at_most
        Groups of items (a supplier, a brand) of which a list holds at most so many: int32 (m,)
        codes, -1 where the group is not known (such items are not limited), and the number.
    """

    allowed: NDArray[np.bool_]
    money: NDArray[np.float64]
    at_most: tuple[tuple[NDArray[np.int32], int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPolicy:
    """How the list of a user is made.

    Parameters
    ----------
    name
        Identifier in the evidence, such as ``"ease"``, ``"popular"``, ``"do_nothing"``.
    label, how
        Words for the report.
    recommender
        Name of the recommender whose scores rank the items; empty shows nothing.
    length
        Places of a list.
    repeats
        Whether what a user has may be shown again.
    baseline
        Whether it needs no model.
    tuned_on
        Part whose outcomes chose a number of this policy; None when none did.
    """

    name: str
    label: str
    how: str
    recommender: str
    length: int
    repeats: bool = True
    baseline: bool = False
    tuned_on: str | None = None

    def lists(
        self,
        recommender: Recommender | None,
        histories: Histories,
        offer: Offer,
        *,
        k: int | None = None,
        allowed: ArrayLike | None = None,
    ) -> Lists:
        """Return the list of each of n users.

        Parameters
        ----------
        recommender
            That of the policy's name; None for the policy that shows nothing.
        histories
            What each user did: n rows, known users and visitors alike.
        offer
            What can be shown.
        k
            Places; left out, :attr:`length`.
        allowed
            Items that may be shown beside what the offer says, bool (m,) or (n, m): the filters of
            one request.

        Returns
        -------
        Lists
            items int32 (n, k) and scores float32 (n, k), best first; -1 and -inf where a list ends
            early.
        """
        places = self.length if k is None else k
        if recommender is None:
            n = len(histories)
            return Lists(
                items=np.full((n, places), -1, dtype=np.int32),
                scores=np.full((n, places), -np.inf, dtype=np.float32),
            )
        mask = offer.allowed if allowed is None else offer.allowed & np.asarray(allowed, dtype=bool)
        return recommender.top(
            histories, places, exclude="nothing" if self.repeats else "seen", allowed=mask
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ListPolicy:
        """Read the JSON form."""
        return cls(**value)
