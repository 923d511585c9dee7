"""The tables of a recommendation as relations of one DuckDB connection."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from payoff.declare import Data
from payoff.engine.duckdb_engine import paths
from payoff.errors import DataError
from payoff.load.source import files_of, fingerprint_of, label_of, read

__all__ = ["Relation", "moment_sql", "quoted", "relation", "text_sql"]


class _Where(Protocol):
    @property
    def source(self) -> str | None: ...
    @property
    def query(self) -> str | None: ...
    @property
    def database(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A view of the connection: its name, columns with their types, and where it comes from."""

    name: str
    columns: dict[str, str]
    source: str
    fingerprint: str
    notes: tuple[str, ...] = ()

    def column(self, name: str, role: str) -> str:
        """Return the quoted column, or refuse (``PAY-L004``)."""
        if name not in self.columns:
            raise DataError.missing_column(name, role, self.columns)
        return quoted(name)


def quoted(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def relation(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    where: _Where,
    *,
    folder: Path | None = None,
    data: Any = None,
) -> Relation:
    """Make a view of a declared source, or of ``data``; Parquet files are not read into memory.

    Raises
    ------
    DataError
        ``PAY-L001``, ``PAY-L002``, ``PAY-L003``.
    """
    named = data if data is not None else where.source
    files = files_of(named, folder if data is None else None) if named is not None else []
    if files and files[0].name.lower().endswith((".parquet", ".pq")):
        try:
            pq.read_schema(files[0])
        except (pa.ArrowException, OSError) as error:
            raise DataError.unreadable(
                str(files[0]), str(error), need="Parquet files", mend="Write the file again"
            ) from None
        connection.execute(
            f"create temp view {name} as select * from read_parquet({paths(files)})"  # noqa: S608
        )
        source, fingerprint = label_of(str(named), files), fingerprint_of(files)
        notes: tuple[str, ...] = ()
    else:
        rows = (
            read(data, database=where.database)
            if data is not None
            else read(
                Data(source=where.source, query=where.query, database=where.database),
                folder=folder,
            )
        )
        connection.register(name, rows.table)
        source, fingerprint, notes = rows.name, rows.fingerprint, rows.notes
    described = connection.execute(f"describe {name}").fetchall()
    return Relation(
        name=name,
        columns={str(row[0]): str(row[1]) for row in described},
        source=source,
        fingerprint=fingerprint,
        notes=tuple(notes),
    )


def text_sql(column: str, kind: str) -> str:
    """Return SQL that writes an id as text: ``17850.0`` and ``" 17850"`` are ``17850``."""
    if kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL"):
        whole = f"{column} = floor({column}) and abs({column}) < 1e15"
        return (
            f"case when isnan({column}::double) then null when {whole} "
            f"then {column}::bigint::varchar else {column}::varchar end"
        )
    plain = f"nullif(trim({column}::varchar), '')"
    return rf"regexp_replace({plain}, '^(-?[1-9][0-9]*|0)\.0+$', '\1')"


def moment_sql(column: str, kind: str) -> tuple[str, bool]:
    """Return SQL that writes a time as a number that orders rows, and whether it is a date."""
    if kind.startswith(("DATE", "TIMESTAMP")):
        cast = column if kind.startswith("TIMESTAMP") else f"{column}::timestamp"
        return f"(case when isfinite({cast}) then epoch_us({cast}) end)::double", True
    if kind == "VARCHAR":
        return f"epoch_us(try_cast(trim({column}) as timestamp))::double", True
    return f"(case when isfinite({column}::double) then {column}::double end)", False
