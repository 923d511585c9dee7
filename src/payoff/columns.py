"""Names of columns by which payoff knows predictions made elsewhere, once."""

from __future__ import annotations

from typing import Final

__all__ = ["ACTION", "PROBABILITY", "SCORE", "probability_of"]

ACTION: Final = "action"
PROBABILITY: Final = "y_prob"
SCORE: Final = "y_score"


def probability_of(outcome: str) -> str:
    """Name the column that holds the probability of one outcome.

    Examples
    --------
    >>> probability_of("yes")
    'y_prob_yes'
    """
    return f"{PROBABILITY}_{outcome}"
