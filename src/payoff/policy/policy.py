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
    return best


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
        ``low``; ``"constant"``: always ``high``; ``"rule"``: the current rule.
    label, how
        Words for the report.
    actions
        Names of the actions, in order of declaration.
    default
        The action that wins ties: doing nothing where it is declared.
    prices
        Action -> money per unit that its capacity costs (its shadow price).
    shares
        Action -> largest share of units it may reach in one batch.
    ranked_by
        What fills a limited batch first: ``"gain"`` or ``"probability"``.
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
    prices: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    ranked_by: str = "gain"
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
        prob_positive: NDArray[np.float64] | None = None,
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
        prob_positive
            float64 (n,), for ``"threshold"`` and ranking by probability.
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
        if self.kind == "threshold":
            high = np.asarray(prob_positive) >= float(self.threshold or 0.0)
            codes = np.where(high, place[str(self.high)], place[str(self.low)]).astype(np.int16)
            rank = np.asarray(prob_positive) * (1.0 if self.ranked_by != "low" else -1.0)
            return self._within(codes, np.repeat(rank[:, None], len(place), 1), weight, expected)
        net = np.asarray(expected, dtype=np.float64).copy()
        for action, price in self.prices.items():
            net[:, place[action]] -= price
        codes = best_actions(net, place[self.default])
        return self._within(codes, net, weight, net)

    def _within(
        self,
        codes: NDArray[np.int16],
        rank: NDArray[np.float64],
        weight: NDArray[np.float64] | None,
        net: NDArray[np.float64] | None,
    ) -> NDArray[np.int16]:
        """Cut every limited action to its share of a batch."""
        n = len(codes)
        if not self.shares or n < 2:
            return codes
        w = np.ones(n) if weight is None else weight
        place = {name: code for code, name in enumerate(self.actions)}
        free = [code for name, code in place.items() if name not in self.shares]
        for action, share in self.shares.items():
            code = place[action]
            taken = np.flatnonzero(codes == code)
            room = share * w.sum() * (1 + 1e-12)
            if w[taken].sum() <= room:
                continue
            over = rank[taken, code]
            if net is not None and self.kind == "expected":
                over = over - net[taken][:, free].max(axis=1)
            order = taken[np.argsort(-over, kind="stable")]
            cut = order[np.cumsum(w[order]) > room]
            if net is not None:
                codes[cut] = np.array(free, dtype=np.int16)[net[cut][:, free].argmax(axis=1)]
            else:
                codes[cut] = place[self.default] if place[self.default] in free else free[0]
        return codes

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        value = {k: getattr(self, k) for k in self.__dataclass_fields__}
        return value | {
            "actions": list(self.actions),
            "prices": dict(self.prices),
            "shares": dict(self.shares),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Policy:
        """Read the JSON form."""
        return cls(**{**value, "actions": tuple(value["actions"])})
