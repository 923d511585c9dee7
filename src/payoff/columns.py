"""Names of columns by which payoff knows predictions, its own or others', once."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACTION",
    "PROBABILITY",
    "SCORE",
    "SCORED_ACTION",
    "SCORED_AUTOMATED",
    "SCORED_FAMILIAR",
    "SCORED_FAMILIARITY",
    "SCORED_PART",
    "SCORED_THEME",
    "expected_of",
    "probability_of",
]

ACTION: Final = "action"
PROBABILITY: Final = "y_prob"
SCORE: Final = "y_score"
#: Columns that ``payoff score`` adds beside the probabilities.
SCORED_ACTION: Final = "payoff_action"
SCORED_PART: Final = "payoff_part"
SCORED_AUTOMATED: Final = "payoff_automated"
SCORED_FAMILIAR: Final = "payoff_familiar"
SCORED_FAMILIARITY: Final = "payoff_familiarity"
SCORED_THEME: Final = "payoff_theme"


def expected_of(action: str) -> str:
    """Name the column that holds the expected money of one action.

    Examples
    --------
    >>> expected_of("call")
    'expected_call'
    """
    return f"expected_{action}"


def probability_of(outcome: str, action: str | None = None) -> str:
    """Name the column that holds the probability of one outcome, or of it under one action.

    Examples
    --------
    >>> probability_of("yes")
    'y_prob_yes'
    >>> probability_of("yes", "call")
    'y_prob_yes_call'
    """
    name = f"{PROBABILITY}_{outcome}"
    return name if action is None else f"{name}_{action}"
