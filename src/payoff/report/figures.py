"""The manager's sentence and the manager's three numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from payoff.evidence.evidence import Cell, Evidence
from payoff.report import wording
from payoff.report.escape import visible
from payoff.report.facts import Facts

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
    if reference is None or reference.name == facts.subject.name or facts.gain is None:
        worth = wording.figure(facts.subject.total)
        said = f"estimated at {worth['text']} ({worth['interval']})"
    else:
        said = _difference(facts.gain, facts.policy(reference.name))
    if state == "uncertain":
        return f"Not settled: “{label}” is {said}, which leaves open whether it is better."
    return f"Use “{label}”: {said}."


def _refusal(facts: Facts, label: str) -> str:
    trivial = facts.trivial
    if trivial is None:
        worth = wording.figure(facts.subject.total)
        return f"Do not use “{label}”: estimated at {worth['text']} ({worth['interval']})."
    simple = facts.policy(trivial.name)
    found = facts.against(trivial.name)
    if found is None:
        worth = wording.figure(trivial.total)
        return (
            f"Do not use the model: “{simple}” needs no model and is estimated at "
            f"{worth['text']} ({worth['interval']})."
        )
    return (
        f"Do not use the model: “{simple}” needs no model, and “{label}” is "
        f"{_difference(found.total, simple)}."
    )


def _difference(gain: Any, against: str) -> str:
    told = wording.figure(gain)
    if gain.value is None:
        return f"{told['text']}, against “{against}”"
    if gain.value < 0:
        signed = f"an estimated difference of {told['text']} against “{against}”"
        return f"worth {signed} ({told['interval']})"
    return f"estimated at {told['text']} more than “{against}” ({told['interval']})"


def three_numbers(evidence: Evidence) -> list[dict[str, str]]:
    """Return the manager's three numbers: money, people, mistakes.

    Returns
    -------
    list of dict
        Each with ``label``, ``figure``, ``interval`` (or why there is none) and ``note``; plain
        text, fit for a terminal.
    """
    facts = Facts(evidence)
    return [_money(facts), _people(facts), _mistakes(facts)]


def _money(facts: Facts) -> dict[str, str]:
    reference = facts.reference
    rows = wording.number(facts.n, 0)
    label = f"Money {facts.per}"
    if reference is None or reference.name == facts.subject.name or facts.gain is None:
        told = wording.figure(facts.subject.total)
        note = f"“{facts.policy(facts.subject.name)}” itself, estimated on {rows} rows."
    else:
        told = wording.figure(facts.gain, plus=True)
        label += f" against “{facts.policy(reference.name, 60)}”"
        note = f"“{facts.policy(facts.subject.name)}”, estimated on {rows} rows."
    return {"label": label, "figure": told["text"], "interval": told["interval"], "note": note}


def _counted(facts: Facts) -> str:
    return f"no interval: counted on {wording.number(facts.n, 0)} rows, scaled {facts.period}"


def _people(facts: Facts) -> dict[str, str]:
    used = [a for a in facts.subject.actions if facts.acts(a.action)]
    total = sum(a.per_period for a in used)
    shown = sorted(used, key=lambda a: -a.per_period)[:4]
    parts = [
        f"{facts.action(a.action, 50)}: {wording.people(a.per_period)} "
        f"({wording.share(a.share)} of {facts.units})"
        for a in shown
    ]
    if len(used) > len(shown):
        parts.append(f"{len(used) - len(shown)} more actions")
    if facts.decision.get("do_nothing") is None:
        label = f"{facts.units.capitalize()} by action"
    else:
        label = f"{facts.units.capitalize()} acted on"
    return {
        "label": label,
        "figure": facts.count(total),
        "interval": _counted(facts),
        "note": ("; ".join(parts) or "no action other than doing nothing") + ".",
    }


def _mistakes(facts: Facts) -> dict[str, str]:
    decision = facts.decision
    if len(decision.get("outcomes", ())) == 2 and decision.get("do_nothing") is not None:
        return _false_and_missed(facts)
    worst = sorted((c for c in facts.subject.cells if c.money_per_period < 0), key=_loss)
    if not worst:
        return {
            "label": "Mistakes",
            "figure": f"none that lose money {facts.period}",
            "interval": _counted(facts),
            "note": "No pair of action and outcome is worth less than nothing as declared.",
        }
    people = sum(c.per_period for c in worst)
    named = "; ".join(
        f"{facts.action(c.action, 40)} where the outcome is {facts.outcome(c.outcome, 40)}: "
        f"{wording.people(c.per_period)}, {_cell_money(facts, [c])}"
        for c in worst[:2]
    )
    return {
        "label": "Mistakes: actions that lost money",
        "figure": facts.count(people),
        "interval": _counted(facts),
        "note": f"The worst: {named}. All together {_cell_money(facts, worst)}.",
    }


def _loss(cell: Cell) -> float:
    return cell.money_per_period


def _false_and_missed(facts: Facts) -> dict[str, str]:
    positive = str(facts.decision.get("positive"))
    cells = facts.subject.cells
    false = [c for c in cells if facts.acts(c.action) and c.outcome != positive]
    missed = [c for c in cells if not facts.acts(c.action) and c.outcome == positive]
    name = facts.outcome(positive, 40)
    return {
        "label": f"Mistakes {facts.period}",
        "figure": f"{wording.people(sum(c.per_period for c in false))} false alarms, "
        f"{wording.people(sum(c.per_period for c in missed))} missed cases",
        "interval": _counted(facts),
        "note": f"False alarm: acted on, but the outcome was not “{name}” "
        f"({_cell_money(facts, false)}). Missed case: not acted on, and it was "
        f"({_cell_money(facts, missed)}).",
    }


def _cell_money(facts: Facts, cells: Iterable[Cell]) -> str:
    total = sum(c.money_per_period for c in cells)
    return wording.money(
        total,
        facts.money_unit,
        min(0, wording.place_of(None, None, total)) if abs(total) < 100 else None,
    )


def named(value: object, key: str) -> str:
    """Return a declared name, or the sentence that asks for it.

    Examples
    --------
    >>> named("", "owner")
    "not named yet: set 'owner' in the decision file"
    """
    said = visible(value or "")
    return said or f"not named yet: set '{key}' in the decision file"
