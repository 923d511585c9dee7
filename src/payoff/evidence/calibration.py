"""Whether promised probabilities and promised money came true on the judging rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import numpy as np

from payoff.evidence.interval import share
from payoff.evidence.judged import Judged

__all__ = ["calibration"]

_BINS: Final = 10


def calibration(judged: Judged) -> dict[str, Any]:
    """Return reliability by tenths of the positive probability, log-loss, Brier score, and money.

    ``expected`` is the mean money per unit the probabilities promised for the actions taken,
    ``realised`` what those actions earned; their difference carries a paired interval.
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
    return {
        "outcome": decision.positive,
        "n": len(p),
        "bins": bins,
        "log_loss": float(np.average(-np.log(np.maximum(happened, 1e-15)), weights=weight)),
        "brier": float(np.average((p - hit) ** 2, weights=weight)),
        "expected": float(np.average(promised, weights=weight)),
        "realised": float(np.average(values, weights=weight)),
        "difference": asdict(difference),
    }
