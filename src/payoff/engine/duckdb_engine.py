"""The default engine: DuckDB in this process, for CSV, Parquet and its own database files."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from payoff.errors import DataError, counted

__all__ = [
    "CSV_TYPES",
    "DuckDB",
    "connect",
    "first_line",
    "paths",
    "quoted_text",
    "read_csv",
    "read_parquet",
    "refuse_duplicates",
]

# Not BOOLEAN: "yes" and "no" are names of outcomes and categories, and must stay as written.
CSV_TYPES: Final = ["BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "VARCHAR"]

_DELIMITERS: Final = ",;\t|"


def connect(database: str = ":memory:", *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a database; nothing is fetched from outside, and times are UTC."""
    # Extensions would be fetched from outside; everything payoff needs is built in.
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false"
    }
    connection = duckdb.connect(database, read_only=read_only, config=config)
    connection.execute("set TimeZone = 'UTC'")
    return connection


_LONG_LINE: Final = re.compile(r"Maximum line size of (\d+) bytes exceeded. Actual Size:(\d+)")


def first_line(error: Exception) -> str:
    """Return the first lines of a database's message as one, without the rows it repeats."""
    long = _LONG_LINE.search(str(error))
    if long:
        return (
            f"a line of {int(long[2]):,} bytes, where a CSV file may have lines of at most "
            f"{int(long[1]):,}"
        )
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3]).partition("Original Line")[0].strip()


class DuckDB:
    """Queries over a DuckDB database file, or over files.

    Parameters
    ----------
    database
        A DuckDB file, or None for a database in memory.
    folder
        Folder that files named in the query are relative to; None is where the program stands.

    Examples
    --------
    >>> DuckDB().query("select 1 as a").column_names
    ['a']
    """

    name = "duckdb"

    def __init__(self, database: str | None = None, folder: str | None = None) -> None:
        self._database = database
        self._folder = folder

    def query(self, sql: str) -> pa.Table:
        """Return the rows of one SELECT; a database file is opened read-only."""
        if self._database and not Path(self._database).is_file():
            raise DataError.no_such_source(self._database)
        try:
            with connect(
                self._database or ":memory:", read_only=self._database is not None
            ) as connection:
                if self._folder:
                    connection.execute(f"set file_search_path = {quoted_text(self._folder)}")
                return connection.sql(sql).to_arrow_table()
        except (duckdb.Error, AttributeError) as error:  # no result: not a SELECT
            raise DataError.unreadable(
                "the query",
                first_line(error) if isinstance(error, duckdb.Error) else "no rows",
                need="one SELECT that the database can run",
                mend="Correct the query",
            ) from None


def quoted_text(value: str) -> str:
    """Quote text for SQL."""
    return "'" + value.replace("'", "''") + "'"


def paths(files: Sequence[Path]) -> str:
    """Write files as a SQL list of texts."""
    return "[" + ", ".join(quoted_text(str(f)) for f in files) + "]"


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
        with connect() as connection:
            sql = f"select * from read_parquet({paths(files)})"  # noqa: S608  (paths are quoted)
            return connection.sql(sql).to_arrow_table()
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise DataError.unreadable(
            where,
            first_line(error),
            need="Parquet files of one schema",
            mend="Write the file again; this one is damaged, or of another format or schema",
        ) from None


def read_csv(files: Sequence[Path]) -> pa.Table:
    """Read CSV or TSV files (delimiter, quotes and types found by looking) as a table.

    Types are guessed from all rows: from a sample, a late 12.5 in a column of whole numbers would
    be read as 13 without a word.

    Raises
    ------
    DataError
        ``PAY-L002`` with the line, ``PAY-L005`` for columns of the same name.
    """
    where = str(files[0])
    try:
        with connect() as connection:
            first = paths(files[:1])[1:-1]
            sniff = f"select Delimiter, Quote from sniff_csv({first})"  # noqa: S608  (quoted)
            sniffed = connection.execute(sniff).fetchall()
            delimiter, quote = sniffed[0] if sniffed else (",", '"')
            header = _header(files[0], delimiter, quote)
            if _missed(header):  # the sniffer gave up on commas and took each line as one value
                raise _why_not(files, None)
            _refuse_duplicates(header, where)
            how = f"header = true, auto_type_candidates = {CSV_TYPES}, sample_size = -1"
            sql = f"select * from read_csv({paths(files)}, {how})"  # noqa: S608  (quoted)
            return connection.sql(sql).to_arrow_table()
    except duckdb.Error as error:
        raise _why_not(files, error) from None


def refuse_duplicates(files: Sequence[Path]) -> None:
    """Refuse CSV or Parquet files with two columns of one name, which DuckDB would rename.

    Raises
    ------
    DataError
        ``PAY-L005``.
    """
    name = str(files[0])
    try:
        if name.lower().endswith((".parquet", ".pq")):
            names = pq.read_schema(files[0]).names
        else:
            with connect() as connection:
                sniff = f"select Delimiter, Quote from sniff_csv({quoted_text(name)})"  # noqa: S608
                delimiter, quote = connection.execute(sniff).fetchall()[0]
            names = _header(files[0], delimiter, quote)
    except (duckdb.Error, pa.ArrowException, OSError, IndexError):
        return  # what is wrong with it is told by whoever reads it
    _refuse_duplicates(names, name)


def _open(file: Path, mode: str = "rb") -> Any:
    if file.name.lower().endswith(".gz"):
        import gzip

        return gzip.open(file, mode)
    return file.open(mode)


def _header(file: Path, delimiter: str, quote: str) -> list[str]:
    """Read the header as written: DuckDB itself would quietly rename a second 'a' to 'a_1'."""
    if file.name.lower().endswith(".zst"):
        return []
    try:
        with _open(file) as stream:
            line = stream.readline(1_000_000).decode("utf-8-sig", "replace")
    except (OSError, EOFError):
        return []  # what is wrong with it is told by whoever reads it whole
    quote = quote if quote and len(quote) == 1 else '"'
    delimiter = delimiter if delimiter and len(delimiter) == 1 else ","
    if "\r" in line.rstrip("\r\n"):  # lines end in a bare carriage return
        line = line.partition("\r")[0]
    return next(csv.reader(io.StringIO(line), delimiter=delimiter, quotechar=quote), [])


def _missed(header: Sequence[str]) -> bool:
    """Whether a header read as one name is in truth several."""
    return len(header) == 1 and any(d in header[0].strip(_DELIMITERS) for d in _DELIMITERS)


def _why_not(files: Sequence[Path], error: Exception | None) -> DataError:
    """Say in which line a CSV file stops being a table, as DuckDB does not."""
    text = str(error or "")
    if "unicode" in text or "utf-8 encoded" in text:
        line = re.search(r"Line: (\d+)", text)
        return DataError.unreadable(
            str(files[0]),
            f"bytes that are not UTF-8{f' in line {line[1]}' if line else ''}",
            need="a CSV file in UTF-8",
            mend="Save the file as UTF-8, or as Parquet",
        )
    if _LONG_LINE.search(text):
        return DataError.unreadable(
            str(files[0]),
            first_line(error or ValueError()),
            need="shorter lines, or a format without such a limit",
            mend="Cut what makes the line so long, or export the data as Parquet",
        )
    for file in files:
        found = _odd_line(file)
        if found:
            return DataError.unreadable(str(file), found)
    return DataError.unreadable(str(files[0]), first_line(error) if error else "no table found")


def _odd_line(file: Path) -> str | None:
    try:
        with _open(file) as stream:
            head = stream.readline(1_000_000).decode("utf-8-sig", "replace")
            start = stream.read(1_000_000)
        if b"\r\n" in head.encode() + start and re.search(rb"[^\r]\n", head.encode() + start):
            return "lines that end in two different ways (\\r\\n and \\n)"
        delimiter = max(_DELIMITERS, key=head.count)
        with io.TextIOWrapper(_open(file), "utf-8-sig", "replace", newline="") as stream:
            rows = csv.reader(stream, delimiter=delimiter)
            width = len(next(rows, []))
            for row in itertools.islice(rows, 10_000_000):
                if row and len(row) != width:
                    count = counted(len(row), "value")
                    found = f"{count} in line {rows.line_num}, under a header of {width}"
                    if re.search(rb"\r(?!\n)", start) and b"\n" in start:
                        found += "; a bare carriage return (\\r) outside quotes ends a line there"
                    return found
    except (OSError, EOFError, csv.Error):
        return None
    return None


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
