"""What every kind of model hands on: probabilities of outcomes, and expected amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Read", "Scored", "ScoredArms"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Read:
    """What a model says of documents it has read once.

    Parameters
    ----------
    prob
        float64 (n, n_outcomes).
    theme
        int32 (n,), -1 for none; None where no themes were learnt.
    familiar
        float64 (n,), 0 to 1, how like those learnt from; None where nobody asked.
    """

    prob: NDArray[np.float64]
    theme: NDArray[np.int32] | None = None
    familiar: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """Predictions for the rows of one part.

    Parameters
    ----------
    prob
        float64 (n, n_outcomes), rows summing to 1, columns in order of declaration.
    part
        Part of the rows: ``"fit"`` (out of fold), ``"choose"`` or ``"judge"``.
    amounts
        (column, outcome) -> float64 (n,): mean of a column that is known later, given the outcome.
    source
        Which model, in words for the report.
    familiar
        float64 (n,), 0 to 1, how like each row is to those learnt from; None where the model does
        not know or nobody asks.
    theme
        int32 (n,), the theme of each document, -1 for none; None where no themes were learnt.
    """

    prob: NDArray[np.float64]
    part: str
    amounts: Mapping[tuple[str, str], NDArray[np.float64]] = field(default_factory=dict)
    source: str = ""
    familiar: NDArray[np.float64] | None = None
    theme: NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        self.prob.setflags(write=False)

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.prob.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredArms:
    """Predictions under every action, where acting changes what happens.

    Parameters
    ----------
    prob
        float64 (n, n_actions, n_outcomes), summing to 1 over outcomes.
    part
        Part of the rows.
    amounts
        For each action: (column, outcome) -> float64 (n,), as in :class:`Scored`.
    source
        Which model, in words for the report.
    assignment
        float64 (n, n_actions), probability of the action taken in the past, predicted from the
        features by a model that did not see the row; None where none was fitted.
    """

    prob: NDArray[np.float64]
    part: str
    amounts: tuple[Mapping[tuple[str, str], NDArray[np.float64]], ...]
    source: str = ""
    assignment: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        self.prob.setflags(write=False)

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.prob.shape[0])
