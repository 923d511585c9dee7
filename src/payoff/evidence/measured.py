"""What a section asks of a judging, whether single rows were judged or cells of them.

A section composes figures and sentences; where its sums come from is no concern of it. Rows answer
from arrays (:class:`payoff.evidence.judged.Judged`), cells from sums
(:class:`payoff.evidence.cells_judged.CellJudged`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.acted import Background
from payoff.evidence.evidence import Comparison, Estimate, PolicyEvidence

__all__ = [
    "UNKNOWN_MISTAKES",
    "Again",
    "Column",
    "Draws",
    "GroupSums",
    "Joint",
    "Measured",
    "Redecided",
]

#: Money of each unit as the judging holds it: an array by row, or a linear form by cell. Columns of
#: one judging can be subtracted from each other.
Column = Any
#: Why mistakes were not counted.
UNKNOWN_MISTAKES: Final = (
    "which action turned out best differs from row to row with the money, and the rows were judged "
    "from cells, which hold what mistakes cost and not how many there were; judge with --rows"
)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joint:
    """Means float64 (k,), their covariance float64 (k, k), and the independent cases behind."""

    mean: Floats
    cov: Floats
    n: int
    n_clusters: int

    def of(self, factors: Floats) -> tuple[float, float]:
        """Return the mean and the standard error of a linear combination."""
        spread = float(factors @ self.cov @ factors)
        return float(self.mean @ factors), max(spread, 0.0) ** 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Joint draws of k means, float64 (draws, k), and how they were made."""

    means: Floats
    method: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupSums:
    """Sums by group of one subgroup, over G groups; rows without a group are left out.

    Parameters
    ----------
    name, labels
        The subgroup and its groups.
    n, weight
        Rows and weights, float64 (G,).
    total
        Weight of all rows, with those without a group.
    mistakes, counted
        Weights and rows whose action was not the best, float64 (G,); None where that is not known.
    cost
        Weighted money that the best actions would have earned more, float64 (G,).
    """

    name: str
    labels: tuple[str, ...]
    n: Floats
    weight: Floats
    total: float
    mistakes: Floats | None
    counted: Floats | None
    cost: Floats


class Measured(Protocol):
    """A judging, as sections see it.

    A *place* is a row, or a cell whose rows agree in outcome and actions.
    """

    @property
    def decision(self) -> Decision:
        """The declaration."""

    @property
    def policies(self) -> tuple[PolicyEvidence, ...]:
        """Figures of each policy, the recommended one first."""

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """The recommended policy against each other."""

    @property
    def verdict(self) -> Mapping[str, Any]:
        """State, reference and best policy without a model."""

    @property
    def background(self) -> Background:
        """Facts for the record."""

    @property
    def seed(self) -> int:
        """Root seed of the judging."""

    @property
    def n(self) -> int:
        """Rows judged."""

    @property
    def why_not_by_outcome(self) -> str:
        """Why figures by the outcome that happened would mislead; empty where they do not."""

    # ------------------------------------------------------------------------------ columns

    def money(self, name: str) -> Column:
        """Return the money of each unit under a policy."""

    def lever(self, name: str, action: str, outcome: str | None, kind: str) -> Column:
        """Return what a lever moves unit by unit; see :class:`payoff.evidence.levers.Lever`."""

    def joint(self, columns: Sequence[Column]) -> Joint:
        """Return the weighted means of columns and their covariance."""

    def draws(self, columns: Sequence[Column]) -> Draws:
        """Draw the means of columns as other rows from the same world would have given them."""

    def within(self, columns: Sequence[Column]) -> tuple[Floats, Floats]:
        """Return means with the positive outcome and without (2, k), and covariance (2k, 2k)."""

    def one_sided(self, name: str, other: str) -> Estimate:
        """Estimate the paired difference with both ends at the declared one-sided level."""

    # ------------------------------------------------------------------------------- places

    @property
    def weights(self) -> Floats:
        """Weight of each place, float64 (p,)."""

    @property
    def outcomes(self) -> NDArray[np.int16]:
        """Outcome of each place, int16 (p,)."""

    def codes(self, name: str) -> NDArray[np.int16]:
        """Return the action of a policy at each place, int16 (p,)."""

    def mistaken(self, name: str) -> NDArray[np.bool_] | None:
        """Return the places where another action would have earned more, bool (p,).

        None where the places do not show it; :data:`UNKNOWN_MISTAKES` says why.
        """

    def share(self, hit: NDArray[np.bool_], among: NDArray[np.bool_] | None = None) -> Estimate:
        """Estimate the share of units at some places, among others."""

    def by_group(self) -> Iterator[GroupSums]:
        """Yield the sums of every declared subgroup, small groups included."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Redecided:
    """Money per period of a policy that decides again under each change.

    Parameters
    ----------
    changes, value
        float64 (k,), the changes looked at and the money at each.
    off
        The most by which a value can be off; None where it is that of the rows.
    """

    changes: Floats
    value: Floats
    off: float | None = None


class Again(Protocol):
    """Deciding again under other money or another base rate."""

    def why_not(self, kind: str) -> str:
        """Say why the policy cannot decide again as a lever of a kind moves; or nothing."""

    def spread(self) -> float:
        """Return the mean of what the choice of an action changes at most, money per unit."""

    def by_payoff(self, action: str, outcome: str, grid: Floats, kind: str) -> Redecided | None:
        """Decide again under each change of a payoff; None where that takes too long."""

    def by_rate(self, grid: Floats, fit: float | None) -> dict[str, Any]:
        """Return what probabilities moved to each base rate would have earned."""
