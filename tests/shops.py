"""A small shop whose lists can be made by hand, and bundles of it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from payoff.bundle import ItemTable, Ranker, write_lists
from payoff.declare.file import from_toml
from payoff.model.recommend.als import ImplicitAls
from payoff.model.recommend.blend import Blend
from payoff.model.recommend.content import ContentBased
from payoff.model.recommend.ease import Ease, LowRankEase
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.neighbours import ItemNeighbours
from payoff.model.recommend.popular import BuyAgain, Popular
from payoff.model.recommend.sequential import NextItem
from payoff.policy.listing.policy import ListPolicy, Offer

N_USERS, N_ITEMS = 60, 24
DAY = 86_400_000_000.0

DECISION = """
schema_version = 1
[decision]
name = "front page"
kind = "recommend"
currency = "EUR"
volume = 1000
[interactions]
user = "who"
item = "what"
time = "day"
quantity = "n"
price = "each"
[items]
source = "items.csv"
id = "sku"
[list]
length = 5
repeats = true
[payoffs.show]
miss = -0.01
"""

#: Every recommender there is, fitted on the shop.
FITS = {
    "popular": Popular.fit,
    "popular_by_segment": lambda h: Popular.fit(h, by_segment=True, prior=5),
    "buy_again": lambda h: BuyAgain.fit(h, half_life=3 * DAY),
    "item_neighbours": lambda h: ItemNeighbours.fit(h, neighbours=8),
    "ease": lambda h: Ease.fit(h, ridge=5.0),
    "low_rank_ease": lambda h: LowRankEase.fit(h, rng=1, ridge=5.0, rank=6),
    "als": lambda h: ImplicitAls.fit(h, rng=1, dimensions=5, rounds=4),
    "next_item": lambda h: NextItem.fit(h, ridge=3.0, core=18),
    "content": lambda h: ContentBased.fit(h, np.arange(N_ITEMS)[:, None] % [2, 3, 5] == 0),
    "blend": lambda h: Blend.of(
        [Ease.fit(h, ridge=5.0), Popular.fit(h), BuyAgain.fit(h)], [1.0, 0.2, 0.3]
    ),
}


def decision(more: str = ""):
    return from_toml(DECISION + more)


def histories(seed: int = 0) -> Histories:
    """Two tastes, even items and odd ones; some things are bought again."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 12, N_USERS)
    user = np.repeat(np.arange(N_USERS), n)
    item = (rng.power(0.6, len(user)) * N_ITEMS // 2).astype(int) * 2 + user % 2
    return Histories.of(
        user,
        item,
        time=rng.integers(0, 90, len(user)) * DAY,
        weight=rng.integers(1, 4, len(user)) / 2,
        n_users=N_USERS,
        n_items=N_ITEMS,
        segment=np.where(np.arange(N_USERS) % 7 == 0, -1, np.arange(N_USERS) % 2),
    )


def items() -> ItemTable:
    labels = np.array([f"i{j}" for j in range(N_ITEMS)], dtype=object)
    table = pa.table(
        {
            "sku": labels,
            "name": [f"Thing {j}" if j % 11 else None for j in range(N_ITEMS)],
            "brand": [("acme", "best", None)[j % 3] for j in range(N_ITEMS)],
            "price": [float(j) for j in range(N_ITEMS)],
            "story": ["long " * 100] * N_ITEMS,
            "tags": [["a"]] * N_ITEMS,
        }
    )
    return ItemTable(labels=labels, attributes=table)


def users():
    return np.array([f"u{j}" for j in range(N_USERS)], dtype=object)


def offer(**more) -> Offer:
    return Offer(
        allowed=np.arange(N_ITEMS) != 3,
        money=1.0 + np.arange(N_ITEMS) / 7,
        **more,
    )


def policy(name: str, **more) -> ListPolicy:
    return ListPolicy(
        **{
            "name": name,
            "label": name.replace("_", " "),
            "how": "as fitted",
            "recommender": name,
            "length": 5,
            "tuned_on": "choose",
            **more,
        }
    )


def bundle_of(folder, name: str = "ease", **changes):
    """Write a bundle of the shop; return its folder."""
    past = histories()
    parts = {
        "decision": decision(),
        "ranker": Ranker(policy=policy(name), recommender=FITS[name](past)),
        "cold": Ranker(policy=policy("popular", baseline=True), recommender=Popular.fit(past)),
        "histories": past,
        "users": users(),
        "items": items(),
        "offer": offer(),
        "dates": True,
        "evidence": b"{}",
        "made_with": {"payoff": "test"},
        "segments": ("north", "south"),
    }
    return write_lists(folder, **(parts | changes))
