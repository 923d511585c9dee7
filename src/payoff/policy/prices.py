"""The prices of several limits at once: one linear program, exact whatever the number of rows.

Choose shares ``x_ia >= 0`` with ``sum_a x_ia = 1`` to maximise ``sum_i w_i sum_a E_ia x_ia`` under
``sum_i w_i sum_a c_r(a, g_i) x_ia <= b_r``. Its dual has one price ``l_r >= 0`` per limit, and at
the optimum every unit takes ``argmax_a E_ia - sum_r l_r c_r(a, g_i)``. Only units near a tie matter
to the program, so it is solved on those (column generation, started from the prices of a sample)
and the answer is accepted only when no unit left out would act otherwise: that is the optimality
condition of the whole program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import EvidenceError
from payoff.policy.bounds import Bound
from payoff.rng import generator

__all__ = ["Priced", "priced"]

Floats = NDArray[np.float64]

_SMALL: Final = 6_000  # columns that are solved at once
_SAMPLE: Final = 20  # one row in so many starts the search
_FEWEST: Final = 2_000
_ROUNDS: Final = 60
_TIE: Final = 1e-9  # of the largest money: where a floor pays, a tie is a yes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Priced:
    """The optimum of the linear program.

    Parameters
    ----------
    bounds
        The bounds with prices and worths.
    value
        Largest expected money per unit, shares of units allowed; float.
    split
        Units that the optimum shares between actions; rounding loses the money of no more.
    """

    bounds: tuple[Bound, ...]
    value: float
    split: int


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The program's rows: use (r, cells, actions), room (r,), free columns (r, k), owners."""

    use: Floats
    room: Floats
    free: Floats
    owner: list[tuple[int, str, float]]  # place of the bound, its group, factor of its price


def priced(
    expected: Floats,
    weight: Floats,
    bounds: Sequence[Bound],
    actions: Sequence[str],
    codes: Sequence[tuple[tuple[str, ...], NDArray[np.int32]]],
) -> Priced:
    """Return the bounds with the prices that keep them, and the optimum.

    Parameters
    ----------
    expected
        float64 (n, n_actions), expected money of each action for each unit.
    weight
        float64 (n,), units each row stands for.
    bounds
        What must hold.
    actions
        Names of the columns of ``expected``.
    codes
        Per bound, labels and codes (n,) of its groups.

    Raises
    ------
    EvidenceError
        ``PAY-E022`` when the constraints cannot all hold, naming those that clash.

    Notes
    -----
    Where several prices are optimal (few rows, ties) the smallest are taken. ``worth`` is the right
    derivative of the optimum: the smallest optimal price of that limit alone, in money per unit of
    the resource.

    References
    ----------
    Dantzig, G. B. & Wolfe, P. (1960). Decomposition principle for linear programs. Operations
    Research 8. Gilmore, P. C. & Gomory, R. E. (1961). Operations Research
    9 (columns added as needed).
    """
    n = len(expected)
    scale = max(float(np.abs(expected).max()), 1e-300)
    gain = np.asarray(expected, dtype=np.float64) / scale
    w = weight * (n / weight.sum())
    table = np.stack([c for _, c in codes] + [np.zeros(n, dtype=np.int32)], axis=1)
    kinds, cell = np.unique(table, axis=0, return_inverse=True)
    cell = cell.reshape(-1)

    def rows_of(cell_weight: Floats, chosen: Sequence[int] | None = None) -> _Rows:
        return _rows(bounds, actions, codes, kinds, cell_weight, chosen)

    sizes = np.bincount(cell, weights=w, minlength=len(kinds)).astype(np.float64)
    rows = rows_of(sizes)
    _refuse_clashes(bounds, rows_of, sizes, rows)
    start = _start(gain, w, cell, len(kinds), rows_of)
    found = _solve(gain, w, cell, rows, start)
    price, worth = _smallest(gain, cell, rows, found)
    return Priced(
        bounds=_with_prices(bounds, rows, price * scale, worth * scale, scale),
        value=float(found.value / n * scale),
        split=int(np.count_nonzero(found.left > 1e-7)),
    )


def _rows(
    bounds: Sequence[Bound],
    actions: Sequence[str],
    codes: Sequence[tuple[tuple[str, ...], NDArray[np.int32]]],
    kinds: NDArray[np.int32],
    sizes: Floats,
    chosen: Sequence[int] | None = None,
) -> _Rows:
    """Write the bounds as rows of the program for cells of the given sizes."""
    use: list[Floats] = []
    room: list[float] = []
    owner: list[tuple[int, str, float]] = []
    gaps: list[tuple[int, int]] = []  # row, place of its free column
    total = float(sizes.sum())
    n_gaps = 0
    for b, bound in enumerate(bounds):
        if chosen is not None and b not in chosen:
            continue
        uses = bound.usage(actions)
        gap = bound.kind == "max_gap"
        for place, label in enumerate(codes[b][0]):
            inside = kinds[:, b] == place
            size = float(sizes[inside].sum())
            if label not in bound.rooms or size <= 0:
                continue
            one = inside[:, None] * uses
            if gap:
                share = total / size
                use += [share * one, -share * one]
                room += [bound.rooms[label] * total, 0.0]
                owner += [(b, label, share), (b, label, -share)]
                gaps += [(len(room) - 2, n_gaps), (len(room) - 1, n_gaps)]
            else:
                sign = -1.0 if bound.kind == "floor" else 1.0
                use.append(sign * one)
                room.append(sign * bound.rooms[label] * (size if bound.of_group else total))
                owner.append((b, label, sign))
        n_gaps += gap
    free = np.zeros((len(room), n_gaps))
    for row, column in gaps:  # rate - lowest <= gap; lowest - rate <= 0
        free[row, column] = -total if owner[row][2] > 0 else total
    empty = np.zeros((0, len(kinds), len(actions)))
    return _Rows(np.stack(use) if use else empty, np.array(room), free, owner)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A solved program: prices, the base action of each row, columns used, money, room left."""

    price: Floats
    base: NDArray[np.int64]
    row: NDArray[np.int64]
    action: NDArray[np.int64]
    share: Floats
    value: float
    slack: Floats
    left: Floats


def _start(
    gain: Floats,
    w: Floats,
    cell: NDArray[np.int64],
    n_cells: int,
    rows_of: Callable[[Floats], _Rows],
) -> Floats:
    """Return prices to start from: those of a sample, or zero when all is solved at once."""
    n, width = gain.shape
    zero = np.zeros(
        len(rows_of(np.bincount(cell, weights=w, minlength=n_cells).astype(np.float64)).room)
    )
    if n * (width - 1) <= _SMALL:
        return zero
    size = max(_FEWEST, n // _SAMPLE)
    if size >= n:
        return zero
    some = generator(0, "prices of a sample").choice(n, size, replace=False)
    part = w[some] * (size / w[some].sum())
    sizes = np.bincount(cell[some], weights=part, minlength=n_cells).astype(np.float64)
    rows = rows_of(sizes)
    if len(rows.room) != len(zero) or not _feasible(rows, sizes):
        return zero  # a group that the sample does not have
    inner = _start(gain[some], part, cell[some], n_cells, rows_of)
    return _solve(gain[some], part, cell[some], rows, inner).price


def _solve(gain: Floats, w: Floats, cell: NDArray[np.int64], rows: _Rows, price: Floats) -> _Found:
    """Solve the program on the columns near a tie at the given prices, and add what is missing."""
    n, width = gain.shape
    net = gain - np.einsum("r,rca->ca", price, rows.use)[cell]
    base = net.argmax(axis=1)
    short = net[np.arange(n), base][:, None] - net
    short[np.arange(n), base] = np.inf
    columns = n * (width - 1)
    most = columns if columns <= _SMALL else min(columns, max(4_000, int(3 * columns / n**0.5)))
    flat = short.ravel()
    active = np.zeros(n * width, dtype=bool)
    for _ in range(_ROUNDS):
        near = np.argpartition(flat, most - 1)[:most] if most < n * width else np.arange(n * width)
        active[near[np.isfinite(flat[near])]] = True
        found, broken = _program(gain, w, cell, rows, base, np.flatnonzero(active))
        if broken and most < columns:
            most = min(columns, most * 3)
            continue
        wrong = _would_act_otherwise(gain, cell, rows, found)
        if len(wrong) == 0:
            return found
        active[wrong] = True
    raise ArithmeticError("the prices did not settle")  # pragma: no cover  (finite by theory)


def _would_act_otherwise(
    gain: Floats, cell: NDArray[np.int64], rows: _Rows, found: _Found
) -> NDArray[np.int64]:
    """Return columns outside the program that its prices prefer: none at the optimum."""
    n = len(gain)
    net = gain - np.einsum("r,rca->ca", found.price, rows.use)[cell]
    best = net[np.arange(n), found.base]
    np.maximum.at(best, found.row, net[found.row, found.action])
    better = net > best[:, None] + 1e-8 * (1 + np.abs(best[:, None]))
    return np.flatnonzero(better.ravel()) if better.any() else np.empty(0, dtype=np.int64)


def _program(
    gain: Floats,
    w: Floats,
    cell: NDArray[np.int64],
    rows: _Rows,
    base: NDArray[np.int64],
    active: NDArray[np.int64],
) -> tuple[_Found, bool]:
    """Solve the program in which only the active columns may move away from the base."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack, vstack

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
    )
    if result.x is None:  # pragma: no cover  (always feasible: every row may be broken at a price)
        raise ArithmeticError(result.message)
    share = np.clip(result.x[: len(row)], 0, 1)
    broken = result.x[len(row) : len(row) + n_rows] > 1e-6 * (1 + np.abs(rows.room))
    found = _Found(
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


def _smallest(
    gain: Floats, cell: NDArray[np.int64], rows: _Rows, found: _Found
) -> tuple[Floats, Floats]:
    """Return the smallest optimal prices together, and the smallest of each limit alone.

    A price is optimal when no unit prefers an action to one it takes, and a limit with room left
    costs nothing; per cell and pair of actions only the closest unit matters.
    """
    from scipy.optimize import linprog

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


def _with_prices(
    bounds: Sequence[Bound], rows: _Rows, price: Floats, worth: Floats, scale: float
) -> tuple[Bound, ...]:
    """Give each bound the prices of its rows, in money per unit of its resource."""
    prices: list[dict[str, float]] = [{} for _ in bounds]
    worths: list[dict[str, float]] = [{} for _ in bounds]
    for (b, label, factor), p, v in zip(rows.owner, price, worth, strict=True):
        prices[b][label] = prices[b].get(label, 0.0) + float(factor * p)
        worths[b][label] = worths[b].get(label, 0.0) + abs(float(factor * v))
    for one in prices:
        for label, p in one.items():
            if p < 0:
                one[label] = p - _TIE * scale
    return tuple(
        replace(bound, prices=p, worth=v)
        for bound, p, v in zip(bounds, prices, worths, strict=True)
    )


def _feasible(rows: _Rows, sizes: Floats) -> bool:
    """Whether shares of cells x actions exist that keep every row; money plays no part."""
    from scipy.optimize import linprog

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


def _refuse_clashes(
    bounds: Sequence[Bound],
    rows_of: Callable[[Floats, Sequence[int]], _Rows],
    sizes: Floats,
    rows: _Rows,
) -> None:
    """Raise with the fewest bounds that cannot hold together (deletion filter)."""
    if not any(b.kind == "floor" for b in bounds) or _feasible(rows, sizes):
        return
    clash = list(range(len(bounds)))
    for b in range(len(bounds)):
        without = [k for k in clash if k != b]
        if not _feasible(rows_of(sizes, without), sizes):
            clash = without
    raise EvidenceError.constraints_clash([bounds[b].name for b in clash])
