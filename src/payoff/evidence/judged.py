"""What has been judged so far: the one value every section of the evidence is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.acted import Acted, Background
from payoff.evidence.evidence import Comparison, Estimate, PolicyEvidence
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
        return worth(
            self.decision, self.stakes, values, seed=self.seed, rows=rows, identical=identical
        )

    def total(self, estimate: Estimate) -> Estimate:
        """Return money per unit as money per period (or per 1,000 units)."""
        return estimate.scaled(self.decision.units_reported, self.decision.money_unit)
