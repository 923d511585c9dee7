"""The whole path as functions: check, run, judge. The command line only calls these."""

from payoff.workflow.comparing import compare
from payoff.workflow.interactions import CheckedInteractions, check_interactions
from payoff.workflow.predictions import judge_predictions
from payoff.workflow.rows import Checked, check, open_rows
from payoff.workflow.training import Outcome, run
from payoff.workflow.updating import Updated, update

__all__ = [
    "Checked",
    "CheckedInteractions",
    "Outcome",
    "Updated",
    "check",
    "check_interactions",
    "compare",
    "judge_predictions",
    "open_rows",
    "run",
    "update",
]
