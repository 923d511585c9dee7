"""The figures of one declared subgroup: its groups one by one, then side by side.

Where the figures of a group come from, rows or cells, is what :class:`GroupSource` hides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.evidence import Estimate, Group, SubgroupEvidence
from payoff.evidence.subgroups.impact import impact_ratio
from payoff.evidence.subgroups.money import compared_money, compared_rate, shrunken_money
from payoff.evidence.subgroups.simultaneous import CaseSums
from payoff.evidence.subgroups.wording import sentences
from payoff.rng import generator

__all__ = ["ERROR_RATES", "UNKNOWN", "GroupSource", "subgroup_of"]

#: Label of the rows whose group is not known.
UNKNOWN: Final = "not known"
ERROR_RATES: Final = ("true_positive_rate", "false_positive_rate")


class GroupSource(Protocol):
    """Figures of the groups of one subgroup, by place of the label; the last is "not known"."""

    @property
    def name(self) -> str:
        """Name of the subgroup."""

    @property
    def labels(self) -> Sequence[str]:
        """Labels of the groups, that of rows without a group last."""

    def size(self, k: int) -> tuple[int, float]:
        """Return the rows of a group, and its share of all units."""

    def withheld(self, k: int) -> bool:
        """Whether showing the group would give a smaller one away."""

    def positives(self, k: int) -> tuple[int, Estimate]:
        """Return the rows with the positive outcome, and the share of such units."""

    def rates(self, k: int) -> Mapping[str, Estimate]:
        """Return the shares acted on, overall and by outcome."""

    def gain(self, k: int) -> Estimate:
        """Return money per unit against the reference policy."""

    def value(self, k: int) -> Estimate:
        """Return money per unit."""

    def acted(self, k: int) -> tuple[float, float]:
        """Return the share acted on, and how many equal rows would know it as well."""

    def money_sums(self, what: str) -> CaseSums:
        """Return the sums of ``"gain"`` or ``"value"`` by group."""

    def rate_sums(self, rate: str) -> CaseSums:
        """Return the sums of being acted on by group, among those an error rate is of."""


def subgroup_of(
    source: GroupSource,
    decision: Decision,
    *,
    seed: int,
    parts: int,
    several: Callable[[int], bool] | None = None,
    automatic: bool | None = None,
) -> SubgroupEvidence:
    """Return the figures of every group; a group too small to show is named but not measured.

    Parameters
    ----------
    source
        Where figures come from.
    seed
        Root seed of the judging.
    parts
        Number of subgroups that share the allowance for false alarms.
    several
        Of a slice that nobody declared: whether a group has several outcomes. Documents of one
        theme may well lack the positive outcome, and what is done depends on what a document says,
        so a slice is measured without the one and has no ratio of shares acted on.
    automatic
        Whether nobody declared it; left out, that is so where ``several`` is given.
    """
    automatic = several is not None if automatic is None else automatic
    last = len(source.labels) - 1
    groups = [
        _group(source, decision, k, unknown=k == last, several=several) for k in range(last + 1)
    ]
    shown = np.array([g.state not in ("small", "withheld") for g in groups])

    def rng(what: str) -> np.random.Generator:
        family = "slices" if automatic else "subgroups"
        return generator(seed, f"{family}/{source.name}/{what}")

    compared: dict[str, Any] = {}
    family = np.array([g.gain is not None for g in groups])
    groups, compared["gain"] = compared_money(
        groups, source.money_sums("gain"), family, rng("gain"), parts
    )
    for rate in ERROR_RATES:
        family = np.array([rate in g.rates and g.rates[rate].value is not None for g in groups])
        sums = source.rate_sums(rate) if family.sum() > 1 else None
        groups, compared[rate] = compared_rate(
            groups, rate, sums, family, rng(rate), parts, level=decision.evidence.level
        )
    groups, shrinkage = shrunken_money(
        groups, {what: source.money_sums(what) for what in ("gain", "value")}
    )
    reference = None
    if not automatic:
        groups, reference = _impact(source, decision, groups, shown)
    unknown = groups[-1]
    known = [g for g in groups[:-1] if g.shrunken_gain is not None]
    plain = [g for g in groups[:-1] if g.gain is not None and g.gain.value is not None]
    ranked = sorted(known or plain, key=_standing)
    found = SubgroupEvidence(
        name=source.name,
        groups=tuple(groups if unknown.n else groups[:-1]),
        compared=compared,
        shrinkage=shrinkage,
        reference=reference,
        worst=ranked[0].label if len(ranked) > 1 else None,
        unknown={"n": unknown.n, "share": unknown.share},
        automatic=automatic,
    )
    return replace(found, sentences=sentences(decision, found))


def _group(
    source: GroupSource,
    decision: Decision,
    k: int,
    *,
    unknown: bool,
    several: Callable[[int], bool] | None,
) -> Group:
    n, share = source.size(k)
    bare = Group(
        label=source.labels[k],
        state="small",
        reason="",
        n=n,
        share=share,
        positives=None,
        rate=None,
        value=None,
        gain=None,
        total_gain=None,
    )
    smallest = decision.evidence.smallest_group
    if n < smallest or share <= 0:
        reason = f"fewer than {smallest} rows were judged"
        return replace(bare, reason=reason if n else "no row of this group was judged")
    if source.withheld(k):
        reason = "its figures would show those of a smaller group by subtraction"
        return replace(bare, state="withheld", reason=reason)
    positives, rate = source.positives(k)
    seen = replace(bare, positives=positives, rate=rate, rates=source.rates(k))
    if positives in (0, n) and not (several is not None and several(k)):
        which = "no" if positives == 0 else "nothing but the"
        return replace(
            seen,
            state="not_estimable",
            reason=f"{which} positive outcome among {n:,} rows, so what the policy earns when "
            "it is right or wrong cannot be seen",
        )
    gain = source.gain(k)
    return replace(
        seen,
        state="unknown" if unknown else "ok",
        reason="the group of these rows is not known" if unknown else "",
        value=source.value(k),
        gain=gain,
        total_gain=gain.scaled(share * decision.units_reported, decision.money_unit),
    )


def _impact(
    source: GroupSource, decision: Decision, groups: list[Group], shown: NDArray[np.bool_]
) -> tuple[list[Group], str | None]:
    """Compare shares acted on with that of the largest group whose group is known."""
    weights = np.array([g.share for g in groups])
    weights[~shown] = -1.0
    weights[-1] = -1.0  # rows without a group are no reference
    if (shown[:-1]).sum() < 2:
        return groups, None
    best = int(weights.argmax())
    known = {k: source.acted(k) for k in np.flatnonzero(shown).tolist()}
    level = decision.evidence.level
    told = [
        replace(g, impact=impact_ratio(known[k], known[best], level=level, n=g.n))
        if shown[k] and k != best
        else g
        for k, g in enumerate(groups)
    ]
    return told, source.labels[best]


def _standing(group: Group) -> tuple[float, float]:
    """Return the shrunken gain, and the raw one for where all are shrunken to the same."""
    raw = _value(group.gain)
    return (raw if group.shrunken_gain is None else _value(group.shrunken_gain)), raw


def _value(estimate: Estimate | None) -> float:
    return 0.0 if estimate is None or estimate.value is None else float(estimate.value)
