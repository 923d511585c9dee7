"""What is at stake on the rows of one part: the value policies choose from and judges judge by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.errors import EvidenceError
from payoff.load.dataset import Dataset
from payoff.load.evaluate import TableColumns
from payoff.model.scored import Scored, ScoredArms
from payoff.policy.bounds import Group, Grouping
from payoff.policy.expected import cell_money, realised_money, rule_actions, weighted_money
from payoff.policy.past import Bounds, PastStakes
from payoff.policy.past_stakes import bounds_of, past_facts

__all__ = ["Choosing", "Judging", "Stakes", "money_of", "stakes_to_choose", "stakes_to_judge"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stakes:
    """Money and probabilities of n units, everything a policy may look at and a judge needs.

    Parameters
    ----------
    part
        Part of the rows.
    prob
        float64 (n, n_outcomes), or None when only actions are known.
    expected
        float64 (n, n_actions), expected money of each action; None without probabilities.
    realised
        float64 (n, n_actions), money of each action under the outcome that happened.
    outcome
        int16 (n,), -1 where not known.
    rule
        int16 (n,), action of the current rule; None when it is not declared.
    weight, cluster
        float64 (n,) and int64 (n,).
    clustered, weighted
        Whether a cluster and a weight column are declared.
    groups
        Subgroup -> labels and int32 (n,) codes, for the subgroups that limits and constraints name.
    cells
        (place of the action, place of the outcome) -> money of that cell as known when the decision
        is due, a constant or float64 (n,); empty without probabilities.
    past
        Where ``[past]`` says that acting changes what happens: what was done and how it was chosen.
        ``realised`` then holds doubly robust scores, whose mean is what each action would have
        earned; ``prob`` is None, because every action has probabilities of its own.
    bounds
        Where outcomes are known only under some actions: the rows without one, and what they could
        have earned at least and at most; ``realised`` is NaN on those rows.
    familiar
        float64 (n,), how like each unit is to those learnt from; None where nobody looked.
    """

    part: str
    prob: NDArray[np.float64] | None
    expected: NDArray[np.float64] | None
    realised: NDArray[np.float64]
    outcome: NDArray[np.int16]
    rule: NDArray[np.int16] | None
    weight: NDArray[np.float64]
    cluster: NDArray[np.int64]
    clustered: bool
    weighted: bool
    groups: Mapping[str, Group] = field(default_factory=dict)
    cells: Mapping[tuple[int, int], float | NDArray[np.float64]] = field(default_factory=dict)
    past: PastStakes | None = None
    bounds: Bounds | None = None
    familiar: NDArray[np.float64] | None = None

    @property
    def causal(self) -> bool:
        """Whether acting changes what happens, so that one outcome per row does not judge it."""
        return self.past is not None

    @property
    def why_no_prob(self) -> str:
        """Why there is no one probability of each outcome; meaningful where ``prob`` is None."""
        if self.past is not None:
            return (
                "acting may change what happens ([past]), so each action has probabilities of its "
                "own and none holds for all of them"
            )
        return "the predictions are actions, without probabilities"

    @property
    def why_not_by_outcome(self) -> str:
        """Why figures by the outcome that happened would mislead; empty where they do not."""
        if self.past is None:
            return ""
        return (
            "each row shows what happened under what was done ([past]), not what would have "
            "happened under the policy"
        )

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.outcome)

    @property
    def resampled(self) -> NDArray[np.int64] | None:
        """Codes of what is resampled together; None where every row stands for itself."""
        return self.cluster if self.clustered else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choosing(Stakes):
    """What may tune a number of a policy: rows of the fit or the choose part, never the judge's."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judging(Stakes):
    """What may judge: rows of the judge part. No function that tunes takes it."""


def stakes_to_choose(data: Dataset, scored: Scored | ScoredArms | None) -> Choosing:
    """Join rows and predictions of the fit or the choose part.

    Raises
    ------
    DataError
        ``PAY-L010`` for money that is not finite.
    EvidenceError
        ``PAY-E001`` when the rows are the judge's, or of another part than the predictions.
    """
    if data.part not in ("fit", "choose"):
        raise EvidenceError.part_reused(data.part, "a choice")
    return Choosing(**_facts(data, scored))


def stakes_to_judge(data: Dataset, scored: Scored | ScoredArms | None) -> Judging:
    """Join rows and predictions of the judge part.

    Raises
    ------
    DataError
        ``PAY-L010`` for money that is not finite.
    EvidenceError
        ``PAY-E001`` when the rows are not the judge's, or of another part than the predictions.
    """
    if data.part != "judge":
        raise EvidenceError.part_reused(data.part, "these policies")
    return Judging(**_facts(data, scored))


def money_of(codes: NDArray[np.int16], stakes: Stakes, *, logged: bool) -> NDArray[np.float64]:
    """Return the money of each unit under given actions, float64 (n,).

    What was done itself needs no estimate: it earned what it earned.
    """
    if logged and stakes.past is not None:
        return stakes.past.money
    found: NDArray[np.float64] = stakes.realised[np.arange(len(codes)), codes]
    return found


def _facts(data: Dataset, scored: Scored | ScoredArms | None) -> dict[str, Any]:
    decision = data.decision
    if scored is not None and (len(scored) != len(data) or scored.part != data.part):
        raise EvidenceError.part_reused(data.part, f"{scored.part} ({len(scored):,} rows)")
    columns = TableColumns(data.table)
    realised = realised_money(decision, columns, data.outcome)
    facts: dict[str, Any] = {"prob": None, "expected": None, "realised": realised}
    if decision.past is not None and not decision.past.selected:
        facts = past_facts(data, columns, scored, realised)
    elif isinstance(scored, Scored):
        cells = cell_money(decision, columns, scored.amounts)
        facts["prob"], facts["cells"] = scored.prob, cells
        facts["expected"] = weighted_money(cells, scored.prob, len(decision.actions))
        facts["familiar"] = scored.familiar
    if decision.past is not None and decision.past.selected:
        facts["bounds"] = bounds_of(data)
    return {
        **facts,
        "part": data.part,
        "outcome": data.outcome,
        "rule": rule_actions(decision, columns, data.table),
        "weight": data.weight,
        "cluster": data.cluster,
        "clustered": data.clustered,
        "weighted": decision.data.weight is not None,
        "groups": _groups(data, columns),
    }


def _groups(data: Dataset, columns: TableColumns) -> dict[str, Group]:
    """Return the groups that limits and constraints name, as a single unit would find its own."""
    decision = data.decision
    named = decision.group_names
    found = {}
    for subgroup in decision.subgroups:
        if subgroup.name not in named:
            continue
        labels, codes = data.subgroups[subgroup.name]
        grouping = Grouping(
            name=subgroup.name, column=str(subgroup.column), labels=labels, bands=subgroup.bands
        )
        if not np.array_equal(grouping.read(columns)[1], codes):
            raise EvidenceError.moving_groups(subgroup.name, str(subgroup.column))
        found[subgroup.name] = (labels, codes)
    return found
