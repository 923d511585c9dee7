"""Intervals of any measure of a confusion table, for many groups at once, from counts alone.

A measure that reads only how many rows lie in each cell (a rate, money with constant payoffs) has
the same distribution under resampling rows as under drawing the cells' counts from one multinomial
law. So a thousand resamples cost what the table costs, not what the rows cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.evidence import Estimate

__all__ = ["CELLS", "CELL_RATES", "Measure", "cell_bootstrap", "cell_counts"]

#: Order of the cells: left alone or acted on, without or with the positive outcome.
CELLS: Final = ("left_without", "left_with", "acted_without", "acted_with")
Measure = Callable[[NDArray[np.float64]], NDArray[np.float64]]

#: Measures of the last axis of counts; NaN where nothing is counted.
CELL_RATES: Final[Mapping[str, Measure]] = {
    "acted": lambda c: (c[..., 2] + c[..., 3]) / c.sum(axis=-1),
    "true_positive_rate": lambda c: c[..., 3] / (c[..., 1] + c[..., 3]),
    "false_positive_rate": lambda c: c[..., 2] / (c[..., 0] + c[..., 2]),
    "precision": lambda c: c[..., 3] / (c[..., 2] + c[..., 3]),
    "accuracy": lambda c: (c[..., 0] + c[..., 3]) / c.sum(axis=-1),
}


def cell_counts(
    acted: NDArray[np.bool_], positive: NDArray[np.bool_], group: NDArray[np.int64], groups: int
) -> NDArray[np.int64]:
    """Count rows by group and cell, int64 (G, 4), in the order of :data:`CELLS`.

    Parameters
    ----------
    acted, positive
        bool (n,).
    group
        int64 (n,), codes from 0 to ``groups`` - 1.
    groups
        Number of groups G.

    Examples
    --------
    >>> cell_counts(
    ...     np.array([True, True, False]),
    ...     np.array([True, False, False]),
    ...     np.array([0, 0, 1]),
    ...     2,
    ... ).tolist()
    [[0, 0, 1, 1], [1, 0, 0, 0]]
    """
    cell = acted.view(np.int8) * np.int8(2) + positive.view(np.int8)
    place = group * 4 + cell
    return np.bincount(place, minlength=4 * groups).reshape(groups, 4)


def cell_bootstrap(
    counts: NDArray[np.int64],
    measures: Mapping[str, Measure],
    *,
    level: float,
    rng: np.random.Generator,
    resamples: int = 1000,
    added: float = 1.0,
    unit: str = "share",
) -> dict[str, list[Estimate]]:
    """Estimate measures of each group's table, with the percentile interval of resampled counts.

    Parameters
    ----------
    counts
        int64 (G, K), rows of each group in each of K cells; rows count once and are independent
        (no weights, no clusters).
    measures
        Name -> function of counts float64 (..., K) to float64 (...), NaN where undefined.
    level
        Confidence level.
    rng
        Generator.
    resamples
        Number of draws.
    added
        Rows shared out over the cells of a group in proportion to all groups' rows before drawing
        (Laplace's correction, with the pooled table as what is expected): without it a cell that
        happened to be empty would be empty in every draw, and the interval would be a point.
    unit
        Unit of the estimates.

    Returns
    -------
    dict
        Name -> one estimate per group. A measure that is undefined on the group's own counts has no
        value, only a reason; draws on which it is undefined are left out.

    References
    ----------
    Margineantu, D. D., Dietterich, T. G. (2000). Bootstrap methods for the cost-sensitive
    evaluation of classifiers. ICML.

    Examples
    --------
    >>> found = cell_bootstrap(
    ...     np.array([[70, 10, 5, 15], [40, 0, 10, 0]]),
    ...     CELL_RATES,
    ...     level=0.95,
    ...     rng=np.random.default_rng(0),
    ... )
    >>> found["true_positive_rate"][0].value
    0.6
    >>> found["true_positive_rate"][1].value is None
    True
    """
    n = counts.sum(axis=1)
    pooled = counts.sum(axis=0) / max(int(counts.sum()), 1)
    share = (counts + added * pooled) / np.maximum(n + added, 1e-300)[:, None]
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
    drawn = rng.multinomial(n, share, size=(resamples, len(n))).astype(np.float64)
    ends = [0.5 - level / 2, 0.5 + level / 2]
    found = {}
    for name, measure in measures.items():
        with np.errstate(divide="ignore", invalid="ignore"):
            value = measure(counts.astype(np.float64))
            draws = measure(drawn)
        defined = np.isfinite(draws)
        draws = np.sort(np.where(defined, draws, np.inf), axis=0)
        usable = defined.sum(axis=0)
        places = np.clip(np.outer(ends, usable - 1), 0, None)
        low, high = (
            draws[edge(place).astype(np.int64), np.arange(len(n))]
            for place, edge in zip(places, (np.floor, np.ceil), strict=True)
        )
        found[name] = [
            _estimate((value[g], low[g], high[g]), int(n[g]), int(usable[g]), level, unit)
            for g in range(len(n))
        ]
    return found


def _estimate(
    figures: tuple[float, float, float], n: int, usable: int, level: float, unit: str
) -> Estimate:
    """Return one group's estimate; none where its own counts or the draws do not define it."""
    value, low, high = figures
    known = bool(np.isfinite(value))
    interval = known and usable > 0
    return Estimate(
        value=float(value) if known else None,
        low=min(float(low), float(value)) if interval else None,
        high=max(float(high), float(value)) if interval else None,
        level=level,
        unit=unit,
        n=n,
        n_clusters=n,
        method="cells" if interval else "none",
        reason="" if interval else "no row of this group is counted in it",
    )
