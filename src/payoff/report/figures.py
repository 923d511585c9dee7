"""The manager's sentence and the manager's three numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from payoff.errors import counted
from payoff.evidence.evidence import ActionUse, Cell, Estimate, Evidence
from payoff.report import wording
from payoff.report.escape import visible
from payoff.report.facts import Facts
from payoff.report.listing import list_numbers

__all__ = ["headline", "three_numbers", "verdict_word"]

WORDS: Final = {
    "deploy": "Recommended",
    "uncertain": "Not settled",
    "refuse": "Not recommended",
}


def verdict_word(state: str) -> str:
    """Return the verdict in a word or two.

    Examples
    --------
    >>> verdict_word("refuse")
    'Not recommended'
    """
    return WORDS.get(state, "Not judged")


def headline(evidence: Evidence) -> str:
    """Return the recommendation as one sentence with its figure and interval."""
    facts = Facts(evidence)
    state = str(evidence.verdict.get("state"))
    reference = facts.reference
    label = facts.policy(facts.subject.name)
    if state == "refuse":
        return _refusal(facts, label)
    if state == "uncertain":
        return _open(facts, label)
    if reference is None or reference.name == facts.subject.name or facts.gain is None:
        worth = wording.figure(facts.subject.total)
        said = f"estimated at {worth['text']} ({worth['interval']})"
    else:
        said = _difference(facts.gain, facts.policy(reference.name))
    return f"Use “{label}”: {said}."


def _open(facts: Facts, label: str) -> str:
    """Say what is open: the difference from the best policy that needs no model."""
    found = facts.against(facts.trivial.name) if facts.trivial is not None else None
    if found is None or facts.trivial is None:
        worth = wording.figure(facts.subject.total)
        return f"Not settled: “{label}” is estimated at {worth['text']} ({worth['interval']})."
    said = _difference(found.total, facts.policy(facts.trivial.name))
    return f"Not settled: “{label}” is {said}, which needs no model."


def _refusal(facts: Facts, label: str) -> str:
    trivial = facts.trivial
    if trivial is None:
        worth = wording.figure(facts.subject.total)
        return f"Do not use “{label}”: estimated at {worth['text']} ({worth['interval']})."
    simple = facts.policy(trivial.name)
    what = "these actions" if facts.subject.name == "predicted" else "the model"
    found = facts.against(trivial.name)
    if found is None or found.total.value is None:
        worth = wording.figure(trivial.total)
        return (
            f"Do not use {what}: “{simple}” needs no model and is estimated at "
            f"{worth['text']} ({worth['interval']})."
        )
    if found.total.value < 0:
        more = _difference(found.total.turned(), label)
        return f"Do not use {what}: “{simple}” needs no model and is {more}."
    if found.total.method == "exact" and found.total.value == 0:
        return f"Do not use {what}: “{label}” did the same as “{simple}”, which needs no model."
    return f"Do not use {what}: “{label}” is {_difference(found.total, simple)}, which needs none."


def _difference(gain: Estimate, against: str) -> str:
    told = wording.figure(gain)
    if gain.value is None and gain.method == "bounds":
        return f"worth {told['text']} more than “{against}” ({brief(told['interval'])})"
    if gain.value is None:
        return f"{told['text']}, against “{against}”"
    if gain.value < 0:
        text, ends = wording.figure(gain.turned())["text"], brief(told["interval"])
        return f"estimated at {text} less than “{against}” (difference {told['short']}, {ends})"
    return f"estimated at {told['text']} more than “{against}” ({brief(told['interval'])})"


def brief(interval: str) -> str:
    """Cut the reason for a missing interval at its colon; the whole stands below the options.

    Examples
    --------
    >>> brief("no interval: a few cases carry the money: it rests on 11 of 19,200")
    'no interval: a few cases carry the money'
    >>> brief("95 % interval 1 to 2")
    '95 % interval 1 to 2'
    """
    return ": ".join(interval.split(": ")[:2])


def three_numbers(evidence: Evidence) -> list[dict[str, str]]:
    """Return the manager's three numbers: money, people, mistakes; of lists money, users, items.

    Returns
    -------
    list of dict
        Each with ``label``, ``figure``, ``interval`` (or why there is none) and ``note``; plain
        text, fit for a terminal.
    """
    facts = Facts(evidence)
    if facts.lists:
        return list_numbers(facts, _money(facts))
    return [_money(facts), _people(facts), _mistakes(facts)]


def _money(facts: Facts) -> dict[str, str]:
    """Compare with the reference; when the model is refused, with what beats it."""
    other, gain = facts.reference, facts.gain
    if facts.evidence.verdict.get("state") == "refuse" and facts.trivial is not None:
        found = facts.against(facts.trivial.name)
        if found is not None:
            other, gain = facts.trivial, found.total
    label = f"Money {facts.per}"
    if other is None or other.name == facts.subject.name or gain is None:
        told = wording.figure(facts.subject.total)
    else:
        told = wording.figure(gain, plus=True)
        label += f" against “{facts.policy(other.name, 60)}”"
    rows = wording.number(facts.n, 0)
    note = f"“{facts.policy(facts.subject.name)}”, estimated on {rows} {facts.rows}."
    interval = brief(told["interval"])
    return {"label": label, "figure": told["text"], "interval": interval, "note": note}


def _counted(facts: Facts, *ranges: tuple[float | None, float | None]) -> str:
    """Write the intervals of counts, or say that a sum of counts has none."""
    known = [(low, high) for low, high in ranges if low is not None and high is not None]
    rows = wording.number(facts.n, 0)
    if not known or len(known) < len(ranges):
        return f"no interval: counted on {rows} rows, scaled to {facts.one_period}"
    said = "; ".join(f"{wording.people(low)} to {wording.people(high)}" for low, high in known)
    return f"{facts.level} interval {said}"


def _people(facts: Facts) -> dict[str, str]:
    every = facts.decision.get("do_nothing") is None
    used = [a for a in facts.subject.actions if every or facts.acts(a.action)]
    total = sum(a.per_period for a in used)
    shown = sorted(used, key=lambda a: -a.per_period)[:4]
    parts = [_use(facts, a) for a in shown]
    if len(used) > len(shown):
        parts.append(counted(len(used) - len(shown), "more action"))
    if every:
        label = f"{wording.opening(facts.units)} by action"
    else:
        looked = any(facts.reviews(a.action) and a.per_period for a in used)
        label = f"{wording.opening(facts.units)} acted on{' or looked at' if looked else ''}"
    idle = [a for a in facts.subject.actions if a not in used]
    units = float(facts.decision.get("units_reported") or 1000)
    if len(used) == 1:
        bounds = (used[0].low, used[0].high)
    elif len(idle) == 1 and idle[0].low is not None and idle[0].high is not None:
        bounds = (units - idle[0].high, units - idle[0].low)
    else:
        bounds = (None, None)
    return {
        "label": label,
        "figure": facts.count(total),
        "interval": _counted(facts, bounds),
        "note": ("; ".join(parts) or "no action other than doing nothing") + ".",
    }


def _use(facts: Facts, use: ActionUse) -> str:
    """Say how often an action is taken, or why it is left out."""
    label = facts.action(use.action, 50)
    if use.action in facts.subject.shut and not use.per_period:
        declared = next(a for a in facts.decision["actions"] if a["name"] == use.action)
        cost = declared.get("fixed_cost")
        money = f" of {wording.money(cost, facts.money_unit)}" if cost else ""
        return f"{label}: left out, because it would not earn its fixed cost{money}"
    return (
        f"{label}: {wording.people(use.per_period)} ({wording.percent(use.share)} of {facts.units})"
    )


def _mistakes(facts: Facts) -> dict[str, str]:
    decision = facts.decision
    if "design" in facts.evidence.past:
        return {
            "label": f"Mistakes {facts.period}",
            "figure": "not measured",
            "interval": "no interval: nothing was counted",
            "note": f"The past shows what one action did to each {facts.unit}, not what another "
            "would have done.",
        }
    if len(decision.get("outcomes", ())) == 2 and decision.get("do_nothing") is not None:
        return _false_and_missed(facts)
    looked = facts.evidence.people.get("reviewed")
    worst = sorted(
        (c for c in facts.subject.cells if _loss(c) > 0 and not facts.reviews(c.action)),
        key=_loss,
        reverse=True,
    )
    if not worst and not looked:
        return {
            "label": "Mistakes",
            "figure": f"none {facts.period}",
            "interval": _counted(facts),
            "note": "No action was worth less than another would have been.",
        }
    named = "; ".join(
        f"{facts.action(c.action, 40)} where the outcome is {facts.outcome(c.outcome, 40)}: "
        f"{wording.people(c.per_period)}, {_cell_money(facts, [c])}"
        for c in worst[:2]
    )
    note = f"The costliest: {named}. All together {_cell_money(facts, worst)}." if worst else ""
    count = sum(c.per_period for c in worst)
    ends = [_ends(facts.evidence.people.get("mistakes"), worst)]
    if looked:
        errors = looked["errors"]
        count += errors["value"]
        ends = [_sum_of_ends(ends[0], errors)]
        note += (
            f" {wording.people(errors['value'])} of the mistakes are errors of reviewers, at the "
            f"declared rates. Looked at: {wording.people(looked['reviewed']['value'])}, "
            f"{wording.people(looked['needless']['value'])} needlessly."
        )
    return {
        "label": "Mistakes: another action was worth more",
        "figure": facts.count(count),
        "interval": _counted(facts, *ends),
        "note": note.strip(),
    }


def _loss(cell: Cell) -> float:
    """Return what a better action would have earned more, or else the money lost."""
    return cell.regret_per_period or max(0.0, -cell.money_per_period)


def _false_and_missed(facts: Facts) -> dict[str, str]:
    positive = str(facts.decision.get("positive"))
    cells = facts.subject.cells
    acted = [c for c in cells if facts.acts(c.action) and not facts.reviews(c.action)]
    false = [c for c in acted if c.outcome != positive]
    missed = [c for c in cells if not facts.acts(c.action) and c.outcome == positive]
    name = facts.outcome(positive, 40)
    ends = [
        _ends(facts.evidence.people.get(key), cells)
        for key, cells in (("false_alarms", false), ("missed", missed))
    ]
    note = (
        f"False alarm: acted on without “{name}” ({_cell_money(facts, false)}). Missed case: the "
        f"reverse ({_cell_money(facts, missed)})."
    )
    counts = [sum(c.per_period for c in false), sum(c.per_period for c in missed)]
    looked = facts.evidence.people.get("reviewed")
    if looked:
        by_review = [looked[k] for k in ("false_alarms", "missed")]
        counts = [n + r["value"] for n, r in zip(counts, by_review, strict=True)]
        ends = [_sum_of_ends(e, r) for e, r in zip(ends, by_review, strict=True)]
        alarms, passed = (wording.people(r["value"]) for r in by_review)
        note += (
            f" {alarms} and {passed} of these are errors of reviewers, at the declared rates. "
            f"Looked at: {wording.people(looked['reviewed']['value'])}, "
            f"{wording.people(looked['needless']['value'])} needlessly."
        )
    return {
        "label": f"Mistakes {facts.period}",
        "figure": f"{wording.people(counts[0])} false alarms, "
        f"{wording.people(counts[1])} missed cases",
        "interval": _counted(facts, *ends),
        "note": note,
    }


def _sum_of_ends(
    own: tuple[float | None, float | None], more: Mapping[str, Any]
) -> tuple[float | None, float | None]:
    """Return the ends of a sum of two counts: the sums of their ends, which are wide enough."""
    low, high = own
    if low is None or high is None or more["low"] is None or more["high"] is None:
        return None, None
    return low + more["low"], high + more["high"]


def _ends(
    measured: Mapping[str, Any] | None, cells: Sequence[Cell]
) -> tuple[float | None, float | None]:
    """Return the ends of one kind of mistake, which several cells may make up."""
    if len(cells) == 1:
        return cells[0].low, cells[0].high
    if measured is None:
        return None, None
    return measured.get("low"), measured.get("high")


def _cell_money(facts: Facts, cells: Sequence[Cell]) -> str:
    """Write what cells earn, and how much less that is than the best action afterwards."""
    money = sum(c.money_per_period for c in cells)
    earned = wording.money(money, facts.money_unit)
    regret = sum(c.regret_per_period for c in cells)
    if math.isclose(regret, -money, rel_tol=1e-9):
        return earned  # the best action would have earned nothing: both say the same
    return earned + (f", {wording.number(regret)} less than the best action" if regret > 0 else "")


def named(value: object, key: str) -> str:
    """Return a declared name, or the sentence that asks for it.

    Examples
    --------
    >>> named("", "owner")
    "not named yet: set 'owner' in the decision file"
    """
    said = visible(value or "")
    return said or f"not named yet: set '{key}' in the decision file"
