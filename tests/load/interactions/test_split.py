"""No interaction is in two parts, and the past knows nothing of the future."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payoff.errors import DataError, DeclarationError
from payoff.load.interactions.read import read_interactions
from payoff.load.interactions.split import split_interactions
from tests.load.interactions.making import busy, declared, shop, table


def test_by_time_is_the_default_and_moments_stay_together():
    data = shop(busy())
    parts = split_interactions(data)
    time = data.events.time
    assert parts.how["method"] == "time"
    assert time[parts.part == 0].max() < time[parts.part == 1].min()
    assert time[parts.part == 1].max() < time[parts.part == 2].min()
    shares = np.bincount(parts.part) / len(time)
    assert np.abs(shares - [0.5, 0.2, 0.3]).max() < 0.03
    assert len(parts.history) == len(parts.fit) + len(parts.choose)


def test_declared_windows():
    more = """
[split]
choose_from = "2026-02-01"
judge_from = "2026-03-01"
judge_until = "2026-04-01"
"""
    data = shop(busy(), more)
    parts = split_interactions(data)
    days = (data.events.time - data.events.time.min()) // 86_400e6 + busy()[0][2]
    want = np.select([days < 31, days < 59, days < 90], [0, 1, 2], -1)
    assert parts.part.tolist() == want.tolist()
    assert parts.how["starts"] == {"choose": "2026-02-01", "judge": "2026-03-01"}
    assert parts.how["n_left_out"] == int(np.sum(days >= 90)) > 0


@pytest.mark.parametrize(
    "more",
    [
        'choose_from = "2026-03-01"\njudge_from = "2026-02-01"',
        'choose_from = "2026-02-01"\njudge_from = "2026-02-01"',
        'choose_from = "2026-02-01"\njudge_from = "2026-03-01"\njudge_until = "2026-02-15"',
        "choose_from = 5\njudge_from = 7",
        'choose_from = "February"\njudge_from = "March"',
    ],
)
def test_windows_that_overlap_or_are_no_dates_are_refused(more):
    with pytest.raises(DeclarationError, match="PAY-D006"):
        split_interactions(shop(busy(), f"[split]\n{more}\n"))


@pytest.mark.parametrize(
    "more",
    [
        'choose_from = "2026-03-01"',
        'judge_until = "2026-03-01"',
        'method = "cluster"',
        'method = "last"\nchoose_from = "2026-02-01"\njudge_from = "2026-03-01"',
    ],
)
def test_half_declared_splits_are_refused(more):
    with pytest.raises(DeclarationError, match="PAY-D006"):
        declared(f"[split]\n{more}\n")


def test_what_is_taken_back_later_is_not_known_earlier():
    rows = busy()
    first = next(r for r in rows if r[2] < 20)
    late = [*rows, (first[0], first[1], 99, -1, first[4])]
    plain, returned = (split_interactions(shop(r)) for r in (rows, late))
    assert plain.fit.value.sum() == returned.fit.value.sum()
    assert plain.history.value.sum() == returned.history.value.sum()
    assert np.array_equal(plain.judge.value, returned.judge.value)


def test_last_of_each_user():
    rows = [("a", f"i{d}", d, 1, 1.0) for d in range(3)] + [("z", "i0", 1, 1, 1.0)]
    many = [(f"u{u}", f"i{(u + d) % 7}", d * 40 + u, 1, 1.0) for u in range(40) for d in range(3)]
    data = shop(rows + many, '[split]\nmethod = "last"\n')
    parts = split_interactions(data)
    who = data.users.labels[data.events.user]
    assert parts.part[who == "a"].tolist() == [0, 1, 2]
    assert parts.part[who == "z"].tolist() == [0]
    for user in np.unique(data.events.user):
        mine = data.events.user == user
        assert np.all(np.diff(parts.part[mine]) >= 0)
    assert np.sum(parts.part == 2) == 41


def test_random_is_the_same_for_the_same_seed():
    more = '[split]\nmethod = "random"\n[training]\nseed = {}\n'
    one, two, other = (split_interactions(shop(busy(), more.format(s))).part for s in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_all_at_one_time_is_refused_and_mended():
    rows = [(u, i, 0, 1, 1.0) for u, i, *_ in busy()]
    with pytest.raises(DataError, match=r"PAY-L006.*1 moment.*'random'"):
        split_interactions(shop(rows))
    rows = [(f"u{u}", f"i{i}", 0, 1, 1.0) for u in range(20) for i in range(20)]
    parts = split_interactions(shop(rows, '[split]\nmethod = "random"\n'))
    assert len(parts.judge) > 20


def test_too_few():
    with pytest.raises(DataError, match="PAY-L009"):
        split_interactions(shop(busy(30)))


def with_part(parts, more=""):
    rows = busy()
    data = table(rows).append_column("part", pa.array(parts(rows)))
    return read_interactions(declared('part = "part"\n' + more), data=data)


def test_a_part_column_is_obeyed():
    found = with_part(
        lambda rows: [
            None if r[2] > 90 else "fit" if r[2] < 50 else "choose" if r[2] < 70 else "judge"
            for r in rows
        ]
    )
    parts = split_interactions(found)
    assert parts.how["method"] == "column"
    assert parts.how["n_left_out"] == int(np.sum(parts.part < 0)) > 0


def test_overlap_of_parts_is_refused():
    rows = [*busy(), busy()[0]]
    parts = ["fit" if r[2] < 50 else "choose" if r[2] < 70 else "judge" for r in rows[:-1]]
    data = table(rows).append_column("part", pa.array([*parts, "judge"]))
    with pytest.raises(DataError, match=r"PAY-L011.*two parts"):
        read_interactions(declared('part = "part"\n'), data=data)
    strange = table(rows).append_column("part", pa.array([*parts, "test"]))
    with pytest.raises(DataError, match=r"PAY-L006.*'test'"):
        read_interactions(declared('part = "part"\n'), data=strange)


def test_cold_users_and_items_are_counted_apart():
    rows = [*busy(), ("new", "i1", 98, 1, 100.0), ("u1", "fresh", 98, 1, 1000.0)]
    cold = split_interactions(shop(rows)).how["cold"]["judge"]
    assert (cold["users"], cold["items"]) == (1, 1)
    assert (cold["value_of_cold_users"], cold["value_of_cold_items"]) == (100, 1000)
    assert cold["value"] > 1100


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["time", "last", "random"]))
def test_every_interaction_is_in_one_part(seed, method):
    data = shop(busy(400, seed=seed, users=40), f'[split]\nmethod = "{method}"\n')
    parts = split_interactions(data)
    assert len(parts.part) == len(data.events)
    assert set(np.unique(parts.part)) == {0, 1, 2}
    assert len(parts.fit) + len(parts.choose) + len(parts.judge) == len(data.events)
    total = sum(p["value"] for p in parts.how["parts"].values())
    assert total == pytest.approx(data.events.value.sum())
