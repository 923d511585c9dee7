"""Scoring rows with a fitted model: probabilities, calibrated, and amounts known only later."""

from __future__ import annotations

from typing import overload

from payoff.load.dataset import Dataset
from payoff.model.amounts import AmountModel
from payoff.model.arms import ArmModels
from payoff.model.calibrate import Calibrator
from payoff.model.kinds import Classifier, Themed
from payoff.model.scored import Scored, ScoredArms

__all__ = ["score"]


@overload
def score(
    model: Classifier,
    amounts: AmountModel | None,
    calibrator: Calibrator,
    data: Dataset,
    *,
    familiar: bool = False,
) -> Scored: ...


@overload
def score(
    model: Classifier | ArmModels,
    amounts: AmountModel | None,
    calibrator: Calibrator,
    data: Dataset,
    *,
    familiar: bool = False,
) -> Scored | ScoredArms: ...


def score(
    model: Classifier | ArmModels,
    amounts: AmountModel | None,
    calibrator: Calibrator,
    data: Dataset,
    *,
    familiar: bool = False,
) -> Scored | ScoredArms:
    """Return calibrated probabilities, and expected amounts where money needs them.

    Parameters
    ----------
    model, amounts, calibrator
        As a bundle holds them.
    data
        Rows; their part goes with the predictions.
    familiar
        Whether to say how familiar each row is too, where the model knows; it takes longer.
    """
    if isinstance(model, ArmModels):  # it holds its own calibration and amounts
        return model.predict_table(data.table, data.part)
    theme = known = None
    if isinstance(model, Themed):
        read = model.read_table(data.table, familiar=familiar)
        raw, theme, known = read.prob, read.theme, read.familiar
    else:
        raw = model.predict_table(data.table)
    return Scored(
        prob=calibrator.apply(raw),
        part=data.part,
        amounts=amounts.predict_table(data.table) if amounts else {},
        source=model.name,
        theme=theme,
        familiar=known,
    )
