"""Money, rates and actions of each group from cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.cells import CellSet, Money, effective_rows, mean, share
from payoff.evidence.cells_sums import CellSums
from payoff.evidence.evidence import Estimate, SubgroupEvidence
from payoff.evidence.subgroups.compose import UNKNOWN, subgroup_of
from payoff.evidence.subgroups.rates import RATES, absent, rate_parts
from payoff.evidence.terms import Terms
from payoff.policy.choose import default_action
from payoff.policy.policy import Policy

__all__ = ["Grouped", "codes_in", "subgroup_evidence"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grouped:
    """The cells of one subgroup.

    Parameters
    ----------
    labels
        Its groups.
    codes
        int64 (c,), the group of each cell; the last code, after all labels, is "not known".
    kept
        bool (groups + 1,), groups withheld because they would give a small one away.
    cells
        The cells.
    """

    labels: tuple[str, ...]
    codes: NDArray[np.int64]
    kept: NDArray[np.bool_]
    cells: CellSet


def codes_in(policy: Policy, cells: CellSet) -> NDArray[np.int16]:
    """Return the action of a policy that looks at no score in each cell."""
    if policy.kind == "constant":
        return np.full(len(cells), policy.actions.index(str(policy.high)), np.int16)
    return np.asarray(cells.rule) if policy.kind == "rule" else cells.own


def subgroup_evidence(
    decision: Decision,
    terms: Terms,
    groups: Mapping[str, Grouped],
    first: Policy,
    reference: Policy,
    *,
    seed: int,
) -> tuple[SubgroupEvidence, ...]:
    """Return the figures of every group, as from rows; see :mod:`payoff.evidence.cells_sums`."""
    total = float(next(iter(groups.values())).cells.w1.sum()) if groups else 1.0
    return tuple(
        subgroup_of(
            _Source(decision, terms, name, groups[name], (first, reference), total),
            decision,
            seed=seed,
            parts=len(groups),
        )
        for name in groups
    )


class _Source:
    """One declared subgroup by cell; see :class:`payoff.evidence.subgroups.compose.GroupSource`."""

    def __init__(
        self,
        decision: Decision,
        terms: Terms,
        name: str,
        found: Grouped,
        pair: tuple[Policy, Policy],
        total: float,
    ) -> None:
        self.decision, self.name, self.found = decision, name, found
        self.labels = [*found.labels, UNKNOWN]
        self.total = total
        self.level = decision.evidence.level
        self.weighted = decision.data.weight is not None
        cells = found.cells
        codes = codes_in(pair[0], cells)
        self.money = {"value": Money.of(terms, codes, cells.outcome)}
        self.money["gain"] = self.money["value"] - Money.of(
            terms, codes_in(pair[1], cells), cells.outcome
        )
        self.took = codes != default_action(decision)
        self.positive = cells.outcome == decision.positive_code
        self.inside = [found.codes == k for k in range(len(self.labels))]
        self.some = [cells.take(inside) for inside in self.inside]

    def size(self, k: int) -> tuple[int, float]:
        """Return the rows of a group, and its share of all units."""
        some = self.some[k]
        return round(float(some.n.sum())), float(some.w1.sum()) / self.total

    def withheld(self, k: int) -> bool:
        """Whether showing the group would give a smaller one away."""
        return bool(self.found.kept[k])

    def positives(self, k: int) -> tuple[int, Estimate]:
        """Return the rows with the positive outcome, and the share of such units."""
        some, positive = self.some[k], self.positive[self.inside[k]]
        rate = share(some, positive, level=self.level, weighted=self.weighted)
        return round(float(some.n[positive].sum())), rate

    def rates(self, k: int) -> Mapping[str, Estimate]:
        """Return the shares acted on, overall and by outcome."""
        fewest = max(self.decision.evidence.smallest_denominator, 1)
        inside = self.inside[k]
        acted, positive = self.took[inside], self.positive[inside]
        found = {}
        for name, (hit, among) in rate_parts(acted, positive).items():
            some = self.some[k].take(among)
            n = round(float(some.n.sum()))
            found[name] = (
                absent(n, RATES[name][1], self.level)
                if n < fewest
                else share(some, hit[among], level=self.level, weighted=self.weighted)
            )
        return found

    def gain(self, k: int) -> Estimate:
        """Return money per unit against the reference policy."""
        differs = self.money["gain"].take(self.inside[k])
        alike = not (np.any(differs.constant) or np.any(differs.factor))
        same = "the two policies earn the same on every row" if alike else ""
        return mean(self.some[k], differs, self.decision, identical=same)

    def value(self, k: int) -> Estimate:
        """Return money per unit."""
        return mean(self.some[k], self.money["value"].take(self.inside[k]), self.decision)

    def acted(self, k: int) -> tuple[float, float]:
        """Return the share acted on, and how many equal rows would know it as well."""
        return effective_rows(self.some[k], self.took[self.inside[k]], weighted=self.weighted)

    def money_sums(self, what: str) -> CellSums:
        """Return the sums of ``"gain"`` or ``"value"`` by group."""
        place, groups = self.found.codes, len(self.labels)
        return CellSums.of(self.found.cells, self.money[what], place, groups)

    def rate_sums(self, rate: str) -> CellSums:
        """Return the sums of being acted on by group, among those an error rate is of."""
        among = self.positive if rate == "true_positive_rate" else ~self.positive
        cells = self.found.cells.take(among)
        acted = Money(
            constant=self.took[among].astype(np.float64),
            factor=np.zeros((len(cells), self.money["gain"].factor.shape[1])),
        )
        return CellSums.of(cells, acted, self.found.codes[among], len(self.labels))
