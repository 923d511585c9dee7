"""Where decisions are written down before they are answered.

The order matters: an answer that was sent but not recorded can never be compared with what it
turned out to be worth. So the server records first, and answers only when that returned.

Two protocols, the second larger. A :class:`DecisionLog` takes entries, and whoever embeds the
server can write one in ten lines. A :class:`DecisionStore` also takes the entries of many requests
at once, answers a repeated request as it was answered before, and gives a decision back by its id;
:class:`payoff.store.SqliteLog` is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

__all__ = ["Batch", "DecisionLog", "DecisionStore", "Entry", "NoLog"]


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
        The fields as they may be kept: documents are cleaned and redacted.
    answer
        The decision as it will be sent.
    unit_id
        Whom or what it is about, by which it can be found and erased; None where none was sent.
    """

    id: str
    request_id: str
    at: float
    bundle_id: str
    row: Mapping[str, Any]
    answer: Mapping[str, Any]
    unit_id: str | int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The entries of one request, and what is needed to give its answer once more.

    Parameters
    ----------
    entries
        At least one, in the order of the answer.
    key
        The client's ``Idempotency-Key``; None where it sent none.
    asked
        SHA-256 of what was asked, so that one key cannot stand for two questions.
    head
        The answer without its list of decisions.
    under
        Key of that list in the answer; None where the one entry's answer is the whole.
    """

    entries: Sequence[Entry]
    key: str | None = None
    asked: bytes = b""
    head: Mapping[str, Any] = field(default_factory=dict)
    under: str | None = "decisions"


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


@runtime_checkable
class DecisionStore(DecisionLog, Protocol):
    """Keeps decisions of many requests together, and gives them back."""

    def submit(self, batch: Batch) -> Future[Mapping[str, Any] | None]:
        """Take the entries of one request without waiting.

        The future ends when they are as safe as the log makes them: with None, or, where the
        request's key was there already, with the answer that was given then (and nothing is kept
        anew). It can be cancelled until its entries are being written.

        Raises
        ------
        BusyError
            ``PAY-S011`` when too many entries wait.
        """
        ...

    def earlier(self, key: str, asked: bytes) -> Mapping[str, Any] | None:
        """Return the answer that a key was given, or None.

        Raises
        ------
        RepeatError
            ``PAY-S021`` when the key came with another question.
        """
        ...

    def find(self, decision_id: str) -> Mapping[str, Any] | None:
        """Return one entry by its id, or None; its ``row`` and ``answer`` are None once erased."""
        ...


class NoLog:
    """Keeps nothing, and says so: ``/readyz`` answers ``"durable_log": false``."""

    @property
    def durable(self) -> bool:
        """Nothing survives."""
        return False

    def record(self, entries: Sequence[Entry]) -> None:
        """Let the entries go."""
