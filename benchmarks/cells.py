"""One pass over many scored rows, beside DuckDB's own group-by; and the value curve beside empulse.

    python benchmarks/cells.py [ROWS ...]      (default 1e6 1e7 1e8; 1.2 GB of Parquet at 1e8)

For each number of rows, in one run: DuckDB's group-by of the same columns (segment, 4,096 bins of
the score, outcome: count, sum, sum of squares), the query payoff runs, and the whole command
`payoff judge --cells` in a process of its own with its peak memory. Then the value curve with its
band at 1e6 rows, beside `max_profit_score` of empulse (AGPL, in an environment of its own;
EMPULSE_PYTHON names its python).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from judge import DECISION

RUNS = 5
MAKE = """
copy (
  select p as y_prob, cast(random() < p as tinyint) as y,
    round(exp(4 + 1.6 * (random() + random() + random() - 1.5)), 2) as amount,
    chr(97 + cast(floor(random() * 8) as int)) as region
  from (select power(random(), 6) * 0.98 + 0.001 as p from range({n}))
) to '{path}' (format parquet)
"""
FLOOR = """
select region, cast(floor(y_prob * 4096) as int) as bin, y,
  count(*), sum(amount), sum(amount * amount)
from read_parquet('{path}') group by all
"""
CURVE = """
import json, sys, time
import numpy as np
from payoff.evidence.curve import threshold_values
rng = np.random.default_rng(1)
n = 1_000_000
prob = rng.beta(1, 12, n)
y = (rng.random(n) < prob).astype(float)
amount = rng.lognormal(4, 1, n)
low, high, weight = np.zeros(n), np.where(y == 1, amount - 5, -5.0), np.ones(n)
times = []
for _ in range(7):
    started = time.perf_counter()
    threshold_values(prob, low, high, weight, np.linspace(0, 1, 101))
    times.append(time.perf_counter() - started)
print(json.dumps(times))
"""
PEER = """
import json, time
import numpy as np
from empulse.metrics import max_profit_score
rng = np.random.default_rng(1)
n = 1_000_000
prob = rng.beta(1, 12, n)
y = (rng.random(n) < prob).astype(int)
times = []
for _ in range(7):
    started = time.perf_counter()
    max_profit_score(y, prob, tp_cost=-55.0, fp_cost=5.0)
    times.append(time.perf_counter() - started)
print(json.dumps(times))
"""


def timed(function) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def floor(path: Path) -> float:
    connection = duckdb.connect()
    return timed(lambda: connection.sql(FLOOR.format(path=path)).to_arrow_table())


def our_pass(path: Path) -> float:
    """Time the two queries: by score, and by action with the threshold that the first one finds."""
    from payoff.declare.file import load
    from payoff.engine.scan import Scan
    from payoff.evidence.cells_sql import Rows, by_action, by_score
    from payoff.evidence.terms import terms_of

    decision = load(path.parent / "decision.toml")
    scan = Scan([path])
    terms = terms_of(decision).pivoted([50.0])
    rows = Rows(
        relation=scan.relation,
        row=scan.row,
        types=scan.types,
        probability={"yes": "y_prob"},
        action=None,
        complete=scan.complete(decision.payoffs.columns),
        outcomes=scan.whole(decision.data.outcome),
    )
    scored = by_score(decision, terms, rows)
    assert scored is not None
    acted = by_action(decision, terms, rows, threshold=(268, 263))  # as the command finds at 1e8
    return timed(lambda: (scan.query(scored.text), scan.query(acted.text)))


def command(path: Path) -> tuple[float, float]:
    """Return seconds and peak megabytes of the whole command."""
    words = ["judge", str(path), "-d", str(path.parent / "decision.toml"), "-q", "--cells"]
    code = (
        "import resource, sys\nfrom payoff.cli import main\ntry:\n"
        f"    main({words!r})\nfinally:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return time.perf_counter() - started, int(done.stderr.split()[-1]) / 1024


def scan_of(folder: Path, n: int) -> dict[str, float]:
    path = folder / "rows.parquet"
    duckdb.connect().execute(MAKE.format(n=n, path=path))
    (folder / "decision.toml").write_text(DECISION, encoding="utf-8")
    runs = RUNS
    floor(path)  # the file is read once before anything is timed
    pairs = [(floor(path), our_pass(path)) for _ in range(runs)]
    whole = [command(path) for _ in range(min(runs, 3))]
    return {
        "rows": n,
        "duckdb seconds": statistics.median(p[0] for p in pairs),
        "pass seconds": statistics.median(p[1] for p in pairs),
        "ratio": statistics.median(b / a for a, b in pairs),
        "command seconds": statistics.median(w[0] for w in whole),
        "command peak MB": max(w[1] for w in whole),
    }


def curve() -> dict[str, float | None]:
    def median(python: str, code: str) -> float | None:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
        return statistics.median(json.loads(done.stdout)) if done.returncode == 0 else None

    peer = os.environ.get("EMPULSE_PYTHON", sys.executable)
    return {"payoff": median(sys.executable, CURVE), "empulse max_profit": median(peer, PEER)}


def main() -> None:
    for n in [int(float(word)) for word in sys.argv[1:]] or [10**6, 10**7, 10**8]:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(scan_of(Path(folder), n)), flush=True)
    print(json.dumps({"curve at 1e6 rows, seconds": curve()}))


if __name__ == "__main__":
    main()
