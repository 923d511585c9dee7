"""Worlds of lists whose right answer is known: who buys what, and what each policy shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from payoff.declare import Decision
from payoff.declare.file import from_toml
from payoff.evidence.acted import Background
from payoff.evidence.evidence import Evidence
from payoff.evidence.ranking.judge import judge_lists
from payoff.evidence.ranking.listed import ItemFacts, Listed
from payoff.policy.listing.policy import ListPolicy
from payoff.policy.listing.stakes import ListsToJudge

ITEMS, LENGTH = 40, 4
LABELS = {
    "do_nothing": "Show nothing",
    "popular": "Popular",
    "good": "Knows the taste",
    "fair": "Knows half of it",
}


def decision(
    *, top: str = "volume = 2000", shelf: str = "", miss: str = "-0.01", more: str = ""
) -> Decision:
    """Declare lists whose hits earn the margin; with lines of [decision] and [list], and more."""
    return from_toml(
        f"""
        schema_version = 1
        [decision]
        name = "shelf"
        kind = "recommend"
        currency = "EUR"
        period = "month"
        {top}
        [interactions]
        user = "user"
        item = "item"
        time = "day"
        value = "value"
        margin = "0.5 * value"
        [items]
        id = "item"
        source = "items.csv"
        [list]
        length = {LENGTH}
        {shelf}
        [payoffs.show]
        hit = "margin"
        miss = {miss}
        [[subgroups]]
        column = "region"
        [evidence]
        smallest_group = 10
        {more}
        """
    )


def lists_of(scores: np.ndarray, k: int = LENGTH) -> np.ndarray:
    return np.argsort(-scores, axis=1, kind="stable")[:, :k].astype(np.int32)


class World:
    """Users of a few tastes who buy by chance, at skewed prices; the lists know taste or not.

    A user of taste t buys item i with chance ``p[t, i]``; his region is chance alone. ``good``
    lists by the chance times the price, ``fair`` does so for every other user and is popular for
    the rest; ``popular`` lists by the mean chance.
    """

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.price = np.round(rng.lognormal(1.5, 0.8, ITEMS), 2)
        self.p = 0.25 * rng.random((5, ITEMS)) ** 3

    def draw(self, n: int, rng: np.random.Generator) -> tuple[ListsToJudge, dict[str, np.ndarray]]:
        """Return what n users buy, and the list of each under each policy."""
        taste = rng.integers(0, len(self.p), n)
        bought = rng.random((n, ITEMS)) < self.p[taste]
        pair = np.flatnonzero(bought.ravel())
        value = self.price[pair % ITEMS] * (1 + rng.poisson(0.3, len(pair)))
        known = rng.poisson(3, n)
        region = rng.integers(0, 3, n).astype(np.int32)
        stakes = ListsToJudge(
            part="judge",
            user=np.arange(n, dtype=np.int32),
            pair=pair,
            hit=0.5 * value,
            value=value,
            margin=0.5 * value,
            miss=-0.01,
            n_items=ITEMS,
            known=known,
            groups={"region": (("north", "south", "west"), region)},
            days=30.0,
        )
        return stakes, self.lists(taste)

    def lists(self, taste: np.ndarray) -> dict[str, np.ndarray]:
        popular = lists_of(np.broadcast_to(self.p.mean(axis=0), (len(taste), ITEMS)))
        good = lists_of(self.p[taste] * self.price)
        half = (np.arange(len(taste)) % 2 == 0)[:, None]
        return {
            "good": good,
            "fair": np.where(half, good, popular).astype(np.int32),
            "popular": popular,
            "do_nothing": np.full_like(popular, -1),
        }

    def worth(self, name: str) -> float:
        """Return the true mean money of a list, by arithmetic."""
        each = self.p * 0.5 * self.price * 1.3 - 0.01 * (1 - self.p)
        taste = np.repeat(np.arange(len(self.p)), 2)  # both halves of "fair"
        lists = self.lists(taste)[name]
        earned = np.append(each, np.zeros((len(self.p), 1)), axis=1)[taste[:, None], lists]
        return float(earned.sum(axis=1).mean())

    def items(self) -> ItemFacts:
        had = np.round(1000 * self.p.mean(axis=0)).astype(np.int64)
        half = (np.arange(ITEMS) % 2).astype(np.int32)
        return ItemFacts(
            labels=np.array([f"item {i}" for i in range(ITEMS)]),
            popularity=had,
            n_users=1000,
            allowed=np.ones(ITEMS, bool),
            groups={"maker": (("ours", "theirs"), half)},
        )


def listed(lists: dict[str, np.ndarray], **cost: float) -> list[Listed]:
    return [
        Listed(
            policy=ListPolicy(
                name=name,
                label=LABELS.get(name, name),
                how="by the world",
                recommender="" if name == "do_nothing" else name,
                length=of.shape[1],
                baseline=name in ("popular", "do_nothing"),
            ),
            lists=of,
            cost=cost if name == "good" else {},
        )
        for name, of in lists.items()
    ]


def background(**more: Any) -> Background:
    facts: dict[str, Any] = {
        "data": {"source": "a world", "n_rows": 0, "split": {"method": "time", "parts": {}}},
        "model": {"not_measured": "nothing was fitted"},
        "seed": 3,
    }
    return Background(**{**facts, **more})


def judged(n: int = 1500, seed: int = 1, recommended: str = "good", **declared: str) -> Evidence:
    """Judge the lists of one draw of the world."""
    world = World()
    stakes, lists = world.draw(n, np.random.default_rng(seed))
    return judge_lists(
        decision(**declared),
        stakes,
        listed(lists, fit_seconds=2.0, model_bytes=1e6, ms_per_list=0.5),
        recommended=recommended,
        items=world.items(),
        background=background(),
    )
