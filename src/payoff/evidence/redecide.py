"""Deciding again: the actions of largest expected money under other probabilities or other money.

This asks what the same rule would do in another world; it tunes nothing, because the rule looks at
expected money only and never at an outcome.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.errors import EvidenceError
from payoff.evidence.judged import Judged
from payoff.policy.best import actions_of, best_policy, default_action, fixed_cost, limited_shares
from payoff.policy.expected import weighted_money
from payoff.policy.stakes import Stakes

__all__ = ["decides_by_money", "expected_with", "free", "greedy", "value_by_payoff"]

#: Rows times re-decisions within limits that one payoff may cost.
_MOST_WORK: Final = 2_000_000
#: Re-decisions where several limits are priced by a program.
_MOST_PROGRAMS: Final = 9


def decides_by_money(judged: Judged) -> str:
    """Return why the recommended policy cannot decide again, or "" when it can."""
    if judged.stakes.prob is None or judged.stakes.expected is None or not judged.stakes.cells:
        return judged.stakes.why_no_prob
    if judged.first.policy.kind == "automation":
        return "the policy judged keeps an error rate, and does not decide by money alone"
    if judged.first.policy.kind not in ("expected", "threshold", "likeliest"):
        return "the policy judged does not decide by probabilities"
    return ""


def free(decision: Decision) -> bool:
    """Whether each unit can be decided by itself: no limit, constraint or cost of using an action.

    The cost of the model is no such thing: it is the same whatever is decided.
    """
    dear = any(a.fixed_cost > 0 for a in decision.actions)
    return not (limited_shares(decision) or decision.limits or decision.constraints or dear)


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


def value_by_payoff(
    judged: Judged, action: str, outcome: str, grid: NDArray[np.float64], *, factor: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the money per period of a policy that decides again as one payoff changes.

    Expected money of the action rises by ``p(outcome) * change``; without capacity a unit gets the
    action from one critical change on, so one pass over the rows serves every change.

    Parameters
    ----------
    grid
        float64 (k,), ascending changes of the payoff (of its factor, with ``factor``).

    Returns
    -------
    changes, value
        float64, the changes looked at (fewer within limits) and the money per period at each; None
        where deciding again within limits would take too long or cannot be done.
    """
    decision, stakes = judged.decision, judged.stakes
    a, o = decision.action_names.index(action), decision.outcome_names.index(outcome)
    prob, expected = np.asarray(stakes.prob), np.asarray(stakes.expected)
    known = np.broadcast_to(np.asarray(stakes.cells[a, o], dtype=np.float64), (len(stakes),))
    step = prob[:, o] * (known if factor else 1.0)
    happened = stakes.outcome == o
    moved = np.where(happened, stakes.realised[:, a] if factor else 1.0, 0.0)
    weight = stakes.weight * (decision.units_reported / float(stakes.weight.sum()))
    if not free(decision):
        most = _MOST_WORK // max(len(stakes), 1)
        if decision.limits or decision.constraints:
            most = min(most, _MOST_PROGRAMS)
        if most < 5:
            return None
        places = grid[:: max(1, -(-len(grid) // most))]
        try:
            return places, _one_by_one(judged, places, a, step, moved, weight)
        except EvidenceError:  # the limits cannot all hold there
            return None
    others = np.delete(np.arange(expected.shape[1]), a)
    second = others[expected[:, others].argmax(axis=1)]
    rows = np.arange(len(stakes))
    short = expected[rows, second] - expected[:, a]
    with np.errstate(divide="ignore", invalid="ignore"):
        critical = np.where(step == 0, np.where(short < 0, -np.inf, np.inf), short / step)
    # a unit is won above its critical change; where the step is negative, below it
    rising = step >= 0
    base, own = stakes.realised[rows, second], stakes.realised[:, a]
    default = a == default_action(decision)  # ties go to the default action
    place = np.searchsorted(grid, critical, side="left" if default else "right")
    falling = np.flatnonzero(~rising)
    place[falling] = np.searchsorted(grid, critical[falling], side="right" if default else "left")
    size = len(grid) + 1

    def at_each(x: NDArray[np.float64]) -> NDArray[np.float64]:
        if len(falling) == 0:
            up = np.bincount(place, weights=x, minlength=size)
            return np.asarray(np.cumsum(up)[:-1], dtype=np.float64)
        up = np.bincount(place[rising], weights=x[rising], minlength=size)
        down = np.bincount(place[falling], weights=x[falling], minlength=size)
        return np.asarray(np.cumsum(up)[:-1] + down.sum() - np.cumsum(down)[:-1], dtype=np.float64)

    fixed = float(weight @ base) - decision.model_cost * (decision.volume is not None)
    return grid, fixed + at_each(weight * (own - base)) + grid * at_each(weight * moved)


def _one_by_one(
    judged: Judged,
    places: NDArray[np.float64],
    action: int,
    step: NDArray[np.float64],
    moved: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Decide again under each change, within capacity; return the money per period."""
    stakes = judged.stakes
    rows = np.arange(len(stakes))
    value = np.empty(len(places))
    for k, change in enumerate(places):
        expected = np.asarray(stakes.expected).copy()
        expected[:, action] += change * step
        codes, fixed = greedy(judged.decision, stakes, expected, stakes.weight)
        money = stakes.realised[rows, codes] + np.where(codes == action, change * moved, 0.0)
        money -= fixed
        value[k] = float(weight @ money)
    return value
