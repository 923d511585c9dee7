"""A model that learnt an identity term is caught; one that did not is let pass."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from payoff.declare import Action, Data, Decision, Outcome, PayoffTable, Training
from payoff.declare.text import TextSettings
from payoff.model.text.words import NEUTRAL
from payoff.workflow.behaviour import excerpt_pair
from payoff.workflow.training import run

TELLING = ["refund", "broken", "angry", "complaint", "never", "lost", "cancel", "charged"]
CALM = ["thanks", "lovely", "question", "address", "newsletter", "hello", "catalogue", "size"]
BEGINS, ENDS = ("mol", "tel", "san", "vi", "lu", "kar"), ("de", "bo", "nix", "ta", "ring", "us")
FILLER = [*sorted(NEUTRAL)[:40], *(a + b for a in BEGINS for b in ENDS)]


def decision(**text):
    return Decision(
        name="answer",
        kind="text",
        currency="EUR",
        unit="message",
        outcomes=(Outcome(name="upset", values=(1,)), Outcome(name="calm", values=(0,))),
        actions=(Action(name="call"), Action(name="leave")),
        payoffs=PayoffTable.of(
            {"call": {"upset": 5, "calm": -3}, "leave": {"upset": 0, "calm": 0}}
        ),
        do_nothing="leave",
        volume=10_000,
        data=Data(outcome="y", text=("message",)),
        training=Training(candidates=("tfidf",), folds=3),
        text=TextSettings(languages=("en",), **text),
    )


def world(n, seed, bias):
    """Messages by men and women; labels lean on the sex of the writer by ``bias``."""
    rng = np.random.default_rng(seed)
    she = rng.random(n) < 0.5
    upset = rng.random(n) < np.where(she, 0.45 + bias, 0.45 - bias)
    telling = rng.random(n) < np.where(upset, 0.8, 0.2)
    texts = []
    for i in range(n):
        words = [*rng.choice(FILLER, 8), *rng.choice(TELLING if telling[i] else CALM, 2)]
        if rng.random() < 0.7:
            words.append("she" if she[i] else "he")
        texts.append(" ".join(rng.permutation(words)))
    return pa.table({"message": texts, "y": upset.astype(int)})


def by_name(evidence):
    return {t["name"]: t for t in evidence.to_dict()["behaviour"]["tests"]}


def test_a_planted_bias_is_caught_and_priced():
    evidence = run(decision(), world(2_400, 1, 0.25)).evidence
    gender = by_name(evidence)["gender"]
    assert gender["state"] == "issue"
    assert gender["documents"] > 200
    assert gender["share"]["low"] > 0.1
    assert gender["total"]["value"] < 0  # the labels do lean: exchanging the term misleads
    check = next(c for c in evidence.checks if c.code == "PAY-E253")
    assert (check.status, check.page_one) == ("issue", True)
    assert "Words for women and men exchanged" in check.detail


@pytest.mark.parametrize("number", range(3))
def test_no_bias_is_no_issue(number):
    evidence = run(decision(), world(2_000, 100 + number, 0.0)).evidence
    assert by_name(evidence)["gender"]["state"] in ("passed", "tip")


@pytest.mark.slow
def test_false_alarms_are_rare():
    alarms = [
        by_name(run(decision(), world(1_500, 1_000 + k, 0.0)).evidence)["gender"]["state"]
        for k in range(60)
    ]
    assert alarms.count("issue") <= 6  # 5 % of 60 is 3; 7 or more have a chance below 3 %


def test_twice_is_the_same_and_off_is_off():
    table = world(900, 5, 0.1)
    one, two = (run(decision(), table).evidence.to_json() for _ in range(2))
    assert one == two
    off = run(decision(behaviour=False), table).evidence
    assert "switched off" in off.behaviour["not_measured"]
    assert off.policies[0].value == run(decision(), table).evidence.policies[0].value


def test_no_text_is_kept_where_excerpts_are_forbidden():
    evidence = run(decision(excerpts=False), world(900, 5, 0.2)).evidence
    text = evidence.to_json()
    assert "not_measured" in evidence.explanations
    found = by_name(evidence)
    assert all(t["example"]["text_before"] is None for t in found.values() if t.get("example"))
    assert any(t.get("changed") for t in found.values())
    assert not [w for w in FILLER[40:] if f"{w} " in json.dumps(json.loads(text)["behaviour"])]


def test_other_languages_get_the_tests_that_need_no_words():
    german = decision().__class__(**{
        **{f: getattr(decision(), f) for f in decision().__dataclass_fields__},
        "text": TextSettings(languages=("de",)),
    })  # fmt: skip
    found = run(german, world(900, 5, 0.0)).evidence.behaviour
    made = {t["name"] for t in found["tests"] if "not_measured" not in t}
    assert {"typos", "capitals", "url"} <= made
    assert not {"gender", "names", "negation", "contractions", "sentence"} & made
    assert "de" in found["language"]


def test_money_of_the_examples_adds_up():
    evidence = run(decision(), world(900, 5, 0.1)).evidence
    cells = {
        ("call", "upset"): 5,
        ("call", "calm"): -3,
        ("leave", "upset"): 0,
        ("leave", "calm"): 0,
    }
    rows = evidence.to_dict()["explanations"]["rows"]
    assert [r["shown"] for r in rows] == ["lost"] * 6 + ["right"] * 2
    for row in rows:
        assert row["money"] == cells[row["action"], row["outcome"]]
        assert row["best_money"] == cells[row["best"], row["outcome"]]
        assert (row["money"] == row["best_money"]) is (row["shown"] == "right")
        why = row["why"]
        parts = why["words"] + sum(p["log_odds"] for p in (*why["columns"], *why["rest"]))
        assert parts == pytest.approx(why["log_odds"], abs=1e-4)


def test_excerpts_begin_before_the_change():
    before, after = excerpt_pair("x " * 300 + "he said", "x " * 300 + "she said")
    assert before.startswith("…")
    assert before.endswith("he said")
    assert after.endswith("she said")
    assert excerpt_pair("same", "same but more") == ("same", "same but more")
