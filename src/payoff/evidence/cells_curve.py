"""The threshold from cells: its tuning, its value at every edge, and whether scores come true."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.declare import Decision
from payoff.evidence.calibration import promised_sentence
from payoff.evidence.cells import CellSet, Money, mean_like, share
from payoff.evidence.cells_sql import BINS, FOLDS, edge
from payoff.evidence.corp import Grouped, corp_of
from payoff.evidence.evidence import Estimate
from payoff.evidence.terms import Terms

__all__ = ["best_edge", "calibration", "cross_fitted", "value_curve"]

_POINTS: Final = 101
_TENTHS: Final = 10
_NEEDS_SCORES: Final = (
    "the rows were judged from cells, and what other probabilities would have earned is measured "
    "row by row; judge with --rows"
)


def _under(terms: Terms, cells: CellSet, action: int) -> Money:
    return Money.of(terms, np.full(len(cells), action, np.int16), cells.outcome)


def cross_fitted(terms: Terms, cells: CellSet, direction: tuple[int, int]) -> tuple[int, int]:
    """Return for each half of the rows the bin from which the other half would best act.

    Parameters
    ----------
    direction
        Places of the action taken at and above the threshold, and of the other.

    Returns
    -------
    tuple of int
        Bins from 0 (always) to 1,024 (never).
    """
    assert cells.score is not None
    assert cells.fold is not None
    folds = range(FOLDS)
    first, second = (best_edge(terms, cells.take(cells.fold != f), direction) for f in folds)
    return first, second


def best_edge(terms: Terms, cells: CellSet, direction: tuple[int, int]) -> int:
    """Return the bin from which acting would have earned most, from 0 (always) to 1,024 (never).

    Parameters
    ----------
    direction
        As in :func:`cross_fitted`.
    """
    assert cells.score is not None
    high, low = direction
    gain = (_under(terms, cells, high) - _under(terms, cells, low)).sums(cells)
    by_bin = np.bincount(cells.score, weights=gain, minlength=BINS)
    total = np.concatenate([[0.0], np.cumsum(by_bin[::-1])])  # acting in the k highest bins
    return BINS - int(np.argmax(total))


def value_curve(
    decision: Decision,
    terms: Terms,
    cells: CellSet,
    direction: tuple[int, int],
    recommended: float,
) -> dict[str, Any]:
    """Return the value-by-threshold curve at edges of bins, where it is that of the rows.

    The standard error is that of one threshold chosen beforehand, as for rows.
    """
    assert cells.score is not None
    score = cells.score
    high, low = direction
    n, total = float(cells.n.sum()), float(cells.w1.sum())
    count = np.bincount(score, weights=cells.n, minlength=BINS)
    rank = np.cumsum(count)
    top = edge(int(np.searchsorted(rank, 0.999 * rank[-1])) + 1)
    wanted = np.linspace(0, min(1.0, 1.1 * top), _POINTS)
    edges = np.unique(np.round(np.sqrt(wanted) * BINS).astype(int))

    def passed(x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum over the bins at and above each edge."""
        sums = np.bincount(score, weights=x, minlength=BINS)
        from_top = np.concatenate([np.cumsum(sums[::-1])[::-1], [0.0]])
        return np.asarray(from_top[edges], dtype=np.float64)

    up, down = _under(terms, cells, high), _under(terms, cells, low)
    start = float(down.sums(cells).sum() / total)

    def summed(kind: str) -> NDArray[np.float64]:
        """Sum at each threshold: the high action above it, the low one below."""
        above = getattr(up.less(start), kind)(cells)
        below = getattr(down.less(start), kind)(cells)
        return np.asarray(below.sum() + passed(above - below))

    rise = summed("sums") / total
    spread = summed("squares") - 2 * rise * summed("cross") + rise**2 * float(cells.w2.sum())
    error = np.sqrt(np.maximum(spread, 0) * n / max(n - 1, 1)) / total
    z = float(special.ndtri(0.5 + decision.evidence.level / 2))
    units = decision.units_reported
    value = start + rise
    return {
        "score": f"probability of {decision.positive}",
        "action": decision.action_names[high],
        "unit": decision.money_unit,
        "threshold": edge(edges).tolist(),
        "value": (value * units).tolist(),
        "low": ((value - z * error) * units).tolist(),
        "high": ((value + z * error) * units).tolist(),
        "acted_share": (passed(cells.w1) / total).tolist(),
        "threshold_chosen": None,
        "recommended_value": recommended,
        "do_nothing": start * units,
        "all": float(up.sums(cells).sum() / total * units),
        "n": round(n),
        "note": f"Thresholds are edges of {BINS:,} bins, (k / {BINS})^2, where the value is exact.",
    }


def calibration(
    decision: Decision, terms: Terms, cells: CellSet, realised_value: Estimate, *, seed: int
) -> dict[str, Any]:
    """Return reliability, scores and promised money, with the mean probability of every cell.

    Parameters
    ----------
    realised_value
        The value of acting by expected money, diagnosed.

    Notes
    -----
    The mean probability of a cell is exact; within a cell probabilities differ by less than
    1/512. So ``brier`` lacks at most ``1 / (4 * 512^2)`` = 9.5e-7, the variance of probabilities
    within a cell, and ``log_loss`` is a lower bound (Jensen). Promised money takes the mean
    probability of the cell for each of its rows: its mean is exact for constant money, and
    otherwise off by at most 1/512 of the difference that the outcome makes to a row's money. The
    isotonic curve (:func:`payoff.evidence.corp.corp`) pools bins, not rows.
    """
    assert cells.score is not None
    assert cells.prob is not None
    p = np.clip(cells.prob / cells.w1, 0.0, 1.0)  # a rounding error beyond is forgiven
    positive = cells.outcome == decision.positive_code
    total = float(cells.w1.sum())
    weighted = decision.data.weight is not None
    happened = np.where(positive, p, 1 - p)
    codes = cells.own
    realised = Money.of(terms, codes, cells.outcome)
    promised = _promised(decision, terms, codes, p)
    difference = mean_like(cells, realised - promised, decision, realised_value)
    bins = []
    place = _tenths(cells)
    for k in np.unique(place):
        some = cells.take(place == k)
        rate = share(some, positive[place == k], level=decision.evidence.level, weighted=weighted)
        assert some.score is not None
        assert some.prob is not None
        bins.append(
            {
                "low": edge(int(some.score.min())),
                "high": edge(int(some.score.max()) + 1),
                "n": round(float(some.n.sum())),
                "mean_prob": float(some.prob.sum() / some.w1.sum()),
                "rate": rate.value,
                "rate_low": rate.low,
                "rate_high": rate.high,
            }
        )
    return {
        "outcome": decision.positive,
        "n": round(float(cells.n.sum())),
        "bins": bins,
        "log_loss": float((cells.w1 @ -np.log(np.maximum(happened, 1e-15))) / total),
        "brier": float((cells.w1 @ (1 - happened) ** 2) / total),
        "expected": float(promised.sums(cells).sum() / total),
        "realised": float(realised.sums(cells).sum() / total),
        "difference": asdict(difference),
        "parts": {"not_measured": "no amount is known only later"},
        "corp": corp_of(
            _by_bin(cells, positive), design=1.0, level=decision.evidence.level, seed=seed
        ),
        "recalibrating": {"not_measured": _NEEDS_SCORES},
        "better_model": {"not_measured": _NEEDS_SCORES},
        "sentences": [
            promised_sentence(
                decision,
                float(promised.sums(cells).sum() / total),
                float(realised.sums(cells).sum() / total),
            )
        ],
        "note": f"From {BINS:,} bins: limits are edges of bins, the log-loss is a lower bound.",
    }


def _by_bin(cells: CellSet, positive: NDArray[np.bool_]) -> Grouped:
    """Group rows by bin of the score, as rows of one probability are grouped."""
    assert cells.score is not None
    assert cells.prob is not None

    def sums(x: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.bincount(np.asarray(cells.score), weights=x, minlength=BINS)
        return np.asarray(found, dtype=np.float64)

    weight = sums(cells.w1)
    kept = weight > 0
    total = weight[kept]
    return Grouped(
        prob=np.clip(sums(cells.prob)[kept] / total, 0.0, 1.0),
        rate=sums(cells.w1 * positive)[kept] / total,
        weight=total,
        n=total**2 / sums(cells.w2)[kept],
    )


def _promised(
    decision: Decision, terms: Terms, codes: NDArray[np.int16], p: NDArray[np.float64]
) -> Money:
    """Return the money that the mean probability of each cell promised for its action."""
    yes = decision.positive_code
    constant = terms.constant[codes]
    factor = terms.factor[codes]
    return Money(
        constant=p * constant[:, yes] + (1 - p) * constant[:, 1 - yes],
        factor=p[:, None] * factor[:, yes] + (1 - p)[:, None] * factor[:, 1 - yes],
    )


def _tenths(cells: CellSet) -> NDArray[np.int64]:
    """Return the tenth of each cell: bins are kept whole, cut where a tenth of the rows is full."""
    assert cells.score is not None
    count = np.bincount(cells.score, weights=cells.n, minlength=BINS)
    before = np.concatenate([[0.0], np.cumsum(count)[:-1]])
    middle = (before + count / 2) / count.sum()
    tenth = np.minimum((middle * _TENTHS).astype(np.int64), _TENTHS - 1)
    return np.asarray(tenth[cells.score])
