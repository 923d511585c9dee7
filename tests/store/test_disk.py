"""Disks that are full or may not be written: a refusal, and all is well once there is room."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys

import pytest

from payoff.store import SqliteLog
from payoff.store.problems import StoreError
from payoff.store.verifying import verify
from tests.conftest import ROOT
from tests.store.logs import entry

FULL = """
import resource, signal, sqlite3, sys
from payoff.store import SqliteLog
from payoff.store.verifying import verify
from tests.store.logs import entry
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = sys.argv[1]
kept, refused = [], 0
with SqliteLog(path) as log:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (1_000_000, 1_400_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
        for _ in range(200):
            one = entry(secret="x" * 2000)
            try:
                log.record([one])
                kept.append(one.id)
            except sqlite3.Error:
                refused += 1
    assert refused > 20, refused
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    one = entry()
    log.record([one])
    kept.append(one.id)
    assert all(log.find(i) for i in kept)
found = verify(path)
assert found.faults == (), found
assert found.entries == len(kept), (found.entries, len(kept))
print(len(kept), refused)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of file sizes are POSIX's")
def test_no_room_is_a_refusal_and_nothing_more(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "decisions.sqlite")],
        env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    kept, refused = map(int, done.stdout.split())
    assert kept > 50
    assert refused > 20


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    path = folder / "decisions.sqlite"
    with SqliteLog(path) as log:
        log.record([entry()])
    folder.chmod(0o500)
    try:
        with pytest.raises(StoreError) as caught:
            SqliteLog(folder / "new.sqlite")
        assert caught.value.code == "PAY-S032"
        assert verify(path).intact
    finally:
        folder.chmod(0o700)


def test_a_log_that_may_not_be_written_any_more_refuses(tmp_path):
    path = tmp_path / "decisions.sqlite"
    with SqliteLog(path) as log:
        log.record([entry()])
        log._writing.execute("PRAGMA query_only = ON")
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            log.record([entry()])
        log.record([entry()])  # with a new connection
    assert (verify(path).entries, verify(path).intact) == (2, True)


def test_another_program_that_holds_the_file(tmp_path, monkeypatch):
    from payoff.store import schema

    monkeypatch.setattr(schema, "_BUSY", 0.05)
    path = tmp_path / "decisions.sqlite"
    with SqliteLog(path) as log:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            log.record([entry()])
        other.execute("ROLLBACK")
        other.close()
        log.record([entry()])
    assert (verify(path).entries, verify(path).intact) == (1, True)
