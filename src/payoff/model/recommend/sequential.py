"""What comes next: a linear model of the next item from fading memories, in closed form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import TrainingError
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.memory import need
from payoff.model.recommend.ranker import Contributions, Recommender

__all__ = ["NextItem"]

#: An interaction is forgotten once its weight is below this.
_FORGOTTEN: Final = 0.005
#: Interactions whose pasts are spread out at once.
_CHUNK: Final = 32_768


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NextItem(Recommender):
    """Scores ``sum_s z_s B_s``, where z_s remembers the past with a fading of its own.

    After each interaction of a user ``z_s <- fading_s * z_s + (1 at the item)``; B is the ridge
    regression of the next item on all z together. A quick memory knows what was just looked at, a
    slow one what the user likes. Only the order of interactions counts, not the time between them.

    Parameters
    ----------
    n_items
        Size m of the catalogue.
    weights
        float32 (s * c, c), one block of rows for each memory.
    fading
        The factors of the s memories, each above 0 and below 1.
    core
        int32 (c,): the items it knows, in order, and the rows and columns of ``weights`` are about.
        Others are neither remembered nor listed.

    Notes
    -----
    ``X'X`` over all moments is not summed up moment by moment. With z and y two memories of
    fadings a and b, and e the item that comes, ``z_t y_t' = a b z y' + a z e' + b e y' + e e'``,
    so the sum over all moments follows from the two sums of past times next, the item counts and
    the last state of each user: ``(1 - a b) S = a C_a + b C_b' + N - a b L``.

    References
    ----------
    Choi, Kim, Lee, Shim, Lee (2021), "Session-aware linear item-item models for session-based
    recommendation", WWW, for linear next-item models in closed form.
    """

    name: ClassVar[str] = "next_item"
    n_items: int
    weights: NDArray[np.float32]
    fading: tuple[float, ...]
    core: NDArray[np.int32]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        self.weights.setflags(write=False)
        self.core.setflags(write=False)

    @classmethod
    def fit(
        cls,
        histories: Histories,
        *,
        fading: Sequence[float] = (0.5, 0.92),
        ridge: float | Sequence[float] = 200.0,
        core: int | None = None,
        limit: int | None = None,
    ) -> NextItem:
        """Solve for B.

        Parameters
        ----------
        histories
            What the users did. A user with one interaction teaches nothing.
        fading
            One factor for each memory.
        ridge
            Strength, in interactions; one for all memories or one for each.
        core
            Learn of this many items only, those that most users had; left out, of all. A way for
            large catalogues: blend it with a model that knows the others.
        limit
            Bytes that may be used; left out, what is free. About 4 c^2 (2 s + s^2) are
            needed for c items.

        Raises
        ------
        TrainingError
            ``PAY-T007`` when memory does not suffice, ``PAY-T008`` for settings out of range.

        Examples
        --------
        >>> past = Histories.sessions([[0, 1, 2], [0, 1, 2], [1, 2, 0]], 3)
        >>> model = NextItem.fit(past, fading=[0.3], ridge=0.1)
        >>> model.top(Histories.sessions([[0], [1]], 3), 1).items.tolist()
        [[1], [2]]
        """
        from scipy.linalg import lapack

        f = tuple(float(a) for a in fading)
        strength = np.broadcast_to(np.asarray(ridge, dtype=np.float64), (len(f),))
        if not f or not all(0 < a < 1 for a in f) or not (strength > 0).all():
            raise TrainingError.bad_interactions(
                "settings of next_item",
                f"fading {f}, ridge {ridge}",
                "fadings between 0 and 1, and a ridge above 0",
            )
        kept = _core(histories, core)
        known = histories.among(kept)
        m, s = len(kept), len(f)
        need(
            4.0 * m * m * (2 * s + s * s),
            f"next_item of {m:,} items and {s} memories",
            "Learn of fewer items (core), use one memory, or use item_neighbours",
            limit,
        )
        left, right = _normal(known, f)
        left[np.diag_indices(s * m)] += np.repeat(strength, m).astype(np.float32)
        left, wrong = lapack.spotrf(left, lower=1, clean=0, overwrite_a=1)
        if wrong:
            raise TrainingError.bad_interactions(
                "ridge", repr(ridge), "a larger one: the items' counts outweigh 32-bit numbers"
            )
        weights, _ = lapack.spotrs(left, right, lower=1, overwrite_b=1)
        return cls(
            n_items=histories.n_items, weights=np.ascontiguousarray(weights), fading=f, core=kept
        )

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Return the scores (n, m); a row's result never depends on the others."""
        from scipy.sparse import hstack

        known = histories.among(self.core)
        z = hstack([_memory(known, a) for a in self.fading], format="csr")
        scores = np.asarray(z @ self.weights)
        if len(self.core) == self.n_items:
            return scores
        out = np.full((len(histories), self.n_items), -np.inf, dtype=np.float32)
        out[:, self.core] = scores
        return out

    def contributions(self, history: Histories, items: NDArray[np.int32]) -> Contributions:
        """Each item adds what its memories say, the longer ago the less."""
        known = history.among(self.core)
        place = np.searchsorted(self.core, items).clip(max=len(self.core) - 1)
        there = self.core[place] == items
        z = [_memory(known, a) for a in self.fading]
        own = np.unique(np.concatenate([m.indices for m in z]))
        value = np.zeros((len(own), len(items)))
        for s, memory in enumerate(z):
            rows = np.searchsorted(own, memory.indices)
            block = self.weights[s * len(self.core) + memory.indices][:, place]
            value[rows] += memory.data[:, None] * np.where(there, block, 0.0)
        return Contributions.of(self.core[own], value, np.where(there, 0.0, -np.inf))

    def settings(self) -> dict[str, Any]:
        """Return the fadings."""
        return {"fading": list(self.fading)}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return B and the items it is about."""
        return {"weights": self.weights, "core": self.core}

    @classmethod
    def rebuilt(
        cls, n_items: int, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> NextItem:
        """Return the recommender of these settings and arrays."""
        return cls(n_items=n_items, fading=tuple(settings["fading"]), **arrays)


def _core(histories: Histories, core: int | None) -> NDArray[np.int32]:
    """Return, in order, the items that most users had; of equal ones the lower number."""
    if core is None or core >= histories.n_items:
        return np.arange(histories.n_items, dtype=np.int32)
    if core < 1:
        raise TrainingError.bad_interactions("core", repr(core), "at least 1 item")
    most = np.argsort(-histories.popularity(), kind="stable")[:core]
    return np.sort(most).astype(np.int32)


def _reach(fading: float) -> int:
    """How many interactions back are remembered."""
    return 1 + int(np.log(_FORGOTTEN) / np.log(fading))


def _memory(histories: Histories, fading: float) -> Any:
    """Return what is remembered after the last interaction, sparse (n, m)."""
    recent = histories.only(histories.back < _reach(fading))
    return recent.spread((fading**recent.back).astype(np.float32))


def _normal(
    histories: Histories, fading: tuple[float, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the two sides of the normal equations: (s m, s m), its lower part, and (s m, m)."""
    m, s = histories.n_items, len(fading)
    past = _past_and_next(histories, fading)
    last = [_memory(histories, a) for a in fading]
    counts = np.bincount(histories.item, minlength=m).astype(np.float32)
    left = np.empty((s * m, s * m), dtype=np.float32, order="F")
    for i, a in enumerate(fading):
        for j, b in enumerate(fading[: i + 1]):
            block = left[i * m : (i + 1) * m, j * m : (j + 1) * m]
            ends = (last[i].T @ last[j]).toarray()
            np.multiply(past[i * m : (i + 1) * m], np.float32(a), out=block)
            block += np.float32(b) * past[j * m : (j + 1) * m].T
            block[np.diag_indices(m)] += counts
            block -= np.float32(a * b) * ends
            block /= np.float32(1 - a * b)
            block -= ends  # the state after a user's last interaction has no next item
    return left, np.asfortranarray(past)


def _past_and_next(histories: Histories, fading: tuple[float, ...]) -> NDArray[np.float32]:
    """Return ``sum_t z_(t-1) e_t'`` for each memory, one below the other, float32 (s m, m).

    Interactions are taken in order of their item, so that a chunk fills a few columns only.
    """
    from scipy.sparse import csr_matrix

    m, e = histories.n_items, len(histories.item)
    before = np.arange(e) - histories.start[histories.user]
    order = np.argsort(histories.item, kind="stable")
    order = order[before[order] > 0]
    out = np.zeros((m, len(fading) * m), dtype=np.float32)
    for first in range(0, len(order), _CHUNK):
        at = order[first : first + _CHUNK]
        item = histories.item[at]
        low, high = int(item[0]), int(item[-1]) + 1
        ends = np.concatenate([[0], np.cumsum(np.bincount(item - low, minlength=high - low))])
        which = csr_matrix(
            (np.ones(len(at), dtype=np.float32), np.arange(len(at)), ends),
            shape=(high - low, len(at)),
        )
        for j, a in enumerate(fading):
            length = np.minimum(before[at], _reach(a))
            until = np.concatenate([[0], np.cumsum(length)])
            lag = np.arange(until[-1]) - np.repeat(until[:-1], length)
            column = histories.item[np.repeat(at, length) - 1 - lag]
            weight = (a ** np.arange(_reach(a) + 1)).astype(np.float32)[lag]
            z = csr_matrix((weight, column, until), shape=(len(at), m))
            out[low:high, j * m : (j + 1) * m] += (which @ z).toarray()
    return out.reshape(m, len(fading), m).transpose(1, 2, 0).reshape(len(fading) * m, m)
