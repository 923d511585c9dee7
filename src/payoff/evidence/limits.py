"""What limits leave room for and earn, and what constraints cost: judged, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.checks import Check, numbered
from payoff.declare import Constraint, Decision, Limit
from payoff.declare.decision import plural
from payoff.errors import listed
from payoff.evidence.acted import Acted
from payoff.evidence.interval import share
from payoff.evidence.judged import Judged
from payoff.evidence.wording import amount, money, quoted, short
from payoff.policy.best import WITHOUT, actions_of, earned
from payoff.policy.bounds import Bound, bounds_of, group_of, spent
from payoff.policy.stakes import Stakes

__all__ = ["beyond_limits", "constraints_judged", "limit_checks", "limits_used"]

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
        said = f"room for {room:.1%} of {plural(decision.unit)}, used for {used:.1%}."
    else:
        many = plural(resource) if resource != "unit of it" else "units"
        period = decision.money_unit.partition(" per ")[2]
        said = f"room for {room * units:,.4g} {many} per {period}, used {used * units:,.4g}."
    one_more = "" if per_share else f" {resource}"
    if worth is None:
        more = ""
    elif worth > 0:
        more = (
            f" One more{one_more} would have earned about {decision.currency} {short(worth)} "
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


def constraints_judged(judged: Judged, beside: Sequence[Acted]) -> tuple[dict[str, Any], ...]:
    """Say of each constraint whether it held on the judging rows, and what it costs.

    Parameters
    ----------
    beside
        The best policy without each constraint, applied to the judging rows.

    Returns
    -------
    tuple of dict
        ``name``, ``label``, ``kind``, ``share`` (the bound), ``actions``, ``subgroup``, ``groups``
        (label and estimate of the share acted on), ``measured`` (estimate: the share furthest from
        the bound, or the gap), ``state`` (``"met"``, ``"within"`` its interval, ``"broken"``),
        ``price`` per unit and ``price_total`` per period (estimates) and ``sentence``.

    Notes
    -----
    The price is the money of the best policy without the constraint less the money of the policy,
    paired on the same rows: what keeping it costs.
    """
    decision, stakes = judged.decision, judged.stakes
    bounds = {b.name: b for b in bounds_of(decision, stakes.groups)}
    found = []
    for constraint in decision.constraints:
        free = next((a for a in beside if a.policy.name == WITHOUT + constraint.name), None)
        measured = _measured(judged, bounds[constraint.name], constraint)
        priced = _price(judged, free)
        sentence = f"{constraint.label}: {measured.pop('said')} {_price_said(judged, priced)}"
        found.append(
            {
                "name": constraint.name,
                "label": constraint.label,
                "kind": constraint.kind,
                "share": constraint.share,
                "actions": list(bounds[constraint.name].uses),
                "subgroup": constraint.subgroup,
                **measured,
                **priced,
                "sentence": sentence.strip(),
            }
        )
    return tuple(found)


def _price(judged: Judged, free: Acted | None) -> dict[str, Any]:
    if free is None:
        reason = "the actions were decided elsewhere, so the constraint did not choose them"
        return {"price": {"not_measured": reason}, "price_total": {"not_measured": reason}}
    other = earned(judged.decision, free.policy, free.codes, judged.stakes)
    alike = np.array_equal(free.codes, judged.first.codes)
    same = "the policy with and without it act alike on every row judged" if alike else ""
    per_unit = judged.worth(other - judged.own, identical=same)
    return {"price": asdict(per_unit), "price_total": asdict(judged.total(per_unit))}


def _price_said(judged: Judged, priced: Mapping[str, Any]) -> str:
    from payoff.evidence.evidence import Estimate

    total = priced["price_total"]
    if "not_measured" in total:
        return f"What it costs is not measured: {total['not_measured']}."
    estimate = Estimate(**total)
    if estimate.method == "exact":
        return "It costs nothing: without it the policy would do the same."
    if estimate.value is not None and estimate.value < 0:
        gain = estimate.value * -1
        return (
            f"On these rows keeping it cost nothing: without it the policy earned "
            f"{amount(gain, estimate.unit)} less."
        )
    return f"Keeping it costs {money(estimate)}."


def _measured(judged: Judged, bound: Bound, constraint: Constraint) -> dict[str, Any]:
    """Estimate the share acted on of each group (or the gap) and hold it against the bound."""
    decision, stakes, level = judged.decision, judged.stakes, judged.decision.evidence.level
    labels, group = group_of(bound, stakes.groups, len(stakes))
    hit = bound.usage(decision.action_names)[judged.first.codes] > 0
    groups = []
    for place, label in enumerate(labels):
        rows = np.flatnonzero(group == place)
        if label not in bound.rooms or len(rows) == 0:
            continue
        cluster = None if stakes.resampled is None else stakes.resampled[rows]
        found = share(hit[rows], stakes.weight[rows], cluster, level=level)
        groups.append((label, place, found))
    if not groups:
        absent = {"not_measured": "no row judged belongs to its group"}
        return {
            "groups": [],
            "measured": absent,
            "state": "within",
            "said": "not measured: no row.",
        }
    listing = [{"group": label, "share": asdict(e)} for label, _, e in groups]
    if constraint.kind == "max_gap":
        ordered = sorted(groups, key=lambda g: g[2].value or 0.0)
        low, high = ordered[0], ordered[-1]
        gap = (high[2].value or 0.0) - (low[2].value or 0.0)
        half = _gap_error(stakes, hit, group, low[1], high[1]) * float(
            special.ndtri(0.5 + level / 2)
        )
        ends = max(0.0, gap - half), min(1.0, gap + half)
        figure = {**asdict(high[2]), "value": gap, "low": ends[0], "high": ends[1]}
        figure |= {"method": "t", "n": high[2].n + low[2].n}
        state = _state(gap, ends[0], constraint.share, above=False)
        said = (
            f"the shares acted on may differ by {constraint.share:.1%} between groups; they "
            f"differed by {gap:.1%} ({quoted(low[0])} {low[2].value:.1%}, {quoted(high[0])} "
            f"{high[2].value:.1%})."
        )
        return {"groups": listing, "measured": figure, "state": state, "said": said}
    floor = constraint.kind == "floor"
    worst = (min if floor else max)(groups, key=lambda g: g[2].value or 0.0)
    value, edge = worst[2].value or 0.0, (worst[2].high if floor else worst[2].low)
    state = _state(value, value if edge is None else edge, constraint.share, above=floor)
    words = {"floor": ("at least", "lowest"), "cap": ("at most", "highest")}[constraint.kind]
    units = plural(decision.unit)
    if not worst[0]:
        said = f"{words[0]} {constraint.share:.1%} of {units}; acted on were {value:.1%}."
    elif len(groups) == 1:
        said = (
            f"{words[0]} {constraint.share:.1%} of {units} in {quoted(worst[0])}; acted on were "
            f"{value:.1%}."
        )
    else:
        said = (
            f"{words[0]} {constraint.share:.1%} of {units} in every group; the {words[1]} share "
            f"was {value:.1%} ({quoted(worst[0])})."
        )
    return {"groups": listing, "measured": asdict(worst[2]), "state": state, "said": said}


def _state(value: float, edge: float, bound: float, *, above: bool) -> str:
    """Hold a measured share, and the end of its interval nearer the bound, against the bound."""
    if above:
        value, edge, bound = -value, -edge, -bound
    if value <= bound + 1e-9:
        return "met"
    return "within" if edge <= bound + 1e-9 else "broken"


def _gap_error(
    stakes: Stakes, hit: NDArray[np.bool_], group: NDArray[np.int32], low: int, high: int
) -> float:
    """Return the standard error of the difference of two groups' shares, clusters together."""
    influence = np.zeros(len(hit))
    for place, sign in ((high, 1.0), (low, -1.0)):
        rows = group == place
        w = stakes.weight[rows]
        x = hit[rows].astype(np.float64)
        influence[rows] += sign * w * (x - np.average(x, weights=w)) / w.sum()
    if stakes.resampled is not None:
        influence = np.bincount(stakes.resampled, weights=influence).astype(np.float64)
    n = max(int(np.count_nonzero(influence)), 2)
    return math.sqrt(float(influence @ influence) * n / (n - 1))


def limit_checks(judged: Judged, constraints: Sequence[Mapping[str, Any]]) -> tuple[Check, Check]:
    """Return the checks of constraints, and of limits where units come one at a time."""
    return _kept(constraints), _one_at_a_time(judged)


def _kept(constraints: Sequence[Mapping[str, Any]]) -> Check:
    result = numbered("PAY-E218", "Constraints kept on the judging rows")
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


def _one_at_a_time(judged: Judged) -> Check:
    """Act by prices alone, as the server does, and see whether a limit would be exceeded."""
    result = numbered("PAY-E219", "Limits when cases come one at a time")
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
                over.append(f"{quoted(_words(decision, bound))}{place} by {more:.0%}")
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
