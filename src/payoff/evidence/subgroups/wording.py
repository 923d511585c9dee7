"""What a manager can repeat about the groups: who stands out, who earns least, who is not known."""

from __future__ import annotations

from typing import Final

from payoff.declare import Decision
from payoff.declare.decision import plural
from payoff.errors import percent
from payoff.evidence.evidence import Group, SubgroupEvidence
from payoff.evidence.wording import money, quoted

__all__ = ["sentences"]

_MOST_NAMES: Final = 4


def sentences(decision: Decision, found: SubgroupEvidence) -> tuple[str, ...]:
    """Return one to three sentences on one subgroup, with numbers and units."""
    said = [_apart(decision, found), _worst(decision, found), _unknown(decision, found)]
    return tuple(s for s in said if s)


def _apart(decision: Decision, found: SubgroupEvidence) -> str:
    facts = found.compared["gain"]
    if "not_measured" in facts:
        return f"Groups by {found.name} were not compared: {facts['not_measured']}."
    apart = _beyond_chance(decision, found)
    if not apart:
        return (
            f"No group by {found.name} stands out: their gains differ no more than chance makes "
            f"{facts['groups']} groups differ."
        )
    mean = _mean(found)
    less = [g.label for g in apart if _value(g) < mean]
    more = [g.label for g in apart if _value(g) >= mean]
    parts = [f"{_joined(less)} below the others"] if less else []
    parts += [f"{_joined(more)} above the others"] if more else []
    return (
        f"Gain by {found.name} differs beyond chance: {'; '.join(parts)} "
        f"({facts['groups']} groups compared)."
    )


def _beyond_chance(decision: Decision, found: SubgroupEvidence) -> list[Group]:
    """Return the groups whose gain differs from the others', all of them considered."""
    return [g for g in found.groups if _p(g) <= 1 - decision.evidence.level]


def _joined(labels: list[str]) -> str:
    shown = [quoted(label) for label in labels[:_MOST_NAMES]]
    more = len(labels) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def _p(group: Group) -> float:
    p = group.p_adjusted.get("gain")
    return 1.0 if p is None else p


def _value(group: Group) -> float:
    return 0.0 if group.gain is None or group.gain.value is None else group.gain.value


def _mean(found: SubgroupEvidence) -> float:
    known = [g for g in found.groups if g.gain is not None]
    total = sum(g.share for g in known)
    return sum(g.share * _value(g) for g in known) / total if total else 0.0


def _worst(decision: Decision, found: SubgroupEvidence) -> str:
    group = next((g for g in found.groups if g.label == found.worst), None)
    if group is None:
        return ""
    if not _beyond_chance(decision, found):
        return ""  # what differs may be chance: naming the lowest would mislead
    if group.shrunken_gain is not None:
        return (
            f"The lowest gain by {found.name}, after allowing for chance, is in "
            f"{quoted(group.label)}: {money(group.shrunken_gain)}."
        )
    if group.gain is None:
        return ""
    return f"The lowest gain by {found.name} is in {quoted(group.label)}: {money(group.gain)}."


def _unknown(decision: Decision, found: SubgroupEvidence) -> str:
    share = float(found.unknown.get("share") or 0.0)
    if not found.unknown.get("n"):
        return ""
    units = plural(decision.unit)
    return f"For {percent(share)} of {units} the group by {found.name} is not known."
