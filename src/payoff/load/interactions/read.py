"""Rows of a shop, a log or a rating site -> coded interactions; DuckDB does the row work."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from payoff.declare import PARTS, Decision, ListSettings
from payoff.declare.expression import columns_of, to_sql
from payoff.engine.duckdb_engine import connect, first_line, quoted_text
from payoff.errors import DataError, DeclarationError, ExpressionError, counted, listed, show
from payoff.load.interactions.cancel import match
from payoff.load.interactions.events import Catalogue, Events, Interactions, TakenBack
from payoff.load.interactions.relation import Relation, moment_sql, relation, text_sql
from payoff.load.interactions.tables import catalogue, not_offered, windows

__all__ = ["read_interactions"]

_FIGURES: Final = ("value", "price", "quantity")


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
        try:
            return _read(connection, decision, lines, items, users, stock)
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
    connection.execute(f"create temp table typed as {_typed_sql(decision, lines, items, users)}")
    not_offered(connection, items, recommend.items)
    facts = _cleaned(connection, decision)
    if not connection.execute("select count(*) from kept where not p_cancelled").fetchall()[0][0]:
        raise DataError.empty("the interactions", "every row is a cancellation")
    _refuse_bad_time(connection, lines, recommend.interactions.time)
    dates = moment_sql("", lines.columns[recommend.interactions.time])[1]
    item_codes = catalogue(
        connection, "item", items, recommend.items, recommend.interactions.exclude
    )
    user_codes = catalogue(connection, "user", users, recommend.users)
    user_codes, several = _with_groups(connection, user_codes, _grouping(decision, users))
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
    events, part, key = _events(connection, decision, len(item_codes))
    back, matched = _taken_back(connection, events, key, len(item_codes))
    facts |= matched
    if not recommend.list.repeats:
        events, part, back, dropped = _first_only(events, part, back, key)
        facts["repeats_left_out"] = dropped
    return Interactions(
        decision=decision,
        events=events,
        taken_back=back,
        users=user_codes,
        items=item_codes,
        windows=windows(connection, recommend, items, stock, item_codes, dates=dates),
        part=part,
        dates=dates,
        facts=facts,
        source=lines.source,
        fingerprint=lines.fingerprint,
        notes=lines.notes,
    )


def _grouping(decision: Decision, users: Relation | None) -> list[str]:
    """Return the columns of subgroups that the interactions, not [users], must hold."""
    known = users.columns if users is not None else {}
    named = dict.fromkeys(s.column for s in decision.subgroups if s.column)
    return [c for c in named if c not in known]


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


def _typed_sql(
    decision: Decision, lines: Relation, items: Relation | None, users: Relation | None
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
        f", {lines.column(c, 'a subgroup')} as p_group{k}"
        for k, c in enumerate(_grouping(decision, users))
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


def _events(
    connection: duckdb.DuckDBPyConnection, decision: Decision, n_items: int
) -> tuple[Events, NDArray[np.int8] | None, NDArray[np.int64]]:
    """Return purchases of one user, item and moment as one event, in the order of time."""
    assert decision.recommend is not None
    declared = decision.recommend.interactions
    rows = connection.sql(
        "select u.code as u, i.code as i, p_time as t, sum(p_quantity) as q, "
        "coalesce(sum(case when isfinite(p_value) then p_value end), 0) as v, "
        "coalesce(sum(case when isfinite(p_margin) then p_margin end), 0) as m, "
        "p_part as p, min(rn) as rn "
        "from kept join user_codes u on p_user = u.label join item_codes i on p_item = i.label "
        "where not p_cancelled group by 1, 2, 3, 7 order by p_time, rn"
    ).to_arrow_table()
    events = Events(
        user=_numpy(rows, "u", np.int32),
        item=_numpy(rows, "i", np.int32),
        time=_numpy(rows, "t", np.float64),
        quantity=_numpy(rows, "q", np.float64),
        value=_numpy(rows, "v", np.float64),
        margin=_numpy(rows, "m", np.float64),
    )
    key = events.user.astype(np.int64) * n_items + events.item
    if declared.part is None:
        return events, None, key
    part = _parts(rows.column("p"), declared.part)
    repeats = decision.recommend.list.repeats
    _refuse_overlap(events, part, key, repeats=repeats)
    return events, part, key


def _numpy(rows: pa.Table, name: str, kind: Any) -> Any:
    return rows.column(name).to_numpy().astype(kind)


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


def _taken_back(
    connection: duckdb.DuckDBPyConnection, events: Events, key: NDArray[np.int64], n_items: int
) -> tuple[TakenBack, dict[str, Any]]:
    rows = connection.sql(
        "select u.code as u, i.code as i, p_time as t, abs(p_quantity) as q, "
        "coalesce(abs(p_value), 0) as v "
        "from kept join user_codes u on p_user = u.label join item_codes i on p_item = i.label "
        "where p_cancelled order by p_time, rn"
    ).to_arrow_table()
    quantity = _numpy(rows, "q", np.float64)
    back_key = _numpy(rows, "u", np.int64) * n_items + _numpy(rows, "i", np.int64)
    found, unmatched = match(events, key, back_key, _numpy(rows, "t", np.float64), quantity)
    value = _numpy(rows, "v", np.float64)
    left = unmatched / np.where(quantity > 0, quantity, 1.0)
    return found, {
        "cancellations": rows.num_rows,
        "cancelled_value": float(value.sum()),
        "unmatched": int(np.sum(left > 0)),
        "unmatched_value": float((value * left).sum()),
    }


def _first_only(
    events: Events, part: NDArray[np.int8] | None, back: TakenBack, key: NDArray[np.int64]
) -> tuple[Events, NDArray[np.int8] | None, TakenBack, int]:
    """Keep the first event of each user and item that was not wholly taken back."""
    taken = np.bincount(back.event, weights=back.quantity, minlength=len(events))
    whole = taken >= events.quantity - 1e-9
    order = np.lexsort((np.arange(len(events)), whole, key))
    first = np.ones(len(events), dtype=np.bool_)
    first[1:] = key[order][1:] != key[order][:-1]
    keep = np.zeros(len(events), dtype=np.bool_)
    keep[order[first]] = True
    place = np.cumsum(keep) - 1
    stays = keep[back.event]
    kept = TakenBack(
        event=place[back.event[stays]], time=back.time[stays], quantity=back.quantity[stays]
    )
    return events.take(keep), None if part is None else part[keep], kept, int(np.sum(~keep))
