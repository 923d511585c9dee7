"""Calibration: probabilities moved towards the frequencies seen, only where evidence says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.clusters import mean_and_error
from payoff.model.folds import assign_folds
from payoff.model.linear import softmax

__all__ = ["KINDS", "Calibrator", "choose", "cross_fitted", "log_losses"]

#: Simplest first; ``choose`` prefers the earlier.
KINDS: Final = ("raw", "sigmoid", "isotonic")
#: A probability of 0 would make one surprise infinitely bad; scores below this are one score.
_TINY: Final = 1e-6
_LEAST_ROWS: Final = 50
_LEAST_RARE: Final = 10
_MOST_SHIFTS: Final = 200
_SMALLEST_SLOPE: Final = 0.01
_STEPS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrator:
    """A map from probabilities to probabilities, data only.

    Parameters
    ----------
    kind
        ``raw`` changes nothing. ``sigmoid`` is ``softmax(slope * log(p) + shift)``: Platt's
        sigmoid of the log-odds for two outcomes, temperature and bias (vector scaling with one
        temperature) for more. ``isotonic`` is a rising curve per outcome against the rest
        (one curve for two outcomes), scaled to sum to 1.
    n_outcomes
        Number of outcomes O.
    slope, shift
        Of the sigmoid; ``shift`` has O entries.
    curves
        Of isotonic: (knots, values) to interpolate between, ascending.

    References
    ----------
    Platt (1999), "Probabilistic outputs for support vector machines". Guo et al. (2017), "On
    calibration of modern neural networks". Zadrozny and Elkan (2002), "Transforming classifier
    scores into accurate multiclass probability estimates".

    Examples
    --------
    >>> Calibrator.raw(2).apply(np.array([[0.25, 0.75]]))
    array([[0.25, 0.75]])
    """

    kind: str
    n_outcomes: int
    slope: float = 1.0
    shift: tuple[float, ...] = ()
    curves: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = ()

    @classmethod
    def raw(cls, n_outcomes: int) -> Calibrator:
        """Return the calibrator that changes nothing."""
        return cls(kind="raw", n_outcomes=n_outcomes)

    @classmethod
    def fit(
        cls,
        kind: str,
        prob: NDArray[np.float64],
        outcome: NDArray[np.integer],
        weight: NDArray[np.float64],
    ) -> Calibrator:
        """Learn from rows whose outcome is known and that the model was not fitted on.

        Parameters
        ----------
        kind
            One of :data:`KINDS`.
        prob
            float64 (n, O).
        outcome
            int (n,); rows with -1 are left out.
        weight
            float64 (n,), >= 0.

        Raises
        ------
        ValueError
            For a kind that does not exist.
        """
        n_outcomes = prob.shape[1]
        rows = (outcome >= 0) & (weight > 0)
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}, got {kind!r}")
        if kind == "raw" or not rows.any():
            return cls.raw(n_outcomes)
        prob, y, w = prob[rows], outcome[rows].astype(np.int64), weight[rows]
        # Weights in units of rows: weights of uneven size carry the evidence of fewer rows.
        w = w * (w.sum() / (w @ w))
        if kind == "sigmoid":
            slope, shift = _fit_sigmoid(_logs(prob), y, w)
            return cls(kind=kind, n_outcomes=n_outcomes, slope=slope, shift=shift)
        ones = (1,) if n_outcomes == 2 else tuple(range(n_outcomes))
        curves = tuple(_fit_curve(prob[:, k], (y == k).astype(np.float64), w) for k in ones)
        return cls(kind=kind, n_outcomes=n_outcomes, curves=curves)

    def apply(self, prob: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the calibrated probabilities (n, O); each row depends on itself only."""
        if self.kind == "raw":
            return prob
        if self.kind == "sigmoid":
            return softmax(self.slope * _logs(prob) + np.array(self.shift))
        found = [
            np.interp(prob[:, k], *curve)
            for k, curve in zip(
                (1,) if self.n_outcomes == 2 else range(self.n_outcomes), self.curves, strict=True
            )
        ]
        if self.n_outcomes == 2:
            return np.stack([1.0 - found[0], found[0]], axis=1)
        out = np.stack(found, axis=1)
        return np.asarray(out / out.sum(axis=1, keepdims=True))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "kind": self.kind,
            "n_outcomes": self.n_outcomes,
            "slope": self.slope,
            "shift": list(self.shift),
            "curves": [{"knots": list(x), "values": list(y)} for x, y in self.curves],
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Calibrator:
        """Read the JSON form."""
        return cls(
            kind=str(value["kind"]),
            n_outcomes=int(value["n_outcomes"]),
            slope=float(value["slope"]),
            shift=tuple(float(v) for v in value["shift"]),
            curves=tuple((tuple(c["knots"]), tuple(c["values"])) for c in value["curves"]),
        )


def _logs(prob: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(np.clip(prob, _TINY, 1.0)))


def _fit_sigmoid(
    logs: NDArray[np.float64], y: NDArray[np.int64], w: NDArray[np.float64]
) -> tuple[float, tuple[float, ...]]:
    """Minimise log-loss over slope and shifts by Newton's method with step halving.

    One pseudo-row of penalty pulls towards "no change", so that separable rows stay finite.
    """
    n_outcomes = logs.shape[1]
    free = np.arange(1, n_outcomes) if n_outcomes <= _MOST_SHIFTS else np.arange(0)
    rows = np.arange(len(y))

    def loss(theta: NDArray[np.float64]) -> float:
        z = theta[0] * logs + theta[1:]
        z = z - z.max(axis=1, keepdims=True)
        value = w @ (np.log(np.exp(z).sum(axis=1)) - z[rows, y])
        return float(value + 0.5 * ((theta[0] - 1) ** 2 + theta[1:] @ theta[1:]))

    def descend(theta: NDArray[np.float64], moving: NDArray[np.int64]) -> NDArray[np.float64]:
        best = loss(theta)
        for _ in range(_STEPS):
            gradient, hessian = _derivatives(theta, logs, y, w)
            step = np.zeros_like(theta)
            step[moving] = np.linalg.solve(hessian[np.ix_(moving, moving)], gradient[moving])
            size = 1.0
            while (new := loss(theta - size * step)) > best and size > 1e-6:
                size /= 2
            if new > best - 1e-10 * max(1.0, abs(best)):
                return theta - size * step if new <= best else theta
            theta, best = theta - size * step, new
        return theta

    start = np.concatenate([[1.0], np.zeros(n_outcomes)])
    theta = descend(start, np.concatenate([[0], free + 1]))
    if theta[0] < _SMALLEST_SLOPE:
        # Scores that point the wrong way are flattened, never turned round.
        theta = np.zeros(n_outcomes + 1)
        theta[0] = _SMALLEST_SLOPE
        if len(free):
            theta = descend(theta, free + 1)
    return float(theta[0]), tuple(theta[1:].tolist())


def _derivatives(
    theta: NDArray[np.float64],
    logs: NDArray[np.float64],
    y: NDArray[np.int64],
    w: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return gradient (O + 1,) and Hessian (O + 1, O + 1) of the penalised log-loss."""
    p = softmax(theta[0] * logs + theta[1:])
    excess = p.copy()
    excess[np.arange(len(y)), y] -= 1.0
    gradient = np.concatenate([[w @ (excess * logs).sum(axis=1)], w @ excess])
    gradient += np.concatenate([[theta[0] - 1.0], theta[1:]])
    mean = (p * logs).sum(axis=1, keepdims=True)
    hessian = np.empty((len(theta), len(theta)))
    hessian[0, 0] = w @ (p * (logs - mean) ** 2).sum(axis=1)
    hessian[0, 1:] = hessian[1:, 0] = w @ (p * (logs - mean))
    hessian[1:, 1:] = np.diag(w @ p) - p.T @ (p * w[:, None])
    return gradient, hessian + np.eye(len(theta))


def _fit_curve(
    score: NDArray[np.float64],
    hit: NDArray[np.float64],
    w: NDArray[np.float64],
    prior_rows: float = 1.0,
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return (knots, values) of the rising step curve nearest to the frequencies.

    Pool-adjacent-violators makes blocks; each block's frequency is then mixed with the overall
    one, ``(hits + prior_rows * overall) / (rows + prior_rows)``, since three hits out of three do
    not prove a probability of 1. Mixing can disturb the order, so blocks are pooled once more.
    """
    from sklearn.isotonic import IsotonicRegression

    knots, place = np.unique(score, return_inverse=True)
    rows = np.bincount(place, weights=w)
    rate = np.bincount(place, weights=w * hit) / rows
    level = IsotonicRegression().fit_transform(np.arange(len(knots)), rate, sample_weight=rows)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(level) > 1e-12) + 1])
    block_rows = np.add.reduceat(rows, starts)
    block_hits = np.add.reduceat(rows * rate, starts)
    # Half a row on either side as well: with one outcome only, the overall rate is 0 or 1 itself.
    overall = (block_hits.sum() + 0.5) / (block_rows.sum() + 1.0) if prior_rows else 0.0
    values = (block_hits + prior_rows * overall) / (block_rows + prior_rows)
    values = IsotonicRegression().fit_transform(
        np.arange(len(values)), values, sample_weight=block_rows + prior_rows
    )
    ends = np.concatenate([starts[1:] - 1, [len(knots) - 1]])
    x: list[float] = []
    y: list[float] = []
    for first, last, value in zip(starts.tolist(), ends.tolist(), values.tolist(), strict=True):
        for at in dict.fromkeys((first, last)):
            x.append(float(knots[at]))
            y.append(value)
    return tuple(x), tuple(y)


def cross_fitted(
    kind: str,
    prob: NDArray[np.float64],
    outcome: NDArray[np.integer],
    weight: NDArray[np.float64],
    folds: int,
    seed: int,
    cluster: NDArray[np.integer] | None = None,
) -> NDArray[np.float64]:
    """Return probabilities (n, O), each row calibrated by the other folds.

    Parameters
    ----------
    cluster
        int (n,), kept whole in the folds; None means that every row stands alone.
    """
    if kind == "raw":
        return prob.copy()
    rows = np.arange(len(prob)) if cluster is None else cluster
    fold = assign_folds(np.where(weight > 0, outcome, -1), rows, folds, seed, "calibration")
    out = np.empty_like(prob)
    for f in range(folds):
        held = fold == f
        if held.any():
            made = Calibrator.fit(kind, prob[~held], outcome[~held], weight[~held])
            out[held] = made.apply(prob[held])
    return out


def log_losses(prob: NDArray[np.float64], outcome: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the log-loss of each row, float64 (n,); outcomes must be known.

    Examples
    --------
    >>> log_losses(np.array([[0.5, 0.5]]), np.array([1])).round(4)
    array([0.6931])
    """
    found = prob[np.arange(len(outcome)), outcome]
    return np.asarray(-np.log(np.clip(found, _TINY, 1.0)))


def choose(
    prob: NDArray[np.float64],
    outcome: NDArray[np.integer],
    weight: NDArray[np.float64],
    *,
    folds: int,
    seed: int,
    cluster: NDArray[np.integer] | None = None,
) -> tuple[Calibrator, dict[str, Any]]:
    """Choose a kind by cross-fitted log-loss and fit it on all rows.

    A kind replaces a simpler one only when it improves the log-loss by more than the standard
    error of that (paired, cluster-wise) improvement.

    Returns
    -------
    The calibrator, and a JSON-ready record: per kind ``log_loss``, ``difference`` from raw and its
    ``standard_error``; and the ``reason`` of the choice.
    """
    known = (outcome >= 0) & (weight > 0)
    p, y, w = prob[known], outcome[known].astype(np.int64), weight[known]
    c = np.arange(len(p)) if cluster is None else cluster[known]
    counts = np.bincount(y, minlength=prob.shape[1])
    present = counts[counts > 0]
    record: dict[str, Any] = {"n": len(y), "folds": 0, "kinds": [], "chosen": "raw"}
    if len(y) < _LEAST_ROWS or len(present) < 2 or present.sum() - present.max() < _LEAST_RARE:
        record["reason"] = (
            f"Probabilities stay as the model gives them: {len(y):,} rows, of which "
            f"{int(present.sum() - present.max()) if len(present) else 0:,} have another outcome "
            "than the most frequent, are too few to learn a correction."
        )
        return Calibrator.raw(prob.shape[1]), record
    folds = int(max(2, min(folds, len(np.unique(c)))))
    losses = {k: log_losses(cross_fitted(k, p, y, w, folds, seed, c), y) for k in KINDS}
    chosen = "raw"
    for kind in KINDS[1:]:
        gain, error = mean_and_error(losses[kind] - losses[chosen], w, c)
        if -gain > error:
            chosen = kind
    for kind in KINDS:
        difference, error = mean_and_error(losses[kind] - losses["raw"], w, c)
        record["kinds"].append(
            {
                "kind": kind,
                "log_loss": float(w @ losses[kind] / w.sum()),
                "difference": difference,
                "standard_error": error,
            }
        )
    record |= {"folds": folds, "chosen": chosen, "reason": _reason(chosen, record["kinds"])}
    return Calibrator.fit(chosen, p, y, w), record


def _reason(chosen: str, kinds: list[dict[str, Any]]) -> str:
    if chosen == "raw":
        best = min(kinds[1:], key=lambda k: k["difference"])
        return (
            "Probabilities stay as the model gives them: the best correction, "
            f"{best['kind']}, changes the cross-fitted log-loss by {best['difference']:+.5f} "
            f"(standard error {best['standard_error']:.5f}), which is no clear improvement."
        )
    found = next(k for k in kinds if k["kind"] == chosen)
    return (
        f"The {chosen} correction lowers the cross-fitted log-loss by {-found['difference']:.5f} "
        f"(standard error {found['standard_error']:.5f})."
    )
