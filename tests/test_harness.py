"""The rules that conftest.py lays on every other test do hold."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.conftest import ROOT, NetworkBlockedError, Snapshot

ELSEWHERE = "192.0.2.1"  # reserved for documentation: no machine has it


def test_clock_is_utc():
    assert time.tzname[0] == "UTC"


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_other_machines_are_out_of_reach(method):
    with socket.socket() as sock, pytest.raises(NetworkBlockedError, match=r"192\.0\.2\.1"):
        getattr(sock, method)((ELSEWHERE, 80))


def test_other_machines_are_out_of_reach_by_datagram():
    with (
        socket.socket(type=socket.SOCK_DGRAM) as sock,
        pytest.raises(NetworkBlockedError, match=r"192\.0\.2\.1"),
    ):
        sock.sendto(b"x", (ELSEWHERE, 80))


def test_names_are_not_looked_up():
    with pytest.raises(NetworkBlockedError, match="example"):
        urllib.request.urlopen("http://example.invalid/")


def test_asyncio_is_held_to_it_too():
    with pytest.raises(NetworkBlockedError, match=r"192\.0\.2\.1"):
        asyncio.run(asyncio.open_connection(ELSEWHERE, 80))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_within_reach(host):
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection((host, server.getsockname()[1])) as client,
    ):
        client.sendall(b"x")
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(1) == b"x"


def test_seed_belongs_to_the_test(seed, request):
    import zlib

    assert seed == zlib.crc32(request.node.nodeid.encode())


def test_rng_starts_from_the_seed(rng, seed):
    import numpy as np

    assert rng.random() == np.random.default_rng(seed).random()


def test_snapshot_is_compared_and_not_rewritten(tmp_path):
    (tmp_path / "a.txt").write_text("one\n")
    Snapshot(tmp_path, write=False).check("a.txt", "one\n")
    with pytest.raises(AssertionError, match="make snapshots"):
        Snapshot(tmp_path, write=False).check("a.txt", "two\n")
    assert (tmp_path / "a.txt").read_text() == "one\n"
    with pytest.raises(pytest.fail.Exception, match="there is no snapshot"):
        Snapshot(tmp_path, write=False).check("b.txt", "two\n")
    Snapshot(tmp_path, write=True).check("b.txt", "two\n")
    assert (tmp_path / "b.txt").read_text() == "two\n"


INNER = """
import pytest

def test_fails(seed):
    assert seed == -1

def test_needs_postgres(postgres_url):
    pass

@pytest.mark.packages("json", "no_such_package")
def test_needs_a_package():
    pass
"""


def run_inner(tmp_path, **environment):
    """Run two small tests under a copy of conftest.py, with this environment."""
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n  packages\n  postgres\n  snapshot\n"
    )
    (tmp_path / "test_inner.py").write_text(INNER)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PAYOFF_", "PYTEST_", "COV"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", str(tmp_path)],
        env=clean | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_seeds_are_printed_and_missing_parts_are_skipped(tmp_path):
    out = run_inner(tmp_path)
    assert re.search(
        r"PAYOFF_TEST_SEED=\d+ python -m pytest --randomly-seed=\d+ '.*test_fails'", out
    )
    assert "SKIPPED" in out
    assert "PAYOFF_TEST_POSTGRES names no server" in out
    assert "not installed: no_such_package;" in out
    assert re.search("1 failed, 2 skipped", out)


def test_missing_parts_fail_in_ci_and_seeds_can_be_chosen(tmp_path):
    out = run_inner(tmp_path, PAYOFF_CI="1", PAYOFF_TEST_SEED="7")
    assert "PAYOFF_TEST_SEED=7 " in out
    assert re.search("1 failed, 2 errors", out)
