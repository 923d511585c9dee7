"""Candidates of a recommender put into the order that money, variety and rules ask for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from payoff.model.recommend.ranker import Lists
from payoff.policy.listing.value import chance_at

__all__ = ["rerank"]

#: An item that a rule shuts out.
_SHUT = np.float64(-np.inf)


def rerank(
    candidates: Lists,
    k: int,
    *,
    money: NDArray[np.float64],
    chance: tuple[float, float] | None = None,
    power: float = 0.0,
    diversity: float = 0.0,
    alike: NDArray[np.float32] | None = None,
    at_most: Sequence[tuple[NDArray[np.int32], int]] = (),
) -> Lists:
    """Return the k best of each user's candidates.

    Parameters
    ----------
    candidates
        Lists (n, N) of a recommender.
    k
        Places.
    money
        float64 (m,): what a hit of each item is expected to earn.
    chance
        Chance of a hit by rank among the candidates: a and b of
        :func:`payoff.policy.listing.value.rank_chance`; None keeps the recommender's own
        scores, which then are the order.
    power
        Candidates are ordered by chance times ``money ** power``.
    diversity
        From 0 (worth alone) to below 1: at each place the item with the largest ``(1 - d) * worth /
        best worth - d * (largest cosine to the items placed above)``.
    alike
        float32 (m, a), vectors of length 1, or 0 where nothing is known; needed for diversity.
    at_most
        Groups of items, and how many of one group a list may hold.

    Returns
    -------
    Lists
        items (n, k) with the worth of each; of equal ones that of the better rank comes first.

    References
    ----------
    Carbonell and Goldstein (1998), "The use of MMR", SIGIR, for the diversity.

    Examples
    --------
    The second candidate earns ten times as much, and is not ten times less likely.

    >>> two = Lists(
    ...     items=np.array([[0, 1]], dtype=np.int32),
    ...     scores=np.array([[2.0, 1.0]], dtype=np.float32),
    ... )
    >>> rerank(two, 1, money=np.array([1.0, 10.0]), chance=(0.0, -1.0), power=1.0).items.tolist()
    [[1]]
    """
    items = candidates.items
    there = items >= 0
    worth = np.where(there, candidates.scores.astype(np.float64), _SHUT)
    if chance is not None:
        by_rank = chance_at(chance, items.shape[1])
        worth = np.where(there, by_rank * np.maximum(money, 0.0)[items] ** power, _SHUT)
    if diversity == 0 and not at_most:
        order = np.argsort(-worth, axis=1, kind="stable")[:, :k]
    else:
        order = _greedy(items, worth, k, diversity, alike, at_most)
    ended = order < 0
    found = np.where(ended, -1, np.take_along_axis(items, np.maximum(order, 0), axis=1))
    score = np.where(ended, _SHUT, np.take_along_axis(worth, np.maximum(order, 0), axis=1))
    short = k - found.shape[1]
    if short > 0:
        found = np.pad(found, ((0, 0), (0, short)), constant_values=-1)
        score = np.pad(score, ((0, 0), (0, short)), constant_values=_SHUT)
    return Lists(items=found.astype(np.int32), scores=score.astype(np.float32))


def _greedy(
    items: NDArray[np.int32],
    worth: NDArray[np.float64],
    k: int,
    diversity: float,
    alike: NDArray[np.float32] | None,
    at_most: Sequence[tuple[NDArray[np.int32], int]],
) -> NDArray[np.intp]:
    """Return the places of the candidates taken one after the other, -1 where none is left."""
    n = len(items)
    rows = np.arange(n)
    best = worth.max(axis=1, keepdims=True) if items.shape[1] else np.zeros((n, 1))
    scale = np.where(np.isfinite(best) & (best > 0), best, 1.0)
    gain = np.where(np.isfinite(worth), worth / scale, _SHUT) if diversity else worth.copy()
    vectors = alike[items] if diversity and alike is not None else None
    nearest = np.full(items.shape, -1.0)
    groups = [(np.where(items >= 0, codes[items], -1), most) for codes, most in at_most]
    held = [np.zeros(items.shape, dtype=np.int32) for _ in groups]
    order = np.full((n, min(k, items.shape[1])), -1, dtype=np.intp)
    for place in range(order.shape[1]):
        value = gain
        if vectors is not None and place:
            value = (1 - diversity) * gain - diversity * nearest
        taken = np.argmax(value, axis=1)
        open_ = np.isfinite(value[rows, taken])
        order[open_, place] = taken[open_]
        gain[rows, taken] = _SHUT
        if vectors is not None:
            cosine = np.einsum("ijk,ik->ij", vectors, vectors[rows, taken])
            np.maximum(nearest, cosine, out=nearest)
        for rule, (codes, most) in enumerate(groups):
            of = codes[rows, taken][:, None]
            held[rule] += (codes == of) & (of >= 0)
            gain[(codes >= 0) & (held[rule] >= most)] = _SHUT
    return order
