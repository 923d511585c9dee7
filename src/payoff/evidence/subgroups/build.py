"""Money, rates and actions of each declared subgroup under the recommended policy, from rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.evidence import Estimate, SubgroupEvidence
from payoff.evidence.interval import share
from payoff.evidence.judged import Judged
from payoff.evidence.subgroups.compose import UNKNOWN, subgroup_of
from payoff.evidence.subgroups.disclosure import withheld
from payoff.evidence.subgroups.rates import effective_rows, rates
from payoff.evidence.subgroups.simultaneous import RowSums, cases_of
from payoff.policy.choose import default_action

__all__ = ["UNKNOWN", "subgroup_evidence"]


def subgroup_evidence(judged: Judged) -> tuple[SubgroupEvidence, ...]:
    """Return the figures of every group; a group too small to show is named but not measured.

    Each subgroup gets an equal part of the allowance for false alarms, so that the simultaneous
    intervals and adjusted p-values hold for the page as a whole. Slices of documents come after
    the declared subgroups, with an allowance of their own; a group of theirs is withheld, and never
    a declared one, where the two together would give a small group away.
    """
    rows = _places(judged.subgroups)
    kept = withheld(rows, judged.decision.evidence.smallest_group)
    core = _Core(judged)
    declared = tuple(
        subgroup_of(
            _Rows(core, name, labels, rows[name], kept[name]),
            judged.decision,
            seed=judged.seed,
            parts=len(judged.subgroups),
        )
        for name, (labels, _) in judged.subgroups.items()
    )
    return (*declared, *_slices(core, rows, kept))


def _slices(
    core: _Core, declared: Mapping[str, NDArray[np.int64]], kept: Mapping[str, NDArray[np.bool_]]
) -> list[SubgroupEvidence]:
    """Return the figures of slices of documents, with what declared subgroups withhold settled."""
    judged = core.judged
    slices = judged.background.slices
    if slices is None or not slices.groups:
        return []
    own = _places(slices.groups)
    hidden = withheld(
        {
            **{f"declared {name}": rows for name, rows in declared.items()},
            **{f"slice {name}": rows for name, rows in own.items()},
        },
        judged.decision.evidence.smallest_group,
        fixed={f"declared {name}": of for name, of in kept.items()},
    )
    found = []
    for name, (labels, _) in slices.groups.items():
        source = _Rows(core, name, labels, own[name], hidden[f"slice {name}"])
        found.append(
            subgroup_of(
                source,
                judged.decision,
                seed=judged.seed,
                parts=len(own),
                several=source.several_outcomes,
            )
        )
    return found


def _places(
    subgroups: Mapping[str, tuple[tuple[str, ...], NDArray[np.int32]]],
) -> dict[str, NDArray[np.int64]]:
    """Return the group of each row, rows without one as the last group."""
    return {
        name: np.where(place < 0, len(labels), place).astype(np.int64)
        for name, (labels, place) in subgroups.items()
    }


class _Core:
    """What all subgroups share."""

    def __init__(self, judged: Judged) -> None:
        self.judged = judged
        self.decision = judged.decision
        self.stakes = judged.stakes
        self.gain = judged.own - judged.reference
        self.acted = judged.first.codes != default_action(judged.decision)
        self.positive = judged.stakes.outcome == judged.decision.positive_code
        self.total = float(judged.stakes.weight.sum())
        self.level = judged.decision.evidence.level

    def cluster(self, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
        found = self.stakes.resampled
        return None if found is None else found[rows]


class _Rows:
    """One declared subgroup by row; see :class:`payoff.evidence.subgroups.compose.GroupSource`."""

    def __init__(
        self,
        core: _Core,
        name: str,
        labels: tuple[str, ...],
        place: NDArray[np.int64],
        kept: NDArray[np.bool_],
    ) -> None:
        self.core = core
        self.name = name
        self.place = place
        self.kept = kept
        self.labels = [*labels, UNKNOWN]
        order = np.argsort(place, kind="stable")
        ends = np.searchsorted(place[order], np.arange(len(self.labels) + 1))
        self.rows = [order[ends[k] : ends[k + 1]] for k in range(len(self.labels))]

    def size(self, k: int) -> tuple[int, float]:
        """Return the rows of a group, and its share of all units."""
        rows = self.rows[k]
        return len(rows), float(self.core.stakes.weight[rows].sum() / self.core.total)

    def withheld(self, k: int) -> bool:
        """Whether showing the group would give a smaller one away."""
        return k < len(self.kept) and bool(self.kept[k])

    def positives(self, k: int) -> tuple[int, Estimate]:
        """Return the rows with the positive outcome, and the share of such units."""
        core, rows = self.core, self.rows[k]
        positive, weight = core.positive[rows], core.stakes.weight[rows]
        return int(positive.sum()), share(positive, weight, core.cluster(rows), level=core.level)

    def several_outcomes(self, k: int) -> bool:
        """Whether a group has rows of several outcomes, be the positive one among them or not."""
        return len(np.unique(self.core.stakes.outcome[self.rows[k]])) > 1

    def rates(self, k: int) -> Mapping[str, Estimate]:
        """Return the shares acted on, overall and by outcome.

        The first alone where outcomes are of another action than the policy's.
        """
        core, rows = self.core, self.rows[k]
        found = rates(
            core.acted[rows],
            core.positive[rows],
            core.stakes.weight[rows],
            core.cluster(rows),
            level=core.level,
            fewest=core.decision.evidence.smallest_denominator,
        )
        return {k: v for k, v in found.items() if k == "acted" or not core.stakes.causal}

    def gain(self, k: int) -> Estimate:
        """Return money per unit against the reference policy."""
        core, rows = self.core, self.rows[k]
        same = "" if np.any(core.gain[rows]) else "the two policies earn the same on every row"
        return core.judged.worth(core.gain[rows], rows=rows, identical=same)

    def value(self, k: int) -> Estimate:
        """Return money per unit."""
        rows = self.rows[k]
        return self.core.judged.worth(self.core.judged.own[rows], rows=rows)

    def acted(self, k: int) -> tuple[float, float]:
        """Return the share acted on, and how many equal rows would know it as well."""
        core, rows = self.core, self.rows[k]
        return effective_rows(core.acted[rows], core.stakes.weight[rows], core.cluster(rows))

    def money_sums(self, what: str) -> RowSums:
        """Return the sums of ``"gain"`` or ``"value"`` by group."""
        core = self.core
        money = core.gain if what == "gain" else core.judged.own
        cases = cases_of(money, core.stakes.weight, self.place, core.stakes.resampled)
        return RowSums.of(cases, len(self.labels))

    def rate_sums(self, rate: str) -> RowSums:
        """Return the sums of being acted on by group, among those an error rate is of."""
        core = self.core
        rows = np.flatnonzero(core.positive if rate == "true_positive_rate" else ~core.positive)
        cases = cases_of(
            core.acted[rows].astype(np.float64),
            core.stakes.weight[rows],
            self.place[rows],
            core.cluster(rows),
        )
        return RowSums.of(cases, len(self.labels))
