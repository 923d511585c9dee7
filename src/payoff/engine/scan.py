"""Rows where they lie: one aggregating pass by DuckDB, out of core, without reading them in."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from payoff.engine.duckdb_engine import CSV_TYPES, connect, first_line, paths, quoted_text
from payoff.errors import DataError
from payoff.progress import Progress, silent

__all__ = ["MEMORY", "Scan"]

#: Most memory the engine may hold before it writes to the temporary folder.
MEMORY: Final = "2GB"
_ROW: Final = "file_row_number"


class Scan:
    """Files of one schema, or an Arrow table, that SQL can run over.

    Parameters
    ----------
    files
        Parquet, CSV or TSV files.
    table
        Rows in memory, instead of files.
    memory
        Most memory the engine may hold.

    Attributes
    ----------
    relation
        What to write after ``from``.
    row
        SQL of the row's number in its file.
    types
        Column -> DuckDB type.
    """

    def __init__(
        self,
        files: Sequence[Path] = (),
        *,
        table: pa.Table | None = None,
        memory: str = MEMORY,
    ) -> None:
        self._memory = memory
        self._files = list(files)
        self._table = table
        self.row = "row_number() over ()"
        numbered = ""
        if table is not None:
            self.relation = "payoff_rows"
        elif self.parquet:
            how = ""
            if _ROW not in pq.read_schema(self._files[0]).names:
                how, numbered, self.row = ", file_row_number = true", _ROW, _ROW
            self.relation = f"read_parquet({paths(self._files)}{how})"
        else:
            # From a sample, a late 12.5 in a column of whole numbers would be read as 13.
            how = f"header = true, auto_type_candidates = {CSV_TYPES}, sample_size = -1"
            self.relation = f"read_csv({paths(self._files)}, {how})"
        described = self.query(f"describe select * from {self.relation}")  # noqa: S608
        names = described.column("column_name").to_pylist()
        kinds = described.column("column_type").to_pylist()
        self.types: Mapping[str, str] = {
            n: t for n, t in zip(names, kinds, strict=True) if n != numbered
        }
        if table is None and not self.parquet:  # looked at once, not for every query
            known = ", ".join(f"{quoted_text(n)}: {quoted_text(t)}" for n, t in self.types.items())
            self.relation = f"read_csv({paths(self._files)}, header = true, types = {{{known}}})"

    @property
    def parquet(self) -> bool:
        """Whether the files are Parquet."""
        return bool(self._files) and self._files[0].name.lower().endswith((".parquet", ".pq"))

    def complete(self, columns: Sequence[str]) -> frozenset[str]:
        """Return those columns that are known, without a scan, to have a value in every row."""
        if self._table is not None:
            return frozenset(c for c in columns if self._table.column(c).null_count == 0)
        return frozenset(c for c in columns if self._counted(c) is not None)

    def whole(self, column: str) -> tuple[int, int] | None:
        """Return the least and the largest of whole numbers, where every row has one.

        None where that is not known without a scan.
        """
        if "INT" not in self.types[column].split("(", maxsplit=1)[0]:
            return None
        if self._table is not None:
            values = self._table.column(column)
            if values.null_count or len(values) == 0:
                return None
            ends = pc.min_max(values).as_py()
            return int(ends["min"]), int(ends["max"])
        groups = self._counted(column)
        if not groups or not all(g.has_min_max for g in groups):
            return None
        return min(int(g.min) for g in groups), max(int(g.max) for g in groups)

    def _counted(self, column: str) -> list[Any] | None:
        """Return what Parquet files say of a column, None unless they say that no value lacks."""
        if not self.parquet:
            return None
        found = []
        for file in self._files:
            data = pq.read_metadata(file)
            for group in map(data.row_group, range(data.num_row_groups)):
                of_group = map(group.column, range(group.num_columns))
                found += [c.statistics for c in of_group if c.path_in_schema == column]
        known = all(s is not None and s.has_null_count and s.null_count == 0 for s in found)
        return found if known and found else None

    def rows(self) -> int:
        """Return the number of rows; of CSV files, an estimate from their size."""
        if self._table is not None:
            return int(self._table.num_rows)
        if self.parquet:
            return sum(pq.read_metadata(f).num_rows for f in self._files)
        size = sum(f.stat().st_size for f in self._files)
        with self._files[0].open("rb") as stream:
            head = stream.read(1 << 20)
        packed = 8 if self._files[0].name.lower().endswith((".gz", ".zst")) else 1
        return int(size * packed * head.count(b"\n") / max(len(head), 1))

    def query(
        self, sql: str, progress: Progress = silent, stage: str = "", *, ordered: bool = False
    ) -> pa.Table:
        """Return the answer to a statement.

        Parameters
        ----------
        ordered
            Keep the order of the rows, which a sum does not need.

        Raises
        ------
        DataError
            ``PAY-L002`` with the engine's own words.
        """
        with tempfile.TemporaryDirectory(prefix="payoff-") as folder:
            connection = connect()
            try:
                connection.execute(f"set memory_limit = {quoted_text(self._memory)}")
                connection.execute(f"set temp_directory = {quoted_text(folder)}")
                connection.execute(f"set preserve_insertion_order = {str(ordered).lower()}")
                if self._table is not None:
                    connection.register("payoff_rows", self._table)
                if not stage:
                    return connection.sql(sql).to_arrow_table()
                return _watched(connection, sql, progress, stage)
            except duckdb.Error as error:
                raise DataError.unreadable(
                    str(self._files[0]) if self._files else "the table",
                    first_line(error),
                    need="rows that the engine can read",
                    mend="Correct the file, or judge it with --rows for a message that names the "
                    "line",
                ) from None
            finally:
                connection.close()

    def batches(self, at_once: int) -> Generator[pa.Table, None, None]:
        """Give all rows in order, at most so many at a time.

        Raises
        ------
        DataError
            ``PAY-L002`` with the engine's own words.
        """
        names = ", ".join(_quoted_name(c) for c in self.types)
        connection = connect()
        try:
            connection.execute(f"set memory_limit = {quoted_text(self._memory)}")
            connection.execute("set preserve_insertion_order = true")
            if self._table is not None:
                connection.register("payoff_rows", self._table)
            reader: Any = connection.sql(
                f"select {names} from {self.relation}"  # noqa: S608  (names are quoted)
            ).to_arrow_reader(at_once)
            for batch in reader:
                if batch.num_rows:
                    yield pa.Table.from_batches([batch])
        except (duckdb.Error, pa.ArrowException) as error:
            raise DataError.unreadable(
                str(self._files[0]) if self._files else "the table",
                first_line(error),
                need="rows that the engine can read",
                mend="Correct the file, or export it again as Parquet",
            ) from None
        finally:
            connection.close()

    @contextlib.contextmanager
    def parsed(
        self, columns: Sequence[str], progress: Progress = silent
    ) -> Generator[Scan, None, None]:
        """Give the rows in a form that costs little to scan again: text is parsed into Parquet.

        The copy lies in a temporary folder and is gone afterwards. Parquet and rows in memory are
        given as they are.

        Parameters
        ----------
        columns
            What will be read.
        """
        if self._table is not None or self.parquet:
            yield self
            return
        with tempfile.TemporaryDirectory(prefix="payoff-") as folder:
            target = Path(folder) / "rows.parquet"
            names = ", ".join(dict.fromkeys(_quoted_name(c) for c in columns))
            self.query(
                f"copy (select {names} from {self.relation}) "  # noqa: S608
                f"to {quoted_text(str(target))} (format parquet)",
                progress,
                "read",
                ordered=True,  # a row keeps its number, and with it its half
            )
            yield Scan([target], memory=self._memory)


def _quoted_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _watched(
    connection: duckdb.DuckDBPyConnection, sql: str, progress: Progress, stage: str
) -> pa.Table:
    """Run a query in a thread, and tell how far it is; an interrupt stops it."""
    answer: dict[str, Any] = {}

    def work() -> None:
        try:
            answer["table"] = connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            answer["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.25)
            done = 0.0
            with contextlib.suppress(duckdb.Error, AttributeError):
                done = float(connection.query_progress())
            progress(stage, min(99, max(0, int(done))), 100)
    except BaseException:
        connection.interrupt()
        thread.join()
        raise
    if "error" in answer:
        raise answer["error"]
    progress(stage, 100, 100)
    table: pa.Table = answer["table"]
    return table
