"""Run the simulations in full and write docs/reference/statistics.md.

Usage::

    python tools/statistics_table.py              every topic
    python tools/statistics_table.py intervals    one topic anew; the others as they were

Topics are the files tests/statistics/test_<topic>.py; see tests/statistics/harness.py.
"""

from __future__ import annotations

import argparse
import importlib
import math
import re
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "statistics.md"
TOPICS = ROOT / "tests" / "statistics"
PROCESSES = 2
OPENING = """# What was promised, and what simulations measured

For the **analyst**. Each line is a world made by a random number generator, where the truth is
known, drawn again as often as *runs* says; *measured* is the share of runs (or the mean over runs)
in which payoff's figure did what is promised. Written by `make statistics`; `make nightly` fails
when a figure leaves its promise by more than two standard errors of the simulation (0.4 points for
a rate of 95 % in 10,000 runs).
"""


def topics() -> list[str]:
    """Return the names of all topics, in alphabetical order."""
    return sorted(path.stem.removeprefix("test_") for path in TOPICS.glob("test_*.py"))


def number(value: float, unit: str) -> str:
    """Write a figure of the table.

    Examples
    --------
    >>> number(95.0, "%"), number(-0.1234, "EUR"), number(0.00304, "ratio")
    ('95.0', '-0.123', '0.00304')
    """
    return f"{value:.1f}" if unit == "%" else f"{value:.3g}"


def line(row: Any) -> str:
    """Return one line of the table."""
    promised = f"{number(row.low, row.unit)} to {number(row.high, row.unit)}"
    if row.low == -math.inf or (row.unit == "%" and row.low <= 0):
        promised = f"at most {number(row.high, row.unit)}"
    elif row.high == math.inf or (row.unit == "%" and row.high >= 100):
        promised = f"at least {number(row.low, row.unit)}"
    cells = [
        row.what,
        row.world,
        f"{row.n:,}",
        f"{row.runs:,}",
        f"{number(row.figure, row.unit)} {row.unit}",
        f"{promised} {row.unit}",
        row.said,
    ]
    return "| " + " | ".join(cells) + " |"


def section(topic: str) -> str:
    """Simulate one topic in full and return its part of the page."""
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    module = importlib.import_module(f"tests.statistics.test_{topic}")
    harness = importlib.import_module("tests.statistics.harness")
    rows = module.rows(harness.FULL_RUNS, harness.FULL_SEED)
    head = "| what | world | n | runs | measured | promised | note |\n|---|---|---|---|---|---|---|"
    body = "\n".join(line(row) for row in rows)
    return f"## {module.TITLE}\n\n{module.ABOUT}\n\n{head}\n{body}\n"


def title(topic: str) -> str:
    """Read a topic's title without running it."""
    text = (TOPICS / f"test_{topic}.py").read_text(encoding="utf-8")
    found = re.search(r'^TITLE = "(.+)"$', text, re.MULTILINE)
    if found is None:
        message = f'tests/statistics/test_{topic}.py: need a line TITLE = "..."'
        raise SystemExit(message)
    return found[1]


def sections(page: str) -> dict[str, str]:
    """Return title -> section of a page that was written before."""
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0].removeprefix("## "): part.rstrip() + "\n" for part in parts}


def main(chosen: Iterable[str]) -> None:
    """Simulate the chosen topics (all, when none is named) and rewrite the page."""
    every = topics()
    wanted = list(chosen) or every
    unknown = sorted(set(wanted) - set(every))
    if unknown:
        message = f"no topic {', '.join(unknown)}; there are {', '.join(every)}"
        raise SystemExit(message)
    known = sections(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
    with ProcessPoolExecutor(PROCESSES) as pool:
        for topic, text in zip(wanted, pool.map(section, wanted), strict=True):
            known[title(topic)] = text
            print(f"{topic}: done")
    body = [known[title(topic)] for topic in every if title(topic) in known]
    PAGE.write_text("\n".join([OPENING, *body]), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("topics", nargs="*")
    main(parser.parse_args().topics)
