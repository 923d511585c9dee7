"""Deciding again: the actions of largest expected money under other probabilities or other money.

This asks what the same rule would do in another world; it tunes nothing, because the rule looks at
expected money only and never at an outcome.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.judged import Judged
from payoff.policy.choose import capacity_prices, expected_policy, limited_shares
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
    decision: Decision, expected: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.int16]:
    """Return the actions of largest expected money within the declared capacity, int16 (n,)."""
    prices = capacity_prices(expected, weight, decision) if limited_shares(decision) else {}
    policy = expected_policy(decision, prices)
    return policy.apply(n=len(expected), expected=expected, weight=weight)
