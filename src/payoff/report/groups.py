"""Who gains and who loses: the short table for the manager, drawings and tables in full."""

from __future__ import annotations

from typing import Any, Final

from payoff.errors import counted
from payoff.evidence.evidence import Estimate, Group, SubgroupEvidence
from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts

__all__ = ["HIDDEN", "groups_section", "short_groups"]

HIDDEN: Final = frozenset({"small", "not_estimable"})
_MOST_TABLES: Final = 6
# The page stays below 150 kB: these bound its longest parts; the evidence file has the rest.
_MOST_GROUPS: Final = 60
_FEWEST_GROUPS: Final = 12
_MOST_DRAWINGS: Final = 3
_MOST_DRAWN: Final = 12
_STATES: Final = {"unknown": "rows without a group", "small": "few rows"}


def short_groups(facts: Facts, most: int) -> blocks.Block | None:
    """Return the ``most`` groups with the smallest gain per unit; None when none is declared."""
    every = [(s, g) for s in facts.evidence.subgroups for g in s.groups]
    if not every:
        return None
    usable = [(s, g) for s, g in every if _known(g.gain) and _known(g.total_gain)]
    if not usable:
        return blocks.absent("Gain by group", "no group has enough rows to be shown")
    usable.sort(key=lambda pair: _value(pair[1].gain))
    rows: list[list[Any]] = []
    for subgroup, group in usable[:most]:
        each = wording.figure(group.gain, plus=True)
        total = wording.figure(group.total_gain, plus=True)
        rows.append(
            [
                f"{visible(subgroup.name, 40)}: {visible(group.label, 50)}",
                wording.number(group.n, 0),
                wording.share(group.share),
                blocks.cell(each["short"], wording.ends(each)),
                blocks.cell(total["short"], wording.ends(total)),
            ]
        )
    hidden = len(every) - len(rows)
    note = [f"{counted(hidden, 'more group')} on the analyst's page."] if hidden else []
    if any(g.gain is not None and g.gain.low is None for _, g in usable[:most]):
        note.append("No interval: too few of its rows differ; the analyst's page says more.")
    return blocks.table(
        f"The groups with the smallest gain, with its {facts.level} interval",
        [
            "Group",
            "Rows",
            f"Share of {facts.units}",
            f"Gain, {visible(facts.subject.value.unit)}",
            f"Gain, {facts.money_unit}",
        ],
        rows,
        note=" ".join(note),
    )


def _known(estimate: Estimate | None) -> bool:
    return estimate is not None and estimate.value is not None


def _value(estimate: Estimate | None) -> float:
    return 0.0 if estimate is None or estimate.value is None else estimate.value


def groups_section(facts: Facts) -> dict[str, Any]:
    """Return every group of every subgroup, drawn and in full."""
    made: list[blocks.Block] = []
    every = facts.evidence.subgroups
    room = max(_FEWEST_GROUPS, _MOST_GROUPS // max(1, len(every)))
    for number, subgroup in enumerate(every[:_MOST_TABLES]):
        spec = _groups_spec(facts, subgroup)
        if spec["rows"] and number < _MOST_DRAWINGS:
            made.append(blocks.chart(spec))
        made.append(_groups(facts, subgroup, room))
    if len(every) > _MOST_TABLES:
        made.append(blocks.text(f"{len(every) - _MOST_TABLES} more are in the evidence file."))
    if not made:
        made.append(blocks.absent("Subgroups", "the decision declares none"))
    else:
        made.append(
            blocks.text(
                f"Gain: money of “{facts.policy(facts.subject.name, 60)}” minus money of what it "
                "is compared with, among its own rows. Groups with few rows are named but "
                "not judged.",
                "term",
            )
        )
    return blocks.section("a-groups", "Subgroups", made)


def _groups_spec(facts: Facts, subgroup: SubgroupEvidence) -> dict[str, Any]:
    rows = []
    for group in subgroup.groups[:_MOST_DRAWN]:
        if group.gain is None or group.gain.value is None:
            continue
        told = wording.figure(group.gain, plus=True)
        rows.append(
            {
                "label": visible(group.label),
                "value": told["value"],
                "low": told["low"],
                "high": told["high"],
                "text": told["short"],
                "mark": "main",
            }
        )
    unit = visible(facts.subject.value.unit)
    said = "; ".join(f"{r['label']}: {r['text']}" for r in rows)
    name = visible(subgroup.name, 80)
    return {
        "chart": "forest",
        "title": f"Gain by {name}",
        "desc": visible(f"Gain and {facts.level} interval of each group. {said}.", 600),
        "unit": f"Gain, {unit}",
        "key": f"Disc: estimate. Line: {facts.level} interval. Right of zero: the group gains.",
        "stress": False,
        "rows": rows,
    }


def _groups(facts: Facts, subgroup: SubgroupEvidence, most: int) -> blocks.Block:
    rows = [_group_row(g) for g in subgroup.groups[:most]]
    hidden = len(subgroup.groups) - len(rows)
    positive = facts.outcome(str(facts.decision.get("positive")), 40)
    return blocks.table(
        f"By {visible(subgroup.name, 80)}: rows, share and gain with its {facts.level} interval",
        [
            "Group",
            "Rows",
            f"Share of {facts.units}",
            f"Share with “{positive}”",
            "Share acted on",
            f"Gain, {visible(facts.subject.value.unit)}",
            f"Gain, {facts.money_unit}",
        ],
        rows,
        note=f"{hidden} more groups are in the evidence file." if hidden else "",
    )


def _group_row(group: Group) -> list[Any]:
    why = visible(group.reason, 200).rstrip(".")
    acted = "not measured" if group.acted is None else wording.share(group.acted)
    return [
        blocks.cell(visible(group.label), _STATES.get(group.state, "")),
        wording.number(group.n, 0),
        wording.share(group.share),
        _cell(group.rate, why),
        acted,
        _cell(group.gain, why, plus=True),
        _cell(group.total_gain, "" if group.gain is None else why, plus=True),
    ]


def _cell(estimate: Estimate | None, why: str, *, plus: bool = False) -> dict[str, str]:
    """Return a figure with its interval, or why there is none."""
    if estimate is None:
        return blocks.cell("not measured", f"because {why}" if why else "")
    told = wording.figure(estimate, plus=plus)
    if told["value"] is None:
        return blocks.cell("not measured", f"because {wording.reason_of(estimate)}")
    return blocks.cell(told["short"], told["ends"])
