"""Interactions as arrays: who bought what and when, and what was taken back, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.load.evaluate import TableColumns, money

__all__ = ["Catalogue", "Events", "Interactions", "Ledger", "TakenBack", "Windows", "hit_money"]


def _freeze(value: object) -> None:
    for spec in fields(value):  # type: ignore[arg-type]
        held = getattr(value, spec.name)
        if isinstance(held, np.ndarray):
            held.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Events:
    """Purchases (or plays, ratings, views) in the order of time.

    Parameters
    ----------
    user, item
        int32 (n,), codes: places in the labels of the catalogue.
    time
        float64 (n,), microseconds since 1970 in UTC where time is a date, else the number given.
    quantity
        float64 (n,), pieces, above 0.
    value, margin
        float64 (n,), money of the event; 0 where no money is declared.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    time: NDArray[np.float64]
    quantity: NDArray[np.float64]
    value: NDArray[np.float64]
    margin: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        _freeze(self)

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.user)

    def take(self, which: NDArray[Any]) -> Events:
        """Return some events, by mask or by place."""
        return Events(**{spec.name: getattr(self, spec.name)[which] for spec in fields(self)})

    def key(self, n_items: int) -> NDArray[np.int64]:
        """Return one number for each pair of user and item, int64 (n,)."""
        return self.user.astype(np.int64) * n_items + self.item


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ledger:
    """Purchases and cancellations as they were read, before one finds the other.

    Parameters
    ----------
    purchases
        In the order of time; those of one user, item and moment are one.
    cancellations
        In the order of time, with the pieces (above 0) and the money that each takes back; the
        margin is 0.
    """

    purchases: Events
    cancellations: Events


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TakenBack:
    """Returns and cancellations that were matched: event (place), when, and how many pieces."""

    event: NDArray[np.int64]
    time: NDArray[np.float64]
    quantity: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        _freeze(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catalogue:
    """Labels of codes, and what is known of each: row c of ``attributes`` is of code c."""

    labels: NDArray[Any]
    attributes: pa.Table | None = None

    def __len__(self) -> int:
        """Return the number of codes."""
        return len(self.labels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Windows:
    """Stretches of time in which items are there; an item without one always is."""

    item: NDArray[np.int32]
    start: NDArray[np.float64]
    end: NDArray[np.float64]

    def there(self, moment: float, n_items: int) -> NDArray[np.bool_]:
        """Return bool (n_items,): which items are there at a moment.

        Examples
        --------
        >>> Windows(
        ...     item=np.array([0, 1], dtype=np.int32),
        ...     start=np.array([0.0, 5.0]),
        ...     end=np.array([3.0, np.inf]),
        ... ).there(3.0, 3)
        array([False, False,  True])
        """
        found = np.ones(n_items, dtype=np.bool_)
        found[self.item] = False
        found[self.item[(self.start <= moment) & (moment < self.end)]] = True
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Interactions:
    """All interactions of a decision: events, what was taken back, users, items.

    Parameters
    ----------
    events
        Every purchase as it was made, in the order of time.
    taken_back
        Returns and cancellations, matched to the events.
    ledger
        Both as they were read.
    users, items
        Labels and attributes of the codes.
    windows
        When items are in the catalogue and in stock, one entry per source that says so.
    part
        int8 (n,), 0 fit, 1 choose, 2 judge, -1 none; None when no column says.
    dates
        Whether time is a date.
    facts
        What was read, left out and merged on the way, as counts.
    """

    decision: Decision
    events: Events
    taken_back: TakenBack
    ledger: Ledger
    users: Catalogue
    items: Catalogue
    windows: tuple[Windows, ...]
    part: NDArray[np.int8] | None
    dates: bool
    facts: Mapping[str, Any]
    source: str
    fingerprint: str
    notes: tuple[str, ...] = ()

    def known(self, which: NDArray[np.bool_], until: float = np.inf) -> Events:
        """Return some events less what was taken back of them before a moment.

        What is taken back later is not known yet, so that a model fitted on the result has seen
        nothing of what comes after ``until``.

        Parameters
        ----------
        which
            bool (n,), events wanted.
        until
            Moment, in the unit of ``events.time``; take-backs at or after it are not counted.
        """
        early = self.taken_back.time < until
        back = np.bincount(
            self.taken_back.event[early],
            weights=self.taken_back.quantity[early],
            minlength=len(self.events),
        )
        left = 1 - back / self.events.quantity
        keep = which & (left > 1e-9)
        found = self.events.take(keep)
        if not back.any():
            return found
        share = left[keep]
        return replace(
            found,
            quantity=found.quantity * share,
            value=found.value * share,
            margin=found.margin * share,
        )

    def available(self, moment: float) -> NDArray[np.bool_]:
        """Return bool (n_items,): which items are in the catalogue and in stock at a moment."""
        found = np.ones(len(self.items), dtype=np.bool_)
        for window in self.windows:
            found &= window.there(moment, len(self.items))
        return found


def hit_money(decision: Decision, events: Events) -> NDArray[np.float64]:
    """Return float64 (n,): what each purchase earns when the list foresaw it.

    This is ``payoffs.show.hit``, read on value, margin, quantity and price (value per piece).
    """
    table = pa.table(
        {
            "value": events.value,
            "margin": events.margin,
            "quantity": events.quantity,
            "price": events.value / events.quantity,
        }
    )
    return money(decision.payoffs.cell("show", "hit").node, TableColumns(table))
