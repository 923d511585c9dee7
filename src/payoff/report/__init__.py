"""Tell: evidence as one page for three readers, a model card and a decision record."""

from payoff.report.comparison import comparison_view, write_comparison
from payoff.report.decision_record import decision_record
from payoff.report.figures import headline, three_numbers
from payoff.report.files import FILES, documents, write
from payoff.report.html import page
from payoff.report.model_card import model_card
from payoff.report.summarise import summarise

__all__ = [
    "FILES",
    "comparison_view",
    "decision_record",
    "documents",
    "headline",
    "model_card",
    "page",
    "summarise",
    "three_numbers",
    "write",
    "write_comparison",
]
