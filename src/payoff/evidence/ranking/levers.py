"""What would change the answer about lists: what a hit is worth, and what a place costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from payoff.evidence.measured import Floats, Redecided
from payoff.evidence.ranking.judged import ListsJudged
from payoff.evidence.sensitivity import sensitivity
from payoff.evidence.wording import about, number, quoted

__all__ = ["list_sensitivity"]

_HELD: Final = (
    "lists are held as they are: a model that is fitted for other money may list other items"
)


def list_sensitivity(judged: ListsJudged) -> dict[str, Any]:
    """Return the break-even points of hit money, of the cost of a place and of that of a list.

    Returns
    -------
    dict
        As :func:`payoff.evidence.sensitivity.sensitivity`, with sentences about lists. The lever
        ``show``/``hit`` is a factor on the money of hits (or that money itself, where it is a
        declared constant), ``show``/``miss`` the money of a place that was no hit, and ``show``
        alone what a list costs beyond what is declared.
    """
    none = {"not_measured": "money per list does not depend on how many lists are shown"}
    room = {"not_measured": "no action is limited"}
    found = sensitivity(judged, _Held(), capacity=room, volume=none)
    if "not_measured" in found:
        return found
    return found | {"note": f"{_HELD.capitalize()}.", "sentences": _sentences(judged, found)}


@dataclass(frozen=True, slots=True)
class _Held:
    """Lists are not made again; see :class:`payoff.evidence.measured.Again`."""

    def why_not(self, kind: str) -> str:
        """Say why lists are not made again, whatever moves."""
        del kind
        return _HELD

    def spread(self) -> float:
        """Nothing is decided again."""
        return 0.0

    def by_payoff(self, action: str, outcome: str, grid: Floats, kind: str) -> Redecided | None:
        """Nothing is decided again."""
        del action, outcome, grid, kind
        return None

    def by_rate(self, grid: Floats, fit: float | None) -> dict[str, Any]:
        """Nothing is decided again."""
        del grid, fit
        return {"not_measured": _HELD}


def _sentences(judged: ListsJudged, found: dict[str, Any]) -> list[str]:
    """Say how far hit money and the cost of a place may move before another option wins."""
    own, labels = judged.policies[0], {p.name: p.label for p in judged.policies}
    currency = judged.decision.currency
    said = [_hits(found, own.label, labels, currency)]
    place = next((x for x in found["levers"] if x["outcome"] == "miss"), None)
    low = None if place is None else place["stays"]["low"]["value"]
    if place is not None and low is not None and place["stays"]["here"]:
        cost, now = about(max(0.0, -low), currency), about(max(0.0, -place["now"]), currency)
        said.append(
            f"A place that is no hit may cost up to {cost} (declared: {now}) before "
            f"{quoted(labels[place['stays']['below']])} earns more."
        )
    return [s for s in said if s]


def _hits(found: dict[str, Any], own: str, labels: dict[str, str], currency: str) -> str:
    hit = next((x for x in found["levers"] if x["outcome"] == "hit"), None)
    if hit is None:
        return "All options have hits of the same money, so what a hit is worth changes nothing."
    stays = hit["stays"]
    if not stays["here"]:
        return ""
    low, high = stays["low"]["value"], stays["high"]["value"]
    times = hit["unit"] == "times"
    said = []
    for end, who, word in ((low, "below", "less"), (high, "above", "more")):
        if end is None or (times and end <= 0):
            continue
        other = quoted(labels[stays[who]])
        if times:
            share = f"{word} than {number(100 * end)} % of the money of hits"
            said.append(f"{other} is better once lists bring about {share}")
        else:
            said.append(f"{other} is better once a hit is worth {word} than {about(end, currency)}")
    if not said:
        return (
            f"{quoted(own)} stays ahead whatever share of the money of hits lists bring about, as "
            "long as that share is the same for every option."
        )
    return f"{'; '.join(said)}."
