"""Catalogues of users and items, and the stretches of time in which items are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import duckdb
import numpy as np

from payoff.declare import Attributes, Recommend
from payoff.declare.expression import columns_of, to_sql
from payoff.engine.duckdb_engine import quoted_text
from payoff.errors import DataError, ExpressionError, counted, show
from payoff.load.interactions.events import Catalogue, Windows
from payoff.load.interactions.relation import Relation, moment_sql, text_sql

__all__ = ["catalogue", "not_offered", "windows"]

_NONE: Final[Mapping[str, str]] = {}


def catalogue(
    connection: duckdb.DuckDBPyConnection,
    noun: str,
    rows: Relation | None,
    declared: Attributes | None,
    exclude: Mapping[str, str] = _NONE,
) -> Catalogue:
    """Make the table ``<noun>_codes`` of all labels, those never met in an event too.

    Raises
    ------
    DataError
        ``PAY-L011`` when one id has two rows of attributes.
    """
    also, id_sql = "", ""
    if rows is not None and declared is not None:
        column = rows.column(declared.id, f"{noun}s.id")
        id_sql = text_sql(column, rows.columns[declared.id])
        _refuse_twice(connection, noun, rows, id_sql)
        also = f" union select {id_sql} as label from {rows.name}"  # noqa: S608  (quoted)
    patterns = [*exclude, *(declared.exclude if declared is not None else {})]
    skip = " or ".join(f"label glob {quoted_text(p)}" for p in patterns) or "false"
    if noun == "item":
        skip += " or label in (select label from not_offered)"
    connection.execute(
        f"create temp table {noun}_codes as "  # noqa: S608  (names are fixed, patterns quoted)
        "select label, (row_number() over (order by try_cast(label as bigint), label) - 1)"
        "::integer as code "
        f"from (select distinct p_{noun} as label from kept where not p_cancelled{also}) "
        f"where label is not null and not ({skip})"
    )
    labels = connection.sql(f"select label from {noun}_codes order by code")  # noqa: S608
    found = labels.to_arrow_table().column("label").to_numpy()
    attributes = None
    if rows is not None:
        attributes = connection.sql(
            f"select r.* from {noun}_codes c left join {rows.name} r "  # noqa: S608
            f"on c.label = {id_sql} order by c.code"
        ).to_arrow_table()
    return Catalogue(labels=found, attributes=attributes)


def not_offered(
    connection: duckdb.DuckDBPyConnection, rows: Relation | None, declared: Attributes | None
) -> None:
    """Make the table ``not_offered``: items that ``items.where`` says are no products."""
    chosen = "select null::varchar as label where false"
    node = None if declared is None else declared.node
    if rows is not None and declared is not None and node is not None:
        for column in columns_of(node):
            if column not in rows.columns:
                error = ExpressionError.unknown_column(str(declared.where), column, rows.columns)
                raise error.within("key items.where")
        id_sql = text_sql(rows.column(declared.id, "items.id"), rows.columns[declared.id])
        chosen = (
            f"select {id_sql} as label from {rows.name} "  # noqa: S608  (quoted)
            f"where {id_sql} is not null and not coalesce({to_sql(node)}, false)"
        )
    connection.execute(f"create temp table not_offered as {chosen}")


def _refuse_twice(
    connection: duckdb.DuckDBPyConnection, noun: str, rows: Relation, id_sql: str
) -> None:
    twice = connection.execute(
        f"select {id_sql} as id, count(*) from {rows.name} "  # noqa: S608  (quoted)
        "where id is not null group by 1 having count(*) > 1 order by 1"
    ).fetchall()
    if twice:
        raise DataError.bad_rows(
            f"one {noun} has several rows of attributes",
            f"[{noun}s]",
            f"{counted(len(twice), 'id')} more than once, such as {show(str(twice[0][0]))}",
            f"one row per {noun}",
            "Take the latest row of each; when an item comes and goes, declare that in [stock]",
        )


def windows(
    connection: duckdb.DuckDBPyConnection,
    recommend: Recommend,
    items: Relation | None,
    stock: Relation | None,
    catalogue_: Catalogue,
    *,
    dates: bool,
) -> tuple[Windows, ...]:
    """Return when items are in the catalogue, and when they can be delivered.

    Raises
    ------
    DataError
        ``PAY-L006`` when the moments are of another kind than the time of the interactions.
    """
    found = []
    for key, rows, declared, name in (
        ("items", items, recommend.items, recommend.items.id if recommend.items else ""),
        ("stock", stock, recommend.stock, recommend.stock.item if recommend.stock else ""),
    ):
        if rows is None or declared is None or (declared.from_ is None and declared.until is None):
            continue
        item = text_sql(rows.column(name, f"the item of [{key}]"), rows.columns[name])
        ends = {}
        for end, column in (("from", declared.from_), ("until", declared.until)):
            if column is None:
                ends[end] = "null::double"
                continue
            sql, dated = moment_sql(rows.column(column, f"{key}.{end}"), rows.columns[column])
            if dated != dates:
                raise DataError.bad_column(
                    column,
                    f"{key}.{end}",
                    "dates" if dated else "numbers",
                    "dates" if dates else "numbers, as the time of the interactions is",
                )
            ends[end] = sql
        table = connection.sql(
            f"select c.code as i, coalesce(s, '-inf'::double) as s, "  # noqa: S608
            f"coalesce(e, 'inf'::double) as e from (select {item} as label, "
            f"{ends['from']} as s, {ends['until']} as e from {rows.name}) w "
            "join item_codes c on c.label = w.label"
        ).to_arrow_table()
        start, end_ = table.column("s").to_numpy(), table.column("e").to_numpy()
        if np.any(end_ < start):
            raise DataError.bad_rows(
                "an item ends before it begins",
                f"[{key}]",
                counted(int(np.sum(end_ < start)), "row"),
                "'until' at or after 'from'",
                "Correct these rows",
            )
        codes = table.column("i").to_numpy().astype(np.int32)
        found.append(Windows(item=codes, start=start.copy(), end=end_.copy()))
    return tuple(found)
