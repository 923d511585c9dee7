"""Outcome shares at fitting and at judging, and what their difference does to the policy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from scipy import special

from payoff.declare import Decision
from payoff.errors import percent
from payoff.evidence.base_rate import takes_over
from payoff.evidence.evidence import Estimate
from payoff.evidence.interval import share
from payoff.evidence.judged import Judged
from payoff.evidence.wording import about

__all__ = ["ELSEWHERE", "outcome_shift"]

#: Why the shift of predictions made elsewhere is not measured.
ELSEWHERE: Final = "the predictions were made elsewhere, on rows payoff has not seen"


def outcome_shift(judged: Judged, rates: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the share of each outcome per part, the difference, and what it did to the policy.

    The effect is shown by judging twice on the same rows: as they are, and reweighted so that the
    outcomes have the shares of the fit rows. Where the best policy differs between the two, the
    change of the base rate, not the model, decides what is best.

    Parameters
    ----------
    rates
        The section ``base_rate``, for the share at which another policy takes over.
    """
    decision, stakes, background = judged.decision, judged.stakes, judged.background
    if background.fit_shares is None:
        return {"not_measured": ELSEWHERE}
    if stakes.causal:
        return {"not_measured": stakes.why_not_by_outcome}
    cluster = stakes.resampled
    rows = []
    largest = 0.0
    for code, name in enumerate(decision.outcome_names):
        now = share(stakes.outcome == code, stakes.weight, cluster, level=decision.evidence.level)
        before = float(background.fit_shares.get(name, 0.0))
        difference = _difference(now, before, background.fit_n, decision.evidence.level)
        rows.append(
            {
                "outcome": name,
                "fit": before,
                "choose": (background.choose_shares or {}).get(name),
                "judge": now.value,
                "difference": asdict(difference),
            }
        )
        apart = difference.low is not None and (difference.low > 0 or (difference.high or 0) < 0)
        if apart and before > 0:
            largest = max(largest, abs(math.log(max(now.value or 1e-9, 1e-9) / before)))
    warning = _warning(judged, rows, largest, rates or {})
    return {"outcomes": rows, "warning": warning}


def _difference(now: Estimate, before: float, n_before: int, level: float) -> Estimate:
    z = float(special.ndtri(0.5 + level / 2))
    p = now.value or 0.0
    half_now = ((now.high or p) - (now.low or p)) / 2
    half_before = z * math.sqrt(before * (1 - before) / max(n_before, 1))
    half = math.hypot(half_now, half_before)
    return Estimate(
        value=p - before,
        low=p - before - half,
        high=p - before + half,
        level=level,
        unit="share",
        n=now.n,
        n_clusters=now.n_clusters,
        method="wald",
    )


def _warning(
    judged: Judged,
    rows: Sequence[Mapping[str, Any]],
    largest: float,
    rates: Mapping[str, Any],
) -> str:
    decision, stakes, background = judged.decision, judged.stakes, judged.background
    acted, values = judged.acted, judged.values
    if largest < math.log(1.25):
        return ""
    worst = max(rows, key=lambda r: abs((r["judge"] or 0) - r["fit"]))
    text = (
        f"The share of “{worst['outcome']}” was {percent(worst['fit'])} in the rows the "
        f"model learnt from and {percent(worst['judge'])} in the rows that judge it."
    )
    ratio = np.array(
        [
            background.fit_shares.get(r["outcome"], 0.0) / r["judge"] if r["judge"] else 1.0
            for r in rows
        ]
        if background.fit_shares
        else []
    )
    weight = stakes.weight * ratio[stakes.outcome]
    units = decision.units_reported
    as_is = {k: float(np.average(v, weights=stakes.weight)) * units for k, v in values.items()}
    as_fit = {k: float(np.average(v, weights=weight)) * units for k, v in values.items()}
    simple = [a.policy.name for a in acted[1:] if a.policy.baseline]
    label = {a.policy.name: a.policy.label for a in acted}
    first = acted[0].policy.name
    if not simple:
        return text
    now, then = max(simple, key=as_is.__getitem__), max(simple, key=as_fit.__getitem__)
    gain_now, gain_then = as_is[first] - as_is[now], as_fit[first] - as_fit[then]
    turn = _turn(rates, now, label)
    last = turn or " If the share moves again, so will the figures on this page."
    return (
        f"{text} At the earlier share the policy would have been "
        f"{_apart(gain_then, as_fit[first], decision)} “{label[then]}”, then the best without a "
        f"model; at the judged share it is {_apart(gain_now, as_is[first], decision)} "
        f"“{label[now]}”.{last}"
    )


def _apart(gain: float, money: float, decision: Decision) -> str:
    """Say how far ahead of or behind another policy one is, to stand before its name."""
    if abs(gain) <= 1e-9 * max(1.0, abs(money)):
        return "as good as"
    side = "ahead of" if gain > 0 else "behind"
    return f"{about(abs(gain), decision.money_unit)} {side}"


def _turn(rates: Mapping[str, Any], now: str, label: Mapping[str, str]) -> str:
    """Say above or below which share a policy without a model earns more than the one judged."""
    where = takes_over(rates, now)
    if not where:
        return ""
    return f" “{label[now]}” earns more once the share of “{rates['outcome']}” is {where}."
