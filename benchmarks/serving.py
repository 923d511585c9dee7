"""Durable decisions per second beside the same server without a log and one that does nothing.

``python benchmarks/serving.py [FOLDER]`` makes a small bundle, then asks three servers in turns
over 64 connections, each a process of its own: a bare ASGI application on the same HTTP server,
``payoff serve``, and ``payoff serve --log`` with the log in FOLDER (default: a temporary one). The
disk's own time for one commit is measured beside it. It needs the extra ``serve``.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

CONNECTIONS = 64
SECONDS = 4.0
ROUNDS = 5

BARE = """
import uvicorn
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})
class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        print(f"listening on http://127.0.0.1:{port}", flush=True)
Server(uvicorn.Config(app, port=0, log_config=None, access_log=False)).run()
"""

DECISION = """
schema_version = 1
[decision]
name = "calls"
currency = "EUR"
do_nothing = "leave"
[data]
outcome = "y"
unit_id = "id"
[outcomes]
yes = 1
no = 0
[actions]
call = "Call"
leave = "Leave alone"
[payoffs.call]
yes = "amount"
no = -10
[payoffs.leave]
yes = 0
no = 0
[training]
candidates = ["logistic"]
folds = 2
"""
ROW = {"id": "u-123456", "age": 41, "job": "clerk", "amount": 20}


def bundle_in(folder: Path) -> Path:
    from payoff.workflow import run

    draw = random.Random(20261123)
    rows = ["id,age,job,amount,y"]
    for number in range(2000):
        age, job = draw.randint(18, 80), draw.choice(["clerk", "cook", "nurse"])
        happened = int(draw.random() < 0.1 + 0.6 * (age > 50))
        rows.append(f"u{number},{age},{job},{draw.randint(5, 90)},{happened}")
    (folder / "rows.csv").write_text("\n".join(rows) + "\n")
    (folder / "decision.toml").write_text(textwrap.dedent(DECISION))
    run(folder / "decision.toml", folder / "rows.csv", out=folder / "calls", pages=False)
    return folder / "calls"


def start(*words: str) -> tuple[subprocess.Popen[str], int]:
    server = subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert server.stdout is not None
    line = server.stdout.readline()
    return server, int(re.search(r":(\d+)$", line.strip()).group(1))


async def load(
    port: int, body: bytes, seconds: float, connections: int
) -> tuple[float, list[float]]:
    """Ask over some connections, each again as soon as it was answered; return rate and times."""
    sent = (
        b"POST /decide HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        + f"content-length: {len(body)}\r\n\r\n".encode()
        + body
    )
    times: list[float] = []
    end = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (began := time.perf_counter()) < end:
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(re.search(rb"content-length: (\d+)", head).group(1))
            await reader.readexactly(length)
            times.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return len(times) / (time.perf_counter() - began), times


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process so far; other people's work does not count."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def commit_ms(folder: str, n: int = 200) -> float:
    """Return how long the disk takes for one commit of one row, in milliseconds."""
    with tempfile.TemporaryDirectory(dir=folder) as inner:
        connection = sqlite3.connect(f"{inner}/x", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE t (x)")
        began = time.perf_counter()
        for _ in range(n):
            connection.execute("INSERT INTO t VALUES (?)", ("x" * 800,))
        took = time.perf_counter() - began
        connection.close()
    return 1000 * took / n


def main() -> None:
    body = json.dumps(ROW).encode()
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        folder = Path(name)
        bundle = str(bundle_in(folder))
        serve = ["-m", "payoff", "serve", bundle, "--port", "0", "--quiet"]
        servers = {
            "bare ASGI application": start("-c", BARE),
            "payoff serve": start(*serve),
            "payoff serve --log": start(*serve, "--log", str(folder / "decisions.sqlite")),
        }
        rates: dict[str, list[float]] = {one: [] for one in servers}
        p99: dict[str, list[float]] = {one: [] for one in servers}
        cpu: dict[str, list[float]] = {one: [] for one in servers}
        alone: dict[str, float] = {}
        try:
            for number in range(ROUNDS + 1):
                for one, (server, port) in servers.items():
                    seconds = SECONDS if number else 1.0
                    before = cpu_of(server.pid)
                    rate, times = asyncio.run(load(port, body, seconds, CONNECTIONS))
                    if number:  # the first is to warm up
                        rates[one].append(rate)
                        cpu[one].append(1000 * (cpu_of(server.pid) - before) / len(times))
                        p99[one].append(1000 * statistics.quantiles(times, n=100)[98])
            for one, (_, port) in servers.items():
                _, times = asyncio.run(load(port, body, 2.0, 1))
                alone[one] = 1000 * statistics.median(times)
        finally:
            for server, _ in servers.values():
                server.send_signal(signal.SIGTERM)
                server.wait(30)
        print(f"{CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS:g} s in turns, medians")
        print(
            f"one commit of one row on this disk: {commit_ms(name):.1f} ms; cores: {os.cpu_count()}"
        )
        bare = statistics.median(rates["bare ASGI application"])
        for one, found in rates.items():
            rate = statistics.median(found)
            print(
                f"{one:24} {rate:8,.0f}/s  {rate / bare:5.2f} of bare  "
                f"{statistics.median(cpu[one]):5.2f} CPU ms each  "
                f"p99 {statistics.median(p99[one]):6.1f} ms  alone {alone[one]:5.1f} ms"
            )
        log = ["-m", "payoff", "verify", "--log", str(folder / "decisions.sqlite")]
        subprocess.run([sys.executable, *log], check=True)


if __name__ == "__main__":
    main()
