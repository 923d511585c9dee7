"""Taking out what may not be kept: of one unit, or before a date; the chain stays whole.

An erased entry keeps its place, its digest and its hash, and loses its content, the salt of the
digest and the unit's id. Pruned entries go whole. Both are entries themselves, which say which
numbers were meant and, for a pruned beginning, the hash that the first entry left follows.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from payoff.serve.wire import encode
from payoff.store.entries import SALT, Draft, append
from payoff.store.problems import StoreError
from payoff.store.schema import connect, open_to_read

__all__ = ["Removed", "erase", "prune"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was taken out of a log.

    Parameters
    ----------
    erased
        Entries that lost their content.
    dropped
        Entries that are gone.
    entry
        Number of the entry that says so; None where there was nothing to do.
    on_disk
        Whether the file itself holds none of it any more. False while another process reads the
        log: the old content goes with the next checkpoint.
    """

    erased: int
    dropped: int
    entry: int | None
    on_disk: bool


def erase(path: str | Path, *, unit: str, at: float) -> Removed:
    """Erase the content of every decision about one unit; a server may be writing meanwhile.

    Parameters
    ----------
    path
        The file.
    unit
        The unit's id, as text.
    at
        Seconds since 1970.

    Raises
    ------
    StoreError
        ``PAY-S030``, ``PAY-S031``, ``PAY-S032``.
    """
    with _changing(path) as connection:
        numbers = _numbers(connection, "unit_id = :unit AND content IS NOT NULL", {"unit": unit})
        entry = None
        if numbers:
            _clear(connection, numbers)
            entry = _say(connection, "erasure", at, {"erased": list(_spans(numbers))})
    return Removed(erased=len(numbers), dropped=0, entry=entry, on_disk=_settle(path))


def prune(path: str | Path, *, before: float, at: float) -> Removed:
    """Remove what was recorded before a moment.

    The beginning of the log, up to the first entry that is not older, is dropped. Older entries
    beyond it (the clock was set back) lose their content and keep their place.

    Parameters
    ----------
    path
        The file.
    before, at
        Seconds since 1970.

    Raises
    ------
    StoreError
        As :func:`erase`.
    """
    with _changing(path) as connection:
        through = _through(connection, before)
        older = _numbers(
            connection,
            "number > :through AND at < :before AND kind = 'decision' AND content IS NOT NULL",
            {"through": through or 0, "before": before},
        )
        facts: dict[str, Any] = {"before": before, "erased": list(_spans(older))}
        entry, dropped = None, 0
        if through is not None:
            row = connection.execute(
                "SELECT hash FROM entries WHERE number = ?", (through,)
            ).fetchone()
            facts |= {"through": through, "hash": bytes(row[0]).hex()}
        if through is not None or older:
            entry = _say(connection, "prune", at, facts)
            _clear(connection, older)
        if through is not None:
            connection.execute("DELETE FROM keys WHERE first <= ?", (through,))
            dropped = connection.execute(
                "DELETE FROM entries WHERE number <= ?", (through,)
            ).rowcount
    return Removed(erased=len(older), dropped=dropped, entry=entry, on_disk=_settle(path))


@contextlib.contextmanager
def _changing(path: str | Path) -> Iterator[sqlite3.Connection]:
    """Open a log that is there and run one transaction on it."""
    open_to_read(path).close()  # a slip in the path must not make a new, empty log
    connection = connect(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise StoreError.unusable(str(path), str(error)) from None
    finally:
        connection.close()  # whatever was begun and not committed is undone


def _through(connection: sqlite3.Connection, before: float) -> int | None:
    """Return the last number of the beginning that is older; None where the first is not."""
    [first, last] = connection.execute("SELECT min(number), max(number) FROM entries").fetchone()
    if first is None:
        return None
    [kept] = connection.execute(
        "SELECT min(number) FROM entries WHERE at >= ?", (before,)
    ).fetchone()
    through = int(last) if kept is None else int(kept) - 1
    return through if through >= int(first) else None


def _numbers(connection: sqlite3.Connection, where: str, values: Mapping[str, Any]) -> list[int]:
    text = f"SELECT number FROM entries WHERE {where} ORDER BY number"  # noqa: S608 (above)
    return [int(number) for (number,) in connection.execute(text, values)]


def _clear(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Take content, salt and unit from entries, and the keys that would repeat their answers."""
    marks = [(number,) for number in numbers]
    connection.executemany(
        "UPDATE entries SET salt = NULL, content = NULL, unit_id = NULL WHERE number = ?", marks
    )
    # A request's entries follow each other, so the last key that starts at or before is its own.
    connection.executemany(
        "DELETE FROM keys WHERE key = (SELECT key FROM keys WHERE first <= ?1 "
        "ORDER BY first DESC LIMIT 1) AND first + count > ?1",
        marks,
    )


def _say(connection: sqlite3.Connection, kind: str, at: float, facts: Mapping[str, Any]) -> int:
    """Append the entry that says what was done."""
    draft = Draft.of(
        kind=kind,
        id=uuid.uuid4().hex,
        request_id="",
        at=at,
        bundle_id="",
        unit_id=None,
        salt=os.urandom(SALT),
        content=encode(facts),
    )
    return append(connection, [draft])


def _spans(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Write ascending numbers as pairs of first and last.

    Examples
    --------
    >>> list(_spans([1, 2, 3, 7]))
    [(1, 3), (7, 7)]
    """
    first = last = None
    for number in numbers:
        if first is not None and last is not None and number == last + 1:
            last = number
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = number
    if first is not None and last is not None:
        yield first, last


def _settle(path: str | Path) -> bool:
    """Carry what was overwritten from the write-ahead log into the file."""
    with contextlib.closing(connect(path)) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return bool(busy == 0)
