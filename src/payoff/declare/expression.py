"""Arithmetic and conditions over columns: parsed to a small tree, never executed as code.

The grammar is the part of SQL an analyst already knows: ``+ - * /``, comparisons, ``and or not``,
``in (...)``, ``between``, ``is null``, ``case when ... then ... else ... end`` and a dozen
functions. A name is a column; names with other characters go in double quotes; text goes in single
quotes. Values are money, text or true/false; nothing can be called that is not listed here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from payoff.errors import ExpressionError

__all__ = [
    "FUNCTIONS",
    "Binary",
    "Boolean",
    "Call",
    "Case",
    "Column",
    "In",
    "IsNull",
    "Node",
    "Null",
    "Number",
    "Text",
    "Unary",
    "columns_of",
    "constant_of",
    "degree_in",
    "parse",
    "render",
    "to_sql",
]

#: name -> (fewest, most) arguments
FUNCTIONS: Final[dict[str, tuple[int, int]]] = {
    "abs": (1, 1),
    "ceil": (1, 1),
    "coalesce": (2, 8),
    "exp": (1, 1),
    "floor": (1, 1),
    "greatest": (2, 8),
    "least": (2, 8),
    "ln": (1, 1),
    "power": (2, 2),
    "round": (1, 2),
    "sqrt": (1, 1),
}
_ALIASES: Final = {"min": "least", "max": "greatest", "log": "ln", "pow": "power", "if": "case"}
_WORDS: Final = frozenset(
    [
        "and",
        "or",
        "not",
        "in",
        "is",
        "null",
        "between",
        "case",
        "when",
        "then",
        "else",
        "end",
        "true",
        "false",
    ]
)
_LONGEST: Final = 4_000
_DEEPEST: Final = 60
_MOST_TOKENS: Final = 400


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """Quoted text."""

    value: str


@dataclass(frozen=True, slots=True)
class Boolean:
    """``true`` or ``false``."""

    value: bool


@dataclass(frozen=True, slots=True)
class Null:
    """``null``: a missing value."""


@dataclass(frozen=True, slots=True)
class Column:
    """The value of a column in the row at hand."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """``-x`` or ``not x``."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, comparison (SQL spelling ``=``, ``<>``) or ``and`` / ``or``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """One of :data:`FUNCTIONS`."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """``case when ... then ... else ... end``; without ``else`` the rest is null."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node


@dataclass(frozen=True, slots=True)
class In:
    """``x in (a, b)``."""

    operand: Node
    choices: tuple[Node, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class IsNull:
    """``x is null`` / ``x is not null``."""

    operand: Node
    negated: bool


Node = Number | Text | Boolean | Null | Column | Unary | Binary | Call | Case | In | IsNull

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[^\W\d]\w*)
    | "(?P<quoted>(?:[^"]|"")*)"
    | '(?P<text>(?:[^']|'')*)'
    | (?P<symbol><>|!=|==|<=|>=|[-+*/(),<>=])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: str
    at: int


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if not found or found.end() == at:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise ExpressionError.syntax(
                text,
                start,
                "a number, a column, text in single quotes or an operator",
                _hint(text[start : start + 1]),
            )
        kind = str(found.lastgroup)
        value = found.group(kind)
        start = found.start(kind)
        if kind == "quoted":
            value = value.replace('""', '"')
        elif kind == "text":
            value = value.replace("''", "'")
        elif kind == "name" and value.lower() in _WORDS:
            kind, value = "word", value.lower()
        at = found.end()
        yield _Token(kind, value, start)


def _hint(character: str) -> str:
    hints = {
        "%": "Write a share as a decimal: 0.25, not 25%",
        "&": "Write 'and'",
        "|": "Write 'or'",
        "!": "Write 'not'",
        "^": "Write power(x, 2)",
        '"': "A column name in double quotes must be closed",
        "'": "Text in single quotes must be closed",
        "[": "Write a column name with odd characters in double quotes",
        "`": "Write a column name with odd characters in double quotes",
        ".": "Write a column name that contains a dot in double quotes",
        "{": "Braces are not used in expressions",
        ";": "One expression only; no statements",
    }
    return hints.get(character, "")


class _Parser:
    """Precedence climbing over the token list; one method per level."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0

    def peek(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def fail(self, need: str, mend: str = "") -> ExpressionError:
        token = self.peek()
        position = token.at if token else len(self.text)
        return ExpressionError.syntax(
            self.text, position, need, mend or _hint(self.text[position : position + 1])
        )

    def accept(self, kind: str, *values: str) -> _Token | None:
        token = self.peek()
        if token and token.kind == kind and (not values or token.value in values):
            self.at += 1
            return token
        return None

    def expect(self, kind: str, value: str, need: str) -> None:
        if not self.accept(kind, value):
            raise self.fail(need)

    def whole(self) -> Node:
        if not self.tokens:
            raise self.fail("an expression")
        node = self.either()
        if self.peek():
            raise self.fail("an operator, or the end of the expression")
        return node

    def either(self) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.fail(f"at most {_DEEPEST} nested levels", "Split the expression")
        node = self.both()
        while self.accept("word", "or"):
            node = Binary("or", node, self.both())
        self.depth -= 1
        return node

    def both(self) -> Node:
        node = self.negation()
        while self.accept("word", "and"):
            node = Binary("and", node, self.negation())
        return node

    def negation(self) -> Node:
        inversions = 0
        while self.accept("word", "not"):
            inversions += 1
        node = self.comparison()
        return Unary("not", node) if inversions % 2 else node

    def comparison(self) -> Node:
        node = self.sum()
        sign = self.accept("symbol", "=", "==", "!=", "<>", "<", "<=", ">", ">=")
        if sign:
            operator = {"==": "=", "!=": "<>"}.get(sign.value, sign.value)
            node = Binary(operator, node, self.sum())
            if self.accept("symbol", "=", "==", "!=", "<>", "<", "<=", ">", ">="):
                self.at -= 1
                raise self.fail("one comparison at a time", "Write a < b and b < c")
            return node
        if self.accept("word", "is"):
            negated = bool(self.accept("word", "not"))
            self.expect("word", "null", "'null' after 'is'")
            return IsNull(node, negated)
        negated = bool(self.accept("word", "not"))
        if self.accept("word", "in"):
            self.expect("symbol", "(", "'(' after 'in'")
            return In(node, self.arguments(), negated)
        if self.accept("word", "between"):
            low = self.sum()
            self.expect("word", "and", "'and' between the two limits")
            inside = Binary("and", Binary(">=", node, low), Binary("<=", node, self.sum()))
            return Unary("not", inside) if negated else inside
        if negated:
            raise self.fail("'in' or 'between' after 'not'")
        return node

    def sum(self) -> Node:
        node = self.product()
        while sign := self.accept("symbol", "+", "-"):
            node = Binary(sign.value, node, self.product())
        return node

    def product(self) -> Node:
        node = self.signed()
        while sign := self.accept("symbol", "*", "/"):
            node = Binary(sign.value, node, self.signed())
        return node

    def signed(self) -> Node:
        negative = False
        while sign := self.accept("symbol", "-", "+"):
            negative ^= sign.value == "-"
        node = self.primary()
        if not negative:
            return node
        return Number(-node.value) if isinstance(node, Number) else Unary("-", node)

    def primary(self) -> Node:  # noqa: PLR0911  (one return per kind of node)
        if token := self.accept("number"):
            value = float(token.value.replace("_", ""))
            if not math.isfinite(value):
                self.at -= 1
                raise self.fail("a number below 1.8e308")
            return Number(value)
        if token := self.accept("text"):
            return Text(token.value)
        if token := self.accept("quoted"):
            if not token.value:
                self.at -= 1
                raise self.fail("a column name between the double quotes")
            return Column(token.value)
        if token := self.accept("word", "true", "false"):
            return Boolean(token.value == "true")
        if self.accept("word", "null"):
            return Null()
        if self.accept("word", "case"):
            return self.case()
        if self.accept("symbol", "("):
            node = self.either()
            self.expect("symbol", ")", "a closing ')'")
            return node
        if token := self.accept("name"):
            return self.call(token) if self.accept("symbol", "(") else Column(token.value)
        raise self.fail("a number, a column, text in single quotes, or '('")

    def arguments(self) -> tuple[Node, ...]:
        found = [self.either()]
        while self.accept("symbol", ","):
            found.append(self.either())
        self.expect("symbol", ")", "',' or a closing ')'")
        return tuple(found)

    def call(self, name: _Token) -> Node:
        function = name.value.lower()
        if function not in FUNCTIONS:
            alias = _ALIASES.get(function)
            if alias:
                raise ExpressionError.syntax(
                    self.text,
                    name.at,
                    f"a function payoff has, such as {alias!r}",
                    f"Write {alias}, as in SQL",
                )
            raise ExpressionError.unknown_function(self.text, name.value, FUNCTIONS)
        arguments = self.arguments()
        fewest, most = FUNCTIONS[function]
        if not fewest <= len(arguments) <= most:
            count = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise ExpressionError.syntax(
                self.text, name.at, f"{count} argument(s) for {function}, got {len(arguments)}"
            )
        if function == "round" and len(arguments) == 2:
            digits = arguments[1]
            if not (isinstance(digits, Number) and digits.value in range(10)):
                raise ExpressionError.syntax(
                    self.text, name.at, "round(x, digits) with digits a whole number from 0 to 9"
                )
        return Call(function, arguments)

    def case(self) -> Node:
        branches: list[tuple[Node, Node]] = []
        while self.accept("word", "when"):
            condition = self.either()
            self.expect("word", "then", "'then'")
            branches.append((condition, self.either()))
        if not branches:
            raise self.fail("'when' after 'case'")
        otherwise: Node = self.either() if self.accept("word", "else") else Null()
        self.expect("word", "end", "'when', 'else' or 'end'")
        return Case(tuple(branches), otherwise)


@lru_cache(maxsize=4096)  # trees are frozen, and a server reads the same few texts for ever
def parse(text: str) -> Node:
    """Read an expression.

    Parameters
    ----------
    text
        At most 4,000 characters, nested at most 60 deep.

    Raises
    ------
    ExpressionError
        ``PAY-D051`` with the character where reading stopped, ``PAY-D052`` for an unknown function.

    Examples
    --------
    >>> parse("amount * 0.25 - 1")
    Binary(operator='-', left=Binary(operator='*', left=Column(name='amount'), \
right=Number(value=0.25)), right=Number(value=1.0))
    """
    if len(text) > _LONGEST:
        raise ExpressionError.syntax(text, _LONGEST, f"at most {_LONGEST:,} characters")
    parser = _Parser(text)
    if len(parser.tokens) > _MOST_TOKENS:
        raise ExpressionError.syntax(
            text,
            parser.tokens[_MOST_TOKENS].at,
            f"at most {_MOST_TOKENS} words and signs",
            "Compute part of it as a column of the data",
        )
    return parser.whole()


def children(node: Node) -> tuple[Node, ...]:
    """Return the direct parts of a node, left to right."""
    if isinstance(node, Unary | IsNull):
        return (node.operand,)
    if isinstance(node, Binary):
        return (node.left, node.right)
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Case):
        return (*(part for branch in node.branches for part in branch), node.otherwise)
    if isinstance(node, In):
        return (node.operand, *node.choices)
    return ()


def columns_of(node: Node) -> tuple[str, ...]:
    """Return the columns an expression reads, in order of first appearance.

    Examples
    --------
    >>> columns_of(parse("b + a * b"))
    ('b', 'a')
    """
    if isinstance(node, Column):
        return (node.name,)
    found: dict[str, None] = {}
    for child in children(node):
        found.update(dict.fromkeys(columns_of(child)))
    return tuple(found)


def constant_of(node: Node) -> float | None:
    """Return the value of an expression that is one number, else None.

    Examples
    --------
    >>> constant_of(parse("-3")), constant_of(parse("a"))
    (-3.0, None)
    """
    return node.value if isinstance(node, Number) else None


def degree_in(node: Node, column: str) -> int | None:  # noqa: PLR0911  (one per kind of node)
    """Return the degree of an expression as a polynomial in one column, or None if it is not one.

    Degree 1 means that replacing the column by its conditional mean gives the conditional mean of
    the expression exactly; anything else makes it an approximation.

    Examples
    --------
    >>> degree_in(parse("0.9 * gift - 1"), "gift")
    1
    >>> degree_in(parse("greatest(gift, 1)"), "gift") is None
    True
    >>> degree_in(parse("case when age > 30 then gift else 0 end"), "gift")
    1
    """
    if column not in columns_of(node):
        return 0
    if isinstance(node, Column):
        return 1
    if isinstance(node, Unary) and node.operator == "-":
        return degree_in(node.operand, column)
    if isinstance(node, Case):
        if any(column in columns_of(condition) for condition, _ in node.branches):
            return None
        degrees = [degree_in(value, column) for _, value in node.branches]
        degrees.append(degree_in(node.otherwise, column))
        return None if None in degrees else max(d for d in degrees if d is not None)
    if isinstance(node, Binary):
        left, right = degree_in(node.left, column), degree_in(node.right, column)
        if left is None or right is None:
            return None
        if node.operator in "+-":
            return max(left, right)
        if node.operator == "*":
            return left + right
        if node.operator == "/" and right == 0:
            return left
    return None


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _bare(name: str) -> str:
    simple = re.fullmatch(r"[^\W\d]\w*", name) and name.lower() not in _WORDS
    return name if simple and name.lower() not in FUNCTIONS else _quoted(name)


def _written(node: Node, *, sql: bool) -> str:  # noqa: PLR0911, PLR0912  (one return per kind of node)
    def of(part: Node) -> str:
        return _written(part, sql=sql)

    if isinstance(node, Number):
        text = _number(node.value)
        if sql and "e" not in text:
            text += "e0"  # a double: whole and decimal arithmetic overflow and round otherwise
        return f"({text})" if node.value < 0 else text
    if isinstance(node, Text):
        return "'" + node.value.replace("'", "''") + "'"
    if isinstance(node, Boolean):
        return "true" if node.value else "false"
    if isinstance(node, Null):
        return "null"
    if isinstance(node, Column):
        return _quoted(node.name) if sql else _bare(node.name)
    if isinstance(node, Unary):
        return f"(not {of(node.operand)})" if node.operator == "not" else f"(-{of(node.operand)})"
    if isinstance(node, Binary):
        right = of(node.right)
        if sql and node.operator == "/":
            right = f"nullif({right}, 0e0)"  # missing, where some databases raise
        return f"({of(node.left)} {node.operator} {right})"
    if isinstance(node, Call):
        arguments = [of(a) for a in node.arguments]
        if sql and node.function in ("ln", "sqrt"):  # likewise
            sign = ">" if node.function == "ln" else ">="
            arguments = [f"case when {arguments[0]} {sign} 0e0 then {arguments[0]} end"]
        if node.function == "round" and len(arguments) == 2:
            arguments[1] = arguments[1].removesuffix("e0")
        return f"{node.function}({', '.join(arguments)})"
    if isinstance(node, Case):
        branches = " ".join(f"when {of(c)} then {of(v)}" for c, v in node.branches)
        return f"case {branches} else {of(node.otherwise)} end"
    if isinstance(node, In):
        choices = ", ".join(of(c) for c in node.choices)
        return f"({of(node.operand)} {'not in' if node.negated else 'in'} ({choices}))"
    return f"({of(node.operand)} is {'not ' if node.negated else ''}null)"


def render(node: Node) -> str:
    """Write an expression so that :func:`parse` reads it back unchanged.

    Examples
    --------
    >>> render(parse('a*2 + "b c"'))
    '((a * 2) + "b c")'
    """
    return _written(node, sql=False)


def to_sql(node: Node) -> str:
    """Write an expression as SQL that DuckDB and Postgres run; identifiers are always quoted.

    Examples
    --------
    >>> to_sql(parse("amount * 2"))
    '("amount" * 2e0)'
    """
    return _written(node, sql=True)
