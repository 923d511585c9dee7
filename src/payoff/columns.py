"""Names of columns by which payoff knows predictions, its own or others', once."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACTION",
    "PROBABILITY",
    "SCORE",
    "SCORED_ACTION",
    "SCORED_PART",
    "expected_of",
    "probability_of",
]

ACTION: Final = "action"
PROBABILITY: Final = "y_prob"
SCORE: Final = "y_score"
#: Columns that ``payoff score`` adds beside the probabilities.
SCORED_ACTION: Final = "payoff_action"
SCORED_PART: Final = "payoff_part"


def expected_of(action: str) -> str:
    """Name the column that holds the expected money of one action.

    Examples
    --------
    >>> expected_of("call")
    'expected_call'
    """
    return f"expected_{action}"


def probability_of(outcome: str) -> str:
    """Name the column that holds the probability of one outcome.

    Examples
    --------
    >>> probability_of("yes")
    'y_prob_yes'
    """
    return f"{PROBABILITY}_{outcome}"
