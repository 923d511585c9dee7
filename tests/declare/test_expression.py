"""Expressions: what is read, what is refused and where, and one meaning in SQL and in numpy."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payoff.declare.expression import (
    FUNCTIONS,
    Binary,
    Column,
    Number,
    Unary,
    columns_of,
    constant_of,
    degree_in,
    parse,
    render,
    to_sql,
)
from payoff.errors import ExpressionError
from payoff.load.evaluate import RowColumns, TableColumns, condition, money
from tests.bad_input.making import assert_well_told
from tests.strategies import cells, columns, conditions, expressions, texts

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

NUMBERS, TEXTS = ("x", "y", "a.b", 'say "no"'), ("t", "it's")


@settings(max_examples=300)
@given(expressions(NUMBERS, TEXTS))
def test_rendered_and_parsed_is_the_same(node):
    assert parse(render(node)) == node


@settings(max_examples=100)
@given(conditions(NUMBERS, TEXTS))
def test_rendered_and_parsed_condition_is_the_same(node):
    assert parse(render(node)) == node


@given(columns)
def test_any_column_name_is_read_back(name):
    assert parse(render(Column(name))) == Column(name)
    assert columns_of(parse(render(Column(name)))) == (name,)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        parse(text)
    except ExpressionError as error:
        error.where = error.where or "somewhere"
        assert_well_told(error, error.code)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1 + 2 * 3", "1 + (2 * 3)"),
        ("1 - 2 - 3", "(1 - 2) - 3"),
        ("8 / 4 / 2", "(8 / 4) / 2"),
        ("-x * 2", "(-x) * 2"),
        ("2 - -x", "2 - (-x)"),
        ("- - 3", "3"),
        ("not x > 1 and y > 2", "(not (x > 1)) and (y > 2)"),
        ("x > 1 or y > 2 and x > 3", "(x > 1) or ((y > 2) and (x > 3))"),
        ("x + 1 > y * 2", "(x + 1) > (y * 2)"),
        ("x between 1 and 2 and y > 3", "((x >= 1) and (x <= 2)) and (y > 3)"),
        ("x not between 1 and 2", "not ((x >= 1) and (x <= 2))"),
        ("x in (1, 2) or y is null", "(x in (1, 2)) or (y is null)"),
        ("x not in (1)", "(x not in (1))"),
        ("x == 1", "x = 1"),
        ("x != 1", "x <> 1"),
        ("X", '"X"'),
        ('"a ""b"""', '"a ""b"""'),
        ("1_000", "1000"),
        (".5", "0.5"),
        ("1.", "1"),
        ("1e3", "1000"),
        ("CASE WHEN x > 1 THEN 2 ELSE 3 END", "case when x > 1 then 2 else 3 end"),
        ("case when x > 1 then 2 end", "case when x > 1 then 2 else null end"),
        ("Greatest(x, 1)", "greatest(x, 1)"),
    ],
)
def test_precedence(text, meant):
    assert parse(text) == parse(meant)


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 1, "an expression"), ("   ", 4, "an expression"), ("1 +", 4, "a number"),
        ("1 2", 3, "an operator"), ("x y", 3, "an operator"), ("(1", 3, "')'"),
        ("1)", 2, "an operator"), ("abs(1", 6, "')'"), ("abs()", 5, "a number"),
        ("abs(1, 2)", 1, "1 argument"), ("coalesce(x)", 1, "2 to 8"), ("x > ", 5, "a number"),
        ("x is 3", 6, "null"), ("x not 3", 7, "'in' or 'between'"), ("x in 3", 6, "'('"),
        ("x between 1", 12, "'and'"), ("case end", 6, "'when'"),
        ("case when x then", 17, "a number"),
        ("case when x > 1 2", 17, "'then'"), ("case when x > 1 then 2", 23, "'end'"),
        ("x > 1 > 2", 7, "one comparison"), ('""', 2, "a column name"), ("x # y", 3, "operator"),
        ("round(x, 10)", 1, "0 to 9"), ("round(x, y)", 1, "0 to 9"), ("min(x, y)", 1, "least"),
        ("x ** 2", 4, "a number"), ("x.y", 2, "operator"), ("x\n;", 3, "operator"),
    ],
)  # fmt: skip
def test_error_says_where(text, position, words):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    message = assert_well_told(caught.value, "PAY-D051")
    assert f"character {position})" in message
    assert words in message


def test_too_many_words():
    with pytest.raises(ExpressionError, match="400 words and signs"):
        parse("+".join("1" * 300))
    with pytest.raises(ExpressionError, match="60 nested levels"):
        parse("(" * 61 + "1" + ")" * 61)
    parse("(" * 59 + "1" + ")" * 59)
    parse("- " * 200 + "1")
    parse("not " * 200 + "x > 1")


# --------------------------------------------------------------------------------- evaluation

TABLE = st.lists(
    st.fixed_dictionaries(
        {
            "x": cells, "y": cells, "a.b": cells, 'say "no"': cells,
            "t": st.one_of(st.none(), texts), "it's": st.one_of(st.none(), texts),
        }
    ),
    min_size=1, max_size=4,
)  # fmt: skip
SCHEMA = pa.schema([(n, pa.float64()) for n in NUMBERS] + [(n, pa.string()) for n in TEXTS])
CONNECTION = duckdb.connect()


def in_sql(node, table: pa.Table) -> list:
    """Run the expression's SQL text over the table."""
    with CONNECTION.cursor() as cursor:
        cursor.register("rows", table)
        return [r[0] for r in cursor.execute(f"select {to_sql(node)} from rows").fetchall()]


def both(node, rows):
    table = pa.Table.from_pylist(rows, SCHEMA)
    return money(node, TableColumns(table)), in_sql(node, table)


@settings(max_examples=300)
@given(expressions(NUMBERS, TEXTS, depth=2, exact=True), TABLE)
def test_sql_and_numpy_agree(node, rows):
    ours, theirs = both(node, rows)
    for mine, other in zip(ours, (np.nan if v is None else float(v) for v in theirs), strict=True):
        assert mine == pytest.approx(other, rel=1e-9, abs=1e-9, nan_ok=True), render(node)


@settings(max_examples=150)
@given(conditions(NUMBERS, TEXTS, depth=2, exact=True), TABLE)
def test_conditions_in_sql_and_numpy_agree(node, rows):
    table = pa.Table.from_pylist(rows, SCHEMA)
    theirs = in_sql(node, table)
    assert condition(node, TableColumns(table)).tolist() == [bool(v) for v in theirs], render(node)


@settings(max_examples=60)
@given(expressions(NUMBERS, TEXTS, depth=2), TABLE)
def test_a_served_row_and_a_table_agree(node, rows):
    types = {**dict.fromkeys(NUMBERS, "number"), **dict.fromkeys(TEXTS, "category")}
    served = money(node, RowColumns(rows, types))
    ours = money(node, TableColumns(pa.Table.from_pylist(rows, SCHEMA)))
    np.testing.assert_array_equal(served, ours)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x / 0", None), ("0 / 0", None), ("x + null", None), ("coalesce(null, x)", 2.5),
        ("round(2.5)", 3), ("round(-2.5)", -3), ("round(0.125, 2)", 0.13), ("round(1.5)", 2),
        ("round(0.5)", 1),
        ("greatest(x, null)", 2.5), ("least(null, x, 3)", 2.5), ("ln(0)", None), ("ln(-1)", None),
        ("sqrt(-1)", None), ("power(2, 3)", 8), ("power(-8, 0.5)", None), ("abs(-3)", 3),
        ("ceil(-0.5)", 0), ("floor(-0.5)", -1), ("exp(0)", 1),
        ("case when null then 1 else 2 end", 2), ("case when x > 9 then 1 end", None),
        ("case when x in (1, null) then 1 else 2 end", 2),
        ("case when x not in (1, null) then 1 else 2 end", 2),
        ("case when not (null > 1) then 1 else 2 end", 2),
        ("case when null > 1 or x > 1 then 1 else 2 end", 1),
        ("case when t = 'it''s' then 1 else 0 end", 1), ("-x", -2.5), ("3 - -x", 5.5),
    ],
)  # fmt: skip
def test_values_by_hand(text, expected):
    rows = RowColumns([{"x": 2.5, "t": "it's"}], {"x": "number", "t": "category"})
    value = money(parse(text), rows)[0]
    assert np.isnan(value) if expected is None else value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("t + 1", "column t"), ("x + (t = 'a')", "the part"), ("greatest(x, t)", "column t"),
        ("case when x then 1 else 2 end", "column x"), ("x > t", "the part"), ("t", "column t"),
        ("x > 1", "the part"), ("coalesce(x, t)", "the part"), ("x in ('a')", "the part"),
        ("case when x > 1 then t else x end", "the part"), ("not x", "column x"),
    ],
)  # fmt: skip
def test_wrong_kind_is_told(text, where):
    rows = RowColumns([{"x": 2.5, "t": "a"}], {"x": "number", "t": "category"})
    with pytest.raises(ExpressionError) as caught:
        money(parse(text), rows)
    assert where in assert_well_told(caught.value, "PAY-D054")


def test_unknown_column_is_told():
    rows = RowColumns([{"balance": 1}], {"balance": "number"})
    with pytest.raises(ExpressionError) as caught:
        money(parse("balanc * 2"), rows)
    assert "Did you mean 'balance'?" in assert_well_told(caught.value, "PAY-D053")


def test_constants_columns_and_degrees():
    assert constant_of(parse("-3.5")) == -3.5
    assert constant_of(parse("1 + 1")) is None
    assert columns_of(parse("b + a * b - case when c > 1 then d else 0 end")) == (
        "b",
        "a",
        "c",
        "d",
    )
    degrees = {
        "x": 1, "3": 0, "x * x": 2, "x * y": 1, "x / y": 1, "y / x": None, "-x + 2": 1,
        "abs(x)": None, "case when y > 1 then x else 2 * x end": 1, "2 * (x - 1) * x": 2,
        "case when x > 1 then 1 else 0 end": None, "coalesce(x, 0)": None,
    }  # fmt: skip
    for text, degree in degrees.items():
        assert degree_in(parse(text), "x") == degree, text


def test_every_function_is_one_that_sql_has():
    for name, (fewest, _) in FUNCTIONS.items():
        arguments = ", ".join(["2"] * fewest)
        assert in_sql(parse(f"{name}({arguments})"), pa.table({"a": [1]})) != [None]


def test_nodes_say_what_they_are():
    assert parse("-3") == Number(-3.0)
    assert parse("-x") == Unary("-", Column("x"))
    assert parse("x - 3") == Binary("-", Column("x"), Number(3.0))
