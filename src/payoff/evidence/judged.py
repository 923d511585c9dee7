"""What has been judged so far: the one value every section of the evidence is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.acted import Acted, Background
from payoff.evidence.evidence import Comparison, Estimate, PolicyEvidence
from payoff.evidence.interval import cluster_sums, mean_money, share
from payoff.evidence.joint import covariance, joint_draws, joint_means
from payoff.evidence.measured import Draws, GroupSums, Joint
from payoff.evidence.reviewed import is_review
from payoff.evidence.worth import worth
from payoff.policy.best import policy_value
from payoff.policy.stakes import Judging

__all__ = ["Judged"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """Policies, what they did on the judging rows, and what that earned.

    Parameters
    ----------
    decision
        The declaration.
    stakes
        The judging rows.
    acted
        The policies and the action each took on every row; the recommended one first.
    values
        Name of a policy -> float64 (n,), money of each unit under it.
    policies, comparisons, verdict
        The figures of the first look, as in :class:`~payoff.evidence.evidence.Evidence`.
    subgroups
        Name -> (labels, int32 (n,) codes; -1 where the group is not known).
    background
        Facts for the record.
    logged
        Names of the policies that are what was done itself.
    """

    decision: Decision
    stakes: Judging
    acted: tuple[Acted, ...]
    values: Mapping[str, NDArray[np.float64]]
    policies: tuple[PolicyEvidence, ...]
    comparisons: tuple[Comparison, ...]
    verdict: Mapping[str, Any]
    subgroups: Mapping[str, tuple[tuple[str, ...], NDArray[np.int32]]]
    background: Background
    logged: frozenset[str] = frozenset()

    @property
    def seed(self) -> int:
        """Root seed of the judging."""
        return self.background.seed

    @property
    def first(self) -> Acted:
        """The recommended policy."""
        return self.acted[0]

    @property
    def own(self) -> NDArray[np.float64]:
        """Money of each unit under the recommended policy, float64 (n,)."""
        return self.values[self.first.policy.name]

    def before_fixed_costs(self, name: str) -> NDArray[np.float64]:
        """Money of each unit under a policy before fixed costs are shared out, float64 (n,)."""
        return policy_value(next(a for a in self.acted if a.policy.name == name).codes, self.stakes)

    @property
    def reference(self) -> NDArray[np.float64]:
        """Money of each unit under the policy it is compared with, float64 (n,)."""
        return self.values[str(self.verdict["reference"])]

    @property
    def best_trivial(self) -> NDArray[np.float64]:
        """Money of each unit under the best policy without a model, float64 (n,)."""
        return self.values[str(self.verdict["best_trivial"])]

    def worth(
        self,
        values: NDArray[np.float64],
        *,
        rows: NDArray[np.int64] | None = None,
        identical: str = "",
    ) -> Estimate:
        """Estimate mean money per unit; see :func:`payoff.evidence.worth.worth`."""
        return worth(self.decision, self.stakes, values, rows=rows, identical=identical)

    def total(self, estimate: Estimate) -> Estimate:
        """Return money per unit as money per period (or per 1,000 units)."""
        return estimate.scaled(self.decision.units_reported, self.decision.money_unit)

    # ------------------------------------------------ what sections ask; see ``measured.Measured``

    @property
    def n(self) -> int:
        """Rows judged."""
        return len(self.stakes)

    @property
    def why_not_by_outcome(self) -> str:
        """Why figures by the outcome that happened would mislead; empty where they do not."""
        return self.stakes.why_not_by_outcome

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weight of each row, float64 (n,)."""
        return self.stakes.weight

    @property
    def outcomes(self) -> NDArray[np.int16]:
        """Outcome of each row, int16 (n,)."""
        return self.stakes.outcome

    def codes(self, name: str) -> NDArray[np.int16]:
        """Return the action a policy took on each row, int16 (n,)."""
        return next(a.codes for a in self.acted if a.policy.name == name)

    def money(self, name: str) -> NDArray[np.float64]:
        """Return the money of each row under a policy, float64 (n,)."""
        return self.values[name]

    def lever(self, name: str, action: str, outcome: str | None, kind: str) -> NDArray[np.float64]:
        """Return what a lever moves row by row under a policy, float64 (n,), per unit."""
        codes = self.codes(name)
        rows: NDArray[np.bool_] = codes == self.decision.action_names.index(action)
        if outcome is not None:
            rows = rows & (self.stakes.outcome == self.decision.outcome_names.index(outcome))
        if kind == "factor":
            return np.where(rows, policy_value(codes, self.stakes), 0.0)
        return np.asarray(rows * (-1.0 if kind == "cost" else 1.0), dtype=np.float64)

    def joint(self, columns: Sequence[NDArray[np.float64]]) -> Joint:
        """Return the weighted means of columns and their covariance."""
        return joint_means(np.stack(columns).T, self.stakes.weight, self.stakes.resampled)

    def draws(self, columns: Sequence[NDArray[np.float64]]) -> Draws:
        """Draw the means of columns as other rows from the same world would have given them."""
        stakes = self.stakes
        return joint_draws(np.stack(columns).T, stakes.weight, stakes.resampled, seed=self.seed)

    def within(
        self, columns: Sequence[NDArray[np.float64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return means with the positive outcome and without (2, k), and covariance (2k, 2k)."""
        stakes, size = self.stakes, len(columns)
        hit = stakes.outcome == self.decision.positive_code
        means = np.empty((2, size))
        residual = np.empty((len(stakes), 2 * size), order="F")
        for part, rows in enumerate((hit, ~hit)):
            weight = np.where(rows, stakes.weight, 0.0)
            weight /= weight.sum()
            for k, column in enumerate(columns):
                means[part, k] = weight @ column
                residual[:, part * size + k] = (column - means[part, k]) * weight
        return means, covariance(residual, stakes.resampled)

    def one_sided(self, name: str, other: str) -> Estimate:
        """Estimate the paired difference with both ends at the declared one-sided level."""
        stakes = self.stakes
        difference = self.values[name] - self.values[other]
        return mean_money(
            cluster_sums(difference, stakes.weight, stakes.resampled),
            level=max(2 * self.decision.evidence.level - 1, 1e-6),
            unit=self.decision.value_unit,
            identical="" if np.any(difference) else "the two earn the same",
        )

    def mistaken(self, name: str) -> NDArray[np.bool_]:
        """Return the rows on which another action would have earned more, bool (n,).

        A row sent to a reviewer is none: whoever knows the outcome need not look.
        """
        best = self.stakes.realised.max(axis=1)
        own = self.before_fixed_costs(name)
        less = own < best - 1e-12 * np.maximum(1.0, np.abs(best))
        return np.asarray(less & ~is_review(self.decision)[self.codes(name)], dtype=np.bool_)

    def share(self, hit: NDArray[np.bool_], among: NDArray[np.bool_] | None = None) -> Estimate:
        """Estimate the share of units at some rows, among others."""
        stakes, level = self.stakes, self.decision.evidence.level
        if among is None:
            return share(hit, stakes.weight, stakes.resampled, level=level)
        cluster = None if stakes.resampled is None else stakes.resampled[among]
        return share(hit[among], stakes.weight[among], cluster, level=level)

    def by_group(self) -> Iterator[GroupSums]:
        """Yield the sums of every declared subgroup."""
        name = self.first.policy.name
        wrong = self.mistaken(name)
        weight = self.stakes.weight
        cost = weight * (self.stakes.realised.max(axis=1) - self.before_fixed_costs(name))
        for subgroup, (labels, place) in self.subgroups.items():
            code = place.astype(np.int64) + 1

            def sums(
                x: NDArray[np.float64] | None,
                code: NDArray[np.int64] = code,
                size: int = len(labels) + 1,
            ) -> NDArray[np.float64]:
                return np.bincount(code, weights=x, minlength=size)[1:].astype(np.float64)

            yield GroupSums(
                name=subgroup,
                labels=labels,
                n=sums(None),
                weight=sums(weight),
                total=float(weight.sum()),
                mistakes=sums(weight * wrong),
                counted=sums(wrong.astype(np.float64)),
                cost=sums(cost),
            )
