"""Entries as they lie in the file, and how they are put at its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from payoff.store.chain import GENESIS, canonical, digest_of, link

__all__ = ["SALT", "Draft", "Stored", "append", "last_of", "select"]

#: Random bytes before each content.
SALT: Final = 16
_COLUMNS: Final = (
    "number, kind, id, request_id, at, bundle_id, unit_id, salt, content, digest, hash"
)
# Rows of one INSERT. Each statement waits once for the interpreter's lock, so a group of requests
# is written in a few statements, and of few sizes so that SQLite keeps them compiled.
_SIZES: Final = (256, 64, 16, 4, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry without its place in the chain.

    Parameters
    ----------
    kind
        ``"decision"``, or what was done to the log: ``"erasure"`` or ``"prune"``.
    unit_id
        As text.
    salt, content
        What ``digest`` is of.
    """

    kind: str
    id: str
    request_id: str
    at: float
    bundle_id: str
    unit_id: str | None
    salt: bytes
    content: bytes
    digest: bytes

    @classmethod
    def of(cls, *, salt: bytes, content: bytes, **facts: Any) -> Draft:
        """Make a draft, with its digest."""
        return cls(salt=salt, content=content, digest=digest_of(salt, content), **facts)


@dataclass(frozen=True, slots=True)
class Stored:
    """One row of the file; ``salt`` and ``content`` are None once erased."""

    number: int
    kind: str
    id: str
    request_id: str
    at: float
    bundle_id: str
    unit_id: str | None
    salt: bytes | None
    content: bytes | None
    digest: bytes
    hash: bytes

    @property
    def sound(self) -> bool:
        """Whether each column is of the type that payoff writes; SQLite itself takes any."""
        texts: tuple[object, ...] = (self.kind, self.id, self.request_id, self.bundle_id)
        digests: tuple[object, ...] = (self.digest, self.hash)
        maybe: tuple[object, ...] = (self.salt, self.content)
        at: object = self.at
        unit: object = self.unit_id
        return (
            isinstance(at, float)
            and all(isinstance(text, str) for text in texts)
            and (unit is None or isinstance(unit, str))
            and all(isinstance(blob, bytes) for blob in digests)
            and all(blob is None or isinstance(blob, bytes) for blob in maybe)
        )

    def after(self, before: bytes) -> bytes:
        """Return the hash that this entry has if it follows the hash ``before``."""
        return link(before, _header(self, self.number))


def last_of(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """Return number and hash of the last entry; of an empty log 0 and what its first follows."""
    row = connection.execute(
        "SELECT number, hash FROM entries ORDER BY number DESC LIMIT 1"
    ).fetchone()
    return (0, GENESIS) if row is None else (int(row[0]), bytes(row[1]))


def append(connection: sqlite3.Connection, drafts: Sequence[Draft]) -> int:
    """Put entries at the end of the chain, within a transaction that the caller has begun.

    Returns
    -------
    int
        Number of the first.
    """
    number, before = last_of(connection)
    first = number + 1
    rows = []
    for draft in drafts:
        number += 1
        before = link(before, _header(draft, number))
        rows.append(
            (
                number, draft.kind, draft.id, draft.request_id, draft.at, draft.bundle_id,
                draft.unit_id, draft.salt, draft.content, draft.digest, before,
            )
        )  # fmt: skip
    start = 0
    for size in _SIZES:
        while len(rows) - start >= size:
            values = ",".join(["(?,?,?,?,?,?,?,?,?,?,?)"] * size)
            connection.execute(
                f"INSERT INTO entries ({_COLUMNS}) VALUES {values}",  # noqa: S608 (only marks)
                [value for row in rows[start : start + size] for value in row],
            )
            start += size
    return first


def select(
    connection: sqlite3.Connection, where: str = "1", values: Mapping[str, Any] | None = None
) -> Iterator[Stored]:
    """Yield entries in the order of their numbers.

    Parameters
    ----------
    connection
        Of a log.
    where
        A condition in SQL, written by payoff, with ``:names`` of ``values``.
    values
        Name -> value.
    """
    text = f"SELECT {_COLUMNS} FROM entries WHERE {where} ORDER BY number"  # noqa: S608
    for row in connection.execute(text, values or {}):
        yield Stored(*row)


def _header(entry: Draft | Stored, number: int) -> bytes:
    return canonical(
        number=number,
        kind=entry.kind,
        id=entry.id,
        request_id=entry.request_id,
        at=entry.at,
        bundle_id=entry.bundle_id,
        digest=entry.digest,
    )
