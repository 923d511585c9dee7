"""What holds for every test: UTC, no network, seeds that are printed when a test fails.

A test whose outside part is missing (Chromium, a Postgres server, a package of an extra) is skipped
with a reason on a developer's machine. Where ``PAYOFF_CI=1`` is set it fails instead, so that
continuous integration cannot turn green by not running.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import shutil
import socket
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SNAPSHOTS = ROOT / "tests" / "snapshots"

os.environ["TZ"] = "UTC"
if hasattr(time, "tzset"):
    time.tzset()

# Timing is no property: a busy machine must not fail a property test.
settings.register_profile(
    "default", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=1000)
settings.load_profile(os.environ.get("PAYOFF_HYPOTHESIS", "default"))


# ------------------------------------------------------------------------------- no network


class NetworkBlockedError(RuntimeError):
    """A test tried to reach another machine. Not an OSError, so no retry swallows it."""


def _is_here(host: object) -> bool:
    """Say whether a host, as sockets take it, is this machine."""
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse(host: object) -> NoReturn:
    message = f"this test tried to reach {host!r}; tests may only talk to this machine"
    raise NetworkBlockedError(message)


def _guard_address(original: Callable[..., Any], position: int) -> Callable[..., Any]:
    def guarded(self: socket.socket, *args: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = args[position][0]
            if not _is_here(host):
                _refuse(host)
        return original(self, *args)

    return guarded


def _guard_name(original: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: Any, *args: Any, **named: Any) -> Any:
        if not _is_here(host):
            _refuse(host)
        return original(host, *args, **named)

    return guarded


_patched = pytest.MonkeyPatch()


def pytest_configure() -> None:
    """Close the network before anything is collected, so imports are held to it as well."""
    for method, position in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
        original = getattr(socket.socket, method)
        _patched.setattr(socket.socket, method, _guard_address(original, position))
    for function in ("getaddrinfo", "gethostbyname"):
        _patched.setattr(socket, function, _guard_name(getattr(socket, function)))


def pytest_unconfigure() -> None:
    """Open it again for whoever runs pytest from within a program."""
    _patched.undo()


# -------------------------------------------------------------------------------- seeds


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A seed of this test's own: the same in every run and every order.

    Set ``PAYOFF_TEST_SEED`` to try another one.
    """
    chosen = os.environ.get("PAYOFF_TEST_SEED")
    value = int(chosen) if chosen else zlib.crc32(request.node.nodeid.encode())
    request.node.stash[_SEED] = value
    return value


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    """A NumPy generator made from this test's seed."""
    import numpy as np

    return np.random.default_rng(seed)


_SEED = pytest.StashKey[int]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say, under a failed test, how to run it again with the same random numbers."""
    report = yield
    if report.failed:
        words = []
        if _SEED in item.stash:
            words.append(f"PAYOFF_TEST_SEED={item.stash[_SEED]}")
        words.append("python -m pytest")
        order = getattr(item.config.option, "randomly_seed", None)
        if isinstance(order, int):
            words.append(f"--randomly-seed={order}")
        words.append(f"'{item.nodeid}'")
        report.sections.append(("to run this again with the same seeds", " ".join(words)))
    return report


# ------------------------------------------------------------------------- parts from outside

_NEEDS = {
    "chromium": "browser",
    "postgres_url": "postgres",
    "shared_data": "shared_data",
    "snapshot": "snapshot",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the parts it asks for, so that ``-m`` can choose by them."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in _NEEDS:
                item.add_marker(_NEEDS[fixture])


def _missing(reason: str) -> NoReturn:
    if os.environ.get("PAYOFF_CI") == "1":
        pytest.fail(f"{reason} (PAYOFF_CI=1 makes this a failure)", pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look for the packages a test needs, before its fixtures do."""
    for mark in item.iter_markers("packages"):
        absent = [name for name in mark.args if importlib.util.find_spec(name) is None]
        if absent:
            _missing(f"not installed: {', '.join(absent)}; 'make setup' installs every extra")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that can run headless."""
    named = os.environ.get("PAYOFF_CHROMIUM")
    names = [named] if named else ["chromium", "google-chrome"]
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        _missing(f"no Chromium: {names[0]} is not on PATH; PAYOFF_CHROMIUM may name one")
    return found


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The URL of a Postgres server in which tests may make and drop what they like."""
    url = os.environ.get("PAYOFF_TEST_POSTGRES")
    if not url:
        _missing("no Postgres: PAYOFF_TEST_POSTGRES names no server")
    return url


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of development data sets, which are larger or richer than the demo's.

    It is no part of the repository, so these tests are skipped without it even in CI.
    """
    named = os.environ.get("PAYOFF_SHARED_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no development data: {folder.name!r} is not a folder (PAYOFF_SHARED_DATA)")
    return folder


# ------------------------------------------------------------------------------- snapshots


class Snapshot:
    """Compares text with a file under ``tests/snapshots``; rewrites it only when asked to."""

    def __init__(self, folder: Path, write: bool) -> None:
        self.folder = folder
        self.write = write

    def check(self, name: str, text: str) -> None:
        """Fail unless the file of this name holds exactly this text."""
        path = self.folder / name
        if self.write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        if not path.is_file():
            pytest.fail(f"there is no snapshot {name!r}; make it with `make snapshots`")
        assert text == path.read_text(encoding="utf-8"), (
            f"snapshot {name!r} differs; if the change is meant, run `make snapshots`"
        )


@pytest.fixture
def snapshot() -> Snapshot:
    """The snapshot files, written to only under ``make snapshots``."""
    return Snapshot(SNAPSHOTS, os.environ.get("PAYOFF_WRITE_SNAPSHOTS") == "1")
