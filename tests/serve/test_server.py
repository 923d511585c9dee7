"""A real process: it says where it listens, answers, and ends cleanly when it is told to."""

from __future__ import annotations

import json
import logging
import random
import signal
import socket
import sys
import textwrap
import threading
import time
from types import SimpleNamespace

import pytest

from payoff.errors import BundleError, EnvironmentError_
from payoff.serve import server
from payoff.serve.journal import ServerHandler, faults_to_stderr
from tests.serve.fakes import ROW, FakeBundle
from tests.serve.processes import Process

pytestmark = pytest.mark.packages("uvicorn")

FAKE = """
from payoff.serve.app import create_app
from payoff.serve.server import serve
from tests.serve.fakes import FakeBundle
import time
serve(create_app(FakeBundle(wait=lambda: time.sleep({wait}))), host="{host}", port=0)
"""
REAL = """
import sys
from payoff.serve.server import run
run(sys.argv[1], port=0, quiet=True)
"""


@pytest.fixture
def start():
    started = []

    def make(code, *arguments):
        started.append(Process(code, *arguments))
        return started[-1]

    yield make
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


def test_start_ask_stop(start):
    running = start(FAKE.format(wait=0, host="127.0.0.1"))
    assert running.line == f"payoff is listening on http://127.0.0.1:{running.port}\n"
    status, body, headers = running.ask("POST", "/decide", ROW)
    assert (status, body["decisions"][0]["action"]) == (200, "call")
    assert "server" not in headers
    # Larger than the limit: the reason arrives although the client is still writing.
    status, body, _ = running.ask("POST", "/decide", b" " * 6_000_000)
    assert (status, body["error"]["code"]) == (413, "PAY-S005")
    status, body, _ = running.ask("POST", "/decide", b"[" * 1_000_000)
    assert (status, body["error"]["code"]) == (422, "PAY-S002")
    code, out, err = running.stop()
    assert (code, out) == (0, "")
    lines = [json.loads(line) for line in err.splitlines()]
    assert [line["status"] for line in lines] == [200, 413, 422]


def test_what_is_under_way_is_answered_before_the_end(start):
    running = start(FAKE.format(wait=0.7, host="127.0.0.1"))
    answers = []
    body = {"rows": [ROW] * 100}
    asking = threading.Thread(target=lambda: answers.append(running.ask("POST", "/decide", body)))
    asking.start()
    time.sleep(0.3)
    code, _, _ = running.stop(signal.SIGINT)
    asking.join(10)
    assert code == 0
    assert [(status, len(answer["decisions"])) for status, answer, _ in answers] == [(200, 100)]


def test_beyond_this_machine_it_warns(start):
    running = start(FAKE.format(wait=0, host="0.0.0.0"))
    code, _, err = running.stop()
    assert code == 0
    assert err.startswith("payoff: warning: whoever can reach 0.0.0.0 can ask for decisions")


DECISION = """
schema_version = 1
[decision]
name = "calls"
currency = "EUR"
do_nothing = "leave"
[data]
outcome = "y"
unit_id = "id"
[outcomes]
yes = 1
no = 0
[actions]
call = "Call"
leave = "Leave alone"
[payoffs.call]
yes = "amount"
no = -10
[payoffs.leave]
yes = 0
no = 0
[training]
candidates = ["logistic"]
folds = 2
"""


def test_a_real_bundle_is_served(start, tmp_path, seed):
    from payoff.workflow import run as train

    draw = random.Random(seed)
    rows = ["id,age,job,amount,y"]
    for number in range(400):
        age, job = draw.randint(18, 80), draw.choice(["clerk", "cook"])
        happened = int(draw.random() < 0.1 + 0.6 * (age > 50))
        rows.append(f"u{number},{age},{job},{draw.randint(5, 90)},{happened}")
    (tmp_path / "rows.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "decision.toml").write_text(textwrap.dedent(DECISION), encoding="utf-8")
    train(tmp_path / "decision.toml", tmp_path / "rows.csv", out=tmp_path / "calls", pages=False)
    running = start(REAL, str(tmp_path / "calls"))
    old = {"id": "u1", "age": 78, "job": "cook", "amount": 80}
    young = {"age": 20, "job": None, "amount": 6}
    status, body, _ = running.ask("POST", "/decide", {"rows": [old, young]})
    assert status == 200
    assert [(d["unit_id"], d["action"]) for d in body["decisions"]] == [
        ("u1", "call"),
        (None, "leave"),
    ]
    for row, made in zip((old, young), body["decisions"], strict=True):
        share = made["probabilities"]["yes"]
        by_hand = share * row["amount"] - (1 - share) * 10
        assert made["expected_money"]["call"] == pytest.approx(by_hand)
    status, body, _ = running.ask("POST", "/decide", {"age": 20})
    assert (status, body["error"]["problems"][0]["field"]) == (422, "amount")
    assert running.stop() == (0, "", "")


# ------------------------------------------------------------------------- before it listens


def open_fake(monkeypatch, **changes):
    import payoff.bundle

    bundle = FakeBundle()
    bundle.model = changes.get("model", "a model")
    monkeypatch.setattr(payoff.bundle, "Bundle", SimpleNamespace(open=lambda path: bundle))


def test_a_taken_port_is_said_plainly(monkeypatch):
    open_fake(monkeypatch)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentError_) as caught:
            server.run("calls", port=port)
    assert (caught.value.code, caught.value.exit_code) == ("PAY-X004", 2)
    assert "another program" in caught.value.got
    assert str(port) in caught.value.where


@pytest.mark.parametrize(
    ("host", "port"),
    [("127.0.0.1", 65536), ("127.0.0.1", -1), ("192.0.2.1", 0), ("no such\nhost.invalid", 0)],
)
def test_an_address_that_is_not_here(monkeypatch, host, port):
    open_fake(monkeypatch)

    def resolve(name, number, **_):
        if name.endswith("invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (name, number))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(EnvironmentError_) as caught:
        server.run("calls", host=host, port=port)
    assert caught.value.code == "PAY-X004"
    assert "\n" not in str(caught.value)


def test_a_bundle_that_cannot_decide_is_refused_before_it_is_served(monkeypatch, tmp_path):
    with pytest.raises(BundleError, match="not a payoff bundle"):
        server.run(tmp_path)
    open_fake(monkeypatch, model=None)
    with pytest.raises(BundleError, match="no model"):
        server.run("calls")


# ----------------------------------------------------------------------------------- journal


def test_warnings_of_the_http_server_are_lines_too():
    events = []
    record = logging.LogRecord("uvicorn.error", 40, "x", 1, "bad %s", ("request",), None)
    ServerHandler(events.append).handle(record)
    try:
        raise ValueError("secret")
    except ValueError:
        record.exc_info = sys.exc_info()
    ServerHandler(events.append).handle(record)
    assert [e["message"] for e in events] == ["bad request"] * 2
    assert events[1]["type"] == "ValueError"
    assert "secret" not in json.dumps(events)


def test_quiet_hides_requests_and_no_faults(capsys):
    faults_to_stderr({"event": "request"})
    faults_to_stderr({"event": "fault"})
    assert json.loads(capsys.readouterr().err) == {"event": "fault"}


def test_a_closed_stderr_stops_nothing(monkeypatch, tmp_path):
    stream = (tmp_path / "err").open("w")
    stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    faults_to_stderr({"event": "fault"})
