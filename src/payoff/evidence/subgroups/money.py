"""The gain of groups side by side: simultaneous intervals, adjusted p-values, shrunken means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.evidence.evidence import Estimate, Group
from payoff.evidence.subgroups.shrink import FEWEST_GROUPS, sampling_variance, shrink
from payoff.evidence.subgroups.simultaneous import RESAMPLES, CaseSums, contrast

__all__ = ["compared_money", "compared_rate", "shrunken_money"]

#: Why nothing is compared where deals from cells describe too few groups.
_TOO_SMALL: Final = (
    "fewer than two groups are large enough to compare from cells, for money this uneven; judge "
    "with --rows"
)


def compared_money(
    groups: list[Group],
    cases: CaseSums,
    family: NDArray[np.bool_],
    rng: np.random.Generator,
    parts: int,
) -> tuple[list[Group], Mapping[str, Any]]:
    """Give every group its simultaneous interval and its adjusted p-value.

    Parameters
    ----------
    groups
        Groups with their own estimates.
    cases
        Gain of the independent cases.
    family
        bool (G,), groups whose gain is shown.
    rng
        Generator of this comparison.
    parts
        Number of subgroups that share the allowance for false alarms.
    """
    left, family = _described(groups, cases, family)
    if family.sum() < 2:
        why = _TOO_SMALL if left.get("left_out") else "fewer than two groups have a gain to compare"
        return groups, {"not_measured": why} | left
    first = next(g.gain for g in groups if g.gain is not None)
    found = contrast(cases, family, level=1 - (1 - first.level) / parts, rng=rng)
    if found is None:
        return groups, {"not_measured": "the gain is the same on every row"}
    p = np.minimum(1.0, found.p_adjusted * parts)
    told = []
    for k, group in enumerate(groups):
        if not family[k] or group.gain is None:
            told.append(replace(group, p_adjusted={**group.p_adjusted, "gain": None}))
            continue
        ends = (-found.high * found.error[k], -found.low * found.error[k])
        told.append(
            replace(
                group,
                gain_simultaneous=_wider(group.gain, ends),
                p_adjusted={**group.p_adjusted, "gain": float(p[k])},
            )
        )
    return told, {
        "p_any": float(p[family].min()),
        "groups": int(family.sum()),
        "resamples": RESAMPLES,
    } | left


def _described(
    groups: list[Group], cases: CaseSums, family: NDArray[np.bool_]
) -> tuple[dict[str, Any], NDArray[np.bool_]]:
    """Return what is to be said of how deals are drawn, and the groups they describe."""
    if not cases.why:
        return {}, family
    out = [groups[k].label for k in np.flatnonzero(family & ~cases.told)]
    return {"how": cases.why, "left_out": out}, family & cases.told


def compared_rate(
    groups: list[Group],
    rate: str,
    cases: CaseSums | None,
    family: NDArray[np.bool_],
    rng: np.random.Generator,
    parts: int,
    *,
    level: float,
) -> tuple[list[Group], Mapping[str, Any]]:
    """Give every group the adjusted p-value of an error rate.

    Parameters
    ----------
    groups, family, rng, parts
        As in :func:`compared_money`.
    rate
        Name of the rate.
    cases
        Who was acted on, among those the rate is of; None with fewer than two groups.
    level
        Simultaneous level.
    """
    left: dict[str, Any] = {}
    found = None
    if cases is not None:
        left, family = _described(groups, cases, family)
    if cases is not None and family.sum() > 1:
        found = contrast(cases, family, level=level, rng=rng)
    if found is None:
        reason = "fewer than two groups have this rate, or it is the same on every row"
        return groups, {"not_measured": _TOO_SMALL if left.get("left_out") else reason} | left
    p = np.minimum(1.0, found.p_adjusted * parts)
    told = [
        replace(g, p_adjusted={**g.p_adjusted, rate: float(p[k]) if family[k] else None})
        for k, g in enumerate(groups)
    ]
    return told, {
        "p_any": float(p[family].min()),
        "groups": int(family.sum()),
        "resamples": RESAMPLES,
    } | left


def _wider(gain: Estimate, ends: tuple[float, float]) -> Estimate:
    """Return the gain with an interval that holds for all groups, never narrower than its own."""
    if gain.value is None or gain.low is None or gain.high is None or gain.method == "exact":
        return gain
    low, high = gain.value + ends[0], gain.value + ends[1]
    return replace(gain, low=min(low, gain.low), high=max(high, gain.high), method="max-t")


def shrunken_money(
    groups: list[Group], cases: Mapping[str, CaseSums]
) -> tuple[list[Group], Mapping[str, Any]]:
    """Give every measured group its money drawn towards that of all groups.

    Parameters
    ----------
    groups
        Groups with their own estimates; rows without a group (``"unknown"``) take no part.
    cases
        ``"gain"`` and ``"value"`` -> the independent cases.
    """
    part = np.array([g.state == "ok" for g in groups])
    if part.sum() < FEWEST_GROUPS:
        reason = f"fewer than {FEWEST_GROUPS} groups were measured: nothing to learn a spread from"
        return groups, {"not_measured": reason}
    facts: dict[str, Any] = {}
    for what, these in cases.items():
        raw: list[Estimate | None] = [getattr(g, what) for g in groups]
        mean = np.array([e.value for e, p in zip(raw, part, strict=True) if p and e is not None])
        found = shrink(mean.astype(np.float64), sampling_variance(these, part)[part])
        if found is None:
            facts[what] = {"not_measured": "the money does not vary within groups"}
            continue
        for place, k in enumerate(np.flatnonzero(part)):
            own = raw[k]
            if own is None:
                continue
            half = float(special.ndtri(0.5 + own.level / 2) * found.error[place])
            value = float(found.estimate[place])
            estimate = replace(
                own, value=value, low=value - half, high=value + half, method="shrunken", reason=""
            )
            groups[k] = replace(groups[k], **{f"shrunken_{what}": estimate})  # type: ignore[arg-type]
        unit = next(e.unit for e in raw if e is not None)
        facts[what] = {"mean": found.mean, "spread": float(np.sqrt(found.tau2)), "unit": unit}
    return groups, facts
