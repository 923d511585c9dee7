"""What can be done, what can happen, and what each pair is worth.

Money is positive when it is a gain to the owner. Paths in messages are keys of ``decision.toml``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from payoff.declare import expression
from payoff.declare.expression import Node
from payoff.errors import DeclarationError, ExpressionError, listed, said

if TYPE_CHECKING:
    from payoff.declare.review import Review

__all__ = [
    "DISTRIBUTIONS",
    "Action",
    "Capacity",
    "Cell",
    "Outcome",
    "PayoffTable",
    "Scalar",
    "check_name",
    "check_number",
    "money_text",
    "value_key",
]

Scalar = str | int | float | bool

#: ``triangular``: likeliest at the declared figure; ``uniform``: all alike; ``normal``: around the
#: declared figure, 95 % of it between the ends.
DISTRIBUTIONS: Final = ("triangular", "uniform", "normal")
_NAME: Final = re.compile(r"[^\W\d][\w -]{0,59}")


def check_name(name: str, key: str) -> None:
    """Refuse a name that could not be a file name, a column or a heading (``PAY-D006``)."""
    if not _NAME.fullmatch(name):
        raise DeclarationError.bad_value(
            key,
            name,
            "a name of 1 to 60 letters, digits, '_', '-' or spaces that starts with a letter",
            "Use a short name here and put the full wording in 'label'",
        )


def check_number(value: float, key: str, need: str, *, low: float, high: float) -> None:
    """Refuse what is no number from ``low`` to ``high`` (``PAY-D005``, ``PAY-D006``)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DeclarationError.wrong_type(key, value, need)
    if not (math.isfinite(value) and low <= value <= high):
        raise DeclarationError.bad_value(key, value, need)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Something that can turn out to be true of a unit.

    Parameters
    ----------
    name
        Used in the payoff table.
    values
        Values of the outcome column that mean this outcome.
    label
        Words for the report.
    """

    name: str
    values: tuple[Scalar, ...]
    label: str = ""

    def __post_init__(self) -> None:
        """Check the name and the values."""
        key = f"outcomes.{self.name}"
        check_name(self.name, key)
        if not self.values:
            raise DeclarationError.bad_value(
                f"{key}.values", (), "at least one value of the outcome column"
            )
        if not self.label:
            object.__setattr__(self, "label", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How often an action can be taken: so many per period, or a share of the units."""

    per_period: float | None = None
    share: float | None = None

    def __post_init__(self) -> None:
        """Check that exactly one form is given."""
        if (self.per_period is None) == (self.share is None):
            raise DeclarationError.bad_value(
                "actions.capacity",
                said("neither" if self.share is None else "both"),
                "either 'capacity' (so many per period) or 'capacity_share' (0 to 1), not both",
            )
        if self.per_period is not None:
            check_number(
                self.per_period, "actions.capacity", "a number from 0 up", low=0, high=1e15
            )
        if self.share is not None:
            check_number(self.share, "actions.capacity_share", "a share from 0 to 1", low=0, high=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something the owner can do with a unit.

    Parameters
    ----------
    name, label
        Used in the payoff table; words for the report.
    capacity
        How often it can be taken.
    review
        Given when the action is that a person looks at the case first: its row of the payoff table
        is then derived.
    fixed_cost
        Money per period that the action costs when the policy uses it at all.
    """

    name: str
    label: str = ""
    capacity: Capacity | None = None
    review: Review | None = None
    fixed_cost: float = 0.0

    def __post_init__(self) -> None:
        """Check the name and the fixed cost."""
        check_name(self.name, f"actions.{self.name}")
        check_number(
            self.fixed_cost,
            f"actions.{self.name}.fixed_cost",
            "money per period, a number from 0 up",
            low=0,
            high=1e15,
        )
        if not self.label:
            object.__setattr__(self, "label", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The money of one action under one outcome.

    Parameters
    ----------
    money
        A number, a column name, or an expression over columns; positive is gain to the owner.
    source
        Where the figure comes from (person, document, date), for the signer.
    low, high
        Between which the figure may lie: money for a constant, a factor on the money (such as 0.8
        and 1.25) for a column or an expression; None when no range is declared.
    distribution
        How it lies between them: one of :data:`DISTRIBUTIONS`.
    derived
        Whether payoff computed it from other cells (the row of a review).
    """

    money: str
    source: str = ""
    low: float | None = None
    high: float | None = None
    distribution: str = "triangular"
    derived: bool = False

    @property
    def node(self) -> Node:
        """The parsed expression."""
        return expression.parse(self.money)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoffTable:
    """Money for every action under every outcome.

    Examples
    --------
    >>> table = PayoffTable.of({"call": {"yes": 9, "no": -1}, "leave": {"yes": 0, "no": 0}})
    >>> table.cell("call", "no").money
    '-1'
    """

    cells: Mapping[tuple[str, str], Cell]

    def __post_init__(self) -> None:
        """Copy the mapping, then read every expression once so that a bad one fails here."""
        object.__setattr__(self, "cells", MappingProxyType(dict(self.cells)))
        for (action, outcome), cell in self.cells.items():
            try:
                node = cell.node
            except ExpressionError as error:
                raise error.within(f"key payoffs.{action}.{outcome}") from None
            if isinstance(node, expression.Text | expression.Boolean | expression.Null):
                raise DeclarationError.bad_value(
                    f"payoffs.{action}.{outcome}",
                    cell.money,
                    "money: a number, a column or an expression over columns",
                )
            _check_range(cell, expression.constant_of(node), f"payoffs.{action}.{outcome}")

    @classmethod
    def of(cls, table: Mapping[str, Mapping[str, float | str]]) -> PayoffTable:
        """Make a table from nested mappings ``{action: {outcome: money}}``."""
        return cls(
            cells={
                (action, outcome): Cell(money=money_text(money, f"payoffs.{action}.{outcome}"))
                for action, row in table.items()
                for outcome, money in row.items()
            }
        )

    def cell(self, action: str, outcome: str) -> Cell:
        """Return one cell."""
        return self.cells[action, outcome]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that any cell reads."""
        found: dict[str, None] = {}
        for cell in self.cells.values():
            found.update(dict.fromkeys(expression.columns_of(cell.node)))
        return tuple(found)


def _check_range(cell: Cell, constant: float | None, key: str) -> None:
    """Refuse a range that does not hold its own figure (``PAY-D006``)."""
    if cell.distribution not in DISTRIBUTIONS:
        raise DeclarationError.bad_value(
            f"{key}.distribution", cell.distribution, f"one of {listed(DISTRIBUTIONS)}"
        )
    if cell.low is None and cell.high is None:
        if cell.distribution != "triangular":
            raise DeclarationError.bad_value(
                f"{key}.distribution", cell.distribution, "'low' and 'high' beside it"
            )
        return
    if cell.low is None or cell.high is None:
        missing, sign = ("low", -1) if cell.low is None else ("high", 1)
        example = 1.0 + 0.25 * sign if constant is None else constant + sign
        raise DeclarationError.missing_key(
            f"{key}.{missing}", "the other end of the range", f"{missing} = {example:g}"
        )
    for name, value in (("low", cell.low), ("high", cell.high)):
        check_number(value, f"{key}.{name}", "a finite number", low=-1e15, high=1e15)
    now = 1.0 if constant is None else constant
    if not cell.low < now < cell.high or (constant is None and cell.low < 0):
        raise DeclarationError.bad_value(
            key,
            f"low = {cell.low:g}, high = {cell.high:g}",
            f"low < {now:g} < high, the money declared"
            if constant is not None
            else "factors on the money, low from 0 to below 1 and high above 1",
            "Write the range around the figure: low is the smaller number, so for a cost of -1 "
            "that may be -2 write low = -2",
        )
    middle = abs(cell.high + cell.low - 2 * now) <= 1e-6 * (cell.high - cell.low)
    if cell.distribution == "normal" and not middle:
        raise DeclarationError.bad_value(
            f"{key}.distribution",
            "normal",
            "ends equally far from the money",
            "Use 'triangular' for a lopsided range",
        )


def money_text(money: float | str, key: str = "payoffs") -> str:
    """Write money given as a number or as text in the one form the table keeps.

    ``key`` is the place that an error names.

    Examples
    --------
    >>> money_text(-1), money_text(0.5), money_text("amount * 2")
    ('-1', '0.5', 'amount * 2')
    """
    if isinstance(money, str):
        return money
    if not math.isfinite(money):
        raise DeclarationError.bad_value(
            key, money, "a finite number", "Write the money of this cell in full"
        )
    return str(int(money)) if money == int(money) and abs(money) < 1e15 else repr(float(money))


def value_key(value: Scalar) -> str:
    """Return the text under which an outcome value is compared, whatever type the reader gave it.

    Examples
    --------
    >>> value_key(1), value_key(1.0), value_key("1"), value_key(True), value_key(" yes ")
    ('1', '1', '1', 'true', 'yes')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value).strip()
