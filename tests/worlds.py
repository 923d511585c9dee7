"""Small worlds whose right answers are known: hand tables, planted policies, skewed money."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from payoff.declare import (
    Action,
    Capacity,
    Case,
    CurrentRule,
    Data,
    Decision,
    Outcome,
    PayoffTable,
    Subgroup,
)
from payoff.evidence.acted import Background
from payoff.evidence.judge import judge
from payoff.load.dataset import Dataset
from payoff.load.roles import assign
from payoff.load.source import read
from payoff.model.scored import Scored
from payoff.policy.choose import policies, untuned
from payoff.policy.stakes import stakes_to_choose, stakes_to_judge

#: Each cell its own power of ten: a sum shows which cells were counted, and how often.
POWERS = {"call": {"yes": 1000, "no": -100}, "leave": {"yes": -10, "no": 1}}
SIMPLE = {"call": {"yes": 9, "no": -1}, "leave": {"yes": 0, "no": 0}}


def binary(payoffs=None, *, capacity=None, subgroups=(), rule=None, volume=None, **data):
    """A decision to call or leave, under yes or no."""
    return Decision(
        name="calls",
        currency="EUR",
        unit="customer",
        outcomes=(Outcome(name="yes", values=(1,)), Outcome(name="no", values=(0,))),
        actions=(
            Action(name="call", capacity=None if capacity is None else Capacity(share=capacity)),
            Action(name="leave"),
        ),
        payoffs=PayoffTable.of(payoffs or SIMPLE),
        do_nothing="leave",
        volume=volume,
        data=Data(outcome="y", **data),
        subgroups=tuple(Subgroup(name=s, column=s) for s in subgroups),
        current_rule=None
        if rule is None
        else CurrentRule(cases=(Case(when=rule, then="call"),), otherwise="leave"),
    )


def three_by_three():
    """Three actions, three outcomes, one of them reached through a column."""
    return Decision(
        name="claims",
        currency="EUR",
        unit="claim",
        outcomes=tuple(Outcome(name=n, values=(n,)) for n in ("fraud", "error", "fine")),
        actions=tuple(Action(name=n) for n in ("refuse", "review", "pay")),
        payoffs=PayoffTable.of(
            {
                "refuse": {"fraud": "amount", "error": "amount / 2", "fine": -200},
                "review": {"fraud": "amount - 30", "error": "amount / 2 - 30", "fine": -30},
                "pay": {"fraud": 0, "error": 0, "fine": 0},
            }
        ),
        do_nothing="pay",
        data=Data(outcome="y"),
    )


def rows(decision, table, part="judge") -> Dataset:
    """Rows with roles, given a part by hand."""
    data = assign(read(pa.table(table)), decision)
    return data.take(np.flatnonzero(data.outcome >= 0), part)


def at_stake(decision, table, prob, part="judge"):
    """Stakes of rows with given probabilities of the first outcome, or of all."""
    data = rows(decision, table, part)
    prob = np.asarray(prob, dtype=float)
    if prob.ndim == 1:
        prob = np.stack([prob, 1 - prob], axis=1)
    join = stakes_to_judge if part == "judge" else stakes_to_choose
    return data, join(data, Scored(prob=prob, part=part))


def judged(decision, table, prob, *, chosen=None, background=None):
    """Judge every policy; thresholds are tuned on ``chosen`` (another part's stakes)."""
    data, stake = at_stake(decision, table, prob)
    found = policies(decision, chosen) if chosen else untuned(decision, stake)
    return judge(
        decision,
        stake,
        found,
        recommended="expected",
        subgroups=data.subgroups,
        background=background or Background(data={}, model={}),
    )


def calibrated(rng, n, *, a=1.0, b=4.0):
    """Probabilities and outcomes that agree with them."""
    prob = rng.beta(a, b, n)
    return prob, (rng.random(n) < prob).astype(np.int64)
