"""A policy: a frozen rule from what is known about a unit to one action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        ``"expected"``: largest expected money less the price of a limited action;
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
    prices
        Action -> money per unit that its capacity costs (its shadow price).
    shares
        Action -> largest share of units it may reach in one batch.
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
    prices: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    baseline: bool = False
    tuned_on: str | None = None

    def __post_init__(self) -> None:
        """Copy the mappings."""
        object.__setattr__(self, "prices", MappingProxyType(dict(self.prices)))
        object.__setattr__(self, "shares", MappingProxyType(dict(self.shares)))

    def apply(
        self,
        *,
        n: int,
        expected: NDArray[np.float64] | None = None,
        prob: NDArray[np.float64] | None = None,
        rule: NDArray[np.int16] | None = None,
        weight: NDArray[np.float64] | None = None,
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

        Notes
        -----
        A price keeps a limited action within its capacity on average; a batch that would still
        exceed it is cut to the units of largest gain, the others get their next best action that
        is not limited.
        """
        place = {name: code for code, name in enumerate(self.actions)}
        if self.kind == "constant":
            return np.full(n, place[str(self.high)], dtype=np.int16)
        if self.kind == "rule":
            return np.asarray(rule, dtype=np.int16).copy()
        if self.kind == "likeliest":
            answers = np.array([place[name] for name in self.answers], dtype=np.int16)
            return self._within(answers[np.asarray(prob).argmax(axis=1)], expected, weight)
        if self.kind == "threshold":
            p = np.asarray(prob)[:, self.positive]
            high, low = place[str(self.high)], place[str(self.low)]
            codes = np.where(p >= float(self.threshold or 0.0), high, low).astype(np.int16)
            rank = np.empty((n, len(place)))
            rank[:, high], rank[:, low] = p, -p
            return self._within(codes, rank, weight)
        net = np.asarray(expected, dtype=np.float64).copy()
        for action, price in self.prices.items():
            net[:, place[action]] -= price
        return self._within(best_actions(net, place[self.default]), net, weight)

    def _within(
        self,
        codes: NDArray[np.int16],
        rank: NDArray[np.float64] | None,
        weight: NDArray[np.float64] | None,
    ) -> NDArray[np.int16]:
        """Cut every limited action to its share of a batch, the lowest rank first."""
        n = len(codes)
        if not self.shares or n < 2 or rank is None:
            return codes
        w = np.ones(n) if weight is None else weight
        place = {name: code for code, name in enumerate(self.actions)}
        free = np.array(
            [code for name, code in place.items() if name not in self.shares], dtype=np.int16
        )
        for action, share in self.shares.items():
            taken = np.flatnonzero(codes == place[action])
            room = share * w.sum() * (1 + 1e-12)
            if w[taken].sum() <= room:
                continue
            second = rank[taken][:, free]
            over = rank[taken, place[action]] - second.max(axis=1)
            order = np.argsort(-over, kind="stable")
            cut = order[np.cumsum(w[taken[order]]) > room]
            codes[taken[cut]] = free[second[cut].argmax(axis=1)]
        return codes

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        value = {k: getattr(self, k) for k in self.__dataclass_fields__}
        return value | {
            "actions": list(self.actions),
            "answers": list(self.answers),
            "prices": dict(self.prices),
            "shares": dict(self.shares),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Policy:
        """Read the JSON form."""
        lists = {key: tuple(value[key]) for key in ("actions", "answers")}
        return cls(**{**value, **lists})
