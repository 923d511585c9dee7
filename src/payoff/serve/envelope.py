"""What every answer of the service has in common, whatever its route.

A request id, security headers, one body for every failure, and a line in the operator's log.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from payoff.serve.journal import Journal, frames_of, moment
from payoff.serve.problems import BusyError, MethodError, body_of, spoken
from payoff.serve.wire import encode

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CALL", "Call", "Envelope", "json_response"]

#: Where a request's :class:`Call` lies in its scope.
CALL: Final = "payoff.call"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(slots=True, kw_only=True)
class Call:
    """What is known of one request while it is answered."""

    request_id: str
    method: str
    path: str
    status: int | None = None
    code: str | None = None
    rows: int | None = None
    received: int = 0
    sent: int = 0


def json_response(
    content: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON answer from its bytes."""
    from starlette.responses import Response

    return Response(content, status, headers=headers, media_type="application/json")


class Envelope:
    """What every answer has: a request id, security headers, one error body, a line in the log."""

    def __init__(self, app: ASGIApp, *, journal: Journal, clock: Callable[[], float]) -> None:
        self._app = app
        self._journal = journal
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = Call(request_id=_request_id(scope), method=scope["method"], path=scope["path"][:200])
        scope[CALL] = call
        start = time.perf_counter()
        try:
            await self._answer(scope, receive, _sealed(send, call), call)
        finally:
            self._journal(
                {
                    "at": moment(self._clock()),
                    "event": "request",
                    "request_id": call.request_id,
                    "method": call.method,
                    "path": call.path,
                    "status": call.status,
                    "code": call.code,
                    "rows": call.rows,
                    "received": call.received,
                    "sent": call.sent,
                    "ms": round(1000 * (time.perf_counter() - start), 2),
                }
            )

    async def _answer(self, scope: Scope, receive: Receive, send: Send, call: Call) -> None:
        from starlette.requests import ClientDisconnect

        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            call.code = "disconnected"
        except Exception as error:  # noqa: BLE001  (the last place where a fault can be answered)
            told = spoken(error)
            call.code = told.code
            if told is not error:
                self._fault(error, call)
            if call.status is not None:
                return  # the answer had begun, so there is nothing left to say it in
            headers = {}
            if isinstance(told, MethodError) and told.need:
                headers["allow"] = told.need
            if isinstance(told, BusyError):
                headers["retry-after"] = "5"
            if told.status in (408, 413):
                headers["connection"] = "close"  # the rest of the body is not worth reading
            response = json_response(encode(body_of(told, call.request_id)), told.status, headers)
            await response(scope, receive, send)

    def _fault(self, error: Exception, call: Call) -> None:
        self._journal(
            {
                "at": moment(self._clock()),
                "event": "fault",
                "request_id": call.request_id,
                "type": type(error).__name__,
                "code": getattr(error, "code", None),
                "frames": frames_of(error),
            }
        )


def _request_id(scope: Scope) -> str:
    sent = [value for name, value in scope["headers"] if name == b"x-request-id"]
    text = sent[0].decode("latin-1") if len(sent) == 1 else ""
    return text if _REQUEST_ID.fullmatch(text) else uuid.uuid4().hex


def _sealed(send: Send, call: Call) -> Send:
    """Wrap ``send`` so that every answer carries the headers, and what was sent is known."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            call.status = message["status"]
            headers = list(message.get("headers", []))
            there = {name.lower() for name, _ in headers}
            extra: dict[str, Any] = {**_HEADERS, "x-request-id": call.request_id}
            headers += [
                (name.encode("latin-1"), value.encode("latin-1"))
                for name, value in extra.items()
                if name.encode("latin-1") not in there
            ]
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body":
            call.sent += len(message.get("body", b""))
        await send(message)

    return sending
