"""How familiar a document is: whether it resembles anything the model learnt from.

No document outside the scope is needed to learn this. The score is ``max p * mean cosine to the
three nearest documents learnt from``: a document that is unlike them all scores low however sure
the classifier is. Cosines are of the embeddings where there are any, else of the words and
character n-grams.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.model.text.arrays import array_from, bytes_of, sparse_bytes, sparse_from
from payoff.rng import generator

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["References", "learn_references", "threshold_for"]

#: Documents kept to compare with; of more, a sample by seed.
MOST_REFERENCES: Final = 20_000
NEAREST: Final = 3
#: Weights kept of each document's TF-IDF vector, the largest.
_MOST_WEIGHTS: Final = 100
_CHUNK: Final = 64
_ENTRIES_AT_ONCE: Final = 500_000
_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class References:
    """Vectors of documents learnt from, of unit length; no text.

    Parameters
    ----------
    vectors
        float32 (d, k) of unit rows, sparse for both kinds.
    place
        int64 (d,), where each document stands in the source.
    outcome
        int64 (d,), its outcome.
    """

    vectors: csr_matrix
    place: NDArray[np.int64]
    outcome: NDArray[np.int64]
    _kept: list[Any] = field(default_factory=list, repr=False)

    def cosines(self, x: csr_matrix) -> NDArray[Any]:
        """Return the cosine of every row with every document, float (n, d), unrounded.

        Of each row only the documents that share a column with it are looked at; dense vectors are
        multiplied as such.
        """
        if not self._kept:
            full = self.vectors.nnz > 0.5 * self.vectors.shape[0] * self.vectors.shape[1]
            turned = self.vectors.T
            self._kept.append(turned.toarray().astype(np.float64) if full else turned.tocsr())
        other = self._kept[0]
        if isinstance(other, np.ndarray):
            return np.asarray(x.toarray().astype(np.float64) @ other)
        return _shared(x, other)

    def likeness(self, x: csr_matrix) -> NDArray[np.float64]:
        """Return the mean cosine to the three nearest documents, float64 (n,).

        The same as the mean of :meth:`nearest`, without saying which they are, and faster.
        """
        count = min(NEAREST, self.vectors.shape[0])
        out = np.zeros((x.shape[0], count))
        for start in range(0, x.shape[0], _CHUNK):
            near = np.ascontiguousarray(self.cosines(x[start : start + _CHUNK]))
            rows = np.arange(len(near))
            for k in range(count):
                best = near.argmax(axis=1)
                out[start : start + len(near), k] = near[rows, best]
                near[rows, best] = -np.inf
        mean: NDArray[np.float64] = np.clip(np.round(out, 6), 0.0, 1.0).mean(axis=1)
        return mean

    def nearest(self, x: csr_matrix, count: int = NEAREST) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the nearest documents of each row.

        Parameters
        ----------
        x
            float32 (n, k), rows of unit length or empty.

        Returns
        -------
        rows, cosines
            int64 and float64 (n, min(count, d)), most similar first; equal ones in order.
        """
        count = min(count, self.vectors.shape[0])
        rows = np.zeros((x.shape[0], count), dtype=np.int64)
        cosines = np.zeros((x.shape[0], count))
        for start in range(0, x.shape[0], _CHUNK):
            near = self.cosines(x[start : start + _CHUNK])
            # Six digits: the order of equal cosines is that of the documents on every machine.
            near = np.round(near.astype(np.float64), 6)
            best = np.argpartition(-near, count - 1, axis=1)[:, :count]
            if count < near.shape[1]:
                # Among those that tie for the last place the earliest are taken.
                edge = np.take_along_axis(near, best, axis=1).min(axis=1, keepdims=True)
                for i in np.flatnonzero((near >= edge).sum(axis=1) > count):
                    tied = np.flatnonzero(near[i] >= edge[i])
                    best[i] = tied[np.argsort(-near[i, tied], kind="stable")[:count]]
            best.sort(axis=1)
            value = np.take_along_axis(near, best, axis=1)
            order = np.argsort(-value, axis=1, kind="stable")
            rows[start : start + len(near)] = np.take_along_axis(best, order, axis=1)
            cosines[start : start + len(near)] = np.take_along_axis(value, order, axis=1)
        return rows, np.clip(cosines, 0.0, 1.0)

    def files(self) -> dict[str, bytes]:
        """Return the artefact."""
        return {
            **sparse_bytes("references", self.vectors),
            "references.place.npy": bytes_of(self.place),
            "references.outcome.npy": bytes_of(self.outcome),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], width: int) -> References:
        """Read the artefact back."""
        return cls(
            vectors=sparse_from(files, "references", width),
            place=array_from(files, "references.place.npy"),
            outcome=array_from(files, "references.outcome.npy"),
        )


def _shared(x: csr_matrix, turned: csr_matrix) -> NDArray[Any]:
    """Return ``x @ turned`` as an array (n, d), to the last bit, in about 0.4 of the time.

    Every weight of a row and every document that shares its column is one entry of a sparse matrix
    with a row for each pair of row and document, so that one product adds them up where they
    belong, in the order of the columns, and nobody has to find out first which sums are not 0. Few
    rows at a time, so that the entries stay near the processor.

    Examples
    --------
    >>> from scipy.sparse import csr_matrix
    >>> x = csr_matrix(np.array([[0.6, 0.8, 0.0], [0.0, 0.0, 0.0]]))
    >>> _shared(x, csr_matrix(np.array([[1.0, 0.0], [0.0, 0.5], [0.0, 0.5]]))).tolist()
    [[0.6, 0.4], [0.0, 0.0]]
    """
    from scipy.sparse import csc_matrix

    n, d = x.shape[0], turned.shape[1]
    shared = np.diff(turned.indptr)[x.indices]
    ends = np.concatenate([[0], np.cumsum(shared, dtype=np.int64)])[x.indptr]
    out = np.zeros((n, d), dtype=np.result_type(x.dtype, turned.dtype))
    first = 0
    while first < n:
        end = int(np.searchsorted(ends, ends[first] + _ENTRIES_AT_ONCE, side="right")) - 1
        end = max(end, first + 1)
        run = slice(x.indptr[first], x.indptr[end])
        if run.start < run.stop:
            found = turned[x.indices[run]]
            start = np.arange(end - first, dtype=found.indices.dtype) * d
            found.indices += np.repeat(start, np.diff(ends[first : end + 1]))
            pairs = csc_matrix(
                (found.data, found.indices, found.indptr),
                shape=((end - first) * d, run.stop - run.start),
            )
            out[first:end] = (pairs @ x.data[run]).reshape(end - first, d)
        first = end
    return out


def learn_references(
    x: csr_matrix,
    place: NDArray[np.int64],
    outcome: NDArray[np.integer],
    seed: int,
    semantic: Callable[[csr_matrix], csr_matrix] | None = None,
) -> References:
    """Keep up to 20,000 documents, each by its 100 largest weights scaled to length 1 again.

    Parameters
    ----------
    x
        float32 (n, k), rows of unit length or empty; dense embeddings keep all their weights.
    semantic
        What makes such rows of ``x``, asked of the documents kept only.
    """
    from scipy.sparse import vstack

    rows = np.arange(x.shape[0])
    if len(rows) > MOST_REFERENCES:
        picked = generator(seed, "reference documents").permutation(len(rows))
        rows = np.sort(picked[:MOST_REFERENCES])
    starts = range(0, max(len(rows), 1), _AT_ONCE)
    kept = vstack([_kept(x[rows[i : i + _AT_ONCE]], semantic) for i in starts], format="csr")
    return References(vectors=kept, place=place[rows], outcome=outcome[rows].astype(np.int64))


def _kept(x: csr_matrix, semantic: Callable[[csr_matrix], csr_matrix] | None) -> csr_matrix:
    """Return what is kept of some rows; of few at a time, because sorting takes memory."""
    kept = (semantic(x) if semantic else x).tocsr()
    sparse = kept.nnz < 0.5 * kept.shape[0] * kept.shape[1]
    return _largest(kept) if sparse and kept.shape[1] > 4 * _MOST_WEIGHTS else kept


def _largest(x: csr_matrix) -> csr_matrix:
    """Keep the largest weights of each row."""
    from scipy.sparse import csr_matrix

    row = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
    order = np.lexsort((x.indices, -np.abs(x.data), row))
    rank = np.arange(len(order)) - x.indptr[row[order]]
    kept = np.sort(order[rank < _MOST_WEIGHTS])
    square = np.bincount(row[kept], weights=x.data[kept].astype(np.float64) ** 2)
    data = (x.data[kept] / np.sqrt(square[row[kept]])).astype(np.float32)
    return csr_matrix((data, (row[kept], x.indices[kept])), shape=x.shape)


def threshold_for(
    score: NDArray[np.float64], weight: NDArray[np.float64], share: float = 0.02
) -> float:
    """Return the score below which a share of documents that belong falls.

    Parameters
    ----------
    score
        float64 (n,) of documents within the scope that were not learnt from.
    share
        How many of them may be taken for strangers.

    Examples
    --------
    >>> threshold_for(np.array([0.1, 0.5, 0.6, 0.9]), np.ones(4), 0.25)
    0.5
    """
    order = np.argsort(score, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weight[order])[:-1]]) / weight.sum()
    allowed = np.flatnonzero(below <= share + 1e-12)
    return float(score[order][allowed[-1]])
