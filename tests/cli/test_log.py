"""``payoff verify --log`` and ``payoff log``: what they say, and their exit codes."""

from __future__ import annotations

import json
import re
import sqlite3

import pytest

from payoff.store import SqliteLog
from tests.cli.running import run
from tests.store.logs import entry


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "decisions.sqlite"
    with SqliteLog(file) as log:
        log.record([entry(f"c-{i % 2}", at=86_400.0 * i) for i in range(6)])
    return file


def test_a_log_is_checked(capsys, path):
    ended = run(capsys, "verify", "--log", path)
    assert ended.code == 0
    assert "6 entries, each as it was written and in its place." in ended.out
    [head] = re.findall(r"^Head (6:[0-9a-f]{64})$", ended.out, re.MULTILINE)
    assert run(capsys, "verify", "--log", path, "--head", head).code == 0
    facts = json.loads(run(capsys, "verify", "--log", path, "--json").out)
    assert facts == {
        "intact": True, "entries": 6, "decisions": 6, "erased": 0, "pruned": 0, "clock_back": 0,
        "first_at": "1970-01-01T00:00:00.000+00:00", "last_at": "1970-01-06T00:00:00.000+00:00",
        "head": head, "n_faults": 0, "faults": [],
    }  # fmt: skip


def test_a_changed_log_is_named_and_ends_with_1(capsys, path):
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entries SET at = 7 WHERE number = 3")
    connection.close()
    ended = run(capsys, "verify", "--log", path)
    assert ended.code == 1
    assert "is not as it was written: 1 fault." in ended.out
    assert "entry 3: its hash does not follow" in ended.out
    ended = run(capsys, "verify", "--log", path, "--json")
    assert (ended.code, json.loads(ended.out)["faults"][0]["entry"]) == (1, 3)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["calls", "--log", "d"],
        ["calls", "--head", "1:" + "a" * 64],
        ["--log", "d", "--head", "x"],
    ],
)
def test_wrong_words(capsys, words):
    ended = run(capsys, "verify", *words)
    assert ended.code == 2
    assert "PAY-X010" in ended.err


def test_no_log(capsys, tmp_path):
    for words in (["verify", "--log"], ["log", "erase", "--unit", "x"]):
        ended = run(capsys, *words, tmp_path / "none.sqlite")
        assert ended.code == 2
        assert "PAY-S030" in ended.err


def test_a_unit_is_erased(capsys, path):
    ended = run(capsys, "log", "erase", path, "--unit", "c-1")
    assert (ended.code, ended.out) == (0, "3 decisions erased.\nEntry 7 says so.\n")
    ended = run(capsys, "log", "erase", path, "--unit", "c-1")
    assert (ended.code, ended.out[:20]) == (1, "No decision about th")
    ended = run(capsys, "log", "erase", path, "--unit", "c-0", "--json")
    assert json.loads(ended.out) == {"erased": 3, "dropped": 0, "entry": 8, "on_disk": True}
    ended = run(capsys, "verify", "--log", path)
    assert (ended.code, "0 decisions, 6 erased" in ended.out) == (0, True)


def test_what_is_old_is_pruned(capsys, path):
    ended = run(capsys, "log", "prune", path, "--before", "1970-01-03")
    assert (ended.code, ended.out) == (0, "2 entries removed.\nEntry 7 says so.\n")
    ended = run(capsys, "log", "prune", path, "--before", "1970-01-03")
    assert (ended.code, ended.out) == (0, "No decision in the log is that old.\n")
    assert run(capsys, "log", "prune", path, "--before", "2999-01-01").code == 2
    assert run(capsys, "log", "prune", path, "--before", "soon").code == 2
    assert "2 pruned" in run(capsys, "verify", "--log", path).out
