"""Units and money under actions that were not taken: what a confusion table is for past decisions.

A row tells an outcome of the action it got, not of the one the policy would choose. The share of
units with action a and outcome o is therefore estimated by doubly robust scores too.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.evidence import Cell
from payoff.evidence.interval import cluster_sums, mean_money
from payoff.policy.past import PastStakes
from payoff.policy.stakes import Stakes

__all__ = ["past_cells"]


def past_cells(
    decision: Decision, stakes: Stakes, past: PastStakes, codes: NDArray[np.int16]
) -> tuple[Cell, ...]:
    """Return the cells of one policy; ``n`` counts the rows where past and policy agree.

    With ``I_i = 1{pi(x_i) = a}`` and w_i the inverse-propensity weight, the share of a cell is the
    mean of ``I_i [p_ia(o) + w_i (1{y_i = o} - p_ia(o))]`` and its money the mean of the same with
    money in place of probability, so that the cells add up to the policy's value. The best action
    of a row is not known, not even afterwards, so there is no regret.
    """
    weight = past.weights(codes)
    total = float(stakes.weight.sum())
    units = decision.units_reported
    found = []
    pairs = itertools.product(range(len(decision.actions)), range(len(decision.outcomes)))
    for a, o in pairs:
        rows = codes == a
        hit = (stakes.outcome == o) & (past.taken == a)
        known = stakes.outcome >= 0
        p, m = past.prob[:, a, o], past.cells[:, a, o]
        correct = weight * (known & rows)
        score = np.where(rows, p + correct * (hit - p), 0.0)
        money = np.where(rows, m + correct * (np.where(hit, past.money, 0.0) - m), 0.0)
        mean = mean_money(
            cluster_sums(score, stakes.weight, stakes.resampled),
            level=decision.evidence.level,
            unit="share",
        )
        part = min(max(mean.value or 0.0, 0.0), 1.0)
        earned = float(stakes.weight @ money) / total
        found.append(
            Cell(
                action=decision.action_names[a],
                outcome=decision.outcome_names[o],
                n=int(np.sum(rows & hit)),
                share=part,
                per_period=part * units,
                low=None if mean.low is None else max(0.0, mean.low) * units,
                high=None if mean.high is None else min(1.0, mean.high) * units,
                money_per_unit=earned / part if part > 0 else None,
                money_per_period=earned * units,
            )
        )
    return tuple(found)
