"""Learn then test: the loosest threshold whose error rate is tested to be low enough.

Thresholds are tried one after the other, in an order fixed before the testing rows are looked at,
each with a p-value of "its error rate exceeds the limit"; the first that does not pass ends it
(Bauer 1991). Whatever has passed before holds together with the stated confidence, whatever the
model, its calibration or the distribution of the rows.

References
----------
Angelopoulos, A. N., Bates, S., Candès, E. J., Jordan, M. I. and Lei, L. (2021). Learn then test:
calibrating predictive algorithms to achieve risk control. arXiv:2110.01052.
Bauer, P. (1991). Multiple testing in clinical trials. Statistics in Medicine 10.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.optimize import minimize_scalar

from payoff.clusters import cluster_sums
from payoff.rng import generator

__all__ = [
    "Trials",
    "binomial_tail",
    "fewest",
    "learn_order",
    "p_value",
    "try_in_order",
    "weighted_tail",
]

_BISECTIONS: Final = 60
_MOST_ROWS: Final = 1e9
#: Shares of the rows at which thresholds are tried.
_STEPS: Final = 100
#: How much more than is needed the other rows should say for the first threshold.
_CLEARLY: Final = 2.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trials:
    """Rows on which thresholds are tested.

    Parameters
    ----------
    sure
        float64 (n,), how sure the model is that its automatic action is right.
    wrong
        bool (n,), whether that action was an error.
    weight
        float64 (n,), units each row stands for.
    cluster
        int64 (n,) codes of what belongs together; None where every row stands for itself.
    """

    sure: Floats
    wrong: NDArray[np.bool_]
    weight: Floats
    cluster: NDArray[np.int64] | None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.sure)

    def once(self, seed: int) -> Trials:
        """Return one row of each cluster, drawn by the seed, each standing for itself."""
        if self.cluster is None:
            return self
        order = generator(seed, "one row of each cluster").permutation(len(self))
        rows = np.sort(order[np.unique(self.cluster[order], return_index=True)[1]])
        return Trials(
            sure=self.sure[rows], wrong=self.wrong[rows], weight=self.weight[rows], cluster=None
        )

    def at(self, threshold: float) -> tuple[Floats, Floats]:
        """Return, per independent case, the weight automated and the weight of errors in it."""
        acted = self.weight * (self.sure >= threshold)
        sums = cluster_sums(self.wrong.astype(np.float64), acted, self.cluster)
        some = sums.w > 0
        return sums.w[some], sums.s[some]


def binomial_tail(errors: float, n: float, limit: float) -> float:
    """Return the probability of at most so many errors among n if their rate were the limit.

    It is the p-value of "the rate exceeds the limit", and the dual of Clopper and Pearson's bound.

    Examples
    --------
    >>> round(binomial_tail(0, 149, 0.02), 4), round(binomial_tail(0, 148, 0.02), 4)
    (0.0493, 0.0503)
    """
    if n <= 0:
        return 1.0
    if errors >= n:
        return 1.0
    return float(special.betainc(n - errors, errors + 1, 1 - limit))


def weighted_tail(weight: Floats, errors: Floats, limit: float) -> float:
    """Bound the probability of so little error weight if the weighted rate were the limit.

    Parameters
    ----------
    weight
        float64 (C,), above 0, weight of each independent case.
    errors
        float64 (C,), 0 up to ``weight``: the part of it that is wrong.

    Returns
    -------
    float
        A p-value, valid for every sample size and for any dependence within a case, given the
        weights.

    Notes
    -----
    The shares wrong, ``Y_c = errors_c / weight_c``, lie in [0, 1] and are independent with unknown
    means m_c. By convexity ``E exp(-t w_c Y_c) <= 1 - m_c (1 - exp(-t w_c))``, so for every t > 0
    ``log P(sum w Y <= s) <= t s + sum_c log(1 - m_c g_c)``, ``g_c = 1 - exp(-t w_c)`` (Chernoff;
    Hoeffding 1963, theorem 1). The means are taken as bad as ``sum w m >= limit sum w`` allows, by
    the dual: for every v >= 0 the sum is at most ``sum_c max_m [log(1 - m g_c) + v w_c m] - v limit
    sum w``, the maximum being at ``m = 1/g_c - 1/(v w_c)``, cut to [0, 1]. Any t and v give a valid
    bound; the smallest is returned.

    Examples
    --------
    >>> even = weighted_tail(np.ones(400), np.repeat([1.0, 0.0], [2, 398]), 0.02)
    >>> even < 0.1 and even >= binomial_tail(2, 400, 0.02)
    True
    """
    total, seen = float(weight.sum()), float(errors.sum())
    if total <= 0 or seen >= limit * total:
        return 1.0
    mean = total / len(weight)
    w, count = np.unique(weight / mean, return_counts=True)
    target, seen = limit * float(count @ w), seen / mean

    def log_bound(log_t: float) -> float:
        t = math.exp(log_t)
        g = -np.expm1(-t * w)
        low, high = 1e-9, 1e9
        for _ in range(_BISECTIONS):  # the multiplier at which the means just keep to the limit
            v = math.sqrt(low * high)
            m = np.clip(1 / g - 1 / (v * w), 0.0, 1.0)
            low, high = (v, high) if float(count @ (w * m)) < target else (low, v)
        worst = float(count @ (np.log1p(-np.minimum(m * g, 1 - 1e-16)) + v * w * m))
        return t * seen + worst - v * target

    start = math.log(1 / limit) - math.log(max(float(w.max()), 1.0))
    found = minimize_scalar(log_bound, bounds=(start - 12, start + 6), method="bounded")
    return min(1.0, math.exp(min(0.0, float(found.fun))))


def p_value(weight: Floats, errors: Floats, limit: float) -> float:
    """Return the p-value of "the error rate exceeds the limit".

    Exact (binomial) where every case has the same weight and is right or wrong as a whole; else
    :func:`weighted_tail`.
    """
    if len(weight) == 0:
        return 1.0
    whole = (errors == 0) | (errors == weight)
    if np.all(weight == weight[0]) and np.all(whole):
        return binomial_tail(float(np.count_nonzero(errors)), float(len(weight)), limit)
    return weighted_tail(weight, errors, limit)


def learn_order(trials: Trials, limit: float, confidence: float) -> tuple[float, ...]:
    """Return the thresholds to test, from strict to loose, learnt from rows that will not test.

    Thresholds are those at each hundredth of the rows, and 0. Too strict a start has too few rows
    to pass, too loose a one too many errors, and if the first does not pass nothing does. So the
    first is the strictest at which these rows speak for an error rate below the limit twice as
    clearly as is needed, in information (Kullback and Leibler), half an error added; where none
    does, the one at which they speak most clearly. What they say is used for the order only.
    """
    if len(trials) == 0:
        return (0.0,)
    ordered = np.argsort(-trials.sure, kind="stable")
    reached = np.cumsum(trials.weight[ordered]) / max(float(trials.weight.sum()), 1e-300)
    places = np.searchsorted(reached, np.arange(1, _STEPS) / _STEPS, side="left")
    strict = trials.sure[ordered][np.minimum(places, len(trials) - 1)]
    grid = [*sorted({float(s) for s in strict if s > 0}, reverse=True), 0.0]
    speaks = []
    for threshold in grid:
        weight, errors = trials.at(threshold)
        total = float(weight.sum())
        n = total**2 / float(weight @ weight) if total > 0 else 0.0
        rate = (n * float(errors.sum()) / total + 0.5) / (n + 1) if total > 0 else 1.0
        speaks.append(n * _divergence(rate, limit) if rate < limit else 0.0)
    clear = np.flatnonzero(np.array(speaks) >= _CLEARLY * -math.log(1 - confidence))
    return tuple(grid[int(clear[0]) if len(clear) else int(np.argmax(speaks)) :])


def _divergence(rate: float, limit: float) -> float:
    """Return the information, per row, of a rate against the limit."""
    return float(special.rel_entr(rate, limit) + special.rel_entr(1 - rate, 1 - limit))


def try_in_order(
    trials: Trials, order: Sequence[float], limit: float, confidence: float
) -> list[float]:
    """Test thresholds in order until one does not pass.

    Returns
    -------
    list of float
        The p-value of each threshold tried; all but the last one passed, and the last one too when
        none is left.
    """
    found = []
    for threshold in order:
        found.append(p_value(*trials.at(threshold), limit))
        if found[-1] > 1 - confidence:
            break
    return found


def fewest(rate: float, limit: float, confidence: float) -> float | None:
    """Return how many automated rows prove that a rate is below the limit; None if none do.

    Parameters
    ----------
    rate
        The error rate as it is taken to be.

    Examples
    --------
    >>> fewest(0.0, 0.02, 0.95), fewest(0.01, 0.02, 0.95), fewest(0.03, 0.02, 0.95)
    (149, 569, None)
    """
    if rate >= limit:
        return None
    low, high = 1, 1
    while binomial_tail(rate * high, high, limit) > 1 - confidence:
        low, high = high, 2 * high
        if high > _MOST_ROWS:
            return None
    while low < high:
        middle = (low + high) // 2
        if binomial_tail(rate * middle, middle, limit) > 1 - confidence:
            low = middle + 1
        else:
            high = middle
    return high
