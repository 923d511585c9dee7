"""Money of lists: by hand, and against counting one place after the other."""

import numpy as np
import pytest

from payoff.model.recommend.histories import Histories
from payoff.model.recommend.popular import Popular
from payoff.policy.listing.policy import ListPolicy, Offer
from payoff.policy.listing.stakes import ListsToJudge

N, M, K = 40, 25, 6


def at_stake(rng, miss):
    pair = np.sort(rng.choice(N * M, 200, replace=False))
    return ListsToJudge(
        part="judge",
        user=np.arange(N, dtype=np.int32),
        pair=pair,
        hit=rng.normal(5, 2, 200),
        value=rng.gamma(2, 10, 200),
        margin=np.zeros(200),
        miss=miss,
        n_items=M,
        known=np.ones(N, dtype=np.int64),
    )


@pytest.mark.parametrize("miss", [0.0, -0.25])
def test_money_is_that_of_every_place_on_its_own(miss):
    rng = np.random.default_rng(5)
    stakes = at_stake(rng, miss)
    lists = np.array([rng.permutation(M)[:K] for _ in range(N)], dtype=np.int32)
    lists[::7, 3:] = -1
    worth = dict(zip(stakes.pair.tolist(), stakes.hit.tolist(), strict=True))
    slow = [sum(worth.get(u * M + i, miss) for i in lists[u].tolist() if i >= 0) for u in range(N)]
    assert stakes.money(lists) == pytest.approx(slow)
    bought = dict(zip(stakes.pair.tolist(), stakes.value.tolist(), strict=True))
    slow = [sum(bought.get(u * M + i, 0.0) for i in lists[u].tolist() if i >= 0) for u in range(N)]
    assert stakes.bought(lists, stakes.value) == pytest.approx(slow)


def test_no_list_earns_nothing():
    stakes = at_stake(np.random.default_rng(6), -1.0)
    nothing = ListPolicy(name="do_nothing", label="", how="", recommender="", length=K)
    offer = Offer(allowed=np.ones(M, dtype=bool), money=np.ones(M))
    found = nothing.lists(None, Histories.sessions([[]] * N, M), offer)
    assert stakes.money(found.items).tolist() == [0.0] * N


def test_a_policy_shows_what_may_be_shown():
    past = Histories.sessions([[0, 1, 2], [1, 2], [2]], 4)
    policy = ListPolicy(name="p", label="", how="", recommender="popular", length=2)
    offer = Offer(allowed=np.array([True, True, False, True]), money=np.ones(4))
    model = Popular.fit(past)
    assert policy.lists(model, past, offer).items[0].tolist() == [1, 0]
    mine = policy.lists(model, past, offer, k=1, allowed=[True, False, True, True])
    assert mine.items[0].tolist() == [0]
    fresh = ListPolicy.from_dict({**policy.to_dict(), "repeats": False})
    assert fresh.lists(model, past.take([1]), offer).items.tolist() == [[0, 3]]
