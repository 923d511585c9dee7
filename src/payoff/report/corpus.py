"""The analyst's panel about documents: the data sheet of the corpus, and what twins did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts

__all__ = ["corpus_sections"]

_MOST_ROWS: Final = 30
_MOST_PLACES: Final = 20


def corpus_sections(facts: Facts) -> list[dict[str, Any]]:
    """Return the section about documents, or no section where the decision reads none."""
    data = facts.evidence.data
    sheet = data.get("corpus")
    if not sheet:
        return []
    made = [
        blocks.items(visible(s, 400) for s in sheet["sentences"]),
        _lengths(sheet),
        *_languages(sheet["languages"]),
        *_twins(data.get("split", {}).get("twins", {}), sheet["twins"]),
        *_personal(sheet["personal"]),
        *_words(sheet["vocabulary"]),
        _labels(sheet["labels"], facts, "n_documents" in data),
        *_noise(sheet["label_noise"], _outcomes(facts, sheet["labels"])),
    ]
    return [blocks.section("a-documents", "Documents", [m for m in made if m])]


def _whole(value: float) -> str:
    return wording.number(float(value), 0)


def _places(rows: Any) -> str:
    """Write places of rows as a person counts them, from 1."""
    shown = ", ".join(_whole(r + 1) for r in list(rows)[:_MOST_PLACES])
    return shown + (" and more" if len(rows) > _MOST_PLACES else "")


def _lengths(sheet: Mapping[str, Any]) -> blocks.Block:
    length, counts = sheet["length"], sheet["documents"]
    return blocks.table(
        "Length of the documents, once cleaned",
        ["", "Least", "5 % are below", "Half are below", "95 % are below", "Most"],
        [
            ["Characters", *(_whole(v) for v in length["characters"])],
            ["Words", *(_whole(v) for v in length["words"])],
        ],
        note=f"Of {_whole(counts['n'])} documents, empty: {_whole(counts['empty'])}; of one word: "
        f"{_whole(counts['one_word'])}.",
    )


def _languages(found: Mapping[str, Any]) -> list[blocks.Block]:
    reason = blocks.missing_of(found)
    if reason is not None:
        return [blocks.absent("Languages", reason)]
    read = max(int(found["read"]), 1)
    rows = [
        [visible(code), _whole(n), wording.share(n / read)]
        for code, n in list(found["counts"].items())[:_MOST_ROWS]
    ]
    rows.append(
        ["too short or unsure", _whole(found["unsure"]), wording.share(found["unsure"] / read)]
    )
    made = [
        blocks.table(
            f"Languages of {_whole(read)} documents (ISO 639)",
            ["Language", "Documents", "Share"],
            rows,
        )
    ]
    strange = found["unexpected"]
    if strange["n"]:
        made.append(
            blocks.text(
                f"Not of the declared languages: {_whole(strange['n'])} documents, in rows "
                f"{_places(strange['rows'])} of the data."
            )
        )
    return made


def _twins(split: Mapping[str, Any], found: Mapping[str, Any]) -> list[blocks.Block]:
    if not split:
        return [blocks.absent("Twins", "the rows were not split by payoff")]
    otherwise = split["judged_across_otherwise"]
    made: list[blocks.Block] = [
        blocks.facts(
            [
                ("Documents that are copies or near copies of another", _whole(split["rows"])),
                ("Groups of them", _whole(split["groups"])),
                ("Largest group", _whole(split["largest"])),
                ("What the split does with them", visible(split["rule"])),
                (
                    "Judging rows that would otherwise have had a twin among earlier parts",
                    f"{_whole(otherwise['n'])} ({wording.share(otherwise['share'])})",
                ),
                ("Rows with a twin in an earlier part now", _whole(split["across"])),
                ("Rows left out because of an earlier twin", _whole(split["left_out"])),
            ]
        ),
        blocks.text(
            "Twins: documents that are equal but for case, punctuation and white space, or that "
            f"share {wording.share(split['similarity'])} or more of their pieces of four letters. "
            "A model that has learnt one by heart looks better on the other than it is.",
            "term",
        ),
    ]
    inflation = split["inflation"]
    reason = blocks.missing_of(inflation)
    if reason is not None:
        made.append(blocks.absent("What twins would have added to the figures", reason))
    else:
        made.append(blocks.items(visible(s, 400) for s in inflation.get("sentences", ())))
    differ = found.get("labelled_differently", {})
    if differ.get("groups"):
        made.append(
            blocks.text(
                f"In {_whole(differ['groups'])} groups of twins the outcomes differ: rows "
                f"{_places(differ['rows'])} of the data. Where the document decides the outcome, "
                "one of them is wrong."
            )
        )
    return made


def _personal(found: Mapping[str, Any]) -> list[blocks.Block]:
    kinds = dict.fromkeys([*found["replaced"], *found["left"]])
    if not kinds:
        return [blocks.text("No personal data was found. Names of persons are not looked for.")]
    return [
        blocks.table(
            f"Personal data in {_whole(found['documents'])} documents",
            ["Kind", "Replaced", "Left as it is"],
            [
                [visible(k), _whole(found["replaced"].get(k, 0)), _whole(found["left"].get(k, 0))]
                for k in kinds
            ],
            note="Names of persons are not looked for.",
        )
    ]


def _words(found: Mapping[str, Any]) -> list[blocks.Block]:
    said = (
        f"{_whole(found['words'])} words, {_whole(found['distinct'])} different ones, of which "
        f"{_whole(found['once'])} occur once."
    )
    words = ", ".join(
        f"{visible(w['word'], 40)} ({_whole(w['documents'])})" for w in found["frequent"]
    )
    more = f" In most documents: {words}." if words else ""
    return [blocks.text(said + more)]


def _outcomes(facts: Facts, labels: Any) -> list[str]:
    """Return the names of outcomes by their place; the sheet names those, or the labels."""
    declared = facts.evidence.decision.get("outcomes")
    rows = declared if isinstance(declared, list) else labels
    return [facts.outcome(r["name"], 60) for r in rows]


def _labels(rows: Any, facts: Facts, several: bool) -> blocks.Block:
    return blocks.table(
        "Labels; a document may carry several" if several else "Outcomes",
        ["Label" if several else "Outcome", "Documents", "Share", "Words, median"],
        [
            [
                visible(r["name"], 60) if several else facts.outcome(r["name"]),
                _whole(r["n"]),
                wording.share(r["share"]),
                "none" if r["median_words"] is None else _whole(r["median_words"]),
            ]
            for r in sorted(rows, key=lambda r: -r["n"])[:_MOST_ROWS]
        ],
        note=f"The {_MOST_ROWS} most frequent of {_whole(len(rows))}."
        if len(rows) > _MOST_ROWS
        else "",
    )


def _noise(found: Mapping[str, Any], names: list[str]) -> list[blocks.Block]:
    reason = blocks.missing_of(found)
    if reason is not None:
        return [blocks.absent("Labels that look wrong", reason)]
    if not found["n"]:
        return [blocks.text("No label looks wrong to a model that had not seen its row.")]
    return [
        blocks.table(
            f"Labels that look wrong to a model that had not seen the row: {_whole(found['n'])} "
            f"({wording.share(found['share'])})",
            ["Row of the data", "Label", "Likelier", "Probability of the label", "of the likelier"],
            [
                [
                    _whole(r["row"] + 1),
                    (visible(r["label"], 60) + ": " if "label" in r else "") + names[r["given"]],
                    names[r["likelier"]],
                    wording.share(r["p_given"]),
                    wording.share(r["p_likelier"]),
                ]
                for r in found["rows"][:_MOST_ROWS]
            ],
            left=3,
            note="Rows to look at, the surest first; not errors as such.",
        )
    ]
