"""The Pareto front: the options that no other option beats in everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["beaten_by", "front_of"]

#: Differences within this part of the spread of a measure are the rounding of sums.
_ROUNDING = 1e-12


def beaten_by(figures: NDArray[np.float64]) -> list[list[int]]:
    """Return, for each option, those that are as good in every measure and better in one.

    Parameters
    ----------
    figures
        float64 (options, measures), more is better.

    Examples
    --------
    >>> beaten_by(np.array([[3.0, 1.0], [2.0, 2.0], [1.0, 1.0]]))
    [[], [], [0, 1]]
    """
    slack = _ROUNDING * np.abs(figures).max(axis=0, initial=0.0)
    found = []
    for one in figures:
        ahead = (figures >= one - slack).all(axis=1) & (figures > one + slack).any(axis=1)
        found.append(np.flatnonzero(ahead).tolist())
    return found


def front_of(
    figures: Mapping[str, Mapping[str, float]], measures: Sequence[str]
) -> dict[str, list[str]]:
    """Return option -> the options that beat it; an empty list for those of the front.

    Parameters
    ----------
    figures
        Option -> measure -> figure, more is better.
    measures
        Those that are compared.

    Examples
    --------
    >>> front_of(
    ...     {"a": {"money": 2.0, "ndcg": 0.1}, "b": {"money": 1.0, "ndcg": 0.1}}, ["money", "ndcg"]
    ... )
    {'a': [], 'b': ['a']}
    """
    names = list(figures)
    if not names:
        return {}
    table = np.array([[figures[n][m] for m in measures] for n in names])
    return {n: [names[j] for j in by] for n, by in zip(names, beaten_by(table), strict=True)}
