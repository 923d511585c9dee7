"""Value, rates and actions of each declared subgroup under the recommended policy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.evidence import Estimate, Group, SubgroupEvidence
from payoff.evidence.interval import share
from payoff.evidence.judged import Judged
from payoff.policy.choose import default_action

__all__ = ["subgroup_evidence"]


def subgroup_evidence(judged: Judged) -> tuple[SubgroupEvidence, ...]:
    """Return the figures of every group; a group too small to show is named but not measured.

    Intervals are for one group at a time; comparing many groups by them finds differences that are
    chance.
    """
    every = _Groups(judged)
    found = []
    for name, (labels, place) in judged.subgroups.items():
        order = np.argsort(place, kind="stable")
        ends = np.searchsorted(place[order], np.arange(-1, len(labels) + 1))
        groups = [
            every.group(label, order[ends[k + 1] : ends[k + 2]]) for k, label in enumerate(labels)
        ]
        unknown = order[ends[0] : ends[1]]
        if len(unknown):
            groups.append(every.group("not known", unknown, unknown=True))
        found.append(SubgroupEvidence(name=name, groups=tuple(groups)))
    return tuple(found)


class _Groups:
    def __init__(self, judged: Judged) -> None:
        self.judged = judged
        self.decision = judged.decision
        self.stakes = judged.stakes
        self.values = judged.own
        self.gain = judged.own - judged.reference
        self.acted = judged.first.codes != default_action(judged.decision)
        self.positive = judged.stakes.outcome == judged.decision.positive_code
        self.total = float(judged.stakes.weight.sum())

    def group(self, label: str, rows: NDArray[np.int64], *, unknown: bool = False) -> Group:
        n = len(rows)
        weight = self.stakes.weight[rows]
        part = float(weight.sum() / self.total)
        if n < self.decision.evidence.smallest_group:
            reason = f"fewer than {self.decision.evidence.smallest_group} rows were judged"
            if n == 0:
                reason = "no row of this group was judged"
            return Group(
                label=label,
                state="small",
                reason=reason,
                n=n,
                share=part,
                positives=None,
                rate=None,
                acted=None,
                value=None,
                gain=None,
                total_gain=None,
            )
        cluster = None if self.stakes.resampled is None else self.stakes.resampled[rows]
        level = self.decision.evidence.level
        positives = int(self.positive[rows].sum())
        rate = share(self.positive[rows], weight, cluster, level=level)
        acted = float(weight[self.acted[rows]].sum() / weight.sum()) if weight.sum() else None
        state, reason = (
            ("unknown", "the group of these rows is not known") if unknown else ("ok", "")
        )
        if positives in (0, n):
            which = "no" if positives == 0 else "nothing but the"
            return Group(
                label=label,
                state="not_estimable",
                n=n,
                share=part,
                positives=positives,
                reason=f"{which} positive outcome among {n:,} rows, so what the policy earns when "
                "it is right or wrong cannot be seen",
                rate=rate,
                acted=acted,
                value=None,
                gain=None,
                total_gain=None,
            )
        value = self.money(self.values, rows)
        same = "" if np.any(self.gain[rows]) else "the two policies earn the same on every row"
        gain = self.money(self.gain, rows, same)
        return Group(
            label=label,
            state=state,
            reason=reason,
            n=n,
            share=part,
            positives=positives,
            rate=rate,
            acted=acted,
            value=value,
            gain=gain,
            total_gain=gain.scaled(part * self.decision.units_reported, self.decision.money_unit),
        )

    def money(
        self, values: NDArray[np.float64], rows: NDArray[np.int64], identical: str = ""
    ) -> Estimate:
        return self.judged.worth(values[rows], rows=rows, identical=identical)
