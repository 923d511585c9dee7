"""Many groups at once, from cells: sums of each group, and deals drawn from what cells know.

Dealing labels out at random needs no single rows. Where money takes few values, how many of each a
group gets follows the hypergeometric law, as for rows. Elsewhere the sums of a group follow the
normal limit of dealing without replacement, whose mean and covariance are those of one case: powers
up to the fourth. A group too small for that limit, by the skewness of the money, is not compared.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.cells import CellSet, Money
from payoff.evidence.subgroups.permute import dealt_values, limit_sums

__all__ = ["FAR", "CellSums"]

Floats = NDArray[np.float64]

#: Power of the weight and of the money in each of the five sums: s, w, s^2, s w and w^2.
_POWERS: Final = ((1, 1), (1, 0), (2, 2), (2, 1), (2, 0))
#: Skewness / sqrt(n) of a group, beyond which its mean is not taken for normal.
FAR: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class CellSums:
    """The sums of cells; see :class:`payoff.evidence.subgroups.simultaneous.CaseSums`.

    Parameters
    ----------
    cells, money
        The cells and their money, less the mean of all rows.
    sizes, found
        Rows and sums of each group.
    told
        bool (G,), groups that deals describe.
    """

    cells: CellSet
    money: Money
    sizes: NDArray[np.int64]
    found: Floats
    told: NDArray[np.bool_]

    @classmethod
    def of(cls, cells: CellSet, money: Money, place: NDArray[np.int64], groups: int) -> CellSums:
        """Add up cells by group.

        Parameters
        ----------
        place
            int64 (c,), the group of each cell.
        groups
            Number of groups G.
        """
        total = max(float(cells.w1.sum()), 1e-300)
        centred = money.less(float(money.sums(cells).sum()) / total)
        centred = centred.less(float(centred.sums(cells).sum()) / total)

        def sums(x: Floats) -> Floats:
            return np.asarray(np.bincount(place, weights=x, minlength=groups), dtype=np.float64)

        found = np.stack([sums(centred.power(cells, q, d)) for q, d in _POWERS], axis=1)
        found[:, 2] = np.maximum(found[:, 2], 0.0)
        sizes = np.round(sums(cells.n)).astype(np.int64)
        told = np.ones(groups, dtype=bool)
        if _values(cells, centred, groups) is None:
            told = _near_normal(cells, centred, sizes)
        return cls(cells, centred, sizes, found, told)

    @property
    def why(self) -> str:
        """How deals are drawn, and which groups they do not describe."""
        if _values(self.cells, self.money, len(self.sizes)) is not None:
            return ""
        return (
            "what chance does to groups was found by dealing their labels out at random, in the "
            "normal limit of that; a group whose mean is not near normal (skewness / sqrt(n) above "
            f"{FAR}) is not compared"
        )

    @property
    def flat(self) -> bool:
        """Whether all rows have the same money, but for rounding."""
        scale = np.abs(self.money.constant) * self.cells.w1 + np.abs(
            np.einsum("ci,ci->c", np.abs(self.money.factor), np.abs(self.cells.x1))
        )
        n = float(self.sizes.sum())
        return float(self.found[:, 2].sum()) <= 1e-24 * max(float(scale.sum()) ** 2 / n, 1e-300)

    def dealt(self, resamples: int, rng: np.random.Generator) -> Floats:
        """Return the sums of each group when labels are dealt out by chance, (B, G, 5)."""
        few = _values(self.cells, self.money, len(self.sizes))
        if few is not None:
            found = dealt_values(*few, self.sizes, resamples=resamples, rng=rng)
            if found is not None:
                return found
        n = int(self.sizes.sum())
        centre = self.found.sum(axis=0) / n
        cov = np.empty((5, 5))
        for (i, (q, d)), (j, (p, e)) in itertools.product(enumerate(_POWERS), repeat=2):
            both = float(self.money.power(self.cells, q + p, d + e).sum())
            cov[i, j] = (both / n - centre[i] * centre[j]) * n / (n - 1)
        second = np.diag(cov) + centre**2
        constant = np.diag(cov) <= 1e-12 * second  # such as the weight where there is none
        cov[constant] = cov[:, constant] = 0.0
        scale = np.sqrt(np.where(constant, 1.0, np.diag(cov)))
        counts = np.broadcast_to(self.sizes, (resamples, len(self.sizes)))
        return limit_sums(centre, cov / np.outer(scale, scale), scale, counts, n, rng)

    def design(self, family: NDArray[np.bool_]) -> Floats:
        """Return 1: cells are not made where rows are clustered."""
        return np.ones(len(family))


def _values(cells: CellSet, money: Money, groups: int) -> tuple[Floats, NDArray[np.int64]] | None:
    """Return the different values of the money and how often each occurs; None with too many."""
    if np.any(money.factor) or not np.array_equal(cells.w1, cells.n):
        return None
    values, place = np.unique(money.constant, return_inverse=True)
    counts = np.round(np.bincount(place, weights=cells.n)).astype(np.int64)
    one = np.zeros(groups, dtype=np.int64)
    found = dealt_values(values, counts, one, resamples=0, rng=np.random.default_rng(0))
    return None if found is None else (values, counts)


def _near_normal(cells: CellSet, money: Money, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
    n = float(cells.n.sum())
    second, third = float(money.squares(cells).sum()), float(money.cubes(cells).sum())
    if n < 1 or second <= 0:
        return np.ones(len(sizes), dtype=bool)
    skew = abs(third / n) / math.pow(second / n, 1.5)
    smaller = np.minimum(sizes, int(n) - sizes)
    return np.asarray(skew <= FAR * np.sqrt(np.maximum(smaller, 0)), dtype=np.bool_)
