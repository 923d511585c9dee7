"""What twins add and which labels are doubtful, on corpora whose answer is known."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from payoff.errors import percent
from payoff.load.roles import assign
from payoff.load.source import read
from payoff.load.split import split
from payoff.model.scored import Scored
from payoff.model.text import training as trainer
from payoff.progress import silent
from payoff.workflow import corpora
from payoff.workflow.training import run
from tests.load.text.worlds import changed, corpus, with_copies


def parts_of(table, *edits):
    return split(assign(read(table), changed(*edits)))


def kept_of(parts):
    crossed = trainer.cross_fit(
        parts.fit, parts.contract, ("tfidf",), folds=5, seed=0, progress=silent
    )
    return crossed.scored["tfidf"]


def by_chance(copies):
    """Labels are drawn by chance, so nothing but a twin can tell a label."""
    table = corpus(400, seed=3)
    rng = np.random.default_rng(5)
    topic = pa.array(np.where(rng.random(400) < 0.5, "card", "loan"))
    place = table.column_names.index("topic")
    return with_copies(table.set_column(place, "topic", topic), copies)


def test_copies_with_labels_by_chance_are_all_inflation():
    parts = parts_of(by_chance(400))
    kept = kept_of(parts)
    found = corpora.inflation(parts.fit, parts.contract, trainer, kept, "tfidf", progress=silent)
    # Kept together nothing is to be learnt; beside its twin four rows in five are known by heart.
    assert 0.4 < found["accuracy_kept"] < 0.6
    assert found["accuracy_beside"] > 0.65
    accuracy = found["accuracy"]
    assert accuracy["value"] == pytest.approx(found["accuracy_beside"] - found["accuracy_kept"])
    assert 0 < accuracy["low"] < accuracy["value"] < accuracy["high"]
    # A right answer is worth 10 more than a wrong one, and the likelier desk is the dearer one.
    assert found["value"]["value"] == pytest.approx(10 * accuracy["value"], abs=0.3)
    assert found["rows"] == len(parts.fit)
    assert percent(found["accuracy_beside"]) in found["sentences"][0]


def test_without_copies_or_with_very_many_rows_it_is_not_measured(monkeypatch):
    parts = parts_of(corpus(300))
    some = Scored(prob=np.full((len(parts.fit), 2), 0.5), part="fit", source="")
    ask = (parts.contract, trainer, some, "tfidf")
    said = corpora.inflation(parts.fit, *ask, progress=silent)
    assert "copy of another" in said["not_measured"]
    copied = parts_of(with_copies(corpus(300), 60))
    monkeypatch.setattr(corpora, "_FEWEST_SHARE", 0.99)
    said = corpora.inflation(copied.fit, *ask, progress=silent)
    assert "too few to move the figures" in said["not_measured"]
    monkeypatch.setattr(corpora, "_FEWEST_SHARE", 0.01)
    monkeypatch.setattr(corpora, "_MOST_ROWS", 20)
    said = corpora.inflation(copied.fit, *ask, progress=silent)
    assert "more than 20 fitting rows" in said["not_measured"]
    ignoring = replace(parts.fit, twins=None)
    said = corpora.inflation(ignoring, *ask, progress=silent)
    assert said["not_measured"] == "twins are not kept together"


def test_the_run_names_the_rows_whose_label_was_turned():
    table = with_copies(corpus(400, seed=8), 40)
    topic = np.array(table["topic"].to_pylist())
    turned = np.random.default_rng(2).choice(len(topic), 20, replace=False)
    topic[turned] = np.where(topic[turned] == "card", "loan", "card")
    place = table.column_names.index("topic")
    table = table.set_column(place, "topic", pa.array(topic))
    more = '[training]\ncandidates = ["tfidf"]\n'
    data = run(changed(more=more), table).evidence.data
    noise = data["corpus"]["label_noise"]
    parts = split(assign(read(table), changed()))
    expected = set(turned) & set(parts.fit.place.tolist())
    found = {row["row"] for row in noise["rows"]}
    assert found <= expected
    assert len(found) >= 0.8 * len(expected) > 0
    assert noise["labels"] == len(parts.fit)
    assert any("look wrong" in s for s in data["corpus"]["sentences"])
    assert data["split"]["twins"]["inflation"]["rows"] > 0
