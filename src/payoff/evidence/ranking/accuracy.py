"""How well lists foresaw what each user did: one row of measures for each user, in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from payoff.errors import EvidenceError
from payoff.policy.listing.hits import hits_of

__all__ = ["MEASURES", "Accuracy", "accuracy"]

#: Measure -> its definition, as written in reports. H are the hits among the first k of a list, at
#: ranks r = 1..k; R are the items the user turned to afterwards.
MEASURES: Final[Mapping[str, str]] = {
    "ndcg": "sum over hits of 1 / log2(r + 1), divided by that sum for min(|R|, k) hits at the top",
    "recall": "|H| / |R|",
    "precision": "|H| / k, also where fewer than k were listed",
    "map": "sum over hits of (hits up to r) / r, divided by min(|R|, k)",
    "mrr": "1 / rank of the first hit, 0 without one",
    "hit_rate": "1 where there is a hit, else 0",
    "hits": "|H|",
    "value": "sum of the values of the hits: money where values are money",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accuracy:
    """Measures of n users, each at several lengths of list.

    Parameters
    ----------
    at
        The lengths k.
    by_user
        Name -> float64 (n, len(at)); not-a-number for users who did nothing afterwards. A user is
        one row, so an interval over rows is one over users.
    judged
        bool (n,): whether the user did anything afterwards.
    """

    at: tuple[int, ...]
    by_user: Mapping[str, NDArray[np.float64]]
    judged: NDArray[np.bool_]

    def mean(self, name: str, k: int) -> float:
        """Return the mean over judged users; not-a-number without any.

        Examples
        --------
        >>> found = accuracy([[0, 1]], [0], [1], n_items=3, at=[2])
        >>> found.mean("mrr", 2)
        0.5
        """
        values = self.by_user[name][self.judged, self.at.index(k)]
        return float(values.mean()) if len(values) else float("nan")

    def table(self) -> dict[str, dict[int, float]]:
        """Return every mean: name -> k -> mean."""
        return {name: {k: self.mean(name, k) for k in self.at} for name in self.by_user}


def accuracy(
    lists: ArrayLike,
    user: ArrayLike,
    item: ArrayLike,
    *,
    n_items: int,
    at: Sequence[int] = (10,),
    value: ArrayLike | None = None,
    candidates: str = "full",
) -> Accuracy:
    """Measure lists against what users turned to afterwards.

    Parameters
    ----------
    lists
        Items (n, K), best first, -1 after the end of a list. An item that stands twice in a list is
        refused where it is a hit, because it would count twice.
    user, item
        What was done afterwards (e,): row of ``lists``, and item. A pair that occurs again counts
        once; its values are added up.
    n_items
        Size m of the catalogue.
    at
        Lengths k at which to measure, each at most K.
    value
        What each pair was worth (e,), in money or anything else; left out, 1 for each pair.
    candidates
        ``"full"``: every item that could be shown was ranked. Nothing else is measured.

    Returns
    -------
    Accuracy
        The measures of `MEASURES`.

    Raises
    ------
    EvidenceError
        ``PAY-E031`` when the arrays do not fit together, ``PAY-E032`` for sampled candidates.

    Notes
    -----
    Relevance is yes or no. Measures among sampled items are refused because they are no estimate of
    the full ones and can turn the order of two models round.

    References
    ----------
    Jarvelin and Kekalainen (2002), ACM TOIS, for nDCG. Krichene and Rendle (2020), "On sampled
    metrics for item recommendation", KDD.

    Examples
    --------
    Items 5 and 1 were bought; 1 stood second of three, 5 was not listed.

    >>> found = accuracy([[2, 1, 0]], [0, 0], [5, 1], n_items=6, at=[3], value=[100.0, 10.0])
    >>> {name: round(found.mean(name, 3), 3) for name in ("ndcg", "recall", "precision", "value")}
    {'ndcg': 0.387, 'recall': 0.5, 'precision': 0.333, 'value': 10.0}
    """
    if candidates != "full":
        raise EvidenceError.sampled_ranking(candidates)
    shown = _lists(lists, n_items)
    n, longest = shown.shape
    lengths = tuple(int(k) for k in at)
    if not lengths or min(lengths) < 1 or max(lengths) > longest:
        raise EvidenceError.bad_lists("at", str(lengths), f"lengths from 1 to {longest}")
    pair, worth = _pairs(user, item, value, n, n_items)
    row, rank = hits_of(shown, pair, n_items)
    key = row * n_items + shown[row, rank]
    if (np.diff(np.sort(key)) == 0).any():
        raise EvidenceError.bad_lists("lists", "an item twice in one list", "each item once")
    relevant = np.bincount(pair // n_items, minlength=n)
    money = worth[np.searchsorted(pair, key)]
    return _measured(row, rank, money, relevant, lengths)


def _measured(
    row: NDArray[np.int64],
    rank: NDArray[np.int64],
    money: NDArray[np.float64],
    relevant: NDArray[np.int64],
    lengths: tuple[int, ...],
) -> Accuracy:
    """Add up over hits, which come by row and then by rank (from 0)."""
    n, longest = len(relevant), max(lengths)
    judged = relevant > 0
    gain = 1.0 / np.log2(np.arange(2, longest + 2))
    ideal = np.concatenate([[0.0], np.cumsum(gain)])
    before = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))])
    nth = np.arange(len(row)) - before[row] + 1
    out = {name: np.full((n, len(lengths)), np.nan) for name in MEASURES}
    with np.errstate(divide="ignore", invalid="ignore"):
        for j, k in enumerate(lengths):
            use = rank < k
            at, r = row[use], rank[use]
            count = np.bincount(at, minlength=n).astype(np.float64)
            most = np.minimum(relevant, k)
            first = nth[use] == 1
            columns = {
                "ndcg": np.bincount(at, gain[r], minlength=n) / ideal[most],
                "recall": count / relevant,
                "precision": count / k,
                "map": np.bincount(at, nth[use] / (r + 1), minlength=n) / most,
                "mrr": np.bincount(at[first], 1.0 / (r[first] + 1), minlength=n),
                "hit_rate": (count > 0).astype(np.float64),
                "hits": count,
                "value": np.bincount(at, money[use], minlength=n),
            }
            for name, column in columns.items():
                out[name][judged, j] = column[judged]
    for array in (*out.values(), judged):
        array.setflags(write=False)
    return Accuracy(at=lengths, by_user=out, judged=judged)


def _lists(lists: ArrayLike, n_items: int) -> NDArray[np.int32]:
    shown = np.asarray(lists)
    if shown.ndim != 2 or shown.dtype.kind not in "iu":
        raise EvidenceError.bad_lists(
            "lists", f"{shown.dtype} {shown.shape}", "whole numbers in two dimensions"
        )
    if shown.size:
        if shown.min() < -1 or shown.max() >= n_items:
            raise EvidenceError.bad_lists(
                "lists", f"items {shown.min()} to {shown.max()}", f"items from 0 to {n_items - 1}"
            )
        if ((shown[:, :-1] < 0) & (shown[:, 1:] >= 0)).any():
            raise EvidenceError.bad_lists("lists", "an item after -1", "-1 only at the end")
    return shown.astype(np.int32, copy=False)


def _pairs(
    user: ArrayLike, item: ArrayLike, value: ArrayLike | None, n: int, n_items: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each pair once, sorted, and the sum of its values."""
    users, items = np.asarray(user), np.asarray(item)
    worth = np.ones(len(users)) if value is None else np.asarray(value, dtype=np.float64)
    if not users.shape == items.shape == worth.shape == (users.size,):
        raise EvidenceError.bad_lists(
            "user, item, value", f"{users.shape}, {items.shape}, {worth.shape}", "one shape (e,)"
        )
    for name, array, below in (("user", users, n), ("item", items, n_items)):
        if array.size and (array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= below):
            raise EvidenceError.bad_lists(name, str(array.dtype), f"numbers from 0 to {below - 1}")
    if not np.isfinite(worth).all():
        raise EvidenceError.bad_lists("value", "a missing or infinite number", "finite numbers")
    key = users.astype(np.int64) * n_items + items.astype(np.int64)
    if not (np.diff(key) > 0).all():
        key, place = np.unique(key, return_inverse=True)
        worth = np.bincount(place, worth).astype(np.float64)
        if value is None:
            worth = np.ones(len(key))
    return key, worth
