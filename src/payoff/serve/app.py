"""The web application around one bundle. Nothing happens at import; ``create_app`` makes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Final

from payoff.optional import need
from payoff.serve.document import openapi
from payoff.serve.envelope import CALL, Call, Envelope, json_response
from payoff.serve.journal import Journal, to_stderr
from payoff.serve.keeping import Keeper
from payoff.serve.log import DecisionLog, NoLog
from payoff.serve.page import origin_of, page, policy_of
from payoff.serve.problems import (
    BusyError,
    MethodError,
    PathError,
    SizeError,
    SlowError,
)
from payoff.serve.servable import Servable
from payoff.serve.service import Service
from payoff.serve.wire import check_headers, encode

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["MAX_BODY", "MAX_ROWS", "body_in_time", "create_app", "refusing", "version"]

MAX_BODY: Final = 2_000_000
MAX_ROWS: Final = 1_000
# A body up to this size is a handful of rows: deciding them takes less time than handing them over.
_INLINE: Final = 4_096
# A refused body is still read up to this multiple of the limit, because a client that is cut off
# while it writes sees a broken connection and not the reason.
_DRAIN: Final = 4
_ROUTES: Final = (
    "/",
    "/decide",
    "/decisions/{id}",
    "/explain",
    "/livez",
    "/openapi.json",
    "/readyz",
)
# An explanation decides dozens of variants of a row; more at once would hold up decisions.
_MOST_EXPLAINING: Final = 2


def create_app(  # noqa: PLR0913 (the settings of a server)
    bundle: Servable,
    *,
    log: DecisionLog | None = None,
    clock: Callable[[], float] = time.time,
    max_body: int = MAX_BODY,
    max_rows: int = MAX_ROWS,
    body_timeout: float = 30.0,
    explain_wait: float = 10.0,
    record_wait: float = 10.0,
    journal: Journal = to_stderr,
) -> Starlette:
    """Make the application that serves one bundle.

    Parameters
    ----------
    bundle
        What decides; opened and verified by the caller.
    log
        Records every decision before it is answered; None keeps nothing.
    clock
        Returns seconds since 1970.
    max_body, max_rows
        Most bytes and rows of one request.
    body_timeout
        Seconds within which a request's body must have arrived.
    explain_wait
        Seconds that a request for an explanation waits while others are under way.
    record_wait
        Seconds that a request waits until its decisions are kept.
    journal
        Takes one event per request, and one per fault.

    Returns
    -------
    Starlette
        An ASGI application with ``POST`` of ``/decide`` and ``/explain``, and ``GET`` of
        ``/decisions/{id}``, ``/livez``, ``/readyz``, ``/openapi.json`` and ``/``.

    Raises
    ------
    EnvironmentError_
        ``PAY-X001`` when the extra ``serve`` is not installed.
    """
    need("starlette", extra="serve", why="to serve decisions")
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.routing import Route

    log = NoLog() if log is None else log
    routes = _Endpoints(
        Service(bundle=bundle, clock=clock, max_rows=max_rows),
        Keeper(log, clock=clock, journal=journal, wait=record_wait),
        max_body=max_body,
        body_timeout=body_timeout,
        explain_wait=explain_wait,
        durable=log.durable,
    )
    app = Starlette(
        routes=[
            Route("/", routes.page, methods=["GET"]),
            Route("/decide", routes.decide, methods=["POST"]),
            Route("/decisions/{id}", routes.decision, methods=["GET"]),
            Route("/explain", routes.explain, methods=["POST"]),
            Route("/livez", routes.livez, methods=["GET"]),
            Route("/openapi.json", routes.openapi, methods=["GET"]),
            Route("/readyz", routes.readyz, methods=["GET"]),
        ],
        middleware=[Middleware(Envelope, journal=journal, clock=clock)],
        exception_handlers={HTTPException: refusing(_ROUTES)},
    )
    # '/decide/' is no route; a redirect would also lose the body of some clients.
    app.router.redirect_slashes = False
    return app


class _Endpoints:
    """The routes of one service. What does not change is encoded once."""

    def __init__(
        self,
        service: Service,
        keeper: Keeper,
        *,
        max_body: int,
        body_timeout: float,
        explain_wait: float,
        durable: bool,
    ) -> None:
        bundle = service.bundle
        self._keeper = keeper
        self._places = asyncio.Semaphore(_MOST_EXPLAINING)
        self._wait = explain_wait
        self._service = service
        self._max_body = max_body
        self._timeout = body_timeout
        self._openapi = encode(
            openapi(bundle, max_rows=service.max_rows, max_body=max_body, version=version())
        )
        self._alive = encode({"status": "alive"})
        self._ready = encode(
            {
                "status": "ready",
                "bundle_id": bundle.id,
                "decision": bundle.decision.name,
                "durable_log": durable,
            }
        )

    async def decide(self, request: Request) -> Response:
        body = await self._read(request, request.scope[CALL])
        return await self._keeper.answer(
            request, body, self._service.make, at_once=len(body) <= _INLINE
        )

    async def decision(self, request: Request) -> Response:
        return json_response(encode(await self._keeper.find(request.path_params["id"])))

    async def explain(self, request: Request) -> Response:
        call: Call = request.scope[CALL]
        body = await self._read(request, call)
        try:
            async with asyncio.timeout(self._wait):
                await self._places.acquire()
        except TimeoutError:
            raise BusyError.explaining(self._wait) from None
        try:
            content = await asyncio.to_thread(lambda: encode(self._service.explain(body)))
        finally:
            self._places.release()
        call.rows = 1
        return json_response(content)

    async def _read(self, request: Request, call: Call) -> bytes:
        body = await body_in_time(request, call, most=self._max_body, seconds=self._timeout)
        check_headers(
            request.headers.getlist("content-type"), request.headers.get("content-encoding")
        )
        return body

    async def livez(self, request: Request) -> Response:
        return json_response(self._alive)

    async def readyz(self, request: Request) -> Response:
        return json_response(self._ready)

    async def openapi(self, request: Request) -> Response:
        return json_response(self._openapi)

    async def page(self, request: Request) -> Response:
        from starlette.responses import Response

        origin = origin_of(request.scope.get("scheme", "http"), request.headers.get("host"))
        content = page(self._service.bundle, origin).encode("utf-8", "backslashreplace")
        return Response(
            content,
            headers={"content-security-policy": policy_of(self._service.bundle)},
            media_type="text/html",
        )


def version() -> str:
    """Return the version of payoff that runs."""
    try:
        return metadata.version("payoff")
    except metadata.PackageNotFoundError:
        return "unknown"  # run from a source folder that was never installed


async def body_in_time(request: Request, call: Call, *, most: int, seconds: float) -> bytes:
    """Read a body of bounded size in bounded time.

    Raises
    ------
    SizeError
        ``PAY-S005``.
    SlowError
        ``PAY-S008``.
    """
    declared = request.headers.get("content-length", "0")
    # Fifteen digits are a thousand terabytes, and Python refuses to read numbers of thousands.
    if len(declared) > 15 or (declared.isdecimal() and int(declared) > _DRAIN * most):
        raise SizeError.body(most)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > _DRAIN * most:
                    break
                if size <= most:
                    parts.append(chunk)
                else:
                    parts.clear()
    except TimeoutError:
        raise SlowError.body(seconds) from None
    finally:
        call.received = size
    if size > most:
        raise SizeError.body(most)
    return b"".join(parts)


def refusing(routes: Sequence[str]) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Return what turns the router's refusals into the one error body (the envelope writes it)."""

    async def refused(request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 500)
        if status == 404:
            raise PathError.unknown(request.scope["path"], routes)
        if status == 405:
            found = (getattr(error, "headers", None) or {}).get("Allow", "")
            allowed = ", ".join(sorted(found.split(", ")))  # it comes from a set, in any order
            raise MethodError.refused(request.method, request.scope["path"], allowed)
        raise error

    return refused
