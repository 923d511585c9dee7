"""Checks of what would change the answer fire where they must and only there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from payoff.declare import Cell, PayoffTable
from payoff.evidence.acted import Background
from tests.worlds import binary, calibrated, judged


def check(evidence, code):
    (found,) = [c for c in evidence.checks if c.code == code]
    return found


def with_cell(cell):
    base = binary()
    return dataclasses.replace(
        base, payoffs=PayoffTable(cells={**base.payoffs.cells, ("call", "no"): cell})
    )


def test_a_payoff_far_from_its_break_even_passes(rng):
    prob, y = calibrated(rng, 4000, a=0.3, b=1.0)
    found = check(judged(binary(), {"y": y}, prob), "PAY-E221")
    assert found.status == "passed"


def test_a_payoff_near_its_break_even_is_an_issue():
    """Two halves with 21 % and 19 %: calling both is as good once a call costs 5 % less."""
    y = np.concatenate([np.arange(5000) % 100 < 21, np.arange(5000) % 100 < 19]).astype(int)
    prob = np.repeat([0.21, 0.19], 5000)
    table = {"call": {"yes": 4.05, "no": -1}, "leave": {"yes": 0, "no": 0}}
    evidence = judged(binary(table), {"y": y}, prob)
    assert evidence.verdict["state"] != "refuse"
    found = check(evidence, "PAY-E221")
    assert found.status == "issue"
    # the weaker half breaks even at 0.19 x 4.05 = 0.81 u
    assert "0.95" in found.detail


def test_ranges_that_straddle_are_an_issue_on_page_one(rng):
    prob, y = calibrated(rng, 4000)
    narrow = check(judged(with_cell(Cell(money="-1", low=-1.05, high=-0.95)), {"y": y}, prob),
                   "PAY-E222")  # fmt: skip
    wide = check(judged(with_cell(Cell(money="-1", low=-9, high=5)), {"y": y}, prob), "PAY-E222")
    none = check(judged(binary(), {"y": y}, prob), "PAY-E222")
    assert narrow.status == "passed"
    assert (wide.status, wide.page_one) == ("issue", True)
    assert none.status == "not_applicable"


@pytest.mark.parametrize(("fit", "status"), [(0.2, "passed"), (0.9, "issue")])
def test_a_rate_that_crossed_the_turning_point_is_an_issue(rng, fit, status):
    prob, y = calibrated(rng, 4000)
    facts = {"fit_shares": {"yes": fit, "no": 1 - fit}, "fit_n": 4000}
    found = judged(binary(), {"y": y}, prob, background=Background(data={}, model={}, **facts))
    assert check(found, "PAY-E223").status == status
