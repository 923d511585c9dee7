"""Reliability by isotonic regression: what a score loses to miscalibration, and where.

CORP (Dimitriadis, Gneiting and Jordan 2021): with ``q`` the isotonic (pool-adjacent-violators)
regression of the outcome on the probability ``p`` and ``r`` the base rate, any proper score S
splits exactly into ``S(p) = MCB - DSC + UNC``: miscalibration ``MCB = S(p) - S(q)``, discrimination
``DSC = S(r) - S(q)``, uncertainty ``UNC = S(r)``. All are at least 0, and nothing is binned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from payoff.rng import generator

__all__ = ["Grouped", "corp", "corp_of", "grouped", "joined", "pooled"]

_MOST_GROUPS: Final = 500
_SIMULATIONS: Final = 400
_SHOWN: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grouped:
    """Rows of equal (or nearly equal) probability, in ascending order, float64 (g,) each.

    Parameters
    ----------
    prob, rate
        Mean probability and share of the positive outcome.
    weight, n
        Sum of weights, and effective number of rows ``(sum w)^2 / sum w^2``.
    """

    prob: NDArray[np.float64]
    rate: NDArray[np.float64]
    weight: NDArray[np.float64]
    n: NDArray[np.float64]


def grouped(
    prob: NDArray[np.float64], hit: NDArray[np.bool_], weight: NDArray[np.float64]
) -> Grouped:
    """Add up the rows of each probability."""
    order = np.argsort(prob, kind="stable")
    p, w = prob[order], weight[order]
    starts = np.flatnonzero(np.concatenate([[True], p[1:] != p[:-1]]))
    total = np.add.reduceat(w, starts)
    kept = total > 0
    total = total[kept]
    squares = np.add.reduceat(w * w, starts)[kept]
    return Grouped(
        prob=p[starts][kept],
        rate=np.add.reduceat(w * hit[order], starts)[kept] / total,
        weight=total,
        n=total**2 / squares,
    )


def joined(every: Grouped, most: int) -> Grouped:
    """Join neighbouring groups to at most ``most``, of nearly equal weight."""
    place = np.floor(np.cumsum(every.weight) / every.weight.sum() * most * (1 - 1e-12))
    starts = np.flatnonzero(np.concatenate([[True], place[1:] != place[:-1]]))
    w = every.weight
    total = np.add.reduceat(w, starts)
    return Grouped(
        prob=np.add.reduceat(w * every.prob, starts) / total,
        rate=np.add.reduceat(w * every.rate, starts) / total,
        weight=total,
        n=total**2 / np.add.reduceat(w * w / every.n, starts),
    )


def pooled(rate: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the isotonic regression (pool adjacent violators), float64 (g,).

    Examples
    --------
    >>> pooled(np.array([0.2, 0.0, 1.0]), np.ones(3)).tolist()
    [0.1, 0.1, 1.0]
    """
    fitted = optimize.isotonic_regression(rate, weights=weight)
    return np.asarray(np.clip(fitted.x, 0.0, 1.0), dtype=np.float64)


def corp(
    prob: NDArray[np.float64],
    hit: NDArray[np.bool_],
    weight: NDArray[np.float64],
    *,
    design: float,
    level: float,
    seed: int,
) -> dict[str, Any]:
    """Return both decompositions, a test of calibration, and the reliability curve with its band.

    Parameters
    ----------
    prob, hit, weight
        (n,): probability of the positive outcome, whether it happened, weight.
    design
        How many times clusters widen the variance; 1 for independent rows.
    level
        Level of the band.
    seed
        Root seed.

    Returns
    -------
    dict
        ``brier`` and ``log_loss`` (``score``, ``miscalibration``, ``discrimination``,
        ``uncertainty``), ``p_value`` (of as much miscalibration by chance alone), ``curve``
        (``prob``, ``rate``, and ``low``, ``high`` between which the curve lies at ``level`` where
        the probabilities are right).

    References
    ----------
    Dimitriadis, T., Gneiting, T. and Jordan, A. I. (2021). Stable reliability diagrams for
    probabilistic classifiers. PNAS 118.
    """
    return corp_of(grouped(prob, hit, weight), design=design, level=level, seed=seed)


def corp_of(exact: Grouped, *, design: float, level: float, seed: int) -> dict[str, Any]:
    """Return what :func:`corp` does, from rows that are grouped by probability already."""
    fitted = pooled(exact.rate, exact.weight)
    base = float(np.average(exact.rate, weights=exact.weight))
    flat = np.full(len(exact.rate), base)
    few = exact if len(exact.prob) <= _MOST_GROUPS else joined(exact, _MOST_GROUPS)
    p_value, low, high, curve = _band(few, design, level, seed)
    shown = np.unique(
        np.searchsorted(
            np.cumsum(few.weight) / few.weight.sum(), np.linspace(0, 1, _SHOWN), side="left"
        ).clip(0, len(few.prob) - 1)
    )
    found: dict[str, Any] = {}
    for name, score in (("brier", _brier), ("log_loss", _log)):
        own, best, nothing = (
            float(np.average(score(x, exact.rate), weights=exact.weight))
            for x in (exact.prob, fitted, flat)
        )
        found[name] = {
            "score": own,
            "miscalibration": own - best,
            "discrimination": nothing - best,
            "uncertainty": nothing,
        }
    return found | {
        "p_value": p_value,
        "simulations": _SIMULATIONS,
        "groups": len(few.prob),
        "curve": [
            {
                "prob": float(few.prob[k]),
                "rate": float(curve[k]),
                "low": float(low[k]),
                "high": float(high[k]),
            }
            for k in shown
        ],
    }


def _brier(p: NDArray[np.float64], rate: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rate * (1 - p) ** 2 + (1 - rate) * p**2, dtype=np.float64)


def _log(p: NDArray[np.float64], rate: NDArray[np.float64]) -> NDArray[np.float64]:
    tiny = 1e-15
    up = special.xlogy(rate, np.maximum(p, tiny))
    down = special.xlogy(1 - rate, np.maximum(1 - p, tiny))
    return np.asarray(-up - down, dtype=np.float64)


def _band(
    few: Grouped, design: float, level: float, seed: int
) -> tuple[float, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Draw outcomes as if the probabilities were right; return p-value, band and own curve."""
    rng = generator(seed, "consistency band")
    curve = pooled(few.rate, few.weight)

    def miss(rate: NDArray[np.float64], fitted: NDArray[np.float64]) -> float:
        off = (rate - few.prob) ** 2 - (rate - fitted) ** 2
        return float(np.average(off, weights=few.weight))

    size = (_SIMULATIONS, len(few.prob))
    whole = np.round(few.n)
    if design == 1.0 and np.allclose(few.n, whole) and np.allclose(few.weight, few.n):
        drawn = rng.binomial(whole.astype(np.int64), few.prob, size=size) / whole
    else:
        spread = np.sqrt(few.prob * (1 - few.prob) / few.n * design)
        drawn = np.clip(few.prob + spread * rng.standard_normal(size), 0.0, 1.0)
    curves = np.stack([pooled(rate, few.weight) for rate in drawn])
    misses = np.array([miss(rate, fitted) for rate, fitted in zip(drawn, curves, strict=True)])
    own = miss(few.rate, curve)
    p_value = float((1 + (misses >= own - 1e-15).sum()) / (1 + _SIMULATIONS))
    tail = (1 - level) / 2
    low, high = np.quantile(curves, [tail, 1 - tail], axis=0)
    return p_value, low, high, curve
