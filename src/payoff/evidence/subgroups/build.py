"""Money, rates and actions of each declared subgroup under the recommended policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.evidence import Estimate, Group, SubgroupEvidence
from payoff.evidence.interval import share
from payoff.evidence.judged import Judged
from payoff.evidence.subgroups.disclosure import withheld
from payoff.evidence.subgroups.impact import impact_ratio
from payoff.evidence.subgroups.money import compared_money, shrunken_money
from payoff.evidence.subgroups.rates import effective_rows, rates
from payoff.evidence.subgroups.simultaneous import RESAMPLES, cases_of, contrast
from payoff.evidence.subgroups.wording import sentences
from payoff.policy.choose import default_action
from payoff.rng import generator

__all__ = ["UNKNOWN", "subgroup_evidence"]

#: Label of the rows whose group is not known.
UNKNOWN: Final = "not known"
_ERROR_RATES: Final = ("true_positive_rate", "false_positive_rate")


def subgroup_evidence(judged: Judged) -> tuple[SubgroupEvidence, ...]:
    """Return the figures of every group; a group too small to show is named but not measured.

    Each subgroup gets an equal part of the allowance for false alarms, so that the simultaneous
    intervals and adjusted p-values hold for the page as a whole. Slices of documents come after
    the declared subgroups, with an allowance of their own; a group of theirs is withheld, and never
    a declared one, where the two together would give a small group away.
    """
    smallest = judged.decision.evidence.smallest_group
    rows = _places(judged.subgroups)
    kept = withheld(rows, smallest)
    core = _Core(judged, len(rows))
    found = [
        _Subgroup(core, name, labels, rows[name], kept[name]).evidence()
        for name, (labels, _) in judged.subgroups.items()
    ]
    slices = judged.background.slices
    groups = {} if slices is None else slices.groups
    if groups:
        own = _places(groups)
        settled = {f"declared {k}": v for k, v in rows.items()}
        beside = {f"slice {k}": v for k, v in own.items()}
        hidden = withheld(
            {**settled, **beside}, smallest, fixed={f"declared {k}": v for k, v in kept.items()}
        )
        core = _Core(judged, len(groups))
        found += [
            _Subgroup(
                core, name, labels, own[name], hidden[f"slice {name}"], automatic=True
            ).evidence()
            for name, (labels, _) in groups.items()
        ]
    return tuple(found)


def _places(
    subgroups: Mapping[str, tuple[tuple[str, ...], NDArray[np.int32]]],
) -> dict[str, NDArray[np.int64]]:
    """Return the group of each row, rows without one as the last group."""
    return {
        name: np.where(place < 0, len(labels), place).astype(np.int64)
        for name, (labels, place) in subgroups.items()
    }


class _Core:
    """What all subgroups of a family share; ``parts`` is their number."""

    def __init__(self, judged: Judged, parts: int) -> None:
        self.judged = judged
        self.decision = judged.decision
        self.stakes = judged.stakes
        self.gain = judged.own - judged.reference
        self.acted = judged.first.codes != default_action(judged.decision)
        self.positive = judged.stakes.outcome == judged.decision.positive_code
        self.total = float(judged.stakes.weight.sum())
        self.level = judged.decision.evidence.level
        self.parts = max(1, parts)

    def cluster(self, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
        found = self.stakes.resampled
        return None if found is None else found[rows]


class _Subgroup:
    """One subgroup: its groups one by one, then side by side."""

    def __init__(
        self,
        core: _Core,
        name: str,
        labels: tuple[str, ...],
        place: NDArray[np.int64],
        kept: NDArray[np.bool_],
        *,
        automatic: bool = False,
    ) -> None:
        self.core = core
        self.automatic = automatic
        self.name = name
        self.place = place
        self.kept = kept
        self.labels = [*labels, UNKNOWN]
        order = np.argsort(place, kind="stable")
        ends = np.searchsorted(place[order], np.arange(len(self.labels) + 1))
        self.rows = [order[ends[k] : ends[k + 1]] for k in range(len(self.labels))]

    def evidence(self) -> SubgroupEvidence:
        groups = [self._group(k) for k in range(len(self.labels))]
        shown = np.array([g.state not in ("small", "withheld") for g in groups])
        compared: dict[str, Any] = {}
        groups, compared["gain"] = compared_money(
            groups, self._gain_cases(), self._family(groups), self._rng("gain"), self.core.parts
        )
        for rate in _ERROR_RATES:
            groups, compared[rate] = self._compare_rate(groups, rate)
        groups, shrinkage = shrunken_money(
            groups,
            {"gain": self._gain_cases(), "value": self._value_cases()},
        )
        reference = None
        if not self.automatic:  # what is done depends on what a document says: no ratio to screen
            groups, reference = self._impact(groups, shown)
        unknown = groups[-1]
        made = groups if unknown.n else groups[:-1]
        known = [g for g in groups[:-1] if g.shrunken_gain is not None]
        plain = [g for g in groups[:-1] if g.gain is not None and g.gain.value is not None]
        ranked = sorted(known or plain, key=_standing)
        found = SubgroupEvidence(
            name=self.name,
            groups=tuple(made),
            compared=compared,
            shrinkage=shrinkage,
            reference=reference,
            worst=ranked[0].label if len(ranked) > 1 else None,
            unknown={"n": unknown.n, "share": unknown.share},
            automatic=self.automatic,
        )
        return replace(found, sentences=sentences(self.core.decision, found))

    # ------------------------------------------------------------------ one group at a time

    def _group(self, k: int) -> Group:
        core, rows = self.core, self.rows[k]
        n, weight = len(rows), core.stakes.weight[rows]
        bare = Group(
            label=self.labels[k],
            state="small",
            reason="",
            n=n,
            share=float(weight.sum() / core.total),
            positives=None,
            rate=None,
            value=None,
            gain=None,
            total_gain=None,
        )
        if n < core.decision.evidence.smallest_group or weight.sum() <= 0:
            reason = f"fewer than {core.decision.evidence.smallest_group} rows were judged"
            return replace(bare, reason="no row of this group was judged" if n == 0 else reason)
        if k < len(self.kept) and self.kept[k]:
            reason = "its figures would show those of a smaller group by subtraction"
            return replace(bare, state="withheld", reason=reason)
        positive = core.positive[rows]
        cluster = core.cluster(rows)
        seen = replace(
            bare,
            positives=int(positive.sum()),
            rate=share(positive, weight, cluster, level=core.level),
            rates=self._rates(
                rates(
                    core.acted[rows],
                    positive,
                    weight,
                    cluster,
                    level=core.level,
                    fewest=core.decision.evidence.smallest_denominator,
                )
            ),
        )
        if seen.positives in (0, n) and not self._told_apart(rows):
            which = "no" if seen.positives == 0 else "nothing but the"
            return replace(
                seen,
                state="not_estimable",
                reason=f"{which} positive outcome among {n:,} rows, so what the policy earns when "
                "it is right or wrong cannot be seen",
            )
        same = "" if np.any(core.gain[rows]) else "the two policies earn the same on every row"
        gain = core.judged.worth(core.gain[rows], rows=rows, identical=same)
        unknown = k == len(self.labels) - 1
        return replace(
            seen,
            state="unknown" if unknown else "ok",
            reason="the group of these rows is not known" if unknown else "",
            value=core.judged.worth(core.judged.own[rows], rows=rows),
            gain=gain,
            total_gain=gain.scaled(
                seen.share * core.decision.units_reported, core.decision.money_unit
            ),
        )

    def _told_apart(self, rows: NDArray[np.int64]) -> bool:
        """Whether a slice has several outcomes; one theme may well lack the positive one."""
        return self.automatic and len(np.unique(self.core.stakes.outcome[rows])) > 1

    def _rates(self, found: Mapping[str, Estimate]) -> Mapping[str, Estimate]:
        """Keep the share acted on alone where outcomes are of another action than the policy's."""
        if self.core.stakes.causal:
            return {k: v for k, v in found.items() if k == "acted"}
        return found

    # ------------------------------------------------------------------ all groups side by side

    def _rng(self, what: str) -> np.random.Generator:
        return generator(
            self.core.judged.seed,
            f"{'slices' if self.automatic else 'subgroups'}/{self.name}/{what}",
        )

    def _family(self, groups: list[Group]) -> NDArray[np.bool_]:
        return np.array([g.gain is not None for g in groups])

    def _gain_cases(self) -> Any:
        core = self.core
        return cases_of(core.gain, core.stakes.weight, self.place, core.stakes.resampled)

    def _value_cases(self) -> Any:
        core = self.core
        return cases_of(core.judged.own, core.stakes.weight, self.place, core.stakes.resampled)

    def _compare_rate(
        self, groups: list[Group], rate: str
    ) -> tuple[list[Group], Mapping[str, Any]]:
        core = self.core
        among = core.positive if rate == "true_positive_rate" else ~core.positive
        family = np.array([rate in g.rates and g.rates[rate].value is not None for g in groups])
        rows = np.flatnonzero(among)
        found = None
        if family.sum() > 1:
            cases = cases_of(
                core.acted[rows].astype(np.float64),
                core.stakes.weight[rows],
                self.place[rows],
                core.cluster(rows),
            )
            found = contrast(
                cases,
                family,
                level=core.level,
                rng=self._rng(rate),
            )
        if found is None:
            reason = "fewer than two groups have this rate, or it is the same on every row"
            return groups, {"not_measured": reason}
        p = np.minimum(1.0, found.p_adjusted * core.parts)
        told = [
            replace(g, p_adjusted={**g.p_adjusted, rate: float(p[k]) if family[k] else None})
            for k, g in enumerate(groups)
        ]
        return told, {
            "p_any": float(p[family].min()),
            "groups": int(family.sum()),
            "resamples": RESAMPLES,
        }

    def _impact(
        self, groups: list[Group], shown: NDArray[np.bool_]
    ) -> tuple[list[Group], str | None]:
        """Compare shares acted on with that of the largest group whose group is known."""
        core = self.core
        weights = np.array([g.share for g in groups])
        weights[~shown] = -1.0
        weights[-1] = -1.0  # rows without a group are no reference
        if (shown[:-1]).sum() < 2:
            return groups, None
        best = int(weights.argmax())
        known = {
            k: effective_rows(
                core.acted[self.rows[k]],
                core.stakes.weight[self.rows[k]],
                core.cluster(self.rows[k]),
            )
            for k in np.flatnonzero(shown).tolist()
        }
        told = [
            replace(
                g,
                impact=impact_ratio(known[k], known[best], level=core.level, n=g.n),
            )
            if shown[k] and k != best
            else g
            for k, g in enumerate(groups)
        ]
        return told, self.labels[best]


def _standing(group: Group) -> tuple[float, float]:
    """Return the shrunken gain, and the raw one for where all are shrunken to the same."""
    raw = _value(group.gain)
    return (raw if group.shrunken_gain is None else _value(group.shrunken_gain)), raw


def _value(estimate: Estimate | None) -> float:
    return 0.0 if estimate is None or estimate.value is None else float(estimate.value)
