"""What would change the answer, on the page: every drawing has its table, and names are escaped."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from payoff.declare import Action, Cell, Outcome, PayoffTable
from payoff.declare.settings import EvidenceSettings
from payoff.evidence.acted import Background
from payoff.evidence.evidence import Evidence
from payoff.report import documents
from payoff.report.summarise import summarise
from tests.worlds import binary, calibrated, judged, three_by_three

HOSTILE = '</script><script>alert(1)</script>"><img src=x onerror=alert(1)>'


def rich(label="Call"):
    """Ranges, a margin, capacity, groups and a base rate that moved."""
    rng = np.random.default_rng(5)
    prob, y = calibrated(rng, 1500)
    base = binary(subgroups=("g",), capacity=0.2, volume=1000.0, rule="x > 1")
    cells = dict(base.payoffs.cells)
    cells["call", "no"] = Cell(money="-1", low=-2.0, high=-0.5)
    decision = dataclasses.replace(
        base,
        payoffs=PayoffTable(cells=cells),
        evidence=EvidenceSettings(margin=50),
        outcomes=(
            Outcome(name="yes", values=(1,), label=label),
            Outcome(name="no", values=(0,)),
        ),
        actions=(dataclasses.replace(base.actions[0], label=label), Action(name="leave")),
    )
    table = {
        "y": y,
        "g": np.array(["a", "b"])[rng.integers(0, 2, 1500)],
        "x": rng.normal(size=1500),
    }
    facts = {"fit_shares": {"yes": 0.1, "no": 0.9}, "fit_n": 2000}
    return judged(decision, table, prob, background=Background(data={}, model={}, **facts))


def three():
    rng = np.random.default_rng(6)
    prob = rng.dirichlet([1, 2, 6], 400)
    y = np.array(["fraud", "error", "fine"])[[rng.choice(3, p=p) for p in prob]]
    return judged(three_by_three(), {"y": y, "amount": rng.lognormal(5, 1, 400)}, prob)


def section(evidence, ident):
    pages = {p["id"]: p for p in summarise(evidence)["pages"]}
    return next(s for s in pages["analyst"]["sections"] if s["id"] == ident)


@pytest.mark.parametrize("world", [rich, three])
@pytest.mark.parametrize("ident", ["a-errors", "a-change", "a-rate", "a-sure", "a-calibration"])
def test_each_drawing_has_a_table_after_it(world, ident):
    found = section(world(), ident)["blocks"]
    kinds = [b["kind"] for b in found]
    for place, kind in enumerate(kinds):
        assert kind != "chart" or "table" in kinds[place:]
    assert "table" in kinds or "absent" in kinds


def test_the_page_holds_every_section_and_stays_small():
    page = next(v for k, v in documents(rich()).items() if k.endswith(".html"))
    text = page if isinstance(page, str) else page.decode()
    assert len(text.encode()) <= 150_000
    for ident in ("a-errors", "a-change", "a-rate", "a-sure"):
        assert f'id="{ident}"' in text


def test_names_in_sentences_and_drawings_are_escaped():
    made = documents(rich(label=HOSTILE))
    page = next(v for k, v in made.items() if k.endswith(".html"))
    text = page if isinstance(page, str) else page.decode()
    assert "<script>alert" not in text
    assert "<img src=x" not in text


@pytest.mark.parametrize("world", [rich, three])
def test_sections_survive_json(world):
    evidence = world()
    again = Evidence.from_dict(json.loads(evidence.to_json()))
    assert again.to_json() == evidence.to_json()
    assert summarise(again) == summarise(evidence)


@pytest.mark.parametrize("part", ["people", "sensitivity", "base_rate", "information"])
def test_a_section_that_was_not_measured_says_why(part):
    evidence = dataclasses.replace(rich(), **{part: {"not_measured": "the rows are secret"}})
    ident = {"people": "a-errors", "sensitivity": "a-change", "base_rate": "a-rate",
             "information": "a-sure"}[part]  # fmt: skip
    assert "the rows are secret" in section(evidence, ident)["blocks"][0]["text"]


@pytest.mark.parametrize("world", [rich, three])
def test_every_sentence_has_a_number_or_says_that_nothing_changes(world):
    evidence = world()
    for part in ("people", "sensitivity", "base_rate", "information", "calibration"):
        said = getattr(evidence, part)["sentences"]
        assert 1 <= len(said) <= 4
        assert all(s.endswith(".") and len(s) <= 320 for s in said)
