"""Names of the candidate models that need no import path."""

from __future__ import annotations

from typing import Final

__all__ = ["CANDIDATES", "LABELS"]

#: Candidates known by a short name, simplest first.
CANDIDATES: Final = ("logistic", "scorecard", "lightgbm")

LABELS: Final = {
    "logistic": "logistic regression",
    "scorecard": "scorecard (points per bin)",
    "lightgbm": "gradient-boosted trees (LightGBM)",
}
