"""What is at stake: the declaration of one decision (standard library only)."""

from payoff.declare.decision import KINDS, PERIODS, Decision
from payoff.declare.past import Past
from payoff.declare.payoffs import Action, Capacity, Cell, Outcome, PayoffTable, Scalar
from payoff.declare.settings import (
    PARTS,
    Case,
    CurrentRule,
    Data,
    EvidenceSettings,
    Predictions,
    Split,
    Subgroup,
    Training,
)

__all__ = [
    "KINDS",
    "PARTS",
    "PERIODS",
    "Action",
    "Capacity",
    "Case",
    "Cell",
    "CurrentRule",
    "Data",
    "Decision",
    "EvidenceSettings",
    "Outcome",
    "Past",
    "PayoffTable",
    "Predictions",
    "Scalar",
    "Split",
    "Subgroup",
    "Training",
]
