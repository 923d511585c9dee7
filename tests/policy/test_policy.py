"""Policies act as declared, within capacity, the same in one row and in a batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payoff.policy.choose import (
    actions_of,
    best_threshold,
    capacity_prices,
    cross_fitted_threshold,
    expected_policy,
    orientation,
    policy_value,
    untuned,
)
from payoff.policy.policy import Policy
from tests.worlds import POWERS, at_stake, binary, calibrated, three_by_three


def test_act_exactly_where_the_probability_exceeds_elkans_threshold(rng):
    """t = (U00 - U10) / (U00 - U10 + U11 - U01), Elkan 2001."""
    decision = binary(POWERS)
    threshold = (1 + 100) / (1 + 100 + 1000 + 10)
    prob = np.concatenate([rng.random(500), [threshold - 1e-9, threshold + 1e-9]])
    _, stake = at_stake(decision, {"y": [1] * 502}, prob)
    codes = actions_of(expected_policy(decision, {}), stake)
    assert (codes == np.where(prob > threshold, 0, 1)).all()


def test_ties_go_to_doing_nothing():
    decision = binary()
    _, stake = at_stake(decision, {"y": [1, 0]}, [0.1, 0.1])
    assert actions_of(expected_policy(decision, {}), stake).tolist() == [1, 1]


def test_three_actions_take_the_largest_expected_money(rng):
    decision = three_by_three()
    n = 200
    prob = rng.dirichlet([1, 1, 3], n)
    table = {"y": ["fraud"] * n, "amount": rng.lognormal(5, 1, n)}
    _, stake = at_stake(decision, table, prob)
    codes = actions_of(expected_policy(decision, {}), stake)
    assert set(codes) == {0, 1, 2}
    taken = stake.expected[np.arange(n), codes]
    assert (taken >= stake.expected.max(axis=1) - 1e-12).all()


@pytest.mark.parametrize("share", [0.0, 0.013, 0.1, 0.5, 1.0])
def test_capacity_takes_the_largest_gains_as_brute_force_does(rng, share):
    decision = binary(
        {"call": {"yes": "amount", "no": -5}, "leave": {"yes": 0, "no": 0}}, capacity=share
    )
    n = 300
    prob, y = calibrated(rng, n)
    _, stake = at_stake(decision, {"y": y, "amount": rng.lognormal(3, 1, n)}, prob)
    prices = capacity_prices(stake.expected, stake.weight, decision)
    codes = actions_of(expected_policy(decision, prices), stake)
    gain = stake.expected[:, 0] - stake.expected[:, 1]
    room = int(np.floor(share * n + 1e-9))
    best = set(np.argsort(-gain)[:room]) & set(np.flatnonzero(gain > 0))
    assert set(np.flatnonzero(codes == 0)) == best
    left = sorted(gain[codes == 1], reverse=True)
    assert prices["call"] == pytest.approx(max(0.0, left[0]) if left else 0.0)


def test_the_price_acts_on_one_row_as_on_the_batch(rng):
    decision = binary(capacity=0.2)
    prob, y = calibrated(rng, 400)
    _, stake = at_stake(decision, {"y": y}, prob)
    policy = expected_policy(decision, capacity_prices(stake.expected, stake.weight, decision))
    batch = actions_of(policy, stake)
    single = [policy.apply(n=1, expected=stake.expected[i : i + 1])[0] for i in range(400)]
    assert batch.tolist() == single


def test_a_batch_richer_than_the_choosing_rows_is_cut_to_capacity(rng):
    decision = binary(capacity=0.1)
    policy = expected_policy(decision, {"call": 0.0})
    expected = np.stack([rng.random(1000) + 1, np.zeros(1000)], axis=1)
    codes = policy.apply(n=1000, expected=expected)
    assert set(np.flatnonzero(codes == 0)) == set(np.argsort(-expected[:, 0])[:100])


def test_weights_fill_capacity():
    decision = binary(capacity=0.5)
    policy = expected_policy(decision, {"call": 0.0})
    expected = np.array([[3.0, 0.0], [2.0, 0.0], [1.0, 0.0]])
    codes = policy.apply(n=3, expected=expected, weight=np.array([1.0, 1.0, 2.0]))
    assert codes.tolist() == [0, 0, 1]


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1))
def test_more_capacity_is_never_expected_to_be_worth_less(seed, one, other):
    rng = np.random.default_rng(seed)
    gain = np.stack([rng.normal(0, 1, 60), np.zeros(60)], axis=1)
    values = []
    for share in sorted([one, other]):
        decision = binary(capacity=share)
        prices = capacity_prices(gain, np.ones(60), decision)
        codes = expected_policy(decision, prices).apply(n=60, expected=gain)
        assert (codes == 0).mean() <= share + 1e-9
        values.append(gain[np.arange(60), codes].sum())
    assert values[1] >= values[0] - 1e-9


def test_best_threshold_is_the_best_of_all_by_brute_force(rng):
    for _ in range(50):
        prob = rng.choice([0.1, 0.2, 0.3, 0.7, 0.9], 30)
        gain = rng.normal(0, 1, 30)
        found = best_threshold(prob, gain)
        every = [gain[prob >= t].sum() for t in [0, 0.15, 0.25, 0.5, 0.8, 1.01]]
        assert gain[prob >= found].sum() == pytest.approx(max(every))


def test_threshold_orientation_follows_money_not_the_name_of_the_action():
    decision = binary({"call": {"yes": -9, "no": 1}, "leave": {"yes": 0, "no": 0}})
    _, stake = at_stake(decision, {"y": [1, 0, 1, 0]}, [0.9, 0.1, 0.8, 0.2])
    assert orientation(stake, decision) == (1, 0)
    tuned = next(p for p in untuned(decision, stake) if p.name == "threshold")
    assert actions_of(tuned, stake).tolist() == [1, 0, 1, 0]


def test_a_cross_fitted_threshold_is_the_best_of_the_other_folds(rng):
    decision = binary()
    prob, y = calibrated(rng, 500)
    _, stake = at_stake(decision, {"y": y}, prob)
    codes = cross_fitted_threshold(stake, decision, folds=5, seed=3)
    from payoff.rng import generator

    fold = generator(3, "threshold folds").integers(5, size=500)
    gain = stake.realised[:, 0] - stake.realised[:, 1]
    for k in range(5):
        limit = best_threshold(prob[fold != k], gain[fold != k])
        values = [np.where(prob[fold == k] >= limit, 0, 1)]
        assert (codes[fold == k] == values[0]).mean() > 0.99


def test_a_cross_fitted_threshold_does_not_flatter(rng):
    """Scores without information: the tuned value is positive, the cross-fitted one is not."""
    decision = binary({"call": {"yes": 1, "no": -1}, "leave": {"yes": 0, "no": 0}})
    tuned, honest = [], []
    for _ in range(60):
        y = (rng.random(100) < 0.5).astype(int)
        _, stake = at_stake(decision, {"y": y}, rng.random(100))
        gain = stake.realised[:, 0] - stake.realised[:, 1]
        prob = stake.prob[:, 0]
        tuned.append(gain[prob >= best_threshold(prob, gain)].sum())
        codes = cross_fitted_threshold(stake, decision, seed=1)
        honest.append(policy_value(codes, stake).sum())
    assert np.mean(tuned) > 5
    assert np.mean(honest) < 2 * np.std(honest) / np.sqrt(60)


def test_every_trivial_policy_is_among_the_baselines():
    decision = three_by_three()
    _, stake = at_stake(
        decision, {"y": ["fraud", "fine"], "amount": [5.0, 6.0]}, [[0.2, 0.2, 0.6], [0.1, 0.1, 0.8]]
    )
    names = [p.name for p in untuned(decision, stake)]
    assert names == ["expected", "half", "all:refuse", "all:review", "do_nothing"]


def test_json_both_ways():
    policy = expected_policy(binary(capacity=0.3), {"call": 0.7})
    import json

    assert Policy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy


def test_the_likeliest_outcome_is_answered_by_its_best_mean_action(rng):
    decision = three_by_three()
    prob = rng.dirichlet([1, 1, 1], 300)
    names = np.array(["fraud", "error", "fine"])
    table = {"y": names[rng.integers(0, 3, 300)], "amount": rng.lognormal(5, 1, 300)}
    _, stake = at_stake(decision, table, prob)
    half = next(p for p in untuned(decision, stake) if p.name == "half")
    assert half.answers == ("refuse", "refuse", "pay")
    codes = actions_of(half, stake)
    assert codes.tolist() == [[0, 0, 2][k] for k in prob.argmax(axis=1)]
    assert Policy.from_dict(half.to_dict()) == half


def test_a_threshold_policy_keeps_to_capacity_by_probability(rng):
    decision = binary(capacity=0.05)
    prob, y = calibrated(rng, 400)
    _, stake = at_stake(decision, {"y": y}, prob)
    half = next(p for p in untuned(decision, stake) if p.name == "half")
    low = Policy.from_dict({**half.to_dict(), "threshold": 0.01})
    assert set(np.flatnonzero(actions_of(low, stake) == 0)) == set(np.argsort(-prob)[:20])
