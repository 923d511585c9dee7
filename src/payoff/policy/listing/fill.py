"""Places that a policy leaves empty go to the policy for users of whom nothing is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from payoff.model.recommend.histories import Histories
from payoff.model.recommend.ranker import Lists, Recommender
from payoff.policy.listing.policy import ListPolicy, Offer
from payoff.policy.listing.rerank import rerank

__all__ = ["filled"]

#: Rules that shut items out ask for so many times more candidates, until the list is full.
_DEEPER = 5


def filled(
    lists: Lists,
    cold: tuple[ListPolicy, Recommender],
    histories: Histories,
    offer: Offer,
    allowed: NDArray[np.bool_] | None = None,
) -> Lists:
    """Fill lists that end early from the list of strangers, behind the items that are there.

    Judging and serving both call this, so that the lists judged are the lists served.

    Parameters
    ----------
    lists
        Of n users, their own items first.
    cold
        Policy and recommender for users of whom nothing is known.
    histories
        What each user did, n rows.
    offer, allowed
        As for :meth:`payoff.policy.listing.policy.ListPolicy.lists`; limits of groups hold over the
        whole list.

    Returns
    -------
    Lists
        No item twice. The score of a place that was filled is not comparable to the others: -inf.

    Examples
    --------
    >>> from payoff.model.recommend.popular import Popular
    >>> past = Histories.sessions([[2], [0, 1], [0]], 3)
    >>> policy = ListPolicy(name="popular", label="", how="", recommender="popular", length=2)
    >>> own = Lists(
    ...     items=np.array([[2, -1]], dtype=np.int32),
    ...     scores=np.array([[1, -np.inf]], dtype=np.float32),
    ... )
    >>> offer = Offer(allowed=np.ones(3, dtype=bool), money=np.ones(3))
    >>> filled(own, (policy, Popular.fit(past)), past.take([0]), offer).items.tolist()
    [[2, 0]]
    """
    policy, recommender = cold
    k = lists.items.shape[1]
    short = np.flatnonzero(lists.items[:, -1] < 0) if k else np.zeros(0, dtype=np.intp)
    if not len(short):
        return lists
    items, scores = lists.items.copy(), lists.scores.copy()
    own, rows, n_items = items[short], histories.take(short), recommender.n_items
    mask = allowed if allowed is None or allowed.ndim == 1 else allowed[short]
    free, deep = replace(offer, at_most=()), min(2 * k, n_items)
    while True:
        more = policy.lists(recommender, rows, free, k=deep, allowed=mask).items
        full = _behind(own, more, k, offer)
        ended = (full[:, -1] >= 0) | (more[:, -1] < 0)
        if deep >= n_items or ended.all():
            break
        deep = min(_DEEPER * deep, n_items)
    items[short] = full
    return Lists(items=items, scores=scores)


def _behind(
    own: NDArray[np.int32], more: NDArray[np.int32], k: int, offer: Offer
) -> NDArray[np.int32]:
    """Return the first k of the items of each row and of further ones, each item once."""
    twice = (more[:, :, None] == own[:, None, :]).any(axis=2)
    every = np.concatenate([own, np.where(twice, -1, more)], axis=1)
    in_order = np.broadcast_to(-np.arange(every.shape[1], dtype=np.float32), every.shape)
    candidates = Lists(items=every, scores=in_order)
    return rerank(candidates, k, money=offer.money, at_most=offer.at_most).items
