"""Rows of interactions, told apart: those that count, and those left out, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import duckdb

from payoff.declare import Decision
from payoff.declare.expression import columns_of, to_sql
from payoff.engine.duckdb_engine import quoted_text
from payoff.errors import DataError, ExpressionError, counted, show
from payoff.load.interactions.relation import Relation, moment_sql, text_sql
from payoff.load.interactions.tables import not_offered

__all__ = ["grouping", "sort_out"]

_FIGURES: Final = ("value", "price", "quantity")


def sort_out(
    connection: duckdb.DuckDBPyConnection,
    decision: Decision,
    lines: Relation,
    items: Relation | None,
    groups: Sequence[str],
) -> dict[str, Any]:
    """Make the table ``kept`` of rows that count; return how many were left out, and why.

    ``groups`` are the columns of subgroups that the rows hold.

    Raises
    ------
    DataError
        ``PAY-L003`` when no row counts, ``PAY-L004`` a column that is not there, ``PAY-L006`` times
        that are no dates, ``PAY-L011`` a name of two meanings.
    ExpressionError
        ``PAY-D053`` when an expression reads a column that is not there.
    """
    recommend = decision.recommend
    assert recommend is not None
    connection.execute(f"create temp table typed as {_typed_sql(decision, lines, items, groups)}")
    not_offered(connection, items, recommend.items)
    facts = _cleaned(connection, decision)
    _refuse_bad_time(connection, lines, recommend.interactions.time)
    return facts


def grouping(decision: Decision, users: Relation | None) -> list[str]:
    """Return the columns of subgroups that the interactions, not [users], must hold."""
    known = users.columns if users is not None else {}
    named = dict.fromkeys(s.column for s in decision.subgroups if s.column)
    return [c for c in named if c not in known]


def _typed_sql(
    decision: Decision, lines: Relation, items: Relation | None, grouped: Sequence[str]
) -> str:
    """Return SQL of one row per interaction, roles as text, numbers and truth values."""
    recommend = decision.recommend
    assert recommend is not None
    declared = recommend.interactions
    role = {
        name: lines.column(column, f"interactions.{name}")
        for name, column in declared.roles.items()
    }
    known = dict(lines.columns)
    joined, attributes = "", ""
    if items is not None and recommend.items is not None:
        key = items.column(recommend.items.id, "items.id")
        taken = {c.casefold() for c in known} | set(_FIGURES)
        extra = [c for c in items.columns if c.casefold() not in taken]
        attributes = "".join(f", a.{items.column(c, c)}" for c in extra)
        known |= {c: items.columns[c] for c in extra}
        there = text_sql(f"a.{key}", items.columns[recommend.items.id])
        here = text_sql(f"l.{role['item']}", lines.columns[declared.item])
        joined = f" left join item_rows a on {there} = {here}"
    for name in _FIGURES:
        computed = "price x quantity" if name == "value" and "price" in role else None
        _refuse_ambiguous(name, declared.roles.get(name, computed), lines)
    number = {n: f"try_cast({role[n]} as double)" for n in _FIGURES if n in role}
    quantity = number.get("quantity", "1::double")
    price = number.get("price", "null::double")
    value = number.get("value", f"({price} * {quantity})")
    figures = {"quantity": quantity, "price": price, "value": value}
    named = "".join(
        f', {sql} as "{n}"'
        for n, sql in figures.items()
        if n not in {c.casefold() for c in lines.columns}
    )
    names = {**known, **dict.fromkeys(_FIGURES, "DOUBLE")}
    margin = _sql(decision, "margin", names)
    margin = f"try_cast({margin} as double)" if margin else "null::double"
    cancelled = _sql(decision, "cancelled", names) or f"{quantity} < 0"
    where = _sql(decision, "where", names) or "true"
    moment, _ = moment_sql(role["time"], lines.columns[declared.time])
    groups = "".join(
        f", {lines.column(c, 'a subgroup')} as p_group{k}" for k, c in enumerate(grouped)
    )
    part = f"{role['part']}::varchar" if "part" in role else "null::varchar"
    return (
        f"with named as (select l.*{attributes}{named} from lines l{joined}) "  # noqa: S608
        f"select row_number() over () as rn, "
        f"{text_sql(role['user'], lines.columns[declared.user])} as p_user, "
        f"{text_sql(role['item'], lines.columns[declared.item])} as p_item, "
        f"{moment} as p_time, {role['time']} is not null as p_dated, "
        f"{quantity} as p_quantity, {value} as p_value, {margin} as p_margin, "
        f"coalesce({cancelled}, false) as p_cancelled, coalesce({where}, false) as p_counts, "
        f"{part} as p_part{groups} from named"
    )


def _refuse_ambiguous(name: str, column: str | None, lines: Relation) -> None:
    same = next((c for c in lines.columns if c.casefold() == name), None)
    if same is not None and column is not None and same != column:
        raise DataError.bad_rows(
            f"two columns could be meant by {show(name)}",
            f"column {same}",
            f"interactions.{name} = {show(column)}, and a column {show(same)} beside it",
            f"one meaning of {show(name)} in expressions",
            f"Declare that column as {show(name)}, or rename it in a query",
        )


def _sql(decision: Decision, key: str, known: dict[str, str]) -> str | None:
    assert decision.recommend is not None
    declared = decision.recommend.interactions
    node = declared.node(key)
    if node is None:
        return None
    for column in columns_of(node):
        if column not in known:
            error = ExpressionError.unknown_column(getattr(declared, key), column, known)
            raise error.within(f"key interactions.{key}")
    return to_sql(node)


def _glob(patterns: Any, column: str) -> str:
    return " or ".join(f"{column} glob {quoted_text(p)}" for p in patterns) or "false"


def _cleaned(connection: duckdb.DuckDBPyConnection, decision: Decision) -> dict[str, Any]:
    """Make the table ``kept``; return how many rows were left out, for which reason."""
    recommend = decision.recommend
    assert recommend is not None
    declared = recommend.interactions
    blocked = recommend.users.exclude if recommend.users is not None else {}
    reasons = {
        "not_counted": "not p_counts",
        "no_user": "p_user is null",
        "no_item": "p_item is null",
        "no_time": "p_time is null",
        "excluded_items": f"({_glob(declared.exclude, 'p_item')}) "  # noqa: S608  (quoted)
        "or p_item in (select label from not_offered)",
        "excluded_users": _glob(blocked, "p_user"),
        "no_quantity": "p_quantity is null or not isfinite(p_quantity) or p_quantity = 0 "
        "or (p_quantity < 0 and not p_cancelled)",
    }
    cases = " ".join(f"when {sql} then {quoted_text(n)}" for n, sql in reasons.items())
    connection.execute(
        f"create temp table sorted_out as select *, case {cases} else 'kept' end as fate "  # noqa: S608
        "from typed"
    )
    rows = connection.execute(
        "select fate, count(*), sum(case when isfinite(p_value) then p_value end) "
        "from sorted_out group by fate"
    ).fetchall()
    found = {str(fate): (int(n), float(money or 0)) for fate, n, money in rows}
    total = sum(n for n, _ in found.values())
    if found.get("kept", (0, 0.0))[0] == 0:
        why = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, (n, _) in found.items())
        raise DataError.empty("the interactions", f"of {counted(total, 'row')}: {why}")
    alike = "p_user, p_item, p_time, p_quantity, p_value, p_margin, p_cancelled, p_part"
    connection.execute(
        "create temp table kept as select *, "  # noqa: S608  (names are fixed)
        f"row_number() over (partition by {alike} order by rn) > 1 as p_repeated "
        "from sorted_out where fate = 'kept'"
    )
    repeated, worth, no_value = connection.execute(
        "select count(*) filter (p_repeated), "
        "sum(case when p_repeated and isfinite(p_value) then p_value else 0 end), "
        "count(*) filter (p_value is null or not isfinite(p_value)) from kept"
    ).fetchall()[0]
    if declared.duplicates == "drop":
        connection.execute("delete from kept where p_repeated")
    excluded = {
        pattern: connection.execute(
            "select count(*) from typed where p_item glob ?", [pattern]
        ).fetchall()[0][0]
        for pattern in declared.exclude
    }
    first = connection.execute("select min(p_value), max(p_value) from kept").fetchall()[0]
    return {
        "rows": total,
        "left_out": {n: found.get(n, (0, 0.0))[0] for n in reasons},
        "value_left_out": {n: found.get(n, (0, 0.0))[1] for n in reasons},
        "excluded": excluded,
        "repeated_rows": int(repeated),
        "repeated_value": float(worth or 0),
        "duplicates": declared.duplicates,
        "no_value": int(no_value) if declared.has_value else 0,
        "has_value": declared.has_value,
        "value_range": [None if v is None else float(v) for v in first],
    }


def _refuse_bad_time(connection: duckdb.DuckDBPyConnection, lines: Relation, column: str) -> None:
    if lines.columns[column] != "VARCHAR":
        return
    bad = connection.execute(
        "select count(*) from typed where p_time is null and p_dated"
    ).fetchall()[0][0]
    if bad:
        raise DataError.bad_column(
            column,
            "the time",
            f"text that is no date in {counted(int(bad), 'row')}",
            "dates, or numbers that rise with time",
            "Write dates as 2026-11-23, or as 2026-11-23T10:30:00",
        )
