"""Implicit ALS: users and items as short vectors, fitted by exact least squares in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from payoff.errors import TrainingError
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.memory import need
from payoff.model.recommend.ranker import Recommender
from payoff.rng import generator

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["ImplicitAls"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImplicitAls(Recommender):
    """Scores ``u . v_i`` with vectors that explain what was had, and weakly what was not.

    Minimises ``sum_(had) w (u.v - 1)^2 + unseen sum_(all) (u.v)^2`` plus
    ``ridge (n_u + unseen m) |u|^2`` for each user with n_u items and likewise for each item, so
    that the strength grows with what stands behind a vector. A history not seen in training gets
    its vector by the same least squares: folding in.

    Parameters
    ----------
    n_items
        Size m of the catalogue.
    factors
        float32 (m, d): the vectors of items.
    unseen, ridge
        As above.

    References
    ----------
    Hu, Koren, Volinsky (2008), ICDM. Rendle, Krichene, Zhang, Koren (2022), "Revisiting the
    performance of iALS on item recommendation benchmarks", RecSys, for the scaling of the ridge.
    """

    name: ClassVar[str] = "als"
    n_items: int
    factors: NDArray[np.float32]
    unseen: float
    ridge: float

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        self.factors.setflags(write=False)

    @classmethod
    def fit(
        cls,
        histories: Histories,
        *,
        rng: int,
        dimensions: int = 64,
        unseen: float = 0.1,
        ridge: float = 0.01,
        rounds: int = 12,
        limit: int | None = None,
    ) -> ImplicitAls:
        """Solve for users and items in turn.

        Parameters
        ----------
        histories
            What the users did; the weights of a pair are added up.
        rng
            Seed of the first vectors.
        dimensions
            Length d of the vectors.
        unseen, ridge
            As above.
        rounds
            How often users and items are solved for.
        limit
            Bytes that may be used; left out, what is free.

        Raises
        ------
        TrainingError
            ``PAY-T007`` when memory does not suffice, ``PAY-T008`` for settings out of range.

        Examples
        --------
        >>> past = Histories.sessions([[0, 1], [0, 1], [2, 3], [2, 3], [0]], 4)
        >>> model = ImplicitAls.fit(past, rng=0, dimensions=2, ridge=0.01)
        >>> model.top(past.take([4]), 1).items.tolist()
        [[1]]
        """
        if dimensions < 1 or not unseen > 0 or not ridge > 0 or rounds < 1:
            raise TrainingError.bad_interactions(
                "settings of als",
                f"dimensions {dimensions}, unseen {unseen}, ridge {ridge}, rounds {rounds}",
                "numbers above 0",
            )
        x = histories.matrix(weighted=True)
        n, m = x.shape
        size = 8.0 * (n + m) * dimensions + 24.0 * x.nnz
        need(size, f"als of {n:,} users and {m:,} items", "Use fewer dimensions", limit)
        by_item = x.T.tocsr()
        draw = generator(rng, "als").normal(0.0, 0.1 / np.sqrt(dimensions), (m, dimensions))
        items = draw.astype(np.float32)
        for _ in range(rounds):
            users = _solve(x, items, unseen, ridge)
            items = _solve(by_item, users, unseen, ridge)
        return cls(n_items=m, factors=items, unseen=unseen, ridge=ridge)

    def vectors(self, histories: Histories) -> NDArray[np.float32]:
        """Return the vectors of users (n, d), folded in."""
        return _solve(histories.matrix(weighted=True), self.factors, self.unseen, self.ridge)

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Return ``u . v_i`` (n, m), up to the rounding of 32-bit numbers."""
        return np.asarray(self.vectors(histories) @ self.factors.T)

    def settings(self) -> dict[str, Any]:
        """Return what folding in needs."""
        return {"unseen": self.unseen, "ridge": self.ridge}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the vectors of items."""
        return {"factors": self.factors}

    @classmethod
    def rebuilt(
        cls, n_items: int, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> ImplicitAls:
        """Return the recommender of these settings and arrays."""
        return cls(n_items=n_items, factors=arrays["factors"], **settings)


def _solve(
    x: csr_matrix, other: NDArray[np.float32], unseen: float, ridge: float
) -> NDArray[np.float32]:
    """Return for each row of x (n, m) its least-squares vector (n, d), given those of columns."""
    from scipy.linalg import blas, lapack

    n, m = x.shape
    d = other.shape[1]
    base = np.asfortranarray(np.float32(unseen) * (other.T @ other))
    out = np.zeros((n, d), dtype=np.float32)
    diagonal = np.arange(d)
    ends, columns, weights = x.indptr, x.indices, x.data
    plain = bool((weights == 1.0).all())
    for row in range(n):
        a, b = ends[row], ends[row + 1]
        if a == b:
            continue
        these = other[columns[a:b]]
        right = these.sum(axis=0) if plain else weights[a:b] @ these
        if not plain:
            these = these * np.sqrt(weights[a:b])[:, None]
        left = blas.ssyrk(1.0, these.T, beta=1.0, c=base, lower=1)
        left[diagonal, diagonal] += np.float32(ridge * (b - a + unseen * m))
        _, solved, wrong = lapack.sposv(left, right, lower=1, overwrite_a=1)
        if wrong:
            raise TrainingError.bad_interactions(
                "ridge", repr(ridge), "a larger one: the least squares have no single answer"
            )
        out[row] = solved
    return out
