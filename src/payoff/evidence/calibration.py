"""Whether promised probabilities and promised money came true on the judging rows."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.corp import corp
from payoff.evidence.interval import share
from payoff.evidence.joint import covariance
from payoff.evidence.judged import Judged
from payoff.evidence.recalibrate import better_model, promised_parts, recalibrate, recalibrating
from payoff.evidence.wording import about, number

__all__ = ["calibration", "promised_sentence"]

_BINS: Final = 10


@dataclass(frozen=True, slots=True, eq=False)
class _Rising:
    """Rows by rising probability, (n,) each: probability, whether it happened, weight, cluster."""

    prob: NDArray[np.float64]
    hit: NDArray[np.bool_]
    weight: NDArray[np.float64]
    cluster: NDArray[np.int64] | None


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
    order = np.argsort(p, kind="stable")  # once, for all that goes by probability
    rising = _Rising(
        p[order], hit[order], weight[order], None if cluster is None else cluster[order]
    )
    happened = prob[np.arange(len(p)), stakes.outcome]
    promised = stakes.expected[np.arange(len(p)), codes]
    difference = judged.worth(values - promised)
    made = recalibrate(judged, order)
    found = {
        "outcome": decision.positive,
        "n": len(p),
        "bins": _bins(rising, decision.evidence.level),
        "log_loss": float(np.average(-np.log(np.maximum(happened, 1e-15)), weights=weight)),
        "brier": float(np.average((p - hit) ** 2, weights=weight)),
        "expected": float(np.average(promised, weights=weight)),
        "realised": float(np.average(values, weights=weight)),
        "difference": asdict(difference),
        "parts": promised_parts(judged),
        "corp": corp(
            rising.prob,
            rising.hit,
            rising.weight,
            design=_design(p, hit, judged),
            level=decision.evidence.level,
            seed=judged.seed,
        ),
        "recalibrating": recalibrating(judged, made),
        "better_model": better_model(judged, made),
    }
    return found | {"sentences": _sentences(judged, found)}


def _bins(rising: _Rising, level: float) -> list[dict[str, Any]]:
    """Return the tenths of the rows by their probability, each with its rate and interval."""
    p = rising.prob
    cuts = np.unique(np.quantile(p, np.linspace(0, 1, _BINS + 1)[1:-1]))
    ends = [0, *np.searchsorted(p, cuts, side="left").tolist(), len(p)]
    bins = []
    for start, stop in itertools.pairwise(ends):
        rows = slice(start, stop)
        weight = rising.weight[rows]
        if weight.sum() <= 0:
            continue
        cluster = None if rising.cluster is None else rising.cluster[rows]
        rate = share(rising.hit[rows], weight, cluster, level=level)
        bins.append(
            {
                "low": float(p[start]),
                "high": float(p[stop - 1]),
                "n": stop - start,
                "mean_prob": float(np.average(p[rows], weights=weight)),
                "rate": rate.value,
                "rate_low": rate.low,
                "rate_high": rate.high,
            }
        )
    return bins


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


def promised_sentence(decision: Decision, promised: float, realised: float) -> str:
    """Set what the model promised per unit beside what came."""
    unit = decision.value_unit
    return f"The model promised {about(promised, unit)}; {about(realised, unit)} came."


def _sentences(judged: Judged, found: dict[str, Any]) -> list[str]:
    total = judged.decision.money_unit
    said = [promised_sentence(judged.decision, found["expected"], found["realised"])]
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
