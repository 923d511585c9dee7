"""The users of a part at its beginning: what was known, what could be shown, what came then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from payoff.load.evaluate import RowColumns, money
from payoff.load.interactions.attributes import codes_of_items, showable, user_groups
from payoff.load.interactions.events import Events, Interactions, hit_money
from payoff.load.interactions.split import InteractionParts
from payoff.model.recommend.histories import Histories
from payoff.policy.bounds import Group
from payoff.policy.listing.policy import Offer
from payoff.policy.listing.stakes import ListStakes, ListsToChoose, ListsToJudge
from payoff.policy.listing.value import shrunk_means
from payoff.rng import generator

__all__ = ["World", "histories_of", "offer_of", "world_to_choose", "world_to_judge"]

_DAY: Final = 86_400_000_000.0
_T = TypeVar("_T", bound=ListStakes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World(Generic[_T]):
    """What lists of one part are made from, and what they are measured by.

    Parameters
    ----------
    histories
        What each user of the catalogue had done before the part; times in the unit of the events.
    offer
        What could be shown at the beginning of the part.
    stakes
        Who is shown a list, and what each did in the part.
    n_users
        Users of the part before any were drawn: more than rows of ``stakes`` after a draw.
    """

    histories: Histories
    offer: Offer
    stakes: _T
    n_users: int

    @property
    def asking(self) -> Histories:
        """Histories of the users who are shown a list, in the order of the stakes."""
        return self.histories.take(self.stakes.user)


def histories_of(data: Interactions, known: Events) -> Histories:
    """Return what every user of the catalogue did, one row for each, also where that is nothing.

    The segment of a user is his group in the first declared subgroup that has a column.
    """
    first = next((s.name for s in data.decision.subgroups if s.column is not None), None)
    return Histories.of(
        known.user,
        known.item,
        n_users=len(data.users),
        n_items=len(data.items),
        time=known.time,
        segment=None if first is None else user_groups(data)[first][1],
    )


def offer_of(data: Interactions, known: Events, moment: float) -> Offer:
    """Return what can be shown at a moment, and what a hit of each item is expected to earn.

    Parameters
    ----------
    known
        Events before the moment. The money of an item is the mean of ``payoffs.show.hit`` over
        them, drawn to the mean of all items (:func:`payoff.policy.listing.value.shrunk_means`).
    moment
        In the unit of the events' time; not-a-number where there is none for everybody: then
        catalogue and stock limit nothing.
    """
    allowed = showable(data)
    if np.isfinite(moment):
        allowed &= data.available(moment)
    rules = data.decision.recommend
    assert rules is not None
    return Offer(
        allowed=allowed,
        money=shrunk_means(hit_money(data.decision, known), known.item, len(data.items)),
        at_most=tuple((codes_of_items(data, c), n) for c, n in rules.list.at_most.items()),
    )


def world_to_choose(
    data: Interactions, parts: InteractionParts, *, most: int, seed: int
) -> World[ListsToChoose]:
    """Return the choosing part; of more than ``most`` users so many, drawn by ``seed``."""
    moments = (float(parts.starts[0]), float(parts.starts[1]))
    users = _shown_to(data, parts.choose, parts.fit)
    drawn = users
    if len(users) > most:
        chosen = generator(seed, "users to choose on").choice(len(users), most, replace=False)
        drawn = users[np.sort(chosen)]
    return World(
        histories=histories_of(data, parts.fit),
        offer=offer_of(data, parts.fit, moments[0]),
        stakes=ListsToChoose(
            part="choose", **_at_stake(data, parts.choose, parts.fit, drawn, moments)
        ),
        n_users=len(users),
    )


def world_to_judge(data: Interactions, parts: InteractionParts) -> World[ListsToJudge]:
    """Return the judging part, all its users."""
    start = float(parts.starts[1])
    end = float(parts.judge.time.max())
    users = _shown_to(data, parts.judge, parts.history)
    return World(
        histories=histories_of(data, parts.history),
        offer=offer_of(data, parts.history, start),
        stakes=ListsToJudge(
            part="judge", **_at_stake(data, parts.judge, parts.history, users, (start, end))
        ),
        n_users=len(users),
    )


def _shown_to(data: Interactions, during: Events, before: Events) -> NDArray[np.int32]:
    rules = data.decision.recommend
    assert rules is not None
    active = np.unique(during.user)
    if rules.list.shown_to == "active":
        return active
    return np.union1d(active, before.user).astype(np.int32)


def _at_stake(
    data: Interactions,
    during: Events,
    before: Events,
    users: NDArray[np.int32],
    window: tuple[float, float],
) -> dict[str, Any]:
    """Return the fields of the stakes of some users: what each bought, once for each item."""
    m = len(data.items)
    place = np.full(len(data.users), -1, dtype=np.int64)
    place[users] = np.arange(len(users))
    own = during.take(place[during.user] >= 0)
    pair, at = np.unique(place[own.user] * m + own.item, return_inverse=True)
    earned = {"hit": hit_money(data.decision, own), "value": own.value, "margin": own.margin}
    sums = {n: np.bincount(at, weights=v, minlength=len(pair)) for n, v in earned.items()}
    groups: dict[str, Group] = {
        name: (labels, codes[users]) for name, (labels, codes) in user_groups(data).items()
    }
    dated = data.dates and all(np.isfinite(window))
    return {
        "user": users.astype(np.int32),
        "pair": pair,
        **sums,
        "miss": _miss(data),
        "n_items": m,
        "known": np.bincount(before.user, minlength=len(data.users))[users],
        "groups": groups,
        "days": (window[1] - window[0]) / _DAY if dated else None,
    }


def _miss(data: Interactions) -> float:
    """Return ``payoffs.show.miss``, which reads no column."""
    node = data.decision.payoffs.cell("show", "miss").node
    return float(money(node, RowColumns([{}], {}))[0])
