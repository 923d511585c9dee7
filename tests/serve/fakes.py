"""A bundle without a model: what the server asks of one, with answers that a reader can predict."""

from __future__ import annotations

import threading

from payoff.declare import Action, Data, Decision, Outcome, PayoffTable
from payoff.errors import DataError
from payoff.load.fields import Contract, Field

HOSTILE = "</style><script>alert(1)</script>'; rm -rf ~; \"\n\u202egnp.exe"

FIELDS = (
    Field(name="age", type="number", low=18.0, high=95.0, n_categories=78),
    Field(name="job", type="category", categories=("cook", "clerk"), n_categories=2),
    Field(name="since", type="date", first="2024-01-01", last="2024-12-31", n_categories=300),
    Field(name="member", type="boolean", n_categories=2),
    Field(name="amount", type="number", role="money", required=True, low=0.5, high=900.0),
)
ROW = {"age": 41, "job": "cook", "since": "2024-03-01", "member": True, "amount": 20}


def decision(**changes):
    facts = {
        "name": "calls",
        "title": "Whom to call",
        "unit": "customer",
        "currency": "EUR",
        "outcomes": (Outcome(name="yes", values=(1,)), Outcome(name="no", values=(0,))),
        "actions": (Action(name="call", label="Call them"), Action(name="leave")),
        "payoffs": PayoffTable.of(
            {"call": {"yes": "amount", "no": -10}, "leave": {"yes": 0, "no": 0}}
        ),
        "do_nothing": "leave",
        "data": Data(outcome="y", unit_id="customer"),
    }
    return Decision(**(facts | changes))


class FakeBundle:
    """Says yes with half the probability to everybody, so money is ``amount / 2 - 5``."""

    id = "f" * 64
    themes = None

    def __init__(self, *, fields=FIELDS, failure=None, wait=None, **changes):
        self.decision = decision(**changes)
        self.contract = Contract(fields=fields)
        self.failure = failure
        self.wait = wait
        self.threads = set()

    def prepare(self, rows):
        return rows

    def one(self, row):
        return row

    def decide(self, rows):
        self.threads.add(threading.get_ident())
        if self.wait is not None:
            self.wait()
        if self.failure is not None:
            raise self.failure
        return [self._one(row) for row in rows]

    def explain(self, row):
        [made] = self.decide([row])
        missing = {"not_measured": "a fake has no model"}
        return {
            **made,
            "next_best": {"action": "leave", "expected_money": 0.0},
            "why": missing,
            "documents": {},
            "nearest": missing,
            "removal": missing,
            "sentences": ["Call them."],
        }

    def _one(self, row):
        amount = row.get("amount", 0)
        if isinstance(amount, int | float) and amount < 0:
            raise DataError.bad_money("payoffs.call.yes", "amount", 1, str(amount))
        money = {"call": amount / 2 - 5.0, "leave": 0.0}
        return {
            "action": max(money, key=money.__getitem__),
            "probabilities": {"yes": 0.5, "no": 0.5},
            "expected_money": money,
            "currency": "EUR",
            "unit_id": row.get("customer"),
        }


class KeptLog:
    """Keeps entries in memory and says that they are durable; can be told to refuse."""

    durable = True

    def __init__(self, failure=None):
        self.failure = failure
        self.entries = []

    def record(self, entries):
        if self.failure is not None:
            raise self.failure
        self.entries += entries
