"""Recommenders against brute force, planted answers and each other."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payoff.errors import BundleError, TrainingError
from payoff.model.recommend.als import ImplicitAls
from payoff.model.recommend.blend import RECOMMENDERS, Blend, recommender_from
from payoff.model.recommend.content import ContentBased
from payoff.model.recommend.ease import Ease, LowRankEase, dense_bytes, fit_ease, gram
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.memory import available
from payoff.model.recommend.neighbours import ItemNeighbours
from payoff.model.recommend.plugged import fit_plugged, register_recommender
from payoff.model.recommend.popular import BuyAgain, Popular
from payoff.model.recommend.ranker import best
from payoff.model.recommend.sequential import NextItem

M = 40


def world(users=200, seed=0, heavy=False):
    """Two tastes: even items and odd ones, each user of one taste; every fifth user in order."""
    rng = np.random.default_rng(seed)
    user, item = [], []
    for u in range(users):
        n = int(rng.integers(1, 30 if heavy else 12))
        mine = rng.permutation(M // 2)[: min(n, M // 2)] * 2 + u % 2
        user += [u] * len(mine)
        item += mine.tolist()
    at = rng.permutation(len(user))
    return Histories.of(
        np.array(user)[at],
        np.array(item)[at],
        time=rng.random(len(user)).round(2),
        n_users=users,
        n_items=M,
        segment=np.arange(users) % 2,
    )


def often(histories):
    """A recommender of somebody else: items of one's own taste, by how many had them."""
    had = histories.popularity().astype(float)
    return lambda users: users.matrix() @ np.equal.outer(np.arange(M) % 2, np.arange(M) % 2) * had


register_recommender("tests_often", often)
PAST = world()
FITS = {
    "popular": lambda h: Popular.fit(h, half_life=0.5),
    "popular_by_segment": lambda h: Popular.fit(h, by_segment=True, prior=5),
    "buy_again": lambda h: BuyAgain.fit(h, half_life=0.3),
    "item_neighbours": lambda h: ItemNeighbours.fit(h, neighbours=12),
    "ease": lambda h: Ease.fit(h, ridge=5.0),
    "low_rank_ease": lambda h: LowRankEase.fit(h, rng=1, ridge=5.0, rank=8),
    "als": lambda h: ImplicitAls.fit(h, rng=1, dimensions=6, rounds=4),
    "next_item": lambda h: NextItem.fit(h, ridge=3.0),
    "content": lambda h: ContentBased.fit(h, np.arange(M)[:, None] % [2, 3, 5] == 0),
    "plugged": lambda h: fit_plugged("tests_often", h),
    "blend": lambda h: Blend.of([Ease.fit(h, ridge=5.0), Popular.fit(h)], [1.0, 0.2]),
}


@pytest.fixture(scope="module", params=sorted(FITS))
def model(request):
    return FITS[request.param](PAST)


# ------------------------------------------------------------------------- every recommender


def test_every_recommender_is_tried():
    assert {FITS[name](PAST).name for name in FITS} == set(RECOMMENDERS)


def test_lists_are_the_best_scores_without_what_was_seen(model):
    lists = model.top(PAST, 7)
    scores = model.score(PAST)
    for u in range(len(PAST)):
        seen = set(PAST.item[PAST.start[u] : PAST.start[u + 1]].tolist())
        ranked = sorted(
            (i for i in range(M) if i not in seen and scores[u, i] > -np.inf),
            key=lambda i: (-scores[u, i], i),
        )[:7]
        assert lists.items[u].tolist() == ranked + [-1] * (7 - len(ranked))


def test_files_give_the_same_lists_and_hold_data_only(model):
    files = model.files()
    again = recommender_from(files)
    assert type(again) is type(model)
    np.testing.assert_array_equal(again.score(PAST), model.score(PAST))
    assert all(name.endswith((".json", ".npy")) for name in files)
    json.loads(files["recommender.json"])
    assert not any(b"pickle" in content for content in files.values())


def test_one_user_alone_gets_the_list_of_the_batch(model):
    batch = model.top(PAST, 5, exclude="nothing").items
    for u in (0, 7, 199):
        np.testing.assert_array_equal(
            model.top(PAST.take([u]), 5, exclude="nothing").items[0], batch[u]
        )


def test_nothing_outside_what_is_allowed_is_listed(model):
    allowed = np.arange(M) % 3 == 0
    lists = model.top(PAST, M, exclude="nothing", allowed=allowed).items
    assert set(lists[lists >= 0].tolist()) <= set(np.flatnonzero(allowed).tolist())
    own = np.zeros((len(PAST), M), dtype=bool)
    own[np.arange(len(PAST)), np.arange(len(PAST)) % M] = True
    lists = model.top(PAST, 2, exclude="nothing", allowed=own).items
    assert (lists[:, 1] == -1).all()
    assert ((lists[:, 0] == np.arange(len(PAST)) % M) | (lists[:, 0] == -1)).all()


def test_an_empty_session_and_no_user_at_all_are_answered(model):
    assert model.top(Histories.sessions([[]], M), 3).items.shape == (1, 3)
    assert model.top(Histories.sessions([], M), 3).items.shape == (0, 3)
    assert model.similar([0, 3], 4).items.shape == (2, 4)


def test_another_catalogue_is_refused(model):
    with pytest.raises(TrainingError, match="PAY-T008"):
        model.top(Histories.sessions([[0]], M + 1), 3)
    with pytest.raises(TrainingError, match="allowed"):
        model.top(PAST, 3, allowed=[True])


@pytest.mark.parametrize("name", sorted(FITS))
def test_the_order_of_rows_does_not_matter(name):
    """The same events, told from the last user to the first."""
    user, time = PAST.user[::-1], PAST.time[::-1]
    same_moment = np.round(time, 6) + np.arange(len(time))[::-1] * 1e-9
    told = Histories.of(
        user, PAST.item[::-1], time=same_moment, n_users=200, n_items=M, segment=PAST.segment
    )
    np.testing.assert_array_equal(told.item, PAST.item)
    np.testing.assert_allclose(
        FITS[name](told).score(PAST), FITS[name](PAST).score(PAST), rtol=2e-4, atol=2e-5
    )


@pytest.mark.parametrize(
    "name", ["item_neighbours", "ease", "low_rank_ease", "als", "next_item", "content"]
)
def test_planted_tastes_are_found(name):
    past = world(heavy=True)
    fits = FITS | {"als": lambda h: ImplicitAls.fit(h, rng=1, dimensions=2)}  # one for each taste
    lists = fits[name](past).top(Histories.sessions([[0, 4], [1, 5]], M), 8).items
    if name == "content":
        assert (lists[0] % 2 == 0).all()  # odd items have no such attribute
    else:
        assert (lists % 2 == np.array([[0], [1]])).mean() == 1.0


@pytest.mark.parametrize("name", sorted(FITS))
@pytest.mark.parametrize("sessions", [[[0]], [[0, 1, 2]], [[], [3]], [[2], [2]]])
def test_one_user_or_one_item_can_be_fitted(name, sessions):
    tiny = Histories.sessions(sessions, M)
    scores = FITS[name](tiny).score(tiny)
    assert not np.isnan(scores).any()


# ------------------------------------------------------------------------------ each of them


@pytest.mark.parametrize("heavy", [False, True])
def test_ease_is_the_constrained_ridge_of_each_item(heavy):
    past = world(heavy=heavy)
    x = past.matrix().toarray().astype(float)
    b = Ease.fit(past, ridge=5.0).weights
    for j in (0, 7, 39):
        others = np.delete(np.arange(M), j)
        own = np.linalg.solve(
            x[:, others].T @ x[:, others] + 5 * np.eye(M - 1), x[:, others].T @ x[:, j]
        )
        np.testing.assert_allclose(b[others, j], own, atol=2e-5)
        assert b[j, j] == 0


def test_both_ways_to_the_gram_matrix_agree(monkeypatch):
    x = world(heavy=True).matrix()
    wanted = np.tril(x.toarray().T @ x.toarray())
    for gain in (0.0, 1e9):
        monkeypatch.setattr("payoff.model.recommend.ease._DENSE_GAIN", gain)
        np.testing.assert_array_equal(np.tril(gram(x)), wanted)


def test_low_rank_ease_at_full_rank_is_ease():
    np.testing.assert_allclose(
        LowRankEase.fit(PAST, rng=0, ridge=5.0, rank=M).score(PAST),
        Ease.fit(PAST, ridge=5.0).score(PAST),
        atol=2e-4,
    )


def test_low_rank_ease_never_recommends_an_item_for_itself():
    one = Histories.sessions([[i] for i in range(M)], M)
    scores = LowRankEase.fit(PAST, rng=0, ridge=5.0, rank=6).score(one)
    np.testing.assert_allclose(scores.diagonal(), 0, atol=1e-6)


def test_memory_is_checked_before_fitting():
    with pytest.raises(TrainingError, match="PAY-T007") as caught:
        Ease.fit(Histories.sessions([[0]], 10**6), limit=8_000_000_000)
    assert "8,000 MB" in str(caught.value)
    with pytest.raises(TrainingError, match="PAY-T007"):
        NextItem.fit(PAST, limit=1000)
    with pytest.raises(TrainingError, match="PAY-T007"):
        ImplicitAls.fit(PAST, rng=0, limit=1000)
    with pytest.raises(TrainingError, match="PAY-T007"):
        fit_ease(PAST, rng=0, method="dense", limit=1000)
    room = int(dense_bytes(M))
    assert fit_ease(PAST, rng=0, limit=room).name == "ease"
    assert fit_ease(PAST, rng=0, rank=4, limit=room - 1).name == "low_rank_ease"


def test_free_memory_is_the_smaller_of_machine_and_container(tmp_path):
    info = tmp_path / "meminfo"
    info.write_text("MemTotal: 9000 kB\nMemAvailable:    1000 kB\n")
    assert available(info, tmp_path) == int(1000 * 1024 * 0.8)
    (tmp_path / "memory.max").write_text("600000\n")
    (tmp_path / "memory.current").write_text("100000\n")
    assert available(info, tmp_path) == 400_000
    (tmp_path / "memory.max").write_text("max\n")
    assert available(info, tmp_path) == int(1000 * 1024 * 0.8)
    assert available(tmp_path / "none", tmp_path) > 0


def test_next_item_is_the_ridge_over_all_moments():
    fading, ridge = (0.3, 0.5), (2.0, 5.0)
    past = world(users=80)
    rows, targets = [], []
    for u in range(len(past)):
        z = np.zeros((2, M))
        for i in past.item[past.start[u] : past.start[u + 1]]:
            rows.append(z.ravel().copy())
            targets.append(np.eye(M)[i])
            z = z * np.array(fading)[:, None] + np.eye(M)[i]
    x, y = np.array(rows), np.array(targets)
    b = np.linalg.solve(x.T @ x + np.diag(np.repeat(ridge, M)), x.T @ y)
    model = NextItem.fit(past, fading=fading, ridge=ridge)
    np.testing.assert_allclose(model.weights, b, atol=0.002)  # the past is cut at weight .005
    np.testing.assert_allclose(model.weights, b, atol=0.002 * np.abs(b).max() * 5)


def test_next_item_of_some_items_is_that_of_a_smaller_catalogue():
    most = np.sort(np.argsort(-PAST.popularity(), kind="stable")[:15])
    model = NextItem.fit(PAST, core=15, ridge=3.0)
    assert model.core.tolist() == most.tolist()
    small = PAST.among(most)
    assert small.n_items == 15
    scores = model.score(PAST)
    np.testing.assert_array_equal(scores[:, most], NextItem.fit(small, ridge=3.0).score(small))
    assert np.isneginf(np.delete(scores, most, axis=1)).all()
    assert recommender_from(model.files()).score(PAST).tolist() == scores.tolist()


def test_next_item_goes_round_a_planted_circle():
    circle = Histories.sessions([[(s + j) % M for j in range(6)] for s in range(M)] * 3, M)
    lists = NextItem.fit(circle, ridge=1.0).top(Histories.sessions([[i] for i in range(M)], M), 1)
    assert lists.items[:, 0].tolist() == [(i + 1) % M for i in range(M)]


@pytest.mark.parametrize("weighted", [False, True])
def test_als_solves_what_it_says(weighted):
    w = np.linspace(0.5, 3, len(PAST.item)) if weighted else None
    past = Histories.of(PAST.user, PAST.item, n_users=200, n_items=M, weight=w)
    model = ImplicitAls.fit(past, rng=0, dimensions=5, unseen=0.3, ridge=0.02, rounds=2)
    v, x = model.factors.astype(float), past.matrix(weighted=True).toarray().astype(float)
    for u, vector in enumerate(model.vectors(past)):
        n_u = (x[u] > 0).sum()
        left = v.T @ (v * x[u][:, None]) + 0.3 * v.T @ v + 0.02 * (n_u + 0.3 * M) * np.eye(5)
        np.testing.assert_allclose(vector, np.linalg.solve(left, v.T @ x[u]), atol=1e-4)


@pytest.mark.parametrize("shrinkage", [0.0, 4.0])
def test_neighbours_are_the_shrunken_cosines(shrinkage):
    x = PAST.matrix().toarray().astype(float)
    norm = np.sqrt((x**2).sum(axis=0))
    s = (x.T @ x) / (np.outer(norm, norm) + shrinkage)
    np.fill_diagonal(s, 0)
    for row in s:
        row[np.argsort(-row, kind="stable")[6:]] = 0
    model = ItemNeighbours.fit(PAST, similarity="cosine", neighbours=6, shrinkage=shrinkage)
    np.testing.assert_allclose(model.score(PAST), x @ s, atol=1e-5)


def test_heavy_users_say_less_under_tfidf():
    crowd = [[0, 1], [0, *range(2, 30)]]
    past = Histories.sessions(crowd, M)
    assert ItemNeighbours.fit(past, similarity="tfidf").similar([0], 1).items[0, 0] == 1


def test_recent_sales_count_for_more():
    past = Histories.of([0, 1, 2], [0, 0, 1], time=[0, 0, 10], n_users=3, n_items=2)
    assert Popular.fit(past).share[-1].tolist() == pytest.approx([2 / 3, 1 / 3])
    recent = Popular.fit(past, half_life=10).share[-1]
    assert recent.tolist() == pytest.approx([0.5, 0.5])


def test_a_small_segment_keeps_to_everybody():
    past = Histories.of([0, 1, 1, 2], [0, 1, 1, 1], n_users=3, n_items=2, segment=[0, 1, -1])
    share = Popular.fit(past, by_segment=True, prior=4).share
    np.testing.assert_allclose(share, [[(1 + 4 / 4) / 5, 3 / 5], [1 / 6, 5 / 6], [1 / 4, 3 / 4]])
    lists = Popular.fit(past, by_segment=True, prior=0.1).top(past, 1, exclude="nothing").items
    assert lists[:, 0].tolist() == [0, 1, 1]


def test_cold_items_are_found_by_what_they_are():
    past = Histories.sessions([[0]], 4)
    model = ContentBased.fit(past, [[1, 0], [0, 1], [1, 0], [1, 1]])
    assert model.top(past, 3).items.tolist() == [[2, 3, 1]]


def test_a_blend_can_have_only_buy_again_and_adds_what_another_lists():
    past = Histories.sessions([[1, 1, 0], [2]], 4)
    again = BuyAgain.fit(past)
    alone = Blend.of([again], [1.0]).top(past, 4, exclude="nothing").items
    assert alone.tolist() == [[1, 0, -1, -1], [2, -1, -1, -1]]
    both = Blend.of([again, Popular.fit(past)], [1.0, 0.01]).top(past, 4, exclude="nothing").items
    assert both[0].tolist() == [1, 0, 2, 3]


# ------------------------------------------------------------------------------- ties, input


@given(
    st.lists(
        st.lists(st.sampled_from([0.0, 1.0, 2.0, -np.inf, np.nan]), min_size=6, max_size=6),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 8),
)
def test_best_is_a_full_sort(rows, k):
    scores = np.array(rows, dtype=np.float32)
    lists = best(scores, k)
    for row, items in zip(scores, lists.items, strict=True):
        there = [i for i in range(6) if row[i] > -np.inf]
        wanted = sorted(there, key=lambda i: (-row[i], i))[:k]
        assert items.tolist() == wanted + [-1] * (k - len(wanted))


@pytest.mark.parametrize("levels", [2, 5, 1_000, 10**6])
@pytest.mark.parametrize("k", [1, 20, 300, 5_000])
def test_best_of_many_is_a_full_sort(levels, k):
    rng = np.random.default_rng(levels)
    scores = (rng.integers(0, levels, (3, 5_003)) ** 3 % levels).astype(np.float32)
    scores[0, rng.random(5_003) < 0.99] = -np.inf
    scores[1, rng.random(5_003) < 0.5] = np.nan
    for row, items in zip(scores, best(scores, k).items, strict=True):
        order = np.argsort(-np.where(np.isnan(row), -np.inf, row), kind="stable")[:k]
        wanted = order[row[order] > -np.inf]
        assert items[: len(wanted)].tolist() == wanted.tolist()
        assert (items[len(wanted) :] == -1).all()


def test_a_flood_of_equal_scores_gives_the_first_items():
    scores = np.zeros((1, 10_000), dtype=np.float32)
    scores[0, 9_000] = 1
    assert best(scores, 3).items.tolist() == [[9_000, 0, 1]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"item": [0, 9]}, "from 0 to 2"),
        ({"item": [0]}, "2, as users"),
        ({"item": ["a", 1]}, "whole numbers"),
        ({"user": [0, -1]}, "user"),
        ({"time": [0, np.nan]}, "finite"),
        ({"time": ["x", "y"]}, "numbers"),
        ({"weight": [1, -1]}, "at least 0"),
        ({"weight": [1]}, "shape"),
        ({"segment": [0.5, 1.0]}, "segment"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, said):
    good = {"user": [0, 1], "item": [0, 1], "n_users": 2, "n_items": 3}
    Histories.of(**good)
    with pytest.raises(TrainingError, match="PAY-T008") as caught:
        Histories.of(**(good | change))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "fit",
    [
        lambda: Ease.fit(PAST, ridge=0),
        lambda: NextItem.fit(PAST, fading=[1.0]),
        lambda: NextItem.fit(PAST, fading=[]),
        lambda: NextItem.fit(PAST, core=0),
        lambda: ImplicitAls.fit(PAST, rng=0, dimensions=0),
        lambda: ItemNeighbours.fit(PAST, similarity="jaccard"),
        lambda: BuyAgain.fit(PAST, half_life=0),
        lambda: ContentBased.fit(PAST, [[1]]),
        lambda: ContentBased.fit(PAST, -np.ones((M, 1))),
        lambda: Blend.of([], []),
        lambda: Blend.of([Popular.fit(PAST)], [np.nan]),
        lambda: PAST.take([200]),
    ],
)
def test_settings_out_of_range_are_refused(fit):
    with pytest.raises(TrainingError, match="PAY-T008"):
        fit()


def test_files_of_another_kind_are_refused():
    files = Popular.fit(PAST).files()
    body = json.loads(files["recommender.json"])
    with pytest.raises(BundleError, match="PAY-B004"):
        recommender_from(files | {"recommender.json": json.dumps(body | {"name": "x"}).encode()})
    with pytest.raises(BundleError, match="PAY-B004"):
        recommender_from(files | {"recommender.json": json.dumps(body | {"format": 0}).encode()})
    with pytest.raises(BundleError, match="PAY-B001"):
        recommender_from({"recommender.json": files["recommender.json"]})


def test_arrays_are_frozen():
    model = Ease.fit(PAST)
    with pytest.raises(ValueError, match="read-only"):
        model.weights[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        PAST.item[0] = 1


# ----------------------------------------------------------------------------- contributions


def test_contributions_sum_to_the_score(model):
    """Exact for every recommender of payoff's own; of another's nothing is known but the scores."""
    if model.name == "plugged":
        assert model.contributions(PAST.take([0]), np.arange(M, dtype=np.int32)) is None
        return
    again = Histories.of(
        [0, 0, 0, 0, 1],
        [4, 4, 8, 7, 3],
        time=[1, 2, 2, 5, 0],
        n_users=3,
        n_items=M,
        weight=[1, 2, 0.5, 1, 1],
    )
    for past, users in ((PAST, range(12)), (again, range(3))):
        for u in users:
            one = past.take([u])
            scores = model.score(one)[0]
            items = np.arange(M, dtype=np.int32)
            made = model.contributions(one, items)
            assert set(made.item.tolist()) <= set(one.item.tolist())
            assert len(set(made.item.tolist())) == len(made.item)
            total = made.base + made.value.sum(axis=0)
            shown = np.isfinite(scores)
            np.testing.assert_array_equal(np.isfinite(total), shown)
            np.testing.assert_allclose(
                total[shown],
                scores[shown],
                rtol=2e-4,
                atol=2e-5 * max(1, np.abs(scores[shown]).max(initial=0)),
            )


def test_a_contribution_is_what_leaving_the_item_out_takes_where_the_model_is_linear():
    """Item neighbours, EASE: score with the history minus score without one of its items."""
    for name in ("ease", "item_neighbours", "low_rank_ease"):
        model = FITS[name](PAST)
        u = int(np.argmax(np.diff(PAST.start)))
        one = PAST.take([u])
        items = np.arange(M, dtype=np.int32)
        made = model.contributions(one, items)
        for row, j in enumerate(made.item):
            without = one.only(one.item != j)
            np.testing.assert_allclose(
                made.value[row], (model.score(one) - model.score(without))[0], atol=2e-6
            )
