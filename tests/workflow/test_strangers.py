"""Documents with a priced review: strangers go to a person; judged, served and scored alike."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pytest

from payoff.bundle import Bundle
from payoff.declare import (
    Action,
    Automation,
    Data,
    Decision,
    Outcome,
    PayoffTable,
    Review,
    TextSettings,
    Training,
)
from payoff.declare.file import from_toml, to_toml
from payoff.workflow.scored_rows import score_rows
from payoff.workflow.training import run
from tests.model.text.making import corpus
from tests.serve.asking import client_of, post, validate

TOPICS = ("card", "rate", "login")
STRANGE = ["bake the flour with sugar and eggs", "quantum chromodynamics on a lattice", "zzz qqq"]


def routing(**more):
    """Send each message to a desk: a wrong one costs 8; a person costs 1 and errs 2 in 100."""
    cells = {f"to {a}": {b: 0 if a == b else -8 for b in TOPICS} for a in TOPICS}
    ask = Action(
        name="ask",
        label="Ask a person",
        review=Review(cost="1", errors=dict.fromkeys(TOPICS, 0.02)),
    )
    return Decision(
        name="routing",
        kind="text",
        currency="EUR",
        unit="message",
        outcomes=tuple(Outcome(name=t, values=(t,)) for t in TOPICS),
        actions=(*(Action(name=a) for a in cells), ask),
        payoffs=PayoffTable.of(cells),
        data=Data(outcome="topic", text=("message",)),
        training=Training(candidates=("tfidf",), folds=3),
        **more,
    )


def rows(n=1200, noise=0.03):
    texts, y = corpus(n, noise=noise)
    return pa.table({"message": texts, "topic": [TOPICS[k] for k in y]})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strangers") / "bundle"
    return run(routing(), rows(), out=folder).evidence, folder


def test_a_review_of_documents_survives_the_file_and_has_its_price():
    declared = routing()
    assert from_toml(to_toml(declared)) == declared
    # 1 for reading, and 8 in two of a hundred; which wrong desk it is makes no difference
    assert declared.payoffs.cell("ask", "card").money == "-1.16"


def test_strangers_go_to_the_person_and_are_told_so(made):
    bundle = Bundle.open(made[1])
    assert bundle.policy.stranger == "ask"
    decided = bundle.decide([{"message": t} for t in STRANGE])
    assert {d["action"] for d in decided} == {"ask"}
    assert not any(d["familiar"] for d in decided)
    known = bundle.decide([{"message": t} for t in rows(60)["message"].to_pylist()])
    assert np.mean([d["familiar"] for d in known]) > 0.9
    assert min(d["familiarity"] for d in known if d["familiar"]) >= bundle.policy.unfamiliar
    assert "automated" not in known[0]
    client = client_of(bundle)
    answer = post(client, json.dumps({"rows": [{"message": t} for t in STRANGE]}).encode()).json()
    document = client.get("/openapi.json").json()
    for one in answer["decisions"]:
        validate(document, document["components"]["schemas"]["Decision"], one)
        assert one["familiar"] is False


def test_the_evidence_counts_what_the_scores_show(made):
    evidence, folder = made
    found = evidence.familiarity
    scored = score_rows(folder, rows()).to_pandas()
    judged = scored[scored.payoff_part == "judge"]
    strange = ~judged.payoff_familiar
    assert found["n_strangers"] == strange.sum()
    assert np.array_equal(strange, judged.payoff_familiarity < found["threshold"])
    assert set(judged[strange].payoff_action) <= {"ask"}
    desk = judged[[f"y_prob_{t}" for t in TOPICS]].to_numpy().argmax(axis=1)
    wrong = np.array(TOPICS)[desk] != judged.topic
    assert found["error"]["familiar"]["value"] == pytest.approx(wrong[~strange].mean())
    if strange.any():
        assert found["error"]["strangers"]["value"] == pytest.approx(wrong[strange].mean())
    # What the rule earns: those sent to a person because of it, against the best by money.
    money = judged[[*(f"expected_to {t}" for t in TOPICS), "expected_ask"]].to_numpy()
    names = np.array([*(f"to {t}" for t in TOPICS), "ask"])
    plain = names[money.argmax(axis=1)]

    def earned(actions):
        right = np.char.replace(actions.astype(str), "to ", "") == judged.topic.to_numpy(str)
        return np.where(actions == "ask", -1.16, np.where(right, 0.0, -8.0))

    gain = earned(judged.payoff_action.to_numpy(str)) - earned(plain)
    assert found["rule"]["value"] == pytest.approx(1000 * gain.mean(), abs=1e-6)


def test_turned_off_nobody_looks(made, tmp_path):
    off = routing(text=TextSettings(unfamiliar=0.0))
    done = run(off, rows(), out=tmp_path / "off", pages=False)
    assert "turns it off" in done.evidence.familiarity["not_measured"]
    decided = Bundle.open(done.folder).decide([{"message": STRANGE[0]}])[0]
    assert "familiar" not in decided
    assert "payoff_familiar" not in score_rows(done.folder, rows(90)).column_names


def test_without_a_person_strangers_are_flagged_only():
    declared = routing()
    plain = dataclasses.replace(
        declared,
        actions=declared.actions[:3],
        payoffs=PayoffTable.of(
            {f"to {a}": {b: 0 if a == b else -8 for b in TOPICS} for a in TOPICS}
        ),
    )
    found = run(plain, rows()).evidence.familiarity
    assert found["action"] is None
    assert "not_measured" in found["rule"]
    assert "flagged" in found["sentences"][-1]


def test_documents_are_automated_at_a_limit_with_copies_counted_once(tmp_path):
    table = rows(2000)
    table = pa.concat_tables([table, table.slice(0, 200)])  # copies of one in ten
    declared = routing(automation=Automation(max_error=0.08))
    done = run(declared, table, out=tmp_path / "bundle")
    found = done.evidence.automation
    assert found["chosen"]["method"] == "binomial"
    assert found["chosen"]["copies"] > 0
    assert found["chosen"]["n"] == found["chosen"]["n_clusters"]
    assert found["threshold"] is not None
    assert found["state"] != "broken"
    bundle = Bundle.open(done.folder)
    told = bundle.decide([{"message": STRANGE[0]}, {"message": table["message"][0].as_py()}])
    assert told[0]["automated"] is False
    assert told[0]["why_not"] == "unlike whatever the model learnt from"
    assert told[1]["familiar"] is True
