import numpy as np
import pytest
from scipy.sparse import csr_matrix, random
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from payoff.model.text import familiar, training
from payoff.model.text.familiar import learn_references, threshold_for
from payoff.progress import silent
from tests.model.text.making import data_of

STRANGE = [
    "the weather in the mountains looks fine",
    "please bake a chocolate cake",
    "who won the football match yesterday",
    "zebra",
    "",
]


def unit(n, k, seed):
    x = np.random.default_rng(seed).normal(size=(n, k)).astype(np.float32)
    return csr_matrix(x / np.linalg.norm(x, axis=1, keepdims=True))


def test_the_nearest_are_those_of_scikit_learn():
    known, new = unit(700, 20, 0), unit(300, 20, 1)
    made = learn_references(known, np.arange(700) * 10, np.arange(700) % 3, seed=0)
    rows, cosines = made.nearest(new)
    peer = NearestNeighbors(n_neighbors=3, metric="cosine").fit(known.toarray())
    distance, places = peer.kneighbors(new.toarray())
    assert (rows == places).mean() > 0.999
    assert cosines == pytest.approx(np.clip(1 - distance, 0, 1), abs=2e-6)


def test_equal_documents_come_in_order():
    made = learn_references(csr_matrix(np.ones((9, 1), np.float32)), np.arange(9), np.zeros(9), 0)
    assert made.nearest(csr_matrix(np.ones((2, 1), np.float32)))[0].tolist() == [[0, 1, 2]] * 2


def test_strangers_score_below_documents_that_belong():
    data, contract = data_of(400)
    made = training.fit(data, contract, "tfidf", seed=0, progress=silent)
    fresh, _ = data_of(200, seed=5)
    own = made.familiarity_table(fresh.table)
    odd = made.familiarity_rows([{"message": t} for t in STRANGE])
    truth = np.concatenate([np.ones(200), np.zeros(len(odd))])
    assert roc_auc_score(truth, np.concatenate([own, odd])) > 0.97
    assert odd[-1] == 0  # an empty document is like nothing
    limit = threshold_for(own, np.ones(200))
    assert np.mean(own < limit) <= 0.02
    assert np.mean(odd < limit) >= 0.6


def test_only_so_many_documents_are_kept(monkeypatch):
    monkeypatch.setattr(familiar, "MOST_REFERENCES", 50)
    made = learn_references(unit(200, 5, 0), np.arange(200), np.zeros(200), seed=0)
    assert made.vectors.shape == (50, 5)
    assert (np.diff(made.place) > 0).all()


def test_long_vectors_keep_their_largest_weights():
    rng = np.random.default_rng(0)
    dense = np.zeros((3, 2_000), dtype=np.float32)
    dense[:, :500] = rng.random((3, 500))
    made = learn_references(csr_matrix(dense), np.arange(3), np.zeros(3), seed=0)
    for i, row in enumerate(made.vectors.toarray()):
        kept = np.flatnonzero(row)
        assert set(kept) == set(np.argsort(-dense[i])[:100])
        assert (row**2).sum() == pytest.approx(1)


def test_only_the_documents_kept_are_compared_and_each_by_itself(monkeypatch):
    from payoff.model.text import familiar

    rng = np.random.default_rng(4)
    x = csr_matrix((rng.random((90, 900)) * (rng.random((90, 900)) < 0.3)).astype(np.float32))
    whole = learn_references(x, np.arange(90), np.zeros(90), 0)
    assert np.diff(whole.vectors.indptr).max() == 100
    for i in (0, 41, 89):
        largest = np.sort(x[i].data)[-100:]
        np.testing.assert_allclose(
            np.sort(whole.vectors[i].data), largest / np.linalg.norm(largest), rtol=1e-6
        )
    monkeypatch.setattr(familiar, "_AT_ONCE", 7)
    pieces = learn_references(x, np.arange(90), np.zeros(90), 0)
    assert (whole.vectors != pieces.vectors).nnz == 0
    asked = []
    monkeypatch.setattr(familiar, "MOST_REFERENCES", 30)
    some = learn_references(
        x, np.arange(90), np.zeros(90), 0, lambda rows: asked.append(rows.shape[0]) or rows
    )
    assert asked == [7, 7, 7, 7, 2]
    assert (some.vectors != whole.vectors[some.place]).nnz == 0


@pytest.mark.parametrize("at_once", [1, 300, 500_000])
def test_words_shared_add_up_to_the_last_bit_as_in_scipy(monkeypatch, at_once):
    monkeypatch.setattr(familiar, "_ENTRIES_AT_ONCE", at_once)
    rng = np.random.default_rng(4)
    known = random(90, 400, density=0.05, format="csr", dtype=np.float32, random_state=rng)
    new = random(70, 400, density=0.1, format="csr", dtype=np.float32, random_state=rng)
    new = csr_matrix(new.multiply(np.arange(70)[:, None] % 7 > 0), dtype=np.float32)  # empty rows
    made = learn_references(known, np.arange(90), np.zeros(90), seed=0)
    found = made.cosines(new)
    assert found.dtype == np.float32
    assert np.array_equal(found, (new @ made.vectors.T.tocsr()).toarray())
    assert made.cosines(new[:0]).shape == (0, 90)
