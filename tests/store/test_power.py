"""Power cuts: only what was synced survives, and every answer was synced before it was given."""

from __future__ import annotations

import random
import shutil
import threading
import time

import pytest

from payoff.store import SqliteLog
from payoff.store.verifying import verify
from tests.store.logs import batch, entry
from tests.store.power import Disk, library

wired = pytest.mark.skipif(library() is None, reason="the interpreter's SQLite cannot be wrapped")


class AnswersFirst(SqliteLog):
    """The wrong way round: what is told to be safe still waits."""

    def record(self, entries):
        self.submit(batch(*entries))
        time.sleep(0.001)


class Hasty(SqliteLog):
    """Commits without waiting for the disk."""

    def __init__(self, path):
        super().__init__(path)
        self._writing.execute("PRAGMA synchronous = NORMAL")


def ids_in(path):
    """Return the ids of a log as it starts after the cut, whose chain must be whole."""
    with SqliteLog(path) as log:
        log.record([entry()])  # it takes decisions again
        found = {row[0] for row in log._reading.execute("SELECT id FROM entries")}
    checked = verify(path)
    assert checked.faults == ()
    return found


def cuts(folder, kind, n, draw):
    """Cut the power n times while four threads record; return how many safe entries were lost."""
    disk = Disk()
    folder.mkdir()
    safe, stop = [], threading.Event()
    lost = []
    with disk.wired():
        log = kind(folder / "decisions.sqlite")

        def work():
            while not stop.is_set():
                one = [entry(secret="x" * draw.randrange(3000)) for _ in range(draw.randint(1, 3))]
                log.record(one)
                safe.extend(e.id for e in one)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for number in range(n):
                time.sleep(draw.uniform(0.01, 0.06))
                told = set(safe)  # before the cut: each of these must survive it
                disk.cut(folder / f"cut{number}", draw)
                lost.append(told)
        finally:
            stop.set()
            for thread in threads:
                thread.join(20)
            log.close()
    assert disk.syncs > n
    assert len(lost[-1]) > n
    return [
        len(told - ids_in(folder / f"cut{number}" / "decisions.sqlite"))
        for number, told in enumerate(lost)
    ]


@wired
def test_twenty_power_cuts(tmp_path, seed):
    assert cuts(tmp_path / "a", SqliteLog, 20, random.Random(seed)) == [0] * 20


@wired
@pytest.mark.parametrize("kind", [AnswersFirst, Hasty])
def test_what_is_not_synced_is_seen(tmp_path, seed, kind):
    """The control: the same cuts lose what a log did not sync before it said so."""
    assert sum(cuts(tmp_path / "a", kind, 8, random.Random(seed))) > 0


def test_a_write_ahead_log_cut_or_spoilt_at_any_byte(tmp_path, seed):
    """Whatever is left of the last writes, entries are whole and a beginning of what was told."""
    draw = random.Random(seed)
    path = tmp_path / "decisions.sqlite"
    wal = path.with_name(path.name + "-wal")
    sizes = []
    with SqliteLog(path) as log:
        for _ in range(40):
            log.record([entry(secret="x" * draw.randrange(2000)) for _ in range(2)])
            sizes.append(wal.stat().st_size)
        for number in range(40):
            cut = draw.randrange(wal.stat().st_size)
            folder = tmp_path / f"copy{number}"
            folder.mkdir()
            shutil.copy(path, folder)
            content = wal.read_bytes()
            rest = len(content) - cut
            after = (b"", bytes(rest), draw.randbytes(rest))[number % 3]
            (folder / wal.name).write_bytes(content[:cut] + after)
            copy = folder / path.name
            entries = verify(copy).entries if sizes[0] <= cut else 0
            assert entries >= 2 * sum(size <= cut for size in sizes)
            if entries:
                ids_in(copy)
