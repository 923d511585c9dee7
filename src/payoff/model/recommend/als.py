"""Implicit ALS: users and items as short vectors, fitted by least squares in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import TrainingError
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.memory import need
from payoff.model.recommend.ranker import Contributions, Recommender
from payoff.rng import generator

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["ImplicitAls"]

#: Numbers of the vectors gathered at once while fitting: two megabytes, so that they stay near the
#: processor between the steps.
_GATHERED: Final = 524_288


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImplicitAls(Recommender):
    """Scores ``u . v_i`` with vectors that explain what was had, and weakly what was not.

    Minimises ``sum_(had) w (u.v - 1)^2 + unseen sum_(all) (u.v)^2`` plus
    ``ridge (n_u + unseen m) |u|^2`` for each user with n_u items and likewise for each item, so
    that the strength grows with what stands behind a vector. A history not seen in training gets
    its vector by the same least squares, solved exactly: folding in. Fitting takes ``steps`` steps
    of a conjugate gradient in each round, from where the last round ended.

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
    Takacs, Pilaszy, Tikk (2011), "Applications of the conjugate gradient method for implicit
    feedback collaborative filtering", RecSys, for the steps.
    """

    name: ClassVar[str] = "als"
    n_items: int
    factors: NDArray[np.float32]
    unseen: float
    ridge: float
    across: NDArray[np.float32] = field(init=False)
    unseen_squares: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        """Freeze the arrays; work out once what every user is answered from."""
        object.__setattr__(self, "across", np.ascontiguousarray(self.factors.T))
        object.__setattr__(self, "unseen_squares", _squares(self.factors, self.unseen))
        for array in (self.factors, self.across, self.unseen_squares):
            array.setflags(write=False)

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
        steps: int = 3,
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
        steps
            Steps of the conjugate gradient for each of them in a round.
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
        if min(dimensions, rounds, steps) < 1 or not unseen > 0 or not ridge > 0:
            raise TrainingError.bad_interactions(
                "settings of als",
                f"dimensions {dimensions}, unseen {unseen}, ridge {ridge}, rounds {rounds}, "
                f"steps {steps}",
                "numbers above 0",
            )
        x = histories.matrix(weighted=True)
        n, m = x.shape
        size = 12.0 * (n + m) * dimensions + 48.0 * x.nnz
        need(size, f"als of {n:,} users and {m:,} items", "Use fewer dimensions", limit)
        by_item = x.T.tocsr()
        draw = generator(rng, "als").normal(0.0, 0.1 / np.sqrt(dimensions), (m, dimensions))
        items = draw.astype(np.float32)
        users = np.zeros((n, dimensions), dtype=np.float32)
        items[np.diff(by_item.indptr) == 0] = 0.0
        room = max(1, _GATHERED // dimensions)
        rows, columns = (_blocks(y, unseen, ridge, room) for y in (x, by_item))
        for _ in range(rounds):
            _step(rows, items, users, unseen, steps)
            _step(columns, users, items, unseen, steps)
        return cls(n_items=m, factors=items, unseen=unseen, ridge=ridge)

    def vectors(self, histories: Histories) -> NDArray[np.float32]:
        """Return the vectors of users (n, d), folded in."""
        x = histories.matrix(weighted=True)
        return _solve(x, self.factors, self.unseen, self.ridge, self.unseen_squares)

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Return ``u . v_i`` (n, m), up to the rounding of 32-bit numbers."""
        return np.asarray(self.vectors(histories) @ self.across)

    def contributions(self, history: Histories, items: NDArray[np.int32]) -> Contributions:
        """Say what each item of the history adds: ``w_j v_j . A^-1 v_i``, A that of folding in.

        References
        ----------
        Hu, Koren, Volinsky (2008), ICDM, section 5, for the explanation.
        """
        from scipy.linalg import solve

        x = history.matrix(weighted=True)
        v = self.factors[x.indices].astype(np.float64)
        left = self.unseen_squares.astype(np.float64) + (v * x.data[:, None]).T @ v
        left[np.diag_indices(len(left))] += self.ridge * (x.nnz + self.unseen * self.n_items)
        value = (v * x.data[:, None]) @ solve(left, self.factors[items].T, assume_a="pos")
        return Contributions.of(x.indices, value)

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


def _squares(vectors: NDArray[np.float32], unseen: float) -> NDArray[np.float32]:
    """Return ``unseen V'V`` (d, d): what all that was not had asks of a vector."""
    return np.asfortranarray(np.float32(unseen) * (vectors.T @ vectors))


def _solve(
    x: csr_matrix,
    other: NDArray[np.float32],
    unseen: float,
    ridge: float,
    base: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Return for each row of x (n, m) its least-squares vector (n, d), given those of columns."""
    from scipy.linalg import blas, lapack

    n, m = x.shape
    d = other.shape[1]
    base = _squares(other, unseen) if base is None else base
    out = np.zeros((n, d), dtype=np.float32)
    diagonal = np.arange(d)
    ends, columns, weights = x.indptr, x.indices, x.data
    plain = bool((weights == 1.0).all())
    for row in range(n):
        a, b = ends[row], ends[row + 1]
        if a == b:
            continue
        these = other.take(columns[a:b], axis=0, mode="clip")
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Block:
    """Some rows of about the same length, their columns filled up with the one after the last.

    ``rows`` (r,), ``columns`` (r, k), ``weight`` float32 (r, k) or None for 1, ``strength`` of the
    ridge float32 (r, 1).
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    weight: NDArray[np.float32] | None
    strength: NDArray[np.float32]


def _blocks(x: csr_matrix, unseen: float, ridge: float, room: int) -> list[_Block]:
    """Return the rows of x (n, m) that have anything, about ``room`` columns in each block."""
    n, m = x.shape
    had = np.diff(x.indptr)
    order = np.argsort(had, kind="stable")
    length = had[order]
    weights = None if bool((x.data == 1.0).all()) else np.append(x.data, np.float32(0.0))
    columns = np.append(x.indices, m).astype(np.intp)
    found, first = [], int(np.searchsorted(length, 1))
    while first < n:
        end = _alike(length, first, room)
        rows, lag = order[first:end], np.arange(length[end - 1])
        at = np.where(lag < length[first:end, None], x.indptr[rows, None] + lag, x.nnz)
        found.append(
            _Block(
                rows=rows,
                columns=columns[at],
                weight=None if weights is None else weights[at],
                strength=(ridge * (length[first:end, None] + unseen * m)).astype(np.float32),
            )
        )
        first = end
    return found


def _step(
    blocks: Sequence[_Block],
    other: NDArray[np.float32],
    mine: NDArray[np.float32],
    unseen: float,
    steps: int,
) -> None:
    """Move the vectors ``mine`` (n, d) of the rows towards their least squares, in place.

    The vectors of a block's columns are gathered once and used in all steps.
    """
    d = other.shape[1]
    base = np.float32(unseen) * (other.T @ other)
    padded = np.concatenate([other, np.zeros((1, d), dtype=np.float32)])
    gathered = np.empty((max((b.columns.size for b in blocks), default=0), d), dtype=np.float32)
    for block in blocks:
        these = gathered[: block.columns.size].reshape(*block.columns.shape, d)
        padded.take(block.columns, axis=0, mode="clip", out=these)
        mine[block.rows] = _descend(
            these, block.weight, mine[block.rows], base, block.strength, steps
        )


def _alike(length: NDArray[np.int32], first: int, room: int) -> int:
    """Return the end of the rows from ``first`` that, made as long as the last, fit in ``room``.

    ``length`` grows, so that the size of what is gathered grows with the end.
    """
    few = length[first : first + room]
    size = few.astype(np.int64) * np.arange(1, len(few) + 1)
    return first + max(1, int(np.searchsorted(size, room, side="right")))


def _descend(
    these: NDArray[np.float32],
    weight: NDArray[np.float32] | None,
    start: NDArray[np.float32],
    base: NDArray[np.float32],
    strength: NDArray[np.float32],
    steps: int,
) -> NDArray[np.float32]:
    """Take steps of the conjugate gradient for r rows at once: vectors (r, d).

    ``these`` (r, k, d) are the vectors of each row's columns, zeros beyond its length; ``weight``
    (r, k), or None for 1; ``strength`` (r, 1).
    """

    def back(v: NDArray[np.float32]) -> NDArray[np.float32]:
        v = v if weight is None else v * weight
        summed: NDArray[np.float32] = np.matmul(v[:, None, :], these)
        return summed[:, 0]

    def along(v: NDArray[np.float32]) -> NDArray[np.float32]:
        products: NDArray[np.float32] = np.matmul(these, v[:, :, None])
        return products[:, :, 0]

    tiny = np.float32(1e-30)
    u = start
    rest = back(1.0 - along(u)) - u @ base - strength * u
    way = rest
    size = np.einsum("rd,rd->r", rest, rest)
    for _ in range(steps):
        image = way @ base + strength * way + back(along(way))
        far = (size / np.maximum(np.einsum("rd,rd->r", way, image), tiny))[:, None]
        u = u + far * way
        rest = rest - far * image
        before, size = size, np.einsum("rd,rd->r", rest, rest)
        way = rest + (size / np.maximum(before, tiny))[:, None] * way
    return u
