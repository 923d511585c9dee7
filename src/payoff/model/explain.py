"""What each ordinary column adds to the log-odds of one outcome over another, where that is exact.

Additive models (logistic regression, scorecard) are read off. Boosted trees are split up by
LightGBM's own path-dependent TreeSHAP, whose parts sum to the log-odds. Other models are not
explained: an approximation would stand beside exact figures and look like them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.model.boosting import Boosted
from payoff.model.linear import Softmax
from payoff.model.scorecard import Scorecard

if TYPE_CHECKING:
    from payoff.model.tabular import TabularModel

__all__ = ["METHODS", "column_contributions"]

#: How the parts come about, in words, by kind of model.
METHODS: Final = {
    "linear": "exact: the log-odds of a linear model are a sum over its features",
    "scorecard": "exact: the log-odds of a scorecard are a sum over its columns",
    "trees": "exact sum, split among columns by TreeSHAP as LightGBM computes it",
}


def column_contributions(
    model: TabularModel, row: Mapping[str, Any], *, outcome: str, against: str
) -> dict[str, Any] | None:
    """Return what each column adds to the log-odds of one outcome over another.

    Parameters
    ----------
    row
        Field -> value.
    outcome, against
        Names of outcomes that occurred among the rows learnt from.

    Returns
    -------
    dict or None
        ``log_odds``; ``columns``, column -> log-odds; ``rest``, ``{"intercept": log-odds}``, which
        sum to ``log_odds``; ``method``. None where the model has no exact parts.

    References
    ----------
    Lundberg, S. et al. (2020). From local explanations to global understanding with explainable AI
    for trees. Nature Machine Intelligence 2.
    """
    core = model.core
    x = model.encoder.encode_rows([row])
    if isinstance(core, Softmax):
        one, two = _places(model.outcomes, core.seen, outcome, against)
        parts = x[0] * (core.coef[one] - core.coef[two])
        base, method = float(core.intercept[one] - core.intercept[two]), "linear"
    elif isinstance(core, Scorecard):
        one, two = _places(model.outcomes, core.seen, outcome, against)
        bins = [table[int(code)] for table, code in zip(core.tables, x[0], strict=True)]
        parts = np.array([b[one] - b[two] for b in bins])
        base, method = float(core.intercept[one] - core.intercept[two]), "scorecard"
    elif isinstance(core, Boosted):
        one, two = _places(model.outcomes, core.seen, outcome, against)
        every = core.parts(x)[0]
        parts, base, method = every[one, :-1] - every[two, :-1], 0.0, "trees"
        base = float(every[one, -1] - every[two, -1])
    else:
        return None
    columns: dict[str, float] = {}
    for owner, value in zip(model.encoder.owners, parts.tolist(), strict=True):
        columns[owner] = columns.get(owner, 0.0) + value
    return {
        "log_odds": base + float(parts.sum()),
        "columns": columns,
        "rest": {"intercept": base},
        "method": METHODS[method],
    }


def _places(
    outcomes: tuple[str, ...], seen: tuple[int, ...], outcome: str, against: str
) -> tuple[int, int]:
    names = [outcomes[code] for code in seen]
    return names.index(outcome), names.index(against)


def seen_outcomes(model: Any) -> NDArray[np.bool_]:
    """Return which declared outcomes a fitted model has seen, bool (O,)."""
    found = np.zeros(len(model.outcomes), dtype=bool)
    found[list(getattr(model.core, "seen", range(len(found))))] = True
    return found
