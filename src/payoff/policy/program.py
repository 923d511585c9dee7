"""The linear program behind the prices of limits: its rows, one solve, its smallest prices.

Only :mod:`payoff.policy.prices` calls this; it chooses the columns and proves the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack, vstack

__all__ = ["Found", "Rows", "feasible", "program", "smallest"]

Floats = NDArray[np.float64]

#: Money is scaled to 1 at most, so these are shares of the largest money.
_EXACT: Final = {"dual_feasibility_tolerance": 1e-10, "primal_feasibility_tolerance": 1e-10}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The program's rows: use (r, cells, actions), room (r,), free columns (r, k), owners."""

    use: Floats
    room: Floats
    free: Floats
    owner: list[tuple[int, str, float]]  # place of the bound, its group, factor of its price


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A solved program: prices, the base action of each row, columns used, money, room left."""

    price: Floats
    base: NDArray[np.int64]
    row: NDArray[np.int64]
    action: NDArray[np.int64]
    share: Floats
    value: float
    slack: Floats
    left: Floats


def program(
    gain: Floats,
    w: Floats,
    cell: NDArray[np.int64],
    rows: Rows,
    base: NDArray[np.int64],
    active: NDArray[np.int64],
) -> tuple[Found, bool]:
    """Solve the program in which only the active columns may move away from the base."""
    n, width = gain.shape
    row, action = np.divmod(active, width)
    n_rows, n_free = rows.free.shape
    own = rows.use[:, cell[row], action] - rows.use[:, cell[row], base[row]]
    spent = np.bincount(cell * width + base, weights=w, minlength=rows.use[0].size)
    left = rows.room - rows.use.reshape(n_rows, -1) @ spent
    kinds, place, several = np.unique(row, return_inverse=True, return_counts=True)
    crowded = np.flatnonzero(several > 1)
    new = np.full(len(kinds), -1)
    new[crowded] = np.arange(len(crowded))
    which = new[place.reshape(-1)]
    inside = np.flatnonzero(which >= 0)
    simplex = csr_array(
        (np.ones(len(inside)), (which[inside], inside)), shape=(len(crowded), len(row))
    )
    spread = np.abs(own * w[row]).max(axis=1, initial=1e-12)
    top = csr_array(own * w[row])
    penalty = 1e4 * n / np.maximum(spread, 1e-12)
    matrix = vstack(
        [
            hstack([top, csr_array(-np.eye(n_rows)), csr_array(rows.free)]),
            hstack([simplex, csr_array((len(crowded), n_rows + n_free))]),
        ]
    ).tocsr()
    won = w[row] * (gain[row, action] - gain[row, base[row]])
    result = linprog(
        np.concatenate([-won, penalty, np.zeros(n_free)]),
        A_ub=matrix,
        b_ub=np.concatenate([left, np.ones(len(crowded))]),
        bounds=[(0, 1)] * len(row) + [(0, None)] * n_rows + [(None, None)] * n_free,
        method="highs",
        options=_EXACT,
    )
    if result.x is None:
        # By theory there is an optimum: taking the base and paying for each broken row is feasible,
        # and shares are bounded. Only the solver itself can fail, and then it says how.
        raise ArithmeticError(result.message)
    share = np.clip(result.x[: len(row)], 0, 1)
    broken = result.x[len(row) : len(row) + n_rows] > 1e-6 * (1 + np.abs(rows.room))
    found = Found(
        price=np.maximum(0.0, -result.ineqlin.marginals[:n_rows]),
        base=base,
        row=row,
        action=action,
        share=share,
        value=float(w @ gain[np.arange(n), base] + won @ share),
        slack=result.slack[:n_rows],
        left=_fractions(share, row),
    )
    return found, bool(broken.any())


def _fractions(share: Floats, row: NDArray[np.int64]) -> Floats:
    """Return, per unit that may move, how far its shares are from whole."""
    if len(row) == 0:
        return np.empty(0)
    far = np.minimum(share, 1 - share)
    return np.asarray(np.bincount(np.unique(row, return_inverse=True)[1].reshape(-1), weights=far))


def smallest(
    gain: Floats, cell: NDArray[np.int64], rows: Rows, found: Found
) -> tuple[Floats, Floats]:
    """Return the smallest optimal prices together, and the smallest of each limit alone.

    A price is optimal when no unit prefers an action to one it takes, and a limit with room left
    costs nothing; per cell and pair of actions only the closest unit matters.
    """
    n, width = gain.shape
    used = np.zeros((n, width), dtype=bool)
    moved = np.bincount(found.row, weights=found.share, minlength=n)
    used[np.flatnonzero(moved < 1 - 1e-7), found.base[moved < 1 - 1e-7]] = True
    some = found.share > 1e-7
    used[found.row[some], found.action[some]] = True
    left: list[Floats] = []
    right: list[float] = []
    for a in range(width):
        takes = np.flatnonzero(used[:, a])
        if len(takes) == 0:
            continue
        takes = takes[np.argsort(cell[takes], kind="stable")]
        first = np.flatnonzero(np.diff(cell[takes], prepend=-1))
        closest = np.minimum.reduceat(gain[takes, a][:, None] - gain[takes], first, axis=0)
        for k, c in enumerate(cell[takes[first]]):
            for b in range(width):
                difference = rows.use[:, c, a] - rows.use[:, c, b]
                if b != a and difference.any():
                    left.append(difference)
                    right.append(float(closest[k, b]))
    n_rows = len(rows.room)
    tight = found.slack <= 1e-6 * (1 + np.abs(rows.room))
    bounds = [(0.0, None if t else 0.0) for t in tight]
    common: dict[str, Any] = {
        "A_ub": np.array(left) if left else None,
        "b_ub": np.array(right) + 1e-12 if left else None,
        "A_eq": rows.free.T if rows.free.shape[1] else None,
        "b_eq": np.zeros(rows.free.shape[1]) if rows.free.shape[1] else None,
        "bounds": bounds,
        "method": "highs",
        "options": _EXACT,
    }
    size = np.abs(rows.use).reshape(n_rows, -1).max(axis=1)
    together = linprog(size, **common)
    if together.x is None:
        return found.price, found.price
    worth = np.zeros(n_rows)
    for r in np.flatnonzero(tight):
        alone = linprog(np.eye(n_rows)[r], **common)
        worth[r] = together.x[r] if alone.x is None else alone.x[r]
    return np.asarray(together.x), worth


def feasible(rows: Rows, sizes: Floats) -> bool:
    """Whether shares of cells x actions exist that keep every row; money plays no part."""
    n_rows, n_cells, width = rows.use.shape
    if n_rows == 0:
        return True
    n_free = rows.free.shape[1]
    total = float(sizes.sum())
    mass = rows.use * sizes[None, :, None]
    one = np.zeros((n_cells, n_cells * width + n_free))
    for c in range(n_cells):
        one[c, c * width : (c + 1) * width] = 1
    result = linprog(
        np.zeros(n_cells * width + n_free),
        A_ub=np.hstack([mass.reshape(n_rows, -1), rows.free]) / total,
        b_ub=rows.room / total + 1e-9,
        A_eq=one,
        b_eq=np.ones(n_cells),
        bounds=[(0, 1)] * (n_cells * width) + [(None, None)] * n_free,
        method="highs",
    )
    return result.x is not None
