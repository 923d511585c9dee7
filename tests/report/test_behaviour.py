"""The sections about documents and their words: every figure there, and no document acts."""

from __future__ import annotations

import dataclasses
import re

import pytest

from payoff.report import documents
from payoff.report.behaviour import behaviour_sections
from payoff.report.facts import Facts
from tests.report.examples import HOSTILE, binary, est
from tests.report.test_browser import PROBE, attribute, browse  # noqa: F401  (a fixture)
from tests.report.test_documents import Page

NASTY = (*HOSTILE[:8], "\u05e9\u05dc\u05d5\u05dd </mark></div> &lt;script&gt; javascript:alert(1)")


def estimate(value, half, unit):
    return dataclasses.asdict(est(value, half, unit, 500))


def explained(text, shown="lost"):
    runs = [(f"{text} and ", 0), (text, 3), (" ", 0), ("card", -1), (f" {text}", 0)]
    return {
        "shown": shown,
        "row": 41,
        "action": "leave",
        "best": "call" if shown == "lost" else "leave",
        "outcome": "yes" if shown == "lost" else "no",
        "money": 0.0,
        "best_money": 45.0 if shown == "lost" else 0.0,
        "expected_money": {"call": -1.0, "leave": 0.0},
        "why": {
            "outcome": "no",
            "against": "yes",
            "log_odds": 2.25,
            "words": 2.0,
            "note": text,
            "columns": [{"column": text, "log_odds": 0.5}],
            "rest": [{"name": "intercept", "log_odds": -0.25}],
        },
        "documents": {text: [{"text": t, "strength": s} for t, s in runs]},
        "nearest": [{"row": 7, "outcome": "no", "cosine": 0.5}],
        "removal": {"action": "leave", "removed": [text], "becomes": "call", "tried": 9},
        "sentences": [text],
    }


def measured(name, family, state, text):
    return {
        "name": name,
        "family": family,
        "label": name.capitalize(),
        "scanned": 600,
        "documents": 500,
        "changed": 43,
        "share": estimate(0.086, 0.025, "share"),
        "money": estimate(-0.02, 0.05, "EUR per customer"),
        "total": estimate(-1916.0, 2400.0, "EUR per month"),
        "moves": [{"from": "call", "to": "leave", "n": 23}],
        "example": {
            "row": 3,
            "before": "call",
            "after": "leave",
            "money": -45.0,
            "text_before": text,
            "text_after": f"{text}x",
        },
        "state": state,
    }


def evidence(text):
    tests = [
        measured("typos", "typing", "tip", text),
        measured("gender", "identity", "issue", text),
        {"name": "names", "family": "identity", "label": "Names", "not_measured": text,
         "state": "not_measured"},
    ]  # fmt: skip
    return dataclasses.replace(
        binary(),
        behaviour={
            "tests": tests,
            "families": {"typing": "ways of typing", "identity": "identity terms"},
            "thresholds": {"tip": 0.02, "issue": 0.1, "identity": 0.01},
            "language": text,
            "sentences": [text],
        },
        explanations={"rows": [explained(text), explained(text, "right")], "sentences": [text]},
    )


def test_no_sections_without_documents():
    assert behaviour_sections(Facts(binary())) == []


def test_the_sections_tell_every_figure():
    why, changed = behaviour_sections(Facts(evidence("word")))
    said = str(why)
    assert "Lost most: row 42. " in said
    assert "45.0 less than" in said or "45 less than" in said
    assert "+2.25: words +2.00, word +0.50, intercept \u22120.25" in said
    assert "row 8, " in said
    assert "Right, of the usual kind: row 42" in said
    said = str(changed)
    for figure in (
        "'500'",
        "'43'",
        "8.6 %",
        "6.1 to 11.1 %",
        "\u22121,900",
        "worth a look",
        "issue",
    ):
        assert figure in said, figure


def test_what_was_not_measured_says_why():
    made = dataclasses.replace(
        binary(),
        behaviour={"not_measured": "switched off"},
        explanations={"not_measured": "the declaration shows no documents"},
    )
    said = str(behaviour_sections(Facts(made)))
    assert "because switched off." in said
    assert "because the declaration shows no documents." in said


@pytest.mark.parametrize("text", NASTY)
def test_no_document_acts(text):
    page = documents(evidence(text))["report.html"]
    found = Page(page)
    assert not found.named("script", "img", "iframe", "object", "form")
    assert len(found.named("style")) == 1
    marks = [a["class"] for _, a in found.named("mark")]
    assert marks == ["f3", "a1"] * 2
    for character in "\u202e\u2066\u200b\x1b\r":
        assert character not in page
    assert not re.search(r'<[^>]*\b(?:on\w+|href|src)="?(?:javascript|x|alert)', page)


@pytest.mark.browser
@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize("text", [NASTY[0], NASTY[7], NASTY[8], "W" * 600])
def test_the_page_fits_its_window(browse, width, text):  # noqa: F811
    page = documents(evidence(text))["report.html"]
    probe = PROBE.format(width=width, page=attribute(page))
    dom = browse(probe, "--dump-dom", "--virtual-time-budget=5000", "--window-size=1400,1000")
    title = re.search("<title>(.*?)</title>", dom)[1]
    assert title == f"scroll={width} wide=0 small=0 styled=true scripts=0"
