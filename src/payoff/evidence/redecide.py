"""Deciding again: the actions of largest expected money under other probabilities or other money.

This asks what the same rule would do in another world; it tunes nothing, because the rule looks at
expected money only and never at an outcome.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.judged import Judged
from payoff.policy.best import actions_of, best_policy, fixed_cost
from payoff.policy.expected import weighted_money
from payoff.policy.stakes import Stakes

__all__ = ["decides_by_money", "expected_with", "greedy"]


def decides_by_money(judged: Judged) -> str:
    """Return why the recommended policy cannot decide again, or "" when it can."""
    if judged.stakes.prob is None or judged.stakes.expected is None or not judged.stakes.cells:
        return judged.stakes.why_no_prob
    if judged.first.policy.kind not in ("expected", "threshold", "likeliest"):
        return "the policy judged does not decide by probabilities"
    return ""


def expected_with(stakes: Stakes, prob: NDArray[np.float64], n_actions: int) -> NDArray[np.float64]:
    """Return the expected money of every action under other probabilities, float64 (n, n_actions).

    Parameters
    ----------
    prob
        float64 (n, n_outcomes).
    """
    return weighted_money(stakes.cells, prob, n_actions)


def greedy(
    decision: Decision,
    stakes: Stakes,
    expected: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> tuple[NDArray[np.int16], float]:
    """Return the actions of largest expected money under all that is declared, and fixed costs.

    Parameters
    ----------
    stakes
        The units, for their groups.
    expected
        float64 (n, n_actions), expected money in the other world.
    weight
        float64 (n,), units each row stands for there.

    Returns
    -------
    codes, fixed
        int16 (n,), and money per unit.

    Raises
    ------
    EvidenceError
        ``PAY-E022`` when limits and constraints cannot all hold there.
    """
    there = replace(stakes, expected=expected, weight=weight)
    policy = best_policy(decision, there)
    codes = actions_of(policy, there)
    return codes, fixed_cost(decision, policy, codes, weight)
