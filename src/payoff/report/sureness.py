"""How sure, and why: what the intervals of the headline figures rest on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts

__all__ = ["sureness_section"]

_METHODS: Final = {
    "t": "Student's t",
    "score": "score interval",
    "exact": "certain",
    "none": "no interval",
}


def sureness_section(facts: Facts) -> dict[str, Any]:
    """Return what the interval of the policy's money and of its gain rest on, as one table."""
    found = facts.evidence.intervals
    title = "How sure, and why"
    why = blocks.missing_of(found)
    if why is not None:
        return blocks.section("a-rests", title, [blocks.absent(title, why)])
    figures = list(found["figures"])
    heads = [_head(facts, f) for f in figures]
    rows = [[name, *[say(f) for f in figures]] for name, say in _lines(facts)]
    made: list[blocks.Block] = [
        blocks.table(
            "What the two headline figures rest on",
            ["What", *heads],
            rows,
            left=1 + len(heads),
        ),
        blocks.text(
            "Paying case: one whose money is not the commonest value. Equal paying cases: as many "
            "of one size would tell as much; few of them means that a handful of large cases "
            "decides. Design effect: how many rows tell as much as one unrelated row.",
            "term",
        ),
    ]
    sentences = [visible(s, 400) for s in found.get("sentences", ())]
    if sentences:
        made.append(blocks.items(sentences))
    return blocks.section("a-rests", title, made)


def _head(facts: Facts, figure: Mapping[str, Any]) -> str:
    if figure["name"] == "value":
        return f"Money of “{facts.policy(facts.subject.name, 50)}”"
    return f"Gain over “{facts.policy(str(figure['against']), 50)}”"


Say = Callable[[Mapping[str, Any]], str | dict[str, str]]


def _lines(facts: Facts) -> list[tuple[str, Say]]:
    """Return (name, how to say it of a figure) of each line of the table."""

    def measured(key: str, say: Callable[[float], str]) -> Say:
        def said(f: Mapping[str, Any]) -> str:
            x = f["diagnosis"][key]
            if x is None:
                return "not measured, because sums over cells do not show it"
            least = key == "differing" and f.get("differing_at_least")
            return f"at least {say(float(x))}" if least else say(float(x))

        return said

    def count(x: float) -> str:
        return wording.number(x, 0)

    def estimate(f: Mapping[str, Any]) -> dict[str, str]:
        told = wording.figure(f["total"], plus=f["name"] == "gain")
        return blocks.cell(told["short"], told["ends"])

    def effect(f: Mapping[str, Any]) -> str:
        deff, rows = f.get("design_effect"), f.get("effective_rows")
        if f.get("differing_at_least") and deff is None:
            return "not measured, because sums over cells do not show it"
        if deff is None or rows is None:
            return f"not measured, because the {facts.rows} do not vary"
        return f"{deff:.2f} (as {wording.number(rows, 0)} unrelated {facts.rows})"

    return [
        (f"{facts.money_unit}, {facts.level} interval", estimate),
        ("Method", lambda f: _METHODS.get(f["diagnosis"]["method"], f["diagnosis"]["method"])),
        ("Because", lambda f: visible(f["diagnosis"]["because"], 400)),
        (f"{wording.opening(facts.rows)} judged", measured("rows", count)),
        ("Independent cases", measured("independent", count)),
        ("Paying cases", measured("differing", count)),
        ("Equal paying cases", measured("paying", count)),
        ("Needed for an interval", measured("needed", count)),
        ("Skewness of a case", measured("skewness", lambda x: f"{x:.2f}".replace("-", "\u2212"))),
        ("Money moved by the largest case", measured("largest", wording.share)),
        ("Money moved by the largest 1 %", measured("largest_percent", wording.share)),
        ("Design effect", effect),
    ]
