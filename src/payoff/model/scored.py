"""What every kind of model hands on: probabilities of outcomes, and expected amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scored"]


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
    """

    prob: NDArray[np.float64]
    part: str
    amounts: Mapping[tuple[str, str], NDArray[np.float64]] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        self.prob.setflags(write=False)

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.prob.shape[0])
