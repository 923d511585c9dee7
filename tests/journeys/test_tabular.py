"""The story of one decision, as a person types it: init, check, run, verify, serve, judge."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest


@pytest.fixture
def desk(tmp_path, rng):
    """A folder with one file: 1,200 orders, some of which come back; express ones more often."""
    n = 1200
    express = rng.random(n) < 0.3
    value = np.round(rng.lognormal(3, 0.7, n), 2)
    back = rng.random(n) < np.where(express, 0.45, 0.05)
    table = pa.table(
        {
            "order_id": np.arange(n), "express": np.where(express, "yes", "no"),
            "value": value, "country": rng.choice(["DE", "FR"], n),
            "returned": np.where(back, "yes", "no"),
        }
    )  # fmt: skip
    pacsv.write_csv(table, tmp_path / "orders.csv")
    return tmp_path


def payoff(desk, *words, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "payoff", *words],
        cwd=desk,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "default"},
        timeout=120,
    )
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return done.stdout


def test_from_a_file_to_a_served_answer(desk):
    payoff(
        desk, "init", "orders.csv", "--act", "phone", "--unit", "order", "--volume", "3000",
        "--money", "phone/yes=value * 0.4 - 2", "--money", "phone/no=-2", "--currency", "EUR",
        "--subgroup", "country", "--no-input",
    )  # fmt: skip
    text = (desk / "decision.toml").read_text()
    (desk / "decision.toml").write_text(text + '\n[training]\ncandidates = ["logistic"]\n')
    checked = json.loads(payoff(desk, "check", "decision.toml", "--json"))
    assert checked["rows"] == 1200
    said = payoff(desk, "run", "decision.toml", "--out", "orders")
    assert "EUR" in said
    assert "Report: orders/report.html" in said
    page = (desk / "orders" / "report.html").read_text()
    assert "Content-Security-Policy" in page
    assert "are as written" in payoff(desk, "verify", "orders")

    server = subprocess.Popen(
        [sys.executable, "-m", "payoff", "serve", "orders", "--port", "0", "-q"],
        cwd=desk,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = server.stdout.readline().split()[-1]
        body = {
            "rows": [
                {"express": "yes", "value": 200.0, "country": "DE"},
                {"express": "no", "value": 3.0, "country": "FR"},
            ]
        }
        request = urllib.request.Request(
            f"{address}/decide", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            decided = json.load(answer)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        server.stdout.close()
    assert [d["action"] for d in decided["decisions"]] == ["phone", "leave"]
    manifest = json.loads((desk / "orders" / "manifest.json").read_text())
    assert decided["bundle_id"] == manifest["id"]

    (desk / "orders" / "policy.json").write_text("{}")
    assert "policy.json" in payoff(desk, "verify", "orders", code=1)
    payoff(desk, "serve", "orders", code=2)


def test_actions_taken_by_hand_are_judged_without_any_model(desk):
    table = pacsv.read_csv(desk / "orders.csv")
    did = np.where(np.array(table.column("value").to_pylist()) > 30, "phone", "leave")
    pacsv.write_csv(table.append_column("did", pa.array(did)), desk / "done.csv")
    payoff(
        desk, "init", "orders.csv", "--act", "phone", "--no-input",
        "--money", "phone/yes=value * 0.4 - 2", "--money", "phone/no=-2",
    )  # fmt: skip
    answer = json.loads(
        payoff(
            desk,
            "judge",
            "done.csv",
            "-d",
            "decision.toml",
            "--action",
            "did",
            "--json",
            "--out",
            "judged",
        )
    )
    returned = np.array(table.column("returned").to_pylist())
    values = np.array(table.column("value").to_pylist())
    back = (returned == "yes") if returned.dtype.kind == "U" else returned
    money = np.where(values > 30, np.where(back, values * 0.4, 0) - 2, 0)
    policy = answer["evidence"]["policies"][0]
    assert policy["value"]["value"] == pytest.approx(money.mean())
    assert (desk / "judged" / "report.html").is_file()
