"""The row of a review is derived: by hand, with columns, and anew when the table changes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from payoff.declare import Action, Decision, Outcome, PayoffTable, Review
from payoff.declare.file import from_toml, to_toml
from payoff.declare.limit_checks import best_between
from payoff.load.evaluate import TableColumns, money

#: Each cell a power of ten, so that a derived sum shows which cells were counted.
TABLE = {
    "block": {"fraud": 1000, "error": 10, "fine": -100},
    "ask back": {"fraud": 100, "error": 1000, "fine": -10},
    "pay": {"fraud": -1000, "error": -100, "fine": 1},
}


def claims(table=TABLE, **review):
    return Decision(
        name="claims",
        currency="EUR",
        outcomes=tuple(Outcome(name=n, values=(n,)) for n in ("fraud", "error", "fine")),
        actions=(
            *(Action(name=n) for n in table),
            Action(name="review", review=Review(**{"cost": "4", "errors": ERRORS, **review})),
        ),
        payoffs=PayoffTable.of(table),
        do_nothing="pay",
    )


ERRORS = {"fraud": 0.1, "error": 0.2, "fine": 0.02}
WRONG = {"fraud": "pay", "error": "block", "fine": "block"}


def row(decision):
    return [decision.payoffs.cell("review", o).money for o in decision.outcome_names]


def test_three_outcomes_and_four_actions_by_hand():
    """-4 + 0.9 x 1000 + 0.1 x -1000 = 796; -4 + 0.8 x 1000 + 0.2 x 10 = 798; -4 + 0.98 - 2."""
    assert row(claims(wrong=WRONG)) == ["796", "798", "-5.02"]


def test_a_perfect_reviewer_earns_the_best_less_his_cost_and_a_hopeless_one_the_worst():
    perfect = dict.fromkeys(ERRORS, 0.0)
    assert row(claims(errors=perfect, wrong=WRONG)) == ["996", "996", "-3"]
    hopeless = dict.fromkeys(ERRORS, 1.0)
    assert row(claims(errors=hopeless, wrong=WRONG)) == ["-1004", "6", "-104"]


def test_decimals_are_added_exactly():
    """0.1 x 3 is 0.30000000000000004 in binary, and no sum of money."""
    decision = claims({"pay": {"fraud": 3, "error": 0, "fine": 0.3},
                       "b": {"fraud": 0, "error": 3, "fine": 0}},
                      cost="0.1", errors=dict.fromkeys(ERRORS, 0.9))  # fmt: skip
    assert row(decision)[0] == "0.2"


def test_money_of_columns_is_an_expression_over_the_same_columns():
    table = {**TABLE, "block": {"fraud": "amount", "error": 10, "fine": -100}}
    decision = claims(
        table, cost="amount * 0.01 + 2", right={"fraud": "block", "fine": "pay"}, wrong=WRONG
    )
    rows = TableColumns(pa.table({"amount": [100.0, 2000.0]}))
    found = money(decision.payoffs.cell("review", "fraud").node, rows)
    want = [-(a * 0.01 + 2) + 0.9 * a + 0.1 * -1000 for a in (100.0, 2000.0)]
    assert found == pytest.approx(want)
    assert decision.payoffs.columns == ("amount",)


def test_the_row_follows_when_the_table_changes():
    decision = claims(wrong=WRONG)
    dearer = {**TABLE, "pay": {**TABLE["pay"], "fraud": -2000}}
    cells = {**decision.payoffs.cells, **PayoffTable.of(dearer).cells}
    changed = dataclasses.replace(decision, payoffs=PayoffTable(cells=cells))
    assert row(changed)[0] == "696"
    assert dataclasses.replace(decision) == decision


def test_it_is_written_as_declared_not_as_derived():
    decision = claims(wrong=WRONG)
    text = to_toml(decision)
    assert "[payoffs.review]" not in text
    assert from_toml(text) == dataclasses.replace(decision, data=from_toml(text).data)
    assert all(decision.payoffs.cell("review", o).source for o in decision.outcome_names)


def test_where_a_review_is_best_agrees_with_every_probability(rng):
    for _ in range(200):
        money_ = rng.normal(0, 10, (2, 2))
        table = {
            a: {"yes": m[0], "no": m[1]} for a, m in zip(("act", "leave"), money_, strict=True)
        }
        decision = Decision(
            name="x", currency="EUR",
            outcomes=(Outcome(name="yes", values=(1,)), Outcome(name="no", values=(0,))),
            actions=(Action(name="act"), Action(name="leave"), Action(
                name="ask",
                review=Review(cost=str(rng.random() * 3), errors={"yes": 0.1, "no": 0.05}))),
            payoffs=PayoffTable.of(table),
        )  # fmt: skip
        low, high = best_between(decision, "ask")
        p = np.linspace(0.0005, 0.9995, 1000)
        u = np.array([[float(decision.payoffs.cell(a, o).money) for o in ("yes", "no")]
                      for a in decision.action_names])  # fmt: skip
        value = u[:, [0]] * p + u[:, [1]] * (1 - p)
        best = value[2] > value[:2].max(axis=0)
        near = np.minimum(abs(p - low), abs(p - high)) < 1e-9
        assert (best == ((p > low) & (p < high)))[~near].all()
