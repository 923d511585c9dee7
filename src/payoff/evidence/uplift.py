"""Who gains from being acted upon: the Qini curve in money, its coefficient, fifths by uplift.

With d_i = Gamma_i(action) - Gamma_i(other), the doubly robust effect score of a row, the gain of
treating the share phi with the largest predicted effect is the sum of d_i over them, per row of
all. Every figure is a mean of known values per row, so it has the interval of a mean.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["gain_curve", "positions", "qini_scores"]

_EPSILON: Final = 1e-300


def positions(
    score: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the share of units that score lower (ties count half), and the tie group of each row.

    Parameters
    ----------
    score, weight
        float64 (n,).

    Examples
    --------
    >>> positions(np.array([3.0, 1.0, 1.0, 9.0]), np.ones(4))[0].tolist()
    [0.625, 0.25, 0.25, 0.875]
    """
    _, group = np.unique(score, return_inverse=True)
    size = np.bincount(group, weights=weight)
    below = np.cumsum(size) - size
    return np.asarray((below + size / 2)[group] / size.sum()), group


def qini_scores(
    score: NDArray[np.float64], effect: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return values per row whose mean is the Qini coefficient, with the right variance.

    The coefficient is the area between the gain curve and the straight line of treating at random,
    ``Q = mean d_i (F_i - 1/2)``, where F_i is the share of units scored lower (ties half). It is a
    U-statistic; the value returned per row is its projection
    ``d_i (F_i - 1/2) + H_i - mean(H)`` with ``H_i = sum_j w_j d_j 1{s_j > s_i} / W`` (ties half),
    so that the variance of ranks counts as well.

    Parameters
    ----------
    score
        float64 (n,), predicted effect: who is treated first.
    effect
        float64 (n,), effect score d_i in money.
    weight
        float64 (n,), units each row stands for.

    References
    ----------
    Radcliffe, N. J. (2007). Using control groups to target on predicted lift. Hoeffding, W. (1948).
    A class of statistics with asymptotically normal distribution. Ann. Math. Stat. 19.

    Examples
    --------
    Two rows, the better one first: the curve goes from 0 to 1/2 at one half and stays there, so the
    area under it is 1/8 + 1/4; under the straight line to 1/2 it is 1/4.

    >>> values = qini_scores(np.array([2.0, 1.0]), np.array([1.0, 0.0]), np.ones(2))
    >>> float(values.mean())
    0.125
    """
    share, group = positions(score, weight)
    total = weight.sum()
    mass = np.bincount(group, weights=weight * effect)
    above = mass.sum() - np.cumsum(mass) + mass / 2
    over = above[group] / total
    centred = over - float(weight @ over / total)
    return np.asarray(effect * (share - 0.5) + centred)


def gain_curve(
    score: NDArray[np.float64],
    effect: NDArray[np.float64],
    weight: NDArray[np.float64],
    shares: NDArray[np.float64],
    cluster: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the gain per unit of treating the top shares, and its standard error.

    Rows of one score are treated in part, each with the same chance. The error holds for a share
    chosen beforehand.

    Parameters
    ----------
    shares
        float64 (k,), from 0 to 1.
    cluster
        int64 (n,), or None.

    Examples
    --------
    >>> gain, _ = gain_curve(
    ...     np.array([2.0, 1.0]), np.array([1.0, -1.0]), np.ones(2), np.array([0, 0.5, 1])
    ... )
    >>> gain.tolist()
    [0.0, 0.5, 0.0]
    """
    _, group = np.unique(score, return_inverse=True)
    size = np.bincount(group, weights=weight)
    total = float(size.sum())
    above = (size.sum() - np.cumsum(size)) / total  # share of units scored higher
    gain, error = np.empty(len(shares)), np.empty(len(shares))
    for k, share in enumerate(shares):
        part = np.clip((share - above) / np.maximum(size / total, _EPSILON), 0.0, 1.0)
        values = effect * part[group]
        gain[k] = float(weight @ values) / total
        residual = weight * (values - gain[k])
        if cluster is not None:
            residual = np.bincount(cluster, weights=residual)
        n = max(len(residual), 2)
        error[k] = np.sqrt(float(residual @ residual) * n / (n - 1)) / total
    return gain, error
