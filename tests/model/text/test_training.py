import json

import numpy as np
import pyarrow as pa
import pytest

from payoff.errors import BundleError, DataError, EnvironmentError_, TrainingError
from payoff.model.text import training
from payoff.model.text.model import TextModel
from payoff.progress import silent
from tests.model.making import contract_of, dataset_of, decision_of
from tests.model.text.making import Hashed, corpus, data_of

NAMES = ("tfidf", "embeddings", "tfidf+embeddings")


@pytest.fixture(scope="module")
def crossed():
    data, contract = data_of(500, extra=True)
    found = training.cross_fit(
        data, contract, NAMES, folds=4, seed=0, progress=silent, embedder=Hashed()
    )
    return data, found


@pytest.fixture(scope="module")
def model():
    data, contract = data_of(500, extra=True)
    return training.fit(data, contract, "tfidf", seed=0, progress=silent), data


@pytest.mark.parametrize("name", NAMES)
def test_topics_are_found_out_of_fold(crossed, name):
    data, found = crossed
    p = found.scored[name].prob
    assert p.sum(axis=1) == pytest.approx(np.ones(500))
    # One label in fifteen is wrong, so nobody can be right more often than that allows.
    assert 0.88 < np.mean(p.argmax(axis=1) == data.outcome) < 0.97


@pytest.mark.parametrize("name", NAMES)
def test_out_of_fold_probabilities_are_calibrated(crossed, name):
    data, found = crossed
    p = found.scored[name].prob
    assert p.max(axis=1).mean() == pytest.approx(
        np.mean(p.argmax(axis=1) == data.outcome), abs=0.03
    )


def test_noise_is_not_predicted_out_of_fold():
    rng = np.random.default_rng(2)
    texts = [f"id{i} " + " ".join(rng.choice(list("abcdefgh"), size=5)) for i in range(400)]
    data = dataset_of(pa.table({"t": texts}), rng.integers(0, 2, size=400))
    found = training.cross_fit(
        data, contract_of(t="text"), ("tfidf",), folds=5, seed=0, progress=silent
    )
    p = found.scored["tfidf"].prob
    assert np.mean(p.argmax(axis=1) == data.outcome) < 0.6
    assert p.max(axis=1).mean() < 0.62


def test_ordinary_columns_are_used_beside_the_text():
    texts, y = corpus(400, noise=0.0)
    rng = np.random.default_rng(1)
    plain = ["hello there " + rng.choice(["you", "all"]) for _ in texts]
    table = pa.table({"t": plain, "x": y + 0.1 * rng.normal(size=400)})
    found = training.cross_fit(
        dataset_of(table, y, decision=decision_of(("a", "b", "c"))),
        contract_of(t="text", x="number"),
        ("tfidf",),
        folds=4,
        seed=0,
        progress=silent,
    )
    assert np.mean(found.scored["tfidf"].prob.argmax(axis=1) == y) > 0.9


def test_a_served_row_gets_the_very_answer_of_the_table(model):
    made, data = model
    back = TextModel.from_files(made.files())
    table = made.predict_table(data.table)
    rows = data.table.to_pylist()
    assert (back.predict_rows(rows) == table).all()
    assert (np.concatenate([back.predict_rows([r]) for r in rows[:50]]) == table[:50]).all()
    assert (back.familiarity_table(data.table) == made.familiarity_rows(rows)).all()


def test_the_artefact_is_data_only(model):
    files = model[0].files()
    for name, content in files.items():
        if name.endswith(".npy"):
            assert content.startswith(b"\x93NUMPY")
            assert b"'|O'" not in content[:200]
        else:
            json.loads(content)
    assert TextModel.from_files(files).files() == files


def test_fitting_twice_gives_the_same_bytes():
    data, contract = data_of(200)
    one, two = (
        training.fit(data, contract, "tfidf", seed=3, progress=silent).files() for _ in range(2)
    )
    assert one == two


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda f: f.pop("model.json"), "PAY-B001"),
        (lambda f: f.pop("coef.npy"), "PAY-B001"),
        (lambda f: f.update({"model.json": b'{"format": 7}'}), "PAY-B004"),
    ],
)
def test_a_damaged_artefact_is_named(model, change, code):
    files = dict(model[0].files())
    change(files)
    with pytest.raises(BundleError) as caught:
        TextModel.from_files(files)
    assert caught.value.code == code


def test_missing_and_empty_documents_are_decided_by_the_rest():
    data, contract = data_of(300, extra=True)
    made = training.fit(data, contract, "tfidf", seed=0, progress=silent)
    p = made.predict_rows([{}, {"message": ""}, {"message": None, "amount": 9.0}])
    assert np.isfinite(p).all()
    assert (p[0] == p[1]).all()
    assert p[2, 1] > p[0, 1]


@pytest.mark.parametrize(
    ("texts", "types", "code"),
    [
        (["", None] * 20, {"t": "text"}, "PAY-T001"),
        (["a"] * 40, {"t": "category"}, "PAY-T001"),
    ],
)
def test_nothing_to_read_is_an_error(texts, types, code):
    data = dataset_of(pa.table({"t": texts}), np.arange(40) % 2)
    with pytest.raises(TrainingError) as caught:
        training.fit(data, contract_of(**types), "tfidf", seed=0, progress=silent)
    assert caught.value.code == code


def test_one_label_is_an_error():
    data = dataset_of(pa.table({"t": ["a b"] * 40}), np.zeros(40))
    with pytest.raises(DataError) as caught:
        training.fit(data, contract_of(t="text"), "tfidf", seed=0, progress=silent)
    assert caught.value.code == "PAY-L008"


def test_an_unknown_candidate_gets_the_nearest_name():
    with pytest.raises(TrainingError, match="tfidf") as caught:
        training.check_names(["tf-idf"])
    assert caught.value.code == "PAY-T002"


def test_without_the_extra_the_light_candidate_goes_on(monkeypatch):
    def absent(*_, **__):
        raise EnvironmentError_.missing_extra("onnxruntime", "text", "to embed documents")

    monkeypatch.setattr(training, "minilm", absent)
    data, contract = data_of(200)
    found = training.cross_fit(data, contract, NAMES, folds=3, seed=0, progress=silent)
    assert set(found.scored) == {"tfidf"}
    assert set(found.failures) == {"embeddings", "tfidf+embeddings"}


def test_documents_are_embedded_once_for_all_folds_and_candidates():
    texts, _ = corpus(200)
    data, contract = data_of(200)
    asked = Hashed()
    training.cross_fit(data, contract, NAMES[1:], folds=3, seed=0, progress=silent, embedder=asked)
    assert len(asked.asked) <= 2 * len(set(texts))


def test_an_embedding_that_is_no_data_is_judged_but_not_bundled():
    data, contract = data_of(200)
    made = training.fit(data, contract, "embeddings", seed=0, progress=silent, embedder=Hashed())
    assert made.predict_table(data.table).shape == (200, 3)
    with pytest.raises(TrainingError) as caught:
        made.files()
    assert caught.value.code == "PAY-T003"


def test_ten_documents_of_each_outcome_are_enough_to_start():
    data, contract = data_of(30, noise=0.0)
    made = training.fit(data, contract, "tfidf", seed=0, progress=silent)
    fresh, y = corpus(600, seed=9, noise=0.0)
    p = made.predict_table(pa.table({"message": fresh}))
    assert np.mean(p.argmax(axis=1) == y) > 0.75
    assert -np.mean(np.log(p[np.arange(600), y])) < 0.9  # guessing costs ln 3 = 1.10
