"""Who gains and who loses: the short table for the manager, drawings and tables in full.

The analyst reads each subgroup in two tables: the money, raw and shrunken, with the chance that any
group looks this different by luck; and how often the policy acted and erred.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from payoff.errors import counted, listed
from payoff.evidence.evidence import Estimate, Group, SubgroupEvidence
from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts

__all__ = ["HIDDEN", "chance", "groups_section", "short_groups", "slices_sections"]

HIDDEN: Final = frozenset({"small", "not_estimable"})
_MOST_TABLES: Final = 4
# The page stays below 150 kB: these bound its longest parts; the evidence file has the rest.
_MOST_GROUPS: Final = 30
_FEWEST_GROUPS: Final = 6
_MOST_DRAWINGS: Final = 3
_MOST_DRAWN: Final = 12
#: An error rate with a smaller adjusted p is marked.
_RARE: Final = 0.025
_STATES: Final = {"unknown": "{} without a group", "small": "few {}", "withheld": "withheld"}


def _state(facts: Facts, state: str) -> str:
    """Return what keeps a group from being measured; nothing for one that was."""
    return _STATES.get(state, "").format(facts.rows)


def short_groups(facts: Facts, most: int) -> blocks.Block | None:
    """Return the ``most`` groups with the smallest gain per unit; None when none is declared.

    They are ranked by the shrunken gain: among raw gains the smallest is mostly that of a group of
    few rows.
    """
    named = facts.evidence.declared_subgroups or facts.evidence.subgroups
    every = [(s, g) for s in named for g in s.groups]
    if not every:
        return None
    usable = [(s, g) for s, g in every if _known(g.gain) and _known(g.total_gain)]
    if not usable:
        return blocks.absent("Gain by group", "no group has enough rows to be shown")
    usable.sort(key=lambda pair: _fair(pair[1]))
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
        note.append("No interval: too few cases; the analyst's page says more.")
    if hidden and any(_known(g.shrunken_gain) for _, g in usable):
        note.append("Chosen by the gain that allows for how few rows a group has.")
    return blocks.table(
        f"The groups with the smallest gain{_over(facts)}"
        + wording.with_intervals([g.gain for _, g in usable[:most]], facts.level),
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


def _over(facts: Facts) -> str:
    reference = facts.reference
    if reference is None or reference.name == facts.subject.name:
        return ""
    return f" over “{facts.policy(reference.name, 60)}”"


def _fair(group: Group) -> float:
    """Return the gain to rank a group by."""
    return _value(group.shrunken_gain if _known(group.shrunken_gain) else group.gain)


def _known(estimate: Estimate | None) -> bool:
    return estimate is not None and estimate.value is not None


def _value(estimate: Estimate | None) -> float:
    return 0.0 if estimate is None or estimate.value is None else estimate.value


def groups_section(facts: Facts) -> dict[str, Any]:
    """Return every group of every declared subgroup, drawn and in full."""
    made = _groups(facts, facts.evidence.declared_subgroups)
    if not made:
        made.append(blocks.absent("Subgroups", "the decision declares none"))
    else:
        made += [blocks.text(said, "term") for said in _terms(facts)]
    return blocks.section("a-groups", "Subgroups", made)


def slices_sections(facts: Facts) -> list[dict[str, Any]]:
    """Return the slices of documents that nobody declared, or no section where there are none."""
    every = [s for s in facts.evidence.subgroups if s.automatic]
    left_out = dict(facts.evidence.themes.get("slices_left_out") or {})
    if not every and not left_out:
        return []
    made: list[blocks.Block] = []
    room = _room([len(s.groups) for s in every])
    what = "how much a user did before" if facts.lists else "the documents"
    for one in every:
        made.append(blocks.items([visible(s, 400) for s in one.sentences]))
        made.append(_money_table(facts, one, room))
    if made:
        made.append(
            blocks.text(
                f"Slices are made from {what}, not declared. They have an allowance for false "
                "alarms of their own: what is found here takes nothing from the declared "
                "subgroups.",
                "term",
            )
        )
    made += [
        blocks.absent(f"Documents by {visible(name, 40)}", str(why))
        for name, why in left_out.items()
    ]
    title = "New, light and heavy users" if facts.lists else "Slices of the documents"
    return [blocks.section("a-slices", title, made)]


def _groups(facts: Facts, every: Sequence[SubgroupEvidence]) -> list[blocks.Block]:
    made: list[blocks.Block] = []
    room = _room([len(s.groups) for s in every[:_MOST_TABLES]])
    for number, subgroup in enumerate(every[:_MOST_TABLES]):
        if subgroup.sentences:
            made.append(blocks.items([visible(s, 400) for s in subgroup.sentences]))
        spec = _groups_spec(facts, subgroup)
        if spec["rows"] and number < _MOST_DRAWINGS:
            made.append(blocks.chart(spec))
        made.append(_money_table(facts, subgroup, room))
        if not facts.lists:  # every user is shown a list
            made.append(_rates_table(facts, subgroup, room))
        made += _dealt(subgroup)
    if len(every) > _MOST_TABLES:
        made.append(blocks.text(f"{len(every) - _MOST_TABLES} more are in the evidence file."))
    return made


def _dealt(subgroup: SubgroupEvidence) -> list[blocks.Block]:
    """Say how chance was found where rows were not dealt, and which groups that leaves out."""
    found = subgroup.compared.get("gain") or {}
    if not found.get("how"):
        return []
    said = f"By {visible(subgroup.name, 60)}, {found['how']}."
    out = [visible(label, 50) for label in found.get("left_out", ())]
    return [blocks.text(f"{said} Left out: {listed(out) if out else 'none'}.", "term")]


def _room(sizes: list[int]) -> int:
    """Return how many groups each table may show so that all tables stay within their room.

    Examples
    --------
    >>> _room([12, 4, 8]), _room([30, 30, 4]), _room([40, 40, 40, 40])
    (12, 13, 7)
    """
    room = max(sizes, default=0)
    while room > _FEWEST_GROUPS and sum(min(n, room) for n in sizes) > _MOST_GROUPS:
        room -= 1
    return room


def _terms(facts: Facts) -> list[str]:
    """Return what the words of the tables mean."""
    smallest = facts.decision.get("smallest_group")
    ratio = (
        "Ratio: share acted on beside that of the largest group. Below 0.8 (four fifths) is a "
        "usual reason to look closer, not a verdict. Where the action is a benefit a low ratio is "
        "a disadvantage; where it is a burden, a high one is."
    )
    return [
        f"Gain: money of “{facts.policy(facts.subject.name, 60)}” minus money of what it is "
        "compared with, among the group's own rows. Shrunken gain: the same, drawn towards the "
        "mean of all groups, the more the fewer rows a group has; the better guess of what the "
        "group will bring, and the one to rank groups by.",
        "Interval for all groups at once: wide enough that all groups of this page are inside "
        f"theirs in {facts.level} of such studies. Chance of a difference: how often groups that "
        "do not differ show one this large anywhere among them. A group's own interval says "
        "nothing about it: among 20 groups that do not differ, one looks different.",
        *([] if facts.lists else [ratio]),
        f"Groups with fewer than {smallest} rows are named but not judged; another group is "
        "withheld with them where theirs could be had by subtracting it from the whole."
        if smallest
        else "Groups with few rows are named but not judged.",
    ]


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


def _money_table(facts: Facts, subgroup: SubgroupEvidence, most: int) -> blocks.Block:
    shrunken = "not_measured" not in subgroup.shrinkage
    rows = [_money_row(facts, g, shrunken=shrunken) for g in subgroup.groups[:most]]
    hidden = len(subgroup.groups) - len(rows)
    positive = facts.outcome(str(facts.decision.get("positive")), 40)
    unit = visible(facts.subject.value.unit)
    are = "group is" if hidden == 1 else "groups are"
    notes = [f"{hidden} more {are} in the evidence file."] if hidden else []
    shrinkage = subgroup.shrinkage.get("not_measured")
    if shrinkage:
        notes.append(f"No shrunken gain: {visible(shrinkage, 200)}.")
    return blocks.table(
        f"Money by {visible(subgroup.name, 80)}"
        + wording.with_intervals(
            [g.gain for g in subgroup.groups if g.gain is not None], facts.level
        ),
        [
            "Group",
            f"Rows, share of {facts.units}",
            f"Share with “{positive}”",
            f"Gain, {unit}",
            "For all groups at once",
            *(["Shrunken gain"] if shrunken else []),
            "Chance of a difference",
            f"Gain, {facts.money_unit}",
        ],
        rows,
        note=" ".join(notes),
    )


def _money_row(facts: Facts, group: Group, *, shrunken: bool) -> list[Any]:
    why = visible(group.reason, 200).rstrip(".")
    at_once = wording.figure(group.gain_simultaneous, plus=True)
    absent = group.gain_simultaneous is None or at_once["low"] is None
    return [
        blocks.cell(visible(group.label), _state(facts, group.state)),
        blocks.cell(wording.number(group.n, 0), wording.share(group.share)),
        _cell(group.rate, why),
        _cell(group.gain, "" if group.rate is None else why, plus=True),
        "not measured" if absent else str(at_once["ends"]),
        *([_short_cell(group.shrunken_gain, plus=True)] if shrunken else []),
        chance(group.p_adjusted.get("gain")),
        _cell(group.total_gain, "" if group.gain is None else why, plus=True),
    ]


def _rates_table(facts: Facts, subgroup: SubgroupEvidence, most: int) -> blocks.Block:
    shown = [g for g in subgroup.groups if g.rates][:most]
    if not shown:
        return blocks.absent(
            f"How often the policy acts and errs by {visible(subgroup.name, 80)}",
            "no group has enough rows to be shown",
        )
    positive = facts.outcome(str(facts.decision.get("positive")), 40)
    reference = "" if subgroup.reference is None else visible(subgroup.reference, 40)
    rows = [
        [
            blocks.cell(visible(g.label), _state(facts, g.state)),
            _rate(g, "acted"),
            _ratio(g, subgroup.reference),
            _rate(g, "true_positive_rate"),
            _rate(g, "false_positive_rate"),
            _rate(g, "precision"),
        ]
        for g in shown
    ]
    return blocks.table(
        f"How often the policy acts and errs by {visible(subgroup.name, 80)}, each with its "
        f"{facts.level} interval",
        [
            "Group",
            f"Share of {facts.units} acted on",
            f"Ratio to “{reference}”" if reference else "Ratio",
            f"Acted on, of those with “{positive}”",
            f"Acted on, of those without “{positive}”",
            f"With “{positive}”, of those acted on",
        ],
        rows,
        note=" ".join([_stands_out(subgroup), *_passed_on(facts)]),
    )


def _passed_on(facts: Facts) -> list[str]:
    if any(facts.reviews(a.action) and a.n for a in facts.subject.actions):
        return ["Those a person looks at count as acted on here, whatever the person decides."]
    return []


def _rate(group: Group, name: str) -> dict[str, str]:
    rate = group.rates.get(name)
    if rate is None or rate.value is None:
        return blocks.cell("not estimable", "" if rate is None else visible(rate.reason, 120))
    told = wording.figure(rate)
    chance = group.p_adjusted.get(name)
    return blocks.cell(told["short"] + (" *" if _rare(chance) else ""), told["ends"])


def _ratio(group: Group, reference: str | None) -> dict[str, str]:
    if group.impact is None:
        if group.label == reference:
            return blocks.cell("1", "itself")
        return blocks.cell("not compared")
    return _short_cell(group.impact)


def _rare(chance: float | None) -> bool:
    return chance is not None and chance <= _RARE


def _stands_out(subgroup: SubgroupEvidence) -> str:
    starred = any(
        _rare(g.p_adjusted.get(name))
        for g in subgroup.groups
        for name in ("true_positive_rate", "false_positive_rate")
    )
    if starred:
        return "* differs from the other groups beyond chance, all of them considered."
    return "No error rate differs from the other groups beyond chance."


def chance(p: float | None) -> str:
    """Write an adjusted p-value.

    Examples
    --------
    >>> chance(0.0005), chance(0.234), chance(1.0), chance(None)
    ('below 0.1 %', '23 %', '100 %', 'not compared')
    """
    if p is None:
        return "not compared"
    return "below 0.1 %" if p < 0.001 else f"{p * 100:.2g} %" if p < 0.995 else "100 %"


def _short_cell(estimate: Estimate | None, *, plus: bool = False) -> dict[str, str]:
    if estimate is None or estimate.value is None:
        return blocks.cell("not measured")
    told = wording.figure(estimate, plus=plus)
    return blocks.cell(told["short"], wording.ends(told))


def _cell(estimate: Estimate | None, why: str, *, plus: bool = False) -> dict[str, str]:
    """Return a figure with its interval, or why there is none."""
    if estimate is None:
        return blocks.cell("not measured", f"because {why}" if why else "")
    told = wording.figure(estimate, plus=plus)
    if told["value"] is None:
        return blocks.cell("not measured", f"because {wording.reason_of(estimate)}")
    return blocks.cell(told["short"], told["ends"])
