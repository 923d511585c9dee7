"""Checks of the subgroups: ``PAY-E206``, ``PAY-E210``, ``PAY-E215`` and ``PAY-E216``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from scipy import special

from payoff.checks import Check, numbered
from payoff.declare import Decision
from payoff.errors import listed, percent
from payoff.evidence.evidence import Estimate, Group, SubgroupEvidence
from payoff.evidence.subgroups.impact import FOUR_FIFTHS

__all__ = ["errors_apart", "impact", "large_enough", "losing"]

#: Rate -> (among whom, whether a group's rate is an error more frequent by over a fifth).
_RATES: Final[Mapping[str, tuple[str, Callable[[float, float], bool]]]] = {
    "true_positive_rate": (
        "of those with {positive}",
        lambda own, usual: own < FOUR_FIFTHS * usual,
    ),
    "false_positive_rate": (
        "of those without {positive}",
        lambda own, usual: own * FOUR_FIFTHS > usual,
    ),
}


def large_enough(subgroups: Sequence[SubgroupEvidence]) -> Check:
    """Say which groups have no figures, and why."""
    result = numbered("PAY-E206", "Size of the subgroups")
    if not subgroups:
        return result(
            status="tip",
            detail="No subgroups are declared, so who gains and who loses is not known.",
            mend="Add [[subgroups]]",
        )
    pairs = [(g.state, f"{s.name}: {g.label}") for s in subgroups for g in s.groups]
    blind = [name for state, name in pairs if state in ("small", "not_estimable")]
    kept = [name for state, name in pairs if state == "withheld"]
    if not blind and not kept:
        return result(status="passed", detail="Every group was measured.")
    detail = f"Not measured for {listed(blind)}."
    if kept:
        detail += f" Withheld, because it would give a small group away: {listed(kept)}."
    return result(status="tip", detail=detail, mend="Combine groups, or judge on more rows")


def losing(subgroups: Sequence[SubgroupEvidence]) -> Check:
    """Name groups whose gain is below zero by the interval that holds for all groups at once."""
    result = numbered("PAY-E210", "Subgroups that lose against the reference")
    if not subgroups:
        return result(status="not_applicable", detail="No subgroups are declared.")
    found = []
    below = 0
    for subgroup in subgroups:
        for group in subgroup.groups:
            sure = group.gain_simultaneous or group.gain
            if sure is not None and sure.high is not None and sure.high < 0:
                found.append(f"{subgroup.name}: {group.label}")
            elif group.gain is not None and group.gain.value is not None and group.gain.value < 0:
                below += 1
    if found:
        return result(
            status="issue",
            detail=f"The policy earned less than the reference for {listed(found)}, beyond what "
            "chance does to the most extreme of all groups shown.",
            mend="Look at these groups before approving",
        )
    if not below:
        return result(status="passed", detail="No group lost.")
    verb = "group has" if below == 1 else "groups have"
    return result(
        status="passed",
        detail=f"{below} {verb} a gain below zero, none beyond what chance does to the most "
        "extreme of all groups shown.",
    )


def impact(subgroups: Sequence[SubgroupEvidence]) -> Check:
    """Screen the impact ratios by four fifths, with an interval that allows for their number."""
    result = numbered("PAY-E215", "Groups acted on less, or more, than the largest group")
    ratios = [
        (f"{s.name}: {g.label}", g.impact)
        for s in subgroups
        for g in s.groups
        if g.impact is not None and g.impact.value is not None and g.state != "unknown"
    ]
    if not ratios:
        return result(
            status="not_applicable" if not subgroups else "skipped",
            detail="No two groups with a share acted on were measured.",
        )
    sure: list[str] = []
    maybe: list[str] = []
    for name, ratio in ratios:
        value = float(ratio.value or 0.0)
        if FOUR_FIFTHS <= value <= 1 / FOUR_FIFTHS:
            continue
        low, high = _at_once(ratio, len(ratios))
        outside = high < FOUR_FIFTHS or low > 1 / FOUR_FIFTHS
        (sure if outside else maybe).append(f"{name} ({value:.2f})")
    if sure:
        return result(
            status="issue",
            detail=f"Acted on less than four fifths as often as the largest group, or the other "
            f"way round, beyond chance: {listed(sure)}. Whether that favours or burdens them "
            "depends on what the action is to them. Four fifths is a screen, not a verdict.",
            mend="Find out why, and whether it is wanted, before approving",
        )
    if maybe:
        return result(
            status="tip",
            detail=f"Outside four fifths, but within chance for {len(ratios)} comparisons: "
            f"{listed(maybe)}.",
            mend="Judge on more rows before concluding anything",
        )
    return result(
        status="passed",
        detail=f"All {len(ratios)} ratios to the largest group lie within four fifths.",
    )


def _at_once(ratio: Estimate, comparisons: int) -> tuple[float, float]:
    """Return the interval at the level where all comparisons hold together (Bonferroni)."""
    if ratio.low is None or ratio.high is None or ratio.low <= 0:
        return 0.0, math.inf
    usual = float(special.ndtri(0.5 + ratio.level / 2))
    wide = float(special.ndtri(1 - (1 - ratio.level) / 2 / comparisons))
    centre = (math.log(ratio.low) + math.log(ratio.high)) / 2
    half = (math.log(ratio.high) - math.log(ratio.low)) / 2 * wide / usual
    return math.exp(centre - half), math.exp(centre + half)


def errors_apart(decision: Decision, subgroups: Sequence[SubgroupEvidence]) -> Check:
    """Name groups that are found less often, or acted on wrongly more often, than the others."""
    result = numbered("PAY-E216", "A group whose error rate stands out")
    if not subgroups:
        return result(status="not_applicable", detail="No subgroups are declared.")
    limit = (1 - decision.evidence.level) / len(_RATES)
    found: list[str] = []
    looked = slight = 0
    for subgroup in subgroups:
        for rate, (among, worse) in _RATES.items():
            known = [g for g in subgroup.groups if g.p_adjusted.get(rate) is not None]
            looked += len(known)
            usual = _usual(known, rate)
            for group in known:
                if (group.p_adjusted[rate] or 0.0) > limit:
                    continue
                if worse(_value(group, rate), usual):
                    which = among.format(positive=decision.positive)
                    found.append(
                        f"{subgroup.name}: {group.label} ({percent(_value(group, rate))} {which} "
                        f"acted on, {percent(usual)} in all groups)"
                    )
                else:
                    slight += 1
    if not looked:
        return result(
            status="skipped", detail="Not measured: no two groups have an error rate to compare."
        )
    if found:
        return result(
            status="issue",
            detail="Worse than in the other groups by more than a fifth, beyond what chance does "
            f"to the most extreme of them: {listed(found, 6)}.",
            mend="See whether the model knows these groups less well, or their outcome is rarer",
        )
    text = f"None of {looked} rates of groups is worse by more than a fifth beyond chance."
    if slight:
        text += f" {slight} differ{'s' if slight == 1 else ''} beyond chance, by less or for the "
        text += "better."
    return result(status="passed", detail=text)


def _usual(groups: Sequence[Group], rate: str) -> float:
    """Return the rate of all compared groups together."""
    rows = sum(g.rates[rate].n for g in groups)
    return sum(g.rates[rate].n * _value(g, rate) for g in groups) / rows if rows else 0.0


def _value(group: Group, rate: str) -> float:
    return float(group.rates[rate].value or 0.0)
