"""Whether lists kept to what is declared of them, on users who took no part in choosing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payoff.declare import ListConstraint
from payoff.errors import percent
from payoff.evidence.ranking.judged import ListsJudged
from payoff.evidence.ranking.measures import ListMeasures, told
from payoff.evidence.wording import number

__all__ = ["WORDS", "broken", "kept", "label_of", "limits_of", "written"]

#: Measure -> its name in sentences.
WORDS: Final[Mapping[str, str]] = {
    "money": "money",
    "ndcg": "nDCG",
    "recall": "recall",
    "map": "MAP",
    "mrr": "MRR",
    "hit_rate": "hit rate",
    "precision": "precision",
    "coverage": "coverage of the catalogue",
    "novelty": "novelty",
    "diversity": "diversity",
    "popularity": "popularity",
    "gini": "inequality of exposure (Gini)",
}
#: Measures that are shares, and are written in per cent.
_SHARES: Final = frozenset({"recall", "hit_rate", "precision", "coverage", "popularity"})


def label_of(constraint: ListConstraint) -> str:
    """Return a constraint in words.

    Examples
    --------
    >>> label_of(ListConstraint(measure="coverage", at_least=0.2, reason="small makers"))
    'coverage of the catalogue at least 20 %'
    >>> label_of(ListConstraint(measure="share:maker=ours", at_most=0.5, reason="fair"))
    'share of places for “ours” (maker) at most 50 %'
    """
    what = WORDS.get(constraint.measure, constraint.measure)
    if constraint.item_group is not None:
        column, group = constraint.item_group
        what = f"share of places for “{group}” ({column})"
    return f"{what} {limits_of(constraint)}"


def limits_of(constraint: ListConstraint) -> str:
    """Return the limits of a constraint in words."""
    ends = (("at least", constraint.at_least), ("at most", constraint.at_most))
    return " and ".join(
        f"{word} {written(constraint.measure, limit)}" for word, limit in ends if limit is not None
    )


def written(measure: str, value: float) -> str:
    """Write a figure of a measure.

    Examples
    --------
    >>> written("hit_rate", 0.25), written("ndcg", 0.25), written("share:a=b", 0.5)
    ('25 %', '0.250', '50 %')
    """
    if measure in _SHARES or measure.startswith("share:"):
        return percent(value)
    return number(value)


def kept(judged: ListsJudged, measures: ListMeasures) -> list[dict[str, Any]]:
    """Say of each declared constraint whether the lists of one policy keep to it.

    Returns
    -------
    list of dict
        ``measure``, ``label``, ``at_least``, ``at_most``, ``reason``; ``measured`` (an estimate, or
        a mapping of ``value`` alone for what is counted over all lists, or ``not_measured``);
        ``state``: ``"met"``, ``"within"`` (missed, but by no more than chance may bring),
        ``"broken"`` or ``"unknown"``; and ``sentence``.
    """
    rules = judged.decision.recommend
    constraints = () if rules is None else rules.list.constraints
    return [_one(judged, measures, c) for c in constraints]


def broken(judged: ListsJudged, measures: ListMeasures) -> tuple[str, ...]:
    """Return the constraints that lists break beyond what chance may bring."""
    return tuple(c["label"] for c in kept(judged, measures) if c["state"] == "broken")


def _one(judged: ListsJudged, measures: ListMeasures, rule: ListConstraint) -> dict[str, Any]:
    value, found = measures.value(rule.measure), measures.estimate(rule.measure)
    label = label_of(rule)
    base = {
        "measure": rule.measure,
        "label": label,
        "at_least": rule.at_least,
        "at_most": rule.at_most,
        "reason": rule.reason,
    }
    if value is None:
        why = _why_not(judged, rule, measures)
        said = f"{label[0].upper()}{label[1:]}: not known, because {why}."
        return base | {"measured": {"not_measured": why}, "state": "unknown", "sentence": said}
    ends = (value, value)
    if found is not None and found.low is not None and found.high is not None:
        ends = (found.low, found.high)
    state = "met"
    if not rule.kept(value):
        possible = (rule.at_least is None or ends[1] >= rule.at_least) and (
            rule.at_most is None or ends[0] <= rule.at_most
        )
        state = "within" if possible else "broken"
    words = {
        "met": "kept",
        "within": "missed, by no more than chance may bring",
        "broken": "not kept",
    }
    between = ""
    if ends[0] < ends[1]:
        low, high = (written(rule.measure, e) for e in ends)
        between = f" ({judged.decision.evidence.level * 100:g} % interval {low} to {high})"
    said = (
        f"{label[0].upper()}{label[1:]}: {words[state]}; measured "
        f"{written(rule.measure, value)}{between}."
    )
    measured = {"value": value} if found is None else told(found)
    return base | {"measured": measured, "state": state, "sentence": said}


def _why_not(judged: ListsJudged, rule: ListConstraint, measures: ListMeasures) -> str:
    group = rule.item_group
    if group is not None:
        if group[0] not in judged.items.groups:
            return f"the attribute {group[0]!r} of items was not read"
        if group[1] not in judged.items.groups[group[0]][0]:
            return f"no item is of the group {group[1]!r}"
    if rule.measure == "diversity" and judged.items.attributes is None:
        return "nothing is known of the items that would tell how alike they are"
    found = measures.estimate(rule.measure)
    return "nothing is shown" if found is None or not found.reason else found.reason
