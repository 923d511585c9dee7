"""Cells read once into numbers, levels and days, from an Arrow table or from served rows.

Both ways must agree to the last bit, or a decision served would differ from the decision judged.
Everything that is not plain IEEE arithmetic on numeric columns therefore goes through one Python
function per kind of value, called per distinct value of a table and per cell of a row. Importing
this module loads numpy only; Arrow is imported where a table is read.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import DataError
from payoff.load.spelling import text_of

if TYPE_CHECKING:
    import pyarrow as pa

    from payoff.load.fields import Field

__all__ = [
    "DATE_PARTS",
    "Reading",
    "date_parts_of",
    "level_of",
    "number_of",
    "read_table",
    "truth_of",
]

#: What a date is split into; ``days`` counts from 1970-01-01.
DATE_PARTS: Final = ("year", "month", "weekday", "days", "hour")
_EPOCH: Final = datetime.date(1970, 1, 1).toordinal()
_MISSING: Final = math.nan
_TRUTHS: Final = {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}
_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def level_of(value: object) -> str | None:
    """Return a cell as the text of a category, or None when it is missing.

    The spelling is that of :func:`payoff.load.spelling.text_of`. Text of blanks only is missing.

    Examples
    --------
    >>> level_of(1), level_of(1.0), level_of("1"), level_of(True), level_of(" ")
    ('1', '1', '1', 'true', None)
    """
    if type(value) is str:
        return value if value and not value.isspace() else None
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    text = text_of(value)
    return text if text.strip() else None


def number_of(value: object) -> float:
    """Return a cell as a float; NaN when it is missing, infinite or not a number.

    Examples
    --------
    >>> number_of(2), number_of("2.5"), number_of(None), number_of("two")
    (2.0, 2.5, nan, nan)
    """
    if type(value) is not float:
        if value is None:
            return _MISSING
        if isinstance(value, str) and "_" in value:  # float() would read 1_000, SQL would not
            return _MISSING
        try:
            value = float(value)  # type: ignore[arg-type]  # what does not fit raises
        except (TypeError, ValueError, OverflowError):
            return _MISSING
    # Adding 0.0 makes -0.0 and 0.0 one value.
    return value + 0.0 if math.isfinite(value) else _MISSING


def truth_of(value: object) -> float:
    """Return a cell as 1.0 or 0.0; NaN when it is missing or neither.

    Examples
    --------
    >>> truth_of(True), truth_of("FALSE"), truth_of(1.0), truth_of("maybe")
    (1.0, 0.0, 1.0, nan)
    """
    if value is True:
        return 1.0
    if value is False:
        return 0.0
    level = level_of(value)
    return _MISSING if level is None else _TRUTHS.get(level.strip().lower(), _MISSING)


def date_parts_of(value: object) -> tuple[float, ...] | None:
    """Return the :data:`DATE_PARTS` of a date, a moment or its ISO 8601 text, or None.

    A moment with a time zone is read in UTC, as Arrow keeps it; one without, as it stands.

    Examples
    --------
    >>> date_parts_of("2026-11-23T23:30:00-02:00")
    (2026.0, 11.0, 1.0, 20781.0, 1.0)
    """
    hour = 0
    try:
        if isinstance(value, str):
            if len(value) > 40:
                return None
            value = datetime.datetime.fromisoformat(value.strip())
        if isinstance(value, datetime.datetime):
            if value.tzinfo is not None:
                value = value.astimezone(datetime.UTC)
            hour = value.hour
        elif not isinstance(value, datetime.date):
            return None
        day = value.toordinal() - _EPOCH
        return (
            float(value.year),
            float(value.month),
            float(value.weekday()),
            float(day),
            float(hour),
        )
    except (ValueError, OverflowError):  # not a date, or moved out of the calendar by its zone
        return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """The feature columns of n rows as arrays, before any coding.

    Parameters
    ----------
    n
        Number of rows.
    numbers
        Name of a number or boolean field, or (name, part) of a date -> float64 (n,), NaN missing.
    levels
        Name of a category field -> int64 codes (n,), -1 missing, and the text of each code.
    """

    n: int
    numbers: Mapping[str | tuple[str, str], NDArray[np.float64]] = field(default_factory=dict)
    levels: Mapping[str, tuple[NDArray[np.int64], Sequence[str]]] = field(default_factory=dict)

    def take(self, rows: NDArray[np.int64]) -> Reading:
        """Return some of the rows."""
        return Reading(
            n=len(rows),
            numbers={k: v[rows] for k, v in self.numbers.items()},
            levels={k: (codes[rows], labels) for k, (codes, labels) in self.levels.items()},
        )


def read_table(table: pa.Table, fields: Sequence[Field]) -> Reading:
    """Read the feature columns of an Arrow table.

    Raises
    ------
    DataError
        ``PAY-L004`` when a column is absent.
    """
    numbers: dict[str | tuple[str, str], NDArray[np.float64]] = {}
    levels: dict[str, tuple[NDArray[np.int64], Sequence[str]]] = {}
    for one in fields:
        if one.name not in table.column_names:
            raise DataError.missing_column(one.name, "a feature", table.column_names)
        column = table.column(one.name)
        if one.type == "number":
            numbers[one.name] = _read_numbers(column, number_of)
        elif one.type == "boolean":
            numbers[one.name] = _read_truths(column)
        elif one.type == "date":
            parts = _read_dates(column)
            numbers.update({(one.name, part): parts[i] for i, part in enumerate(DATE_PARTS)})
        else:
            levels[one.name] = _read_levels(column)
    return Reading(n=table.num_rows, numbers=numbers, levels=levels)


def _read_numbers(column: pa.ChunkedArray, parse: Any) -> NDArray[np.float64]:
    import pyarrow as pa

    from payoff.load.frame import numbers

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        values = numbers(column) + 0.0
        return np.where(np.isfinite(values), values, np.nan)
    # Decimals too: Arrow's own conversion is not always the nearest float, Python's is.
    return _per_distinct(column, parse)


def _read_truths(column: pa.ChunkedArray) -> NDArray[np.float64]:
    values = _read_numbers(column, truth_of)
    return np.where((values == 0) | (values == 1), values, np.nan)


def _per_distinct(column: pa.ChunkedArray, parse: Any) -> NDArray[np.float64]:
    """Apply a function of one cell to each distinct value of a column."""
    codes, distinct = _distinct(column)
    table = np.array([parse(v) for v in distinct] + [np.nan], dtype=np.float64)
    return np.asarray(table[codes])


def _distinct(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[Any]]:
    """Return codes (n,), -1 for null, and the distinct values as Python objects."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_null(kind) or len(column) == 0:
        return np.full(len(column), -1, dtype=np.int64), []
    array = pa.concat_arrays(column.chunks)
    if not pa.types.is_dictionary(kind):
        try:
            array = pc.dictionary_encode(array)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # lists, structs, views
            values = array.to_pylist()
            codes = np.array([-1 if v is None else i for i, v in enumerate(values)], dtype=np.int64)
            return codes, values
    codes = pc.fill_null(pc.cast(array.indices, pa.int64()), -1).to_numpy(zero_copy_only=False)
    return np.array(codes, dtype=np.int64), array.dictionary.to_pylist()


def _read_levels(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    codes, distinct = _distinct(column)
    places: dict[str, int] = {}
    moved = np.full(len(distinct) + 1, -1, dtype=np.int64)  # the last one catches null
    for i, value in enumerate(distinct):
        text = level_of(value)
        if text is not None:
            moved[i] = places.setdefault(text, len(places))
    # Sorted labels, so that codes do not depend on the order of the rows.
    labels = sorted(places)
    rank = np.full(len(labels) + 1, -1, dtype=np.int64)
    for i, text in enumerate(labels):
        rank[places[text]] = i
    return np.asarray(rank[moved[codes]]), labels


def _read_dates(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return the date parts, float64 (5, n)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
        codes, distinct = _distinct(column)
        parts = [date_parts_of(v) or (np.nan,) * 5 for v in distinct]
        return np.array([*parts, (np.nan,) * 5], dtype=np.float64)[codes].T.copy()
    array = pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0, kind)
    array = pc.cast(array, kind)
    known = np.array(pc.is_valid(array).to_numpy(zero_copy_only=False), dtype=bool)
    if pa.types.is_date32(kind):
        seconds = _whole(pc.cast(array, pa.int32())) * 86_400
    elif pa.types.is_date64(kind):
        seconds = _whole(pc.cast(array, pa.int64())) // 1_000
    else:
        seconds = _whole(pc.cast(array, pa.int64())) // _PER_SECOND[kind.unit]
    days = seconds // 86_400
    months = days.astype("M8[D]").astype("M8[M]").astype(np.int64)
    hours = np.zeros_like(days) if pa.types.is_date(kind) else seconds // 3600 % 24
    every = np.array(
        [months // 12 + 1970, months % 12 + 1, (days + 3) % 7, days, hours], dtype=np.float64
    )
    return np.where(known, every, np.nan)


def _whole(array: pa.Array) -> NDArray[np.int64]:
    import pyarrow.compute as pc

    return np.array(pc.fill_null(array, 0).to_numpy(zero_copy_only=False), dtype=np.int64)
