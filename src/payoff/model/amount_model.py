"""Fitted models of amounts known only later: what a bundle keeps and a server applies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import BundleError
from payoff.model.artefact import body_of
from payoff.model.boosting import Boosted
from payoff.model.encode import Encoder
from payoff.model.linear import row_sums

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["AmountModel", "Key", "Part"]

#: (column, outcome)
Key = tuple[str, str]

_FORMAT: Final = 1
_AMOUNTS_JSON: Final = "amounts.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """The model of one amount.

    Parameters
    ----------
    kind
        ``constant``, ``linear`` or ``lightgbm``.
    low, high
        Range of the fitted amounts; predictions are kept within it.
    scale
        Predictions of the core are multiplied by it.
    """

    kind: str
    low: float
    high: float
    scale: float = 1.0
    intercept: float = 0.0
    encoder: Encoder | None = None
    coef: NDArray[np.float64] | None = None
    trees: Boosted | None = None

    def predict(self, n: int, x: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Return the mean amount, float64 (n,), of encoded rows (n, k)."""
        if x is None or not n:
            found = np.full(n, self.intercept)
        elif self.trees is not None:
            found = self.trees.raw(x)
        elif self.coef is not None:
            found = row_sums(x, self.coef[None, :], np.array([self.intercept]))[:, 0]
        else:
            found = np.full(n, self.intercept)
        return np.clip(found * self.scale, self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AmountModel:
    """Models of all amounts that a decision needs, data only."""

    parts: Mapping[Key, Part]
    facts: Mapping[Key, Mapping[str, Any]]

    def predict_table(self, table: pa.Table) -> dict[Key, NDArray[np.float64]]:
        """Return (column, outcome) -> mean amount given the outcome, float64 (n,)."""
        return {
            k: p.predict(table.num_rows, p.encoder.encode_table(table) if p.encoder else None)
            for k, p in self.parts.items()
        }

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> dict[Key, NDArray[np.float64]]:
        """Return (column, outcome) -> mean amount given the outcome, float64 (n,)."""
        return {
            k: p.predict(len(rows), p.encoder.encode_rows(rows) if p.encoder else None)
            for k, p in self.parts.items()
        }

    def files(self) -> dict[str, bytes]:
        """Return the artefact: file name -> content."""
        out: dict[str, bytes] = {}
        parts = []
        for i, (key, part) in enumerate(self.parts.items()):
            entry = {
                "column": key[0],
                "outcome": key[1],
                "kind": part.kind,
                "low": part.low,
                "high": part.high,
                "scale": part.scale,
                "intercept": part.intercept,
                "encoder": part.encoder.to_dict() if part.encoder else None,
                "coef": None if part.coef is None else part.coef.tolist(),
                "trees": None,
                "facts": dict(self.facts.get(key, {})),
            }
            if part.trees is not None:
                entry["trees"] = f"amounts_{i}.txt"
                out[f"amounts_{i}.txt"] = part.trees.text.encode()
            parts.append(entry)
        body = {"format": _FORMAT, "parts": parts}
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, indent=1)
        return {_AMOUNTS_JSON: text.encode(), **out}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> AmountModel:
        """Read the artefact back.

        Raises
        ------
        BundleError
            ``PAY-B001`` when a file is missing, ``PAY-B004`` when its format is another.
        """
        body = body_of(files, _AMOUNTS_JSON, _FORMAT, "the amount models are missing")
        parts: dict[Key, Part] = {}
        facts: dict[Key, Mapping[str, Any]] = {}
        for entry in body["parts"]:
            if entry["trees"] is not None and entry["trees"] not in files:
                raise BundleError.not_a_bundle(entry["trees"], "an amount model is missing")
            key = (entry["column"], entry["outcome"])
            facts[key] = entry["facts"]
            parts[key] = Part(
                kind=entry["kind"],
                low=entry["low"],
                high=entry["high"],
                scale=entry["scale"],
                intercept=entry["intercept"],
                encoder=Encoder.from_dict(entry["encoder"]) if entry["encoder"] else None,
                coef=None if entry["coef"] is None else np.array(entry["coef"], dtype=np.float64),
                trees=Boosted(text=files[entry["trees"]].decode()) if entry["trees"] else None,
            )
        return cls(parts=parts, facts=facts)

    def describe(self) -> list[dict[str, Any]]:
        """Return what a reader may want to know of each amount, JSON-ready."""
        return [
            {"column": k[0], "outcome": k[1], "algorithm": self.parts[k].kind, **self.facts[k]}
            for k in self.parts
        ]
