"""Automation: how sure the model is that its action is right, and the policy that asks for it.

The error that is counted is a misrouting: the action taken without a person earns less than the
best other action that needs none, for the outcome that happened. Nothing heavier than numpy is
imported here, because the server uses this module too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["chance_right", "misrouted"]

_ROUNDING = 1e-12


def chance_right(
    cells: Mapping[tuple[int, int], float | NDArray[np.float64]],
    prob: NDArray[np.float64],
    n_actions: int,
    automatic: Sequence[int],
) -> NDArray[np.float64]:
    """Return the probability that each action is right: that no automatic one would earn more.

    ``sum_o p(o | x_i) * [U_i(a, o) = max over automatic b of U_i(b, o)]``.

    Parameters
    ----------
    cells
        (place of the action, place of the outcome) -> money per unit, as
        :func:`payoff.policy.expected.cell_money` gives.
    prob
        float64 (n, n_outcomes).
    automatic
        Places of the actions that need no person.

    Returns
    -------
    ndarray
        float64 (n, n_actions); 0 for the other actions.

    Examples
    --------
    >>> cells = {(0, 0): 9.0, (0, 1): -1.0, (1, 0): 0.0, (1, 1): 0.0, (2, 0): 5.0, (2, 1): -2.0}
    >>> chance_right(cells, np.array([[0.25, 0.75]]), 3, automatic=(0, 1)).tolist()
    [[0.25, 0.75, 0.0]]
    """
    out = np.zeros((len(prob), n_actions))
    places = np.asarray(automatic, dtype=np.intp)
    for o in range(prob.shape[1]):
        held = [cells[a, o] for a in automatic]
        if all(isinstance(one, float) for one in held):  # the same for every row
            level = np.array(held, dtype=np.float64)
            most = float(level.max())
            good = places[level >= most - _ROUNDING * max(1.0, abs(most))]
            out[:, good] += prob[:, o : o + 1]
            continue
        money = [np.asarray(one, dtype=np.float64) for one in held]
        best = money[0]
        for one in money[1:]:
            best = np.maximum(best, one)
        enough = best - _ROUNDING * np.maximum(1.0, np.abs(best))
        for a, one in zip(automatic, money, strict=True):
            out[:, a] += prob[:, o] * (one >= enough)
    return np.minimum(out, 1.0)


def misrouted(
    realised: NDArray[np.float64], codes: NDArray[np.int16], automatic: Sequence[int]
) -> NDArray[np.bool_]:
    """Return whether another automatic action would have earned more, bool (n,).

    Parameters
    ----------
    realised
        float64 (n, n_actions), money under the outcome that happened.
    codes
        int16 (n,), places of automatic actions.

    Examples
    --------
    >>> misrouted(
    ...     np.array([[9.0, 0.0, 20.0], [-1.0, 0.0, 20.0]]), np.array([0, 0]), (0, 1)
    ... ).tolist()
    [False, True]
    """
    best = realised[:, list(automatic)].max(axis=1)
    own = realised[np.arange(len(codes)), codes]
    found: NDArray[np.bool_] = own < best - _ROUNDING * np.maximum(1.0, np.abs(best))
    return found
