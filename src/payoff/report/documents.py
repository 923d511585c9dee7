"""Blocks as Markdown: the same view that makes the page, for a text file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from payoff.report.escape import markdown

__all__ = ["block_lines", "bullets", "section_lines", "table_lines"]


def bullets(pairs: Iterable[tuple[str, str]]) -> list[str]:
    r"""Return named facts as a list.

    Examples
    --------
    >>> bullets([("Owner", "A*b")])
    ['- **Owner:** A\\*b']
    """
    return [f"- **{markdown(name)}:** {markdown(value)}" for name, value in pairs]


def table_lines(block: Mapping[str, Any]) -> list[str]:
    """Return a table block as a Markdown table under its caption."""
    left = int(block["left"])
    rule = [" --- " if i < left else " ---: " for i in range(len(block["columns"]))]
    lines = [
        f"{markdown(block['caption'])}.",
        "",
        "| " + " | ".join(markdown(c) for c in block["columns"]) + " |",
        "|" + "|".join(rule) + "|",
    ]
    lines += ["| " + " | ".join(_cell(c) for c in row["cells"]) + " |" for row in block["rows"]]
    if block["note"]:
        lines += ["", markdown(block["note"])]
    return lines


def _cell(cell: Mapping[str, str]) -> str:
    small = f" ({markdown(cell['small'])})" if cell["small"] else ""
    return markdown(cell["text"]) + small


def block_lines(block: Mapping[str, Any]) -> list[str]:
    """Return one block as Markdown; a drawing is left out, because its table stands beside it."""
    kind = block["kind"]
    if kind == "table":
        return table_lines(block)
    if kind in {"text", "absent"}:
        return [markdown(block["text"])]
    if kind == "items":
        return [f"- {markdown(item)}" for item in block["items"]]
    if kind == "facts":
        return bullets((p["name"], p["value"]) for p in block["pairs"])
    if kind == "code":
        return ["    " + block["text"]]
    return []


def section_lines(title: str, blocks: Iterable[Mapping[str, Any]], level: int = 2) -> list[str]:
    """Return a heading and its blocks, with a blank line between them."""
    lines = ["#" * level + " " + markdown(title), ""]
    for block in blocks:
        made = block_lines(block)
        if made:
            lines += [*made, ""]
    return lines
