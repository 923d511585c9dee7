"""The policy of largest expected money under every limit, constraint and fixed cost declared."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.errors import percent
from payoff.policy.automation import chance_right
from payoff.policy.bounds import Bound, Group, Grouping, bounds_of, group_of
from payoff.policy.policy import Policy
from payoff.policy.stakes import Stakes

__all__ = [
    "WITHOUT",
    "actions_of",
    "best_policy",
    "capacity_prices",
    "default_action",
    "earned",
    "expected_policy",
    "fixed_cost",
    "limited_shares",
    "policy_value",
    "sureness",
    "without_constraints",
]

#: Start of the name of a policy that need not keep one constraint.
WITHOUT: Final = "without:"
_MOST_TRIED: Final = 5  # actions with a fixed cost whose every combination is tried


def default_action(decision: Decision) -> int:
    """Return the place of the action that wins ties: doing nothing, or the first unlimited one."""
    if decision.do_nothing is not None:
        return decision.action_names.index(decision.do_nothing)
    free = [i for i, a in enumerate(decision.actions) if a.capacity is None]
    return free[0] if free else 0


def limited_shares(decision: Decision) -> dict[str, float]:
    """Return action -> largest share of units, for the actions that have a capacity."""
    shares = {a.name: decision.capacity_share(a) for a in decision.actions}
    return {name: share for name, share in shares.items() if share is not None}


def capacity_prices(
    expected: NDArray[np.float64], weight: NDArray[np.float64], decision: Decision
) -> dict[str, float]:
    """Return the price per unit that keeps each action within its own capacity.

    For one limit the price is the gain of the first unit that finds no room, which is what one more
    unit of capacity would earn (its shadow price), and 0 when the limit does not bind. Several are
    solved together (:func:`payoff.policy.prices.priced`).

    Parameters
    ----------
    expected
        float64 (n, n_actions).
    weight
        float64 (n,).

    Examples
    --------
    >>> from payoff.declare import Action, Capacity, Decision, Outcome, PayoffTable
    >>> decision = Decision(
    ...     name="calls",
    ...     currency="EUR",
    ...     outcomes=(Outcome(name="yes", values=(1,)), Outcome(name="no", values=(0,))),
    ...     actions=(Action(name="call", capacity=Capacity(share=0.5)), Action(name="leave")),
    ...     payoffs=PayoffTable.of({"call": {"yes": 9, "no": -1}, "leave": {"yes": 0, "no": 0}}),
    ... )
    >>> gain = np.array([[4.0, 0.0], [3.0, 0.0], [2.0, 0.0], [1.0, 0.0]])
    >>> capacity_prices(gain, np.ones(4), decision)
    {'call': 2.0}
    """
    bounds = tuple(b for b in bounds_of(decision, {}) if b.kind == "capacity")
    found = _priced(expected, weight, bounds, decision.action_names, {}, ())
    return {b.name: b.prices[""] for b in found}


def _priced(
    expected: NDArray[np.float64],
    weight: NDArray[np.float64],
    bounds: tuple[Bound, ...],
    actions: tuple[str, ...],
    groups: Mapping[str, Group],
    shut: tuple[str, ...],
) -> tuple[Bound, ...]:
    """Price bounds on the actions that are open: by one sort for one limit, else by a program."""
    kept = [k for k, a in enumerate(actions) if a not in shut]
    open_actions = tuple(actions[k] for k in kept)
    expected = expected[:, kept]
    if not bounds or len(expected) == 0:
        return bounds
    if len(bounds) == 1 and _is_simple(bounds[0]):
        return (_by_sorting(expected, weight, bounds[0], open_actions),)
    from payoff.policy.prices import priced

    codes = [group_of(b, groups, len(expected)) for b in bounds]
    return priced(expected, weight, bounds, open_actions, codes).bounds


def _is_simple(bound: Bound) -> bool:
    return bound.subgroup is None and len(bound.uses) == 1 and bound.kind in ("capacity", "limit")


def _by_sorting(
    expected: NDArray[np.float64],
    weight: NDArray[np.float64],
    bound: Bound,
    actions: tuple[str, ...],
) -> Bound:
    """Price one limit on one action: the gain per resource of the first unit without room."""
    ((action, amount),) = bound.uses.items()
    price = 0.0
    if action in actions and len(actions) > 1:
        code = actions.index(action)
        gain = expected[:, code] - np.delete(expected, code, axis=1).max(axis=1)
        order = np.argsort(-gain, kind="stable")
        used = np.cumsum(weight[order]) * amount
        room = bound.rooms[""] * float(weight.sum()) * (1 + 1e-12)
        first_out = int(np.searchsorted(used, room, side="right"))
        if first_out < len(order):
            price = max(0.0, float(gain[order[first_out]]) / amount)
    return replace(bound, prices={"": price}, worth={"": price})


def expected_policy(decision: Decision, prices: Mapping[str, float]) -> Policy:
    """Return the policy of largest expected money at given prices of the actions' capacities."""
    bounds = tuple(
        replace(b, prices={"": prices[b.name]}, worth={"": prices[b.name]})
        if b.name in prices
        else b
        for b in bounds_of(decision, {})
        if b.kind == "capacity"
    )
    return _policy(decision, bounds, {}, ())


def best_policy(
    decision: Decision, stakes: Stakes, *, without: str | None = None, name: str = "expected"
) -> Policy:
    """Return the policy of largest expected money on the given rows, under all that is declared.

    Prices of limits and constraints come from the rows' expected money, no outcome is looked at.
    An action that would not earn its fixed cost there is left out.

    Parameters
    ----------
    without
        Name of a constraint to leave out, to see what it costs.

    Raises
    ------
    EvidenceError
        ``PAY-E021`` unknown group, ``PAY-E022`` constraints that cannot all hold.
    """
    expected = np.asarray(stakes.expected)
    bounds = tuple(b for b in bounds_of(decision, stakes.groups) if b.name != without)
    best: tuple[float, Policy] | None = None
    shuts = list(_shuts(decision, bounds))
    for shut in shuts:
        found = _priced(expected, stakes.weight, bounds, decision.action_names, stakes.groups, shut)
        policy = replace(_policy(decision, found, stakes.groups, shut), name=name)
        if len(shuts) == 1:
            return policy
        codes = actions_of(policy, stakes)
        gross = float(np.average(expected[np.arange(len(codes)), codes], weights=stakes.weight))
        net = gross - fixed_cost(decision, policy, codes, stakes.weight)
        if best is None or net > best[0] + 1e-12 * abs(best[0]):
            best = net, policy
    assert best is not None
    return best[1]


def _shuts(decision: Decision, bounds: tuple[Bound, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the sets of actions to try leaving out, none first.

    All combinations of up to five actions with a fixed cost; of more, each alone and all.
    """
    dear = [a.name for a in decision.actions if a.fixed_cost > 0]
    limited = {a for b in bounds if b.kind != "max_gap" for a in b.uses}
    sizes = range(len(dear) + 1) if len(dear) <= _MOST_TRIED else (0, 1, len(dear))
    for size in sizes:
        for shut in itertools.combinations(dear, size):
            if any(a not in limited and a not in shut for a in decision.action_names):
                yield shut


def _policy(
    decision: Decision,
    bounds: tuple[Bound, ...],
    groups: Mapping[str, Group],
    shut: tuple[str, ...],
) -> Policy:
    how = "For each unit it takes the action with the largest expected money"
    shares = limited_shares(decision)
    limits = [f"{decision.action_label(a)} for at most {percent(s)}" for a, s in shares.items()]
    if limits:
        how += f", within capacity ({', '.join(limits)} of units)"
    held = [b.name for b in bounds if b.kind != "capacity"]
    if held:
        words = {x.name: x.label for x in decision.limits}
        words |= {x.name: x.label for x in decision.constraints}
        how += f", keeping to: {', '.join(words[n] for n in held)}"
    if shut:
        left_out = ", ".join(decision.action_label(a) for a in shut)
        how += f"; without {left_out}, which would not earn its fixed cost"
    return Policy(
        name="expected",
        kind="expected",
        label="The model, by expected money",
        how=how + ".",
        actions=decision.action_names,
        default=decision.action_names[default_action(decision)],
        bounds=bounds,
        groupings=groupings_of(decision, groups),
        shut=shut,
    )


def without_constraints(decision: Decision, stakes: Stakes) -> list[Policy]:
    """Return, for each constraint, the best policy that need not keep it; to price, not to use."""
    if stakes.expected is None:
        return []
    return [
        replace(
            best_policy(decision, stakes, without=c.name, name=WITHOUT + c.name),
            label=f"The model, by expected money, without: {c.label}",
        )
        for c in decision.constraints
    ]


def groupings_of(decision: Decision, groups: Mapping[str, Group]) -> tuple[Grouping, ...]:
    """Return how units find their groups in the subgroups that limits and constraints name."""
    return tuple(
        Grouping(name=s.name, column=str(s.column), labels=groups[s.name][0], bands=s.bands)
        for s in decision.subgroups
        if s.name in groups
    )


def actions_of(policy: Policy, stakes: Stakes, *, cut_to_fit: bool = True) -> NDArray[np.int16]:
    """Apply a policy to what is at stake."""
    right = None
    if policy.kind == "automation":
        right = sureness(policy, stakes)
    return policy.apply(
        n=len(stakes),
        expected=stakes.expected,
        prob=stakes.prob,
        rule=stakes.rule,
        weight=stakes.weight,
        groups=stakes.groups,
        right=right,
        familiar=stakes.familiar,
        cut_to_fit=cut_to_fit,
    )


def sureness(policy: Policy, stakes: Stakes) -> NDArray[np.float64]:
    """Return the probability that each action is right, float64 (n, n_actions).

    See :func:`payoff.policy.automation.chance_right`.
    """
    places = [policy.actions.index(a) for a in policy.automatic]
    return chance_right(stakes.cells, np.asarray(stakes.prob), len(policy.actions), places)


def policy_value(codes: NDArray[np.int16], stakes: Stakes) -> NDArray[np.float64]:
    """Return the realised money of each unit under the given actions, float64 (n,).

    Fixed costs are not in it; see :func:`earned`.
    """
    out: NDArray[np.float64] = stakes.realised[np.arange(len(codes)), codes]
    return out


def fixed_cost(
    decision: Decision, policy: Policy, codes: NDArray[np.int16], weight: NDArray[np.float64]
) -> float:
    """Return the fixed costs of a policy, spread evenly: money per unit decided.

    An action costs its fixed cost when the policy takes it on any unit, the model its cost when the
    policy is no baseline; both are per period and divided by the units of a period.
    """
    if decision.volume is None:
        return 0.0
    total = 0.0
    if any(a.fixed_cost for a in decision.actions):
        used = np.bincount(codes, weights=weight, minlength=len(decision.actions)) > 0
        total = sum(a.fixed_cost for a, u in zip(decision.actions, used, strict=True) if u)
    return (total + (0.0 if policy.baseline else decision.model_cost)) / float(decision.volume)


def earned(
    decision: Decision, policy: Policy, codes: NDArray[np.int16], stakes: Stakes
) -> NDArray[np.float64]:
    """Return the realised money of each unit, less its even share of the fixed costs."""
    return policy_value(codes, stakes) - fixed_cost(decision, policy, codes, stakes.weight)
