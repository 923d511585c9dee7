"""One place of some lists left to chance, and how likely each item was to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Shown", "eligible", "explore"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """A list as it is shown.

    Parameters
    ----------
    items
        int32 (k,).
    place
        The place that was left to chance, from 0; None where none was.
    propensity
        float64 (k,): how likely each of these items was to be in the list at all.
    n_others, others
        How many items outside the policy's own list could have been drawn, and how likely each was
        to be shown. Any further item had no chance.
    """

    items: NDArray[np.int32]
    place: int | None
    propensity: NDArray[np.float64]
    n_others: int
    others: float


def eligible(
    items: NDArray[np.int32],
    offered: NDArray[np.bool_],
    at_most: Sequence[tuple[NDArray[np.int32], int]] = (),
) -> NDArray[np.bool_]:
    """Return bool (m,): what chance may put into a list in place of any of its items.

    Parameters
    ----------
    items
        int32 (k,), the list.
    offered
        bool (m,): what may be shown to this user.
    at_most
        Groups and how many of one a list may hold. Items of a group that is full already are left
        out, so that no draw breaks a rule.

    Examples
    --------
    >>> brand = (np.array([0, 0, 1, 1]), 1)
    >>> eligible(np.array([0]), np.array([True, True, True, False]), [brand])
    array([False, False,  True, False])
    """
    found = offered.copy()
    found[items] = False
    for codes, most in at_most:
        held = codes[items]
        group, count = np.unique(held[held >= 0], return_counts=True)
        found &= ~np.isin(codes, group[count >= most])
    return found


def explore(
    items: NDArray[np.int32],
    others: NDArray[np.bool_],
    share: float,
    rng: np.random.Generator | None,
) -> Shown:
    """With probability ``share`` replace one place, each alike, by one of the others, each alike.

    Parameters
    ----------
    items
        int32 (k,), the policy's own list, without empty places.
    others
        bool (m,), as `eligible` returns it.
    share
        From 0 to 1.
    rng
        Needed only where ``share`` is above 0: the same state draws the same list.

    Notes
    -----
    With e = ``share`` and M others, an item of the policy's list is shown with probability
    ``1 - e / k``, any of the others with ``e / M``: together k, the length of the list. Where there
    are no others, or the list is empty, nothing is left to chance.

    References
    ----------
    Swaminathan et al. (2017), "Off-policy evaluation for slate recommendation", NeurIPS, for why
    the probabilities are kept with each list.

    Examples
    --------
    >>> left = explore(np.array([4, 2]), np.array([1, 1, 0, 1, 0], dtype=bool), 0.3, None)
    Traceback (most recent call last):
    ValueError: a list left to chance needs a generator
    >>> shown = explore(
    ...     np.array([4, 2]), np.array([1, 1, 0, 1, 0], dtype=bool), 1.0, np.random.default_rng(0)
    ... )
    >>> shown.items.tolist(), shown.place, shown.propensity.round(2).tolist()
    ([4, 0], 1, [0.5, 0.33])
    """
    k, there = len(items), int(others.sum()) if share > 0 else 0
    if k == 0 or there == 0:
        return Shown(items=items, place=None, propensity=np.ones(k), n_others=0, others=0.0)
    if rng is None:
        raise ValueError("a list left to chance needs a generator")
    propensity = np.full(k, 1 - share / k)
    place, shown = None, items
    if rng.random() < share:
        place = int(rng.integers(k))
        shown = items.copy()
        shown[place] = np.flatnonzero(others)[int(rng.integers(there))]
        propensity[place] = share / there
    return Shown(
        items=shown, place=place, propensity=propensity, n_others=there, others=share / there
    )
