"""Returns and cancellations find the purchases they take back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from payoff.load.interactions.events import Events, TakenBack

__all__ = ["match"]

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
