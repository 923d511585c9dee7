"""The table ``[list]``: what is shown to whom, by which rules, and what a list must keep to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from payoff.declare import expression
from payoff.declare.expression import Node
from payoff.declare.payoffs import check_number
from payoff.errors import DeclarationError, ExpressionError, listed

__all__ = ["MEASURES", "SHOWN_TO", "ListConstraint", "ListSettings"]

#: Whom a list is shown to when it is judged.
SHOWN_TO: Final = ("active", "known")
#: What a declared constraint may be about, beside ``share:<column>=<group>``.
MEASURES: Final = (
    "ndcg",
    "recall",
    "map",
    "mrr",
    "hit_rate",
    "coverage",
    "novelty",
    "diversity",
    "popularity",
    "gini",
)
_SHARE: Final = "share:"
#: Measures that can leave the range from 0 to 1.
_UNBOUNDED: Final = ("novelty", "popularity")
_LONGEST_LIST: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ListConstraint:
    """What the lists of the recommended policy must reach, or stay below.

    Parameters
    ----------
    measure
        One of :data:`MEASURES`, or ``"share:<column>=<group>"``: share of all places that hold
        items whose attribute ``column``, named in ``list.item_groups``, is ``group``.
    at_least, at_most
        The limits; one of them or both.
    reason
        Why, in words for the decision record.

    Raises
    ------
    DeclarationError
        ``PAY-D004`` without a limit or a reason, ``PAY-D006`` for a measure or range unknown.

    Examples
    --------
    >>> ListConstraint(measure="share:brand=own", at_most=0.4, reason="own brand").item_group
    ('brand', 'own')
    """

    measure: str
    reason: str
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        """Check the measure and the limits."""
        key = "list.constraints"
        column, group = self.item_group or ("", "")
        shares = self.measure.startswith(_SHARE)
        if self.measure not in MEASURES and not (shares and column and group):
            raise DeclarationError.bad_value(
                f"{key}.measure",
                self.measure,
                f"one of {listed(MEASURES, 20)}, or 'share:<column>=<group>'",
                'Write, for example, measure = "coverage", or measure = "share:brand=own"',
            )
        if self.at_least is None and self.at_most is None:
            raise DeclarationError.missing_key(
                f"{key}.at_least", "a limit: 'at_least', 'at_most' or both", "at_least = 0.2"
            )
        if not self.reason.strip():
            raise DeclarationError.missing_key(
                f"{key}.reason", "why, in words", 'reason = "small suppliers must be seen"'
            )
        high = 1e9 if self.measure in _UNBOUNDED else 1.0
        for name in ("at_least", "at_most"):
            limit = getattr(self, name)
            if limit is not None:
                need = "a number from 0 to 1" if high == 1 else "a number from 0 up"
                check_number(limit, f"{key}.{name}", need, low=0, high=high)
        if None not in (self.at_least, self.at_most) and not self.at_least <= self.at_most:  # type: ignore[operator]
            raise DeclarationError.bad_value(
                f"{key}.at_least", self.at_least, f"at most {self.at_most}, as 'at_most' says"
            )

    @property
    def item_group(self) -> tuple[str, str] | None:
        """Column and group of a share of places; None for the other measures."""
        if not self.measure.startswith(_SHARE):
            return None
        column, _, group = self.measure.removeprefix(_SHARE).partition("=")
        return column.strip(), group.strip()

    def kept(self, value: float) -> bool:
        """Return whether a measured value keeps to the limits."""
        low = self.at_least is None or value >= self.at_least
        return low and (self.at_most is None or value <= self.at_most)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSettings:
    """What is shown to whom, by which rules.

    Parameters
    ----------
    length
        Items shown.
    repeats
        Whether what a user has may be shown again.
    shown_to
        ``"active"``: the users who did something in the part that is judged, as papers do.
        ``"known"``: all users known before it too, also those who then did nothing.
    filter
        Condition over attributes of items that a list may show; others take part in learning.
    at_most
        Attribute of items (a supplier, a brand) -> how many of one list may share its value.
    item_groups
        Attributes of items by which exposure is reported.
    explore
        Share of lists in which one place is left to chance, so that lists can be compared later.
    cpu_hour
        Money per processor hour; None leaves computing unpriced.
    fits_per_period
        How often the model is fitted anew per period.
    constraints
        What the recommended policy must keep to.

    Raises
    ------
    DeclarationError
        ``PAY-D005``, ``PAY-D006``, ``PAY-D007`` or ``PAY-D009``.

    Examples
    --------
    >>> ListSettings(length=8, at_most={"brand": 2}).at_most["brand"]
    2
    """

    length: int = 10
    repeats: bool = True
    shown_to: str = "active"
    filter: str | None = None
    at_most: Mapping[str, int] = field(default_factory=dict)
    item_groups: tuple[str, ...] = ()
    explore: float = 0.0
    cpu_hour: float | None = None
    fits_per_period: float = 1.0
    constraints: tuple[ListConstraint, ...] = ()

    def __post_init__(self) -> None:
        """Check the ranges; copy the mapping."""
        _whole(self.length, "list.length", _LONGEST_LIST)
        if not isinstance(self.repeats, bool):
            raise DeclarationError.wrong_type("list.repeats", self.repeats, "true or false")
        if self.shown_to not in SHOWN_TO:
            raise DeclarationError.bad_value(
                "list.shown_to", self.shown_to, f"one of {listed(SHOWN_TO)}"
            )
        object.__setattr__(self, "at_most", MappingProxyType(dict(self.at_most)))
        object.__setattr__(self, "item_groups", tuple(self.item_groups))
        object.__setattr__(self, "constraints", tuple(self.constraints))
        for column, most in self.at_most.items():
            _whole(most, f"list.at_most.{column}", _LONGEST_LIST)
        if isinstance(self.node, expression.Number | expression.Text | expression.Null):
            raise DeclarationError.bad_value(
                "list.filter", self.filter, "a condition, true or false"
            )
        need = "a share from 0 to 1"
        check_number(self.explore, "list.explore", need, low=0, high=1)
        if self.cpu_hour is not None:
            need = "money per processor hour, from 0 up"
            check_number(self.cpu_hour, "list.cpu_hour", need, low=0, high=1e9)
        need = "a number from 0 up"
        check_number(self.fits_per_period, "list.fits_per_period", need, low=0, high=1e6)
        self._check_names()

    def _check_names(self) -> None:
        for n, column in enumerate(self.item_groups):
            if column in self.item_groups[:n]:
                raise DeclarationError.duplicate("list.item_groups", column, "item groups")
        seen: list[str] = []
        for n, constraint in enumerate(self.constraints):
            key = f"list.constraints[{n}].measure"
            if constraint.measure in seen:
                raise DeclarationError.duplicate(key, constraint.measure, "constraints of lists")
            seen.append(constraint.measure)
            group = constraint.item_group
            if group is not None and group[0] not in self.item_groups:
                raise DeclarationError.unknown_name(
                    key, group[0], "item group (list.item_groups)", self.item_groups
                )

    @property
    def node(self) -> Node | None:
        """The parsed ``filter``; None when not declared."""
        if self.filter is None:
            return None
        try:
            return expression.parse(self.filter)
        except ExpressionError as error:
            raise error.within("key list.filter") from None

    @property
    def columns(self) -> dict[str, str]:
        """Attribute of items that the rules read -> the key that names it."""
        node = self.node
        found = {} if node is None else dict.fromkeys(expression.columns_of(node), "list.filter")
        found |= {column: f"list.at_most.{column}" for column in self.at_most}
        return found | dict.fromkeys(self.item_groups, "list.item_groups")


def _whole(value: object, key: str, most: int) -> None:
    need = f"a whole number from 1 to {most:,}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise DeclarationError.wrong_type(key, value, need)
    if not 1 <= value <= most:
        raise DeclarationError.bad_value(key, value, need)
