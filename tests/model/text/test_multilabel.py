"""One yes/no head per label over shared features."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from payoff.load.roles import assign
from payoff.load.source import read
from payoff.load.split import split
from payoff.model.kinds import classifier_from
from payoff.model.text import multilabel, training
from payoff.model.text.labels import LabelModel
from payoff.progress import silent
from payoff.rng import child_seed
from tests.model.text.making import Hashed
from tests.workflow.test_multilabel import WORDS, letters, tagging


@pytest.fixture(scope="module")
def fitted():
    parts = split(assign(read(letters(700, seed=5)), tagging()))
    model = multilabel.fit(parts.fit, parts.contract, "tfidf", seed=0, progress=silent)
    return model, parts


def truth(part):
    texts = part.table.column("topics").to_pylist()
    label = part.table.column("label").to_pylist()
    return np.array([one in t.split(";") for one, t in zip(label, texts, strict=True)])


def test_heads_are_those_of_scikit_learn_on_the_same_features(fitted):
    model, parts = fitted
    documents = parts.fit.table.take(pa.array(parts.fit.leading))
    x = model.features.encode_table(documents).astype(np.float64)
    for k, name in enumerate(WORDS):
        y = truth(parts.fit)[parts.fit.table.column("label").to_numpy() == name]
        own = LinearSVC(
            C=0.5, tol=1e-3, max_iter=2000, random_state=child_seed(0, "linear svm") % 2**31
        ).fit(x, y)
        # The line that makes margins log-odds stretches them by one factor.
        ours = model.shared.core.coef[:, k].astype(np.float64)
        factor = ours @ own.coef_[0] / (own.coef_[0] @ own.coef_[0])
        assert factor > 1
        np.testing.assert_allclose(ours / factor, own.coef_[0], atol=1e-5)


def test_the_line_is_plain_logistic_regression_on_the_margin():
    rng = np.random.default_rng(0)
    margin = rng.normal(size=4000)
    y = (rng.random(4000) < 1 / (1 + np.exp(-(3 * margin - 2)))).astype(int)
    slope, offset = multilabel.line_of(margin, y, np.ones(4000))
    plain = LogisticRegression(C=1e9).fit(margin[:, None], y)
    assert slope == pytest.approx(plain.coef_[0, 0], rel=0.02)
    assert offset == pytest.approx(plain.intercept_[0], rel=0.02)
    assert (slope, offset) == pytest.approx((3, -2), abs=0.3)


def test_probabilities_are_right_and_calibrated_on_the_judging_part(fitted):
    model, parts = fitted
    p = model.predict_table(parts.judge.table)
    assert p.sum(axis=1) == pytest.approx(np.ones(len(parts.judge)))
    yes, y = p[:, model.carried], truth(parts.judge)
    assert np.mean((yes > 0.5) == y) > 0.93  # one label in twenty is missing
    assert yes.mean() == pytest.approx(y.mean(), abs=0.03)


def test_a_labels_own_classifier_answers_the_same(fitted):
    model, parts = fitted
    some = parts.judge.table.slice(0, 60)
    whole = model.predict_table(some)
    for i, row in enumerate(some.to_pylist()):
        own = model.of(row["label"]).predict_rows([row])
        assert own[0] == pytest.approx(whole[i], abs=1e-9)


def test_the_artefact_comes_back_the_same(fitted):
    model, parts = fitted
    files = model.files()
    again = classifier_from(files)
    assert isinstance(again, LabelModel)
    assert again.files() == files
    some = parts.judge.table.slice(0, 30)
    for one, other in zip(
        (model.read_table(some, familiar=True), model.themes_of_table(some)),
        (again.read_table(some, familiar=True), again.themes_of_table(some)),
        strict=True,
    ):
        np.testing.assert_equal(getattr(one, "prob", one), getattr(other, "prob", other))
    with pytest.raises(Exception, match="PAY-B004"):
        classifier_from({"model.json": b'{"format": "labels 0"}'})


def test_a_document_is_encoded_once_however_many_labels_are_asked(fitted, monkeypatch):
    model, parts = fitted
    asked = []
    inner = type(model.features).encode_table

    def counted(self, table):
        asked.append(table.num_rows)
        return inner(self, table)

    monkeypatch.setattr(type(model.features), "encode_table", counted)
    model.predict_table(parts.judge.table)
    assert sum(asked) <= len(parts.judge.leading)


def test_nothing_is_predicted_out_of_fold_where_there_is_nothing():
    rng = np.random.default_rng(2)
    table = letters(400, seed=1)
    shuffled = pa.array(rng.permutation(table.column("topics").to_pylist()))
    table = table.set_column(2, "topics", shuffled)
    parts = split(assign(read(table), tagging()))
    found = multilabel.cross_fit(
        parts.fit, parts.contract, ("tfidf", "embeddings"),
        folds=3, seed=0, progress=silent, embedder=Hashed(),
    )  # fmt: skip
    for name in ("tfidf", "embeddings"):
        yes = found.scored[name].prob[:, 1]
        for label, share in (("card", 0.43), ("fee", 0.33), ("loan", 0.1)):
            own = parts.fit.table.column("label").to_numpy() == label
            assert yes[own].mean() == pytest.approx(share, abs=0.1)
            assert np.corrcoef(yes[own], truth(parts.fit)[own])[0, 1] < 0.2
    document = parts.fit.document
    assert all(len(set(found.folds[document == d])) == 1 for d in range(20))


def test_a_label_hardly_ever_carried_is_given_its_share(fitted):
    table = letters(400, seed=2)
    topics = [
        ";".join(p for p in t.split(";") if p and p != "loan")
        for t in table.column("topics").to_pylist()
    ]
    topics[0] += ";loan" if topics[0] else "loan"
    parts = split(assign(read(table.set_column(2, "topics", pa.array(topics))), tagging()))
    model = multilabel.fit(parts.fit, parts.contract, "tfidf", seed=0, progress=silent)
    assert model.facts["by_share_only"] == ["loan"]
    own = parts.judge.table.column("label").to_numpy() == "loan"
    p = model.predict_table(parts.judge.table)[own, model.carried]
    assert p == pytest.approx(np.full(own.sum(), p[0]))
    n, carried = len(parts.fit.leading), model.facts["rows_per_label"]["loan"]
    assert p[0] == pytest.approx((carried + 0.5) / (n + 1), abs=1e-6)


def test_unknown_candidates_are_refused_as_for_one_label(fitted):
    _, parts = fitted
    with pytest.raises(Exception, match="PAY-T002"):
        multilabel.fit(parts.fit, parts.contract, "forest", seed=0, progress=silent)
    assert training.usual_strength(fitted[0].features) == 0.5
