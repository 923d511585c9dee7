"""What leaving a small share of decisions to chance would tell, and what it would cost."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.declare import Decision
from payoff.policy.stakes import Stakes

__all__ = ["exploration", "rows_for"]

_SLICES: Final = (0.01, 0.02)


def rows_for(half_width: float, spread: float, n_actions: int, level: float) -> float:
    """Return how many rows decided by chance give an interval of this half-width.

    ``n = k (z s / h)^2``: with k actions of equal chance, n / k rows get each.

    Examples
    --------
    >>> round(rows_for(0.5, 10.0, 2, 0.95))
    3073
    """
    z = float(special.ndtri(0.5 + level / 2))
    return n_actions * (z * spread / half_width) ** 2


def exploration(
    decision: Decision, stakes: Stakes, codes: NDArray[np.int16], spread: float
) -> dict[str, Any]:
    """Return what a slice of 1 or 2 % would tell of an action's value per period, and its cost.

    The cost is what the policy is expected to earn more than an action drawn by chance, on the
    units left to chance; None where nothing predicts it.

    Parameters
    ----------
    codes
        int16 (n,), the policy's action on each judging row.
    spread
        Standard deviation of money per unit under one action (or half its range, where unknown).
    """
    n_actions = len(decision.actions)
    z = float(special.ndtri(0.5 + decision.evidence.level / 2))
    loss = None
    if stakes.expected is not None:
        weight = stakes.weight / stakes.weight.sum()
        promised = stakes.expected[np.arange(len(stakes)), codes]
        loss = max(0.0, float(weight @ (promised - stakes.expected.mean(axis=1))))
    slices = []
    for part in _SLICES:
        n = part * decision.units_reported
        slices.append(
            {
                "share": part,
                "per_period": n,
                "half_width": z * spread * math.sqrt(n_actions / n),
                "cost_per_period": None if loss is None else loss * n,
            }
        )
    return {
        "slices": slices,
        "n_actions": n_actions,
        "spread": spread,
        "unit": decision.value_unit,
        "total_unit": decision.money_unit,
        "formula": "rows = k (z s / h)^2: k actions of equal chance, s the standard deviation of "
        "money per unit, h the half-width wanted",
    }
