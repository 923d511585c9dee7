"""Evidence to view: everything a page shows, as plain values with their words, and no markup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payoff.evidence.evidence import Evidence
from payoff.report import blocks, wording
from payoff.report.analyst import analyst_sections
from payoff.report.engineer import engineer_sections
from payoff.report.escape import visible
from payoff.report.facts import Facts
from payoff.report.figures import headline, three_numbers, verdict_word
from payoff.report.listing import as_users
from payoff.report.manager import crowded, manager_sections, warnings

__all__ = ["summarise"]


def summarise(evidence: Evidence, *, bundle: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the view of the evidence that every document renders.

    Parameters
    ----------
    evidence
        What one judging found.
    bundle
        Facts of the bundle the evidence lies in (identity, digests, ``reproduce`` command); shown
        on the engineer's page.

    Returns
    -------
    dict
        JSON-ready: ``title``, ``verdict``, ``headline``, ``three``, ``warnings`` and ``pages``, a
        list of pages, each with sections of blocks (see :mod:`payoff.report.blocks`). All text is
        bounded and shows every character; none of it is escaped for a kind of document yet.
    """
    facts = Facts(evidence)
    state = str(evidence.verdict.get("state"))
    title = visible(evidence.decision.get("title") or evidence.decision.get("name") or "Decision")
    # Where there is something to do now, the headline has said the rest.
    said = evidence.verdict.get("next") or evidence.verdict.get("sentence")
    sentence = visible(said or "", 500)
    return {
        "bundle_id": str((bundle or {}).get("id", "")),
        "kind": "Decision report",
        "signed": True,
        "title": title,
        "subtitle": _subtitle(facts),
        "verdict": {
            "state": state if state in {"deploy", "uncertain", "refuse"} else "unknown",
            "word": verdict_word(state),
            "headline": headline(evidence),
            "sentence": sentence,
        },
        "three": three_numbers(evidence),
        "warnings": warnings(facts),
        "dense": crowded(facts),
        "pages": [
            _page(
                "manager",
                "For the manager",
                "What to decide",
                _of_kind(facts, manager_sections(facts)),
            ),
            _page(
                "analyst",
                "For the analyst",
                "The figures in full",
                _of_kind(facts, analyst_sections(facts)),
            ),
            _page(
                "engineer",
                "For the engineer",
                "How the figures were made",
                _of_kind(facts, engineer_sections(facts, bundle)),
            ),
        ],
    }


def _of_kind(facts: Facts, sections: list[blocks.Block]) -> list[blocks.Block]:
    """Return sections in the words of what was judged."""
    return [as_users(s) for s in sections] if facts.lists else sections


def _subtitle(facts: Facts) -> str:
    volume = facts.decision.get("volume")
    if volume is None:
        amount = f"money per {wording.people(float(facts.decision.get('units_reported') or 1000))}"
        size = f"{amount} {facts.units}"
    else:
        size = f"{wording.people(float(volume))} {facts.units} {facts.period}"
    n = wording.number(facts.n, 0)
    return f"One decision per {facts.unit}; {size}; judged on {n} {facts.rows}"


def _page(ident: str, title: str, about: str, sections: list[blocks.Block]) -> dict[str, Any]:
    return {
        "id": ident,
        "reader": wording.opening(ident),
        "title": title,
        "about": about,
        "sections": sections,
    }
