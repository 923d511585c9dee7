"""Mean money of judged units as an estimate: the one way from values per unit to a figure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.clusters import Sums, cluster_sums
from payoff.declare import Decision
from payoff.declare.expression import constant_of
from payoff.evidence.evidence import Estimate
from payoff.evidence.interval import Unseen, mean_money
from payoff.policy.stakes import Stakes

__all__ = ["all_constant", "case_sums", "dearest_unseen", "worth"]


def worth(
    decision: Decision,
    stakes: Stakes,
    values: NDArray[np.float64],
    *,
    rows: NDArray[np.int64] | None = None,
    identical: str = "",
) -> Estimate:
    """Estimate mean money per unit with the declared level, weights and clusters.

    Parameters
    ----------
    stakes
        The units.
    values
        float64 (n,), money of each unit (or of the units in ``rows``).
    rows
        Places of the units the values are of; None means all.
    identical
        As in :func:`~payoff.evidence.interval.mean_money`.
    """
    return mean_money(
        case_sums(stakes, values, rows),
        level=decision.evidence.level,
        unit=decision.value_unit,
        identical=identical,
        constant=all_constant(decision, stakes),
        unseen=_unseen(decision, stakes, rows),
    )


def case_sums(
    stakes: Stakes, values: NDArray[np.float64], rows: NDArray[np.int64] | None = None
) -> Sums:
    """Add up values per unit by independent case, with the declared weights.

    Parameters
    ----------
    values, rows
        As in :func:`worth`.
    """
    weight, cluster = stakes.weight, stakes.resampled
    if rows is not None:
        weight, cluster = weight[rows], None if cluster is None else cluster[rows]
    return cluster_sums(values, weight, cluster)


def all_constant(decision: Decision, stakes: Stakes) -> bool:
    """Say whether every amount is a declared constant, and none is estimated from past actions."""
    return stakes.past is None and all(
        constant_of(decision.payoffs.cell(a, o).node) is not None
        for a in decision.action_names
        for o in decision.outcome_names
    )


def _unseen(decision: Decision, stakes: Stakes, rows: NDArray[np.int64] | None) -> Unseen | None:
    """Return the declared outcome of most constant money that none of the rows had."""
    outcome = stakes.outcome if rows is None else stakes.outcome[rows]
    counts = np.bincount(outcome[outcome >= 0], minlength=len(decision.outcomes))
    return dearest_unseen(decision, counts)


def dearest_unseen(decision: Decision, counts: NDArray[Any]) -> Unseen | None:
    """Return the outcome of most constant money among those that were not counted once."""
    found = []
    for name in (n for n, seen in zip(decision.outcome_names, counts, strict=True) if not seen):
        cells = [constant_of(decision.payoffs.cell(a, name).node) for a in decision.action_names]
        most = max((abs(float(c)) for c in cells if c is not None), default=0.0)
        found.append(Unseen(outcome=name, money=most))
    return max(found, key=lambda u: u.money, default=None)
