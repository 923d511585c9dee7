"""Drawings as SVG text, made from plain mappings: no library, no script, no inline style.

Each drawing is made twice, for a wide and for a narrow page, and the style sheet shows one of them:
text that is scaled down to a telephone would be too small to read. Colours come from classes, so
the page's light, dark and print themes apply; shapes and dashes say the same as the colours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from payoff.report.escape import html
from payoff.report.scale import FONT, Axis, fit, width_of
from payoff.report.wording import compact

__all__ = ["NARROW", "WIDE", "draw"]

WIDE: Final = 680
NARROW: Final = 340
_LINE: Final = FONT * 1.3
_MOST_ROWS: Final = 40
_SIDE: Final = 200.0

Drawn = tuple[list[str], float]


def draw(spec: Mapping[str, Any], ident: str) -> str:
    """Return a drawing for the page: a wide and a narrow SVG with title and description.

    Parameters
    ----------
    spec
        ``chart`` (``"forest"``, ``"bars"``, ``"curve"``, ``"reliability"``, ``"lines"``,
        ``"places"`` or ``"front"``), ``title``, ``desc`` and the keys of that drawing, as made by
        :func:`payoff.report.summarise.summarise`.
    ident
        Identifier that no other drawing of the page has.
    """
    return "".join(
        one(spec, f"{ident}-{name}", width, name) for name, width in (("w", WIDE), ("n", NARROW))
    )


def one(spec: Mapping[str, Any], ident: str, width: int, size: str) -> str:
    """Return one SVG of the given width."""
    from payoff.report import drawings as more  # made of the parts below

    drawings: dict[str, Callable[[Mapping[str, Any], int], Drawn]] = {
        "forest": forest,
        "bars": bars,
        "curve": curve,
        "reliability": reliability,
        "lines": more.lines,
        "places": more.places,
        "front": more.front,
    }
    body, height = drawings[spec["chart"]](spec, width)
    return (
        f'<svg class="drawing drawing-{size}" viewBox="0 0 {width} {_n(height)}" role="img" '
        f'aria-labelledby="{ident}-t {ident}-d" preserveAspectRatio="xMinYMin meet">'
        f'<title id="{ident}-t">{html(spec["title"])}</title>'
        f'<desc id="{ident}-d">{html(spec["desc"])}</desc>' + "".join(body) + "</svg>"
    )


# ------------------------------------------------------------------------------------ parts


def _n(x: float) -> str:
    """Write a coordinate: one decimal is a tenth of a pixel."""
    text = f"{x:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _text(x: float, y: float, text: str, css: str = "", anchor: str = "start") -> str:
    names = f"txt {css}".strip()
    at = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{names}" x="{_n(x)}" y="{_n(y)}"{at}>{html(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return f'<line class="{css}" x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"/>'


def _mark(x: float, y: float, kind: str) -> str:
    """Draw a point: a disc for the recommended, a square for a model, a diamond for a baseline."""
    if kind == "main":
        return f'<circle class="dot main" cx="{_n(x)}" cy="{_n(y)}" r="6"/>'
    if kind == "base":
        r = 6
        corners = f"{_n(x)},{_n(y - r)} {_n(x + r)},{_n(y)} {_n(x)},{_n(y + r)} {_n(x - r)},{_n(y)}"
        return f'<polygon class="dot base" points="{corners}"/>'
    return f'<rect class="dot alt" x="{_n(x - 5)}" y="{_n(y - 5)}" width="10" height="10"/>'


def _ticks_below(axis: Axis, top: float, bottom: float, label: str, width: float) -> list[str]:
    """Draw grid, tick labels and the title of a horizontal axis."""
    most = 7 if width > NARROW else 4
    made: list[str] = []
    places = axis.ticks(most)
    names = [compact(v) for v in places]
    widest = max((width_of(t) for t in names), default=0) + 8
    while len(places) > 2 and widest * (len(places) - 1) > abs(
        axis.at(places[-1]) - axis.at(places[0])
    ):
        places, names = places[::2], names[::2]
    for value, name in zip(places, names, strict=True):
        x = axis.at(value)
        made.append(_line(x, top, x, bottom, "zero" if value == 0 else "grid"))
        half = width_of(name) / 2
        made.append(_text(min(max(x, half), width - half), bottom + _LINE, name, "soft", "middle"))
    lines = fit(label, width - 8)
    half = max((width_of(t) for t in lines), default=0) / 2
    middle = max(min((axis.start + axis.stop) / 2, width - half), half)
    for number, text in enumerate(lines):
        made.append(_text(middle, bottom + (2 + number) * _LINE + 4, text, "soft", "middle"))
    return made


def _below(label: str, width: float) -> float:
    """Return the height that the axis title and ticks need."""
    return (2 + len(fit(label, width - 8))) * _LINE


# ------------------------------------------------------------------------------ dot and interval


def forest(spec: Mapping[str, Any], width: int) -> Drawn:
    """Draw a point and its interval per row, on one axis with zero in it."""
    rows = list(spec["rows"])[:_MOST_ROWS]
    narrow = width <= NARROW
    side = 0.0 if narrow else 230.0
    right = 0.0 if narrow else max((width_of(r["text"]) for r in rows), default=0) + 14
    axis = Axis.over(
        [0.0, *(r[k] for r in rows for k in ("value", "low", "high"))],
        start=side + 12,
        stop=width - 12 - min(right, _SIDE),
    )
    made: list[str] = []
    y = 8.0
    points: list[str] = []
    for row in rows:
        css = "strong" if row["mark"] == "main" and spec["stress"] else ""
        said = fit(row["text"], _SIDE - 14, 1)[0]
        beside = width - width_of(said) - 12
        lines = fit(row["label"], beside if narrow else side - 8, 3 if narrow else 2)
        if narrow:
            points.append(_text(width, y + FONT, said, css, "end"))
            for text in lines:
                points.append(_text(0, y + FONT, text, css))
                y += _LINE
            middle = y + 10
            y += 28
        else:
            height = max(30.0, len(lines) * _LINE + 10)
            middle = y + height / 2
            for number, text in enumerate(lines):
                at = middle + (number - (len(lines) - 1) / 2) * _LINE + FONT * 0.36
                points.append(_text(0, at, text, css))
            points.append(_text(width, middle + FONT * 0.36, said, css, "end"))
            y += height
        points.extend(_whisker(axis, row, middle))
    made.extend(_ticks_below(axis, 4, y, spec["unit"], width))
    return made + points, y + _below(spec["unit"], width) + 6


def _whisker(axis: Axis, row: Mapping[str, Any], y: float) -> list[str]:
    if row["value"] is None:
        return [_text(axis.start, y + FONT * 0.36, "not measured", "soft")]
    made: list[str] = []
    if row["low"] is not None and row["high"] is not None:
        low, high = axis.at(row["low"]), axis.at(row["high"])
        made.append(_line(low, y, high, y, f"whisker {row['mark']}"))
        made.extend(_line(x, y - 5, x, y + 5, f"whisker {row['mark']}") for x in (low, high))
    return [*made, _mark(axis.at(row["value"]), y, row["mark"])]


# ------------------------------------------------------------------------------------------ bars


def bars(spec: Mapping[str, Any], width: int) -> Drawn:
    """Draw one bar per row from zero: gains to the right, losses (hatched) to the left."""
    rows = list(spec["rows"])[:_MOST_ROWS]
    narrow = width <= NARROW
    side = 0.0 if narrow else 230.0
    right = max((width_of(r["text"]) for r in rows), default=0) + 14
    axis = Axis.over(
        [0.0, *(r["value"] for r in rows)],
        start=side + 12,
        stop=width - 12 - (0 if narrow else min(right, _SIDE)),
        pad=0.02,
    )
    made: list[str] = []
    y = 8.0
    for row in rows:
        lines = fit(row["label"], width if narrow else side - 8, 3 if narrow else 2)
        if narrow:
            for number, text in enumerate((*lines, *fit(row["text"], width, 1))):
                made.append(_text(0, y + FONT, text, "soft" if number == len(lines) else ""))
                y += _LINE
            top, y = y + 3, y + 26
        else:
            said = fit(row["text"], _SIDE - 14)
            height = max(30.0, max(len(lines), len(said)) * _LINE + 10)
            for number, text in enumerate(lines):
                at = y + height / 2 + (number - (len(lines) - 1) / 2) * _LINE + FONT * 0.36
                made.append(_text(0, at, text))
            for number, text in enumerate(said):
                at = y + height / 2 + (number - (len(said) - 1) / 2) * _LINE + FONT * 0.36
                made.append(_text(width, at, text, "", "end"))
            top, y = y + height / 2 - 7, y + height
        zero, end = axis.at(0.0), axis.at(row["value"])
        css = "gain" if row["value"] >= 0 else "loss"
        made.append(
            f'<rect class="bar {css}" x="{_n(min(zero, end))}" y="{_n(top)}" '
            f'width="{_n(max(abs(end - zero), 1))}" height="14"/>'
        )
    grid = _ticks_below(axis, 4, y, spec["unit"], width)
    return grid + made, y + _below(spec["unit"], width) + 6


# ----------------------------------------------------------------------------------- lines, dots


def _frame(
    width: int,
    top: float,
    bottom: float,
    x_values: Sequence[float | None],
    y_values: Sequence[float | None],
    labels: tuple[str, str],
) -> tuple[Axis, Axis, list[str]]:
    """Make both axes with grid and labels; the title of the upright axis stands above it."""
    up = Axis.over(y_values, start=bottom, stop=top)
    names = [(v, compact(v)) for v in up.ticks(6)]
    left = max((width_of(t) for _, t in names), default=20) + 8
    across = Axis.over(x_values, start=left, stop=width - 8, pad=0.0)
    made = [_text(0, top - 10, fit(labels[1], width, 1)[0], "soft")]
    for value, name in names:
        y = up.at(value)
        made.append(_line(left, y, width - 8, y, "zero" if value == 0 else "grid"))
        made.append(_text(left - 6, y + FONT * 0.36, name, "soft", "end"))
    made.extend(_ticks_below(across, top, bottom, labels[0], width))
    return across, up, made


def _legend(entries: Sequence[tuple[str, str]], width: int) -> tuple[list[str], float]:
    """Draw one line of legend per entry: a sample of the stroke, then its meaning."""
    made: list[str] = []
    y = 4.0
    for css, label in entries:
        lines = fit(label, width - 44, 2)
        made.append(_line(0, y + FONT * 0.6, 32, y + FONT * 0.6, css))
        for text in lines:
            made.append(_text(42, y + FONT, text))
            y += _LINE
        y += 2
    return made, y


def curve(spec: Mapping[str, Any], width: int) -> Drawn:
    """Draw value by threshold with its interval band, baselines and the threshold chosen."""
    entries = [("stroke main", spec["line_label"])]
    entries += [(f"stroke base-{i}", line["label"]) for i, line in enumerate(spec["lines"][:3])]
    if spec["mark"] is not None:
        entries.append(("stroke chosen", spec["mark_label"]))
    made, y = _legend(entries, width)
    top, bottom = y + 2 * _LINE, y + 2 * _LINE + (240 if width > NARROW else 200)
    heights = [*spec["y"], *spec["low"], *spec["high"], *(q["value"] for q in spec["lines"])]
    across, up, frame = _frame(
        width, top, bottom, [0.0, *spec["x"]], heights, (spec["x_label"], spec["y_label"])
    )
    made.extend(frame)
    band = [
        (x, lo, hi)
        for x, lo, hi in zip(spec["x"], spec["low"], spec["high"], strict=True)
        if lo is not None and hi is not None
    ]
    if len(band) > 1:
        edge = [(x, hi) for x, _, hi in band] + [(x, lo) for x, lo, _ in reversed(band)]
        made.append(f'<polygon class="band" points="{_path(across, up, edge)}"/>')
    for number, line in enumerate(spec["lines"][:3]):
        at = up.at(line["value"])
        made.append(_line(across.start, at, across.stop, at, f"stroke base-{number}"))
    if spec["mark"] is not None:
        at = across.at(spec["mark"])
        made.append(_line(at, top, at, bottom, "stroke chosen"))
    known = [(x, v) for x, v in zip(spec["x"], spec["y"], strict=True) if v is not None]
    if len(known) > 1:
        made.append(f'<polyline class="stroke main" points="{_path(across, up, known)}"/>')
    elif known:
        made.append(_mark(across.at(known[0][0]), up.at(known[0][1]), "main"))
    return made, bottom + _below(spec["x_label"], width) + 6


def _path(across: Axis, up: Axis, points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_n(across.at(x))},{_n(up.at(v))}" for x, v in points)


def reliability(spec: Mapping[str, Any], width: int) -> Drawn:
    """Draw promised against observed shares, with the diagonal where they agree.

    ``line``, where given, is the isotonic curve with the band in which right probabilities lie.
    """
    entries = [("stroke base-0", spec["diagonal_label"]), ("whisker main", spec["dot_label"])]
    line = spec.get("line") or []
    if line:
        entries.append(("stroke again", spec["line_label"]))
    made, y = _legend(entries, width)
    bins = list(spec["bins"])
    farthest = max([0.0, *(b[k] for b in bins for k in ("x", "value", "high") if b[k] is not None)])
    limit = min(1.0, farthest * 1.05) or 1.0
    size = min(width - 60, 300)
    top, bottom = y + 2 * _LINE, y + 2 * _LINE + size
    across, up, frame = _frame(
        min(width, size + 90),
        top,
        bottom,
        [0.0, limit],
        [0.0, limit],
        (spec["x_label"], spec["y_label"]),
    )
    made.extend(frame)
    if line:
        edge = [(b["prob"], b["high"]) for b in line] + [(b["prob"], b["low"]) for b in line][::-1]
        made.append(f'<polygon class="band" points="{_path(across, up, edge)}"/>')
    made.append(_line(across.at(0), up.at(0), across.at(limit), up.at(limit), "stroke base-0"))
    if line:
        points = [(b["prob"], b["rate"]) for b in line]
        made.append(f'<polyline class="stroke again" points="{_path(across, up, points)}"/>')
    for item in bins:
        if item["value"] is None or item["x"] is None:
            continue
        x = across.at(item["x"])
        if item["low"] is not None and item["high"] is not None:
            made.append(_line(x, up.at(item["low"]), x, up.at(item["high"]), "whisker main"))
        made.append(
            f'<circle class="dot main" cx="{_n(x)}" cy="{_n(up.at(item["value"]))}" r="5"/>'
        )
    return made, bottom + _below(spec["x_label"], min(width, size + 90)) + 6
