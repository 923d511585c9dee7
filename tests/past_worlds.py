"""Worlds that know what every action would have done: the truth that past decisions hide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Action, Data, Decision, Outcome, Past, PayoffTable
from payoff.policy.past import PastStakes, doubly_robust
from payoff.policy.stakes import Judging

PAYOFFS = {"mail": {"buys": 9, "not": -1}, "leave": {"buys": 10, "not": 0}}


def campaign(**more):
    """To mail or to leave, where mailing changes who buys."""
    made = {
        "name": "campaign",
        "currency": "EUR",
        "unit": "customer",
        "outcomes": (Outcome(name="buys", values=(1,)), Outcome(name="not", values=(0,))),
        "actions": (Action(name="mail"), Action(name="leave")),
        "payoffs": PayoffTable.of(PAYOFFS),
        "do_nothing": "leave",
        "data": Data(outcome="y"),
        "past": Past(action="done", randomised=True),
    }
    return Decision(**{**made, **more})


@dataclass(frozen=True, kw_only=True)
class World:
    """n rows: feature, chance of buying under each action, what was done, what happened."""

    x: NDArray[np.float64]
    buys: NDArray[np.float64]  # (n, 2): probability of buying under mail and under leave
    chance: NDArray[np.float64]  # (n, 2): propensity of each action
    taken: NDArray[np.int16]
    would: NDArray[np.int16]  # (n, 2): outcome under each action (0 buys, 1 not)

    @property
    def outcome(self) -> NDArray[np.int16]:
        """What happened under what was done."""
        return self.would[np.arange(len(self.x)), self.taken]

    @property
    def table(self) -> dict[str, NDArray[np.generic]]:
        """The rows as a file would hold them."""
        return {
            "x": self.x,
            "done": np.array(["mail", "leave"])[self.taken],
            "y": 1 - self.outcome,
            "chance": self.chance[np.arange(len(self.x)), self.taken],
        }

    def expected(self) -> NDArray[np.float64]:
        """True expected money of each action, float64 (n, 2)."""
        return np.stack([10 * self.buys[:, 0] - 1, 10 * self.buys[:, 1]], axis=1)


def draw(rng, n, *, even=False):
    """Rows whose past mailed the likely buyers more often (or tossed a coin)."""
    x = rng.normal(size=n)
    base = 1 / (1 + np.exp(1.5 - 0.8 * x))
    lift = 1 / (1 + np.exp(1.5 - 0.8 * x - np.where(x > 0, 1.2, -0.3)))
    mail = np.full(n, 0.5) if even else 0.1 + 0.8 / (1 + np.exp(-x))
    taken = (rng.random(n) >= mail).astype(np.int16)
    would = (rng.random((n, 2)) >= np.stack([lift, base], axis=1)).astype(np.int16)
    return World(
        x=x,
        buys=np.stack([lift, base], axis=1),
        chance=np.stack([mail, 1 - mail], axis=1),
        taken=taken,
        would=would,
    )


def stakes_of(world, prob=None, propensity=None, how="given", **more):
    """Judging stakes with a given model of buying (n, 2) and given propensities."""
    n = len(world.x)
    own = np.arange(n)
    prob = world.buys if prob is None else prob
    e = world.chance[own, world.taken] if propensity is None else propensity
    both = np.stack([prob, 1 - prob], axis=2)
    money = np.array([[9.0, -1.0], [10.0, 0.0]])
    cells = both * money
    seen = money[world.taken, world.outcome]
    past = PastStakes(
        how=how,
        taken=world.taken,
        propensity=e,
        money=seen,
        prob=both,
        modelled=True,
        cells=cells,
        low=np.broadcast_to(money.min(axis=1), (n, 2)),
        high=np.broadcast_to(money.max(axis=1), (n, 2)),
        **more,
    )
    return Judging(
        part="judge",
        prob=None,
        expected=cells.sum(axis=2),
        realised=doubly_robust(cells.sum(axis=2), world.taken, e, seen),
        outcome=world.outcome,
        rule=None,
        weight=np.ones(n),
        cluster=own,
        clustered=False,
        weighted=False,
        past=past,
    )
