"""The families of recommenders that are tried, each with the few settings worth trying."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from payoff.declare.settings import DEFAULT_CANDIDATES
from payoff.errors import PayoffError, TrainingError
from payoff.model.recommend.als import ImplicitAls
from payoff.model.recommend.content import ContentBased
from payoff.model.recommend.ease import Ease, LowRankEase, dense_bytes, usual_ridge
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.memory import available
from payoff.model.recommend.neighbours import ItemNeighbours
from payoff.model.recommend.plugged import fit_plugged, plugged_recommenders
from payoff.model.recommend.popular import BuyAgain, Popular
from payoff.model.recommend.ranker import Recommender
from payoff.model.recommend.sequential import NextItem

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["BASELINES", "LABELS", "MODELS", "Facts", "NotTried", "Setting", "why_not"]


class NotTried(Exception):
    """A family is left out; the message says why, in one sentence."""


#: Policies that need no model.
BASELINES: Final = ("popular", "buy_again")
#: Models that are tried where none are named, simplest first.
MODELS: Final = DEFAULT_CANDIDATES["recommend"]
LABELS: Final[Mapping[str, str]] = {
    "popular": "What most users buy",
    "buy_again": "What the user bought before",
    "item_neighbours": "Items had by the same users (item neighbours)",
    "ease": "Each item predicted from all others (EASE)",
    "low_rank_ease": "Each item predicted from all others (EASE of low rank)",
    "als": "Users and items as short vectors (implicit ALS)",
    "next_item": "What comes next (linear)",
    "content": "Items with like attributes (content)",
    "blend": "Blend of models",
}
#: Numbers multiplied and added per second of one processor, at 32 bits: for refusing what is slow.
_SPEED: Final = 3e10
_LONGEST_FIT: Final = 60.0
#: Largest catalogue whose next items are all learnt at once.
_CORE: Final = 4_000
_DAY: Final = 86_400_000_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing to try: a family with its settings.

    Parameters
    ----------
    family
        Name of the family.
    words
        The settings in words, for the report; empty where there are none.
    settings
        The same as JSON.
    make
        Fits it.
    """

    family: str
    words: str
    settings: Mapping[str, Any]
    make: Callable[[Histories], Recommender] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Facts:
    """What decides which settings are worth trying.

    Parameters
    ----------
    histories
        What models learn from.
    attributes
        Attributes of items (m, a); None where none are known.
    dates
        Whether times are microseconds.
    repeats
        Whether what a user has may be shown again.
    seed
        Root of everything random.
    segment
        Name of the subgroup whose popular items are counted apart.
    """

    histories: Histories
    attributes: csr_matrix | None
    dates: bool
    repeats: bool
    seed: int
    segment: str = "the first subgroup"

    def settings(self, family: str) -> Iterator[Setting]:
        """Yield the settings of a family, the usual ones first.

        Raises
        ------
        NotTried
            Where the family would take too long, or cannot be fitted to these interactions.
        TrainingError
            ``PAY-T002`` for a family that is not known.
        """
        made = _GRIDS.get(family)
        if made is not None:
            yield from made(self)
        elif family in plugged_recommenders():
            yield _setting(family, "", {}, partial(fit_plugged, family))
        else:
            known = (*MODELS, *plugged_recommenders())
            raise TrainingError.unknown_recommender(family, known)


def why_not(error: PayoffError | NotTried) -> str:
    """Return in a sentence why a family is left out."""
    if isinstance(error, NotTried):
        return str(error)
    return f"It needs {error.need}, and got {error.got}."


def _setting(
    family: str, words: str, settings: Mapping[str, Any], make: Callable[[Histories], Recommender]
) -> Setting:
    return Setting(family=family, words=words, settings=settings, make=make)


def _half_lives(facts: Facts) -> list[tuple[float | None, str]]:
    """Return half-lives that the interactions are long enough for, with words; None is for ever."""
    times = facts.histories.time
    span = float(np.ptp(times)) if len(times) else 0.0
    found: list[tuple[float | None, str]] = [(None, "all interactions count alike")]
    if span <= 0:
        return found
    if facts.dates:
        fit = [days for days in (365, 90, 30, 7) if days * _DAY < span]
        return [*found, *((days * _DAY, f"half-life {days} days") for days in fit)]
    shares = [share * span for share in (0.3, 0.1, 0.03)]
    return [*found, *((s, f"half-life {s:.6g} in the unit of time") for s in shares)]


def _popular(facts: Facts) -> Iterator[Setting]:
    segments = bool((facts.histories.segment >= 0).any())
    for by_segment in (False, True) if segments else (False,):
        for half_life, words in _half_lives(facts):
            kept: dict[str, Any] = {"half_life": half_life, "by_segment": by_segment}
            more = f", by {facts.segment}" if by_segment else ""
            yield _setting("popular", words + more, kept, partial(Popular.fit, **kept))


def _buy_again(facts: Facts) -> Iterator[Setting]:
    if not facts.repeats:
        raise NotTried("'repeats' is false in [list], so that nothing is shown again.")
    for half_life, words in _half_lives(facts):
        kept: dict[str, Any] = {"half_life": half_life}
        yield _setting("buy_again", words, kept, partial(BuyAgain.fit, **kept))


_SIMILARITIES: Final = {"tfidf": "TF-IDF", "cosine": "cosine", "bm25": "BM25"}


def _item_neighbours(_facts: Facts) -> Iterator[Setting]:
    for similarity, neighbours in (("tfidf", 100), ("cosine", 100), ("bm25", 100), ("tfidf", 20)):
        kept: dict[str, Any] = {"similarity": similarity, "neighbours": neighbours}
        yield _setting(
            "item_neighbours",
            f"{_SIMILARITIES[similarity]}, {neighbours} neighbours",
            kept,
            partial(ItemNeighbours.fit, **kept),
        )


def _ridges(facts: Facts) -> Sequence[float]:
    """Return the usual ridge, a third of it and three times it, to two digits."""
    usual = usual_ridge(facts.histories.matrix().nnz)
    return tuple(float(f"{factor * usual:.2g}") for factor in (1.0, 1 / 3, 3.0))


def _too_slow(what: str, work: float, instead: str) -> None:
    seconds = work / _SPEED
    if seconds > _LONGEST_FIT:
        raise NotTried(
            f"One fit of {what} would take about {seconds:,.0f} processor seconds; more than "
            f"{_LONGEST_FIT:.0f} are not spent on one. {instead}"
        )


def dense_ease_fits(histories: Histories) -> bool:
    """Whether dense EASE fits into memory and time."""
    m = histories.n_items
    return dense_bytes(m) <= available() and float(m) ** 3 / _SPEED <= _LONGEST_FIT


def _ease(facts: Facts) -> Iterator[Setting]:
    m = facts.histories.n_items
    _too_slow(f"ease of {m:,} items", float(m) ** 3, "EASE of low rank stands in.")
    for ridge in _ridges(facts):
        kept: dict[str, Any] = {"ridge": ridge}
        yield _setting("ease", f"ridge {ridge:g}", kept, partial(Ease.fit, **kept))


def _low_rank_ease(facts: Facts) -> Iterator[Setting]:
    if dense_ease_fits(facts.histories):
        raise NotTried("The catalogue is small enough for EASE itself.")
    for ridge in _ridges(facts)[:2]:
        kept: dict[str, Any] = {"ridge": ridge, "rank": 96}
        yield _setting(
            "low_rank_ease",
            f"ridge {ridge:g}, rank 96",
            kept,
            partial(LowRankEase.fit, rng=facts.seed, **kept),
        )


def _als(facts: Facts) -> Iterator[Setting]:
    rounds, rows = 8, len(facts.histories) + facts.histories.n_items
    for dimensions, unseen in ((64, 0.1), (32, 0.3)):
        work = rounds * (
            2.0 * len(facts.histories.item) * dimensions**2 + rows * (dimensions**3 + 3e6)
        )
        _too_slow(f"als of {rows:,} users and items", work, "Item neighbours stand in.")
        kept: dict[str, Any] = {
            "dimensions": dimensions,
            "unseen": unseen,
            "ridge": 0.01,
            "rounds": rounds,
        }
        yield _setting(
            "als",
            f"{dimensions} dimensions, weight of the unseen {unseen:g}",
            kept,
            partial(ImplicitAls.fit, rng=facts.seed, **kept),
        )


def _next_item(facts: Facts) -> Iterator[Setting]:
    m = facts.histories.n_items
    core = None if m <= _CORE else _CORE
    of = "" if core is None else f", of the {core:,} items that most users had"
    for fading, ridge in (((0.9,), 200.0), ((0.5, 0.95), 200.0)):
        kept: dict[str, Any] = {"fading": fading, "ridge": ridge, "core": core}
        words = f"fading {' and '.join(f'{f:g}' for f in fading)}, ridge {ridge:g}{of}"
        yield _setting("next_item", words, kept, partial(NextItem.fit, **kept))


def _content(facts: Facts) -> Iterator[Setting]:
    attributes = facts.attributes
    if attributes is None:
        raise NotTried("No attributes of items are known: there is no [items] that says any.")
    yield _setting("content", "", {}, partial(ContentBased.fit, attributes=attributes))


_GRIDS: Final[Mapping[str, Callable[[Facts], Iterator[Setting]]]] = {
    "popular": _popular,
    "buy_again": _buy_again,
    "item_neighbours": _item_neighbours,
    "ease": _ease,
    "low_rank_ease": _low_rank_ease,
    "als": _als,
    "next_item": _next_item,
    "content": _content,
}
