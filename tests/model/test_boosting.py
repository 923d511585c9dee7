import sys

import numpy as np
import pytest

from payoff.errors import EnvironmentError_, TrainingError
from payoff.model import boosting
from payoff.model.boosting import Boosted, boost


def rows(n=800, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    x[:, 3] = rng.integers(0, 6, size=n)
    x[rng.random((n, 4)) < 0.05] = np.nan
    z = np.nan_to_num(x[:, 0]) * 2 + (x[:, 3] == 2) * 2
    return x, (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int), np.ones(n)


def boosted(monkeypatch=None, threads=None, seed=0):
    x, y, w = rows()
    if threads:
        monkeypatch.setattr(boosting, "threads", lambda cells: threads)
    return x, boost(
        x, y, w, np.arange(len(x)), objective="classes", categorical=[3], seed=seed, n_outcomes=2
    )


def test_the_text_gives_back_the_same_predictions():
    x, (model, settings, gain) = boosted()
    again = Boosted(text=model.text, seen=model.seen, n_outcomes=2)
    whole = model.predict(x)
    assert whole.tobytes() == again.predict(x).tobytes()
    assert (
        whole[:5].tobytes()
        == np.concatenate([again.predict(x[i : i + 1]) for i in range(5)]).tobytes()
    )
    assert whole.sum(axis=1) == pytest.approx(np.ones(len(x)))
    assert gain.argmax() == 0
    assert settings["rounds"] > 5


def test_text_depends_on_the_seed_and_not_on_threads(monkeypatch):
    one = boosted(monkeypatch, 1)[1][0].text
    assert one == boosted(monkeypatch, 3)[1][0].text
    assert one != boosted(monkeypatch, 1, seed=1)[1][0].text


def test_three_outcomes_and_one_that_never_occurs():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 2))
    y = np.array([0, 1, 3])[np.digitize(x[:, 0], [-0.5, 0.5])]
    model, _, _ = boost(
        x,
        y,
        np.ones(600),
        np.arange(600),
        objective="classes",
        categorical=[],
        seed=0,
        n_outcomes=4,
    )
    p = model.predict(x)
    assert (p[:, 2] == 0).all()
    assert (p.argmax(axis=1) == y).mean() > 0.95
    assert model.predict(x[:0]).shape == (0, 4)


def test_amounts_keep_their_mean():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2_000, 2))
    y = np.exp(x[:, 0]) * rng.gamma(2, 0.5, size=2_000)
    model, _, _ = boost(
        x, y, np.ones(2_000), np.arange(2_000), objective="tweedie", categorical=[], seed=0
    )
    assert model.raw(x).mean() == pytest.approx(y.mean(), rel=0.05)
    assert np.corrcoef(model.raw(x), np.exp(x[:, 0]))[0, 1] > 0.9


def test_a_machine_without_lightgbm_is_told_why(monkeypatch):
    x, y, w = rows(100)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(EnvironmentError_, match="lightgbm"):
        boost(x, y, w, np.arange(100), objective="classes", categorical=[], seed=0, n_outcomes=2)


def test_a_refusal_of_lightgbm_becomes_an_error_with_a_code():
    x, y, w = rows(100)
    with pytest.raises(TrainingError, match="LightGBM says"):
        boost(x, y - 5.0, w, np.arange(100), objective="tweedie", categorical=[], seed=0)


def test_only_large_tables_get_several_threads(monkeypatch):
    monkeypatch.setattr(boosting.os, "cpu_count", lambda: 64)
    monkeypatch.delattr(boosting.os, "sched_getaffinity", raising=False)
    assert boosting.threads(100_000) == 1
    assert boosting.threads(10**9) == 4
