import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from payoff.model.calibrate import (
    KINDS,
    Calibrator,
    _fit_curve,
    choose,
    cross_fitted,
    log_losses,
)


def binary(n, seed=0, slope=1.0, shift=0.0):
    """Scores whose true log-odds are ``slope * logit(p) + shift``."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n) * 1.5 - 1
    p = 1 / (1 + np.exp(-z))
    truth = 1 / (1 + np.exp(-(slope * z + shift)))
    y = (rng.random(n) < truth).astype(int)
    return np.stack([1 - p, p], axis=1), y, truth


def many(n, seed=0, slope=1.0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 4)) * 1.5
    e = np.exp(z)
    t = np.exp(slope * z + [0, 0.5, 0, -0.5])
    t /= t.sum(axis=1, keepdims=True)
    y = (rng.random(n)[:, None] > t.cumsum(axis=1)).sum(axis=1)
    return e / e.sum(axis=1, keepdims=True), np.minimum(y, 3), t


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("maker", [binary, many])
def test_probabilities_stay_probabilities_and_rows_stand_alone(kind, maker):
    p, y, _ = maker(800)
    made = Calibrator.fit(kind, p, y, np.ones(800))
    out = made.apply(p)
    assert out.shape == p.shape
    assert out.sum(axis=1) == pytest.approx(np.ones(800))
    assert ((out > 0) & (out < 1)).all()
    alone = np.concatenate([made.apply(p[i : i + 1]) for i in range(20)])
    assert alone.tobytes() == out[:20].tobytes()
    again = Calibrator.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again == made
    assert again.apply(p).tobytes() == out.tobytes()


def test_the_sigmoid_finds_the_planted_slope_and_shift():
    p, y, _ = binary(60_000, slope=0.5, shift=-0.7)
    made = Calibrator.fit("sigmoid", p, y, np.ones(60_000))
    assert made.slope == pytest.approx(0.5, abs=0.02)
    assert made.shift[1] - made.shift[0] == pytest.approx(-0.7, abs=0.03)


def test_the_sigmoid_of_many_outcomes_finds_temperature_and_shifts():
    p, y, truth = many(40_000, slope=0.6)
    made = Calibrator.fit("sigmoid", p, y, np.ones(40_000))
    assert made.slope == pytest.approx(0.6, abs=0.02)
    assert np.abs(made.apply(p) - truth).mean() < 0.01


@pytest.mark.parametrize("maker", [binary, many])
def test_newton_ends_where_another_optimiser_does(maker):
    p, y, _ = maker(1_000, slope=0.5)
    w = np.random.default_rng(0).random(1_000) + 0.2
    made = Calibrator.fit("sigmoid", p, y, w)
    rows = w * (w.sum() / (w @ w))
    logs = np.log(np.clip(p, 1e-6, 1))

    def loss(t):
        z = t[0] * logs + np.concatenate([[0], t[1:]])
        e = np.exp(z - z.max(axis=1, keepdims=True))
        q = e / e.sum(axis=1, keepdims=True)
        penalty = 0.5 * ((t[0] - 1) ** 2 + t[1:] @ t[1:])
        return -rows @ np.log(q[np.arange(1_000), y]) + penalty

    peer = minimize(loss, np.array([1.0] + [0.0] * (p.shape[1] - 1)), tol=1e-9)
    assert [made.slope, *made.shift[1:]] == pytest.approx(peer.x, abs=1e-3)


def test_separable_and_upside_down_scores_stay_sane():
    y = np.arange(200) % 2
    p = np.where(y == 1, 0.9, 0.1)
    for prob in (np.stack([1 - p, p], 1), np.stack([p, 1 - p], 1)):
        for kind in KINDS[1:]:
            out = Calibrator.fit(kind, prob, y, np.ones(200)).apply(prob)
            assert np.isfinite(out).all()
            assert ((out > 0) & (out < 1)).all()
            # A calibrator never turns the order of scores round.
            assert (np.diff(out[np.argsort(prob[:, 1], kind="stable"), 1]) >= -1e-12).all()


def test_without_shrinking_isotonic_equals_scikit_learn():
    p, y, _ = binary(3_000)
    score = p[:, 1].round(3)
    w = np.random.default_rng(1).random(3_000) + 0.1
    knots, values = _fit_curve(score, y.astype(float), w, prior_rows=0.0)
    peer = IsotonicRegression().fit(score, y, sample_weight=w)
    grid = np.linspace(score.min(), score.max(), 5_000)
    assert np.interp(grid, knots, values) == pytest.approx(peer.predict(grid), abs=1e-9)


@given(st.integers(0, 2**31), st.integers(1, 60))
def test_isotonic_rises_and_never_claims_certainty(seed, n):
    rng = np.random.default_rng(seed)
    score, hit = rng.random(n).round(2), (rng.random(n) < 0.3).astype(float)
    knots, values = _fit_curve(score, hit, np.ones(n))
    assert list(values) == sorted(values)
    assert list(knots) == sorted(set(knots))
    assert values[0] > 0
    assert values[-1] < 1
    assert values[-1] <= 1 - 0.4 / (n + 1) ** 2


def test_weights_of_uneven_size_carry_less_evidence():
    score, hit = np.array([0.1] * 50 + [0.9] * 50), np.array([0.0] * 50 + [1.0] * 50)
    prob = np.stack([1 - score, score], axis=1)
    even = Calibrator.fit("isotonic", prob, hit.astype(int), np.ones(100))
    assert Calibrator.fit("isotonic", prob, hit.astype(int), np.full(100, 7.0)) == even
    uneven = np.where(np.arange(100) % 50 == 0, 100.0, 0.01)
    less = Calibrator.fit("isotonic", prob, hit.astype(int), uneven)
    assert less.apply(prob)[-1, 1] < even.apply(prob)[-1, 1]


def test_rows_of_unknown_outcome_are_left_out():
    p, y, _ = binary(400)
    part = Calibrator.fit("sigmoid", p[:300], y[:300], np.ones(300))
    y = np.where(np.arange(400) < 300, y, -1)
    assert Calibrator.fit("sigmoid", p, y, np.ones(400)) == part
    assert Calibrator.fit("isotonic", p, np.full(400, -1), np.ones(400)).kind == "raw"


def test_a_kind_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="magic"):
        Calibrator.fit("magic", np.ones((2, 2)) / 2, np.array([0, 1]), np.ones(2))


def test_cross_fitting_never_uses_the_row_itself():
    p, y, _ = binary(200)
    w, c = np.ones(200), np.arange(200) // 2
    a = cross_fitted("isotonic", p, y, w, 5, 0, c)
    flipped = y.copy()
    flipped[0] = 1 - y[0]
    from payoff.model.folds import assign_folds

    fold = assign_folds(y, c, 5, 0, "calibration")
    if (fold == assign_folds(flipped, c, 5, 0, "calibration")).all():
        b = cross_fitted("isotonic", p, flipped, w, 5, 0, c)
        assert (a[fold == fold[0]] == b[fold == fold[0]]).all()
    assert cross_fitted("raw", p, y, w, 5, 0) is not p


def test_the_choice_corrects_what_is_clearly_off():
    p, y, truth = binary(4_000, slope=0.4, shift=-0.5)
    made, record = choose(p, y, np.ones(4_000), folds=5, seed=0)
    assert made.kind == record["chosen"] == "sigmoid"
    assert np.abs(made.apply(p)[:, 1] - truth).mean() < 0.02
    assert record["kinds"][1]["difference"] < -record["kinds"][1]["standard_error"]
    assert "lowers the cross-fitted log-loss" in record["reason"]
    json.dumps(record, allow_nan=False)


def test_the_choice_finds_a_curve_that_no_sigmoid_fits():
    rng = np.random.default_rng(0)
    s = rng.random(8_000)
    y = (rng.random(8_000) < np.where(s < 0.5, 0.1, 0.45)).astype(int)
    assert choose(np.stack([1 - s, s], 1), y, np.ones(8_000), folds=5, seed=0)[0].kind == "isotonic"


def test_good_probabilities_are_mostly_left_alone():
    kinds = [
        choose(*binary(1_000, seed=s)[:2], np.ones(1_000), folds=5, seed=s)[0].kind
        for s in range(40)
    ]
    assert kinds.count("raw") >= 30
    for seed in range(20):  # and what is chosen costs next to nothing on new rows
        p, y, _ = binary(1_000, seed=seed)
        new, y_new, _ = binary(20_000, seed=1_000 + seed)
        made, _ = choose(p, y, np.ones(1_000), folds=5, seed=0)
        loss = log_losses(made.apply(new), y_new).mean() - log_losses(new, y_new).mean()
        assert loss < 0.01


@pytest.mark.parametrize(
    "y", [np.zeros(200, dtype=int), np.r_[np.zeros(195), np.ones(5)], np.full(200, -1)]
)
def test_too_few_rows_teach_no_correction(y):
    made, record = choose(binary(200)[0], y.astype(int), np.ones(200), folds=5, seed=0)
    assert made.kind == "raw"
    assert "too few" in record["reason"]


def test_clusters_widen_the_standard_error():
    p, y, _ = binary(500, slope=0.5)
    p8, y8 = np.repeat(p, 8, axis=0), np.repeat(y, 8)
    w = np.ones(4_000)
    apart = choose(p8, y8, w, folds=5, seed=0)[1]["kinds"][1]["standard_error"]
    whole = choose(p8, y8, w, folds=5, seed=0, cluster=np.repeat(np.arange(500), 8))[1]
    assert whole["kinds"][1]["standard_error"] > 2 * apart
