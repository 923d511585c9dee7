import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from payoff.model.linear import Softmax, fit_softmax, row_sums, softmax


def rows(n, k, classes, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, k))
    z = x[:, :classes] * 1.5
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = (rng.random(n)[:, None] > p.cumsum(axis=1)).sum(axis=1)
    return x, np.minimum(y, classes - 1), rng.random(n) + 0.1


@pytest.mark.parametrize("classes", [2, 4])
def test_probabilities_equal_those_of_scikit_learn(classes):
    x, y, w = rows(900, 6, classes)
    model, strength = fit_softmax(x, y, w, np.arange(900), n_outcomes=classes, seed=0)
    solver = "newton-cholesky" if classes == 2 else "lbfgs"
    peer = LogisticRegression(C=strength, solver=solver, max_iter=1000, tol=1e-6)
    peer.fit(x, y, sample_weight=w / w.mean())
    assert np.abs(model.predict(x) - peer.predict_proba(x)).max() < 1e-12


def test_the_planted_coefficients_are_found():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(20_000, 2))
    y = (rng.random(20_000) < 1 / (1 + np.exp(-(x @ [1.0, -2.0] + 0.5)))).astype(int)
    model, _ = fit_softmax(x, y, np.ones(20_000), np.arange(20_000), n_outcomes=2, seed=0)
    assert model.coef[1] == pytest.approx([1.0, -2.0], abs=0.1)
    assert model.intercept[1] == pytest.approx(0.5, abs=0.1)


def test_a_weight_counts_as_rows():
    x, y, _ = rows(400, 3, 2)
    w = np.where(np.arange(400) < 100, 3.0, 1.0)
    twice = np.repeat(np.arange(400), w.astype(int))
    from payoff.model.linear import _solve

    a = _solve(x, y, w, 0.3)
    b = _solve(x[twice], y[twice], np.ones(len(twice)), 0.3)
    assert a[0] == pytest.approx(b[0], abs=1e-6)


def test_an_outcome_that_never_occurred_gets_probability_0_in_its_place():
    x, y, w = rows(300, 3, 2)
    model, _ = fit_softmax(x, y * 2, w, np.arange(300), n_outcomes=4, seed=0)
    p = model.predict(x)
    assert p.shape == (300, 4)
    assert (p[:, [1, 3]] == 0).all()
    assert p.sum(axis=1) == pytest.approx(np.ones(300))


def test_a_row_scores_the_same_alone_and_in_any_batch():
    rng = np.random.default_rng(2)
    x, coef, b = rng.normal(size=(20_000, 37)), rng.normal(size=(3, 37)), rng.normal(size=3)
    whole = softmax(row_sums(x, coef, b))
    for part in (slice(0, 1), slice(7, 9), slice(8_190, 8_195), slice(100, 4_000)):
        assert whole[part].tobytes() == softmax(row_sums(x[part], coef, b)).tobytes()
    assert row_sums(x, coef, b) == pytest.approx(x @ coef.T + b)


def test_json_keeps_every_bit():
    x, y, w = rows(300, 3, 3)
    model, _ = fit_softmax(x, y, w, np.arange(300), n_outcomes=3, seed=0)
    again = Softmax.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again.predict(x).tobytes() == model.predict(x).tobytes()


def test_columns_without_variance_are_left_out():
    x = np.ones((100, 2))
    y = np.arange(100) % 4 // 3
    model, _ = fit_softmax(x, y, np.ones(100), np.arange(100), n_outcomes=2, seed=0)
    assert model.predict(x)[0] == pytest.approx([0.75, 0.25])


def test_perfectly_separable_rows_stay_finite():
    x = np.linspace(-1, 1, 200)[:, None]
    y = (x[:, 0] > 0).astype(int)
    model, _ = fit_softmax(x, y, np.ones(200), np.arange(200), n_outcomes=2, seed=0)
    assert np.isfinite(model.predict(x)).all()
