"""Twins stay on one side of the split, and the record says what that changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from payoff.load.dataset import Dataset
from payoff.load.text.corpus import documents
from payoff.load.text.twins import merged, twin_groups

__all__ = ["LEFT_OUT", "exposed", "twin_record", "with_twins"]

LEFT_OUT: Final = "a twin of the document stands in an earlier part"
_NOT_YET: Final = "nothing was trained on these rows yet"


def with_twins(data: Dataset) -> Dataset:
    """Return the rows with the twin group of each document; clusters are joined with the groups.

    Rows of one twin group are then one cluster: they stay in one part and one fold, and are
    resampled together.
    """
    table = data.table if data.document is None else data.table.take(pa.array(data.leading))
    groups = twin_groups(documents(table, data.decision.data.text), data.similarity)
    if data.document is not None:
        groups = groups[data.document]
    return replace(data, twins=groups, cluster=merged(data.cluster, groups))


def exposed(part: NDArray[np.int8], twins: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which rows have a twin in an earlier part.

    Parameters
    ----------
    part
        int8 (n,), 0 fit, 1 choose, 2 judge.
    twins
        int64 (n,), group of each document.

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> exposed(np.array([0, 2, 2], dtype=np.int8), np.array([0, 0, 1])).tolist()
    [False, True, False]
    """
    first = np.full(int(twins.max(initial=-1)) + 1, 127, dtype=np.int8)
    np.minimum.at(first, twins, part)
    late: NDArray[np.bool_] = part > first[twins]
    return late


def twin_record(
    data: Dataset, part: NDArray[np.int8], otherwise: NDArray[np.int8], left_out: int
) -> dict[str, Any]:
    """Return what the evidence says about twins, ready for JSON.

    Parameters
    ----------
    data
        Rows with twin groups, before the split; of each document the first row counts.
    part
        int8 (n,), the part of each row.
    otherwise
        int8 (n,), the part each row would have got, had twins been ignored.
    left_out
        Documents left out because a twin stands in an earlier part.

    Returns
    -------
    dict
        ``rule``, ``similarity``, counts ``documents``, ``groups`` (of two and more), ``rows`` (in
        those groups), ``largest``, ``left_out``, ``across`` (rows with a twin in an earlier part),
        ``judged_across_otherwise`` (judging rows that would have had one, and their share), and
        ``inflation``: what those rows would have added to value and accuracy, filled in by
        training, until then ``{"not_measured": ...}``.
    """
    leading = data.leading
    twins, part, otherwise = np.asarray(data.twins)[leading], part[leading], otherwise[leading]
    size = np.bincount(twins)
    late = exposed(otherwise, twins) & (otherwise == 2)
    judged = max(int(np.sum(otherwise == 2)), 1)
    kept = data.decision.text.twins == "keep together"
    return {
        "rule": data.decision.text.twins,
        "similarity": data.similarity,
        "documents": len(leading),
        "groups": int(np.sum(size > 1)),
        "rows": int(size[size > 1].sum()),
        "largest": int(size.max(initial=0)),
        "left_out": left_out,
        "across": int(exposed(part, twins).sum()) - left_out,
        "judged_across_otherwise": {"n": int(late.sum()), "share": float(late.sum() / judged)},
        "inflation": {"not_measured": _NOT_YET if kept else "twins are not kept together"},
    }
