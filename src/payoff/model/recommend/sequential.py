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
from payoff.model.recommend.ranker import Contributions, Recommender, Seen

__all__ = ["NextItem"]

#: An interaction is forgotten once its weight is below this.
_FORGOTTEN: Final = 0.005
#: Interactions whose pasts are spread out at once.
_CHUNK: Final = 32_768
#: What `NextItem.choose` compares if not told otherwise.
_FADINGS: Final = ((0.5, 0.92), (0.6, 0.95), (0.8, 0.97))
_RIDGES: Final = (20.0, 50.0, 100.0, 200.0, 400.0, 800.0)


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
        core: int | None = 5_000,
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
            Learn of this many items only, those that most users had; None for all. Other items are
            never listed: for large catalogues blend it with a model that knows them.
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
        f = tuple(float(a) for a in fading)
        strength = _check(f, ridge)
        kept = _core(histories, core)
        m, s = len(kept), len(f)
        need(
            4.0 * m * m * (2 * s + s * s),
            f"next_item of {m:,} items and {s} memories",
            "Learn of fewer items (core), use one memory, or use item_neighbours",
            limit,
        )
        left, right = _normal(histories.among(kept), f)
        weights = _solved(left, right, np.repeat(strength, m))
        return cls(n_items=histories.n_items, weights=weights, fading=f, core=kept)

    @classmethod
    def choose(
        cls,
        histories: Histories,
        *,
        fadings: Sequence[Sequence[float]] = _FADINGS,
        ridges: Sequence[float] = _RIDGES,
        core: int = 600,
        exclude: Seen = "seen",
    ) -> dict[str, Any]:
        """Return the settings of `fit` that best find each user's last item, learnt without it.

        The last interaction of each user is held back, and the most popular items only are learnt
        of, which takes a small part of one fit; on MovieLens the settings come in the order that
        they have over all items. First the fadings are compared, with the ridge in the middle,
        then the ridges with the best fading, from the same sums.

        Parameters
        ----------
        histories
            What the users did: the part to fit on, never that to judge on.
        fadings, ridges
            What to choose from. Of equally good ones the first.
        core
            How many items to compare on.
        exclude
            As for `top`: ``"nothing"`` where users come back to the same items.

        Returns
        -------
        dict
            ``fading`` and ``ridge``: ``NextItem.fit(histories, **NextItem.choose(histories))``.

        Notes
        -----
        Compared by the mean of ``1 / log2(1 + rank)`` of the item held back among the items
        compared on: nDCG of the whole list, which differs less by chance than that of its head.
        Equal scores count against the item.

        Raises
        ------
        TrainingError
            ``PAY-T007`` when memory does not suffice, ``PAY-T008`` for settings out of range or
            nothing to choose from.

        Examples
        --------
        >>> to_and_fro = [[0, 2, 0, 1, 2], [1, 0, 2, 0, 1], [2, 1, 2, 0, 1], [0, 1, 0, 2, 0]] * 5
        >>> past = Histories.sessions(to_and_fro, 3)
        >>> NextItem.choose(past, fadings=[[0.9], [0.1]], ridges=[1.0], exclude="nothing")
        {'fading': (0.1,), 'ridge': 1.0}
        """
        if not len(fadings) or not len(ridges):
            raise TrainingError.bad_interactions("fadings or ridges", "none", "one at least")
        tried = [tuple(float(a) for a in fading) for fading in fadings]
        for fading in tried:
            for ridge in ridges:
                _check(fading, ridge)
        before, true = _held_back(histories, core, exclude)
        middle = float(ridges[len(ridges) // 2])
        found = [_Tried.of(before, true, fading, exclude) for fading in tried]
        best = max(found, key=lambda one: one.quality(middle))
        ridge = max((float(r) for r in ridges), key=best.quality)
        return {"fading": best.fading, "ridge": ridge}

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Return the scores (n, m); a row's result never depends on the others."""
        known = histories.among(self.core)
        scores = np.asarray(_memories(known, self.fading) @ self.weights)
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


def _check(fading: tuple[float, ...], ridge: float | Sequence[float]) -> NDArray[np.float64]:
    """Return the ridge of each memory, or refuse."""
    strength = np.asarray(ridge, dtype=np.float64)
    fits = strength.ndim == 0 or strength.shape == (len(fading),)
    if not fading or not all(0 < a < 1 for a in fading) or not (fits and (strength > 0).all()):
        raise TrainingError.bad_interactions(
            "settings of next_item",
            f"fading {fading}, ridge {ridge}",
            "fadings between 0 and 1, and a ridge above 0 for all or for each",
        )
    return np.broadcast_to(strength, (len(fading),))


def _solved(
    left: NDArray[np.float32], right: NDArray[np.float32], ridge: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Solve the normal equations with a ridge (s m,) added; both sides are written over."""
    from scipy.linalg import lapack

    left[np.diag_indices(len(left))] += ridge.astype(np.float32)
    left, wrong = lapack.spotrf(left, lower=1, clean=0, overwrite_a=1)
    if wrong:
        raise TrainingError.bad_interactions(
            "ridge", f"{ridge.min():g}", "a larger one: the items' counts outweigh 32-bit numbers"
        )
    weights, _ = lapack.spotrs(left, right, lower=1, overwrite_b=1)
    return np.ascontiguousarray(weights)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Tried:
    """One fading among those to choose from: its sums, and what is asked of it.

    ``left``, ``right`` are the normal equations; ``memory`` sparse (u, s m) what u users remember,
    ``true`` (u,) the item each of them came to, ``hidden`` the pairs that a list leaves out.
    """

    fading: tuple[float, ...]
    left: NDArray[np.float32]
    right: NDArray[np.float32]
    memory: Any
    true: NDArray[np.int32]
    hidden: tuple[NDArray[np.int64], NDArray[np.int32]]

    @classmethod
    def of(
        cls, before: Histories, true: NDArray[np.int32], fading: tuple[float, ...], exclude: Seen
    ) -> _Tried:
        left, right = _normal(before, fading)
        asked = before.take(np.flatnonzero(true >= 0))
        hidden = (asked.user, asked.item)
        if exclude == "nothing":
            hidden = (hidden[0][:0], hidden[1][:0])
        return cls(
            fading=fading,
            left=left,
            right=right,
            memory=_memories(asked, fading),
            true=true[true >= 0],
            hidden=hidden,
        )

    def quality(self, ridge: float) -> float:
        """Return the mean of ``1 / log2(1 + rank)`` of the true items."""
        scores = self.memory @ _solved(
            self.left.copy(order="F"), self.right.copy(order="F"), np.full(len(self.left), ridge)
        )
        scores[self.hidden] = -np.inf
        reached = scores[np.arange(len(self.true)), self.true]
        rank = (scores >= reached[:, None]).sum(axis=1)
        return float((1 / np.log2(1.0 + rank)).mean()) if len(rank) else 0.0


def _held_back(
    histories: Histories, core: int, exclude: Seen
) -> tuple[Histories, NDArray[np.int32]]:
    """Return the histories without each last interaction, in a core of items, and that item.

    The item is -1 where there was nothing before it, it is no item of the core, or the list would
    leave it out because the user had it before.
    """
    last = histories.back == 0
    before = histories.only(~last)
    kept = _core(before, core)
    place = np.full(histories.n_items, -1, dtype=np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    true = np.full(len(histories), -1, dtype=np.int32)
    true[histories.user[last]] = place[histories.item[last]]
    known = before.among(kept)
    true[np.diff(known.start) == 0] = -1
    if exclude == "seen":
        again = known.item == true[known.user]
        true[known.user[again]] = -1
    return known, true


def _memories(histories: Histories, fading: tuple[float, ...]) -> Any:
    """Return all memories of each user side by side, sparse (n, s m)."""
    from scipy.sparse import hstack

    return hstack([_memory(histories, a) for a in fading], format="csr")


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
