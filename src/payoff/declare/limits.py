"""Limits on what can be done, and constraints on what may be done: several at once.

A limit is a resource that actions use up: hours, visits, places; per period, or as a share of the
units; for all units, for one group, or for every group by itself. A constraint is a rule on the
share of units acted on: a floor, a cap, or the largest gap between groups. Both hold on average by
prices; a limit and a cap hold exactly in a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from payoff.declare.payoffs import check_name, check_number
from payoff.errors import DeclarationError, listed, said

__all__ = ["CONSTRAINTS", "Constraint", "Limit", "check_limits"]

CONSTRAINTS: Final = ("floor", "cap", "max_gap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A resource that actions use up.

    Parameters
    ----------
    name
        Short name, used in the evidence.
    actions
        Action -> units of the resource that taking it once uses (1 when given as a list).
    per_period, share
        Units of the resource in a period (needs the volume), or units of it per unit decided, such
        as the share of customers that can be called; one of the two.
    subgroup, group
        The limit holds for this group of this subgroup only; with ``subgroup`` alone it holds for
        each of its groups by itself. A share is then a share of the group.
    resource
        What one unit of the resource is called, in the singular.
    label
        Words for the report.
    """

    name: str
    actions: Mapping[str, float]
    per_period: float | None = None
    share: float | None = None
    subgroup: str | None = None
    group: str | None = None
    resource: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        """Copy the mapping and check the numbers."""
        key = f"limits.{self.name}"
        check_name(self.name, f"{key}.name")
        object.__setattr__(self, "actions", MappingProxyType(dict(self.actions)))
        if not self.actions:
            raise DeclarationError.bad_value(f"{key}.actions", [], "at least one action")
        for action, amount in self.actions.items():
            check_number(
                amount, f"{key}.actions.{action}", "what it uses, above 0", low=1e-9, high=1e12
            )
        if (self.per_period is None) == (self.share is None):
            raise DeclarationError.bad_value(
                key,
                said("neither" if self.share is None else "both"),
                "either 'per_period' (so many per period) or 'share' (so many per unit decided)",
            )
        if self.per_period is not None:
            check_number(
                self.per_period, f"{key}.per_period", "a number from 0 up", low=0, high=1e15
            )
        if self.share is not None:
            check_number(self.share, f"{key}.share", "a number from 0 up", low=0, high=1e12)
        _needs_subgroup(key, self.subgroup, self.group)
        if not self.label:
            object.__setattr__(self, "label", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A rule on the share of units that the given actions are taken on.

    Parameters
    ----------
    name
        Short name, used in the evidence.
    kind
        ``"floor"``: at least ``share``; ``"cap"``: at most ``share``; ``"max_gap"``: the shares of
        any two groups differ by at most ``share``.
    share
        From 0 to 1.
    actions
        The actions counted together; all but doing nothing when empty.
    subgroup, group
        As in :class:`Limit`; a gap is between all groups of its subgroup.
    label
        Words for the report.
    """

    name: str
    kind: str
    share: float
    actions: tuple[str, ...] = ()
    subgroup: str | None = None
    group: str | None = None
    label: str = ""

    def __post_init__(self) -> None:
        """Check the kind and the share."""
        key = f"constraints.{self.name}"
        check_name(self.name, f"{key}.name")
        if self.kind not in CONSTRAINTS:
            raise DeclarationError.bad_value(
                f"{key}.kind", self.kind, f"one of {listed(CONSTRAINTS)}"
            )
        check_number(self.share, f"{key}.share", "a share from 0 to 1", low=0, high=1)
        _needs_subgroup(key, self.subgroup, self.group)
        if self.kind == "max_gap" and (self.subgroup is None or self.group is not None):
            raise DeclarationError.bad_value(
                f"{key}.subgroup",
                said("no subgroup" if self.subgroup is None else "one group"),
                "a subgroup, without 'group': a gap is between groups",
                "Name the subgroup whose groups are compared",
            )
        if not self.label:
            object.__setattr__(self, "label", self.name)


def _needs_subgroup(key: str, subgroup: str | None, group: str | None) -> None:
    if group is not None and subgroup is None:
        raise DeclarationError.missing_key(
            f"{key}.subgroup", f"the subgroup that {group!r} is a group of", 'subgroup = "region"'
        )


def check_limits(
    limits: Sequence[Limit],
    constraints: Sequence[Constraint],
    *,
    actions: Sequence[str],
    simple: Sequence[str],
    volume: float | None,
    capped: Sequence[str],
    do_nothing: str | None,
) -> None:
    """Check limits and constraints against the rest of the declaration.

    Parameters
    ----------
    actions
        Names of all actions.
    simple
        Names of the subgroups that are a column, not an intersection.
    volume
        Units per period.
    capped
        Actions with a capacity of their own.

    Raises
    ------
    DeclarationError
        ``PAY-D006`` or ``PAY-D007``.
    """
    seen: set[str] = set()
    closed = set(capped)
    placed: list[tuple[str, Limit | Constraint]] = [
        *((f"limits[{n}]", x) for n, x in enumerate(limits)),
        *((f"constraints[{n}]", x) for n, x in enumerate(constraints)),
    ]
    for key, one in placed:
        if one.name.casefold() in seen:
            raise DeclarationError.duplicate(f"{key}.name", one.name, "limits and constraints")
        seen.add(one.name.casefold())
        for action in one.actions:
            if action not in actions:
                raise DeclarationError.unknown_name(f"{key}.actions", action, "action", actions)
        if one.subgroup is not None and one.subgroup not in simple:
            raise DeclarationError.unknown_name(
                f"{key}.subgroup", one.subgroup, "subgroup with a column", simple
            )
        if isinstance(one, Limit):
            closed |= set(one.actions)
            if one.per_period is not None and volume is None:
                raise DeclarationError.bad_value(
                    f"{key}.per_period",
                    one.per_period,
                    "'volume' in [decision], to know which share of units this is",
                    "Add 'volume', or use 'share'",
                )
        elif not one.actions and do_nothing is None:
            raise DeclarationError.missing_key(
                f"{key}.actions",
                "the actions counted; without 'do_nothing' in [decision] none are left out",
                f'actions = ["{actions[0]}"]',
            )
        elif one.kind == "cap":
            closed |= set(one.actions) or {a for a in actions if a != do_nothing}
    if len(closed) == len(actions):
        raise DeclarationError.bad_value(
            "actions",
            listed(actions),
            "at least one action without a limit, for the units that find no room",
            "Take the limit off one action, or declare an action that does nothing",
        )
