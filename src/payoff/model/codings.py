"""Codings: what one value becomes, for an array and for a single value, to the same bits."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Bins",
    "Codes",
    "LevelTable",
    "NumberCoding",
    "Plain",
    "Scaled",
    "Steps",
    "coding_from_dict",
    "places",
]


class NumberCoding(Protocol):
    """One number in, ``width`` numbers out."""

    @property
    def width(self) -> int:
        """Number of output columns."""
        ...

    def labels(self, name: str) -> list[str]:
        """Name the output columns."""
        ...

    def put(self, out: list[float], at: int, x: float) -> None:
        """Code one value into a row that holds zeros."""
        ...

    def fill(self, out: NDArray[np.float64], x: NDArray[np.float64]) -> None:
        """Code the values of shape (n,) into ``out`` of shape (n, width), which holds zeros."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        ...


@dataclass(frozen=True, slots=True)
class Plain:
    """The number itself, NaN where missing: for trees."""

    @property
    def width(self) -> int:
        """Number of output columns."""
        return 1

    def labels(self, name: str) -> list[str]:
        """Name the output columns."""
        return [name]

    def put(self, out: list[float], at: int, x: float) -> None:
        """Code one value."""
        out[at] = x

    def fill(self, out: NDArray[np.float64], x: NDArray[np.float64]) -> None:
        """Code an array."""
        out[:, 0] = x

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"coding": "plain"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """Clipped, centred and divided by the standard deviation; missing becomes 0 and an indicator.

    ``z = (clip(x, low, high) / size - centre) / spread``; dividing by ``size``, the largest
    absolute value, first keeps numbers near 1e308 from overflowing.
    """

    low: float
    high: float
    size: float
    centre: float
    spread: float
    indicator: bool

    @property
    def width(self) -> int:
        """Number of output columns."""
        return 2 if self.indicator else 1

    def labels(self, name: str) -> list[str]:
        """Name the output columns."""
        return [name, f"{name} is missing"][: self.width]

    def put(self, out: list[float], at: int, x: float) -> None:
        """Code one value."""
        if math.isnan(x):
            if self.indicator:
                out[at + 1] = 1.0
            return
        x = self.low if x < self.low else self.high if x > self.high else x
        out[at] = (x / self.size - self.centre) / self.spread

    def fill(self, out: NDArray[np.float64], x: NDArray[np.float64]) -> None:
        """Code an array."""
        missing = np.isnan(x)
        x = np.where(x < self.low, self.low, np.where(x > self.high, self.high, x))
        out[:, 0] = np.where(missing, 0.0, (x / self.size - self.centre) / self.spread)
        if self.indicator:
            out[:, 1] = missing

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"coding": "scaled", **{k: getattr(self, k) for k in self.__slots__}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Small whole numbers such as months as one indicator each; missing is all zeros."""

    values: tuple[float, ...]

    @property
    def width(self) -> int:
        """Number of output columns."""
        return len(self.values)

    def labels(self, name: str) -> list[str]:
        """Name the output columns."""
        return [f"{name} = {v:g}" for v in self.values]

    def put(self, out: list[float], at: int, x: float) -> None:
        """Code one value."""
        if x in self.values:
            out[at + self.values.index(x)] = 1.0

    def fill(self, out: NDArray[np.float64], x: NDArray[np.float64]) -> None:
        """Code an array."""
        out[:] = x[:, None] == np.array(self.values)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"coding": "steps", "values": list(self.values)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """The place of the number between ascending edges; the last code means missing."""

    edges: tuple[float, ...]

    @property
    def width(self) -> int:
        """Number of output columns."""
        return 1

    def labels(self, name: str) -> list[str]:
        """Name the output columns."""
        return [name]

    def bins(self) -> list[str]:
        """Name the codes in words.

        Examples
        --------
        >>> Bins(edges=(18.0, 65.0)).bins()
        ['below 18', '18 to below 65', '65 and over', 'missing']
        """
        e = [f"{v:.6g}" for v in self.edges]
        if not e:
            return ["any", "missing"]
        between = [f"{a} to below {b}" for a, b in itertools.pairwise(e)]
        return [f"below {e[0]}", *between, f"{e[-1]} and over", "missing"]

    def put(self, out: list[float], at: int, x: float) -> None:
        """Code one value."""
        out[at] = float(len(self.edges) + 1 if math.isnan(x) else bisect_right(self.edges, x))

    def fill(self, out: NDArray[np.float64], x: NDArray[np.float64]) -> None:
        """Code an array."""
        place = np.searchsorted(np.array(self.edges), x, side="right")
        out[:, 0] = np.where(np.isnan(x), len(self.edges) + 1, place)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"coding": "bins", "edges": list(self.edges)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """The place of the category in a list; rare and unseen ones share the code after the last.

    ``nan_missing`` codes missing as NaN (LightGBM); otherwise it has the code after that.
    """

    levels: tuple[str, ...]
    nan_missing: bool

    @property
    def width(self) -> int:
        """Number of output columns."""
        return 1

    def labels(self, name: str) -> list[str]:
        """Name the output columns."""
        return [name]

    def bins(self) -> list[str]:
        """Name the codes in words."""
        return [*self.levels, "any other", "missing"]

    def rows(self) -> list[list[float]]:
        """Return what each level, any other and missing become."""
        n = len(self.levels)
        return [[float(i)] for i in range(n + 1)] + [[math.nan if self.nan_missing else n + 1.0]]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"coding": "codes", "levels": list(self.levels), "nan_missing": self.nan_missing}


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelTable:
    """A few numbers per category: indicators when ``values`` is empty, else the given ones.

    ``values`` has a row per level, then one for any other level and one for missing.
    """

    levels: tuple[str, ...]
    values: tuple[tuple[float, ...], ...] = ()

    @property
    def width(self) -> int:
        """Number of output columns."""
        return len(self.values[0]) if self.values else len(self.levels) + 2

    def labels(self, name: str) -> list[str]:
        """Name the output columns."""
        if self.values:
            return [f"{name} (rate {i + 1})" for i in range(self.width)]
        return [f"{name} = {level}" for level in (*self.levels, "any other", "missing")]

    def rows(self) -> list[list[float]]:
        """Return what each level, any other and missing become."""
        if self.values:
            return [list(v) for v in self.values]
        return [[float(i == j) for j in range(self.width)] for i in range(self.width)]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        values = [list(v) for v in self.values]
        return {"coding": "table", "levels": list(self.levels), "values": values}


def coding_from_dict(value: Mapping[str, Any]) -> NumberCoding | Codes | LevelTable:
    """Read the JSON form of any coding."""
    kind = value["coding"]
    if kind == "plain":
        return Plain()
    if kind == "scaled":
        return Scaled(**{k: v for k, v in value.items() if k != "coding"})
    if kind == "steps":
        return Steps(values=tuple(value["values"]))
    if kind == "bins":
        return Bins(edges=tuple(value["edges"]))
    if kind == "codes":
        return Codes(levels=tuple(value["levels"]), nan_missing=bool(value["nan_missing"]))
    return LevelTable(
        levels=tuple(value["levels"]), values=tuple(tuple(v) for v in value["values"])
    )


def places(
    coding: Codes | LevelTable, codes: NDArray[np.int64], labels: Sequence[str]
) -> NDArray[np.int64]:
    """Return the row of ``coding.rows()`` for each code of a reading, int64 (n,)."""
    known = {level: i for i, level in enumerate(coding.levels)}
    n = len(coding.levels)
    moved = np.array([known.get(label, n) for label in labels] + [n + 1], dtype=np.int64)
    return np.asarray(moved[codes])  # code -1 takes the last, missing
