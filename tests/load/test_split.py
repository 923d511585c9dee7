"""Parts are disjoint and complete, keep together what belongs together, and judge the future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payoff.declare import Data, Split
from payoff.declare.file import from_toml
from payoff.load.roles import assign
from payoff.load.source import read
from payoff.load.split import split
from tests.bad_input.making import RIGHT, rows

DECISION = from_toml(RIGHT)


def parts_of(table, **changes):
    roles = {k: v for k, v in changes.items() if k in ("time", "cluster", "part", "weight")}
    decision = replace(DECISION, data=replace(DECISION.data, **roles))
    if "seed" in changes:
        decision = replace(decision, training=replace(decision.training, seed=changes["seed"]))
    if "split" in changes:
        decision = replace(decision, split=changes["split"])
    return split(assign(read(table), decision))


def numbered(n: int, **columns):
    return rows(n, row=np.arange(n), **columns)


def ids(parts):
    return [p.table["row"].to_pylist() for p in (parts.fit, parts.choose, parts.judge)]


def assert_whole(parts, n: int) -> None:
    every = [row for part in ids(parts) for row in part]
    assert sorted(every) == list(range(n))


@settings(max_examples=25)
@given(n=st.integers(150, 400), seed=st.integers(0, 2**40))
def test_random_parts_are_whole_stratified_and_stable(n, seed):
    table = numbered(n)
    parts = parts_of(table, seed=seed)
    assert_whole(parts, n)
    assert ids(parts) == ids(parts_of(table, seed=seed))
    overall = np.mean(np.array(table["y"].to_pylist()) == "yes")
    for part, share in ((parts.fit, 0.5), (parts.choose, 0.2), (parts.judge, 0.3)):
        assert abs(len(part) / n - share) <= 2 / n
        assert abs(np.mean(part.outcome == 0) - overall) <= 2 / len(part)


def test_another_seed_is_another_split():
    assert ids(parts_of(numbered(300), seed=1)) != ids(parts_of(numbered(300), seed=2))


@settings(max_examples=25)
@given(moments=st.integers(40, 200), seed=st.integers(0, 99))
def test_time_keeps_moments_together_and_later_rows_judge(moments, seed):
    rng = np.random.default_rng(seed)
    t = rng.integers(0, moments, 400)
    parts = parts_of(numbered(400, t=t), time="t")
    assert_whole(parts, 400)
    fit, choose, judge = (
        set(p.table["t"].to_pylist()) for p in (parts.fit, parts.choose, parts.judge)
    )
    assert max(fit) < min(choose)
    assert max(choose) < min(judge)
    assert parts.how["method"] == "time"


@settings(max_examples=25)
@given(clusters=st.integers(30, 200), seed=st.integers(0, 99))
def test_a_cluster_is_never_on_both_sides(clusters, seed):
    who = np.random.default_rng(seed).integers(0, clusters, 400)
    parts = parts_of(numbered(400, who=who), cluster="who")
    assert_whole(parts, 400)
    seen = [set(p.table["who"].to_pylist()) for p in (parts.fit, parts.choose, parts.judge)]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]
    for part, names in zip((parts.fit, parts.choose, parts.judge), seen, strict=True):
        assert len(np.unique(part.cluster)) == len(names) == part.cluster.max() + 1


def test_rows_of_nobody_are_clusters_of_their_own():
    who = pa.array([None if k % 2 else k // 20 for k in range(400)])
    parts = parts_of(numbered(400, who=who), cluster="who")
    assert_whole(parts, 400)
    assert sum(len(np.unique(p.cluster)) for p in (parts.fit, parts.choose, parts.judge)) == 220


def test_the_part_column_is_obeyed():
    part = np.array(["fit"] * 100 + ["judge"] * 60 + ["choose"] * 40)
    parts = parts_of(numbered(200, part=part), part="part")
    assert ids(parts) == [list(range(100)), list(range(160, 200)), list(range(100, 160))]
    assert parts.how["method"] == "column"


def test_rows_without_outcome_weight_time_or_part_are_counted_out():
    y = ["yes" if k % 2 else "no" for k in range(300)]
    table = numbered(
        300,
        y=pa.array([None if k < 10 else y[k] for k in range(300)]),
        w=np.where((np.arange(300) >= 10) & (np.arange(300) < 30), 0.0, 2.0),
        t=pa.array([None if 30 <= k < 35 else k for k in range(300)]),
    )
    parts = parts_of(table, weight="w", time="t")
    assert {d["reason"]: d["n"] for d in parts.dropped} == {
        "the outcome is not known yet": 10, "the weight is 0": 20, "the time is missing": 5,
    }  # fmt: skip
    assert sorted(k for part in ids(parts) for k in part) == list(range(35, 300))


def test_declared_shares_are_kept():
    parts = parts_of(numbered(400), split=Split(fit=0.3, choose=0.3, judge=0.4))
    assert [len(p) for p in (parts.fit, parts.choose, parts.judge)] == [120, 120, 160]


def test_order_of_rows_does_not_change_a_split_by_time():
    table = numbered(400, t=np.arange(400) // 3)
    shuffled = table.take(np.random.default_rng(3).permutation(400))
    ours, theirs = ids(parts_of(table, time="t")), ids(parts_of(shuffled, time="t"))
    assert [sorted(a) for a in ours] == [sorted(b) for b in theirs]


def test_how_it_was_split_is_written_down():
    parts = parts_of(numbered(300, t=np.arange(300)), time="t")
    facts = parts.how["parts"]["judge"]
    assert facts["n"] == len(parts.judge)
    assert sum(facts["outcome_share"].values()) == pytest.approx(1)
    assert (facts["first"], facts["last"]) == ("210", "299")


@pytest.mark.parametrize("method", ["time", "cluster"])
def test_method_without_its_column(method):
    from payoff.errors import DataError

    with pytest.raises(DataError, match=f"PAY-L004.*key data.{method}"):
        parts_of(numbered(200), split=Split(method=method))


def test_roles_may_not_be_written_to():
    data = assign(read(rows()), replace(DECISION, data=Data(outcome="y")))
    for array in (data.outcome, data.weight, data.cluster):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
