"""Several recommenders as one, and any of them read back from its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import BundleError, TrainingError
from payoff.model.artefact import body_of
from payoff.model.recommend.als import ImplicitAls
from payoff.model.recommend.content import ContentBased
from payoff.model.recommend.ease import Ease, LowRankEase
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.neighbours import ItemNeighbours
from payoff.model.recommend.plugged import PluggedRecommender
from payoff.model.recommend.popular import BuyAgain, Popular
from payoff.model.recommend.ranker import FORMAT, Contributions, Recommender
from payoff.model.recommend.sequential import NextItem
from payoff.model.text.arrays import array_from

__all__ = ["RECOMMENDERS", "Blend", "recommender_from"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blend(Recommender):
    """A weighted sum of recommenders, each first brought to mean 0 and spread 1 within each user.

    An item that a member would not list gets that member's lowest score for the user; where no
    member would list it, neither does the blend.

    Parameters
    ----------
    n_items
        Size m of the catalogue.
    members
        The recommenders.
    weights
        One number for each.
    """

    name: ClassVar[str] = "blend"
    n_items: int
    members: tuple[Recommender, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, members: Sequence[Recommender], weights: Sequence[float]) -> Blend:
        """Check that the members fit together.

        Raises
        ------
        TrainingError
            ``PAY-T008`` when they do not, or the weights are not finite.

        Examples
        --------
        >>> past = Histories.sessions([[0, 1], [1], [1, 2]], 3)
        >>> Blend.of([Popular.fit(past)], [1.0]).top(past.take([1]), 1).items.tolist()
        [[0]]
        """
        sizes = {member.n_items for member in members}
        if len(sizes) != 1 or len(weights) != len(members) or not np.isfinite(weights).all():
            raise TrainingError.bad_interactions(
                "members of the blend",
                f"{len(members)} with catalogues of {sorted(sizes)} items, {len(weights)} weights",
                "at least one, all of the same catalogue, and a finite weight for each",
            )
        return cls(
            n_items=sizes.pop(), members=tuple(members), weights=tuple(float(w) for w in weights)
        )

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Return the weighted sums (n, m)."""
        shape = (len(histories), self.n_items)
        out, listed = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=bool)
        for member, weight in zip(self.members, self.weights, strict=True):
            scores = member.score(histories)
            listed |= np.isfinite(scores)
            scores = _filled(scores)
            scores = scores - scores.mean(axis=1, keepdims=True)
            spread = scores.std(axis=1, keepdims=True)
            out += np.float32(weight) * scores / np.where(spread > 0, spread, np.float32(1))
        out[~listed] = -np.inf
        return out

    def contributions(self, history: Histories, items: NDArray[np.int32]) -> Contributions | None:
        """Add up what the members say, each in the measure of this user; None if one cannot."""
        parts = [member.contributions(history, items) for member in self.members]
        own = np.unique(history.item)
        value, base = np.zeros((len(own), len(items))), np.zeros(len(items))
        listed = np.zeros(len(items), dtype=bool)
        for member, weight, part in zip(self.members, self.weights, parts, strict=True):
            if part is None:
                return None
            scores = member.score(history)
            there = np.isfinite(scores[0, items])
            listed |= there
            filled = _filled(scores)
            mean, spread = float(filled.mean()), float(filled.std())
            share = weight / (spread if spread > 0 else 1.0)
            rest = np.where(there, part.base, filled[0, items]) - mean
            base += share * rest
            value[np.searchsorted(own, part.item)] += share * np.where(there, part.value, 0.0)
        return Contributions.of(own, value, np.where(listed, base, -np.inf))

    def settings(self) -> dict[str, Any]:
        """Return the weights."""
        return {"weights": list(self.weights)}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return none: the members keep their own."""
        return {}

    def files(self) -> dict[str, bytes]:
        """Return the files of each member under its number, and the weights."""
        own = Recommender.files(self)
        for i, member in enumerate(self.members):
            own |= {f"{i}/{name}": content for name, content in member.files().items()}
        return own

    @classmethod
    def rebuilt(
        cls, n_items: int, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Blend:
        """Return the blend of these weights; ``settings["members"]`` holds the members."""
        return cls(
            n_items=n_items,
            members=tuple(settings["members"]),
            weights=tuple(settings["weights"]),
        )


def _filled(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give what a member would not list the lowest score of what it lists for the user."""
    there = np.isfinite(scores)
    if there.all():
        return scores
    low = np.where(there, scores, np.float32(np.inf)).min(axis=1, keepdims=True)
    return np.where(there, scores, np.where(np.isfinite(low), low, np.float32(0)))


#: Every recommender by its name in files.
RECOMMENDERS: Final[dict[str, type[Recommender]]] = {
    kind.name: kind
    for kind in (
        Popular,
        BuyAgain,
        ItemNeighbours,
        Ease,
        LowRankEase,
        ImplicitAls,
        NextItem,
        ContentBased,
        PluggedRecommender,
        Blend,
    )
}


def recommender_from(files: Mapping[str, bytes]) -> Recommender:
    """Read any recommender back from what `Recommender.files` gave.

    Raises
    ------
    BundleError
        ``PAY-B001`` when a file is missing, ``PAY-B004`` when it is of another format or kind.

    Examples
    --------
    >>> past = Histories.sessions([[0, 1], [1]], 3)
    >>> recommender_from(Popular.fit(past).files()).top(past, 1).items.tolist()
    [[2], [0]]
    """
    body = body_of(files, "recommender.json", FORMAT)
    kind = RECOMMENDERS.get(body["name"])
    if kind is None:
        known = ", ".join(RECOMMENDERS)
        raise BundleError.incompatible("recommender.json", body["name"], f"one of {known}")
    settings = dict(body["settings"])
    if kind is Blend:
        settings["members"] = [
            recommender_from(
                {n.removeprefix(f"{i}/"): c for n, c in files.items() if n.startswith(f"{i}/")}
            )
            for i in range(len(settings["weights"]))
        ]
    arrays = {name: array_from(files, f"{name}.npy") for name in body["arrays"]}
    return kind.rebuilt(body["n_items"], settings, arrays)
