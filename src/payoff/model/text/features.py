"""All features of a row: its text columns, their embedding, and the ordinary columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.model.encode import Encoder
from payoff.model.text.embedding import Embedder
from payoff.model.text.prepare import documents_of_rows, documents_of_table, joined
from payoff.model.text.terms import Terms

if TYPE_CHECKING:
    import pyarrow as pa
    from scipy.sparse import csr_matrix

__all__ = ["EMBEDDING_SCALE", "TextFeatures"]

#: Length of an embedding beside blocks of length 1: how much it counts from the start.
EMBEDDING_SCALE: Final = 2.0
_ROWS_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextFeatures:
    """Turns rows into float32 (n, k), sparse, the same way for a table and for served rows.

    Parameters
    ----------
    terms
        Text column -> its vocabulary; empty when only the embedding is used.
    columns
        The text columns, in order.
    embedder
        Of all text columns together; None without.
    encoder
        Of the ordinary columns; None without.
    scale
        What the ordinary columns' codes are multiplied by, so that a row of them counts on
        average as much as one block of words.
    """

    columns: tuple[str, ...]
    terms: Mapping[str, Terms]
    embedder: Embedder | None
    encoder: Encoder | None
    scale: float

    @property
    def width(self) -> int:
        """Number of columns k."""
        return (
            sum(t.width for t in self.terms.values())
            + (self.embedder.width if self.embedder else 0)
            + (self.encoder.width if self.encoder else 0)
        )

    def blocks(self) -> list[tuple[str, str, int, int]]:
        """Return (kind, column, first, end) of each run of output columns.

        Kinds: ``words``, ``characters``, ``embedding``, ``columns``.
        """
        out: list[tuple[str, str, int, int]] = []
        at = 0
        for name, terms in self.terms.items():
            for kind, size in (
                ("words", len(terms.words.terms)),
                ("characters", len(terms.chars.terms)),
            ):
                out.append((kind, name, at, at + size))
                at += size
        if self.embedder:
            out.append(("embedding", "", at, at + self.embedder.width))
            at += self.embedder.width
        if self.encoder:
            out.append(("columns", "", at, at + self.encoder.width))
        return out

    def encode_table(self, table: pa.Table) -> csr_matrix:
        """Return the features of an Arrow table."""
        documents = documents_of_table(table, self.columns)
        return self.encode(documents, self.encoder.encode_table(table) if self.encoder else None)

    def encode_rows(self, rows: Sequence[Mapping[str, Any]]) -> csr_matrix:
        """Return the features of mappings of field to value."""
        documents = documents_of_rows(rows, self.columns)
        return self.encode(documents, self.encoder.encode_rows(rows) if self.encoder else None)

    def encode(
        self,
        documents: Mapping[str, Sequence[str]],
        ordinary: NDArray[np.float64] | None,
        vectors: NDArray[np.float32] | None = None,
    ) -> csr_matrix:
        """Return the features of clean documents, codes of ordinary columns and vectors if made.

        So many rows at a time are encoded that what is needed on the way takes little memory.
        """
        n = len(documents[self.columns[0]])
        made = _Growing()
        for first in range(0, max(n, 1), _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            made.add(
                self._encode(
                    {name: texts[rows] for name, texts in documents.items()},
                    None if ordinary is None else ordinary[rows],
                    None if vectors is None else vectors[rows],
                )
            )
        return made.matrix(self.width)

    def _encode(
        self,
        documents: Mapping[str, Sequence[str]],
        ordinary: NDArray[np.float64] | None,
        vectors: NDArray[np.float32] | None,
    ) -> csr_matrix:
        from scipy.sparse import csr_matrix, hstack

        parts = [terms.encode(documents[name]) for name, terms in self.terms.items()]
        if self.embedder:
            if vectors is None:
                vectors = self.embedder.embed(joined(documents))
            parts.append(csr_matrix(vectors * np.float32(EMBEDDING_SCALE)))  # dense or sparse
        if self.encoder and ordinary is not None:
            parts.append(csr_matrix((ordinary * self.scale).astype(np.float32)))
        return hstack(parts, format="csr", dtype=np.float32)

    def _semantic(self) -> tuple[int, int]:
        """Return the run of columns in which two documents are compared."""
        kinds = ("embedding",) if self.embedder else ("words", "characters")
        ends = [(a, b) for kind, _, a, b in self.blocks() if kind in kinds]
        return ends[0][0], ends[-1][1]

    @property
    def dense(self) -> Embedder | None:
        """The embedder, unless its vectors are sparse as words are: then themes read the words."""
        return None if getattr(self.embedder, "sparse", False) else self.embedder

    @property
    def semantic_width(self) -> int:
        """Number of columns of :meth:`semantic`."""
        first, end = self._semantic()
        return end - first

    def vectors(self, x: csr_matrix) -> NDArray[np.float32] | None:
        """Return the embeddings in encoded rows, float32 (n, d); None without dense ones."""
        if self.dense is None:
            return None
        _, _, first, end = next(b for b in self.blocks() if b[0] == "embedding")
        found: NDArray[np.float32] = x[:, first:end].toarray() / np.float32(EMBEDDING_SCALE)
        return found

    def semantic(self, x: csr_matrix) -> csr_matrix:
        """Return what says whether documents are alike: embeddings, else words and characters.

        Rows have length 1, or are empty.
        """
        from scipy.sparse import diags

        first, end = self._semantic()
        part = x[:, first:end].tocsr()
        square = np.asarray(part.multiply(part).sum(axis=1), dtype=np.float64).ravel()
        size = np.where(square > 0, np.sqrt(np.where(square > 0, square, 1.0)), 1.0)
        return (diags(1.0 / size) @ part).astype(np.float32).tocsr()


class _Growing:
    """Sparse rows that come in pieces, put into arrays that grow where they are.

    Stacking the pieces at the end would hold all of them twice.
    """

    def __init__(self) -> None:
        self._data = np.zeros(0, dtype=np.float32)
        self._indices = np.zeros(0, dtype=np.int32)
        self._ends = [np.zeros(1, dtype=np.int64)]

    def add(self, x: csr_matrix) -> None:
        """Append rows."""
        before = len(self._data)
        for array, more in ((self._data, x.data), (self._indices, x.indices)):
            array.resize(before + len(more), refcheck=False)
            array[before:] = more
        self._ends.append(before + x.indptr[1:].astype(np.int64))

    def matrix(self, width: int) -> csr_matrix:
        """Return all rows, float32 (n, width)."""
        from scipy.sparse import csr_matrix

        ends = np.concatenate(self._ends)
        return csr_matrix((self._data, self._indices, ends), shape=(len(ends) - 1, width))
