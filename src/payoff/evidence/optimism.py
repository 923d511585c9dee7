"""What tuning would have flattered a figure by, had the rows that tuned also judged.

Three things are tuned on data: the model on the rows it learns from, the choice among candidates,
and the threshold. Each step is measured on one set of rows in two ways: *apparent*, as if those
rows judged what they had tuned, and *honest*, where every row is judged by what the other rows
tuned (cross-fitting). Apparent less honest is the optimism; it is in no other figure.

References
----------
Efron, B. (1986). How biased is the apparent error rate of a prediction rule? JASA 81.
Andrews, I., Kitagawa, T. and McCloskey, A. (2024). Inference on winners. QJE 139.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.evidence import Estimate
from payoff.evidence.wording import money
from payoff.evidence.worth import worth
from payoff.policy.choose import (
    TunedThresholds,
    orientation,
    policy_value,
    tuned_thresholds,
)
from payoff.policy.stakes import Stakes

__all__ = [
    "Removed",
    "Step",
    "best_of",
    "cross_fitted_choice",
    "optimism",
    "optimism_told",
    "tuned_threshold",
]

_WHAT: Final = {
    "learning": "The model judged on the rows it learnt from, against rows it had not seen",
    "model": "The best of the candidate models judged by the comparison that picked it",
    "threshold": "The threshold judged on the rows that tuned it",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """One tuning step: money of the same rows when they judge themselves, and when others do.

    Parameters
    ----------
    name
        ``"learning"``, ``"model"`` or ``"threshold"``.
    stakes
        The rows.
    apparent, honest
        float64 (n,), money of each unit.
    """

    name: str
    stakes: Stakes
    apparent: NDArray[np.float64]
    honest: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """One step of tuning in money per period: as it flatters itself, honestly, and the rest."""

    name: str
    apparent: Estimate
    honest: Estimate
    removed: Estimate


def best_of(per_unit: Mapping[str, NDArray[np.float64]], weight: NDArray[np.float64]) -> str:
    """Return the name of the largest weighted mean; ties go to the first.

    Examples
    --------
    >>> best_of({"a": np.array([1.0, 2.0]), "b": np.array([3.0, 0.0])}, np.array([1.0, 3.0]))
    'a'
    """
    return max(per_unit, key=lambda name: float(weight @ per_unit[name]))


def cross_fitted_choice(
    per_unit: Mapping[str, NDArray[np.float64]],
    weight: NDArray[np.float64],
    fold: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return each unit's money under the candidate that is best on the other folds.

    Parameters
    ----------
    per_unit
        Candidate -> float64 (n,), cross-fitted money of each unit.
    weight, fold
        float64 (n,) and int64 (n,).

    Examples
    --------
    >>> per_unit = {"a": np.array([9.0, 0.0, 0.0]), "b": np.array([0.0, 2.0, 2.0])}
    >>> cross_fitted_choice(per_unit, np.ones(3), np.array([0, 1, 2])).tolist()
    [0.0, 0.0, 0.0]
    """
    out = np.empty(len(weight))
    for k in np.unique(fold):
        rows = fold == k
        out[rows] = per_unit[best_of(per_unit, np.where(rows, 0.0, weight))][rows]
    return out


def tuned_threshold(
    decision: Decision, stakes: Stakes, *, seed: int, tuned: TunedThresholds | None = None
) -> Step | None:
    """Return the optimism of tuning a threshold on these rows; None without one to tune.

    ``tuned`` is what :func:`~payoff.policy.choose.tuned_thresholds` found, where that is known
    already.
    """
    if stakes.prob is None or stakes.bounds is not None or not decision.is_binary:
        return None
    high, low = orientation(stakes, decision)
    prob = stakes.prob[:, decision.positive_code]
    if tuned is None:
        tuned = tuned_thresholds(stakes, decision, seed=seed)
    own = np.where(prob >= tuned.whole, high, low).astype(np.int16)
    return Step(
        name="threshold",
        stakes=stakes,
        apparent=policy_value(own, stakes),
        honest=policy_value(tuned.codes, stakes),
    )


def optimism(decision: Decision, steps: Sequence[Step]) -> dict[str, Any]:
    """Return what each step of tuning would have flattered the figures by.

    Returns
    -------
    dict
        ``steps``: per step ``name``, ``what``, ``apparent``, ``honest`` and ``removed``, estimates
        in the decision's money; ``sentences`` for the manager.
    """
    told = []
    for step in steps:
        same = "" if np.any(step.apparent != step.honest) else "both ways act alike on every row"

        def total(values: NDArray[np.float64], step: Step = step, why: str = "") -> Estimate:
            one = worth(decision, step.stakes, values, identical=why)
            return one.scaled(decision.units_reported, decision.money_unit)

        told.append(
            Removed(
                name=step.name,
                apparent=total(step.apparent),
                honest=total(step.honest),
                removed=total(step.apparent - step.honest, why=same),
            )
        )
    return optimism_told(told)


def optimism_told(steps: Sequence[Removed]) -> dict[str, Any]:
    """Return the section of steps whose figures are known; see :func:`optimism`."""
    if not steps:
        return {"not_measured": "nothing was tuned on rows payoff has seen"}
    found = [
        {
            "name": step.name,
            "what": _WHAT[step.name],
            "apparent": asdict(step.apparent),
            "honest": asdict(step.honest),
            "removed": asdict(step.removed),
        }
        for step in steps
    ]
    sentences = [
        _sentence(step.name, step.removed)
        for step in steps
        if step.removed.value and step.removed.value > 0
    ]
    return {"steps": found, "sentences": sentences}


def _sentence(name: str, removed: Estimate) -> str:
    who = {
        "learning": "Judged on the rows it learnt from, the model would have looked better than "
        "it is by",
        "model": "Picking the best of several models and quoting its own comparison would have "
        "flattered it by",
        "threshold": "Judging the threshold on the rows that tuned it would have flattered it by",
    }[name]
    return f"{who} {money(removed)}; none of that is in these figures."
