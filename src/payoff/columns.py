"""Every column name that payoff itself writes in a frame, a table or a record, once."""

from __future__ import annotations

from typing import Final

UNIT_ID: Final = "unit_id"
ACTION: Final = "action"
OUTCOME: Final = "outcome"
PART: Final = "part"
SCORE: Final = "y_score"
PROBABILITY: Final = "y_prob"
EXPECTED: Final = "expected_money"
REALISED: Final = "realised_money"
WEIGHT: Final = "sample_weight"
CLUSTER: Final = "cluster"
BUNDLE_ID: Final = "bundle_id"


def probability_of(outcome: str) -> str:
    """Name the column that holds the probability of one outcome.

    Examples
    --------
    >>> probability_of("yes")
    'y_prob_yes'
    """
    return f"{PROBABILITY}_{outcome}"
