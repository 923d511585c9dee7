import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payoff.errors import DataError
from payoff.model.folds import assign_folds, feasible_folds

NAMES = ("a", "b", "c")


@given(st.integers(0, 2**31), st.integers(2, 6), st.integers(40, 200))
def test_outcomes_are_spread_evenly(seed, folds, n):
    outcome = np.random.default_rng(seed).integers(-1, 3, size=n)
    fold = assign_folds(outcome, np.arange(n), folds, seed)
    for value in np.unique(outcome):
        counts = np.bincount(fold[outcome == value], minlength=folds)
        assert np.ptp(counts) <= 1
    assert np.ptp(np.bincount(fold, minlength=folds)) <= 1


@given(st.integers(0, 2**31), st.integers(2, 5))
def test_clusters_stay_whole_and_folds_are_balanced(seed, folds):
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, 120, size=600)
    outcome = (rng.random(600) < 0.2).astype(int)
    fold = assign_folds(outcome, cluster, folds, seed)
    assert all(len(np.unique(fold[cluster == c])) == 1 for c in np.unique(cluster))
    assert np.ptp(np.bincount(fold, minlength=folds)) <= 0.1 * 600
    assert np.ptp(np.bincount(fold[outcome == 1], minlength=folds)) <= 12


def test_folds_depend_on_seed_and_stream_only():
    y, c = np.arange(50) % 2, np.arange(50)
    assert (assign_folds(y, c, 5, 0) == assign_folds(y, c, 5, 0)).all()
    assert (assign_folds(y, c, 5, 0) != assign_folds(y, c, 5, 1)).any()
    assert (assign_folds(y, c, 5, 0) != assign_folds(y, c, 5, 0, "other")).any()


def test_rare_outcomes_lower_the_number_of_folds():
    y = np.array([0] * 40 + [1] * 3 + [2])
    assert feasible_folds(y, np.arange(44), 5, NAMES) == 3  # the single 'c' does not count
    clusters = np.array([*range(40), 40, 40, 41, 42])
    assert feasible_folds(y, clusters, 5, NAMES) == 2


@pytest.mark.parametrize(
    ("outcome", "cluster", "code"),
    [
        (np.full(20, -1), np.arange(20), "PAY-L003"),
        (np.zeros(20, dtype=int), np.arange(20), "PAY-L008"),
        (np.arange(8) % 2, np.arange(8), "PAY-L009"),
        (np.arange(20) % 2, np.arange(20) % 3, "PAY-L009"),
        (np.array([1] + [0] * 30), np.arange(31), "PAY-L009"),
    ],
)
def test_rows_that_cannot_be_cross_fitted_say_why(outcome, cluster, code):
    with pytest.raises(DataError) as caught:
        feasible_folds(outcome, cluster, 5, NAMES)
    assert caught.value.code == code
