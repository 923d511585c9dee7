"""Reading a whole log again: is every entry as it was written, in its place, and none missing."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from payoff.store.chain import GENESIS, digest_of
from payoff.store.entries import Stored, select
from payoff.store.schema import open_to_read

__all__ = ["Fault", "Verified", "verify"]

#: Most faults that are named; the rest are counted.
_MOST_NAMED: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is not as it was written.

    Parameters
    ----------
    number
        Number of the entry; None for a fault of the file.
    what
        What is wrong, in words.
    """

    number: int | None
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a log holds, and what is wrong with it.

    Parameters
    ----------
    entries
        Entries that were read.
    decisions
        Those that are decisions and still have their content.
    erased
        Entries whose content was erased, as an entry of the log says.
    pruned
        Entries before the first one that are gone, as an entry of the log says.
    head
        Number and hash of the last entry, ``"NUMBER:HASH"``; None for an empty log.
    first_at, last_at
        Earliest and latest time, in seconds since 1970.
    clock_back
        Entries whose time is before that of the entry before: the server's clock was set back.
    faults
        What is wrong, at most a hundred.
    n_faults
        How many faults there are.
    """

    entries: int
    decisions: int
    erased: int
    pruned: int
    head: str | None
    first_at: float | None
    last_at: float | None
    clock_back: int
    faults: tuple[Fault, ...]
    n_faults: int

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return self.n_faults == 0


def verify(path: str | Path, *, head: str | None = None) -> Verified:
    """Read every entry of a log and check it against the chain.

    Parameters
    ----------
    path
        The file. A server may be writing to it; what is there when reading starts is checked.
    head
        ``"NUMBER:HASH"`` as an earlier check gave it. A chain shows what was changed, added or
        taken out within it, and not what was cut off its end; this does.

    Raises
    ------
    StoreError
        ``PAY-S030``, ``PAY-S031``, ``PAY-S032``.
    """
    connection = open_to_read(path)
    reading = _Reading()
    try:
        connection.execute("BEGIN")  # one state of the file, whatever is written meanwhile
        for (line,) in connection.execute("PRAGMA integrity_check(20)"):
            if line != "ok":
                reading.fault(None, f"SQLite finds the file damaged: {line}")
        for entry in select(connection):
            reading.take(entry, head)
        reading.finish(head)
    except sqlite3.DatabaseError as error:
        after = f" after entry {reading.number}" if reading.entries else ""
        reading.fault(None, f"the file cannot be read{after}: {error}")
    finally:
        connection.close()
    return reading.result()


class _Reading:
    """What is known while the entries go by."""

    def __init__(self) -> None:
        self.number, self.before = 0, GENESIS
        self.entries = self.decisions = self.clock_back = self.n_faults = 0
        self.faults: list[Fault] = []
        self._first: Stored | None = None
        self._last: Stored | None = None
        self._times: list[float] = []  # earliest and latest
        self._bare: list[int] = []
        self._told: list[tuple[int, int]] = []
        self._anchors: dict[int, str] = {}
        self._found_head = False

    def fault(self, number: int | None, what: str) -> None:
        """Note a fault; of many only the first are named."""
        self.n_faults += 1
        if len(self.faults) < _MOST_NAMED:
            self.faults.append(Fault(number=number, what=what))

    def take(self, entry: Stored, head: str | None) -> None:
        """Check one entry; the next is held against the hash that the file has for this one."""
        self.entries += 1
        if not entry.sound:
            self.fault(entry.number, "a column of it is of another type than was written")
            stored: object = entry.hash
            self.number = entry.number
            self.before = stored if isinstance(stored, bytes) else b""
            return
        if self.number == 0:
            self._first = entry  # its place is checked at the end: a later entry may vouch for it
        elif entry.number != self.number + 1:
            self.fault(
                entry.number, f"{_span(self.number + 1, entry.number - 1)} before it missing"
            )
        elif entry.after(self.before) != entry.hash:
            self.fault(entry.number, "its hash does not follow from it and the entry before")
        self._read(entry)
        if self._last is not None and entry.at < self._last.at:
            self.clock_back += 1
        self._times = [min([*self._times[:1], entry.at]), max([*self._times[1:], entry.at])]
        self._last = entry
        self.number, self.before = entry.number, entry.hash
        self._found_head |= head == _head(entry)

    def _read(self, entry: Stored) -> None:
        if entry.content is None or entry.salt is None:
            self._bare.append(entry.number)
            return
        if digest_of(entry.salt, entry.content) != entry.digest:
            self.fault(entry.number, "its content is not what was recorded")
            return
        try:
            facts: dict[str, Any] = json.loads(entry.content)
        except ValueError:
            self.fault(entry.number, "its content is not what payoff writes")
            return
        if entry.kind == "decision":
            self.decisions += 1
            unit = facts.get("unit_id")
            if entry.unit_id != (None if unit is None else str(unit)):
                self.fault(entry.number, "it is filed under another unit than it is about")
            return
        self._told += [(int(first), int(last)) for first, last in facts.get("erased", ())]
        if facts.get("through"):
            self._anchors[int(facts["through"])] = str(facts["hash"])

    def finish(self, head: str | None) -> None:
        """Check what only the whole log can say."""
        first = self._first
        if first is not None:
            before = self._anchors.get(first.number - 1) if first.number > 1 else GENESIS.hex()
            if before is None:
                self.fault(
                    first.number,
                    f"{_span(1, first.number - 1)} before it missing, and no entry says that "
                    "they were pruned",
                )
            elif first.after(bytes.fromhex(before)) != first.hash:
                self.fault(first.number, "its hash does not follow from it and the entry before")
        told = {n for low, high in self._told for n in range(low, high + 1)} if self._bare else ()
        for number in self._bare:
            if number not in told:
                self.fault(number, "its content is gone, and no entry says that it was erased")
        if head is not None and not self._found_head:
            self.fault(None, f"the entry {head.partition(':')[0]} of --head is not in this log")

    def result(self) -> Verified:
        """Return what was found."""
        first, last = self._first, self._last
        return Verified(
            entries=self.entries,
            decisions=self.decisions,
            erased=len(self._bare),
            pruned=0 if first is None else first.number - 1,
            head=None if last is None else _head(last),
            first_at=self._times[0] if self._times else None,
            last_at=self._times[1] if self._times else None,
            clock_back=self.clock_back,
            faults=tuple(self.faults),
            n_faults=self.n_faults,
        )


def _head(entry: Stored) -> str:
    return f"{entry.number}:{entry.hash.hex()}"


def _span(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"
