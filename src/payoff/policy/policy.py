"""A policy: a frozen rule from what is known about a unit to one action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.policy.bounds import Bound, Group, Grouping, cut, price_of

__all__ = ["Policy", "best_actions"]


def best_actions(net: NDArray[np.float64], first: int) -> NDArray[np.int16]:
    """Return the action of largest net money per row; ties go to ``first``, then by declaration.

    Examples
    --------
    >>> best_actions(np.array([[1.0, 1.0], [2.0, 1.0]]), first=1).tolist()
    [1, 0]
    """
    best = np.full(len(net), first, dtype=np.int16)
    most = net[:, first].copy()
    for k in range(net.shape[1]):  # strictly more: a tie stays with who came before
        more = net[:, k] > most
        best[more] = k
        np.maximum(most, net[:, k], out=most)
    return best


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How to act on a unit.

    Parameters
    ----------
    name
        Identifier in the evidence.
    kind
        ``"expected"``: largest expected money less the price of the limits the action uses;
        ``"threshold"``: ``high`` where the positive probability is at least ``threshold``, else
        ``low``; ``"likeliest"``: ``answers`` of the likeliest outcome; ``"automation"``: as
        ``"expected"`` among the actions of ``automatic`` where that is right with at least the
        probability ``threshold``, else ``otherwise``; ``"constant"``: always ``high``; ``"rule"``:
        the current rule; ``"recorded"``: decided elsewhere.
    label, how
        Words for the report.
    actions
        Names of the actions, in order of declaration.
    default
        The action that wins ties: doing nothing where it is declared.
    answers
        For ``"likeliest"``: the action for each outcome, in order of declaration.
    positive
        Place of the positive outcome.
    bounds
        Capacities, limits and constraints it keeps, with their prices.
    groupings
        How a unit finds its group, for the subgroups that bounds speak of.
    shut
        Actions it never takes, because they would not earn their fixed cost.
    automatic, otherwise
        For ``"automation"``: the actions taken without a person, and the one for all other units.
    unfamiliar, stranger
        How familiar a unit must at least be, None where nobody asks; and the action for one that is
        not, whatever the model says, None where it is only flagged.
    baseline
        Whether it needs no model.
    tuned_on
        Part whose outcomes chose a number of this policy; None when no outcome did.
    """

    name: str
    kind: str
    label: str
    how: str
    actions: tuple[str, ...]
    default: str
    high: str | None = None
    low: str | None = None
    threshold: float | None = None
    answers: tuple[str, ...] = ()
    positive: int = 0
    bounds: tuple[Bound, ...] = ()
    groupings: tuple[Grouping, ...] = ()
    shut: tuple[str, ...] = ()
    automatic: tuple[str, ...] = ()
    otherwise: str | None = None
    unfamiliar: float | None = None
    stranger: str | None = None
    baseline: bool = False
    tuned_on: str | None = None

    @property
    def prices(self) -> dict[str, float]:
        """Action -> money per unit that its own capacity costs (its shadow price)."""
        return {b.name: b.prices[""] for b in self.bounds if b.kind == "capacity" and b.prices}

    @property
    def shares(self) -> dict[str, float]:
        """Action -> largest share of units that its own capacity lets it reach in one batch."""
        return {b.name: b.rooms[""] for b in self.bounds if b.kind == "capacity"}

    def apply(  # noqa: PLR0913 (what a policy may look at)
        self,
        *,
        n: int,
        expected: NDArray[np.float64] | None = None,
        prob: NDArray[np.float64] | None = None,
        rule: NDArray[np.int16] | None = None,
        weight: NDArray[np.float64] | None = None,
        groups: Mapping[str, Group] | None = None,
        right: NDArray[np.float64] | None = None,
        familiar: NDArray[np.float64] | None = None,
        cut_to_fit: bool = True,
    ) -> NDArray[np.int16]:
        """Return the action of each of n units as its place in the declaration.

        Parameters
        ----------
        n
            Number of units.
        expected
            float64 (n, n_actions), for ``"expected"`` and ``"automation"``.
        prob
            float64 (n, n_outcomes), for ``"threshold"`` and ``"likeliest"``.
        rule
            int16 (n,), for ``"rule"``.
        weight
            float64 (n,), how many units each row stands for, for capacity.
        groups
            Subgroup -> labels and int32 (n,) codes, for bounds that speak of groups.
        right
            float64 (n, n_actions), probability that each action is right, for ``"automation"``: see
            :func:`payoff.policy.automation.chance_right`.
        familiar
            float64 (n,), how familiar each unit is; None counts as familiar.
        cut_to_fit
            Whether a batch beyond a limit is cut; without, prices act alone, as on single units.

        Notes
        -----
        A price keeps a limit on average; a batch that would still exceed it is cut to the units of
        largest gain per unit of the resource, the others get their best action that uses nothing
        limited. Floors and gaps hold through their prices. Under automation the others get
        ``otherwise``, whose own room is not cut: the error rate comes first.
        """
        place = {name: code for code, name in enumerate(self.actions)}
        if self.kind == "constant":
            return np.full(n, place[str(self.high)], dtype=np.int16)
        if self.kind == "rule":
            return np.asarray(rule, dtype=np.int16).copy()
        w = np.ones(n) if weight is None else weight
        rank: NDArray[np.float64] | None
        if self.kind == "likeliest":
            answers = np.array([place[name] for name in self.answers], dtype=np.int16)
            codes, rank = answers[np.asarray(prob).argmax(axis=1)], expected
        elif self.kind == "threshold":
            p = np.asarray(prob)[:, self.positive]
            high, low = place[str(self.high)], place[str(self.low)]
            codes = np.where(p >= float(self.threshold or 0.0), high, low).astype(np.int16)
            rank = np.zeros((n, len(place)))
            rank[:, high], rank[:, low] = p, -p
        else:
            rank = self.net(np.asarray(expected, dtype=np.float64), groups)
            codes = best_actions(rank, place[self.default])
        bounds, shut = self.bounds, self.shut
        if self.kind == "automation":
            codes = self.automated(np.asarray(rank))
            unsure = np.asarray(right)[np.arange(n), codes] < float(self.threshold or 0.0)
            codes[unsure] = place[str(self.otherwise)]
            bounds = tuple(b for b in bounds if self.otherwise not in b.uses)
            shut = tuple(a for a in self.actions if a != self.otherwise)
        strange = self.strange(familiar)
        if strange is not None and self.stranger is not None:
            codes = np.where(strange, place[self.stranger], codes).astype(np.int16)
            if rank is not None:
                rank[strange, place[self.stranger]] = np.inf
        if rank is None or n < 2 or not cut_to_fit:
            return np.asarray(codes, dtype=np.int16)
        return cut(codes, rank, w, bounds, self.actions, groups, shut)

    def net(
        self, expected: NDArray[np.float64], groups: Mapping[str, Group] | None
    ) -> NDArray[np.float64]:
        """Return expected money less the price of the limits used; -inf for an action shut."""
        rank = expected - price_of(self.bounds, self.actions, groups, len(expected))
        for action in self.shut:
            rank[:, self.actions.index(action)] = -np.inf
        return rank

    def automated(self, rank: NDArray[np.float64]) -> NDArray[np.int16]:
        """Return the best action without a person, however sure it is, int16 (n,).

        Parameters
        ----------
        rank
            float64 (n, n_actions), expected money less the price of the limits an action uses.
        """
        places = np.array([self.actions.index(a) for a in self.automatic], dtype=np.int16)
        first = self.automatic.index(self.default) if self.default in self.automatic else 0
        return places[best_actions(rank[:, places], first)]

    def strange(self, familiar: NDArray[np.float64] | None) -> NDArray[np.bool_] | None:
        """Return which units are unlike those the model learnt from; None where nobody asks."""
        if familiar is None or self.unfamiliar is None:
            return None
        return np.asarray(familiar < self.unfamiliar, dtype=np.bool_)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        value = {k: getattr(self, k) for k in self.__dataclass_fields__}
        return value | {
            "actions": list(self.actions),
            "answers": list(self.answers),
            "shut": list(self.shut),
            "automatic": list(self.automatic),
            "bounds": [b.to_dict() for b in self.bounds],
            "groupings": [asdict(g) for g in self.groupings],
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Policy:
        """Read the JSON form."""
        lists: dict[str, Any] = {k: tuple(value[k]) for k in ("actions", "answers", "shut")}
        lists["automatic"] = tuple(value.get("automatic", ()))
        bounds = tuple(Bound(**b) for b in value["bounds"])
        groupings = tuple(Grouping.from_dict(g) for g in value["groupings"])
        return cls(**{**value, **lists, "bounds": bounds, "groupings": groupings})
