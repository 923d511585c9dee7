"""The harness of the simulations, and the table it publishes."""

from __future__ import annotations

import dataclasses
import importlib
import re

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.statistics.harness import FULL, Row, coverage, hold, tolerance
from tools import statistics_table

PAGE = ROOT / "docs" / "reference" / "statistics.md"
ROW = Row(what="holds", world="coin", n=10, runs=10_000, figure=95.0, low=94.0, high=96.0)


def test_a_rate_outside_its_promise_fails():
    hold([ROW], FULL)
    edge = dataclasses.replace(ROW, figure=96.0 + 1.9 * tolerance(96, 10_000))
    hold([edge], FULL)
    for figure in (93.4, 96.6):
        with pytest.raises(AssertionError, match="coin"):
            hold([dataclasses.replace(ROW, figure=figure)], FULL)
    with pytest.raises(AssertionError, match="promises nothing"):
        hold([], FULL)


def test_a_mean_is_held_by_its_own_error():
    mean = dataclasses.replace(ROW, unit="EUR", figure=1.3, low=-1.0, high=1.0, error=0.2)
    assert mean.kept(FULL)
    assert not dataclasses.replace(mean, figure=1.5).kept(FULL)


def test_the_tolerance_is_that_of_a_simulated_rate(rng):
    rates = [coverage(rng.random(400) < 0.9, 400) for _ in range(2000)]
    assert np.std(rates) == pytest.approx(tolerance(90, 400), rel=0.07)


def test_every_topic_is_in_the_table_and_no_other():
    published = re.findall(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert published == [statistics_table.title(t) for t in statistics_table.topics()]


@pytest.mark.parametrize("topic", statistics_table.topics())
def test_a_topic_has_what_the_table_needs(topic):
    module = importlib.import_module(f"tests.statistics.test_{topic}")
    assert statistics_table.title(topic) == module.TITLE
    assert module.ABOUT
    assert callable(module.rows)
    marks = [m.name for m in module.test_full.pytestmark]
    assert "statistics" in marks


def test_the_table_holds_measured_beside_promised():
    body = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| what")
    ]
    assert body
    for line in body:
        assert len(line.strip("|").split("|")) == 7, line


def test_one_topic_can_be_written_anew():
    page = "# T\n\nOpening.\n\n## A\n\nx\n\n## B\n\ny\n"
    assert statistics_table.sections(page) == {"A": "## A\n\nx\n", "B": "## B\n\ny\n"}


def test_bounds_read_as_promises():
    assert "at most 1.0 %" in statistics_table.line(dataclasses.replace(ROW, low=0, high=1))
    assert "at least 95.0 %" in statistics_table.line(dataclasses.replace(ROW, low=95, high=100))
    assert "| 94.0 to 96.0 % |" in statistics_table.line(ROW)
