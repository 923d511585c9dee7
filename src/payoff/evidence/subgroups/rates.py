"""Shares of a group: acted on, found, wrongly acted on, right among acted on, missed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.evidence import Estimate
from payoff.evidence.interval import cluster_sums, share

__all__ = ["RATES", "absent", "effective_rows", "rate_parts", "rates"]

#: Name -> (what is counted, among which rows) in words.
RATES: Final[Mapping[str, tuple[str, str]]] = {
    "acted": ("acted on", "all"),
    "true_positive_rate": ("acted on", "with the positive outcome"),
    "false_positive_rate": ("acted on", "without the positive outcome"),
    "precision": ("with the positive outcome", "acted on"),
    "missed": ("left alone", "with the positive outcome"),
}


def rates(
    acted: NDArray[np.bool_],
    positive: NDArray[np.bool_],
    weight: NDArray[np.float64],
    cluster: NDArray[np.int64] | None,
    *,
    level: float,
    fewest: int,
) -> dict[str, Estimate]:
    """Return every rate of :data:`RATES` of some rows, each with Wilson's interval.

    Parameters
    ----------
    acted
        bool (n,), whether the policy does anything else than doing nothing.
    positive
        bool (n,), whether the positive outcome happened. Of more than two outcomes the others all
        count as not positive.
    weight, cluster
        float64 (n,); int64 (n,) or None.
    level
        Confidence level.
    fewest
        A rate among fewer rows than this has no value, only a reason. Nothing is put at zero.

    Examples
    --------
    >>> found = rates(
    ...     np.array([True, False, True]),
    ...     np.array([False, False, False]),
    ...     np.ones(3),
    ...     None,
    ...     level=0.95,
    ...     fewest=1,
    ... )
    >>> round(found["acted"].value, 3), found["true_positive_rate"].value
    (0.667, None)
    >>> found["true_positive_rate"].reason
    'no row with the positive outcome was judged'
    """
    found = {}
    for name, (hit, among) in rate_parts(acted, positive).items():
        rows = np.flatnonzero(among & (weight > 0))
        if len(rows) < max(fewest, 1):
            found[name] = absent(len(rows), RATES[name][1], level)
            continue
        own = None if cluster is None else cluster[rows]
        found[name] = share(hit[rows], weight[rows], own, level=level)
    return found


def rate_parts(
    acted: NDArray[np.bool_], positive: NDArray[np.bool_]
) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return, per name of :data:`RATES`, what is counted and among which, bool (n,) each."""
    return {
        "acted": (acted, np.ones(len(acted), dtype=bool)),
        "true_positive_rate": (acted, positive),
        "false_positive_rate": (acted, ~positive),
        "precision": (positive, acted),
        "missed": (~acted, positive),
    }


def absent(n: int, among: str, level: float) -> Estimate:
    """Return a rate that has no value, because too few rows could have it."""
    rows = "row" if n == 1 else "rows"
    reason = f"only {n} {rows} {among} were judged" if n > 1 else f"only one row {among} was judged"
    return Estimate(
        value=None,
        low=None,
        high=None,
        level=level,
        unit="share",
        n=n,
        n_clusters=n,
        method="none",
        reason=f"no row {among} was judged" if n == 0 else reason,
    )


def effective_rows(
    hit: NDArray[np.bool_], weight: NDArray[np.float64], cluster: NDArray[np.int64] | None
) -> tuple[float, float]:
    """Return a share and the number of independent rows that would know it as well.

    The number is ``p (1 - p) / se^2``, at most the rows themselves; without weights and clusters it
    is the rows.
    """
    sums = cluster_sums(hit.astype(np.float64), weight, cluster)
    total = float(sums.w.sum())
    p = min(max(float(sums.s.sum()) / total, 0.0), 1.0)
    effective = total**2 / float(sums.w @ sums.w)
    if 0 < p < 1 and len(sums.s) > 1 and (cluster is not None or np.ptp(weight) > 0):
        residual = sums.s - p * sums.w
        n = len(residual)
        variance = float(residual @ residual) * n / (n - 1) / total**2
        if variance > 0:
            effective = min(p * (1 - p) / variance, float(sums.n))
    return p, effective
