"""What every option is worth as the outcome becomes rarer or more common.

Under a change of the base rate alone, what happens within each outcome stays as it is, and only the
mix moves (prior shift). The value of a fixed policy is then a straight line in the base rate q,
``V(q) = q V(positive) + (1 - q) V(rest)``, and two policies cross at most once. What refitting
would do is shown beside it: the same probabilities with their odds moved to the assumed rate.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare.decision import plural
from payoff.evidence.joint import fieller, figure, quantile_t
from payoff.evidence.measured import Again, Measured
from payoff.evidence.options import Options, options_of
from payoff.evidence.wording import about, quoted

__all__ = ["Lines", "base_rate", "lines_of", "winners"]

_POINTS: Final = 41


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """Money per unit of k options within the positive outcome and within the rest.

    Parameters
    ----------
    positive, rest
        float64 (k,), mean money among units with and without the positive outcome.
    cov
        float64 (2k, 2k), covariance of (positive, rest).
    rate
        Share of the positive outcome on the judging rows.
    """

    positive: NDArray[np.float64]
    rest: NDArray[np.float64]
    cov: NDArray[np.float64]
    rate: float

    def at(self, q: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the money per unit at base rate(s) q, float64 (k,) or (q, k)."""
        mix = np.expand_dims(np.asarray(q, dtype=np.float64), -1)
        return np.asarray(mix * self.positive + (1 - mix) * self.rest, dtype=np.float64)

    def error(self, q: float, first: int, other: int | None = None) -> float:
        """Return the standard error of one option's value at q, or of a difference of two."""
        k = len(self.positive)
        factors = np.zeros(2 * k)
        factors[first], factors[k + first] = q, 1 - q
        if other is not None:
            factors[other] -= q
            factors[k + other] -= 1 - q
        return math.sqrt(max(float(factors @ self.cov @ factors), 0.0))

    def crossing(self, first: int, other: int) -> float | None:
        """Return the base rate at which two options earn the same, or None."""
        d1 = float(self.positive[first] - self.positive[other])
        d0 = float(self.rest[first] - self.rest[other])
        return None if d1 == d0 else d0 / (d0 - d1)


def lines_of(judged: Measured, options: Options, rate: float) -> Lines:
    """Return each option's mean money within the positive outcome and within the rest."""
    means, cov = judged.within(options.columns)
    return Lines(positive=means[0], rest=means[1], cov=cov, rate=rate)


def winners(lines: Lines) -> list[tuple[float, float, int]]:
    """Return (from, to, option) of the largest value, for base rates from 0 to 1.

    Examples
    --------
    >>> lines = Lines(
    ...     positive=np.array([8.0, 0.0]),
    ...     rest=np.array([-2.0, 0.0]),
    ...     cov=np.zeros((4, 4)),
    ...     rate=0.5,
    ... )
    >>> winners(lines)
    [(0.0, 0.2, 1), (0.2, 1.0, 0)]
    """
    cuts = {0.0, 1.0}
    for a, b in itertools.combinations(range(len(lines.positive)), 2):
        q = lines.crossing(a, b)
        if q is not None and 0 < q < 1:
            cuts.add(q)
    places = sorted(cuts)
    found: list[tuple[float, float, int]] = []
    for low, high in itertools.pairwise(places):
        value = lines.at((low + high) / 2)
        most = float(value.max())
        near = value >= most - 1e-12 * max(1.0, abs(most))
        best = int(np.flatnonzero(near)[0])
        if found and found[-1][2] == best:
            found[-1] = (found[-1][0], high, best)
        else:
            found.append((low, high, best))
    return found


def base_rate(judged: Measured, again: Again) -> dict[str, Any]:
    """Return the value of every option against the base rate, and where another becomes best.

    Parameters
    ----------
    again
        Decides again at other base rates.

    Returns
    -------
    dict
        ``rate`` (the grid), ``options`` (each with ``value`` on the grid, money per period; the
        recommended one with ``low`` and ``high``), ``best`` (from, to, policy), ``crossings`` (of
        the recommended policy with each policy without a model), ``refitted`` and ``sentences``.

    Notes
    -----
    With more than two outcomes, the positive one is set against the rest, whose own mix stays.
    """
    decision = judged.decision
    if judged.why_not_by_outcome:
        return {"not_measured": judged.why_not_by_outcome}
    judge_rate = judged.share(judged.outcomes == decision.positive_code)
    if judge_rate.value is None or not 0 < judge_rate.value < 1:
        return {"not_measured": f"“{decision.positive}” never or always happens in these rows"}
    options = options_of(judged)
    lines = lines_of(judged, options, judge_rate.value)
    units = decision.units_reported
    before = judged.background.fit_shares
    fit_rate = None if before is None else float(before.get(str(decision.positive), 0.0))
    crossings = [_crossing(judged, options, lines, k) for k in options.simple]
    grid = _grid(lines.rate, fit_rate, crossings)
    values = lines.at(grid) * units
    t = quantile_t(decision.evidence.level, judge_rate.n_clusters)
    band = t * units * np.array([lines.error(float(q), 0) for q in grid])
    best = [
        {"from": low, "to": high, "policy": options.names[k]} for low, high, k in winners(lines)
    ]
    found = {
        "outcome": decision.positive,
        "unit": decision.money_unit,
        "n": judged.n,
        "judged": asdict(judge_rate),
        "fit": fit_rate,
        "choose": (judged.background.choose_shares or {}).get(str(decision.positive)),
        "rate": grid.tolist(),
        "options": [
            {
                "policy": name,
                "value": values[:, k].tolist(),
                "low": (values[:, k] - band).tolist() if k == 0 else None,
                "high": (values[:, k] + band).tolist() if k == 0 else None,
                "at_judged": float(lines.at(lines.rate)[k] * units),
                "at_fit": None if fit_rate is None else float(lines.at(fit_rate)[k] * units),
            }
            for k, name in enumerate(options.names)
        ],
        "left_out": list(options.left_out),
        "best": best,
        "crossings": crossings,
        "refitted": again.by_rate(grid, fit_rate),
    }
    return found | {"sentences": _sentences(judged, options, found)}


def _crossing(judged: Measured, options: Options, lines: Lines, other: int) -> dict[str, Any]:
    """Return where the recommended policy and another earn the same, with Fieller's interval."""
    q = lines.crossing(0, other)
    k = len(options.names)
    decision = judged.decision
    clusters = judged.policies[0].value.n_clusters
    if q is None or not 0 <= q <= 1:
        ahead = bool(lines.at(0.5)[0] >= lines.at(0.5)[other])
        reason = f"the policy judged earns {'more' if ahead else 'less'} at every base rate"
        found = figure(judged, None, None, "share", reason)
        return {
            "against": options.names[other],
            "rate": asdict(found),
            "ahead": "always" if ahead else "never",
        }
    pick = np.zeros((2, 2 * k))
    pick[0, [k, k + other]] = 1, -1  # d0, the difference at q = 0
    pick[1, [0, other]] = 1, -1
    pick[1] -= pick[0]  # d1 - d0, the slope
    means = pick @ np.concatenate([lines.positive, lines.rest])
    t = quantile_t(decision.evidence.level, clusters)
    ends = fieller(float(means[0]), float(means[1]), pick @ lines.cov @ pick.T, t)
    reason = "" if ends else "these rows do not tell which of the two gains from a change"
    ends = None if ends is None else (max(ends[0], 0.0), min(ends[1], 1.0))
    found = figure(judged, q, ends, "share", reason)
    return {
        "against": options.names[other],
        "rate": asdict(found),
        "ahead": "below" if means[1] < 0 else "above",
    }


def _grid(rate: float, fit: float | None, crossings: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Return base rates to show: all that matters, and no more than three times as far."""
    marks = [rate, fit or 0.0, *(c["rate"]["value"] or 0.0 for c in crossings)]
    top = max(1.5 * rate, 1.5 * (fit or 0.0), min(1.2 * max(marks), 6 * rate))
    return np.linspace(0.0, min(1.0, max(top, 1e-6)), _POINTS)


def percent(rate: float) -> str:
    """Write a base rate for a sentence.

    Examples
    --------
    >>> percent(0.1103), percent(0.0042), percent(0.5)
    ('11 %', '0.42 %', '50 %')
    """
    value = rate * 100
    digits = 0 if value >= 10 else 1 if value >= 1 else 2
    return f"{value:.{digits}f}".removesuffix(".0") + " %"


def takes_over(found: Mapping[str, Any], against: str) -> str:
    """Return "above 11 %" or "below 3 %", where another policy earns more; "" where it does not."""
    one = next((c for c in found.get("crossings", ()) if c["against"] == against), None)
    if one is None or one["rate"]["value"] is None:
        return ""
    side = "above" if one["ahead"] == "below" else "below"
    return f"{side} {percent(one['rate']['value'])}"


def _first_to_take_over(found: Mapping[str, Any]) -> list[str]:
    """Return the policies without a model that take over first, below and above the range."""
    known = [c for c in found["crossings"] if c["rate"]["value"] is not None]
    below = [c for c in known if c["ahead"] == "above"]
    above = [c for c in known if c["ahead"] == "below"]
    first = [max(below, key=lambda c: c["rate"]["value"])] if below else []
    first += [min(above, key=lambda c: c["rate"]["value"])] if above else []
    return [str(c["against"]) for c in first]


def _sentences(judged: Measured, options: Options, found: Mapping[str, Any]) -> list[str]:
    decision = judged.decision
    outcome = next(o.label for o in decision.outcomes if o.name == decision.positive)
    rate = found["judged"]["value"]
    said = [
        f"{quoted(outcome)} was the outcome of {percent(rate)} of {plural(decision.unit)} in the "
        "rows judged."
    ]
    labels = dict(zip(options.names, options.labels, strict=True))
    own, simple = options.labels[0], [options.names[k] for k in options.simple]
    turns = [(name, takes_over(found, name)) for name in _first_to_take_over(found)]
    for name, where in turns:
        said.append(f"{quoted(labels[name])} earns more than {quoted(own)} once it is {where}.")
    if not turns and simple:
        ahead = {c["ahead"] for c in found["crossings"]}
        if ahead == {"always"}:
            said.append(
                f"{quoted(own)} earns more than every policy without a model, whatever that share."
            )
        elif "never" in ahead:
            name = next(c["against"] for c in found["crossings"] if c["ahead"] == "never")
            said.append(f"{quoted(labels[name])} earns more, whatever that share.")
    again = found["refitted"]
    now = found["options"][0]["at_judged"]
    if "not_measured" not in again and again["at_judged"] > now + 0.05 * abs(now):
        gain = again["at_judged"] - now
        said.append(
            "Probabilities corrected for today's share would have earned about "
            f"{about(gain, decision.money_unit)} more."
        )
    return said
