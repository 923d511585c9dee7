"""What is at stake: the declaration of one decision (standard library only)."""

from payoff.declare.automation import Automation
from payoff.declare.decision import KINDS, PERIODS, Decision
from payoff.declare.interactions import (
    Attributes,
    InteractionData,
    Recommend,
    Stock,
)
from payoff.declare.limits import Constraint, Limit
from payoff.declare.listing import ListConstraint, ListSettings
from payoff.declare.past import Past
from payoff.declare.payoffs import Action, Capacity, Cell, Outcome, PayoffTable, Scalar
from payoff.declare.review import Review
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
from payoff.declare.text import TextSettings

__all__ = [
    "KINDS",
    "PARTS",
    "PERIODS",
    "Action",
    "Attributes",
    "Automation",
    "Capacity",
    "Case",
    "Cell",
    "Constraint",
    "CurrentRule",
    "Data",
    "Decision",
    "EvidenceSettings",
    "InteractionData",
    "Limit",
    "ListConstraint",
    "ListSettings",
    "Outcome",
    "Past",
    "PayoffTable",
    "Predictions",
    "Recommend",
    "Review",
    "Scalar",
    "Split",
    "Stock",
    "Subgroup",
    "TextSettings",
    "Training",
]
