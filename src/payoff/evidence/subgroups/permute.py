"""Sums of every group when labels are dealt out by chance: no Python loop over the deals.

Three ways that agree in distribution, chosen by the rows. Few different values (constant money, or
a rate): counts of each value in each group are drawn from the hypergeometric law of a table with
fixed margins, exact whatever n is. Up to 4,000 independent cases: cases are dealt. Beyond: the
2,000 cases that deviate most are dealt exactly, and the sums of the many others, none of them
large, are drawn from the normal limit of dealing without replacement.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["dealt_sums", "dealt_values", "limit_sums", "moments", "products"]

_ALL_DEALT: Final = 4_000
_TAIL: Final = 2_000
_MOST_VALUES: Final = 16
_MOST_CELLS: Final = 400
_BLOCK: Final = 4_000_000


def moments(s: NDArray[np.float64], w: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return s, w, s^2, s w and w^2 of each case, float64 (n, 5): what a ratio's error needs."""
    return np.stack(products(s, w), axis=1)


def products(s: NDArray[np.float64], w: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return the five columns of :func:`moments`, float64 (n,) each."""
    return s, w, s * s, s * w, w * w


def dealt_sums(
    s: NDArray[np.float64],
    w: NDArray[np.float64],
    sizes: NDArray[np.int64],
    *,
    resamples: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Deal n cases to groups of fixed sizes at random, and add up their moments.

    Parameters
    ----------
    s, w
        float64 (n,), sum and weight of each independent case, ``s`` centred on the overall mean.
    sizes
        int64 (G,), cases in each group; they add up to n.
    resamples
        Number of deals B.

    Returns
    -------
    ndarray
        float64 (B, G, 5), sums of :func:`moments`.

    Examples
    --------
    Two cases, two groups of one: one gets the gain, the other the loss.

    >>> rng = np.random.default_rng(0)
    >>> out = dealt_sums(np.array([1.0, -1.0]), np.ones(2), np.array([1, 1]), resamples=50, rng=rng)
    >>> sorted(set(map(tuple, out[:, :, 0].tolist())))
    [(-1.0, 1.0), (1.0, -1.0)]
    """
    table = _few_values(s, w, len(sizes))
    if table is not None:
        return _by_counts(*table, sizes, resamples, rng)
    n = len(s)
    if n <= _ALL_DEALT:
        counts = np.broadcast_to(sizes, (resamples, len(sizes)))
        return _by_cases(moments(s, w), counts, rng)
    order = np.argpartition(-np.abs(s), _TAIL)
    tail = moments(s[order[:_TAIL]], w[order[:_TAIL]])
    body = moments(s[order[_TAIL:]], w[order[_TAIL:]])
    in_tail = _hypergeometric(sizes, _TAIL, resamples, rng)
    return _by_cases(tail, in_tail, rng) + _by_limit(body, sizes - in_tail, rng)


def dealt_values(
    s: NDArray[np.float64],
    counts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    *,
    resamples: int,
    rng: np.random.Generator,
) -> NDArray[np.float64] | None:
    """Deal cases of weight 1 whose different values are counted, as :func:`dealt_sums`, exactly.

    Parameters
    ----------
    s, counts
        float64 (k,) ascending different values, and int64 (k,) how many cases have each.

    Returns
    -------
    ndarray or None
        None where there are too many different values.
    """
    if len(s) > min(_MOST_VALUES, _MOST_CELLS // max(len(sizes), 1)):
        return None
    return _by_counts(moments(s, np.ones(len(s))), counts, sizes, resamples, rng)


def _few_values(
    s: NDArray[np.float64], w: NDArray[np.float64], groups: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
    """Return the different (s, w) and how often each occurs; None where there are many."""
    most = min(_MOST_VALUES, _MOST_CELLS // max(groups, 1))
    head = np.stack([s[:500], w[:500]], axis=1)
    if len(np.unique(head, axis=0)) > most:
        return None
    if np.ptp(w) == 0:
        values, counts = np.unique(s, return_counts=True)
        pairs = np.stack([values, np.full(len(values), w[0])], axis=1)
    else:
        if len(s) > 200_000:
            return None
        pairs, counts = np.unique(np.stack([s, w], axis=1), axis=0, return_counts=True)
    if len(pairs) > most:
        return None
    return moments(pairs[:, 0], pairs[:, 1]), counts


def _by_counts(
    columns: NDArray[np.float64],
    counts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    resamples: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    left = np.broadcast_to(counts, (resamples, len(counts))).copy()
    out = np.empty((resamples, len(sizes), columns.shape[1]))
    for g, size in enumerate(sizes):
        got = left if g == len(sizes) - 1 else _share_out(left, int(size), rng)
        out[:, g] = got @ columns
        left = left - got
    return out


def _share_out(left: NDArray[np.int64], size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw ``size`` cases without replacement from each row of counts, int64 (B, K)."""
    need = np.full(len(left), size)
    after = left.sum(axis=1)
    got = np.empty_like(left)
    for k in range(left.shape[1]):
        after = after - left[:, k]
        got[:, k] = rng.hypergeometric(left[:, k], after, need) if size else 0
        need = need - got[:, k]
    return got


def _hypergeometric(
    sizes: NDArray[np.int64], drawn: int, resamples: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw how many of ``drawn`` cases each group gets, int64 (B, G)."""
    return _share_out(np.broadcast_to(sizes, (resamples, len(sizes))).copy(), drawn, rng)


def _by_cases(
    columns: NDArray[np.float64], counts: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Shuffle the cases once per deal and cut the row at the groups' ends."""
    n, resamples = len(columns), len(counts)
    ends = np.cumsum(counts, axis=1)
    out = np.empty((resamples, counts.shape[1], columns.shape[1]))
    constant = np.ptp(columns, axis=0) == 0
    block = max(1, _BLOCK // max(n, 1))
    for start in range(0, resamples, block):
        stop = min(start + block, resamples)
        order = rng.permuted(np.tile(np.arange(n, dtype=np.int32), (stop - start, 1)), axis=1)
        upto = ends[start:stop]
        for j in range(columns.shape[1]):
            if constant[j]:
                out[start:stop, :, j] = counts[start:stop] * columns[0, j]
                continue
            running = np.zeros((stop - start, n + 1))
            np.cumsum(columns[order, j], axis=1, out=running[:, 1:])
            at = np.take_along_axis(running, upto, axis=1)
            out[start:stop, :, j] = np.diff(at, axis=1, prepend=0.0)
    return out


def _by_limit(
    columns: NDArray[np.float64], counts: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw group sums from the normal limit of dealing without replacement.

    Given the counts n_g of n, the sums have means n_g c and covariances
    ``(n_g [g = h] - n_g n_h / n) S`` over groups g, h, with S the covariance of one case.
    """
    centre = columns.mean(axis=0)
    scale = np.maximum(np.abs(columns - centre).max(axis=0), 1e-300)
    spread = np.cov(((columns - centre) / scale).T)
    return limit_sums(centre, spread, scale, counts, len(columns), rng)


def limit_sums(
    centre: NDArray[np.float64],
    spread: NDArray[np.float64],
    scale: NDArray[np.float64],
    counts: NDArray[np.int64],
    n: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw group sums from the normal limit of dealing n cases of known mean and covariance.

    Parameters
    ----------
    centre
        float64 (5,), mean of one case's moments.
    spread, scale
        float64 (5, 5) and (5,): the covariance of one case is ``spread * outer(scale, scale)``.
    counts
        int64 (B, G), cases each group gets in each deal.
    n
        Cases in all.
    """
    shape = (len(counts), counts.shape[1])
    noise = rng.multivariate_normal(
        np.zeros(len(scale)), spread, size=shape, method="eigh", check_valid="ignore"
    )
    noise *= np.sqrt(counts)[:, :, None]
    noise -= noise.sum(axis=1, keepdims=True) * (counts / n)[:, :, None]
    return np.asarray(counts[:, :, None] * centre + noise * scale, dtype=np.float64)
