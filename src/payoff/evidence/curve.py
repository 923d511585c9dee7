"""Value of every threshold on the positive probability, from one pass over the rows."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.evidence.judged import Judged
from payoff.policy.choose import orientation

__all__ = ["threshold_values", "value_curve"]

_POINTS: Final = 101


def threshold_values(
    prob: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    weight: NDArray[np.float64],
    thresholds: NDArray[np.float64],
    cluster: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return mean value, its standard error and the acted share at every threshold.

    ``V(t) = sum_i w_i [low_i + 1{p_i >= t} (high_i - low_i)] / sum_i w_i``. Rows are dropped into
    the bins between thresholds once; value, squares and share of all thresholds are cumulative
    sums over the bins. With clusters the variance needs the sums of each cluster, one pass per
    threshold.

    Parameters
    ----------
    prob, low, high, weight
        float64 (n,): probability, money of the low and of the high action, weight.
    thresholds
        float64 (k,), ascending.

    Returns
    -------
    value, standard_error, share
        float64 (k,), money per unit, money per unit, share of units.
    """
    n, k = len(prob), len(thresholds)
    place = np.searchsorted(thresholds, prob, side="right")  # thresholds passed by the row
    total = weight.sum()

    def passed(x: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.bincount(place, weights=x, minlength=k + 1)
        return np.cumsum(sums[::-1])[::-1][1:].astype(np.float64)

    gain = weight * (high - low)
    base = weight * low
    value = (base.sum() + passed(gain)) / total
    share = passed(weight) / total
    if cluster is not None:
        errors = np.empty(k)
        w = np.bincount(cluster, weights=weight)
        size = len(w)
        for j in range(k):
            s = np.bincount(cluster, weights=base + np.where(place > j, gain, 0.0))
            residual = s - value[j] * w
            errors[j] = np.sqrt(residual @ residual * size / max(size - 1, 1)) / total
        return value, errors, share
    squares = (base @ base) + passed((2 * base + gain) * gain)
    cross = (base @ weight) + passed(gain * weight)
    spread = squares - 2 * value * cross + value**2 * (weight @ weight)
    return value, np.sqrt(np.maximum(spread, 0) * n / max(n - 1, 1)) / total, share


def value_curve(judged: Judged) -> dict[str, Any]:
    """Return the value-by-threshold curve for two actions and two outcomes.

    The band holds for one threshold chosen beforehand, not for the best one picked off the curve.
    """
    decision, stakes, acted = judged.decision, judged.stakes, judged.acted
    if stakes.prob is None:
        return {"not_measured": stakes.why_no_prob}
    if not decision.is_binary:
        return {
            "not_measured": "one threshold orders two actions under two outcomes only; this "
            f"decision has {len(decision.actions)} and {len(decision.outcomes)}"
        }
    high, low = orientation(stakes, decision)
    prob = stakes.prob[:, decision.positive_code]
    top = min(1.0, float(np.quantile(prob, 0.999)) * 1.1 + 1e-9)
    thresholds = np.linspace(0.0, top, _POINTS)
    value, error, share = threshold_values(
        prob,
        stakes.realised[:, low],
        stakes.realised[:, high],
        stakes.weight,
        thresholds,
        stakes.resampled,
    )
    z = float(special.ndtri(0.5 + decision.evidence.level / 2))
    units = decision.units_reported
    chosen = next((a.policy.threshold for a in acted if a.policy.name == "threshold"), None)
    weight = stakes.weight / stakes.weight.sum()
    dear = [decision.actions[a].fixed_cost for a in (high, low)]
    value -= (dear[0] * (share > 0) + dear[1] * (share < 1) + decision.model_cost) / units
    return {
        "score": f"probability of {decision.positive}",
        "action": decision.action_names[high],
        "unit": decision.money_unit,
        "threshold": thresholds.tolist(),
        "value": (value * units).tolist(),
        "low": ((value - z * error) * units).tolist(),
        "high": ((value + z * error) * units).tolist(),
        "acted_share": share.tolist(),
        "threshold_chosen": chosen,
        "recommended_value": float((weight * judged.own).sum() * units),
        "do_nothing": float((weight * stakes.realised[:, low]).sum() * units) - dear[1],
        "all": float((weight * stakes.realised[:, high]).sum() * units) - dear[0],
        "n": len(stakes),
    }
