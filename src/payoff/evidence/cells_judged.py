"""A judging from cells, as sections ask for it: means, covariances and counts from sums.

Actions of some policies are known by bin of the score, of others by today's rule, and cells by both
were not made. Two such policies are taken to vary independently of each other, given the options
that are known in both kinds of cells; how they compare with each of those is exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.acted import Background
from payoff.evidence.cells import CellSet, Money, mean, share
from payoff.evidence.cells_groups import Grouped, codes_in
from payoff.evidence.evidence import Comparison, Estimate, PolicyEvidence
from payoff.evidence.joint import DRAWS
from payoff.evidence.measured import Draws, GroupSums, Joint
from payoff.evidence.reviewed import is_review
from payoff.evidence.terms import Terms
from payoff.policy.policy import Policy
from payoff.rng import generator

__all__ = ["ActedCells", "CellJudged", "Cells", "Figure", "mistaken_in"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int16]

_TAKEN: Final = (
    "A threshold is known by bin of the probability and today's rule is not, so the two are taken "
    "to vary independently, given what is known of both."
)
#: A regret smaller than this part of the money moved is the rounding of sums.
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """What one pass found.

    Parameters
    ----------
    base
        Cells by outcome and actions.
    score
        Cells by bin of the positive probability; None without probabilities, or with more than two
        outcomes.
    groups
        Subgroup -> its cells.
    """

    base: CellSet
    score: CellSet | None
    groups: Mapping[str, Grouped]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ActedCells:
    """A policy, the cells it can be seen in, and its action in each."""

    policy: Policy
    cells: CellSet
    codes: Codes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figure:
    """Money of each unit as a linear form in each kind of cells; None where it is not known."""

    base: Money | None
    score: Money | None

    def __sub__(self, other: Figure) -> Figure:
        """Return the difference unit by unit, in the cells in which both are known."""
        return Figure(
            base=None if self.base is None or other.base is None else self.base - other.base,
            score=None if self.score is None or other.score is None else self.score - other.score,
        )


def mistaken_in(terms: Terms, cells: CellSet, codes: Codes) -> NDArray[np.bool_] | None:
    """Return the cells whose rows another action would have served better; None if not known.

    Where the money of all actions differs by constants, all rows of a cell agree. Elsewhere a cell
    without any regret holds no mistake, and of one with some it is not known how many it holds.
    """
    actions = terms.constant.shape[0]
    own = Money.of(terms, codes, cells.outcome)
    most = np.zeros(len(cells))
    known = np.ones(len(cells), dtype=bool)
    scale = np.maximum(1.0, np.abs(terms.constant).max())
    for action in range(actions):
        other = Money.of(terms, np.full(len(cells), action, np.int16), cells.outcome)
        more = other - own
        known &= ~np.any(more.factor != 0, axis=1)
        most = np.maximum(most, more.constant)
    wrong = known & (most > _ROUNDING * scale)
    earned = own.sums(cells)
    moved = np.abs(cells.best) + np.abs(earned) + cells.w1 * scale
    spotless = cells.best - earned <= _ROUNDING * moved
    return wrong if bool((known | spotless).all()) else None


class CellJudged:
    """What sections ask of cells; see :class:`payoff.evidence.measured.Measured`."""

    why_not_by_outcome: Final = ""

    def __init__(
        self,
        decision: Decision,
        terms: Terms,
        cells: Cells,
        *,
        acted: Sequence[ActedCells],
        policies: tuple[PolicyEvidence, ...],
        comparisons: tuple[Comparison, ...],
        verdict: Mapping[str, Any],
        background: Background,
    ) -> None:
        self.decision, self.terms, self.cells = decision, terms, cells
        self.acted = {a.policy.name: a for a in acted}
        self.policies, self.comparisons = policies, comparisons
        self.verdict, self.background = verdict, background
        self.total = float(cells.base.w1.sum())
        self.weighted = decision.data.weight is not None

    @property
    def seed(self) -> int:
        """Root seed of the judging."""
        return self.background.seed

    @property
    def n(self) -> int:
        """Rows judged."""
        return round(float(self.cells.base.n.sum()))

    # ------------------------------------------------------------------------------- columns

    def _codes(self, name: str, cells: CellSet | None) -> Codes | None:
        """Return the actions of a policy in cells; None where it cannot be seen in them."""
        acted = self.acted[name]
        if cells is None:
            return None
        if acted.cells is cells:
            return acted.codes
        if acted.policy.kind in ("constant", "expected", "recorded"):
            return codes_in(acted.policy, cells)
        return None

    def money(self, name: str) -> Figure:
        """Return the money of each unit under a policy."""
        return Figure(
            base=self._money(name, self.cells.base), score=self._money(name, self.cells.score)
        )

    def _money(self, name: str, cells: CellSet | None) -> Money | None:
        codes = self._codes(name, cells)
        return (
            None if cells is None or codes is None else Money.of(self.terms, codes, cells.outcome)
        )

    def lever(self, name: str, action: str, outcome: str | None, kind: str) -> Figure:
        """Return what a lever moves unit by unit under a policy, per unit."""

        def in_cells(cells: CellSet | None) -> Money | None:
            codes = self._codes(name, cells)
            if cells is None or codes is None:
                return None
            inside = codes == self.decision.action_names.index(action)
            if outcome is not None:
                inside = inside & (cells.outcome == self.decision.outcome_names.index(outcome))
            if kind == "factor":
                return Money.of(self.terms, codes, cells.outcome).only(inside)
            size = -1.0 if kind == "cost" else 1.0
            none = np.zeros((len(cells), len(self.terms)))
            return Money(constant=np.where(inside, size, 0.0), factor=none)

        return Figure(base=in_cells(self.cells.base), score=in_cells(self.cells.score))

    def joint(self, columns: Sequence[Figure]) -> Joint:
        """Return the weighted means of columns and their covariance."""
        means, cov, _ = self._moments(columns, None)
        return Joint(mean=means, cov=cov, n=self.n, n_clusters=self.n)

    def draws(self, columns: Sequence[Figure]) -> Draws:
        """Draw the means of columns from their joint normal limit."""
        found = self.joint(columns)
        rng = generator(self.seed, "joint draws")
        drawn = rng.multivariate_normal(
            found.mean,
            found.cov,
            size=DRAWS,
            method="eigh",
            check_valid="ignore",  # rounding of sums may leave an eigenvalue a hair below 0
        )
        return Draws(means=drawn, method="normal", taken=_TAKEN if self.apart(columns) else "")

    def apart(self, columns: Sequence[Figure]) -> list[tuple[int, int]]:
        """Return the pairs of columns that are known in no cells together."""
        pairs = itertools.combinations(range(len(columns)), 2)
        return [(a, b) for a, b in pairs if _together(columns[a], columns[b]) is None]

    def within(self, columns: Sequence[Figure]) -> tuple[Floats, Floats]:
        """Return means with the positive outcome and without (2, k), and covariance (2k, 2k)."""
        k = len(columns)
        means, cov = np.empty((2, k)), np.zeros((2 * k, 2 * k))
        for part in (0, 1):
            block = slice(part * k, part * k + k)
            means[part], cov[block, block], _ = self._moments(columns, part == 0)
        return means, cov

    def _moments(
        self, columns: Sequence[Figure], hit: bool | None
    ) -> tuple[Floats, Floats, list[tuple[int, int]]]:
        """Return means, their covariance, and the pairs whose covariance is taken, not known.

        Parameters
        ----------
        hit
            Among units with the positive outcome, without it, or (None) all.
        """
        k = len(columns)
        means, cov = np.empty(k), np.full((k, k), np.nan)
        parts: dict[str, tuple[CellSet, NDArray[np.bool_]]] = {}
        for name, cells in (("base", self.cells.base), ("score", self.cells.score)):
            if cells is not None:
                inside = np.ones(len(cells), bool)
                if hit is not None:
                    inside = (cells.outcome == self.decision.positive_code) == hit
                parts[name] = (cells.take(inside), inside)
        residuals: dict[tuple[str, int], Money] = {}
        for j, column in enumerate(columns):
            for name, (some, inside) in parts.items():
                money: Money | None = getattr(column, name)
                if money is None:
                    continue
                kept, total = money.take(inside), float(some.w1.sum())
                value = float(kept.sums(some).sum()) / total
                value += float(kept.less(value).sums(some).sum()) / total
                means[j] = value
                residuals[name, j] = kept.less(value)
        unknown = []
        for a, b in itertools.combinations_with_replacement(range(k), 2):
            kind = _together(columns[a], columns[b])
            if kind is None:
                unknown.append((a, b))
                continue
            some = parts[kind][0]
            total = float(some.w1.sum())
            found = residuals[kind, a].product(residuals[kind, b], some) / total**2
            cov[a, b] = cov[b, a] = found * self.n / (self.n - 1)
        return means, _completed(cov, columns) if unknown else cov, unknown

    def one_sided(self, name: str, other: str) -> Estimate:
        """Estimate the paired difference with both ends at the declared one-sided level."""
        difference = self.money(name) - self.money(other)
        kind = "base" if difference.base is not None else "score"
        money = getattr(difference, kind)
        alike = not (np.any(money.constant) or np.any(money.factor))
        return mean(
            getattr(self.cells, kind),
            money,
            self.decision,
            identical="the two earn the same" if alike else "",
            level=max(2 * self.decision.evidence.level - 1, 1e-6),
        )

    # -------------------------------------------------------------------------------- places

    @property
    def weights(self) -> Floats:
        """Weight of each cell, float64 (c,)."""
        return self.cells.base.w1

    @property
    def outcomes(self) -> Codes:
        """Outcome of each cell, int16 (c,)."""
        return self.cells.base.outcome

    def codes(self, name: str) -> Codes:
        """Return the action of a policy in each cell, int16 (c,)."""
        codes = self._codes(name, self.cells.base)
        assert codes is not None, name  # what people are counted under needs no score
        return codes

    def mistaken(self, name: str) -> NDArray[np.bool_] | None:
        """Return the cells where another action would have earned more, bool (c,), if known."""
        codes = self.codes(name)
        wrong = mistaken_in(self.terms, self.cells.base, codes)
        return None if wrong is None else wrong & ~is_review(self.decision)[codes]

    def share(self, hit: NDArray[np.bool_], among: NDArray[np.bool_] | None = None) -> Estimate:
        """Estimate the share of units in some cells, among others."""
        cells = self.cells.base
        if among is not None:
            cells, hit = cells.take(among), hit[among]
        level = self.decision.evidence.level
        return share(cells, hit, level=level, weighted=self.weighted)

    def by_group(self) -> Iterator[GroupSums]:
        """Yield the sums of every declared subgroup."""
        own = self.acted[self.policies[0].name].policy
        for name, group in self.cells.groups.items():
            cells, size = group.cells, len(group.labels)
            codes = codes_in(own, cells)
            wrong = mistaken_in(self.terms, cells, codes)
            wrong = None if wrong is None else wrong & ~is_review(self.decision)[codes]
            regret = cells.best - Money.of(self.terms, codes, cells.outcome).sums(cells)

            def sums(x: Floats, place: NDArray[np.int64] = group.codes, size: int = size) -> Floats:
                found = np.bincount(place, weights=x, minlength=size + 1)[:size]
                return np.asarray(found, dtype=np.float64)

            yield GroupSums(
                name=name,
                labels=group.labels,
                n=sums(cells.n),
                weight=sums(cells.w1),
                total=self.total,
                mistakes=None if wrong is None else sums(cells.w1 * wrong),
                counted=None if wrong is None else sums(cells.n * wrong),
                cost=sums(regret),
            )


def _together(one: Figure, other: Figure) -> str | None:
    """Return the kind of cells in which both are known."""
    if one.base is not None and other.base is not None:
        return "base"
    return "score" if one.score is not None and other.score is not None else None


def _completed(cov: Floats, columns: Sequence[Figure]) -> Floats:
    """Fill in covariances that are not known: independence given what is known in both.

    With C the columns known in all cells, ``cov(a, b) = cov(a, C) cov(C, C)^-1 cov(C, b)``: of all
    normal laws with the known covariances the one of largest entropy (Dempster 1972), so the matrix
    has no negative eigenvalue.

    References
    ----------
    Dempster, A. P. (1972). Covariance selection. Biometrics 28.
    """
    both = [j for j, c in enumerate(columns) if c.base is not None and c.score is not None]
    scale = np.sqrt(np.maximum(np.diag(cov), 1e-300))
    unit = cov / np.outer(scale, scale)
    inverse = np.linalg.pinv(unit[np.ix_(both, both)], rcond=1e-10, hermitian=True)
    taken = np.nan_to_num(unit[:, both]) @ inverse @ np.nan_to_num(unit[both, :])
    filled = np.where(np.isnan(unit), taken, unit)
    return np.asarray(filled * np.outer(scale, scale), dtype=np.float64)
