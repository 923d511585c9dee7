"""Actions by outcomes of one policy, in people and in money, from rows or from cells."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.evidence import ActionUse, Cell

__all__ = ["Bounds", "confusion"]

Floats = NDArray[np.float64]
#: From a mask of places and the share of units in them to the ends of its interval.
Bounds = Callable[[NDArray[np.bool_], float], tuple[float, float]]


def confusion(
    decision: Decision,
    codes: NDArray[np.int16],
    outcomes: NDArray[np.int16],
    *,
    n: Floats | None,
    weight: Floats,
    money: Floats,
    regret: Floats,
    bounds: Bounds,
) -> tuple[tuple[ActionUse, ...], tuple[Cell, ...]]:
    """Return how often each action is taken, and the cells of actions by outcomes.

    Parameters
    ----------
    codes, outcomes
        int16 (p,), action and outcome of each place: a row, or a cell of rows that agree in both.
    n
        float64 (p,), rows of each place; None means one.
    weight, money, regret
        float64 (p,), weight of each place, its weighted money, and what the best actions, known
        only afterwards, would have earned more.
    bounds
        Interval of a share.
    """
    actions, names = decision.action_names, decision.outcome_names
    place = codes.astype(np.int64) * len(names) + outcomes
    size = len(actions) * len(names)
    total, units = float(weight.sum()), decision.units_reported

    def sums(x: Floats | None) -> Floats:
        return np.bincount(place, weights=x, minlength=size).astype(np.float64)

    def people(inside: NDArray[np.bool_], w: float) -> dict[str, float]:
        part = w / total
        low, high = bounds(inside, part)
        return {
            "share": part,
            "per_period": part * units,
            "low": low * units,
            "high": high * units,
        }

    rows, w, m, lost = sums(n), sums(weight), sums(money), sums(regret)
    cells = tuple(
        Cell(
            action=action,
            outcome=outcome,
            n=round(float(rows[k])),
            **people(place == k, float(w[k])),
            money_per_unit=float(m[k] / w[k]) if w[k] > 0 else None,
            money_per_period=float(m[k]) / total * units,
            regret_per_period=float(lost[k]) / total * units,
        )
        for k, (action, outcome) in enumerate(itertools.product(actions, names))
    )
    used, taken = rows.reshape(len(actions), -1).sum(1), w.reshape(len(actions), -1).sum(1)
    uses = tuple(
        ActionUse(action=action, n=round(float(used[a])), **people(codes == a, float(taken[a])))
        for a, action in enumerate(actions)
    )
    return uses, cells
