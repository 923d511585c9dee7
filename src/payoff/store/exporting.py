"""A log as one table for analysts: a row per decision, in Parquet or as a DuckDB database."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from payoff.errors import EnvironmentError_
from payoff.store.entries import Stored, select
from payoff.store.schema import open_to_read

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Exported", "export"]

_PARQUET: Final = (".parquet", ".pq")
_DUCKDB: Final = (".duckdb",)
_BATCH: Final = 20_000
#: Of an answer, what another column says or what is no single value.
_ELSEWHERE: Final = ("id", "list_id", "unit_id", "bundle_id", "decision", "currency", "user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written.

    Parameters
    ----------
    path
        The file.
    rows
        Decisions, those without content included.
    erased
        Decisions whose content was erased: number, time and bundle only.
    columns
        Names of the columns.
    """

    path: Path
    rows: int
    erased: int
    columns: tuple[str, ...]


def export(
    path: str | Path, out: str | Path, *, with_fields: bool = False, force: bool = False
) -> Exported:
    """Write every decision of a log as one row of a table.

    Columns are ``number``, ``id``, ``request_id``, ``decided_at``, ``bundle_id``, ``unit_id``,
    ``erased``, what answers say (``action``, ``label``, ``automated``, ...), ``y_prob_OUTCOME``,
    ``expected_ACTION``, and of lists ``items``, ``propensities`` (of those items, in order) and
    ``propensity_others``. A column that only some bundles have is null for the rest.

    Parameters
    ----------
    path
        The log; a server may be writing to it.
    out
        File to write: ``.parquet``, or ``.duckdb`` with the table ``decisions``.
    with_fields
        Add ``row``: the fields as JSON.
    force
        Replace the file.

    Raises
    ------
    StoreError
        ``PAY-S030``, ``PAY-S031``, ``PAY-S032``.
    EnvironmentError_
        ``PAY-X003`` for another ending, a file that is there, or a disk that refuses.
    """
    target = Path(out)
    _refuse(target, force=force)
    connection = open_to_read(path)
    try:
        connection.execute("BEGIN")  # both passes read one state of the file
        types: dict[str, str] = {}
        n = erased = 0
        for entry in select(connection, "kind = 'decision'"):
            n += 1
            erased += entry.content is None
            for name, value in _values(entry).items():
                types[name] = _wider(types.get(name), _kind(value))
        schema = _schema(types, with_fields=with_fields)
        entries = select(connection, "kind = 'decision'")
        _write(target, schema, _batches(entries, schema))
    finally:
        connection.close()
    return Exported(path=target, rows=n, erased=erased, columns=tuple(schema.names))


def _refuse(target: Path, *, force: bool) -> None:
    if not target.name.lower().endswith(_PARQUET + _DUCKDB):
        need = f"need a name that ends in {' or '.join(_PARQUET + _DUCKDB)}"
        raise EnvironmentError_.cannot_write(str(target), f"{target.suffix or 'no ending'}; {need}")
    if target.exists() and not force:
        raise EnvironmentError_.cannot_write(
            str(target), "it is there already; --force replaces it"
        )


def _values(entry: Stored) -> dict[str, Any]:
    """Return what an answer says as single values and lists."""
    if entry.content is None:
        return {}
    answer: Mapping[str, Any] = json.loads(entry.content)["answer"]
    found: dict[str, Any] = {}
    for name, value in answer.items():
        if name in _ELSEWHERE:
            continue
        if name == "probabilities":
            found |= {f"y_prob_{k}": v for k, v in value.items()}
        elif name == "expected_money":
            found |= {f"expected_{k}": v for k, v in value.items()}
        elif name == "items":
            found["items"] = [str(one["item"]) for one in value]
            found["propensities"] = [one.get("propensity") for one in value]
        elif name == "others":
            found["propensity_others"] = value.get("propensity")
        elif value is None or isinstance(value, str | bool | int | float):
            found[name] = value
    return found


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "texts" if any(isinstance(one, str) for one in value) else "numbers"
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else "text"


def _wider(one: str | None, other: str) -> str:
    """Return the type that holds both; what does not agree is text."""
    if one in (None, "null", other):
        return other
    if other == "null":
        return str(one)
    if {one, other} == {"texts", "numbers"}:  # a list of nothing counts as one of numbers
        return "texts"
    return "text"


def _schema(types: Mapping[str, str], *, with_fields: bool) -> pa.Schema:
    import pyarrow as pa

    of = {
        "null": pa.string(),
        "text": pa.string(),
        "bool": pa.bool_(),
        "number": pa.float64(),
        "texts": pa.list_(pa.string()),
        "numbers": pa.list_(pa.float64()),
    }
    fixed = {
        "number": pa.int64(),
        "id": pa.string(),
        "request_id": pa.string(),
        "decided_at": pa.timestamp("us", tz="UTC"),
        "bundle_id": pa.string(),
        "unit_id": pa.string(),
        "erased": pa.bool_(),
    }
    said = {name: of["texts" if name == "items" else kind] for name, kind in types.items()}
    more = {"row": pa.string()} if with_fields else {}
    # A declared name could be one of ours; ours is the one that is meant.
    rest = {name: kind for name, kind in (said | more).items() if name not in fixed}
    return pa.schema([*fixed.items(), *rest.items()])


def _batches(entries: Iterator[Stored], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    texts = {field.name for field in schema if pa.types.is_string(field.type)}
    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    for entry in entries:
        said = _values(entry)
        facts = {
            "number": entry.number,
            "id": entry.id,
            "request_id": entry.request_id,
            "decided_at": round(entry.at * 1e6),
            "bundle_id": entry.bundle_id,
            "unit_id": entry.unit_id,
            "erased": entry.content is None,
        }
        if "row" in columns and entry.content is not None:
            row = json.loads(entry.content)["row"]
            facts["row"] = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        for name, values in columns.items():
            value = facts[name] if name in facts else said.get(name)
            as_text = name in texts and value is not None and not isinstance(value, str)
            values.append(json.dumps(value) if as_text else value)
        if len(columns["number"]) == _BATCH:
            yield pa.RecordBatch.from_pydict(columns, schema=schema)
            columns = {name: [] for name in schema.names}
    if columns["number"]:
        yield pa.RecordBatch.from_pydict(columns, schema=schema)


def _write(target: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    """Write the table whole, or nothing."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # A folder of its own, because DuckDB keeps a second file while it writes.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
            part = str(Path(folder) / "part")
            if target.name.lower().endswith(_PARQUET):
                _parquet(part, schema, batches)
            else:
                _duckdb(part, schema, batches)
            os.replace(part, target)
    except OSError as error:
        raise EnvironmentError_.cannot_write(str(target), error.strerror or str(error)) from None


def _parquet(part: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(part, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _duckdb(part: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    import duckdb
    import pyarrow as pa

    reader = pa.RecordBatchReader.from_batches(schema, batches)
    with duckdb.connect(part) as connection:
        connection.register("source", reader)
        connection.execute("CREATE TABLE decisions AS SELECT * FROM source")
        connection.unregister("source")
