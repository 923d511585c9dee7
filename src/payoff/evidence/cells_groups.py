"""Money, rates and actions of each group from cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.cells import NEEDS_ROWS, CellSet, Money, effective_rows, mean, share
from payoff.evidence.evidence import Estimate, Group, SubgroupEvidence
from payoff.evidence.subgroups.build import UNKNOWN
from payoff.evidence.subgroups.impact import impact_ratio
from payoff.evidence.subgroups.rates import RATES, absent
from payoff.evidence.subgroups.wording import sentences
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
) -> tuple[SubgroupEvidence, ...]:
    """Return the figures of every group; what compares many groups by dealing rows is left out."""
    total = float(next(iter(groups.values())).cells.w1.sum()) if groups else 1.0
    return tuple(
        _Subgroup(decision, terms, name, groups[name], (first, reference), total).made()
        for name in groups
    )


class _Subgroup:
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
        self.total = total
        self.level = decision.evidence.level
        self.weighted = decision.data.weight is not None
        cells = found.cells
        codes = codes_in(pair[0], cells)
        self.value = Money.of(terms, codes, cells.outcome)
        self.gain = self.value - Money.of(terms, codes_in(pair[1], cells), cells.outcome)
        self.acted = codes != default_action(decision)
        self.positive = cells.outcome == decision.positive_code

    def made(self) -> SubgroupEvidence:
        labels = [*self.found.labels, UNKNOWN]
        groups = [self._group(k, label) for k, label in enumerate(labels)]
        groups, reference = self._impact(groups)
        unknown = groups[-1]
        plain = [g for g in groups[:-1] if g.gain is not None and g.gain.value is not None]
        ranked = sorted(plain, key=lambda g: g.gain.value if g.gain and g.gain.value else 0.0)
        missing = {"not_measured": NEEDS_ROWS}
        made = SubgroupEvidence(
            name=self.name,
            groups=tuple(groups if unknown.n else groups[:-1]),
            compared=dict.fromkeys(("gain", "true_positive_rate", "false_positive_rate"), missing),
            shrinkage=missing,
            reference=reference,
            worst=ranked[0].label if len(ranked) > 1 else None,
            unknown={"n": unknown.n, "share": unknown.share},
        )
        return replace(made, sentences=sentences(self.decision, made))

    def _group(self, k: int, label: str) -> Group:
        inside = self.found.codes == k
        some = self.found.cells.take(inside)
        n, weight = round(float(some.n.sum())), float(some.w1.sum())
        smallest = self.decision.evidence.smallest_group
        reason = f"fewer than {smallest} rows were judged"
        bare = Group(
            label=label,
            state="small",
            reason=reason if n else "no row of this group was judged",
            n=n,
            share=weight / self.total,
            positives=None,
            rate=None,
            value=None,
            gain=None,
            total_gain=None,
        )
        if n < smallest or weight <= 0:
            return bare
        if self.found.kept[k]:
            reason = "its figures would show those of a smaller group by subtraction"
            return replace(bare, state="withheld", reason=reason)
        positive, acted = self.positive[inside], self.acted[inside]
        seen = replace(
            bare,
            reason="",
            positives=round(float(some.n[positive].sum())),
            rate=share(some, positive, level=self.level, weighted=self.weighted),
            rates=self._rates(some, acted, positive),
        )
        if seen.positives in (0, n):
            which = "no" if seen.positives == 0 else "nothing but the"
            return replace(
                seen,
                state="not_estimable",
                reason=f"{which} positive outcome among {n:,} rows, so what the policy earns when "
                "it is right or wrong cannot be seen",
            )
        differs = self.gain.take(inside)
        alike = not (np.any(differs.constant) or np.any(differs.factor))
        same = "the two policies earn the same on every row" if alike else ""
        gain = self._mean(some, differs, same)
        unknown = k == len(self.found.labels)
        units, unit = self.decision.units_reported, self.decision.money_unit
        return replace(
            seen,
            state="unknown" if unknown else "ok",
            reason="the group of these rows is not known" if unknown else "",
            value=self._mean(some, self.value.take(inside)),
            gain=gain,
            total_gain=gain.scaled(seen.share * units, unit),
        )

    def _mean(self, cells: CellSet, money: Money, identical: str = "") -> Estimate:
        return mean(cells, money, self.decision, identical=identical)

    def _rates(
        self, cells: CellSet, acted: NDArray[np.bool_], positive: NDArray[np.bool_]
    ) -> dict[str, Estimate]:
        fewest = max(self.decision.evidence.smallest_denominator, 1)
        parts = {
            "acted": (acted, np.ones(len(acted), dtype=bool)),
            "true_positive_rate": (acted, positive),
            "false_positive_rate": (acted, ~positive),
            "precision": (positive, acted),
            "missed": (~acted, positive),
        }
        found = {}
        for name, (hit, among) in parts.items():
            some = cells.take(among)
            n = round(float(some.n.sum()))
            found[name] = (
                absent(n, RATES[name][1], self.level)
                if n < fewest
                else share(some, hit[among], level=self.level, weighted=self.weighted)
            )
        return found

    def _impact(self, groups: list[Group]) -> tuple[list[Group], str | None]:
        """Compare shares acted on with that of the largest group whose group is known."""
        shown = [g.state not in ("small", "withheld") for g in groups]
        if sum(shown[:-1]) < 2:
            return groups, None
        best = max((k for k in range(len(groups) - 1) if shown[k]), key=lambda k: groups[k].share)
        known: dict[int, Any] = {}
        for k in range(len(groups)):
            if shown[k]:
                inside = self.found.codes == k
                some = self.found.cells.take(inside)
                known[k] = effective_rows(some, self.acted[inside], weighted=self.weighted)
        told = [
            replace(g, impact=impact_ratio(known[k], known[best], level=self.level, n=g.n))
            if shown[k] and k != best
            else g
            for k, g in enumerate(groups)
        ]
        return told, groups[best].label
