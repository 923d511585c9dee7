"""Engines answer one SELECT with a table, and nothing else."""

from __future__ import annotations

import duckdb
import pytest

from payoff.engine.duckdb_engine import DuckDB
from payoff.engine.postgres_engine import Postgres, without_password
from payoff.errors import DataError
from tests.bad_input.making import assert_well_told


@pytest.fixture(params=["duckdb", "duckdb file", "postgres"])
def engine(request, tmp_path):
    if request.param == "postgres":
        return Postgres(request.getfixturevalue("postgres_url"))
    if request.param == "duckdb":
        return DuckDB()
    duckdb.connect(str(tmp_path / "a.duckdb")).close()
    return DuckDB(str(tmp_path / "a.duckdb"))


def test_values_and_nulls(engine):
    table = engine.query("select 1.5::double precision as a, null::int as b, 'x' as c")
    assert table.to_pylist() == [{"a": 1.5, "b": None, "c": "x"}]


def test_no_rows_keep_their_columns(engine):
    assert engine.query("select 1 as a where 1 = 0").column_names == ["a"]


@pytest.mark.parametrize("sql", ["pick 1", "select * from nowhere", "", "select 1/", "\x1b[31m"])
def test_what_cannot_run_is_told(engine, sql):
    with pytest.raises(DataError) as caught:
        engine.query(sql)
    assert_well_told(caught.value, "PAY-L002")


def test_a_database_file_is_only_read(tmp_path):
    path = tmp_path / "a.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(DataError, match="PAY-L002"):
        DuckDB(str(path)).query("create table t (a int)")


def test_a_missing_database_is_not_made(tmp_path):
    with pytest.raises(DataError, match="PAY-L001"):
        DuckDB(str(tmp_path / "no.duckdb")).query("select 1")
    assert list(tmp_path.iterdir()) == []


def test_no_extension_is_fetched():
    with pytest.raises(DataError, match="PAY-L002"):
        DuckDB().query("select * from 'https://192.0.2.1/rows.parquet'")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:s3cret@db/sales", "postgres://ann:s3cret@db:5432/sales?x=1",
        "postgresql://db/sales?user=ann&password=s3cret", "postgresql://ann:@db/sales",
        "postgresql://db/sales",
    ],
)  # fmt: skip
def test_no_password_is_shown(url):
    assert "s3cret" not in without_password(url)
    assert "db" in without_password(url)
