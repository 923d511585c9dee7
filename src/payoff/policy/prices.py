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
from typing import Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import EvidenceError
from payoff.policy.bounds import Bound
from payoff.policy.program import Found, Rows, feasible, program, smallest
from payoff.rng import generator

__all__ = ["Priced", "priced"]

Floats = NDArray[np.float64]

_SMALL: Final = 6_000  # columns that are solved at once
_SAMPLE: Final = 20  # one row in so many starts the search
_FEWEST: Final = 2_000
_ROUNDS: Final = 60
_PROOF: Final = 1e-10  # of the largest money: no unit left out gains more by acting otherwise
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
    gain, actions = _alike_together(np.asarray(expected, dtype=np.float64) / scale, bounds, actions)
    w = weight * (n / weight.sum())
    table = np.stack([c for _, c in codes] + [np.zeros(n, dtype=np.int32)], axis=1)
    kinds, cell = np.unique(table, axis=0, return_inverse=True)
    cell = cell.reshape(-1)

    def rows_of(cell_weight: Floats, chosen: Sequence[int] | None = None) -> Rows:
        return _rows(bounds, actions, codes, kinds, cell_weight, chosen)

    sizes = np.bincount(cell, weights=w, minlength=len(kinds)).astype(np.float64)
    rows = rows_of(sizes)
    _refuse_clashes(bounds, rows_of, sizes, rows)
    start = _start(gain, w, cell, len(kinds), rows_of)
    found = _solve(gain, w, cell, rows, start)
    price, worth = smallest(gain, cell, rows, found)
    return Priced(
        bounds=_with_prices(bounds, rows, price * scale, worth * scale, scale),
        value=float(found.value / n * scale),
        split=int(np.count_nonzero(found.left > 1e-7)),
    )


def _alike_together(
    gain: Floats, bounds: Sequence[Bound], actions: Sequence[str]
) -> tuple[Floats, tuple[str, ...]]:
    """Keep the best of the actions that use the same of everything: no limit tells them apart."""
    usage = np.stack([b.usage(actions) for b in bounds])
    _, first, kind = np.unique(usage, axis=1, return_index=True, return_inverse=True)
    best = np.full((len(gain), len(first)), -np.inf)
    for a, k in enumerate(kind.reshape(-1)):
        np.maximum(best[:, k], gain[:, a], out=best[:, k])
    return best, tuple(actions[int(a)] for a in first)


def _rows(
    bounds: Sequence[Bound],
    actions: Sequence[str],
    codes: Sequence[tuple[tuple[str, ...], NDArray[np.int32]]],
    kinds: NDArray[np.int32],
    sizes: Floats,
    chosen: Sequence[int] | None = None,
) -> Rows:
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
    return Rows(np.stack(use) if use else empty, np.array(room), free, owner)


def _start(
    gain: Floats,
    w: Floats,
    cell: NDArray[np.int64],
    n_cells: int,
    rows_of: Callable[[Floats], Rows],
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
    if len(rows.room) != len(zero) or not feasible(rows, sizes):
        return zero  # a group that the sample does not have
    inner = _start(gain[some], part, cell[some], n_cells, rows_of)
    return _solve(gain[some], part, cell[some], rows, inner).price


def _solve(gain: Floats, w: Floats, cell: NDArray[np.int64], rows: Rows, price: Floats) -> Found:
    """Solve the program on the columns near a tie at the given prices, and add what is missing."""
    n, width = gain.shape
    net = gain - np.einsum("r,rca->ca", price, rows.use)[cell]
    base = net.argmax(axis=1)
    short = net[np.arange(n), base][:, None] - net
    short[np.arange(n), base] = np.inf
    columns = n * (width - 1)
    if columns == 0:  # every action uses the same, so no price can move any unit
        none = np.empty(0, dtype=np.int64)
        value = float(w @ gain[:, 0])
        nil = np.zeros(len(rows.room))
        return Found(nil, base, none, none, np.empty(0), value, nil + 1, np.empty(0))
    most = columns if columns <= _SMALL else min(columns, max(4_000, int(3 * columns / n**0.5)))
    flat = short.ravel()
    active = np.zeros(n * width, dtype=bool)
    for _ in range(_ROUNDS):
        near = np.argpartition(flat, most - 1)[:most] if most < n * width else np.arange(n * width)
        active[near[np.isfinite(flat[near])]] = True
        found, broken = program(gain, w, cell, rows, base, np.flatnonzero(active))
        if broken and most < columns:
            most = min(columns, most * 3)
            continue
        wrong = _would_act_otherwise(gain, cell, rows, found)
        if len(wrong) == 0:
            return found
        active[wrong] = True
    # Every round adds columns, so this would end; so many rounds later all of them are solved.
    return program(gain, w, cell, rows, base, np.flatnonzero(np.isfinite(flat)))[0]


def _would_act_otherwise(
    gain: Floats, cell: NDArray[np.int64], rows: Rows, found: Found
) -> NDArray[np.int64]:
    """Return columns outside the program that its prices prefer: none at the optimum."""
    n = len(gain)
    net = gain - np.einsum("r,rca->ca", found.price, rows.use)[cell]
    best = net[np.arange(n), found.base]
    np.maximum.at(best, found.row, net[found.row, found.action])
    better = net > best[:, None] + _PROOF * (1 + np.abs(best[:, None]))
    return np.flatnonzero(better.ravel()) if better.any() else np.empty(0, dtype=np.int64)


def _with_prices(
    bounds: Sequence[Bound], rows: Rows, price: Floats, worth: Floats, scale: float
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


def _refuse_clashes(
    bounds: Sequence[Bound],
    rows_of: Callable[[Floats, Sequence[int]], Rows],
    sizes: Floats,
    rows: Rows,
) -> None:
    """Raise with the fewest bounds that cannot hold together (deletion filter)."""
    if not any(b.kind == "floor" for b in bounds) or feasible(rows, sizes):
        return
    clash = list(range(len(bounds)))
    for b in range(len(bounds)):
        without = [k for k in clash if k != b]
        if not feasible(rows_of(sizes, without), sizes):
            clash = without
    raise EvidenceError.constraints_clash([bounds[b].name for b in clash])
