"""Means of several figures on the same rows, with their covariance; ratios; and joint draws.

A ratio mean is ``m = sum_i w_i x_i / sum_i w_i``; linearised, ``m* - m`` is the mean of the
residuals ``r_i = w_i (x_i - m) / W``, and the covariance of k such means over C independent
clusters is ``C / (C - 1) * sum_c r_c r_c'`` with ``r_c`` the cluster's sum. For one figure it is
the standard error of :mod:`payoff.evidence.interval`.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.evidence.evidence import Estimate
from payoff.evidence.measured import Draws, Joint, Measured
from payoff.rng import generator

__all__ = [
    "Draws",
    "Joint",
    "best_shares",
    "covariance",
    "fieller",
    "figure",
    "joint_draws",
    "joint_means",
    "quantile_t",
]

#: Up to so many independent cases they are drawn with replacement; beyond, their means are normal.
_MOST_DRAWN: Final = 12_000
#: Up to so many different cases their counts are drawn, whatever the number of rows.
_MOST_KINDS: Final = 3_000
DRAWS: Final = 2_000


def covariance(
    residual: NDArray[np.float64], cluster: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """Return the covariance of sums of residuals, over clusters where they are given.

    Parameters
    ----------
    residual
        float64 (n, k), contributions that sum to 0 in each column.
    cluster
        int64 (n,) codes, or None when every row is its own.

    Examples
    --------
    >>> covariance(np.array([[1.0], [-1.0]]), None).tolist()
    [[4.0]]
    """
    if cluster is not None:
        residual = np.stack(
            [np.bincount(cluster, weights=residual[:, k]) for k in range(residual.shape[1])], axis=1
        )
        size = len(np.unique(cluster))
    else:
        size = len(residual)
    if size < 2:
        return np.full((residual.shape[1], residual.shape[1]), np.nan)
    return np.asarray(residual.T @ residual * (size / (size - 1)), dtype=np.float64)


def joint_means(
    columns: NDArray[np.float64],
    weight: NDArray[np.float64],
    cluster: NDArray[np.int64] | None,
) -> Joint:
    """Return the weighted means of columns and their covariance.

    Parameters
    ----------
    columns
        float64 (n, k).
    weight
        float64 (n,).

    Examples
    --------
    >>> found = joint_means(np.array([[0.0, 1.0], [2.0, 1.0]]), np.ones(2), None)
    >>> found.mean.tolist(), found.cov.tolist()
    ([1.0, 1.0], [[1.0, 0.0], [0.0, 0.0]])
    """
    total = float(weight.sum())
    mean = np.asarray(weight @ columns / total, dtype=np.float64)
    residual = columns - mean
    residual *= (weight / total)[:, None]
    return Joint(
        mean=mean,
        cov=covariance(residual, cluster),
        n=int((weight > 0).sum()),
        n_clusters=_independent(weight, cluster),
    )


def _independent(weight: NDArray[np.float64], cluster: NDArray[np.int64] | None) -> int:
    if cluster is None:
        return int((weight > 0).sum())
    return int((np.bincount(cluster, weights=weight) > 0).sum())


def quantile_t(level: float, n_clusters: int) -> float:
    """Return the two-sided quantile of Student's t for so many independent cases."""
    return float(special.stdtrit(max(n_clusters - 1, 1), 0.5 + level / 2))


def fieller(
    d: float, slope: float, cov: NDArray[np.float64], t: float
) -> tuple[float, float] | None:
    """Return the interval of the root of ``d + u slope`` by Fieller's theorem, or None.

    All u for which the t test of ``d + u slope = 0`` does not reject. None where that set is not an
    interval: the slope itself cannot be told from zero.

    Parameters
    ----------
    d, slope
        Estimates.
    cov
        float64 (2, 2), covariance of the two.
    t
        Quantile.

    References
    ----------
    Fieller, E. C. (1954). Some problems in interval estimation. JRSS B 16.

    Examples
    --------
    >>> low, high = fieller(-4.0, 2.0, np.array([[1.0, 0.0], [0.0, 0.0]]), 2.0)
    >>> low, high
    (1.0, 3.0)
    """
    a = slope * slope - t * t * cov[1, 1]
    b = d * slope - t * t * cov[0, 1]
    c = d * d - t * t * cov[0, 0]
    inside = b * b - a * c
    if not (a > 1e-12 * slope * slope and inside >= 0):
        return None
    half = math.sqrt(inside)
    return float((-b - half) / a), float((-b + half) / a)


def figure(
    judged: Measured,
    value: float | None,
    ends: tuple[float, float] | None,
    unit: str,
    reason: str = "",
    method: str = "fieller",
) -> Estimate:
    """Return a figure on all judging rows as an estimate; without ends, ``reason`` says why."""
    return Estimate(
        value=value,
        low=None if ends is None else ends[0],
        high=None if ends is None else ends[1],
        level=judged.decision.evidence.level,
        unit=unit,
        n=judged.n,
        n_clusters=judged.policies[0].value.n_clusters,
        method="none" if ends is None else method,
        reason=reason,
    )


def joint_draws(
    columns: NDArray[np.float64],
    weight: NDArray[np.float64],
    cluster: NDArray[np.int64] | None,
    *,
    seed: int,
    draws: int = DRAWS,
) -> Draws:
    """Draw the means of columns as other rows from the same world would have given them.

    The same resample serves all columns, so differences keep their own, smaller, spread. Few
    different cases: multinomial counts. Up to 12,000 independent cases: cases are drawn with
    replacement. Beyond: the joint normal limit.

    Parameters
    ----------
    columns
        float64 (n, k), a figure of each unit per column.
    weight, cluster
        float64 (n,); int64 (n,), or None where every unit is its own case.
    seed
        Root seed.
    """
    rng = generator(seed, "joint draws")
    size = _independent(weight, cluster)
    if size > _MOST_DRAWN:
        found = joint_means(columns, weight, cluster)
        return Draws(
            means=rng.multivariate_normal(found.mean, found.cov, size=draws, method="eigh"),
            method="normal",
        )
    sums = np.concatenate([columns * weight[:, None], weight[:, None]], axis=1)
    if cluster is not None:
        sums = np.stack(
            [np.bincount(cluster, weights=sums[:, k]) for k in range(sums.shape[1])], axis=1
        )
    sums = sums[sums[:, -1] > 0]
    kinds, counts = np.unique(sums, axis=0, return_counts=True)
    if len(kinds) <= _MOST_KINDS and len(kinds) < len(sums) / 4:
        totals = rng.multinomial(len(sums), counts / len(sums), size=draws) @ kinds
    else:
        totals = _resampled(sums, draws, rng)
    return Draws(means=totals[:, :-1] / totals[:, -1:], method="bootstrap")


def _resampled(
    sums: NDArray[np.float64], draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Sum cases drawn with replacement, in blocks that fit the memory."""
    n = len(sums)
    out = np.empty((draws, sums.shape[1]))
    block = max(1, 4_000_000 // n)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        picks = rng.integers(0, n, size=(size, n)) + np.arange(size)[:, None] * n
        counts = np.bincount(picks.ravel(), minlength=size * n).reshape(size, n)
        out[start : start + size] = counts @ sums
    return out


def best_shares(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of draws each option wins; options that tie share the draw.

    Parameters
    ----------
    means
        float64 (draws, k).

    Examples
    --------
    >>> best_shares(np.array([[1.0, 0.0], [2.0, 2.0]])).tolist()
    [0.75, 0.25]
    """
    scale = 1e-12 * np.abs(means).max(axis=1, keepdims=True)
    top = means >= means.max(axis=1, keepdims=True) - scale
    return np.asarray((top / top.sum(axis=1, keepdims=True)).mean(axis=0), dtype=np.float64)
