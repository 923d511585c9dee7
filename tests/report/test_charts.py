"""Drawings: nothing clipped, nothing missing, whatever the numbers and names."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from payoff.report import page, summarise
from payoff.report.charts import NARROW, WIDE, one
from payoff.report.scale import FONT, Axis, fit, ticks, width_of
from tests.report.examples import EVERY, binary

LONG = "Call every customer who has not been reached in 90 days, twice"
SCALES = [1e-9, 0.01, 1.0, 1e6, 1e18]


def rows(values, label=LONG):
    return [
        {"label": f"{label} {i}", "value": v, "low": None if v is None else v - abs(v) / 2,
         "high": None if v is None else v + abs(v) / 3, "text": "+12,400",
         "mark": ("main", "alt", "base")[i % 3]}
        for i, v in enumerate(values)
    ]  # fmt: skip


def forest(values, label=LONG):
    return {"chart": "forest", "title": "T", "desc": "D", "unit": "EUR per month", "key": "",
            "stress": True, "rows": rows(values, label)}  # fmt: skip


def bars(values):
    made = [{**r, "value": r["value"] or 0.0} for r in rows(values)]
    return {**forest([]), "chart": "bars", "rows": made}


def curve(values):
    x = [i / max(1, len(values) - 1) for i in range(len(values))]
    return {"chart": "curve", "title": "T", "desc": "D", "x": x, "y": values,
            "low": [None if v is None else v - 1 for v in values],
            "high": [None if v is None else v + 1 for v in values],
            "lines": [{"label": LONG, "value": 3.0}], "line_label": "line", "mark": 0.2,
            "mark_label": "chosen", "x_label": LONG + LONG, "y_label": "EUR per month"}  # fmt: skip


def reliability(values):
    bins = [{"x": v, "value": v, "low": v / 2, "high": min(1, v * 2), "n": 5} for v in values]
    return {"chart": "reliability", "title": "T", "desc": "D", "bins": bins, "x_label": "x",
            "y_label": "y", "diagonal_label": "same", "dot_label": "seen"}  # fmt: skip


SPECS = [
    *(forest(v) for v in ([], [1.0], [0.0, 0.0], [None, 2.0], [-5.0, 3.0], [4.0] * 60)),
    *(forest([s, -3 * s]) for s in SCALES),
    *(bars(v) for v in ([], [0.0], [-5.0, 3.0], [2e18])),
    *(curve(v) for v in ([], [1.0], [None, 2.0, 1.0], [1e15, -1e15], [3.0] * 101)),
    *(reliability(v) for v in ([], [0.0], [0.001, 0.004], [0.2, 1.0])),
]


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("spec", SPECS)
def test_all_text_lies_inside_and_apart(spec, width):
    root = ET.fromstring(one(spec, "c", width, "w"))
    _, _, across, down = map(float, root.attrib["viewBox"].split())
    boxes = []
    for text in root.iter("text"):
        size = width_of(text.text)
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        anchor = text.attrib.get("text-anchor", "start")
        left = x - {"start": 0, "middle": size / 2, "end": size}[anchor]
        assert left >= -1
        assert left + size <= across + 1
        assert y <= down
        boxes.append((left, left + size, y - FONT * 0.75, y))
    for a, b in itertools.combinations(boxes, 2):
        assert a[1] <= b[0] + 1 or b[1] <= a[0] + 1 or a[3] <= b[2] + 1 or b[3] <= a[2] + 1
    for shape in root.iter():
        for name, value in shape.attrib.items():
            if name in {"x", "x1", "x2", "cx"}:
                assert -1 <= float(value) <= across + 1
            if name in {"y", "y1", "y2", "cy"}:
                assert -1 <= float(value) <= down + 1


@pytest.mark.parametrize("spec", SPECS)
def test_drawing_has_title_description_and_no_style(spec):
    text = one(spec, "c", WIDE, "w")
    root = ET.fromstring(text)
    assert root[0].tag == "title"
    assert root[1].tag == "desc"
    assert root.attrib["aria-labelledby"] == "c-t c-d"
    assert "style=" not in text
    assert "nan" not in text


def test_hostile_names_are_text_in_a_drawing():
    root = ET.fromstring(one(forest([1.0], "</text><script>alert(1)</script>"), "c", WIDE, "w"))
    assert "script" not in {e.tag for e in root.iter()}


@pytest.mark.parametrize("name", EVERY)
def test_each_drawing_stands_beside_a_table(name):
    for part in summarise(EVERY[name]())["pages"]:
        for section in part["sections"]:
            kinds = [b["kind"] for b in section["blocks"]]
            for number, kind in enumerate(kinds):
                assert kind != "chart" or "table" in kinds[number + 1 :]


@pytest.mark.parametrize(("low", "high"), [(0, 97), (-3e-7, 2e-7), (-1e18, 4e18), (0.1, 0.11)])
def test_ticks_are_one_two_five(low, high):
    found = ticks(low, high)
    assert 2 <= len(found) <= 6
    steps = {f"{(b - a):.6e}" for a, b in itertools.pairwise(found)}
    assert len(steps) == 1
    assert steps.pop()[0] in "125"
    assert all(low <= t <= high for t in found)


def test_axis_of_one_value_has_room():
    axis = Axis.over([5.0], start=0, stop=100)
    assert 0 < axis.at(5.0) < 100


def test_fit_keeps_every_word_that_has_room():
    assert fit("one two", 1_000) == ["one two"]
    assert fit("W" * 300, 100, 2)[-1].endswith("…")


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def themes():
    style = page(summarise(binary())).partition("<style>")[2].partition("</style>")[0]
    found = []
    for body in re.findall(r":root \{(.*?)\}", style, re.DOTALL):
        pairs = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", body))
        found.append({
            k: v if len(v) == 7 else "#" + "".join(c * 2 for c in v[1:]) for k, v in pairs.items()
        })  # fmt: skip
    return found


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark", "print"])
def test_contrast(theme):
    for ground in ("paper", "tint"):
        for ink in ("ink", "soft"):
            assert contrast(theme[ink], theme[ground]) >= 4.5
    assert contrast(theme["link"], theme["paper"]) >= 4.5
    for word in ("go", "wait", "stop"):
        assert contrast(theme[word], theme[f"{word}-bg"]) >= 4.5
        assert contrast(theme["ink"], theme[f"{word}-bg"]) >= 4.5
        assert contrast(theme[word], theme["paper"]) >= 4.5
    for mark in ("main", "alt", "base", "fourth", "zero"):
        assert contrast(theme[mark], theme["paper"]) >= 3
