"""Small shops whose figures can be added up by hand."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa

from payoff.declare.file import from_toml
from payoff.load.interactions.read import read_interactions

HEAD = """
schema_version = 1
[decision]
name = "shop"
kind = "recommend"
currency = "EUR"
volume = 1000
[interactions]
user = "who"
item = "what"
time = "day"
quantity = "n"
price = "each"
"""


def declared(more: str = "", head: str = HEAD):
    """Return the declaration of a small shop; ``more`` is TOML put behind [interactions]."""
    return from_toml(head + more)


def day(n: int) -> datetime.datetime:
    return datetime.datetime(2026, 1, 1) + datetime.timedelta(days=n)  # noqa: DTZ001  (UTC)


def table(rows):
    """Return rows (who, what, day, n, each) as a table."""
    who, what, when, n, each = zip(*rows, strict=True)
    return pa.table({"who": who, "what": what, "day": [day(w) for w in when], "n": n, "each": each})


def shop(rows, more: str = ""):
    return read_interactions(declared(more), data=table(rows))


def named(data):
    """Return the events as tuples (user, item, day, quantity, value) with labels."""
    first = day(0).replace(tzinfo=datetime.UTC).timestamp() * 1e6
    events = data.events
    return [
        (
            str(data.users.labels[u]),
            str(data.items.labels[i]),
            int((t - first) // 86_400_000_000),
            float(q),
            float(v),
        )
        for u, i, t, q, v in zip(
            events.user, events.item, events.time, events.quantity, events.value, strict=True
        )
    ]


def busy(n=400, users=25, items=30, days=100, seed=3):
    """Return rows of a shop with many random purchases, one piece each."""
    rng = np.random.default_rng(seed)
    return [
        (f"u{rng.integers(users)}", f"i{rng.integers(items)}", int(d), 1, float(rng.integers(1, 9)))
        for d in np.sort(rng.integers(0, days, n))
    ]
