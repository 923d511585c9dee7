"""Names of columns by which payoff knows predictions made elsewhere, once."""

from __future__ import annotations

from typing import Final

__all__ = ["ACTION", "PROBABILITY", "SCORE", "probability_of"]

ACTION: Final = "action"
PROBABILITY: Final = "y_prob"
SCORE: Final = "y_score"


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
