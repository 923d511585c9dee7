"""Does the interval of the base rate at which another policy becomes best hold the truth?"""

from __future__ import annotations

import numpy as np
import pytest

from tests.statistics.harness import FULL, FULL_RUNS, FULL_SEED, QUICK, Row, coverage, hold
from tests.worlds import binary, judged

TITLE = "Base rate at which another policy becomes best"
ABOUT = (
    "Fieller's 95 % interval of the base rate from which calling all earns more than the policy. "
    "Each run is a whole judging, so there are a fifth as many."
)


def rows(runs: int, seed: int) -> list[Row]:
    """Judge a policy that calls 70 % of the positive and 20 % of the negative rows."""
    runs = max(runs // 5, 40)
    truth = 0.8 / (0.8 + 9 * 0.3)  # q 9 (1 - 0.7) = (1 - q) (1 - 0.2)
    held = 0
    for child in np.random.SeedSequence(seed).spawn(runs):
        rng = np.random.default_rng(child)
        y = (rng.random(800) < 0.2).astype(int)
        prob = np.where(rng.random(800) < np.where(y == 1, 0.7, 0.2), 0.9, 0.01)
        found = judged(binary(), {"y": y}, prob).base_rate
        (crossing,) = [c for c in found["crossings"] if c["against"] == "all:call"]
        low, high = crossing["rate"]["low"], crossing["rate"]["high"]
        held += low is not None and low <= truth <= high
    return [
        Row(
            what="95 % interval holds the truth",
            world="9 in 20 % of rows, else -1; 70 % of these and 20 % of those called",
            n=800,
            runs=runs,
            figure=coverage(held, runs),
            low=94.0,
            high=96.0,
        )
    ]


def test_quick(seed):
    hold(rows(200, seed), QUICK)


@pytest.mark.statistics
def test_full():
    hold(rows(FULL_RUNS, FULL_SEED), FULL)
