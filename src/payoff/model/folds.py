"""Folds for cross-fitting: clusters stay whole, outcomes are spread evenly, by named seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from payoff.errors import DataError
from payoff.rng import generator

__all__ = ["assign_folds", "feasible_folds"]


def feasible_folds(
    outcome: NDArray[np.integer],
    cluster: NDArray[np.integer],
    wanted: int,
    names: tuple[str, ...],
    part: str = "fit",
) -> int:
    """Return how many folds the rows allow, at most ``wanted``.

    The rarest outcome that occurs in two clusters or more should be in every fold; an outcome in
    one cluster only cannot be, and does not count.

    Parameters
    ----------
    outcome
        int (n,), -1 where unknown.
    cluster
        int (n,), codes of the unit that must not be torn apart.

    Raises
    ------
    DataError
        ``PAY-L003`` no outcome known, ``PAY-L008`` one outcome only, ``PAY-L009`` too few rows.

    Examples
    --------
    >>> y = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, -1])
    >>> feasible_folds(y, np.arange(11), 5, ("no", "yes"))
    3
    """
    known = outcome >= 0
    if not known.any():
        raise DataError.empty(f"the {part} rows", "no row whose outcome is known")
    pairs = np.unique(np.stack([outcome[known], cluster[known]]), axis=1)
    found, members = np.unique(pairs[0], return_counts=True)
    if len(found) == 1:
        raise DataError.one_class(names[int(found[0])], int(known.sum()), part)
    n_clusters = len(np.unique(cluster[known]))
    if known.sum() < 10 or n_clusters < 4:
        what = f"{part} rows" if known.sum() < 10 else f"clusters in the {part} rows"
        raise DataError.too_few(
            f"{what} with a known outcome",
            min(int(known.sum()), n_clusters),
            10 if known.sum() < 10 else 4,
            "Use a longer window, or enlarge the part in [split]",
        )
    spread = members[members >= 2]
    if len(spread) < 2:
        rare = names[int(found[np.argmin(members)])]
        raise DataError.too_few(
            f"{part} rows of outcome '{rare}'",
            int(members.min()),
            2,
            "Use a longer window, or merge rare outcomes under one name",
        )
    return int(max(2, min(wanted, spread.min())))


def assign_folds(
    outcome: NDArray[np.integer],
    cluster: NDArray[np.integer],
    folds: int,
    seed: int,
    stream: str = "folds",
) -> NDArray[np.int64]:
    """Return the fold of each row, int64 (n,), 0..folds-1.

    Parameters
    ----------
    outcome
        int (n,); each value, -1 included, is spread evenly over the folds.
    cluster
        int (n,); rows of one cluster get one fold.

    Examples
    --------
    >>> fold = assign_folds(np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3]), 2, seed=0)
    >>> sorted(fold[:2].tolist()), sorted(fold[2:].tolist())
    ([0, 1], [0, 1])
    """
    rng = generator(seed, stream)
    classes, codes = np.unique(outcome, return_inverse=True)
    units, unit = np.unique(cluster, return_inverse=True)
    if len(units) == len(outcome):
        return _deal(codes, folds, rng)
    counts = np.zeros((len(units), len(classes)), dtype=np.int64)
    np.add.at(counts, (unit, codes), 1)
    return _pack(counts, folds, rng)[unit]


def _deal(codes: NDArray[np.int64], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Deal shuffled rows class by class, one after another, so that totals stay even too."""
    order = rng.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    fold = np.empty(len(codes), dtype=np.int64)
    fold[order] = np.arange(len(codes)) % folds
    return fold


def _pack(counts: NDArray[np.int64], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Put clusters, largest first, where they disturb the even spread of outcomes least.

    The cost of cluster u in fold f is the rise of ``sum_c (load[f, c] / total[c]) ** 2``: rare
    outcomes weigh more, as they are harder to spread.
    """
    order = rng.permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    scale = [1.0 / max(int(t), 1) ** 2 for t in counts.sum(axis=0)]
    load = [[0] * counts.shape[1] for _ in range(folds)]
    size = [0] * folds
    fold = np.empty(len(counts), dtype=np.int64)
    for u, row in zip(order.tolist(), counts[order].tolist(), strict=True):
        own = [(c, m) for c, m in enumerate(row) if m]
        best = min(
            range(folds),
            key=lambda f: (sum(m * (2 * load[f][c] + m) * scale[c] for c, m in own), size[f]),
        )
        for c, m in own:
            load[best][c] += m
            size[best] += m
        fold[u] = best
    return fold
