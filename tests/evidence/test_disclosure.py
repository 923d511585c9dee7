"""Withholding: no small group can be got by subtraction, whatever else is shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payoff.evidence.subgroups.disclosure import derivable, withheld
from tests.worlds import binary, calibrated, judged

SMALLEST = 10


def exact(codes, kept):
    """Say by the rank of the rows' indicators which small groups can be worked out."""
    n = len(next(iter(codes.values())))
    columns, small = [np.ones(n)], []
    for name, code in codes.items():
        for g in range(int(code.max()) + 1):
            inside = (code == g).astype(float)
            if 0 < inside.sum() < SMALLEST:
                small.append(inside)
            elif inside.sum() and not kept[name][g]:
                columns.append(inside)
    shown = np.stack(columns, axis=1)
    rank = np.linalg.matrix_rank(shown)
    return [np.linalg.matrix_rank(np.column_stack([shown, f])) == rank for f in small]


@given(
    n=st.integers(20, 250),
    a=st.integers(2, 5),
    b=st.integers(2, 5),
    seed=st.integers(0, 10_000),
    merged=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_no_small_group_follows_from_what_is_shown(n, a, b, seed, merged):
    rng = np.random.default_rng(seed)
    one = np.minimum(rng.geometric(0.5, n) - 1, a - 1)
    two = np.minimum(rng.geometric(0.45, n) - 1, b - 1)
    both = np.unique(one * b + two, return_inverse=True)[1]
    if merged:  # a last group that holds several combinations
        both = np.minimum(both, 3)
    codes = {"one": one, "two": two, "both": both}
    kept = withheld(codes, SMALLEST)
    assert not any(exact(codes, kept))
    for name, code in codes.items():
        counts = np.bincount(code, minlength=len(kept[name]))
        assert not np.any(kept[name] & (counts < SMALLEST))  # small ones are hidden anyway


def test_nothing_is_withheld_where_nothing_is_small():
    rng = np.random.default_rng(0)
    codes = {"g": rng.integers(0, 3, 500), "h": rng.integers(0, 2, 500)}
    assert not any(k.any() for k in withheld(codes, SMALLEST).values())


def test_two_small_groups_that_are_few_together_take_a_third_with_them():
    codes = {"g": np.repeat([0, 1, 2, 3], [100, 40, 3, 4])}
    assert withheld(codes, SMALLEST)["g"].tolist() == [False, True, False, False]
    enough = {"g": np.repeat([0, 1, 2, 3], [100, 40, 6, 7])}
    assert not withheld(enough, SMALLEST)["g"].any()


def test_a_cell_of_an_intersection_is_not_left_to_its_margins():
    """One small cell: its row, its column and the whole would give it away; a rectangle hides."""
    one = np.repeat([0, 0, 0, 1, 1, 1, 2, 2, 2], [4, 50, 60, 55, 65, 70, 80, 90, 95])
    two = np.repeat([0, 1, 2, 0, 1, 2, 0, 1, 2], [4, 50, 60, 55, 65, 70, 80, 90, 95])
    codes = {"one": one, "two": two, "both": one * 3 + two}
    kept = withheld(codes, SMALLEST)
    assert not kept["one"].any()
    assert not kept["two"].any()
    assert not any(exact(codes, kept))
    assert kept["both"].sum() == 3


def test_what_follows_is_seen():
    codes = {"g": np.repeat([0, 1, 2], [50, 40, 5])}
    assert derivable(codes, 2, np.array([True, True, False]))
    assert not derivable(codes, 2, np.array([True, False, False]))


def test_the_small_groups_gain_is_nowhere_in_the_evidence(rng):
    """Subtract everything shown from the whole: what is left holds enough rows."""
    prob, y = calibrated(rng, 2000)
    group = np.repeat(["large", "middle", "other", "tiny"], [1200, 500, 288, 12])
    found = judged(binary(volume=2000, subgroups=("g",)), {"y": y, "g": group}, prob)
    groups = {g.label: g for g in found.subgroups[0].groups}
    assert [g.state for g in groups.values()] == ["ok", "ok", "withheld", "small"]
    other = groups["other"]
    assert (other.value, other.gain, other.rate, other.positives) == (None, None, None, None)
    assert not other.rates
    assert (other.impact, other.shrunken_gain, other.gain_simultaneous) == (None, None, None)
    assert "subtraction" in other.reason
    whole = next(c for c in found.comparisons if c.against == "do_nothing").total.value
    left = whole - sum(g.total_gain.value for g in groups.values() if g.total_gain)
    tiny = np.where(prob > 0.1, np.where(y, 9.0, -1.0), 0.0)[group == "tiny"].sum()
    assert left != pytest.approx(tiny)
    (check,) = [c for c in found.checks if c.code == "PAY-E206"]
    assert "g: tiny" in check.detail
    assert "give a small group away: 'g: other'" in check.detail
