"""Lists that have been judged: what each user's list earned, as the sections ask for it.

One user is shown one list, so a user is a row, a case of his own, and an interval over rows is one
over users.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.clusters import cluster_sums
from payoff.declare import Decision
from payoff.declare.expression import constant_of
from payoff.evidence.acted import Background
from payoff.evidence.evidence import Comparison, Estimate, PolicyEvidence
from payoff.evidence.interval import mean_money, share
from payoff.evidence.joint import joint_draws, joint_means
from payoff.evidence.measured import Draws, GroupSums, Joint
from payoff.evidence.ranking.listed import ItemFacts, Listed
from payoff.evidence.ranking.wording import in_users
from payoff.policy.bounds import Group
from payoff.policy.listing.hits import hits_of
from payoff.policy.listing.stakes import ListsToJudge

__all__ = ["ListsJudged", "Shown", "shown_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """The lists of one policy beside what the users then bought.

    Parameters
    ----------
    listed
        The policy and its lists.
    row, rank
        int64 (h,), user and place (from 0) of each hit.
    place
        int64 (h,), which of the pairs of the stakes each hit is.
    money, hit
        float64 (n,), money of each list, and the part of it that its hits earn.
    value, margin
        float64 (n,), what was bought of each list.
    hits, length
        float64 (n,), hits and places of each list.
    """

    listed: Listed
    row: NDArray[np.int64]
    rank: NDArray[np.int64]
    place: NDArray[np.int64]
    money: Floats
    hit: Floats
    value: Floats
    margin: Floats
    hits: Floats
    length: Floats

    @property
    def name(self) -> str:
        """Name of the policy."""
        return self.listed.policy.name


def shown_of(stakes: ListsToJudge, listed: Listed) -> Shown:
    """Find the hits of the lists of one policy, once for every figure.

    Examples
    --------
    >>> from payoff.policy.listing.policy import ListPolicy
    >>> at_stake = ListsToJudge(
    ...     part="judge",
    ...     user=np.array([0], dtype=np.int32),
    ...     pair=np.array([1, 2]),
    ...     hit=np.array([5.0, 7.0]),
    ...     value=np.array([50.0, 70.0]),
    ...     margin=np.array([5.0, 7.0]),
    ...     miss=-0.5,
    ...     n_items=4,
    ...     known=np.array([3]),
    ... )
    >>> policy = ListPolicy(name="a", label="A", how="", recommender="a", length=2)
    >>> found = shown_of(at_stake, Listed(policy=policy, lists=np.array([[2, 0]], dtype=np.int32)))
    >>> found.money.tolist(), found.value.tolist(), found.hits.tolist()
    ([6.5], [70.0], [1.0])
    """
    n, lists = len(stakes), listed.lists
    row, rank = hits_of(lists, stakes.pair, stakes.n_items)
    place = np.searchsorted(stakes.pair, row * stakes.n_items + lists[row, rank])

    def total(of: Floats) -> Floats:
        return np.bincount(row, of[place], minlength=n).astype(np.float64)

    hits = np.bincount(row, minlength=n).astype(np.float64)
    length = (lists >= 0).sum(axis=1).astype(np.float64)
    hit = total(stakes.hit)
    return Shown(
        listed=listed,
        row=row,
        rank=rank,
        place=place,
        money=hit + stakes.miss * (length - hits),
        hit=hit,
        value=total(stakes.value),
        margin=total(stakes.margin),
        hits=hits,
        length=length,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ListsJudged:
    """Policies, the lists they showed, and what those earned; a ``measured.Measured``.

    Parameters
    ----------
    decision, stakes, items, background
        What the judging was given.
    shown
        The lists of each policy, the recommended one first.
    policies, comparisons, verdict
        The figures of the first look, as in :class:`~payoff.evidence.evidence.Evidence`.
    """

    decision: Decision
    stakes: ListsToJudge
    items: ItemFacts
    background: Background
    shown: tuple[Shown, ...]
    policies: tuple[PolicyEvidence, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    verdict: Mapping[str, Any] = field(default_factory=dict)

    def of(self, name: str) -> Shown:
        """Return the lists of a policy."""
        return next(s for s in self.shown if s.name == name)

    @property
    def constant(self) -> bool:
        """Whether every amount is a declared constant."""
        cells = (self.decision.payoffs.cell("show", o).node for o in ("hit", "miss"))
        return all(constant_of(node) is not None for node in cells)

    def worth(
        self,
        values: Floats,
        *,
        weight: Floats | None = None,
        unit: str | None = None,
        identical: str = "",
        constant: bool | None = None,
        level: float | None = None,
    ) -> Estimate:
        """Estimate a mean over users, money per list unless another unit is named.

        Parameters
        ----------
        values
            float64 (k,), one number for each of some users.
        weight
            float64 (k,), such as the places of each list; left out, 1.
        identical
            Why all are the same by construction; else equal numbers are given no interval.
        constant
            Whether no user's number can be much larger than those seen: of money, where every
            amount is a declared constant.
        level
            Another level than the declared one.
        """
        found = mean_money(
            cluster_sums(values, np.ones(len(values)) if weight is None else weight, None),
            level=self.decision.evidence.level if level is None else level,
            unit=self.decision.value_unit if unit is None else unit,
            identical=identical,
            constant=self.constant if constant is None else constant,
        )
        return replace(found, reason=in_users(found.reason))

    def total(self, estimate: Estimate) -> Estimate:
        """Return money per list as money per period (or per 1,000 lists)."""
        return estimate.scaled(self.decision.units_reported, self.decision.money_unit)

    # ------------------------------------------------ what sections ask; see ``measured.Measured``

    @property
    def seed(self) -> int:
        """Root seed of the judging."""
        return self.background.seed

    @property
    def n(self) -> int:
        """Users judged."""
        return len(self.stakes)

    @property
    def why_not_by_outcome(self) -> str:
        """Nothing: hits and misses are counted under every policy."""
        return ""

    @property
    def weights(self) -> Floats:
        """One for each user, float64 (n,)."""
        return np.ones(self.n)

    @property
    def outcomes(self) -> NDArray[np.int16]:
        """Whether each user's recommended list had a hit: the place of the outcome, int16 (n,)."""
        names = self.decision.outcome_names
        codes = np.where(self.shown[0].hits > 0, names.index("hit"), names.index("miss"))
        return np.asarray(codes, dtype=np.int16)

    def codes(self, name: str) -> NDArray[np.int16]:
        """Return whether each user is shown a list at all: the place of the action, int16 (n,)."""
        names = self.decision.action_names
        codes = np.where(self.of(name).length > 0, names.index("show"), names.index("none"))
        return np.asarray(codes, dtype=np.int16)

    def money(self, name: str) -> Floats:
        """Return the money of each user's list under a policy, float64 (n,)."""
        return self.of(name).money

    def lever(self, name: str, action: str, outcome: str | None, kind: str) -> Floats:
        """Return what a lever moves user by user under a policy, float64 (n,), per unit of it."""
        shown = self.of(name)
        if action != "show":
            return np.zeros(self.n)
        if outcome is None:
            return np.asarray(-(shown.length > 0).astype(np.float64))
        if outcome == "miss":
            missed = shown.length - shown.hits
            return missed * self.stakes.miss if kind == "factor" else missed
        return shown.hit if kind == "factor" else self.bought_pieces(shown)

    def bought_pieces(self, shown: Shown) -> Floats:
        """Return how often the money of a hit was earned, float64 (n,).

        An item that is bought again counts each time, where a hit is worth a declared constant.
        """
        each = constant_of(self.decision.payoffs.cell("show", "hit").node)
        return shown.hit / each if each else shown.hits

    def joint(self, columns: Sequence[Floats]) -> Joint:
        """Return the means of columns and their covariance."""
        return joint_means(np.stack(columns).T, np.ones(self.n), None)

    def draws(self, columns: Sequence[Floats]) -> Draws:
        """Draw the means of columns as other users from the same world would have given them."""
        return joint_draws(np.stack(columns).T, np.ones(self.n), None, seed=self.seed)

    def within(self, columns: Sequence[Floats]) -> tuple[Floats, Floats]:
        """Lists have no outcome of their own: what is bought depends on the list."""
        raise NotImplementedError("a user's outcome depends on the list")

    def one_sided(self, name: str, other: str) -> Estimate:
        """Estimate the paired difference with both ends at the declared one-sided level."""
        difference = self.money(name) - self.money(other)
        return self.worth(
            difference,
            identical="" if np.any(difference) else "the two earn the same",
            constant=False,
            level=max(2 * self.decision.evidence.level - 1, 1e-6),
        )

    def mistaken(self, name: str) -> None:
        """Return nothing: the best list of a user is every item he then bought."""

    def share(self, hit: NDArray[np.bool_], among: NDArray[np.bool_] | None = None) -> Estimate:
        """Estimate the share of some users among others."""
        rows = hit if among is None else hit[among]
        return share(rows, np.ones(len(rows)), None, level=self.decision.evidence.level)

    def by_group(self) -> Iterator[GroupSums]:
        """Yield nothing: mistakes are not counted."""
        return iter(())

    @property
    def groups(self) -> Mapping[str, Group]:
        """The declared subgroups of users."""
        return self.stakes.groups
