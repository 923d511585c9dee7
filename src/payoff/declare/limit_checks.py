"""Checks of reviews, limits, constraints and fixed costs: ``PAY-D111`` to ``PAY-D114``."""

from __future__ import annotations

import math

from payoff.checks import Check, numbered
from payoff.declare.decision import Decision, plural
from payoff.declare.expression import constant_of
from payoff.errors import listed, percent

__all__ = ["constraint_check", "fixed_cost_check", "limit_check", "review_check"]


def review_check(decision: Decision) -> Check:
    """Say where each review is worth its cost, or that it never is."""
    result = numbered("PAY-D111", "Human review")
    reviews = [a for a in decision.actions if a.review is not None]
    if not reviews:
        return result(status="not_applicable", detail="No action is a review.")
    said, never, poor, endless = [], [], [], []
    limited = {a for x in decision.limits for a in x.actions}
    for action in reviews:
        found = best_between(decision, action.name)
        errors = action.review.errors.values() if action.review else ()
        if found is None:
            said.append(
                f"{action.label}: its money depends on columns, or there are more than two "
                "outcomes, so where it is best is seen row by row."
            )
        elif found[0] >= found[1]:
            never.append(action.label)
        else:
            said.append(
                f"{action.label} is best where the probability of {decision.positive} is "
                f"{percent(found[0])} to {percent(found[1])}."
            )
        if max(errors, default=0.0) > 0.5:
            poor.append(action.label)
        if action.capacity is None and action.name not in limited:
            endless.append(action.label)
    if never:
        return result(
            status="issue",
            detail=f"{listed(never)} is never the best action, whatever the probability: it costs "
            "more than being right is worth, or errs too often.",
            mend="Check its cost and its error rates, or remove the action",
        )
    if poor:
        return result(
            status="issue",
            detail=f"{listed(poor)}: under one outcome it is wrong more often than right.",
            mend="Check that 'errors' are shares of units decided wrongly, such as 0.05",
        )
    if endless:
        return result(
            status="tip",
            detail=f"{' '.join(said)} {listed(endless)} has no capacity, but people tire.",
            mend="Add 'capacity' to the action, or a limit in [[limits]]",
        )
    return result(status="passed", detail=" ".join(said))


def best_between(decision: Decision, action: str) -> tuple[float, float] | None:
    """Return the probabilities of the positive outcome between which an action is best.

    Two outcomes and constant money only; None otherwise. The first exceeds the second where it is
    nowhere best.
    """
    if len(decision.outcomes) != 2:
        return None
    positive = str(decision.positive)
    negative = next(o for o in decision.outcome_names if o != positive)
    money = {
        a: tuple(constant_of(decision.payoffs.cell(a, o).node) for o in (positive, negative))
        for a in decision.action_names
    }
    low, high = 0.0, 1.0
    own = money.pop(action)
    for other in money.values():
        if None in (*own, *other):
            return None
        yes, no = (float(a or 0) - float(b or 0) for a, b in zip(own, other, strict=True))
        if yes == no:
            if no < 0:
                return 1.0, 0.0
            continue
        at = no / (no - yes)  # where the two earn the same: yes p + no (1 - p) = 0
        low, high = (max(low, at), high) if yes > no else (low, min(high, at))
    return low, high


def limit_check(decision: Decision) -> Check:
    """Say which limits close an action or can never matter."""
    result = numbered("PAY-D112", "Limits")
    if not decision.limits:
        return result(status="not_applicable", detail="No [[limits]] are declared.")
    closed, idle = [], []
    for limit in decision.limits:
        room = limit.share
        if limit.per_period is not None:
            room = limit.per_period / float(decision.volume or math.inf)
        if room == 0:
            closed.append(limit.label)
        elif room is not None and room >= max(limit.actions.values()):
            idle.append(limit.label)
    if closed:
        return result(
            status="issue",
            detail=f"{listed(closed)} leaves no room at all: its actions can never be taken.",
            mend="Raise the limit, or remove the actions",
        )
    if idle:
        return result(
            status="tip",
            detail=f"{listed(idle)} has room for every {decision.unit}, so it can never matter.",
            mend="Check its number: is it per period, and the volume too?",
        )
    return result(
        status="passed", detail=f"{listed(x.label for x in decision.limits)}: each can bind."
    )


def constraint_check(decision: Decision) -> Check:
    """Say which constraints contradict a capacity, and which use the group at decision time."""
    result = numbered("PAY-D113", "Constraints")
    if not decision.constraints:
        return result(status="not_applicable", detail="No [[constraints]] are declared.")
    shares = {a.name: decision.capacity_share(a) for a in decision.actions}
    short = [
        c.label
        for c in decision.constraints
        if c.kind == "floor"
        and c.subgroup is None
        and c.actions
        and all(shares[a] is not None for a in c.actions)
        and sum(shares[a] or 0.0 for a in c.actions) < c.share
    ]
    if short:
        return result(
            status="issue",
            detail=f"{listed(short)} asks for more than the capacity of its actions allows.",
            mend="Lower the floor or raise the capacity",
        )
    if decision.group_columns:
        return result(
            status="tip",
            detail=f"Column(s) {listed(decision.group_columns)} say which group a "
            f"{decision.unit} belongs to when it is decided, so two with the "
            "same prospects may be treated differently.",
            mend="Whether that is lawful and wanted is for the owner of the decision to say",
        )
    return result(
        status="passed",
        detail=f"{listed(c.label for c in decision.constraints)}: no group is used.",
    )


def fixed_cost_check(decision: Decision) -> Check:
    """Say what the fixed costs are per unit."""
    result = numbered("PAY-D114", "Fixed costs")
    fixed = {a.label: a.fixed_cost for a in decision.actions if a.fixed_cost}
    if decision.model_cost:
        fixed["the model"] = decision.model_cost
    if not fixed or decision.volume is None:
        return result(status="not_applicable", detail="No fixed cost is declared.")
    nothing = next((a for a in decision.actions if a.name == decision.do_nothing), None)
    if nothing is not None and nothing.fixed_cost:
        return result(
            status="issue",
            detail=f"{nothing.label!r} leaves things as they are, yet has a fixed cost.",
            mend="A cost that is paid whatever is done belongs to no action; leave it out",
        )
    each = ", ".join(
        f"{name} {decision.currency} {cost:,.6g} per {decision.period}"
        for name, cost in fixed.items()
    )
    total = sum(fixed.values()) / float(decision.volume)
    return result(
        status="passed",
        detail=f"{each}; together {decision.currency} {total:,.4g} per {decision.unit} at "
        f"{decision.volume:,.0f} {plural(decision.unit)} per {decision.period}.",
    )
