"""Simulations against promises: what each topic's file gives, and how it is held to it.

A topic is one file ``tests/statistics/test_<topic>.py`` with

- ``TITLE``, a heading, and ``ABOUT``, one or two sentences for the analyst;
- ``rows(runs, seed) -> list[Row]``: simulate, and say what was promised beside what was measured;
- a quick test, ``hold(rows(300, seed), QUICK)``, when it takes under three seconds, and
- a full test marked ``statistics``, ``hold(rows(FULL_RUNS, FULL_SEED), FULL)``.

``make statistics`` writes every topic's full rows to ``docs/reference/statistics.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["FULL", "FULL_RUNS", "FULL_SEED", "QUICK", "Row", "coverage", "hold", "tolerance"]

#: Runs of the full simulation of a rate; a figure that needs fewer says so in its row.
FULL_RUNS: Final = 10_000
#: The seed of the published table, so that it can be made again.
FULL_SEED: Final = 20_260_101
#: Standard errors of the simulation by which the promise is widened: quick test, full test.
QUICK: Final = 4.0
FULL: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One promise and what a simulation measured.

    Parameters
    ----------
    what
        What is measured, in words: ``"95 % interval holds the truth"``.
    world
        The simulated world, in words.
    n
        Rows of one simulated data set.
    runs
        Simulated data sets.
    figure
        What was measured, in ``unit``; a rate in %.
    low, high
        What is promised, in the same unit.
    said
        A note for the reader of the table.
    error
        Standard error of ``figure`` by simulation; None for a rate, whose error is binomial.
    unit
        Unit of ``figure``, ``low`` and ``high``.
    """

    what: str
    world: str
    n: int
    runs: int
    figure: float
    low: float
    high: float
    said: str = ""
    error: float | None = None
    unit: str = "%"

    def bounds(self, errors: float) -> tuple[float, float]:
        """Return the promise widened by so many standard errors of the simulation."""

        def error(at: float) -> float:
            return tolerance(at, self.runs) if self.error is None else self.error

        return self.low - errors * error(self.low), self.high + errors * error(self.high)

    def kept(self, errors: float) -> bool:
        """Say whether the figure is within the widened promise."""
        low, high = self.bounds(errors)
        return low <= self.figure <= high


def coverage(hits: int | Iterable[bool], runs: int) -> float:
    """Return a share of runs in %.

    Examples
    --------
    >>> coverage(950, 1000)
    95.0
    """
    count = hits if isinstance(hits, int) else sum(bool(h) for h in hits)
    return 100.0 * count / runs


def tolerance(percent: float, runs: int) -> float:
    """Return the binomial standard error, in percentage points, of a rate measured in runs.

    Examples
    --------
    >>> round(tolerance(95.0, 10_000), 3)
    0.218
    """
    p = min(max(percent / 100, 0.0), 1.0)
    return 100 * math.sqrt(p * (1 - p) / runs)


def hold(rows: Sequence[Row], errors: float) -> None:
    """Fail with every row whose figure is outside its promise, widened by so many errors."""
    assert rows, "a topic without a row promises nothing"
    broken = []
    for row in rows:
        if not row.kept(errors):
            low, high = row.bounds(errors)
            broken.append(
                f"{row.what}; {row.world}, n = {row.n:,}: {row.figure:.4g} {row.unit} in "
                f"{row.runs:,} runs, allowed {low:.4g} to {high:.4g}"
            )
    assert not broken, "\n".join(broken)
