"""EASE: every item predicted from all others by one ridge regression, in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from payoff.errors import TrainingError
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.memory import available, need
from payoff.model.recommend.ranker import Contributions, Recommender

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Ease", "LowRankEase", "fit_ease", "gram", "usual_ridge"]

_ROWS: Final = 2_048
#: One number of a dense symmetric product costs about this much less than one of a sparse product.
_DENSE_GAIN: Final = 200.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ease(Recommender):
    """Scores ``x B``, with the B of zero diagonal that minimises ``|X - X B|^2 + ridge |B|^2``.

    Parameters
    ----------
    n_items
        Size m of the catalogue.
    weights
        float32 (m, m). Row: item in the history; column: item scored.

    Notes
    -----
    With ``P = (X'X + ridge I)^-1``, ``B_ij = -P_ij / P_jj`` for i != j and 0 on the diagonal.

    References
    ----------
    Steck (2019), "Embarrassingly shallow autoencoders for sparse data", WWW.
    """

    name: ClassVar[str] = "ease"
    n_items: int
    weights: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        self.weights.setflags(write=False)

    @classmethod
    def fit(
        cls, histories: Histories, *, ridge: float | None = None, limit: int | None = None
    ) -> Ease:
        """Solve for B, in the place of ``X'X``.

        Parameters
        ----------
        histories
            What the users did; several interactions with one item count once.
        ridge
            Strength, in interactions: the larger, the more B keeps to popular pairs. Left out,
            that of `usual_ridge`.
        limit
            Bytes that may be used; left out, what is free. About 4 m^2 are needed.

        Raises
        ------
        TrainingError
            ``PAY-T007`` when memory does not suffice, ``PAY-T008`` for a ridge not above 0.

        Examples
        --------
        >>> past = Histories.sessions([[0, 1], [0, 1], [0, 1, 2]], 3)
        >>> Ease.fit(past, ridge=1.0).weights.diagonal().tolist()
        [0.0, 0.0, 0.0]
        """
        from scipy.linalg import lapack

        m = histories.n_items
        need(dense_bytes(m), f"ease of {m:,} items", _INSTEAD, limit)
        x = histories.matrix()
        strength = _strength(ridge, x.nnz)
        p = gram(x)
        p[np.diag_indices(m)] += np.float32(strength)
        p, wrong = lapack.spotrf(p, lower=1, clean=0, overwrite_a=1)
        if wrong == 0:
            p, wrong = lapack.spotri(p, lower=1, overwrite_c=1)
        if wrong:
            raise TrainingError.bad_interactions(
                "ridge", f"{strength:g}", "a larger one: the items' counts outweigh 32-bit numbers"
            )
        _mirror(p)
        b = p.T  # symmetric, and now in order of rows
        b /= -b.diagonal()[None, :]
        b[np.diag_indices(m)] = 0.0
        return cls(n_items=m, weights=b)

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Return ``x B`` (n, m); a row's result never depends on the others."""
        return np.asarray(histories.matrix() @ self.weights)

    def contributions(self, history: Histories, items: NDArray[np.int32]) -> Contributions:
        """Each item of the history adds its weight in B."""
        own = np.unique(history.item)
        return Contributions.of(own, self.weights[np.ix_(own, items)])

    def settings(self) -> dict[str, Any]:
        """Nothing beside the arrays."""
        return {}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return B."""
        return {"weights": self.weights}

    @classmethod
    def rebuilt(
        cls, n_items: int, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Ease:
        """Return the recommender of these arrays."""
        return cls(n_items=n_items, weights=arrays["weights"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LowRankEase(Recommender):
    """EASE for catalogues whose ``m x m`` matrix would not fit: rank r plus a diagonal.

    ``X'X`` is kept as ``V S^2 V' + R``, with its r leading directions V and the diagonal R of what
    they leave. With ``D = R + ridge`` the inverse is ``P = D^-1 - W W'`` (Woodbury), so that ``x B
    = (x W W' - x * rowsums(W^2)) / diag(P)``: m x r numbers instead of m x m, still without an
    item recommending itself. At r = m it is EASE.

    Parameters
    ----------
    n_items
        Size m of the catalogue.
    factors
        float32 (m, r): W.
    scale
        float32 (m,): ``1 / diag(P)``.

    References
    ----------
    Steck (2019), WWW, for the model. Woodbury's identity for the inverse of a diagonal plus low
    rank.
    """

    name: ClassVar[str] = "low_rank_ease"
    n_items: int
    factors: NDArray[np.float32]
    scale: NDArray[np.float32]
    across: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        """Freeze the arrays; lay W out the other way too, which one user is answered from."""
        object.__setattr__(self, "across", np.ascontiguousarray(self.factors.T))
        self.across.setflags(write=False)
        self.factors.setflags(write=False)
        self.scale.setflags(write=False)

    @classmethod
    def fit(
        cls,
        histories: Histories,
        *,
        rng: int,
        ridge: float | None = None,
        rank: int = 96,
        limit: int | None = None,
    ) -> LowRankEase:
        """Find the leading directions, then invert in closed form.

        Parameters
        ----------
        histories
            What the users did; several interactions with one item count once.
        rng
            Seed of the randomised singular vectors.
        ridge
            As for `Ease`.
        rank
            Number r of directions, at most what users and items allow. The default answers for
            40,000 items in about a millisecond, which is spent on reading W; on MovieLens-1M more
            directions gain little (docs/reference/methods.md).
        limit
            Bytes that may be used; left out, what is free.

        Raises
        ------
        TrainingError
            ``PAY-T007`` when memory does not suffice, ``PAY-T008`` for a ridge not above 0.

        Examples
        --------
        >>> past = Histories.sessions([[0, 1], [0, 1], [0, 1, 2]], 3)
        >>> low = LowRankEase.fit(past, rng=0, ridge=1.0, rank=3).score(past)
        >>> bool(np.allclose(low, Ease.fit(past, ridge=1.0).score(past), atol=1e-5))
        True
        """
        from scipy.linalg import cholesky, solve_triangular
        from sklearn.utils.extmath import randomized_svd

        x = histories.matrix()
        strength = _strength(ridge, x.nnz)
        n, m = x.shape
        r = max(1, min(rank, n, m))
        need(24.0 * (n + m) * (r + 10), f"low-rank ease of {m:,} items", "Lower the rank", limit)
        v, s = np.zeros((m, r)), np.zeros(r)
        if x.nnz:
            _, s, vt = randomized_svd(x, r, n_iter=4, random_state=np.random.RandomState(rng))
            v, s = vt.T.astype(np.float64), s.astype(np.float64)
        rest = np.bincount(x.indices, minlength=m) - ((v * s) ** 2).sum(axis=1)
        d = np.maximum(rest, 0.0) + strength
        scaled = v * s
        inner = np.eye(r) + scaled.T @ (scaled / d[:, None])
        lower = cholesky(inner, lower=True)
        w = solve_triangular(lower, (scaled / d[:, None]).T, lower=True).T
        p = 1.0 / d - (w**2).sum(axis=1)
        return cls(n_items=m, factors=w.astype(np.float32), scale=(1.0 / p).astype(np.float32))

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Return ``x B`` (n, m), up to the rounding of 32-bit numbers."""
        x = histories.matrix()
        out = np.asarray((x @ self.factors) @ self.across)
        row = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
        out[row, x.indices] -= (self.factors[x.indices] ** 2).sum(axis=1)
        out *= self.scale
        return out

    def contributions(self, history: Histories, items: NDArray[np.int32]) -> Contributions:
        """Each item of the history adds its weight in B, worked out for these items."""
        own = np.unique(history.item)
        weight = self.factors[own] @ self.factors[items].T
        weight[own[:, None] == items] = 0.0
        return Contributions.of(own, weight * self.scale[items])

    def settings(self) -> dict[str, Any]:
        """Nothing beside the arrays."""
        return {}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the factors and the scale."""
        return {"factors": self.factors, "scale": self.scale}

    @classmethod
    def rebuilt(
        cls, n_items: int, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> LowRankEase:
        """Return the recommender of these arrays."""
        return cls(n_items=n_items, **arrays)


_INSTEAD: Final = "Use low_rank_ease or item_neighbours, or leave out rare items"


def fit_ease(
    histories: Histories,
    *,
    rng: int,
    ridge: float | None = None,
    rank: int = 96,
    method: Literal["auto", "dense", "low_rank"] = "auto",
    limit: int | None = None,
) -> Ease | LowRankEase:
    """Fit EASE dense where memory allows, else of low rank.

    Raises
    ------
    TrainingError
        ``PAY-T007`` when memory does not suffice for the method asked for.
    """
    room = available() if limit is None else limit
    if method == "dense" or (method == "auto" and dense_bytes(histories.n_items) <= room):
        return Ease.fit(histories, ridge=ridge, limit=limit)
    return LowRankEase.fit(histories, rng=rng, ridge=ridge, rank=rank, limit=limit)


def dense_bytes(m: int) -> float:
    """Return the peak of fitting EASE densely: the matrix, solved in place, and a block."""
    return 4.0 * m * m + 4.0 * _ROWS * m


def gram(x: csr_matrix) -> NDArray[np.float32]:
    """Return ``X'X`` float32 (m, m) in Fortran order; only the lower triangle need be filled.

    Dense blocks of users go through one symmetric product; where users have few items each, the
    sparse product does less.

    Examples
    --------
    >>> np.tril(gram(Histories.sessions([[0, 1], [1]], 2).matrix())).tolist()
    [[1.0, 0.0], [1.0, 2.0]]
    """
    from scipy.linalg import blas

    n, m = x.shape
    had = np.diff(x.indptr).astype(np.float64)
    if (had**2).sum() * _DENSE_GAIN < float(n) * m * m:
        return np.asarray((x.T @ x).toarray(order="F"), dtype=np.float32, order="F")
    out = np.zeros((m, m), dtype=np.float32, order="F")
    for first in range(0, n, _ROWS):
        block = x[first : first + _ROWS].toarray()
        out = blas.ssyrk(1.0, block.T, beta=1.0, c=out, lower=1, overwrite_c=1)
    return out


def _mirror(p: NDArray[np.float32], block: int = 512) -> None:
    """Copy the lower triangle to the upper one, block by block, in place."""
    m = len(p)
    for a in range(0, m, block):
        b = min(m, a + block)
        square = p[a:b, a:b]
        p[a:b, a:b] = np.tril(square) + np.tril(square, -1).T
        p[a:b, b:] = p[b:, a:b].T


def usual_ridge(pairs: int) -> float:
    """Return a ridge to begin with: 0.6 times the root of the number of pairs, at most 500.

    On parts of MovieLens and of a shop's sales of 28,000 to 420,000 pairs it loses at most 3 % of
    the best nDCG@10, where one ridge for all sizes loses 8 %. The best one is found by trying.

    Examples
    --------
    >>> usual_ridge(40_000), usual_ridge(10_000_000)
    (120.0, 500.0)
    """
    return float(min(500.0, max(1.0, 0.6 * np.sqrt(pairs))))


def _strength(ridge: float | None, pairs: int) -> float:
    """Return the ridge asked for or the usual one."""
    if ridge is None:
        return usual_ridge(pairs)
    if not 0 < ridge < np.inf:
        raise TrainingError.bad_interactions("ridge", repr(ridge), "a number above 0")
    return ridge
