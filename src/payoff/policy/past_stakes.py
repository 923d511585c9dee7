"""Stakes of rows that record a past: doubly robust scores, or bounds where nothing is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.declare.expression import columns_of
from payoff.errors import EvidenceError
from payoff.load.dataset import Dataset
from payoff.load.evaluate import TableColumns
from payoff.load.frame import numbers
from payoff.load.past import Logged
from payoff.model.scored import Scored, ScoredArms
from payoff.policy.expected import action_money
from payoff.policy.past import Bounds, PastStakes, doubly_robust

__all__ = ["FLOOR", "bounds_of", "past_facts"]

#: Modelled propensities are not taken below this: one row would stand for more than a hundred.
FLOOR: Final = 0.01


def past_facts(
    data: Dataset,
    columns: TableColumns,
    scored: Scored | ScoredArms | None,
    realised: NDArray[np.float64],
) -> dict[str, Any]:
    """Return ``prob``, ``expected``, ``realised`` and ``past`` of :class:`~payoff.policy.stakes`.

    Without models the prediction of an action's money is its weighted mean where it was taken.

    Parameters
    ----------
    realised
        float64 (n, n_actions), money under the outcome that happened.

    Raises
    ------
    EvidenceError
        ``PAY-E025`` when nothing says with which probability actions were chosen, or when an
        action's money depends on an outcome that was never recorded.
    """
    logged = data.logged
    if logged is None or data.decision.past is None:
        raise EvidenceError.no_propensity("no action taken is known")
    arms = scored if isinstance(scored, ScoredArms) else None
    propensity, trimmed = _propensity(logged, None if arms is None else arms.assignment)
    if arms is None:
        seen = _observed(data.decision, realised, logged.taken, None)
        prob, cells = _means(data, logged.taken, propensity, seen)
    else:
        names = data.decision.action_names
        prob = arms.prob
        money = [
            action_money(data.decision, columns, arms.amounts[a], a) for a in range(len(names))
        ]
        seen = _observed(data.decision, realised, logged.taken, money)
        cells = prob * np.stack(money, axis=1)
    model = cells.sum(axis=2)
    ends = _cell_ends(data, columns)
    low, high = ends[0].min(axis=2), ends[1].max(axis=2)
    past = PastStakes(
        how=data.decision.past.how,
        taken=logged.taken,
        propensity=propensity,
        money=seen,
        prob=prob,
        modelled=arms is not None,
        cells=cells,
        low=low,
        high=high,
        assignment=None if arms is None else arms.assignment,
        floor=FLOOR if logged.propensity is None else 0.0,
        trimmed=trimmed,
    )
    return {
        "prob": None,
        "expected": model if arms is not None else None,
        "realised": doubly_robust(model, logged.taken, propensity, seen),
        "past": past,
    }


def _propensity(
    logged: Logged, modelled: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], int]:
    """Return the propensities and how many were lifted to the floor."""
    if logged.propensity is not None:
        return logged.propensity, 0
    if modelled is None:
        raise EvidenceError.no_propensity(
            "neither 'randomised' nor 'propensity', and no features to model it from"
        )
    found = modelled[np.arange(len(logged.taken)), logged.taken]
    return np.maximum(found, FLOOR), int(np.sum(found < FLOOR))


def _observed(
    decision: Decision,
    realised: NDArray[np.float64],
    taken: NDArray[np.int16],
    money: list[NDArray[np.float64]] | None,
) -> NDArray[np.float64]:
    """Return what the action taken earned; where no outcome is known, money must not need it."""
    seen = realised[np.arange(len(taken)), taken].copy()
    blank = np.flatnonzero(np.isnan(seen))
    for action in np.unique(taken[blank]):
        rows = blank[taken[blank] == action]
        spread = np.inf
        if money is not None:
            own = money[action][rows]
            spread = float(np.ptp(own, axis=1).max())
            seen[rows] = own[:, 0]
        if spread > 1e-9 * max(1.0, float(np.abs(seen[rows]).max())):
            raise EvidenceError.no_outcome(decision.action_names[action], len(rows))
    return seen


def _means(
    data: Dataset,
    taken: NDArray[np.int16],
    propensity: NDArray[np.float64],
    seen: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return outcome shares and money by cell of each action, the same for every row."""
    decision = data.decision
    n_actions, n_outcomes = len(decision.actions), len(decision.outcomes)
    weight = data.weight / propensity
    prob = np.full((n_actions, n_outcomes), 1.0 / n_outcomes)
    cells = np.zeros((n_actions, n_outcomes))
    for a in range(n_actions):
        rows = taken == a
        total = float(weight[rows].sum())
        if total > 0:
            place = data.outcome[rows]
            prob[a] = np.bincount(place, weights=weight[rows], minlength=n_outcomes) / total
            cells[a] = (
                np.bincount(place, weights=weight[rows] * seen[rows], minlength=n_outcomes) / total
            )
    shape = (len(taken), n_actions, n_outcomes)
    return np.broadcast_to(prob, shape), np.broadcast_to(cells, shape)


def bounds_of(data: Dataset) -> Bounds:
    """Return the least and largest money of every cell on rows whose outcome is not known.

    An amount that is known only later lies, on such a row, between the smallest and the largest
    seen among these rows with the same outcome.
    """
    rows = np.flatnonzero(data.outcome < 0)
    shape = (0, len(data.decision.actions), len(data.decision.outcomes))
    low, high = np.zeros(shape), np.zeros(shape)
    if len(rows):
        low, high = _cell_ends(data, TableColumns(data.table.take(pa.array(rows))))
    logged = data.logged
    return Bounds(
        rows=rows,
        low=low,
        high=high,
        taken=np.zeros(len(data), np.int16) if logged is None else logged.taken,
    )


def _cell_ends(
    data: Dataset, columns: TableColumns
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the money of each cell at the least and at the largest amounts, (n, A, O) each."""
    decision = data.decision
    ends = _amount_ends(data)
    found = []
    for end in (0, 1) if ends else (0,):
        amounts = {key: np.full(len(columns), pair[end]) for key, pair in ends.items()}
        places = range(len(decision.actions))
        found.append(
            np.stack([action_money(decision, columns, amounts, a) for a in places], axis=1)
        )
    return np.minimum(found[0], found[-1]), np.maximum(found[0], found[-1])


def _amount_ends(data: Dataset) -> Mapping[tuple[str, str], tuple[float, float]]:
    decision = data.decision
    ends: dict[tuple[str, str], tuple[float, float]] = {}
    for (_, outcome), cell in decision.payoffs.cells.items():
        for column in columns_of(cell.node):
            if column not in decision.data.known_later or (column, outcome) in ends:
                continue
            values = numbers(data.table.column(column))
            seen = values[
                (data.outcome == decision.outcome_names.index(outcome)) & np.isfinite(values)
            ]
            if len(seen):
                ends[column, outcome] = (float(seen.min()), float(seen.max()))
    return ends
