"""Shrunken means: each group's mean drawn towards that of all groups, by how little it knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.subgroups.simultaneous import Cases, CaseSums, RowSums

__all__ = ["FEWEST_GROUPS", "Shrunken", "sampling_variance", "shrink"]

#: With fewer groups their spread cannot be told from chance (James and Stein need four).
FEWEST_GROUPS: Final = 4
_BORROWED: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shrunken:
    """Empirical Bayes estimates of G group means.

    Parameters
    ----------
    mean, tau2
        Mean of the groups, and variance of their true means around it.
    weight
        float64 (G,), share B of the common mean in each estimate.
    estimate, error
        float64 (G,), the shrunken mean and its standard error.
    """

    mean: float
    tau2: float
    weight: NDArray[np.float64]
    estimate: NDArray[np.float64]
    error: NDArray[np.float64]


def sampling_variance(cases: Cases | CaseSums, kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the sampling variance of every group's mean, its spread mostly that of all groups.

    A small group's own variance goes with its mean: a group that happened to see no large gain has
    both a low mean and a low variance, and would be trusted most. So each group's variance borrows
    300 cases' worth of the pooled one; a group of thousands keeps its own. In simulation this comes
    as near to the truth as pooling alone where groups are equally spread, and nearer where not.

    Parameters
    ----------
    cases
        Independent cases, or their sums.
    kept
        bool (G,), the groups whose spread is pooled.

    Returns
    -------
    ndarray
        float64 (G,), ``v_g n_g / W_g^2`` with
        ``v_g = (sum (s - m_g w)^2 + k v) / (n_g - 1 + k)``, k = 300 and
        ``v = sum_g sum (s - m_g w)^2 / sum_g (n_g - 1)``; NaN where a group is not kept.
    """
    sums = RowSums.of(cases, len(kept)) if isinstance(cases, Cases) else cases
    n = sums.sizes
    s, w, ss, sw, ww = sums.found.T
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(kept, s / w, 0.0)
        own = ss - 2 * mean * sw + mean * mean * ww
        own = np.where(own > 1e-14 * ss, own, 0.0)  # less is the rounding of the sums
        pooled = float(own[kept].sum()) / max(int((n[kept] - 1).sum()), 1)
        spread = (own + _BORROWED * pooled) / (n - 1 + _BORROWED)
        return np.where(kept, spread * n / w**2, np.nan)


def shrink(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> Shrunken | None:
    """Draw group means towards their common mean (empirical Bayes, normal model).

    Parameters
    ----------
    mean, variance
        float64 (G,), each group's mean and sampling variance.

    Returns
    -------
    Shrunken or None
        None for fewer than four groups, or without any sampling variance.

    Notes
    -----
    The variance of the true means is DerSimonian and Laird's
    ``tau^2 = max(0, (Q - (G - 1)) / (sum a - sum a^2 / sum a))`` with ``a = 1 / s^2`` and
    ``Q = sum a (m - m_a)^2``. Then ``B = s^2 / (s^2 + tau^2)``, the common mean weighs by
    ``1 / (s^2 + tau^2)``, and the estimate is ``B mu + (1 - B) m``. The standard error is Morris's,
    which allows for both the common mean and tau^2 being estimated:
    ``s^2 (1 - (G-1)/G B') + 2/(G-3) B'^2 (s_bar^2 + tau^2) / (s^2 + tau^2) (m - mu)^2`` with
    ``B' = (G-3)/(G-1) B``.

    References
    ----------
    DerSimonian, R., Laird, N. (1986). Meta-analysis in clinical trials. Controlled Clinical Trials
    7. Morris, C. N. (1983). Parametric empirical Bayes inference. JASA 78.

    Examples
    --------
    >>> found = shrink(np.array([0.0, 1.0, 2.0, 9.0]), np.ones(4))
    >>> round(found.tau2, 3), np.round(found.estimate, 3).tolist()
    (15.667, [0.18, 1.12, 2.06, 8.64])
    """
    groups = len(mean)
    if groups < FEWEST_GROUPS or not np.all(variance > 0):
        return None
    precision = 1 / variance
    centre = float(precision @ mean / precision.sum())
    q = float(precision @ (mean - centre) ** 2)
    room = float(precision.sum() - (precision @ precision) / precision.sum())
    tau2 = max(0.0, (q - (groups - 1)) / room) if room > 0 else 0.0
    total = variance + tau2
    weights = 1 / total
    mu = float(weights @ mean / weights.sum())
    share = variance / total
    careful = (groups - 3) / (groups - 1) * share
    average = float(weights @ variance / weights.sum())
    spread = variance * (1 - (groups - 1) / groups * careful)
    spread += 2 / (groups - 3) * careful**2 * (average + tau2) / total * (mean - mu) ** 2
    return Shrunken(
        mean=mu,
        tau2=tau2,
        weight=share,
        estimate=share * mu + (1 - share) * mean,
        error=np.sqrt(spread),
    )
