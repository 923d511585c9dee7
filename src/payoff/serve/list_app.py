"""The web application around one bundle that recommends: ``POST /recommend`` and its page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from payoff.optional import need
from payoff.serve.app import MAX_BODY, body_in_time, refusing, version
from payoff.serve.envelope import CALL, Call, Envelope, json_response
from payoff.serve.journal import Journal, to_stderr
from payoff.serve.keeping import Keeper, Made
from payoff.serve.list_document import openapi
from payoff.serve.list_page import POLICY, page
from payoff.serve.log import Batch, DecisionLog, Entry, NoLog
from payoff.serve.page import origin_of
from payoff.serve.servable import Recommends
from payoff.serve.wire import check_headers, decode_question, encode

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["create_list_app"]

_ROUTES: Final = ("/", "/decisions/{id}", "/livez", "/openapi.json", "/readyz", "/recommend")


def create_list_app(
    bundle: Recommends,
    *,
    log: DecisionLog | None = None,
    clock: Callable[[], float] = time.time,
    max_body: int = MAX_BODY,
    body_timeout: float = 30.0,
    record_wait: float = 10.0,
    journal: Journal = to_stderr,
) -> Starlette:
    """Make the application that serves one bundle of kind ``"recommend"``.

    Parameters
    ----------
    bundle
        What answers; opened and verified by the caller.
    log
        Records every list with its propensities before it is answered; None keeps nothing.
    clock, max_body, body_timeout, record_wait, journal
        As for :func:`payoff.serve.app.create_app`.

    Raises
    ------
    EnvironmentError_
        ``PAY-X001`` when the extra ``serve`` is not installed.
    """
    need("starlette", extra="serve", why="to serve lists")
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.routing import Route

    log = NoLog() if log is None else log
    routes = _Endpoints(
        bundle,
        Keeper(log, clock=clock, journal=journal, wait=record_wait),
        clock=clock,
        max_body=max_body,
        body_timeout=body_timeout,
        durable=log.durable,
    )
    app = Starlette(
        routes=[
            Route("/", routes.page, methods=["GET"]),
            Route("/decisions/{id}", routes.decision, methods=["GET"]),
            Route("/livez", routes.livez, methods=["GET"]),
            Route("/openapi.json", routes.openapi, methods=["GET"]),
            Route("/readyz", routes.readyz, methods=["GET"]),
            Route("/recommend", routes.recommend, methods=["POST"]),
        ],
        middleware=[Middleware(Envelope, journal=journal, clock=clock)],
        exception_handlers={HTTPException: refusing(_ROUTES)},
    )
    app.router.redirect_slashes = False
    return app


class _Endpoints:
    """The routes of one bundle. What does not change is encoded once."""

    def __init__(
        self,
        bundle: Recommends,
        keeper: Keeper,
        *,
        clock: Callable[[], float],
        max_body: int,
        body_timeout: float,
        durable: bool,
    ) -> None:
        self._bundle, self._keeper, self._clock = bundle, keeper, clock
        self._max_body, self._timeout = max_body, body_timeout
        self._openapi = encode(openapi(bundle, max_body=max_body, version=version()))
        self._alive = encode({"status": "alive"})
        self._ready = encode(
            {
                "status": "ready",
                "bundle_id": bundle.id,
                "decision": bundle.decision.name,
                "durable_log": durable,
            }
        )

    async def recommend(self, request: Request) -> Response:
        call: Call = request.scope[CALL]
        body = await body_in_time(request, call, most=self._max_body, seconds=self._timeout)
        check_headers(
            request.headers.getlist("content-type"), request.headers.get("content-encoding")
        )
        # A filter is worked out over all items: not in the way of other requests.
        return await self._keeper.answer(request, body, self._make, at_once=False)

    def _make(self, body: bytes, request_id: str, key: str | None, asked: bytes) -> Made:
        question = decode_question(body)
        made = self._bundle.recommend(**question)
        answer: dict[str, Any] = {
            "bundle_id": self._bundle.id,
            "decision": self._bundle.decision.name,
            **made,
        }
        entry = Entry(
            id=made["list_id"],
            request_id=request_id,
            at=self._clock(),
            bundle_id=self._bundle.id,
            row=question,
            answer=answer,
            unit_id=made["user"],
        )
        return Made(answer=answer, batch=Batch(entries=[entry], key=key, asked=asked, under=None))

    async def decision(self, request: Request) -> Response:
        return json_response(encode(await self._keeper.find(request.path_params["id"])))

    async def livez(self, request: Request) -> Response:
        return json_response(self._alive)

    async def readyz(self, request: Request) -> Response:
        return json_response(self._ready)

    async def openapi(self, request: Request) -> Response:
        return json_response(self._openapi)

    async def page(self, request: Request) -> Response:
        from starlette.responses import Response

        origin = origin_of(request.scope.get("scheme", "http"), request.headers.get("host"))
        content = page(self._bundle, origin).encode("utf-8", "backslashreplace")
        return Response(
            content, headers={"content-security-policy": POLICY}, media_type="text/html"
        )
