"""The model card: Markdown with a front matter that model hubs read, made from facts only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payoff.evidence.evidence import Evidence
from payoff.report.documents import section_lines
from payoff.report.escape import markdown, visible, yaml
from payoff.report.facts import Facts
from payoff.report.figures import named

__all__ = ["model_card"]


def model_card(evidence: Evidence, view: Mapping[str, Any]) -> str:
    """Return the model card of the evidence; ``view`` is its summary."""
    facts = Facts(evidence)
    pages = {p["id"]: {s["id"]: s for s in p["sections"]} for p in view["pages"]}
    analyst, engineer = pages["analyst"], pages["engineer"]
    lines = [*_front_matter(facts), f"# Model card: {markdown(view['title'])}", ""]
    lines += [markdown(view["verdict"]["headline"]), ""]
    lines += [markdown(view["verdict"]["sentence"]), ""] if view["verdict"]["sentence"] else []
    lines += _uses(facts)
    wanted = (
        "a-options",
        "a-tradeoff",
        "a-choice",
        "a-exposure",
        "a-people",
        "a-groups",
        "a-calibration",
        "a-parts",
        "a-missing",
        "a-data",
    )
    order = [
        *(analyst[k] for k in wanted if k in analyst),
        *(
            engineer[k]
            for k in ("e-split", "e-choice", "e-calibration", "e-model", "e-costs")
            if k in engineer
        ),
        engineer["e-checks"],
        engineer["e-limits"],
        engineer["e-reproduce"],
    ]
    for section in order:
        title = "Reproduction" if section["id"] == "e-reproduce" else section["title"]
        lines += section_lines(title, section["blocks"])
    return "\n".join(lines).rstrip() + "\n"


def _front_matter(facts: Facts) -> list[str]:
    decision, model = facts.decision, facts.evidence.model
    name = visible(model.get("label") or model.get("name") or "none: decided elsewhere")
    fields: list[tuple[str, Any]] = [
        ("model_name", name),
        ("decision", visible(decision.get("name") or "")),
        ("library_name", "payoff"),
        ("pipeline_tag", "other" if facts.lists else "tabular-classification"),
        ("currency", facts.money_unit.partition(" per ")[0]),
        ("verdict", visible(facts.evidence.verdict.get("state") or "")),
        ("data_fingerprint", visible(facts.evidence.data.get("fingerprint") or "")),
        ("seed", int(facts.evidence.seed)),
        ("schema_version", int(facts.evidence.schema_version)),
    ]
    lines = [f"{key}: {yaml(value)}" for key, value in fields]
    return ["---", *lines, "tags:", '  - "payoff"', '  - "decision"', "---", ""]


def _uses(facts: Facts) -> list[str]:
    decision = facts.decision
    actions = ", ".join(facts.action(str(a["name"])) for a in list(decision["actions"])[:12])
    outcomes = ", ".join(facts.outcome(str(o["name"])) for o in list(decision["outcomes"])[:12])
    block = {
        "kind": "facts",
        "pairs": [
            {"name": "Meant for", "value": f"choosing one action per {facts.unit}: {actions}"},
            {"name": "Predicts", "value": f"the outcome: {outcomes}"},
            {
                "name": "Not meant for",
                "value": "any other decision, any other money, or a "
                f"population that differs from the {facts.rows} judged",
            },
            {"name": "Owner", "value": named(decision.get("owner"), "owner")},
            {"name": "Approver", "value": named(decision.get("approver"), "approver")},
            {"name": "Review by", "value": named(decision.get("review_by"), "review_by")},
        ],
    }
    return section_lines("Use", [block])
