"""Sums of independent cases: the one place that knows what is independent of what.

A mean of rows is a ratio of sums over clusters, ``m = sum_c s_c / sum_c w_c`` with
``s_c = sum_i w_i v_i`` and ``w_c = sum_i w_i``; its linearised standard error over C clusters is
``se^2 = C/(C-1) * sum_c (s_c - m w_c)^2 / (sum_c w_c)^2``. Where no cluster is declared, a row is
its own. With equal weights and no clusters it is the textbook ``s / sqrt(n)``.

References
----------
Liang, K.-Y. and Zeger, S. (1986). Longitudinal data analysis using generalised linear models.
Biometrika 73.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sums", "cluster_sums", "mean_and_error", "standard_error", "unit_scaled"]


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums of each independent cluster: weighted value s, weight w; and the rows behind them."""

    s: NDArray[np.float64]
    w: NDArray[np.float64]
    n: int

    @property
    def mean(self) -> float:
        """The weighted mean of the rows."""
        return float(self.s.sum() / self.w.sum())

    @property
    def residual(self) -> NDArray[np.float64]:
        """What each cluster adds to the mean's error, float64 (C,); they sum to nothing."""
        return self.s - self.mean * self.w


def cluster_sums(
    value: NDArray[np.float64],
    weight: NDArray[np.float64],
    cluster: NDArray[np.integer] | None,
) -> Sums:
    """Add up rows by cluster; rows of weight 0 and empty clusters leave no trace.

    Parameters
    ----------
    value, weight
        float64 (n,), value per unit and units each row stands for.
    cluster
        integer (n,) codes from 0, or None when every row is its own cluster.

    Examples
    --------
    >>> sums = cluster_sums(np.array([1.0, 2.0, 6.0]), np.ones(3), np.array([0, 0, 7]))
    >>> sums.s.tolist(), sums.w.tolist(), sums.n, sums.mean
    ([3.0, 6.0], [2.0, 1.0], 3, 3.0)
    """
    if cluster is None:
        kept = weight > 0
        if kept.all():
            return Sums(value * weight, weight, len(value))
        return Sums((value * weight)[kept], weight[kept], int(kept.sum()))
    s = np.bincount(cluster, weights=value * weight).astype(np.float64)
    w = np.bincount(cluster, weights=weight).astype(np.float64)
    kept = w > 0
    return Sums(s[kept], w[kept], int((weight > 0).sum()))


def standard_error(sums: Sums) -> float:
    """Return the cluster-robust standard error of the mean; 0 for a single cluster.

    A single cluster tells nothing of its error: whoever may meet one must ask for two first.

    Examples
    --------
    >>> sums = cluster_sums(np.array([1.0, 2.0, 3.0]), np.ones(3), None)
    >>> round(standard_error(sums), 6)  # 1 / sqrt(3)
    0.57735
    """
    r, n = sums.residual, len(sums.s)
    most = float(np.abs(r).max())
    r = unit_scaled(r)
    return most * math.sqrt(float(r @ r) * n / max(n - 1, 1)) / float(sums.w.sum())


def unit_scaled(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide by the largest absolute value, so that powers neither overflow nor vanish.

    Examples
    --------
    >>> unit_scaled(np.array([1e-200, -2e-200])).tolist(), unit_scaled(np.zeros(2)).tolist()
    ([0.5, -1.0], [0.0, 0.0])
    """
    most = float(np.abs(x).max())
    return x / most if most > 0 else x


def mean_and_error(
    value: NDArray[np.float64],
    weight: NDArray[np.float64],
    cluster: NDArray[np.integer] | None,
) -> tuple[float, float]:
    """Return the weighted mean of values (or of paired differences) and its standard error.

    Examples
    --------
    >>> ones = np.ones(4)
    >>> mean_and_error(np.array([1.0, 1.0, 3.0, 3.0]), ones, np.array([0, 0, 1, 1]))
    (2.0, 1.0)
    """
    sums = cluster_sums(value, weight, cluster)
    return sums.mean, standard_error(sums)
