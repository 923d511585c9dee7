"""Whether promised probabilities and promised money came true on the judging rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.corp import corp
from payoff.evidence.interval import share
from payoff.evidence.joint import covariance
from payoff.evidence.judged import Judged
from payoff.evidence.recalibrate import better_model, promised_parts, recalibrate, recalibrating
from payoff.evidence.wording import about, number

__all__ = ["calibration"]

_BINS: Final = 10


def calibration(judged: Judged) -> dict[str, Any]:
    """Return reliability by tenths of the positive probability, log-loss, Brier score, and money.

    ``expected`` is the mean money per unit the probabilities promised for the actions taken,
    ``realised`` what those actions earned; their difference carries a paired interval, and
    ``parts`` splits it into what probabilities and what amounts got wrong. ``corp`` is the isotonic
    decomposition, ``recalibrating`` what other probabilities would have earned, ``better_model``
    between what bounds a better model could.
    """
    decision, stakes = judged.decision, judged.stakes
    codes, values = judged.first.codes, judged.before_fixed_costs(judged.first.policy.name)
    # Where acting changes what happens, the probabilities that came true or not are those of the
    # action that was taken; the money is that of the policy, by doubly robust scores.
    prob = stakes.prob if stakes.past is None else stakes.past.factual
    if prob is None or stakes.expected is None:
        return {"not_measured": "the predictions are actions, without probabilities"}
    p = prob[:, decision.positive_code]
    hit = stakes.outcome == decision.positive_code
    weight = stakes.weight
    cluster = stakes.resampled
    cuts = np.unique(np.quantile(p, np.linspace(0, 1, _BINS + 1)[1:-1]))
    place = np.searchsorted(cuts, p, side="right")
    bins = []
    for k in range(len(cuts) + 1):
        rows = place == k
        if weight[rows].sum() <= 0:
            continue
        rate = share(
            hit[rows],
            weight[rows],
            None if cluster is None else cluster[rows],
            level=decision.evidence.level,
        )
        bins.append(
            {
                "low": float(p[rows].min()),
                "high": float(p[rows].max()),
                "n": int(rows.sum()),
                "mean_prob": float(np.average(p[rows], weights=weight[rows])),
                "rate": rate.value,
                "rate_low": rate.low,
                "rate_high": rate.high,
            }
        )
    happened = prob[np.arange(len(p)), stakes.outcome]
    promised = stakes.expected[np.arange(len(p)), codes]
    difference = judged.worth(values - promised)
    made = recalibrate(judged)
    found = {
        "outcome": decision.positive,
        "n": len(p),
        "bins": bins,
        "log_loss": float(np.average(-np.log(np.maximum(happened, 1e-15)), weights=weight)),
        "brier": float(np.average((p - hit) ** 2, weights=weight)),
        "expected": float(np.average(promised, weights=weight)),
        "realised": float(np.average(values, weights=weight)),
        "difference": asdict(difference),
        "parts": promised_parts(judged),
        "corp": corp(
            p,
            hit,
            weight,
            design=_design(p, hit, judged),
            level=decision.evidence.level,
            seed=judged.seed,
        ),
        "recalibrating": recalibrating(judged, made),
        "better_model": better_model(judged, made),
    }
    return found | {"sentences": _sentences(judged, found)}


def _design(p: NDArray[np.float64], hit: NDArray[np.bool_], judged: Judged) -> float:
    """Return how many times clusters widen the variance of the mean residual; at least 1."""
    cluster = judged.stakes.resampled
    if cluster is None:
        return 1.0
    weight = judged.stakes.weight / judged.stakes.weight.sum()
    off = ((hit - p) * weight)[:, None]
    off -= (weight * off.sum())[:, None]
    alone = float(covariance(off, None)[0, 0])
    together = float(covariance(off, cluster)[0, 0])
    return max(1.0, together / alone) if alone > 0 else 1.0


def _sentences(judged: Judged, found: dict[str, Any]) -> list[str]:
    unit, total = judged.decision.value_unit, judged.decision.money_unit
    said = [
        f"The model promised {about(found['expected'], unit)}; "
        f"{about(found['realised'], unit)} came."
    ]
    again = found["recalibrating"]
    if "not_measured" not in again:
        gain = again["difference"]
        if gain["low"] is not None and gain["low"] > 0:
            said.append(
                "Correcting its probabilities on recent rows would have earned about "
                f"{about(gain['value'], total)} more ({_ends(gain)})."
            )
        elif gain["low"] is not None and gain["high"] < 0:
            said.append("Correcting its probabilities on these rows would have earned less.")
        elif gain["value"] is not None:
            said.append("Correcting its probabilities would have changed little that can be seen.")
    most = found["better_model"].get("most")
    if most is not None and most["value"] is not None:
        said.append(
            "No model, however good, could earn more than about "
            f"{about(most['value'], total)} more than this policy."
        )
    return said


def _ends(gain: dict[str, Any]) -> str:
    return f"{gain['level'] * 100:g} % interval {number(gain['low'])} to {number(gain['high'])}"
