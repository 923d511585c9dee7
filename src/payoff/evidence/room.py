"""Value against capacity, and what volume changes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy import special

from payoff.declare.decision import plural
from payoff.evidence.checks import amount, quoted
from payoff.evidence.curve import threshold_values
from payoff.evidence.judged import Judged
from payoff.evidence.redecide import decides_by_money
from payoff.policy.choose import limited_shares

__all__ = ["capacity_curve", "volume"]

_POINTS: Final = 21


def capacity_curve(judged: Judged) -> dict[str, Any]:
    """Return the value per period at every capacity of the one limited action: one sort.

    Units are taken by falling expected gain, as the policy does; each of them then earns what it
    really earned. Beyond the share whose expected gain is above zero, more room earns nothing.
    """
    decision, stakes = judged.decision, judged.stakes
    limits = limited_shares(decision)
    if len(limits) != 1:
        return {
            "not_measured": "no action is limited"
            if not limits
            else "several actions are limited, and their room is one trade-off"
        }
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
    return (
        f"With room for {found['enough'] * per:,.0f} {units} instead of "
        f"{found['room'] * per:,.0f}, {label} would have earned about "
        f"{amount(more, decision.money_unit)} more; beyond that, nothing."
    )


def volume(judged: Judged) -> dict[str, Any]:
    """Say what more or fewer units per period would change."""
    decision = judged.decision
    fixed = [a for a in decision.actions if a.capacity and a.capacity.per_period is not None]
    if not fixed:
        return {
            "matters": False,
            "sentence": "The choice does not depend on how many units come up: nothing declared is "
            "fixed per period, so all money grows and shrinks in proportion.",
        }
    curve = capacity_curve(judged)
    if "not_measured" in curve:
        return {"matters": True, "not_measured": curve["not_measured"]}
    now = decision.units_reported
    rows = []
    for factor in (0.5, 1.0, 2.0):
        share = min(1.0, curve["room"] / factor)
        each = float(np.interp(min(share, curve["enough"]), curve["share"], curve["value"])) / now
        rows.append({"volume": now * factor, "share": share, "value": each * now * factor})
    return {
        "matters": True,
        "unit": decision.money_unit,
        "n": len(judged.stakes),
        "rows": rows,
        "sentence": "The capacity is fixed per period, so with more units a smaller share of them "
        "can be acted on: the money grows less than the volume.",
    }
