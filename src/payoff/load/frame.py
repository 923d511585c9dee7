"""Columns of an Arrow table as numpy arrays, the one bridge between rows and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from payoff.load.spelling import text_of

__all__ = ["codes_of", "is_numeric", "is_temporal", "moments", "numbers", "texts"]


def is_numeric(kind: pa.DataType) -> bool:
    """Whether values of this type are numbers (booleans are not)."""
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def is_temporal(kind: pa.DataType) -> bool:
    """Whether values of this type are dates or moments."""
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def _one(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # no chunk at all
            column = pa.concat_arrays(column.chunks) if column.chunks else pa.nulls(0, column.type)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column


def numbers(column: pa.ChunkedArray | pa.Array) -> NDArray[np.float64]:
    """Return a numeric or boolean column as float64 of shape (n,), null as NaN.

    Examples
    --------
    >>> numbers(pa.array([1, None]))
    array([ 1., nan])
    """
    array = _one(column)
    if pa.types.is_null(array.type):
        return np.full(len(array), np.nan)
    if pa.types.is_boolean(array.type):
        array = pc.cast(array, pa.int8())
    values = pc.cast(array, pa.float64(), safe=False)
    out = np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    out.setflags(write=False)
    return out


def moments(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Return dates or moments as whole microseconds since 1970, null kept.

    Examples
    --------
    >>> import datetime
    >>> moments(pa.array([datetime.date(1970, 1, 2)])).to_pylist()
    [86400000000]
    """
    return pc.cast(pc.cast(column, pa.timestamp("us")), pa.int64())


def texts(column: pa.ChunkedArray | pa.Array) -> NDArray[Any]:
    """Return a column as an object array of str of shape (n,), null as None.

    Whole numbers are written without a decimal point, so that ``1`` and ``1.0`` are one value.

    Examples
    --------
    >>> texts(pa.array([1.0, 2.5, None])).tolist()
    ['1', '2.5', None]
    """
    codes, labels = codes_of(column)
    known = np.empty(len(labels) + 1, dtype=object)
    known[:-1] = labels
    known[-1] = None
    out: NDArray[Any] = known[codes]
    return out


def codes_of(column: pa.ChunkedArray | pa.Array) -> tuple[NDArray[np.int64], list[str]]:
    """Return codes of shape (n,), -1 for null, and the text of each code in sorted order.

    Numbers sort as numbers, text as text.

    Examples
    --------
    >>> codes_of(pa.array(["b", None, "a"]))
    (array([ 1, -1,  0]), ['a', 'b'])
    """
    array = _one(column)
    if pa.types.is_null(array.type) or len(array) == 0:
        return np.full(len(array), -1, dtype=np.int64), []
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    encoded = pc.dictionary_encode(array)
    distinct = encoded.dictionary
    order = pc.sort_indices(distinct).to_numpy()
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    indices = encoded.indices
    codes = pc.fill_null(pc.cast(indices, pa.int64()), -1).to_numpy(zero_copy_only=False)
    codes = np.where(codes >= 0, place[np.maximum(codes, 0)] if len(place) else -1, -1)
    labels = [text_of(v) for v in distinct.take(pa.array(order)).to_pylist()]
    if len(set(labels)) == len(labels):
        return codes, labels
    merged = sorted(set(labels))  # 1 and 1.0 cannot meet in one typed column, blanks can
    where = np.array([merged.index(label) for label in labels], dtype=np.int64)
    return np.where(codes >= 0, where[np.maximum(codes, 0)], -1), merged
