"""The analyst's page: the same figures in full, as tables that can be checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payoff.evidence.evidence import PolicyEvidence
from payoff.report import blocks, wording
from payoff.report.automation import automation_sections
from payoff.report.behaviour import behaviour_sections
from payoff.report.change import change_section
from payoff.report.corpus import corpus_sections
from payoff.report.escape import visible
from payoff.report.facts import Facts
from payoff.report.groups import groups_section, slices_sections
from payoff.report.limits import limits_section
from payoff.report.listing import hits_section, interactions_read, missing_section
from payoff.report.manager import options_spec
from payoff.report.measures import (
    calibration_section,
    curve_section,
    optimism_section,
    shift_section,
)
from payoff.report.past import past_section
from payoff.report.sure import base_rate_section, errors_section, information_section
from payoff.report.sureness import sureness_section
from payoff.report.themes import themes_sections
from payoff.report.tradeoff import tradeoff_sections

__all__ = ["analyst_sections", "confusion_table"]

_MOST_CELLS: Final = 36
_MOST_TABLES: Final = 4
_MOST_GROUPS: Final = 40
_MOST_DRAWN: Final = 12


def analyst_sections(facts: Facts) -> list[dict[str, Any]]:
    """Return the sections of the analyst's page."""
    if facts.lists:
        return [
            _options(facts),
            *tradeoff_sections(facts),
            sureness_section(facts),
            hits_section(facts),
            groups_section(facts),
            *slices_sections(facts),
            change_section(facts),
            information_section(facts),
            missing_section(facts),
            _payoffs(facts),
            _data(facts),
        ]
    return [
        _options(facts),
        sureness_section(facts),
        _confusions(facts),
        errors_section(facts),
        groups_section(facts),
        *themes_sections(facts),
        *slices_sections(facts),
        change_section(facts),
        base_rate_section(facts),
        information_section(facts),
        curve_section(facts),
        calibration_section(facts),
        past_section(facts),
        limits_section(facts),
        *automation_sections(facts),
        shift_section(facts),
        optimism_section(facts),
        _payoffs(facts),
        *behaviour_sections(facts),
        *corpus_sections(facts),
        _data(facts),
    ]


def _outside(policy: PolicyEvidence) -> str:
    return f"{wording.opening(policy.outside)}. " if policy.outside else ""


def _options(facts: Facts) -> dict[str, Any]:
    rows: list[list[Any]] = []
    for p in facts.evidence.policies[:_MOST_GROUPS]:
        unit, total = wording.figure(p.value), wording.figure(p.total)
        acted = sum(a.share for a in p.actions if facts.acts(a.action))
        rows.append(
            [
                blocks.cell(facts.policy(p.name), visible(_outside(p) + p.how, 300)),
                blocks.cell(total["short"], total["ends"]),
                blocks.cell(unit["short"], unit["ends"]),
                wording.share(acted),
                wording.number(p.value.n, 0),
                wording.number(p.value.n_clusters, 0),
            ]
        )
    per_unit = visible(facts.subject.value.unit)
    made: list[blocks.Block] = [
        blocks.chart(options_spec(facts)),
        blocks.table(
            "Every option"
            + wording.with_intervals([p.total for p in facts.evidence.policies], facts.level),
            [
                "Option and how it decides",
                facts.money_unit,
                per_unit,
                "Share of users shown a list"
                if facts.lists
                else f"Share of {facts.units} acted on",
                "Rows",
                "Independent units",
            ],
            rows,
            strong=[0],
        ),
        blocks.text(facts.interval_term(), "term"),
        _differences(facts),
        blocks.text(
            "Paired difference: both options are applied to the same rows and subtracted row by "
            "row, so its interval is narrower than two separate intervals suggest.",
            "term",
        ),
    ]
    return blocks.section("a-options", "Options", made)


def _differences(facts: Facts) -> blocks.Block:
    found = facts.evidence.comparisons
    if not found:
        return blocks.absent("Differences between options", "there is one option only")
    rows: list[list[Any]] = []
    for c in found[:_MOST_GROUPS]:
        total, unit = wording.figure(c.total, plus=True), wording.figure(c.value, plus=True)
        rows.append(
            [
                facts.policy(c.against),
                blocks.cell(total["short"], total["ends"]),
                blocks.cell(unit["short"], unit["ends"]),
                wording.share(c.differ),
                wording.number(c.value.n, 0),
            ]
        )
    return blocks.table(
        f"“{facts.policy(found[0].policy, 60)}” minus each other option, with its {facts.level} "
        "interval",
        [
            "Other option",
            facts.money_unit,
            visible(found[0].value.unit),
            "Share treated differently",
            "Rows",
        ],
        rows,
    )


def confusion_table(facts: Facts, policy: PolicyEvidence, most: int = _MOST_CELLS) -> blocks.Block:
    """Return people and money for each action under each outcome."""
    taken = {a.action for a in policy.actions if a.n}
    used = [c for c in policy.cells if c.action in taken or policy is facts.subject]
    cells = sorted(used, key=lambda c: -abs(c.money_per_period))[:most]
    kept = [c for c in used if c in cells]
    regret = any(c.regret_per_period for c in policy.cells)
    rows: list[list[Any]] = []
    for c in kept:
        each = "no rows" if c.money_per_unit is None else wording.number(c.money_per_unit)
        rows.append(
            [
                facts.action(c.action),
                facts.outcome(c.outcome),
                wording.number(c.n, 0),
                wording.share(c.share),
                blocks.cell(wording.people(c.per_period), _between(c.low, c.high)),
                each,
                wording.number(c.money_per_period),
                *([wording.number(c.regret_per_period)] if regret else []),
            ]
        )
    hidden = len(used) - len(kept)
    note = f"{hidden} pairs with less money are in the evidence file." if hidden else ""
    if policy.fixed_per_period:
        note = (
            f"Fixed costs of {wording.number(policy.fixed_per_period)} are not in. {note}".strip()
        )
    currency = facts.money_unit.partition(" per ")[0]
    return blocks.table(
        f"“{facts.policy(policy.name, 60)}”: {facts.units} and money {facts.per}, counted on "
        f"{wording.number(policy.value.n, 0)} rows",
        [
            "Action",
            "Outcome",
            "Rows",
            "Share",
            f"{wording.opening(facts.units)} {facts.period}",
            f"{currency} per {facts.unit}",
            facts.money_unit,
            *(["Less than the best action"] if regret else []),
        ],
        rows,
        left=2,
        note=note,
    )


def _between(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f"{wording.people(low)} to {wording.people(high)}"


def _confusions(facts: Facts) -> dict[str, Any]:
    made: list[blocks.Block] = [
        blocks.text(
            "Each line is one action under one outcome: how many it concerns, and what they bring "
            "together. The lines of an option add up to its money. Best action: the one that would "
            "have earned most, known only afterwards.",
            "term",
        )
    ]
    spec = _cells_spec(facts)
    if spec["rows"]:
        made.append(blocks.chart(spec))
    shown = facts.evidence.policies[:_MOST_TABLES]
    made.extend(confusion_table(facts, p, _MOST_CELLS if p is facts.subject else 16) for p in shown)
    hidden = len(facts.evidence.policies) - len(shown)
    if hidden:
        are = "option is" if hidden == 1 else "options are"
        made.append(blocks.text(f"{hidden} more {are} in the evidence file."))
    return blocks.section("a-people", "People and money by outcome", made)


def _cells_spec(facts: Facts) -> dict[str, Any]:
    # The weightiest are drawn, losses among them; cells without rows or money only in the table.
    cells = sorted(facts.subject.cells, key=lambda c: (-abs(c.money_per_period), -c.per_period))[
        :_MOST_DRAWN
    ]
    cells.sort(key=lambda c: -c.money_per_period)
    rows = [
        {
            "label": f"{facts.action(c.action, 40)}, outcome {facts.outcome(c.outcome, 40)}",
            "value": c.money_per_period,
            "text": f"{wording.number(c.money_per_period)} ({wording.people(c.per_period)} "
            f"{visible(facts.units, 20)})",
        }
        for c in cells
    ]
    label = facts.policy(facts.subject.name)
    said = "; ".join(f"{r['label']}: {r['text']}" for r in rows)
    return {
        "chart": "bars",
        "title": f"Where the money of “{label}” comes from",
        "desc": visible(f"Money {facts.per} by action and outcome. {said}.", 600),
        "unit": facts.money_unit,
        "key": "Filled: a gain. Hollow: a loss.",
        "rows": rows,
    }


def _range(payoff: Mapping[str, Any]) -> str:
    """Write the declared range of a payoff, if there is one."""
    if payoff.get("low") is None:
        return ""
    ends = f"{wording.number(payoff['low'])} to {wording.number(payoff['high'])}"
    return f"{ends}, {visible(payoff.get('distribution'))}"


def _payoffs(facts: Facts) -> dict[str, Any]:
    entries = list(facts.decision.get("payoffs", ()))
    rows: list[list[Any]] = [
        [
            facts.action(str(p["action"])),
            facts.outcome(str(p["outcome"])),
            blocks.cell(visible(p["money"]), _range(p)),
            visible(p.get("source") or "no source stated", 240),
        ]
        for p in entries[:_MOST_CELLS]
    ]
    currency = facts.money_unit.partition(" per ")[0]
    hidden = len(entries) - len(rows)
    return blocks.section(
        "a-payoffs",
        "Payoffs as declared",
        [
            blocks.table(
                f"What each action is worth under each outcome, in {currency} per {facts.unit}",
                ["Action", "Outcome", "Money", "Where the figure comes from"],
                rows,
                left=4,
                note=f"{hidden} more in the decision file." if hidden else "",
            )
        ],
    )


def _data(facts: Facts) -> dict[str, Any]:
    data = facts.evidence.data
    read = interactions_read(data) if facts.lists else []
    made: list[blocks.Block] = [
        blocks.facts(
            [
                ("Source", visible(data.get("source") or "", 300)),
                *(read or _rows_read(data)),
                ("Fingerprint of the rows (SHA-256)", visible(data.get("fingerprint") or "")),
            ]
        )
    ]
    if not read:
        made.append(
            _pairs(
                data.get("dropped", ()),
                ("reason", "n"),
                "Rows dropped, and why",
                ["Reason", "Rows"],
                "No row was dropped.",
            )
        )
    notes = [visible(n, 300) for n in list(data.get("notes", ()))[:_MOST_GROUPS]]
    if notes:
        made.append(blocks.items(notes))
    decision = facts.decision
    made.append(
        _pairs(
            decision.get("excluded", ()),
            ("column", "reason"),
            "Columns no model may use, and why",
            ["Column", "Reason"],
            "No column is excluded.",
        )
    )
    made.append(
        _pairs(
            decision.get("known_later", ()),
            ("column", "reason"),
            "Columns known only after the decision",
            ["Column", "Reason"],
            "No column is declared as known later.",
        )
    )
    rule = decision.get("current_rule")
    if rule:
        made.append(blocks.facts([(visible(rule.get("label")), visible(rule.get("text"), 600))]))
    return blocks.section("a-data", "Data", made)


def _rows_read(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Rows read", wording.number(float(data.get("n_rows") or 0), 0)),
        ("Rows without an outcome", wording.number(float(data.get("n_unlabelled") or 0), 0)),
        ("Rows carry weights", "yes" if data.get("weighted") else "no"),
        ("Rows belong together in clusters", "yes" if data.get("clustered") else "no"),
    ]


def _pairs(
    entries: Any, keys: tuple[str, str], caption: str, columns: list[str], empty: str
) -> blocks.Block:
    """Return a two-column table, or the sentence that it would be empty."""
    rows = [[_shown(e, keys[0]), _shown(e, keys[1])] for e in list(entries)[:_MOST_GROUPS]]
    if not rows:
        return blocks.text(empty)
    return blocks.table(caption, columns, rows, left=1 if keys[1] == "n" else 2)


def _shown(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return wording.number(float(value), 0) if isinstance(value, int) else visible(value or "", 300)
