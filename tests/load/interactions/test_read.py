"""Interactions are read as declared; what is odd is right, or refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from payoff.declare.file import load
from payoff.errors import DataError, DeclarationError, ExpressionError
from payoff.load.interactions.events import hit_money
from payoff.load.interactions.read import read_interactions
from tests.conftest import ROOT
from tests.load.interactions.making import HEAD, declared, named, shop, table

FOUR = [
    ("a", "x", 0, 1, 1.0),
    ("a", "y", 1, 2, 5.0),
    ("b", "x", 2, 1, 100.0),
    ("b", "y", 3, 1, 1e3),
]


def test_hand_table():
    data = shop(FOUR)
    assert named(data) == [
        ("a", "x", 0, 1, 1),
        ("a", "y", 1, 2, 10),
        ("b", "x", 2, 1, 100),
        ("b", "y", 3, 1, 1000),
    ]
    assert data.events.value.sum() == 1111
    assert data.events.user.dtype == np.int32


def test_margin_and_money_of_a_hit():
    more = "margin = '0.5 * value - n'\n[payoffs.show]\nhit = 'margin * 2 + price'\nmiss = -1\n"
    data = shop(FOUR, more)
    margin = 0.5 * data.events.value - data.events.quantity
    assert data.events.margin.tolist() == margin.tolist()
    want = margin * 2 + data.events.value / data.events.quantity
    assert hit_money(data.decision, data.events).tolist() == want.tolist()


def test_margin_reads_attributes_of_items(tmp_path):
    items = pa.table({"sku": ["x", "y", "z"], "cost": [0.5, 1.0, 9.0]})
    more = "margin = 'value - cost * quantity'\n[items]\nid = 'sku'\nsource = 'items.parquet'\n"
    pq.write_table(items, tmp_path / "items.parquet")
    data = read_interactions(declared(more), folder=tmp_path, data=table(FOUR))
    assert data.events.margin.tolist() == [0.5, 8.0, 99.5, 999.0]
    assert data.items.labels.tolist() == ["x", "y", "z"]  # z was never bought, but can be
    assert data.items.attributes.column("cost").to_pylist() == [0.5, 1.0, 9.0]


def test_rows_of_one_moment_are_one_event_and_repeats_are_dropped():
    rows = [*FOUR, ("a", "x", 0, 1, 1.0), ("a", "x", 0, 3, 1.0)]
    assert named(shop(rows))[0] == ("a", "x", 0, 4, 4)
    kept = shop(rows, "duplicates = 'keep'\n")
    assert named(kept)[0] == ("a", "x", 0, 5, 5)
    assert kept.facts["repeated_rows"] == 1


def test_negative_quantities_take_the_latest_purchase_back():
    rows = [
        ("a", "x", 0, 3, 1.0),
        ("a", "x", 2, 2, 1.0),
        ("a", "x", 4, -4, 1.0),  # both of day 2, then two of day 0
        ("a", "y", 1, 1, 10.0),
        ("b", "x", 1, -1, 1.0),  # never bought
        ("b", "y", 5, 1, 100.0),
    ]
    data = shop(rows)
    back = data.taken_back
    taken = np.bincount(back.event, back.quantity, len(data.events))
    got = {event[:3]: float(t) for event, t in zip(named(data), taken, strict=True)}
    assert got == {("a", "x", 0): 2, ("a", "x", 2): 2, ("a", "y", 1): 0, ("b", "y", 5): 0}
    assert data.facts["cancellations"] == 2
    assert data.facts["unmatched"] == 1
    assert data.facts["unmatched_value"] == 1.0
    every = np.ones(4, dtype=bool)
    net = data.known(every)
    assert sorted(net.value.tolist()) == [1, 10, 100]
    day4 = float(back.time[0])
    assert data.known(every, day4).value.sum() == 3 + 2 + 10 + 100  # not taken back yet
    assert data.known(every, day4 + 1).value.sum() == 111


def test_a_cancellation_before_its_purchase_takes_nothing_back():
    data = shop([("a", "x", 3, 1, 1.0), ("a", "x", 1, -1, 1.0), *FOUR[1:]])
    assert len(data.taken_back.event) == 0
    assert data.facts["unmatched"] == 1


def test_cancellations_by_a_condition():
    rows = pa.table(
        {
            "who": ["a", "a", "b", "b"],
            "what": ["x", "x", "x", "y"],
            "day": [1, 2, 3, 4],
            "kind": ["buy", "return", "buy", "look"],
        }
    )
    head = """
schema_version = 1
[decision]
name = "shop"
kind = "recommend"
currency = "EUR"
[interactions]
user = "who"
item = "what"
time = "day"
cancelled = "kind = 'return'"
where = "kind <> 'look'"
[payoffs.show]
hit = 2
"""
    with pytest.raises(DataError, match="PAY-L009"):
        read_interactions(declared(head=head), data=rows)  # one item is left
    rows = rows.set_column(1, "what", pa.array(["x", "x", "y", "y"]))
    data = read_interactions(declared(head=head), data=rows)
    assert data.facts["left_out"]["not_counted"] == 1
    assert len(data.known(np.ones(2, dtype=bool))) == 1
    assert hit_money(data.decision, data.events).tolist() == [2, 2]


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([17850.0, 17850.0, 2.0, None]),
        pa.array(["17850", " 17850.0", "2", ""]),
        pa.array([17850, 17850, 2, None]),
    ],
)
def test_ids_of_mixed_type_are_one(ids):
    rows = table(FOUR).set_column(0, "who", ids)
    data = read_interactions(declared(), data=rows)
    assert data.users.labels.tolist() == ["2", "17850"]
    assert data.facts["left_out"]["no_user"] == 1
    assert data.facts["value_left_out"]["no_user"] == 1000


def test_leading_zeros_and_letters_stay():
    rows = [(w, i, d, 1, 1.0) for d, (w, i) in enumerate([("007", "85123A"), ("7", "85123a")])]
    data = shop(rows)
    assert data.users.labels.tolist() == ["007", "7"]
    assert data.items.labels.tolist() == ["85123A", "85123a"]


def test_no_products_and_no_customers_are_left_out():
    more = '[interactions.exclude]\n"POST*" = "postage"\n'
    data = shop([*FOUR, ("a", "POST", 1, 1, 7.0), ("b", "POSTAGE", 1, 1, 7.0)], more)
    assert data.facts["left_out"]["excluded_items"] == 2
    assert data.items.labels.tolist() == ["x", "y"]


def test_items_that_are_ruled_out_are_in_no_catalogue(tmp_path):
    kinds = {"sku": ["x", "y", "w", "v"], "kind": ["toy", "toy", "fuel", None]}
    pq.write_table(pa.table(kinds), tmp_path / "items.parquet")
    more = '[items]\nid = "sku"\nsource = "items.parquet"\nwhere = "kind <> \'fuel\'"\n'
    rows = [*FOUR, ("a", "w", 1, 1, 7.0)]
    data = read_interactions(declared(more), folder=tmp_path, data=table(rows))
    assert data.items.labels.tolist() == ["x", "y"]
    assert data.facts["left_out"]["excluded_items"] == 1
    wrong = declared(more.replace("kind <>", "sort <>"))
    with pytest.raises(ExpressionError, match=r"PAY-D053.*'sort'"):
        read_interactions(wrong, folder=tmp_path, data=table(rows))


def test_no_repeats_keeps_the_first_that_was_kept():
    rows = [*FOUR, ("a", "x", 5, 1, 9.0), ("b", "x", 3, -1, 100.0), ("b", "x", 9, 1, 7.0)]
    data = shop(rows, "[list]\nrepeats = false\n")
    assert [e[:3] for e in named(data)] == [
        ("a", "x", 0),
        ("a", "y", 1),
        ("b", "y", 3),
        ("b", "x", 9),
    ]
    assert data.facts["repeats_left_out"] == 2
    assert len(data.taken_back.event) == 0  # what it took back is not there


def test_stock_over_time(tmp_path):
    items = {"sku": ["x", "y", "w"], "listed": ["2026-01-01", None, "2026-03-01"]}
    pq.write_table(pa.table(items), tmp_path / "items.parquet")
    stock = {"sku": ["x", "x"], "a": ["2026-01-01", "2026-02-01"], "b": ["2026-01-05", None]}
    pq.write_table(pa.table(stock), tmp_path / "stock.parquet")
    more = """
[items]
id = "sku"
source = "items.parquet"
from = "listed"
[stock]
item = "sku"
source = "stock.parquet"
from = "a"
until = "b"
"""
    data = read_interactions(declared(more), folder=tmp_path, data=table(FOUR))
    start = float(data.events.time[0])
    a_day = 86_400e6
    assert data.items.labels.tolist() == ["w", "x", "y"]
    assert data.available(start).tolist() == [False, True, True]
    assert data.available(start + 10 * a_day).tolist() == [False, False, True]
    assert data.available(start + 70 * a_day).tolist() == [True, True, True]


def test_items_with_two_rows_are_refused(tmp_path):
    pq.write_table(pa.table({"sku": ["x", "x"]}), tmp_path / "items.parquet")
    with pytest.raises(DataError, match=r"PAY-L011.*several rows"):
        read_interactions(
            declared('[items]\nid = "sku"\nsource = "items.parquet"\n'),
            folder=tmp_path,
            data=table(FOUR),
        )


def test_subgroup_of_the_interactions_is_that_of_the_first():
    rows = table(FOUR).append_column("land", pa.array(["DE", "FR", "IT", "IT"]))
    data = read_interactions(declared('[[subgroups]]\ncolumn = "land"\n'), data=rows)
    assert data.users.attributes.column("land").to_pylist() == ["DE", "IT"]
    assert data.facts["users_in_several_groups"] == {"land": 1}
    with pytest.raises(DataError, match="PAY-L004"):
        read_interactions(declared('[[subgroups]]\ncolumn = "age"\n'), data=table(FOUR))


def test_one_user_and_one_item_are_refused():
    with pytest.raises(DataError, match=r"PAY-L009.*users to recommend for"):
        shop([("a", i, d, 1, 1.0) for d, i in enumerate("xyz")])
    with pytest.raises(DataError, match=r"PAY-L009.*items to choose from"):
        shop([(u, "x", d, 1, 1.0) for d, u in enumerate("abc")])


@pytest.mark.parametrize(
    ("column", "values", "code"),
    [
        ("day", ["soon", "late", "now", "2026-01-01"], "PAY-L006"),
        ("who", [None] * 4, "PAY-L003"),
        ("n", [0, 0, 0, 0], "PAY-L003"),
        ("n", [-1, -1, -1, -1], "PAY-L003"),
    ],
)
def test_unusable_columns_are_refused(column, values, code):
    rows = table(FOUR)
    place = rows.column_names.index(column)
    with pytest.raises(DataError, match=code):
        read_interactions(declared(), data=rows.set_column(place, column, pa.array(values)))


def test_a_column_that_is_not_there():
    with pytest.raises(DataError, match=r"PAY-L004.*Did you mean 'who'"):
        read_interactions(declared(head=HEAD.replace('"who"', '"whom"')), data=table(FOUR))
    with pytest.raises(ExpressionError, match="PAY-D053"):
        shop(FOUR, "margin = 'profit'\n")
    with pytest.raises(DataError, match="PAY-L002"):
        shop(FOUR, "where = 'what + 1 > 0'\n")


def test_times_that_are_text_are_dates():
    rows = table(FOUR)
    text = pa.array(["2026-01-01", "2026-01-02 10:00", "2026-01-03", "2026-01-04"])
    data = read_interactions(declared(), data=rows.set_column(2, "day", text))
    assert data.dates
    assert named(data)[3][:3] == ("b", "y", 3)


def test_files_and_frames_give_the_same(tmp_path):
    rows = table(FOUR)
    pq.write_table(rows, tmp_path / "rows.parquet")
    import pyarrow.csv as pc

    pc.write_csv(rows, tmp_path / "rows.csv")
    want = named(read_interactions(declared(), data=rows))
    for name in ("rows.parquet", "rows.csv"):
        assert named(read_interactions(declared(), data=tmp_path / name)) == want


def test_ambiguous_names_are_refused():
    rows = table(FOUR).append_column("price", pa.array([1, 2, 3, 4]))
    with pytest.raises(DataError, match=r"PAY-L011.*could be meant"):
        read_interactions(declared(), data=rows)
    rows = table(FOUR).append_column("value", pa.array([1, 2, 3, 4]))
    with pytest.raises(DataError, match=r"PAY-L011.*'price x quantity'"):
        read_interactions(declared(), data=rows)
    data = read_interactions(declared("value = 'value'\n"), data=rows)
    assert data.events.value.tolist() == [1, 2, 3, 4]


def test_another_kind_is_refused():
    path = next((ROOT / "examples").rglob("decision.toml"))
    with pytest.raises(DeclarationError, match="PAY-D006"):
        read_interactions(load(path))
