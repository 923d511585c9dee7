"""Running the command line: in this process for speed, in its own for truth."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from payoff.cli.main import main


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer on standard output, which must be one JSON document."""
        return json.loads(self.out)


def run(capsys, *words: str | Path) -> Ran:
    """Run a command in this process."""
    capsys.readouterr()
    try:
        main([str(w) for w in words])
    except SystemExit as ended:
        code = ended.code
    captured = capsys.readouterr()
    assert isinstance(code, int)
    return Ran(code, captured.out, captured.err)


def run_alone(*words: str | Path, folder: Path) -> Ran:
    """Run a command in a process of its own, as a user does."""
    done = subprocess.run(
        [sys.executable, "-c", "from payoff.cli import main; main()", *map(str, words)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
