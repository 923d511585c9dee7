import numpy as np
import pyarrow as pa
import pytest

from payoff.errors import TrainingError
from payoff.model.codings import Bins, Codes, LevelTable, Scaled
from payoff.model.learn import Signal, learn, signal_of_outcomes
from payoff.model.readings import read_table
from tests.model.making import contract_of, odd_table, planted


def learn_on(columns, kind, y=None, **types):
    table = pa.table(columns)
    contract = contract_of(**types)
    n = table.num_rows
    y = np.arange(n) % 2 if y is None else y
    signal = signal_of_outcomes(y, np.ones(n), np.arange(n), 0)
    return learn(read_table(table, contract.features), contract.features, kind, signal)


@pytest.mark.parametrize("kind", ["tree", "linear", "bins"])
def test_columns_that_tell_nothing_apart_are_dropped(kind):
    table, contract = odd_table()
    n = table.num_rows
    signal = signal_of_outcomes(np.arange(n) % 2, np.ones(n), np.arange(n), 0)
    encoder, encoded = learn(read_table(table, contract.features), contract.features, kind, signal)
    assert not {"all missing", "constant"} & {v.field for v in encoder.variables}
    assert encoded.shape == (n, encoder.width)


def test_an_identifier_is_no_feature():
    with pytest.raises(TrainingError, match="PAY-T001"):
        learn_on({"id": [f"c{i}" for i in range(2000)]}, "tree", id="category")


def test_nothing_to_learn_from_is_an_error():
    with pytest.raises(TrainingError, match="PAY-T001"):
        learn_on({"x": [1.0] * 20}, "linear", x="number")
    with pytest.raises(TrainingError, match="PAY-T001"):
        learn_on({"x": [1.0] * 20}, "linear")


def test_scaled_numbers_have_mean_0_and_spread_1_and_are_clipped():
    x = np.random.default_rng(0).normal(50, 5, size=5000)
    x[0] = 1e308
    encoder, encoded = learn_on({"x": x}, "linear", x="number")
    coding = encoder.variables[0].coding
    assert isinstance(coding, Scaled)
    assert abs(encoded.mean()) < 1e-9
    assert abs(encoded.std() - 1) < 1e-9
    assert np.abs(encoded).max() < 4


def test_huge_numbers_do_not_overflow():
    encoder, encoded = learn_on({"x": [1e308, -1e308, 1e307, 0.0] * 10}, "linear", x="number")
    assert np.isfinite(encoded).all()
    assert np.isfinite(encoder.encode_rows([{"x": -1.7e308}, {"x": 5e-324}])).all()


def test_a_rare_indicator_is_not_clipped_away():
    x = np.zeros(3000)
    x[:6] = 1
    _, encoded = learn_on({"x": x}, "linear", x="number")
    assert encoded[0, 0] > 10


def test_missingness_alone_can_be_a_feature():
    encoder, encoded = learn_on({"x": [1.0, None] * 30}, "linear", x="number")
    assert encoder.labels == ["x", "x is missing"]
    assert encoded[:2].tolist() == [[0, 0], [0, 1]]


def test_bins_are_cut_where_the_rows_are():
    x = np.concatenate([np.zeros(900), np.arange(1, 101)])
    encoder, encoded = learn_on({"x": x}, "bins", x="number")
    assert isinstance(encoder.variables[0].coding, Bins)
    assert len(np.unique(encoded)) > 1
    encoder, _ = learn_on(
        {"x": [0.0] * 9_990 + list(range(1, 11)) + list(range(20, 40))}, "bins", x="number"
    )
    assert encoder.variables[0].coding.edges == (1.0,)


def test_rare_categories_share_one_code():
    encoder, encoded = learn_on(
        {"c": ["a"] * 500 + ["b"] * 490 + [f"r{i}" for i in range(10)]}, "tree", c="category"
    )
    assert isinstance(encoder.variables[0].coding, Codes)
    assert set(encoded[-10:, 0]) == {2.0}
    assert encoder.encode_rows([{"c": "new"}])[0, 0] == 2.0


def test_rates_of_many_categories_are_smoothed_and_find_the_truth():
    rng = np.random.default_rng(1)
    level = rng.integers(0, 200, size=40_000)
    truth = rng.beta(2, 5, size=200)
    y = (rng.random(40_000) < truth[level]).astype(int)
    encoder, _ = learn_on({"c": [f"s{v}" for v in level]}, "linear", y, c="category")
    coding = encoder.variables[0].coding
    assert isinstance(coding, LevelTable)
    encoded = encoder.encode_rows([{"c": f"s{v}"} for v in range(200)])[:, 0]
    assert np.corrcoef(1 / (1 + np.exp(-encoded)), truth)[0, 1] > 0.97
    overall = np.log(y.mean() / (1 - y.mean()))
    assert encoder.encode_rows([{"c": "new"}])[0, 0] == pytest.approx(overall)


def test_rates_of_the_learning_rows_do_not_leak_their_own_outcome():
    rng = np.random.default_rng(2)
    n = 6_000
    y = rng.integers(0, 2, size=n)  # nothing to find
    names = [f"s{v}" for v in rng.integers(0, 1_500, size=n)]
    encoder, crossed = learn_on({"c": names}, "linear", y, c="category")
    naive = encoder.encode_rows([{"c": v} for v in names])[:, 0]
    assert np.corrcoef(naive, y)[0, 1] > 0.3  # the leak that cross-fitting removes
    assert abs(np.corrcoef(crossed[:, 0], y)[0, 1]) < 0.05


def test_rates_never_see_their_own_cluster():
    # Each level is one cluster with one outcome: any rate above the mean would be a leak.
    level = np.repeat(np.arange(100), 20)
    y = level % 2
    table = pa.table({"c": [f"s{v}" for v in level]})
    contract = contract_of(c="category")
    signal = signal_of_outcomes(y, np.ones(2000), level, 0)
    _, x = learn(read_table(table, contract.features), contract.features, "linear", signal)
    assert np.ptp(x[:, 0]) < 1e-12


def test_rates_of_amounts_are_plain_means():
    n = 4_000
    level = np.arange(n) % 40
    signal = Signal(
        values=level[:, None] * 10.0,
        weight=np.ones(n),
        cluster=np.arange(n),
        log_odds=False,
        seed=0,
    )
    contract = contract_of(c="category")
    table = pa.table({"c": [f"s{v}" for v in level]})
    encoder, _ = learn(read_table(table, contract.features), contract.features, "linear", signal)
    # (100 rows * 390 + 20 pseudo-rows * 195) / 120
    assert encoder.encode_rows([{"c": "s39"}])[0, 0] == pytest.approx((39_000 + 3_900) / 120)


def test_dates_become_steps_and_days_for_linear_models():
    table, y, contract, _ = planted(600)
    signal = signal_of_outcomes(y, np.ones(600), np.arange(600), 0)
    encoder, _ = learn(read_table(table, contract.features), contract.features, "linear", signal)
    parts = [v.part for v in encoder.variables if v.field == "day"]
    assert parts == ["month", "weekday", "days"]  # a date has no hour
    assert "day (month) = 12" in encoder.labels
