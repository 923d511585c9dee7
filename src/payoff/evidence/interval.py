"""Intervals for mean money: paired, weighted, cluster-aware, skew-aware, without resampling.

The figure is a ratio of sums over independent clusters (:mod:`payoff.clusters`). What its interval
rests on is diagnosed first (:mod:`payoff.evidence.diagnosis`): Student's t where money is even, the
score interval where it is skewed, and none, with the reason, where too few cases carry it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.clusters import Sums, cluster_sums, standard_error, unit_scaled
from payoff.evidence.diagnosis import Diagnosis, diagnose
from payoff.evidence.evidence import Estimate

__all__ = [
    "Sums",
    "Unseen",
    "cluster_sums",
    "exact_share",
    "mean_money",
    "score_ends",
    "share",
    "sharpest_share",
    "too_rare",
    "wilson",
    "wilson_share",
]

_MOST_CELLS: Final = 3_000
_STEPS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A declared outcome that no row judged had, and the most it moves per unit."""

    outcome: str
    money: float


def mean_money(
    sums: Sums,
    *,
    level: float,
    unit: str,
    identical: str = "",
    constant: bool = False,
    unseen: Unseen | None = None,
) -> Estimate:
    """Estimate a mean with the interval that fits its distribution, or say why there is none.

    Parameters
    ----------
    sums
        Cluster sums from :func:`payoff.clusters.cluster_sums`.
    level
        Confidence level, such as 0.95.
    unit
        Unit of the figure.
    identical
        Sentence that says why every row has the same value *by construction* (a constant, or two
        policies that act alike); without it, equal rows are no evidence of certainty and get none.
    constant
        Every amount is a declared constant, so fewer paying cases suffice.
    unseen
        The dearest declared outcome that no row had. Its rate may still be as high as
        ``-log(1 - level) / C`` (the rule of three); when that would move the mean by more than the
        interval reaches, the interval is refused.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    JASA 22. Efron, B. (1981). Nonparametric standard errors and confidence intervals. Canadian
    Journal of Statistics 9. Hanley, J. and Lippman-Hand, A. (1983). If nothing goes wrong, is
    everything all right? JAMA 249.

    Examples
    --------
    >>> sums = cluster_sums(np.arange(1000.0), np.ones(1000), None)
    >>> e = mean_money(sums, level=0.95, unit="EUR")
    >>> e.method, e.value, round(e.low, 3)
    ('t', 499.5, 481.577)
    """
    found = diagnose(sums, constant=constant, identical=identical, details=False)
    mean = sums.mean if found.independent else None
    method, reason = found.method, ""
    ends = None if mean is None else _ends(sums, mean, found, level)
    if ends is None or method == "exact":
        reason = found.because
    elif unseen is not None:
        refused = too_rare(unseen, found.independent, ends, level)
        if refused:
            ends, method, reason = None, "none", refused
    low, high = ends or (None, None)
    return Estimate(
        value=mean,
        low=low,
        high=high,
        level=level,
        unit=unit,
        n=sums.n,
        n_clusters=len(sums.s),
        method=method,
        reason=reason,
    )


def too_rare(unseen: Unseen, n: int, ends: tuple[float, float], level: float) -> str:
    """Say why an outcome that no case had forbids an interval; "" when it does not.

    Parameters
    ----------
    n
        Independent cases.
    ends
        The interval without it.
    """
    rate = -math.log1p(-level) / n
    if rate * unseen.money <= (ends[1] - ends[0]) / 2:
        return ""
    return (
        f"no case judged had the outcome {unseen.outcome!r}, which moves up to "
        f"{unseen.money:,.6g} per case: {n:,} cases do not rule out one in "
        f"{1 / rate:,.0f}, which would matter more than all that was seen"
    )


def _ends(sums: Sums, mean: float, found: Diagnosis, level: float) -> tuple[float, float] | None:
    if found.method == "exact":
        return mean, mean
    if found.method == "none":
        return None
    t = float(special.stdtrit(found.freedom, 0.5 + level / 2))
    if found.method == "t":
        error = standard_error(sums)
        return mean - t * error, mean + t * error
    return score_ends(sums, t)


def score_ends(sums: Sums, t: float) -> tuple[float, float]:
    """Return the means that the cases do not contradict, each with the variance it implies itself.

    Wilson's interval asks, of each possible share, whether the share seen is within t of *its*
    standard errors. Here the cases with residuals r (mean 0) are given weights
    ``p_c(a) = exp(a r_c) / sum exp(a r)``, which raise the mean to ``mu(a)`` and change the
    variance to ``var(a)``; an end is the first ``mu(a)``, up and down from 0, where
    ``mu(a)^2 (C - 1) = t^2 var(a)``. For money of two values it is Wilson's interval (with C - 1
    for C). Towards the long tail the variance grows with the mean, so that end reaches further.

    Parameters
    ----------
    sums
        Sums of C independent cases, not all alike.
    t
        Quantile of the level.

    Returns
    -------
    low, high
        Of the mean, money per unit of weight.

    References
    ----------
    Efron, B. (1981). Nonparametric standard errors and confidence intervals. Canadian Journal of
    Statistics 9 (exponential tilting). DiCiccio, T. and Romano, J. (1990). Nonparametric confidence
    limits by resampling methods and least favourable families. International Statistical Review 58.

    Examples
    --------
    >>> hit = cluster_sums(np.repeat([1.0, 0.0], [3, 98]), np.ones(101), None)
    >>> low, high = score_ends(hit, 1.96)
    >>> p, n = 3 / 101, 100
    >>> centre = (p + 1.96**2 / (2 * n)) / (1 + 1.96**2 / n)
    >>> half = 1.96 / (1 + 1.96**2 / n) * math.sqrt(p * (1 - p) / n + 1.96**2 / (4 * n * n))
    >>> abs(low - (centre - half)) < 1e-9, abs(high - (centre + half)) < 1e-9
    (True, True)
    """
    n = len(sums.s)
    most = float(np.abs(sums.residual).max())
    r = unit_scaled(sums.residual)
    scale = math.sqrt(float(r @ r) / n)
    u, count = r / scale, np.ones(1)
    if n <= 200_000 or len(np.unique(u[:: n // 10_000])) <= _MOST_CELLS // 10:
        cells, times = np.unique(u, return_counts=True)
        if len(cells) <= _MOST_CELLS:
            u, count = cells, times.astype(np.float64)

    def excess(signed: NDArray[np.float64]) -> Callable[[float], tuple[float, float]]:
        most = float(signed.max())

        def at(a: float) -> tuple[float, float]:
            p = count * np.exp(a * (signed - most))
            p /= p.sum()
            mean = float(p @ signed)
            variance = float(p @ (signed - mean) ** 2)
            return mean * math.sqrt(n - 1) - t * math.sqrt(variance), mean

        return at

    start = t / math.sqrt(n)
    up = _first_root(excess(u), start)
    down = _first_root(excess(-u), start)
    unit = most * scale * n / float(sums.w.sum())
    return sums.mean - down * unit, sums.mean + up * unit


def _first_root(at: Callable[[float], tuple[float, float]], start: float) -> float:
    """Return the mean where the excess first turns positive: doubling, then regula falsi."""
    a, at_a = 0.0, at(0.0)[0]
    b = start
    at_b, mean = at(b)
    for _ in range(_STEPS):
        if at_b >= 0:
            break
        a, at_a = b, at_b
        b *= 1.5
        at_b, mean = at(b)
    for _ in range(_STEPS):  # the Illinois method: b is the latest point, the root lies between
        if abs(b - a) <= 1e-12 * abs(b) or abs(at_b) <= 1e-13:
            break
        c = b - at_b * (b - a) / (at_b - at_a)
        at_c, mean = at(c)
        if at_c * at_b < 0:
            a, at_a = b, at_b
        else:
            at_a /= 2
        b, at_b = c, at_c
    return mean


def wilson(p: float, n: float, level: float) -> tuple[float, float]:
    """Return Wilson's score interval of a share.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    JASA 22.

    Examples
    --------
    >>> low, high = wilson(0.0, 10, 0.95)
    >>> round(low, 4), round(high, 4)
    (0.0, 0.2775)
    """
    z = float(special.ndtri(0.5 + level / 2))
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if p == 0 else max(0.0, centre - half)
    high = 1.0 if p == 1 else min(1.0, centre + half)
    return low, high


def share(
    hit: NDArray[np.bool_],
    weight: NDArray[np.float64],
    cluster: NDArray[np.int64] | None,
    *,
    level: float,
) -> Estimate:
    """Estimate a share with Wilson's interval on the effective number of independent rows.

    With weights or clusters n is replaced by ``p (1 - p) / se^2``; without, it is n itself.
    """
    sums = cluster_sums(hit.astype(np.float64), weight, cluster)
    total = float(sums.w.sum())
    p, effective = None, 0.0
    if total > 0:
        p = min(max(float(sums.s.sum()) / total, 0.0), 1.0)
        effective = total**2 / float(sums.w @ sums.w)
        if 0 < p < 1 and len(sums.s) > 1:
            error = standard_error(sums)
            if error > 0 and (cluster is not None or float(np.ptp(weight)) > 0):
                effective = min(p * (1 - p) / error**2, float(sums.n))
    return wilson_share(p, effective, level=level, n=sums.n, n_clusters=len(sums.s))


def wilson_share(
    p: float | None, effective: float, *, level: float, n: int, n_clusters: int
) -> Estimate:
    """Return a share with Wilson's interval on so many independent rows; None without rows."""
    low, high = (None, None) if p is None else wilson(p, effective, level)
    return Estimate(
        value=p,
        low=low,
        high=high,
        level=level,
        unit="share",
        n=n,
        n_clusters=n_clusters,
        method="none" if p is None else "wilson",
        reason="there are no rows" if p is None else "",
    )


def exact_share(hits: int, n: int, level: float) -> Estimate:
    """Estimate a share of n independent rows with Clopper and Pearson's exact interval.

    Ends are quantiles of beta distributions: ``B((1 - level) / 2; k, n - k + 1)`` and
    ``B((1 + level) / 2; k + 1, n - k)``.

    References
    ----------
    Clopper, C. and Pearson, E. (1934). The use of confidence or fiducial limits illustrated in the
    case of the binomial. Biometrika 26.

    Examples
    --------
    >>> e = exact_share(0, 100, 0.95)
    >>> e.value, e.low, round(e.high, 4)  # 1 - 0.025 ** (1 / 100)
    (0.0, 0.0, 0.0362)
    """
    tail = (1 - level) / 2
    return Estimate(
        value=hits / n,
        low=0.0 if hits == 0 else float(special.betaincinv(hits, n - hits + 1, tail)),
        high=1.0 if hits == n else float(special.betaincinv(hits + 1, n - hits, 1 - tail)),
        level=level,
        unit="share",
        n=n,
        n_clusters=n,
        method="clopper-pearson",
    )


def sharpest_share(
    hit: NDArray[np.bool_],
    weight: NDArray[np.float64],
    cluster: NDArray[np.int64] | None,
    *,
    level: float,
) -> Estimate:
    """Estimate a share of some rows: exactly where every row stands for itself, else as `share`.

    Rows stand for themselves without weights and clusters, or where each cluster has one of them.
    """
    alone = cluster is None or len(np.unique(cluster)) == len(cluster)
    if alone and float(np.ptp(weight)) == 0:
        return exact_share(int(hit.sum()), len(hit), level)
    return share(hit, weight, cluster, level=level)
