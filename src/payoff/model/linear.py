"""Logistic regression: fitted with scikit-learn, kept as JSON, applied with numpy alone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.model.folds import assign_folds
from payoff.rng import generator

__all__ = ["Softmax", "fit_softmax", "row_sums", "softmax"]

#: Inverse strengths tried. Features have about unit scale, so C is the prior variance of a
#: coefficient and means the same for any number of rows.
_STRENGTHS: Final = (0.003, 0.03, 0.3, 3.0)
_SEARCH_ROWS: Final = 8_000
_SEARCH_FOLDS: Final = 3
_CHUNK: Final = 8_192


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities (n, m) of log-odds (n, m).

    Examples
    --------
    >>> softmax(np.array([[0.0, 0.0]]))
    array([[0.5, 0.5]])
    """
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def row_sums(
    x: NDArray[np.float64], coef: NDArray[np.float64], intercept: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return ``x @ coef.T + intercept`` (n, m), where a row's result never depends on the others.

    A BLAS product rounds differently for one row than for many; a decision served alone must
    equal the one judged in a batch.
    """
    out = np.empty((len(x), len(coef)))
    for start in range(0, len(x), _CHUNK):
        part = np.ascontiguousarray(x[start : start + _CHUNK])
        for j, row in enumerate(coef):
            out[start : start + _CHUNK, j] = (part * row).sum(axis=1) + intercept[j]
    return out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Softmax:
    """A linear model of log-odds.

    Parameters
    ----------
    n_outcomes
        Number of declared outcomes O.
    seen
        Codes of the m outcomes that occurred; the others get probability 0.
    coef
        float64 (m, k). With two outcomes the first row is 0.
    intercept
        float64 (m,).
    """

    n_outcomes: int
    seen: tuple[int, ...]
    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        self.coef.setflags(write=False)
        self.intercept.setflags(write=False)

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities (n, O) for encoded rows (n, k)."""
        out = np.zeros((len(x), self.n_outcomes))
        out[:, list(self.seen)] = softmax(row_sums(x, self.coef, self.intercept))
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "n_outcomes": self.n_outcomes,
            "seen": list(self.seen),
            "coef": self.coef.tolist(),
            "intercept": self.intercept.tolist(),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Softmax:
        """Read the JSON form."""
        return cls(
            n_outcomes=int(value["n_outcomes"]),
            seen=tuple(int(v) for v in value["seen"]),
            coef=np.array(value["coef"], dtype=np.float64).reshape(len(value["seen"]), -1),
            intercept=np.array(value["intercept"], dtype=np.float64),
        )


def fit_softmax(
    x: NDArray[np.float64],
    outcome: NDArray[np.integer],
    weight: NDArray[np.float64],
    cluster: NDArray[np.integer],
    *,
    n_outcomes: int,
    seed: int,
) -> tuple[Softmax, float]:
    """Fit by penalised maximum likelihood; return the model and the strength C that was chosen.

    Minimises ``sum_i w_i * logloss_i + |coef|^2 / (2 C)`` with weights of mean 1. C comes from
    cross-validated log-loss within the rows given (a sample of them when there are many).

    Parameters
    ----------
    x
        float64 (n, k), finite.
    outcome
        int (n,), all >= 0, at least two different.
    weight
        float64 (n,), > 0.
    cluster
        int (n,), kept whole in the inner folds.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

    weight = weight / weight.mean()
    seen, y = np.unique(outcome, return_inverse=True)
    used = np.flatnonzero(x.min(axis=0) != x.max(axis=0))
    dense = np.ascontiguousarray(x[:, used])
    # One thread: sums taken by several would round differently from machine to machine.
    with threadpool_limits(limits=1):
        strength = _choose(dense, y, weight, cluster, seed)
        coef, intercept = _solve(dense, y, weight, strength)
    every = np.zeros((len(coef), x.shape[1]))
    every[:, used] = coef
    model = Softmax(
        n_outcomes=n_outcomes, seen=tuple(seen.tolist()), coef=every, intercept=intercept
    )
    return model, strength


def _solve(
    x: NDArray[np.float64], y: NDArray[np.int64], weight: NDArray[np.float64], strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    m = int(y.max()) + 1
    if not x.shape[1]:
        share = np.bincount(y, weights=weight, minlength=m) / weight.sum()
        return np.zeros((m, 0)), np.log(share)
    # Newton's method is exact in a handful of steps while the Hessian stays small.
    solver = "newton-cholesky" if m == 2 and x.shape[1] <= 300 else "lbfgs"
    model = LogisticRegression(C=strength, solver=solver, max_iter=1_000, tol=1e-6)
    with warnings.catch_warnings():
        # A fit that stops early is still judged by the rows that were held out.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", message=".*linear solver.*|.*[Ll]ine search.*")
        model.fit(x, y, sample_weight=weight)
    coef, intercept = np.asarray(model.coef_), np.asarray(model.intercept_)
    if m == 2:
        coef = np.concatenate([np.zeros_like(coef), coef])
        intercept = np.concatenate([np.zeros_like(intercept), intercept])
    return coef, intercept


def _choose(
    x: NDArray[np.float64],
    y: NDArray[np.int64],
    weight: NDArray[np.float64],
    cluster: NDArray[np.integer],
    seed: int,
) -> float:
    """Return the strength with the least cross-validated log-loss."""
    rows = np.arange(len(x))
    if len(x) > _SEARCH_ROWS:
        rows = np.sort(generator(seed, "strength rows").permutation(len(x))[:_SEARCH_ROWS])
    x, y, weight, cluster = x[rows], y[rows], weight[rows], cluster[rows]
    fold = assign_folds(y, cluster, _SEARCH_FOLDS, seed, "strength folds")
    loss = np.zeros(len(_STRENGTHS))
    for f in range(_SEARCH_FOLDS):
        rest, held = fold != f, fold == f
        seen = np.unique(y[rest])
        held = held & np.isin(y, seen)
        if len(seen) < 2 or not held.any():
            continue
        inner, y_held = np.searchsorted(seen, y[rest]), np.searchsorted(seen, y[held])
        for i, strength in enumerate(_STRENGTHS):
            coef, intercept = _solve(x[rest], inner, weight[rest], strength)
            p = softmax(x[held] @ coef.T + intercept)[np.arange(len(y_held)), y_held]
            loss[i] -= weight[held] @ np.log(np.maximum(p, 1e-15))
    return _STRENGTHS[int(np.argmin(loss))]
