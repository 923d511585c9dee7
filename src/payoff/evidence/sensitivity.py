"""What would change the answer: break-even of each payoff, capacity, volume, and payoff ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.evidence import Estimate
from payoff.evidence.joint import fieller, figure, quantile_t
from payoff.evidence.levers import Lever, Reach, levers_of, reach
from payoff.evidence.measured import Again, Measured
from payoff.evidence.options import Options, options_of
from payoff.evidence.ranges import payoff_ranges
from payoff.evidence.wording import about, quoted

__all__ = ["sensitivity"]

_MAP: Final = np.linspace(0.0, 2.5, 11)
#: The change of a payoff that the comparison of payoffs shows.
CHANGE: Final = 0.2
_AGAIN: Final = 6
#: A lead of this part of the largest one is the rounding of sums: the two earn the same.
_ROUNDING: Final = 1e-12


def sensitivity(
    judged: Measured, again: Again, *, capacity: Mapping[str, Any], volume: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what would change the answer, for each payoff and for the room there is.

    Parameters
    ----------
    again
        Decides again under changed payoffs.
    capacity, volume
        What more room and more units change, from :mod:`payoff.evidence.room`.

    Returns
    -------
    dict
        ``levers``: per payoff ``now``, the range in which the recommended policy stays ahead of
        every policy without a model (``stays``: ``low``, ``high`` as estimates, ``below``,
        ``above``: who takes over) and of all options (``stays_best``), the lead at 20 % less and
        20 % more, and ``again``: the same when the policy decides again under the changed money.
        ``map``: which option is best as the two strongest payoffs move. ``ranges``: declared
        ranges of payoffs carried into the figures. ``capacity`` and ``volume``. ``sentences``.
    """
    options = options_of(judged)
    if len(options.names) < 2:
        return {"not_measured": "there is one option only, so nothing can change places"}
    levers = levers_of(judged, options)
    found = {
        "n": judged.n,
        "unit": judged.decision.money_unit,
        "against": judged.verdict["best_trivial"],
        "levers": [
            _lever(judged, options, x, again if k < _AGAIN else None) for k, x in enumerate(levers)
        ],
        "map": _map(options, levers),
        "ranges": payoff_ranges(judged, options),
        "capacity": capacity,
        "volume": volume,
        "left_out": list(options.left_out),
        "note": "The actions of every policy are held while one payoff moves; under “again” the "
        "recommended policy decides again by the changed money.",
    }
    return found | {"sentences": _sentences(judged, found)}


def _values(options: Options) -> NDArray[np.float64]:
    return np.array([p.total.value or 0.0 for p in options.policies])


def _lever(judged: Measured, options: Options, lever: Lever, again: Again | None) -> dict[str, Any]:
    decision = judged.decision
    value = _values(options)
    simple = options.simple or tuple(range(1, len(options.names)))
    near = reach(value, lever.slope, simple)
    every = reach(value, lever.slope, range(1, len(options.names)))
    best = options.names.index(str(judged.verdict["best_trivial"]))
    lead, slope = value[0] - value[best], lever.slope[0] - lever.slope[best]
    size = CHANGE * (abs(lever.now) or 0.0)
    return {
        "kind": lever.kind,
        "action": lever.action,
        "outcome": lever.outcome,
        "now": lever.now,
        "unit": "times" if lever.kind == "factor" else decision.value_unit,
        "stays": _stays(judged, options, lever, near),
        "stays_best": _ends(options, lever, every),
        "lead": float(lead),
        "lead_less": float(lead - size * slope),
        "lead_more": float(lead + size * slope),
        "slope": float(slope),
        "again": {"not_measured": f"only the {_AGAIN} strongest are decided again"}
        if again is None
        else _again(judged, options, lever, again),
    }


def _ends(options: Options, lever: Lever, found: Reach) -> dict[str, Any]:
    def name(k: int | None) -> str | None:
        return None if k is None else options.names[k]

    return {
        "low": None if found.low is None else lever.now + found.low,
        "high": None if found.high is None else lever.now + found.high,
        "below": name(found.below),
        "above": name(found.above),
        "nowhere": found.empty,
        "here": not found.empty and (found.low or 0.0) <= 0 <= (found.high or 0.0),
    }


def _stays(judged: Measured, options: Options, lever: Lever, found: Reach) -> dict[str, Any]:
    """Return both ends of a range as estimates, with Fieller's interval for a ratio."""
    return _ends(options, lever, found) | {
        "low": _end(judged, options, lever, found.low, found.below),
        "high": _end(judged, options, lever, found.high, found.above),
    }


def _end(
    judged: Measured, options: Options, lever: Lever, change: float | None, other: int | None
) -> dict[str, Any]:
    unit = "times" if lever.kind == "factor" else judged.decision.value_unit
    if change is None or other is None:
        why = "no other option takes over on this side"
        return asdict(figure(judged, None, None, unit, why))
    lead = options.columns[0] - options.columns[other]
    moved = [
        judged.lever(options.names[k], lever.action, lever.outcome, lever.kind) for k in (0, other)
    ]
    found = judged.joint([lead, moved[0] - moved[1]])
    t = quantile_t(judged.decision.evidence.level, found.n_clusters)
    ends = fieller(float(found.mean[0]), float(found.mean[1]), found.cov, t)
    told: Estimate = figure(
        judged,
        lever.now + change,
        None if ends is None else (lever.now + ends[0], lever.now + ends[1]),
        unit,
        "" if ends else "too few rows differ between the two to tell how it moves them",
    )
    return asdict(told)


def _again(judged: Measured, options: Options, lever: Lever, again: Again) -> dict[str, Any]:
    """Return where a policy without a model would catch up with one that decides again."""
    if lever.outcome is None:
        return {"not_measured": "decided again by payoff only"}
    why = again.why_not(lever.kind)
    if why:
        return {"not_measured": why}
    size = abs(lever.now) or again.spread()
    value, simple = _values(options), list(options.simple)
    if not simple:
        return {"not_measured": "there is no policy without a model"}
    far = reach(value, lever.slope, simple)
    reaches = [4 * size, *(1.5 * abs(x) for x in (far.low, far.high) if x is not None)]
    grid = np.unique(np.concatenate([np.linspace(-1, 1, 161) * min(max(reaches), 20 * size), [0]]))
    if lever.kind == "factor":
        grid = grid[grid >= -1.0]
    made = again.by_payoff(lever.action, lever.outcome, grid, lever.kind)
    if made is None:
        return {"not_measured": "deciding again within capacity takes too long on so many rows"}
    places, own = made.changes, made.value
    trivial = (value[simple] + places[:, None] * lever.slope[simple]).max(axis=1)
    lead = own - trivial
    low, high = _span(places, lead)
    found = {
        "now": float(np.interp(0.0, places, own)),
        "low": None if low is None else lever.now + low,
        "high": None if high is None else lever.now + high,
        "ahead_now": bool(np.interp(0.0, places, lead) > 0),
        "looked_from": lever.now + float(places[0]),
        "looked_to": lever.now + float(places[-1]),
        "points": len(places),
        "n": judged.n,
    }
    return found if made.off is None else found | {"off_by_at_most": made.off}


def _span(
    places: NDArray[np.float64], lead: NDArray[np.float64]
) -> tuple[float | None, float | None]:
    """Return the changes nearest to zero, on each side, where the lead changes its sign."""
    zero = int(np.searchsorted(places, 0.0))
    ahead = lead > _ROUNDING * max(float(np.abs(lead).max()), 1e-300)
    low = high = None
    for k in range(zero, len(places) - 1):
        if ahead[k] != ahead[k + 1]:
            high = _root(places, lead, k)
            break
    for k in range(min(zero, len(places) - 1), 0, -1):
        if ahead[k] != ahead[k - 1]:
            low = _root(places, lead, k - 1)
            break
    return low, high


def _root(places: NDArray[np.float64], lead: NDArray[np.float64], k: int) -> float:
    part = lead[k] / (lead[k] - lead[k + 1]) if lead[k] != lead[k + 1] else 0.0
    return float(places[k] + part * (places[k + 1] - places[k]))


def _map(options: Options, levers: Sequence[Lever]) -> dict[str, Any]:
    """Return which option is best as the two strongest payoffs go from 0 to 2.5 times."""
    usable = [x for x in levers if x.kind != "cost" and x.now]
    usable.sort(key=lambda x: -abs(x.now * _widest(options, x)))
    if len(usable) < 2:
        return {"not_measured": "fewer than two payoffs other than 0 move the options apart"}
    across, up = usable[:2]
    places = [0, *options.simple] if options.simple else list(range(len(options.names)))
    value = _values(options)[places]
    best = []
    for v in _MAP:
        row = []
        for h in _MAP:
            moved = value + (h - 1) * across.now * across.slope[places]
            moved = moved + (v - 1) * up.now * up.slope[places]
            top = np.flatnonzero(
                moved >= moved.max() - 1e-12 * max(1.0, float(np.abs(moved).max()))
            )
            row.append(options.names[places[int(top[0])]])
        best.append(row)
    return {
        "across": _axis(across),
        "up": _axis(up),
        "best": best,
        "options": [options.names[k] for k in places],
        "note": "The actions of every policy are held.",
    }


def _widest(options: Options, lever: Lever) -> float:
    others = options.simple or tuple(range(1, len(options.names)))
    return max(abs(float(lever.slope[0] - lever.slope[k])) for k in others)


def _axis(lever: Lever) -> dict[str, Any]:
    return {
        "kind": lever.kind,
        "action": lever.action,
        "outcome": lever.outcome,
        "now": lever.now,
        "values": (_MAP * lever.now).tolist(),
    }


# -------------------------------------------------------------------------------- sentences


def _sentences(judged: Measured, found: dict[str, Any]) -> list[str]:
    labels = {p.name: p.label for p in judged.policies}
    said: list[str] = []
    for one in found["levers"]:
        if one["kind"] == "payoff" and one["now"] and len(said) < 2:
            text = _break_even(judged, one, labels)
            if text:
                said.append(text)
    if not said and judged.verdict["state"] != "refuse":
        own = quoted(judged.policies[0].label)
        said.append(f"No change of a single payoff within reason makes a simpler rule beat {own}.")
    ranges = found["ranges"]
    if "not_measured" not in ranges:
        said.append(ranges["sentence"])
    room = found["capacity"]
    if "not_measured" not in room:
        said.append(room["sentence"])
    return said[:3]


def _break_even(judged: Measured, one: dict[str, Any], labels: dict[str, str]) -> str:
    decision, stays = judged.decision, one["stays"]
    what = (
        f"{quoted(decision.action_label(one['action']))} where the outcome is "
        f"{quoted(next(o.label for o in decision.outcomes if o.name == one['outcome']))}"
    )
    now = about(one["now"], one["unit"])
    ends = [
        (stays[side]["value"], stays[other], word)
        for side, other, word in (("low", "below", "falls below"), ("high", "above", "rises above"))
        if stays[side]["value"] is not None and np.sign(stays[side]["value"]) == np.sign(one["now"])
    ]
    if stays["nowhere"] or not ends:
        return ""
    if stays["here"]:
        turns = "; ".join(
            f"{quoted(labels[who])} is better if it {word} {about(at, one['unit'])}"
            for at, who, word in ends
        )
        return f"{what} is worth {now} as declared: {turns}."
    at, _, word = ends[0]
    word = "rises above" if word == "falls below" else "falls below"
    own = quoted(judged.policies[0].label)
    return (
        f"{what} is worth {now} as declared: {own} would be the better choice only if it {word} "
        f"{about(at, one['unit'])}."
    )
