"""Lists for users, visitors and items: rules, reasons, and what is left to chance."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from payoff.bundle import Ranker, RecommendBundle
from payoff.bundle.listing import made_of
from payoff.errors import EnvironmentError_, ExpressionError, RequestError
from payoff.model.recommend.histories import Histories
from payoff.policy.listing.explore import eligible, explore
from payoff.workflow.all_lists import lists_of_all
from tests import shops
from tests.bad_input.making import assert_well_told


def opened(folder, name="ease", explore=0.0, **changes):
    text = shops.DECISION.replace("length = 5", f"length = 5\nexplore = {explore}")
    declared = shops.from_toml(text)
    return RecommendBundle.open(shops.bundle_of(folder / "b", name, decision=declared, **changes))


def ids(answer):
    return [one["item"] for one in answer["items"]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return opened(tmp_path_factory.mktemp("shop"))


@pytest.mark.parametrize("name", sorted(shops.FITS))
def test_a_user_gets_the_list_of_the_policy(name, tmp_path):
    """Each user alone, against the recommender itself for all at once."""
    bundle = opened(tmp_path, name)
    model, past = bundle.ranker.recommender, bundle.histories
    lists = model.top(past, 5, exclude="nothing", allowed=bundle.offer.allowed)
    for u in range(0, shops.N_USERS, 7):
        answer = bundle.recommend(user=f"u{u}")
        own = [one["item"] for one in answer["items"] if not one["filled"]]
        assert own == [f"i{i}" for i in lists.items[u] if i >= 0]
        assert len(answer["items"]) == 5
        assert (answer["known"], answer["explored"]) == (True, False)
        assert {one["propensity"] for one in answer["items"]} == {1.0}
        assert all(one["why"]["sentence"].endswith(".") for one in answer["items"])
        json.dumps(answer, allow_nan=False)


def test_a_visitor_gets_what_a_user_of_that_history_gets(shop):
    session = ["i4", "i8", "i2"]
    visit = Histories.sessions([[4, 8, 2]], shops.N_ITEMS)
    allowed = shop.offer.allowed.copy()
    allowed[[4, 8, 2]] = False  # what the visitor looks at is not shown again
    expected = shop.ranker.recommender.top(visit, 5, exclude="nothing", allowed=allowed)
    answer = shop.recommend(session=session)
    assert ids(answer) == [f"i{i}" for i in expected.items[0]]
    assert answer["known"] is None
    assert answer["items"][0]["why"]["sentence"].startswith("Goes with")


def test_a_session_follows_on_what_a_user_did(shop):
    alone, with_it = shop.recommend(user="u2"), shop.recommend(user="u2", session=["i21"])
    assert alone["known"] is with_it["known"] is True
    assert "i21" not in ids(with_it)
    own = shop.histories.take([2])
    both = Histories.of([0] * (len(own.item) + 1), [*own.item, 21], n_users=1, n_items=24)
    allowed = shop.offer.allowed & (np.arange(24) != 21)
    expected = shop.ranker.recommender.top(both, 5, exclude="nothing", allowed=allowed)
    assert ids(with_it) == [f"i{i}" for i in expected.items[0]]


def test_what_goes_with_an_item(shop):
    answer = shop.recommend(item="i4", k=3)
    expected = shop.ranker.recommender.similar([4], 3, allowed=shop.offer.allowed)
    assert ids(answer) == [f"i{i}" for i in expected.items[0]]


def test_strangers_get_the_cold_list(shop):
    popular = shop.cold.recommender.top(
        Histories.sessions([[]], 24), 5, exclude="nothing", allowed=shop.offer.allowed
    )
    for asked in ({"user": "nobody"}, {}, {"session": ["no such thing"]}):
        answer = shop.recommend(**asked)
        assert ids(answer) == [f"i{i}" for i in popular.items[0]]
        assert answer["made_by"] == "popular"
    assert shop.recommend(user="nobody")["known"] is False
    assert shop.recommend(session=["no such thing"])["ignored"] == ["no such thing"]
    said = shop.recommend(user="nobody")["items"][0]["why"]["sentence"]
    assert said == "Popular with everybody."


def test_a_policy_with_nothing_to_list_leaves_it_to_the_cold_one(tmp_path):
    bundle = opened(tmp_path, "buy_again")
    assert bundle.recommend(user="u5")["made_by"] == "buy_again"
    answer = bundle.recommend(session=["i4"])
    assert (answer["made_by"], len(answer["items"])) == ("popular", 5)


def test_the_policy_that_shows_nothing_shows_nothing(tmp_path):
    nothing = Ranker(policy=shops.policy("do_nothing"), recommender=None)
    bundle = opened(tmp_path, ranker=nothing)
    assert bundle.recommend(user="u1")["items"] == bundle.recommend()["items"] == []


def test_rules_of_one_question(shop):
    every = shop.items.shown
    found = shop.recommend(user="u1", filter="price < 10 and brand = 'acme'", k=20)
    for one in found["items"]:
        assert one["attributes"]["price"] < 10
        assert one["attributes"]["brand"] == "acme"
    right = [p < 10 and b == "acme" for p, b in zip(every["price"], every["brand"], strict=True)]
    assert len(found["items"]) == sum(right) - right[3]  # item 3 is not offered
    first = ids(shop.recommend(user="u1"))
    assert first[0] not in ids(shop.recommend(user="u1", exclude=[first[0], "zz"]))
    only = shop.recommend(user="u1", only=["i1", "i5", "i3"], k=9)
    assert set(ids(only)) == {"i1", "i5"}
    assert shop.recommend(user="u1", only=[])["items"] == []
    few = shop.recommend(user="u1", at_most={"brand": 1}, k=10)
    brands = [one["attributes"]["brand"] for one in few["items"]]
    assert max(brands.count("acme"), brands.count("best")) == 1
    assert brands.count(None) > 1  # an item without a brand is not limited


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"k": 0}, "k"),
        ({"k": True}, "k"),
        ({"k": 1_001}, "k"),
        ({"user": ""}, "user"),
        ({"user": 1.5}, "user"),
        ({"user": "x" * 201}, "user"),
        ({"session": "i1"}, "session"),
        ({"session": [None]}, "session"),
        ({"session": ["i1"] * 10_001}, "session"),
        ({"item": "nothing like it"}, "item"),
        ({"item": "i1", "user": "u1"}, "item"),
        ({"filter": 3}, "filter"),
        ({"at_most": {"brand": 0}}, "at_most"),
        ({"at_most": {"colour": 1}}, "at_most"),
        ({"at_most": 2}, "at_most"),
        ({"users": "u1"}, "users"),
    ],
)
def test_bad_questions_are_told(asked, field, shop):
    with pytest.raises(RequestError) as caught:
        shop.recommend(**asked)
    assert_well_told(caught.value, "PAY-S001")
    assert caught.value.problems[0]["field"] == field


@pytest.mark.parametrize("text", ["price <", "colour = 'red'", "price", "__import__('os')"])
def test_a_bad_filter_is_told(text, shop):
    with pytest.raises(ExpressionError) as caught:
        shop.recommend(user="u1", filter=text)
    assert_well_told(caught.value, caught.value.code)


def test_reasons_name_what_speaks_for_an_item(shop):
    """The contributions add up to the score, and the strongest is the largest weight in B."""
    answer = shop.recommend(user="u8")
    had = set(shop.histories.take([8]).item.tolist())
    for one in answer["items"]:
        code = shop.items.code[one["item"]]
        best = max(had, key=lambda j: shop.ranker.recommender.weights[j, code])
        assert one["why"]["from"][0]["item"] == f"i{best}"
        shares = [part["share"] for part in one["why"]["from"]]
        assert shares == sorted(shares, reverse=True)
        if len(had) <= 3 and all(shop.ranker.recommender.weights[j, code] > 0 for j in had):
            assert sum(p["contribution"] for p in one["why"]["from"]) == pytest.approx(one["score"])


def test_of_a_long_history_the_strongest_item_is_named(shop):
    """Twenty items that each have a small share: one of them is the reason all the same."""
    answer = shop.recommend(session=[f"i{j}" for j in range(20)], k=2)
    for one in answer["items"]:
        strongest = one["why"]["from"][0]
        assert strongest["label"] in one["why"]["sentence"]


def test_what_was_bought_again_says_how_often(tmp_path):
    bundle = opened(tmp_path, "buy_again")
    past = bundle.histories
    user = next(u for u in range(len(past)) if (np.bincount(past.take([u]).item) == 2).any())
    own = past.take([user])
    item = int(np.flatnonzero(np.bincount(own.item) == 2)[0])
    said = {
        o["item"]: o["why"]["sentence"] for o in bundle.recommend(user=f"u{user}", k=20)["items"]
    }
    day = np.datetime64(int(own.time[own.item == item].max()), "us").astype("datetime64[D]")
    assert said[f"i{item}"] == f"You bought it twice, last on {day}."


# ------------------------------------------------------------------------------ left to chance


def test_the_same_id_draws_the_same_list(tmp_path):
    bundle = opened(tmp_path, explore=1.0)
    first = bundle.recommend(user="u1", list_id="a")
    assert bundle.recommend(user="u1", list_id="a") == first
    assert first["explored"]
    others = {tuple(ids(bundle.recommend(user="u1", list_id=str(j)))) for j in range(20)}
    assert len(others) > 5
    assert bundle.recommend(user="u1")["list_id"] != bundle.recommend(user="u1")["list_id"]


def test_frequencies_are_the_propensities(tmp_path):
    """6,000 answers: each item is shown as often as the answers say, within 4.5 standard errors."""
    bundle = opened(tmp_path, explore=0.6)
    own = ids(RecommendBundle.recommend(opened(tmp_path / "plain"), user="u1"))
    n, counts, said = 6_000, {}, {}
    history = bundle.histories.take([1])
    for j in range(n):
        made = made_of(bundle, history, f"list {j}")
        for i, p in zip(made.shown.items, made.shown.propensity, strict=True):
            counts[int(i)] = counts.get(int(i), 0) + 1
            assert said.setdefault(int(i), p) == p
    assert sum(said.values()) == pytest.approx(5.0)  # the length of the list
    assert 3 not in counts  # not offered
    assert len(counts) == 23
    for i, p in said.items():
        assert p == pytest.approx(1 - 0.6 / 5 if f"i{i}" in own else 0.6 / 18)
        assert abs(counts[i] / n - p) < 4.5 * np.sqrt(p * (1 - p) / n)


def test_chance_breaks_no_rule(tmp_path):
    """Neither filters, nor limits of groups, nor what the user had where repeats are off."""
    once = Ranker(
        policy=shops.policy("ease", repeats=False),
        recommender=shops.FITS["ease"](shops.histories()),
    )
    bundle = opened(tmp_path, explore=1.0, ranker=once)
    had = {f"i{i}" for i in bundle.histories.take([2]).item}
    for j in range(60):
        made = bundle.recommend(
            user="u2", list_id=str(j), filter="price > 5", at_most={"brand": 1}, explain=False
        )
        assert not had & set(ids(made))
        assert all(one["attributes"]["price"] > 5 for one in made["items"])
        brands = [one["attributes"]["brand"] for one in made["items"]]
        assert max(brands.count("acme"), brands.count("best")) <= 1


def test_nothing_is_drawn_where_nothing_else_is_offered():
    full = explore(np.array([0, 1]), eligible(np.array([0, 1]), np.ones(2, dtype=bool)), 1.0, None)
    assert (full.place, full.propensity.tolist()) == (None, [1.0, 1.0])


# -------------------------------------------------------------------------------- expected money


def test_expected_money_is_chance_times_money_and_the_price_of_a_place(tmp_path):
    """By hand: chance 1 / (1 + exp(1 + log r)) at rank r of the recommender's own order."""
    policy = shops.policy("ease", depth=10, chance=(-1.0, -1.0), power=0.5)
    ranker = Ranker(policy=policy, recommender=shops.FITS["ease"](shops.histories()))
    bundle = opened(tmp_path, ranker=ranker)
    ranks = ranker.recommender.top(
        bundle.histories.take([4]), 10, exclude="nothing", allowed=bundle.offer.allowed
    ).items[0]
    for one in bundle.recommend(user="u4")["items"]:
        r = 1 + ranks.tolist().index(bundle.items.code[one["item"]])
        chance = 1 / (1 + np.exp(1 + np.log(r)))
        money = chance * one["money_if_hit"] - 0.01 * (1 - chance)
        assert one["expected_money"] == pytest.approx(money, rel=1e-5)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_each_user_of_a_batch_gets_the_list_of_a_single_answer(kind, tmp_path):
    bundle = opened(tmp_path, explore=0.5)
    file = tmp_path / f"lists.{kind}"
    rules = {"k": 4, "filter": "price > 2"}
    found = lists_of_all(bundle.path, file, rules, batch="monday")
    read = {"parquet": pq.read_table, "csv": pa_csv.read_csv}[kind](file)
    rows = read.to_pylist()
    assert (found.users, found.rows) == (shops.N_USERS, len(rows))
    by_user = {}
    for row in rows:
        by_user.setdefault(row["user"], []).append(row)
    assert set(by_user) == set(bundle.users)
    for user, own in by_user.items():
        alone = bundle.recommend(user=user, list_id=own[0]["list_id"], **rules)
        assert [r["place"] for r in own] == list(range(1, len(own) + 1))
        assert ids(alone) == [r["item"] for r in own]
        for one, row in zip(alone["items"], own, strict=True):
            assert one["propensity"] == row["propensity"]
            assert (one["explored"], one["label"]) == (row["explored"], row["label"])
            assert one["score"] == pytest.approx(row["score"] or None)
    with pytest.raises(EnvironmentError_):
        lists_of_all(bundle.path, file, rules)
