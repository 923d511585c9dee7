"""The judging itself: stakes of the judging rows and frozen policies in, evidence out."""

from __future__ import annotations

import itertools
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.checks import Check
from payoff.declare import Decision
from payoff.declare.decision import plural
from payoff.declare.expression import constant_of
from payoff.errors import DataError, EvidenceError
from payoff.evidence import checks as evidence_checks
from payoff.evidence.calibration import calibration
from payoff.evidence.curve import value_curve
from payoff.evidence.evidence import (
    ActionUse,
    Cell,
    Comparison,
    Estimate,
    Evidence,
    PolicyEvidence,
)
from payoff.evidence.interval import cluster_sums, mean_money, share, wilson
from payoff.evidence.shift import outcome_shift
from payoff.evidence.subgroup import subgroup_evidence
from payoff.policy.choose import actions_of, default_action, limited_shares
from payoff.policy.policy import Policy
from payoff.policy.stakes import Stakes

__all__ = ["Acted", "Background", "judge"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Acted:
    """A policy and the action it took on each judging row (int16, (n,))."""

    policy: Policy
    codes: NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What the evidence records beside the figures: data, model, earlier checks, seed."""

    data: Mapping[str, Any]
    model: Mapping[str, Any]
    checks: tuple[Check, ...] = ()
    fit_shares: Mapping[str, float] | None = None
    fit_n: int = 0
    choose_shares: Mapping[str, float] | None = None
    seed: int = 0


def judge(
    decision: Decision,
    stakes: Stakes,
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
        The judging rows; ``stakes.part`` must be ``"judge"``.
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
    if stakes.part != "judge":
        raise EvidenceError.part_reused(stakes.part, "these policies")
    if len(stakes) == 0:
        raise DataError.empty("the judging rows")
    seen = np.flatnonzero(np.bincount(stakes.outcome, minlength=len(decision.outcomes)))
    if len(seen) == 1:
        raise DataError.one_class(decision.outcome_names[int(seen[0])], len(stakes), "judging")
    acted = [
        p if isinstance(p, Acted) else Acted(policy=p, codes=actions_of(p, stakes))
        for p in policies
    ]
    for one in acted:
        if one.policy.tuned_on == "judge":
            raise EvidenceError.part_reused("judge", "judge")
    acted.sort(key=lambda a: a.policy.name != recommended)
    core = _Core(decision, stakes, background.seed)
    values = {a.policy.name: core.values(a.codes) for a in acted}
    found = tuple(core.policy(a, values[a.policy.name]) for a in acted)
    first = acted[0]
    comparisons = tuple(
        core.comparison(first, other, values[first.policy.name] - values[other.policy.name])
        for other in acted[1:]
    )
    verdict = _verdict(decision, found, comparisons)
    reference = next(a for a in acted if a.policy.name == verdict["reference"])
    groups = subgroup_evidence(
        decision,
        stakes,
        first.codes,
        values[first.policy.name],
        values[reference.policy.name],
        subgroups,
        seed=background.seed,
    )
    reliability = calibration(
        decision, stakes, first.codes, values[first.policy.name], seed=background.seed
    )
    shift = outcome_shift(decision, stakes, background, acted, values)
    curve = value_curve(decision, stakes, acted)
    capacity = _capacity(decision, found[0], first.policy)
    own = evidence_checks.check(
        evidence_checks.Findings(
            decision=decision,
            stakes=stakes,
            policies=found,
            comparisons=comparisons,
            verdict=verdict,
            subgroups=groups,
            calibration=reliability,
            shift=shift,
            capacity=capacity,
            recorded=first.policy.kind == "recorded",
            ours=background.fit_shares is not None,
        )
    )
    return Evidence(
        decision=_decision_facts(decision),
        data=background.data,
        model=background.model,
        verdict=verdict,
        policies=found,
        comparisons=comparisons,
        subgroups=groups,
        calibration=reliability,
        curve=curve,
        shift=shift,
        capacity=capacity,
        checks=(*background.checks, *own),
        seed=background.seed,
        made_with=_versions(),
    )


class _Core:
    """Figures of one policy or of a pair; holds what all of them share."""

    def __init__(self, decision: Decision, stakes: Stakes, seed: int) -> None:
        self.decision = decision
        self.stakes = stakes
        self.seed = seed
        self.cluster = stakes.cluster if stakes.clustered else None
        self.per_unit = f"{decision.currency} per {decision.unit}"
        self.total_weight = float(stakes.weight.sum())
        self.best = stakes.realised.max(axis=1)

    def values(self, codes: NDArray[np.int16]) -> NDArray[np.float64]:
        out: NDArray[np.float64] = self.stakes.realised[np.arange(len(codes)), codes]
        return out

    def estimate(self, values: NDArray[np.float64], identical: str = "") -> Estimate:
        sums = cluster_sums(values, self.stakes.weight, self.cluster)
        return mean_money(
            sums,
            level=self.decision.evidence.level,
            unit=self.per_unit,
            seed=self.seed,
            identical=identical,
        )

    def total(self, estimate: Estimate) -> Estimate:
        return estimate.scaled(self.decision.units_reported, self.decision.money_unit)

    def policy(self, acted: Acted, values: NDArray[np.float64]) -> PolicyEvidence:
        policy = acted.policy
        value = self.estimate(values, self._certain(policy))
        uses, cells = self.cells(acted.codes, values)
        limits = limited_shares(self.decision)
        beyond = policy.baseline and any(
            u.share > limits[u.action] * (1 + 1e-9) for u in uses if u.action in limits
        )
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
        )

    def _certain(self, policy: Policy) -> str:
        """Say why a constant policy's value is certain: its money is the same whatever happens."""
        if policy.kind != "constant":
            return ""
        cells = {
            constant_of(self.decision.payoffs.cell(str(policy.high), o).node)
            for o in self.decision.outcome_names
        }
        if len(cells) == 1 and None not in cells:
            return "its money is the same constant under every outcome"
        return ""

    def cells(
        self, codes: NDArray[np.int16], values: NDArray[np.float64]
    ) -> tuple[tuple[ActionUse, ...], tuple[Cell, ...]]:
        actions, outcomes = self.decision.action_names, self.decision.outcome_names
        place = codes.astype(np.int64) * len(outcomes) + self.stakes.outcome
        size = len(actions) * len(outcomes)

        def sums(x: NDArray[np.float64]) -> NDArray[np.float64]:
            weighted = self.stakes.weight * x
            return np.bincount(place, weights=weighted, minlength=size).astype(np.float64)

        n = np.bincount(place, minlength=size)
        w, m = sums(np.ones(len(codes))), sums(values)
        regret = sums(self.best - values)
        cells = tuple(
            Cell(
                action=action,
                outcome=outcome,
                n=int(n[k]),
                **self._people(float(w[k]), place == k),
                money_per_unit=float(m[k] / w[k]) if w[k] > 0 else None,
                money_per_period=self._scaled(float(m[k])),
                regret_per_period=self._scaled(float(regret[k])),
            )
            for k, (action, outcome) in enumerate(itertools.product(actions, outcomes))
        )
        rows, taken = n.reshape(len(actions), -1).sum(1), w.reshape(len(actions), -1).sum(1)
        uses = tuple(
            ActionUse(action=action, n=int(rows[a]), **self._people(float(taken[a]), codes == a))
            for a, action in enumerate(actions)
        )
        return uses, cells

    def _scaled(self, total: float) -> float:
        return total / self.total_weight * self.decision.units_reported

    def _people(self, weight: float, rows: NDArray[np.bool_]) -> dict[str, float]:
        """Return share, units per period and their bounds of the units in a mask."""
        level, units = self.decision.evidence.level, self.decision.units_reported
        part = weight / self.total_weight
        if self.cluster is None and not self.stakes.weighted:
            low, high = wilson(min(part, 1.0), len(rows), level)
        else:
            found = share(rows, self.stakes.weight, self.cluster, level=level)
            low, high = found.low or 0.0, found.high if found.high is not None else 1.0
        return {"share": part, "per_period": part * units, "low": low * units, "high": high * units}

    def comparison(self, first: Acted, other: Acted, difference: NDArray[np.float64]) -> Comparison:
        differ = first.codes != other.codes
        same = "" if differ.any() else "the two act alike on every row judged"
        value = self.estimate(difference, same)
        return Comparison(
            policy=first.policy.name,
            against=other.policy.name,
            value=value,
            total=self.total(value),
            differ=float(self.stakes.weight[differ].sum() / self.total_weight),
        )


def _verdict(
    decision: Decision, found: Sequence[PolicyEvidence], comparisons: Sequence[Comparison]
) -> dict[str, Any]:
    """Say whether to deploy: the larger expectation decides, the interval says how sure.

    References
    ----------
    Vickers, A. J. et al. (2023). Diagnostic and Prognostic Research 7:11 (deciding now takes the
    larger expectation; uncertainty tells whether more data are worth having).
    """
    own, simple = found[0], [p for p in found[1:] if p.baseline and p.feasible]
    feasible = {p.name for p in simple}
    best = max(simple, key=lambda p: p.total.value or 0.0) if simple else found[-1]
    # Today's practice is what the policy replaces; one beyond its own declared capacity is none.
    reference = next((n for n in ("current_rule", "do_nothing") if n in feasible), best.name)
    gain = next((c.total for c in comparisons if c.against == best.name), None)
    label = evidence_checks.quoted(best.label)
    state = "uncertain"
    if own.baseline or not simple or gain is None or gain.value is None:
        sentence = "There is no simpler policy to compare with."
    elif gain.value <= 0:
        state = "refuse"
        sentence = (
            f"Do not deploy it as it stands: a policy without a model, {label}, earned as much or "
            "more on the same rows."
        )
    elif gain.low is not None and gain.low > 0:
        state = "deploy"
        sentence = (
            f"It earned more than every policy without a model: {evidence_checks.money(gain)} more "
            f"than the best of them, {label}."
        )
    elif gain.low is None:
        sentence = (
            f"It earned more than the best policy without a model, {label}, but how sure that is "
            f"cannot be said: {gain.reason}."
        )
    else:
        sentence = (
            f"It earned more than the best policy without a model, {label}, but these rows do not "
            "rule out that it is worse."
        )
    return {
        "state": state,
        "recommended": own.name,
        "reference": reference,
        "best_trivial": best.name,
        "sentence": sentence,
    }


def _capacity(
    decision: Decision, recommended: PolicyEvidence, policy: Policy
) -> tuple[dict[str, Any], ...]:
    found = []
    for action, room in limited_shares(decision).items():
        used = next(u for u in recommended.actions if u.action == action)
        price = policy.prices.get(action)
        binding = bool(price) or used.share >= room * 0.999
        label = next(a.label for a in decision.actions if a.name == action)
        units = plural(decision.unit)
        sentence = f"{label}: room for {room:.1%} of {units}, used for {used.share:.1%}." + (
            f" One more would have earned about {price:,.4g} {decision.currency} "
            "when the policy was chosen."
            if price
            else " More room would earn nothing."
            if price == 0
            else ""
        )
        found.append(
            {
                "action": action,
                "share": room,
                "per_period": room * decision.units_reported,
                "used_share": used.share,
                "shadow_price": price,
                "binding": binding,
                "sentence": sentence,
            }
        )
    return tuple(found)


def _decision_facts(decision: Decision) -> dict[str, Any]:
    rule = decision.current_rule
    text = None
    if rule is not None and rule.column is not None:
        text = f"as recorded in column {rule.column}"
    elif rule is not None:
        cases = "; ".join(f"{c.then} when {c.when}" for c in rule.cases)
        text = f"{cases}; otherwise {rule.otherwise}" if cases else f"{rule.otherwise} for all"
    return {
        "name": decision.name,
        "title": decision.title,
        "kind": decision.kind,
        "unit": decision.unit,
        "units": plural(decision.unit),
        "currency": decision.currency,
        "period": decision.period,
        "volume": decision.volume,
        "money_unit": decision.money_unit,
        "units_reported": decision.units_reported,
        "do_nothing": decision.do_nothing,
        "default": decision.action_names[default_action(decision)],
        "positive": decision.positive,
        "owner": decision.owner,
        "approver": decision.approver,
        "review_by": decision.review_by,
        "level": decision.evidence.level,
        "smallest_group": decision.evidence.smallest_group,
        "actions": [
            {
                "name": a.name,
                "label": a.label,
                "capacity_per_period": a.capacity.per_period if a.capacity else None,
                "capacity_share": decision.capacity_share(a),
            }
            for a in decision.actions
        ],
        "outcomes": [{"name": o.name, "label": o.label} for o in decision.outcomes],
        "payoffs": [
            {
                "action": a,
                "outcome": o,
                "money": decision.payoffs.cell(a, o).money,
                "source": decision.payoffs.cell(a, o).source,
            }
            for a in decision.action_names
            for o in decision.outcome_names
        ],
        "excluded": [{"column": c, "reason": r} for c, r in decision.data.exclude.items()],
        "known_later": [{"column": c, "reason": r} for c, r in decision.data.known_later.items()],
        "current_rule": {"label": rule.label, "text": text} if rule else None,
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for package in ("payoff", "numpy", "scipy", "scikit-learn", "lightgbm", "pyarrow", "duckdb"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
