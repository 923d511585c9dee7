"""Judging where outcomes were recorded only under some past actions: bounds, never a point value.

An applicant who was refused shows no default. Nothing in the rows says how such people would have
turned out, so the money of a policy that treats them otherwise lies between two ends: every one of
them at the least money of its action, and every one at the most.

References
----------
Manski, C. F. (1990). Nonparametric bounds on treatment effects. American Economic Review 80(2).
Lakkaraju, H. et al. (2017). The selective labels problem. KDD. Imbens, G. W. & Manski, C. F.
(2004). Confidence intervals for partially identified parameters. Econometrica 72(6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence import checks as evidence_checks
from payoff.evidence.acted import Acted, Background
from payoff.evidence.constraints import constraints_broken, constraints_judged
from payoff.evidence.evidence import (
    NOT_ASKED,
    ActionUse,
    Comparison,
    Estimate,
    Evidence,
    PolicyEvidence,
)
from payoff.evidence.exploration import exploration
from payoff.evidence.facts import decision_facts, versions
from payoff.evidence.interval import share
from payoff.evidence.judged import Judged
from payoff.evidence.limits import beyond_limits, limit_checks, limits_used
from payoff.evidence.no_overlap import unmeasured_groups
from payoff.evidence.offpolicy import bounded
from payoff.evidence.past_checks import past_checks
from payoff.evidence.verdict import NEXT_IF_REFUSED
from payoff.evidence.wording import amount, quoted
from payoff.evidence.worth import worth
from payoff.policy.best import fixed_cost
from payoff.policy.past import Bounds
from payoff.policy.stakes import Judging

__all__ = ["judge_selected"]


def judge_selected(
    decision: Decision,
    stakes: Judging,
    bounds: Bounds,
    acted: Sequence[Acted],
    *,
    subgroups: Mapping[str, tuple[tuple[str, ...], NDArray[np.int32]]],
    background: Background,
) -> Evidence:
    """Judge policies within bounds; the recommended one comes first.

    Parameters
    ----------
    bounds
        The rows without an outcome, and what they could have earned.
    """
    core = _Core(decision, stakes, bounds)
    found = tuple(core.policy(a) for a in acted)
    comparisons = tuple(core.comparison(acted[0], other) for other in acted[1:])
    told = core.verdict(found, comparisons)
    missing = {"not_measured": core.reason}
    groups = unmeasured_groups(decision, stakes, subgroups, acted[0].codes, core.reason)
    judged = Judged(
        decision=decision,
        stakes=stakes,
        acted=tuple(acted),
        values={},
        policies=found,
        comparisons=comparisons,
        verdict=told,
        subgroups=subgroups,
        background=background,
    )
    capacity = limits_used(judged)
    constraints = constraints_judged(judged, ())
    past = core.section(acted, found, comparisons)
    own = evidence_checks.check(
        evidence_checks.Findings(
            decision=decision,
            stakes=stakes,
            n=len(stakes),
            policies=found,
            comparisons=comparisons,
            verdict=told,
            subgroups=groups,
            calibration=missing,
            shift=missing,
            capacity=capacity,
            intervals=missing,
            ours=background.fit_shares is not None,
        )
    )
    recorded = acted[0].policy.kind == "recorded"
    of_past = past_checks(decision, past, background.data, recorded=recorded)
    return Evidence(
        decision=decision_facts(decision),
        data=background.data,
        model=background.model,
        verdict=told,
        policies=found,
        comparisons=comparisons,
        subgroups=groups,
        calibration=missing,
        curve=missing,
        shift=missing,
        capacity=capacity,
        constraints=constraints,
        checks=(*background.checks, *own, *of_past, *limit_checks(judged, constraints)),
        seed=background.seed,
        made_with=versions(),
        past=past,
        intervals=missing,
        optimism=missing,
        people=missing,
        sensitivity=missing,
        base_rate=missing,
        information=missing,
        themes=missing if background.slices is not None else {"not_measured": NOT_ASKED},
    )


class _Core:
    """Figures of one policy or of a pair, within bounds."""

    def __init__(self, decision: Decision, stakes: Judging, bounds: Bounds) -> None:
        self.decision, self.stakes, self.bounds = decision, stakes, bounds
        past = decision.past
        known = past.outcomes_known if past is not None else ()
        done = " and ".join(quoted(decision.action_label(a)) for a in known)
        self.reason = f"outcomes were recorded only where {done} was done"
        self.total_weight = float(stakes.weight.sum())

    def estimate(
        self, low: NDArray[np.float64], high: NDArray[np.float64], same: str = ""
    ) -> tuple[Estimate, tuple[float, float], int]:
        """Return the figure, its two ends per unit, and on how many rows it is not known."""
        decision = self.decision
        unknown = int(np.sum(high > low))
        if not unknown:
            exact = worth(decision, self.stakes, low, identical=same)
            return exact, (exact.value or 0.0, exact.value or 0.0), 0
        level, unit = decision.evidence.level, decision.value_unit
        found, ends = bounded(self.stakes, low, high, level=level, unit=unit, reason=self.reason)
        return found, ends, unknown

    def fixed(self, acted: Acted) -> float:
        """Return the fixed costs of a policy per unit."""
        return fixed_cost(self.decision, acted.policy, acted.codes, self.stakes.weight)

    def total(self, estimate: Estimate) -> Estimate:
        return estimate.scaled(self.decision.units_reported, self.decision.money_unit)

    def policy(self, acted: Acted) -> PolicyEvidence:
        policy = acted.policy
        low, high = self.bounds.of(acted.codes, self.stakes.realised)
        same = "its money is the same on every row" if policy.kind == "constant" else ""
        fixed = self.fixed(acted)
        value, _, _ = self.estimate(low - fixed, high - fixed, same)
        uses = self.uses(acted.codes)
        beyond = policy.baseline and beyond_limits(self.decision, self.stakes, acted.codes)
        return PolicyEvidence(
            name=policy.name,
            label=policy.label,
            how=policy.how,
            baseline=policy.baseline,
            value=value,
            total=self.total(value),
            actions=uses,
            cells=(),
            feasible=not beyond,
            shut=policy.shut,
            breaks=constraints_broken(self.decision, self.stakes, acted.codes),
            fixed_per_period=fixed * self.decision.units_reported,
        )

    def uses(self, codes: NDArray[np.int16]) -> tuple[ActionUse, ...]:
        stakes, decision = self.stakes, self.decision
        units = decision.units_reported
        found = []
        for a, action in enumerate(decision.action_names):
            rows = codes == a
            part = share(rows, stakes.weight, stakes.resampled, level=decision.evidence.level)
            found.append(
                ActionUse(
                    action=action,
                    n=int(rows.sum()),
                    share=part.value or 0.0,
                    per_period=(part.value or 0.0) * units,
                    low=None if part.low is None else part.low * units,
                    high=None if part.high is None else part.high * units,
                )
            )
        return tuple(found)

    def comparison(self, first: Acted, other: Acted) -> Comparison:
        low, high = self.bounds.between(first.codes, other.codes, self.stakes.realised)
        differ = first.codes != other.codes
        same = "" if differ.any() else "the two act alike on every row judged"
        more = self.fixed(first) - self.fixed(other)
        value, _, _ = self.estimate(low - more, high - more, same)
        return Comparison(
            policy=first.policy.name,
            against=other.policy.name,
            value=value,
            total=self.total(value),
            differ=float(self.stakes.weight[differ].sum() / self.total_weight),
        )

    def verdict(
        self, found: Sequence[PolicyEvidence], comparisons: Sequence[Comparison]
    ) -> dict[str, Any]:
        """Say what holds whatever the unseen outcomes are."""
        simple = [p for p in found[1:] if p.baseline and p.feasible] or list(found[1:])
        names = {p.name for p in simple}
        against = {c.against: c.value for c in comparisons if c.against in names}
        # The policy hardest to beat is the one over which least is certain to be gained.
        best = min(against, key=lambda k: _low(against[k]), default=found[-1].name)
        reference = next((n for n in ("current_rule", "do_nothing") if n in names), best)
        label = quoted(next(p.label for p in found if p.name == best))
        state, then = "uncertain", "Decide some cases by chance, and judge on those."
        sentence = f"These rows do not tell whether it earns more than {label}: {self.reason}."
        if against and _low(against[best]) > 0:
            state, then = "deploy", ""
            sentence = (
                "It earns more than every policy without a model, whatever the outcomes that were "
                "never recorded would have been."
            )
        beaten = [k for k, e in against.items() if e.high is not None and e.high <= 0]
        if beaten:
            state, best = "refuse", beaten[0]
            label = quoted(next(p.label for p in found if p.name == best))
            sentence = (
                f"{label}, which needs no model, earns as much or more, whatever the outcomes that "
                "were never recorded would have been."
            )
            then = NEXT_IF_REFUSED.format(label=label)
        return {
            "state": state,
            "recommended": found[0].name,
            "reference": reference,
            "best_trivial": best,
            "sentence": sentence,
            "next": then,
        }

    def section(
        self,
        acted: Sequence[Acted],
        found: Sequence[PolicyEvidence],
        comparisons: Sequence[Comparison],
    ) -> dict[str, Any]:
        """Return the section ``past``: who has no outcome, the bounds, and how to learn more."""
        decision, stakes, bounds = self.decision, self.stakes, self.bounds
        without = np.zeros(len(stakes), bool)
        without[bounds.rows] = True
        part = share(without, stakes.weight, stakes.resampled, level=decision.evidence.level)
        told = [self._bounds(a, p) for a, p in zip(acted, found, strict=True)]
        actions = []
        for a, name in enumerate(decision.action_names):
            rows = bounds.taken == a
            actions.append(
                {
                    "action": name,
                    "n": int(rows.sum()),
                    "share": asdict(
                        share(rows, stakes.weight, stakes.resampled, level=decision.evidence.level)
                    ),
                    "unknown": int(np.sum(rows & without)),
                }
            )
        spread = float((bounds.high.max(axis=(1, 2)) - bounds.low.min(axis=(1, 2))).mean() / 2)
        spread = spread if len(bounds.rows) else 0.0
        return {
            "design": {
                "how": "selected",
                "words": self.reason,
                "n": len(stakes),
                "actions": actions,
                "unknown": int(without.sum()),
                "unknown_share": asdict(part),
            },
            "bounds": told,
            "differences": [
                {"against": c.against, "value": asdict(c.value), "total": asdict(c.total)}
                for c in comparisons
            ],
            "exploration": exploration(decision, stakes, acted[0].codes, spread),
            "sentences": self._sentences(told[0], int(without.sum())),
        }

    def _bounds(self, acted: Acted, found: PolicyEvidence) -> dict[str, Any]:
        low, high = self.bounds.of(acted.codes, self.stakes.realised)
        fixed = self.fixed(acted)
        _, ends, unknown = self.estimate(low - fixed, high - fixed)
        units = self.decision.units_reported
        return {
            "policy": acted.policy.name,
            "label": acted.policy.label,
            "n": len(self.stakes),
            "unknown": unknown,
            "low": ends[0] * units,
            "high": ends[1] * units,
            "unit": self.decision.money_unit,
            "total": asdict(found.total),
        }

    def _sentences(self, first: Mapping[str, Any], unknown: int) -> list[str]:
        said = [
            f"For {unknown:,} of the {len(self.stakes):,} rows judged nobody knows what would "
            f"have happened: {self.reason}."
        ]
        if first["unknown"]:
            currency, per, rest = str(first["unit"]).partition(" per ")
            said.append(
                f"So the policy is worth between {amount(first['low'], currency)} and "
                f"{amount(first['high'], currency)}{per}{rest}; no single figure would be honest."
            )
        return said


def _low(estimate: Estimate) -> float:
    return -np.inf if estimate.low is None else float(estimate.low)
