"""Checks of the evidence: ``PAY-E201`` and on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.checks import Check, numbered
from payoff.declare import Decision
from payoff.errors import percent
from payoff.evidence.evidence import Comparison, PolicyEvidence, SubgroupEvidence
from payoff.evidence.subgroups.checks import errors_apart, impact, large_enough, losing
from payoff.evidence.wording import amount, money, quoted, short
from payoff.policy.stakes import Stakes

__all__ = ["Findings", "amount", "check", "money", "quoted"]

#: Fewer paying cases than this are worth a word, though an interval can be given.
_FEW_PAYING: Final = 30


_CELLS: Final = "Not measured: the rows were judged from cells, which do not show single rows."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kinds:
    """Rows whose money is the same, but for what every action earns alike.

    Parameters
    ----------
    money
        float64 (k, n_actions), money of each action for each kind of row.
    n
        float64 (k,), rows of each kind; None where they are weighted.
    used
        Places of the actions that the policy judged takes by expected money.
    """

    money: NDArray[np.float64]
    n: NDArray[np.float64] | None
    used: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the checks look at: the parts of the evidence that is being made.

    ``stakes`` is None where rows were judged from cells; ``kinds`` are then what the cells show of
    single rows, if anything. ``n`` counts the rows judged.
    """

    decision: Decision
    stakes: Stakes | None
    kinds: Kinds | None = None
    n: int
    policies: Sequence[PolicyEvidence]
    comparisons: Sequence[Comparison]
    verdict: Mapping[str, Any]
    subgroups: Sequence[SubgroupEvidence]
    calibration: Mapping[str, Any]
    shift: Mapping[str, Any]
    capacity: Sequence[Mapping[str, Any]]
    intervals: Mapping[str, Any]
    ours: bool


def check(found: Findings) -> tuple[Check, ...]:
    """Return one result per numbered check of the evidence."""
    against = {c.against: c for c in found.comparisons}
    best = against.get(found.verdict["best_trivial"])
    return (
        _separate(found.n, ours=found.ours),
        _simple_wins(found.policies, found.verdict, best),
        _wide(best),
        _shifted(found.shift),
        _calibrated(found.decision, found.calibration),
        large_enough(found.subgroups),
        _paying(found.intervals, found.policies[0]),
        _one_row(found.stakes, found.kinds),
        _capacity(found.capacity),
        losing(found.subgroups),
        _ever_best(found.decision, found.stakes, found.kinds),
        impact(found.subgroups),
        errors_apart(found.decision, found.subgroups),
    )


def _separate(n: int, *, ours: bool) -> Check:
    result = numbered("PAY-E201", "Whether the judging rows are separate")
    if not ours:
        return result(
            status="skipped",
            detail="Not measured: the predictions were made elsewhere; only who made them knows "
            f"whether any of the {n:,} rows judged helped to fit or tune them.",
        )
    return result(
        status="passed",
        detail=f"{n:,} rows judged; none of them fitted a model or chose a policy.",
    )


def _simple_wins(
    policies: Sequence[PolicyEvidence],
    verdict: Mapping[str, Any],
    best: Comparison | None,
) -> Check:
    result = numbered("PAY-E202", "Beside policies without a model")
    if best is None:
        return result(status="not_applicable", detail="There is no policy without a model.")
    if best.total.value is None and verdict["state"] != "refuse":
        return result(status="skipped", detail=f"Not measured: {best.total.reason}.")
    simple = next(p for p in policies if p.name == verdict["best_trivial"])
    if verdict["state"] == "refuse":
        return result(
            status="issue",
            detail=f"{quoted(simple.label)} earned {money(simple.total)}; the policy judged "
            f"earned {money(policies[0].total)} on the same rows.",
            mend="Do the simple thing for now; where the shares of outcomes moved (PAY-E204), fit "
            "on recent rows and judge again",
        )
    return result(
        status="passed", detail=f"Ahead of {quoted(simple.label)} by {money(best.total)}."
    )


def _wide(best: Comparison | None) -> Check:
    result = numbered("PAY-E203", "The interval is wider than the gain")
    if best is None or best.total.value is None or best.total.value <= 0:
        return result(status="not_applicable", detail="There is no gain to compare.")
    if best.total.low is None or best.total.high is None:
        return result(
            status="issue",
            detail=f"No interval: {best.total.reason}.",
            mend="Judge on more rows",
        )
    if best.total.low <= 0 < best.total.value:
        return result(
            status="issue",
            detail=f"The gain over the best policy without a model is {money(best.total)}; zero "
            "and less are not ruled out.",
            mend="Deciding now, the larger expectation is still the better bet; judging on more "
            "rows would tell how good",
        )
    return result(status="passed", detail=f"Gain {money(best.total)}.")


def _shifted(shift: Mapping[str, Any]) -> Check:
    result = numbered("PAY-E204", "Outcome shares moved between fitting and judging")
    if "not_measured" in shift:
        return result(status="skipped", detail=f"Not measured: {shift['not_measured']}.")
    if shift["warning"]:
        return result(
            status="issue",
            page_one=True,
            detail=shift["warning"],
            mend="Refit on recent rows, recalibrate, and watch the share after deployment",
        )
    return result(status="passed", detail="The shares differ by less than a quarter.")


def _calibrated(decision: Decision, calibration: Mapping[str, Any]) -> Check:
    result = numbered("PAY-E205", "Promised and realised money")
    if "not_measured" in calibration:
        return result(status="skipped", detail=f"Not measured: {calibration['not_measured']}.")
    gap = calibration["difference"]
    text = (
        f"The model promised {amount(calibration['expected'], gap['unit'])} and realised "
        f"{short(calibration['realised'])}."
    )
    again = calibration.get("recalibrating", {}).get("difference") or {}
    gains = again.get("low") is not None and again["low"] > 0
    regained = (
        f" Recalibrating would have earned {amount(again['value'], again['unit'])} more "
        f"({again['level'] * 100:g} % interval {short(again['low'])} to {short(again['high'])})."
        if gains
        else ""
    )
    apart = gap["low"] is not None and (gap["low"] > 0 or gap["high"] < 0)
    if gains and not apart:
        return result(
            status="issue",
            detail=f"{text} But the probabilities lead to other actions than they should."
            f"{regained}",
            mend="Recalibrate on recent rows; read the reliability table",
        )
    if gap["low"] is None:
        return result(status="tip", detail=f"{text} No interval: {gap['reason']}.")
    if apart:
        return result(
            status="issue",
            detail=f"{text} The difference is {short(gap['value'])} "
            f"({decision.evidence.level * 100:g} % interval {short(gap['low'])} to "
            f"{short(gap['high'])}).{regained}",
            mend="Recalibrate on recent rows; read the reliability table",
        )
    return result(status="passed", detail=f"{text} The difference is within its interval.")


def _paying(intervals: Mapping[str, Any], policy: PolicyEvidence) -> Check:
    """Say whether the headline intervals were refused, or rest on few cases."""
    result = numbered("PAY-E207", "Number of paying cases")
    if not policy.cells:
        return result(status="skipped", detail="Not measured: the policy has no value of its own.")
    names = {"value": "the money of the policy judged", "gain": "its gain"}
    refused = [
        f"No interval for {names[f['name']]}: {f['diagnosis']['because']}."
        for f in intervals.get("figures", ())
        if f["diagnosis"]["method"] == "none"
    ]
    few = [
        f"{names[f['name']].capitalize()} rests on {f['diagnosis']['differing']:,} paying cases "
        f"that tell as much as {f['diagnosis']['paying']:,.0f} of one size."
        for f in intervals.get("figures", ())
        if f["diagnosis"]["method"] in ("t", "score") and f["diagnosis"]["paying"] < _FEW_PAYING
    ]
    rows = [c.n for c in policy.cells if c.money_per_unit]
    smallest = min((n for n in rows if n), default=0)
    if smallest < _FEW_PAYING:
        few.append(
            f"One kind of paying case was seen {smallest} times only; its money rests on few rows."
        )
    if refused or few:
        return result(
            status="issue",
            detail=" ".join([*refused, *few]),
            mend="Judge on more rows",
        )
    return result(
        status="passed", detail=f"Each kind of paying case was seen {smallest:,} times or more."
    )


def _one_row(stakes: Stakes | None, kinds: Kinds | None) -> Check:
    result = numbered("PAY-E208", "A few rows carry the money")
    if stakes is not None and stakes.bounds is not None:
        return result(
            status="skipped", detail="Not measured: some rows have no outcome, so no money."
        )
    if stakes is not None:
        at_stake = stakes.weight * (stakes.realised.max(axis=1) - stakes.realised.min(axis=1))
        total = float(at_stake.sum())
        highest = float(np.sort(at_stake)[-max(1, len(at_stake) // 100) :].sum())
    elif kinds is not None and kinds.n is not None:
        at_stake = np.ptp(kinds.money, axis=1)
        total = float(at_stake @ kinds.n)
        highest = _highest(at_stake, kinds.n)
    else:
        return result(status="skipped", detail=_CELLS)
    if total <= 0:
        return result(status="not_applicable", detail="Every action earns the same on every row.")
    largest, one_percent = float(at_stake.max() / total), highest / total
    text = (
        f"The largest row holds {percent(largest)} of all money at stake, the top 1 % of rows "
        f"{one_percent * 100:.0f} %."
    )
    if largest > 0.05:
        return result(
            status="issue",
            detail=text,
            mend="Check that row; cap or treat such cases apart, and judge on more rows",
        )
    return result(status="passed", detail=text)


def _highest(value: NDArray[np.float64], count: NDArray[np.float64]) -> float:
    """Sum the largest 1 % of rows whose values are counted."""
    order = np.argsort(-value, kind="stable")
    before = np.cumsum(count[order]) - count[order]
    among = np.clip(max(1, round(float(count.sum())) // 100) - before, 0.0, count[order])
    return float(among @ value[order])


def _capacity(capacity: Sequence[Mapping[str, Any]]) -> Check:
    result = numbered("PAY-E209", "Capacity")
    if not capacity:
        return result(status="not_applicable", detail="No action has a capacity.")
    text = " ".join(str(c["sentence"]) for c in capacity)
    short = [c for c in capacity if c["binding"] and c["used_share"] < 0.8 * c["share"]]
    if short:
        return result(
            status="tip",
            detail=f"{text} The price set when choosing leaves room unused on the judging rows.",
            mend="Decide in batches, where capacity is filled by rank",
        )
    return result(status="passed", detail=text)


def _worth_before(
    decision: Decision, stakes: Stakes | None, kinds: Kinds | None, action: int
) -> bool:
    """Whether an action is worth taking while the outcome is open, as a review is.

    With hindsight a review is never best: whoever knows the outcome need not look.
    """
    if decision.actions[action].review is not None:
        return True
    if stakes is None:
        return kinds is not None and action in kinds.used
    if stakes.expected is None:
        return False
    others = np.delete(stakes.expected, action, axis=1).max(axis=1)
    return bool(np.any(stakes.expected[:, action] > others))


def _ever_best(decision: Decision, stakes: Stakes | None, kinds: Kinds | None) -> Check:
    """Compare actions row by row, where the payoff table alone could not."""
    result = numbered("PAY-E212", "Actions that are nowhere best")
    if stakes is not None:
        realised = stakes.realised
    elif kinds is not None:
        realised = kinds.money
    else:
        return result(status="skipped", detail=_CELLS)
    if stakes is not None and (stakes.causal or stakes.bounds is not None):
        return result(
            status="skipped",
            detail="Not measurable: each row shows what one action did, not what the others would "
            "have done.",
        )
    most, least = realised.max(axis=1), realised.min(axis=1)
    if not np.any(most > least):
        return result(
            status="issue",
            detail="Every action earns the same on every row judged: there is nothing to decide.",
            mend="Check the payoff table",
        )
    names = decision.action_names
    always = [n for k, n in enumerate(names) if np.all(realised[:, k] == most)]
    if always:
        return result(
            status="issue",
            detail=f"{always[0]!r} is the best action on every row judged, whatever happened: no "
            "model can improve on it.",
            mend="Check the signs of its money: a gain is positive, a cost negative",
        )
    matters = most > least
    never = [
        n
        for k, n in enumerate(names)
        if not np.any((realised[:, k] == most) & matters)
        and not _worth_before(decision, stakes, kinds, k)
    ]
    if never:
        return result(
            status="issue",
            detail=f"{never[0]!r} is the best action on no row judged, whatever happened.",
            mend="Check the signs of its money, or remove the action",
        )
    return result(status="passed", detail="Each action is worth taking on some rows.")
