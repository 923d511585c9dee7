"""The page of a comparison: who wins, by how much, how sure, and where they differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from payoff.evidence.contest import Compared
from payoff.evidence.evidence import Estimate
from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.files import replace_text
from payoff.report.html import page

__all__ = ["comparison_view", "write_comparison"]

_STATES = {"ahead": "deploy", "open": "uncertain", "alike": "uncertain"}
_WORDS = {"ahead": "There is a winner", "open": "No clear winner", "alike": "They act alike"}


def comparison_view(found: Compared) -> dict[str, Any]:
    """Return the view that the page renders; text is bounded, not yet escaped."""
    return {
        "bundle_id": "",
        "signed": False,
        "kind": "Comparison",
        "title": visible(found.decision["title"]),
        "subtitle": f"{len([s for s in found.standings if not s.baseline])} policies on the same "
        f"{wording.number(found.rows['n'], 0)} rows of {visible(found.rows['source'], 80)}",
        "verdict": {
            "state": _STATES[found.state],
            "word": _WORDS[found.state],
            "headline": visible(found.sentences[0], 400),
            "sentence": visible(" ".join(found.sentences[1:]), 600),
        },
        "three": [],
        "warnings": [],
        "dense": False,
        "pages": [
            {
                "id": "compare",
                "reader": "The comparison",
                "title": "Comparison",
                "about": "Who wins, and where they differ",
                "sections": [
                    _standings(found),
                    _where(found),
                    _groups(found),
                    _rows(found),
                ],
            }
        ],
    }


def _label(found: Compared, name: str) -> str:
    return visible(next(s.label for s in found.standings if s.name == name), 60)


def _told(estimate: Estimate, *, plus: bool = False) -> dict[str, str]:
    told = wording.figure(estimate, plus=plus)
    return blocks.cell(told["short"], wording.ends(told))


def _standings(found: Compared) -> dict[str, Any]:
    pairs = {p.against: p for p in found.pairs}
    unit, level = visible(found.decision["money_unit"]), float(found.decision["level"])
    rows: list[list[Any]] = []
    drawn = []
    for one in found.standings:
        pair = pairs.get(one.name)
        note = "needs no model" if one.baseline else "leads" if pair is None else ""
        chance = (
            "not in the contest" if one.chance_best is None else wording.chance(one.chance_best)
        )
        rows.append(
            [
                blocks.cell(visible(one.label), note),
                _told(one.total),
                blocks.cell("(leads)")
                if pair is None
                else _told(pair.total if one.baseline else pair.together, plus=True),
                chance,
                "" if pair is None else wording.share(pair.differ),
                wording.share(one.acted),
            ]
        )
        told = wording.figure(one.total)
        drawn.append(
            {
                "label": visible(one.label, 60),
                "value": told["value"],
                "low": told["low"],
                "high": told["high"],
                "text": told["short"] if told["value"] is not None else "not measured",
                "mark": "main" if pair is None else "base" if one.baseline else "alt",
            }
        )
    said = "; ".join(f"{r['label']}: {r['text']}" for r in drawn)
    share = wording.percent(level)
    many = len([s for s in found.standings if not s.baseline]) > 2
    return blocks.section(
        "c-standings",
        "The policies in money",
        [
            blocks.chart(
                {
                    "chart": "forest",
                    "title": f"Policies in {unit}",
                    "desc": visible(f"Estimate and {share} interval of each. {said}.", 600),
                    "unit": unit,
                    "key": f"Line: {share} interval. Disc: the leader. Square: another contestant. "
                    "Diamond: needs no model.",
                    "stress": True,
                    "rows": drawn,
                }
            ),
            blocks.table(
                f"Money and paired differences in {unit}, each with its {share} interval",
                [
                    "Policy",
                    unit,
                    f"“{_label(found, found.leader)}” minus this",
                    "Chance to be best",
                    "Treated differently",
                    "Acted on",
                ],
                rows,
                strong=[0],
                note=visible(found.rules.get("said", ""), 600),
            ),
            blocks.text(
                "Paired: all policies decide the same rows, and money is subtracted row by row, so "
                "a difference is surer than two separate intervals suggest."
                + (
                    " The differences between contestants hold all at once, because the leader was "
                    "picked by these rows."
                    if many
                    else ""
                )
                + " Chance to be best: the share of worlds that fit these rows in which it earns "
                "most of the contestants.",
                "term",
            ),
        ],
    )


def _where(found: Compared) -> dict[str, Any]:
    title = "Where they differ"
    leader, second = _label(found, found.leader), _label(found, found.runner_up)
    if not found.switches:
        same = f"“{leader}” and “{second}” act alike on every row judged."
        return blocks.section("c-where", title, [blocks.text(same)])
    rows: list[list[Any]] = [
        [
            visible(s.leader),
            visible(s.other),
            wording.number(s.n, 0),
            wording.share(s.share),
            wording.people(s.per_period),
            _told(s.total, plus=True),
        ]
        for s in found.switches
    ]
    unit = visible(found.decision["money_unit"])
    per = unit.partition(" per ")[2] or "period"
    return blocks.section(
        "c-where",
        title,
        [
            blocks.table(
                f"What “{leader}” does where “{second}” does something else, and what that is "
                "worth",
                [f"“{leader}”", f"“{second}”", "Rows", "Share", f"Units per {per}", unit],
                rows,
                left=2,
            ),
            blocks.text(
                "The lines add up to the difference between the two; rows on which both do the "
                "same add nothing.",
                "term",
            ),
        ],
    )


def _groups(found: Compared) -> dict[str, Any]:
    title = "For whom"
    if not found.groups:
        return blocks.section(
            "c-groups",
            title,
            [blocks.absent("The difference by group", "no subgroup is declared or large enough")],
        )
    unit = visible(found.decision["money_unit"])
    rows: list[list[Any]] = [
        [
            f"{visible(g['subgroup'], 40)}: {visible(g['group'], 40)}",
            wording.number(g["n"], 0),
            wording.share(g["share"]),
            _told(Estimate(**g["total"]), plus=True),
            _told(Estimate(**g["value"]), plus=True),
        ]
        for g in found.groups
    ]
    return blocks.section(
        "c-groups",
        title,
        [
            blocks.table(
                f"“{_label(found, found.leader)}” minus “{_label(found, found.runner_up)}” in each "
                "group",
                ["Group", "Rows", "Share", unit, visible(found.groups[0]["value"]["unit"])],
                rows,
            ),
            blocks.text(
                "One group at a time: among many groups some differ by chance.",
                "term",
            ),
        ],
    )


def _rows(found: Compared) -> dict[str, Any]:
    return blocks.section(
        "c-rows",
        "Which rows judged",
        [
            blocks.items([visible(f"{w}.", 300) for w in found.rows["why"]]),
            blocks.facts(
                [
                    ("Rows that judged", wording.number(found.rows["n"], 0)),
                    ("Fingerprint of the rows (SHA-256)", visible(found.rows["fingerprint"])),
                    ("Seed", str(found.seed)),
                ]
            ),
        ],
    )


def write_comparison(found: Compared, folder: Path) -> Path:
    """Write ``compare.html`` and ``compare.json``; return the page's path.

    Raises
    ------
    EnvironmentError_
        ``PAY-X003`` when the folder or a file cannot be written.
    """
    texts = {"compare.json": found.to_json(), "compare.html": page(comparison_view(found))}
    replace_text(folder, texts)
    return folder / "compare.html"
