"""What lists do beside being right: how much of the catalogue they show, how popular, how alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from payoff.errors import EvidenceError
from payoff.evidence.ranking.accuracy import _lists

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["BEYOND", "Exposure", "exposure"]

#: Measure -> its definition, as written in reports. L is a list cut at k, p_i the share of training
#: users who had item i, with one user added to all: (had_i + 1) / (users + 1).
BEYOND: Final[Mapping[str, str]] = {
    "coverage": "share of the catalogue that stands in at least one list",
    "gini": "inequality of how often items are shown, over the catalogue: 0 all alike, near 1 few",
    "entropy_items": "exp of the entropy of how often items are shown: so many, if all were alike",
    "novelty": "mean over L of -log2 p_i, in bits: 1 for an item that half of the users had",
    "popularity": "mean over L of p_i",
    "diversity": "1 - mean cosine of attributes over the pairs of L",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exposure:
    """What n lists show.

    Parameters
    ----------
    k
        Length at which lists were cut.
    overall
        ``coverage``, ``gini`` and ``entropy_items``.
    by_user
        ``novelty``, ``popularity`` and, with attributes, ``diversity``: float64 (n,), not-a-number
        for an empty list (``diversity``: for fewer than two items).
    shown
        int64 (m,): in how many lists each item stands.
    groups
        Group of items -> share of everything shown, of the catalogue, and of what training users
        had.
    """

    k: int
    overall: Mapping[str, float]
    by_user: Mapping[str, NDArray[np.float64]]
    shown: NDArray[np.int64]
    groups: Mapping[str, Mapping[str, float]]


def exposure(
    lists: ArrayLike,
    popularity: ArrayLike,
    n_users: int,
    *,
    k: int | None = None,
    attributes: ArrayLike | csr_matrix | None = None,
    group: ArrayLike | None = None,
) -> Exposure:
    """Measure what lists show.

    Parameters
    ----------
    lists
        Items (n, K), best first, -1 after the end of a list.
    popularity
        How many training users had each item (m,).
    n_users
        Number of training users.
    k
        Where to cut the lists; left out, K.
    attributes
        Numbers >= 0 (m, a), dense or sparse, for the diversity.
    group
        Name of the group of each item (m,): a supplier, a category, short head and long tail.

    Raises
    ------
    EvidenceError
        ``PAY-E031`` when the arrays do not fit together.

    References
    ----------
    Castells, Hurley, Vargas (2022), "Novelty and diversity in recommender systems", Recommender
    Systems Handbook, 3rd edition. Zhou et al. (2010), PNAS, for the bits.

    Examples
    --------
    >>> found = exposure([[0, 1], [0, 2]], [3, 1, 0, 0], 3, group=["a", "a", "b", "b"])
    >>> found.overall["coverage"], found.by_user["novelty"].tolist()
    (0.75, [0.5, 1.0])
    >>> found.groups["b"]["shown"]
    0.25
    """
    had = np.asarray(popularity, dtype=np.float64)
    m = len(had)
    full = _lists(lists, m)
    cut = full.shape[1] if k is None else k
    if not 1 <= cut <= full.shape[1]:
        raise EvidenceError.bad_lists("k", str(cut), f"a length from 1 to {full.shape[1]}")
    if m == 0 or had.min() < 0 or had.max() > n_users:
        raise EvidenceError.bad_lists(
            "popularity", "a count outside the users", f"from 0 to {n_users} users for each item"
        )
    part = full[:, :cut]
    # Place m catches the -1 of short lists, and is dropped.
    shown = np.bincount(np.where(part < 0, m, part).ravel(), minlength=m + 1)[:m]
    share = (had + 1) / (n_users + 1)
    by_user = {
        "novelty": _mean_over(part, -np.log2(share)),
        "popularity": _mean_over(part, share),
    }
    if attributes is not None:
        by_user["diversity"] = _diversity(part, attributes, m)
    for array in (*by_user.values(), shown):
        array.setflags(write=False)
    return Exposure(
        k=cut,
        overall={
            "coverage": float((shown > 0).mean()),
            "gini": _gini(shown),
            "entropy_items": _effective(shown),
        },
        by_user=by_user,
        shown=shown,
        groups={} if group is None else _groups(np.asarray(group), shown, had),
    )


def _mean_over(part: NDArray[np.int32], per_item: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of an item's number over each list (n,)."""
    values = np.append(per_item, 0.0)[part]  # -1 reads the 0 at the end
    length = (part >= 0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(values.sum(axis=1) / np.where(length > 0, length, np.nan))


def _diversity(
    part: NDArray[np.int32], attributes: ArrayLike | csr_matrix, m: int
) -> NDArray[np.float64]:
    """Return 1 - mean pairwise cosine, from ``|sum of unit vectors|^2 = length + 2 * pairs``."""
    from scipy.sparse import csr_matrix

    a = csr_matrix(attributes, dtype=np.float64)
    if a.shape[0] != m:
        raise EvidenceError.bad_lists("attributes", f"{a.shape[0]} rows", f"{m}, one for each item")
    a.sum_duplicates()
    row = np.repeat(np.arange(m), np.diff(a.indptr))
    size = np.sqrt(np.bincount(row, weights=a.data**2, minlength=m))
    a.data = a.data / np.maximum(size, 1e-300)[row]
    there = part >= 0
    length = there.sum(axis=1)
    ends = np.concatenate([[0], np.cumsum(length)])
    chosen = csr_matrix((np.ones(ends[-1]), part[there], ends), shape=(len(part), m))
    together = chosen @ a
    square = np.asarray(together.multiply(together).sum(axis=1)).ravel()
    own = np.asarray(
        chosen @ (size > 0).astype(np.float64)
    ).ravel()  # an item without any: length 0
    pairs = length * (length - 1.0)
    with np.errstate(invalid="ignore"):
        return np.asarray(1.0 - (square - own) / np.where(pairs > 0, pairs, np.nan))


def _gini(shown: NDArray[np.int64]) -> float:
    """Return the Gini coefficient over the whole catalogue; not-a-number where nothing is shown."""
    m, total = len(shown), shown.sum()
    if total == 0:
        return float("nan")
    order = np.sort(shown)
    return float(((2 * np.arange(1, m + 1) - m - 1) * order).sum() / (m * total))


def _effective(shown: NDArray[np.int64]) -> float:
    """Return exp of the entropy of the shares; 0 where nothing is shown."""
    p = shown[shown > 0] / max(shown.sum(), 1)
    return float(np.exp(-(p * np.log(p)).sum())) if len(p) else 0.0


def _groups(
    group: NDArray[np.str_], shown: NDArray[np.int64], had: NDArray[np.float64]
) -> dict[str, dict[str, float]]:
    if group.shape != shown.shape:
        raise EvidenceError.bad_lists(
            "group", f"shape {group.shape}", f"({len(shown)},), one for each item"
        )
    names, at = np.unique(group, return_inverse=True)
    parts = {"shown": shown, "catalogue": np.ones(len(shown)), "had": had}
    sums = {
        part: np.bincount(at, weights=values) / (values.sum() or np.nan)
        for part, values in parts.items()
    }
    return {
        str(name): {part: float(sums[part][i]) for part in parts} for i, name in enumerate(names)
    }
