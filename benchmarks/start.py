"""CPU seconds of starting: ``payoff --help`` and ``import payoff``, and what they load.

python benchmarks/start.py
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

RUNS = 7
HEAVY = ("numpy", "pyarrow", "duckdb", "sklearn", "lightgbm", "scipy", "click", "jinja2")


def cpu(words: list[str]) -> float:
    """Return the CPU seconds of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def main() -> None:
    python = sys.executable
    for name, words in (
        ("python alone", [python, "-c", "pass"]),
        ("import payoff", [python, "-c", "import payoff; payoff.Decision"]),
        ("payoff --help", [python, "-m", "payoff", "--help"]),
    ):
        cpu(words)
        print(f"{name:<16}{statistics.median(cpu(words) for _ in range(RUNS)):.3f} CPU s")
    code = f"import sys, payoff; print(len([m for m in sys.modules if m in {HEAVY}]))"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    print(f"heavy modules loaded by import payoff: {done.stdout.strip()}")


if __name__ == "__main__":
    main()
