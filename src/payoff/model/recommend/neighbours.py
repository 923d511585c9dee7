"""Item neighbours: items had by the same users, the sparse and quick workhorse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from payoff.errors import TrainingError
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.ranker import Contributions, Recommender

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["ItemNeighbours", "nearest_columns"]

#: Products of a block of items are held at once: about this many numbers.
_BLOCK: int = 8_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ItemNeighbours(Recommender):
    """Score of an item: the sum of its similarities to what the user had.

    Parameters
    ----------
    n_items
        Size m of the catalogue.
    weight, column, end
        The kept similarities as a sparse matrix of m rows: float32, int32, int32 (m + 1,). Row i
        are the neighbours of an item in the history.
    """

    name: ClassVar[str] = "item_neighbours"
    n_items: int
    weight: NDArray[np.float32]
    column: NDArray[np.int32]
    end: NDArray[np.int32]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for array in (self.weight, self.column, self.end):
            array.setflags(write=False)

    @classmethod
    def fit(
        cls,
        histories: Histories,
        *,
        similarity: Literal["cosine", "tfidf", "bm25"] = "tfidf",
        neighbours: int = 100,
        shrinkage: float = 10.0,
    ) -> ItemNeighbours:
        """Find each item's nearest items.

        Parameters
        ----------
        histories
            What the users did; several interactions with one item count once.
        similarity
            ``"cosine"`` of the users who had both. ``"tfidf"``: a user counts
            ``log(1 + m / number of items the user had)``, so heavy users and bots say less.
            ``"bm25"`` also damps popular items (k1 = 1.2, b = 0.75).
        neighbours
            Kept per item; of equal ones the lower number.
        shrinkage
            Added to the denominator, ``w_i . w_j / (|w_i| |w_j| + shrinkage)``: two items had by
            the same one user are not yet alike.

        Raises
        ------
        TrainingError
            ``PAY-T008`` for a similarity that is not known.

        References
        ----------
        Sarwar et al. (2001), WWW; Bell and Koren (2007), ICDM, for the shrinkage; Robertson and
        Zaragoza (2009) for BM25.

        Examples
        --------
        >>> past = Histories.sessions([[0, 1], [0, 1], [2]], 3)
        >>> model = ItemNeighbours.fit(past, similarity="cosine", shrinkage=0.0)
        >>> model.similar([0], 1).items.tolist(), model.similar([0], 1).scores.round(3).tolist()
        ([[1]], [[1.0]])
        """
        x = _weighted(histories.matrix(), similarity)
        w = nearest_columns(x, neighbours, shrinkage)
        return cls(
            n_items=histories.n_items,
            weight=w.data,
            column=w.indices.astype(np.int32),
            end=w.indptr.astype(np.int32),
        )

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Return the sums of similarities (n, m)."""
        from scipy.sparse import csr_matrix

        x, m = histories.matrix(), self.n_items
        items = np.unique(x.indices)  # only their rows are read: a basket costs what it holds
        counts = np.diff(self.end)[items]
        until = np.concatenate([[0], np.cumsum(counts)])
        at = np.arange(until[-1]) + np.repeat(self.end[items] - until[:-1], counts)
        w = csr_matrix((self.weight[at], self.column[at], until), shape=(len(items), m))
        own = csr_matrix(
            (x.data, np.searchsorted(items, x.indices), x.indptr),
            shape=(len(histories), len(items)),
        )
        return np.asarray((own @ w).toarray(), dtype=np.float32)

    def contributions(self, history: Histories, items: NDArray[np.int32]) -> Contributions:
        """Each item of the history adds its similarity."""
        own = np.unique(history.item)
        value = np.zeros((len(own), len(items)))
        for row, j in enumerate(own):
            here = slice(self.end[j], self.end[j + 1])
            like = dict(zip(self.column[here].tolist(), self.weight[here], strict=True))
            value[row] = [like.get(int(i), 0.0) for i in items]
        return Contributions.of(own, value)

    def settings(self) -> dict[str, Any]:
        """Nothing beside the arrays."""
        return {}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the sparse matrix."""
        return {"weight": self.weight, "column": self.column, "end": self.end}

    @classmethod
    def rebuilt(
        cls, n_items: int, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> ItemNeighbours:
        """Return the recommender of these arrays."""
        return cls(n_items=n_items, **arrays)


def _weighted(x: csr_matrix, similarity: str) -> csr_matrix:
    """Weigh the pairs of users and items (n, m)."""
    if similarity not in {"cosine", "tfidf", "bm25"}:
        raise TrainingError.bad_interactions(
            "similarity", repr(similarity), "'cosine', 'tfidf' or 'bm25'"
        )
    if similarity == "cosine":
        return x
    had = np.diff(x.indptr)
    idf = np.repeat(np.log1p(x.shape[1] / np.maximum(had, 1)), had)
    if similarity == "bm25":
        popular = np.bincount(x.indices, minlength=x.shape[1])
        mean = max(popular.mean(), 1e-30)
        idf = idf * 2.2 / (1 + 1.2 * (0.25 + 0.75 * popular[x.indices] / mean))
    x = x.copy()
    x.data = idf.astype(np.float32)
    return x


def nearest_columns(x: csr_matrix, keep: int, shrinkage: float) -> csr_matrix:
    """Return the shrunken cosine of each column of x (n, m) to its ``keep`` nearest, sparse (m, m).

    Works on blocks of columns, so that the full m x m product is never held.
    """
    from scipy.sparse import csr_matrix, vstack

    m = x.shape[1]
    by_item = x.T.tocsr()
    norm = np.sqrt(np.asarray(by_item.multiply(by_item).sum(axis=1)).ravel())
    rows, parts = max(1, _BLOCK // max(m, 1)), []
    for first in range(0, m, rows):
        dots = (by_item[first : first + rows] @ x).tocsr()
        dots.sort_indices()
        owner = first + np.repeat(np.arange(dots.shape[0]), np.diff(dots.indptr))
        value = dots.data / np.maximum(norm[owner] * norm[dots.indices] + shrinkage, 1e-30)
        value[owner == dots.indices] = 0.0
        kept = [
            a + _largest(value[a:b], keep)
            for a, b in zip(dots.indptr[:-1], dots.indptr[1:], strict=True)
        ]
        at = np.concatenate(kept)
        ends = np.concatenate([[0], np.cumsum([len(k) for k in kept])])
        data = value[at].astype(np.float32)
        parts.append(csr_matrix((data, dots.indices[at], ends), shape=dots.shape))
    return vstack(parts, format="csr") if parts else csr_matrix((m, m), dtype=np.float32)


def _largest(values: NDArray[np.float64], keep: int) -> NDArray[np.intp]:
    """Return the places, in order, of the largest positive values; of equal ones the first."""
    positive = np.flatnonzero(values > 0)
    if len(positive) <= keep:
        return positive
    order = np.argsort(-values[positive], kind="stable")[:keep]
    return np.sort(positive[order])
