"""The same rows, whichever way they come."""

from __future__ import annotations

import hashlib

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from payoff.declare import Data
from payoff.errors import DataError
from payoff.load.source import read
from tests.bad_input.making import assert_well_told

TABLE = pa.table(
    {
        "n": [1.5, 2.0, None, -4.25],
        "k": [1, 2, 3, 4],
        "t": ["a", "b,c", None, 'say "no"'],
        "y": ["yes", "no", "yes", "no"],
        "d": pa.array([1, 2, 3, 4], pa.timestamp("us")),
    }
)


def csv(folder, name="rows.csv", delimiter=","):
    table = TABLE.set_column(4, "d", TABLE["d"].cast(pa.string()))
    options = pa.csv.WriteOptions(delimiter=delimiter, quoting_style="needed")
    pa.csv.write_csv(table, folder / name, options)
    return folder / name


def packed(folder):
    import gzip

    path = folder / "rows.csv.gz"
    path.write_bytes(gzip.compress(csv(folder).read_bytes()))
    return path


def parquet(folder, name="rows.parquet", table=TABLE):
    pq.write_table(table, folder / name)
    return folder / name


def arrow(folder, name="rows.arrow"):
    pa.feather.write_feather(TABLE, folder / name)
    return folder / name


def pattern(folder):
    parquet(folder, "part-1.parquet", TABLE.slice(0, 3))
    parquet(folder, "part-2.parquet", TABLE.slice(3))
    return folder / "part-*.parquet"


def text_pattern(folder):
    lines = csv(folder, "all.csv").read_text().splitlines(keepends=True)
    (folder / "p1.csv").write_text("".join(lines[:3]))
    (folder / "p2.csv").write_text("".join([lines[0], *lines[3:]]))
    return folder / "p?.csv"


def relation(folder):
    return duckdb.sql(f"select * from '{parquet(folder)}'")


def lazy(_):
    return pl.from_arrow(TABLE).lazy()


def views(_):
    return pl.from_arrow(TABLE)


WAYS = {
    "csv": csv,
    "tsv": lambda f: csv(f, "rows.tsv", "\t"),
    "semicolons": lambda f: csv(f, "rows.csv", ";"),
    "txt": lambda f: csv(f, "rows.txt"),
    "csv.gz": packed,
    "parquet": parquet,
    "pq in capitals": lambda f: parquet(f, "ROWS.PQ"),
    "arrow": arrow,
    "feather": lambda f: arrow(f, "rows.feather"),
    "parquet pattern": pattern,
    "csv pattern": text_pattern,
    "pyarrow": lambda _: TABLE,
    "pyarrow in chunks": lambda _: pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)]),
    "pandas": lambda _: TABLE.to_pandas(),
    "polars": views,
    "lazy polars": lazy,
    "duckdb": relation,
    "sql": lambda f: f"select * from '{parquet(f)}'",
    "text path": lambda f: str(parquet(f)),
}


def plain(table):
    out = table.to_pylist()
    for row in out:
        row["d"] = row["d"].replace(tzinfo=None).isoformat()
        row["k"] = float(row["k"])
    return out


@pytest.mark.parametrize("way", WAYS)
def test_same_rows_whichever_way_they_come(way, tmp_path):
    source = read(WAYS[way](tmp_path))
    assert plain(source.table) == plain(TABLE)
    assert source.table.column_names == TABLE.column_names
    assert len(source.fingerprint) == 64
    assert "sql" in way or str(tmp_path) not in source.name  # a query is shown as it was typed


@pytest.mark.parametrize("way", WAYS)
def test_fingerprint_is_stable(way, tmp_path):
    made = WAYS[way](tmp_path)
    assert read(made).fingerprint == read(made).fingerprint


@pytest.mark.parametrize("make", [csv, packed, parquet, arrow])
def test_fingerprint_of_a_file_is_its_sha256(make, tmp_path):
    path = make(tmp_path)
    assert read(path).fingerprint == hashlib.sha256(path.read_bytes()).hexdigest()


def test_fingerprint_of_a_frame_follows_its_values():
    changed = TABLE.set_column(1, "k", [[1, 2, 3, 5]])
    assert read(TABLE).fingerprint != read(changed).fingerprint
    in_chunks = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)])
    assert read(TABLE).fingerprint == read(in_chunks).fingerprint


def test_fingerprint_does_not_see_what_lies_under_a_null():
    blank = pa.py_buffer(bytes([0b101]))
    one, two = (
        pa.Array.from_buffers(pa.int64(), 3, [blank, pa.array([1, k, 3]).buffers()[1]])
        for k in (7, 8)
    )
    assert one.equals(two)
    assert read(pa.table({"a": one})).fingerprint == read(pa.table({"a": two})).fingerprint
    other = pa.table({"a": pa.array([1, 3, None])})
    assert read(other).fingerprint != read(pa.table({"a": one})).fingerprint


def test_declared_source_is_relative_to_its_folder(tmp_path):
    parquet(tmp_path)
    source = read(Data(source="rows.parquet"), folder=tmp_path)
    assert source.name == "rows.parquet"
    assert read(Data(source=str(tmp_path / "rows.parquet"))).fingerprint == source.fingerprint


def test_declared_query_runs_on_its_database(tmp_path):
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.register("rows", TABLE)
        connection.execute("create table sales as select * from rows")
    before = (tmp_path / "shop.duckdb").read_bytes()
    declared = Data(query="select * from sales order by k", database="shop.duckdb")
    assert plain(read(declared, folder=tmp_path).table) == plain(TABLE)
    assert (tmp_path / "shop.duckdb").read_bytes() == before
    with pytest.raises(DataError) as caught:
        read(Data(query="drop table sales", database="shop.duckdb"), folder=tmp_path)
    assert_well_told(caught.value, "PAY-L002")
    with pytest.raises(DataError) as caught:
        read(Data(query="select 1", database="missing.duckdb"), folder=tmp_path)
    assert "missing.duckdb" in assert_well_told(caught.value, "PAY-L001")


def test_neither_source_nor_query():
    with pytest.raises(DataError) as caught:
        read(Data())
    assert "'source'" in assert_well_told(caught.value, "PAY-L001")


def test_the_callers_frames_are_not_changed():
    text = {"n": ["1", "?"], "y": ["yes", "no"]}
    for make, same in (
        (pd.DataFrame, lambda a, b: a.equals(b)),
        (pl.DataFrame, lambda a, b: a.equals(b)),
        (pa.table, lambda a, b: a.equals(b)),
    ):
        frame = make(text)
        read(frame)
        assert same(frame, make(text))


@pytest.mark.parametrize(
    ("values", "kind", "note"),
    [
        (["1", "2"], "double", "numbers"),
        (["1", "?", "NA"], "double", "read as missing"),
        (["01", "2"], "string", None),
        (["1,5", "2"], "string", None),
        (["+1", "-2.5e3", ".5"], "double", "numbers"),
        (["nan", "1"], "double", "missing"),
        (["inf", "1"], "string", None),
        (["2026-01-02", "2026-01-03T10:00:00"], "timestamp[us]", "dates"),
        (["2026-01-02", "2026-13-03"], "string", None),
        (["2026-01-02T10:00:00Z", "2026-01-03T10:00:00+02:00"], "timestamp[us, tz=UTC]", "dates"),
        (["true", "FALSE"], "bool", "true and false"),
        (["yes", "no"], "string", None),
        (["", " "], "string", None),
        (["1" * 400, "2"], "double", "numbers"),
        (["1"] * 2_000 + ["x"], "string", None),
        (["true"] * 2_000 + ["x"], "string", None),
        (["?"] * 2_000 + ["x"], "string", None),
        (["?"] * 2_000 + ["2"], "double", "read as missing"),
        ([None] * 2_000 + ["2"], "double", "numbers"),
        (["true", "1"], "string", None),
    ],
)
def test_text_is_read_as_what_all_of_it_is(values, kind, note):
    source = read(pa.table({"a": values}))
    assert str(source.table["a"].type) == kind
    assert (note is None) == (source.notes == ())
    assert note is None or note in source.notes[0]


def test_postgres_gives_the_same_rows(postgres_url):
    import adbc_driver_postgresql.dbapi as driver

    with driver.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("drop table if exists payoff_test_rows")
        cursor.adbc_ingest("payoff_test_rows", TABLE, mode="create")
        connection.commit()
    declared = Data(query="select * from payoff_test_rows order by k", database=postgres_url)
    source = read(declared)
    assert plain(source.table) == plain(TABLE)
    with pytest.raises(DataError) as caught:
        read(Data(query="drop table payoff_test_rows", database=postgres_url))
    assert_well_told(caught.value, "PAY-L002")
    assert plain(read(declared).table) == plain(TABLE)
    with driver.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("drop table payoff_test_rows")
        connection.commit()


def test_postgres_out_of_reach_is_told_without_the_password():
    url = "postgresql://ann:secret@127.0.0.1:1/sales"
    with pytest.raises(DataError) as caught:
        read(Data(query="select 1", database=url))
    text = assert_well_told(caught.value, "PAY-L002")
    assert "secret" not in text
    assert "ann:***@" in text
