"""Recommenders that somebody else brings: registered by name, saved as a name.

A bundle is data. Of a plugged-in recommender it holds the name under which it was registered and
what it scores for a few made-up users; never the code or the model. Whoever opens it registers the
fitted recommender first, and those scores show whether it is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from payoff.declare.settings import DEFAULT_CANDIDATES
from payoff.errors import BundleError, TrainingError
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.ranker import Recommender, best

__all__ = [
    "PluggedRecommender",
    "fit_plugged",
    "fitted_recommender",
    "plugged_recommenders",
    "register_recommender",
    "unregister_recommender",
]

Score = Callable[[Histories], ArrayLike]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_TAKEN: Final = frozenset(
    (*DEFAULT_CANDIDATES["recommend"], "popular", "buy_again", "plugged", "do_nothing")
)
#: Another machine rounds otherwise; another model differs by far more.
_SAME: Final = 1e-3
_KEPT: Final = 20


@dataclass(slots=True, kw_only=True, eq=False)
class _Entry:
    """What was registered under a name: how it is fitted, and what was fitted last."""

    factory: Callable[[Histories], Score] | None
    fitted: Score | None = None


_REGISTERED: Final[dict[str, _Entry]] = {}


def register_recommender(
    name: str,
    factory: Callable[[Histories], Score] | None = None,
    *,
    fitted: Score | None = None,
) -> None:
    """Make a recommender of another library a candidate.

    Parameters
    ----------
    name
        Small letters, digits and ``_``. Registering a name again replaces it. To try it, name it in
        ``training.candidates``.
    factory
        Takes what users did (:class:`payoff.model.recommend.histories.Histories`; ``.matrix()`` is
        users x items, sparse), fits, and returns a function from histories to scores (n, m): higher
        is better, -inf or not-a-number is never shown. A row's scores may not depend on the others,
        and it must answer for histories it was not fitted on.
    fitted
        Such a function as it was fitted, for opening a bundle that names it.

    Raises
    ------
    TrainingError
        ``PAY-T005`` for a name that cannot be used, or for something that cannot be called.

    Examples
    --------
    >>> def factory(histories):
    ...     often = histories.popularity().astype(float)
    ...     return lambda asked: np.tile(often, (len(asked), 1))
    >>> register_recommender("often", factory)
    >>> past = Histories.sessions([[0, 1], [1]], 3)
    >>> fit_plugged("often", past).top(past, 1, exclude="nothing").items.tolist()
    [[1], [1]]
    >>> unregister_recommender("often")
    """
    if not _NAME.fullmatch(str(name)) or name in _TAKEN:
        raise TrainingError.bad_plugged_recommender(
            str(name),
            "the name cannot be used",
            "a name of small letters, digits and '_' that is no candidate of payoff's own",
        )
    given = [one for one in (factory, fitted) if one is not None]
    if not given or not all(callable(one) for one in given):
        raise TrainingError.bad_plugged_recommender(
            name, "it cannot be called", "a function that fits, or one that was fitted"
        )
    _REGISTERED[name] = _Entry(factory=factory, fitted=fitted)


def unregister_recommender(name: str) -> None:
    """Forget what was registered under a name, if anything was."""
    _REGISTERED.pop(name, None)


def plugged_recommenders() -> tuple[str, ...]:
    """Return the names that can be fitted."""
    return tuple(sorted(n for n, entry in _REGISTERED.items() if entry.factory is not None))


def fitted_recommender(name: str) -> Score:
    """Return the function that the latest fit of this process made, to be kept and registered.

    Raises
    ------
    TrainingError
        ``PAY-T005`` when there is none.
    """
    entry = _REGISTERED.get(name)
    if entry is None or entry.fitted is None:
        raise TrainingError.bad_plugged_recommender(
            name, "no model was fitted with it in this process", "a run with this candidate first"
        )
    return entry.fitted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PluggedRecommender(Recommender):
    """A recommender of somebody else.

    Parameters
    ----------
    n_items
        Size m of the catalogue.
    registered
        The name.
    scored
        Histories to scores.
    """

    name: ClassVar[str] = "plugged"
    n_items: int
    registered: str
    scored: Score = field(repr=False)

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Return its scores (n, m), checked.

        Raises
        ------
        TrainingError
            ``PAY-T005`` when it fails, or returns something else than a row for each history.
        """
        need = f"float ({len(histories)}, {self.n_items}), one row for each history"
        try:
            found = np.asarray(self.scored(histories), dtype=np.float32)
        except Exception as error:
            raise TrainingError.bad_plugged_recommender(
                self.registered, f"it failed: {type(error).__name__}: {error}", need
            ) from error
        if found.shape != (len(histories), self.n_items):
            raise TrainingError.bad_plugged_recommender(
                self.registered, f"an array of shape {found.shape}", need
            )
        return np.where(np.isnan(found) | (found == np.inf), np.float32(-np.inf), found)

    def probe(self) -> list[dict[str, list[float]]]:
        """Return what it scores best for a few made-up users."""
        m = self.n_items
        users = Histories.sessions([[0], [m // 2, m - 1], [0, m // 3, m // 2]], m)
        lists = best(self.score(users), min(_KEPT, m))
        return [
            {
                "items": [float(i) for i in row[row >= 0]],
                "scores": [float(s) for s in own[row >= 0]],
            }
            for row, own in zip(lists.items, lists.scores, strict=True)
        ]

    def settings(self) -> dict[str, Any]:
        """Return the name and the probe."""
        return {"registered": self.registered, "probe": self.probe()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return none: the model is not kept."""
        return {}

    @classmethod
    def rebuilt(
        cls, n_items: int, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> PluggedRecommender:
        """Return what is registered under the name, when it is the same.

        Raises
        ------
        BundleError
            ``PAY-B007`` when nothing is registered under the name, or something else.
        """
        name = str(settings["registered"])
        entry = _REGISTERED.get(name)
        if entry is None or entry.fitted is None:
            raise BundleError.recommender_not_registered(name, "nothing fitted is registered")
        found = cls(n_items=n_items, registered=name, scored=entry.fitted)
        try:
            probe = found.probe()
        except TrainingError as error:
            raise BundleError.recommender_not_registered(name, str(error.got)) from None
        if not _alike(probe, settings["probe"]):
            raise BundleError.recommender_not_registered(
                name, "what is registered under this name scores otherwise"
            )
        return found


def _alike(now: list[dict[str, list[float]]], was: list[dict[str, list[float]]]) -> bool:
    for a, b in zip(now, was, strict=True):
        x, y = np.array(a["scores"]), np.array(b["scores"])
        if x.shape != y.shape or not np.allclose(x, y, rtol=_SAME, atol=_SAME):
            return False
        if len(set(a["items"]) ^ set(b["items"])) > 2:  # ties at the end may be cut otherwise
            return False
    return True


def fit_plugged(name: str, histories: Histories) -> PluggedRecommender:
    """Fit what is registered under a name, and try it on a few users: together and one by one.

    Raises
    ------
    TrainingError
        ``PAY-T005`` when it does not do what it must.
    """
    entry = _REGISTERED[name]
    assert entry.factory is not None
    try:
        scored = entry.factory(histories)
    except Exception as error:
        raise TrainingError.bad_plugged_recommender(
            name, f"it failed: {type(error).__name__}: {error}", "a function of histories"
        ) from error
    if not callable(scored):
        raise TrainingError.bad_plugged_recommender(
            name, "what it fitted cannot be called", "a function from histories to scores"
        )
    found = PluggedRecommender(n_items=histories.n_items, registered=name, scored=scored)
    few = histories.take(np.arange(min(3, len(histories))))
    together = found.score(few)
    alone = np.concatenate([found.score(few.take([i])) for i in range(len(few))])
    if not np.allclose(together, alone, rtol=_SAME, atol=_SAME):
        raise TrainingError.bad_plugged_recommender(
            name,
            "a user gets other scores when others are with him",
            "scores that do not depend on the other users of a call",
        )
    entry.fitted = scored
    return found
