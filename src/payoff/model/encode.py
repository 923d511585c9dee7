"""Features as numbers: one encoder for tables and for served rows, equal to the last bit.

An :class:`Encoder` is data only (JSON both ways). It is learnt by :mod:`payoff.model.learn`, once
per fold. Two paths apply it: arrays for a table, plain Python arithmetic for a few served rows,
which is faster there than numpy and needs neither Arrow nor scikit-learn. Both use only IEEE
operations that round exactly (comparison, subtraction, division), so they agree bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from payoff.model.codings import (
    Codes,
    LevelTable,
    NumberCoding,
    coding_from_dict,
    places,
)
from payoff.model.readings import (
    DATE_PARTS,
    Reading,
    date_parts_of,
    level_of,
    number_of,
    read_table,
    truth_of,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from payoff.load.fields import Field

__all__ = ["Encoder", "Variable"]

_NO_DATE = (math.nan,) * len(DATE_PARTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One field (or one part of a date) and its coding."""

    field: str
    part: str
    coding: NumberCoding | Codes | LevelTable

    @property
    def label(self) -> str:
        """Name for people."""
        return (
            self.field
            if self.part in ("number", "boolean", "category")
            else (f"{self.field} ({self.part})")
        )

    @property
    def key(self) -> str | tuple[str, str]:
        """Key of the numbers in a reading."""
        return (self.field, self.part) if self.part in DATE_PARTS else self.field


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """Turns rows into float64 (n, k), the same way for a table and for served rows.

    Examples
    --------
    >>> from payoff.model.codings import LevelTable, Plain
    >>> encoder = Encoder(
    ...     variables=(
    ...         Variable(field="age", part="number", coding=Plain()),
    ...         Variable(field="job", part="category", coding=LevelTable(levels=("cook",))),
    ...     )
    ... )
    >>> encoder.encode_rows([{"age": 30, "job": "cook"}, {"job": "pilot"}])
    array([[30.,  1.,  0.,  0.],
           [nan,  0.,  1.,  0.]])
    """

    variables: tuple[Variable, ...]
    _plan: tuple[Any, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Lay out the output columns, and look-ups for served rows."""
        at = 0
        plan: dict[str, tuple[str, list[Any]]] = {}
        for v in self.variables:
            kind = "date" if v.part in DATE_PARTS else v.part
            steps = plan.setdefault(v.field, (kind, []))[1]
            if isinstance(v.coding, Codes | LevelTable):
                rows = v.coding.rows()
                places = {level: rows[i] for i, level in enumerate(v.coding.levels)}
                steps.append((at, v.coding.width, places, rows[-2], rows[-1]))
            elif kind == "date":
                steps.append((at, DATE_PARTS.index(v.part), v.coding.put))
            else:
                steps.append((at, 0, v.coding.put))
            at += v.coding.width
        object.__setattr__(self, "_plan", tuple((k, *v) for k, v in plan.items()))

    @property
    def width(self) -> int:
        """Number of output columns k."""
        return sum(v.coding.width for v in self.variables)

    @property
    def labels(self) -> list[str]:
        """Names of the output columns, for people."""
        return [label for v in self.variables for label in v.coding.labels(v.label)]

    @property
    def owners(self) -> list[str]:
        """The field each output column comes from."""
        return [v.field for v in self.variables for _ in range(v.coding.width)]

    @property
    def categorical(self) -> list[int]:
        """Output columns that hold category codes."""
        out, at = [], 0
        for v in self.variables:
            if isinstance(v.coding, Codes):
                out.append(at)
            at += v.coding.width
        return out

    def encode(self, reading: Reading) -> NDArray[np.float64]:
        """Return float64 (n, k) for columns that were read before."""
        out = np.zeros((reading.n, self.width))
        at = 0
        for v in self.variables:
            width = v.coding.width
            if isinstance(v.coding, Codes | LevelTable):
                codes, labels = reading.levels[v.field]
                out[:, at : at + width] = np.array(v.coding.rows())[places(v.coding, codes, labels)]
            else:
                v.coding.fill(out[:, at : at + width], reading.numbers[v.key])
            at += width
        return out

    def encode_table(self, table: pa.Table) -> NDArray[np.float64]:
        """Return float64 (n, k) for the rows of an Arrow table."""
        return self.encode(read_table(table, self.fields()))

    def encode_rows(self, rows: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """Return float64 (n, k) for mappings of field to value; an absent field is missing."""
        width = self.width
        out = []
        for row in rows:
            line = [0.0] * width
            for name, kind, steps in self._plan:
                value = row.get(name)
                if kind == "category":
                    level = level_of(value)
                    for at, wide, known, other, missing in steps:
                        line[at : at + wide] = missing if level is None else known.get(level, other)
                    continue
                if kind == "date":
                    parts: tuple[float, ...] = date_parts_of(value) or _NO_DATE
                else:
                    parts = (number_of(value) if kind == "number" else truth_of(value),)
                for at, part, put in steps:
                    put(line, at, parts[part])
            out.append(line)
        return np.array(out, dtype=np.float64).reshape(len(out), width)

    def fields(self) -> list[Field]:
        """Return the fields that are read, with their types."""
        from payoff.load.fields import Field

        return [Field(name=name, type=kind) for name, kind, _ in self._plan]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "variables": [
                {"field": v.field, "part": v.part, **v.coding.to_dict()} for v in self.variables
            ]
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Encoder:
        """Read the JSON form."""
        return cls(
            variables=tuple(
                Variable(
                    field=v["field"],
                    part=v["part"],
                    coding=coding_from_dict(
                        {k: x for k, x in v.items() if k not in ("field", "part")}
                    ),
                )
                for v in value["variables"]
            )
        )
