"""The analyst's panel about documents: every number of the data sheet, no document, no markup."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from payoff.load.roles import assign
from payoff.load.source import read
from payoff.load.split import split
from payoff.load.text.checks import sheet_of
from payoff.load.text.sheet import label_suspects
from payoff.report import documents
from payoff.report.analyst import analyst_sections
from payoff.report.corpus import corpus_sections
from payoff.report.facts import Facts
from payoff.report.manager import limits
from tests.load.text.worlds import changed, corpus, with_copies
from tests.report.examples import HOSTILE, binary


def evidence(sheet_changes=None):
    data = assign(read(with_copies(corpus(300), 60)), changed())
    parts = split(data)
    sheet = sheet_of(data, parts) | (sheet_changes or {})
    how = parts.how
    made = binary()
    return dataclasses.replace(made, data={**made.data, "corpus": sheet, "split": dict(how)})


def words_of(section):
    return str(section)


def test_no_section_without_documents():
    assert corpus_sections(Facts(binary())) == []


def test_the_section_tells_the_sheet():
    made = evidence()
    (section,) = corpus_sections(Facts(made))
    assert section in analyst_sections(Facts(made))
    said = words_of(section)
    twins = made.data["split"]["twins"]
    assert "'120'" in said  # documents that are copies
    assert f"{twins['judged_across_otherwise']['n']} (" in said
    assert "Of 360 documents, empty: 0" in said
    assert "not measured, because nothing was trained" in said
    assert "blocked 7919" not in said


def test_suspect_labels_are_rows_to_look_at():
    prob = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.8, 0.2]])
    suspects = label_suspects(prob, np.array([0, 0, 1, 1]))
    said = words_of(corpus_sections(Facts(evidence({"label_noise": suspects})))[0])
    assert "'4'" in said  # counted from 1
    assert "20" in said


@pytest.mark.parametrize("name", HOSTILE[:6])
def test_hostile_names_of_labels_do_nothing(name):
    sheet = evidence().data["corpus"]
    labels = [{**row, "name": name} for row in sheet["labels"]]
    frequent = {**sheet["vocabulary"], "frequent": [{"word": name, "documents": 12}]}
    page = documents(evidence({"labels": labels, "vocabulary": frequent}), bundle={"id": "x"})
    html = page["report.html"]
    text = html if isinstance(html, str) else html.decode()
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "\u202e" not in text


def test_outcomes_are_called_by_their_labels():
    sheet = evidence().data["corpus"]
    codes = ("yes", "no")
    named = [{**row, "name": name} for row, name in zip(sheet["labels"], codes, strict=True)]
    made = evidence({"labels": named})
    facts = Facts(made)
    assert f"'{facts.outcome('yes')}'" in words_of(corpus_sections(facts)[0])


def test_copies_are_not_called_independent():
    made = evidence()
    data = {**made.data, "clustered": False}
    said = limits(Facts(dataclasses.replace(made, data=data)))
    assert any("apart from copies of a document" in s for s in said)
    plain = {k: v for k, v in data.items() if k != "split"}
    said = limits(Facts(dataclasses.replace(made, data=plain)))
    assert any("declared, so each row counts as independent" in s for s in said)
