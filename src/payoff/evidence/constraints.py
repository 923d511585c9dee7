"""What constraints cost, and whether they held on rows that did not choose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.declare import Constraint, Decision
from payoff.declare.decision import plural
from payoff.errors import percent
from payoff.evidence.acted import Acted
from payoff.evidence.evidence import Estimate
from payoff.evidence.interval import share
from payoff.evidence.judged import Judged
from payoff.evidence.wording import money, number, quoted
from payoff.policy.best import WITHOUT, earned
from payoff.policy.bounds import Bound, bounds_of, group_of
from payoff.policy.stakes import Stakes

__all__ = ["Held", "constraints_broken", "constraints_judged", "held"]


def constraints_judged(judged: Judged, beside: Sequence[Acted]) -> tuple[dict[str, Any], ...]:
    """Say of each constraint whether it held on the judging rows, and what it costs.

    Parameters
    ----------
    beside
        The best policy without each constraint, applied to the judging rows.

    Returns
    -------
    tuple of dict
        ``name``, ``label``, ``kind``, ``share`` (the bound), ``actions``, ``subgroup``, ``groups``
        (label and estimate of the share acted on), ``measured`` (estimate: the share furthest from
        the bound, or the gap), ``state`` (``"met"``, ``"within"`` its interval, ``"broken"``),
        ``price`` per unit and ``price_total`` per period (estimates) and ``sentence``.

    Notes
    -----
    The price is the money of the best policy without the constraint less the money of the policy,
    paired on the same rows: what keeping it costs.
    """
    decision, stakes = judged.decision, judged.stakes
    bounds = {b.name: b for b in bounds_of(decision, stakes.groups)}
    found = []
    for constraint in decision.constraints:
        free = next((a for a in beside if a.policy.name == WITHOUT + constraint.name), None)
        codes = judged.first.codes
        measured = _measured(decision, stakes, codes, bounds[constraint.name], constraint)
        priced = _price(judged, free)
        sentence = f"{constraint.label}: {measured.pop('said')} {_price_said(judged, priced)}"
        found.append(
            {
                "name": constraint.name,
                "label": constraint.label,
                "kind": constraint.kind,
                "share": constraint.share,
                "actions": list(bounds[constraint.name].uses),
                "subgroup": constraint.subgroup,
                **measured,
                **priced,
                "sentence": sentence.strip(),
            }
        )
    return tuple(found)


def constraints_broken(
    decision: Decision, stakes: Stakes, codes: NDArray[np.int16]
) -> tuple[str, ...]:
    """Return the labels of the constraints that actions break beyond the interval of these rows.

    Parameters
    ----------
    codes
        int16 (n,), the action each row gets.
    """
    bounds = {b.name: b for b in bounds_of(decision, stakes.groups)}
    return tuple(
        c.label
        for c in decision.constraints
        if _measured(decision, stakes, codes, bounds[c.name], c)["state"] == "broken"
    )


def _price(judged: Judged, free: Acted | None) -> dict[str, Any]:
    if free is None:
        reason = "no policy without it was judged beside this one"
        return {"price": {"not_measured": reason}, "price_total": {"not_measured": reason}}
    other = earned(judged.decision, free.policy, free.codes, judged.stakes)
    alike = np.array_equal(free.codes, judged.first.codes)
    same = "the policy with and without it act alike on every row judged" if alike else ""
    per_unit = judged.worth(other - judged.own, identical=same)
    return {"price": asdict(per_unit), "price_total": asdict(judged.total(per_unit))}


def _price_said(judged: Judged, priced: Mapping[str, Any]) -> str:
    total = priced["price_total"]
    if "not_measured" in total:
        return f"What it costs is not measured: {total['not_measured']}."
    estimate = Estimate(**total)
    if estimate.method == "exact":
        return "It costs nothing: without it the policy would do the same."
    if estimate.value is not None and estimate.value < 0:
        currency, per, rest = estimate.unit.partition(" per ")
        return (
            "On these rows keeping it cost nothing: the policy that keeps it earned "
            f"{currency} {number(-estimate.value)}{per}{rest} more."
        )
    return f"Keeping it costs {money(estimate)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A constraint held against the rows judged.

    Parameters
    ----------
    measured
        The share furthest from the bound, or the gap, with an interval that allows for all groups.
    state
        ``"met"``; ``"within"``: missed, but the interval reaches the bound; ``"broken"``.
    worst
        The group of that share; for a gap the groups of the smallest and the largest share.
    """

    measured: Estimate
    state: str
    worst: tuple[int, ...]


def held(
    kind: str,
    bound: float,
    shares: Mapping[int, Estimate],
    errors: Mapping[int, NDArray[np.float64]],
    level: float,
) -> Held:
    """Hold the shares acted on against a bound, allowing for the number of groups compared.

    Parameters
    ----------
    kind, bound
        ``"floor"``, ``"cap"`` or ``"max_gap"``, and its share.
    shares
        Group -> estimate of its share, each at the level that allows for all groups.
    errors
        Group -> float64 (n_clusters,), what each independent cluster adds to the error of the
        group's share; for gaps.
    level
        Confidence level of the statement on all groups together.

    Notes
    -----
    The group that looks worst of many is partly so by chance, so the level of each of G groups (or
    of each of G (G - 1) / 2 pairs) is raised to ``1 - (1 - level) / count`` (Bonferroni).
    """
    order = sorted(shares, key=lambda g: shares[g].value or 0.0)
    if kind != "max_gap":
        one = order[0] if kind == "floor" else order[-1]
        found = shares[one]
        edge = found.high if kind == "floor" else found.low
        value = found.value or 0.0
        state = _state(value, value if edge is None else edge, bound, above=kind == "floor")
        return Held(measured=found, state=state, worst=(one,))
    low, high = order[0], order[-1]
    gap = (shares[high].value or 0.0) - (shares[low].value or 0.0)
    influence = errors[high] - errors[low]
    n = max(int(np.count_nonzero(influence)), 2)
    pairs = max(1, len(order) * (len(order) - 1) // 2)
    z = float(special.ndtri(1 - (1 - level) / 2 / pairs))
    half = z * math.sqrt(float(influence @ influence) * n / (n - 1))
    measured = replace(
        shares[high],
        value=gap,
        low=max(0.0, gap - half),
        high=min(1.0, gap + half),
        n=shares[high].n + (shares[low].n if low != high else 0),
        method="wald",
    )
    return Held(
        measured=measured,
        state=_state(gap, max(0.0, gap - half), bound, above=False),
        worst=(low, high),
    )


def _measured(
    decision: Decision,
    stakes: Stakes,
    codes: NDArray[np.int16],
    bound: Bound,
    constraint: Constraint,
) -> dict[str, Any]:
    """Estimate the share acted on of each group (or the gap) and hold it against the bound."""
    level = decision.evidence.level
    labels, group = group_of(bound, stakes.groups, len(stakes))
    hit = bound.usage(decision.action_names)[codes] > 0
    weighed = np.bincount(group[group >= 0], stakes.weight[group >= 0], minlength=len(labels))
    places = [p for p, label in enumerate(labels) if label in bound.rooms and weighed[p] > 0]
    if not places:
        absent = {"not_measured": "no row judged belongs to its group"}
        said = "not measured: no row judged belongs to its group."
        return {"groups": [], "measured": absent, "state": "within", "said": said}
    each: dict[int, Estimate] = {}
    together: dict[int, Estimate] = {}
    errors: dict[int, NDArray[np.float64]] = {}
    for place in places:
        rows = np.flatnonzero(group == place)
        weight = stakes.weight[rows]
        cluster = None if stakes.resampled is None else stakes.resampled[rows]
        each[place] = share(hit[rows], weight, cluster, level=level)
        strict = 1 - (1 - level) / len(places)
        together[place] = share(hit[rows], weight, cluster, level=strict)
        x = hit[rows].astype(np.float64)
        off = np.zeros(len(hit))
        off[rows] = weight * (x - np.average(x, weights=weight)) / weight.sum()
        errors[place] = (
            off if stakes.resampled is None else np.bincount(stakes.resampled, off).astype(float)
        )
    found = held(constraint.kind, constraint.share, together, errors, level)
    return {
        "groups": [{"group": labels[p], "share": asdict(each[p])} for p in places],
        "measured": asdict(found.measured) | {"level": level},
        "state": found.state,
        "said": _said(decision, constraint, found, labels, each),
    }


def _said(
    decision: Decision,
    constraint: Constraint,
    found: Held,
    labels: Sequence[str],
    each: Mapping[int, Estimate],
) -> str:
    units = plural(decision.unit)
    limit, shown = percent(constraint.share), percent(found.measured.value or 0.0)
    if constraint.kind == "max_gap":
        low, high = found.worst
        return (
            f"the shares acted on may differ by {limit} between groups; they differed by {shown} "
            f"({quoted(labels[low])} {percent(each[low].value or 0.0)}, "
            f"{quoted(labels[high])} {percent(each[high].value or 0.0)})."
        )
    bound, worst = {"floor": ("at least", "lowest"), "cap": ("at most", "highest")}[constraint.kind]
    label = labels[found.worst[0]]
    if not label:
        return f"{bound} {limit} of {units}; acted on were {shown}."
    if len(each) == 1:
        return f"{bound} {limit} of {units} in {quoted(label)}; acted on were {shown}."
    return (
        f"{bound} {limit} of {units} in every group; the {worst} share was {shown} "
        f"({quoted(label)})."
    )


def _state(value: float, edge: float, bound: float, *, above: bool) -> str:
    """Hold a measured share, and the end of its interval nearer the bound, against the bound."""
    if above:
        value, edge, bound = -value, -edge, -bound
    if value <= bound + 1e-9:
        return "met"
    return "within" if edge <= bound + 1e-9 else "broken"
