"""The log in one SQLite file: many requests share one commit, and each waits until it returned.

A commit that reaches the disk takes milliseconds, whatever it holds. So requests do not commit:
they put their entries in a queue, one thread takes all that wait, writes them in one transaction,
and only then tells each request that its entries are safe. While it waits for the disk the next
group gathers.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from payoff.serve.log import Batch, Entry
from payoff.serve.problems import BusyError, RepeatError
from payoff.serve.wire import encode
from payoff.store.entries import SALT, Draft, append, select
from payoff.store.schema import connect

__all__ = ["SqliteLog"]

_MOST_WAITING: Final = 20_000
_MOST_TOGETHER: Final = 2_000

Answer = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """The entries of one request, ready to be written."""

    drafts: Sequence[Draft]
    batch: Batch
    head: str
    future: Future[Answer]


class SqliteLog:
    """Keeps decisions in one file; a :class:`payoff.serve.log.DecisionStore`.

    Parameters
    ----------
    path
        The file; made where there is none.
    most_waiting
        Entries in the queue from which on further requests are refused.

    Raises
    ------
    StoreError
        As :func:`payoff.store.schema.connect`.

    Examples
    --------
    >>> import tempfile
    >>> from payoff.serve.log import Entry
    >>> made = {"id": "d1", "action": "call"}
    >>> entry = Entry(id="d1", request_id="r1", at=0.0, bundle_id="b", row={"age": 41}, answer=made)
    >>> with tempfile.TemporaryDirectory() as folder, SqliteLog(f"{folder}/d.sqlite") as log:
    ...     log.record([entry])
    ...     log.find("d1")["row"]
    {'age': 41}
    """

    def __init__(self, path: str | Path, *, most_waiting: int = _MOST_WAITING) -> None:
        self._path = path
        self._most = most_waiting
        self._writing: sqlite3.Connection | None = connect(path)
        self._reading = connect(path)
        self._reading.execute("PRAGMA query_only = ON")
        self._read_lock = threading.Lock()
        self._salts = _salts()
        self._queue: deque[_Waiting] = deque()
        self._n_waiting = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="payoff-log", daemon=True)
        self._thread.start()

    @property
    def durable(self) -> bool:
        """A recorded entry survives the end of the process, and of the machine's power."""
        return True

    def __enter__(self) -> SqliteLog:
        """Return the log."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the log."""
        self.close()

    def close(self) -> None:
        """Write what waits, and close the file; later entries are refused."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        with self._read_lock:
            self._reading.close()
        if self._writing is not None:
            self._writing.close()

    # ------------------------------------------------------------------------------- to write

    def record(self, entries: Sequence[Entry]) -> None:
        """Keep entries; returns once they are on the disk.

        Raises
        ------
        BusyError, sqlite3.Error
            They are not kept.
        """
        self.submit(Batch(entries=entries)).result()

    def submit(self, batch: Batch) -> Future[Answer]:
        """Take the entries of one request: see :class:`payoff.serve.log.DecisionStore`."""
        drafts = _drafts(batch.entries, self._salts)
        head = encode(batch.head).decode("utf-8")
        waiting = _Waiting(drafts=drafts, batch=batch, head=head, future=Future())
        with self._changed:
            if self._closing:
                raise ValueError("the log is closed")
            if self._n_waiting >= self._most:
                raise BusyError.recording(self._most)
            self._queue.append(waiting)
            self._n_waiting += len(drafts)
            self._changed.notify()
        return waiting.future

    def _run(self) -> None:
        while group := self._next():
            kept = [one for one in group if one.future.set_running_or_notify_cancel()]
            try:
                answers = self._commit(kept)
            except BaseException as error:  # noqa: BLE001  (each request learns of it)
                self._give_up()
                for one in kept:
                    one.future.set_exception(error)
            else:
                for one, answer in zip(kept, answers, strict=True):
                    if isinstance(answer, Exception):
                        one.future.set_exception(answer)
                    else:
                        one.future.set_result(answer)

    def _next(self) -> list[_Waiting]:
        """Wait for entries; return what is there, up to a limit; nothing once the log is closed."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            group: list[_Waiting] = []
            together = 0
            while self._queue and together < _MOST_TOGETHER:
                one = self._queue.popleft()
                together += len(one.drafts)
                group.append(one)
            self._n_waiting -= together
            return group

    def _commit(self, group: Sequence[_Waiting]) -> list[Answer | Exception]:
        """Write the entries of several requests in one transaction; return what each is told."""
        if self._writing is None:
            self._writing = connect(self._path)
        connection = self._writing
        told: list[Answer | Exception] = [None] * len(group)
        connection.execute("BEGIN IMMEDIATE")
        new: list[_Waiting] = []
        keyed: dict[str, _Waiting] = {}
        repeated: list[tuple[int, _Waiting]] = []
        for place, one in enumerate(group):
            key = one.batch.key
            if key is None:
                new.append(one)
            elif key in keyed or _is_known(connection, key):
                repeated.append((place, one))
            else:
                keyed[key] = one
                new.append(one)
        drafts = [draft for one in new for draft in one.drafts]
        if drafts:
            number = append(connection, drafts)
            for one in new:
                if one.batch.key is not None:
                    connection.execute(
                        "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?)",
                        (
                            one.batch.key, one.batch.asked, number, len(one.drafts), one.head,
                            one.batch.under,
                        ),
                    )  # fmt: skip
                number += len(one.drafts)
        for place, one in repeated:
            told[place] = _told(connection, one.batch)
        connection.execute("COMMIT")
        return told

    def _give_up(self) -> None:
        """After a failure, start over with a new connection: what this one holds is in doubt."""
        if self._writing is not None:
            with contextlib.suppress(sqlite3.Error):
                self._writing.close()
            self._writing = None

    # -------------------------------------------------------------------------------- to read

    def earlier(self, key: str, asked: bytes) -> Answer:
        """Return the answer that a key was given: see :class:`payoff.serve.log.DecisionStore`."""
        with self._reader() as connection:
            return _answer_of(connection, key, asked)

    def find(self, decision_id: str) -> Answer:
        """Return one entry by its id: see :class:`payoff.serve.log.DecisionStore`."""
        with self._reader() as connection:
            found = next(
                select(connection, "id = :id AND kind = 'decision'", {"id": decision_id}), None
            )
        if found is None:
            return None
        content = {} if found.content is None else json.loads(found.content)
        return {
            "id": found.id,
            "number": found.number,
            "at": found.at,
            "request_id": found.request_id,
            "bundle_id": found.bundle_id,
            "row": content.get("row"),
            "answer": content.get("answer"),
            "hash": found.hash.hex(),
        }

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with self._read_lock:
            yield self._reading


def _salts() -> Callable[[], bytes]:
    """Return what gives a new salt: numbers under a secret that only this process has.

    Asking the system for each would take longer than writing the entry.
    """
    secret, numbers = os.urandom(32), itertools.count()

    def salt() -> bytes:
        number = next(numbers).to_bytes(8, "big")
        return hashlib.blake2b(number, digest_size=SALT, key=secret).digest()

    return salt


def _drafts(entries: Sequence[Entry], salt: Callable[[], bytes]) -> list[Draft]:
    return [
        Draft.of(
            kind="decision",
            id=entry.id,
            request_id=entry.request_id,
            at=entry.at,
            bundle_id=entry.bundle_id,
            unit_id=None if entry.unit_id is None else str(entry.unit_id),
            salt=salt(),
            content=encode({"unit_id": entry.unit_id, "row": entry.row, "answer": entry.answer}),
        )
        for entry in entries
    ]


def _is_known(connection: sqlite3.Connection, key: str) -> bool:
    return connection.execute("SELECT 1 FROM keys WHERE key = ?", (key,)).fetchone() is not None


def _told(connection: sqlite3.Connection, batch: Batch) -> Answer | Exception:
    assert batch.key is not None
    try:
        return _answer_of(connection, batch.key, batch.asked)
    except RepeatError as error:
        return error


def _answer_of(connection: sqlite3.Connection, key: str, asked: bytes) -> Answer:
    row = connection.execute(
        "SELECT asked, first, count, head, list FROM keys WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        return None
    before, first, count, head, under = row
    if before != asked:
        raise RepeatError.other_question(key)
    found = select(
        connection, "number >= :first AND number < :end", {"first": first, "end": first + count}
    )
    answers = [json.loads(entry.content or b"{}")["answer"] for entry in found]
    return answers[0] if under is None else {**json.loads(head), under: answers}
