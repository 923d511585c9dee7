"""Learning an encoder from the rows of one fold, for trees, linear models and scorecards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from payoff.errors import TrainingError
from payoff.load.fields import Field
from payoff.model.codings import (
    Bins,
    Codes,
    LevelTable,
    NumberCoding,
    Plain,
    Scaled,
    Steps,
    places,
)
from payoff.model.encode import Encoder, Variable
from payoff.model.readings import DATE_PARTS, Reading
from payoff.rng import generator

__all__ = ["Kind", "Signal", "learn", "signal_of_outcomes"]

Kind = Literal["tree", "linear", "bins"]

#: A tree splits on sets of categories; beyond this many a set fits noise.
_MOST_CODES: Final = 255
#: Up to here a category gets an indicator per level, above it the smoothed rate of its outcomes.
_MOST_INDICATORS: Final = 30
#: Indicators of frequent levels must describe this share of rows, or rates are used instead.
_COVERED: Final = 0.9
_MOST_RATES: Final = 5_000
_MOST_GROUPS: Final = 24
#: Pseudo-rows with the overall rate that each level's rate is mixed with.
_PRIOR_ROWS: Final = 20.0
_CLIP: Final = 0.005
_RATE_FOLDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Signal:
    """What the rates of a category with many levels are rates of.

    Parameters
    ----------
    values
        float64 (n, v): indicators of outcomes, or an amount.
    weight
        float64 (n,).
    cluster
        int (n,): a level's rate never includes rows of the cluster it is used for.
    log_odds
        Whether rates are written as log-odds (indicators) or as they are (amounts).
    seed
        Root seed of the inner folds.
    """

    values: NDArray[np.float64]
    weight: NDArray[np.float64]
    cluster: NDArray[np.integer]
    log_odds: bool
    seed: int


def signal_of_outcomes(
    outcome: NDArray[np.integer],
    weight: NDArray[np.float64],
    cluster: NDArray[np.integer],
    seed: int,
    most: int = 8,
) -> Signal:
    """Return indicators of all outcomes but the most frequent, at most ``most`` of them."""
    found, counts = np.unique(outcome, return_counts=True)
    chosen = found[np.argsort(-counts, kind="stable")][1 : most + 1]
    return Signal(
        values=(outcome[:, None] == chosen).astype(np.float64),
        weight=weight,
        cluster=cluster,
        log_odds=True,
        seed=seed,
    )


def learn(
    reading: Reading, fields: Sequence[Field], kind: Kind, signal: Signal
) -> tuple[Encoder, NDArray[np.float64]]:
    """Learn an encoder, and return it with the learning rows encoded, float64 (n, k).

    The learning rows differ from ``encoder.encode(reading)`` in one respect: the rates of a
    category with many levels are cross-fitted, so that no row sees its own outcome.

    Raises
    ------
    TrainingError
        ``PAY-T001`` when no field has two different values.
    """
    variables: list[Variable] = []
    crossed: dict[int, NDArray[np.float64]] = {}
    for one in fields:
        if one.type == "category":
            codes, labels = reading.levels[one.name]
            coding = _category(codes, labels, kind, signal)
            if coding is not None:
                variables.append(Variable(field=one.name, part="category", coding=coding))
                if isinstance(coding, LevelTable) and coding.values:
                    crossed[len(variables) - 1] = _crossed(coding, codes, labels, signal)
            continue
        parts = DATE_PARTS if one.type == "date" else (one.type,)
        for part in parts:
            x = reading.numbers[(one.name, part) if one.type == "date" else one.name]
            number = _number(x, kind, part, len(fields))
            if number is not None:
                variables.append(Variable(field=one.name, part=part, coding=number))
    if not variables:
        raise TrainingError.no_features(
            f"{len(fields)} fields, each with one value in all rows" if fields else "no fields"
        )
    encoder = Encoder(variables=tuple(variables))
    encoded = encoder.encode(reading)
    at = 0
    for i, v in enumerate(variables):
        if i in crossed:
            encoded[:, at : at + v.coding.width] = crossed[i]
        at += v.coding.width
    return encoder, encoded


def _number(x: NDArray[np.float64], kind: Kind, part: str, n_fields: int) -> NumberCoding | None:
    """Return the coding of a number, or None when it cannot tell rows apart."""
    known = x[~np.isnan(x)]
    some_missing = len(known) < len(x)
    if not len(known) or (not some_missing and known.min() == known.max()):
        return None
    if kind == "tree":
        return Plain()
    if kind == "bins":
        # Few fields can afford fine bins; many fields with fine bins would fit noise.
        return _bins(known, int(np.clip(240 // max(n_fields, 1), 5, 12)))
    if part == "year":  # days since the first say it already, without a step at New Year
        return None
    if part in ("month", "weekday"):
        values = np.unique(known)
        return Steps(values=tuple(values.tolist())) if len(values) > 1 else None
    return _scaled(known, indicator=some_missing)


def _scaled(known: NDArray[np.float64], *, indicator: bool) -> Scaled:
    low, high = np.quantile(known, [_CLIP, 1 - _CLIP], method="inverted_cdf").tolist()
    # A rare indicator column or a code with few values has no outliers to clip.
    if low == high or len(np.unique(known[:100_000])) <= 20:
        low, high = float(known.min()), float(known.max())
    size = max(abs(low), abs(high))
    # Where size is 0 or subnormal, dividing by it would overflow; such a number says nothing.
    size = size if size > 1e-300 else 1.0
    scaled = np.clip(known, low, high) / size
    centre, spread = float(scaled.mean()), float(scaled.std())
    return Scaled(
        low=low,
        high=high,
        size=size,
        centre=centre,
        spread=spread if spread > 1e-12 else 1.0,
        indicator=indicator,
    )


def _bins(known: NDArray[np.float64], most: int) -> Bins:
    """Cut at quantiles; each edge is a value that occurs, the first of its bin."""
    values = np.unique(known)
    if len(values) > most:
        shares = np.arange(1, most) / most
        values = np.unique(np.quantile(known, shares, method="inverted_cdf"))
        edges = values[values > known.min()]
        if not len(edges):  # one value fills nearly everything: set it apart from the rest
            edges = np.unique(known)[1:2]
    else:
        edges = values[1:]
    return Bins(edges=tuple(edges.tolist()))


def _category(
    codes: NDArray[np.int64], labels: Sequence[str], kind: Kind, signal: Signal
) -> Codes | LevelTable | None:
    """Return the coding of a category, or None when it cannot tell rows apart."""
    n = len(codes)
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    present = int((counts > 0).sum())
    n_missing = n - int(counts.sum())
    if present + (n_missing > 0) < 2:
        return None
    order = np.argsort(-counts, kind="stable")  # labels are sorted, so ties are too
    least = 3 if n < 1_000 else 10 if n < 20_000 else 20

    def kept(fewest: float, most: int) -> tuple[str, ...]:
        return tuple(labels[i] for i in order[:most] if counts[i] >= fewest)

    if kind == "tree":
        levels = kept(least, _MOST_CODES)
    elif kind == "bins":
        levels = kept(max(least, n / 200), _MOST_GROUPS)
    else:
        levels = kept(least, _MOST_INDICATORS + 1)
        covered = counts[order[: len(levels)]].sum() / max(counts.sum(), 1)
        if len(levels) > _MOST_INDICATORS or covered < _COVERED:
            levels = kept(2, _MOST_RATES)
            if levels:
                return _with_rates(levels, codes, labels, signal, np.ones(n, dtype=bool))
    if not levels and not n_missing:
        return None  # an identifier: every level is rare
    return (
        Codes(levels=levels, nan_missing=kind == "tree")
        if kind != "linear"
        else (LevelTable(levels=levels))
    )


def _with_rates(
    levels: tuple[str, ...],
    codes: NDArray[np.int64],
    labels: Sequence[str],
    signal: Signal,
    rows: NDArray[np.bool_],
) -> LevelTable:
    """Rate of each level, mixed with the overall rate: ``(sum + m * overall) / (weight + m)``.

    References
    ----------
    Micci-Barreca (2001), "A preprocessing scheme for high-cardinality categorical attributes",
    SIGKDD Explorations 3(1).
    """
    bare = LevelTable(levels=levels)
    place = places(bare, codes, labels)[rows]
    weight = signal.weight[rows] / max(float(signal.weight[rows].mean()), 1e-300)
    values = signal.values[rows]
    # Of all rows, whichever are used for the levels: a mean that left the held-out rows out would
    # tell their outcomes by being lower where theirs are higher.
    overall = signal.weight @ signal.values / signal.weight.sum()
    size = np.bincount(place, weights=weight, minlength=len(levels) + 2)
    out = np.empty((len(levels) + 2, values.shape[1]))
    for j in range(values.shape[1]):
        total = np.bincount(place, weights=weight * values[:, j], minlength=len(levels) + 2)
        rate = (total + _PRIOR_ROWS * overall[j]) / (size + _PRIOR_ROWS)
        if signal.log_odds:
            rate = np.clip(rate, 1e-6, 1 - 1e-6)
            rate = np.log(rate / (1 - rate))
        out[:, j] = rate
    return LevelTable(levels=levels, values=tuple(tuple(r) for r in out.tolist()))


def _crossed(
    coding: LevelTable, codes: NDArray[np.int64], labels: Sequence[str], signal: Signal
) -> NDArray[np.float64]:
    """Return the rates of the learning rows, each from the other inner folds, (n, width)."""
    units, unit = np.unique(signal.cluster, return_inverse=True)
    fold = generator(signal.seed, "rates").permutation(len(units))[unit] % _RATE_FOLDS
    out = np.empty((len(codes), coding.width))
    for f in range(_RATE_FOLDS):
        held = fold == f
        if held.any():
            rest = ~held if not held.all() else held
            part = _with_rates(coding.levels, codes, labels, signal, rest)
            out[held] = np.array(part.values)[places(part, codes[held], labels)]
    return out
