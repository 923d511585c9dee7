"""The judging from cells: sums over the rows in, the same evidence out.

Every figure that rests on sums is the figure of the rows: values, totals, paired differences and
their t intervals, confusion cells, groups, the value at bin edges. What needs single rows says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.errors import DataError
from payoff.evidence import cells_curve
from payoff.evidence import checks as evidence_checks
from payoff.evidence.acted import Background
from payoff.evidence.automation import automation_check, why_none
from payoff.evidence.base_rate import base_rate
from payoff.evidence.behaviour import NO_DOCUMENTS
from payoff.evidence.cells import NEEDS_ROWS, CellSet, Money, mean, mean_like, share
from payoff.evidence.cells_again import CellsAgain
from payoff.evidence.cells_groups import codes_in, subgroup_evidence
from payoff.evidence.cells_judged import ActedCells, CellJudged, Cells
from payoff.evidence.cells_sql import BINS, edge
from payoff.evidence.cells_sureness import intervals_of_cells
from payoff.evidence.change_checks import change_checks
from payoff.evidence.confusion import confusion
from payoff.evidence.evidence import (
    ActionUse,
    Cell,
    Comparison,
    Estimate,
    Evidence,
    PolicyEvidence,
)
from payoff.evidence.facts import certain, decision_facts, versions
from payoff.evidence.familiarity import familiarity_check, why_not
from payoff.evidence.information import information
from payoff.evidence.interval import wilson
from payoff.evidence.limits import limit_checks
from payoff.evidence.optimism import Removed, optimism_told
from payoff.evidence.past import NOT_DECLARED
from payoff.evidence.past_checks import past_checks
from payoff.evidence.people import people
from payoff.evidence.room import volume_told
from payoff.evidence.sensitivity import sensitivity
from payoff.evidence.shift import ELSEWHERE
from payoff.evidence.terms import Terms
from payoff.evidence.verdict import verdict
from payoff.policy.choose import orientation, untuned
from payoff.policy.policy import Policy
from payoff.policy.stakes import Stakes

__all__ = ["judge_cells", "means"]

Codes = NDArray[np.int16]


def judge_cells(
    decision: Decision,
    terms: Terms,
    cells: Cells,
    *,
    recorded: Policy | None,
    policies: Sequence[Policy] | None = None,
    background: Background,
) -> Evidence:
    """Judge from cells as :func:`payoff.evidence.judge.judge` does from rows.

    Parameters
    ----------
    terms
        The payoff table in the terms whose sums the cells hold.
    recorded
        The policy whose actions were given; None where the actions follow from probabilities.
    policies
        All policies, the recommended one first; None asks for the usual ones.
    background
        Facts for the record.

    Raises
    ------
    DataError
        ``PAY-L003`` without rows, ``PAY-L008`` when only one outcome occurs.
    """
    core = _Core(decision, terms, cells)
    if policies is None:
        usual = untuned(decision, means(decision, terms, cells.base, with_prob=recorded is None))
        policies = usual if recorded is None else [recorded, *(p for p in usual if p.baseline)]
    known = [core.acted(p) for p in policies]
    found = tuple(core.policy(a) for a in known)
    comparisons = tuple(core.comparison(known[0], other) for other in known[1:])
    judgement = verdict(found, comparisons)
    judged = CellJudged(
        decision,
        terms,
        cells,
        acted=known,
        policies=found,
        comparisons=comparisons,
        verdict=judgement,
        background=background,
    )
    again = CellsAgain(judged)
    rates = base_rate(judged, again)
    levers = sensitivity(
        judged,
        again,
        capacity={"not_measured": "no action is limited"},
        volume=volume_told(judged, [], None),
    )
    past = {"not_measured": NOT_DECLARED}
    automated = {"not_measured": why_none(decision)}
    strangers = {"not_measured": why_not(decision)}
    sureness = intervals_of_cells(judged)
    reference = next(a for a in known if a.policy.name == judgement["reference"])
    groups = subgroup_evidence(
        decision, terms, cells.groups, known[0].policy, reference.policy, seed=background.seed
    )
    reliability: Mapping[str, Any] = {"not_measured": NEEDS_ROWS}
    curve: Mapping[str, Any] = {"not_measured": NEEDS_ROWS}
    if recorded is not None:
        reliability = curve = {"not_measured": "the predictions are actions, without probabilities"}
    elif cells.score is not None:
        kinds = [a.policy.kind for a in known]
        by_money = found[kinds.index("expected")]
        reliability = cells_curve.calibration(
            decision, terms, cells.score, by_money.value, seed=background.seed
        )
        curve = cells_curve.value_curve(
            decision,
            terms,
            cells.score,
            orientation(means(decision, terms, cells.score, with_prob=True), decision),
            found[0].total.value or 0.0,
        )
    if recorded is None and not decision.is_binary:
        curve = {
            "not_measured": "one threshold orders two actions under two outcomes only; this "
            f"decision has {len(decision.actions)} and {len(decision.outcomes)}"
        }
    shift = {"not_measured": ELSEWHERE}
    own = evidence_checks.check(
        evidence_checks.Findings(
            decision=decision,
            stakes=None,
            kinds=_kinds(decision, terms, cells.base, by_expected=recorded is None),
            n=round(float(cells.base.n.sum())),
            policies=found,
            comparisons=comparisons,
            verdict=judgement,
            subgroups=groups,
            calibration=reliability,
            shift=shift,
            capacity=(),
            intervals=sureness,
            ours=False,
        )
    )
    return Evidence(
        decision=decision_facts(decision),
        data=background.data,
        model=background.model,
        verdict=judgement,
        policies=found,
        comparisons=comparisons,
        subgroups=groups,
        calibration=reliability,
        curve=curve,
        shift=shift,
        capacity=(),
        checks=(
            *background.checks,
            *own,
            *past_checks(decision, past, background.data, recorded=recorded is not None),
            *limit_checks(None, ()),
            *change_checks(decision, judgement, levers, rates),
            automation_check(automated, decision.automation is not None),
            familiarity_check(strangers),
        ),
        seed=background.seed,
        made_with=versions(),
        people=people(judged),
        sensitivity=levers,
        base_rate=rates,
        information=information(judged),
        intervals=sureness,
        optimism=core.optimism(known, found),
        past=past,
        automation=automated,
        familiarity=strangers,
        behaviour={"not_measured": NO_DOCUMENTS},
        explanations={"not_measured": NO_DOCUMENTS},
    )


def _kinds(
    decision: Decision, terms: Terms, cells: CellSet, *, by_expected: bool
) -> evidence_checks.Kinds | None:
    """Return the kinds of rows by outcome; None where actions differ by amounts."""
    if not np.all(terms.factor == terms.factor[:1]):
        return None
    seen = np.unique(cells.outcome)
    count = np.array([float(cells.n[cells.outcome == o].sum()) for o in seen])
    return evidence_checks.Kinds(
        money=terms.constant[:, seen].T,
        n=count if decision.data.weight is None else None,
        used=frozenset(np.unique(cells.own).tolist()) if by_expected else frozenset(),
    )


def means(decision: Decision, terms: Terms, cells: CellSet, *, with_prob: bool) -> Stakes:
    """Return one unit per outcome that was seen, with the mean money of each action."""
    n_actions = len(decision.actions)
    rows = []
    outcomes = np.unique(cells.outcome)
    for outcome in outcomes:
        some = cells.take(cells.outcome == outcome)
        row = []
        for action in range(n_actions):
            codes = np.full(len(some), action, np.int16)
            row.append(float(Money.of(terms, codes, some.outcome).sums(some).sum()))
        rows.append(np.array(row) / float(some.w1.sum()))
    n = len(outcomes)
    return Stakes(
        part="judge",
        prob=np.zeros((n, len(decision.outcomes))) if with_prob else None,
        expected=np.zeros((n, n_actions)) if with_prob else None,
        realised=np.array(rows),
        outcome=outcomes.astype(np.int16),
        rule=None,
        weight=np.ones(n),
        cluster=np.arange(n),
        clustered=False,
        weighted=False,
    )


class _Core:
    """Figures of one policy or of a pair; holds what all of them share."""

    def __init__(self, decision: Decision, terms: Terms, cells: Cells) -> None:
        self.decision, self.terms, self.cells = decision, terms, cells
        self.total = float(cells.base.w1.sum())
        self.n = float(cells.base.n.sum())
        if self.n == 0 or self.total <= 0:
            raise DataError.empty("the judging rows", "no row whose outcome is known")
        outcomes = range(len(decision.outcomes))
        seen = [o for o in outcomes if cells.base.n[cells.base.outcome == o].sum() > 0]
        if len(seen) == 1:
            raise DataError.one_class(decision.outcome_names[seen[0]], round(self.n), "judging")

    # -------------------------------------------------------------------------------- policies

    def acted(self, policy: Policy) -> ActedCells:
        """Apply a policy to the cells, in each of which everything it looks at is the same."""
        cells, names = self.cells.base, self.decision.action_names
        if policy.kind == "likeliest":
            codes = np.array([names.index(a) for a in policy.answers], np.int16)[cells.likely]
        elif policy.kind == "threshold":
            high, low = names.index(str(policy.high)), names.index(str(policy.low))
            passed = cells.half
            if policy.name == "threshold":
                assert self.cells.threshold is not None
                passed = cells.tuned
                ends = " and ".join(f"{edge(k):.4g}" for k in self.cells.threshold)
                how = (
                    "One threshold on the probability, an edge of its "
                    f"{BINS:,} bins; tuned on one half of the rows, used on the other ({ends})."
                )
                policy = dataclasses.replace(policy, how=how, threshold=None)
            assert passed is not None
            codes = np.where(passed, high, low).astype(np.int16)
        else:
            codes = codes_in(policy, cells)
        return ActedCells(policy=policy, codes=codes)

    # --------------------------------------------------------------------------------- figures

    def estimate(self, money: Money, identical: str = "") -> Estimate:
        return mean(self.cells.base, money, self.decision, identical=identical)

    def scaled(self, estimate: Estimate) -> Estimate:
        return estimate.scaled(self.decision.units_reported, self.decision.money_unit)

    def policy(self, acted: ActedCells) -> PolicyEvidence:
        policy = acted.policy
        money = Money.of(self.terms, acted.codes, self.cells.base.outcome)
        value = self.estimate(money, certain(self.decision, policy))
        uses, cells = self.table(acted, money)
        return PolicyEvidence(
            name=policy.name,
            label=policy.label,
            how=policy.how,
            baseline=policy.baseline,
            value=value,
            total=self.scaled(value),
            actions=uses,
            cells=cells,
        )

    def table(
        self, acted: ActedCells, money: Money
    ) -> tuple[tuple[ActionUse, ...], tuple[Cell, ...]]:
        cells = self.cells.base
        earned = money.sums(cells)
        level, weighted = self.decision.evidence.level, self.decision.data.weight is not None

        def bounds(inside: NDArray[np.bool_], part: float) -> tuple[float, float]:
            if not weighted:
                return wilson(min(part, 1.0), self.n, level)
            found = share(cells, inside, level=level, weighted=True)
            return found.low or 0.0, found.high if found.high is not None else 1.0

        return confusion(
            self.decision,
            acted.codes,
            cells.outcome,
            n=cells.n,
            weight=cells.w1,
            money=earned,
            regret=cells.best - earned,
            bounds=bounds,
        )

    def comparison(self, first: ActedCells, other: ActedCells) -> Comparison:
        cells, a, b = self.cells.base, first.codes, other.codes
        differ = a != b
        money = Money.of(self.terms, a, cells.outcome) - Money.of(self.terms, b, cells.outcome)
        same = "" if differ.any() else "the two act alike on every row judged"
        value = self.estimate(money, same)
        return Comparison(
            policy=first.policy.name,
            against=other.policy.name,
            value=value,
            total=self.scaled(value),
            differ=float(cells.w1[differ].sum() / self.total),
        )

    def optimism(
        self, known: Sequence[ActedCells], found: Sequence[PolicyEvidence]
    ) -> dict[str, Any]:
        """Return what tuning the threshold on the rows it judges would have flattered it by."""
        names = [a.policy.name for a in known]
        cells, threshold = self.cells.score, self.cells.threshold
        if "threshold" not in names or cells is None or threshold is None:
            return optimism_told([])
        policy, honest = known[names.index("threshold")].policy, found[names.index("threshold")]
        assert cells.score is not None
        actions = self.decision.action_names
        high, low = actions.index(str(policy.high)), actions.index(str(policy.low))
        best = cells_curve.best_edge(self.terms, cells, (high, low))
        tuned = np.where(cells.score >= best, high, low).astype(np.int16)
        taken = np.where(cells.score >= np.array(threshold)[cells.fold], high, low).astype(np.int16)
        apparent = Money.of(self.terms, tuned, cells.outcome)
        removed = apparent - Money.of(self.terms, taken, cells.outcome)
        same = "" if np.any(tuned != taken) else "both ways act alike on every row"
        like = honest.value
        return optimism_told(
            [
                Removed(
                    name="threshold",
                    apparent=self.scaled(mean_like(cells, apparent, self.decision, like)),
                    honest=honest.total,
                    removed=self.scaled(
                        mean_like(cells, removed, self.decision, like, identical=same)
                    ),
                )
            ]
        )
