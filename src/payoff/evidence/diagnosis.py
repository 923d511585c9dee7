"""What an interval rests on, and which method that allows: rows, paying cases, skew, large rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from payoff.clusters import Sums, unit_scaled

__all__ = [
    "FEWEST_CARRYING",
    "FEWEST_CONSTANT",
    "Diagnosis",
    "diagnose",
    "method_of",
    "needed_cases",
]

#: Fewer effective paying cases than this: no interval is honest where an amount may be any number.
FEWEST_CARRYING: Final = 10
#: The same from ``_MANY`` independent cases on, where money with a finite variance has many more.
_FEWEST_OF_MANY: Final = 15
_MANY: Final = 5_000
#: The same where every amount is a declared constant, so that none can be larger than is known.
FEWEST_CONSTANT: Final = 3
#: Fewer equal cases than this by their weights: a few clusters hold most of the rows.
_FEWEST_CLUSTERS: Final = 5
#: Skewness / sqrt(C) up to which each end of t misses by 2.5 % give or take a quarter point.
_SKEW_LIMIT: Final = 0.03
#: Paying cases from which t and score ends differ by no more than 1 % for balanced tails.
_MANY_PAYING: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What the interval of a mean rests on, and the method that follows from it.

    With residuals ``r_c = s_c - m w_c`` of C independent cases:

    Parameters
    ----------
    rows, independent
        Rows judged, and independent cases among them (clusters, or the rows themselves).
    independent_effective
        Equal cases that would tell as much by their weights: ``(sum w^2)^2 / sum w^4``.
    differing
        Independent cases whose mean money is not the commonest one: those that pay, or cost.
    paying
        Effective number of paying cases: ``(sum r^2)^2 / sum r^4``, which is k when k of many
        cases pay the same, and stays small, whatever C is, when the variance is infinite. Cases of
        unequal weight are no fewer for that: times ``C / independent_effective``, C at the most.
    needed
        Paying cases without which no interval is given.
    skewness
        ``mean(r^3) / mean(r^2)^1.5``.
    balance
        Third moment of the lesser tail over that of the greater: 0 one-sided, 1 even.
    largest, largest_percent
        Share of all money moved (``sum |s|``) that the largest case holds, and the largest 1 %
        (None where it was not asked for).
    largest_of_variance
        Share of ``sum r^2`` that the largest case holds. It, the balance and the largest are None
        where rows were judged from cells within which money varies.
    method
        ``"t"``, ``"score"``, ``"exact"`` or ``"none"``.
    because
        Why this method, or why no interval: a clause without a capital or a full stop.
    """

    rows: int
    independent: int
    independent_effective: float
    differing: int
    paying: float
    needed: int
    skewness: float
    balance: float | None
    largest: float | None
    largest_percent: float | None
    largest_of_variance: float | None
    method: str
    because: str

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the quantile by which the ends are reached.

        ``1 / f = 1 / (independent_effective - 1) + balance * max(0, 1 / paying - 3 / C)``: the
        variance is itself an estimate, and worse known the higher the kurtosis ``C / paying`` is
        above 3, the normal one, for which t allows. With one tail, tilting moves the variance with
        the mean and allows for that; with two it does not. The t method leaves this out.
        """
        inverse = 1 / max(self.independent_effective - 1, 1.0)
        if self.method == "score":
            inverse += (self.balance or 0.0) * max(0.0, 1 / self.paying - 3 / self.independent)
        return 1 / inverse


def diagnose(
    sums: Sums, *, constant: bool = False, identical: str = "", details: bool = True
) -> Diagnosis:
    """Measure what an interval would rest on, and choose its method.

    Parameters
    ----------
    sums
        Sums of each independent case, from :func:`payoff.clusters.cluster_sums`.
    constant
        Every amount is a declared constant.
    identical
        Why every row has the same value by construction; "" when nothing says so.
    details
        Whether to measure what the method does not depend on: ``largest_percent`` takes longer than
        all the rest.

    Notes
    -----
    The t interval of a mean misses by ``phi(z) (2 z^2 + 1) skewness / (6 sqrt(C))`` too often on
    one side and too seldom on the other (the first term of the Edgeworth expansion; Hall 1992,
    section 2.6): 0.085 of skewness / sqrt(C) at 95 %, a quarter of a point at 0.03. Beyond that the
    ends are those of :func:`~payoff.evidence.interval.score_ends`.

    Examples
    --------
    >>> from payoff.clusters import cluster_sums
    >>> money = np.repeat([99.0, -1.0], [20, 980])
    >>> found = diagnose(cluster_sums(money, np.ones(1000), None))
    >>> found.method, found.differing, round(found.paying, 1), round(found.skewness, 2)
    ('score', 20, 20.8, 6.86)
    """
    n = len(sums.s)
    if n == 0:
        return _nothing()
    same = _same(sums, sums.residual)
    r = sums.residual if same else unit_scaled(sums.residual)
    squares = r * r
    total, fourth = float(squares.sum()), float(squares @ squares)
    money = np.abs(sums.s)
    moved = float(money.sum())
    clustered = sums.n > n
    needed = needed_cases(n, constant=constant)
    equal = effective(sums.w)
    differing = 0 if same else _differing(sums)
    paying = 0.0 if same else min(total**2 / fourth * n / equal, float(n))
    skewness, balance = (0.0, 0.0) if same else _tails(r, squares)
    facts = {
        "n": n,
        "equal": equal,
        "differing": differing,
        "paying": paying,
        "needed": needed,
        "different": FEWEST_CONSTANT if constant and not clustered else FEWEST_CARRYING,
        "skew": abs(skewness) / math.sqrt(n),
    }
    method, because = _equal(identical, n, sums.n) if same else method_of(facts)
    return Diagnosis(
        rows=sums.n,
        independent=n,
        independent_effective=equal,
        differing=differing,
        paying=paying,
        needed=needed,
        skewness=skewness,
        balance=balance,
        largest=float(money.max()) / moved if moved > 0 else 0.0,
        largest_percent=_top_share(money, moved) if details else None,
        largest_of_variance=0.0 if same else float(squares.max()) / total,
        method=method,
        because=because,
    )


def needed_cases(n: int, *, constant: bool) -> int:
    """Return the paying cases without which n independent cases give no interval."""
    return FEWEST_CONSTANT if constant else FEWEST_CARRYING if n < _MANY else _FEWEST_OF_MANY


def effective(weight: NDArray[np.float64]) -> float:
    """Return ``(sum w^2)^2 / sum w^4``: equal cases whose variance is known as well.

    Satterthwaite's degrees of freedom, plus one, of a variance summed from cases whose standard
    deviations are as their weights.

    Examples
    --------
    >>> effective(np.ones(7)), round(effective(np.array([1.0, 1.0, 10.0])), 3)
    (7.0, 1.04)
    """
    squares = (weight / weight.max()) ** 2
    return float(squares.sum() ** 2 / (squares @ squares))


def _nothing() -> Diagnosis:
    return Diagnosis(
        rows=0,
        independent=0,
        independent_effective=0.0,
        differing=0,
        paying=0.0,
        needed=FEWEST_CARRYING,
        skewness=0.0,
        balance=0.0,
        largest=0.0,
        largest_percent=0.0,
        largest_of_variance=0.0,
        method="none",
        because="there are no rows",
    )


def _top_share(money: NDArray[np.float64], moved: float) -> float:
    """Return the share of all money that the largest 1 % of cases hold."""
    top = max(1, len(money) // 100)
    return float(np.sort(money)[-top:].sum()) / moved if moved else 0.0


def _tails(r: NDArray[np.float64], squares: NDArray[np.float64]) -> tuple[float, float]:
    """Return the skewness, and the lesser tail's third moment over the greater's."""
    cubes = r * squares
    up, down = float(np.maximum(cubes, 0.0).sum()), -float(np.minimum(cubes, 0.0).sum())
    n = len(r)
    skewness = (up - down) / n / (float(squares.sum()) / n) ** 1.5
    return skewness, min(up, down) / max(up, down)


def _same(sums: Sums, r: NDArray[np.float64]) -> bool:
    scale = max(float(np.abs(sums.s).max()), 1e-300)
    return float(np.abs(r).max()) <= 1e-12 * scale


def _equal(identical: str, cases: int, rows: int) -> tuple[str, str]:
    if identical:
        return "exact", identical
    if cases == 1:
        what = "there is one row only" if rows == 1 else f"all {rows:,} rows belong together"
        return "none", f"{what}, so how far chance moves the figure cannot be seen"
    return "none", "all rows judged have the same value, so its variation cannot be seen"


def method_of(facts: Mapping[str, float]) -> tuple[str, str]:
    """Return the method and the reason, for money that varies.

    Parameters
    ----------
    facts
        ``n``, ``differing``, ``paying``, ``needed`` and ``equal`` as in :class:`Diagnosis`;
        ``different`` is how many must differ, ``skew`` is ``|skewness| / sqrt(n)``.
    """
    n, differing, paying = int(facts["n"]), int(facts["differing"]), facts["paying"]
    if differing < facts["different"]:
        return "none", (
            f"only {differing} of {n:,} independent cases differ from the commonest value; an "
            f"interval needs at least {facts['different']:.0f}"
        )
    if paying < facts["needed"]:
        return "none", (
            f"a few cases carry the money: it rests on the equivalent of {_floor(paying)} paying "
            f"cases among {n:,}, and an interval needs at least {facts['needed']:.0f}"
        )
    if facts["equal"] < _FEWEST_CLUSTERS:
        return "none", (
            f"a few cases hold most of the weight: {n:,} tell as much as {_floor(facts['equal'])} "
            f"equal ones, and an interval needs at least {_FEWEST_CLUSTERS}"
        )
    if facts["skew"] > _SKEW_LIMIT:
        return "score", "the money is uneven, so that the two ends reach unequally far"
    if paying < _MANY_PAYING:
        return "score", "few cases pay, so that each end is held to the variance it implies itself"
    return "t", "many cases pay, and evenly enough that both ends reach equally far"


def _floor(x: float) -> str:
    return f"{math.floor(x * 10) / 10:g}"


def _differing(sums: Sums) -> int:
    """Count cases whose mean is not the commonest one; when none is common, all of them."""
    ratio = np.divide(sums.s, sums.w)
    ratio = np.round(ratio / max(float(np.abs(ratio).max()), 1e-300), 12)  # (w v) / w is not v
    some = ratio if len(ratio) <= 200_000 else ratio[:: len(ratio) // 100_000]
    values, counts = np.unique(some, return_counts=True)
    if counts.max() < 2:
        return len(ratio)
    return int(np.count_nonzero(ratio != values[np.argmax(counts)]))
