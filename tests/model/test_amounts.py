import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from payoff.errors import BundleError, DataError
from payoff.model import amounts, boosting, tabular
from payoff.model.amounts import AmountModel
from payoff.progress import silent
from tests.model.making import contract_of, dataset_of, decision_of, planted

LATER = {"gift": "arrives with the gift", "fee": "billed afterwards"}
KEY = ("gift", "yes")


def decision_with(cell, other="0"):
    return decision_of(
        payoffs={"act": {"no": other, "yes": cell}, "leave": {"no": 0, "yes": 0}},
        known_later=LATER,
    )


def data_of(n, gift, cell="gift - 0.68", other="0", seed=0, **more):
    table, y, contract, _ = planted(n, seed)
    rng = np.random.default_rng(seed + 1)
    x = np.nan_to_num(table["x"].to_numpy(zero_copy_only=False))
    job = np.array(table["job"].to_pylist())
    value = gift(x, job, rng)
    table = table.append_column("gift", pa.array(np.where(y == 1, value, np.nan), from_pandas=True))
    return dataset_of(table, y, decision=decision_with(cell, other), **more), contract


def linear_gift(x, job, rng):
    return 20 + 5 * x + 3 * (job == "cook") + rng.normal(size=len(x))


def stepped_gift(x, job, rng):
    return np.where(np.abs(x) < 0.7, 5.0, 60.0) * rng.gamma(20, 0.05, size=len(x))


def pure_noise(x, job, rng):
    return rng.gamma(2, 10, size=len(x))


@pytest.mark.parametrize(
    ("cell", "default"),
    [
        ("gift - 0.68", None),
        ("coalesce(gift, 0) - 0.68", 0.0),
        ("coalesce(gift, 2) + gift", None),
        ("greatest(coalesce(gift, -1), 0)", -1.0),
        ("coalesce(x, gift)", None),
    ],
)
def test_needs_know_what_an_empty_value_is_worth(cell, default):
    (need,) = amounts.needs(decision_with(cell))
    assert need.key == KEY
    assert need.default == default


def test_each_outcome_and_column_is_a_need_of_its_own():
    found = amounts.needs(decision_with("gift - fee", "fee"))
    assert {n.key for n in found} == {("gift", "yes"), ("fee", "yes"), ("fee", "no")}
    assert amounts.needs(decision_of()) == ()


@pytest.mark.parametrize(
    ("gift", "kind"),
    [(linear_gift, "linear"), (stepped_gift, "lightgbm"), (pure_noise, "constant")],
)
def test_the_simplest_sufficient_model_is_chosen_and_survives_its_files(gift, kind):
    data, contract = data_of(2_500, gift)
    crossed = amounts.cross_fit(data, contract, folds=4, seed=0, progress=silent)
    assert crossed.chosen == {KEY: kind}
    assert crossed.amounts[KEY].shape == (2_500,)
    model = amounts.fit(data, contract, seed=0, progress=silent, crossed=crossed)
    files = model.files()
    assert files == amounts.fit(data, contract, seed=0, progress=silent, crossed=crossed).files()
    again = AmountModel.from_files(files)
    assert again.files() == files
    table = model.predict_table(data.table)[KEY]
    assert table.tobytes() == again.predict_rows(data.table.to_pylist())[KEY].tobytes()
    one = again.predict_rows(data.table.slice(3, 1).to_pylist())[KEY]
    assert one.tobytes() == table[3:4].tobytes()
    told = json.loads(json.dumps(again.describe()))
    assert told[0]["algorithm"] == kind
    assert len(told[0]["kinds"]) == 3
    given = data.outcome == 1
    mean = np.nanmean(data.table["gift"].to_numpy(zero_copy_only=False))
    assert table[given].mean() == pytest.approx(mean, rel=0.03)


def test_linear_amounts_are_found_for_rows_of_every_outcome():
    data, contract = data_of(2_500, linear_gift)
    found = amounts.cross_fit(data, contract, folds=4, seed=0, progress=silent).amounts[KEY]
    x = data.table["x"].to_numpy(zero_copy_only=False)
    known = ~np.isnan(x) & (np.abs(x) < 2)
    cook = np.array(data.table["job"].to_pylist()) == "cook"
    assert np.abs(found - 20 - 5 * x - 3 * cook)[known].mean() < 0.4


def test_out_of_fold_amounts_never_saw_their_row():
    data, contract = data_of(600, linear_gift)
    folds = np.arange(600) % 3
    a = amounts.cross_fit(data, contract, folds=folds, seed=0, progress=silent)
    gift = data.table["gift"].to_numpy(zero_copy_only=False).copy()
    gift[folds == 0] *= 1.01
    i = data.table.column_names.index("gift")
    table = data.table.set_column(i, "gift", pa.array(gift, from_pandas=True))
    other = dataset_of(table, data.outcome, decision=data.decision)
    b = amounts.cross_fit(other, contract, folds=folds, seed=0, progress=silent)
    assert a.chosen == b.chosen
    assert (a.amounts[KEY][folds == 0] == b.amounts[KEY][folds == 0]).all()
    assert (a.amounts[KEY][folds == 1] != b.amounts[KEY][folds == 1]).any()


def test_weights_reach_the_mean():
    data, contract = data_of(300, pure_noise)
    weight = np.random.default_rng(0).random(300)
    heavy = dataset_of(data.table, data.outcome, decision=data.decision, weight=weight)
    crossed = amounts.cross_fit(heavy, contract, folds=3, seed=0, progress=silent)
    model = amounts.fit(heavy, contract, seed=0, progress=silent, crossed=crossed)
    gift = data.table["gift"].to_numpy(zero_copy_only=False)
    given = data.outcome == 1
    assert model.facts[KEY]["mean"] == pytest.approx(
        weight[given] @ gift[given] / weight[given].sum()
    )


def test_few_rows_get_their_mean():
    data, contract = data_of(60, linear_gift)
    model = amounts.fit(data, contract, seed=0, progress=silent)
    assert model.parts[KEY].kind == "constant"
    assert "allow the mean only" in model.facts[KEY]["reason"]
    assert model.predict_rows([])[KEY].shape == (0,)


def test_an_amount_that_is_never_filled_is_an_error_that_mends():
    data, contract = data_of(200, lambda x, job, rng: np.full(len(x), np.nan))
    with pytest.raises(DataError, match=r"PAY-L010.*act\.yes.*coalesce"):
        amounts.cross_fit(data, contract, folds=3, seed=0, progress=silent)
    data, contract = data_of(
        200, lambda x, job, rng: np.full(len(x), np.nan), cell="coalesce(gift, 4) - 1"
    )
    found = amounts.cross_fit(data, contract, folds=3, seed=0, progress=silent)
    assert (found.amounts[KEY] == 4).all()


def test_empty_amounts_with_a_default_lower_the_mean():
    data, contract = data_of(
        400,
        lambda x, job, rng: np.where(rng.random(len(x)) < 0.5, np.nan, 10.0),
        cell="coalesce(gift, 0)",
    )
    model = amounts.fit(data, contract, seed=0, progress=silent)
    assert model.facts[KEY]["mean"] == pytest.approx(5, abs=1)


def test_columns_that_cannot_be_amounts_are_named():
    data, contract = data_of(100, linear_gift)
    i = data.table.column_names.index("gift")
    text = dataset_of(
        data.table.set_column(i, "gift", pa.array(["ten"] * 100)),
        data.outcome,
        decision=data.decision,
    )
    with pytest.raises(DataError, match="PAY-L006"):
        amounts.cross_fit(text, contract, folds=2, seed=0, progress=silent)
    gone = dataset_of(data.table.drop_columns(["gift"]), data.outcome, decision=data.decision)
    with pytest.raises(DataError, match="PAY-L004"):
        amounts.cross_fit(gone, contract, folds=2, seed=0, progress=silent)


def test_a_kind_that_fails_is_reported_and_the_others_go_on(monkeypatch):
    def broken(*args, **more):
        raise ValueError("no trees today")

    monkeypatch.setattr(boosting, "boost", broken)
    data, contract = data_of(300, linear_gift)
    crossed = amounts.cross_fit(data, contract, folds=3, seed=0, progress=silent)
    assert crossed.chosen[KEY] == "linear"
    assert crossed.records[KEY]["skipped"] == {"lightgbm": "no trees today"}


def test_losses_and_gains_are_kept_in_range():
    data, contract = data_of(800, lambda x, job, rng: 50 * x + rng.normal(size=len(x)))
    model = amounts.fit(data, contract, seed=0, progress=silent)
    part = model.parts[KEY]
    found = model.predict_rows([{"x": 1e9}, {"x": -1e9}])[KEY]
    assert found[0] <= part.high
    assert found[1] >= part.low
    assert found[1] < 0 < found[0]


def test_incomplete_or_foreign_files_are_refused():
    data, contract = data_of(1_500, stepped_gift)
    files = amounts.fit(data, contract, seed=0, progress=silent).files()
    assert set(files) == {"amounts.json", "amounts_0.txt"}
    for some in ({}, {"amounts.json": files["amounts.json"]}):
        with pytest.raises(BundleError, match="PAY-B001"):
            AmountModel.from_files(some)
    other = files["amounts.json"].replace(b'"format": 1', b'"format": 2')
    with pytest.raises(BundleError, match="PAY-B004"):
        AmountModel.from_files(files | {"amounts.json": other})


@pytest.mark.slow
def test_two_stages_beat_mailing_everyone_at_a_real_charity(shared_data):
    table = pq.read_table(shared_data / "tabular" / "kdd98_donor.parquet")
    gives = np.array(table["Donate"].to_pylist()) == "Yes"
    weight = np.where(gives, 1.0, 90_569 / 14_529)
    later = "Donation.Amount"
    decision = decision_of(
        payoffs={"act": {"no": -0.68, "yes": f'"{later}" - 0.68'}, "leave": {"no": 0, "yes": 0}},
        known_later={later: "arrives with the gift"},
    )
    kinds = {
        f.name: "number"
        if pa.types.is_integer(f.type) or pa.types.is_floating(f.type)
        else "category"
        for f in table.schema
        if f.name not in ("Donate", later)
    }
    data = dataset_of(table, gives.astype(int), decision=decision, weight=weight)
    contract = contract_of(**kinds)
    crossed = amounts.cross_fit(data, contract, folds=5, seed=0, progress=silent)
    scored = tabular.cross_fit(
        data, contract, ["logistic", "lightgbm"], folds=5, seed=0, progress=silent
    ).scored
    gift = np.nan_to_num(table[later].to_numpy(zero_copy_only=False).astype(float))
    letters = 96_367 / weight.sum()
    everyone = letters * weight @ (gift - 0.68)
    assert everyone == pytest.approx(10_896.5, abs=1)
    for each in scored.values():
        mail = each.prob[:, 1] * crossed.amounts[later, "yes"] > 0.68
        assert letters * weight @ (mail * (gift - 0.68)) > everyone + 3_500
