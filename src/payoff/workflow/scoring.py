"""Scoring rows with a fitted model: probabilities, calibrated, and amounts known only later."""

from __future__ import annotations

from payoff.load.dataset import Dataset
from payoff.model.amounts import AmountModel
from payoff.model.calibrate import Calibrator
from payoff.model.scored import Scored
from payoff.model.tabular import TabularModel

__all__ = ["score"]


def score(
    model: TabularModel, amounts: AmountModel | None, calibrator: Calibrator, data: Dataset
) -> Scored:
    """Return calibrated probabilities, and expected amounts where money needs them.

    Parameters
    ----------
    model, amounts, calibrator
        As a bundle holds them.
    data
        Rows; their part goes with the predictions.
    """
    return Scored(
        prob=calibrator.apply(model.predict_table(data.table)),
        part=data.part,
        amounts=amounts.predict_table(data.table) if amounts else {},
        source=model.name,
    )
