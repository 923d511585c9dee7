"""Whole decisions about real documents; skipped where the development data are absent."""

import pytest

from payoff.declare.file import from_toml
from payoff.workflow import run
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def judged(name, shared_data):
    file = ROOT / "benchmarks" / "decisions" / f"{name}.toml"
    if not (shared_data / "text").is_dir():
        pytest.skip("no development data of documents: 'text' is not a folder of them")
    return run(from_toml(file.read_text(encoding="utf-8").replace("{data}", str(shared_data))))


def test_complaints_reach_their_desk_at_an_error_rate_that_holds(shared_data):
    evidence = judged("complaints", shared_data).evidence
    assert evidence.verdict["state"] == "deploy"
    kept = evidence.automation["judged"]
    assert kept["rate"]["low"] <= 0.10
    wrong = {p.name: p.total.value for p in evidence.policies}
    assert wrong[evidence.verdict["recommended"]] > wrong["all:read"]


def test_which_reviews_are_answered_is_judged_by_age(shared_data):
    evidence = judged("reviews", shared_data).evidence
    assert evidence.verdict["state"] == "deploy"
    age = next(s for s in evidence.subgroups if s.name == "age")
    assert len([g for g in age.groups if g.state == "ok"]) == 5
    assert evidence.themes["errors"]["value"] < 0.2
