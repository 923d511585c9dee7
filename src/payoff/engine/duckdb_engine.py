"""The default engine: DuckDB in this process, for CSV, Parquet and its own database files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from payoff.errors import DataError

__all__ = ["DuckDB", "read_csv", "read_parquet"]

# Not BOOLEAN: "yes" and "no" are names of outcomes and categories, and must stay as written.
_TYPES = ["BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "TIMESTAMPTZ", "VARCHAR"]


def _connection(database: str = ":memory:", *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    # Extensions would be fetched from outside; everything payoff needs is built in.
    config = {"autoinstall_known_extensions": "false"}
    connection = duckdb.connect(database, read_only=read_only, config=config)
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3])


class DuckDB:
    """Queries over a DuckDB database file, or over files in the working folder.

    Examples
    --------
    >>> DuckDB().query("select 1 as a").column_names
    ['a']
    """

    name = "duckdb"

    def __init__(self, database: str | None = None) -> None:
        self._database = database

    def query(self, sql: str) -> pa.Table:
        """Return the rows of one SELECT; a database file is opened read-only."""
        if self._database and not Path(self._database).is_file():
            raise DataError.no_such_source(self._database)
        try:
            with _connection(
                self._database or ":memory:", read_only=self._database is not None
            ) as connection:
                return connection.sql(sql).to_arrow_table()
        except (duckdb.Error, AttributeError) as error:  # no result: not a SELECT
            raise DataError.unreadable("the query", _first_line(error)) from None


def _paths(files: Sequence[Path]) -> str:
    return "[" + ", ".join("'" + str(f).replace("'", "''") + "'" for f in files) + "]"


def read_parquet(files: Sequence[Path]) -> pa.Table:
    """Read Parquet files of one schema as a table.

    Raises
    ------
    DataError
        ``PAY-L002`` when a file is not Parquet, ``PAY-L005`` for columns of the same name.
    """
    where = str(files[0])
    try:
        names = pq.read_schema(files[0]).names
        _refuse_duplicates(names, where)
        with _connection() as connection:
            return connection.sql(f"select * from read_parquet({_paths(files)})").to_arrow_table()
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise DataError.unreadable(where, _first_line(error)) from None


def read_csv(files: Sequence[Path]) -> pa.Table:
    """Read CSV or TSV files (delimiter, quotes and types found by looking) as a table.

    Types are guessed from a sample; where a later row contradicts them, all rows are looked at.

    Raises
    ------
    DataError
        ``PAY-L002`` with DuckDB's own words, ``PAY-L003`` for an empty file, ``PAY-L005``.
    """
    where = str(files[0])
    for file in files:
        if file.stat().st_size == 0:
            raise DataError.empty(str(file), "an empty file")
    last: Exception | None = None
    for options in ("", ", sample_size = -1", ", sample_size = -1, null_padding = true"):
        try:
            with _connection() as connection:
                sniffed = connection.execute(
                    f"select Delimiter, Quote from sniff_csv({_paths(files[:1])[1:-1]})"
                ).fetchall()
                _refuse_duplicates(_header(files[0], sniffed[0] if sniffed else None), where)
                sql = (
                    f"select * from read_csv({_paths(files)}, header = true, "
                    f"auto_type_candidates = {_TYPES}{options})"
                )
                return connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            last = last or error
            if "null_padding" in options or "encoding" in str(error).lower():
                break
    raise DataError.unreadable(where, _first_line(last) if last else "no table found")


def _header(file: Path, sniffed: tuple[str, str] | None) -> list[str]:
    """Read the header as written: DuckDB itself would quietly rename a second 'a' to 'a_1'."""
    delimiter, quote = sniffed or (",", '"')
    with file.open("rb") as stream:
        line = stream.readline(1_000_000).decode("utf-8-sig", "replace")
    quote = quote if quote and len(quote) == 1 else '"'
    delimiter = delimiter if delimiter and len(delimiter) == 1 else ","
    return next(csv.reader(io.StringIO(line), delimiter=delimiter, quotechar=quote), [])


def _refuse_duplicates(names: Sequence[str], where: str) -> None:
    seen: dict[str, str] = {}
    twice = []
    for name in names:
        folded = name.strip().casefold()
        if folded in seen:
            twice.append(name)
        seen[folded] = name
    if twice:
        raise DataError.duplicate_columns(twice, where)
