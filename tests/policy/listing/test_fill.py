"""Lists that end early are filled up: against doing it by hand, one place after the other."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from payoff.bundle import RecommendBundle
from payoff.model.recommend.popular import BuyAgain, Popular
from payoff.model.recommend.ranker import Lists
from payoff.policy.listing.fill import filled
from payoff.workflow.listing import made
from tests import shops

BRAND = (np.arange(shops.N_ITEMS, dtype=np.int32) % 4, 2)


def by_hand(own, order, allowed, k, limits):
    """Take the items of the list, then the most popular ones that may still be shown."""
    found = [int(i) for i in own if i >= 0]
    for item in order:
        if len(found) == k:
            break
        full = any(sum(codes[i] == codes[item] for i in found) >= most for codes, most in limits)
        if allowed[item] and item not in found and not full:
            found.append(int(item))
    return found + [-1] * (k - len(found))


@pytest.mark.parametrize("limits", [(), (BRAND,)])
@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize("k", [1, 5, 12])
def test_places_left_go_to_what_is_popular(limits, repeats, k):
    past = shops.histories()
    popular = Popular.fit(past)
    policy = dataclasses.replace(shops.policy("buy_again"), repeats=True, length=k)
    cold = dataclasses.replace(shops.policy("popular"), repeats=repeats, length=k)
    offer = shops.offer(at_most=limits)
    allowed = np.arange(shops.N_ITEMS) % 7 != 4
    own = policy.lists(BuyAgain.fit(past), past, offer, allowed=allowed)
    found = filled(own, (cold, popular), past, offer, allowed)
    order = popular.top(past, shops.N_ITEMS, exclude="nothing").items
    assert (own.items < 0).any() or k == 1
    for u in range(len(past)):
        may = allowed & offer.allowed
        if not repeats:
            may[past.take([u]).item] = False
        want = by_hand(own.items[u], order[u], may, k, limits)
        assert found.items[u].tolist() == want
        there = own.items[u] >= 0
        np.testing.assert_array_equal(found.scores[u][there], own.scores[u][there])
        assert np.isneginf(found.scores[u][~there]).all()


def test_a_full_list_is_left_as_it_is():
    past = shops.histories()
    cold = (shops.policy("popular"), Popular.fit(past))
    lists = Lists(
        items=np.tile(np.arange(5, dtype=np.int32), (len(past), 1)),
        scores=np.ones((len(past), 5), dtype=np.float32),
    )
    assert filled(lists, cold, past, shops.offer()) is lists


def test_lists_judged_are_lists_served(tmp_path):
    past = shops.histories()
    bundle = RecommendBundle.open(shops.bundle_of(tmp_path / "b", "buy_again"))
    model, cold = bundle.ranker.recommender, (bundle.cold.policy, bundle.cold.recommender)
    judged = made(bundle.ranker.policy, model, cold, past, bundle.offer)
    assert (judged >= 0).all()
    some = 0
    for u, user in enumerate(shops.users()):
        found = bundle.recommend(user=user)["items"]
        assert [one["item"] for one in found] == [f"i{i}" for i in judged[u]]
        own = len(set(past.take([u]).item.tolist()) - {3})
        assert [one["filled"] for one in found] == [place >= own for place in range(5)]
        for one in found[own:]:
            assert one["why"]["sentence"].startswith("Fills up the list: popular with ")
            assert one["score"] is None
            assert one["expected_money"] is None
            some += 1
    assert some > 20


def test_propensities_of_a_list_filled_up(tmp_path):
    declared = shops.decision()
    rules = dataclasses.replace(declared.recommend.list, explore=0.5)
    recommend = dataclasses.replace(declared.recommend, list=rules)
    folder = shops.bundle_of(
        tmp_path / "b", "buy_again", decision=dataclasses.replace(declared, recommend=recommend)
    )
    bundle = RecommendBundle.open(folder)
    short = next(u for u in range(shops.N_USERS) if len(set(shops.histories().take([u]).item)) < 3)
    lists = [bundle.recommend(user=f"u{short}", list_id=str(n)) for n in range(400)]
    shown = np.mean([sum(o["item"] == "i3" for o in one["items"]) for one in lists])
    assert shown == 0  # not offered
    base = bundle.recommend(user=f"u{short}", list_id="0")
    assert base["others"]["n"] == shops.N_ITEMS - 1 - 5
    for one in lists:
        assert len({o["item"] for o in one["items"]}) == 5
        total = sum(o["propensity"] for o in one["items"] if not o["explored"])
        assert total == pytest.approx(0.9 * (5 - one["explored"]))
        assert not any(o["filled"] and o["explored"] for o in one["items"])
    assert np.mean([one["explored"] for one in lists]) == pytest.approx(0.5, abs=0.1)
