"""The base of every error: four parts, bounded, with nothing that acts on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from payoff.errors.wording import plain

__all__ = ["PayoffError"]


def _fit(text: str | None, longest: int) -> str | None:
    """Hold any part of a message to what a terminal can take, whoever wrote it."""
    if text is None:
        return None
    text = plain(text)
    return text if len(text) <= longest else text[:longest] + "..."


class PayoffError(Exception):
    """Base of every error a user can cause or meet.

    Parameters
    ----------
    what
        One clause that says what is wrong.
    code
        ``PAY-<letter><three digits>``; each code has an entry in ``docs/reference/errors.md``.
    where
        File, line, key, column, rows: whatever locates the fault.
    got, need
        What was found and what would have been accepted.
    mend
        What the reader should do next.
    """

    exit_code: ClassVar[int] = 2
    status: ClassVar[int] = 400

    def __init__(
        self,
        what: str,
        *,
        code: str,
        where: str | None = None,
        got: str | None = None,
        need: str | None = None,
        mend: str | None = None,
    ) -> None:
        self.what = plain(what)
        self.code = code
        self.where = _fit(where, 400)
        self.got = _fit(got, 700)
        self.need = _fit(need, 700)
        self.mend = _fit(mend, 700)
        super().__init__(self.what)

    def __str__(self) -> str:
        """Return the whole message as one paragraph."""
        parts = [self.what.rstrip(".")]
        if self.where:
            parts[0] += f" ({self.where})"
        if self.got is not None:
            parts.append(f"got {self.got}")
        if self.need is not None:
            parts.append(f"need {self.need}")
        text = "; ".join(parts) + "."
        if self.mend:
            text += f" {self.mend}" + ("" if self.mend[-1] in ".?!" else ".")
        return f"{self.code}: {text}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild from keywords, so that the error survives a process boundary."""
        return (_rebuild, (type(self), self.to_dict()))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form used by ``--json`` and by the server."""
        return {
            "code": self.code,
            "what": self.what,
            "where": self.where,
            "got": self.got,
            "need": self.need,
            "mend": self.mend,
        }

    def within(self, place: str) -> PayoffError:
        """Return the same error with ``place`` (a file, a table) put before its location."""
        facts = self.to_dict()
        facts["where"] = f"{place}, {self.where}" if self.where else place
        return _rebuild(type(self), facts)


def _rebuild(kind: type[PayoffError], facts: Mapping[str, Any]) -> PayoffError:
    facts = dict(facts)
    return kind(facts.pop("what"), **facts)
