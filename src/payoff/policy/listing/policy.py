"""A list policy: a frozen rule from what a user did to the items shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from payoff.model.recommend.histories import Histories
from payoff.model.recommend.ranker import Lists, Recommender, Seen
from payoff.policy.listing.rerank import rerank

__all__ = ["ListPolicy", "Offer"]

#: Users whose candidates are put into order at once.
_BLOCK: Final = 2_048
#: Rules that shut items out ask for so many candidates per place, and again so many times more.
_DEEPER: Final = 5


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
    alike
        float32 (m, a), vectors of length 1 whose cosine says how alike items are, or 0 where
        nothing is known; None where no policy asks for variety.
    """

    allowed: NDArray[np.bool_]
    money: NDArray[np.float64]
    at_most: tuple[tuple[NDArray[np.int32], int], ...] = ()
    alike: NDArray[np.float32] | None = None


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
    depth
        How many candidates of the recommender are put into order anew; 0 keeps its own order.
    chance
        Chance of a hit by rank among the candidates: a and b of
        :func:`payoff.policy.listing.value.rank_chance`.
    power
        Candidates are ordered by chance times money to this power.
    diversity
        Weight of variety against worth (:func:`payoff.policy.listing.rerank.rerank`).
    """

    name: str
    label: str
    how: str
    recommender: str
    length: int
    repeats: bool = True
    baseline: bool = False
    tuned_on: str | None = None
    depth: int = 0
    chance: tuple[float, float] | None = None
    power: float = 0.0
    diversity: float = 0.0

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
        if not self.depth and not offer.at_most:
            return self._top(recommender, histories, places, mask)
        parts = []
        for first in range(0, max(len(histories), 1), _BLOCK):
            rows = np.arange(first, min(first + _BLOCK, len(histories)))
            own = mask if mask.ndim == 1 else mask[rows]
            parts.append(self._ordered(recommender, histories.take(rows), places, own, offer))
        return Lists(
            items=np.concatenate([p.items for p in parts]),
            scores=np.concatenate([p.scores for p in parts]),
        )

    def _top(
        self, recommender: Recommender, histories: Histories, k: int, allowed: NDArray[np.bool_]
    ) -> Lists:
        exclude: Seen = "nothing" if self.repeats else "seen"
        return recommender.top(histories, k, exclude=exclude, allowed=allowed)

    def _ordered(
        self,
        recommender: Recommender,
        histories: Histories,
        k: int,
        allowed: NDArray[np.bool_],
        offer: Offer,
        depth: int = 0,
    ) -> Lists:
        """Put candidates into order; where the rules leave a list short, among more candidates."""
        deep = max(self.depth, k, depth or (_DEEPER * k if offer.at_most else 0))
        candidates = self._top(recommender, histories, deep, allowed)
        made = rerank(
            candidates,
            k,
            money=offer.money,
            chance=self.chance,
            power=self.power,
            diversity=self.diversity,
            alike=offer.alike,
            at_most=offer.at_most,
        )
        short = np.flatnonzero((made.items[:, -1] < 0) & (candidates.items[:, -1] >= 0))
        if not len(short) or deep >= recommender.n_items:
            return made
        own = allowed if allowed.ndim == 1 else allowed[short]
        more = min(_DEEPER * deep, recommender.n_items)
        again = self._ordered(recommender, histories.take(short), k, own, offer, more)
        items, scores = made.items.copy(), made.scores.copy()
        items[short], scores[short] = again.items, again.scores
        return Lists(items=items, scores=scores)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ListPolicy:
        """Read the JSON form."""
        chance = value.get("chance")
        return cls(**{**value, "chance": None if chance is None else tuple(chance)})
