"""Servers that are killed under load: what was answered is there, and nothing is there twice."""

from __future__ import annotations

import http.client
import json
import random
import signal
import threading
import time
import uuid

import pytest

from payoff.store import SqliteLog
from payoff.store.verifying import verify
from tests.serve.fakes import ROW
from tests.serve.processes import Process

pytestmark = pytest.mark.packages("uvicorn")

SERVER = """
import sys
from concurrent.futures import Future
from payoff.serve.app import create_app
from payoff.serve.server import serve
from payoff.store import SqliteLog
from tests.serve.fakes import FakeBundle

class AnswersFirst(SqliteLog):
    # The wrong way round, so that the test is known to see it.
    def submit(self, batch):
        super().submit(batch)
        done = Future()
        done.set_result(None)
        return done

kind = {"kept": SqliteLog, "answered first": AnswersFirst}[sys.argv[1]]
with kind(sys.argv[2]) as log:
    app = create_app(FakeBundle(), log=log, journal=lambda _: None)
    serve(app, host="127.0.0.1", port=0, journal=lambda _: None)
"""
CLIENTS = 8


class Client(threading.Thread):
    """Asks without a pause until the server is gone; notes what was answered and what was not."""

    def __init__(self, port):
        super().__init__()
        self.port = port
        self.answered = {}
        self.open = []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        while not self.open:
            key = uuid.uuid4().hex
            try:
                self.answered[key] = ask(connection, key)
            except (http.client.HTTPException, OSError):
                self.open.append(key)
        connection.close()


def ask(connection, key):
    """Return the answer to a request of two rows."""
    body = json.dumps({"rows": [{**ROW, "customer": key}, ROW]})
    headers = {"content-type": "application/json", "idempotency-key": key}
    connection.request("POST", "/decide", body, headers)
    response = connection.getresponse()
    content = response.read()
    assert response.status == 200, content
    return content


def killed(path, kind, rounds, draw):
    """Kill a server again and again; return key -> answer, of all that was answered."""
    answered, unanswered = {}, []
    running = Process(SERVER, kind, str(path))
    try:
        for _ in range(rounds):
            clients = [Client(running.port) for _ in range(CLIENTS)]
            for client in clients:
                client.start()
            time.sleep(draw.uniform(0.02, 0.4))
            running.stop(signal.SIGKILL)
            for client in clients:
                client.join(20)
                answered |= client.answered
                unanswered += client.open
            running = Process(SERVER, kind, str(path))
            connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
            for key in unanswered:  # as a careful client does
                answered[key] = ask(connection, key)
            some = draw.sample(sorted(answered), min(20, len(answered)))
            lost = [key for key in some if ask(connection, key) != answered[key]]
            if kind == "kept":
                assert lost == []
            unanswered.clear()
            connection.close()
        assert running.stop(signal.SIGTERM)[0] == 0
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.communicate()
    return answered


def missing(path, answered):
    """Return how many decisions were answered and are not in the log as they were answered."""
    with SqliteLog(path) as log:
        found = [
            log.find(made["id"])
            for content in answered.values()
            for made in json.loads(content)["decisions"]
        ]
    sent = [made for content in answered.values() for made in json.loads(content)["decisions"]]
    return sum(
        kept is None or kept["answer"] != made for kept, made in zip(found, sent, strict=True)
    )


def check(path, rounds, draw):
    answered = killed(path, "kept", rounds, draw)
    assert len(answered) > 5 * rounds
    assert missing(path, answered) == 0
    found = verify(path)
    assert found.faults == ()
    assert found.entries == 2 * len(answered)  # each key once, with both its rows


def test_killed_under_load(tmp_path, seed):
    check(tmp_path / "decisions.sqlite", 4, random.Random(seed))


@pytest.mark.slow
def test_killed_two_hundred_times(tmp_path, seed):
    check(tmp_path / "decisions.sqlite", 200, random.Random(seed))


def test_answering_before_keeping_is_seen(tmp_path, seed):
    """The control: the same test fails a server that answers before it keeps."""
    path, draw = tmp_path / "decisions.sqlite", random.Random(seed)
    for _ in range(10):
        if missing(path, killed(path, "answered first", 1, draw)):
            return
    pytest.fail("ten kills, and nothing that was answered is missing")
