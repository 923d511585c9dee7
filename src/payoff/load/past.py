"""The recorded past: which action each row got, and with which probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.declare.payoffs import value_key
from payoff.errors import DataError, EvidenceError, counted, show
from payoff.load.frame import codes_of, is_numeric, numbers

__all__ = ["Logged", "read_past"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Logged:
    """What was done to each row.

    Parameters
    ----------
    taken
        int16 (n,), the place of the action taken; -1 where it is not recorded.
    propensity
        float64 (n,), probability with which that action was chosen; None where it must be modelled.
    """

    taken: NDArray[np.int16]
    propensity: NDArray[np.float64] | None

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        self.taken.setflags(write=False)
        if self.propensity is not None:
            self.propensity.setflags(write=False)

    def take(self, rows: NDArray[Any]) -> Logged:
        """Return the rows at the given places."""
        chance = None if self.propensity is None else self.propensity[rows]
        return Logged(taken=self.taken[rows], propensity=chance)


def read_past(table: pa.Table, decision: Decision, weight: NDArray[np.float64]) -> Logged | None:
    """Read the action taken and its probability, as ``[past]`` declares them.

    With ``randomised`` and no declared shares, the probability of an action is its weighted share
    of all rows: chance has no other trace.

    Parameters
    ----------
    weight
        float64 (n,), units each row stands for.

    Raises
    ------
    DataError
        ``PAY-L004`` missing column, ``PAY-L006`` a probability outside (0, 1] or missing.
    EvidenceError
        ``PAY-E003`` an action that is not declared.
    """
    past = decision.past
    if past is None:
        return None
    for column in past.columns:
        if column not in table.column_names:
            raise DataError.missing_column(column, "past decisions", table.column_names, "key past")
    taken = _taken(table.column(past.action), decision)
    if past.how == "modelled":
        return Logged(taken=taken, propensity=None)
    if past.how == "given":
        return Logged(taken=taken, propensity=_given(table, str(past.propensity), taken))
    names = decision.action_names
    if past.shares:
        shares = np.array([float(past.shares[a]) for a in names])
    else:
        known = taken >= 0
        sums = np.bincount(taken[known], weights=weight[known], minlength=len(names))
        shares = sums / max(float(sums.sum()), 1e-300)
    return Logged(taken=taken, propensity=np.where(taken >= 0, shares[taken], np.nan))


def _taken(column: pa.ChunkedArray, decision: Decision) -> NDArray[np.int16]:
    past = decision.past
    values = past.values if past is not None else {}
    names = decision.action_names
    place = {value_key(values.get(name, name)): code for code, name in enumerate(names)}
    codes, labels = codes_of(column)
    found = np.array([place.get(value_key(v), -2) for v in labels] + [-1], dtype=np.int16)
    taken: NDArray[np.int16] = found[codes]
    if (taken == -2).any():
        strange = [v for v, code in zip(labels, found, strict=False) if code == -2]
        raise EvidenceError.unknown_action(
            past.action if past else "", strange, int((taken == -2).sum()), place
        )
    return taken


def _given(table: pa.Table, name: str, taken: NDArray[np.int16]) -> NDArray[np.float64]:
    column = table.column(name)
    if not is_numeric(column.type):
        raise DataError.bad_column(
            name, "the probability of the action taken", f"values of type {column.type}", "numbers"
        )
    chance = numbers(column).astype(np.float64, copy=True)
    bad = ~((chance > 0) & (chance <= 1 + 1e-9)) & (taken >= 0)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise DataError.bad_column(
            name,
            "the probability of the action taken",
            f"{show(float(chance[first]))} in row {first + 1:,}; {counted(int(bad.sum()), 'row')}",
            "a probability above 0 and up to 1 in every row",
            "It is the probability with which the action that was taken was chosen, known "
            "beforehand; an action that was taken cannot have had the probability 0",
        )
    return np.minimum(chance, 1.0)
