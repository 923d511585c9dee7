"""Expected and realised money of every action, and the current rule: arrays in, arrays out.

Nothing heavier than numpy is imported, because the server uses this module too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.declare.expression import columns_of, constant_of
from payoff.declare.payoffs import value_key
from payoff.errors import DataError, EvidenceError
from payoff.load.evaluate import Columns, Value, condition, money

__all__ = [
    "action_money",
    "cell_money",
    "check_money",
    "expected_by_action",
    "expected_money",
    "realised_money",
    "rule_actions",
    "weighted_money",
]


class _WithAmounts:
    """Columns in which those known only later are replaced by their predicted means."""

    def __init__(self, base: Columns, amounts: Mapping[str, NDArray[np.float64]]) -> None:
        self._base = base
        self._amounts = amounts

    @property
    def names(self) -> Sequence[str]:
        return [*self._base.names, *self._amounts]

    def __len__(self) -> int:
        return len(self._base)

    def read(self, name: str) -> Any:
        if name in self._amounts:
            return Value("number", self._amounts[name])
        return self._base.read(name)


def expected_money(
    decision: Decision,
    columns: Columns,
    prob: NDArray[np.float64],
    amounts: Mapping[tuple[str, str], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return the expected money of every action for every unit.

    ``E[U_i(a)] = sum_o p(o | x_i) * U_i(a, o)``, with columns that are known only later replaced by
    their predicted mean under outcome o (exact when the cell is linear in them).

    Parameters
    ----------
    decision
        The payoff table.
    columns
        The rows' columns.
    prob
        float64 (n, n_outcomes).
    amounts
        (column, outcome) -> float64 (n,).

    Returns
    -------
    ndarray
        float64 (n, n_actions), money per unit.

    Raises
    ------
    DataError
        ``PAY-L010`` when money is missing or infinite for a row.

    References
    ----------
    Elkan, C. (2001). The foundations of cost-sensitive learning. IJCAI.
    """
    return weighted_money(cell_money(decision, columns, amounts), prob, len(decision.actions))


def weighted_money(
    cells: Mapping[tuple[int, int], float | NDArray[np.float64]],
    prob: NDArray[np.float64],
    n_actions: int,
) -> NDArray[np.float64]:
    """Return ``sum_o p(o | x_i) * U_i(a, o)`` from the money of each cell, float64 (n, n_actions).

    Parameters
    ----------
    cells
        (place of the action, place of the outcome) -> money per unit, as :func:`cell_money` gives.
    prob
        float64 (n, n_outcomes).

    Examples
    --------
    >>> weighted_money({(0, 0): 9.0, (0, 1): -1.0}, np.array([[0.5, 0.5]]), 1).tolist()
    [[4.0]]
    """
    out = np.zeros((len(prob), n_actions), order="F")  # read an action at a time
    prob = np.asfortranarray(prob)
    for (a, o), value in cells.items():
        out[:, a] += prob[:, o] * value
    return out


def cell_money(
    decision: Decision,
    columns: Columns,
    amounts: Mapping[tuple[str, str], NDArray[np.float64]],
    only: int | None = None,
) -> dict[tuple[int, int], float | NDArray[np.float64]]:
    """Return the money of every cell as it is known when the decision is due.

    Parameters
    ----------
    amounts
        (column, outcome) -> float64 (n,), predicted means of columns that are known only later.
    only
        Place of the one action whose cells are wanted; None means all.

    Returns
    -------
    dict
        (place of the action, place of the outcome) -> a constant, or float64 (n,) money per unit.

    Raises
    ------
    DataError
        ``PAY-L010`` when money is missing or infinite for a row.
    """
    found: dict[tuple[int, int], float | NDArray[np.float64]] = {}
    done: dict[tuple[str, str], NDArray[np.float64]] = {}
    for o, outcome in enumerate(decision.outcome_names):
        for a, action in enumerate(decision.action_names):
            if only is not None and a != only:
                continue
            cell = decision.payoffs.cell(action, outcome)
            constant = constant_of(cell.node)
            if constant is not None:
                found[a, o] = constant
                continue
            key = (cell.money, outcome if _depends(decision, cell.money) else "")
            if key not in done:
                predicted = {c: v for (c, under), v in amounts.items() if under == outcome}
                later = [c for c in decision.data.known_later if c in columns_of(cell.node)]
                source = _WithAmounts(columns, {c: predicted[c] for c in later if c in predicted})
                done[key] = money(cell.node, source)
                _check_money(done[key], np.ones(len(columns), bool), action, outcome, cell.money)
            found[a, o] = done[key]
    return found


def action_money(
    decision: Decision,
    columns: Columns,
    amounts: Mapping[tuple[str, str], NDArray[np.float64]],
    action: int,
) -> NDArray[np.float64]:
    """Return the money of one action under each outcome, float64 (n, n_outcomes).

    Raises
    ------
    DataError
        ``PAY-L010`` when money is missing or infinite for a row.
    """
    out = np.empty((len(columns), len(decision.outcomes)))
    for (_, o), value in cell_money(decision, columns, amounts, action).items():
        out[:, o] = value
    return out


def expected_by_action(
    decision: Decision,
    columns: Columns,
    prob: NDArray[np.float64],
    amounts: Sequence[Mapping[tuple[str, str], NDArray[np.float64]]],
) -> NDArray[np.float64]:
    """Return the expected money where every action has probabilities of its own.

    ``E[U_i(a)] = sum_o p_a(o | x_i) * U_i(a, o)``.

    Parameters
    ----------
    prob
        float64 (n, n_actions, n_outcomes).
    amounts
        For each action: (column, outcome) -> float64 (n,).

    Returns
    -------
    ndarray
        float64 (n, n_actions), money per unit.
    """
    own = [action_money(decision, columns, amounts[a], a) for a in range(len(amounts))]
    return np.asarray((prob * np.stack(own, axis=1)).sum(axis=2))


def _depends(decision: Decision, text: str) -> bool:
    return any(c in text for c in decision.data.known_later)


def check_money(
    decision: Decision, columns: Columns, outcome: NDArray[np.int16], used: NDArray[np.bool_]
) -> None:
    """Refuse rows whose money cannot be computed, before anything is fitted.

    Choosing needs the money of every cell in every row; a cell that reads a column known only later
    is needed where its outcome happened.

    Parameters
    ----------
    outcome
        int16 (n,), -1 where not known.
    used
        bool (n,), the rows that take part.

    Raises
    ------
    DataError
        ``PAY-L010`` with the cell and the row of the data.
    """
    for (action, name), cell in decision.payoffs.cells.items():
        if constant_of(cell.node) is not None:
            continue
        rows = used
        if any(c in decision.data.known_later for c in columns_of(cell.node)):
            rows = used & (outcome == decision.outcome_names.index(name))
        _check_money(money(cell.node, columns), rows, action, name, cell.money)


def realised_money(
    decision: Decision, columns: Columns, outcome: NDArray[np.int16]
) -> NDArray[np.float64]:
    """Return the money of every action under the outcome that happened.

    Returns
    -------
    ndarray
        float64 (n, n_actions); NaN in rows whose outcome is -1.

    Raises
    ------
    DataError
        ``PAY-L010`` when money is missing or infinite in a row where the outcome happened.
    """
    out = np.full((len(columns), len(decision.actions)), np.nan, order="F")
    done: dict[str, NDArray[np.float64]] = {}
    for o, name in enumerate(decision.outcome_names):
        rows = outcome == o
        for a, action in enumerate(decision.action_names):
            cell = decision.payoffs.cell(action, name)
            constant = constant_of(cell.node)
            if constant is not None:
                out[rows, a] = constant
                continue
            if cell.money not in done:
                done[cell.money] = money(cell.node, columns)
            _check_money(done[cell.money], rows, action, name, cell.money)
            out[rows, a] = done[cell.money][rows]
    return out


def _check_money(
    values: NDArray[np.float64], rows: NDArray[np.bool_], action: str, outcome: str, text: str
) -> None:
    bad = rows & ~(np.abs(values) < 1e200)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise DataError.bad_money(
            f"payoffs.{action}.{outcome}",
            text,
            int(bad.sum()),
            f"{values[first]} in row {first + 1:,}"
            if not np.isnan(values[first])
            else f"a missing value in row {first + 1:,}",
        )


def rule_actions(
    decision: Decision, columns: Columns, table: Any = None
) -> NDArray[np.int16] | None:
    """Return the action of the current rule for every row, or None when none is declared.

    Raises
    ------
    EvidenceError
        ``PAY-E003`` when a recorded action is not a declared one.
    """
    rule = decision.current_rule
    if rule is None:
        return None
    names = decision.action_names
    if rule.column is not None:
        if table is None:
            return None
        past = decision.past
        written = past.values if past is not None and past.action == rule.column else {}
        known = {value_key(written.get(name, name)): code for code, name in enumerate(names)}
        from payoff.load.frame import codes_of

        codes, labels = codes_of(table.column(rule.column))
        place = np.array([known.get(value_key(v), -2) for v in labels] + [-1], np.int16)
        found: NDArray[np.int16] = place[codes]
        if (found < 0).any():
            strange = [v for v in labels if value_key(v) not in known] or ["(missing)"]
            raise EvidenceError.unknown_action(rule.column, strange, int((found < 0).sum()), names)
        return found
    out = np.full(len(columns), names.index(str(rule.otherwise)), dtype=np.int16)
    for case in reversed(rule.cases):
        out[condition(case.node, columns)] = names.index(case.then)
    return out
