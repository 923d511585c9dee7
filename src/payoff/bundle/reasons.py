"""Why each item is listed: which items of the history speak for it, and the same in words."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.model.recommend.blend import Blend
from payoff.model.recommend.popular import Popular
from payoff.model.recommend.ranker import Contributions, Recommender

if TYPE_CHECKING:
    from payoff.bundle.listing import Made
    from payoff.bundle.lists import RecommendBundle

__all__ = ["reasons"]

#: Items of the history that an answer names, the strongest first.
_MOST: Final = 3
#: An item that has less than this share of what speaks for another is not named in words.
_LEAST: Final = 0.15


def reasons(bundle: RecommendBundle, made: Made, session: frozenset[int]) -> list[dict[str, Any]]:
    """Return for each item of a list why it is there.

    Parameters
    ----------
    made
        The list.
    session
        Numbers of the items of the session.

    Returns
    -------
    list of dict
        ``sentence``; ``from``: items of the history with their ``contribution`` to the score and
        their ``share`` of all that speaks for the item, the strongest first; ``rest``: the part of
        the score that no item of the history carries. ``from`` is None where the recommender's
        scores are no sum. Of what chance put there, or what fills the list up,
        only the sentence is said.
    """
    items, model = made.shown.items, made.ranker.recommender
    if model is None or not len(items):
        return []
    parts = model.contributions(made.history, items)
    found = []
    for place in range(len(items)):
        if place == made.shown.place:
            found.append(_only("Shown by chance, to learn what else is wanted."))
        elif place >= made.n_own:
            why = _without_history(bundle, made, bundle.cold.recommender)
            found.append(_only(_sentence([f"fills up the list: {why}"])))
        else:
            found.append(_reason(bundle, made, parts, place, session))
    return found


def _only(sentence: str) -> dict[str, Any]:
    return {"sentence": sentence, "from": [], "rest": None}


def _reason(
    bundle: RecommendBundle,
    made: Made,
    parts: Contributions | None,
    place: int,
    session: frozenset[int],
) -> dict[str, Any]:
    item = int(made.shown.items[place])
    own = _had(bundle, made, item) if item not in session else None
    if parts is None:
        said = [own] if own else []
        return {
            "sentence": _sentence([*said, "the model ranks it high"]),
            "from": None,
            "rest": None,
        }
    value = parts.value[:, place]
    positive = value > 0
    total = float(value[positive].sum())
    order = np.argsort(-value, kind="stable")[:_MOST]
    order = order[positive[order]]
    found = [
        {
            "item": str(bundle.items.labels[parts.item[j]]),
            "label": bundle.items.names[parts.item[j]],
            "contribution": float(value[j]),
            "share": float(value[j]) / total,
        }
        for j in order
    ]
    rest = float(parts.base[place])
    others = [j for j in order if int(parts.item[j]) != item]
    strong = [j for j in others if value[j] / total >= _LEAST]
    # Of a long history no item may have much of the whole; then the strongest is named.
    named = [int(parts.item[j]) for j in strong or others[:1]]
    said = [own] if own else []
    said += _because(bundle, named, session)
    if not said:
        said = [_without_history(bundle, made, made.ranker.recommender)]
    return {
        "sentence": _sentence(said),
        "from": found,
        "rest": rest if np.isfinite(rest) else None,
    }


def _because(bundle: RecommendBundle, named: Sequence[int], session: frozenset[int]) -> list[str]:
    bought = [bundle.items.names[i] for i in named if i not in session]
    looked = [bundle.items.names[i] for i in named if i in session]
    found = [f"because you {_verb(bundle)} {_and(bought)}"] if bought else []
    return found + ([f"goes with {_and(looked)}"] if looked else [])


def _had(bundle: RecommendBundle, made: Made, item: int) -> str | None:
    """Say how often and when the user had the item itself; None if never."""
    own = made.history.time[made.history.item == item]
    if not len(own):
        return None
    often = {1: "once", 2: "twice"}.get(len(own), f"{len(own)} times")
    return f"you {_verb(bundle)} it {often}, last {_moment(bundle, own)}"


def _moment(bundle: RecommendBundle, times: NDArray[np.float64]) -> str:
    last = float(times.max())
    if not bundle.dates:
        return f"at {last:g}"
    start = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    try:
        return f"on {(start + datetime.timedelta(microseconds=last)).date().isoformat()}"
    except OverflowError:
        return "a long time ago"


def _without_history(bundle: RecommendBundle, made: Made, model: Recommender | None) -> str:
    popular = _popular(model)
    if popular is None:
        return "nothing in the history speaks for it; it is the best of what is left"
    segment = int(made.history.segment[0])
    if 0 <= segment < len(popular.share) - 1 and segment < len(bundle.segments):
        return f"popular with {bundle.segments[segment]}"
    return "popular with everybody"


def _popular(model: Recommender | None) -> Popular | None:
    if isinstance(model, Popular):
        return model
    members = model.members if isinstance(model, Blend) else ()
    return next((m for m in members if isinstance(m, Popular)), None)


def _verb(bundle: RecommendBundle) -> str:
    declared = bundle.decision.recommend
    return "bought" if declared is not None and declared.interactions.has_value else "had"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _sentence(said: Sequence[str]) -> str:
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}."
