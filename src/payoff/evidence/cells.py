"""Sums of money by cell, and the estimates they give exactly: means, differences, shares.

A cell holds the rows that agree in everything a policy or a report looks at: outcome, action, bin
of the score, group. Money of a row is linear in a few terms (:mod:`payoff.evidence.terms`), so the
sums of the powers of the terms, up to the fourth, under as many powers of the weights, give the
mean, the variance, the skewness and the kurtosis of every policy and of every difference of two,
as the rows would. What needs the rows themselves (score ends, clusters) is refused with the reason.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.clusters import cluster_sums
from payoff.declare import Decision
from payoff.declare.expression import constant_of
from payoff.evidence.diagnosis import (
    FEWEST_CARRYING,
    FEWEST_CONSTANT,
    method_of,
    needed_cases,
)
from payoff.evidence.evidence import Estimate
from payoff.evidence.interval import Unseen, mean_money, too_rare, wilson_share
from payoff.evidence.terms import Terms
from payoff.evidence.worth import dearest_unseen

__all__ = [
    "NEEDS_ROWS",
    "CellSet",
    "Higher",
    "Money",
    "carried",
    "effective_rows",
    "mean",
    "mean_like",
    "share",
]

Floats = NDArray[np.float64]

#: Powers of the money that are summed in all cells; higher ones only by action.
SCORED: Final = 2

#: Up to this many rows, money that is constant in every cell is written out row by row.
_WRITTEN_OUT: Final = 2_000_000
_UNEVEN: Final = "the money is so uneven that its interval needs the single rows; judge with --rows"
#: Why a section that needs single rows is missing.
NEEDS_ROWS: Final = (
    "the rows were judged from cells, and this needs the single rows; judge with --rows"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Higher:
    """Sums of products of up to four terms, which the diagnosis of an interval needs.

    Parameters
    ----------
    z1, z2, z3
        float64 (c, K), (c, K, K), (c, K, K, K), sums of cubed weight times products of terms.
    q1, q2, q3, q4
        As ``z``, of the fourth power of the weights and up to 4 terms.
    """

    z1: Floats
    z2: Floats
    z3: Floats
    q1: Floats
    q2: Floats
    q3: Floats
    q4: Floats

    def take(self, cells: NDArray[np.bool_] | NDArray[np.int64]) -> Higher:
        """Return some of the cells."""
        return Higher(**{f.name: getattr(self, f.name)[cells] for f in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellSet:
    """Sums of c cells over K terms; rows whose outcome is known and whose weight is above 0.

    Parameters
    ----------
    n
        float64 (c,), rows.
    outcome, own
        int16 (c,), places of the outcome and of the recommended action.
    rule
        int16 (c,), action of today's rule; None when it is not declared or not among the keys.
    likely
        int16 (c,), the likeliest outcome; None when not among the keys.
    tuned, half
        bool (c,), at or above the tuned threshold, and 0.5; None when not among the keys.
    score
        int32 (c,), bin of the positive probability; None when not among the keys.
    fold
        int8 (c,), which half of the rows; None when not among the keys.
    w1, w2, w3, w4
        float64 (c,), sums of the weights and of their second, third and fourth powers.
    x1
        float64 (c, K), sums of weight times term.
    y1, y2
        float64 (c, K) and (c, K, K), sums of squared weight times products of 1 and 2 terms.
    higher
        Sums of third and fourth powers; None by bin of the score.
    prob
        float64 (c,), sums of weight times positive probability; None but by bin of the score.
    best
        float64 (c,), sums of weight times money of the action that turned out best; not a number by
        bin of the score.
    """

    n: Floats
    outcome: NDArray[np.int16]
    own: NDArray[np.int16]
    rule: NDArray[np.int16] | None
    likely: NDArray[np.int16] | None
    tuned: NDArray[np.bool_] | None
    half: NDArray[np.bool_] | None
    score: NDArray[np.int32] | None
    fold: NDArray[np.int8] | None
    w1: Floats
    w2: Floats
    w3: Floats
    w4: Floats
    x1: Floats
    y1: Floats
    y2: Floats
    higher: Higher | None
    prob: Floats | None
    best: Floats

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.n)

    def take(self, cells: NDArray[np.bool_] | NDArray[np.int64]) -> CellSet:
        """Return some of the cells."""
        some: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, Higher):
                some[one.name] = value.take(cells)
            else:
                some[one.name] = None if value is None else value[cells]
        return CellSet(**some)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Money:
    """Money of the rows of each cell: ``constant + factor @ terms``; (c,) and (c, K)."""

    constant: Floats
    factor: Floats

    @classmethod
    def of(cls, terms: Terms, actions: NDArray[np.int16], outcomes: NDArray[np.int16]) -> Money:
        """Return the money of an action in each cell."""
        return cls(
            constant=terms.constant[actions, outcomes], factor=terms.factor[actions, outcomes]
        )

    def __sub__(self, other: Money) -> Money:
        """Return the difference row by row."""
        return Money(constant=self.constant - other.constant, factor=self.factor - other.factor)

    def take(self, cells: NDArray[np.bool_] | NDArray[np.int64]) -> Money:
        """Return the money of some of the cells."""
        return Money(constant=self.constant[cells], factor=self.factor[cells])

    def less(self, value: float) -> Money:
        """Return the money less a constant."""
        return Money(constant=self.constant - value, factor=self.factor)

    def only(self, cells: NDArray[np.bool_]) -> Money:
        """Return the money of some of the cells, and none in the others."""
        return Money(
            constant=np.where(cells, self.constant, 0.0),
            factor=np.where(cells[:, None], self.factor, 0.0),
        )

    def power(self, cells: CellSet, weights: int, degree: int) -> Floats:
        """Return ``sum w^weights v^degree`` of each cell; degree up to weights, weights up to 4."""
        c, letter = self.constant, "xyzq"[weights - 1]
        out = c**degree * getattr(cells, f"w{weights}")
        if np.any(self.factor):
            sums = cells if weights <= SCORED else cells.higher
            for j in range(1, degree + 1):
                form = _DOTS[j - 1](self.factor, getattr(sums, f"{letter}{j}"))
                out = out + math.comb(degree, j) * c ** (degree - j) * form
        return np.asarray(out, dtype=np.float64)

    def sums(self, cells: CellSet) -> Floats:
        """Return the weighted sum of each cell, ``sum w v``."""
        return self.power(cells, 1, 1)

    def cross(self, cells: CellSet) -> Floats:
        """Return ``sum w^2 v`` of each cell."""
        return self.power(cells, 2, 1)

    def squares(self, cells: CellSet) -> Floats:
        """Return ``sum w^2 v^2`` of each cell."""
        return self.power(cells, 2, 2)

    def cubes(self, cells: CellSet) -> Floats:
        """Return ``sum w^3 v^3`` of each cell."""
        return self.power(cells, 3, 3)

    def fourths(self, cells: CellSet) -> Floats:
        """Return ``sum w^4 v^4`` of each cell."""
        return self.power(cells, 4, 4)

    def product(self, other: Money, cells: CellSet) -> float:
        """Return ``sum w^2 v u`` over all cells, u being the other money."""
        c, k, d, m = self.constant, self.factor, other.constant, other.factor
        each = c * d * cells.w2 + c * _dot(m, cells.y1) + d * _dot(k, cells.y1)
        if np.any(k) and np.any(m):
            each = each + np.einsum("ci,cj,cij->c", k, m, cells.y2, optimize=True)
        return float(each.sum())


def _dot(k: Floats, x: Floats) -> Floats:
    return np.asarray(np.einsum("ci,ci->c", k, x))


def _dot2(k: Floats, x: Floats) -> Floats:
    return np.asarray(np.einsum("ci,cj,cij->c", k, k, x, optimize=True))


def _dot3(k: Floats, x: Floats) -> Floats:
    return np.asarray(np.einsum("ci,cj,cl,cijl->c", k, k, k, x, optimize=True))


def _dot4(k: Floats, x: Floats) -> Floats:
    return np.asarray(np.einsum("ci,cj,cl,cm,cijlm->c", k, k, k, k, x, optimize=True))


_DOTS: Final = (_dot, _dot2, _dot3, _dot4)


def mean(
    cells: CellSet,
    money: Money,
    decision: Decision,
    *,
    identical: str = "",
    level: float | None = None,
) -> Estimate:
    """Estimate mean money per unit from cells, as :func:`payoff.evidence.worth.worth` from rows.

    ``m = sum w v / sum w`` and ``se^2 = n / (n - 1) * sum w^2 (v - m)^2 / (sum w)^2``, with
    Student's t; the diagnosis (:mod:`payoff.evidence.diagnosis`) has its skewness and its paying
    cases from the third and the fourth powers. Where it asks for another method than t, which
    needs the rows, there is no interval.

    Parameters
    ----------
    cells, money
        The cells and the money of their rows.
    decision
        Its level, unit, weights and outcomes.
    identical
        Why every row has the same value by construction; "" when it has not.
    level
        Of the interval; None means the declared one. At another level the interval is that of any
        mean: neither constant money nor an outcome that was never seen plays a part.
    """
    unit = decision.value_unit
    n, total = round(float(cells.n.sum())), float(cells.w1.sum())
    unseen = _unseen(decision, cells) if level is None else None
    constant = level is None and all(
        constant_of(c.node) is not None for c in decision.payoffs.cells.values()
    )
    level = decision.evidence.level if level is None else level
    if n <= _WRITTEN_OUT and decision.data.weight is None and not np.any(money.factor):
        values = np.repeat(money.constant, np.round(cells.n).astype(np.int64))
        sums = cluster_sums(values, np.ones(n), None)
        return mean_money(
            sums, level=level, unit=unit, identical=identical, constant=constant, unseen=unseen
        )
    value, method, ends = None, "none", None
    reason = "there are no rows"
    if total > 0:
        value = _centre(cells, money)
        method, ends, reason = _interval(cells, money, value, level, identical, constant=constant)
        if method == "t" and ends is not None and unseen is not None:
            refused = too_rare(unseen, n, ends, level)
            method, ends, reason = ("none", None, refused) if refused else (method, ends, reason)
    return _estimate(cells, value, method, ends, reason, level=level, unit=unit)


def mean_like(
    cells: CellSet, money: Money, decision: Decision, like: Estimate, *, identical: str = ""
) -> Estimate:
    """Estimate mean money by bin of the score, where third and fourth powers are not summed.

    Money that is constant in every cell is written out, as in :func:`mean`. Other money takes over
    the method of money already diagnosed that has its tails: what was promised is known before the
    outcome, so realised less promised money has the tails of the realised; and two thresholds act
    on the same rows.

    Parameters
    ----------
    like
        The estimate whose method is taken over.
    identical
        As in :func:`mean`.
    """
    n, total = round(float(cells.n.sum())), float(cells.w1.sum())
    level, unit = decision.evidence.level, decision.value_unit
    written = n <= _WRITTEN_OUT and decision.data.weight is None and not np.any(money.factor)
    if identical or written or total <= 0:
        return mean(cells, money, decision, identical=identical)
    value = _centre(cells, money)
    spread = float(np.maximum(money.less(value).squares(cells), 0.0).sum())
    if like.method == "t":
        ends = _by_t(cells, value, spread, level)
        return _estimate(cells, value, "t", ends, "", level=level, unit=unit)
    reason = like.reason if like.method == "none" else _UNEVEN
    return _estimate(cells, value, "none", None, reason, level=level, unit=unit)


def _centre(cells: CellSet, money: Money) -> float:
    total = float(cells.w1.sum())
    value = float(money.sums(cells).sum() / total)
    # Once more around the first mean: what rounding left over is then itself small.
    return value + float(money.less(value).sums(cells).sum() / total)


def _estimate(
    cells: CellSet,
    value: float | None,
    method: str,
    ends: tuple[float, float] | None,
    reason: str,
    *,
    level: float,
    unit: str,
) -> Estimate:
    n = round(float(cells.n.sum()))
    low, high = ends or (None, None)
    return Estimate(
        value=value,
        low=low,
        high=high,
        level=level,
        unit=unit,
        n=n,
        n_clusters=n,
        method=method,
        reason=reason,
    )


def _by_t(cells: CellSet, value: float, spread: float, level: float) -> tuple[float, float]:
    """Return the ends by Student's t; ``spread`` is ``sum w^2 (v - m)^2``."""
    n, total = float(cells.n.sum()), float(cells.w1.sum())
    equal = float(cells.w2.sum()) ** 2 / float(cells.w4.sum())
    error = math.sqrt(spread * n / (n - 1)) / total
    t = float(special.stdtrit(max(equal - 1, 1.0), 0.5 + level / 2))
    return value - t * error, value + t * error


def _unseen(decision: Decision, cells: CellSet) -> Unseen | None:
    counts = np.bincount(cells.outcome, weights=cells.n, minlength=len(decision.outcomes))
    return dearest_unseen(decision, counts)


def _interval(
    cells: CellSet, money: Money, value: float, level: float, identical: str, *, constant: bool
) -> tuple[str, tuple[float, float] | None, str]:
    residual = money.less(value)
    squares = np.maximum(residual.squares(cells), 0.0)
    spread = float(squares.sum())
    scale = float(money.squares(cells).sum())
    if spread <= 1e-24 * scale or scale == 0:
        if identical:
            return "exact", (value, value), identical
        return (
            "none",
            None,
            "all rows judged have the same value, so its variation cannot be seen",
        )
    least = FEWEST_CONSTANT if constant else FEWEST_CARRYING
    different = _different(cells, money)
    if different < least:
        return (
            "none",
            None,
            f"fewer than {least} independent cases can be seen to differ from the commonest value; "
            f"an interval needs at least {least}",
        )
    facts = carried(cells, money, value, constant=constant)
    method, because = method_of(facts | {"differing": max(different, least)})
    if method == "none":
        return "none", None, because
    if method != "t":
        return "none", None, _UNEVEN
    return "t", _by_t(cells, value, spread, level), ""


def carried(cells: CellSet, money: Money, value: float, *, constant: bool) -> dict[str, float]:
    """Return what an interval rests on, as :func:`payoff.evidence.diagnosis.method_of` reads it.

    ``differing`` is a lower bound; ``skewness`` has its sign.
    """
    n = float(cells.n.sum())
    residual = money.less(value)
    spread = float(np.maximum(residual.squares(cells), 0.0).sum())
    equal = float(cells.w2.sum()) ** 2 / float(cells.w4.sum())
    fourth = max(float(residual.fourths(cells).sum()), 1e-300)
    skewness = float(residual.cubes(cells).sum()) / n / (spread / n) ** 1.5 if spread > 0 else 0.0
    return {
        "n": n,
        "equal": equal,
        "differing": _different(cells, money),
        "different": FEWEST_CONSTANT if constant else FEWEST_CARRYING,
        "paying": min(spread**2 / fourth * n / equal, n),
        "needed": needed_cases(round(n), constant=constant),
        "skewness": skewness,
        "skew": abs(skewness) / math.sqrt(n),
    }


def _different(cells: CellSet, money: Money) -> float:
    """Return a number of rows that surely differ from the commonest value.

    Where money is constant in a cell, its rows are counted. Elsewhere at least
    ``(sum w d)^2 / sum w^2 d^2`` rows have a distance d other than 0 (Cauchy and Schwarz).
    """
    fixed = ~np.any(money.factor != 0, axis=1)
    common = 0.0
    if fixed.any():
        values, place = np.unique(money.constant[fixed], return_inverse=True)
        common = float(values[int(np.argmax(np.bincount(place, weights=cells.n[fixed])))])
    apart = money.less(common)
    # Constants are compared, not subtracted: a rounding error is not a difference.
    surely = np.where(fixed & (apart.constant != 0), cells.n, 0.0)
    sums, squares = apart.sums(cells), np.maximum(apart.squares(cells), 1e-300)
    bound = np.ceil(sums * sums / squares * (1 - 1e-9))
    return float(np.where(fixed, surely, np.minimum(bound, cells.n)).sum())


def effective_rows(
    cells: CellSet, hit: NDArray[np.bool_], *, weighted: bool
) -> tuple[float, float]:
    """Return the share of units in some cells, and how many equal rows would know it as well."""
    n, total = float(cells.n.sum()), float(cells.w1.sum())
    p = min(max(float(cells.w1[hit].sum()) / total, 0.0), 1.0)
    squares = float(cells.w2.sum())
    if not weighted:
        return p, n
    effective = total**2 / squares
    if 0 < p < 1 and n > 1 and n * squares > total**2 * (1 + 1e-12):
        inside, outside = float(cells.w2[hit].sum()), float(cells.w2[~hit].sum())
        variance = ((1 - p) ** 2 * inside + p * p * outside) * n / (n - 1) / total**2
        effective = min(p * (1 - p) / variance, n)
    return p, effective


def share(cells: CellSet, hit: NDArray[np.bool_], *, level: float, weighted: bool) -> Estimate:
    """Estimate the share of units in some cells, as :func:`payoff.evidence.interval.share` does."""
    n = round(float(cells.n.sum()))
    p, effective = None, 0.0
    if float(cells.w1.sum()) > 0:
        p, effective = effective_rows(cells, hit, weighted=weighted)
    return wilson_share(p, effective, level=level, n=n, n_clusters=n)
