"""Deciding again from cells: by bins of the score, where the money of no row differs.

With two outcomes and money whose difference between actions is a constant, what an action is
expected to earn is a straight line in the probability, and the best action changes at few points.
A bin of the score whose two edges agree is decided as its rows would be; the rows of a bin that
holds such a point are decided by their mean probability, and the value is off by no more than what
the choice of an action can change for those rows.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.cells import NEEDS_ROWS, CellSet, Money
from payoff.evidence.cells_judged import CellJudged
from payoff.evidence.cells_sql import BINS, edge
from payoff.evidence.measured import Redecided
from payoff.evidence.refit import odds, refit_told
from payoff.policy.choose import default_action

__all__ = ["CellsAgain"]

Floats = NDArray[np.float64]

_NO_BINS: Final = (
    "the rows were judged from cells, which hold no bins of the probabilities of more than two "
    "outcomes; judge with --rows"
)
_VARIES: Final = (
    "the money differs from row to row, and so does the probability from which an action pays; "
    "cells do not hold the two together; judge with --rows"
)


class CellsAgain:
    """Deciding again by bins of the score; see :class:`payoff.evidence.measured.Again`."""

    def __init__(self, judged: CellJudged) -> None:
        self.judged = judged
        self.decision, self.terms = judged.decision, judged.terms
        self.default = default_action(judged.decision)
        self.positive = judged.decision.positive_code

    def why_not(self, kind: str) -> str:
        """Say why the policy cannot decide again as a lever of a kind moves; or nothing."""
        if self.judged.acted[self.judged.policies[0].name].policy.kind == "recorded":
            return "the predictions are actions, without probabilities"
        if self.judged.cells.score is None:
            return _NO_BINS if len(self.decision.outcomes) > 2 else NEEDS_ROWS
        factor = self.terms.factor
        same = bool(np.all(factor == factor[:1]))  # then the amounts cancel between actions
        return "" if same and kind != "factor" else _VARIES

    def spread(self) -> float:
        """Return the mean of what the choice of an action changes at most, money per unit."""
        span = np.ptp(self.terms.constant, axis=0)
        cells = self.judged.cells.base
        return float(cells.w1 @ span[cells.outcome]) / self.judged.total or 1.0

    # ------------------------------------------------------------------------- what is asked

    def by_payoff(self, action: str, outcome: str, grid: Floats, kind: str) -> Redecided | None:
        """Decide again under each change of a payoff."""
        del kind
        a = self.decision.action_names.index(action)
        o = self.decision.outcome_names.index(outcome)
        bins = self._bins()
        value, off = np.empty(len(grid)), np.empty(len(grid))
        for k, change in enumerate(grid):
            money = self.terms.constant.copy()
            money[a, o] += change
            codes, open_ = self._decided(money, bins.edges)
            value[k] = bins.earned(codes).sum() + change * bins.weight[o][codes == a].sum()
            off[k] = _most_off(money, bins.weight, open_)
        scale = self.decision.units_reported / self.judged.total
        return Redecided(changes=grid, value=value * scale, off=float(off.max()) * scale)

    def by_rate(self, grid: Floats, fit: float | None) -> dict[str, Any]:
        """Decide again under probabilities moved to each base rate."""
        why = self.why_not("rate")
        if why:
            return {"not_measured": why}
        bins = self._bins()
        weight = bins.weight.sum(axis=1)
        rate = float(weight[self.positive] / weight.sum())
        speaks = fit or rate
        marks = [q for q in (fit, rate) if q is not None]
        places = np.unique(np.concatenate([grid, marks]))
        ratio = odds(places) / odds(np.array([speaks]))
        share = np.empty((2, len(places)))  # of the weight with the positive outcome, and without
        share[self.positive], share[1 - self.positive] = places, 1 - places
        value, off = np.empty(len(places)), np.empty(len(places))
        for k, by in enumerate(ratio):
            codes, open_ = self._decided(self.terms.constant, _moved(bins.edges, float(by)))
            value[k] = bins.earned(codes) @ (share[:, k] / weight)
            scaled = bins.weight * (share[:, k] / weight)[:, None]
            off[k] = _most_off(self.terms.constant, scaled, open_)
        units = self.decision.units_reported
        told = refit_told(places, value * units, speaks=speaks, marks=marks, n=self.judged.n)
        return told | {"off_by_at_most": float(off.max()) * units}

    # --------------------------------------------------------------------------- the decision

    def _bins(self) -> _Bins:
        cells = self.judged.cells.score
        assert cells is not None, "ask why_not first"
        return _Bins(self.judged, cells)

    def _decided(self, money: Floats, edges: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the best action of each bin, and whether the two edges of a bin disagree.

        Parameters
        ----------
        money
            float64 (n_actions, 2).
        edges
            float64 (3, bins), probabilities at the lower edge, within, and at the upper edge.
        """
        with_it, without = money[:, self.positive], money[:, 1 - self.positive]
        expected = edges[..., None] * with_it + (1 - edges[..., None]) * without
        order = [self.default, *(a for a in range(len(money)) if a != self.default)]
        best = np.array(order)[expected[..., order].argmax(axis=-1)]
        return best[1], best[0] != best[2]


class _Bins:
    """Weight of each outcome and money of each action in every bin of the score."""

    def __init__(self, judged: CellJudged, cells: CellSet) -> None:
        assert cells.score is not None
        self.place = cells.score
        outcomes, actions = judged.terms.constant.shape[1], judged.terms.constant.shape[0]
        at = cells.outcome.astype(np.int64) * BINS + self.place

        def by_bin(x: Floats) -> Floats:
            found = np.bincount(at, weights=x, minlength=outcomes * BINS)
            return np.asarray(found.reshape(outcomes, BINS), dtype=np.float64)

        self.weight = by_bin(cells.w1)
        self.money = np.stack(
            [
                by_bin(
                    Money.of(judged.terms, np.full(len(cells), a, np.int16), cells.outcome).sums(
                        cells
                    )
                )
                for a in range(actions)
            ]
        )
        edges = edge(np.arange(BINS + 1))
        low, top = edges[:-1], edges[1:]
        middle = (low + top) / 2
        if cells.prob is not None:
            rows = self.weight.sum(axis=0)
            total = np.bincount(self.place, weights=cells.prob, minlength=BINS)
            middle = np.divide(total, rows, out=middle, where=rows > 0)
        self.edges = np.stack([low, middle, top])

    def earned(self, codes: NDArray[np.int64]) -> Floats:
        """Return the money of each outcome in all bins, float64 (2,), under an action per bin."""
        return np.asarray(self.money[codes, :, np.arange(BINS)].sum(axis=0), dtype=np.float64)


def _moved(prob: Floats, ratio: float) -> Floats:
    """Multiply the odds of probabilities."""
    return np.asarray(ratio * prob / (ratio * prob + 1 - prob), dtype=np.float64)


def _most_off(money: Floats, weight: Floats, open_: NDArray[np.bool_]) -> float:
    """Return what the choice of actions changes at most in the bins that are not decided."""
    return float(np.ptp(money, axis=0) @ weight[:, open_].sum(axis=1))
