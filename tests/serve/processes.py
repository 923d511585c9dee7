"""Servers in processes of their own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys

import pytest

from tests.conftest import ROOT


class Process:
    """A server in a process of its own; the port is read from its first line."""

    def __init__(self, code, *arguments):
        places = [*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT / "src"), str(ROOT)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.line = self.process.stdout.readline()
        if not self.line:
            pytest.fail(self.process.communicate(timeout=10)[1])
        self.port = int(self.line.rsplit(":", 1)[1])

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            sent = json.dumps(body) if isinstance(body, dict) else body
            json_type = {"content-type": "application/json"}
            connection.request(method, path, sent, headers or json_type)
            response = connection.getresponse()
            return response.status, json.loads(response.read()), response.headers
        finally:
            connection.close()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err
