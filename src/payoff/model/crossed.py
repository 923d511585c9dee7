"""Cross-fitting of candidates, and what it hands on, whatever the kind of model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from payoff.errors import PayoffError, TrainingError
from payoff.model.candidates import LABELS
from payoff.model.scored import Scored

if TYPE_CHECKING:
    from payoff.progress import Progress

__all__ = ["CrossFitted", "try_candidates"]


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


def try_candidates(
    names: Sequence[str],
    out_of_fold: Callable[[str, NDArray[np.int64], Callable[[int], None]], NDArray[np.float64]],
    fold: NDArray[np.int64],
    part: str,
    progress: Progress,
    *,
    fatal: Sequence[str] = (),
) -> CrossFitted:
    """Cross-fit each candidate in turn; one that fails is left out with its reason.

    Parameters
    ----------
    names
        Candidates.
    out_of_fold
        Name, folds and what to tell of each fold -> probabilities float64 (n, n_outcomes).
    fold
        int64 (n,), the fold of each row.
    part
        Part of the rows.
    progress
        Told before each fold.
    fatal
        Codes of errors that no candidate would escape: they are raised at once.

    Raises
    ------
    TrainingError
        ``PAY-T004`` when every candidate failed.
    """
    folds = int(fold.max()) + 1
    scored: dict[str, Scored] = {}
    failures: dict[str, str] = {}
    seconds: dict[str, float] = {}
    for i, name in enumerate(names):
        begun = time.perf_counter()

        def step(f: int, i: int = i, name: str = name) -> None:
            progress("fit candidates", i * folds + f, len(names) * folds, name)

        try:
            prob = out_of_fold(name, fold, step)
            scored[name] = Scored(prob=prob, part=part, source=LABELS.get(name, name))
        except PayoffError as error:
            if error.code in fatal:
                raise
            failures[name] = str(error)
        except (ArithmeticError, MemoryError, RuntimeError, TypeError, ValueError) as error:
            # One candidate's algorithm may refuse these rows; the others go on.
            failures[name] = f"{type(error).__name__}: {error}"[:400]
        seconds[name] = time.perf_counter() - begun
    progress("fit candidates", len(names) * folds, len(names) * folds)
    if not scored:
        raise TrainingError.nothing_fitted(f"{k}: {v}" for k, v in failures.items())
    return CrossFitted(scored=scored, failures=failures, seconds=seconds, folds=fold)
