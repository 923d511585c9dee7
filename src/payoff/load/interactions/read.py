"""Rows of a shop, a log or a rating site -> coded interactions; DuckDB does the row work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from payoff.declare import PARTS, Decision, ListSettings
from payoff.engine.duckdb_engine import connect, first_line
from payoff.errors import DataError, DeclarationError, ExpressionError, counted, listed
from payoff.load.interactions.cancel import settle
from payoff.load.interactions.clean import grouping, sort_out
from payoff.load.interactions.events import Catalogue, Events, Interactions, Ledger
from payoff.load.interactions.relation import Relation, moment_sql, relation
from payoff.load.interactions.tables import catalogue, windows

__all__ = ["coded_rows", "read_interactions", "refused_by_duckdb"]


def read_interactions(
    decision: Decision, *, folder: Path | None = None, data: Any = None
) -> Interactions:
    """Read the interactions of a decision of kind ``"recommend"``.

    Rows without user, item, time or a quantity above 0 are left out and counted; repeated rows are
    dropped as declared; rows of one user, item and moment become one event; cancellations are
    matched to the purchases they take back.

    Parameters
    ----------
    decision
        The declaration.
    folder
        Folder that paths start from.
    data
        Path, pattern, SQL or frame that replaces ``interactions.source``.

    Raises
    ------
    DataError
        ``PAY-L001`` .. ``PAY-L006`` unusable sources and columns, ``PAY-L009`` one user or one
        item, ``PAY-L011`` parts that overlap.
    """
    recommend = decision.recommend
    if recommend is None:
        raise DeclarationError.bad_value("decision.kind", decision.kind, "'recommend'")
    with connect() as connection:
        lines = relation(connection, "lines", recommend.interactions, folder=folder, data=data)
        items = users = stock = None
        if recommend.items is not None:
            items = relation(connection, "item_rows", recommend.items, folder=folder)
            _refuse_unknown(recommend.list, items)
        if recommend.users is not None:
            users = relation(connection, "user_rows", recommend.users, folder=folder)
        if recommend.stock is not None:
            stock = relation(connection, "stock_rows", recommend.stock, folder=folder)
        with refused_by_duckdb(lines):
            return _read(connection, decision, lines, items, users, stock)


@contextmanager
def refused_by_duckdb(lines: Relation) -> Iterator[None]:
    """Say what the declaration has to do with a statement that DuckDB refused (``PAY-L002``)."""
    try:
        yield
    except duckdb.Error as error:
        raise DataError.unreadable(
            lines.source,
            first_line(error),
            need="columns and expressions that fit the roles in [interactions]",
            mend="Correct the expression or the column that the message names",
        ) from None


def _refuse_unknown(rules: ListSettings, items: Relation) -> None:
    """Refuse rules of the list that read attributes which no item has."""
    for column, key in rules.columns.items():
        if column not in items.columns and key == "list.filter":
            error = ExpressionError.unknown_column(str(rules.filter), column, items.columns)
            raise error.within(f"key {key}")
        items.column(column, key)


def _read(
    connection: duckdb.DuckDBPyConnection,
    decision: Decision,
    lines: Relation,
    items: Relation | None,
    users: Relation | None,
    stock: Relation | None,
) -> Interactions:
    recommend = decision.recommend
    assert recommend is not None
    groups = grouping(decision, users)
    facts = sort_out(connection, decision, lines, items, groups)
    if not connection.execute("select count(*) from kept where not p_cancelled").fetchall()[0][0]:
        raise DataError.empty("the interactions", "every row is a cancellation")
    dates = moment_sql("", lines.columns[recommend.interactions.time])[1]
    item_codes = catalogue(
        connection, "item", items, recommend.items, recommend.interactions.exclude
    )
    user_codes = catalogue(connection, "user", users, recommend.users)
    user_codes, several = _with_groups(connection, user_codes, groups)
    facts["users_in_several_groups"] = several
    for noun, codes in (("users", user_codes), ("items", item_codes)):
        if len(codes) < 2:
            raise DataError.too_few(
                f"{noun} to recommend for" if noun == "users" else "items to choose from",
                len(codes),
                2,
                f"Check that the column of {noun} is the right one, and what is left out",
                "the interactions",
            )
    ledger, part = coded_rows(connection, decision, len(item_codes))
    settled = settle(ledger, len(item_codes), repeats=recommend.list.repeats, part=part)
    return Interactions(
        decision=decision,
        events=settled.events,
        taken_back=settled.taken_back,
        ledger=ledger,
        users=user_codes,
        items=item_codes,
        windows=windows(connection, recommend, items, stock, item_codes, dates=dates),
        part=settled.part,
        dates=dates,
        facts={**facts, **settled.facts},
        source=lines.source,
        fingerprint=lines.fingerprint,
        notes=lines.notes,
    )


def _with_groups(
    connection: duckdb.DuckDBPyConnection, found: Catalogue, columns: list[str]
) -> tuple[Catalogue, dict[str, int]]:
    """Add the columns of subgroups as each user's first interaction has them."""
    if not columns:
        return found, {}
    table = found.attributes
    firsts = ", ".join(f"arg_min(p_group{k}, rn) as g{k}" for k in range(len(columns)))
    many = ", ".join(f"count(distinct p_group{k}) > 1 as m{k}" for k in range(len(columns)))
    rows = connection.sql(
        f"select c.code, f.* from user_codes c left join (select p_user, {firsts}, {many} "  # noqa: S608
        "from kept group by p_user) f on c.label = f.p_user order by c.code"
    ).to_arrow_table()
    several = {}
    for k, name in enumerate(columns):
        values = rows.column(f"g{k}")
        table = pa.table({name: values}) if table is None else table.append_column(name, values)
        several[name] = int(pc.sum(rows.column(f"m{k}")).as_py() or 0)
    return Catalogue(labels=found.labels, attributes=table), several


def coded_rows(
    connection: duckdb.DuckDBPyConnection, decision: Decision, n_items: int
) -> tuple[Ledger, NDArray[np.int8] | None]:
    """Return purchases (of one user, item and moment one event) and cancellations, by time.

    Reads the tables ``kept``, ``user_codes`` and ``item_codes``; the part is None where no column
    says it.
    """
    assert decision.recommend is not None
    declared = decision.recommend.interactions
    both = "from kept join user_codes u on p_user = u.label join item_codes i on p_item = i.label "
    rows = connection.sql(
        "select u.code as u, i.code as i, p_time as t, sum(p_quantity) as q, "
        "coalesce(sum(case when isfinite(p_value) then p_value end), 0) as v, "
        "coalesce(sum(case when isfinite(p_margin) then p_margin end), 0) as m, "
        f"p_part as p, min(rn) as rn {both}"
        "where not p_cancelled group by 1, 2, 3, 7 order by p_time, rn"
    ).to_arrow_table()
    back = connection.sql(
        "select u.code as u, i.code as i, p_time as t, abs(p_quantity) as q, "
        f"coalesce(abs(p_value), 0) as v, 0 as m {both} where p_cancelled order by p_time, rn"
    ).to_arrow_table()
    ledger = Ledger(purchases=_coded(rows), cancellations=_coded(back))
    if declared.part is None:
        return ledger, None
    part = _parts(rows.column("p"), declared.part)
    repeats = decision.recommend.list.repeats
    key = ledger.purchases.key(n_items)
    _refuse_overlap(ledger.purchases, part, key, repeats=repeats)
    return ledger, part


def _coded(rows: pa.Table) -> Events:
    kinds = {"user": np.int32, "item": np.int32}
    return Events(
        **{
            spec.name: rows.column(spec.name[0]).to_numpy().astype(kinds.get(spec.name, np.float64))
            for spec in fields(Events)
        }
    )


def _parts(column: pa.ChunkedArray, name: str) -> NDArray[np.int8]:
    values = column.to_pylist()
    strange = sorted({v for v in values if v is not None and v not in PARTS})
    if strange:
        raise DataError.bad_column(
            name, "the part", f"values such as {listed(strange, 3)}", "'fit', 'choose' or 'judge'"
        )
    return np.array([-1 if v is None else PARTS.index(v) for v in values], dtype=np.int8)


def _refuse_overlap(
    events: Events, part: NDArray[np.int8], key: NDArray[np.int64], *, repeats: bool
) -> None:
    """Refuse the same interaction in two parts: what was learnt by heart would be judged."""
    used = np.flatnonzero(part >= 0)
    moment = events.time[used] if repeats else np.zeros(len(used))
    order = np.lexsort((part[used], moment, key[used]))
    k, t, p = key[used][order], moment[order], part[used][order]
    twice = (k[1:] == k[:-1]) & (t[1:] == t[:-1]) & (p[1:] != p[:-1])
    if twice.any():
        raise DataError.bad_rows(
            "the same interaction stands in two parts",
            "the column of the part",
            counted(int(twice.sum()), "interaction")
            + (" of one user, item and moment" if repeats else " of one user and item"),
            "each interaction in one part",
            "Correct the part column, or leave it out and let payoff split by time",
        )
