"""Limits, constraints, reviews and fixed costs on the analyst's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payoff.evidence.evidence import Estimate
from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts

__all__ = ["limits_section"]

_MOST_ROWS = 60
_STATES = {"met": "yes", "within": "within its interval", "broken": "no"}


def limits_section(facts: Facts) -> dict[str, Any]:
    """Return the section on what may be done: capacities, limits, constraints, fixed costs."""
    made: list[blocks.Block] = []
    limits = list(facts.evidence.capacity)
    if limits:
        made += _limits(facts, limits)
    else:
        made.append(blocks.text("No action is limited: the decision declares no capacity."))
    constraints = list(facts.evidence.constraints)
    if constraints:
        made += _constraints(facts, constraints)
    made += _fixed(facts)
    return blocks.section("a-capacity", "Limits and constraints", made)


def _limits(facts: Facts, limits: list[Mapping[str, Any]]) -> list[blocks.Block]:
    rows: list[list[Any]] = []
    for c in limits[:_MOST_ROWS]:
        price = c["shadow_price"]
        rows.append(
            [
                visible(c["label"], 120),
                visible(c["resource"], 60),
                wording.number(float(c["per_period"])),
                wording.number(float(c["used_per_period"])),
                _used(c),
                "yes" if c["binding"] else "no",
                wording.number(float(price)) if price is not None else "not measured",
            ]
        )
    currency = facts.money_unit.partition(" per ")[0]
    hidden = len(limits) - len(rows)
    return [
        blocks.table(
            "What each limit leaves room for, and what is used of it",
            [
                "Limit",
                "Counted in",
                f"Room {facts.period}",
                f"Used {facts.period}",
                "Share of the room",
                "Limit reached",
                f"{currency} for one more",
            ],
            rows,
            left=2,
            note=f"{hidden} more are in the evidence file." if hidden else "",
        ),
        blocks.text(
            "For one more: what one more unit of the resource would have earned on the choosing "
            "rows. It falls as the limit is raised, because the best cases come first.",
            "term",
        ),
        *[blocks.text(visible(c["sentence"], 300)) for c in limits[:12]],
    ]


def _used(limit: Mapping[str, Any]) -> str:
    room = float(limit["share"])
    return wording.share(float(limit["used_share"]) / room) if room > 0 else "no room"


def _constraints(facts: Facts, constraints: list[Mapping[str, Any]]) -> list[blocks.Block]:
    rows: list[list[Any]] = []
    for c in constraints[:_MOST_ROWS]:
        bound = {"floor": "at least", "cap": "at most", "max_gap": "gap at most"}[str(c["kind"])]
        measured, price = _figure(c["measured"], share=True), _figure(c["price_total"])
        rows.append(
            [
                visible(c["label"], 120),
                f"{bound} {wording.share(c['share'])}",
                measured,
                _STATES[str(c["state"])],
                price,
            ]
        )
    return [
        blocks.table(
            f"Constraints, and what keeping each costs, with their {facts.level} intervals",
            ["Constraint", "Bound", "Measured", "Kept", facts.money_unit],
            rows,
            left=2,
        ),
        blocks.text(
            "The cost of a constraint is what the best policy without it earned more on the same "
            "rows; a negative figure means that on these rows keeping it cost nothing.",
            "term",
        ),
        *[blocks.text(visible(c["sentence"], 400)) for c in constraints[:12]],
    ]


def _figure(value: Mapping[str, Any], *, share: bool = False) -> Any:
    if "not_measured" in value:
        return blocks.cell("not measured", visible(value["not_measured"], 200))
    estimate = Estimate(**value)
    if share:
        ends = ""
        if estimate.low is not None and estimate.high is not None:
            ends = f"{wording.share(estimate.low)} to {wording.share(estimate.high)}"
        return blocks.cell(wording.share(estimate.value), ends)
    said = wording.figure(estimate)
    return blocks.cell(said["short"], said["ends"])


def _fixed(facts: Facts) -> list[blocks.Block]:
    rows = [
        [facts.policy(p.name), wording.number(p.fixed_per_period), wording.figure(p.total)["short"]]
        for p in facts.evidence.policies
    ]
    if not any(p.fixed_per_period for p in facts.evidence.policies):
        return []
    return [
        blocks.table(
            f"Fixed costs of each option, {facts.money_unit}",
            ["Option", "Fixed costs, already taken off", "Money after them"],
            rows,
        ),
        blocks.text(
            "Fixed costs are shared evenly by all units: money per unit, totals and differences "
            "have lost them; the table of people and money by outcome has not.",
            "term",
        ),
    ]
