"""Checks of how the decision behaves when documents change: ``PAY-E251`` to ``PAY-E254``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from payoff.checks import Check, numbered
from payoff.errors import counted
from payoff.evidence.behaviour import percent
from payoff.evidence.evidence import Estimate
from payoff.evidence.wording import money

__all__ = ["behaviour_checks"]

_MENDS: Final = {
    "typing": "Fit on documents as people type them, or put what is changed this easily before a "
    "person",
    "wording": "Look at the worst pair in the report; more or more varied documents to learn from "
    "help",
    "identity": "Look at the pairs in the report. Take the term out of the documents before they "
    "are read, fit on documents in which it says nothing, or have a person decide; then judge "
    "again. Terms can matter for a good reason, which somebody has to state",
}
#: Of the worst state first; "few": too few documents were changed to tell.
_ORDER: Final = ("issue", "tip", "passed", "few")


def behaviour_checks(section: Mapping[str, Any]) -> tuple[Check, ...]:
    """Return one check per family of tests; none where no documents are read.

    Parameters
    ----------
    section
        The section ``behaviour`` of the evidence.
    """
    why = section.get("not_measured")
    if why == "this decision reads no documents":
        return ()
    tests = section.get("tests", ())
    made = {
        "typing": numbered("PAY-E251", "Ways of typing that should not matter"),
        "wording": numbered("PAY-E252", "Wording and additions that should not matter"),
        "identity": numbered("PAY-E253", "Names and identity terms that should not matter"),
        "meaning": numbered("PAY-E254", "Negations, numbers and sentences that may matter"),
    }
    out = []
    for family, result in made.items():
        own = [t for t in tests if t["family"] == family]
        measured = [t for t in own if "not_measured" not in t]
        if why or not measured:
            reason = why or (own[0]["not_measured"] if own else "there is no such test")
            out.append(result(status="skipped", detail=f"Not measured: {reason}."))
            continue
        worst = _worst(measured)
        if worst == "few":
            most = max(int(t["documents"]) for t in measured)
            out.append(
                result(
                    status="skipped",
                    detail=f"Not measured: at most {counted(most, 'document')} could be changed, "
                    "too few to tell.",
                )
            )
            continue
        out.append(
            result(
                status=worst,
                detail=" ".join(_said(t) for t in _order(measured)),
                mend=_MENDS[family] if worst != "passed" else "",
                page_one=worst == "issue" and family == "identity",
            )
        )
    return tuple(out)


def _worst(tests: Sequence[Mapping[str, Any]]) -> str:
    states = {t["state"] for t in tests}
    return next(s for s in _ORDER if s in states)


def _order(tests: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the tests, those of the worst state first, at most three beside them."""
    ordered = sorted(tests, key=lambda t: (_ORDER.index(t["state"]), -t["share"]["value"]))
    return ordered[:4]


def _said(test: Mapping[str, Any]) -> str:
    ends = test["share"]
    said = (
        f"{test['label']}: {test['changed']:,} of {test['documents']:,} decisions changed "
        f"({percent(ends['value'])}, {percent(ends['low'])} to {percent(ends['high'])})"
    )
    if test["state"] != "issue":
        return f"{said}."
    if test["family"] == "identity":
        said += f"; up to {percent(test['noise'])} are put down to wording"
    total = Estimate(**test["total"])
    if total.low is None:
        return f"{said}."
    return f"{said}. If every document that can be so changed were: {money(total)}."
