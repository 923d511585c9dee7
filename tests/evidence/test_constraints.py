"""Holding a constraint against rows: no false alarm among many groups, and real breaches found."""

from __future__ import annotations

import numpy as np
import pytest

from payoff.evidence.constraints import held
from payoff.evidence.interval import share


def against(kind, bound, acted, group, level=0.95):
    """Shares of groups as the evidence makes them: unweighted rows, each its own cluster."""
    places = range(int(group.max()) + 1)
    strict = 1 - (1 - level) / len(places)
    shares, errors = {}, {}
    for g in places:
        rows = group == g
        shares[g] = share(acted[rows], np.ones(rows.sum()), None, level=strict)
        errors[g] = np.where(rows, (acted - acted[rows].mean()) / rows.sum(), 0.0)
    return held(kind, bound, shares, errors, level)


@pytest.mark.parametrize("kind", ["floor", "cap", "max_gap"])
def test_ten_groups_at_the_very_bound_are_called_broken_as_rarely_as_promised(rng, kind):
    """All ten act on exactly 20 %: the worst looks off, but "broken" stays below 5 %."""
    group = np.arange(3000) % 10
    states = [
        against(kind, 0.0 if kind == "max_gap" else 0.2, rng.random(3000) < 0.2, group).state
        for _ in range(400)
    ]
    assert np.mean([s == "broken" for s in states]) <= 0.05
    assert np.mean([s == "met" for s in states]) < 0.1


@pytest.mark.parametrize(("kind", "other"), [("floor", 0.08), ("cap", 0.35), ("max_gap", 0.4)])
def test_one_group_far_off_is_found(rng, kind, other):
    group = np.arange(3000) % 10
    acted = rng.random(3000) < np.where(group == 3, other, 0.2)
    found = against(kind, 0.05 if kind == "max_gap" else 0.2, acted, group)
    assert found.state == "broken"
    assert 3 in found.worst


def test_the_interval_of_a_gap_between_two_groups_covers_it(rng):
    group = np.arange(800) % 2
    hits = 0
    for _ in range(600):
        acted = rng.random(800) < np.where(group == 1, 0.3, 0.1)
        found = against("max_gap", 0.1, acted, group).measured
        hits += found.low <= 0.2 <= found.high
    assert 0.93 <= hits / 600 <= 0.97


def test_a_single_group_has_no_gap():
    found = against("max_gap", 0.0, np.array([True, False] * 20), np.zeros(40, dtype=int))
    assert found.state == "met"
    assert found.measured.value == 0
