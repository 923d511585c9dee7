"""Money of groups of users: the declared subgroups, and new, light and heavy users beside them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.evidence import Estimate, SubgroupEvidence
from payoff.evidence.interval import share
from payoff.evidence.ranking.judged import ListsJudged
from payoff.evidence.subgroups.compose import UNKNOWN, subgroup_of
from payoff.evidence.subgroups.disclosure import withheld
from payoff.evidence.subgroups.simultaneous import RowSums, cases_of
from payoff.policy.bounds import Group

__all__ = ["HISTORY", "history_of", "list_subgroups", "places_of"]

#: Name of the slice by how much a user did before.
HISTORY = "history"


def history_of(known: NDArray[np.int64]) -> Group:
    """Return new, light and heavy users: none, at most the median of the others, more.

    Examples
    --------
    >>> labels, codes = history_of(np.array([0, 1, 2, 9]))
    >>> labels, codes.tolist()
    (('new', 'light (1 to 2 interactions)', 'heavy (3 or more)'), [0, 1, 1, 2])
    """
    seen = known[known > 0]
    if not len(seen):
        return ("new",), np.zeros(len(known), dtype=np.int32)
    middle = max(1, int(np.median(seen)))
    light = f"light (1 to {middle:,} interactions)" if middle > 1 else "light (1 interaction)"
    labels = ("new", light, f"heavy ({middle + 1:,} or more)")
    return labels, np.digitize(known, [1, middle + 1]).astype(np.int32)


def places_of(groups: Mapping[str, Group]) -> dict[str, NDArray[np.int64]]:
    """Return the group of each user, users without one as the last group."""
    return {
        name: np.where(codes < 0, len(labels), codes).astype(np.int64)
        for name, (labels, codes) in groups.items()
    }


def list_subgroups(judged: ListsJudged) -> tuple[SubgroupEvidence, ...]:
    """Return the money of every group of users under the recommended lists, and their gain.

    The gain is over the policy of the verdict's ``reference``. ``rate`` is the share of users whose
    list had a hit. The declared subgroups share one allowance for false alarms; the slice by
    history has its own, and a group of it is withheld where the two together would give a small
    group away.
    """
    declared, level = dict(judged.groups), judged.decision.evidence.smallest_group
    kept = withheld(places_of(declared), level)
    found = [
        subgroup_of(
            _Users(judged, name, group, kept[name]),
            judged.decision,
            seed=judged.seed,
            parts=len(declared),
            several=_always,
            automatic=False,
        )
        for name, group in declared.items()
    ]
    group = history_of(judged.stakes.known)
    both = {f"declared {name}": places for name, places in places_of(declared).items()}
    both |= {HISTORY: places_of({HISTORY: group})[HISTORY]}
    fixed = {f"declared {name}": of for name, of in kept.items()}
    hidden = withheld(both, level, fixed=fixed)[HISTORY]
    users = _Users(judged, HISTORY, group, hidden)
    slices = subgroup_of(users, judged.decision, seed=judged.seed, parts=1, several=_always)
    return (*found, slices)


def _always(_: int) -> bool:
    """Money of lists is measured in a group whether or not any of them had a hit."""
    return True


class _Users:
    """One grouping of users; see :class:`payoff.evidence.subgroups.compose.GroupSource`."""

    def __init__(
        self, judged: ListsJudged, name: str, group: Group, kept: NDArray[np.bool_]
    ) -> None:
        self.judged = judged
        self.name = name
        self.labels = [*group[0], UNKNOWN]
        self.place = places_of({name: group})[name]
        self.kept = kept
        own = judged.shown[0]
        self.own = own.money
        self.gain_of = own.money - judged.money(str(judged.verdict["reference"]))
        self.hit = own.hits > 0
        self.listed = own.length > 0

    def _rows(self, k: int) -> NDArray[np.int64]:
        return np.flatnonzero(self.place == k)

    def size(self, k: int) -> tuple[int, float]:
        """Return the users of a group, and its share of all."""
        rows = self._rows(k)
        return len(rows), len(rows) / max(len(self.place), 1)

    def withheld(self, k: int) -> bool:
        """Whether showing the group would give a smaller one away."""
        return k < len(self.kept) and bool(self.kept[k])

    def positives(self, k: int) -> tuple[int, Estimate]:
        """Return the users whose list had a hit, and their share."""
        hit = self.hit[self._rows(k)]
        level = self.judged.decision.evidence.level
        return int(hit.sum()), share(hit, np.ones(len(hit)), None, level=level)

    def rates(self, k: int) -> Mapping[str, Estimate]:
        """Return the share of users who are shown a list at all."""
        listed = self.listed[self._rows(k)]
        level = self.judged.decision.evidence.level
        return {"acted": share(listed, np.ones(len(listed)), None, level=level)}

    def gain(self, k: int) -> Estimate:
        """Return money per list against the reference policy."""
        gain = self.gain_of[self._rows(k)]
        same = "" if np.any(gain) else "the two policies earn the same for every user"
        return self.judged.worth(gain, identical=same)

    def value(self, k: int) -> Estimate:
        """Return money per list."""
        return self.judged.worth(self.own[self._rows(k)])

    def acted(self, k: int) -> tuple[float, float]:
        """Return the share of users shown a list, and how many users that is known of."""
        rows = self._rows(k)
        return float(self.listed[rows].mean()), float(len(rows))

    def money_sums(self, what: str) -> RowSums:
        """Return the sums of ``"gain"`` or ``"value"`` by group."""
        return self._sums(self.gain_of if what == "gain" else self.own)

    def rate_sums(self, rate: str) -> RowSums:
        """Return the sums of being shown a list, by group; no error rate is ever asked for."""
        del rate
        return self._sums(self.listed.astype(np.float64))

    def _sums(self, values: NDArray[np.float64]) -> RowSums:
        return RowSums.of(
            cases_of(values, np.ones(self.judged.n), self.place, None), len(self.labels)
        )
