"""A judging from cells, as sections ask for it: means, covariances and counts from sums."""

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

__all__ = ["ActedCells", "CellJudged", "Cells", "mistaken_in"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int16]

#: A regret smaller than this part of the money moved is the rounding of sums.
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """What was summed.

    Parameters
    ----------
    base
        Cells by outcome and actions.
    score
        Cells by bin of the positive probability; None without probabilities, or with more than two
        outcomes.
    groups
        Subgroup -> its cells.
    threshold
        The bins from which the tuned policy acts in either half; None where no threshold can act.
    """

    base: CellSet
    score: CellSet | None
    groups: Mapping[str, Grouped]
    threshold: tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ActedCells:
    """A policy and its action in each cell."""

    policy: Policy
    codes: Codes


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

    def money(self, name: str) -> Money:
        """Return the money of each unit under a policy."""
        return Money.of(self.terms, self.codes(name), self.outcomes)

    def lever(self, name: str, action: str, outcome: str | None, kind: str) -> Money:
        """Return what a lever moves unit by unit under a policy, per unit."""
        codes = self.codes(name)
        inside = codes == self.decision.action_names.index(action)
        if outcome is not None:
            inside = inside & (self.outcomes == self.decision.outcome_names.index(outcome))
        if kind == "factor":
            return self.money(name).only(inside)
        size = -1.0 if kind == "cost" else 1.0
        none = np.zeros((len(codes), len(self.terms)))
        return Money(constant=np.where(inside, size, 0.0), factor=none)

    def joint(self, columns: Sequence[Money]) -> Joint:
        """Return the weighted means of columns and their covariance."""
        means, cov = self._moments(columns, np.ones(len(self.weights), bool))
        return Joint(mean=means, cov=cov, n=self.n, n_clusters=self.n)

    def draws(self, columns: Sequence[Money]) -> Draws:
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
        return Draws(means=drawn, method="normal")

    def within(self, columns: Sequence[Money]) -> tuple[Floats, Floats]:
        """Return means with the positive outcome and without (2, k), and covariance (2k, 2k)."""
        k = len(columns)
        means, cov = np.empty((2, k)), np.zeros((2 * k, 2 * k))
        for part in (0, 1):
            block = slice(part * k, part * k + k)
            hit = (self.outcomes == self.decision.positive_code) == (part == 0)
            means[part], cov[block, block] = self._moments(columns, hit)
        return means, cov

    def _moments(
        self, columns: Sequence[Money], inside: NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        """Return means and their covariance among the units of some cells."""
        some = self.cells.base.take(inside)
        total = float(some.w1.sum())
        means, residuals = np.empty(len(columns)), []
        for j, column in enumerate(columns):
            kept = column.take(inside)
            means[j] = kept.sums(some).sum() / total
            means[j] += kept.less(means[j]).sums(some).sum() / total
            residuals.append(kept.less(means[j]))
        cov = np.empty((len(columns), len(columns)))
        for a, b in itertools.combinations_with_replacement(range(len(columns)), 2):
            found = residuals[a].product(residuals[b], some) / total**2
            cov[a, b] = cov[b, a] = found * self.n / (self.n - 1)
        return means, cov

    def one_sided(self, name: str, other: str) -> Estimate:
        """Estimate the paired difference with both ends at the declared one-sided level."""
        difference = self.money(name) - self.money(other)
        alike = not (np.any(difference.constant) or np.any(difference.factor))
        return mean(
            self.cells.base,
            difference,
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
        return self.acted[name].codes

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
