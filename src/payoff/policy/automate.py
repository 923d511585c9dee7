"""Choosing what is automated: the policy that keeps an error rate, and what strangers get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.errors import percent
from payoff.policy.automation import misrouted
from payoff.policy.best import actions_of, sureness
from payoff.policy.bounds import spent
from payoff.policy.guarantee import Trials, fewest, learn_order, try_in_order
from payoff.policy.policy import Policy
from payoff.policy.stakes import Choosing, Stakes

__all__ = ["NAME", "automation_policy", "trials", "with_strangers"]

#: Name of the policy in the evidence.
NAME: Final = "automation"
_NEVER: Final = float(np.nextafter(1.0, 2.0))


def with_strangers(
    decision: Decision, found: Sequence[Policy], threshold: float | None
) -> list[Policy]:
    """Return the policies that have a model told from which familiarity down a unit is a stranger.

    Strangers get the action for what the model should not decide
    (:attr:`~payoff.declare.Decision.reviewer`), where there is one that the policy takes at all;
    else they are only flagged.
    """
    if threshold is None:
        return list(found)
    return [
        replace(
            p,
            unfamiliar=threshold,
            stranger=None if decision.reviewer in p.shut else decision.reviewer,
        )
        if p.kind == "expected" or p.name == "threshold"
        else p
        for p in found
    ]


def trials(policy: Policy, stakes: Stakes) -> Trials:
    """Return how sure a policy is of each automatic action, and whether it was an error.

    Rows without an outcome or weight are left out. Strangers are never automated: they are less
    sure than any threshold.
    """
    known = (stakes.outcome >= 0) & (stakes.weight > 0)
    codes = policy.automated(policy.net(np.asarray(stakes.expected), stakes.groups))
    sure = sureness(policy, stakes)[np.arange(len(codes)), codes]
    strange = policy.strange(stakes.familiar)
    if strange is not None:
        sure[strange] = -1.0
    places = [policy.actions.index(a) for a in policy.automatic]
    wrong = misrouted(stakes.realised, codes, places)
    return Trials(
        sure=sure[known],
        wrong=wrong[known],
        weight=stakes.weight[known],
        cluster=None if stakes.resampled is None else stakes.resampled[known],
    )


def automation_policy(
    decision: Decision, base: Policy, chosen: Choosing, testing: Choosing
) -> tuple[Policy, dict[str, Any]]:
    """Return the policy that keeps the declared error rate, and the record of how it was found.

    Parameters
    ----------
    base
        The policy of largest expected money: its prices, groups and familiarity are kept.
    chosen
        Rows on which everything but the threshold was chosen; here they say in which order
        thresholds are tried.
    testing
        Rows that did nothing yet; their outcomes prove the error rate.

    Returns
    -------
    policy, record
        ``record`` is JSON-ready: ``threshold`` (None where none passed), ``tried``, ``n`` and
        ``n_clusters`` of the testing rows, ``copies`` (rows left out because they are near copies
        of one that is tested), ``automated`` (rows), ``errors`` (rows), ``p_value``,
        ``method``, ``needed`` (rows for a proof, where none passed), ``rest`` (share of units that
        go to ``otherwise``), ``room`` (share its limits allow, or None) and ``fits``.
    """
    asked = decision.automation
    assert asked is not None
    assert asked.otherwise is not None
    draft = _draft(decision, base)
    first, second = trials(draft, chosen), trials(draft, testing)
    rows = len(second)
    if decision.data.cluster is None and not testing.weighted:  # clusters are copies of documents
        first, second = (t.once(decision.training.seed) for t in (first, second))
    order = learn_order(first, asked.max_error, asked.confidence)
    p_values = try_in_order(second, order, asked.max_error, asked.confidence)
    passed = [p <= 1 - asked.confidence for p in p_values].count(True)
    threshold = order[passed - 1] if passed else _NEVER
    policy = replace(draft, threshold=threshold, how=_how(decision, draft, threshold))
    acted = second.sure >= threshold
    record = {
        "threshold": threshold if passed else None,
        "tried": len(p_values),
        "n": len(second),
        "copies": rows - len(second),
        "n_clusters": len(second) if second.cluster is None else len(np.unique(second.cluster)),
        "automated": int(acted.sum()),
        "errors": int(second.wrong[acted].sum()),
        "p_value": p_values[passed - 1] if passed else p_values[0],
        "method": "binomial" if _equal(second, threshold) else "chernoff",
        "needed": None if passed else _needed(decision, first, second),
    }
    return policy, record | _room(decision, policy, testing)


def _draft(decision: Decision, base: Policy) -> Policy:
    """Return the policy that automates everything."""
    asked = decision.automation
    assert asked is not None
    open_actions = [a for a in decision.automatic if a not in base.shut]
    return replace(
        base,
        name=NAME,
        kind="automation",
        label="The model, where it is sure enough",
        shut=tuple(a for a in base.shut if a != asked.otherwise) if open_actions else (),
        automatic=decision.automatic,
        otherwise=asked.otherwise,
        stranger=None if base.unfamiliar is None else asked.otherwise,
        threshold=0.0,
        tuned_on="choose",
    )


def _how(decision: Decision, policy: Policy, threshold: float) -> str:
    asked = decision.automation
    assert asked is not None
    rest = decision.action_label(str(asked.otherwise))
    promise = (
        f"at most {percent(asked.max_error)} of what it does by itself may be wrong "
        f"({percent(asked.confidence)} sure)"
    )
    strangers = " and for strangers" if policy.unfamiliar is not None else ""
    if threshold > 1:
        return f"No threshold was found at which {promise}, so: {rest} for all."
    return (
        "It takes the action of largest expected money where that is right with a probability of "
        f"at least {threshold:.3g}; {rest} otherwise{strangers}. So chosen that {promise}."
    )


def _equal(rows: Trials, threshold: float) -> bool:
    """Whether every independent case automated weighs the same and is right or wrong whole."""
    weight, errors = rows.at(threshold if threshold <= 1 else 0.0)
    whole = (errors == 0) | (errors == weight)
    return len(weight) == 0 or bool(np.all(weight == weight[0]) and np.all(whole))


def _needed(decision: Decision, first: Trials, second: Trials) -> float | None:
    """Return about how many testing rows would have let a threshold pass; None where none would.

    The error rate of each threshold is that of both halves together, half an error added. For the
    bound it is half as many again, times the design effect of the weights.
    """
    asked = decision.automation
    assert asked is not None
    sure = np.concatenate([first.sure, second.sure])
    wrong = np.concatenate([first.wrong, second.wrong])
    found = []
    for threshold in np.unique(np.quantile(sure, np.arange(0, 20) / 20)):
        acted = sure >= max(float(threshold), 0.0)
        n = int(acted.sum())
        if n == 0:
            continue
        rate = (float(wrong[acted].sum()) + 0.5) / (n + 1)
        rows = fewest(rate, asked.max_error, asked.confidence)
        if rows is not None:
            found.append(rows / (n / len(sure)))
    if not found:
        return None
    more = 1.0
    if not _equal(second, 0.0):
        weight, _ = second.at(0.0)
        more = 1.5 * len(second) * float(weight @ weight) / float(weight.sum()) ** 2
    return more * float(min(found))


def _room(decision: Decision, policy: Policy, testing: Choosing) -> dict[str, Any]:
    """Say whether the rest fits into what limits leave to ``otherwise``."""
    codes: NDArray[np.int16] = actions_of(policy, testing)
    rest = codes == policy.actions.index(str(policy.otherwise))
    share = float(testing.weight[rest].sum() / testing.weight.sum())
    rooms, fits = [], True
    for bound in policy.bounds:
        if bound.kind not in ("capacity", "limit", "cap") or policy.otherwise not in bound.uses:
            continue
        used = spent(bound, codes, testing.weight, policy.actions, testing.groups)
        fits = fits and all(u <= bound.rooms[g] * (1 + 1e-9) for g, u in used.items())
        if bound.subgroup is None and set(bound.uses) == {policy.otherwise}:
            rooms.append(bound.rooms[""] / bound.uses[str(policy.otherwise)])
    return {"rest": share, "room": min(rooms, default=None), "fits": fits}
