import sys

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from payoff.model.text.margins import fit_margins, held_out_margins, slope_of


def blobs(n, classes, seed=0, spread=1.0):
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(classes, 12))
    y = rng.integers(0, classes, size=n)
    x = centre[y] + spread * rng.normal(size=(n, 12))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return csr_matrix(x.astype(np.float32)), y


# The peer need not have settled to its last digit to decide alike; an older one warns.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("classes", [2, 5])
def test_it_decides_as_scikit_learn_does(classes):
    x, y = blobs(600, classes)
    made = fit_margins(x, y, np.ones(600), n_outcomes=classes, strength=0.5, seed=0)
    peer = LinearSVC(
        C=0.5, multi_class="crammer_singer" if classes > 2 else "ovr", tol=1e-5, max_iter=20_000
    ).fit(x, y)
    assert np.mean(made.margins(x).argmax(axis=1) == peer.predict(x)) > 0.99
    p = made.predict(x)
    assert p.sum(axis=1) == pytest.approx(np.ones(600))


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("n", [8, 400])
def test_float32_gives_what_scikit_learns_fit_gives(classes, n, monkeypatch):
    x, y = blobs(n, classes, seed=1)
    y[:classes] = np.arange(classes)
    weight = np.random.default_rng(0).uniform(0.5, 2, n)
    before = x.data.copy()
    one = fit_margins(x, y, weight, n_outcomes=classes, strength=0.5, seed=3)
    monkeypatch.setitem(sys.modules, "sklearn.svm._base", None)  # a version that has it no longer
    two = fit_margins(x, y, weight, n_outcomes=classes, strength=0.5, seed=3)
    assert one.coef.tobytes() == two.coef.tobytes()
    assert one.intercept.tobytes() == two.intercept.tobytes()
    assert np.array_equal(x.data, before)


@pytest.mark.parametrize("classes", [2, 4])
def test_a_row_of_weight_two_counts_as_two_rows(classes):
    x, y = blobs(300, classes, spread=2.0)
    weight = np.where(np.arange(300) < 60, 2.0, 1.0)
    twice = np.concatenate([np.arange(300), np.arange(60)])
    one = fit_margins(x, y, weight, n_outcomes=classes, strength=0.5 * weight.mean(), seed=0)
    two = fit_margins(x[twice], y[twice], np.ones(360), n_outcomes=classes, strength=0.5, seed=0)
    none = fit_margins(x, y, np.ones(300), n_outcomes=classes, strength=0.5, seed=0)
    # The margins are those of duplicated rows; without weights they are clearly others.
    apart = np.abs(one.margins(x) - two.margins(x)).max()
    assert apart < 0.25 * np.abs(none.margins(x) - two.margins(x)).max()


def test_an_outcome_that_never_occurred_has_probability_nought():
    x, y = blobs(200, 3)
    made = fit_margins(x, y + 1, np.ones(200), n_outcomes=5, strength=0.5, seed=0)
    p = made.predict(x)
    assert (p[:, [0, 4]] == 0).all()


def test_the_slope_is_the_one_of_logistic_regression():
    rng = np.random.default_rng(3)
    z = rng.normal(size=4_000)
    y = (rng.random(4_000) < 1 / (1 + np.exp(-2.5 * z))).astype(int)
    margins = np.stack([np.zeros(4_000), z], axis=1)
    peer = LogisticRegression(C=1e6, fit_intercept=False).fit(z[:, None], y).coef_[0, 0]
    assert slope_of(margins, y, np.ones(4_000)) == pytest.approx(peer, rel=2e-3)
    doubled = np.concatenate([y, y[:500]])
    weighted = slope_of(margins, y, np.where(np.arange(4_000) < 500, 2.0, 1.0))
    both = slope_of(np.concatenate([margins, margins[:500]]), doubled, np.ones(4_500))
    assert weighted == pytest.approx(both, rel=1e-3)


def test_separable_rows_keep_a_finite_slope():
    margins = np.stack([np.zeros(100), np.where(np.arange(100) < 50, -1.0, 1.0)], axis=1)
    assert slope_of(margins, (np.arange(100) >= 50).astype(int), np.ones(100)) < 200


def test_held_out_margins_are_not_those_of_the_fit():
    rng = np.random.default_rng(0)
    x = csr_matrix(rng.normal(size=(200, 400)).astype(np.float32))
    y = rng.integers(0, 2, size=200)  # nothing to learn
    margins, strength = held_out_margins(
        x, y, np.ones(200), np.arange(200), folds=5, strengths=(0.05, 0.5), seed=0
    )
    assert np.mean(margins.argmax(axis=1) == y) < 0.6
    fitted = fit_margins(x, y, np.ones(200), n_outcomes=2, strength=strength, seed=0)
    assert np.mean(fitted.margins(x).argmax(axis=1) == y) > 0.95
    assert slope_of(margins, y, np.ones(200)) < 0.5


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spread", [0.1, 0.5, 1.5, 4.0])
def test_the_strength_found_is_the_best_of_all_that_may_be(spread, seed, monkeypatch):
    from payoff.model.text import margins as module

    x, y = blobs(150, 3, seed=seed, spread=spread)
    given = np.ones(150), np.arange(150)
    strengths = (0.05, 0.2, 0.5, 2.0)
    losses = []
    for one in strengths:
        made, _ = held_out_margins(x, y, *given, folds=3, strengths=(one,), seed=0)
        losses.append(module._loss(slope_of(made, y, given[0]), made, y, given[0]))
    tried = []
    fit = module.fit_margins
    monkeypatch.setattr(
        module, "fit_margins", lambda *a, **k: tried.append(k["strength"]) or fit(*a, **k)
    )
    _, found = held_out_margins(x, y, *given, folds=3, strengths=strengths, seed=0)
    falls = np.diff(losses) < 0
    if not (np.diff(falls.astype(int)) > 0).any():  # one valley: the best of all is found
        assert found == strengths[int(np.argmin(losses))]
    assert len(tried) == 9  # three of four, in three folds
    assert set(tried) == {0.2, 0.5, 2.0 if losses[2] < losses[1] else 0.05}


@pytest.mark.parametrize("classes", [2, 3])
def test_fitting_leaves_the_rows_as_they_were(classes):
    x, y = blobs(200, classes)
    before = x.copy()
    single = fit_margins(x, y, np.ones(200), n_outcomes=classes, strength=0.5, seed=0)
    assert x.dtype == np.float32
    assert (x.data == before.data).all()
    with pytest.raises(ValueError, match="sample_weight"):
        fit_margins(x, y[:-1], np.ones(199), n_outcomes=classes, strength=0.5, seed=0)
    assert x.dtype == np.float32
    double = before.astype(np.float64)
    same = fit_margins(double, y, np.ones(200), n_outcomes=classes, strength=0.5, seed=0)
    assert double.dtype == np.float64
    assert (same.coef == single.coef).all()


def test_rows_are_not_held_twice_while_liblinear_reads_them(monkeypatch):
    from sklearn.svm import _base

    x, y = blobs(200, 3)
    seen = []
    fit = _base._fit_liblinear

    def spy(given, *args, **kwargs):
        seen.append(given is x and given.dtype == np.float32)
        return fit(given, *args, **kwargs)

    monkeypatch.setattr(_base, "_fit_liblinear", spy)
    fit_margins(x, y, np.ones(200), n_outcomes=3, strength=0.5, seed=0)
    assert seen == [True]
