"""What surrounds an answer: the record, the headers, the line in the log, other requests."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from payoff.errors import EnvironmentError_
from payoff.serve import app as app_module
from payoff.serve.app import create_app
from tests.serve.asking import asgi, client_of, refused, validate
from tests.serve.fakes import ROW, FakeBundle, KeptLog


@pytest.fixture(scope="module")
def client():
    return client_of()


# -------------------------------------------------------------------------------------- log


def test_every_decision_is_recorded_as_it_is_answered():
    log = KeptLog()
    client = client_of(log=log)
    rows = [ROW, {"amount": 1, "customer": 9}]
    answer = client.post("/decide", json={"rows": rows}, headers={"x-request-id": "r.1"}).json()
    assert [e.answer for e in log.entries] == answer["decisions"]
    assert [e.row for e in log.entries] == rows
    assert {(e.request_id, e.at, e.bundle_id) for e in log.entries} == {("r.1", 1.5, "f" * 64)}
    assert [e.id for e in log.entries] == [d["id"] for d in answer["decisions"]]


def test_what_cannot_be_recorded_is_not_answered():
    events = []
    client = client_of(events=events, log=KeptLog(OSError("no space on secret-disk")))
    response = client.post("/decide", json=ROW)
    refused(response, 503, "PAY-S009")
    assert "call" not in response.text
    assert "secret" not in response.text + json.dumps(events)
    assert [e["type"] for e in events if e["event"] == "log_refused"] == ["OSError"]


def test_a_refused_request_is_not_recorded():
    log = KeptLog()
    refused(client_of(log=log).post("/decide", json={"age": "x"}), 422, "PAY-S001")
    assert log.entries == []


# ------------------------------------------------------------------------- headers and lines


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", p) for p in ("/", "/livez", "/readyz", "/openapi.json", "/none", "/decide")]
    + [("POST", "/decide")],
)
def test_every_answer_has_the_security_headers(client, method, path):
    headers = client.request(method, path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers
    assert len(headers["x-request-id"]) == 32


def test_a_good_request_id_comes_back(client):
    response = client.post("/decide", json=ROW, headers={"x-request-id": "Order_1.2-3"})
    assert response.headers["x-request-id"] == "Order_1.2-3"


@pytest.mark.parametrize("sent", ["", " ", "a b", "x" * 65, "é", "a\tb", "<b>", "a;b", "a,b"])
def test_another_request_id_is_replaced(client, sent):
    response = client.get("/livez", headers={"x-request-id": sent.encode()})
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])


def test_two_request_ids_are_none(client):
    response = client.get("/livez", headers=[("x-request-id", "a"), ("x-request-id", "b")])
    assert len(response.headers["x-request-id"]) == 32


def test_one_line_per_request_without_what_was_sent():
    events = []
    client = client_of(events=events)
    client.post("/decide?secret=1", json={**ROW, "job": "secret", "customer": "secret"})
    client.post("/decide", json={"secret": 1, "age": "secret"})
    assert [(e["event"], e["status"], e["code"], e["rows"]) for e in events] == [
        ("request", 200, None, 1),
        ("request", 422, "PAY-S001", None),
    ]
    assert "secret" not in json.dumps(events)
    assert events[0]["at"] == "1970-01-01T00:00:01.500+00:00"
    assert events[0]["sent"] > 100
    assert events[0]["ms"] >= 0


def test_lines_go_to_stderr_as_json(capsys):
    client = TestClient(create_app(FakeBundle()))
    client.get("/a%0Ab%1B[31m")
    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line)["path"] == "/a\nb\x1b[31m"
    assert "\x1b" not in line


# ----------------------------------------------------------------------------------- running


def test_many_clients_at_once_get_their_own_answers():
    barrier = threading.Barrier(4, timeout=10)
    # Four large requests meet inside decide: they wait for one another, so they must run at once.
    bundle = FakeBundle(wait=barrier.wait)
    with client_of(bundle) as client, ThreadPoolExecutor(4) as pool:

        def ask(number):
            rows = [{**ROW, "customer": f"{number}-{i}"} for i in range(100)]
            return client.post("/decide", json={"rows": rows}).json()["decisions"]

        answers = list(pool.map(ask, range(4)))
    for number, decisions in enumerate(answers):
        assert [d["unit_id"] for d in decisions] == [f"{number}-{i}" for i in range(100)]
    assert len(bundle.threads) == 4


def test_a_large_request_does_not_hold_up_a_small_one():
    started, release = threading.Event(), threading.Event()

    def wait():
        started.set()
        assert release.wait(10)

    with client_of(FakeBundle(wait=wait)) as client, ThreadPoolExecutor(1) as pool:
        large = pool.submit(client.post, "/decide", json={"rows": [ROW] * 100})
        assert started.wait(10)
        assert client.get("/livez").status_code == 200
        assert not large.done()
        release.set()
        assert large.result().status_code == 200


def test_an_app_is_made_anew_each_time():
    first, second = create_app(FakeBundle()), create_app(FakeBundle())
    assert first is not second


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch):
    def missing(package, *, extra, why):
        raise EnvironmentError_.missing_extra(package, extra, why)

    monkeypatch.setattr(app_module, "need", missing)
    with pytest.raises(EnvironmentError_, match="starlette") as caught:
        create_app(FakeBundle())
    assert "payoff[serve]" in caught.value.mend


def test_a_body_that_never_ends_is_given_up():
    async def receive():
        await asyncio.sleep(5)

    app = create_app(FakeBundle(), body_timeout=0.05, journal=[].append)
    sent = asgi(app, receive)
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["error"]["code"] == "PAY-S008"


def test_a_client_that_left_is_noted_and_not_answered():
    events = []

    async def receive():
        return {"type": "http.disconnect"}

    assert asgi(create_app(FakeBundle(), journal=events.append), receive) == []
    assert [(e["status"], e["code"]) for e in events] == [(None, "disconnected")]


# ------------------------------------------------------------------------------- description


def test_every_answer_is_as_described():
    """Ask for every documented status of /decide and hold the body against its schema."""
    slow = create_app(FakeBundle(), body_timeout=0.05, journal=[].append)

    async def never():
        await asyncio.sleep(5)

    bodies = {408: json.loads(asgi(slow, never)[1]["body"])}
    for bundle, log, content, content_type in [
        (FakeBundle(), None, json.dumps(ROW), "application/json"),
        (FakeBundle(), None, '{"amount": -1}', "application/json"),
        (FakeBundle(), None, "[]", "application/json"),
        (FakeBundle(), None, '{"age": "x"}', "application/json"),
        (FakeBundle(), None, json.dumps({"rows": [ROW] * 2000}), "application/json"),
        (FakeBundle(), None, "x", "text/plain"),
        (FakeBundle(failure=KeyError()), None, json.dumps(ROW), "application/json"),
        (FakeBundle(), KeptLog(OSError()), json.dumps(ROW), "application/json"),
    ]:
        response = client_of(bundle, log=log).post(
            "/decide", content=content, headers={"content-type": content_type}
        )
        bodies[response.status_code] = response.json()
    document = client_of().get("/openapi.json").json()
    described = document["paths"]["/decide"]["post"]["responses"]
    assert {str(status) for status in bodies} == set(described)
    for status, body in bodies.items():
        validate(document, described[str(status)]["content"]["application/json"]["schema"], body)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/openapi.json"])
def test_every_get_is_as_described(client, path):
    document = client.get("/openapi.json").json()
    described = document["paths"][path]["get"]["responses"]
    good = described["200"]["content"]["application/json"]["schema"]
    validate(document, good, client.get(path).json())
    bad = described["default"]["content"]["application/json"]["schema"]
    validate(document, bad, client.post(path).json())
