"""No twin of a judged document was learnt from, however the rows are split."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from payoff.load.roles import assign
from payoff.load.source import read
from payoff.load.split import split
from payoff.load.text.twins import twin_groups
from tests.load.text.worlds import RIGHT, changed, corpus, with_copies


def parts_of(table, decision):
    parts = split(assign(read(table), decision))
    return parts, [p.table["narrative"].to_pylist() for p in (parts.fit, parts.choose, parts.judge)]


def across(texts):
    """Groups with members in more than one part."""
    flat = [t for part in texts for t in part]
    part = np.repeat([0, 1, 2], [len(t) for t in texts])
    pairs = {(int(g), int(p)) for g, p in zip(twin_groups(flat), part, strict=True)}
    return len(pairs) - len({g for g, _ in pairs})


def test_twins_stay_together_and_no_row_is_lost():
    table = with_copies(corpus(300), 120)
    parts, texts = parts_of(table, changed())
    assert sum(map(len, texts)) == 420
    assert across(texts) == 0
    record = parts.how["twins"]
    assert record["groups"] == 120
    assert record["rows"] == 240
    assert record["across"] == record["left_out"] == 0
    assert record["judged_across_otherwise"]["n"] > 20
    assert "not_measured" in record["inflation"]
    for part, share in zip(texts, (0.5, 0.2, 0.3), strict=True):
        assert abs(len(part) / 420 - share) < 0.03
    assert parts.judge.clustered
    assert parts.judge.cluster.max() + 1 == len(set(twin_groups(texts[2]).tolist()))


def test_without_the_rule_they_stand_on_both_sides():
    table = with_copies(corpus(300), 120)
    parts, texts = parts_of(table, changed(more='\n[text]\ntwins = "ignore"\n'))
    assert across(texts) > 40
    assert parts.how["twins"]["across"] == across(texts)
    assert not parts.judge.clustered


def test_twins_and_clusters_are_joined():
    table = with_copies(corpus(300), 100)
    people = np.arange(400) // 2
    table = table.append_column("who", pa.array(people))
    decision = changed(('outcome = "topic"', 'outcome = "topic"\ncluster = "who"'))
    parts, texts = parts_of(table, decision)
    assert across(texts) == 0
    sides = [set(p.table["who"].to_pylist()) for p in (parts.fit, parts.choose, parts.judge)]
    assert sum(map(len, sides)) == len(set.union(*sides))


def test_time_leaves_later_twins_out_instead_of_moving_them():
    table = with_copies(corpus(300), 120)
    table = table.append_column("when", pa.array(np.arange(420)))
    decision = changed(('outcome = "topic"', 'outcome = "topic"\ntime = "when"'))
    parts, texts = parts_of(table, decision)
    assert across(texts) == 0
    left_out = parts.how["twins"]["left_out"]
    assert left_out > 20
    assert sum(map(len, texts)) == 420 - left_out
    assert {"reason": "a twin of the document stands in an earlier part", "n": left_out} in list(
        parts.dropped
    )
    assert max(parts.fit.table["when"].to_pylist()) < min(parts.judge.table["when"].to_pylist())


def test_a_declared_part_is_obeyed_and_its_leak_counted():
    table = with_copies(corpus(300), 120)
    part = np.random.default_rng(2).choice(["fit", "choose", "judge"], 420)
    table = table.append_column("part", pa.array(part))
    parts, texts = parts_of(
        table, changed(('outcome = "topic"', 'outcome = "topic"\npart = "part"'))
    )
    assert sum(map(len, texts)) == 420
    assert parts.how["twins"]["across"] == across(texts) > 20


def test_nothing_changes_for_decisions_without_documents():
    assert "text" in RIGHT
    decision = changed(('kind = "text"\n', ""), ('text = ["narrative"]\n', ""))
    parts, _ = parts_of(corpus(300), decision)
    assert "twins" not in parts.how
    assert parts.judge.twins is None


@pytest.mark.parametrize("seed", range(5))
def test_distinct_documents_are_split_as_evenly_as_before(seed):
    _, texts = parts_of(corpus(300, seed=seed), changed())
    assert [len(t) for t in texts] == pytest.approx([150, 60, 90], abs=2)
