"""Policies beyond what was ever done: no value, only bounds; and what was done, as a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.acted import Acted
from payoff.evidence.evidence import Estimate, Group, SubgroupEvidence
from payoff.evidence.interval import share
from payoff.evidence.offpolicy import bounded
from payoff.policy.best import default_action, fixed_cost
from payoff.policy.policy import Policy
from payoff.policy.stakes import Stakes

__all__ = ["no_value", "unknown_value", "unmeasured_groups", "with_the_past"]


def with_the_past(
    decision: Decision, stakes: Stakes, acted: Sequence[Acted]
) -> tuple[list[Acted], frozenset[str]]:
    """Return the policies with what was done among them, and the names of those that are that.

    What was done earned what it earned: no weights, no model. It is a baseline of its own, unless
    the current rule is declared to be it.
    """
    past, declared = stakes.past, decision.past
    if past is None or declared is None:
        return list(acted), frozenset()
    rule = decision.current_rule
    if rule is not None and rule.column == declared.action:
        return list(acted), frozenset({"current_rule"})
    names = decision.action_names
    by = "by chance" if declared.randomised else "as recorded"
    policy = Policy(
        name="past",
        kind="recorded",
        label=f"What was done, {by}",
        how=f"Each {decision.unit} gets what column {declared.action} says it got.",
        actions=names,
        default=names[default_action(decision)],
        baseline=True,
    )
    return [*acted, Acted(policy=policy, codes=past.taken)], frozenset({"past"})


def no_value(decision: Decision, stakes: Stakes, why: str) -> Estimate:
    """Return the estimate that has no value, with the reason."""
    return Estimate(
        value=None,
        low=None,
        high=None,
        level=decision.evidence.level,
        unit=decision.value_unit,
        n=len(stakes),
        n_clusters=0,
        method="none",
        reason=why,
    )


def unknown_value(decision: Decision, stakes: Stakes, acted: Acted, why: str) -> Estimate:
    """Bound the value of a policy where the past does not overlap with it.

    A row on which past and policy agree earned what it earned; any other lies between the least and
    the largest money of the policy's action over all outcomes. No propensity is needed.

    References
    ----------
    Manski, C. F. (1990). Nonparametric bounds on treatment effects. American Economic Review 80(2).
    """
    past = stakes.past
    if past is None:
        return no_value(decision, stakes, why)
    codes = acted.codes
    every = np.arange(len(codes))
    agree = codes == past.taken
    low = np.where(agree, past.money, past.low[every, codes])
    high = np.where(agree, past.money, past.high[every, codes])
    fixed = fixed_cost(decision, acted.policy, codes, stakes.weight)
    return bounded(
        stakes,
        low - fixed,
        high - fixed,
        level=decision.evidence.level,
        unit=decision.value_unit,
        reason=why,
    )[0]


def unmeasured_groups(
    decision: Decision,
    stakes: Stakes,
    subgroups: Mapping[str, tuple[tuple[str, ...], NDArray[np.int32]]],
    codes: NDArray[np.int16],
    why: str,
) -> tuple[SubgroupEvidence, ...]:
    """Name every group, with its size and the share acted on; none has a value of its own."""
    acts = codes != default_action(decision)
    total = float(stakes.weight.sum())
    made = []
    for name, (labels, place) in subgroups.items():
        groups = []
        for k, label in enumerate(labels):
            rows = np.flatnonzero(place == k)
            small = len(rows) < decision.evidence.smallest_group
            cluster = None if stakes.resampled is None else stakes.resampled[rows]
            acted = share(acts[rows], stakes.weight[rows], cluster, level=decision.evidence.level)
            groups.append(
                Group(
                    label=label,
                    state="small" if small else "not_estimable",
                    reason="too few rows were judged" if small else why,
                    n=len(rows),
                    share=float(stakes.weight[rows].sum()) / total,
                    positives=None,
                    rate=None,
                    value=None,
                    gain=None,
                    total_gain=None,
                    rates={} if small else {"acted": acted},
                )
            )
        made.append(SubgroupEvidence(name=name, groups=tuple(groups)))
    return tuple(made)
