"""Measures of lists in cells of tables: shares, scores and money, with their ends below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payoff.evidence.evidence import Estimate
from payoff.evidence.ranking.kept import WORDS
from payoff.report import blocks, wording
from payoff.report.escape import visible

__all__ = ["figure_of", "money_of", "number_of", "title_of"]

_PERCENT: Final = frozenset({"recall", "hit_rate", "precision", "coverage", "popularity"})


def figure_of(measure: str, found: Any) -> Any:
    """Write a measure: an estimate with its ends below it, or a number that has none."""
    if found is None:
        return "not measured"
    if not isinstance(found, Mapping):
        return number_of(measure, float(found))
    if "not_measured" in found:
        return "not measured"
    value, low, high = found["value"], found["low"], found["high"]
    ends = (
        ""
        if low is None or low == high
        else f"{number_of(measure, low)} to {number_of(measure, high)}"
    )
    return blocks.cell(number_of(measure, value), ends)


def number_of(measure: str, value: float) -> str:
    """Write a measure: a share in per cent, a score as a number.

    Examples
    --------
    >>> number_of("hit_rate", 0.25), number_of("ndcg", 0.25)
    ('25.0 %', '0.250')
    """
    return wording.share(value) if measure in _PERCENT else wording.number(value)


def title_of(measure: str) -> str:
    """Return the heading of a measure, abbreviations as they are."""
    word = WORDS.get(measure, measure)
    return word if word[:2] != word[:2].lower() else wording.opening(word)


def money_of(found: Mapping[str, Any], *, plus: bool = False) -> Any:
    """Write an estimate of money, or that it was not measured and why."""
    if "not_measured" in found:
        return blocks.cell("not measured", visible(found["not_measured"], 120))
    told = wording.figure(Estimate(**found), plus=plus)
    return blocks.cell(told["short"], wording.ends(told))
