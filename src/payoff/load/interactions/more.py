"""Interactions that come later: read as the first ones were, and joined to their ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.engine.duckdb_engine import connect
from payoff.errors import DataError
from payoff.load.interactions.clean import sort_out
from payoff.load.interactions.events import Catalogue, Events, Ledger
from payoff.load.interactions.read import coded_rows, refused_by_duckdb
from payoff.load.interactions.relation import Relation, moment_sql, relation
from payoff.load.roles import simple_groups

__all__ = ["Joined", "Later", "join", "read_later"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Later:
    """Rows read for a catalogue that stands: known items, known users and new ones.

    Parameters
    ----------
    ledger
        Purchases and cancellations; codes of users go on where the known ones end.
    new_users
        Ids of users that were not known, (n,).
    group_of
        Id of a new user -> label of the group in the first subgroup, where the rows hold it.
    new_items
        Id of an item that was not known -> its rows, most first. They are not in the ledger.
    facts
        What was read and left out, as counts.
    """

    ledger: Ledger
    new_users: NDArray[Any]
    group_of: Mapping[str, str]
    new_items: Mapping[str, int]
    facts: Mapping[str, Any]
    source: str
    fingerprint: str


def read_later(
    decision: Decision, data: Any, *, items: Catalogue, users: NDArray[Any], dates: bool
) -> Later:
    """Read further interactions by the declaration of the first ones.

    The same columns and rules hold: ids as text, exclusions, repeated rows, cancellations. A column
    of the part is not needed, as nothing is judged. One row is enough.

    Parameters
    ----------
    decision
        The declaration.
    data
        Path, pattern, SQL or frame.
    items, users
        What is known: the items with their attributes, and the ids of users (n,).
    dates
        Whether times so far are dates.

    Raises
    ------
    DataError
        ``PAY-L001`` .. ``PAY-L006`` unusable sources and columns, or times of another kind.
    """
    declared = decision.recommend
    assert declared is not None
    rows = replace(declared.interactions, part=None)
    kept = None if declared.items is None else replace(declared.items, where=None)
    decision = replace(decision, recommend=replace(declared, interactions=rows, items=kept))
    with connect() as connection:
        lines = relation(connection, "lines", rows, data=data)
        known_items = None
        if items.attributes is not None and declared.items is not None:
            known_items = _attributes(connection, items.attributes)
        first = next((s.column for s in decision.subgroups if s.column is not None), None)
        groups = [first] if first in lines.columns and first is not None else []
        with refused_by_duckdb(lines):
            facts = sort_out(connection, decision, lines, known_items, groups)
            _refuse_other_times(lines, rows.time, dates=dates)
            new_items = _codes(connection, items.labels, users)
            ledger, _ = coded_rows(connection, decision, len(items))
            return Later(
                ledger=ledger,
                new_users=_column(connection, "select label from user_codes where fresh"),
                group_of=_groups(connection, decision) if groups else {},
                new_items=new_items,
                facts=facts,
                source=lines.source,
                fingerprint=lines.fingerprint,
            )


def _attributes(connection: duckdb.DuckDBPyConnection, table: pa.Table) -> Relation:
    connection.register("item_rows", table)
    described = connection.execute("describe item_rows").fetchall()
    return Relation(
        name="item_rows",
        columns={str(row[0]): str(row[1]) for row in described},
        source="the bundle's items",
        fingerprint="",
    )


def _refuse_other_times(lines: Relation, column: str, *, dates: bool) -> None:
    if moment_sql("", lines.columns[column])[1] != dates:
        raise DataError.bad_column(
            column,
            "the time",
            "numbers" if dates else "dates",
            "dates, as so far" if dates else "numbers, as so far",
            "Write the file as the first one was",
        )


def _codes(
    connection: duckdb.DuckDBPyConnection, items: NDArray[Any], users: NDArray[Any]
) -> dict[str, int]:
    """Make ``item_codes`` and ``user_codes``; return rows of each item that is not known."""
    for name, labels in (("item_codes", items), ("old_users", users)):
        texts = pa.array([str(label) for label in labels], pa.string())
        codes = pa.array(np.arange(len(labels), dtype=np.int32))
        connection.register(name, pa.table({"label": texts, "code": codes}))
    connection.execute(
        "create temp table user_codes as select label, code, false as fresh from old_users "
        "union all select label, ((select count(*) from old_users) + row_number() over "
        "(order by try_cast(label as bigint), label) - 1)::integer, true from ("
        "select distinct p_user as label from kept "
        "semi join item_codes i on p_item = i.label anti join old_users o on p_user = o.label "
        "where not p_cancelled)"
    )
    strange = connection.execute(
        "select p_item, count(*) as n from kept anti join item_codes i on p_item = i.label "
        "group by 1 order by n desc, 1"
    ).fetchall()
    return {str(item): int(n) for item, n in strange}


def _column(connection: duckdb.DuckDBPyConnection, sql: str) -> NDArray[Any]:
    found: NDArray[Any] = connection.sql(f"{sql} order by code").to_arrow_table()[0].to_numpy()
    return found


def _groups(connection: duckdb.DuckDBPyConnection, decision: Decision) -> dict[str, str]:
    """Return the group of each new user, as the first of the rows has it."""
    subgroup = next(s for s in decision.subgroups if s.column is not None)
    rows = connection.sql(
        "select c.label, arg_min(p_group0, rn) as g from user_codes c "
        "join kept on p_user = c.label where fresh group by c.label, c.code order by c.code"
    ).to_arrow_table()
    if not rows.num_rows:
        return {}
    labels, codes = simple_groups(pa.table({str(subgroup.column): rows.column("g")}), subgroup)
    users = rows.column("label").to_pylist()
    return {u: labels[c] for u, c in zip(users, codes.tolist(), strict=True) if c >= 0}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joined:
    """Two ledgers as one.

    Parameters
    ----------
    ledger
        Everything once, in the order of time.
    purchases, cancellations
        How many of the later ones are ``"new"``; ``"known"``: the same user, item, moment and
        pieces already; and of purchases ``"changed"``: other pieces, of which the later stand.
    """

    ledger: Ledger
    purchases: Mapping[str, int]
    cancellations: Mapping[str, int]


def join(known: Ledger, later: Ledger, n_items: int) -> Joined:
    """Join later interactions to known ones; an export that overlaps is counted once.

    Examples
    --------
    >>> def some(*rows):
    ...     u, i, t, q = (np.array(c) for c in zip(*rows, strict=True))
    ...     kept = {"user": u.astype(np.int32), "item": i.astype(np.int32), "time": t * 1.0}
    ...     return Events(**kept, quantity=q * 1.0, value=q * 2.0, margin=q * 0.0)
    >>> none = some((0, 0, 0, 1)).take(np.zeros(1, dtype=bool))
    >>> old = Ledger(purchases=some((0, 0, 1, 1), (0, 1, 2, 1)), cancellations=none)
    >>> new = Ledger(purchases=some((0, 1, 2, 1), (1, 0, 3, 1)), cancellations=none)
    >>> found = join(old, new, 2)
    >>> dict(found.purchases), found.ledger.purchases.time.tolist()
    ({'new': 1, 'known': 1, 'changed': 0}, [1.0, 2.0, 3.0])
    """
    old, new = known.purchases, later.purchases
    met = _met(old, new, n_items)
    again = met >= 0
    changed = again & (old.quantity[met] != new.quantity) if len(old) else again
    stays = np.ones(len(old), dtype=np.bool_)
    stays[met[changed]] = False
    back, later_back = known.cancellations, later.cancellations
    twice = _met(back, later_back, n_items, pieces=True) >= 0
    return Joined(
        ledger=Ledger(
            purchases=_one_after_another(old.take(stays), new.take(~again | changed)),
            cancellations=_one_after_another(back, later_back.take(~twice)),
        ),
        purchases={
            "new": int(np.sum(~again)),
            "known": int(np.sum(again & ~changed)),
            "changed": int(np.sum(changed)),
        },
        cancellations={"new": int(np.sum(~twice)), "known": int(np.sum(twice))},
    )


def _met(old: Events, new: Events, n_items: int, *, pieces: bool = False) -> NDArray[np.int64]:
    """Return the place in ``old`` of each event of ``new``, int64 (n,); -1 where it is not there.

    They are the same when user, item and moment are, and with ``pieces`` the quantity too.
    """
    both = [old, new]
    keys: Sequence[NDArray[Any]] = [
        np.concatenate([e.key(n_items) for e in both]),
        np.concatenate([e.time for e in both]),
        *([np.concatenate([e.quantity for e in both])] if pieces else []),
    ]
    order = np.lexsort(keys)
    differs = np.zeros(len(order), dtype=np.bool_)
    for key in keys:
        differs[1:] |= key[order][1:] != key[order][:-1]
    same = np.empty(len(order), dtype=np.int64)
    same[order] = np.cumsum(differs)
    place = np.full(len(order), -1, dtype=np.int64)
    place[same[: len(old)]] = np.arange(len(old))
    return place[same[len(old) :]]


def _one_after_another(first: Events, second: Events) -> Events:
    order = np.argsort(np.concatenate([first.time, second.time]), kind="stable")
    return Events(
        **{
            spec.name: np.concatenate([getattr(first, spec.name), getattr(second, spec.name)])[
                order
            ]
            for spec in fields(Events)
        }
    )
