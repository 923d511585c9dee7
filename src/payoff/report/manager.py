"""The manager's page: what to decide, what it is worth, for whom, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from payoff.errors import counted
from payoff.evidence.evidence import PolicyEvidence
from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts
from payoff.report.figures import named, three_numbers, verdict_word
from payoff.report.groups import HIDDEN, short_groups
from payoff.report.listing import list_limits

__all__ = ["changes", "limits", "manager_sections", "options_spec", "options_table", "warnings"]

_MOST_OPTIONS: Final = 7
_LINE: Final = 105  # letters of a printed line
_MOST_LIMITS: Final = 4
_LONG_NOTE: Final = 220  # letters below one of the three numbers
_FEW: Final = 100
#: Issues that the verdict has told already.
_IN_THE_HEADLINE: Final = frozenset({"PAY-E202", "PAY-E203"})


def warnings(facts: Facts) -> list[dict[str, str]]:
    """Return the checks that must be seen first."""
    return [
        {
            "code": visible(c.code),
            "title": visible(c.title),
            "detail": visible(c.detail, 400),
            "mend": visible(c.mend, 300).rstrip(".") + "." if c.mend else "",
        }
        for c in facts.evidence.checks
        if c.page_one
    ]


def _shown(facts: Facts, most: int) -> list[PolicyEvidence]:
    """Return the first options; those that sentences name take the places of the last others."""
    verdict, every = facts.evidence.verdict, facts.evidence.policies
    named = {every[0].name, verdict["reference"], verdict["best_trivial"]}
    others = [p.name for p in every if p.name not in named]
    shown = named | set(others[: max(most - len(named), 0)])
    return [p for p in every if p.name in shown]


def options_table(facts: Facts, most: int = 60) -> blocks.Block:
    """Return every option with its money per period and its difference from the recommended."""
    rows: list[list[Any]] = []
    policies = _shown(facts, most)
    for policy in policies:
        total = wording.figure(policy.total)
        found = facts.against(policy.name)
        if policy.name == facts.subject.name:
            other: dict[str, str] = blocks.cell("(this option)")
        elif found is None:
            other = blocks.cell("not compared")
        else:
            told = wording.figure(found.total, plus=True)
            other = blocks.cell(told["short"], wording.ends(told))
        rows.append(
            [
                blocks.cell(facts.policy(policy.name), _role(facts, policy.name)),
                blocks.cell(total["short"], wording.ends(total)),
                other,
            ]
        )
    more = len(facts.evidence.policies) - len(policies)
    why = next(
        (f"{wording.opening(wording.interval(p.total))}." for p in policies if p.total.low is None),
        "",
    )
    return blocks.table(
        f"Options in {facts.money_unit}, estimated from {wording.number(facts.n, 0)} {facts.rows}"
        + wording.with_intervals([p.total for p in policies], facts.level),
        ["Option", facts.money_unit, f"“{facts.policy(facts.subject.name, 40)}” minus this option"],
        rows,
        strong=[0],
        note=f"{counted(more, 'more option')} in the evidence file." if more > 0 else why,
    )


def _role(facts: Facts, name: str) -> str:
    verdict = facts.evidence.verdict
    said = []
    if name == facts.subject.name:
        state = str(verdict.get("state"))
        said.append(verdict_word(state).lower())
    if name == verdict.get("reference"):
        said.append("compared with")
    if facts.evidence.policy(name).baseline:
        said.append("needs no model")
    outside = facts.evidence.policy(name).outside
    if outside:
        said.append(visible(outside, 120))
    return ", ".join(said)


def options_spec(facts: Facts, most: int = 12) -> dict[str, Any]:
    """Return the drawing of all options as points with intervals."""
    rows = []
    for policy in facts.evidence.policies[:most]:
        told = wording.figure(policy.total)
        main = policy.name == facts.subject.name
        rows.append(
            {
                "label": facts.policy(policy.name),
                "value": told["value"],
                "low": told["low"],
                "high": told["high"],
                "text": told["short"] if told["value"] is not None else "not measured",
                "mark": "main" if main else "base" if policy.baseline else "alt",
            }
        )
    said = "; ".join(f"{r['label']}: {r['text']}" for r in rows)
    return {
        "chart": "forest",
        "title": f"Options in {facts.money_unit}",
        "desc": visible(f"Estimate and {facts.level} interval of each option. {said}.", 600),
        "unit": facts.money_unit,
        "key": f"Line: {facts.level} interval. Disc: the option this page is about. Square: "
        "another option with a model. Diamond: needs no model.",
        "stress": True,
        "rows": rows,
    }


def limits(facts: Facts) -> list[str]:
    """Return what the figures do not say, one sentence each; never an empty list."""
    evidence, decision = facts.evidence, facts.decision
    said = list_limits(facts) if facts.lists else [_causes(facts)]
    if decision.get("volume") is None:
        said.append(
            f"How many {facts.units} come up per period: not declared, so money is per "
            f"{wording.people(float(decision.get('units_reported') or 1000))} {facts.units}."
        )
    if not decision.get("current_rule") and not facts.lists:
        said.append("Today's rule: not declared, so nothing is compared with today's practice.")
    for what, part in (
        ("The model", evidence.model),
        ("Calibration", evidence.calibration),
        ("Value by threshold", evidence.curve),
        ("Change over time", evidence.shift),
    ):
        why = blocks.missing_of(part)
        if why is not None and not facts.lists:
            said.append(str(blocks.absent(what, why)["text"]))
    if not evidence.data.get("clustered") and not facts.lists:
        said.append(
            "Whether rows belong together (one customer, one household, one day): not declared, so "
            f"{_apart(facts)}; intervals are too narrow where rows are alike."
        )
    bare = [c for c in decision.get("payoffs", ()) if not c.get("source") and c["money"] != "0"]
    if bare:
        cells = "cell says" if len(bare) == 1 else "cells say"
        said.append(
            f"Where the money comes from: {len(bare)} of {len(decision.get('payoffs', ()))} "
            f"{cells} not who stated it."
        )
    if not evidence.declared_subgroups:
        said.append("Who gains and who loses: not measured, because no subgroups are declared.")
    hidden = [g for s in evidence.declared_subgroups for g in s.groups if g.state in HIDDEN]
    if hidden:
        names = ", ".join(visible(g.label, 30) for g in hidden[:4])
        more = f" and {len(hidden) - 4} more" if len(hidden) > 4 else ""
        said.append(f"Groups with too few {facts.rows} for a figure: {names}{more}.")
    shift = str(evidence.shift.get("warning") or "")
    if shift and all(shift != c.detail for c in evidence.checks if c.page_one):
        said.append(visible(shift, 300))
    open_issues = [
        c
        for c in evidence.checks
        if c.status == "issue" and not c.page_one and c.code not in _IN_THE_HEADLINE
    ]
    if open_issues:
        named = "; ".join(f"{visible(c.title, 60)} ({visible(c.code)})" for c in open_issues[:5])
        more = f"; and {len(open_issues) - 5} more" if len(open_issues) > 5 else ""
        said.insert(0, f"Checks that found an issue, told on the engineer's page: {named}{more}.")
    unlabelled = int(evidence.data.get("n_unlabelled") or 0)
    if unlabelled:
        said.append(f"{wording.number(unlabelled, 0)} rows have no outcome yet and are left out.")
    return said


def _causes(facts: Facts) -> str:
    """Say whether the figures tell what acting changes."""
    how = (facts.evidence.past.get("design") or {}).get("how")
    if how == "randomised":
        return (
            f"What acting changes is measured for the {facts.units}, prices and season of this "
            "trial; another time may differ."
        )
    if how is not None:
        return (
            "What acting changes is measured as far as the reasons for past decisions are on "
            "record; only a trial with some decisions left to chance can measure the rest."
        )
    return (
        "Whether acting changes what happens: not measured. Each row's outcome is taken as it was; "
        "only a trial with some decisions left to chance can measure that."
    )


def _apart(facts: Facts) -> str:
    """Say which rows count as independent: copies of a document do not."""
    twins = facts.evidence.data.get("split", {}).get("twins", {})
    if twins.get("rule") == "keep together" and twins.get("rows"):
        return "apart from copies of a document each row counts as independent"
    return "each row counts as independent"


def _first_limits(facts: Facts) -> list[str]:
    said = limits(facts)
    tight = len(warnings(facts)) or _lines(_bounds(facts)) > 2 or _tall(facts)
    shown = said[: _MOST_LIMITS - bool(tight)]
    if len(said) > len(shown):
        shown.append(f"{len(said) - len(shown)} more on the engineer's page.")
    return shown


def changes(facts: Facts) -> list[str]:
    """Return how sure the choice is and what would change it, the weightiest sentences first.

    They are the evidence's own sentences: who errs, how sure, what the money or the base rate would
    have to be for another option to win, and what past decisions cannot tell.
    """
    evidence = facts.evidence

    def of(part: Mapping[str, Any]) -> list[str]:
        return [visible(s, 300) for s in part.get("sentences", ())]

    past, people = of(evidence.past), of(evidence.people)
    sure, money, base = of(evidence.information), of(evidence.sensitivity), of(evidence.base_rate)
    # The first sentence on the base rate says what it is; it has a point where another one follows.
    share = [" ".join(base[:2])] if len(base) > 1 else []
    few = of(evidence.intervals)[:1] if _rests_on_few(evidence.intervals) else []
    first = [*past[:1], *few, *sure[:1], *money[:1], *share]
    return [
        *first,
        *of(evidence.themes)[:1],
        *_traded(evidence.tradeoff),
        *past[1:2],
        *people[1:2],
        *money[1:2],
        *sure[1:2],
        *base[2:3],
    ]


def _traded(part: Mapping[str, Any]) -> list[str]:
    """Return who else wins for whom, and what the runner-up gives up, of lists."""
    if "whom" not in part:
        return []
    lost, whom = part["gives_up"].get("sentence"), list(part["whom"].get("sentences", ()))[:1]
    return [visible(s, 300) for s in ([lost] if lost else []) + whom]


def _rests_on_few(intervals: Mapping[str, Any]) -> bool:
    """Whether fewer than a hundred cases of one size would tell as much of the last figure."""
    paying = [f["diagnosis"]["paying"] for f in intervals.get("figures", ())]
    return bool(paying) and paying[-1] < _FEW


def _first_changes(facts: Facts) -> list[str]:
    """Return as many of them as the sheet has room for: fewer beside warnings and many options."""
    taken = 2 * len(warnings(facts)) + max(0, len(facts.evidence.policies) - 5)
    most = 6 - taken - _lines(_bounds(facts)) // 2
    shown: list[str] = []
    for said in changes(facts):
        if shown and _lines([*shown, said]) > max(3, most):
            break
        shown.append(said)
    return shown


def _bounds(facts: Facts) -> list[str]:
    """Return what holds the option back: error rate, binding limits, constraints, fixed costs."""
    evidence = facts.evidence
    kept = evidence.automation
    said = []
    if kept.get("recommended") and kept.get("threshold") is not None:
        said = [visible(" ".join(kept["sentences"][:2]), 400)]
    said += [visible(c.get("sentence") or "", 300) for c in evidence.capacity if c.get("binding")]
    said += [visible(c.get("sentence") or "", 300) for c in evidence.constraints]
    if facts.lists and not any(c.code == "PAY-E268" and c.page_one for c in evidence.checks):
        rules = evidence.tradeoff["choice"]["constraints"]
        said += [visible(r["sentence"], 300) for r in rules if r["state"] != "met"]
    said = [s for s in said if s][:2]
    fixed = facts.subject.fixed_per_period
    if fixed:
        money = wording.money(fixed, facts.money_unit)
        said.append(
            f"Fixed costs are taken off: {money} from “{facts.policy(facts.subject.name)}”."
        )
    return said


def _lines(said: Sequence[str]) -> int:
    return sum(1 + len(text) // _LINE for text in said)


def crowded(facts: Facts) -> bool:
    """Whether the manager's page needs smaller type to stay on one sheet of paper."""
    options = min(len(facts.evidence.policies), _MOST_OPTIONS)
    said = _lines([*_first_limits(facts), *_first_changes(facts), *_bounds(facts)])
    return options + 2 * len(warnings(facts)) + said > 16


def _tall(facts: Facts) -> bool:
    """Whether one of the three numbers needs so many words that others must make room."""
    return max(len(number["note"]) for number in three_numbers(facts.evidence)) > _LONG_NOTE


def _room(facts: Facts, said: Sequence[str]) -> int:
    """Return how many groups leave the manager's page on one sheet of paper.

    A warning takes the room of two groups, and so does each limit that runs over its line.
    """
    options = min(len(facts.evidence.policies), _MOST_OPTIONS)
    taken = 2 * len(warnings(facts)) + max(0, _lines(said) - 4)
    # Why an interval is missing is told in the headline, the first number and below the options.
    taken += 3 * any(p.total.low is None and p.total.value for p in facts.evidence.policies)
    return max(2, 9 - max(0, options - 5) - taken)


def _room_for_options(facts: Facts) -> int:
    """Return how many options leave the page on one sheet: fewer where lists have warnings."""
    fewer = 2 * len(warnings(facts)) if facts.lists else 0
    return max(4, _MOST_OPTIONS - _tall(facts) - fewer)


def manager_sections(facts: Facts) -> list[dict[str, Any]]:
    """Return the sections of the manager's page, below the headline and the three numbers."""
    decision = facts.decision
    options: list[blocks.Block] = [options_table(facts, _room_for_options(facts))]
    options.extend(blocks.text(s) for s in _bounds(facts))
    options.append(blocks.text(facts.interval_term(), "term"))
    shown, change = _first_limits(facts), _first_changes(facts)
    groups = short_groups(facts, _room(facts, [*shown, *change, *_bounds(facts)]))
    made = [blocks.section("m-options", "The options in money", options)]
    if change:
        title = "How sure, and what would change the answer"
        made.append(blocks.section("m-change", title, [blocks.items(change)]))
    if groups is not None:
        made.append(blocks.section("m-groups", "Who gains, who loses", [groups]))
    made.append(blocks.section("m-limits", "Limits and open questions", [blocks.items(shown)]))
    made.append(
        blocks.section(
            "m-people",
            "Who answers for it",
            [
                blocks.facts(
                    [
                        ("Owner", named(decision.get("owner"), "owner")),
                        ("Approver", named(decision.get("approver"), "approver")),
                        ("Review by", named(decision.get("review_by"), "review_by")),
                    ]
                )
            ],
        )
    )
    return made
