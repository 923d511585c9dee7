"""Values of policies from past decisions: three estimators, how many rows they rest on, bounds."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from payoff.evidence.evidence import Estimate
from payoff.evidence.interval import cluster_sums, mean_money
from payoff.policy.past import PastStakes
from payoff.policy.stakes import Stakes

__all__ = [
    "FEWEST_MATCHED",
    "bounded",
    "effective_sample_size",
    "imbens_manski",
    "inverse_propensity",
    "no_overlap",
    "self_normalised",
]

#: Fewer rows than this on which past and policy agree: no value, only bounds.
FEWEST_MATCHED: Final = 30
#: Weights of an action's rows sum to their number where there is overlap; this far below, not.
_LEAST_COVERED: Final = 0.9
_SURE: Final = 3.0


def effective_sample_size(weight: NDArray[np.float64]) -> float:
    """Return how many equally weighted rows say as much: ``(sum w)^2 / sum w^2``.

    References
    ----------
    Kish, L. (1965). Survey Sampling. Wiley, sec. 11.7.

    Examples
    --------
    >>> effective_sample_size(np.array([2.0, 2.0, 0.0])), effective_sample_size(np.array([3.0, 1]))
    (2.0, 1.6)
    """
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def inverse_propensity(
    stakes: Stakes, weight: NDArray[np.float64], *, level: float, unit: str
) -> Estimate:
    """Estimate the value as the mean of ``w_i v_i`` over all rows: unbiased, and often wide.

    Parameters
    ----------
    weight
        float64 (n,), inverse-propensity weights of the policy.

    References
    ----------
    Horvitz, D. G. & Thompson, D. J. (1952). JASA 47.
    """
    past = _past(stakes)
    values = weight * np.where(weight > 0, past.money, 0.0)
    sums = cluster_sums(values, stakes.weight, stakes.resampled)
    return mean_money(sums, level=level, unit=unit)


def self_normalised(
    stakes: Stakes, weight: NDArray[np.float64], *, level: float, unit: str
) -> Estimate:
    """Estimate the value as ``sum w_i v_i / sum w_i`` over the rows where past and policy agree.

    References
    ----------
    Hajek, J. (1971). Comment on Basu. Swaminathan, A. & Joachims, T. (2015). The self-normalized
    estimator for counterfactual learning. NeurIPS.
    """
    past = _past(stakes)
    values = np.where(weight > 0, past.money, 0.0)
    sums = cluster_sums(values, stakes.weight * weight, stakes.resampled)
    return mean_money(sums, level=level, unit=unit)


def _past(stakes: Stakes) -> PastStakes:
    if stakes.past is None:
        raise ValueError("these rows record no past decisions")
    return stakes.past


def no_overlap(stakes: Stakes, codes: NDArray[np.int16], names: tuple[str, ...]) -> str:
    """Say why past decisions cannot tell the value of given actions; empty where they can.

    Where every row could have got the policy's action, the inverse-propensity weights of the rows
    given an action sum to their number. They fall short where some rows could never have got it.

    Parameters
    ----------
    codes
        int16 (n,), the policy's action on each row.
    names
        Words for the actions.
    """
    past = _past(stakes)
    agree = codes == past.taken
    matched = int(agree.sum())
    if matched < FEWEST_MATCHED:
        return (
            f"the past did the same on {matched:,} of {len(codes):,} rows only (at least "
            f"{FEWEST_MATCHED} are needed)"
        )
    weight = past.weights(codes)
    for action in np.unique(codes):
        rows = codes == action
        if not (past.taken == action).any():
            return f"“{names[action]}” was never done in the past"
        if past.how == "randomised" or rows.sum() < FEWEST_MATCHED:
            continue
        own, w = weight[rows], stakes.weight[rows]
        covered = float(w @ own / w.sum())
        error = math.sqrt(float((w * (own - covered)) @ (w * (own - covered)))) / float(w.sum())
        if covered + _SURE * error < _LEAST_COVERED:
            return (
                f"for about {(1 - covered) * 100:.0f} % of the rows that would get "
                f"“{names[action]}”, the past never did it to rows like them"
            )
    return ""


def imbens_manski(
    low: tuple[float, float], high: tuple[float, float], level: float
) -> tuple[float, float]:
    """Return an interval that covers a value known to lie between two estimated ends.

    ``[l - c s_l, h + c s_h]`` with c from ``Phi(c + (h - l) / max(s_l, s_h)) - Phi(-c) = level``:
    one-sided quantiles where the ends lie far apart, two-sided ones where they meet.

    Parameters
    ----------
    low, high
        Estimate and standard error of either end.

    References
    ----------
    Imbens, G. W. & Manski, C. F. (2004). Confidence intervals for partially identified parameters.
    Econometrica 72(6), eq. 7.

    Examples
    --------
    >>> low, high = imbens_manski((0.0, 1.0), (0.0, 1.0), 0.95)
    >>> round(low, 3), round(high, 3)
    (-1.96, 1.96)
    >>> round(imbens_manski((0.0, 1.0), (100.0, 1.0), 0.95)[0], 3)
    -1.645
    """
    width = max(high[0] - low[0], 0.0)
    most = max(low[1], high[1])
    if most <= 0:
        return low[0], high[0]

    def short(c: float) -> float:
        return float(special.ndtr(c + width / most) - special.ndtr(-c)) - level

    c = float(optimize.brentq(short, 0.0, 10.0, xtol=1e-12))
    return low[0] - c * low[1], high[0] + c * high[1]


def bounded(
    stakes: Stakes,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    *,
    level: float,
    unit: str,
    reason: str,
) -> tuple[Estimate, tuple[float, float]]:
    """Return an estimate without a value but with bounds, and the two ends themselves.

    Parameters
    ----------
    low, high
        float64 (n,), least and largest money of each unit.
    reason
        Why there is no value; the bounds are added to it.
    """
    ends = []
    n_clusters = 0
    for values in (low, high):
        sums = cluster_sums(values, stakes.weight, stakes.resampled)
        n_clusters = len(sums.s)
        total = float(sums.w.sum())
        mean = float(sums.s.sum()) / total
        residual = sums.s - mean * sums.w
        error = math.sqrt(float(residual @ residual) * n_clusters / max(n_clusters - 1, 1)) / total
        ends.append((mean, error))
    first, last = imbens_manski(ends[0], ends[1], level)
    return (
        Estimate(
            value=None,
            low=first,
            high=last,
            level=level,
            unit=unit,
            n=len(stakes),
            n_clusters=n_clusters,
            method="bounds",
            reason=reason,
        ),
        (ends[0][0], ends[1][0]),
    )
