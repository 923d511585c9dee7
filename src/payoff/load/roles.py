"""Columns take their declared roles: the table becomes a :class:`~payoff.load.dataset.Dataset`."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from payoff.declare import Decision, Subgroup
from payoff.declare.expression import columns_of
from payoff.declare.payoffs import value_key
from payoff.errors import DataError, counted, show
from payoff.load.dataset import Dataset
from payoff.load.frame import codes_of, is_numeric, numbers
from payoff.load.multilabel import carried, label_outcomes, label_rows
from payoff.load.past import read_past
from payoff.load.source import Source
from payoff.load.text.corpus import prepared
from payoff.load.text.twins import merged

__all__ = [
    "assign",
    "crossed_groups",
    "features_of",
    "outcome_codes",
    "own_clusters",
    "simple_groups",
]

_MOST_GROUPS: Final = 30
_MOST_NUMERIC_GROUPS: Final = 12
_LARGEST_WEIGHT: Final = 1e15  # sums and squares of weights must stay finite

Codes = tuple[tuple[str, ...], NDArray[np.int32]]


def assign(source: Source, decision: Decision, *, need_outcome: bool = True) -> Dataset:
    """Give every declared column its role.

    Parameters
    ----------
    source
        The rows.
    decision
        The declaration.
    need_outcome
        Whether the outcome column must be there (not when rows are only to be decided).

    Raises
    ------
    DataError
        ``PAY-L004`` missing column, ``PAY-L006`` unusable values, ``PAY-L007`` unknown outcome,
        ``PAY-L011`` repeated unit id, ``PAY-L013`` too long a document.
    """
    table, data, labels = source.table, decision.data, decision.multilabel
    flags = None if labels is None else carried(table, decision, need=need_outcome)
    known = [*table.column_names, *([labels.column] if labels else [])]
    _check_columns(decision, known, need_outcome=need_outcome)
    if data.unit_id is not None:
        _check_ids(table, data.unit_id)
    table = prepared(table, decision, need_word=need_outcome)
    place = np.arange(table.num_rows, dtype=np.int64)
    if flags is not None:
        table, place = label_rows(table, decision)
        outcome = label_outcomes(flags, decision)
    elif data.outcome in known:
        outcome = outcome_codes(table, decision)
    else:
        outcome = np.full(table.num_rows, -1, dtype=np.int16)
    weight = _weights(table, data.weight, need=need_outcome)
    return Dataset(
        decision=decision,
        table=table,
        part="all",
        outcome=outcome,
        weight=weight,
        cluster=own_clusters(table, decision, None if flags is None else place),
        subgroups=_subgroups(table, decision),
        features=features_of(table, decision),
        fingerprint=source.fingerprint,
        place=place,
        logged=read_past(table, decision, weight) if need_outcome else None,
        document=None if flags is None else place,
    )


def _check_columns(decision: Decision, known: list[str], *, need_outcome: bool) -> None:
    """Refuse a declaration whose columns are not all there."""
    data, labels = decision.data, decision.multilabel
    for column in data.text:
        if column not in known:
            raise DataError.missing_column(column, "a document", known, "key data.text")
    unneeded = {data.outcome} if not need_outcome or (labels and labels.columns) else set()
    for column, role in data.roles.items():
        if column not in known and column not in unneeded:
            raise DataError.missing_column(column, role, known)
    for column in data.exclude:
        if column not in known:
            raise DataError.missing_column(column, "excluded", known, f"key data.exclude.{column}")
    for column in (*data.known_later, *(data.features or ())):
        if column not in known and (need_outcome or column not in data.known_later):
            role = "known later" if column in data.known_later else "a feature"
            raise DataError.missing_column(column, role, known)
    for column, where in _money_and_rule(decision).items():
        if column not in known and (need_outcome or column not in data.known_later):
            raise DataError.missing_column(column, "money or the current rule", known, where)


def _money_and_rule(decision: Decision) -> dict[str, str]:
    """Return column -> the first key whose expression reads it."""
    found: dict[str, str] = {}
    for (action, outcome), cell in decision.payoffs.cells.items():
        for column in columns_of(cell.node):
            found.setdefault(column, f"key payoffs.{action}.{outcome} = {show(cell.money)}")
    rule = decision.current_rule
    for number, case in enumerate(rule.cases if rule else ()):
        for column in columns_of(case.node):
            found.setdefault(column, f"key current_rule.cases[{number}].when = {show(case.when)}")
    if rule is not None and rule.column is not None:
        found.setdefault(rule.column, "key current_rule.column")
    return found


def features_of(table: pa.Table, decision: Decision) -> tuple[str, ...]:
    """Return the columns a model may use: declared (documents always), or all without a role."""
    data = decision.data
    if data.features is not None:
        return tuple(dict.fromkeys((*data.text, *data.features)))
    barred = {*data.roles, *data.exclude, *data.known_later}
    if decision.multilabel is not None:
        barred |= {decision.multilabel.column, *decision.multilabel.columns.values()}
    if decision.current_rule and decision.current_rule.column:
        barred.add(decision.current_rule.column)
    if decision.past is not None:
        barred |= set(decision.past.columns)
    predictions = decision.predictions
    barred |= {*predictions.probability.values(), predictions.score or "", predictions.action or ""}
    return tuple(c for c in table.column_names if c not in barred)


def _check_ids(table: pa.Table, column: str) -> None:
    codes, labels = codes_of(table.column(column))
    if np.any(codes < 0):
        raise DataError.bad_column(
            column,
            "the unit's id",
            f"{counted(int(np.sum(codes < 0)), 'row')} without one",
            "an id in every row",
            "Fill the ids, or remove 'unit_id' from [data]",
        )
    counts = np.bincount(codes)
    if np.any(counts > 1):
        worst = labels[int(np.argmax(counts))]
        raise DataError.bad_rows(
            "the same unit stands in several rows",
            f"column {column}",
            f"{counted(int(np.sum(counts > 1)), 'id')} more than once, such as {show(worst)} "
            f"{int(counts.max())} times",
            "each unit once",
            "Remove the duplicates, or, when rows are repeated decisions about the same person, "
            "declare this column as 'cluster' instead of 'unit_id'",
        )


def outcome_codes(
    table: pa.Table, decision: Decision, rows: NDArray[np.int64] | None = None
) -> NDArray[np.int16]:
    """Return the place of each row's outcome, -1 where it is not known.

    Parameters
    ----------
    rows
        int64 (n,), how many rows of the data each row of the table stands for; None means one.

    Raises
    ------
    DataError
        ``PAY-L007`` for a value that no outcome has, ``PAY-L003`` when none is known.
    """
    column = decision.data.outcome
    codes, labels = codes_of(table.column(column))
    place = {
        value_key(value): number
        for number, outcome in enumerate(decision.outcomes)
        for value in outcome.values
    }
    found = np.array([place.get(value_key(label), -2) for label in labels] + [-1], dtype=np.int16)
    blank = [n for n, label in enumerate(labels) if label.strip() == ""]
    found[blank] = np.where(found[blank] == -2, -1, found[blank])
    outcome: NDArray[np.int16] = found[codes]
    strange = outcome == -2
    if strange.any():
        values = [label for label, code in zip(labels, found, strict=False) if code == -2]
        count = strange.sum() if rows is None else rows[strange].sum()
        raise DataError.unknown_outcome(column, values, int(count), place)
    if (outcome == -1).all():
        raise DataError.empty(f"column {column}", "no row whose outcome is known")
    return outcome


def _weights(table: pa.Table, column: str | None, *, need: bool = True) -> NDArray[np.float64]:
    if column is None:
        return np.ones(table.num_rows)
    values = table.column(column)
    if not is_numeric(values.type):
        raise DataError.bad_column(column, "the weight", f"values of type {values.type}", "numbers")
    weight = numbers(values).copy()
    bad = ~((weight >= 0) & (weight <= _LARGEST_WEIGHT))
    if bad.any():
        raise DataError.bad_column(
            column,
            "the weight",
            f"{counted(int(bad.sum()), 'weight')} missing, negative or too large",
            "a number from 0 to 1e15 in every row",
            "Correct the weights; 0 leaves a row out",
        )
    if weight.sum() <= 0 and not need:
        return np.ones(table.num_rows)  # rows that are only decided count alike
    if weight.sum() <= 0:
        raise DataError.bad_column(column, "the weight", "all weights 0", "a positive weight")
    return weight


def clusters_of(table: pa.Table, column: str | None) -> NDArray[np.int64]:
    """Return the code of whom each row belongs to; a row of nobody is its own cluster.

    Examples
    --------
    >>> clusters_of(pa.table({"who": ["Ann", None, "Ann"]}), "who").tolist()
    [0, 1, 0]
    """
    if column is None:
        return np.arange(table.num_rows, dtype=np.int64)
    codes, labels = codes_of(table.column(column))
    lone = codes < 0  # a row that belongs to nobody is its own cluster
    out = codes.copy()
    out[lone] = len(labels) + np.arange(int(lone.sum()))
    return out


def own_clusters(
    table: pa.Table, decision: Decision, document: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """Return clusters as declared, the rows of one document always together."""
    declared = clusters_of(table, decision.data.cluster)
    if document is None:
        return declared
    document = np.unique(document, return_inverse=True)[1].astype(np.int64)
    return document if decision.data.cluster is None else merged(declared, document)


def _subgroups(table: pa.Table, decision: Decision) -> dict[str, Codes]:
    simple: dict[str, Codes] = {}
    for subgroup in decision.subgroups:
        if subgroup.column is None:
            continue
        if subgroup.column not in table.column_names:
            raise DataError.missing_column(
                subgroup.column, f"the subgroup {show(subgroup.name)}", table.column_names
            )
        simple[subgroup.name] = simple_groups(table, subgroup)
    found: dict[str, Codes] = {}
    for subgroup in decision.subgroups:
        found[subgroup.name] = (
            simple[subgroup.name]
            if subgroup.column is not None
            else crossed_groups([simple[name] for name in subgroup.intersect])
        )
    return found


def simple_groups(
    table: pa.Table, subgroup: Subgroup, rows: NDArray[np.int64] | None = None
) -> Codes:
    """Return labels and codes of a subgroup with a column; ``rows`` as in :func:`outcome_codes`."""
    column = table.column(str(subgroup.column))
    if subgroup.bands:
        if not is_numeric(column.type):
            raise DataError.bad_column(
                str(subgroup.column),
                f"the subgroup {show(subgroup.name)}",
                f"values of type {column.type} with bands",
                "numbers",
                "Remove 'bands', or name a numeric column",
            )
        return _banded(numbers(column), subgroup.bands)
    if is_numeric(column.type):
        values = numbers(column)
        if len(np.unique(values[~np.isnan(values)])) > _MOST_NUMERIC_GROUPS:
            cuts = np.unique(_quartiles(values, rows))
            return _banded(values, tuple(float(f"{c:.6g}") for c in cuts))
    codes, labels = codes_of(column)
    return _capped(codes, labels, rows)


def _quartiles(values: NDArray[np.float64], rows: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """Return the quartiles of values that each stand for a number of rows."""
    if rows is None:
        return np.asarray(np.nanquantile(values, [0.25, 0.5, 0.75]))
    known = ~np.isnan(values)
    order = np.argsort(values[known])
    sorted_, ends = values[known][order], np.cumsum(rows[known][order])
    place = (ends[-1] - 1) * np.array([0.25, 0.5, 0.75])
    below = np.floor(place)
    low, high = (sorted_[np.searchsorted(ends, k, side="right")] for k in (below, np.ceil(place)))
    return np.asarray(low + (high - low) * (place - below))


def _banded(values: NDArray[np.float64], bands: Iterable[float]) -> Codes:
    limits = [float(b) for b in bands]
    text = [f"{b:,.10g}" for b in limits]
    middle = [f"{a} to below {b}" for a, b in itertools.pairwise(text)]
    labels = (f"below {text[0]}", *middle, f"{text[-1]} and over")
    codes = np.searchsorted(limits, values, side="right").astype(np.int32)
    codes[np.isnan(values)] = -1
    return labels, codes


def _capped(codes: NDArray[Any], labels: list[str], rows: NDArray[np.int64] | None = None) -> Codes:
    """Keep the largest groups; the rest are one group that says how many it holds."""
    if len(labels) <= _MOST_GROUPS:
        return tuple(labels), codes.astype(np.int32)
    known = codes >= 0
    counts = np.bincount(
        codes[known], weights=None if rows is None else rows[known], minlength=len(labels)
    )
    kept = np.sort(np.argsort(-counts, kind="stable")[: _MOST_GROUPS - 1])
    place = np.full(len(labels) + 1, _MOST_GROUPS - 1, dtype=np.int32)
    place[kept] = np.arange(len(kept))
    place[-1] = -1
    rest = f"all others ({len(labels) - len(kept):,} values)"
    return (*[labels[k] for k in kept], rest), place[codes]


def crossed_groups(parts: list[Codes], rows: NDArray[np.int64] | None = None) -> Codes:
    """Return labels and codes of the combinations that occur."""
    labels, codes = list(parts[0][0]), parts[0][1].astype(np.int64)
    for other_labels, other in parts[1:]:
        unknown = (codes < 0) | (other < 0)
        codes = np.where(unknown, -1, codes * len(other_labels) + other)
        labels = [f"{a}, {b}" for a in labels for b in other_labels]
    seen = np.unique(codes[codes >= 0])
    place = np.full(len(labels) + 1, -1, dtype=np.int64)
    place[seen] = np.arange(len(seen))
    return _capped(place[codes], [labels[s] for s in seen], rows)
