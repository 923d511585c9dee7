"""One row explained: the same from the command line and the server, and every claim checked."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from payoff.bundle import Bundle
from payoff.declare import Training
from payoff.declare.text import TextSettings
from payoff.errors import DataError
from payoff.workflow import explaining
from payoff.workflow.training import run
from tests.cli.running import run as command
from tests.model.text.making import corpus
from tests.serve.asking import JSON, client_of, refused, validate
from tests.trained import trained  # noqa: F401  (a fixture)
from tests.workflow.test_text import TOPICS, routing

HOSTILE = (
    "my card <script>alert(1)</script> lost </style><style>*{display:none}</style> "
    "javascript:run() \u202eevil\u2066 <img src=x onerror=alert(2)> \x1b[31m password 😀 İstanbul"
)


def make(folder, **text):
    texts, y = corpus(600, noise=0.1)
    texts[0] = HOSTILE
    table = pa.table(
        {
            "id": [f"m{i}" for i in range(600)],
            "message": texts,
            "amount": np.random.default_rng(4).normal(size=600),
            "topic": [TOPICS[k] for k in y],
        }
    )
    pq.write_table(table, folder / "rows.parquet")
    decision = routing(training=Training(candidates=("tfidf",), folds=3), text=TextSettings(**text))
    run(decision, str(folder / "rows.parquet"), out=folder / "bundle")
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("explained"))


def fields(row):
    return {k: row[k] for k in ("message", "amount", "id")}


@pytest.mark.parametrize("row", [1, 2, 50, 600])
def test_the_server_says_what_the_command_line_says(made, row):
    bundle = Bundle.open(made / "bundle")
    here = explaining.explain_row(bundle, made / "rows.parquet", row=row)
    sent = fields(pq.read_table(made / "rows.parquet").to_pylist()[row - 1])
    there = client_of(bundle).post("/explain", json=sent)
    assert there.status_code == 200, there.text
    told = there.json()
    for one in here["nearest"]:
        one.pop("text")
        one.pop("itself")
    assert here.pop("row") == row
    here.pop("outcome")
    assert json.loads(json.dumps(here)) == told
    document = client_of(bundle).get("/openapi.json").json()
    validate(document, {"$ref": "#/components/schemas/Explanation"}, told)
    decided = client_of(bundle).post("/decide", json=sent).json()["decisions"][0]
    assert decided["action"] == told["action"]
    assert decided["expected_money"] == told["expected_money"]


def test_parts_sum_and_a_removal_holds(made):
    bundle = Bundle.open(made / "bundle")
    changed = 0
    for row in range(1, 40):
        found = explaining.explain_row(bundle, made / "rows.parquet", row=row)
        why = found["why"]
        parts = (*why["words"], *why["columns"], *why["rest"])
        assert sum(p["log_odds"] for p in parts) == pytest.approx(why["log_odds"], abs=1e-4)
        p = bundle.model.predict_rows([{"message": found["documents"]["message"],
                                        "amount": why["columns"][0]["value"]}])[0]  # fmt: skip
        one, two = TOPICS.index(why["outcome"]), TOPICS.index(why["against"])
        assert why["log_odds"] == pytest.approx(np.log(p[one] / p[two]), abs=1e-4)
        removal = found["removal"]
        if removal["removed"] is None:
            continue
        changed += 1
        text = found["documents"]["message"]
        gone = [w for w in why["words"] if w["word"] in removal["removed"]][
            : len(removal["removed"])
        ]
        for w in sorted(gone, key=lambda w: -w["start"]):
            text = text[: w["start"]] + " " + text[w["end"] :]
        again = bundle.decide([{"message": text, "amount": why["columns"][0]["value"]}])[0]
        assert again["action"] == removal["becomes"] != found["action"]
    assert changed > 5


def test_the_pair_tells_why_the_action(made):
    """Right desk 1, wrong desk -3: the desk's own topic speaks for it, the rival's against it."""
    bundle = Bundle.open(made / "bundle")
    found = bundle.explain({"message": "lost card stolen", "amount": 0.0})
    assert found["action"] == "to card"
    assert found["why"]["outcome"] == "card"
    asked = bundle.explain({"message": "hello", "amount": 0.0})
    assert asked["action"] == "human"  # a topic other than the next best desk's speaks for a human
    assert f"to {asked['why']['against']}" == asked["next_best"]["action"]


def test_hostile_document_reaches_nobody(made, capsys):
    ran = command(capsys, "explain", made / "bundle", made / "rows.parquet", "--row", "1", "-q")
    assert ran.code == 0, ran.err
    assert "alert(1)" not in ran.out  # a script's content is no text
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert "+card]" in ran.out or "-card]" in ran.out
    assert "this row itself" in ran.out or "Nearest" in ran.out


def test_rows_are_found_by_place_or_id(made, capsys):
    by_row = command(capsys, "explain", made / "bundle", made / "rows.parquet", "--row", "7",
                     "--json")  # fmt: skip
    by_unit = command(capsys, "explain", made / "bundle", made / "rows.parquet", "--unit", "m6",
                      "--json")  # fmt: skip
    assert by_row.json == by_unit.json
    for words in (["--row", "601"], ["--unit", "m600"]):
        ran = command(capsys, "explain", made / "bundle", made / "rows.parquet", *words, "--json")
        assert ran.code == 2
        assert ran.json["error"]["code"] == "PAY-L019"
    with pytest.raises(DataError, match="PAY-L019"):
        explaining.explain_row(made / "bundle", made / "rows.parquet", row=0)


def test_excerpts_can_be_forbidden(tmp_path):
    folder = make(tmp_path, excerpts=False)
    found = explaining.explain_row(folder / "bundle", folder / "rows.parquet", row=2)
    assert all("text" not in one for one in found["nearest"])
    kept = b"".join(f.read_bytes() for f in (folder / "bundle").glob("*.*"))
    texts = pq.read_table(folder / "rows.parquet")["message"].to_pylist()
    assert not [t for t in texts[1:] if t.encode() in kept]


def test_a_tabular_row_is_explained_by_its_columns(trained):  # noqa: F811
    from tests.bad_input.making import rows

    bundle = Bundle.open(trained)
    found = explaining.explain_row(bundle, rows(), row=3)
    why = found["why"]
    total = sum(p["log_odds"] for p in (*why["columns"], *why["rest"]))
    assert total == pytest.approx(why["log_odds"])
    assert found["documents"] == {}
    assert "not_measured" in found["nearest"]


def test_one_model_per_action_is_not_split_up():
    from tests.past_worlds import campaign, draw

    world = draw(np.random.default_rng(7), 3_000, even=True)
    table = pa.table({k: v for k, v in world.table.items() if k != "chance"})
    with tempfile.TemporaryDirectory() as folder:
        fast = Training(candidates=("logistic",), folds=2)
        run(campaign(training=fast), table, out=Path(folder) / "bundle")
        found = explaining.explain_row(Path(folder) / "bundle", table, row=5)
    assert "one model per action" in found["why"]["not_measured"]
    assert found["expected_money"][found["action"]] >= found["next_best"]["expected_money"]


def test_one_row_at_a_time_and_not_too_many_requests(made):
    bundle = Bundle.open(made / "bundle")
    client = client_of(bundle)
    row = {"message": "lost card"}
    assert client.post("/explain", json={"rows": [row]}).status_code == 200
    refused(client.post("/explain", json={"rows": [row, row]}), 413, "PAY-S006")
    refused(client.post("/explain", json={"message": 5}), 422, "PAY-S001")
    refused(client.post("/explain", content=b"{", headers=JSON), 422, "PAY-S002")

    app = client_of(bundle, explain_wait=0.05).app
    endpoint = next(r.endpoint for r in app.routes if r.path == "/explain").__self__
    endpoint._places = asyncio.Semaphore(0)
    from starlette.testclient import TestClient

    busy = TestClient(app).post("/explain", json=row)
    refused(busy, 503, "PAY-S011")
    assert busy.headers["retry-after"] == "5"
    assert TestClient(app).post("/decide", json=row).status_code == 200


def test_a_long_document_is_tried_less_often(made):
    bundle = Bundle.open(made / "bundle")
    long = "lost card stolen plastic " * 4_000
    found = bundle.explain({"message": long, "amount": 0.0})
    assert found["removal"]["tried"] <= 1 + 8 + 4
