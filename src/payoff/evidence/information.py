"""How sure the choice is, and what more labelled rows would be worth.

Deciding now takes the larger expectation; how uncertain it is tells whether more data are worth
having. Both come from joint draws of what every option is worth: P(best) is the share of draws an
option wins, and the expected value of perfect information is what knowing the winner would add,
``EVPI = E[max_k V_k] - max_k E[V_k]``. Rows that judge more add part of it: with m more rows beside
n, the value that will be believed has the covariance ``m / (n + m)`` times today's, so
``EVSI(m) = E[max_k (V_k + sqrt(m / (n + m)) (V*_k - V_k))] - max_k V_k`` (normal approximation).
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import chance
from payoff.evidence.joint import best_shares, quantile_t
from payoff.evidence.measured import Measured
from payoff.evidence.options import Options, options_of
from payoff.evidence.wording import about, quoted

__all__ = ["evsi", "information", "non_inferiority"]

_MORE: Final = ((1, "as many rows again"), (9, "ten times as many rows in all"))


def evsi(mean: NDArray[np.float64], draws: NDArray[np.float64], part: float) -> float:
    """Return the expected gain, per unit, of choosing after more rows instead of now.

    Parameters
    ----------
    mean
        float64 (k,), what each option is worth as far as is known.
    draws
        float64 (draws, k), joint draws of what each may be worth.
    part
        ``m / (n + m)`` for m more rows beside n; 1 is perfect information.

    References
    ----------
    Sadatsafavi, M., Lee, T. Y. and Gustafson, P. (2022). Medical Decision Making 42 (value of
    information for prediction models).
    Jalal, H. and Alarid-Escudero, F. (2018). A Gaussian approximation approach for value of
    information analysis. Medical Decision Making 38.

    Examples
    --------
    >>> draws = np.array([[1.0, 0.0], [-1.0, 0.0]])
    >>> evsi(np.zeros(2), draws, 1.0), evsi(np.zeros(2), draws, 0.25)
    (0.5, 0.25)
    """
    believed = mean + math.sqrt(part) * (draws - draws.mean(axis=0))
    return max(0.0, float(believed.max(axis=1).mean() - mean.max()))


def information(judged: Measured) -> dict[str, Any]:
    """Return P(best) of every option, the worth of more rows, and the test against a margin.

    Returns
    -------
    dict
        ``options`` (policy, ``probability_best``), ``beats_simple``, ``perfect`` and ``more``
        (money per period and per unit), ``rows_needed`` (independent cases at which the interval of
        the gain over the best policy without a model would leave out zero), ``margin`` and
        ``sentences``. ``caution`` says why redraws cannot tell how sure the choice is, where the
        gain over the best policy without a model has no interval; else it is empty.
    """
    options = options_of(judged)
    if len(options.names) < 2:
        return {"not_measured": "there is one option only, so there is nothing to choose"}
    decision = judged.decision
    units = decision.units_reported
    drawn = judged.draws(options.columns)
    mean = judged.joint(options.columns).mean
    ahead = best_shares(drawn.means)
    unit = decision.money_unit
    more = []
    for factor, words in _MORE:
        worth = evsi(mean, drawn.means, factor / (1 + factor)) * units
        more.append({"rows": factor * judged.n, "words": words, "worth": worth, "unit": unit})
    perfect = evsi(mean, drawn.means, 1.0)
    found = {
        "n": judged.n,
        "n_clusters": judged.policies[0].value.n_clusters,
        "method": drawn.method,
        "draws": len(drawn.means),
        "options": [
            {"policy": name, "probability_best": float(p)}
            for name, p in zip(options.names, ahead, strict=True)
        ],
        "beats_simple": _beats_simple(drawn.means, options),
        "left_out": list(options.left_out),
        "perfect": {
            "per_unit": perfect,
            "per_unit_unit": decision.value_unit,
            "worth": perfect * units,
            "unit": unit,
        },
        "more": more,
        "caution": (caution := _caution(judged, options)),
        "rows_needed": {"not_measured": caution} if caution else _rows_needed(judged, options),
        "margin": non_inferiority(judged),
        "note": "The worth of more rows is for judging the same options again: it holds per "
        "period, for a normal approximation, and does not count that a model fitted on more rows "
        "may be a better one. Labelling that costs more than this is not worth it for the choice.",
    }
    return found | {"sentences": _sentences(judged, options, found)}


def _caution(judged: Measured, options: Options) -> str:
    """Return why the gain over the best policy without a model has no interval; else nothing."""
    if not options.simple:
        return ""
    best = str(judged.verdict["best_trivial"])
    found = next((c.total for c in judged.comparisons if c.against == best), None)
    unsure = found is not None and found.value is not None and found.low is None
    return found.reason if found is not None and unsure else ""


def _beats_simple(means: NDArray[np.float64], options: Options) -> float | None:
    """Return the share of draws in which no policy without a model earns more."""
    if not options.simple:
        return None
    return float(np.mean(means[:, 0] >= means[:, list(options.simple)].max(axis=1)))


def _rows_needed(judged: Measured, options: Options) -> dict[str, Any]:
    """Return how many rows would make the gain's interval leave out zero, if the gain stays."""
    if not options.simple:
        return {"not_measured": "there is no policy without a model"}
    best = str(judged.verdict["best_trivial"])
    found = judged.joint([judged.money(options.names[0]) - judged.money(best)])
    error = math.sqrt(float(found.cov[0, 0]))
    d = float(found.mean[0])
    if error == 0 or d == 0:
        return {"not_measured": "the two earn the same, so no number of rows tells them apart"}
    if found.n_clusters < 2:
        return {"not_measured": "all rows are one cluster, so their spread is not known"}
    t = quantile_t(judged.decision.evidence.level, found.n_clusters)
    rows = math.ceil(found.n * (t * error / abs(d)) ** 2)
    return {
        "rows": rows,
        "have": found.n,
        "against": best,
        "settled": bool(rows <= found.n),
    }


def non_inferiority(judged: Measured) -> dict[str, Any]:
    """Say whether the policy may be worse than what is compared with by more than the margin.

    The paired one-sided interval at the declared level: its lower end is that of the two-sided
    interval at ``2 level - 1``. Yes where it lies above minus the margin, no where the upper end
    lies below, unknown between.
    """
    decision, margin = judged.decision, judged.decision.evidence.margin
    name = str(judged.verdict["reference"])
    label = next(p.label for p in judged.policies if p.name == name)
    if name == judged.policies[0].name:
        return {"not_measured": "there is nothing to compare with"}
    difference = judged.one_sided(judged.policies[0].name, name).scaled(
        decision.units_reported, decision.money_unit
    )
    level = f"{decision.evidence.level * 100:g} %"
    base = {"against": name, "margin": margin, "difference": asdict(difference)}
    if difference.low is None or difference.high is None:
        return base | {"answer": "unknown", "sentence": f"Not known: {difference.reason}."}
    worst = about(max(0.0, -difference.low), difference.unit)
    bound = (
        f"It is not worse than {quoted(label)}"
        if difference.low >= 0
        else f"It is not worse than {quoted(label)} by more than {worst}"
    )
    said = f"{bound}, with {level} confidence."
    if margin is None:
        return base | {"answer": "not asked", "sentence": said}
    limit = about(margin, difference.unit)
    if difference.low >= -margin:
        return base | {"answer": "yes", "sentence": f"{said} The margin declared is {limit}."}
    if difference.high < -margin:
        said = f"It is worse than {quoted(label)} by more than the margin of {limit}."
        return base | {"answer": "no", "sentence": said}
    said = (
        f"These rows do not tell whether it is worse than {quoted(label)} by more than the margin "
        f"of {limit}: a loss of {worst} is not ruled out."
    )
    return base | {"answer": "unknown", "sentence": said}


def _sentences(judged: Measured, options: Options, found: dict[str, Any]) -> list[str]:
    decision = judged.decision
    beats, own = found["beats_simple"], quoted(options.labels[0])
    said: list[str] = []
    if found["caution"]:
        said.append(
            f"How likely {own} is better than every policy without a model, and what more rows are "
            f"worth, cannot be told by redraws: {found['caution']}."
        )
    elif beats is not None:
        beyond = any(p.baseline and not p.feasible for p in judged.policies)
        which = " that capacity allows" if beyond else ""
        said.append(
            f"The probability that {own} is better than every policy without a model{which} is "
            f"{chance(beats)}."
        )
    best = max(found["options"], key=lambda o: o["probability_best"])
    if best["policy"] != options.names[0] and best["probability_best"] > 0.5:
        label = options.labels[options.names.index(best["policy"])]
        said.append(
            f"{quoted(label)} is the best of all {len(options.names)} options with a probability "
            f"of {chance(best['probability_best'])}."
        )
    again = found["more"][0]
    total = abs(judged.policies[0].total.value or 0.0)
    if found["caution"]:
        pass  # said above
    elif again["worth"] < 0.01 * max(total, 1e-12):
        said.append(
            "Judging on more rows would hardly change the choice: it is worth next to nothing."
        )
    else:
        worth = about(again["worth"], decision.money_unit)
        said.append(
            f"Judging on as many rows again would be worth about {worth}, by "
            "making a wrong choice less likely."
        )
    if found["margin"].get("margin") is not None:
        said.append(found["margin"]["sentence"])
    return said
