"""Numbers and money in sentences, rounded to what their interval can bear.

The rule for rounding: an interval is shown to two significant digits of its width, and the figure
to the same place.
"""

# ruff: noqa: RUF002  (the examples show the true minus and multiplication signs)

from __future__ import annotations

import math
from typing import Final

from payoff.evidence.evidence import Estimate

__all__ = [
    "MINUS",
    "about",
    "amount",
    "lasting",
    "money",
    "number",
    "place_of",
    "quoted",
    "roughly",
    "scientific",
    "short",
]

MINUS: Final = "\u2212"
TIMES: Final = "\u00d7"
_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGEST: Final = 1e15
_MOST_DECIMALS: Final = 6


def money(estimate: Estimate) -> str:
    """Write an estimate for a check's sentence.

    Examples
    --------
    >>> money(
    ...     Estimate(
    ...         value=1234.5,
    ...         low=1000.0,
    ...         high=1500.0,
    ...         level=0.95,
    ...         unit="EUR per month",
    ...         n=9,
    ...         n_clusters=9,
    ...         method="t",
    ...     )
    ... )
    'EUR 1,230 per month (95 % interval 1,000 to 1,500)'
    """
    if estimate.value is None:
        return f"not estimable ({estimate.reason})"
    low, high = estimate.low, estimate.high
    if low is None or high is None or low == high:
        return amount(estimate.value, estimate.unit)
    place = place_of(low, high)
    currency, per, rest = estimate.unit.partition(" per ")
    return (
        f"{currency} {number(estimate.value, place)}{per}{rest} ({estimate.level * 100:g} % "
        f"interval {number(low, place)} to {number(high, place)})"
    )


def quoted(label: str) -> str:
    """Quote a label as the documents do."""
    return f"“{label}”"


def amount(value: float, unit: str) -> str:
    """Write money before its "per ...".

    Examples
    --------
    >>> amount(0.5, "EUR per customer")
    'EUR 0.5 per customer'
    """
    currency, per, rest = unit.partition(" per ")
    return f"{currency} {short(value)}{per}{rest}"


def about(value: float, unit: str) -> str:
    """Write money for a manager's sentence: three significant digits.

    Examples
    --------
    >>> about(1674.2, "EUR per month"), about(-0.4578, "EUR per customer")
    ('EUR 1,670 per month', 'EUR −0.458 per customer')
    """
    currency, per, rest = unit.partition(" per ")
    text = number(value)
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{currency} {text}{per}{rest}"


def roughly(value: float) -> str:
    """Write a size for a sentence, to two significant digits.

    Examples
    --------
    >>> roughly(14_558_290), roughly(3_467.0), roughly(38.7), roughly(2.2e9), roughly(4.26)
    ('about 15 million', 'about 3,500', 'about 39', 'about 2.2 billion', 'about 4.3')
    """
    sizes = ((1e9, " billion"), (1e6, " million"))
    size, word = next((one for one in sizes if abs(value) >= one[0]), (1.0, ""))
    return f"about {float(f'{value / size:.2g}'):,g}{word}"


def lasting(days: float) -> str:
    """Write a length of time for a sentence: days, from two years on years.

    Examples
    --------
    >>> lasting(377_916), lasting(83.2), lasting(800), lasting(0.2)
    ('about 1,000 years', 'about 83 days', 'about 2.2 years', 'about 1 day')
    """
    if days >= 2 * 365:
        return f"{roughly(days / 365.25)} years"
    days = max(1.0, days)
    return f"{roughly(days)} {'day' if days < 1.05 else 'days'}"


def short(value: float) -> str:
    """Write a number for a sentence: whole from 1,000 up, else four digits.

    Examples
    --------
    >>> short(1234.5), short(0.25)
    ('1,234', '0.25')
    """
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"
    return text.replace("-", MINUS)  # the sign, not the hyphen


def place_of(low: float | None, high: float | None, value: float | None = None) -> int:
    """Return the power of ten to round to: two digits of the width, else three of the value.

    Examples
    --------
    >>> place_of(9_812, 15_120)
    2
    >>> place_of(None, None, 0.01234)
    -4
    """
    if low is not None and high is not None and high > low:
        return math.floor(math.log10(high - low)) - 1
    size = abs(value or 0.0)
    return math.floor(math.log10(size)) - 2 if size > 0 else 0


def number(value: float, place: int | None = None) -> str:
    """Write a number with thousands separators, a true minus sign, rounded at ``10**place``.

    Examples
    --------
    >>> number(12_432.7, 2), number(-0.0371, -3), number(-0.2, 0)
    ('12,400', '−0.037', '0')
    >>> number(1.5e18), number(2e-9)
    ('1.5 × 10¹⁸', '2 × 10⁻⁹')
    """
    place = place_of(None, None, value) if place is None else place
    if not math.isfinite(value):
        return "not a number"
    if abs(value) >= _LARGEST or (value != 0 and -place > _MOST_DECIMALS and abs(value) < 1e-3):
        return scientific(value)
    decimals = min(max(0, -place), _MOST_DECIMALS)
    rounded = round(value, -place)
    text = f"{abs(rounded):,.{decimals}f}"
    if not text.strip("0.,"):
        return "0"
    return (MINUS if rounded < 0 else "") + text


def scientific(value: float) -> str:
    """Write a very large or very small number as mantissa times a power of ten."""
    mantissa, _, exponent = f"{abs(value):.2e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    sign = MINUS if value < 0 else ""
    return f"{sign}{mantissa} {TIMES} 10{str(int(exponent)).translate(_SUPERSCRIPT)}"
