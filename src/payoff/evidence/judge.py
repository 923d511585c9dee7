"""The judging itself: stakes of the judging rows and frozen policies in, evidence out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.errors import DataError, EvidenceError
from payoff.evidence import checks as evidence_checks
from payoff.evidence.acted import Acted, Background
from payoff.evidence.automation import automation, automation_check
from payoff.evidence.base_rate import base_rate
from payoff.evidence.behaviour import NO_DOCUMENTS, behaviour
from payoff.evidence.behaviour_checks import behaviour_checks
from payoff.evidence.calibration import calibration
from payoff.evidence.change_checks import change_checks
from payoff.evidence.confusion import confusion
from payoff.evidence.constraints import constraints_broken, constraints_judged
from payoff.evidence.curve import value_curve
from payoff.evidence.evidence import (
    ActionUse,
    Cell,
    Comparison,
    Estimate,
    Evidence,
    PolicyEvidence,
)
from payoff.evidence.facts import certain, decision_facts, versions
from payoff.evidence.familiarity import familiarity, familiarity_check
from payoff.evidence.information import information
from payoff.evidence.interval import share, wilson
from payoff.evidence.judged import Judged
from payoff.evidence.limits import (
    beyond_limits,
    limit_checks,
    limits_used,
)
from payoff.evidence.no_overlap import (
    no_value,
    unknown_value,
    unmeasured_groups,
    with_the_past,
)
from payoff.evidence.offpolicy import no_overlap
from payoff.evidence.optimism import optimism
from payoff.evidence.past import past_section
from payoff.evidence.past_cells import past_cells
from payoff.evidence.past_checks import past_checks
from payoff.evidence.people import people
from payoff.evidence.refit import RowsAgain
from payoff.evidence.room import capacity_curve, volume
from payoff.evidence.selected import judge_selected
from payoff.evidence.sensitivity import sensitivity
from payoff.evidence.shift import outcome_shift
from payoff.evidence.subgroups import subgroup_evidence
from payoff.evidence.sureness import intervals
from payoff.evidence.themes import theme_section
from payoff.evidence.verdict import verdict
from payoff.evidence.worth import worth
from payoff.policy.best import WITHOUT, actions_of, fixed_cost, policy_value
from payoff.policy.past import PastStakes
from payoff.policy.policy import Policy
from payoff.policy.stakes import Judging, Stakes, money_of

__all__ = ["judge"]


def judge(
    decision: Decision,
    stakes: Judging,
    policies: Sequence[Policy | Acted],
    *,
    recommended: str,
    subgroups: Mapping[str, tuple[tuple[str, ...], NDArray[np.int32]]],
    background: Background,
) -> Evidence:
    """Judge policies on rows that took no part in choosing them.

    Parameters
    ----------
    decision
        The declaration.
    stakes
        The judging rows; rows that chose are of another type.
    policies
        Frozen policies, or actions already taken (cross-fitted, or decided elsewhere).
    recommended
        Name of the policy the evidence is about.
    subgroups
        Name -> (labels, codes (n,)).
    background
        Facts for the record.

    Raises
    ------
    EvidenceError
        ``PAY-E001`` when rows or policies come from the wrong part.
    DataError
        ``PAY-L008`` when only one outcome occurs, ``PAY-L003`` without rows.
    """
    if not isinstance(stakes, Judging):  # for callers without a type checker
        raise EvidenceError.part_reused(stakes.part, "these policies")
    if len(stakes) == 0:
        raise DataError.empty("the judging rows")
    known = stakes.outcome[stakes.outcome >= 0]
    seen = np.flatnonzero(np.bincount(known, minlength=len(decision.outcomes)))
    if len(seen) == 1:
        raise DataError.one_class(decision.outcome_names[int(seen[0])], len(stakes), "judging")
    acted = [
        p if isinstance(p, Acted) else Acted(policy=p, codes=actions_of(p, stakes))
        for p in policies
    ]
    for one in acted:
        if one.policy.tuned_on == "judge":
            raise EvidenceError.part_reused("judge", "judge")
    beside = [a for a in acted if a.policy.name.startswith(WITHOUT)]
    acted = [a for a in acted if a not in beside]
    acted.sort(key=lambda a: a.policy.name != recommended)
    if stakes.bounds is not None:
        return judge_selected(
            decision, stakes, stakes.bounds, acted, subgroups=subgroups, background=background
        )
    acted, logged = with_the_past(decision, stakes, acted)
    core = _Core(decision, stakes, logged)
    values = {
        a.policy.name: money_of(a.codes, stakes, logged=a.policy.name in logged)
        - fixed_cost(decision, a.policy, a.codes, stakes.weight)
        for a in acted
    }
    found = tuple(core.policy(a, values[a.policy.name]) for a in acted)
    first = acted[0]
    comparisons = tuple(
        core.comparison(first, other, values[first.policy.name] - values[other.policy.name])
        for other in acted[1:]
    )
    judged = Judged(
        decision=decision,
        stakes=stakes,
        acted=tuple(acted),
        values=values,
        policies=found,
        comparisons=comparisons,
        verdict=verdict(found, comparisons),
        subgroups=subgroups,
        background=background,
        logged=logged,
    )
    past = past_section(judged)
    why = core.unknown(first)
    missing = {"not_measured": why}
    groups = (
        unmeasured_groups(decision, stakes, subgroups, first.codes, why)
        if why
        else subgroup_evidence(judged)
    )
    declared = tuple(g for g in groups if not g.automatic)
    reliability = missing if why else calibration(judged)
    again = RowsAgain(judged=judged)
    rates = base_rate(judged, again)
    shift = outcome_shift(judged, rates)
    levers = (
        missing
        if why
        else sensitivity(judged, again, capacity=capacity_curve(judged), volume=volume(judged))
    )
    sureness = missing if why else intervals(judged)
    automated, strangers = automation(judged), familiarity(judged)
    capacity = limits_used(judged)
    constraints = constraints_judged(judged, beside)
    own = evidence_checks.check(
        evidence_checks.Findings(
            decision=decision,
            stakes=stakes,
            n=len(stakes),
            policies=found,
            comparisons=comparisons,
            verdict=judged.verdict,
            subgroups=declared,
            calibration=reliability,
            shift=shift,
            capacity=capacity,
            intervals=sureness,
            ours=background.fit_shares is not None,
        )
    )
    behaved = behaviour(judged)
    of_past = past_checks(decision, past, background.data, recorded=first.policy.kind == "recorded")
    return Evidence(
        decision=decision_facts(decision),
        data=background.data,
        model=background.model,
        verdict=judged.verdict,
        policies=found,
        comparisons=comparisons,
        subgroups=groups,
        calibration=reliability,
        curve=value_curve(judged),
        shift=shift,
        people=people(judged),
        sensitivity=levers,
        base_rate=rates,
        intervals=sureness,
        information=missing if why else information(judged),
        capacity=capacity,
        constraints=constraints,
        checks=(
            *background.checks,
            *own,
            *of_past,
            *limit_checks(judged, constraints),
            *change_checks(decision, judged.verdict, levers, rates),
            automation_check(automated, decision.automation is not None),
            familiarity_check(strangers),
            *behaviour_checks(behaved),
        ),
        behaviour=behaved,
        explanations=background.examples or {"not_measured": NO_DOCUMENTS},
        seed=background.seed,
        made_with=versions(),
        past=past,
        themes=theme_section(judged, groups),
        automation=automated,
        familiarity=strangers,
        optimism=optimism(decision, background.tuned),
    )


class _Core:
    """Figures of one policy or of a pair; holds what all of them share."""

    def __init__(self, decision: Decision, stakes: Stakes, logged: frozenset[str]) -> None:
        self.logged = logged
        self.decision = decision
        self.stakes = stakes
        self.total_weight = float(stakes.weight.sum())
        self.best = stakes.realised.max(axis=1)

    def estimate(self, values: NDArray[np.float64], identical: str = "") -> Estimate:
        return worth(self.decision, self.stakes, values, identical=identical)

    def total(self, estimate: Estimate) -> Estimate:
        return estimate.scaled(self.decision.units_reported, self.decision.money_unit)

    def policy(self, acted: Acted, values: NDArray[np.float64]) -> PolicyEvidence:
        policy = acted.policy
        value = self.estimate(values, certain(self.decision, policy))
        why = self.unknown(acted)
        if why:
            value = unknown_value(self.decision, self.stakes, acted, why)
        uses, cells = self.cells(acted.codes, policy_value(acted.codes, self.stakes))
        if self.stakes.past is not None:
            cells = () if why else self._past_cells(acted, self.stakes.past)
        strict = policy.baseline or policy.kind == "automation"
        beyond = strict and beyond_limits(self.decision, self.stakes, acted.codes)
        fixed = fixed_cost(self.decision, policy, acted.codes, self.stakes.weight)
        return PolicyEvidence(
            name=policy.name,
            label=policy.label,
            how=policy.how,
            baseline=policy.baseline,
            value=value,
            total=self.total(value),
            actions=uses,
            cells=cells,
            feasible=not beyond,
            shut=policy.shut,
            breaks=constraints_broken(self.decision, self.stakes, acted.codes),
            fixed_per_period=fixed * self.decision.units_reported,
        )

    def unknown(self, acted: Acted) -> str:
        """Say why past decisions cannot tell a policy's value; empty where they can."""
        if self.stakes.past is None or acted.policy.name in self.logged:
            return ""
        labels = tuple(a.label for a in self.decision.actions)
        return no_overlap(self.stakes, acted.codes, labels)

    def _past_cells(self, acted: Acted, past: PastStakes) -> tuple[Cell, ...]:
        if acted.policy.name in self.logged:
            past = dataclasses.replace(past, propensity=np.ones(len(past.taken)))
        return past_cells(self.decision, self.stakes, past, acted.codes)

    def cells(
        self, codes: NDArray[np.int16], values: NDArray[np.float64]
    ) -> tuple[tuple[ActionUse, ...], tuple[Cell, ...]]:
        weight = self.stakes.weight
        return confusion(
            self.decision,
            codes,
            # Rows whose outcome is not known stand in no cell; those are then estimated elsewhere.
            np.maximum(self.stakes.outcome, 0),
            n=None,
            weight=weight,
            money=weight * values,
            regret=weight * (self.best - values),
            bounds=self._bounds,
        )

    def _bounds(self, rows: NDArray[np.bool_], part: float) -> tuple[float, float]:
        level = self.decision.evidence.level
        if self.stakes.resampled is None and not self.stakes.weighted:
            return wilson(min(part, 1.0), len(rows), level)
        found = share(rows, self.stakes.weight, self.stakes.resampled, level=level)
        return found.low or 0.0, found.high if found.high is not None else 1.0

    def comparison(self, first: Acted, other: Acted, difference: NDArray[np.float64]) -> Comparison:
        differ = first.codes != other.codes
        same = "" if differ.any() else "the two act alike on every row judged"
        value = self.estimate(difference, same)
        why = "" if same else self.unknown(first) or self.unknown(other)
        if why:
            value = no_value(self.decision, self.stakes, why)
        return Comparison(
            policy=first.policy.name,
            against=other.policy.name,
            value=value,
            total=self.total(value),
            differ=float(self.stakes.weight[differ].sum() / self.total_weight),
        )
