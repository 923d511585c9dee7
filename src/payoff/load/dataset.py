"""Rows with their roles read once: the value every later stage takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.load.fields import Contract
from payoff.load.past import Logged

__all__ = ["Dataset", "Parts"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dataset:
    """Rows of one part, with their roles as arrays.

    Parameters
    ----------
    decision
        The declaration the roles come from.
    table
        All columns, n rows (Arrow tables do not change).
    part
        ``"all"`` before the split, then ``"fit"``, ``"choose"`` or ``"judge"``.
    outcome
        int16 (n,), the outcome's place in the declaration, -1 where it is not known.
    weight
        float64 (n,), >= 0; ones where no weight is declared.
    cluster
        int64 (n,), codes 0..n_clusters-1 of the resampling unit; the row itself where none is
        declared.
    subgroups
        Name -> (labels, int32 codes (n,)), -1 where the group is not known.
    fingerprint
        SHA-256 of the rows, so that a report names exactly the data it judged.
    place
        int64 (n,), where each row stands in the source.
    twins
        int64 (n,), group of documents that are near copies; None where documents were not compared.
        Where twins are kept together, ``cluster`` joins them too.
    logged
        What was done to each row, where ``[past]`` declares it.
    document
        int64 (n,), which document each row is about, where each has one row per label; else None.
    """

    decision: Decision
    table: pa.Table
    part: str
    outcome: NDArray[np.int16]
    weight: NDArray[np.float64]
    cluster: NDArray[np.int64]
    subgroups: Mapping[str, tuple[tuple[str, ...], NDArray[np.int32]]]
    features: tuple[str, ...]
    fingerprint: str
    place: NDArray[np.int64]
    twins: NDArray[np.int64] | None = None
    logged: Logged | None = None
    document: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for array in (self.outcome, self.weight, self.cluster, self.place):
            array.setflags(write=False)

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.table.num_rows)

    @property
    def clustered(self) -> bool:
        """Whether rows belong together, so that they are split and resampled together."""
        if self.decision.data.cluster is not None or self.document is not None:
            return True
        return self.twins is not None and self.decision.text.twins == "keep together"

    @property
    def leading(self) -> NDArray[np.int64]:
        """Place of the first row of each document: every row, unless they are labels."""
        if self.document is None:
            return np.arange(len(self), dtype=np.int64)
        return np.unique(self.document, return_index=True)[1].astype(np.int64)

    @property
    def ordinary(self) -> tuple[str, ...]:
        """Features that are no documents."""
        return tuple(f for f in self.features if f not in self.decision.data.text)

    @property
    def similarity(self) -> float:
        """The Jaccard index from which two documents are twins."""
        return float(self.decision.text.similarity)

    def take(self, rows: NDArray[Any], part: str) -> Dataset:
        """Return the rows at the given places (or where a mask is true) as another part."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        if len(rows) == len(self) and np.array_equal(rows, np.arange(len(self))):
            return replace(self, part=part)
        if not self.clustered:
            cluster = np.arange(len(rows), dtype=np.int64)
        else:
            cluster = np.unique(self.cluster[rows], return_inverse=True)[1].astype(np.int64)
        return Dataset(
            decision=self.decision,
            table=self.table.take(pa.array(rows)),
            part=part,
            outcome=self.outcome[rows],
            weight=self.weight[rows],
            cluster=cluster,
            subgroups={k: (labels, codes[rows]) for k, (labels, codes) in self.subgroups.items()},
            features=self.features,
            fingerprint=self.fingerprint,
            place=self.place[rows],
            twins=None if self.twins is None else self.twins[rows],
            logged=None if self.logged is None else self.logged.take(rows),
            document=None
            if self.document is None
            else np.unique(self.document[rows], return_inverse=True)[1].astype(np.int64),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """The three disjoint parts, the contract learnt from the first, and how the rows were split.

    ``how`` is a JSON-ready record: method, reason, and per part n, first and last time, and the
    share of each outcome. ``dropped`` lists ``{"reason", "n"}``. ``twins`` is int64 (n,), the twin
    groups of the n documents that the split compared, in the order of the rows; None without
    documents.
    """

    fit: Dataset
    choose: Dataset
    judge: Dataset
    contract: Contract
    how: Mapping[str, Any]
    dropped: tuple[Mapping[str, Any], ...]
    twins: NDArray[np.int64] | None = None
