"""Judging a million scored rows, beside fairlearn's bootstrap on a tenth of them in the same run.

    python benchmarks/judge.py          (fairlearn is optional: pip install fairlearn)

Limits: 1e6 rows with per-row money and 8 subgroups in 5 s and 1 GB, whole process from Parquet to
evidence, imports included. The peer computes 4 metrics for 8 groups with 100 resamples on 1e5 rows.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RUNS = 5
DECISION = """
schema_version = 1
[decision]
name = "million"
unit = "customer"
currency = "EUR"
volume = 1000000
do_nothing = "leave"
[data]
outcome = "y"
[outcomes]
yes = 1
no = 0
[actions]
call = "Call"
leave = "Leave"
[payoffs.call]
yes = "amount - 5"
no = -5
[payoffs.leave]
yes = 0
no = 0
[[subgroups]]
column = "region"
"""


def make(folder: Path, n: int) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(7)
    prob = rng.beta(1, 12, n)
    table = pa.table(
        {
            "y_prob": prob,
            "y": (rng.random(n) < prob).astype(np.int8),
            "amount": rng.lognormal(4, 1, n),
            "region": np.array(list("abcdefgh"))[rng.integers(0, 8, n)],
        }
    )
    path = folder / f"scored_{n}.parquet"
    pq.write_table(table, path)
    (folder / "decision.toml").write_text(DECISION, encoding="utf-8")
    return path


def ours(path: Path) -> tuple[float, float]:
    """Return wall seconds and peak megabytes of the whole command."""
    code = (
        "import resource, sys\n"
        "from payoff.cli import main\n"
        "try:\n"
        f"    main(['judge', {str(path)!r}, '-d', {str(path.parent / 'decision.toml')!r}, '-q'])\n"
        "finally:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return time.perf_counter() - started, int(done.stderr.split()[-1]) / 1024


def peer(path: Path) -> float | None:
    code = """
import sys, time
import numpy as np, pyarrow.parquet as pq
from fairlearn.metrics import MetricFrame, selection_rate, true_positive_rate, false_positive_rate
from sklearn.metrics import accuracy_score
t = pq.read_table(sys.argv[1])
y, p = t['y'].to_numpy(), (t['y_prob'].to_numpy() >= .1).astype(int)
started = time.perf_counter()
MetricFrame(metrics={'a': accuracy_score, 's': selection_rate, 't': true_positive_rate,
    'f': false_positive_rate}, y_true=y, y_pred=p,
    sensitive_features=t['region'].to_pandas(), n_boot=100, ci_quantiles=[.025, .975],
    random_state=0)
print(time.perf_counter() - started)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    return float(done.stdout) if done.returncode == 0 else None


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, large = make(folder, 100_000), make(folder, 1_000_000)
        figures = {}
        for label, path in (("1e5", small), ("1e6", large)):
            runs = [ours(path) for _ in range(RUNS)]
            figures[label] = {
                "seconds": statistics.median(r[0] for r in runs),
                "megabytes": statistics.median(r[1] for r in runs),
            }
        figures["fairlearn 1e5, 100 resamples"] = {"seconds": peer(small)}
        print(json.dumps(figures, indent=1))
        ok = figures["1e6"]["seconds"] <= 5 and figures["1e6"]["megabytes"] <= 1024
        theirs = figures["fairlearn 1e5, 100 resamples"]["seconds"]
        if theirs:
            print(
                f"fairlearn / payoff on the same 1e5 rows: {theirs / figures['1e5']['seconds']:.1f}"
            )
        print("limits (5 s, 1 GB at 1e6):", "met" if ok else "NOT met")


if __name__ == "__main__":
    main()
