"""Running the service: one process, one socket, a clean end on SIGTERM."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from payoff.errors import BundleError, EnvironmentError_, plain, show
from payoff.optional import need
from payoff.serve.app import MAX_BODY, MAX_ROWS, create_app
from payoff.serve.journal import Journal, ServerHandler, faults_to_stderr, to_stderr
from payoff.serve.log import DecisionLog

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

__all__ = ["AddressError", "run", "serve"]

_DRAIN_SECONDS: Final = 30


class AddressError(EnvironmentError_):
    """The server cannot listen where it was told to."""

    @classmethod
    def refused(cls, host: str, port: int, error: OSError) -> AddressError:
        """The operating system does not give this address."""
        reasons = {
            errno.EADDRINUSE: (
                "another program listens there",
                "Stop it, or choose another --port (0 takes any free one)",
            ),
            errno.EACCES: (
                "this user may not listen there",
                "Choose a --port from 1024 up, and put a proxy in front for 80 or 443",
            ),
        }
        got, mend = reasons.get(
            error.errno or 0,
            (plain(error.strerror or str(error)), "Use an address of this machine for --host"),
        )
        return cls(
            "the server cannot listen at this address",
            code="PAY-X004",
            where=f"{plain(host)[:200]}, port {port}",
            got=got,
            need="a free port at an address of this machine",
            mend=mend,
        )

    @classmethod
    def bad_port(cls, port: int) -> AddressError:
        """A number that is no port."""
        return cls(
            "this is no port",
            code="PAY-X004",
            got=show(port),
            need="a whole number from 0 to 65535",
            mend="Choose another --port (0 takes any free one)",
        )


def run(
    bundle: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    max_body: int = MAX_BODY,
    max_rows: int = MAX_ROWS,
    quiet: bool = False,
    as_json: bool = False,
    log: DecisionLog | None = None,
) -> None:
    """Serve a bundle until SIGTERM or SIGINT; requests under way are answered first.

    Parameters
    ----------
    bundle
        Folder of the bundle; verified before the port is taken.
    host, port
        Where to listen. Port 0 takes a free one, which the first line of output names.
    max_body, max_rows
        Most bytes and rows of one request.
    quiet
        Write no line per request; faults are still written.
    as_json
        Say where it listens as one line of JSON, for the program that started it.
    log
        Records every decision before it is answered; None keeps nothing.

    Raises
    ------
    BundleError
        The bundle is missing, changed, or has no model.
    EnvironmentError_
        ``PAY-X001`` without the extra ``serve``, ``PAY-X004`` when the address is taken.
    """
    for package in ("starlette", "uvicorn"):
        need(package, extra="serve", why="to serve decisions")
    from payoff.bundle import Bundle, RecommendBundle, is_list_bundle, manifest_of

    journal = faults_to_stderr if quiet else to_stderr
    opened: Bundle | RecommendBundle
    if Path(bundle).is_dir() and is_list_bundle(manifest_of(Path(bundle))):
        from payoff.serve.list_app import create_list_app

        opened = RecommendBundle.open(bundle)
        app = create_list_app(opened, log=log, max_body=max_body, journal=journal)
    else:
        opened = Bundle.open(bundle)
        if opened.model is None:
            raise BundleError.lacks(str(bundle), "model", "a model, to decide rows that are new")
        app = create_app(opened, log=log, max_body=max_body, max_rows=max_rows, journal=journal)
    facts = {"bundle_id": opened.id, "decision": opened.decision.name} if as_json else None
    serve(app, host=host, port=port, journal=journal, facts=facts)


def serve(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    journal: Journal = to_stderr,
    facts: Mapping[str, str] | None = None,
) -> None:
    """Serve an application until SIGTERM or SIGINT.

    Parameters
    ----------
    app
        What :func:`payoff.serve.app.create_app` returned.
    host, port
        Where to listen.
    journal
        Takes warnings of the HTTP server.
    facts
        Makes the announcement one line of JSON, with these facts and ``listening``.

    Raises
    ------
    EnvironmentError_
        ``PAY-X004``.
    """
    import uvicorn

    class Announcing(uvicorn.Server):
        """Says where it listens, once it does."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            if self.started and sockets:
                url = _url(sockets[0])
                line = f"payoff is listening on {url}"
                if facts is not None:
                    line = json.dumps({"listening": url, **facts})
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()

    with contextlib.closing(_listen(host, port)) as listener:
        address = listener.getsockname()[0]
        if not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
            sys.stderr.write(
                f"payoff: warning: whoever can reach {plain(host)} can ask for decisions, because "
                "this server asks nobody who they are. Put a proxy that does in front of it.\n"
            )
        server = Announcing(_config(app))
        with _stopping(server), _journalled(journal):
            server.run(sockets=[listener])


def _config(app: ASGIApp) -> uvicorn.Config:
    import uvicorn

    return uvicorn.Config(
        app,
        access_log=False,  # the application writes its own, structured
        log_config=None,  # a library's logging set-up is nobody's to replace
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=5,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )


def _listen(host: str, port: int) -> socket.socket:
    """Take the address before anything is said about it."""
    if not 0 <= port <= 65535:
        raise AddressError.bad_port(port)
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise AddressError.refused(
            host, port, error if isinstance(error, OSError) else OSError(str(error))
        ) from None
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            # Without it a restart has to wait for connections of the last run to be forgotten.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise AddressError.refused(host, port, error) from None
    listener.set_inheritable(False)
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def _stopping(server: uvicorn.Server) -> Iterator[None]:
    """Make SIGTERM and SIGINT a request to stop, also before and after the server's own handlers.

    When it has stopped, uvicorn raises the signal once more under the handlers it found. With the
    default ones a clean end would look like a killed process; with these it is exit code 0.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return

    def stop(number: int, frame: Any) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _journalled(journal: Journal) -> Iterator[None]:
    """Lead the HTTP server's warnings into the journal while it runs."""
    logger = logging.getLogger("uvicorn.error")
    handler = ServerHandler(journal)
    propagated = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated
