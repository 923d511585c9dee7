"""Any table a user may have -> one Arrow table with tidy types."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from payoff.declare import Data
from payoff.errors import DataError, nearest, plain, show
from payoff.load.frame import is_numeric, is_temporal
from payoff.load.text.clean import decoded

__all__ = ["Source", "files_of", "fingerprint_of", "label_of", "matching", "read"]

_CSV: Final = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".csv.zst")
_PARQUET: Final = (".parquet", ".pq")
_ARROW: Final = (".arrow", ".feather", ".ipc")
_SQL: Final = r"\s*(select|with)\s"
#: Spellings of "no value" in columns that are otherwise numbers or dates.
_MISSING: Final = ("", "?", ".", "-", "na", "n/a", "nan", "null", "none", "#n/a", "\\n")
_NUMBER: Final = r"^\s*[+-]?(0|[1-9]\d*)?(\.\d+)?([eE][+-]?\d+)?\s*$"
_DATE: Final = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)?)?$"
_LOOKED_AT: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """A table, where it came from, its fingerprint, and what was tidied on the way.

    ``fingerprint`` is the SHA-256 of the file (of the files' digests when there are several), or of
    the Arrow stream of a frame or query.
    """

    table: pa.Table
    name: str
    fingerprint: str
    notes: tuple[str, ...] = field(default=())


def read(data: Any, *, folder: Path | None = None, database: str | None = None) -> Source:
    """Read rows from a path, a pattern, a declaration's ``[data]``, or any frame.

    Parameters
    ----------
    data
        Path or pattern of ``.csv``, ``.tsv``, ``.parquet``, ``.arrow``, ``.feather``; a
        :class:`~payoff.declare.Data`; text that starts with ``select`` or ``with`` (SQL); or a
        pandas, Polars, PyArrow or DuckDB table.
    folder
        Folder that relative paths start from.
    database
        DuckDB file or ``postgresql://`` address for SQL.

    Raises
    ------
    DataError
        ``PAY-L001`` .. ``PAY-L005``, ``PAY-L012``.
    """
    if isinstance(data, Data):
        if data.query is not None:
            return _from_query(data.query, data.database or database, folder)
        if data.source is None:
            raise DataError.no_such_source("[data] names neither 'source' nor 'query'")
        return read(data.source, folder=folder, database=data.database or database)
    if isinstance(data, str) and re.match(_SQL, data, re.IGNORECASE):
        return _from_query(data, database, folder)
    if isinstance(data, str | Path):
        return _from_files(str(data), folder or Path())
    return _from_frame(data)


def _from_query(sql: str, database: str | None, folder: Path | None) -> Source:
    from payoff.engine.duckdb_engine import DuckDB
    from payoff.engine.postgres_engine import Postgres, without_password

    if database and re.match(r"postgres(ql)?://", database):
        table = Postgres(database).query(sql)
        label = f"query on {without_password(database)}: {_one_line(sql)}"
        return _source(table, label, _digest(table))
    where = str((folder or Path()) / database) if database else None
    table = DuckDB(where, str(folder) if folder and str(folder) != "." else None).query(sql)
    return _source(table, f"query on {database or 'DuckDB'}: {_one_line(sql)}", _digest(table))


def _one_line(sql: str, longest: int = 300) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= longest else text[:longest] + "..."


def _from_files(text: str, folder: Path) -> Source:
    from payoff.engine.duckdb_engine import read_csv, read_parquet

    files = matching(text, folder)
    for file in files:
        _refuse_blank(file)
    name = files[0].name.lower()
    if name.endswith(_PARQUET):
        table = read_parquet(files)
    elif name.endswith(_ARROW):
        table = _read_arrow(files)
    elif name.endswith(_CSV):
        table = read_csv(files)
    else:
        raise DataError.unreadable(
            text,
            f"the ending of {show(files[0].name)}",
            need=f"a file that ends in {', '.join((*_CSV, *_PARQUET, *_ARROW))}",
            mend="Export the data as CSV or Parquet",
        )
    return _source(table, label_of(text, files), fingerprint_of(files))


def label_of(text: str, files: list[Path]) -> str:
    """Name files as the report does."""
    return files[0].name if len(files) == 1 else f"{Path(text).name} ({len(files)} files)"


def fingerprint_of(files: list[Path]) -> str:
    """Return the SHA-256 of a file, or of the digests of several."""
    digests = [hashlib.sha256() for _ in files]
    for digest, file in zip(digests, files, strict=True):
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    if len(files) == 1:
        return digests[0].hexdigest()
    return hashlib.sha256("".join(d.hexdigest() for d in digests).encode()).hexdigest()


def files_of(data: Any, folder: Path | None = None) -> list[Path]:
    """Return the CSV or Parquet files that a path or pattern names; none for other data.

    Raises
    ------
    DataError
        ``PAY-L001`` when there is no such file.
    """
    if not isinstance(data, str | Path) or re.match(_SQL, str(data), re.IGNORECASE):
        return []
    files = matching(str(data), folder or Path())
    return files if files[0].name.lower().endswith((*_CSV, *_PARQUET)) else []


def _refuse_blank(file: Path) -> None:
    try:
        size = file.stat().st_size
        blank = size < 10_000 and not file.read_bytes().strip()
    except OSError as error:
        raise DataError.unreadable(str(file), error.strerror or str(error)) from None
    if blank:
        raise DataError.empty(str(file), "only blank lines" if size else "an empty file")


def matching(text: str, folder: Path) -> list[Path]:
    """Return the files that a path or a pattern names."""
    if "\0" in text or len(text) > 4096 or not text.strip():
        raise DataError.no_such_source(text[:100] if text.strip() else "an empty path")
    try:
        path = Path(text) if Path(text).is_absolute() else folder / text
        if path.is_file():
            return [path]
        if path.is_dir():
            raise DataError.unreadable(
                text,
                "a folder",
                need="a file, or a pattern of files",
                mend=f"Name its files, such as {text.rstrip('/')}/*.parquet",
            )
        if any(c in path.name for c in "*?["):
            found = sorted(f for f in path.parent.glob(path.name) if f.is_file())
            if found:
                return found
        others = [f.name for f in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError as error:
        raise DataError.unreadable(text, error.strerror or str(error)) from None
    raise DataError.no_such_source(text, nearest(path.name, others))


def _read_arrow(files: list[Path]) -> pa.Table:
    from pyarrow import feather

    try:
        return pa.concat_tables([feather.read_table(f) for f in files])
    except (pa.ArrowException, OSError) as error:
        raise DataError.unreadable(
            str(files[0]),
            str(error),
            need="Arrow files of one schema",
            mend="Write the file again; this one is damaged, or of another format or schema",
        ) from None


def _from_frame(data: Any) -> Source:
    if isinstance(data, pa.Table):
        table = data
    else:
        import narwhals as nw

        try:
            frame: Any = nw.from_native(data)
        except nw.exceptions.DuplicateError as error:
            twice = re.findall(r"'(.*)' \d+ times", str(error))
            raise DataError.duplicate_columns(twice, "the frame") from None
        except TypeError:
            raise DataError.not_a_frame(f"a value of type {type(data).__qualname__}") from None
        try:
            if isinstance(frame, nw.LazyFrame):
                frame = frame.collect("pyarrow")
            table = frame.to_arrow()
        except (TypeError, ValueError, pa.ArrowException) as error:
            raise DataError.unreadable(
                "the frame",
                str(error),
                need="columns with text as names and one type each",
                mend="Give that column one type before handing the frame over",
            ) from None
    return _source(table, f"a {type(data).__module__.split('.')[0]} table", _digest(table))


def _digest(table: pa.Table) -> str:
    """Digest names, types and values; whatever bytes lie under a null are not looked at."""
    digest = hashlib.sha256()
    for name, column in zip(table.column_names, table.columns, strict=True):
        digest.update(f"{name!r} {column.type} {len(column)}\n".encode("utf-8", "backslashreplace"))
        digest.update(pc.cast(column.is_null(), pa.uint8()).to_numpy().tobytes())
        known = column.drop_null()
        if pa.types.is_boolean(known.type):
            known = pc.cast(known, pa.uint8())  # the last byte of packed bits is not all ours
        if pa.types.is_nested(known.type):
            digest.update(repr(known.to_pylist()).encode("utf-8", "backslashreplace"))
            continue
        sink = pa.BufferOutputStream()
        values = pa.table([known], names=["values"]).combine_chunks()
        with pa.ipc.new_stream(sink, values.schema) as writer:
            writer.write_table(values)
        digest.update(sink.getvalue())
    return digest.hexdigest()


def _source(table: pa.Table, name: str, fingerprint: str) -> Source:
    names = [n.strip().casefold() for n in table.column_names]
    twice = [n for n, f in zip(table.column_names, names, strict=True) if names.count(f) > 1]
    if twice:
        raise DataError.duplicate_columns(twice, name)
    if table.num_columns == 0 or table.num_rows == 0:
        raise DataError.empty(name, f"{table.num_rows} rows of {table.num_columns} columns")
    notes: list[str] = []
    columns = [_tidy(n, table.column(n), notes) for n in table.column_names]
    tidy = pa.table(columns, names=table.column_names)
    return Source(table=tidy, name=plain(name), fingerprint=fingerprint, notes=tuple(notes))


def _tidy(  # noqa: PLR0911  (one return per family of types)
    name: str, column: pa.ChunkedArray, notes: list[str]
) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = pc.cast(column, kind.value_type)
        kind = column.type
    if pa.types.is_decimal(kind) or pa.types.is_float16(kind) or pa.types.is_float32(kind):
        return pc.cast(column, pa.float64(), safe=False)
    if pa.types.is_duration(kind):
        notes.append(f"{plain(name)}: durations read as seconds")
        return pc.divide(pc.cast(pc.cast(column, pa.duration("us")), pa.int64()), 1e6)
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pc.cast(column, pa.timestamp("us", tz="UTC"))
    if pa.types.is_timestamp(kind):
        return pc.cast(column, pa.timestamp("us"), safe=False)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_view(kind):
        return _from_text(name, pc.cast(column, pa.string()), notes)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or _is_fixed(kind):
        return pa.chunked_array([pa.array([_decoded(v) for v in column.to_pylist()], pa.string())])
    if pa.types.is_nested(kind):
        notes.append(f"{plain(name)}: nested values ({kind}) are read as text")
        return pa.chunked_array(
            [pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())]
        )
    if pa.types.is_null(kind):
        return pc.cast(column, pa.float64())
    if is_numeric(kind) or is_temporal(kind) or pa.types.is_boolean(kind):
        return column
    notes.append(f"{plain(name)}: values of type {kind} are read as text")
    return pa.chunked_array(
        [pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())]
    )


def _is_fixed(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_binary(kind))


def _is_view(kind: pa.DataType) -> bool:
    return bool(getattr(pa.types, "is_string_view", lambda _: False)(kind))


def _decoded(value: bytes | None) -> str | None:
    return None if value is None else decoded(value)


def _from_text(name: str, column: pa.ChunkedArray, notes: list[str]) -> pa.ChunkedArray:
    """Read a text column as numbers or dates where every value but the missing marks is one."""
    if _is_prose(column):
        return column
    distinct = pc.unique(column).drop_null()
    lowered = pc.utf8_lower(pc.utf8_trim_whitespace(distinct))
    missing = pc.is_in(lowered, value_set=pa.array(_MISSING))
    values = distinct.filter(pc.invert(missing))
    if len(values) == 0:
        return column
    if set(pc.unique(lowered.filter(pc.invert(missing))).to_pylist()) <= {"true", "false"}:
        notes.append(f"{plain(name)}: text read as true and false")
        marks = pc.utf8_lower(pc.utf8_trim_whitespace(column))
        blank = pc.is_in(marks, value_set=pa.array(_MISSING))
        return pc.if_else(blank, pa.scalar(None, pa.bool_()), pc.equal(marks, "true"))
    sample = values.slice(0, _LOOKED_AT)
    for pattern, target, word in (
        (_NUMBER, pa.float64(), "numbers"),
        (_DATE, pa.timestamp("us"), "dates"),
        (_DATE, pa.timestamp("us", tz="UTC"), "dates"),
    ):
        if not _all_match(sample, pattern) or not _all_match(values, pattern):
            continue
        marks = pc.utf8_lower(pc.utf8_trim_whitespace(column))
        blank = pc.is_in(marks, value_set=pa.array(_MISSING))
        kept = pc.if_else(blank, pa.scalar(None, pa.string()), column)
        try:
            cast = pc.cast(pc.utf8_trim_whitespace(kept), target)
        except pa.ArrowInvalid:
            continue
        gone = [m for m in distinct.filter(missing).to_pylist() if m]
        mark = f"; {', '.join(repr(m) for m in gone[:4])} read as missing" if gone else ""
        notes.append(f"{plain(name)}: text read as {word}{mark}")
        return cast
    return column


def _is_prose(column: pa.ChunkedArray) -> bool:
    """Say whether the first values hold one that keeps the column text, whatever else it holds.

    Documents are told so without a copy of all of them.
    """
    first = column.slice(0, _LOOKED_AT).drop_null()
    lowered = pc.utf8_lower(pc.utf8_trim_whitespace(first))
    may_be = pc.is_in(lowered, value_set=pa.array([*_MISSING, "true", "false"]))
    for pattern in (_NUMBER, _DATE):
        may_be = pc.or_(may_be, pc.match_substring_regex(first, pattern))
    return len(first) > 0 and not pc.all(may_be).as_py()


def _all_match(values: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())
