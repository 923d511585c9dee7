"""Returns and cancellations find the purchases they take back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.load.interactions.events import Events, Ledger, TakenBack

__all__ = ["Settled", "match", "settle"]

_NOTHING = 1e-9


def match(
    events: Events,
    key: NDArray[np.int64],
    back_key: NDArray[np.int64],
    back_time: NDArray[np.float64],
    back_quantity: NDArray[np.float64],
) -> tuple[TakenBack, NDArray[np.float64]]:
    """Match each cancellation to the latest purchases of its user and item that are not after it.

    A cancellation may take back part of a purchase, or several purchases; what finds none is
    returned, and takes nothing back.

    Parameters
    ----------
    events
        Purchases in the order of time.
    key, back_key
        int64, one number per pair of user and item, of the purchases and of the cancellations.
    back_time, back_quantity
        float64, when, and how many pieces (above 0), in the order of time.

    Returns
    -------
    taken_back
        Event, moment and pieces of each match.
    unmatched
        float64 (n_cancellations,), pieces that found no purchase.
    """
    unmatched = back_quantity.astype(np.float64).copy()
    candidates = np.flatnonzero(np.isin(key, back_key))
    moments = np.concatenate([events.time[candidates], back_time])
    # at one moment the purchase comes before what takes it back
    kind = np.repeat([0, 1], [len(candidates), len(back_time)])
    place = np.concatenate([candidates, np.arange(len(back_time))])
    order = np.lexsort((place, kind, moments))
    stacks: dict[int, list[list[float]]] = {}
    event: list[int] = []
    time: list[float] = []
    quantity: list[float] = []
    for step in order.tolist():
        row = int(place[step])
        if kind[step] == 0:
            stacks.setdefault(int(key[row]), []).append([row, float(events.quantity[row])])
            continue
        stack = stacks.get(int(back_key[row]), [])
        while stack and unmatched[row] > _NOTHING:
            taken = min(stack[-1][1], float(unmatched[row]))
            event.append(int(stack[-1][0]))
            time.append(float(back_time[row]))
            quantity.append(taken)
            unmatched[row] -= taken
            stack[-1][1] -= taken
            if stack[-1][1] <= _NOTHING:
                stack.pop()
    found = TakenBack(
        event=np.array(event, dtype=np.int64),
        time=np.array(time, dtype=np.float64),
        quantity=np.array(quantity, dtype=np.float64),
    )
    return found, np.where(unmatched > _NOTHING, unmatched, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """A ledger once cancellations have found their purchases.

    Parameters
    ----------
    events
        The purchases; where nothing is listed twice, the first of each user and item.
    taken_back
        What was taken back of them.
    part
        int8 (n,), the part of each event; None when no column says.
    facts
        Counts and money of cancellations, and of those that found no purchase.
    """

    events: Events
    taken_back: TakenBack
    part: NDArray[np.int8] | None
    facts: Mapping[str, Any]


def settle(
    ledger: Ledger, n_items: int, *, repeats: bool, part: NDArray[np.int8] | None = None
) -> Settled:
    """Let cancellations find their purchases, then drop repeats where those are not listed.

    Parameters
    ----------
    n_items
        Size of the catalogue.
    repeats
        Whether a further purchase of the same item counts.
    part
        int8 (n,), the part of each purchase.
    """
    events, back = ledger.purchases, ledger.cancellations
    key = events.key(n_items)
    found, unmatched = match(events, key, back.key(n_items), back.time, back.quantity)
    left = unmatched / np.where(back.quantity > 0, back.quantity, 1.0)
    facts = {
        "cancellations": len(back),
        "cancelled_value": float(back.value.sum()),
        "unmatched": int(np.sum(left > 0)),
        "unmatched_value": float((back.value * left).sum()),
    }
    if not repeats:
        events, part, found, facts["repeats_left_out"] = _first_only(events, part, found, key)
    return Settled(events=events, taken_back=found, part=part, facts=facts)


def _first_only(
    events: Events, part: NDArray[np.int8] | None, back: TakenBack, key: NDArray[np.int64]
) -> tuple[Events, NDArray[np.int8] | None, TakenBack, int]:
    """Keep the first event of each user and item that was not wholly taken back."""
    taken = np.bincount(back.event, weights=back.quantity, minlength=len(events))
    whole = taken >= events.quantity - 1e-9
    order = np.lexsort((np.arange(len(events)), whole, key))
    first = np.ones(len(events), dtype=np.bool_)
    first[1:] = key[order][1:] != key[order][:-1]
    keep = np.zeros(len(events), dtype=np.bool_)
    keep[order[first]] = True
    place = np.cumsum(keep) - 1
    stays = keep[back.event]
    kept = TakenBack(
        event=place[back.event[stays]], time=back.time[stays], quantity=back.quantity[stays]
    )
    return events.take(keep), None if part is None else part[keep], kept, int(np.sum(~keep))
