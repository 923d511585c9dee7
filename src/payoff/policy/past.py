"""Money of actions that were not taken: what past decisions let one say, arrays in, arrays out.

With the propensity e_i (the probability with which the action A_i taken on row i was chosen), the
money v_i it earned and a model m of the money of every action, the doubly robust score of action a

``Gamma_i(a) = m(x_i, a) + 1{A_i = a} / e_i * (v_i - m(x_i, a))``

has the mean of "everybody gets a" whenever either e or m is right. The value of a policy pi is the
mean of ``Gamma_i(pi(x_i))``: everything that judges values per unit judges these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bounds", "PastStakes", "doubly_robust", "weights"]


def weights(
    codes: NDArray[np.int16], taken: NDArray[np.int16], propensity: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the inverse-propensity weight of each row under a policy, float64 (n,).

    ``w_i = 1{A_i = pi(x_i)} / e_i``: a row counts only where past and policy agree, and then for as
    many rows as it stands for.

    Parameters
    ----------
    codes, taken
        int16 (n,), action of the policy and action taken.
    propensity
        float64 (n,), in (0, 1].

    Examples
    --------
    >>> weights(np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([0.5, 0.5, 0.25]))
    array([2., 0., 4.])
    """
    return np.where(codes == taken, 1.0 / propensity, 0.0)


def doubly_robust(
    model: NDArray[np.float64],
    taken: NDArray[np.int16],
    propensity: NDArray[np.float64],
    seen: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the doubly robust score of every action, float64 (n, n_actions).

    Parameters
    ----------
    model
        float64 (n, n_actions), predicted by models that did not see the row.
    taken
        int16 (n,), action taken.
    propensity
        float64 (n,), probability with which it was chosen.
    seen
        float64 (n,), what happened (money, or an indicator of an outcome).

    References
    ----------
    Robins, J. M., Rotnitzky, A. & Zhao, L. P. (1994). JASA 89. Dudik, M., Erhan, D., Langford, J.
    & Li, L. (2014). Doubly robust policy evaluation and optimization. Statistical Science 29(4).

    Examples
    --------
    >>> m = np.array([[1.0, 0.0], [1.0, 0.0]])
    >>> doubly_robust(m, np.array([0, 1]), np.array([0.5, 0.5]), np.array([3.0, 1.0]))
    array([[5., 0.],
           [1., 2.]])
    """
    out = model.copy()
    rows = np.arange(len(taken))
    out[rows, taken] += (seen - model[rows, taken]) / propensity
    return out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PastStakes:
    """What is known of n rows whose actions may have changed what happened.

    Parameters
    ----------
    how
        ``"randomised"``, ``"given"`` or ``"modelled"``: where the propensities come from.
    taken
        int16 (n,), the action taken.
    propensity
        float64 (n,), probability with which it was chosen; modelled ones are not below ``floor``.
    money
        float64 (n,), what the action taken earned.
    prob
        float64 (n, n_actions, n_outcomes), probabilities under each action.
    modelled
        Whether those come from models of the features; else they are shares, alike for all rows.
    cells
        float64 (n, n_actions, n_outcomes), predicted money of each cell: probability times money.
    low, high
        float64 (n, n_actions), the least and the largest money of an action over its outcomes.
    assignment
        float64 (n, n_actions), probability of each action predicted from the features by a model
        that did not see the row; None where none was fitted.
    floor, trimmed
        The least modelled propensity used, and how many rows were lifted to it.
    """

    how: str
    taken: NDArray[np.int16]
    propensity: NDArray[np.float64]
    money: NDArray[np.float64]
    prob: NDArray[np.float64]
    modelled: bool
    cells: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    assignment: NDArray[np.float64] | None = None
    floor: float = 0.0
    trimmed: int = 0

    def weights(self, codes: NDArray[np.int16]) -> NDArray[np.float64]:
        """Return inverse-propensity weights of a policy; see :func:`weights`."""
        return weights(codes, self.taken, self.propensity)

    @property
    def factual(self) -> NDArray[np.float64] | None:
        """Probabilities under the action that was taken, float64 (n, n_outcomes)."""
        return self.prob[np.arange(len(self.taken)), self.taken] if self.modelled else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounds:
    """Least and largest money of rows whose outcome was never recorded.

    Parameters
    ----------
    rows
        int64 (k,), places of the rows without an outcome.
    low, high
        float64 (k, n_actions, n_outcomes): money of each cell, at the smallest and at the largest
        of the amounts that are known only later (equal where the cell reads none).
    taken
        int16 (n,), the action taken on every row.
    """

    rows: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    taken: NDArray[np.int16]

    def of(
        self, codes: NDArray[np.int16], realised: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the least and the largest money of each row under given actions, float64 (n,)."""
        every = np.arange(len(codes))
        low = realised[every, codes].copy()
        high = low.copy()
        place = np.arange(len(self.rows))
        own = codes[self.rows]
        low[self.rows] = self.low[place, own].min(axis=1)
        high[self.rows] = self.high[place, own].max(axis=1)
        return low, high

    def between(
        self,
        codes: NDArray[np.int16],
        other: NDArray[np.int16],
        realised: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the bounds of the difference, row by row, under the same unknown outcome."""
        every = np.arange(len(codes))
        low = realised[every, codes] - realised[every, other]
        high = low.copy()
        place = np.arange(len(self.rows))
        a, b = codes[self.rows], other[self.rows]
        differ = a != b
        least = (self.low[place, a] - self.high[place, b]).min(axis=1)
        most = (self.high[place, a] - self.low[place, b]).max(axis=1)
        low[self.rows] = np.where(differ, least, 0.0)
        high[self.rows] = np.where(differ, most, 0.0)
        return low, high
