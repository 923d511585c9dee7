"""Expected-value policies on real data, beside the trivial policies and the oracle.

    python benchmarks/real_money.py [NAME ...]        needs PAYOFF_SHARED_DATA or ../shared/data

Totals are scaled to the volume named in each decision file, so that they compare with published or
earlier figures of the same protocol. Each row is the mean over several seeds of the split.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path

import numpy as np

from payoff.declare.file import from_toml
from payoff.workflow import run

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("PAYOFF_SHARED_DATA", HERE.parents[1] / "shared" / "data"))


def main(names: list[str], seeds: int = 3) -> None:
    if not DATA.is_dir():
        sys.exit(f"no data at {DATA}: set PAYOFF_SHARED_DATA")
    files = sorted((HERE / "decisions").glob("*.toml"))
    print(
        f"{'decision':<20}{'expected':>14}{'best trivial':>14}  {'which':<14}{'threshold':>14}"
        f"{'0.5':>14}  {'model':<10}{'calibration':<12}{'verdict':<10}{'s':>6}"
    )
    for file in files:
        if names and file.stem not in names:
            continue
        text = file.read_text(encoding="utf-8").replace("{data}", str(DATA))
        rows = []
        started = time.perf_counter()
        # A split by time or by a column is the same for every seed.
        fixed = {from_toml(text).data.time, from_toml(text).data.part} != {None}
        for seed in range(1 if fixed else seeds):
            decision = from_toml(text)
            decision = dataclasses.replace(
                decision, training=dataclasses.replace(decision.training, seed=seed)
            )
            evidence = run(decision).evidence
            total = {p.name: p.total.value or 0.0 for p in evidence.policies}
            best = evidence.verdict["best_trivial"]
            # One threshold, and the usual one, are there with two actions under two outcomes only.
            others = (total.get("threshold", np.nan), total.get("half", np.nan))
            rows.append((total["expected"], total[best], *others))
        mean = np.mean(rows, axis=0)
        print(
            f"{file.stem:<20}{mean[0]:>14,.0f}{mean[1]:>14,.0f}  {best:<14}{mean[2]:>14,.0f}"
            f"{mean[3]:>14,.0f}  {evidence.model['name']:<10}"
            f"{evidence.model['calibration']['kind']:<12}{evidence.verdict['state']:<10}"
            f"{(time.perf_counter() - started) / len(rows):>6.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
