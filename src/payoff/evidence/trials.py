"""Documents changed and decided again: what the evidence about behaviour is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Trial", "Trials"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """One test's outcome.

    Parameters
    ----------
    name, family, label
        As of the test.
    rows
        int64 (m,), places among the judging rows of the rows looked at.
    changed
        bool (m,), whether the test could change the row's documents.
    before, after
        int16 (m,), action as it stands and with the change (equal where nothing changed).
    texts
        Place in ``rows`` -> excerpts before and after, of rows whose decision changed; empty where
        documents may not be shown.
    reason
        Why the test was not made; empty where it was.
    """

    name: str
    family: str
    label: str
    rows: NDArray[np.int64]
    changed: NDArray[np.bool_]
    before: NDArray[np.int16]
    after: NDArray[np.int16]
    texts: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trials:
    """Every trial, where each row stands in the source, and what was not tried in general."""

    trials: tuple[Trial, ...]
    place: NDArray[np.int64]
    families: Mapping[str, str]
    language: str
    reason: str = ""
