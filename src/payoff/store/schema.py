"""The file: how it is opened, what its tables are, and how an older form becomes today's."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from payoff.store.problems import StoreError

__all__ = ["MIGRATIONS", "Migration", "connect", "migrate", "open_to_read", "version_of"]

#: "POlg" in the file's header: whose file it is.
_APPLICATION: Final = 0x504F6C67
_MAGIC: Final = b"SQLite format 3\x00"
#: Seconds that a connection waits for another process that writes.
_BUSY: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step from the form before to the next: all of it, or none.

    Parameters
    ----------
    version
        Number of the form it leads to, counted from 1 without a gap.
    name
        What it does, in words.
    statements
        SQL, in order.
    """

    version: int
    name: str
    statements: tuple[str, ...]


MIGRATIONS: Final = (
    Migration(
        version=1,
        name="entries in a chain, and the keys of requests",
        statements=(
            """CREATE TABLE entries (
                number INTEGER PRIMARY KEY,
                kind TEXT NOT NULL,
                id TEXT NOT NULL UNIQUE,
                request_id TEXT NOT NULL,
                at REAL NOT NULL,
                bundle_id TEXT NOT NULL,
                unit_id TEXT,
                salt BLOB,
                content BLOB,
                digest BLOB NOT NULL,
                hash BLOB NOT NULL)""",
            "CREATE INDEX entries_by_unit ON entries (unit_id) WHERE unit_id IS NOT NULL",
            """CREATE TABLE keys (
                key TEXT PRIMARY KEY,
                asked BLOB NOT NULL,
                first INTEGER NOT NULL,
                count INTEGER NOT NULL,
                head TEXT NOT NULL,
                list TEXT) WITHOUT ROWID""",
            "CREATE INDEX keys_by_entry ON keys (first)",
        ),
    ),
)


def connect(path: str | Path) -> sqlite3.Connection:
    """Open a decision log to write, making it where there is none and bringing it to today's form.

    Parameters
    ----------
    path
        The file; its folder must exist.

    Returns
    -------
    sqlite3.Connection
        In WAL mode, in which a commit returns after the disk has it, and with deleted content
        overwritten. It may be used from any thread, by one at a time.

    Raises
    ------
    StoreError
        ``PAY-S030`` for another file, ``PAY-S031`` for a later form, ``PAY-S032`` when the folder,
        the file or the disk refuses, ``PAY-S033`` for an address of a database server.
    """
    file = _file(path)
    try:
        if not file.exists():
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        _look(file)
        connection = _connection(f"file:{quote(str(file))}?mode=rw")
    except OSError as error:
        raise StoreError.unusable(str(path), error.strerror or str(error)) from None
    except sqlite3.Error as error:
        raise StoreError.unusable(str(path), str(error)) from None
    try:
        _prepare(connection, file)
    except sqlite3.Error as error:
        connection.close()
        raise StoreError.unusable(str(path), str(error)) from None
    except StoreError:
        connection.close()
        raise
    return connection


def open_to_read(path: str | Path) -> sqlite3.Connection:
    """Open a decision log that is there, to read only; also one in a folder that cannot be written.

    Raises
    ------
    StoreError
        As :func:`connect`; ``PAY-S030`` also where there is no file.
    """
    file = _file(path)
    if not file.is_file():
        raise StoreError.not_a_log(str(path), "no such file" if not file.exists() else "no file")
    try:
        _look(file)
        connection = _reading(file)
    except OSError as error:
        raise StoreError.unusable(str(path), error.strerror or str(error)) from None
    except sqlite3.Error as error:
        raise StoreError.unusable(str(path), str(error)) from None
    try:
        _refuse_others(connection, file, must=True)
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(connection: sqlite3.Connection, steps: Sequence[Migration] = MIGRATIONS) -> int:
    """Bring a file to the last form, one step at a time; return how many steps were taken.

    Each step is one transaction with the note that it was taken, so a process that dies half way
    leaves the form before.
    """
    taken = 0
    for step in steps:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been faster.
            if version_of(connection) >= step.version:
                connection.execute("ROLLBACK")
                continue
            if step.version == 1:
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(
                    "CREATE TABLE schema_versions "
                    "(version INTEGER PRIMARY KEY, name TEXT NOT NULL, at REAL NOT NULL)"
                )
            for statement in step.statements:
                connection.execute(statement)
            connection.execute(
                "INSERT INTO schema_versions VALUES (?, ?, ?)",
                (step.version, step.name, time.time()),
            )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        taken += 1
    return taken


def version_of(connection: sqlite3.Connection) -> int:
    """Return the number of a file's form; 0 for one without tables."""
    if not _tables(connection):
        return 0
    found = connection.execute("SELECT max(version) FROM schema_versions").fetchone()[0]
    return int(found or 0)


def _file(path: str | Path) -> Path:
    if "://" in str(path):
        raise StoreError.not_yet(str(path))
    return Path(path).absolute()


def _look(file: Path) -> None:
    """Refuse a folder, and a file that is no database, before SQLite meets it."""
    with file.open("rb") as stream:
        start = stream.read(len(_MAGIC))
    if start not in (b"", _MAGIC):
        raise StoreError.not_a_log(str(file), "a file that is no SQLite database")


def _connection(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY
    )
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _reading(file: Path) -> sqlite3.Connection:
    uri = f"file:{quote(str(file))}?mode=ro"
    connection = _connection(uri)
    try:
        _tables(connection)
    except sqlite3.OperationalError:
        connection.close()
        if Path(f"{file}-wal").exists():
            raise
        # Reading needs a file beside it for locks; in a folder that nobody can write, none is due.
        connection = _connection(uri + "&immutable=1")
    return connection


def _prepare(connection: sqlite3.Connection, file: Path) -> None:
    _refuse_others(connection, file, must=False)
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreError.unusable(str(file), "a file system on which SQLite cannot use WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # where fsync alone does not reach the disk
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    connection.execute("PRAGMA secure_delete = ON")
    migrate(connection)
    if os.name == "posix":
        # That the files exist must be on the disk as well, not only what is in them.
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _refuse_others(connection: sqlite3.Connection, file: Path, *, must: bool) -> None:
    tables = _tables(connection)
    whose = connection.execute("PRAGMA application_id").fetchone()[0]
    if (tables or must) and (whose != _APPLICATION or "schema_versions" not in tables):
        got = "a database of something else" if tables else "an empty database"
        raise StoreError.not_a_log(str(file), got)
    version, known = version_of(connection), MIGRATIONS[-1].version
    if version > known:
        raise StoreError.newer(str(file), version, known)


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
