"""Mean money of judged units as an estimate: the one way from values per unit to a figure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.evidence import Estimate
from payoff.evidence.interval import cluster_sums, mean_money
from payoff.policy.stakes import Stakes

__all__ = ["worth"]


def worth(
    decision: Decision,
    stakes: Stakes,
    values: NDArray[np.float64],
    *,
    seed: int,
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
    seed
        Root seed of the judging.
    rows
        Places of the units the values are of; None means all.
    identical
        As in :func:`~payoff.evidence.interval.mean_money`.
    """
    weight, cluster = stakes.weight, stakes.resampled
    if rows is not None:
        weight, cluster = weight[rows], None if cluster is None else cluster[rows]
    return mean_money(
        cluster_sums(values, weight, cluster),
        level=decision.evidence.level,
        unit=decision.value_unit,
        seed=seed,
        identical=identical,
    )
