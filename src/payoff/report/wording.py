"""Figures as words: money, people and shares, rounded to what their interval can bear.

The rule for rounding: an interval is shown to two significant digits of its width, and the figure
to the same place. Nothing here says that a figure is proven or that money is saved: a figure is an
estimate, and it stands with its interval or with the reason why it has none.
"""

# ruff: noqa: RUF002  (the examples show the true minus and multiplication signs)

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from payoff.errors import chance, percent
from payoff.evidence.evidence import Estimate
from payoff.evidence.wording import MINUS, number, place_of, scientific
from payoff.report.escape import visible

__all__ = [
    "chance",
    "compact",
    "figure",
    "interval",
    "money",
    "number",
    "opening",
    "people",
    "percent",
    "place_of",
    "plain_number",
    "share",
    "signed",
    "with_intervals",
]

_PREFIXES: Final = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k"))


def signed(text: str) -> str:
    """Put a plus sign before a positive number's text.

    Examples
    --------
    >>> signed("12"), signed("−3"), signed("0")
    ('+12', '−3', '0')
    """
    return text if text.startswith(MINUS) or text.strip("0., %") == "" else "+" + text


def money(value: float, unit: str, place: int | None = None) -> str:
    """Write money with its unit.

    Examples
    --------
    >>> money(12_432.7, "EUR per month", 2)
    'EUR 12,400 per month'
    >>> money(-3, "EUR per customer")
    'EUR −3.00 per customer'
    """
    return _with_unit(number(value, place), unit)


def _with_unit(text: str, unit: str) -> str:
    """Put the currency before the number and the rest of the unit after it."""
    head, per, tail = visible(unit).partition(" per ")
    if unit == "share" or not unit:
        return text
    return f"{head} {text}{per}{tail}" if per else f"{head} {text}"


def people(value: float) -> str:
    """Write a count of units per period: whole, at most three significant digits.

    Examples
    --------
    >>> people(12_345.6), people(87.2), people(3.26), people(0)
    ('12,300', '87', '3.3', '0')
    """
    if value == 0:
        return "0"
    if abs(value) < 10:
        text = number(value, place_of(None, None, value) + 1)
        return text.removesuffix(".0")
    return number(value, max(0, place_of(None, None, value)))


def share(value: float | None, place: int | None = None) -> str:
    """Write a share as a percentage; ``place`` is the power of ten of the percentage.

    Examples
    --------
    >>> share(0.1234), share(0.2), share(0.00042), share(1.0), share(None)
    ('12.3 %', '20.0 %', '0.042 %', '100 %', 'not measured')
    """
    if value is None:
        return "not measured"
    percentage = value * 100
    if place is None:
        place = -1 if abs(percentage) >= 1 else place_of(None, None, percentage) + 1
    if 0 < percentage < 0.01:
        return "below 0.01 %"
    text = "100" if value == 1 else number(percentage, place)
    return f"{text} %"


def interval(estimate: Estimate | dict[str, Any] | None) -> str:
    """Write the interval of an estimate, or why there is none.

    Examples
    --------
    >>> e = Estimate(
    ...     value=12_432.0,
    ...     low=9_812.0,
    ...     high=15_120.0,
    ...     level=0.95,
    ...     unit="EUR per month",
    ...     n=10,
    ...     n_clusters=10,
    ...     method="t",
    ... )
    >>> interval(e)
    '95 % interval 9,800 to 15,100'
    """
    facts = _facts(estimate)
    low, high, value = facts.get("low"), facts.get("high"), facts.get("value")
    if low is None or high is None:
        return f"no interval: {reason_of(facts)}"
    if low == high:
        why = visible(facts.get("reason") or "it is the same on every row", 400).rstrip(".")
        return f"exact, because {why}"
    level = percent(facts.get("level") or 0.95)
    if facts.get("unit") == "share":
        place = place_of(low * 100, high * 100, (value or 0) * 100)
        ends = f"{number(low * 100, place)} to {number(high * 100, place)} %"
    else:
        place = place_of(low, high, value)
        ends = f"{number(low, place)} to {number(high, place)}"
    return f"{level} interval {ends}"


def with_intervals(estimates: Iterable[Estimate | None], level: str) -> str:
    """Say for the caption of a table how many of its estimates have an interval.

    Examples
    --------
    >>> e = Estimate(
    ...     value=1.0, low=0.0, high=2.0, level=0.95, unit="EUR", n=9, n_clusters=9, method="t"
    ... )
    >>> with_intervals([e, e], "95 %"), with_intervals([e, None], "95 %")
    (', each with its 95 % interval', ', with 95 % intervals where they can be given')
    >>> with_intervals([None], "95 %")
    ''
    """
    have = [e is not None and e.low is not None for e in estimates]
    if have and all(have):
        return f", each with its {level} interval"
    return f", with {level} intervals where they can be given" if any(have) else ""


def reason_of(facts: Estimate | dict[str, Any] | None) -> str:
    """Return why a figure or an interval is missing, never an empty text."""
    said = visible(_facts(facts).get("reason") or "", 400).rstrip(".")
    return said or "the evidence does not say why"


def figure(estimate: Estimate | dict[str, Any] | None, *, plus: bool = False) -> dict[str, Any]:
    """Return an estimate as texts and numbers: what every table and drawing shows.

    Returns
    -------
    dict
        ``text`` (with unit), ``short`` (number alone), ``interval``, ``ends`` (the two numbers),
        ``n`` and the bare numbers ``value``, ``low``, ``high``.

    Examples
    --------
    >>> e = Estimate(
    ...     value=12_432.0,
    ...     low=9_812.0,
    ...     high=15_120.0,
    ...     level=0.95,
    ...     unit="EUR per month",
    ...     n=10,
    ...     n_clusters=10,
    ...     method="t",
    ... )
    >>> figure(e)["text"], figure(e)["short"], figure(e)["ends"]
    ('EUR 12,400 per month', '12,400', '9,800 to 15,100')
    """
    facts = _facts(estimate)
    value, low, high = facts.get("value"), facts.get("low"), facts.get("high")
    unit, n = str(facts.get("unit") or ""), int(facts.get("n") or 0)
    base = {"value": value, "low": low, "high": high, "unit": visible(unit), "n": n}
    if value is None and facts.get("method") == "bounds" and low is not None and high is not None:
        return {**base, **_bounds_told(facts, float(low), float(high))}
    if value is None:
        said = f"not measured, because {reason_of(facts)}"
        return {**base, "text": said, "short": said, "interval": said, "ends": "not measured"}
    said = interval(facts)
    ends = said.partition(" interval ")[2] if said[0] != "n" else said
    ends = "exact" if low is not None and low == high else ends
    if unit == "share":
        place = place_of(low * 100, high * 100) if low is not None and high is not None else None
        short = signed(share(value, place)) if plus else share(value, place)
        return {**base, "text": short, "short": short, "interval": said, "ends": ends}
    short = number(value, place_of(low, high, value))
    short = signed(short) if plus else short
    return {**base, "text": _with_unit(short, unit), "short": short, "interval": said, "ends": ends}


def _bounds_told(facts: Mapping[str, Any], low: float, high: float) -> dict[str, str]:
    """Write a figure that is known to lie between two ends, and no more."""
    place = place_of(low, high, None)
    unit = str(facts.get("unit") or "")
    ends = f"{number(low, place)} to {number(high, place)}"
    level = percent(facts.get("level") or 0.95)
    return {
        "text": f"between {_with_unit(number(low, place), unit.partition(' per ')[0])} and "
        f"{_with_unit(number(high, place), unit)}",
        "short": ends,
        "interval": f"{level} bounds; no single figure, because {reason_of(dict(facts))}",
        "ends": "bounds",
    }


def _facts(estimate: Estimate | dict[str, Any] | None) -> dict[str, Any]:
    """Read an estimate in either of its two forms."""
    if estimate is None:
        return {}
    if isinstance(estimate, Estimate):
        return {name: getattr(estimate, name) for name in Estimate.__dataclass_fields__}
    return dict(estimate)


def compact(value: float) -> str:
    """Write a tick of an axis in few characters.

    Examples
    --------
    >>> compact(1_500_000), compact(-20_000), compact(0.25), compact(0)
    ('1.5M', '−20k', '0.25', '0')
    """
    size = abs(value)
    if size >= 1e16 or 0 < size < 1e-5:
        return scientific(value)
    sign = MINUS if value < 0 else ""
    for limit, letter in _PREFIXES:
        if size >= limit * (1 - 1e-9) and (limit > 1e3 or size >= 1e4):
            return f"{sign}{size / limit:.10g}{letter}"
    return f"{sign}{size:,.10g}"


def plain_number(value: float | None) -> str:
    """Write a number without a unit to three digits, or say that it is missing.

    Examples
    --------
    >>> plain_number(0.31234), plain_number(None)
    ('0.312', 'not measured')
    """
    return "not measured" if value is None else number(float(value))


def opening(text: str) -> str:
    """Write a text so that it can open a sentence; the rest keeps its capitals.

    Examples
    --------
    >>> opening("customers of ABC")
    'Customers of ABC'
    """
    return text[:1].upper() + text[1:]


def ends(told: Mapping[str, Any]) -> str:
    """Return an interval for one line; why there is none stands on the analyst's page.

    Examples
    --------
    >>> ends({"ends": "no interval: too few rows"}), ends({"ends": "1 to 2"})
    ('no interval', '1 to 2')
    """
    text = str(told["ends"])
    return "no interval" if text.startswith("no interval") else text
