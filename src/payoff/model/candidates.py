"""Names of the candidate models that need no import path."""

from __future__ import annotations

from typing import Final

__all__ = ["CANDIDATES", "LABELS", "TEXT_CANDIDATES"]

#: Candidates known by a short name, simplest first.
CANDIDATES: Final = ("logistic", "scorecard", "lightgbm")

#: Candidates for documents, simplest first; the last two need the extra ``text``.
TEXT_CANDIDATES: Final = ("tfidf", "embeddings", "tfidf+embeddings")

LABELS: Final = {
    "logistic": "logistic regression",
    "scorecard": "scorecard (points per bin)",
    "lightgbm": "gradient-boosted trees (LightGBM)",
    "tfidf": "linear model of words and characters (TF-IDF)",
    "embeddings": "linear model of sentence embeddings",
    "tfidf+embeddings": "linear model of words, characters and sentence embeddings",
}
