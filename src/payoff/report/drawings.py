"""More drawings: lines over one axis, a map of which option is best, options by two measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from payoff.report.charts import (
    NARROW,
    Drawn,
    _below,
    _frame,
    _legend,
    _line,
    _mark,
    _n,
    _path,
    _text,
)
from payoff.report.escape import html
from payoff.report.scale import FONT, fit, width_of
from payoff.report.wording import compact

__all__ = ["front", "lines", "places"]

_HIGH = FONT * 1.3


def lines(spec: Mapping[str, Any], width: int) -> Drawn:
    """Draw several lines with one band, and upright marks with their names above the frame.

    ``spec`` holds ``x``, ``series`` (``label``, ``y``, ``css`` and, for the band, ``low`` and
    ``high``), ``marks`` (``x``, ``label``), ``x_label`` and ``y_label``.
    """
    series = list(spec["series"])
    made, y = _legend([(f"stroke {s['css']}", s["label"]) for s in series], width)
    marks = sorted(spec["marks"], key=lambda m: m["x"])
    top = y + (2 + len(marks)) * _HIGH
    bottom = top + (240 if width > NARROW else 210)
    heights = [v for s in series for k in ("y", "low", "high") for v in s.get(k) or ()]
    across, up, drawn = _frame(
        width, top, bottom, spec["x"], heights, (spec["x_label"], spec["y_label"])
    )
    # the title of the upright axis makes room for the names of the marks
    drawn[0] = _text(0, y + FONT + 2, fit(spec["y_label"], width, 1)[0], "soft")
    made.extend(drawn)
    for place, mark in enumerate(marks):
        at = across.at(mark["x"])
        level = y + (1 + place) * _HIGH + FONT + 2
        made.append(_line(at, level - FONT * 0.4, at, bottom, "stroke chosen"))
        beside = width_of(mark["label"]) + 6
        right = at + beside <= width
        made.append(
            _text(
                at + 4 if right else at - 4, level, mark["label"], "", "start" if right else "end"
            )
        )
    for s in series:
        if s.get("low") and s.get("high"):
            edge = [*zip(s.get("x", spec["x"]), s["high"], strict=True)]
            edge += reversed([*zip(s.get("x", spec["x"]), s["low"], strict=True)])
            made.append(f'<polygon class="band" points="{_path(across, up, edge)}"/>')
    for s in reversed(series):
        points = [*zip(s.get("x", spec["x"]), s["y"], strict=True)]
        made.append(f'<polyline class="stroke {s["css"]}" points="{_path(across, up, points)}"/>')
    return made, bottom + _below(spec["x_label"], width) + 6


def places(spec: Mapping[str, Any], width: int) -> Drawn:
    """Draw a map: a field per pair of values, shaded and lettered by what is best there.

    ``spec`` holds ``across`` and ``up`` (values), ``best`` (rows of places in ``options``, the
    lowest first), ``options`` (labels), ``here`` (column and row of the present values),
    ``x_label`` and ``y_label``.
    """
    made: list[str] = []
    y = 4.0
    for k, label in enumerate(spec["options"]):
        made.append(f'<rect class="area area-{k % 5}" x="0" y="{_n(y)}" width="26" height="15"/>')
        made.append(_text(13, y + FONT - 1, _letter(k), "strong", "middle"))
        for said in fit(label, width - 44, 2):
            made.append(_text(36, y + FONT, said))
            y += _HIGH
        y += 3
    names = [compact(v) for v in spec["up"]]
    left = max(width_of(t) for t in names) + 8
    size = min((width - left - 8) / len(spec["across"]), 44.0)
    high = min(size, 26.0)
    made.append(_text(0, y + FONT + 2, fit(spec["y_label"], width, 1)[0], "soft"))
    top = y + 2 * _HIGH
    rows = len(spec["up"])
    for r, row in enumerate(spec["best"]):
        at = top + (rows - 1 - r) * high
        made.append(_text(left - 6, at + high / 2 + FONT * 0.36, names[r], "soft", "end"))
        for first, last, k in _stretches(row):
            x, long = left + first * size, (last - first + 1) * size
            made.append(_field(x, at, long, high, k))
            made.append(_text(x + long / 2, at + high / 2 + FONT * 0.36, _letter(k), "", "middle"))
    column, row_here = spec["here"]
    at = top + (rows - 1 - row_here) * high
    made.append(
        f'<rect class="here" x="{_n(left + column * size)}" y="{_n(at)}" width="{_n(size)}" '
        f'height="{_n(high)}"/>'
    )
    bottom = top + rows * high
    step = 1 if size > 38 else 2
    for c in range(0, len(spec["across"]), step):
        x = left + (c + 0.5) * size
        made.append(_text(x, bottom + _HIGH, compact(spec["across"][c]), "soft", "middle"))
    for place, said in enumerate(fit(spec["x_label"], width - 8)):
        made.append(_text(left, bottom + (2 + place) * _HIGH + 4, said, "soft"))
    return made, bottom + _below(spec["x_label"], width) + 6


def _stretches(row: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return (first, last, place) of each run of equal places."""
    found: list[tuple[int, int, int]] = []
    for c, k in enumerate(row):
        if found and found[-1][2] == k:
            found[-1] = (found[-1][0], c, k)
        else:
            found.append((c, c, k))
    return found


def _field(x: float, y: float, width: float, height: float, k: int) -> str:
    return (
        f'<rect class="area area-{k % 5}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" '
        f'height="{_n(height)}"/>'
    )


def _letter(k: int) -> str:
    return html(chr(ord("A") + k))


def front(spec: Mapping[str, Any], width: int) -> Drawn:
    """Draw options by two measures, with upright intervals; those of the front have a ring.

    ``spec`` holds ``points`` (``label``, a number or letter, ``x``, ``y``, ``low``, ``high``,
    ``mark`` as in the other drawings, ``front``), ``x_label`` and ``y_label``.
    """
    points = list(spec["points"])
    top = 2 * _HIGH
    bottom = top + (280 if width > NARROW else 240)
    heights = [p[k] for p in points for k in ("y", "low", "high") if p[k] is not None]
    reach = max((p["x"] for p in points), default=0.0)
    across, up, made = _frame(
        width,
        top,
        bottom,
        [0.0, reach * 1.06],
        [0.0, *heights],
        (spec["x_label"], spec["y_label"]),
    )
    named: list[tuple[float, float]] = [(across.at(p["x"]), up.at(p["y"])) for p in points]
    for point in reversed(points):  # the recommended one lies on top
        x, y = across.at(point["x"]), up.at(point["y"])
        css = f"whisker {point['mark']}"
        if point["low"] is not None and point["high"] is not None:
            low, high = up.at(point["low"]), up.at(point["high"])
            made.append(_line(x, low, x, high, css))
            made.extend(_line(x - 5, at, x + 5, at, css) for at in (low, high))
        made.append(_mark(x, y, point["mark"]))
        if point["front"]:
            made.append(f'<circle class="here" cx="{_n(x)}" cy="{_n(y)}" r="10"/>')
    for point in points:
        at = _free(across.at(point["x"]), up.at(point["y"]), named)
        named.append(at)
        made.append(_text(at[0], at[1] + FONT * 0.36, point["label"], "strong", "middle"))
    return made, bottom + _below(spec["x_label"], width) + 6


def _free(x: float, y: float, taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return a place for a name beside a point, the farthest from all that is drawn already."""
    places = [(x + dx, y + dy) for dx, dy in ((17, -9), (-17, -9), (17, 10), (-17, 10))]
    return max(places, key=lambda p: min(abs(p[0] - a) + abs(p[1] - b) for a, b in taken))
