"""Many groups at once: which differ from the others beyond what chance does to the largest of them.

Each group is compared with all other rows by a studentised difference of means. What the largest
of these does by chance is found by dealing the labels out at random (max-|t|, Westfall and Young
1993), so that with 40 groups that do not differ any false alarm at all is as rare as declared.
Under exchangeable cases it is exact; where groups have equal means but unequal spread it holds for
large groups, because the difference is studentised (Janssen 1997; Chung and Romano 2013).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.interval import cluster_sums
from payoff.evidence.subgroups.permute import dealt_sums, products

__all__ = ["RESAMPLES", "CaseSums", "Cases", "Contrast", "RowSums", "cases_of", "contrast"]

RESAMPLES: Final = 1999
#: Cases' worth of the common spread that a group's own spread is mixed with. Without it a small
#: group whose few cases are alike would have no spread at all, and an endless t.
_BORROWED: Final = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """Independent cases and their group: sum s, weight w (float64 (n,)), group code (int64 (n,)).

    ``cluster`` (int64 (n,)) is None unless one cluster has cases in several groups.
    """

    s: NDArray[np.float64]
    w: NDArray[np.float64]
    group: NDArray[np.int64]
    cluster: NDArray[np.int64] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contrast:
    """What comparing every group with the others found; arrays are float64 (G,).

    Parameters
    ----------
    difference
        Mean of the group minus mean of all other rows.
    t
        The difference over its standard error; NaN for a group outside the family.
    p_adjusted
        Share of deals in which the *largest* |t| of any group reaches this group's; 1 outside.
    error
        Standard error of the group's own mean.
    low, high
        Quantiles of the smallest and the largest studentised mean of any group.
    p_any
        The smallest adjusted p: of the statement that no group differs.
    """

    difference: NDArray[np.float64]
    t: NDArray[np.float64]
    p_adjusted: NDArray[np.float64]
    error: NDArray[np.float64]
    low: float
    high: float
    p_any: float


def cases_of(
    value: NDArray[np.float64],
    weight: NDArray[np.float64],
    group: NDArray[np.int64],
    cluster: NDArray[np.int64] | None,
) -> Cases:
    """Add up rows by cluster and group; rows of weight 0 leave no trace.

    Parameters
    ----------
    value, weight
        float64 (n,).
    group
        int64 (n,), codes from 0.
    cluster
        int64 (n,), or None where every row is its own case.
    """
    if cluster is None:
        kept = weight > 0
        return Cases((value * weight)[kept], weight[kept], group[kept], None)
    groups = int(group.max()) + 1
    _, place = np.unique(cluster * groups + group, return_inverse=True)
    first = np.zeros(int(place.max()) + 1, dtype=np.int64)
    first[place] = np.arange(len(place))
    heavy = np.bincount(place, weights=weight) > 0
    sums = cluster_sums(value, weight, place)
    of = first[heavy]
    owner = cluster[of]
    crossed = len(np.unique(owner)) < len(owner)
    return Cases(sums.s, sums.w, group[of], owner if crossed else None)


class CaseSums(Protocol):
    """Sums of independent cases by group, and how deals of the same cases are drawn.

    Sums are of ``s``, ``w``, ``s^2``, ``s w`` and ``w^2``, where s is a case's weighted money less
    the mean of all cases.
    """

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Cases in each group, int64 (G,)."""

    @property
    def found(self) -> NDArray[np.float64]:
        """Sums of each group, float64 (G, 5)."""

    @property
    def flat(self) -> bool:
        """Whether all cases have the same mean money, but for rounding."""

    @property
    def told(self) -> NDArray[np.bool_]:
        """Groups that the deals describe, bool (G,)."""

    @property
    def why(self) -> str:
        """How deals are drawn, where not all groups need be described by them; or nothing."""

    def dealt(self, resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the sums of each group when labels are dealt out by chance, (B, G, 5)."""

    def design(self, family: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the inflation of each group's error where clusters cross groups, (G,)."""


@dataclass(frozen=True, slots=True, eq=False)
class RowSums:
    """The sums of cases; see :class:`CaseSums`."""

    cases: Cases
    s: NDArray[np.float64]
    sizes: NDArray[np.int64]
    found: NDArray[np.float64]

    @classmethod
    def of(cls, cases: Cases, groups: int) -> RowSums:
        """Add up the cases of each of so many groups."""
        centre = float(cases.s.sum() / cases.w.sum()) if len(cases.s) else 0.0
        s = cases.s - centre * cases.w
        found = np.empty((groups, 5))
        for j, x in enumerate(products(s, cases.w)):
            found[:, j] = np.bincount(cases.group, weights=x, minlength=groups)
        sizes = np.bincount(cases.group, minlength=groups).astype(np.int64)
        return cls(cases, s, sizes, found)

    @property
    def flat(self) -> bool:
        """Whether all cases have the same mean money, but for rounding."""
        spread = float(self.s @ self.s) / (len(self.s) - 1)
        return spread <= 1e-24 * max(float(np.abs(self.cases.s).max()) ** 2, 1e-300)

    @property
    def told(self) -> NDArray[np.bool_]:
        """All groups: cases are dealt, and the largest of them exactly."""
        return np.ones(len(self.sizes), dtype=bool)

    @property
    def why(self) -> str:
        """Nothing."""
        return ""

    def dealt(self, resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the sums of each group when labels are dealt out by chance, (B, G, 5)."""
        return dealt_sums(self.s, self.cases.w, self.sizes, resamples=resamples, rng=rng)

    def design(self, family: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the inflation of each group's error where clusters cross groups, (G,)."""
        return _design(self.cases, self.s, self.found, family)


def contrast(
    cases: Cases | CaseSums,
    family: NDArray[np.bool_],
    *,
    level: float,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    borrowed: float = _BORROWED,
) -> Contrast | None:
    """Compare every group of a family with all other cases, adjusted for looking at them all.

    Parameters
    ----------
    cases
        All cases, or their sums; those of groups outside the family only stand among the others.
    family
        bool (G,), the groups that are looked at.
    level
        Simultaneous level of ``low`` and ``high``.

    Returns
    -------
    Contrast or None
        None where there is nothing to compare: fewer than two cases, or no spread at all.

    Notes
    -----
    With n cases of sums s and weights w, group mean ``m = sum s / sum w`` and residual variance
    ``v``, the t of a group g against the rest r is
    ``(m_g - m_r) / sqrt(v_g n_g / W_g^2 + v_r n_r / W_r^2)``. A group's ``v_g`` is
    ``(sum (s - m_g w)^2 + k v) / (n_g - 1 + k)`` with v of all cases and k = 30. Where clusters
    cross groups the observed error is inflated by the ratio of the clustered to the unclustered
    one.

    References
    ----------
    Westfall, P. H., Young, S. S. (1993). Resampling-Based Multiple Testing. Wiley.
    Chung, E., Romano, J. P. (2013). Exact and asymptotically robust permutation tests. Annals of
    Statistics 41.
    """
    sums = RowSums.of(cases, len(family)) if isinstance(cases, Cases) else cases
    sizes, found = sums.sizes, sums.found
    n = int(sizes.sum())
    family = family & (sizes > 0) & (sizes <= n - 2)
    if n < 3 or not family.any() or sums.flat:
        return None
    total = found.sum(axis=0)
    form = _Studentised(sizes, total, float(total[2]) / (n - 1), borrowed)
    difference, error2, _, error1 = form(found[None])
    design = sums.design(family)
    t = difference[0] / (error2[0] * design)
    mean_t, max_t = _deals(sums.dealt(resamples, rng), sizes, form, family)
    observed = np.abs(t)
    reached = (max_t[None, :] >= observed[:, None] * (1 - 1e-12)).sum(axis=1)
    p = np.where(family, (1 + reached) / (1 + resamples), 1.0)
    return Contrast(
        difference=difference[0],
        t=np.where(family, t, np.nan),
        p_adjusted=p,
        error=error1[0] * design,
        low=float(np.quantile(mean_t.min(axis=1), (1 - level) / 2, method="lower")),
        high=float(np.quantile(mean_t.max(axis=1), (1 + level) / 2, method="higher")),
        p_any=float(p[family].min()),
    )


class _Studentised:
    """The statistics of sums (B, G, 5), with what no deal changes: sizes, totals, common spread."""

    def __init__(
        self, sizes: NDArray[np.int64], total: NDArray[np.float64], spread: float, borrowed: float
    ) -> None:
        self.sizes = sizes
        self.rest = sizes.sum() - sizes
        self.total = total
        self.spread = spread
        self.borrowed = borrowed

    def __call__(self, sums: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Return difference, its error, the centred mean, and the error of the mean."""
        with np.errstate(divide="ignore", invalid="ignore"):
            mean, own = self._mean(sums, self.sizes)
            other, rest = self._mean(self.total - sums, self.rest)
            return mean - other, np.sqrt(own + rest), mean, np.sqrt(own)

    def _mean(
        self, sums: NDArray[np.float64], n: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        s, w, ss, sw, ww = np.moveaxis(sums, -1, 0)
        m = s / w
        squares = np.maximum(ss - 2 * m * sw + m * m * ww, 0.0)
        k = self.borrowed
        variance = (squares + k * self.spread) / (n - 1 + k)
        return m, variance * n / w**2


def _deals(
    sums: NDArray[np.float64],
    sizes: NDArray[np.int64],
    form: _Studentised,
    family: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return studentised means (B, family) and the largest |t| of a difference (B,) of deals."""
    difference, error2, mean, error1 = form(sums)
    t = np.abs(difference / error2)[:, family]
    # A deal takes without replacement: its means vary less than means of new cases by this much.
    shrunk = np.sqrt(1 - sizes[family] / sizes.sum())
    return mean[:, family] / error1[:, family] / shrunk, np.nan_to_num(t).max(axis=1)


def _design(
    cases: Cases,
    s: NDArray[np.float64],
    found: NDArray[np.float64],
    family: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the inflation of each error where clusters cross groups; 1 where they do not."""
    out = np.ones(len(family))
    if cases.cluster is None:
        return out
    _, owner = np.unique(cases.cluster, return_inverse=True)
    total = found.sum(axis=0)
    for g in np.flatnonzero(family):
        own, rest = found[g], total - found[g]
        inside = cases.group == g
        psi = np.where(
            inside,
            (s - own[0] / own[1] * cases.w) / own[1],
            -(s - rest[0] / rest[1] * cases.w) / rest[1],
        )
        apart = float(psi @ psi)
        together = np.bincount(owner, weights=psi)
        out[g] = math.sqrt(float(together @ together) / apart) if apart > 0 else 1.0
    return out
