"""The log in one file: what is kept, what is refused, and what is answered twice."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from payoff.serve.log import DecisionStore
from payoff.serve.problems import BusyError, RepeatError
from payoff.store import SqliteLog, sqlite_log
from payoff.store.problems import StoreError
from payoff.store.schema import MIGRATIONS, Migration, connect, migrate, version_of
from payoff.store.verifying import verify
from tests.store.logs import answered, batch, entry


@pytest.fixture
def path(tmp_path):
    return tmp_path / "decisions.sqlite"


@pytest.fixture
def log(path):
    with SqliteLog(path) as made:
        yield made


def rows_of(path, what="*"):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"SELECT {what} FROM entries ORDER BY number").fetchall()
    finally:
        connection.close()


def test_it_is_a_store(log):
    assert isinstance(log, DecisionStore)
    assert log.durable


def test_what_was_recorded_is_found(log):
    kept = entry("größer\n'; --", at=7.25)
    log.record([entry(), kept])
    found = log.find(kept.id)
    assert (found["row"], found["answer"]) == (kept.row, kept.answer)
    assert (found["number"], found["at"], found["request_id"]) == (2, 7.25, kept.request_id)
    assert log.find("d0") is None


def test_the_chain_by_hand(path, log):
    """Hashes made from the file's columns by another way of writing the same JSON."""
    log.record([entry(), entry(None)])
    log.record([entry("c-2")])
    before = bytes(32)
    columns = "number, kind, id, request_id, at, bundle_id, salt, content, digest, hash"
    for number, kind, own, request, at, bundle, salt, content, digest, stored in rows_of(
        path, columns
    ):
        assert len(salt) == 16
        assert digest == hashlib.sha256(salt + content).digest()
        text = (
            f'{{"at":{at},"bundle_id":"{bundle}","digest":"{digest.hex()}","id":"{own}",'
            f'"kind":"{kind}","number":{number},"request_id":"{request}"}}'
        )
        before = hashlib.sha256(before + text.encode()).digest()
        assert stored == before
    assert verify(path).head == f"3:{before.hex()}"


def test_entries_of_many_threads_are_all_there(path, log):
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda i: log.record([entry(f"c-{i}"), entry(f"c-{i}")]), range(200)))
    found = verify(path)
    assert (found.entries, found.decisions, found.intact) == (400, 400, True)
    # The entries of one request lie together.
    units = [unit for (unit,) in rows_of(path, "unit_id")]
    assert units[::2] == units[1::2]


def test_requests_that_wait_share_one_commit(path, monkeypatch):
    groups = []
    commit = SqliteLog._commit
    first, go = threading.Event(), threading.Event()

    def slow(self, group):
        groups.append(len(group))
        first.set()
        assert go.wait(10)
        return commit(self, group)

    monkeypatch.setattr(SqliteLog, "_commit", slow)
    with SqliteLog(path) as log:
        futures = [log.submit(batch())]
        assert first.wait(10)
        futures += [log.submit(batch()) for _ in range(300)]
        assert not any(f.done() for f in futures)
        go.set()
        assert [f.result(10) for f in futures] == [None] * 301
    assert groups == [1, 300]
    assert verify(path).entries == 301


@pytest.mark.parametrize("n", [1, 3, 4, 5, 255, 257, 700])
def test_requests_of_any_size(path, log, n):
    made = [entry(f"c-{i}") for i in range(n)]
    log.record(made)
    assert [unit for (unit,) in rows_of(path, "unit_id")] == [e.unit_id for e in made]
    assert verify(path).intact


def test_a_commit_reaches_the_disk(log):
    assert log._writing.execute("PRAGMA synchronous").fetchone() == (2,)
    assert log._writing.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert log._writing.execute("PRAGMA secure_delete").fetchone() == (1,)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_only_the_owner_reads_it(path, log):
    log.record([entry()])
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


# --------------------------------------------------------------------------- the same key again


def test_a_key_is_answered_as_before(path, log):
    first = batch(entry(), entry("c-2"), key="k")
    assert log.submit(first).result() is None
    assert log.submit(batch(key="k")).result() == answered(first)
    assert log.earlier("k", b"a") == answered(first)
    assert json.dumps(log.earlier("k", b"a")) == json.dumps(answered(first))
    assert verify(path).entries == 2


def test_a_key_with_another_question_is_refused(path, log):
    log.submit(batch(key="k")).result()
    with pytest.raises(RepeatError, match="another request"):
        log.submit(batch(key="k", asked=b"b")).result()
    with pytest.raises(RepeatError):
        log.earlier("k", b"b")
    assert log.earlier("other", b"b") is None
    assert verify(path).entries == 1


def test_a_key_twice_in_one_group(path):
    """Both come before either is written: one is kept, and both get its answer."""
    log = SqliteLog(path)
    held = connect(path)
    held.execute("BEGIN IMMEDIATE")  # the writer waits for this
    blocked = log.submit(batch())
    first, second = batch(key="k"), batch(key="k")
    futures = [log.submit(first), log.submit(second), log.submit(batch(key="k", asked=b"b"))]
    held.execute("COMMIT")
    held.close()
    assert blocked.result(10) is None
    assert futures[0].result(10) is None
    assert futures[1].result(10) == answered(first)
    with pytest.raises(RepeatError):
        futures[2].result(10)
    log.close()
    assert verify(path).entries == 2


def test_a_key_is_known_after_a_restart(path):
    first = batch(key="k")
    with SqliteLog(path) as log:
        log.submit(first).result()
    with SqliteLog(path) as log:
        assert log.earlier("k", b"a") == answered(first)


# ------------------------------------------------------------------------------------- failures


def test_a_full_queue_refuses(path, monkeypatch):
    go = threading.Event()
    commit = SqliteLog._commit

    def slow(self, group):
        assert go.wait(10)
        return commit(self, group)

    monkeypatch.setattr(SqliteLog, "_commit", slow)
    with SqliteLog(path, most_waiting=3) as log:
        futures = []
        with pytest.raises(BusyError, match="wait to be recorded"):
            futures.extend(log.submit(batch()) for _ in range(100))
        go.set()
        futures[-1].result(10)
        log.record([entry()])  # once the queue moved, there is room again
    assert verify(path).entries == len(futures) + 1


def test_what_was_cancelled_in_time_is_not_kept(path, monkeypatch):
    first, go = threading.Event(), threading.Event()
    commit = SqliteLog._commit

    def slow(self, group):
        first.set()
        assert go.wait(10)
        return commit(self, group)

    monkeypatch.setattr(SqliteLog, "_commit", slow)
    with SqliteLog(path) as log:
        writing = log.submit(batch())
        assert first.wait(10)
        waiting = log.submit(batch())
        assert waiting.cancel()
        assert not writing.cancel()
        go.set()
        assert writing.result(10) is None
    assert verify(path).entries == 1


def test_a_failed_commit_fails_its_requests_and_no_later_ones(path, monkeypatch):
    append = sqlite_log.append
    failing = [sqlite3.OperationalError("disk I/O error")]

    def once(connection, drafts):
        first = append(connection, drafts)
        if failing:
            raise failing.pop()
        return first

    monkeypatch.setattr(sqlite_log, "append", once)
    with SqliteLog(path) as log:
        with pytest.raises(sqlite3.OperationalError):
            log.record([entry()])
        log.record([entry()])
    assert (verify(path).entries, verify(path).intact) == (1, True)


def test_closing_writes_what_waits(path):
    log = SqliteLog(path)
    futures = [log.submit(batch()) for _ in range(50)]
    log.close()
    assert [f.result(0) for f in futures] == [None] * 50
    with pytest.raises(ValueError, match="closed"):
        log.submit(batch())
    assert not path.with_name(path.name + "-wal").exists()
    assert verify(path).entries == 50


def test_two_logs_on_one_file_make_one_chain(path, log):
    with SqliteLog(path) as other, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: (log, other)[i % 2].record([entry()]), range(100)))
    found = verify(path)
    assert (found.entries, found.intact) == (100, True)


# ------------------------------------------------------------------------------------- the file


def refusal(path, code):
    with pytest.raises(StoreError) as caught:
        SqliteLog(path)
    assert caught.value.code == code
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_other_files_are_refused(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("decisions I made today\n")
    refusal(text, "PAY-S030")
    assert text.read_text() == "decisions I made today\n"
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE accounts (number)")
    connection.close()
    before = other.read_bytes()
    refusal(other, "PAY-S030")
    assert other.read_bytes() == before
    refusal(tmp_path, "PAY-S032")
    refusal(tmp_path / "missing" / "d.sqlite", "PAY-S032")
    said = refusal("postgresql://me:secret@host/db", "PAY-S033")
    assert "secret" not in said


def test_a_start_that_was_cut_short_is_taken_up(path):
    path.touch()
    with SqliteLog(path) as log:
        log.record([entry()])
    assert verify(path).intact


def test_a_later_form_is_refused(path, log):
    log.record([entry()])
    log._writing.execute("INSERT INTO schema_versions VALUES (99, 'later', 0)")
    assert "form 99" in refusal(path, "PAY-S031")


def test_migrations_are_numbered_and_noted(path, log):
    assert [m.version for m in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))
    assert version_of(log._writing) == MIGRATIONS[-1].version
    assert migrate(log._writing) == 0


def test_a_migration_is_all_or_nothing(path, log):
    log.record([entry()])
    step = Migration(
        version=2, name="half", statements=("ALTER TABLE entries ADD COLUMN more TEXT", "NO SQL")
    )
    with pytest.raises(sqlite3.OperationalError):
        migrate(log._writing, [*MIGRATIONS, step])
    assert version_of(log._writing) == 1
    assert "more" not in [row[1] for row in log._writing.execute("PRAGMA table_info(entries)")]
    log.record([entry()])
    good = Migration(version=2, name="whole", statements=step.statements[:1])
    assert migrate(log._writing, [*MIGRATIONS, good]) == 1
    assert version_of(log._writing) == 2
