"""What showing an item is expected to earn: the chance of a hit by its rank, and its money."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["chance_at", "rank_chance", "shrunk_means"]

_STEPS: Final = 50


def rank_chance(hits: ArrayLike, shown: ArrayLike) -> tuple[float, float]:
    """Fit how the chance of a hit falls with the rank: ``1 / (1 + exp(-(a + b log r)))``.

    Parameters
    ----------
    hits, shown
        Numbers (N,): hits at rank r = 1..N, and lists that had an item there.

    Returns
    -------
    tuple of float
        a and b, b at most 0: maximum likelihood of a logistic regression on the logarithm of the
        rank, with half a hit and half a miss added in all so that it exists always.

    Examples
    --------
    >>> a, b = rank_chance([50, 25, 12], [100, 100, 100])
    >>> chance_at((a, b), 3).round(2)
    array([0.51, 0.23, 0.13])
    """
    h, n = np.asarray(hits, dtype=np.float64), np.asarray(shown, dtype=np.float64)
    if n.sum() == 0:
        return 0.0, 0.0
    x = np.log(np.arange(1, len(h) + 1))
    h, n = h + 0.5 * n / n.sum(), n + n / n.sum()
    mean = h.sum() / n.sum()
    flat = float(np.log(mean / (1 - mean)))
    design = np.stack([np.ones(len(x)), x], axis=1)
    beta = np.array([flat, 0.0])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (h - n * p)
        curvature = (design * (n * p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        beta += np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-10:
            break
    if len(x) < 2 or beta[1] > 0:
        return flat, 0.0
    return float(beta[0]), float(beta[1])


def chance_at(curve: tuple[float, float], n_ranks: int) -> NDArray[np.float64]:
    """Return the chance of a hit at ranks 1..n, float64 (n_ranks,)."""
    a, b = curve
    return np.asarray(1 / (1 + np.exp(-(a + b * np.log(np.arange(1, n_ranks + 1))))))


def shrunk_means(
    values: NDArray[np.float64], group: NDArray[np.int32], n_groups: int
) -> NDArray[np.float64]:
    """Return the mean of each group, drawn to that of all the more the less is known of it.

    Parameters
    ----------
    values
        float64 (e,).
    group
        int32 (e,), from 0 to ``n_groups - 1``.

    Returns
    -------
    ndarray
        float64 (n_groups,): ``(n_i mean_i + k mean) / (n_i + k)``.

    Notes
    -----
    ``k`` is the variance within groups over that between them, both estimated without bias
    (Buhlmann's credibility). Where groups differ by no more than chance, all get the common mean.

    References
    ----------
    Buhlmann and Straub (1970); Klugman, Panjer, Willmot, "Loss models", on credibility.

    Examples
    --------
    >>> shrunk_means(np.array([1.0, 1.0, 9.0, 9.0]), np.array([0, 0, 1, 1], dtype=np.int32), 3)
    array([1., 9., 5.])
    """
    n = np.bincount(group, minlength=n_groups).astype(np.float64)
    total = np.bincount(group, weights=values, minlength=n_groups)
    if len(values) == 0:
        return np.zeros(n_groups)
    grand = float(values.mean())
    mean = np.divide(total, n, out=np.full(n_groups, grand), where=n > 0)
    met, size = int(np.sum(n > 0)), float(n.sum())
    if size <= met or met < 2:
        return np.full(n_groups, grand)
    within = float(((values - mean[group]) ** 2).sum() / (size - met))
    spread = float((n * (mean - grand) ** 2).sum()) - (met - 1) * within
    between = spread / (size - float((n**2).sum()) / size)
    if between <= 0:
        return np.full(n_groups, grand)
    k = within / between
    return np.asarray((total + k * grand) / np.maximum(n + k, 1e-300) if k > 0 else mean)
