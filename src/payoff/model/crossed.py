"""What cross-fitting hands on, whatever the kind of model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from payoff.model.scored import Scored

__all__ = ["CrossFitted"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossFitted:
    """Out-of-fold probabilities of each candidate that could be fitted.

    Parameters
    ----------
    scored
        Candidate -> probabilities of all n rows, each from models that never saw the row (nor its
        cluster).
    failures
        Candidate -> why it was skipped.
    seconds
        Candidate -> time taken.
    folds
        int64 (n,), the fold of each row.
    """

    scored: Mapping[str, Scored]
    failures: Mapping[str, str]
    seconds: Mapping[str, float]
    folds: NDArray[np.int64]
