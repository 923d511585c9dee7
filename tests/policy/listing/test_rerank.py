"""Order by money, variety and rules: against trying one list after the other."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

from payoff.model.recommend.histories import Histories
from payoff.model.recommend.popular import Popular
from payoff.model.recommend.ranker import Lists
from payoff.policy.listing.policy import ListPolicy, Offer
from payoff.policy.listing.rerank import rerank
from payoff.policy.listing.value import chance_at, rank_chance, shrunk_means

N, M, DEPTH, K = 60, 40, 12, 4


def candidates(rng):
    items = np.array([rng.permutation(M)[:DEPTH] for _ in range(N)], dtype=np.int32)
    scores = -np.sort(-rng.random((N, DEPTH)).astype(np.float32), axis=1)
    items[::9, 3:], scores[::9, 3:] = -1, -np.inf
    return Lists(items=items, scores=scores)


def slow(items, worth, diversity, alike, at_most):
    """Take one item after the other, each the best that the rules still allow."""
    taken, left = [], [j for j in range(len(items)) if items[j] >= 0]
    scale = max(worth[left]) if left and max(worth[left]) > 0 else 1.0
    while left and len(taken) < K:

        def value(j):
            near = max((float(alike[items[j]] @ alike[items[t]]) for t in taken), default=0.0)
            return (1 - diversity) * worth[j] / scale - (diversity * near if taken else 0)

        def open_(j):
            return all(
                codes[items[j]] < 0 or sum(codes[items[t]] == codes[items[j]] for t in taken) < most
                for codes, most in at_most
            )

        fit = [j for j in left if open_(j)]
        if not fit:
            break
        best = max(fit, key=lambda j: (round(value(j), 9), -j))
        taken.append(best)
        left.remove(best)
    return [int(items[j]) for j in taken] + [-1] * (K - len(taken))


@pytest.mark.parametrize(
    ("power", "diversity", "rules"), list(itertools.product([0.0, 0.5, 1.0], [0.0, 0.4], [0, 1, 2]))
)
def test_order_is_that_of_taking_one_after_the_other(power, diversity, rules):
    rng = np.random.default_rng(7)
    found = candidates(rng)
    money = rng.gamma(1, 5, M) - 1.0
    alike = rng.normal(size=(M, 3)).astype(np.float32)
    alike /= np.linalg.norm(alike, axis=1, keepdims=True)
    at_most = [(rng.integers(-1, 4, M).astype(np.int32), 1), (rng.integers(0, 2, M).astype(
        np.int32), 2)][:rules]  # fmt: skip
    chance = (-0.5, -0.8)
    made = rerank(
        found, K, money=money, chance=chance, power=power, diversity=diversity, alike=alike,
        at_most=at_most,
    )  # fmt: skip
    by_rank = chance_at(chance, DEPTH)
    for row in range(N):
        worth = by_rank * np.maximum(money, 0)[found.items[row]] ** power
        assert made.items[row].tolist() == slow(
            found.items[row], worth, diversity, alike, at_most
        ), row


def test_rules_look_further_down_until_the_list_is_full():
    past = Histories.sessions([[i] * (50 - i) for i in range(50)], 50)
    brand = np.where(np.arange(50) < 48, 0, np.arange(50)).astype(np.int32)
    offer = Offer(allowed=np.ones(50, dtype=bool), money=np.ones(50), at_most=((brand, 1),))
    policy = ListPolicy(name="p", label="", how="", recommender="popular", length=3)
    found = policy.lists(Popular.fit(past), past.take([49, 3]), offer)
    assert found.items.tolist() == [[0, 48, 49]] * 2
    more = ListPolicy(name="p", label="", how="", recommender="popular", length=5)
    assert more.lists(Popular.fit(past), past.take([1]), offer).items.tolist() == [
        [0, 48, 49, -1, -1]
    ]


def test_a_policy_of_money_goes_through_json_and_blocks():
    rng = np.random.default_rng(3)
    past = Histories.sessions([rng.integers(0, 30, 5).tolist() for _ in range(5000)], 30)
    policy = ListPolicy(
        name="p", label="", how="", recommender="popular", length=3, depth=20,
        chance=(0.0, -0.5), power=0.5,
    )  # fmt: skip
    assert ListPolicy.from_dict(policy.to_dict()) == policy
    offer = Offer(allowed=np.ones(30, dtype=bool), money=rng.gamma(1, 5, 30))
    model = Popular.fit(past)
    whole = policy.lists(model, past, offer)
    one = policy.lists(model, past.take([4567]), offer)
    assert whole.items[4567].tolist() == one.items[0].tolist()
    worth = chance_at(policy.chance, 20) * np.sqrt(offer.money[model.top(
        past.take([0]), 20, exclude="nothing").items[0]])  # fmt: skip
    assert whole.scores[0] == pytest.approx(np.sort(worth)[::-1][:3], rel=1e-6)


def test_chance_of_ranks_is_the_likeliest():
    hits, shown = np.array([40.0, 22, 16, 9, 8, 8]), np.array([300.0, 300, 300, 290, 280, 260])

    def minus_likelihood(beta):
        h, n = hits + 0.5 * shown / shown.sum(), shown * (1 + 1 / shown.sum())
        p = 1 / (1 + np.exp(-(beta[0] + beta[1] * np.log(np.arange(1, 7)))))
        return -np.sum(h * np.log(p) + (n - h) * np.log(1 - p))

    best = minimize(minus_likelihood, [0.0, 0.0], method="Nelder-Mead", tol=1e-10).x
    assert rank_chance(hits, shown) == pytest.approx(tuple(best), abs=1e-4)
    assert rank_chance([1, 5, 9], [10, 10, 10])[1] == 0.0  # never rising
    assert np.isfinite(rank_chance([0, 0], [10, 10])).all()
    assert rank_chance([0], [0]) == (0.0, 0.0)


def test_credibility_recovers_the_means_it_was_made_with():
    rng = np.random.default_rng(1)
    truth = rng.normal(10, 2, 400)
    group = rng.integers(0, 400, 4000).astype(np.int32)
    values = truth[group] + rng.normal(0, 6, 4000)
    n = np.bincount(group, minlength=400)
    raw = np.bincount(group, weights=values, minlength=400) / np.maximum(n, 1)
    found = shrunk_means(values, group, 400)
    assert np.mean((found - truth) ** 2) < 0.6 * np.mean((raw[n > 0] - truth[n > 0]) ** 2)
    weight = n / (n + 36 / 4)  # variance within over variance between
    assert found == pytest.approx(weight * raw + (1 - weight) * values.mean(), abs=0.5)
    alike = shrunk_means(rng.normal(5, 1, 300), rng.integers(0, 300, 300).astype(np.int32), 300)
    assert np.ptp(alike) < 3
