"""Payoffs given as ranges: carried into the interval, and which of them matters most.

Every payoff with a range is drawn from its distribution, independently of the others and of the
rows; each option's money moves by the draw times its slope (units per period that it sends into the
cell, taken at its estimate). The draws are added to joint draws of what the rows would have given.

The maximum inside the mean values knowing the payoffs before choosing (as the EMP measure does);
outside, choosing now. Their difference is what finding out the payoffs would be worth.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.declare.expression import constant_of
from payoff.declare.payoffs import Cell
from payoff.errors import chance
from payoff.evidence.measured import Measured
from payoff.evidence.options import Options
from payoff.evidence.wording import about, number, quoted
from payoff.rng import generator

__all__ = ["draw_payoff", "payoff_ranges"]


def draw_payoff(
    low: float, mode: float, high: float, distribution: str, size: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a payoff from its declared range, float64 (size,).

    Parameters
    ----------
    low, mode, high
        Ends and declared value; for ``"normal"`` the ends hold the central 95 %.
    distribution
        ``"triangular"``, ``"uniform"`` or ``"normal"``.
    """
    if distribution == "uniform":
        return rng.uniform(low, high, size)
    if distribution == "normal":
        return rng.normal(mode, (high - low) / (2 * 1.959963984540054), size)
    return rng.triangular(low, mode, high, size)


def mean_of(low: float, mode: float, high: float, distribution: str) -> float:
    """Return the mean of a declared range.

    Examples
    --------
    >>> mean_of(-2, -1, 0, "triangular"), mean_of(0, 1, 4, "uniform"), mean_of(0, 1, 2, "normal")
    (-1.0, 2.0, 1)
    """
    if distribution == "uniform":
        return (low + high) / 2
    return mode if distribution == "normal" else (low + mode + high) / 3


def payoff_ranges(judged: Measured, options: Options) -> dict[str, Any]:
    """Return the value and the lead with payoff ranges carried in, and each payoff's part.

    Returns
    -------
    dict
        ``value`` and ``lead`` (over the best policy without a model; per period, each ``without``
        and ``with`` ranges), ``still_best`` (share of draws in which no policy without a model
        earns more), ``ahead`` (share of draws in which the lead is not negative), ``payoffs``
        (cell, range, ``part`` of the variance of the lead), ``rows_part``
        and ``knowing`` (worth per period of finding out the payoffs before choosing).
    """
    decision = judged.decision
    ranged = [
        (action, outcome, cell)
        for (action, outcome), cell in decision.payoffs.cells.items()
        if cell.low is not None
    ]
    if not ranged:
        return {"not_measured": "no payoff is declared with a range (low, high)"}
    if judged.why_not_by_outcome:
        return {"not_measured": judged.why_not_by_outcome}
    units = decision.units_reported
    rows = judged.draws(options.columns)
    rng = generator(judged.seed, "payoff ranges")
    size = len(rows.means)
    moves = np.stack([_moves(cell, size, rng) for _, _, cell in ranged], axis=1)
    slopes = np.stack([_slope(decision, options, a, o) for a, o, _ in ranged], axis=0)
    value = np.array([p.total.value or 0.0 for p in options.policies])
    sampled = rows.means * units
    both = sampled + moves @ slopes
    best = options.names.index(str(judged.verdict["best_trivial"]))
    lead = both[:, 0] - both[:, best]
    parts = (slopes[:, 0] - slopes[:, best]) ** 2 * moves.var(axis=0)
    total = float(parts.sum() + (sampled[:, 0] - sampled[:, best]).var()) or 1.0
    against = [0, *(options.simple or range(1, len(options.names)))]
    won = both[:, against]
    still = float(np.mean(won[:, 0] >= won[:, 1:].max(axis=1)))
    ahead = float(np.mean(lead >= 0))
    expected = value + _centres(ranged) @ slopes
    centred = value + moves @ slopes
    knowing = float(centred.max(axis=1).mean() - centred.mean(axis=0).max())
    found: dict[str, Any] = {
        "unit": decision.money_unit,
        "n": judged.n,
        "draws": size,
        "level": decision.evidence.level,
        "value": _pair(judged, sampled[:, 0], both[:, 0], value[0], expected[0]),
        "lead": _pair(
            judged,
            sampled[:, 0] - sampled[:, best],
            lead,
            value[0] - value[best],
            expected[0] - expected[best],
        ),
        "against": options.names[best],
        "still_best": still,
        "ahead": ahead,
        "payoffs": [
            {
                "action": a,
                "outcome": o,
                "money": cell.money,
                "kind": "payoff" if constant_of(cell.node) is not None else "factor",
                "low": cell.low,
                "high": cell.high,
                "distribution": cell.distribution,
                "part": float(p / total),
            }
            for (a, o, cell), p in zip(ranged, parts, strict=True)
        ],
        "rows_part": float(1 - parts.sum() / total),
        "knowing": knowing if knowing > 1e-9 * float(np.abs(expected).max()) else 0.0,
    }
    return found | {"sentence": _sentence(judged, found)}


def _moves(cell: Cell, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw how far the payoff (or its factor) lies from what is declared."""
    now = _now(cell)
    drawn = draw_payoff(
        float(cell.low or 0.0), now, float(cell.high or 0.0), cell.distribution, size, rng
    )
    return np.asarray(drawn - now, dtype=np.float64)


def _now(cell: Cell) -> float:
    constant = constant_of(cell.node)
    return 1.0 if constant is None else constant


def _centres(ranged: list[tuple[str, str, Cell]]) -> NDArray[np.float64]:
    return np.array(
        [
            mean_of(float(c.low or 0.0), _now(c), float(c.high or 0.0), c.distribution) - _now(c)
            for _, _, c in ranged
        ]
    )


def _slope(decision: Decision, options: Options, action: str, outcome: str) -> NDArray[np.float64]:
    """Return the change of each option's money per period when the lever goes up by one."""
    constant = constant_of(decision.payoffs.cell(action, outcome).node)
    cells = [
        next(c for c in p.cells if (c.action, c.outcome) == (action, outcome))
        for p in options.policies
    ]
    return np.array([c.money_per_period if constant is None else c.per_period for c in cells])


def _pair(
    judged: Measured,
    without: NDArray[np.float64],
    both: NDArray[np.float64],
    now: float,
    expected: float,
) -> dict[str, Any]:
    """Return a figure with and without the payoff ranges, each with the ends of its draws."""
    tail = (1 - judged.decision.evidence.level) / 2

    def ends(draws: NDArray[np.float64], value: float) -> dict[str, float]:
        low, high = np.quantile(draws, [tail, 1 - tail])
        return {"value": float(value), "low": float(low), "high": float(high)}

    return {"without": ends(without, now), "with": ends(both, expected)}


def _sentence(judged: Measured, found: dict[str, Any]) -> str:
    decision = judged.decision
    most = max(found["payoffs"], key=lambda p: p["part"])
    label = next(p.label for p in judged.policies if p.name == found["against"])
    ends = found["lead"]["with"]
    unit = decision.money_unit
    outcome = next(o.label for o in decision.outcomes if o.name == most["outcome"])
    what = f"{decision.action_label(most['action'])}, outcome {outcome}"
    looked = [quoted(a.label) for a in decision.actions if a.review is not None]
    kept = (
        f" The money of {' and '.join(looked)}, which follows from the other payoffs, was kept as "
        "declared meanwhile."
        if looked
        else ""
    )
    return (
        f"Over the declared ranges of payoffs the gain over {quoted(label)} lies between "
        f"{number(ends['low'])} and {about(ends['high'], unit)}, above zero in "
        f"{chance(found['ahead'])} of cases; what matters most is {quoted(what)}.{kept}"
    )
