"""A decision about documents goes the whole way: trained, judged, bundled, opened, served."""

import dataclasses
import json

import numpy as np
import pytest

from payoff.bundle import Bundle
from payoff.declare import (
    Action,
    Data,
    Decision,
    Outcome,
    Past,
    PayoffTable,
    TextSettings,
    Training,
)
from payoff.declare.file import from_toml, to_toml
from payoff.workflow.scored_rows import score_rows
from payoff.workflow.training import run
from tests.model.text.making import corpus
from tests.serve.asking import client_of

TOPICS = ("card", "rate", "login")
NUMBER = "4111 1111 1111 1111"


def routing(**more):
    """Route each message to a desk: 1 where it is right, -3 where it is wrong; a human costs .5."""
    cells = {f"to {a}": {b: 1 if a == b else -3 for b in TOPICS} for a in TOPICS}
    cells["human"] = dict.fromkeys(TOPICS, 0.5)
    return Decision(
        name="routing",
        kind="text",
        currency="EUR",
        unit="message",
        outcomes=tuple(Outcome(name=t, values=(t,)) for t in TOPICS),
        actions=tuple(Action(name=a) for a in cells),
        payoffs=PayoffTable.of(cells),
        do_nothing="human",
        data=Data(outcome="topic", text=("message",), unit_id="id"),
        **more,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    import pyarrow as pa

    texts, y = corpus(900, noise=0.15)
    rng = np.random.default_rng(4)
    table = pa.table(
        {
            "id": [f"m{i}" for i in range(900)],
            # Cards come in a few messages: none may reach the bundle.
            "message": [f"{t} {NUMBER}" if i % 10 == 0 else t for i, t in enumerate(texts)],
            "amount": rng.normal(size=900),
            "topic": [TOPICS[k] for k in y],
        }
    )
    folder = tmp_path_factory.mktemp("text") / "bundle"
    done = run(
        routing(training=Training(candidates=("tfidf",), folds=3)), table, out=folder, pages=True
    )
    return done, folder, table


def test_the_model_earns_what_its_right_answers_bring(made):
    evidence = made[0].evidence.to_dict()
    own = evidence["policies"][0]
    # A tenth of the labels is wrong, so a right desk earns at most .9 - .3 = .6 a message, and
    # a human .5; a plain guess loses.
    per_unit = own["value"]["value"]
    assert 0.5 < per_unit < 0.8


def test_the_bundle_decides_one_document_as_many(made):
    bundle = Bundle.open(made[1])
    rows = [
        {"message": m, "amount": a}
        for m, a in zip(
            made[2]["message"].to_pylist()[:40], made[2]["amount"].to_pylist()[:40], strict=True
        )
    ]
    together = bundle.decide(rows)
    assert [bundle.decide([r])[0] for r in rows] == together
    assert {d["action"] for d in together} <= {"to card", "to rate", "to login", "human"}


def test_a_document_of_another_world_goes_to_a_human(made):
    decided = Bundle.open(made[1]).decide([{"message": "zzz qqq", "amount": 0.0}])
    assert decided[0]["action"] == "human"


def test_no_personal_data_reaches_the_bundle(made):
    digits = NUMBER.replace(" ", "")
    for file in made[1].rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert b"4111 1111" not in content, file
            assert digits.encode() not in content, file
    prepared = Bundle.open(made[1]).prepare([{"message": f"my card is {NUMBER}", "amount": 1.0}])
    assert "4111" not in json.dumps(prepared)
    assert prepared[0]["amount"] == 1.0


def test_candidates_follow_the_kind_and_survive_the_file():
    decision = routing()
    assert decision.training.candidates == ("tfidf", "embeddings", "tfidf+embeddings")
    assert from_toml(to_toml(decision)) == decision
    own = routing(training=Training(candidates=("tfidf",)))
    assert from_toml(to_toml(own)).training.candidates == ("tfidf",)


def test_a_served_document_has_the_theme_of_its_table(made):
    folder, table = made[1], made[2]
    bundle = Bundle.open(folder)
    assert bundle.themes is not None
    scored = score_rows(folder, table)
    named = scored.column("payoff_theme").to_pylist()
    assert set(named) <= {*bundle.themes.names, None}
    rows = [
        {"message": m, "amount": a}
        for m, a in zip(
            table["message"].to_pylist()[:50], table["amount"].to_pylist()[:50], strict=True
        )
    ]
    assert [d["theme"] for d in bundle.decide(rows)] == named[:50]
    assert bundle.decide([{"message": "zzz qqq", "amount": 0.0}])[0]["theme"] is None


def test_the_server_says_the_theme_and_documents_it(made):
    bundle = Bundle.open(made[1])
    client = client_of(bundle)
    answer = client.post("/decide", json={"message": "my card was stolen", "amount": 1.0}).json()
    theme = answer["decisions"][0]["theme"]
    assert theme in bundle.themes.names
    schema = client.get("/openapi.json").json()["components"]["schemas"]["Decision"]
    assert theme in schema["properties"]["theme"]["enum"]
    assert "theme" in schema["required"]


def test_no_themes_means_no_column_and_no_field(tmp_path, made):
    decision = routing(
        training=Training(candidates=("tfidf",), folds=3), text=TextSettings(themes=0)
    )
    done = run(decision, made[2], out=tmp_path / "b", pages=False)
    assert "payoff_theme" not in score_rows(done.folder, made[2]).column_names
    assert "theme" not in Bundle.open(done.folder).decide([{"message": "card"}])[0]


def test_themes_do_not_change_when_judging_rows_do(tmp_path, made):
    """Other documents in the judging rows: the same themes, because none was looked at."""
    table = made[2]
    part = np.repeat(["fit", "choose", "judge"], [500, 200, 200])
    with_part = table.append_column("part", [part.tolist()])
    strange = np.array(table["message"].to_pylist(), dtype=object)
    strange[700:] = [f"zebra giraffe elephant {i} {i * 7}" for i in range(200)]
    other = with_part.set_column(1, "message", [strange.tolist()])
    decision = routing(training=Training(candidates=("tfidf",), folds=3))
    decision = dataclasses.replace(decision, data=dataclasses.replace(decision.data, part="part"))
    files = []
    for number, rows in enumerate((with_part, other)):
        done = run(decision, rows, out=tmp_path / str(number), pages=False)
        files.append({f.name: f.read_bytes() for f in (done.folder / "model").glob("themes*")})
    assert len(files[0]) == 3
    assert files[0] == files[1]


def test_slices_and_themes_are_judged(made):
    evidence = made[0].evidence
    automatic = [s for s in evidence.subgroups if s.automatic]
    assert {s.name for s in automatic} <= {"theme", "length", "language"}
    assert automatic[0].name == "theme"
    bundle = Bundle.open(made[1])
    found = evidence.themes
    assert {t["name"] for t in found["themes"]} == set(bundle.themes.names)
    assert (
        sum(t["n"] for t in found["themes"]) + found["unknown"]["n"] == evidence.policies[0].value.n
    )
    assert "no time is declared" in found["drift"]["not_measured"]
    texts = made[2]["message"].to_pylist()
    for theme in found["themes"]:
        for example in theme["examples"]:
            assert "4111" not in example["text"]
            first = texts[example["row"]].replace(NUMBER, "[card]")
            assert " ".join(first.split()).startswith(example["text"].removesuffix("…"))


def test_slices_and_excerpts_can_be_turned_off(made):
    decision = routing(
        training=Training(candidates=("tfidf",), folds=3),
        text=TextSettings(slices=(), excerpts=False),
    )
    found = run(decision, made[2], pages=False).evidence
    assert found.subgroups == ()
    assert found.themes["themes"]
    assert not any(t["examples"] for t in found.themes["themes"])
    assert from_toml(to_toml(decision)) == decision


def test_time_makes_a_drift_of_themes(made):
    days = np.datetime64("2025-01-01") + np.arange(900) // 3
    table = made[2].append_column("day", [days.astype("datetime64[D]")])
    decision = routing(training=Training(candidates=("tfidf",), folds=3))
    data = dataclasses.replace(decision.data, time="day")
    found = run(dataclasses.replace(decision, data=data), table, pages=False).evidence.themes[
        "drift"
    ]
    assert found["by"] == "month"
    assert found["periods"][0]["label"] == "2025-01"
    assert sum(p["n"] for p in found["periods"]) <= 900
    assert set(found["parts"]) == {"fit", "judge"}
    assert "No theme grew or shrank" in found["sentences"][0]


def test_where_outcomes_were_recorded_under_one_action_themes_are_not_judged(made):
    rng = np.random.default_rng(2)
    table = made[2].append_column("done", [rng.choice(["to card", "human"], 900).tolist()])
    topic = [
        t if d == "to card" else None
        for t, d in zip(table["topic"].to_pylist(), table["done"].to_pylist(), strict=True)
    ]
    table = table.set_column(table.column_names.index("topic"), "topic", [topic])
    decision = routing(
        training=Training(candidates=("tfidf",), folds=3),
        past=Past(action="done", outcomes_known=("to card",)),
    )
    done = run(decision, table, pages=True)
    assert "outcomes were recorded only" in done.evidence.themes["not_measured"]
