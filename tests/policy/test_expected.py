"""Expected and realised money, checked by hand and by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payoff.errors import DataError, EvidenceError
from payoff.load.evaluate import RowColumns, TableColumns
from payoff.model.scored import Scored
from payoff.policy.expected import expected_money, realised_money, rule_actions
from payoff.policy.stakes import stakes_to_judge
from tests.worlds import POWERS, SIMPLE, at_stake, binary, rows, three_by_three


def test_a_cost_matrix_is_not_read_transposed():
    decision = binary(POWERS)
    data = rows(decision, {"y": [1, 0]})
    money = realised_money(decision, TableColumns(data.table), data.outcome)
    assert money.tolist() == [[1000, -10], [-100, 1]]


def test_expected_money_is_the_sum_over_outcomes_by_hand():
    decision = binary(POWERS)
    _, stake = at_stake(decision, {"y": [1, 0]}, [0.25, 0.5])
    assert stake.expected.tolist() == [
        [0.25 * 1000 + 0.75 * -100, 0.25 * -10 + 0.75 * 1],
        [0.5 * 1000 + 0.5 * -100, 0.5 * -10 + 0.5 * 1],
    ]


def test_three_by_three_with_columns_equals_a_loop(rng):
    decision = three_by_three()
    n = 40
    amount = rng.lognormal(5, 1, n)
    prob = rng.dirichlet([1, 1, 1], n)
    y = np.array(["fraud", "error", "fine"])[rng.integers(0, 3, n)]
    _, stake = at_stake(decision, {"y": y, "amount": amount}, prob)
    for i in range(n):
        a = amount[i]
        table = np.array([[a, a / 2, -200], [a - 30, a / 2 - 30, -30], [0, 0, 0]])
        np.testing.assert_allclose(stake.expected[i], table @ prob[i], rtol=1e-12)
        k = ["fraud", "error", "fine"].index(y[i])
        np.testing.assert_allclose(stake.realised[i], table[:, k], rtol=1e-12)


def test_money_known_only_later_is_replaced_by_its_predicted_mean():
    decision = binary(
        {"call": {"yes": "gift - 1", "no": -1}, "leave": {"yes": 0, "no": 0}},
        known_later={"gift": "arrives later"},
    )
    columns = RowColumns([{"age": 3}, {"age": 4}], {"age": "number"})
    amounts = {("gift", "yes"): np.array([11.0, 21.0])}
    money = expected_money(decision, columns, np.array([[0.5, 0.5], [0.1, 0.9]]), amounts)
    np.testing.assert_allclose(money[:, 0], [0.5 * 10 - 0.5, 0.1 * 20 - 0.9])


def test_missing_money_names_cell_row_and_mend():
    decision = binary({"call": {"yes": "amount", "no": -1}, "leave": {"yes": 0, "no": 0}})
    with pytest.raises(DataError, match=r"PAY-L010.*payoffs\.call\.yes.*row 2.*coalesce"):
        at_stake(decision, {"y": [1, 1], "amount": [1.0, None]}, [0.5, 0.5])


def test_money_missing_where_the_outcome_did_not_happen_does_not_matter_for_judging():
    decision = binary({"call": {"yes": "amount", "no": -1}, "leave": {"yes": 0, "no": 0}})
    data = rows(decision, {"y": [1, 0], "amount": [5.0, None]})
    assert stakes_to_judge(data, None).realised.tolist() == [[5, 0], [-1, 0]]


@pytest.mark.parametrize("amount", [1e308, -1e308, float("inf")])
def test_money_beyond_reason_is_refused(amount):
    decision = binary({"call": {"yes": "amount * 10", "no": -1}, "leave": {"yes": 0, "no": 0}})
    with pytest.raises(DataError, match="PAY-L010"):
        at_stake(decision, {"y": [1, 0], "amount": [amount, 1.0]}, [0.5, 0.5])


def test_a_billion_to_one_payoff_is_exact():
    decision = binary({"call": {"yes": 1e9, "no": -1}, "leave": {"yes": 0, "no": 0}})
    _, stake = at_stake(decision, {"y": [1, 0]}, [1e-9, 2e-9])
    np.testing.assert_allclose(stake.expected[:, 0], [1e-9, 1 + 2e-9], rtol=1e-9, atol=1e-9)


def test_rule_cases_are_tried_in_order_and_missing_is_false():
    from payoff.declare import Case, CurrentRule

    decision = binary()
    import dataclasses

    decision = dataclasses.replace(
        decision,
        current_rule=CurrentRule(
            cases=(Case(when="age > 60", then="leave"), Case(when="age > 30", then="call")),
            otherwise="leave",
        ),
    )
    ages = [70, 40, 20, None]
    columns = RowColumns([{"age": a} for a in ages], {"age": "number"})
    assert rule_actions(decision, columns).tolist() == [1, 0, 1, 1]


def test_a_recorded_action_that_is_not_declared_is_refused():
    import dataclasses

    from payoff.declare import CurrentRule

    decision = dataclasses.replace(binary(), current_rule=CurrentRule(column="did"))
    data = rows(decision, {"y": [1, 0, 1], "did": ["call", "mail", "leave"]})
    with pytest.raises(EvidenceError, match=r"PAY-E003.*did.*'mail'"):
        stakes_to_judge(data, None)


def test_predictions_of_another_part_are_refused():
    decision = binary()
    data = rows(decision, {"y": [1, 0]}, part="judge")
    with pytest.raises(EvidenceError, match="PAY-E001"):
        stakes_to_judge(data, Scored(prob=np.full((2, 2), 0.5), part="fit"))


@given(
    st.floats(1e-3, 1e3),
    st.lists(st.floats(0, 1), min_size=1, max_size=20),
)
def test_scaling_money_scales_expected_money(factor, prob):
    plain = binary()
    scaled = binary({a: {o: m * factor for o, m in row.items()} for a, row in SIMPLE.items()})
    columns = RowColumns([{} for _ in prob], {})
    p = np.stack([prob, 1 - np.array(prob)], axis=1)
    np.testing.assert_allclose(
        expected_money(scaled, columns, p, {}),
        factor * expected_money(plain, columns, p, {}),
        rtol=1e-12,
        atol=1e-12,
    )
