"""What review by a person does: who is looked at, how often needlessly, and what errs then.

A unit sent to a reviewer is neither a false alarm nor a missed case: what reaches it is what the
reviewer decides. By the declared error rates ``e_o`` a reviewer of outcome ``o`` takes the right
action with chance ``1 - e_o`` and the wrong one with chance ``e_o``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.declare.decision import plural
from payoff.declare.review import taken_by
from payoff.evidence.evidence import Estimate
from payoff.evidence.measured import Measured
from payoff.policy.choose import default_action

__all__ = ["act_chance", "is_review", "reviewed"]


def is_review(decision: Decision) -> NDArray[np.bool_]:
    """Return which actions are a person's review, bool (A,)."""
    return np.array([a.review is not None for a in decision.actions])


def act_chance(decision: Decision) -> NDArray[np.float64]:
    """Return the chance that what reaches a unit is not the default action, float64 (A, O).

    It is 0 or 1 but for reviews.
    """
    idle = decision.action_names[default_action(decision)]
    found = np.ones((len(decision.actions), len(decision.outcomes)))
    found[decision.action_names.index(idle)] = 0.0
    for a, action in enumerate(decision.actions):
        if action.review is None:
            continue
        for o, outcome in enumerate(decision.outcome_names):
            right, wrong = taken_by(decision, action.name, outcome)
            error = action.review.errors[outcome]
            found[a, o] = (1 - error) * (right != idle) + error * (wrong != idle)
    return found


def reviewed(judged: Measured) -> dict[str, Any] | None:
    """Return whom the recommended policy has looked at; None where nobody reviews.

    Returns
    -------
    dict or None
        ``reviewed`` and ``needless`` (the right action was the default all along), ``errors`` (the
        reviewer then takes the wrong action, by the declared rates), for two outcomes also
        ``false_alarms`` and ``missed`` among these: estimates in units per period. ``cost`` and
        ``money_per_period``: of the reviews with their errors, as of the confusion cells.
    """
    decision = judged.decision
    if not is_review(decision).any():
        return None
    own = judged.policies[0]
    codes, outcome = judged.codes(own.name), judged.outcomes
    idle = decision.action_names[default_action(decision)]
    chance = act_chance(decision)
    kinds = ("needless", "errors", "false_alarms", "missed")
    parts: dict[str, list[Estimate]] = {k: [] for k in kinds}
    for a, action in enumerate(decision.actions):
        if action.review is None:
            continue
        for o, name in enumerate(decision.outcome_names):
            found = _people(judged, judged.share((codes == a) & (outcome == o)))
            right, _ = taken_by(decision, action.name, name)
            if right == idle:
                parts["needless"].append(found)
            parts["errors"].append(found.scaled(action.review.errors[name], found.unit))
            if name == decision.positive:
                parts["missed"].append(found.scaled(1 - chance[a, o], found.unit))
            else:
                parts["false_alarms"].append(found.scaled(chance[a, o], found.unit))
    if len(decision.outcomes) != 2:
        del parts["false_alarms"], parts["missed"]
    cells = [c for c in own.cells if is_review(decision)[decision.action_names.index(c.action)]]
    every = _people(judged, judged.share(is_review(decision)[codes]))
    return {
        "reviewed": asdict(every),
        **{k: asdict(_together(v, every)) for k, v in parts.items()},
        "money_per_period": sum(c.money_per_period for c in cells),
        "cost": sum(c.regret_per_period for c in cells),
    }


def _people(judged: Measured, found: Estimate) -> Estimate:
    decision = judged.decision
    per = decision.period if decision.volume is not None else "1,000"
    return found.scaled(decision.units_reported, f"{plural(decision.unit)} per {per}")


def _together(parts: Sequence[Estimate], like: Estimate) -> Estimate:
    """Add counts up; the sums of the ends are wide enough for the sum."""
    if len(parts) == 1:
        return parts[0]

    def total(end: str) -> float | None:
        ends = [getattr(p, end) for p in parts]
        return None if any(e is None for e in ends) else float(sum(ends))

    return replace(like, value=total("value") or 0.0, low=total("low"), high=total("high"))
