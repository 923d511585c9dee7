"""How many themes there are, and where: k-means among the directions of documents."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.rng import child_seed

__all__ = ["clusters", "compared", "how_many", "merged", "nearest"]

_PER_THEME: Final = 150
_LEAST: Final = 3
#: Most themes: of few documents, of up to 20,000, and one more for every 4,000 beyond.
_USUAL: Final = (4, 12)
_MANY: Final = 20_000
_MORE_EVERY: Final = 4_000
_MOST: Final = 20
_AS_GOOD: Final = 0.95
_DIRECTIONS: Final = 50
_LEARNT_FROM: Final = 20_000
_TRIED_ON: Final = 2_500
_SETTLED: Final = 20


def compared(
    read: Any, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return unit vectors (n, d) in the widest directions, these (m, d), the mean taken off (m,).

    What all documents have in common is taken off embeddings (dense); words (sparse) have been
    weighed for it, and are brought to length 1 first.
    """
    from scipy.sparse import diags, issparse
    from sklearn.decomposition import TruncatedSVD

    n, m = read.shape
    centre = np.zeros(m)
    if issparse(read):
        size = np.sqrt(np.asarray(read.multiply(read).sum(axis=1)).ravel())
        read = (diags(1 / size) @ read).tocsr()
    else:
        centre = read.mean(axis=0)
        read = read - centre
    svd = TruncatedSVD(min(_DIRECTIONS, m - 1), n_iter=4, random_state=_state(seed, "directions"))
    with _one_thread():
        svd.fit(read[_sample(n, _LEARNT_FROM, seed)])
        vectors = np.asarray(svd.transform(read))
    return _unit(vectors), np.asarray(svd.components_, dtype=np.float64).T, centre


def how_many(
    vectors: NDArray[np.float64], wanted: str | int, seed: int
) -> tuple[int, list[dict[str, float]]]:
    """Return the number of themes, and how well each number tried told documents apart.

    Centres are learnt from one half of a sample and judged on the other by the silhouette against
    the second nearest centre, ``1 - (1 - s1) / (1 - s2)`` with cosines s1 and s2, averaged. Of the
    numbers that beat their neighbours and come within a twentieth of the best the largest is taken:
    it says more.
    """
    n = len(vectors)
    if isinstance(wanted, int):
        return min(wanted, n // 10), []
    usual = int(np.clip(n // _PER_THEME, *_USUAL))
    most = min(_MOST, usual + max(0, n - _MANY) // _MORE_EVERY)
    rows = _sample(n, 2 * _TRIED_ON, seed)
    learn, judge = vectors[rows[::2]], vectors[rows[1::2]]
    tried = []
    for k in range(_LEAST, most + 1):
        near = np.sort(judge @ clusters(learn, k, seed, starts=2).T, axis=1)
        apart = 1 - (1 - near[:, -1]) / np.maximum(1 - near[:, -2], 1e-9)
        tried.append({"themes": float(k), "silhouette": round(float(apart.mean()), 6)})
    told = [t["silhouette"] for t in tried]
    peaks = [
        i
        for i, value in enumerate(told)
        if value >= max(told[max(0, i - 1) : i + 2]) and value >= _AS_GOOD * max(told)
    ]
    return _LEAST + max(peaks), tried


def clusters(
    vectors: NDArray[np.float64], count: int, seed: int, starts: int = 4
) -> NDArray[np.float64]:
    """Return unit centres (count, d) by k-means."""
    from sklearn.cluster import KMeans

    rows = _sample(len(vectors), _LEARNT_FROM, seed)
    state = _state(seed, f"clusters/{count}")
    count = min(count, len(np.unique(np.round(vectors[rows], 9), axis=0)))
    with _one_thread():
        found = KMeans(count, n_init=starts, max_iter=60, random_state=state).fit(vectors[rows])
    return _unit(found.cluster_centers_)


def merged(
    vectors: NDArray[np.float64], centres: NDArray[np.float64], least: int
) -> NDArray[np.float64]:
    """Give up the smallest theme while it is too small; its documents go where they are nearest."""
    while True:
        for _ in range(_SETTLED):
            codes = nearest(vectors, centres)
            sums = np.zeros_like(centres)
            np.add.at(sums, codes, vectors)
            moved = _unit(np.where((sums**2).sum(axis=1, keepdims=True) > 0, sums, centres))
            if np.allclose(moved, centres, atol=1e-6):
                break
            centres = moved
        sizes = np.bincount(nearest(vectors, centres), minlength=len(centres))
        if len(centres) <= 2 or sizes.min() >= least:
            return centres
        centres = np.delete(centres, int(sizes.argmin()), axis=0)


def nearest(vectors: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the centre each vector points to most, int64 (n,); the first of equal ones."""
    found: NDArray[np.int64] = np.round(vectors @ centres.T, 6).argmax(axis=1)
    return found


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.where(size > 0, size, 1.0))


def _state(seed: int, name: str) -> int:
    return child_seed(seed, f"themes/{name}") % 2**31


def _sample(n: int, most: int, seed: int) -> NDArray[np.int64]:
    """Return all rows, or a sample of them in order of the source."""
    if n <= most:
        return np.arange(n)
    picked = np.random.default_rng(_state(seed, "sample")).permutation(n)[:most]
    return np.sort(picked)


def _one_thread() -> Any:
    """Sums by several threads end in other last digits; one thread gives one answer."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # of scikit-learn

    return threadpool_limits(limits=1)
