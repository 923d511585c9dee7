"""Items by what they are: the way to list what nobody has had yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from payoff.errors import TrainingError
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.ranker import Contributions, Recommender

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["ContentBased"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContentBased(Recommender):
    """Scores the cosine between an item's attributes and those of what the user had.

    Parameters
    ----------
    n_items
        Size m of the catalogue.
    weight, column, end
        Attributes of items as a sparse matrix of m rows, each of length 1 (or 0): float32, int32,
        int32 (m + 1,).
    n_attributes
        Width of that matrix.
    """

    name: ClassVar[str] = "content"
    n_items: int
    weight: NDArray[np.float32]
    column: NDArray[np.int32]
    end: NDArray[np.int32]
    n_attributes: int

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for array in (self.weight, self.column, self.end):
            array.setflags(write=False)

    @classmethod
    def fit(cls, histories: Histories, attributes: ArrayLike | csr_matrix) -> ContentBased:
        """Weigh attributes by how rare they are: ``log(1 + m / items that have it)``.

        Parameters
        ----------
        histories
            What the users did; only its catalogue is used.
        attributes
            Finite numbers >= 0 (m, a), dense or sparse: 1 where an item has an attribute.

        Raises
        ------
        TrainingError
            ``PAY-T008`` when there is not one row for each item, or a number is negative.

        Examples
        --------
        >>> past = Histories.sessions([[0]], 3)
        >>> ContentBased.fit(past, [[1, 0], [0, 1], [1, 1]]).top(past, 2).items.tolist()
        [[2, 1]]
        """
        from scipy.sparse import csr_matrix

        a = csr_matrix(attributes, dtype=np.float64)
        m = histories.n_items
        if a.shape[0] != m:
            raise TrainingError.bad_interactions(
                "attributes", f"{a.shape[0]} rows", f"{m}, one for each item"
            )
        if not np.isfinite(a.data).all() or (a.data < 0).any():
            raise TrainingError.bad_interactions(
                "attributes", "negative or missing numbers", "finite numbers of at least 0"
            )
        a.sum_duplicates()
        a.eliminate_zeros()
        having = np.bincount(a.indices, minlength=a.shape[1])
        a.data *= np.log1p(m / np.maximum(having, 1))[a.indices]
        row = np.repeat(np.arange(m), np.diff(a.indptr))
        length = np.sqrt(np.bincount(row, weights=a.data**2, minlength=m))
        a.data /= np.maximum(length, 1e-30)[row]
        return cls(
            n_items=m,
            weight=a.data.astype(np.float32),
            column=a.indices.astype(np.int32),
            end=a.indptr.astype(np.int32),
            n_attributes=a.shape[1],
        )

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Return the cosines (n, m), 0 for a user without history or an item without attributes."""
        from scipy.sparse import csr_matrix

        a = csr_matrix(
            (self.weight, self.column, self.end), shape=(self.n_items, self.n_attributes)
        )
        likes = histories.matrix(weighted=True) @ a
        length = np.sqrt(np.asarray(likes.multiply(likes).sum(axis=1)).ravel())
        out = np.asarray((likes @ a.T).toarray(), dtype=np.float32)
        out /= np.maximum(length, 1e-30)[:, None].astype(np.float32)
        return out

    def contributions(self, history: Histories, items: NDArray[np.int32]) -> Contributions:
        """Each item of the history adds its cosine, in the share that its likes are of all."""
        from scipy.sparse import csr_matrix

        a = csr_matrix(
            (self.weight, self.column, self.end), shape=(self.n_items, self.n_attributes)
        )
        x = history.matrix(weighted=True)
        likes = x @ a
        length = np.sqrt(likes.multiply(likes).sum())
        value = (a[x.indices] @ a[items].T).toarray() * x.data[:, None]
        return Contributions.of(x.indices, value / max(length, 1e-30))

    def settings(self) -> dict[str, Any]:
        """Return the number of attributes."""
        return {"n_attributes": self.n_attributes}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the attributes."""
        return {"weight": self.weight, "column": self.column, "end": self.end}

    @classmethod
    def rebuilt(
        cls, n_items: int, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> ContentBased:
        """Return the recommender of these settings and arrays."""
        return cls(n_items=n_items, n_attributes=settings["n_attributes"], **arrays)
