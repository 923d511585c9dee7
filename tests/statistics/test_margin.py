"""Is "not worse by more than the margin" said wrongly as seldom as promised?"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from payoff.declare.settings import EvidenceSettings
from tests.statistics.harness import FULL, FULL_RUNS, FULL_SEED, QUICK, Row, coverage, hold
from tests.worlds import binary, judged

TITLE = "Not worse by more than a margin"
ABOUT = (
    "A policy that truly loses exactly the declared margin against today's rule: how often the "
    "answer is yes at 95 % confidence. Each run is a whole judging, so there are a fifth as many."
)


def rows(runs: int, seed: int) -> list[Row]:
    """Judge a policy that never acts against a rule that calls half of all by chance."""
    runs = max(runs // 5, 40)
    children = np.random.SeedSequence(seed).spawn(runs)
    margin = 1000 * 0.5 * (0.3 * 9 - 0.7)
    decision = dataclasses.replace(binary(rule="x > 0"), evidence=EvidenceSettings(margin=margin))
    said = 0
    for child in children:
        rng = np.random.default_rng(child)
        y = (rng.random(600) < 0.3).astype(int)
        x = rng.choice([-1.0, 1.0], 600)
        found = judged(decision, {"y": y, "x": x}, np.full(600, 0.01)).information["margin"]
        said += found["answer"] == "yes"
    return [
        Row(
            what='says "not worse" at the edge of the margin',
            world="9 in 30 % of rows, else -1; called by chance or not at all",
            n=600,
            runs=runs,
            figure=coverage(said, runs),
            low=4.0,
            high=6.0,
        )
    ]


def test_quick(seed):
    hold(rows(200, seed), QUICK)


@pytest.mark.statistics
def test_full():
    hold(rows(FULL_RUNS, FULL_SEED), FULL)
