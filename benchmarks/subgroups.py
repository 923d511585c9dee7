"""Four measures of eight groups with intervals, beside fairlearn's bootstrap in the same run.

    python benchmarks/subgroups.py      (fairlearn is optional: pip install fairlearn)

payoff: 1,000 resamples of the confusion cells, counting 100,000 rows included. The peer: 100
resamples of the rows; its time is reported as measured, not multiplied by ten. The peer may live in
another environment: set PEER_PYTHON to its interpreter.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

ROWS, GROUPS, RUNS = 100_000, 8, 15

PEER = """
import time
import numpy as np
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
from sklearn.metrics import accuracy_score
rng = np.random.default_rng(7)
prob = rng.beta(1, 12, {rows})
y = (rng.random({rows}) < prob).astype(int)
group = rng.integers(0, {groups}, {rows})
started = time.perf_counter()
MetricFrame(metrics=dict(a=accuracy_score, s=selection_rate, t=true_positive_rate,
    f=false_positive_rate), y_true=y, y_pred=(prob >= .1).astype(int), sensitive_features=group,
    n_boot=100, ci_quantiles=[.025, .975], random_state=0)
print(time.perf_counter() - started)
"""


def ours(seed: int) -> float:
    """Return the seconds of one run, from arrays of rows to estimates with intervals."""
    from payoff.evidence.subgroups.cells import CELL_RATES, cell_bootstrap, cell_counts

    rng = np.random.default_rng(7)
    prob = rng.beta(1, 12, ROWS)
    y = rng.random(ROWS) < prob
    group = rng.integers(0, GROUPS, ROWS)
    names = ("accuracy", "acted", "true_positive_rate", "false_positive_rate")
    started = time.perf_counter()
    counts = cell_counts(prob >= 0.1, y, group, GROUPS)
    cell_bootstrap(
        counts,
        {name: CELL_RATES[name] for name in names},
        level=0.95,
        rng=np.random.default_rng(seed),
        resamples=1000,
    )
    return time.perf_counter() - started


def peer() -> float | None:
    """Return the seconds of the peer's one run; None where it is not installed."""
    code = PEER.format(rows=ROWS, groups=GROUPS)
    python = os.environ.get("PEER_PYTHON", sys.executable)
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return float(done.stdout) if done.returncode == 0 else None


def main() -> None:
    """Print the seconds of both, and their ratio."""
    ours(0)
    own = statistics.median(ours(seed) for seed in range(RUNS))
    theirs = peer()
    figures = {"payoff, 1,000 resamples": own, "fairlearn, 100 resamples": theirs}
    print(json.dumps(figures, indent=1))
    if theirs:
        print(f"ratio: {theirs / own:,.0f}")


if __name__ == "__main__":
    main()
