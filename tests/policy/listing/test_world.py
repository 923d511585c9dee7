"""What lists are made from and measured by: small shops, added up user by user."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from payoff.load.interactions.split import split_interactions
from payoff.policy.listing.world import world_to_choose, world_to_judge
from tests.load.interactions.making import busy, day, named, shop

MONEY = '[payoffs.show]\nhit = "0.5 * value"\nmiss = "-0.02 * 5"\n'
WINDOWS = '[split]\nchoose_from = "2026-02-10"\njudge_from = "2026-03-12"\n'


def bought(data, first, last, back=()):
    """Return what each user bought in days first..last, as label pairs with the money of it."""
    found = {}
    for user, item, when, _, value in named(data):
        if first <= when < last and (user, item, when) not in back:
            key = (user, item)
            found[key] = found.get(key, 0.0) + value
    return found


def at_stake(data, world):
    """Return the same from a world."""
    m, stakes = len(data.items), world.stakes
    users, items = data.users.labels[stakes.user], data.items.labels
    return {
        (str(users[p // m]), str(items[p % m])): (hit, value)
        for p, hit, value in zip(stakes.pair, stakes.hit, stakes.value, strict=True)
    }


@pytest.mark.parametrize("shown_to", ["active", "known"])
def test_worlds_are_what_adding_up_by_user_says(shown_to):
    late = [("newcomer", "i1", 60, 2, 3.0), ("newcomer", "i1", 90, 1, 3.0)]
    data = shop(sorted([*busy(), *late], key=lambda r: r[2]), f'[list]\nshown_to = "{shown_to}"\n'
                + MONEY + WINDOWS)  # fmt: skip
    parts = split_interactions(data)
    choose = world_to_choose(data, parts, most=1000, seed=0)
    judge = world_to_judge(data, parts)
    for world, first, last in ((choose, 40, 70), (judge, 70, 100)):
        expected = bought(data, first, last)
        assert at_stake(data, world) == {
            k: (pytest.approx(v / 2), pytest.approx(v)) for k, v in expected.items()
        }
        earlier = [row for row in named(data) if row[2] < first]
        people = {u for u, _ in expected}
        if shown_to == "known":
            people |= {row[0] for row in earlier}
        assert [str(u) for u in data.users.labels[world.stakes.user]] == sorted(
            people, key=list(data.users.labels).index
        )
        mine = [sum(row[0] == u for row in earlier) for u in data.users.labels[world.stakes.user]]
        assert world.stakes.known.tolist() == mine
        assert world.asking.start.tolist() == np.cumsum([0, *mine]).tolist()
        assert world.stakes.miss == pytest.approx(-0.1)
    assert choose.stakes.days == pytest.approx(30)
    assert judge.n_users == len(judge.stakes)
    cold = list(data.users.labels[choose.stakes.user]).index("newcomer")
    assert choose.stakes.known[cold] == 0


def test_what_comes_back_later_is_not_known_yet():
    rows = [*busy(), ("u1", "i1", 10, 1, 5.0), ("u1", "i2", 75, 1, 5.0)]
    back = [("u1", "i1", 50, -1, 5.0), ("u1", "i2", 80, -1, 5.0)]
    rows = [r for r in rows if r[:2] not in {("u1", "i1"), ("u1", "i2")} or r[3:] == (1, 5.0)]
    data = shop(sorted([*rows, *back], key=lambda r: r[2]), MONEY + WINDOWS)
    parts = split_interactions(data)
    u, i = list(data.users.labels).index("u1"), list(data.items.labels).index("i1")

    def had(world):
        own = world.histories.take([u])
        return int(np.sum(own.item == i))

    before = had(world_to_choose(data, parts, most=1000, seed=0))
    after = had(world_to_judge(data, parts))
    assert before - after == 1
    assert ("u1", "i2") not in at_stake(data, world_to_judge(data, parts))


@pytest.mark.parametrize("method", ["last", "random"])
def test_splits_without_a_moment(method):
    data = shop(busy(), f'[split]\nmethod = "{method}"\n')
    parts = split_interactions(data)
    judge = world_to_judge(data, parts)
    assert judge.offer.allowed.all()
    assert judge.stakes.days is None
    assert len(judge.histories.item) == len(parts.history)
    assert judge.stakes.value.sum() == pytest.approx(parts.judge.value.sum())


def test_draws_and_offers(tmp_path):
    import pyarrow.parquet as pq

    sku = [f"i{n}" for n in range(30)]
    items = pa.table({"sku": sku, "brand": ["a", "b", None] * 10, "came": [day(50)] * 15 + [None]
                      * 15})  # fmt: skip
    pq.write_table(items, tmp_path / "items.parquet")
    more = (f'[items]\nid = "sku"\nsource = "{tmp_path}/items.parquet"\nfrom = "came"\n[list]\n'
            'at_most = { brand = 2 }\nfilter = "brand is null or brand <> \'a\'"\n')  # fmt: skip
    data = shop(busy(), more + WINDOWS)
    parts = split_interactions(data)
    few = world_to_choose(data, parts, most=10, seed=4)
    again = world_to_choose(data, parts, most=10, seed=4)
    all_ = world_to_choose(data, parts, most=1000, seed=4)
    assert few.stakes.user.tolist() == again.stakes.user.tolist()
    assert (len(few.stakes), few.n_users) == (10, len(all_.stakes))
    whole = at_stake(data, all_)
    assert at_stake(data, few).items() <= whole.items()
    labels = [str(x) for x in data.items.labels]
    came = {s: n >= 15 for n, s in enumerate(sku)}
    brand = dict(zip(sku, ["a", "b", None] * 10, strict=True))
    judge = world_to_judge(data, parts)
    assert few.offer.allowed.tolist() == [came[x] and brand[x] != "a" for x in labels]
    assert judge.offer.allowed.tolist() == [brand[x] != "a" for x in labels]
    codes, most = judge.offer.at_most[0]
    assert most == 2
    assert [c < 0 for c in codes] == [brand[x] is None for x in labels]
    assert len({int(c) for c, x in zip(codes, labels, strict=True) if brand[x] == "b"}) == 1


def test_judging_rows_change_nothing_that_is_known_before():
    rows = busy()
    spoilt = [(u, "i3" if d >= 70 else i, d, n, 99.0 if d >= 70 else p) for u, i, d, n, p in rows]
    worlds = []
    for these in (rows, spoilt):
        data = shop(these, WINDOWS)
        worlds.append((data, world_to_choose(data, split_interactions(data), most=9, seed=1)))
    (one, a), (_, b) = worlds
    assert len(one.items) == 30
    for spec in dataclasses.fields(a.stakes):
        x, y = getattr(a.stakes, spec.name), getattr(b.stakes, spec.name)
        assert np.array_equal(x, y) if isinstance(x, np.ndarray) else x == y
    assert np.array_equal(a.histories.item, b.histories.item)
    assert np.array_equal(a.offer.money, b.offer.money)
