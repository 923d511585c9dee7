"""The data sheet of interactions: how many, how uneven, what is odd; JSON-ready."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from payoff.load.interactions.events import Interactions
from payoff.load.interactions.split import InteractionParts, moment_text

__all__ = ["gini", "sheet_of", "top_share"]

_NO_PRODUCT: Final = re.compile(
    r"post(age)?|dot|manual|m|d|s|c2|b|amazon ?fee|bank ?charges?|carriage|discount|samples?|"
    r"gift.*|voucher.*|adjust.*|test.*|cruk|pads|fee|fees|shipping|delivery|coupon.*|misc.*|fuel",
    re.IGNORECASE,
)
_MOST_NAMED: Final = 12


def gini(amounts: ArrayLike) -> float:
    """Return the Gini coefficient: 0 when all have the same, near 1 when one has it all.

    Parameters
    ----------
    amounts
        Numbers from 0 up, one per item or user.

    Notes
    -----
    ``sum((2 i - n - 1) x_i) / (n sum(x))`` with ``x`` ascending and ``i`` from 1: half the mean
    absolute difference of two drawn with replacement, over the mean.

    Examples
    --------
    >>> gini([1, 1, 1, 1]), gini([0, 0, 0, 1])
    (0.0, 0.75)
    """
    x = np.sort(np.asarray(amounts, dtype=np.float64))
    n, total = len(x), float(x.sum())
    if n == 0 or total <= 0:
        return 0.0
    return float(np.sum((2 * np.arange(1, n + 1) - n - 1) * x) / (n * total))


def top_share(amounts: ArrayLike, share: float = 0.01) -> float:
    """Return the share of the whole that the largest ``share`` of all have (at least one of them).

    Examples
    --------
    >>> top_share([1, 1, 1, 7], 0.25)
    0.7
    """
    x = np.sort(np.asarray(amounts, dtype=np.float64))[::-1]
    total = float(x.sum())
    if total <= 0:
        return 0.0
    return float(x[: max(1, int(np.ceil(share * len(x))))].sum() / total)


def sheet_of(data: Interactions, parts: InteractionParts) -> dict[str, Any]:
    """Return the data sheet: counts, spread, repeats, what was left out, and what is odd."""
    events = data.events
    users = np.bincount(events.user, minlength=len(data.users))
    items = np.bincount(events.item, minlength=len(data.items))
    met_users, met_items = users[users > 0], items[items > 0]
    value = np.bincount(events.item, weights=np.maximum(events.value, 0))
    key = events.user.astype(np.int64) * len(data.items) + events.item
    pairs = len(np.unique(key))
    heavy = _heavy(met_users)
    order = np.argsort(-users, kind="stable")[: min(5, len(met_users))]
    return {
        "source": data.source,
        "fingerprint": data.fingerprint,
        "rows": data.facts["rows"],
        "left_out": dict(data.facts["left_out"]),
        "n": len(events),
        "n_users": len(met_users),
        "n_items": len(met_items),
        "users_without": len(data.users) - len(met_users),
        "items_without": len(data.items) - len(met_items),
        "users_in_several_groups": dict(data.facts["users_in_several_groups"]),
        "density": pairs / (len(met_users) * len(met_items)),
        "repeat_share": 1 - pairs / len(events),
        "first": moment_text(float(events.time[0]), data),
        "last": moment_text(float(events.time[-1]), data),
        "moments": len(np.unique(events.time)),
        "per_user": _spread(met_users),
        "per_item": _spread(met_items),
        "value": float(events.value.sum()),
        "popularity": {
            "gini": gini(met_items),
            "top_1_percent": top_share(met_items),
            "value_top_1_percent": top_share(value),
        },
        "heavy_users": {
            "limit": heavy,
            "n": int(np.sum(met_users > heavy)),
            "share": float(met_users[met_users > heavy].sum() / len(events)),
            "top_1_percent": top_share(met_users),
            "largest": [int(n) for n in users[order]],
            "same_moment": _same_moment(data),
        },
        "odd_items": _odd(data, items),
        "spelling": {
            "items": _spelt_twice(data.items.labels),
            "users": _spelt_twice(data.users.labels),
        },
        "cancellations": {
            k: data.facts[k]
            for k in ("cancellations", "cancelled_value", "unmatched", "unmatched_value")
        },
        "duplicates": {k: data.facts[k] for k in ("repeated_rows", "repeated_value")},
        "split": dict(parts.how),
    }


def _spread(counts: NDArray[np.int64]) -> dict[str, float]:
    low, middle, high = np.quantile(counts, [0.25, 0.5, 0.75])
    return {
        "least": float(counts.min()),
        "quarter": float(low),
        "median": float(middle),
        "three_quarters": float(high),
        "most": float(counts.max()),
    }


def _heavy(counts: NDArray[np.int64]) -> float:
    """Return the count above which a user is heavy: far out on the scale of logarithms.

    The upper quartile plus three times the distance of the quartiles, as Tukey's outer fence, of
    the logarithms, because counts per user are skewed; never below ten times the median.
    """
    low, high = np.quantile(np.log(counts), [0.25, 0.75])
    fence = np.exp(min(high + 3 * (high - low), 700.0))
    return float(max(fence, 10 * np.median(counts)))


def _same_moment(data: Interactions) -> int:
    """Return the most distinct items that one user took at one moment."""
    events = data.events
    order = np.lexsort((events.time, events.user))
    user, time = events.user[order], events.time[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (user[1:] != user[:-1]) | (time[1:] != time[:-1])
    return int(np.diff(np.append(np.flatnonzero(new), len(order))).max())


def _odd(data: Interactions, counts: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Return items that look like no products: by their id, or alone without a digit."""
    labels = data.items.labels
    digits = np.array([any(c.isdigit() for c in label) for label in labels], dtype=np.bool_)
    alone = float(digits.mean()) >= 0.95
    found = [
        c
        for c in np.flatnonzero(counts > 0)
        if _NO_PRODUCT.fullmatch(labels[c]) or (alone and not digits[c])
    ]
    found.sort(key=lambda c: -int(counts[c]))
    return [{"item": str(labels[c]), "n": int(counts[c])} for c in found[:_MOST_NAMED]]


def _spelt_twice(labels: NDArray[Any]) -> dict[str, Any]:
    """Count ids that differ from another in upper and lower case, leading zeros or blanks only."""
    seen: dict[str, list[str]] = {}
    for label in labels:
        seen.setdefault("".join(str(label).casefold().split()).lstrip("0"), []).append(str(label))
    twice = [group for group in seen.values() if len(group) > 1]
    return {"n": sum(len(g) for g in twice), "such_as": twice[0][:2] if twice else []}
