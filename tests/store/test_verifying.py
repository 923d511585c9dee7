"""Every way to alter a log is found and named; erasing and pruning are not alterations."""

from __future__ import annotations

import sqlite3

import pytest

from payoff.store import SqliteLog
from payoff.store.problems import StoreError
from payoff.store.retention import erase, prune
from payoff.store.verifying import verify
from tests.store.logs import answered, batch, entry


@pytest.fixture
def path(tmp_path):
    return tmp_path / "decisions.sqlite"


@pytest.fixture
def log(path):
    with SqliteLog(path) as made:
        made.record([entry(f"c-{i % 3}", at=100.0 + i) for i in range(10)])
        yield made


def alter(path, statement, *values):
    with sqlite3.connect(path) as connection:
        assert connection.execute(statement, values).rowcount > 0
    connection.close()


def faults(path, **more):
    return [(f.number, f.what) for f in verify(path, **more).faults]


def test_an_untouched_log(path, log):
    found = verify(path)
    assert found.intact
    assert (found.entries, found.decisions, found.erased, found.pruned) == (10, 10, 0, 0)
    assert (found.first_at, found.last_at, found.clock_back) == (100.0, 109.0, 0)
    assert found.head.startswith("10:")


def test_an_empty_log(tmp_path):
    SqliteLog(tmp_path / "d").close()
    found = verify(tmp_path / "d")
    assert (found.intact, found.entries, found.head) == (True, 0, None)


@pytest.mark.parametrize(
    ("statement", "number", "what"),
    [
        ("UPDATE entries SET content = CAST(replace(content, 'call', 'wait') AS BLOB) "
         "WHERE number = 4", 4, "content is not what was recorded"),
        ("UPDATE entries SET content = 'text' WHERE number = 4", 4, "of another type"),
        ("UPDATE entries SET at = 'soon' WHERE number = 10", 10, "of another type"),
        ("UPDATE entries SET hash = 7 WHERE number = 10", 10, "of another type"),
        ("UPDATE entries SET salt = zeroblob(16) WHERE number = 4", 4,
         "content is not what was recorded"),
        ("UPDATE entries SET at = at + 1 WHERE number = 4", 4, "does not follow"),
        ("UPDATE entries SET bundle_id = 'x' WHERE number = 1", 1, "does not follow"),
        ("UPDATE entries SET id = 'x' WHERE number = 10", 10, "does not follow"),
        ("UPDATE entries SET hash = zeroblob(32) WHERE number = 10", 10, "does not follow"),
        ("UPDATE entries SET unit_id = 'c-9' WHERE number = 4", 4, "another unit"),
        ("UPDATE entries SET content = NULL, salt = NULL WHERE number = 4", 4, "is gone"),
        ("DELETE FROM entries WHERE number = 4", 5, "entry 4 is before it missing"),
        ("DELETE FROM entries WHERE number IN (4, 5)", 6, "entries 4 to 5 are before it"),
        ("DELETE FROM entries WHERE number < 4", 4, "no entry says that they were pruned"),
    ],
)  # fmt: skip
def test_an_alteration_is_named(path, log, statement, number, what):
    alter(path, statement)
    [(found, said)] = faults(path)
    assert found == number
    assert what in said


def test_two_entries_exchanged(path, log):
    alter(path, "UPDATE entries SET number = -4 WHERE number = 4")
    alter(path, "UPDATE entries SET number = 4 WHERE number = 5")
    alter(path, "UPDATE entries SET number = 5 WHERE number = -4")
    assert {number for number, _ in faults(path)} >= {4, 5}


def test_an_altered_hash_does_not_hide_in_the_next(path, log):
    """Whoever alters one entry and its own hash breaks the link of the next."""
    alter(path, "UPDATE entries SET hash = zeroblob(32) WHERE number = 4")
    assert [number for number, _ in faults(path)] == [4, 5]


def test_what_was_cut_off_the_end_needs_a_head(path, log):
    head = verify(path).head
    assert verify(path, head=head).intact
    log.record([entry()])
    assert verify(path, head=head).intact
    alter(path, "DELETE FROM entries WHERE number >= 10")
    assert verify(path).intact  # the chain alone cannot tell
    [(number, said)] = faults(path, head=head)
    assert number is None
    assert "entry 10" in said


def test_many_faults_are_counted(path, log):
    log.record([entry() for _ in range(300)])
    alter(path, "UPDATE entries SET at = at + 1")
    found = verify(path)
    assert (len(found.faults), found.n_faults) == (100, 310)


def test_a_damaged_page_is_found(path, log):
    log.record([entry(secret="x" * 5000) for _ in range(50)])
    log.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    found = verify(path)
    assert not found.intact
    assert any(f.number is None for f in found.faults)


def test_a_clock_that_goes_back_is_told_and_no_fault(path, log):
    log.record([entry(at=50.0)])
    log.record([entry(at=60.0)])
    found = verify(path)
    assert (found.intact, found.clock_back, found.first_at) == (True, 1, 50.0)


def test_reading_makes_no_file(path):
    with pytest.raises(StoreError, match="no such file"):
        verify(path)
    with pytest.raises(StoreError, match="no such file"):
        erase(path, unit="c-1", at=0.0)
    assert not path.exists()


# ---------------------------------------------------------------------------- erase and prune


def raw(path):
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_an_erased_unit_is_gone_from_the_disk(path, log):
    log.record([entry("anna@example.org", secret="a-very-rare-job"), entry("other")])
    log.record([entry(f"z-{i}") for i in range(200)])
    assert b"anna@example.org" in raw(path)
    removed = erase(path, unit="anna@example.org", at=200.0)
    assert (removed.erased, removed.dropped, removed.on_disk) == (1, 0, True)
    assert b"anna@example.org" not in raw(path)
    assert b"a-very-rare-job" not in raw(path)
    found = verify(path)
    assert (found.intact, found.entries, found.decisions, found.erased) == (True, 213, 211, 1)
    log.record([entry()])
    assert verify(path).intact


def test_only_that_unit_is_erased(path, log):
    head = verify(path).head
    assert erase(path, unit="c-1", at=200.0).erased == 3
    found = verify(path, head=head)  # what was noted before still holds
    assert (found.intact, found.erased, found.decisions) == (True, 3, 7)
    assert erase(path, unit="c-1", at=201.0).entry is None
    assert verify(path).entries == 11


def test_an_erased_decision_is_found_without_content(path, log):
    one = entry(7)
    log.record([one])
    assert erase(path, unit="7", at=200.0).erased == 1
    found = log.find(one.id)
    assert (found["row"], found["answer"]) == (None, None)


def test_an_erased_answer_is_not_repeated(path, log):
    one = batch(entry("x"), entry("y"), entry("z"), key="k")
    other = batch(entry("w"), key="other")
    for each in (one, other):
        log.submit(each).result()
    erase(path, unit="y", at=200.0)
    assert log.earlier("k", b"a") is None
    assert log.earlier("other", b"a") == answered(other)


def test_content_that_only_looks_erased(path, log):
    erase(path, unit="c-1", at=200.0)
    alter(path, "UPDATE entries SET content = NULL, salt = NULL WHERE number = 1")
    assert [number for number, _ in faults(path)] == [1]
    wider = "CAST(replace(content, '[2,2]', '[1,2]') AS BLOB)"
    alter(path, f"UPDATE entries SET content = {wider} WHERE number = 11")
    assert [number for number, _ in faults(path)] == [11, 1, 2, 5, 8]


def test_what_is_older_is_pruned(path, log):
    log.submit(batch(entry(at=90.0), key="old")).result()
    removed = prune(path, before=105.0, at=200.0)
    assert (removed.dropped, removed.erased) == (5, 1)  # the last was older by a clock set back
    found = verify(path)
    assert (found.intact, found.pruned, found.entries, found.erased) == (True, 5, 7, 1)
    assert log.earlier("old", b"a") is None
    assert prune(path, before=105.0, at=201.0).entry is None
    log.record([entry(at=300.0)])
    assert prune(path, before=250.0, at=301.0).dropped == 7
    assert (verify(path).intact, verify(path).pruned) == (True, 12)


def test_everything_can_be_pruned(path, log):
    removed = prune(path, before=1e9, at=2e9)
    assert removed.dropped == 10
    log.record([entry(at=3e9)])
    found = verify(path)
    assert (found.intact, found.entries, found.pruned) == (True, 2, 10)


def test_a_pruned_beginning_cannot_be_exchanged(path, log):
    prune(path, before=105.0, at=200.0)
    alter(path, "UPDATE entries SET at = 1 WHERE number = 6")
    assert [number for number, _ in faults(path)] == [6]


def test_erasing_while_the_server_writes(path, log):
    futures = [log.submit(batch(entry("x"))) for _ in range(200)]
    removed = erase(path, unit="c-0", at=200.0)
    assert removed.erased == 4
    for future in futures:
        assert future.result(10) is None
    found = verify(path)
    assert (found.intact, found.entries) == (True, 211)
