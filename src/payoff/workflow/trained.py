"""What training hands on to judging and to the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.evidence import Estimate, Evidence
from payoff.evidence.optimism import Step
from payoff.evidence.trials import Trials
from payoff.evidence.worth import worth
from payoff.model.amounts import AmountModel
from payoff.model.arms import ArmModels
from payoff.model.calibrate import Calibrator
from payoff.model.kinds import Classifier
from payoff.model.scored import Scored, ScoredArms
from payoff.policy.choose import Candidate
from payoff.policy.policy import Policy
from payoff.policy.stakes import Stakes
from payoff.workflow.corpora import CorpusFigures

__all__ = ["Outcome", "Trained", "candidate_rows", "per_unit_worth"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """The chosen model with its calibration and policies, and the record of how it came about.

    Parameters
    ----------
    model
        One model, or one per action where acting changes what happens (it then holds its own
        calibration and amounts).
    judging
        Predictions of the judging rows.
    policies
        The recommended one first.
    tuned
        Steps of tuning whose optimism the evidence shows.
    corpus
        What training says about documents; None where the decision reads none.
    trials, examples
        Judging rows with changed documents, decided again, and judging rows explained; None where
        the decision reads no documents.
    guarantee
        How the threshold of [automation] was found; empty where none is declared.
    """

    model: Classifier | ArmModels
    amounts: AmountModel | None
    calibrator: Calibrator
    policies: tuple[Policy, ...]
    record: Mapping[str, Any]
    judging: Scored | ScoredArms
    tuned: tuple[Step, ...] = ()
    corpus: CorpusFigures | None = None
    trials: Trials | None = None
    examples: Mapping[str, Any] | None = None
    guarantee: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What a run produced: the evidence, and the folder when one was written."""

    evidence: Evidence
    folder: Path | None


def per_unit_worth(decision: Decision, per_unit: NDArray[np.float64], at_stake: Stakes) -> Estimate:
    """Estimate a candidate's cross-fitted money per unit."""
    never = "" if np.any(per_unit) else "it never acts, and not acting is worth 0"
    return worth(decision, at_stake, per_unit, identical=never)


def candidate_rows(
    decision: Decision,
    candidates: Mapping[str, Candidate],
    at_stake: Mapping[str, Stakes],
    labels: Mapping[str, str],
    log_loss: Mapping[str, float],
    best: str,
) -> list[dict[str, Any]]:
    """Return what the record says of each candidate."""
    return [
        {
            "name": name,
            "label": labels[name],
            "value": asdict(per_unit_worth(decision, c.per_unit, at_stake[name])),
            "difference_to_best": c.to_best.difference,
            "standard_error": c.to_best.standard_error,
            "log_loss": log_loss[name],
            "chosen": name == best,
        }
        for name, c in candidates.items()
    ]
