"""Value against capacity, and what volume changes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import numpy as np
from scipy import special

from payoff.declare import Decision
from payoff.declare.decision import plural
from payoff.evidence.curve import threshold_values
from payoff.evidence.evidence import PolicyEvidence
from payoff.evidence.joint import figure
from payoff.evidence.judged import Judged
from payoff.evidence.measured import Measured
from payoff.evidence.redecide import decides_by_money
from payoff.evidence.wording import about, quoted
from payoff.policy.best import limited_shares

__all__ = ["capacity_curve", "volume", "volume_told"]

_POINTS: Final = 21


def capacity_curve(judged: Judged) -> dict[str, Any]:
    """Return the value per period at every capacity of the one limited action: one sort.

    Units are taken by falling expected gain, as the policy does; each of them then earns what it
    really earned. Beyond the share whose expected gain is above zero, more room earns nothing.
    """
    decision, stakes = judged.decision, judged.stakes
    limits = limited_shares(decision)
    if not limits and not decision.limits:
        return {"not_measured": "no action is limited"}
    if len(limits) != 1 or decision.limits or decision.constraints:
        return {"not_measured": "several limits hold at once, and their room is one trade-off"}
    why = decides_by_money(judged)
    if why or stakes.expected is None:
        return {"not_measured": why}
    ((action, room),) = limits.items()
    code = decision.action_names.index(action)
    other = np.delete(stakes.expected, code, axis=1)
    second = np.delete(np.arange(stakes.expected.shape[1]), code)[other.argmax(axis=1)]
    gain = stakes.expected[:, code] - other.max(axis=1)
    rows = np.arange(len(stakes))
    order = np.argsort(-gain, kind="stable")
    used = np.cumsum(stakes.weight[order]) / stakes.weight.sum()
    enough = float(used[int((gain > 0).sum()) - 1]) if (gain > 0).any() else 0.0
    top = min(1.0, max(enough, room) * 1.2) or 1.0
    shares = np.unique(np.concatenate([np.linspace(0, top, _POINTS), [min(room, 1.0)]]))
    taken = np.searchsorted(used, np.minimum(shares, enough) * (1 - 1e-12), side="left")
    cuts = np.where(
        (shares > 0) & (enough > 0), gain[order[np.minimum(taken, len(gain) - 1)]], np.inf
    )
    # thresholds must rise: capacities are walked from the largest to none
    value, error, acted = threshold_values(
        gain,
        stakes.realised[rows, second],
        stakes.realised[:, code],
        stakes.weight,
        cuts[::-1],
        stakes.resampled,
    )
    z = float(special.ndtri(0.5 + decision.evidence.level / 2))
    units = decision.units_reported
    value, error, acted = value[::-1] * units, error[::-1] * units, acted[::-1]
    if decision.volume is not None:
        value = value - decision.model_cost - decision.actions[code].fixed_cost * (acted > 0)
    found = {
        "action": action,
        "unit": decision.money_unit,
        "n": len(stakes),
        "share": shares.tolist(),
        "per_period": (shares * units).tolist(),
        "acted": acted.tolist(),
        "value": value.tolist(),
        "low": (value - z * error).tolist(),
        "high": (value + z * error).tolist(),
        "room": room,
        "value_now": float(np.interp(room, shares, value)),
        "enough": enough,
        "value_enough": float(np.interp(enough, shares, value)),
    }
    return found | {"sentence": _sentence(judged, found)}


def _sentence(judged: Judged, found: dict[str, Any]) -> str:
    decision = judged.decision
    label = quoted(decision.action_label(found["action"]))
    units, per = plural(decision.unit), decision.units_reported
    if found["enough"] <= found["room"]:
        return (
            f"The room for {label} is enough: beyond {found['enough'] * per:,.0f} {units} more "
            "would earn nothing."
        )
    more = found["value_enough"] - found["value_now"]
    if more <= 0:
        return (
            f"More room for {label} would have been used up to {found['enough'] * per:,.0f} "
            f"{units}, but would not have earned more on the rows judged."
        )
    return (
        f"With room for {found['enough'] * per:,.0f} {units} instead of "
        f"{found['room'] * per:,.0f}, {label} would have earned about "
        f"{about(more, decision.money_unit)} more; beyond that, nothing."
    )


def volume(judged: Judged) -> dict[str, Any]:
    """Say what more or fewer units per period would change.

    Money per unit does not depend on how many units come up, except where something is fixed per
    period. With fixed costs F the policy overtakes another at the volume
    ``(F_own - F_other) / (v_own - v_other)``, v being money per unit before fixed costs.
    """
    own = judged.policies[0]
    simple = [p for p in judged.policies[1:] if p.baseline and p.feasible]
    turns = [_turn(judged, p) for p in simple if p.fixed_per_period != own.fixed_per_period]
    by_volume = _by_volume(judged) if _limited(judged.decision) else None
    return volume_told(judged, turns, by_volume)


def _limited(decision: Decision) -> bool:
    return any(a.capacity and a.capacity.per_period is not None for a in decision.actions) or any(
        x.per_period is not None for x in decision.limits
    )


def volume_told(
    judged: Measured,
    turns: list[dict[str, Any]],
    by_volume: list[dict[str, float]] | None,
) -> dict[str, Any]:
    """Return what volume changes, in figures and a sentence.

    Parameters
    ----------
    turns
        Volumes at which fixed costs are earned, one per policy whose fixed costs differ.
    by_volume
        Value at other volumes; None where nothing declared is limited per period.
    """
    decision, own = judged.decision, judged.policies[0]
    found: dict[str, Any] = {"matters": False, "n": judged.n, "turns": []}
    said: list[str] = []
    if turns:
        found |= {"matters": True, "turns": turns}
        known = [t for t in turns if t["volume"]["value"] is not None and t["better_above"]]
        if known:
            last = max(known, key=lambda t: t["volume"]["value"])
            label = next(p.label for p in judged.policies if p.name == last["against"])
            said.append(
                f"The fixed costs of {quoted(own.label)} are earned from "
                f"{last['volume']['value']:,.0f} {plural(decision.unit)} per {decision.period} on; "
                f"with fewer, {quoted(label)} is better."
            )
    if by_volume is not None:
        found |= {"matters": True, "rows": by_volume}
        said.append(
            "Capacity is fixed per period, so with more units a smaller share of them can be acted "
            "on: the money grows less than the volume."
        )
    if not said:
        said.append(
            "The choice does not depend on how many units come up: nothing declared is fixed per "
            "period, so all money grows and shrinks in proportion."
            if not found["matters"]
            else "Fixed costs differ, but no volume makes a policy without a model overtake it."
        )
    return found | {"sentence": " ".join(said)}


def _turn(judged: Judged, other: PolicyEvidence) -> dict[str, Any]:
    """Return the volume at which fixed costs are earned, with the interval of the gain turned."""
    decision, own = judged.decision, judged.policies[0]
    gain = judged.worth(
        judged.before_fixed_costs(own.name) - judged.before_fixed_costs(other.name),
        identical="the two act alike",
    )
    dearer = own.fixed_per_period - other.fixed_per_period
    each = gain.value or 0.0
    at = dearer / each if each and dearer / each > 0 else None
    ends = None
    if at is not None and gain.low and gain.high and gain.low * gain.high > 0:
        ends = (
            min(dearer / gain.low, dearer / gain.high),
            max(dearer / gain.low, dearer / gain.high),
        )
    reason = "" if ends else "the gain per unit cannot be told from zero"
    unit = f"{plural(decision.unit)} per {decision.period}"
    told = figure(judged, at, ends, unit, reason, method=gain.method)
    return {"against": other.name, "better_above": each > 0, "volume": asdict(told)}


def _by_volume(judged: Judged) -> list[dict[str, float]]:
    """Return the value per period at half, the same and twice the volume."""
    curve = capacity_curve(judged)
    if "not_measured" in curve:
        return []
    now = judged.decision.units_reported
    rows = []
    for factor in (0.5, 1.0, 2.0):
        share = min(1.0, curve["room"] / factor, curve["enough"])
        each = float(np.interp(share, curve["share"], curve["value"])) / now
        rows.append({"volume": now * factor, "share": share, "value": each * now * factor})
    return rows
