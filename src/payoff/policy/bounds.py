"""Limits and constraints as a policy carries them: what they bind, their prices, their cuts.

Nothing heavier than numpy is imported, because the server uses this module too. The prices come
from :mod:`payoff.policy.prices`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Constraint, Decision, Limit
from payoff.errors import EvidenceError
from payoff.load.evaluate import Columns
from payoff.load.spelling import text_of

__all__ = ["CUT", "Bound", "Group", "Grouping", "bounds_of", "cut", "group_of", "price_of", "spent"]

#: Kinds of bound that a batch is cut to; floors and gaps hold through their prices.
CUT: Final = ("capacity", "limit", "cap")

#: Labels of the groups, and the place of each unit among them (-1: not known).
Group = tuple[tuple[str, ...], NDArray[np.int32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One limit, cap, floor or gap, with the prices that keep it.

    Parameters
    ----------
    name
        The action whose capacity it is, or the name of the limit or constraint.
    kind
        ``"capacity"``, ``"limit"``, ``"cap"``, ``"floor"`` or ``"max_gap"``.
    uses
        Action -> units of the resource that taking it once uses.
    subgroup
        The subgroup it is about, or None.
    rooms
        Group (``""`` where there is no subgroup) -> units of the resource per unit decided: of all
        units, or of the group's where ``of_group``. For a gap, the largest gap.
    prices
        Group -> money that one unit of the resource costs; negative where a floor pays for it.
    worth
        Group -> money that one more unit of the resource would have earned.
    """

    name: str
    kind: str
    uses: Mapping[str, float]
    rooms: Mapping[str, float]
    subgroup: str | None = None
    of_group: bool = False
    prices: Mapping[str, float] = field(default_factory=dict)
    worth: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Copy the mappings."""
        for name in ("uses", "rooms", "prices", "worth"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        value = {k: getattr(self, k) for k in self.__dataclass_fields__}
        return value | {k: dict(value[k]) for k in ("uses", "rooms", "prices", "worth")}

    def usage(self, actions: Sequence[str]) -> NDArray[np.float64]:
        """Return what each action uses, float64 (n_actions,)."""
        return np.array([self.uses.get(a, 0.0) for a in actions])


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """How a unit finds its group when it is decided.

    Parameters
    ----------
    name, column
        The subgroup and its column.
    bands
        Limits that cut a number; empty where the values are the groups.
    labels
        The groups, in the order of their codes.
    """

    name: str
    column: str
    labels: tuple[str, ...]
    bands: tuple[float, ...] = ()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Grouping:
        """Read the JSON form."""
        return cls(**{**value, "labels": tuple(value["labels"]), "bands": tuple(value["bands"])})

    def read(self, columns: Columns) -> Group:
        """Return labels and codes of rows; -1 where the group is not known."""
        value = columns.read(self.column)
        if self.bands:
            numbers = np.asarray(value.data, dtype=np.float64)
            codes = np.searchsorted(self.bands, numbers, side="right").astype(np.int32)
            codes[np.isnan(numbers)] = -1
            return self.labels, codes
        place = {label: code for code, label in enumerate(self.labels)}
        last = len(self.labels) - 1
        rest = last if self.labels and self.labels[-1].startswith("all others (") else -1
        truth = value.kind == "boolean"
        known = [
            None
            if v is None or (isinstance(v, float) and isnan(v))
            else text_of(bool(v) if truth else v)
            for v in value.data
        ]
        found = [-1 if text is None else place.get(text, rest) for text in known]
        return self.labels, np.array(found, dtype=np.int32)


def bounds_of(decision: Decision, groups: Mapping[str, Group]) -> tuple[Bound, ...]:
    """Return every declared capacity, limit and constraint, without prices.

    Parameters
    ----------
    groups
        Subgroup -> labels and codes of the rows they are about to be priced on.

    Raises
    ------
    EvidenceError
        ``PAY-E021`` when a limit or constraint names a group that no row has.
    """
    found = [
        Bound(name=a.name, kind="capacity", uses={a.name: 1.0}, rooms={"": share})
        for a in decision.actions
        if (share := decision.capacity_share(a)) is not None
    ]
    for limit in decision.limits:
        room = limit.share
        if limit.per_period is not None:
            room = limit.per_period / float(decision.volume or 1)
        found.append(
            Bound(
                name=limit.name,
                kind="limit",
                uses=limit.actions,
                rooms=dict.fromkeys(_labels(limit, groups), float(room or 0.0)),
                subgroup=limit.subgroup,
                of_group=limit.subgroup is not None and limit.per_period is None,
            )
        )
    counted = tuple(a for a in decision.action_names if a != decision.do_nothing)
    rules = (
        Bound(
            name=constraint.name,
            kind=constraint.kind,
            uses=dict.fromkeys(constraint.actions or counted, 1.0),
            rooms=dict.fromkeys(_labels(constraint, groups), constraint.share),
            subgroup=constraint.subgroup,
            of_group=constraint.subgroup is not None,
        )
        for constraint in decision.constraints
    )
    return (*found, *rules)


def _labels(one: Limit | Constraint, groups: Mapping[str, Group]) -> tuple[str, ...]:
    """Return the groups that a limit or constraint holds in."""
    if one.subgroup is None or one.subgroup not in groups:
        return ("",)
    labels = groups[one.subgroup][0]
    if one.group is None:
        return labels
    if one.group not in labels:
        raise EvidenceError.unknown_group(one.name, one.subgroup, one.group, labels)
    return (one.group,)


def group_of(bound: Bound, groups: Mapping[str, Group] | None, n: int) -> Group:
    """Return labels and codes of n units as a bound sees them; one group where it has none."""
    if bound.subgroup is None:
        return ("",), np.zeros(n, dtype=np.int32)
    if groups is None or bound.subgroup not in groups:
        return (), np.full(n, -1, dtype=np.int32)
    return groups[bound.subgroup]


def price_of(
    bounds: Sequence[Bound],
    actions: Sequence[str],
    groups: Mapping[str, Group] | None,
    n: int,
) -> NDArray[np.float64]:
    """Return what taking each action costs each unit in room used, float64 (n, n_actions)."""
    out = np.zeros((n, len(actions)))
    for bound in bounds:
        if not any(bound.prices.values()):
            continue
        labels, codes = group_of(bound, groups, n)
        price = np.array([*(bound.prices.get(label, 0.0) for label in labels), 0.0])
        uses = bound.usage(actions)
        for a in np.flatnonzero(uses):
            out[:, a] += price[codes] * uses[a]
    return out


def spent(
    bound: Bound,
    codes: NDArray[np.int16],
    weight: NDArray[np.float64],
    actions: Sequence[str],
    groups: Mapping[str, Group] | None,
) -> dict[str, float]:
    """Return, per group, the units of the resource used per unit decided (of the group, or all).

    Groups without units are left out.
    """
    labels, group = group_of(bound, groups, len(codes))
    used = weight * bound.usage(actions)[codes]
    total = float(weight.sum())
    found = {}
    for place, label in enumerate(labels):
        inside = group == place
        size = float(weight[inside].sum())
        if label in bound.rooms and size > 0:
            found[label] = float(used[inside].sum()) / (size if bound.of_group else total)
    return found


def cut(
    codes: NDArray[np.int16],
    rank: NDArray[np.float64],
    weight: NDArray[np.float64],
    bounds: Sequence[Bound],
    actions: Sequence[str],
    groups: Mapping[str, Group] | None,
    shut: Sequence[str] = (),
) -> NDArray[np.int16]:
    """Cut a batch to its limits and caps, the lowest rank per unit of the resource first.

    Parameters
    ----------
    codes
        int16 (n,), the actions wished for; changed in place and returned.
    rank
        float64 (n, n_actions), what each action is worth to the ranking.
    weight
        float64 (n,), units each row stands for.
    shut
        Actions that may not be taken.

    Notes
    -----
    A unit that is cut gets its best action that uses nothing limited, so cutting to one limit never
    breaks another.
    """
    bound_actions = {a for b in bounds if b.kind in CUT for a in b.uses}
    free = np.array(
        [k for k, a in enumerate(actions) if a not in bound_actions and a not in shut],
        dtype=np.int16,
    )
    for bound in bounds:
        if bound.kind not in CUT or len(free) == 0:
            continue
        uses = bound.usage(actions)
        labels, group = group_of(bound, groups, len(codes))
        for place, label in enumerate(labels):
            if label not in bound.rooms:
                continue
            inside = group == place
            total = float((weight[inside] if bound.of_group else weight).sum())
            room = bound.rooms[label] * total * (1 + 1e-12)
            taken = np.flatnonzero(inside & (uses[codes] > 0))
            used = weight[taken] * uses[codes[taken]]
            if used.sum() <= room:
                continue
            second = rank[taken][:, free]
            over = (rank[taken, codes[taken]] - second.max(axis=1)) / uses[codes[taken]]
            order = np.argsort(-over, kind="stable")
            out = order[np.cumsum(used[order]) > room]
            codes[taken[out]] = free[second[out].argmax(axis=1)]
    return codes
