"""The parts a page is built from, as plain mappings: tables, drawings, facts, lists, absences.

A block holds text that is already fit to read (bounded, nothing hidden in it) but not yet escaped
for any kind of document: the page and the Markdown documents do that in one place each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from payoff.report.escape import visible

__all__ = [
    "Block",
    "absent",
    "cell",
    "chart",
    "code",
    "document",
    "facts",
    "items",
    "missing_of",
    "section",
    "table",
    "text",
]

Block = dict[str, Any]

_NONE: Final = "no interval: "
_NUMBER: Final = re.compile(r"\d(?:[\d,]*\d)?(?:\.\d+)?")


def cell(said: str, small: str = "") -> dict[str, str]:
    """Return a table cell with a second, smaller line."""
    return {"text": said, "small": small}


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str | dict[str, str]]],
    *,
    left: int = 1,
    strong: Sequence[int] = (),
    note: str = "",
) -> Block:
    """Return a table; the first ``left`` columns hold words, the others numbers.

    The first cell of each row is its heading; ``strong`` are places of rows to stress. Why cells
    have no interval is said once, below the table.
    """
    shown = [[c if isinstance(c, dict) else cell(c) for c in row] for row in rows]
    why = [c["small"].removeprefix(_NONE) for row in shown for c in row if _NONE in c["small"][:13]]
    if why:
        shown = [[_short(c) for c in row] for row in shown]
        note = f"{note} No interval: {'; or '.join(_alike(why))}.".strip()
    made = [
        {
            "cells": row,
            "strong": number in strong,
        }
        for number, row in enumerate(shown)
    ]
    return {
        "kind": "table",
        "caption": caption,
        "columns": list(columns),
        "rows": made,
        "left": left,
        "note": note,
    }


def _short(one: dict[str, str]) -> dict[str, str]:
    """Return a cell without the reason why it has no interval."""
    bare = _NONE.rstrip(": ")
    return {**one, "small": bare} if one["small"].startswith(_NONE) else one


def _alike(reasons: Iterable[str]) -> list[str]:
    """Return reasons once each; those that differ in numbers only as one, from least to most.

    Examples
    --------
    >>> _alike(["rests on 8.2 of 2,430 cases", "one row", "rests on 10.5 of 2,430 cases"])
    ['rests on 8.2 to 10.5 of 2,430 cases', 'one row']
    """
    found: dict[str, list[list[str]]] = {}
    for reason in reasons:
        found.setdefault(_NUMBER.sub("\0", reason), []).append(_NUMBER.findall(reason))
    told = []
    for text, numbers in found.items():
        said = text
        for of in zip(*numbers, strict=True):
            ends = sorted(set(of), key=lambda x: float(x.replace(",", "")))
            span = ends[0] if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"
            said = said.replace("\0", span, 1)
        told.append(said)
    return told


def chart(spec: Mapping[str, Any]) -> Block:
    """Return a drawing; a table with the same figures stands beside it."""
    return {"kind": "chart", "spec": dict(spec)}


def text(said: str, css: str = "") -> Block:
    """Return a paragraph; ``css`` is ``"term"`` for the explanation of a word."""
    return {"kind": "text", "text": said, "css": css}


def facts(pairs: Iterable[tuple[str, str]]) -> Block:
    """Return named facts; an empty one says that it is not known."""
    return {
        "kind": "facts",
        "pairs": [{"name": visible(n), "value": v or "not stated"} for n, v in pairs],
    }


def items(said: Iterable[str]) -> Block:
    """Return a list of sentences."""
    return {"kind": "items", "items": list(said)}


def code(said: str) -> Block:
    """Return a command to copy."""
    return {"kind": "code", "text": said}


def document(name: str, runs: Sequence[Mapping[str, Any]]) -> Block:
    """Return a stretch of a document as runs of ``text`` with their ``strength``, -3 to 3.

    Unlike other texts a run may begin or end with a blank, which holds words apart. Only the page
    shows documents.
    """
    return {"kind": "document", "name": name, "runs": [dict(r) for r in runs]}


def absent(what: str, reason: str) -> Block:
    """Return the sentence that stands where something could not be measured.

    Examples
    --------
    >>> absent("Calibration", "the predictions are actions")["text"]
    'Calibration: not measured, because the predictions are actions.'
    """
    why = visible(reason, 400).rstrip(".") or "the evidence does not say why"
    return {"kind": "absent", "text": f"{what}: not measured, because {why}."}


def missing_of(part: Mapping[str, Any]) -> str | None:
    """Return why a part of the evidence was not measured, or None when it was."""
    if "not_measured" in part:
        return str(part["not_measured"] or "the evidence does not say why")
    return None if part else "the evidence does not hold it"


def section(ident: str, title: str, blocks: Iterable[Block]) -> dict[str, Any]:
    """Return a section of a page with its anchor."""
    return {"id": ident, "title": title, "blocks": list(blocks)}
