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
from payoff.model.scored import Scored
from payoff.policy.bounds import Group, Grouping
from payoff.policy.expected import cell_money, realised_money, rule_actions, weighted_money

__all__ = ["Choosing", "Judging", "Stakes", "stakes_to_choose", "stakes_to_judge"]


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


def stakes_to_choose(data: Dataset, scored: Scored | None) -> Choosing:
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


def stakes_to_judge(data: Dataset, scored: Scored | None) -> Judging:
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


def _facts(data: Dataset, scored: Scored | None) -> dict[str, Any]:
    decision = data.decision
    if scored is not None and (len(scored) != len(data) or scored.part != data.part):
        raise EvidenceError.part_reused(data.part, f"{scored.part} ({len(scored):,} rows)")
    columns = TableColumns(data.table)
    expected = None
    cells: Mapping[tuple[int, int], float | NDArray[np.float64]] = {}
    if scored is not None:
        cells = cell_money(decision, columns, scored.amounts)
        expected = weighted_money(cells, scored.prob, len(decision.actions))
    return {
        "part": data.part,
        "prob": None if scored is None else scored.prob,
        "expected": expected,
        "realised": realised_money(decision, columns, data.outcome),
        "outcome": data.outcome,
        "rule": rule_actions(decision, columns, data.table),
        "weight": data.weight,
        "cluster": data.cluster,
        "clustered": decision.data.cluster is not None,
        "weighted": decision.data.weight is not None,
        "groups": _groups(data, columns),
        "cells": cells,
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
