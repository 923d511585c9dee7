"""Measures of ranked lists: by hand, by brute force, by another library, by properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payoff.errors import EvidenceError
from payoff.evidence.ranking.accuracy import MEASURES, accuracy
from payoff.evidence.ranking.beyond import BEYOND, exposure
from payoff.policy.listing import hits as module
from payoff.policy.listing.hits import hits_of

# Lists of six items; what users 0..3 turned to afterwards, and its money.
LISTS = np.array([[3, 1, 2], [0, 4, -1], [5, 0, 1], [2, 3, 4]])
USER, ITEM = [0, 0, 1, 2, 2], [3, 2, 4, 3, 4]
RANX = {
    "ndcg": 0.1889031906851579,
    "recall": 0.3,
    "precision": 0.08666666666666667,
    "map": 0.10674603174603176,
    "mrr": 0.205,
    "hit_rate": 0.6,
}
VALUE = [1.0, 10.0, 100.0, 1000.0, 10000.0]


def brute(lists, user, item, value, k):
    """The definitions, word for word, one user at a time."""
    rows = []
    for u, full in enumerate(lists):
        worth = {}
        for who, what, v in zip(user, item, value, strict=True):
            if who == u:
                worth[what] = worth.get(what, 0.0) + v
        if not worth:
            rows.append(dict.fromkeys(MEASURES, math.nan))
            continue
        ranks = [r for r, i in enumerate(full[:k], 1) if i in worth]
        most = min(len(worth), k)
        rows.append(
            {
                "ndcg": sum(1 / math.log2(r + 1) for r in ranks)
                / sum(1 / math.log2(r + 1) for r in range(1, most + 1)),
                "recall": len(ranks) / len(worth),
                "precision": len(ranks) / k,
                "map": sum((j + 1) / r for j, r in enumerate(ranks)) / most,
                "mrr": 1 / ranks[0] if ranks else 0.0,
                "hit_rate": float(bool(ranks)),
                "hits": float(len(ranks)),
                "value": sum(worth[full[r - 1]] for r in ranks),
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in MEASURES}


def test_by_hand():
    found = accuracy(LISTS, USER, ITEM, n_items=6, at=[1, 3], value=VALUE)
    assert found.judged.tolist() == [True, True, True, False]
    by = {name: values[:3, 1].tolist() for name, values in found.by_user.items()}
    ideal2 = 1 + 1 / math.log2(3)
    assert by["ndcg"] == pytest.approx([1.5 / ideal2, 1 / math.log2(3), 0])
    assert by["recall"] == [1, 1, 0]
    assert by["precision"] == pytest.approx([2 / 3, 1 / 3, 0])
    assert by["map"] == pytest.approx([(1 + 2 / 3) / 2, 1 / 2, 0])
    assert by["mrr"] == [1, 0.5, 0]
    assert by["hit_rate"] == [1, 1, 0]
    assert by["hits"] == [2, 1, 0]
    assert by["value"] == [11, 100, 0]
    assert found.by_user["value"][:3, 0].tolist() == [1, 0, 0]
    assert np.isnan(found.by_user["value"][3]).all()
    assert found.mean("value", 3) == 37
    assert found.table()["recall"] == {1: pytest.approx(1 / 6), 3: pytest.approx(2 / 3)}


@st.composite
def cases(draw):
    n, m = draw(st.integers(1, 9)), draw(st.integers(1, 12))
    longest = draw(st.integers(1, 14))
    lists = np.full((n, longest), -1)
    for u in range(n):
        mine = draw(st.permutations(range(m)))[: draw(st.integers(0, min(m, longest)))]
        lists[u, : len(mine)] = mine
    e = draw(st.integers(0, 25))
    ints = st.integers
    user = draw(st.lists(ints(0, n - 1), min_size=e, max_size=e))
    item = draw(st.lists(ints(0, m - 1), min_size=e, max_size=e))
    value = draw(st.lists(st.sampled_from([1.0, 10.0, 100.0, -5.0]), min_size=e, max_size=e))
    return lists, user, item, value, m, draw(ints(1, longest))


@given(cases(), st.sampled_from([1, 30, 1_000_000]))
def test_by_brute_force(case, marks):
    lists, user, item, value, m, k = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MARKS", marks)  # also many blocks, also of one user
        found = accuracy(lists, user, item, n_items=m, at=[k], value=value)
    wanted = brute(lists.tolist(), user, item, value, k)
    for name in MEASURES:
        np.testing.assert_allclose(found.by_user[name][:, 0], wanted[name], atol=1e-12)


@given(cases())
def test_the_order_of_users_and_of_what_they_did_does_not_matter(case):
    lists, user, item, value, m, k = case
    n = len(lists)
    one = accuracy(lists, user, item, n_items=m, at=[k], value=value)
    turned = accuracy(
        lists[::-1], [n - 1 - u for u in user][::-1], item[::-1], n_items=m, at=[k],
        value=value[::-1],
    )  # fmt: skip
    for name in MEASURES:
        np.testing.assert_allclose(one.by_user[name], turned.by_user[name][::-1], atol=1e-12)


def test_the_same_as_another_library():
    """Recorded from ranx 0.3.21 (ndcg, recall, precision, map, mrr, hit_rate) on these very lists.

    Fifteen users of thirty items; ranx divides map by all of R, which here has at most k items.
    """
    rng = np.random.default_rng(5)
    lists = np.array([rng.permutation(30)[:10] for _ in range(15)])
    pairs = np.array([(u, i) for u in range(15) for i in rng.permutation(30)[: 1 + u % 4]])
    found = accuracy(lists, pairs[:, 0], pairs[:, 1], n_items=30, at=[10])
    for name, value in RANX.items():
        assert found.mean(name, 10) == pytest.approx(value, abs=1e-12), name


def test_a_pair_that_occurs_twice_counts_once_and_its_money_is_added():
    found = accuracy([[1]], [0, 0], [1, 1], n_items=2, at=[1], value=[10.0, 100.0])
    assert found.mean("recall", 1) == 1
    assert found.mean("value", 1) == 110
    assert accuracy([[1]], [0, 0], [1, 1], n_items=2, at=[1]).mean("value", 1) == 1


def test_nobody_did_anything():
    found = accuracy([[1], [0]], [], [], n_items=2, at=[1])
    assert not found.judged.any()
    assert math.isnan(found.mean("ndcg", 1))
    assert accuracy(np.empty((0, 3), int), [], [], n_items=2, at=[3]).judged.shape == (0,)


def test_hits_are_found_where_the_catalogue_is_larger_than_a_block():
    pair = np.sort(np.array([0 * 2_000_000 + 1_999_999, 1 * 2_000_000]))
    shown = np.array([[5, 1_999_999], [0, 1_999_999]], dtype=np.int32)
    row, rank = hits_of(shown, pair, 2_000_000)
    assert (row.tolist(), rank.tolist()) == ([0, 1], [1, 0])


def test_sampled_measures_are_refused_with_the_reason():
    with pytest.raises(EvidenceError, match="PAY-E032") as caught:
        accuracy([[0]], [0], [0], n_items=2, at=[1], candidates="100 negatives")
    assert "worse" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lists": [[0, 0]]}, "twice"),
        ({"lists": [[0, 5]]}, "from 0 to 2"),
        ({"lists": [[-1, 0]]}, "after -1"),
        ({"lists": [[0.5, 1.0]]}, "whole numbers"),
        ({"at": [3]}, "lengths from 1 to 2"),
        ({"at": []}, "lengths"),
        ({"user": [1]}, "from 0 to 0"),
        ({"item": [3]}, "from 0 to 2"),
        ({"item": [0, 1]}, "shape"),
        ({"value": [np.nan]}, "finite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, said):
    good = {"lists": [[0, 1]], "user": [0], "item": [0], "n_items": 3, "at": [2]}
    accuracy(**good)
    with pytest.raises(EvidenceError, match="PAY-E031") as caught:
        accuracy(**(good | change))
    assert said in str(caught.value)


# ---------------------------------------------------------------------------- beyond accuracy


def test_exposure_by_hand():
    attributes = [[1, 0], [1, 0], [0, 2], [3, 3], [0, 0]]
    lists = [[0, 1], [0, 2], [3, 4], [0, -1], [-1, -1]]
    found = exposure(
        lists, [3, 1, 0, 1, 0], 3, attributes=attributes, group=["a", "a", "b", "b", "b"]
    )
    assert found.shown.tolist() == [3, 1, 1, 1, 1]
    assert found.overall["coverage"] == 1
    assert found.by_user["novelty"].tolist() == pytest.approx(
        [0.5, 1.0, 1.5, 0.0, math.nan], nan_ok=True
    )
    assert found.by_user["popularity"].tolist() == pytest.approx(
        [0.75, 0.625, 0.375, 1.0, math.nan], nan_ok=True
    )
    assert found.by_user["diversity"].tolist() == pytest.approx(
        [0.0, 1.0, 1.0, math.nan, math.nan], nan_ok=True
    )
    assert found.groups["b"] == pytest.approx({"shown": 3 / 7, "catalogue": 0.6, "had": 0.2})
    assert set(found.overall) | set(found.by_user) == set(BEYOND)


@given(st.lists(st.integers(0, 7), min_size=1, max_size=40), st.integers(1, 3))
def test_gini_and_diversity_by_all_pairs(picks, k):
    picks = picks[: len(picks) // k * k] or [0] * k
    lists = np.array([list(dict.fromkeys(p)) + [-1] * (k - len(set(p))) for p in
                      np.array(picks).reshape(-1, k).tolist()])  # fmt: skip
    attributes = np.random.default_rng(3).integers(0, 3, (8, 4))
    found = exposure(lists, np.zeros(8), 1, attributes=attributes)
    shown = np.array([(lists == i).sum() for i in range(8)])
    gap = np.abs(shown[:, None] - shown[None]).sum()
    assert found.overall["gini"] == pytest.approx(gap / (2 * 8 * shown.sum()))
    size = np.sqrt((attributes**2).sum(axis=1))
    unit = attributes / np.where(size > 0, size, 1)[:, None]
    for u, row in enumerate(lists):
        mine = row[row >= 0]
        if len(mine) < 2:
            assert math.isnan(found.by_user["diversity"][u])
            continue
        pairs = [unit[i] @ unit[j] for a, i in enumerate(mine) for j in mine[a + 1 :]]
        assert found.by_user["diversity"][u] == pytest.approx(1 - np.mean(pairs))


def test_the_same_list_for_all_is_the_least_equal_and_one_each_the_most():
    same = exposure([[0]] * 4, [0] * 4, 1).overall
    each = exposure([[0], [1], [2], [3]], [0] * 4, 1).overall
    assert same == pytest.approx({"coverage": 0.25, "gini": 0.75, "entropy_items": 1})
    assert each == pytest.approx({"coverage": 1, "gini": 0, "entropy_items": 4})
    nothing = exposure([[-1]], [0], 1).overall
    assert nothing["coverage"] == 0
    assert math.isnan(nothing["gini"])


def test_lists_are_cut_at_k():
    assert exposure([[0, 1]], [0, 0], 1, k=1).shown.tolist() == [1, 0]


@pytest.mark.parametrize(
    "change",
    [{"k": 3}, {"popularity": [9, 0]}, {"attributes": [[1]]}, {"group": ["a"]}, {"lists": [[2]]}],
)
def test_exposure_refuses_what_does_not_fit(change):
    good = {"lists": [[0, 1]], "popularity": [1, 1], "n_users": 1}
    exposure(**good)
    with pytest.raises(EvidenceError, match="PAY-E031"):
        exposure(**(good | change))
