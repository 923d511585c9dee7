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
    best = net.argmax(axis=1).astype(np.int16)
    tied = net[:, first] >= net[np.arange(len(net)), best]
    best[tied] = first
    return np.asarray(best, dtype=np.int16)


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
        ``low``; ``"likeliest"``: ``answers`` of the likeliest outcome; ``"constant"``: always
        ``high``; ``"rule"``: the current rule; ``"recorded"``: decided elsewhere.
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

    def apply(
        self,
        *,
        n: int,
        expected: NDArray[np.float64] | None = None,
        prob: NDArray[np.float64] | None = None,
        rule: NDArray[np.int16] | None = None,
        weight: NDArray[np.float64] | None = None,
        groups: Mapping[str, Group] | None = None,
        cut_to_fit: bool = True,
    ) -> NDArray[np.int16]:
        """Return the action of each of n units as its place in the declaration.

        Parameters
        ----------
        n
            Number of units.
        expected
            float64 (n, n_actions), for ``"expected"``.
        prob
            float64 (n, n_outcomes), for ``"threshold"`` and ``"likeliest"``.
        rule
            int16 (n,), for ``"rule"``.
        weight
            float64 (n,), how many units each row stands for, for capacity.
        groups
            Subgroup -> labels and int32 (n,) codes, for bounds that speak of groups.
        cut_to_fit
            Whether a batch beyond a limit is cut; without, prices act alone, as on single units.

        Notes
        -----
        A price keeps a limit on average; a batch that would still exceed it is cut to the units of
        largest gain per unit of the resource, the others get their best action that uses nothing
        limited. Floors and gaps hold through their prices.
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
            net = np.asarray(expected, dtype=np.float64)
            rank = net - price_of(self.bounds, self.actions, groups, n)
            for action in self.shut:
                rank[:, place[action]] = -np.inf
            codes = best_actions(rank, place[self.default])
        if rank is None or n < 2 or not cut_to_fit:
            return np.asarray(codes, dtype=np.int16)
        return cut(codes, rank, w, self.bounds, self.actions, groups, self.shut)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        value = {k: getattr(self, k) for k in self.__dataclass_fields__}
        return value | {
            "actions": list(self.actions),
            "answers": list(self.answers),
            "shut": list(self.shut),
            "bounds": [b.to_dict() for b in self.bounds],
            "groupings": [asdict(g) for g in self.groupings],
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Policy:
        """Read the JSON form."""
        lists: dict[str, Any] = {k: tuple(value[k]) for k in ("actions", "answers", "shut")}
        bounds = tuple(Bound(**b) for b in value["bounds"])
        groupings = tuple(Grouping.from_dict(g) for g in value["groupings"])
        return cls(**{**value, **lists, "bounds": bounds, "groupings": groupings})
