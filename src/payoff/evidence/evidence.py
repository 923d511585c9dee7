"""Evidence: the frozen, versioned record of one judging, JSON both ways.

Every figure is an :class:`Estimate`, which carries its unit, the rows behind it and an interval, or
the reason why it has none. A section that could not be measured is a mapping with the one key
``not_measured`` and the reason as its value; it is never left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from payoff.checks import Check
from payoff.errors import BundleError
from payoff.evidence.frozen import frozen

__all__ = [
    "NOT_ASKED",
    "SCHEMA_VERSION",
    "ActionUse",
    "Cell",
    "Check",
    "Comparison",
    "Estimate",
    "Evidence",
    "Group",
    "PolicyEvidence",
    "SubgroupEvidence",
    "finite",
]

SCHEMA_VERSION: Final = 2
NOT_ASKED: Final = "this judging did not ask for it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its unit, the rows behind it and its interval.

    Parameters
    ----------
    value
        Point estimate, or None when it cannot be estimated (``reason`` says why).
    low, high
        Interval at ``level``; None when no honest interval exists (``reason`` says why).
    unit
        Such as ``"EUR per customer"``, ``"EUR per month"`` or ``"share"``.
    n, n_clusters
        Rows used, and independent resampling units among them.
    method
        ``"t"``, ``"score"``, ``"wilson"``, ``"clopper-pearson"``, ``"wald"``, ``"fieller"``,
        ``"log-ratio"``, ``"shrunken"``, ``"max-t"``, ``"bonferroni"``, ``"exact"`` or ``"none"``.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    unit: str
    n: int
    n_clusters: int
    method: str
    reason: str = ""

    def turned(self) -> Estimate:
        """Return the same difference the other way round.

        Examples
        --------
        >>> e = Estimate(
        ...     value=-2.0,
        ...     low=-3.0,
        ...     high=None,
        ...     level=0.95,
        ...     unit="EUR per customer",
        ...     n=10,
        ...     n_clusters=10,
        ...     method="t",
        ... )
        >>> e.turned().value, e.turned().low, e.turned().high
        (2.0, None, 3.0)
        """

        def minus(x: float | None) -> float | None:
            return None if x is None else -x

        return replace(self, value=minus(self.value), low=minus(self.high), high=minus(self.low))

    def scaled(self, factor: float, unit: str) -> Estimate:
        """Return the same estimate times a positive constant, in another unit.

        Examples
        --------
        >>> e = Estimate(
        ...     value=2.0,
        ...     low=1.0,
        ...     high=3.0,
        ...     level=0.95,
        ...     unit="EUR per customer",
        ...     n=10,
        ...     n_clusters=10,
        ...     method="t",
        ... )
        >>> e.scaled(100, "EUR per month").high
        300.0
        """

        def times(x: float | None) -> float | None:
            return None if x is None else x * factor

        return Estimate(
            value=times(self.value),
            low=times(self.low),
            high=times(self.high),
            level=self.level,
            unit=unit,
            n=self.n,
            n_clusters=self.n_clusters,
            method=self.method,
            reason=self.reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionUse:
    """How often a policy takes an action: rows judged, share of units, units per period.

    ``low`` and ``high`` bound the units per period (Wilson's interval of the share, scaled).
    """

    action: str
    n: int
    share: float
    per_period: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a policy's confusion table: people and money per period.

    ``low`` and ``high`` bound the units per period (Wilson's interval of the share, scaled).
    ``money_per_unit`` is the mean money of the units in the cell (None when it is empty);
    ``money_per_period`` is the cell's share of the policy's value; ``regret_per_period`` is what
    the best action for each unit, known only afterwards, would have earned more.
    """

    action: str
    outcome: str
    n: int
    share: float
    per_period: float
    low: float | None = None
    high: float | None = None
    money_per_unit: float | None
    money_per_period: float
    regret_per_period: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEvidence:
    """What one policy is worth.

    Parameters
    ----------
    name
        ``"automation"``, ``"expected"``, ``"threshold"``, ``"top_k"``, ``"half"``,
        ``"do_nothing"``, ``"all:<action>"``, ``"current_rule"`` or ``"predicted"``
        (actions decided elsewhere).
    label, how
        Words for the report: a short name, and one sentence on how it decides.
    baseline
        Whether it needs no model.
    value, total
        Money per unit, and per period (or per 1,000 units).
    feasible
        Whether the declared capacity allows it; what does not fit is shown for comparison only.
    shut
        Names of actions it leaves out, because they would not earn their fixed cost.
    breaks
        Labels of the declared constraints it breaks on the rows judged, beyond their interval.
    fixed_per_period
        Fixed costs per period (of the actions it uses, and of the model) that ``value`` and
        ``total`` have lost and ``cells`` have not.
    """

    name: str
    label: str
    how: str
    baseline: bool
    value: Estimate
    total: Estimate
    actions: tuple[ActionUse, ...]
    cells: tuple[Cell, ...]
    feasible: bool = True
    fixed_per_period: float = 0.0
    shut: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()

    @property
    def outside(self) -> str:
        """What it does not keep to, in words; empty where it keeps to all that is declared."""
        said = [] if self.feasible else ["beyond the capacity"]
        return ", ".join([*said, *(f"breaks “{label}”" for label in self.breaks)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Paired difference ``policy - against`` on the same rows; positive means more money.

    ``differ`` is the share of units on which the two act differently.
    """

    policy: str
    against: str
    value: Estimate
    total: Estimate
    differ: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One subgroup under the recommended policy.

    Parameters
    ----------
    label
        The group; ``state`` is ``"ok"``, ``"small"`` (fewer rows than may be shown), ``"withheld"``
        (large enough, but it would give a small group away by subtraction), ``"not_estimable"``
        (``reason`` says why) or ``"unknown"`` (rows without a group).
    n, share
        Rows judged and share of all units (weighted).
    positives
        Rows with the positive outcome.
    rate
        Share of units with the positive outcome.
    value, gain
        Money per unit, and per unit against the reference policy.
    total_gain
        The gain per period of this group (its share of the volume).
    rates
        Shares of :data:`~payoff.evidence.subgroups.rates.RATES`: ``"acted"`` (another action than
        doing nothing), ``"true_positive_rate"``, ``"false_positive_rate"``, ``"precision"``,
        ``"missed"``. Empty for a small or withheld group.
    shrunken_value, shrunken_gain
        The same money drawn towards that of all groups, by how little the group's rows know.
    gain_simultaneous
        The gain with the interval that holds for all groups of the page at once.
    p_adjusted
        ``"gain"``, ``"true_positive_rate"``, ``"false_positive_rate"`` -> how often chance makes
        *any* group differ as much from the others; None where the group was not compared.
    impact
        Share acted on over that of the reference group.
    """

    label: str
    state: str
    reason: str
    n: int
    share: float
    positives: int | None
    rate: Estimate | None
    value: Estimate | None
    gain: Estimate | None
    total_gain: Estimate | None
    rates: Mapping[str, Estimate] = field(default_factory=dict)
    shrunken_value: Estimate | None = None
    shrunken_gain: Estimate | None = None
    gain_simultaneous: Estimate | None = None
    p_adjusted: Mapping[str, float | None] = field(default_factory=dict)
    impact: Estimate | None = None

    @property
    def acted(self) -> Estimate | None:
        """Share of units that get another action than doing nothing."""
        return self.rates.get("acted")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgroupEvidence:
    """The groups of one declared subgroup.

    Parameters
    ----------
    name
        Name of the subgroup.
    groups
        Its groups; rows without a group come last.
    compared
        ``"gain"``, ``"true_positive_rate"``, ``"false_positive_rate"`` -> ``p_any`` (how often
        chance alone makes any group differ this much), ``groups`` and ``resamples``; or
        ``not_measured``.
    shrinkage
        ``"gain"`` and ``"value"`` -> ``mean``, ``spread`` (of the true means of groups) and
        ``unit``; or ``not_measured``.
    reference
        Label of the group the impact ratio compares with (the largest), or None.
    worst
        Label of the group of lowest gain after shrinking, or None.
    unknown
        ``n`` and ``share`` of rows without a group.
    sentences
        What a manager can repeat.
    automatic
        Whether nobody declared it: a slice of documents, judged as a family of its own.
    """

    name: str
    groups: tuple[Group, ...]
    compared: Mapping[str, Any] = field(default_factory=dict)
    shrinkage: Mapping[str, Any] = field(default_factory=dict)
    reference: str | None = None
    worst: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    automatic: bool = False


def _not_asked() -> dict[str, Any]:
    return {"not_measured": NOT_ASKED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything one judging found; see the fields' classes for the figures.

    Parameters
    ----------
    decision
        Facts of the declaration that the documents repeat (names, labels, money, capacity, ...).
    data
        Source, fingerprint, rows, rows dropped and why, split and outcome shares of each part.
    model
        Candidates with their cross-fitted value, the choice, calibration, amounts, description; or
        ``not_measured``.
    verdict
        ``state`` (``"deploy"``, ``"uncertain"``, ``"refuse"``), ``recommended``, ``reference`` and
        ``best_trivial`` (names of policies), ``sentence``, ``next`` (what to do now).
    policies, comparisons
        The recommended policy first; each comparison is the recommended policy against another.
    subgroups, calibration, curve, shift, capacity, checks
        See the builders in this package for the keys.
    intervals
        Why each interval is of the kind it is: paying cases, skew, largest rows, clusters.
    optimism
        What tuning would have flattered the figures by, had the rows that chose also judged.
    people
        Errors as people: sentences with numbers per period, and what each error costs.
    sensitivity
        What would change the answer: break-even points, ranges, payoffs given as ranges.
    base_rate
        Value of each policy as a function of how common the outcome is.
    information
        How sure the choice is, and what more labelled rows would be worth.
    constraints
        Whether each declared constraint held on the judging rows, and what keeping it costs.
    behaviour
        What changing documents does to decisions and money (decisions about documents).
    explanations
        Judging rows with the words that drove their decisions (decisions about documents).
    past
        What past decisions can and cannot tell: overlap, effective sample size, uplift.
    themes
        What is lost on each theme of documents, and how themes move over time.
    automation
        What a guaranteed error rate allows to be automated, whether it was kept, what it costs.
    familiarity
        Rows unlike those learnt from: how many, errors and money there, what sparing them earns.
    tradeoff
        What lists are beside money: accuracy, exposure, costs, the front, who wins for whom, what
        the runner-up gives up, and the experiment (decisions about lists).
    """

    decision: Mapping[str, Any]
    data: Mapping[str, Any]
    model: Mapping[str, Any]
    verdict: Mapping[str, Any]
    policies: tuple[PolicyEvidence, ...]
    comparisons: tuple[Comparison, ...]
    subgroups: tuple[SubgroupEvidence, ...]
    calibration: Mapping[str, Any]
    curve: Mapping[str, Any]
    shift: Mapping[str, Any]
    capacity: tuple[Mapping[str, Any], ...]
    checks: tuple[Check, ...]
    seed: int
    made_with: Mapping[str, str]
    intervals: Mapping[str, Any] = field(default_factory=_not_asked)
    optimism: Mapping[str, Any] = field(default_factory=_not_asked)
    people: Mapping[str, Any] = field(default_factory=_not_asked)
    sensitivity: Mapping[str, Any] = field(default_factory=_not_asked)
    base_rate: Mapping[str, Any] = field(default_factory=_not_asked)
    information: Mapping[str, Any] = field(default_factory=_not_asked)
    past: Mapping[str, Any] = field(default_factory=_not_asked)
    themes: Mapping[str, Any] = field(default_factory=_not_asked)
    behaviour: Mapping[str, Any] = field(default_factory=_not_asked)
    explanations: Mapping[str, Any] = field(default_factory=_not_asked)
    automation: Mapping[str, Any] = field(default_factory=_not_asked)
    familiarity: Mapping[str, Any] = field(default_factory=_not_asked)
    tradeoff: Mapping[str, Any] = field(default_factory=_not_asked)
    constraints: tuple[Mapping[str, Any], ...] = ()
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        """Copy every mapping and list into such as cannot be changed."""
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if isinstance(value, Mapping | list | tuple):
                object.__setattr__(self, name, frozen(value))

    @property
    def declared_subgroups(self) -> tuple[SubgroupEvidence, ...]:
        """Subgroups of the declaration, without the slices of documents."""
        return tuple(s for s in self.subgroups if not s.automatic)

    def policy(self, name: str) -> PolicyEvidence:
        """Return the evidence of one policy by name."""
        return next(p for p in self.policies if p.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form (plain dicts, lists, numbers, text; no NaN)."""
        value = asdict(self)
        plain: dict[str, Any] = finite(value)
        return plain

    def to_json(self) -> str:
        """Return the JSON text: sorted keys, so that equal evidence is equal bytes."""
        return json.dumps(self.to_dict(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    def frame(self, name: str, library: str = "pyarrow") -> Any:
        """Return figures as a frame of the library you work in.

        Parameters
        ----------
        name
            ``"policies"``, ``"comparisons"``, ``"groups"``, ``"confusion"`` or ``"curve"``. Each
            figure has ``_low``, ``_high`` and ``_unit`` beside it, and the rows ``n`` behind it.
        library
            ``"pandas"``, ``"polars"`` or ``"pyarrow"``; it has to be installed.

        Raises
        ------
        EvidenceError
            ``PAY-E011`` for another name or library, or a frame that was not measured.
        """
        from payoff.evidence.frames import frame

        return frame(self, name, library)

    def _repr_html_(self) -> str:
        """Show the verdict, the options in money and the warnings in a notebook."""
        from payoff.evidence.notebook import to_html

        return to_html(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Evidence:
        """Read the JSON form.

        Raises
        ------
        BundleError
            ``PAY-B004`` when the schema version is not this one.
        """
        if value.get("schema_version") != SCHEMA_VERSION:
            raise BundleError.incompatible(
                "evidence.json", value.get("schema_version"), f"schema_version {SCHEMA_VERSION}"
            )
        facts = dict(value)
        facts["policies"] = tuple(_policy(p) for p in value["policies"])
        facts["comparisons"] = tuple(
            Comparison(**{**c, "value": Estimate(**c["value"]), "total": Estimate(**c["total"])})
            for c in value["comparisons"]
        )
        facts["subgroups"] = tuple(
            SubgroupEvidence(
                **{
                    **s,
                    "groups": tuple(_group(g) for g in s["groups"]),
                    "sentences": tuple(s["sentences"]),
                }
            )
            for s in value["subgroups"]
        )
        facts["checks"] = tuple(Check(**c) for c in value["checks"])
        facts["capacity"] = tuple(value["capacity"])
        facts["constraints"] = tuple(value["constraints"])
        return cls(**facts)


def _policy(value: Mapping[str, Any]) -> PolicyEvidence:
    return PolicyEvidence(
        **{
            **value,
            "value": Estimate(**value["value"]),
            "total": Estimate(**value["total"]),
            "actions": tuple(ActionUse(**a) for a in value["actions"]),
            "cells": tuple(Cell(**c) for c in value["cells"]),
            "shut": tuple(value.get("shut", ())),
            "breaks": tuple(value.get("breaks", ())),
        }
    )


def _group(value: Mapping[str, Any]) -> Group:
    money = ("value", "gain", "total_gain", "shrunken_value", "shrunken_gain", "gain_simultaneous")
    figures = ("rate", "impact", *money)
    read = {k: Estimate(**value[k]) if value[k] is not None else None for k in figures}
    rates = {name: Estimate(**rate) for name, rate in value["rates"].items()}
    return Group(**{**value, **read, "rates": rates})


def finite(value: Any) -> Any:
    """Copy to JSON types; a float that is not finite becomes None."""
    if isinstance(value, Mapping):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    if isinstance(value, bool | str | int) or value is None:
        return value
    number = float(value)
    return number if math.isfinite(number) else None
