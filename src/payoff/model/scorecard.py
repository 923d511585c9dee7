"""A scorecard: every feature cut into bins, every bin a number of points, points added up.

Fitted as a logistic regression whose coefficients are the *steps* between neighbouring bins. A
penalty on steps makes neighbours alike unless the rows say otherwise, so bins can be fine without
jumping about; the points of a bin are the sum of the steps below it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.model.codings import Bins, Codes
from payoff.model.encode import Encoder
from payoff.model.linear import fit_softmax, softmax

__all__ = ["Scorecard", "fit_scorecard"]

#: Points that double the odds.
_DOUBLE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scorecard:
    """Additive log-odds per bin.

    Parameters
    ----------
    n_outcomes
        Number of declared outcomes O.
    seen
        Codes of the m outcomes that occurred; the others get probability 0.
    intercept
        float64 (m,).
    tables
        One float64 (bins, m) per encoded column: what each bin adds to the log-odds.
    """

    n_outcomes: int
    seen: tuple[int, ...]
    intercept: NDArray[np.float64]
    tables: tuple[NDArray[np.float64], ...]

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities (n, O) for encoded rows (n, k) of bin codes."""
        logits = np.tile(self.intercept, (len(x), 1))
        codes = x.astype(np.int64)
        for j, table in enumerate(self.tables):
            logits += table[codes[:, j]]
        out = np.zeros((len(x), self.n_outcomes))
        out[:, list(self.seen)] = softmax(logits)
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "n_outcomes": self.n_outcomes,
            "seen": list(self.seen),
            "intercept": self.intercept.tolist(),
            "tables": [t.tolist() for t in self.tables],
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Scorecard:
        """Read the JSON form."""
        return cls(
            n_outcomes=int(value["n_outcomes"]),
            seen=tuple(int(v) for v in value["seen"]),
            intercept=np.array(value["intercept"], dtype=np.float64),
            tables=tuple(np.array(t, dtype=np.float64) for t in value["tables"]),
        )

    def points(self, encoder: Encoder, outcome: int) -> dict[str, Any]:
        """Return every feature's points for one outcome against all others, in words.

        With two outcomes, ``odds = 2 ** ((base + points) / 20)``; with more, points compare the
        outcome's log-odds with the mean of all outcomes. The lowest bin of a feature has 0 points.
        """
        scale = _DOUBLE / math.log(2)
        if outcome not in self.seen:
            return {"base": None, "features": []}
        place = self.seen.index(outcome)
        rest = [i for i in range(len(self.seen)) if i != place]

        def against(values: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(values[..., place] - values[..., rest].mean(axis=-1)) * scale

        base = float(against(self.intercept))
        features = []
        for variable, table in zip(encoder.variables, self.tables, strict=True):
            points = against(table)
            base += float(points.min())
            names = variable.coding.bins() if isinstance(variable.coding, Bins | Codes) else []
            features.append(
                {
                    "feature": variable.label,
                    "bins": [
                        {"bin": name, "points": round(float(p - points.min()), 1)}
                        for name, p in zip(names, points, strict=True)
                    ],
                }
            )
        return {
            "base": round(base, 1),
            "points_that_double_the_odds": _DOUBLE,
            "features": features,
        }


def fit_scorecard(
    encoder: Encoder,
    x: NDArray[np.float64],
    outcome: NDArray[np.integer],
    weight: NDArray[np.float64],
    cluster: NDArray[np.integer],
    *,
    n_outcomes: int,
    seed: int,
) -> tuple[Scorecard, float]:
    """Fit on bin codes (n, k); return the scorecard and the strength C that was chosen."""
    bases = [_basis(v.coding) for v in encoder.variables if isinstance(v.coding, Bins | Codes)]
    codes = x.astype(np.int64)
    wide = np.concatenate([b[codes[:, j]] for j, b in enumerate(bases)], axis=1)
    model, strength = fit_softmax(wide, outcome, weight, cluster, n_outcomes=n_outcomes, seed=seed)
    tables, at = [], 0
    for basis in bases:
        width = basis.shape[1]
        tables.append(basis @ model.coef[:, at : at + width].T)
        at += width
    return (
        Scorecard(
            n_outcomes=n_outcomes, seen=model.seen, intercept=model.intercept, tables=tuple(tables)
        ),
        strength,
    )


def _basis(coding: Bins | Codes) -> NDArray[np.float64]:
    """Return what each code looks like to the regression, float64 (codes, width).

    Bins climb a staircase that starts in the middle, categories have an indicator each; missing
    has its own indicator in both.
    """
    if isinstance(coding, Codes):
        return np.eye(len(coding.levels) + 2)
    n = len(coding.edges) + 1
    out = np.zeros((n + 1, n))
    # Counted from the middle, so that a missing value starts from a typical bin, not the lowest.
    steps = np.arange(n)[:, None] > np.arange(n - 1)[None, :]
    out[:n, : n - 1] = steps.astype(np.float64) - steps[n // 2].astype(np.float64)
    out[n, n - 1] = 1.0
    return out
