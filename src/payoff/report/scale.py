"""Axes and text in a drawing: ticks at 1, 2 and 5, positions, and lines of text that fit."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["FONT", "Axis", "fit", "ticks", "width_of"]

FONT: Final = 13.0
"""Height of all text in a drawing, in units of its viewBox."""

_FARTHEST: Final = 1e300
_NARROW: Final = frozenset("iljtfrI.,:;'|!()[] ")
_BROAD: Final = frozenset("mwMW@%—…")


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return at most ``most`` round numbers (1, 2 or 5 times a power of ten) within the limits.

    Examples
    --------
    >>> ticks(0, 97)
    [0.0, 20.0, 40.0, 60.0, 80.0]
    >>> ticks(-0.3, 0.3, 4)
    [-0.2, 0.0, 0.2]
    """
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [low]
    power = math.floor(math.log10(span / most))
    for multiple in (1, 2, 5, 10, 20, 50):
        # Powers below ten are divided by, so that 0.2 is the float nearest to 0.2.
        step = multiple * 10.0**power if power >= 0 else multiple / 10.0**-power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            over = 10.0**-power
            return [
                k * multiple / over if power < 0 and math.isfinite(over) else k * step
                for k in range(first, last + 1)
            ]
    return [low, high]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A linear axis from numbers to positions.

    Examples
    --------
    >>> axis = Axis.over([0, 50], start=100, stop=200, pad=0)
    >>> axis.at(25)
    150.0
    """

    low: float
    high: float
    start: float
    stop: float

    @classmethod
    def over(
        cls,
        values: Iterable[float | None],
        *,
        start: float,
        stop: float,
        pad: float = 0.04,
    ) -> Axis:
        """Cover all values with a margin; equal values get room on both sides."""
        known = [
            min(max(v, -_FARTHEST), _FARTHEST)
            for v in values
            if v is not None and not math.isnan(v)
        ]
        low, high = (min(known), max(known)) if known else (0.0, 1.0)
        if high - low <= max(abs(low), abs(high)) * 1e-9:
            half = abs(low) * 0.5 or 1.0
            low, high = low - half, high + half
        margin = (high - low) * pad
        return cls(low=low - margin, high=high + margin, start=start, stop=stop)

    def at(self, value: float) -> float:
        """Return the position of a value, held within the axis."""
        part = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + part * (self.stop - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Return round numbers on this axis."""
        return ticks(self.low, self.high, most)


def width_of(text: str, size: float = FONT) -> float:
    """Return a careful upper estimate of a text's width in a sans serif font.

    Examples
    --------
    >>> width_of("ill") < width_of("www")
    True
    """
    total = 0.0
    for c in text:
        if c in _NARROW:
            total += 0.4
        elif c in _BROAD or unicodedata.east_asian_width(c) in "WF":
            total += 1.0
        elif c.isupper():
            total += 0.74
        else:
            total += 0.62
    return total * size


def fit(text: str, width: float, lines: int = 2) -> list[str]:
    """Break a text into at most ``lines`` lines of a width; what does not fit ends in an ellipsis.

    Examples
    --------
    >>> fit("Call everybody today", 90)
    ['Call', 'everybody…']
    >>> fit("Call everybody today", 130)
    ['Call everybody', 'today']
    """
    done: list[str] = []
    current = ""
    pieces = _pieces(text.split(" "), width)
    for number, piece in enumerate(pieces):
        longer = f"{current} {piece}" if current else piece
        if width_of(longer) <= width or not current:
            current = longer
            continue
        if len(done) + 1 == lines:
            return [*done, _cut(current, width, more=number < len(pieces))]
        done.append(current)
        current = piece
    return [*done, _cut(current, width, more=False)]


def _pieces(words: Sequence[str], width: float) -> list[str]:
    """Break words that are longer than a whole line."""
    found: list[str] = []
    for word in words:
        rest = word
        while width_of(rest) > width and len(rest) > 1:
            keep = len(rest)
            while keep > 1 and width_of(rest[:keep]) > width:
                keep = keep // 2 if width_of(rest[: keep // 2]) > width else keep - 1
            found.append(rest[:keep])
            rest = rest[keep:]
        found.append(rest)
    return found


def _cut(text: str, width: float, *, more: bool) -> str:
    """Shorten a line that is too long, or that stands for more than it shows."""
    if not more and width_of(text) <= width:
        return text
    while text and width_of(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"
