"""What a judging of lists is given: lists, what making them took, and facts of the items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from payoff.policy.bounds import Group
from payoff.policy.listing.policy import ListPolicy

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["ItemFacts", "Listed"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listed:
    """A list policy, the list it made for each user judged, and what that took.

    Parameters
    ----------
    lists
        int32 (n, k), best first, -1 where a list ends early.
    cost
        ``fit_seconds`` (processor time of one fit with the chosen settings), ``fit_bytes`` (memory
        that fitting took at most), ``model_bytes`` (size in the bundle) and ``ms_per_list`` (median
        of answering one user); a key that was not measured is left out.
    """

    policy: ListPolicy
    lists: NDArray[np.int32]
    cost: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ItemFacts:
    """What is known of the m items when they are judged.

    Parameters
    ----------
    labels
        The items' ids, (m,).
    popularity
        int64 (m,): how many users had each item before the judging part.
    n_users
        How many users there were then.
    allowed
        bool (m,): what could be shown.
    groups
        Declared group of items -> labels and int32 (m,) codes, -1 where not known.
    attributes
        Numbers >= 0 (m, a) that tell how alike items are; None where nothing is known of them.
    """

    labels: NDArray[Any]
    popularity: NDArray[np.int64]
    n_users: int
    allowed: NDArray[np.bool_]
    groups: Mapping[str, Group] = field(default_factory=dict)
    attributes: csr_matrix | None = None
