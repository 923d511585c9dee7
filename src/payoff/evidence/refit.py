"""What the policy would earn if its probabilities were moved to another base rate.

The odds of every probability are multiplied by the ratio of the odds of the two base rates, and the
action of largest expected money is taken again: what refitting on rows of that base rate would do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import EvidenceError
from payoff.evidence.judged import Judged
from payoff.evidence.measured import Redecided
from payoff.evidence.redecide import (
    decides_by_money,
    expected_with,
    free,
    greedy,
    value_by_payoff,
)
from payoff.policy.best import default_action

__all__ = ["RowsAgain", "moved_odds", "odds", "refit_told", "refitted"]

#: Rows times re-decisions that the curve may cost where each must be done apart.
_MOST_WORK: Final = 10_000_000


def moved_odds(
    prob: NDArray[np.float64], positive: int, ratio: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return probabilities whose odds of the positive outcome are multiplied by ``ratio``.

    Parameters
    ----------
    prob
        float64 (n, n_outcomes).

    References
    ----------
    Elkan, C. (2001). The foundations of cost-sensitive learning. IJCAI, theorem 2.
    Saerens, M., Latinne, P. and Decaestecker, C. (2002). Adjusting the outputs of a classifier to
    new a priori probabilities. Neural Computation 14.

    Examples
    --------
    >>> moved_odds(np.array([[0.5, 0.5]]), 0, 3.0).tolist()
    [[0.75, 0.25]]
    """
    out = prob.copy()
    out[:, positive] *= ratio
    return np.asarray(out / out.sum(axis=1, keepdims=True), dtype=np.float64)


def refitted(judged: Judged, grid: NDArray[np.float64], fit: float | None) -> dict[str, Any]:
    """Return what the policy would earn if its probabilities were moved to each base rate."""
    why = decides_by_money(judged)
    decision, stakes = judged.decision, judged.stakes
    if why or stakes.prob is None:
        return {"not_measured": why}
    positive = decision.positive_code
    speaks = _rate_spoken_of(judged, fit)
    if not 0 < speaks < 1:
        return {"not_measured": "the probabilities speak of a base rate of 0 or 1"}
    marks = [
        q
        for q in (fit, float(np.average(stakes.outcome == positive, weights=stakes.weight)))
        if q is not None
    ]
    swift = decision.is_binary and free(decision)
    fine = swift or (
        len(stakes) * len(grid) <= _MOST_WORK and not decision.limits and not decision.constraints
    )
    places = np.unique(np.concatenate([grid if fine else [], marks]))
    ratio = odds(places) / odds(np.array([speaks]))
    try:
        shares = _two_actions(judged, ratio) if swift else _one_by_one(judged, ratio, places)
    except EvidenceError as error:
        return {"not_measured": f"at another base rate, {error.what}"}
    value = (places * shares[0] + (1 - places) * shares[1]) * decision.units_reported
    return refit_told(places, value, speaks=speaks, marks=marks, n=len(stakes))


def refit_told(
    places: NDArray[np.float64],
    value: NDArray[np.float64],
    *,
    speaks: float,
    marks: Sequence[float],
    n: int,
) -> dict[str, Any]:
    """Return the curve of refitting as the evidence holds it.

    Parameters
    ----------
    places, value
        float64 (k,), base rates and money per period.
    speaks
        The base rate the probabilities were made for.
    marks
        The share at fitting, where it is known, and that of the judging rows.
    n
        Rows judged.
    """
    return {
        "speaks_of": speaks,
        "rate": places.tolist(),
        "value": value.tolist(),
        "at_judged": float(np.interp(marks[-1], places, value)),
        "at_fit": float(np.interp(marks[0], places, value)) if len(marks) > 1 else None,
        "n": n,
        "note": "The odds of every probability are moved from the base rate it speaks of to the "
        "one assumed, and the action of largest expected money is taken again. It has no interval: "
        "it shows a direction, not a promise.",
    }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowsAgain:
    """Deciding again on single rows; see :class:`payoff.evidence.measured.Again`."""

    judged: Judged

    def why_not(self, kind: str) -> str:
        """Say why the policy cannot decide again, whatever kind of lever moves."""
        del kind
        return decides_by_money(self.judged)

    def spread(self) -> float:
        """Return the mean of what the choice of an action changes at most, money per unit."""
        stakes = self.judged.stakes
        spread = stakes.realised.max(axis=1) - stakes.realised.min(axis=1)
        return float(np.average(spread, weights=stakes.weight)) or 1.0

    def by_payoff(
        self, action: str, outcome: str, grid: NDArray[np.float64], kind: str
    ) -> Redecided | None:
        """Decide again under each change of a payoff."""
        found = value_by_payoff(self.judged, action, outcome, grid, factor=kind == "factor")
        return None if found is None else Redecided(changes=found[0], value=found[1])

    def by_rate(self, grid: NDArray[np.float64], fit: float | None) -> dict[str, Any]:
        """Decide again under probabilities moved to each base rate."""
        return refitted(self.judged, grid, fit)


def odds(q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the odds of shares, kept finite.

    Examples
    --------
    >>> odds(np.array([0.5, 0.75])).tolist()
    [1.0, 3.0]
    """
    held = np.clip(q, 1e-9, 1 - 1e-9)
    return np.asarray(held / (1 - held), dtype=np.float64)


def _within(judged: Judged) -> list[NDArray[np.float64]]:
    """Return weights that sum to 1 within the positive outcome, and within the rest."""
    stakes = judged.stakes
    hit = stakes.outcome == judged.decision.positive_code
    inside = [np.where(rows, stakes.weight, 0.0) for rows in (hit, ~hit)]
    return [w / w.sum() for w in inside]


def _two_actions(judged: Judged, ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return money per unit within both outcomes for ascending odds ratios, float64 (2, k).

    Action 0 beats action 1 where ``ratio p g(positive) + (1 - p) g(rest) > 0``: from one critical
    ratio on (or up to it), so one pass over the rows serves every ratio.
    """
    decision, stakes = judged.decision, judged.stakes
    positive = decision.positive_code
    prob = np.asarray(stakes.prob)
    gain = [
        prob[:, o] * (np.asarray(stakes.cells[0, o]) - np.asarray(stakes.cells[1, o]))
        for o in (positive, 1 - positive)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        critical = np.where(
            gain[0] == 0, np.where(gain[1] > 0, -np.inf, np.inf), -gain[1] / gain[0]
        )
    rising = gain[0] >= 0
    default = default_action(decision) == 0  # ties go to the default action
    place = np.searchsorted(ratio, critical, side="left" if default else "right")
    falling = np.flatnonzero(~rising)
    place[falling] = np.searchsorted(ratio, critical[falling], side="right" if default else "left")
    size = len(ratio) + 1
    first, second = stakes.realised[:, 0], stakes.realised[:, 1]
    model = 0.0 if decision.volume is None else decision.model_cost / decision.volume
    out = np.empty((2, len(ratio)))
    for k, weight in enumerate(_within(judged)):
        x = weight * (first - second)
        up = np.bincount(place[rising], weights=x[rising], minlength=size)
        down = np.bincount(place[falling], weights=x[falling], minlength=size)
        won = np.cumsum(up)[:-1] + down.sum() - np.cumsum(down)[:-1]
        out[k] = float(weight @ second) + won - model
    return out


def _one_by_one(
    judged: Judged, ratio: NDArray[np.float64], places: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Decide again at each base rate; return money per unit within both outcomes, (2, k)."""
    decision, stakes = judged.decision, judged.stakes
    inside = _within(judged)
    rows = np.arange(len(stakes))
    out = np.empty((2, len(ratio)))
    for k, (by, q) in enumerate(zip(ratio, places, strict=True)):
        prob = moved_odds(np.asarray(stakes.prob), decision.positive_code, float(by))
        expected = expected_with(stakes, prob, len(decision.actions))
        weight = q * inside[0] + (1 - q) * inside[1]
        codes, fixed = greedy(decision, stakes, expected, weight)
        money = stakes.realised[rows, codes] - fixed
        out[:, k] = [float(w @ money) for w in inside]
    return out


def _rate_spoken_of(judged: Judged, fit: float | None) -> float:
    """Return the base rate that the probabilities were made for.

    The choosing rows' where a calibration was learnt there, else the fit rows', else the judging
    rows'.
    """
    kind = (judged.background.model.get("calibration") or {}).get("kind", "raw")
    chosen = (judged.background.choose_shares or {}).get(str(judged.decision.positive))
    if kind != "raw" and chosen:
        return float(chosen)
    if fit:
        return fit
    hit = judged.stakes.outcome == judged.decision.positive_code
    return float(np.average(hit, weights=judged.stakes.weight))
