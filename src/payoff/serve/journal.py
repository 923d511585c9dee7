"""The server's own log: one JSON line per event, with nothing of a row in it.

Lines are for operators and often travel far, so they hold no field, no value, no query string and
no message of an unexpected exception (such a message tends to quote the value it choked on).
"""

from __future__ import annotations

import datetime
import json
import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Journal", "ServerHandler", "faults_to_stderr", "frames_of", "to_stderr"]

Journal = Callable[[Mapping[str, Any]], None]


def to_stderr(event: Mapping[str, Any]) -> None:
    """Write one event as one line of JSON to the standard error stream."""
    line = json.dumps(event, ensure_ascii=True, default=str) + "\n"
    try:
        sys.stderr.write(line)
        sys.stderr.flush()
    except (OSError, ValueError):
        # A closed or full stream must not turn a good answer into a failed one.
        return


def faults_to_stderr(event: Mapping[str, Any]) -> None:
    """Write an event unless it is a mere request: quiet is no reason to hide a fault."""
    if event.get("event") != "request":
        to_stderr(event)


def moment(seconds: float) -> str:
    """Write a time as ISO 8601 in UTC.

    Examples
    --------
    >>> moment(0.25)
    '1970-01-01T00:00:00.250+00:00'
    """
    at = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
    return at.isoformat(timespec="milliseconds")


def frames_of(error: BaseException, most: int = 12) -> list[str]:
    """Return where an exception came from, innermost last: module, line and function only.

    Examples
    --------
    >>> try:
    ...     int("secret")
    ... except ValueError as error:
    ...     print("secret" in str(frames_of(error)))
    False
    """
    frames = [
        f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    return frames[-most:]


class ServerHandler(logging.Handler):
    """Puts warnings of the HTTP server into the journal, so that every line is of one form."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.WARNING)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; the exception it may carry is named by its type."""
        event: dict[str, Any] = {
            "at": moment(record.created),
            "event": "server",
            "level": record.levelname.lower(),
            "message": record.getMessage()[:500],
        }
        if record.exc_info and record.exc_info[1] is not None:
            event["type"] = type(record.exc_info[1]).__name__
        self._journal(event)
