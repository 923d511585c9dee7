"""The analyst's sections about documents and decisions: why, and what changing a document does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts

__all__ = ["behaviour_sections"]

_MOST_RUNS: Final = 200
_LONGEST_RUN: Final = 700
_STATES: Final = {
    "issue": "issue",
    "tip": "worth a look",
    "passed": "as it should be",
    "few": "too few documents to tell",
}
_SHOWN: Final = {"lost": "Lost most", "right": "Right, of the usual kind"}
_NO_DOCUMENTS: Final = ("this decision reads no documents", "this judging did not ask for it")


def behaviour_sections(facts: Facts) -> list[dict[str, Any]]:
    """Return both sections, or none where the decision reads no documents."""
    made = []
    why, tested = facts.evidence.explanations, facts.evidence.behaviour
    if why.get("not_measured") not in _NO_DOCUMENTS:
        made.append(blocks.section("a-why", "Why: documents and their words", _why(facts, why)))
    if tested.get("not_measured") not in _NO_DOCUMENTS:
        made.append(
            blocks.section("a-behaviour", "When a document is changed", _tests(facts, tested))
        )
    return made


def _why(facts: Facts, section: Mapping[str, Any]) -> list[blocks.Block]:
    reason = blocks.missing_of(section)
    if reason is not None:
        return [blocks.absent("Why documents got their decisions", reason)]
    made = [
        blocks.items(visible(s, 300) for s in section["sentences"]),
        blocks.text(
            "Solid underline: the word spoke for the decision. Dotted: against it. Thicker: more. "
            "What words, columns and the rest add to the log-odds sums to it exactly. Documents "
            "are cleaned and, unless that is switched off, personal data is replaced.",
            "term",
        ),
    ]
    notes = {str(row["why"].get("note", "")) for row in section["rows"]}
    made += [blocks.text(visible(note, 400), "term") for note in sorted(notes) if note]
    for row in section["rows"]:
        made += _row(facts, row)
    return made


def _row(facts: Facts, row: Mapping[str, Any]) -> list[blocks.Block]:
    currency = facts.money_unit.partition(" per ")[0]
    lost = row["best_money"] - row["money"]
    opening = f"{_SHOWN.get(row['shown'], '')}: row {wording.number(row['row'] + 1, 0)}"
    taken, outcome = facts.action(row["action"], 60), facts.outcome(row["outcome"], 60)
    said = f"{opening}. {taken}; the outcome was {outcome}: "
    said += f"{currency} {wording.number(row['money'])}"
    if lost:
        best = facts.action(row["best"], 60)
        said += f", {wording.number(lost)} less than “{best}”"
    made = [blocks.text(f"{said}.", "head")]
    for column, runs in row["documents"].items():
        made.append(_document(column, runs, several=len(row["documents"]) > 1))
    why = row["why"]
    if "not_measured" in why:
        return [*made, blocks.absent("Why", str(why["not_measured"]))]
    return [*made, blocks.facts(_facts_of(facts, row, why))]


def _facts_of(
    facts: Facts, row: Mapping[str, Any], why: Mapping[str, Any]
) -> list[tuple[str, str]]:
    one, two = facts.outcome(why["outcome"], 40), facts.outcome(why["against"], 40)
    parts = [f"words {_signed(why['words'])}"]
    parts += [f"{visible(c['column'], 40)} {_signed(c['log_odds'])}" for c in why["columns"]]
    parts += [f"{visible(r['name'], 40)} {_signed(r['log_odds'])}" for r in why["rest"]]
    pairs = [
        (f"Log-odds of {one} over {two}", f"{_signed(why['log_odds'])}: {', '.join(parts)}"),
    ]
    nearest = row["nearest"]
    if not isinstance(nearest, Mapping):
        told = (
            f"row {wording.number(n['row'] + 1, 0)}, {facts.outcome(n['outcome'], 40)}, "
            f"cosine {n['cosine']:.2f}"
            for n in nearest
        )
        pairs.append(("Nearest documents learnt from", "; ".join(told)))
    removal = row["removal"]
    if removal.get("removed"):
        words = ", ".join(f"“{visible(w, 40)}”" for w in removal["removed"])
        pairs.append((f"Without {words}", facts.action(removal["becomes"], 60)))
    elif "tried" in removal:
        tried = wording.number(max(int(removal["tried"]) - 1, 0), 0)
        pairs.append(("Removing words", f"none of {tried} removals tried changes the decision"))
    return pairs


def _document(column: str, runs: Sequence[Mapping[str, Any]], *, several: bool) -> blocks.Block:
    shown = [
        # Blanks at the ends of a run hold words apart; line ends become blanks.
        {"text": _run(str(r["text"])), "strength": int(r["strength"])}
        for r in list(runs)[:_MOST_RUNS]
    ]
    return blocks.document(visible(column, 60) if several else "", shown)


def _run(text: str) -> str:
    flat = text.replace("\n", " ")
    before = " " if flat[:1] == " " else ""
    after = " " if flat[-1:] == " " and flat.strip() else ""
    return f"{before}{visible(flat, _LONGEST_RUN)}{after}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _tests(facts: Facts, section: Mapping[str, Any]) -> list[blocks.Block]:
    reason = blocks.missing_of(section)
    if reason is not None:
        return [blocks.absent("What changing documents does", reason)]
    measured = [t for t in section["tests"] if "not_measured" not in t]
    absent = [t for t in section["tests"] if "not_measured" in t]
    made = [
        blocks.items(visible(s, 400) for s in section["sentences"]),
        blocks.text(
            "Documents of judging rows were changed in one way each and decided again, the way a "
            "served document goes, one at a time. "
            + _thresholds(section["thresholds"])
            + f" {visible(section['language'], 300)}",
            "term",
        ),
    ]
    for family, what in section["families"].items():
        rows = [t for t in measured if t["family"] == family]
        if rows:
            made.append(_table(facts, wording.opening(visible(what, 120)), rows))
    examples = [t for t in measured if t["example"] and t["example"]["text_before"] is not None]
    if examples:
        made.append(_examples(facts, examples))
    if absent:
        made.append(
            blocks.items(
                f"{visible(t['label'], 80)}: not tried, because {visible(t['not_measured'], 200)}."
                for t in absent
            )
        )
    return made


def _thresholds(of: Mapping[str, float]) -> str:
    return (
        f"What should not matter is worth a look when more than {wording.percent(of['tip'])} of "
        f"decisions change, or money beyond chance, and an issue above "
        f"{wording.percent(of['issue'])}; names and identity terms are an issue above "
        f"{wording.percent(of['identity'])} and above what exchanging neutral words does, or when "
        "the money differs beyond chance. A share counts by the lower end of its interval."
    )


def _table(facts: Facts, caption: str, tests: Sequence[Mapping[str, Any]]) -> blocks.Block:
    rows: list[list[Any]] = []
    for test in tests:
        part, total = wording.figure(test["share"]), wording.figure(test["total"], plus=True)
        moves = "; ".join(
            f"{facts.action(m['from'], 30)} to {facts.action(m['to'], 30)} "
            f"{wording.number(m['n'], 0)}"
            for m in test["moves"][:2]
        )
        state = "" if test["family"] == "meaning" else _STATES[test["state"]]
        rows.append(
            [
                blocks.cell(visible(test["label"], 100), state),
                wording.number(test["documents"], 0),
                blocks.cell(wording.number(test["changed"], 0), moves),
                blocks.cell(part["short"], part["ends"]),
                blocks.cell(total["short"], _ends(test["total"], total)),
            ]
        )
    return blocks.table(
        f"{caption}, with {facts.level} intervals",
        [
            "Change",
            "Documents changed",
            "Decisions changed",
            "Share",
            f"{facts.money_unit}, if all that can came so",
        ],
        rows,
        strong=[i for i, t in enumerate(tests) if t["state"] == "issue"],
    )


def _ends(estimate: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    return "no interval: too few changed" if estimate["low"] is None else str(told["ends"])


def _examples(facts: Facts, tests: Sequence[Mapping[str, Any]]) -> blocks.Block:
    rows: list[list[Any]] = []
    for test in tests:
        e = test["example"]
        rows.append(
            [
                visible(test["label"], 100),
                blocks.cell(visible(e["text_before"], 240), facts.action(e["before"], 60)),
                blocks.cell(visible(e["text_after"], 240), facts.action(e["after"], 60)),
                wording.number(e["money"]),
            ]
        )
    currency = facts.money_unit.partition(" per ")[0]
    return blocks.table(
        "The change of each kind that lost most, with the decision below each text",
        ["Change", "Before", "After", f"{currency} gained or lost"],
        rows,
        left=3,
    )
