"""Fitting implicit ALS by blocks of rows: against plain alternating least squares."""

import numpy as np
import pytest

from payoff.model.recommend import als
from payoff.model.recommend.als import ImplicitAls
from payoff.model.recommend.histories import Histories
from payoff.rng import generator

UNSEEN, RIDGE = 0.3, 0.02


def world(weighted):
    """90 users of very different lengths, one with nothing, and an item that nobody had."""
    rng = np.random.default_rng(5)
    had = np.concatenate([[0], rng.integers(1, 25, 88), [29]])
    user = np.repeat(np.arange(90), had)
    item = np.concatenate([rng.permutation(29)[:k] for k in had])
    weight = rng.uniform(0.5, 3.0, len(user)) if weighted else None
    return Histories.of(user, item, n_users=90, n_items=30, weight=weight)


def solved(x, other):
    """Solve each row's least squares by the formula of the class, in 64 bits."""
    d = other.shape[1]
    out = np.zeros((len(x), d))
    for row, w in enumerate(x):
        k = (w > 0).sum()
        left = (other.T * (w + UNSEEN)) @ other + RIDGE * (k + UNSEEN * x.shape[1]) * np.eye(d)
        out[row] = np.linalg.solve(left, other.T @ w)
    return out


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("gathered", [1, 64, 524_288])
def test_many_steps_are_alternating_least_squares(weighted, gathered, monkeypatch):
    monkeypatch.setattr(als, "_GATHERED", gathered)
    past = world(weighted)
    x = past.matrix(weighted=True).toarray().astype(float)
    items = generator(3, "als").normal(0.0, 0.1 / np.sqrt(4), (30, 4))
    items[x.sum(axis=0) == 0] = 0.0
    for _ in range(3):
        items = solved(x.T, solved(x, items))
    model = ImplicitAls.fit(
        past, rng=3, dimensions=4, unseen=UNSEEN, ridge=RIDGE, rounds=3, steps=25
    )
    np.testing.assert_allclose(model.factors, items, atol=2e-4)
    assert (model.factors[29] == 0).all()


def test_few_steps_come_to_the_same_after_some_rounds():
    past = world(weighted=False)
    x = past.matrix().toarray().astype(float)

    def loss(steps, rounds):
        v = ImplicitAls.fit(
            past, rng=3, dimensions=4, unseen=UNSEEN, ridge=RIDGE, rounds=rounds, steps=steps
        ).factors.astype(float)
        u = solved(x, v)
        s = u @ v.T
        users = ((x > 0).sum(axis=1) + UNSEEN * 30) @ (u**2).sum(axis=1)
        items = ((x > 0).sum(axis=0) + UNSEEN * 90) @ (v**2).sum(axis=1)
        return (x * (s - 1) ** 2).sum() + UNSEEN * (s**2).sum() + RIDGE * (users + items)

    assert loss(2, 1) > loss(2, 5) > loss(2, 40)
    assert loss(2, 60) == pytest.approx(loss(25, 60), rel=1e-3)


def test_nobody_did_anything():
    nothing = Histories.sessions([[], []], 3)
    assert (ImplicitAls.fit(nothing, rng=0, dimensions=2).factors == 0).all()
