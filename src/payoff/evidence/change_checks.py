"""Checks of what would change the answer: ``PAY-E221`` to ``PAY-E223``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from payoff.checks import Check, numbered
from payoff.declare import Decision
from payoff.evidence.base_rate import percent
from payoff.evidence.wording import about, quoted

__all__ = ["change_checks"]

#: A break-even nearer than this part of the payoff is worth a look; nearer than half of it, more.
_NEAR: Final = 0.2
#: A base rate this many times larger or smaller is within reach.
_MOVE: Final = 1.25


def change_checks(
    decision: Decision,
    verdict: Mapping[str, Any],
    sensitivity: Mapping[str, Any],
    base_rate: Mapping[str, Any],
) -> tuple[Check, ...]:
    """Return one result per numbered check of what would change the answer."""
    return (
        _near(decision, verdict, sensitivity),
        _ranges(sensitivity),
        _rate(base_rate, verdict),
    )


def _near(decision: Decision, verdict: Mapping[str, Any], sensitivity: Mapping[str, Any]) -> Check:
    result = numbered("PAY-E221", "A payoff close to its break-even")
    if "not_measured" in sensitivity:
        return result(status="skipped", detail=f"Not measured: {sensitivity['not_measured']}.")
    if verdict["state"] == "refuse":
        return result(
            status="not_applicable",
            detail="A policy without a model earns more already; the break-even points say what "
            "would have to change.",
        )
    found = sorted(_distances(sensitivity), key=lambda x: x[0])
    if not found or found[0][0] > _NEAR:
        least = "" if not found else f" The nearest is {found[0][0] * 100:.0f} % away."
        return result(
            status="passed",
            detail=f"No policy without a model becomes better when one payoff moves by a fifth."
            f"{least}",
        )
    far, lever, at = found[0]
    text = (
        f"{quoted(decision.action_label(lever['action']))} under {quoted(lever['outcome'])} is "
        f"declared as {_money(lever['now'], lever)}; at {_money(at, lever)}, "
        f"{far * 100:.0f} % away, a policy without a model earns as much."
    )
    return result(
        status="issue" if far <= _NEAR / 2 else "tip",
        detail=text,
        mend="Make sure of that figure before you approve; declare it as a range (low, high)",
    )


def _money(value: float, lever: Mapping[str, Any]) -> str:
    if lever["unit"] == "times":
        return f"{value:.3g} times its money"
    return about(value, lever["unit"])


def _distances(sensitivity: Mapping[str, Any]) -> Iterator[tuple[float, Mapping[str, Any], float]]:
    """Yield how far each payoff is from where a policy without a model catches up, as a part.

    Where the policy decides again under the changed money, it counts what it then earns.
    """
    for lever in sensitivity["levers"]:
        now = lever["now"]
        if lever["kind"] == "cost" or not now:
            continue
        again = lever["again"]
        measured = "not_measured" not in again and again["ahead_now"]
        ends = again if measured else {k: lever["stays"][k]["value"] for k in ("low", "high")}
        for key in ("low", "high"):
            if ends[key] is not None:
                yield abs(ends[key] - now) / abs(now), lever, ends[key]


def _ranges(sensitivity: Mapping[str, Any]) -> Check:
    result = numbered("PAY-E222", "Payoff ranges and the choice")
    ranges = sensitivity.get("ranges", sensitivity)
    if "not_measured" in ranges:
        return result(status="not_applicable", detail=f"{ranges['not_measured'].capitalize()}.")
    lead = ranges["lead"]
    unit = ranges["unit"]
    text = (
        f"With the declared ranges the gain over the best policy without a model lies between "
        f"{about(lead['with']['low'], unit)} and {about(lead['with']['high'], unit)} (without "
        f"them {about(lead['without']['low'], unit)} to {about(lead['without']['high'], unit)})."
    )
    if lead["without"]["low"] > 0 >= lead["with"]["low"]:
        most = max(ranges["payoffs"], key=lambda p: p["part"])
        return result(
            status="issue",
            page_one=True,
            detail=f"{text} On the declared payoffs alone it would be clear.",
            mend=f"Find out more about the money of {most['action']} under {most['outcome']}: it "
            "matters most",
        )
    return result(status="passed", detail=text)


def _rate(base_rate: Mapping[str, Any], verdict: Mapping[str, Any]) -> Check:
    result = numbered("PAY-E223", "A base rate close to where the choice changes")
    if "not_measured" in base_rate:
        return result(status="skipped", detail=f"Not measured: {base_rate['not_measured']}.")
    now, before = base_rate["judged"]["value"], base_rate["fit"]
    rates = [c["rate"]["value"] for c in base_rate["crossings"] if c["rate"]["value"]]
    between = [
        at for at in rates if before is not None and min(before, now) <= at <= max(before, now)
    ]
    name = quoted(str(base_rate["outcome"]))
    if between:
        at = between[0]
        return result(
            status="issue",
            detail=f"{name} was {percent(before)} of the rows learnt from and is {percent(now)} of "
            f"those judged; at {percent(at)} the policy and a policy without a model change "
            "places, so the move alone changed which is better.",
            mend="Refit or recalibrate on recent rows, and judge again",
        )
    near = [at for at in rates if now / _MOVE <= at <= now * _MOVE]
    if near and verdict["state"] != "refuse":
        return result(
            status="tip",
            detail=f"{name} is {percent(now)} of the rows judged; at {percent(near[0])} a policy "
            "without a model earns as much.",
            mend="Watch that share after deployment",
        )
    return result(
        status="passed",
        detail=f"{name} is {percent(now)} of the rows judged; within a quarter of that no policy "
        "without a model changes places with the policy.",
    )
