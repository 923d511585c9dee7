"""The decision record in the MADR shape: context, options with figures, outcome, consequences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payoff.evidence.evidence import Evidence, PolicyEvidence
from payoff.report import blocks, wording
from payoff.report.documents import block_lines, bullets, section_lines
from payoff.report.escape import markdown, visible
from payoff.report.facts import Facts
from payoff.report.figures import brief, named
from payoff.report.listing import listed_how
from payoff.report.manager import limits, options_table
from payoff.report.tradeoff import record_sections

__all__ = ["decision_record"]

_STATUS = {
    "deploy": "proposed: recommended by the evidence, waiting for approval",
    "uncertain": "proposed: the evidence does not settle it, waiting for a decision",
    "refuse": "proposed for refusal: the evidence speaks against the model",
}


def decision_record(evidence: Evidence, view: Mapping[str, Any]) -> str:
    """Return the decision record of the evidence; ``view`` is its summary."""
    facts = Facts(evidence)
    verdict = view["verdict"]
    lines = [f"# Decide: {markdown(view['title'])}", "", *_people(facts, view), ""]
    lines += ["## Context and problem", "", *_context(facts, view), ""]
    lines += ["## Considered options", "", *block_lines(options_table(facts)), ""]
    lines += [markdown(facts.interval_term()), ""]
    for policy in evidence.policies[:40]:
        lines.append(
            f"- **{markdown(facts.policy(policy.name))}**: "
            f"{markdown(visible(policy.how, 300) or 'no description')}"
        )
    lines += [
        "",
        "## Decision outcome",
        "",
        f"**{markdown(verdict['word'])}.** {markdown(verdict['headline'])}",
        "",
    ]
    lines += [markdown(verdict["sentence"]), ""] if verdict["sentence"] else []
    lines += ["### Why not the others", "", *_others(facts), ""]
    for section in record_sections(facts):
        lines += section_lines(section["title"], section["blocks"], level=3)
    lines += ["### Consequences", "", *_consequences(view), ""]
    lines += ["### Confirmation", "", *_confirmation(facts), ""]
    lines += ["## Limits and open questions", "", *(f"- {markdown(s)}" for s in limits(facts)), ""]
    return "\n".join(lines).rstrip() + "\n"


def _people(facts: Facts, view: Mapping[str, Any]) -> list[str]:
    decision, state = facts.decision, str(facts.evidence.verdict.get("state"))
    return bullets(
        [
            ("Status", _STATUS.get(state, "proposed: not judged")),
            ("Owner", named(decision.get("owner"), "owner")),
            ("Approver", named(decision.get("approver"), "approver")),
            ("Review by", named(decision.get("review_by"), "review_by")),
            ("Bundle", view["bundle_id"] or "none: no bundle was written"),
        ]
    )


def _context(facts: Facts, view: Mapping[str, Any]) -> list[str]:
    actions = "; ".join(facts.action(str(a["name"])) for a in list(facts.decision["actions"])[:12])
    lines = [f"{markdown(view['subtitle'])}. The actions: {markdown(actions)}."]
    if facts.lists:
        lines += ["", markdown(listed_how(facts))]
    reference = facts.reference
    if reference is not None:
        lines += ["", f"Money is compared with “{markdown(facts.policy(reference.name))}”."]
    return lines


def _others(facts: Facts) -> list[str]:
    lines = [
        f"- **{markdown(facts.policy(p.name))}**: {markdown(_why_not(facts, p))}"
        for p in facts.evidence.policies[:40]
        if p.name != facts.subject.name
    ]
    return lines or ["- There was no other option."]


def _why_not(facts: Facts, policy: PolicyEvidence) -> str:
    found = facts.against(policy.name)
    if found is None or found.total.value is None:
        return str(
            blocks.absent("the difference", wording.reason_of(found.total if found else None))[
                "text"
            ]
        )
    told = wording.figure(found.total, plus=True)
    said = (
        f"“{facts.policy(facts.subject.name, 60)}” minus this option is estimated at "
        f"{told['text']} ({brief(told['interval'])})"
    )
    if told["low"] is None or told["high"] is None:
        return f"{said}: how sure that is cannot be said."
    if told["low"] > 0:
        return f"{said}: the whole interval is above zero."
    if told["high"] < 0:
        return f"{said}: the whole interval is below zero, so this option is the better one."
    return f"{said}: the interval does not settle which of the two is better."


def _consequences(view: Mapping[str, Any]) -> list[str]:
    lines = bullets(
        (item["label"], f"{item['figure']} ({item['interval']}). {item['note']}")
        for item in view["three"]
    )
    return lines + bullets(
        (f"Warning {w['code']}", f"{w['title']}. {w['detail']} {w['mend']}".strip())
        for w in view["warnings"]
    )


def _confirmation(facts: Facts) -> list[str]:
    issues = [c for c in facts.evidence.checks if c.status == "issue"]
    passed = sum(c.status == "passed" for c in facts.evidence.checks)
    lines = [
        "- After use, compare the money that came with the interval above, by period and subgroup.",
        f"- Checks: {passed} passed, {len(issues)} with an issue.",
    ]
    lines += [
        f"- {markdown(c.code)} ({markdown(visible(c.title))}): {markdown(visible(c.detail, 300))}"
        for c in issues[:20]
    ]
    return [
        *lines,
        f"- The same {facts.rows}, decision file, seed "
        f"({facts.evidence.seed}) and versions give this record again.",
    ]
