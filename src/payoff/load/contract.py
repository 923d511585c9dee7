"""The data contract: what the fit rows look like, and numbered checks of data against it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from payoff.load.dataset import Dataset
from payoff.load.fields import Contract, Field, FieldType
from payoff.load.frame import is_numeric, is_temporal, numbers, texts

__all__ = ["learn"]

_MOST_CATEGORIES: Final = 1_000


def learn(data: Dataset) -> Contract:
    """Describe every column that the model, the money, the rule or a subgroup reads."""
    decision = data.decision
    roles: dict[str, str] = dict.fromkeys(data.features, "feature")
    money = [c for c in decision.payoffs.columns if c not in decision.data.known_later]
    for column in money:
        roles.setdefault(column, "money")
    for column in decision.current_rule.columns if decision.current_rule else ():
        roles.setdefault(column, "rule")
    groups = decision.group_columns
    for column in groups:
        roles.setdefault(column, "subgroup")
    if decision.multilabel is not None:
        roles[decision.multilabel.column] = "label"
    fields = [
        _text_field(name, data)
        if name in decision.data.text
        else _field(
            name,
            data.table.column(name),
            role,
            required=role != "label" and (name in money or name in groups),
        )
        for name, role in roles.items()
    ]
    return Contract(fields=tuple(fields))


def type_of(kind: pa.DataType) -> FieldType:
    """Return the contract's type of an Arrow type."""
    if pa.types.is_boolean(kind):
        return "boolean"
    if is_numeric(kind) or pa.types.is_null(kind):
        return "number"
    return "date" if is_temporal(kind) else "category"


def _text_field(name: str, data: Dataset) -> Field:
    """Describe a text column; none of its documents goes into the contract."""
    column = data.table.column(name)
    return Field(
        name=name,
        type="text",
        missing_share=column.null_count / len(column),
        longest=int(pc.max(pc.utf8_length(pc.cast(pc.unique(column), pa.string()))).as_py() or 0),
        limit=data.decision.text.longest,
    )


def _field(name: str, column: pa.ChunkedArray, role: str, *, required: bool) -> Field:
    kind = type_of(column.type)
    facts: dict[str, Any] = {}
    missing = column.null_count / len(column)
    if kind == "number":
        values = numbers(column)
        good = values[np.isfinite(values)]
        missing = float(np.mean(np.isnan(values)))
        if len(good):
            facts = {"low": float(good.min()), "high": float(good.max())}
        facts["n_categories"] = len(np.unique(good))
    elif kind == "date":
        ends = pc.min_max(column).as_py()
        if ends["min"] is not None:
            facts = {"first": ends["min"].isoformat(), "last": ends["max"].isoformat()}
        facts["n_categories"] = int(pc.count_distinct(column).as_py())
    else:
        values_ = texts(column)
        known = values_[np.array([v is not None for v in values_], dtype=np.bool_)]
        names, counts = np.unique(known.astype(str), return_counts=True)
        order = np.argsort(-counts, kind="stable")[:_MOST_CATEGORIES]
        facts = {
            "categories": tuple(str(names[o]) for o in order),
            "n_categories": len(names),
        }
    return Field(
        name=name,
        type=kind,
        role=role,
        required=required and missing == 0,
        missing_share=float(missing),
        **facts,
    )
