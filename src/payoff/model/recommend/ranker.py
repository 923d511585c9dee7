"""What every recommender can do once it can score: lists, similar items, bytes."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from payoff.errors import TrainingError
from payoff.model.recommend.histories import Histories
from payoff.model.text.arrays import bytes_of

__all__ = ["FORMAT", "Contributions", "Lists", "Recommender", "best"]

FORMAT: Final = "recommender/1"
#: Scores held at once while lists are made: 64 MB of float32.
_BLOCK: Final = 16_000_000

Seen = Literal["seen", "nothing"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lists:
    """Ranked lists of n users.

    Parameters
    ----------
    items
        int32 (n, k), best first; -1 where a list ends early.
    scores
        float32 (n, k); -inf where a list ends early. Comparable within one list only.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        self.items.setflags(write=False)
        self.scores.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contributions:
    """What the scores of c items are made of: a sum over the history, and what no item of it says.

    Parameters
    ----------
    item
        int32 (h,), items of the history, each once.
    value
        float32 (h, c): what each adds to the score of each.
    base
        float32 (c,): the score without them; -inf for what is never shown.
    """

    item: NDArray[np.int32]
    value: NDArray[np.float32]
    base: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for array in (self.item, self.value, self.base):
            array.setflags(write=False)

    @classmethod
    def of(
        cls,
        item: NDArray[Any],
        value: NDArray[Any],
        base: NDArray[Any] | None = None,
    ) -> Contributions:
        """Bring the parts to their types; without ``base`` it is 0."""
        rest = np.zeros(value.shape[1]) if base is None else base
        return cls(
            item=np.asarray(item, dtype=np.int32),
            value=np.asarray(value, dtype=np.float32),
            base=np.asarray(rest, dtype=np.float32),
        )


def best(scores: NDArray[np.float32], k: int) -> Lists:
    """Return the k best items of each row of scores (n, m); of equal ones the lower number first.

    A score of -inf means "not to be shown". Not-a-number is never shown either.

    Examples
    --------
    >>> best(np.array([[1.0, 3.0, 1.0, -np.inf]], dtype=np.float32), 4).items.tolist()
    [[1, 0, 2, -1]]
    """
    n, m = scores.shape
    items = np.full((n, k), -1, dtype=np.int32)
    out = np.full((n, k), -np.inf, dtype=np.float32)
    for row in range(n):
        s = scores[row]
        at = _candidates(s, min(k, m))
        top = at[np.argsort(-s[at], kind="stable")[:k]]  # not-a-number comes last
        top = top[s[top] > -np.inf]  # drops what is not a number, too
        items[row, : len(top)], out[row, : len(top)] = top, s[top]
    return Lists(items=items, scores=out)


def _candidates(s: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Return, in order of number, few places among which the k best are, earlier ties first.

    The k-th largest of the maxima of blocks is a lower bound of the k-th largest score, and fewer
    than k blocks hold anything above it. (A general partition is slow where most scores are
    equal.)
    """
    if np.isnan(s).any():
        s = np.where(np.isnan(s), np.float32(-np.inf), s)
    width = len(s) // max(1_024, 4 * k)
    if k == 0 or width < 2:
        return np.arange(len(s) if k else 0)
    whole = len(s) // width * width
    most = s[:whole].reshape(-1, width).max(axis=1)
    bound = np.sort(most)[len(most) - k]
    above = np.flatnonzero(s > bound)
    if len(above) >= k:
        return above
    ties = np.flatnonzero(s == bound)[:k]
    return np.sort(np.concatenate([above, ties]))


class Recommender(ABC):
    """A fitted recommender: scores every item of the catalogue for any history.

    Subclasses are frozen dataclasses with ``n_items``; each has a classmethod ``fit(histories,
    ...)`` and reads itself back with ``from_files``.
    """

    __slots__ = ()

    name: ClassVar[str]
    n_items: int

    @abstractmethod
    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Return float32 (n, m): higher is better, -inf is never shown."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Return what is not an array, JSON-ready."""

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what was learnt, by name."""

    @classmethod
    @abstractmethod
    def rebuilt(
        cls, n_items: int, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Recommender:
        """Return the recommender of these settings and arrays."""

    def top(
        self,
        histories: Histories,
        k: int,
        *,
        exclude: Seen = "seen",
        allowed: ArrayLike | None = None,
    ) -> Lists:
        """Return the k best items for each history: known users, new users and baskets alike.

        Parameters
        ----------
        histories
            One row per user; ``histories.take(users)`` for some of them.
        k
            Length of the lists.
        exclude
            ``"seen"`` leaves out what the user had already; ``"nothing"`` where repeats are normal.
        allowed
            Which items may be shown at all, bool (m,) or (n, m): stock, rules, filters.

        Returns
        -------
        Lists
            Deterministic: of items with equal scores the one with the lower number comes first.

        Raises
        ------
        TrainingError
            ``PAY-T008`` when the catalogue is another or ``allowed`` has another shape.
        """
        self._same_catalogue(histories)
        n, rows = len(histories), max(1, _BLOCK // max(1, self.n_items))
        mask = None if allowed is None else np.asarray(allowed, dtype=bool)
        if mask is not None and mask.shape not in {(self.n_items,), (n, self.n_items)}:
            raise TrainingError.bad_interactions(
                "allowed", f"shape {mask.shape}", f"({self.n_items},) or ({n}, {self.n_items})"
            )
        parts = []
        for first in range(0, max(n, 1), rows):
            part = histories.take(np.arange(first, min(n, first + rows)))
            scores = self.score(part)
            if exclude == "seen":
                scores[part.user, part.item] = -np.inf
            if mask is not None:
                here = mask if mask.ndim == 1 else mask[first : first + rows]
                scores = np.where(here, scores, np.float32(-np.inf))
            parts.append(best(scores, k))
        return Lists(
            items=np.concatenate([p.items for p in parts]),
            scores=np.concatenate([p.scores for p in parts]),
        )

    def similar(self, items: ArrayLike, k: int, *, allowed: ArrayLike | None = None) -> Lists:
        """Return what goes with each item: the list of somebody who had that item alone."""
        alone = [[int(i)] for i in np.atleast_1d(np.asarray(items))]
        return self.top(Histories.sessions(alone, self.n_items), k, allowed=allowed)

    def contributions(self, history: Histories, items: NDArray[np.int32]) -> Contributions | None:
        """Say what the scores of some items are made of; None where they are no such sum.

        Parameters
        ----------
        history
            One row.
        items
            int32 (c,).

        Returns
        -------
        Contributions or None
            ``base + value.sum(axis=0)`` is the score, up to the rounding of 32-bit numbers.

        Examples
        --------
        >>> from payoff.model.recommend.ease import Ease
        >>> past = Histories.sessions([[0, 1], [0, 1], [0, 1, 2]], 3)
        >>> made = Ease.fit(past, ridge=1.0).contributions(past.take([0]), np.array([2]))
        >>> made.item.tolist(), made.value.astype(float).round(2).tolist()
        ([0, 1], [[0.14], [0.14]])
        """
        return None

    def files(self) -> dict[str, bytes]:
        """Return the recommender as files: one JSON text and arrays without objects."""
        body = {
            "format": FORMAT,
            "name": self.name,
            "n_items": self.n_items,
            "settings": self.settings(),
            "arrays": sorted(self.arrays()),
        }
        found = {f"{name}.npy": bytes_of(a) for name, a in self.arrays().items()}
        return {"recommender.json": json.dumps(body, indent=1).encode(), **found}

    def _same_catalogue(self, histories: Histories) -> None:
        if histories.n_items != self.n_items:
            raise TrainingError.bad_interactions(
                "histories",
                f"a catalogue of {histories.n_items:,} items",
                f"{self.n_items:,} items, as when the model was fitted",
            )
