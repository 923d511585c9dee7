"""What everybody buys, and what this user buys again: the two baselines nothing may lose to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from payoff.errors import TrainingError
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.ranker import Contributions, Recommender

__all__ = ["BuyAgain", "Popular"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Popular(Recommender):
    """The same list for everybody, or for everybody of a segment.

    Parameters
    ----------
    n_items
        Size m of the catalogue.
    share
        float32 (s + 1, m). Share of each item in the interactions of each segment; the last row is
        that of everybody, used where a user's segment is unknown.
    """

    name: ClassVar[str] = "popular"
    n_items: int
    share: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        self.share.setflags(write=False)

    @classmethod
    def fit(
        cls,
        histories: Histories,
        *,
        half_life: float | None = None,
        by_segment: bool = False,
        prior: float = 500.0,
    ) -> Popular:
        """Count interactions, recent ones for more.

        Parameters
        ----------
        histories
            What the users did.
        half_life
            In the unit of the times: an interaction this much older than the last one counts half.
            Left out, all count alike.
        by_segment
            One list for each segment.
        prior
            How many interactions of everybody stand behind those of a segment, so that a small
            segment keeps to the general order: ``(count_si + prior * share_i) / (count_s +
            prior)``.

        Raises
        ------
        TrainingError
            ``PAY-T008`` for a half-life that is not above 0.

        Examples
        --------
        >>> Popular.fit(Histories.sessions([[1], [1, 2], [2, 1]], 3)).share.round(1)
        array([[0. , 0.6, 0.4]], dtype=float32)
        """
        weight = histories.weight * _decay(histories.latest - histories.time, half_life)
        n = histories.n_items
        total = np.bincount(histories.item, weights=weight, minlength=n)
        rows = [total / max(total.sum(), 1e-30)]
        if by_segment and len(histories):
            group = histories.segment[histories.user]
            for s in range(int(histories.segment.max()), -1, -1):
                here = group == s
                own = np.bincount(histories.item[here], weights=weight[here], minlength=n)
                rows.insert(0, (own + prior * rows[-1]) / max(own.sum() + prior, 1e-30))
        return cls(n_items=n, share=np.array(rows, dtype=np.float32))

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Return the shares (n, m) of each user's segment."""
        everybody = len(self.share) - 1
        known = (histories.segment >= 0) & (histories.segment < everybody)
        return self.share[np.where(known, histories.segment, everybody)]

    def contributions(self, history: Histories, items: NDArray[np.int32]) -> Contributions:
        """Nothing of the history speaks for an item: its share is the whole score."""
        none = np.zeros((0, len(items)))
        return Contributions.of(np.zeros(0), none, self.score(history)[0, items])

    def settings(self) -> dict[str, Any]:
        """Nothing beside the arrays."""
        return {}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the shares."""
        return {"share": self.share}

    @classmethod
    def rebuilt(
        cls, n_items: int, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Popular:
        """Return the recommender of these arrays."""
        return cls(n_items=n_items, share=arrays["share"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BuyAgain(Recommender):
    """What the user had before, often and lately: to be listed with ``exclude="nothing"``.

    Score ``sum_t weight_t * 0.5 ** ((last_u - t) / half_life)`` over the user's own interactions
    with the item. Where repeats are normal (groceries, supplies) this beats every model of
    likeness, so it is always shown beside them. Items the user never had are not listed.

    Parameters
    ----------
    n_items
        Size m of the catalogue.
    half_life
        In the unit of the times; ``None`` counts all interactions alike.

    References
    ----------
    Hu, He, Gao, Zhang (2020), SIGIR, on personal item frequency in next-basket recommendation.
    """

    name: ClassVar[str] = "buy_again"
    n_items: int
    half_life: float | None = None

    @classmethod
    def fit(cls, histories: Histories, *, half_life: float | None = None) -> BuyAgain:
        """Nothing is learnt: the user's own history answers.

        Raises
        ------
        TrainingError
            ``PAY-T008`` for a half-life that is not above 0.

        Examples
        --------
        >>> past = Histories.of([0, 0, 0], [2, 1, 1], time=[9, 0, 1], n_users=1, n_items=3)
        >>> BuyAgain.fit(past).top(past, 2, exclude="nothing").items.tolist()
        [[1, 2]]
        >>> BuyAgain.fit(past, half_life=2.0).top(past, 2, exclude="nothing").items.tolist()
        [[2, 1]]
        """
        _decay(np.zeros(0), half_life)
        return cls(n_items=histories.n_items, half_life=half_life)

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Return the recency-weighted frequency (n, m), -inf for what the user never had."""
        out = np.full((len(histories), self.n_items), -np.inf, dtype=np.float32)
        if not len(histories.item):
            return out
        counts = np.diff(histories.start)
        last = histories.time[np.maximum(histories.start[1:] - 1, 0)]
        age = np.repeat(last, counts) - histories.time
        weight = histories.weight * _decay(age, self.half_life)
        own = histories.spread(weight.astype(np.float32))
        out[np.repeat(np.arange(len(histories)), np.diff(own.indptr)), own.indices] = own.data
        return out

    def contributions(self, history: Histories, items: NDArray[np.int32]) -> Contributions:
        """An item is listed for its own past alone."""
        own = np.unique(history.item)
        score = self.score(history)[0]
        value = np.where(own[:, None] == items, score[own][:, None], 0.0)
        return Contributions.of(own, value, np.where(np.isin(items, own), 0.0, -np.inf))

    def settings(self) -> dict[str, Any]:
        """Return the half-life."""
        return {"half_life": self.half_life}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """No array is kept."""
        return {}

    @classmethod
    def rebuilt(
        cls, n_items: int, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> BuyAgain:
        """Return the recommender of these settings."""
        return cls(n_items=n_items, half_life=settings["half_life"])


def _decay(age: NDArray[np.float64], half_life: float | None) -> NDArray[np.float64]:
    if half_life is None:
        return np.ones(len(age))
    if not half_life > 0:
        raise TrainingError.bad_interactions("half_life", repr(half_life), "a number above 0")
    return np.asarray(0.5 ** (age / half_life))
