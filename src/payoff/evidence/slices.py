"""Slices: groups of documents that nobody declared, made from the documents themselves.

By theme, by length and by language. They are judged like declared subgroups, as a family of their
own: what is found among them takes nothing from the allowance for false alarms of those that were
declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Slices", "ThemeFacts", "Timeline"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ThemeFacts:
    """The themes a model learnt, and those of the judging rows.

    Parameters
    ----------
    names, words, examples
        As in :class:`payoff.model.text.themes.Themes`.
    learnt
        JSON-ready: documents learnt from, what they were compared by, numbers tried.
    codes
        int32 (n,), theme of each judging row; -1 for none.
    """

    names: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    examples: tuple[tuple[Mapping[str, Any], ...], ...]
    learnt: Mapping[str, Any]
    codes: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """When the documents of all parts came, and what they speak of.

    Parameters
    ----------
    by
        ``"week"``, ``"month"``, ``"quarter"``, ``"year"`` or ``"span"`` of a number.
    labels
        The periods in order of time.
    period
        int32 (m,), period of each row of the fit, choose and judge parts; -1 where not known.
    theme
        int32 (m,); -1 for none.
    weight
        float64 (m,).
    cluster
        int64 (m,), or None where every row is its own case.
    part
        int8 (m,): 0 fit, 1 choose, 2 judge.
    ordered
        Whether the judging rows are later than the fitting rows, because time split them.
    spans
        ``"fit"`` and ``"judge"`` -> first and last period in words.
    """

    by: str
    labels: tuple[str, ...]
    period: NDArray[np.int32]
    theme: NDArray[np.int32]
    weight: NDArray[np.float64]
    cluster: NDArray[np.int64] | None
    part: NDArray[np.int8]
    ordered: bool
    spans: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slices:
    """What a judging of documents is given beside the declared subgroups.

    Parameters
    ----------
    groups
        ``"theme"``, ``"length"``, ``"language"`` -> (labels, int32 (n,) codes of the judging rows,
        -1 where not known).
    left_out
        The same names -> why there is no such slice.
    themes
        None where none were learnt; ``without`` says why.
    timeline
        None where no time is declared; ``untimed`` says why.
    """

    groups: Mapping[str, tuple[tuple[str, ...], NDArray[np.int32]]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    themes: ThemeFacts | None = None
    without: str = ""
    timeline: Timeline | None = None
    untimed: str = ""
