import json

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from payoff.errors import BundleError, DataError, EnvironmentError_, TrainingError
from payoff.model import boosting, tabular
from payoff.model.tabular import CANDIDATES, TabularModel
from payoff.progress import silent
from tests.model.making import contract_of, dataset_of, decision_of, odd_table, planted

NAMES = ("no", "yes", "later")


def data_of(n, seed=0, outcomes=2, **more):
    table, y, contract, z = planted(n, seed, outcomes)
    decision = decision_of(NAMES[:outcomes])
    return dataset_of(table, y, decision=decision, **more), contract, z


@pytest.fixture(scope="module")
def crossed():
    data, contract, z = data_of(3_000)
    return (
        data,
        contract,
        z,
        tabular.cross_fit(data, contract, CANDIDATES, folds=4, seed=0, progress=silent),
    )


@pytest.mark.parametrize("name", CANDIDATES)
def test_out_of_fold_probabilities_come_near_the_truth(crossed, name):
    data, _, z, found = crossed
    p = found.scored[name].prob
    assert p.shape == (3_000, 2)
    assert p.sum(axis=1) == pytest.approx(np.ones(3_000))
    truth = 1 / (1 + np.exp(-z))
    best = log_loss(data.outcome, truth)
    worst = log_loss(data.outcome, np.full(3_000, data.outcome.mean()))
    # A tenth of x is missing, so the truth itself is out of reach.
    assert log_loss(data.outcome, p[:, 1]) < best + 0.35 * (worst - best)
    assert p[:, 1].mean() == pytest.approx(data.outcome.mean(), abs=0.02)


def test_cross_fitting_reports_its_work(crossed):
    _, _, _, found = crossed
    assert found.failures == {}
    assert set(found.seconds) == set(CANDIDATES)
    assert sorted(np.unique(found.folds)) == [0, 1, 2, 3]


def test_noise_is_not_predicted_out_of_fold():
    rng = np.random.default_rng(5)
    n = 1_500
    table = pa.table(
        {"a": rng.normal(size=n), "b": [f"s{v}" for v in rng.integers(0, 400, size=n)]}
    )
    data = dataset_of(table, rng.integers(0, 2, size=n))
    found = tabular.cross_fit(
        data, contract_of(a="number", b="category"), CANDIDATES, folds=5, seed=0, progress=silent
    )
    for scored in found.scored.values():
        assert roc_auc_score(data.outcome, scored.prob[:, 1]) < 0.55


@pytest.mark.parametrize("name", CANDIDATES)
@pytest.mark.parametrize("outcomes", [2, 3])
def test_a_model_survives_its_files_and_serves_what_it_judged(name, outcomes):
    data, contract, _ = data_of(500, outcomes=outcomes)
    model = tabular.fit(data, contract, name, seed=0, progress=silent)
    files = model.files()
    assert files == tabular.fit(data, contract, name, seed=0, progress=silent).files()
    again = TabularModel.from_files(files)
    assert again.files() == files
    whole = model.predict_table(data.table)
    rows = data.table.to_pylist()
    assert whole.tobytes() == again.predict_rows(rows).tobytes()
    assert (
        whole[:9].tobytes() == np.concatenate([again.predict_rows([r]) for r in rows[:9]]).tobytes()
    )
    assert whole.argmax(axis=1).tolist() != [0] * len(rows)
    told = json.loads(json.dumps(again.describe()))
    assert told["rows"] == 500
    assert told["features"][0]["feature"] == "x"
    assert sum(f["importance"] for f in told["features"]) == pytest.approx(1, abs=1e-4)
    assert ("points" in told) == (name == "scorecard")


@pytest.mark.parametrize("name", CANDIDATES)
def test_files_do_not_depend_on_threads(name, monkeypatch):
    data, contract, _ = data_of(400)
    monkeypatch.setattr(boosting, "threads", lambda cells: 1)
    one = tabular.fit(data, contract, name, seed=0, progress=silent).files()
    monkeypatch.setattr(boosting, "threads", lambda cells: 4)
    assert one == tabular.fit(data, contract, name, seed=0, progress=silent).files()


@pytest.mark.parametrize("name", CANDIDATES)
def test_hostile_columns_are_only_data(name):
    table, contract = odd_table()
    table = pa.concat_tables([table] * 10)
    y = np.arange(table.num_rows) % 2
    data = dataset_of(table, y)
    model = tabular.fit(data, contract, name, seed=0, progress=silent)
    again = TabularModel.from_files(model.files())
    assert again.predict_rows(table.to_pylist()).tobytes() == model.predict_table(table).tobytes()
    assert np.isfinite(model.predict_table(table)).all()


def test_rows_of_unknown_outcome_or_no_weight_teach_nothing():
    data, contract, _ = data_of(600)
    blank = np.arange(600) % 3 == 0
    y = np.where(blank, -1, data.outcome)
    wrong = np.where(blank, 1 - data.outcome, data.outcome)
    unknown = dataset_of(data.table, y)
    worthless = dataset_of(data.table, wrong, weight=np.where(blank, 0.0, 1.0))
    a, b = (
        tabular.cross_fit(d, contract, ["logistic"], folds=3, seed=0, progress=silent)
        for d in (unknown, worthless)
    )
    assert a.scored["logistic"].prob.tobytes() == b.scored["logistic"].prob.tobytes()
    assert (a.scored["logistic"].prob[blank].sum(axis=1) > 0.99).all()


def test_weights_reach_the_fit():
    data, contract, _ = data_of(2_000)
    weight = np.where(data.outcome == 1, 0.2, 1.0)
    share = float((weight * (data.outcome == 1)).sum() / weight.sum())
    heavy = dataset_of(data.table, data.outcome, weight=weight)
    found = tabular.cross_fit(heavy, contract, CANDIDATES, folds=3, seed=0, progress=silent)
    for scored in found.scored.values():
        assert weight @ scored.prob[:, 1] / weight.sum() == pytest.approx(share, abs=0.02)


def test_clusters_are_never_torn_apart():
    # The outcome is a property of the cluster; x names the cluster, so torn clusters would leak.
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(100), 10)
    y = rng.integers(0, 2, size=100)[cluster]
    table = pa.table({"x": rng.normal(size=100)[cluster], "u": rng.normal(size=1000)})
    data = dataset_of(table, y, cluster=cluster)
    found = tabular.cross_fit(
        data, contract_of(x="number", u="number"), ["lightgbm"], folds=5, seed=0, progress=silent
    )
    assert abs(roc_auc_score(y, found.scored["lightgbm"].prob[:, 1]) - 0.5) < 0.15


def test_a_rare_outcome_lowers_the_folds_and_keeps_its_column():
    table, y, contract, _ = planted(300, outcomes=3)
    y = np.where(y == 2, 0, y)
    y[:3] = 2
    data = dataset_of(table, y, decision=decision_of(NAMES))
    found = tabular.cross_fit(data, contract, CANDIDATES, folds=5, seed=0, progress=silent)
    assert len(np.unique(found.folds)) == 3
    y[1:3] = 0  # a single row: some fold never sees the outcome
    found = tabular.cross_fit(
        dataset_of(table, y, decision=decision_of(NAMES)),
        contract,
        CANDIDATES,
        folds=5,
        seed=0,
        progress=silent,
    )
    assert found.failures == {}
    for scored in found.scored.values():
        assert scored.prob.shape == (300, 3)


def test_a_candidate_that_fails_does_not_stop_the_others(monkeypatch):
    def broken(*args, **more):
        raise EnvironmentError_.broken_package("lightgbm", "to fit", "libgomp.so.1: not found")

    monkeypatch.setattr(boosting, "boost", broken)
    data, contract, _ = data_of(200)
    found = tabular.cross_fit(
        data, contract, ["lightgbm", "logistic"], folds=2, seed=0, progress=silent
    )
    assert set(found.scored) == {"logistic"}
    assert "libgomp" in found.failures["lightgbm"]
    with pytest.raises(TrainingError, match=r"PAY-T004.*libgomp"):
        tabular.cross_fit(data, contract, ["lightgbm"], folds=2, seed=0, progress=silent)


@pytest.mark.parametrize("error", [ValueError("odd"), MemoryError("big"), ZeroDivisionError("0")])
def test_errors_of_libraries_are_reported_as_failures(monkeypatch, error):
    def broken(*args, **more):
        raise error

    monkeypatch.setattr(boosting, "boost", broken)
    data, contract, _ = data_of(200)
    found = tabular.cross_fit(
        data, contract, ["logistic", "lightgbm"], folds=2, seed=0, progress=silent
    )
    assert type(error).__name__ in found.failures["lightgbm"]


def test_rows_that_cannot_be_learnt_from_say_why():
    data, contract, _ = data_of(100)
    for outcome, code in ((np.zeros(100), "PAY-L008"), (np.full(100, -1), "PAY-L003")):
        bad = dataset_of(data.table, outcome)
        with pytest.raises(DataError, match=code):
            tabular.cross_fit(bad, contract, ["logistic"], folds=5, seed=0, progress=silent)
        with pytest.raises(DataError, match=code):
            tabular.fit(bad, contract, "logistic", seed=0, progress=silent)
    with pytest.raises(TrainingError, match="PAY-T001"):
        tabular.cross_fit(data, contract_of(), CANDIDATES, folds=2, seed=0, progress=silent)
    with pytest.raises(TrainingError, match="PAY-T002"):
        tabular.cross_fit(data, contract, ["magic"], folds=2, seed=0, progress=silent)


def test_progress_is_told_every_step():
    news = []
    data, contract, _ = data_of(200)
    tabular.cross_fit(
        data,
        contract,
        ["logistic"],
        folds=2,
        seed=0,
        progress=lambda stage, done, total, note="": news.append((done, total, note)),
    )
    assert news == [(0, 2, "logistic"), (1, 2, "logistic"), (2, 2, "")]


def test_incomplete_or_foreign_files_are_refused():
    data, contract, _ = data_of(200)
    files = tabular.fit(data, contract, "lightgbm", seed=0, progress=silent).files()
    with pytest.raises(BundleError, match="PAY-B001"):
        TabularModel.from_files({})
    with pytest.raises(BundleError, match="PAY-B001"):
        TabularModel.from_files({"model.json": files["model.json"]})
    other = files["model.json"].replace(b'"format": 1', b'"format": 9')
    with pytest.raises(BundleError, match="PAY-B004"):
        TabularModel.from_files(files | {"model.json": other})


@pytest.mark.packages("onnxruntime", "skl2onnx")
def test_a_scikit_learn_class_is_carried_as_onnx():
    data, contract, _ = data_of(300)
    name = "sklearn.tree.DecisionTreeClassifier"
    found = tabular.cross_fit(data, contract, [name], folds=2, seed=0, progress=silent)
    assert found.failures == {}
    model = tabular.fit(data, contract, name, seed=0, progress=silent)
    again = TabularModel.from_files(model.files())
    rows = data.table.to_pylist()
    assert again.predict_rows(rows).tobytes() == model.predict_table(data.table).tobytes()
    assert again.describe()["algorithm"] == name
