"""The panel about themes: every figure told, foreign words safe, nothing without documents."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from payoff.report import documents
from payoff.report.analyst import analyst_sections
from payoff.report.facts import Facts
from payoff.report.groups import groups_section, short_groups, slices_sections
from payoff.report.manager import changes
from payoff.report.themes import themes_sections
from tests.evidence.test_themes import background, slices, timeline
from tests.report.examples import HOSTILE, binary
from tests.worlds import binary as decision_of
from tests.worlds import calibrated, judged

NAMES = ("loan, house", "card, chip", "wifi, router")
SHEET = {
    "documents": {"n": 1200, "empty": 0, "one_word": 0},
    "sentences": [],
    "length": {"characters": [1.0] * 5, "words": [1.0] * 5},
    "languages": {"not_measured": "a test"},
    "twins": {"not_measured": "a test"},
    "vocabulary": {"words": 1, "distinct": 1, "once": 1, "frequent": []},
    "personal": {"documents": 0, "replaced": {}, "left": {}},
    "labels": [],
    "label_noise": {"not_measured": "a test"},
}


def evidence(names=NAMES, *, grow=0.4, subgroups=("g",), line=True, small=False):
    rng = np.random.default_rng(3)
    n = 1_200
    prob, y = calibrated(rng, n)
    theme = rng.integers(0, 3, n)
    if small:
        theme[np.flatnonzero(theme == 0)[20:]] = 1
    own = slices(theme, names=names, line=timeline(rng, grow=grow) if line else None)
    own = dataclasses.replace(own, left_out={"language": "the documents are in one language"})
    made = judged(
        decision_of(subgroups=subgroups, volume=1_000),
        {"y": y, "g": rng.choice(["a", "b"], n)},
        prob,
        background=dataclasses.replace(
            background(slices=own), data={"corpus": SHEET, "split": {}, "n_rows": n}
        ),
    )
    example = binary()
    return dataclasses.replace(
        made, data={**example.data, "corpus": SHEET}, model=example.model, decision=made.decision
    )


def test_no_section_without_documents():
    assert themes_sections(Facts(binary())) == []
    assert slices_sections(Facts(binary())) == []


def test_every_theme_and_sentence_is_told():
    made = evidence()
    (section,) = themes_sections(Facts(made))
    assert section in analyst_sections(Facts(made))
    said = str(section)
    for theme in made.themes["themes"]:
        assert theme["name"] in said
        assert theme["examples"][0]["text"] in said
    for sentence in made.themes["sentences"]:
        assert sentence in said
    assert "Themes that move most" in said
    assert "of their own" in said
    drawn = next(b["spec"] for b in section["blocks"] if b["kind"] == "chart")
    assert [-r["value"] for r in drawn["rows"]] == [
        t["lost"]["value"] for t in made.themes["themes"]
    ]


def test_what_was_not_measured_says_why():
    made = evidence(line=False, small=True)
    said = str(themes_sections(Facts(made)))
    assert "no time is declared" in said
    assert "fewer than 30 rows were judged" in said
    gone = dataclasses.replace(made, themes={"not_measured": "themes = 0 is set in [text]"})
    assert "themes = 0 is set" in str(themes_sections(Facts(gone)))


def test_slices_stand_apart_from_declared_subgroups():
    made = evidence()
    facts = Facts(made)
    assert NAMES[0] not in str(groups_section(facts))
    (section,) = slices_sections(facts)
    assert NAMES[0] in str(section)
    assert "the documents are in one language" in str(section)
    assert NAMES[0] not in str(short_groups(facts, 20))
    bare = Facts(evidence(subgroups=()))
    assert "the decision declares none" in str(groups_section(bare))
    assert NAMES[0] in str(short_groups(bare, 20))


def test_the_manager_reads_the_costliest_theme():
    made = evidence()
    assert made.themes["sentences"][0] in changes(Facts(made))


@pytest.mark.parametrize("nasty", [*HOSTILE[:6], "<script>alert(1)</script>\u202e, x"])
def test_words_of_documents_cannot_act(nasty):
    made = evidence((nasty, f"{nasty} 2", "card"))
    html = documents(made, bundle={"id": "0" * 64})["report.html"]
    assert "<script>alert" not in html
    assert "\u202e" not in html


def test_the_page_stays_within_its_weight():
    text = documents(evidence(), bundle={"id": "0" * 64})["report.html"]
    assert len(text.encode()) <= 190_000
