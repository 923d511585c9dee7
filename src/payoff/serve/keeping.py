"""From a decision that was made to one that is kept: between the service and its log."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from payoff.serve.envelope import CALL, Call, json_response
from payoff.serve.journal import Journal, frames_of, moment
from payoff.serve.log import Batch, DecisionLog, DecisionStore
from payoff.serve.problems import BusyError, DecisionError, ErasedError, LogError, RepeatError
from payoff.serve.wire import encode

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["Keeper", "Made", "asked_of", "key_of"]

_KEY: Final = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?")

Answer = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What one request comes to, before anybody is told of it.

    Parameters
    ----------
    answer
        As it will be sent.
    batch
        What has to be kept first.
    """

    answer: dict[str, Any]
    batch: Batch


def key_of(headers: Sequence[str]) -> str | None:
    """Return the ``Idempotency-Key`` of a request, or None where it has none.

    Raises
    ------
    RepeatError
        ``PAY-S021``.

    Examples
    --------
    >>> key_of(["7c1e"]), key_of([])
    ('7c1e', None)
    """
    if not headers:
        return None
    if len(headers) > 1 or not _KEY.fullmatch(headers[0]):
        raise RepeatError.bad_key(", ".join(headers))
    return headers[0]


def asked_of(path: str, body: bytes) -> bytes:
    """Return the digest of what a request asks, (32,) bytes.

    Examples
    --------
    >>> asked_of("/decide", b"{}") == asked_of("/decide", b"{ }")
    False
    """
    return hashlib.sha256(path.encode("utf-8", "replace") + b"\n" + body).digest()


class Keeper:
    """Hands decisions to the log, waits for it, and turns what it raises into answers.

    Parameters
    ----------
    log
        Where decisions are kept.
    clock
        Returns seconds since 1970.
    journal
        Learns why the log refused.
    wait
        Most seconds that a request waits for its entries to be safe.
    """

    def __init__(
        self, log: DecisionLog, *, clock: Callable[[], float], journal: Journal, wait: float
    ) -> None:
        self._log = log
        self._store = log if isinstance(log, DecisionStore) else None
        self._clock = clock
        self._journal = journal
        self._wait = wait
        self._wakes: _Wakes | None = None

    async def answer(
        self,
        request: Request,
        body: bytes,
        make: Callable[[bytes, str, str | None, bytes], Made],
        *,
        at_once: bool,
    ) -> Response:
        """Decide, keep, and only then answer; a repeated request is answered as before.

        Parameters
        ----------
        request, body
            The request, and its body as it was read.
        make
            Decides: takes the body, the request's id, its ``Idempotency-Key`` (None where there is
            none) and the digest of what it asks.
        at_once
            Whether ``make`` is over so soon that other requests can wait for it.

        Raises
        ------
        LogError
            ``PAY-S009``.
        BusyError
            ``PAY-S011``.
        RepeatError
            ``PAY-S021``.
        """
        call: Call = request.scope[CALL]
        key, asked = None, b""
        if self._store is not None:
            key = key_of(request.headers.getlist("idempotency-key"))
        if key is not None:
            asked = asked_of(call.path, body)
            earlier = await self._earlier(key, asked, call.request_id)
            if earlier is not None:
                return _repeated(earlier, call)

        def begin() -> tuple[bytes, Future[Answer]]:
            made = make(body, call.request_id, key, asked)
            content = encode(made.answer)
            call.rows = len(made.batch.entries)
            return content, self._begin(made.batch, call.request_id)

        # A plain log that waits for the disk must not hold up every other request.
        if at_once and (self._store is not None or not self._log.durable):
            content, kept = begin()
        else:
            content, kept = await asyncio.to_thread(begin)
        earlier = await self._end(kept, call.request_id)
        return json_response(content) if earlier is None else _repeated(earlier, call)

    def _begin(self, batch: Batch, request_id: str) -> Future[Answer]:
        """Hand over the entries of one request."""
        try:
            if self._store is not None:
                return self._store.submit(batch)
            self._log.record(batch.entries)
        except BusyError:
            raise
        except Exception as error:
            # Whatever a log's backend raises, the rule is one: no record, no answer.
            raise self._refused(error, request_id) from error
        done: Future[Answer] = Future()
        done.set_result(None)
        return done

    async def _end(self, future: Future[Answer], request_id: str) -> Answer:
        """Wait until the entries are safe; return the answer to give instead, if there is one."""
        try:
            if future.done():
                return future.result()
            loop = asyncio.get_running_loop()
            if self._wakes is None or self._wakes.loop is not loop:
                self._wakes = _Wakes(loop)
            async with asyncio.timeout(self._wait):
                await self._wakes.wait(future)
            return future.result()
        except RepeatError:
            raise
        except TimeoutError as error:
            self._note(error, request_id)
            raise LogError.late(self._wait) from None
        except Exception as error:
            raise self._refused(error, request_id) from error

    async def _earlier(self, key: str, asked: bytes, request_id: str) -> Answer:
        """Return the answer that a repeated request was given before, or None."""
        assert self._store is not None
        try:
            return await asyncio.to_thread(self._store.earlier, key, asked)
        except RepeatError:
            raise
        except Exception as error:
            # Without knowing, deciding could mean deciding twice.
            raise self._refused(error, request_id) from error

    async def find(self, decision_id: str) -> Mapping[str, Any]:
        """Return a decision as it is kept, with its time as text.

        Raises
        ------
        DecisionError
            ``PAY-S020`` when there is none.
        ErasedError
            ``PAY-S022``.
        """
        if self._store is None:
            raise DecisionError.unknown(decision_id, kept=False)
        found = await asyncio.to_thread(self._store.find, decision_id)
        if found is None:
            raise DecisionError.unknown(decision_id, kept=True)
        if found["answer"] is None:
            raise ErasedError.erased(decision_id)
        return {**found, "at": moment(found["at"])}

    def _refused(self, error: Exception, request_id: str) -> LogError:
        self._note(error, request_id)
        return LogError.not_recorded()

    def _note(self, error: BaseException, request_id: str) -> None:
        self._journal(
            {
                "at": moment(self._clock()),
                "event": "log_refused",
                "request_id": request_id,
                "type": type(error).__name__,
                "frames": frames_of(error),
            }
        )


class _Wakes:
    """Wakes requests whose entries are safe, all that wait for one commit at once.

    ``asyncio.wrap_future`` would write to the loop's wake-up socket once for each of them.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._ended: deque[asyncio.Future[None]] = deque()
        self._called = False

    async def wait(self, future: Future[Answer]) -> None:
        """Return when the future has ended; cancel it if the request gives up."""
        waiter: asyncio.Future[None] = self.loop.create_future()

        def ended(_: Future[Answer]) -> None:
            # First there, then told: whoever empties the queue lowers the mark before it looks.
            self._ended.append(waiter)
            if not self._called:
                self._called = True
                self.loop.call_soon_threadsafe(self._wake)

        future.add_done_callback(ended)
        try:
            await waiter
        except asyncio.CancelledError:
            future.cancel()
            raise

    def _wake(self) -> None:
        self._called = False
        while self._ended:
            waiter = self._ended.popleft()
            if not waiter.done():
                waiter.set_result(None)


def _repeated(answer: Mapping[str, Any], call: Call) -> Response:
    """Give an answer once more, and say so."""
    call.rows = 0  # nothing was decided
    return json_response(encode(answer), headers={"idempotency-replayed": "true"})
