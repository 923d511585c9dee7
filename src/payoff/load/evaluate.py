"""Expressions over columns, evaluated with SQL's rules for missing values.

A number that is missing is NaN. A condition that is missing (``null > 3``) is neither true nor
false; where a decision needs one, it counts as false, as in a SQL ``where``. Division by zero and
the logarithm of a negative number are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from payoff.declare.expression import (
    Binary,
    Boolean,
    Call,
    Case,
    Column,
    In,
    Node,
    Null,
    Number,
    Text,
    Unary,
    render,
)
from payoff.errors import ExpressionError, show
from payoff.load.spelling import text_of

__all__ = ["Columns", "RowColumns", "TableColumns", "Value", "condition", "money"]


class Columns(Protocol):
    """Where an expression finds its columns."""

    @property
    def names(self) -> Sequence[str]:
        """Names of all columns."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def read(self, name: str) -> Value:
        """Return one column."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A column or a result.

    ``kind`` number, boolean and null: float64 with NaN for missing; text: object array with None.
    """

    kind: str
    data: NDArray[Any]


class TableColumns:
    """Columns of an Arrow table."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self._read: dict[str, Value] = {}

    @property
    def names(self) -> Sequence[str]:
        """Names of all columns."""
        return list(self._table.column_names)

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self._table.num_rows)

    def read(self, name: str) -> Value:
        """Return one column, converted once."""
        if name not in self._read:
            import pyarrow as pa

            from payoff.load.frame import is_numeric, numbers, texts

            column = self._table.column(name)
            if is_numeric(column.type) or pa.types.is_null(column.type):
                self._read[name] = Value("number", numbers(column))
            elif pa.types.is_boolean(column.type):
                self._read[name] = Value("boolean", numbers(column))
            else:
                self._read[name] = Value("text", texts(column))
        return self._read[name]


class RowColumns:
    """Columns of served rows; ``types`` gives each field's type in the contract."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> None:
        self._rows = rows
        self._types = types

    @property
    def names(self) -> Sequence[str]:
        """Names of all columns."""
        return list(self._types)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def read(self, name: str) -> Value:
        """Return one column."""
        values = [row.get(name) for row in self._rows]
        kind = {"number": "number", "boolean": "boolean"}.get(self._types[name], "text")
        if kind == "text":
            data = np.empty(len(values), dtype=object)
            data[:] = [None if v is None else text_of(v) for v in values]
            return Value("text", data)
        return Value(
            kind, np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64)
        )


def money(node: Node, columns: Columns) -> NDArray[np.float64]:
    """Evaluate an expression that yields money.

    Returns
    -------
    ndarray
        float64 (n,), NaN where a column it reads is missing.

    Raises
    ------
    ExpressionError
        ``PAY-D053`` unknown column, ``PAY-D054`` text where a number is needed.

    Examples
    --------
    >>> from payoff.declare.expression import parse
    >>> rows = RowColumns([{"amount": 100}, {"amount": None}], {"amount": "number"})
    >>> money(parse("amount * 0.25 - 1"), rows)
    array([24., nan])
    """
    value = _Evaluation(node, columns).of(node)
    if value.kind != "number":
        raise ExpressionError.wrong_kind(render(node), _KINDS[value.kind], "a number", _place(node))
    return value.data.astype(np.float64, copy=True)


def condition(node: Node, columns: Columns) -> NDArray[np.bool_]:
    """Evaluate a condition; missing counts as false.

    Examples
    --------
    >>> from payoff.declare.expression import parse
    >>> rows = RowColumns([{"job": "student"}, {"job": None}], {"job": "category"})
    >>> condition(parse("job = 'student' or job is null"), rows)
    array([ True,  True])
    """
    value = _Evaluation(node, columns).of(node)
    if value.kind != "boolean":
        raise ExpressionError.wrong_kind(
            render(node), _KINDS[value.kind], "true or false", _place(node)
        )
    holds: NDArray[np.bool_] = np.nan_to_num(value.data, nan=0.0) > 0.5
    return holds


_KINDS: Final = {"number": "a number", "text": "text", "boolean": "true or false", "null": "null"}


def _place(node: Node) -> str:
    """Name the part of an expression that an error is about."""
    return f"column {node.name}" if isinstance(node, Column) else f"the part {show(render(node))}"


_NUMERIC: Final[dict[str, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "sqrt": np.sqrt,
}
_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": np.equal,
    "<>": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}


class _Evaluation:
    """One walk over the tree; every method returns arrays of all rows."""

    def __init__(self, whole: Node, columns: Columns) -> None:
        self.text = render(whole)
        self.columns = columns
        self.n = len(columns)

    def wrong(self, node: Node, got: Value, need: str) -> ExpressionError:
        return ExpressionError.wrong_kind(self.text, _KINDS[got.kind], need, _place(node))

    def of(self, node: Node) -> Value:
        with np.errstate(all="ignore"):
            return self._of(node)

    def _of(self, node: Node) -> Value:  # noqa: PLR0911  (one return per kind of node)
        if isinstance(node, Number):
            return Value("number", np.full(self.n, node.value))
        if isinstance(node, Boolean):
            return Value("boolean", np.full(self.n, float(node.value)))
        if isinstance(node, Text):
            return Value("text", np.full(self.n, node.value, dtype=object))
        if isinstance(node, Null):
            return Value("null", np.full(self.n, np.nan))
        if isinstance(node, Column):
            if node.name not in self.columns.names:
                raise ExpressionError.unknown_column(self.text, node.name, self.columns.names)
            return self.columns.read(node.name)
        if isinstance(node, Unary):
            return self.unary(node)
        if isinstance(node, Binary):
            return self.binary(node)
        if isinstance(node, Call):
            return self.call(node)
        if isinstance(node, Case):
            return self.case(node)
        if isinstance(node, In):
            return self.is_in(node)
        value = self._of(node.operand)
        missing = _missing(value)
        return Value("boolean", (~missing if node.negated else missing).astype(np.float64))

    def number(self, node: Node) -> NDArray[np.float64]:
        value = self._of(node)
        if value.kind not in ("number", "null"):
            raise self.wrong(node, value, "a number")
        out: NDArray[np.float64] = value.data
        return out

    def boolean(self, node: Node) -> NDArray[np.float64]:
        value = self._of(node)
        if value.kind not in ("boolean", "null"):
            raise self.wrong(node, value, "true or false")
        out: NDArray[np.float64] = value.data
        return out

    def unary(self, node: Unary) -> Value:
        if node.operator == "not":
            return Value("boolean", 1.0 - self.boolean(node.operand))
        return Value("number", -self.number(node.operand))

    def binary(self, node: Binary) -> Value:
        if node.operator in ("and", "or"):
            left, right = self.boolean(node.left), self.boolean(node.right)
            decided = 0.0 if node.operator == "and" else 1.0
            either = (left == decided) | (right == decided)
            unknown = np.isnan(left) | np.isnan(right)
            return Value(
                "boolean", np.where(either, decided, np.where(unknown, np.nan, 1.0 - decided))
            )
        if node.operator in _ARITHMETIC:
            a, b = self.number(node.left), self.number(node.right)
            result = _ARITHMETIC[node.operator](a, b)
            if node.operator == "/":
                result = np.where(b == 0, np.nan, result)
            return Value("number", result)
        return self.compare(node.operator, self._of(node.left), self._of(node.right), node)

    def compare(self, operator: str, left: Value, right: Value, node: Node) -> Value:
        kinds = {left.kind, right.kind} - {"null"}
        if len(kinds) > 1:
            raise ExpressionError.wrong_kind(
                self.text,
                f"{_KINDS[left.kind]} compared with {_KINDS[right.kind]}",
                "both sides of one kind",
                _place(node),
            )
        unknown = _missing(left) | _missing(right)
        if "text" in kinds:
            a = np.where(unknown, "", left.data)
            b = np.where(unknown, "", right.data)
            answer = _COMPARE[operator](a, b).astype(np.float64)
        else:
            answer = _COMPARE[operator](left.data, right.data).astype(np.float64)
        return Value("boolean", np.where(unknown, np.nan, answer))

    def is_in(self, node: In) -> Value:
        operand = self._of(node.operand)
        found = np.zeros(self.n)
        for choice in node.choices:
            one = self.compare("=", operand, self._of(choice), node).data
            found = np.where(
                (found == 1) | (one == 1), 1.0, found + np.where(np.isnan(one), one, 0)
            )
        return Value("boolean", 1.0 - found if node.negated else found)

    def call(self, node: Call) -> Value:
        if node.function == "coalesce":
            return self.coalesce([self._of(a) for a in node.arguments], node)
        values = [self.number(a) for a in node.arguments]
        if node.function in _NUMERIC:
            result = _NUMERIC[node.function](values[0])
            return Value("number", np.where(np.isneginf(result), np.nan, result))
        if node.function == "power":
            return Value("number", np.power(values[0], values[1]))
        if node.function == "round":
            digits = int(values[1][0]) if len(values) > 1 and self.n else 0
            return Value("number", _round_half_away(values[0], digits))
        combine = np.fmin if node.function == "least" else np.fmax
        result = values[0]
        for other in values[1:]:
            result = combine(result, other)
        return Value("number", result)

    def coalesce(self, values: list[Value], node: Node) -> Value:
        kinds = {v.kind for v in values} - {"null"}
        if len(kinds) > 1:
            raise ExpressionError.wrong_kind(
                self.text,
                f"coalesce of {' and '.join(_KINDS[k] for k in sorted(kinds))}",
                "arguments of one kind",
                _place(node),
            )
        kind = kinds.pop() if kinds else "null"
        values = [v for v in values if v.kind != "null"] or values
        result = values[0].data.copy()
        for other in values[1:]:
            result = np.where(_missing(Value(kind, result)), other.data, result)
        return Value(kind, result)

    def case(self, node: Case) -> Value:
        values = [self._of(v) for _, v in node.branches] + [self._of(node.otherwise)]
        kinds = {v.kind for v in values} - {"null"}
        if len(kinds) > 1:
            raise ExpressionError.wrong_kind(
                self.text,
                f"branches of {' and '.join(_KINDS[k] for k in sorted(kinds))}",
                "branches of one kind",
                _place(node),
            )
        kind = kinds.pop() if kinds else "null"
        empty = np.full(self.n, None if kind == "text" else np.nan, dtype=object)
        columns = [empty if v.kind == "null" and kind == "text" else v.data for v in values]
        result = columns[-1]
        for (when, _), value in zip(reversed(node.branches), reversed(columns[:-1]), strict=True):
            result = np.where(self.boolean(when) == 1.0, value, result)
        if kind != "text":
            result = result.astype(np.float64)
        return Value(kind, result)


def _missing(value: Value) -> NDArray[np.bool_]:
    if value.kind == "text":
        return np.array([v is None for v in value.data], dtype=np.bool_)
    missing: NDArray[np.bool_] = np.isnan(value.data)
    return missing


def _round_half_away(x: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """Round halves away from zero, as SQL does (numpy rounds them to even)."""
    scale = 10.0**digits
    return np.copysign(np.floor(np.abs(x) * scale + 0.5) / scale, x)
