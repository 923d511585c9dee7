"""The server with a log on disk: kept before it is answered, answered once more, looked up."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from payoff.serve.problems import BusyError
from payoff.store import SqliteLog
from payoff.store.retention import erase
from payoff.store.verifying import verify
from tests.serve.asking import client_of, post, refused, validate
from tests.serve.fakes import ROW

BODY = json.dumps({"rows": [{**ROW, "customer": "c-7"}, {"amount": 1}]})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "decisions.sqlite"


@pytest.fixture
def log(path):
    with SqliteLog(path) as made:
        yield made


@pytest.fixture
def client(log):
    with client_of(log=log) as made:
        yield made


def test_what_is_answered_is_kept(client, log, path):
    answer = post(client, BODY, **{"x-request-id": "r.1"}).json()
    assert client.get("/readyz").json()["durable_log"] is True
    for made, row, number in zip(
        answer["decisions"], json.loads(BODY)["rows"], (1, 2), strict=True
    ):
        kept = client.get(f"/decisions/{made['id']}")
        assert kept.status_code == 200
        assert kept.json() == {
            "id": made["id"],
            "number": number,
            "at": "1970-01-01T00:00:01.500+00:00",
            "request_id": "r.1",
            "bundle_id": answer["bundle_id"],
            "row": row,
            "answer": made,
            "hash": log.find(made["id"])["hash"],
        }
        document = client.get("/openapi.json").json()
        validate(document, document["components"]["schemas"]["Kept"], kept.json())
    assert verify(path).intact


def test_a_large_request_is_kept_as_well(client, path):
    answer = post(client, json.dumps({"rows": [ROW] * 900}))
    assert len(answer.json()["decisions"]) == 900
    assert verify(path).decisions == 900


def test_the_same_key_gets_the_same_answer(client, path):
    first = post(client, BODY, **{"idempotency-key": "k 1"})
    again = post(client, BODY, **{"idempotency-key": "k 1"})
    assert first.content == again.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert verify(path).entries == 2
    refused(post(client, BODY + " ", **{"idempotency-key": "k 1"}), 422, "PAY-S021")
    refused(post(client, b"{", **{"idempotency-key": "k 1"}), 422, "PAY-S021")


def test_a_refused_request_does_not_use_up_its_key(client):
    refused(post(client, "{", **{"idempotency-key": "k"}), 422, "PAY-S002")
    assert post(client, BODY, **{"idempotency-key": "k"}).status_code == 200


def test_the_same_key_at_the_same_time(path, log, client):
    rows = {"rows": [ROW] * 100}  # decided on threads, so that several are under way at once
    with ThreadPoolExecutor(8) as pool:
        headers = {"idempotency-key": "k"}
        answers = list(
            pool.map(lambda _: client.post("/decide", json=rows, headers=headers), range(8))
        )
    assert len({answer.content for answer in answers}) == 1
    assert verify(path).entries == 100


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "caf\xe9", "a\tb"])
def test_a_key_that_is_none(client, key):
    refused(post(client, BODY, **{"idempotency-key": key.encode("latin-1")}), 422, "PAY-S021")


def test_two_keys(client):
    headers = [("content-type", "application/json")] + [("idempotency-key", k) for k in "ab"]
    refused(client.post("/decide", content=BODY, headers=headers), 422, "PAY-S021")


def test_without_a_log_there_is_nothing_to_look_up():
    client = client_of()
    assert post(client, BODY, **{"idempotency-key": "x" * 300}).status_code == 200
    refused(client.get("/decisions/abc"), 404, "PAY-S020")


def test_what_is_not_there_and_what_was_erased(client, path):
    refused(client.get("/decisions/abc"), 404, "PAY-S020")
    made = post(client, BODY).json()["decisions"][0]
    assert erase(path, unit="c-7", at=2.0).erased == 1
    refused(client.get(f"/decisions/{made['id']}"), 410, "PAY-S022")
    refused(client.get(f"/decisions/{made['id']}/more"), 404, "PAY-S003")


# ------------------------------------------------------------------------------------- failures


class Slow:
    """A store that never finishes."""

    durable = True

    def __init__(self, error=None):
        self.error = error
        self.futures = []

    def record(self, entries):
        raise AssertionError

    def submit(self, batch):
        if self.error is not None:
            raise self.error
        self.futures.append(Future())
        return self.futures[-1]

    def earlier(self, key, asked):
        return None

    def find(self, decision_id):
        return None


def test_a_log_that_takes_too_long():
    log, events = Slow(), []
    client = client_of(events=events, log=log, record_wait=0.05)
    error = refused(post(client, BODY), 503, "PAY-S009")
    assert "0.05 s" in error["got"]
    assert log.futures[0].cancelled()  # so it is not kept either
    assert [e["type"] for e in events if e["event"] == "log_refused"] == ["TimeoutError"]


def test_a_queue_that_is_full():
    response = post(client_of(log=Slow(BusyError.recording(7))), BODY)
    refused(response, 503, "PAY-S011")
    assert response.headers["retry-after"] == "5"


@pytest.mark.parametrize("where", ["submit", "commit", "earlier"])
def test_a_log_that_fails_gives_no_decision(log, monkeypatch, where):
    failing = [sqlite3.OperationalError("disk is full at /secret")]

    def fail(*_):
        raise failing[0]

    name = {"submit": "submit", "commit": "_commit", "earlier": "earlier"}[where]
    events = []
    client = client_of(events=events, log=log)
    with monkeypatch.context() as broken:
        broken.setattr(SqliteLog, name, fail)
        response = post(client, BODY, **{"idempotency-key": "k"})
    refused(response, 503, "PAY-S009")
    assert "call" not in response.text
    assert "secret" not in response.text + json.dumps(events)
    assert post(client, BODY, **{"idempotency-key": "k"}).status_code == 200
