"""Where decisions are written down before they are answered.

The order matters: an answer that was sent but not recorded can never be compared with what it
turned out to be worth. So the server calls :meth:`DecisionLog.record` first, and answers only when
it returned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["DecisionLog", "Entry", "NoLog"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One decision about to be answered.

    Parameters
    ----------
    id
        Id of the decision, as sent to the client.
    request_id
        Id of the request it came with; several entries share it.
    at
        Seconds since 1970, by the server's clock.
    bundle_id
        Digest of the bundle that decided.
    row
        The fields as they were sent.
    answer
        The decision as it will be sent.
    """

    id: str
    request_id: str
    at: float
    bundle_id: str
    row: Mapping[str, Any]
    answer: Mapping[str, Any]


class DecisionLog(Protocol):
    """Keeps decisions.

    ``record`` is called from several threads, once per request, before the answer is sent. It
    returns when the entries are as safe as the log makes them, all or none. Whatever it raises
    becomes ``PAY-S009``, and the client gets no decision.
    """

    @property
    def durable(self) -> bool:
        """Whether a recorded entry survives the end of the process."""
        ...

    def record(self, entries: Sequence[Entry]) -> None:
        """Keep the entries of one request."""
        ...


class NoLog:
    """Keeps nothing, and says so: ``/readyz`` answers ``"durable_log": false``."""

    @property
    def durable(self) -> bool:
        """Nothing survives."""
        return False

    def record(self, entries: Sequence[Entry]) -> None:
        """Let the entries go."""
