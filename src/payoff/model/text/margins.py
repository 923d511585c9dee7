"""A linear classifier over sparse features: the largest margin, and one temperature.

Fitted with liblinear (scikit-learn), kept as arrays, applied as sparse sums. With more than two
outcomes all are separated at once (Crammer and Singer), which is faster and here more accurate
than one outcome against the rest. Margins become probabilities by one positive slope (the inverse
of a temperature), learnt from margins of rows that were held out.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.model.folds import assign_folds
from payoff.model.linear import softmax
from payoff.model.text.arrays import give_back
from payoff.rng import child_seed

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.svm import LinearSVC

__all__ = [
    "EMBEDDED_STRENGTH",
    "STRENGTHS",
    "USUAL_STRENGTH",
    "Margins",
    "fit_margins",
    "held_out_margins",
    "slope_of",
]

#: Strengths tried where rows are few enough to tell them apart; otherwise the usual one.
STRENGTHS: Final = (0.05, 0.2, 0.5, 2.0)
#: Strengths where rows are many: the best by held-out log-loss on 10,000 short documents, without
#: and with embeddings, which bring the features' length up.
USUAL_STRENGTH: Final = 0.5
EMBEDDED_STRENGTH: Final = 0.35
#: A held-out row in a thousand that is wrong for sure may not decide the temperature.
_LOWEST_SLOPE: Final = 0.05
_HIGHEST_SLOPE: Final = 200.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Margins:
    """Linear margins of the outcomes that occurred, and the slope that makes them log-odds.

    Parameters
    ----------
    n_outcomes
        Number of declared outcomes O.
    seen
        Codes of the m outcomes that occurred; the others get probability 0.
    coef
        float32 (k, m): features in rows, so that a document's few features lie together. With two
        outcomes the first column is 0.
    intercept
        float32 (m,).
    slope
        Above 0; ``p = softmax(slope * margin)``.
    """

    n_outcomes: int
    seen: tuple[int, ...]
    coef: NDArray[np.float32]
    intercept: NDArray[np.float32]
    slope: float

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        self.coef.setflags(write=False)
        self.intercept.setflags(write=False)

    def margins(self, x: csr_matrix) -> NDArray[np.float64]:
        """Return margins (n, m); a row's never depend on the other rows."""
        return np.asarray(x @ self.coef, dtype=np.float64) + self.intercept

    def predict(self, x: csr_matrix) -> NDArray[np.float64]:
        """Return probabilities (n, O) for encoded rows (n, k)."""
        return self.spread(self.margins(x), self.slope)

    def spread(self, margins: NDArray[np.float64], slope: float) -> NDArray[np.float64]:
        """Return probabilities (n, O) of margins (n, m)."""
        out = np.zeros((len(margins), self.n_outcomes))
        out[:, list(self.seen)] = softmax(slope * margins)
        return out


def fit_margins(
    x: csr_matrix,
    outcome: NDArray[np.integer],
    weight: NDArray[np.float64],
    *,
    n_outcomes: int,
    strength: float,
    seed: int,
    slope: float = 1.0,
) -> Margins:
    """Fit on rows whose outcome is known.

    Parameters
    ----------
    x
        float32 (n, k), finite.
    outcome
        int (n,), all >= 0, at least two different.
    weight
        float64 (n,), > 0, scaled here to mean 1.
    strength
        C of ``C * sum_i w_i * loss_i + |coef|^2 / 2``.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    seen, y = np.unique(outcome, return_inverse=True)
    many = len(seen) > 2
    model = LinearSVC(
        C=strength,
        dual=x.shape[0] < x.shape[1],
        multi_class="crammer_singer" if many else "ovr",
        tol=0.02 if many else 1e-3,
        max_iter=300 if many else 2_000,
        random_state=child_seed(seed, "linear svm") % 2**31,
    )
    give_back()
    with warnings.catch_warnings():
        # A fit that stops early is still judged by the rows that were held out.
        warnings.simplefilter("ignore", ConvergenceWarning)
        coef, intercept = _solved(model, x, y, weight / weight.mean())
    give_back()
    if not many:
        coef = np.concatenate([np.zeros_like(coef), coef])
        intercept = np.array([0.0, intercept[0]])
    elif len(intercept) != len(seen):
        intercept = np.zeros(len(seen))
    return Margins(
        n_outcomes=n_outcomes,
        seen=tuple(seen.tolist()),
        coef=np.ascontiguousarray(coef.T, dtype=np.float32),
        intercept=intercept.astype(np.float32),
        slope=slope,
    )


def _solved(
    model: LinearSVC, x: csr_matrix, y: NDArray[np.int64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coefficients and intercepts of the model that scikit-learn's ``fit`` would find.

    ``fit`` holds all values as float64 beside the rows that liblinear makes of them. What ``fit``
    calls reads float32 and makes the same rows, in a seventh less memory; where a version of
    scikit-learn has it no longer, ``fit`` is called.
    """
    try:
        from sklearn.svm._base import _fit_liblinear
    except ImportError:
        model.fit(x, y, sample_weight=weight)
        return np.asarray(model.coef_), np.atleast_1d(model.intercept_)
    coef, intercept, _ = _fit_liblinear(x, y, **model.get_params(), sample_weight=weight)
    return np.asarray(coef), np.atleast_1d(intercept)


def held_out_margins(
    x: csr_matrix,
    outcome: NDArray[np.integer],
    weight: NDArray[np.float64],
    cluster: NDArray[np.integer],
    *,
    folds: int,
    strengths: Sequence[float],
    seed: int,
) -> tuple[NDArray[np.float64], float]:
    """Return the held-out margins (n, m) of the best strength, and that strength.

    A strength is as good as its log-loss after its own temperature. Of the ``strengths``, in
    ascending order, the two in the middle are tried first, then those beyond the better one while
    they are better still. Margins of an outcome that a fold never saw are the row's smallest.
    """
    _, y = np.unique(outcome, return_inverse=True)
    fold = assign_folds(y, cluster, folds, seed, "temperature folds")
    best: dict[float, tuple[float, NDArray[np.float64]]] = {}

    def tried(some: Sequence[float]) -> None:
        for s, margins in _margins_at(x, y, weight, fold, some, seed).items():
            best[s] = _loss(slope_of(margins, y, weight), margins, y, weight), margins

    def order(s: float) -> tuple[float, float]:
        return best[s][0], abs(float(np.log(s / USUAL_STRENGTH)))

    middle = max(1, len(strengths) // 2)
    tried(strengths[middle - 1 : middle + 1])
    upwards = min(best, key=order) == strengths[min(middle, len(strengths) - 1)]
    for s in strengths[middle + 1 :] if upwards else strengths[: middle - 1][::-1]:
        so_far = min(best, key=order)
        tried([s])
        if order(s) > order(so_far):
            break
    found = min(best, key=order)
    return best[found][1], found


def _margins_at(
    x: csr_matrix,
    y: NDArray[np.int64],
    weight: NDArray[np.float64],
    fold: NDArray[np.int64],
    strengths: Sequence[float],
    seed: int,
) -> dict[float, NDArray[np.float64]]:
    """Return the held-out margins (n, m) at each strength."""
    m = int(y.max()) + 1
    found = {s: np.zeros((len(y), m)) for s in strengths}
    for f in range(int(fold.max()) + 1):
        rest, held = np.flatnonzero(fold != f), np.flatnonzero(fold == f)
        if len(np.unique(y[rest])) < 2 or not len(held):
            continue
        learnt, left = x[rest], x[held]
        for s, out in found.items():
            model = fit_margins(learnt, y[rest], weight[rest], n_outcomes=m, strength=s, seed=seed)
            out[held] = filled(model, model.margins(left), m)
    return found


def filled(model: Margins, margins: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return margins (rows, n) with every outcome; one never seen has the row's smallest."""
    out = np.repeat(margins.min(axis=1, keepdims=True), n, axis=1)
    out[:, list(model.seen)] = margins
    return out


def slope_of(
    margins: NDArray[np.float64], outcome: NDArray[np.integer], weight: NDArray[np.float64]
) -> float:
    """Return the slope with the least weighted log-loss, one pseudo-row drawing it towards 1.

    Parameters
    ----------
    margins
        float64 (n, m) of rows that were held out.
    outcome
        int (n,), columns of ``margins``.

    Examples
    --------
    >>> m = np.array([[0.0, 1.0]] * 4)
    >>> round(slope_of(m, np.array([1, 1, 1, 0]), np.ones(4)), 2)  # ln 3 = 1.10 without it
    1.04
    """
    from scipy.optimize import minimize_scalar

    def loss(log_slope: float) -> float:
        return _loss(float(np.exp(log_slope)), margins, outcome, weight) + 0.5 * log_slope**2 / len(
            outcome
        )

    found: Any = minimize_scalar(
        loss,
        bounds=(float(np.log(_LOWEST_SLOPE)), float(np.log(_HIGHEST_SLOPE))),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(np.exp(found.x))


def _loss(
    slope: float,
    margins: NDArray[np.float64],
    outcome: NDArray[np.integer],
    weight: NDArray[np.float64],
) -> float:
    z = slope * margins
    z = z - z.max(axis=1, keepdims=True)
    losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), outcome]
    return float(weight @ losses / weight.sum())
