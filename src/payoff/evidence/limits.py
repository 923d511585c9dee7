"""What limits leave room for, what of it is used, and what one more would earn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.checks import Check, numbered
from payoff.declare import Constraint, Decision, Limit
from payoff.declare.decision import plural
from payoff.errors import listed, percent
from payoff.evidence.judged import Judged
from payoff.evidence.wording import number, quoted
from payoff.policy.best import actions_of
from payoff.policy.bounds import Bound, bounds_of, group_of, spent
from payoff.policy.stakes import Stakes

__all__ = ["beyond_limits", "kept_to", "limit_checks", "limits_used"]

_LIMITS: Final = ("capacity", "limit")
_FULL: Final = 0.999


def beyond_limits(decision: Decision, stakes: Stakes, codes: NDArray[np.int16]) -> bool:
    """Whether actions use more than a capacity or limit leaves room for."""
    return any(
        used > bound.rooms[label] * (1 + 1e-9)
        for bound in bounds_of(decision, stakes.groups)
        if bound.kind in _LIMITS
        for label, used in spent(
            bound, codes, stakes.weight, decision.action_names, stakes.groups
        ).items()
    )


def kept_to(decision: Decision) -> tuple[str, ...]:
    """Return in words each capacity, limit and constraint that policies of a decision keep to."""
    units = plural(decision.unit)
    said = [
        f"{quoted(a.label)} for at most {percent(share)} of {units}"
        for a in decision.actions
        if (share := decision.capacity_share(a)) is not None
    ]
    for limit in decision.limits:
        room = limit.share if limit.per_period is None else limit.per_period
        per = decision.unit if limit.per_period is None else decision.period
        said.append(f"{limit.label}: at most {room:,.6g} per {per}{_where(limit)}")
    words = {"floor": "at least", "cap": "at most", "max_gap": "a gap of at most"}
    said += [
        f"{c.label}: {words[c.kind]} {percent(c.share)}{_where(c)}" for c in decision.constraints
    ]
    return tuple(said)


def _where(rule: Limit | Constraint) -> str:
    if rule.group is not None:
        return f" in {quoted(rule.group)}"
    return f" by {rule.subgroup}" if rule.subgroup is not None else ""


def limits_used(judged: Judged) -> tuple[dict[str, Any], ...]:
    """Say of each capacity and limit how much of its room is used, and what one more would earn.

    Returns
    -------
    tuple of dict
        One per limit and group: ``name``, ``kind``, ``label``, ``actions`` (what each uses),
        ``action`` (of a capacity), ``resource``, ``subgroup``, ``group``, ``share`` and
        ``used_share`` (units of the resource per unit decided), ``per_period`` and
        ``used_per_period`` (units of the resource), ``shadow_price`` with ``price_unit``,
        ``binding`` and ``sentence``.

    Notes
    -----
    The shadow price is what one more unit of the resource would have earned on the choosing rows,
    by expected money: the right derivative of the optimum.
    """
    decision, stakes, first = judged.decision, judged.stakes, judged.first
    held = {b.name: b for b in first.policy.bounds}
    found = []
    for bound in bounds_of(decision, stakes.groups):
        if bound.kind not in _LIMITS:
            continue
        priced = held.get(bound.name, bound)
        used = spent(bound, first.codes, stakes.weight, decision.action_names, stakes.groups)
        labels, group = group_of(bound, stakes.groups, len(stakes))
        for label, each in used.items():
            inside = group == labels.index(label)
            part = float(stakes.weight[inside].sum() / stakes.weight.sum())
            units = decision.units_reported * (part if bound.of_group else 1.0)
            found.append(_limit(decision, bound, label, each, units, priced.worth.get(label)))
    return tuple(found)


def _limit(
    decision: Decision, bound: Bound, label: str, used: float, units: float, worth: float | None
) -> dict[str, Any]:
    declared = next((x for x in decision.limits if x.name == bound.name), None)
    capacity = bound.kind == "capacity"
    words = decision.action_label(bound.name) if capacity or declared is None else declared.label
    if label:
        words += f" ({bound.subgroup}: {label})"
    room = bound.rooms[label]
    per_share = declared is None or (declared.share is not None and set(bound.uses.values()) == {1})
    resource = decision.unit
    if declared is not None and declared.resource:
        resource = declared.resource
    elif declared is not None and not per_share:
        resource = "unit of it"
    if per_share:
        said = f"room for {percent(room)} of {plural(decision.unit)}, used for {percent(used)}."
    else:
        many = plural(resource) if resource != "unit of it" else "units"
        period = decision.money_unit.partition(" per ")[2]
        said = f"room for {room * units:,.4g} {many} per {period}, used {used * units:,.4g}."
    one_more = "" if per_share else f" {resource}"
    if worth is None:
        more = ""
    elif worth > 0:
        more = (
            f" One more{one_more} would have earned about {decision.currency} {number(worth)} "
            "when the policy was chosen."
        )
    else:
        more = " More room would earn nothing."
    return {
        "name": bound.name,
        "kind": bound.kind,
        "label": words,
        "action": bound.name if capacity else None,
        "actions": dict(bound.uses),
        "resource": resource,
        "subgroup": bound.subgroup,
        "group": label or None,
        "share": room,
        "per_period": room * units,
        "used_share": used,
        "used_per_period": used * units,
        "shadow_price": worth,
        "price_unit": f"{decision.currency} per {resource}",
        "binding": bool(worth) or used >= room * _FULL,
        "sentence": f"{words}: {said}{more}",
    }


def limit_checks(
    judged: Judged | None, constraints: Sequence[Mapping[str, Any]]
) -> tuple[Check, Check]:
    """Return the checks of constraints, and of limits where units come one at a time.

    ``judged`` is None where rows were judged from cells, which hold no decision with limits.
    """
    return _kept(constraints), _one_at_a_time(judged)


def _kept(constraints: Sequence[Mapping[str, Any]]) -> Check:
    result = numbered("PAY-E218", "Constraints on the judging rows")
    if not constraints:
        return result(status="not_applicable", detail="No constraint is declared.")
    text = " ".join(str(c["sentence"]) for c in constraints)
    broken = [str(c["label"]) for c in constraints if c["state"] == "broken"]
    if broken:
        return result(
            status="issue",
            page_one=True,
            detail=f"Not kept, by more than the interval of these rows: {listed(broken)}. {text}",
            mend="Set the bound tighter than you need it, choose on recent rows, or decide in "
            "batches and check the shares",
        )
    return result(status="passed", detail=text)


def _one_at_a_time(judged: Judged | None) -> Check:
    """Act by prices alone, as the server does, and see whether a limit would be exceeded."""
    result = numbered("PAY-E219", "Limits when cases come one at a time")
    if judged is None:
        return result(status="not_applicable", detail="No limit is kept by prices.")
    decision, stakes, first = judged.decision, judged.stakes, judged.first
    limits = [b for b in first.policy.bounds if b.kind in _LIMITS]
    if not limits or stakes.expected is None or first.policy.kind != "expected":
        return result(status="not_applicable", detail="No limit is kept by prices.")
    codes = actions_of(first.policy, stakes, cut_to_fit=False)
    over = []
    for bound in limits:
        used = spent(bound, codes, stakes.weight, decision.action_names, stakes.groups)
        for label, each in used.items():
            room = bound.rooms.get(label, math.inf)
            if each > room * 1.05 + 1e-9:
                place = f" ({label})" if label else ""
                more = each / room - 1 if room > 0 else math.inf
                over.append(f"{quoted(_words(decision, bound))}{place} by {more * 100:.0f} %")
    if over:
        return result(
            status="tip",
            detail=f"By its prices alone the policy would have exceeded {', '.join(over)} on the "
            "rows judged; the figures here are of batches, which are cut to fit.",
            mend="Decide in batches where a limit is hard, or choose again on recent rows",
        )
    return result(
        status="passed", detail="By its prices alone the policy stays within 5 % of every limit."
    )


def _words(decision: Decision, bound: Bound) -> str:
    declared: Limit | None = next((x for x in decision.limits if x.name == bound.name), None)
    return decision.action_label(bound.name) if declared is None else declared.label
