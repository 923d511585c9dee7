"""Embeddings and vectorisers of others: trained, judged, saved as a name, refused when another."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

import payoff
from payoff.bundle import Bundle
from payoff.declare import Action, Data, Decision, Outcome, PayoffTable, Training
from payoff.errors import BundleError, TrainingError
from payoff.model.text import plugged
from payoff.workflow import run
from tests.model.text.making import corpus

TOPICS = ("card", "rate", "login")
ASKED = [{"message": "my card was stolen"}, {"message": "password reset please"}, {"message": ""}]


def letters(texts):
    """How often each letter stands in a document: an embedding of 26 numbers."""
    return [[t.lower().count(chr(97 + k)) for k in range(26)] for t in texts]


def hashing():
    return HashingVectorizer(n_features=2**12)


@pytest.fixture(autouse=True)
def forget(monkeypatch):
    monkeypatch.setattr(plugged, "_REGISTERED", {})


def routed(candidate, out, n=500):
    texts, y = corpus(n, noise=0.02)
    rows = pa.table({"message": texts, "topic": [TOPICS[k] for k in y]})
    cells = {f"to {a}": {b: 0 if a == b else -8 for b in TOPICS} for a in TOPICS}
    decision = Decision(
        name="routing",
        kind="text",
        currency="EUR",
        unit="message",
        outcomes=tuple(Outcome(name=t, values=(t,)) for t in TOPICS),
        actions=tuple(Action(name=a) for a in cells),
        payoffs=PayoffTable.of(cells),
        data=Data(outcome="topic", text=("message",)),
        training=Training(candidates=(candidate,), folds=3),
    )
    return run(decision, rows, out=out)


def answers(folder):
    return [a["probabilities"] for a in Bundle.open(folder).decide(ASKED)]


@pytest.mark.parametrize("candidate", ["letters", "tfidf+letters"])
def test_a_callable_embedding_is_judged_saved_and_opened(candidate, tmp_path):
    payoff.register_embedding("letters", letters)
    found = routed(candidate, tmp_path / "bundle")
    assert found.evidence.model["name"] == candidate
    assert found.evidence.verdict["state"] == "deploy"
    first = answers(found.folder)
    assert max(first[0], key=first[0].get) == "card"
    plugged.unregister("letters")
    with pytest.raises(BundleError, match=r"payoff.register_embedding\('letters'") as caught:
        Bundle.open(found.folder)
    assert caught.value.code == "PAY-B007"
    assert "nothing is registered" in caught.value.got
    payoff.register_embedding("letters", lambda texts: np.asarray(letters(texts), dtype=np.float32))
    assert answers(found.folder) == first


def test_a_vectoriser_without_memory_opens_in_a_fresh_process(tmp_path):
    payoff.register_vectoriser("hashed", hashing())
    found = routed("hashed", tmp_path / "bundle")
    first = answers(found.folder)
    assert max(first[1], key=first[1].get) == "login"
    themes = Bundle.open(found.folder).themes
    assert themes is None or themes.topic is not None  # read from words, not from hashed columns
    payoff.register_vectoriser("hashed", hashing())
    assert answers(found.folder) == first


def test_what_a_vectoriser_learnt_is_kept_by_whoever_fitted_it(tmp_path):
    payoff.register_vectoriser("ours", TfidfVectorizer(min_df=2))
    found = routed("ours", tmp_path / "bundle")
    first = answers(found.folder)
    fitted = plugged.fitted_vectoriser("ours")
    assert "card" in fitted.vocabulary_
    payoff.register_vectoriser("ours", TfidfVectorizer(min_df=2))
    with pytest.raises(BundleError, match="PAY-B007") as caught:
        Bundle.open(found.folder)
    assert "not fitted" in caught.value.got
    payoff.register_vectoriser("ours", fitted)
    assert answers(found.folder) == first


def test_another_embedding_of_the_same_name_is_refused(tmp_path):
    payoff.register_embedding("letters", letters)
    folder = routed("letters", tmp_path / "bundle").folder
    payoff.register_embedding("letters", lambda texts: [row[::-1] for row in letters(texts)])
    with pytest.raises(BundleError, match="another one"):
        Bundle.open(folder)
    payoff.register_embedding("letters", lambda texts: [row[:5] for row in letters(texts)])
    with pytest.raises(BundleError, match="length 5, not 26"):
        Bundle.open(folder)


def test_a_bundle_holds_no_code_and_imports_nothing_by_name(tmp_path):
    payoff.register_embedding("letters", letters)
    folder = routed("letters", tmp_path / "bundle").folder
    body = json.loads((folder / "model" / "plugged.json").read_text())
    assert set(body) == {"name", "width", "sparse", "probe"}
    assert body["name"] == "letters"
    assert {f.suffix for f in (folder / "model").iterdir()} <= {".json", ".npy", ".npz"}
    files = {f.name: f.read_bytes() for f in (folder / "model").iterdir()}
    files["plugged.json"] = json.dumps(body | {"name": "shutil"}).encode()
    with pytest.raises(BundleError, match="nothing is registered") as caught:
        plugged.open_plugged(files["plugged.json"])
    assert "shutil" in caught.value.need
    assert shutil  # imported here already; a name is looked up among those registered only


@pytest.mark.parametrize(
    ("embed", "said"),
    [
        (lambda texts: [1.0] * len(texts), "shape"),
        (lambda texts: [[1.0, 2.0]] * (len(texts) + 1), "shape"),
        (lambda texts: [[float("nan")]] * len(texts), "NaN"),
        (lambda texts: [["a"]] * len(texts), "no table of numbers"),
        (lambda texts: 1 / 0, "ZeroDivisionError"),
        (lambda texts: [[k, 1.0] for k, _ in enumerate(texts)], "another vector"),
        (lambda texts: np.zeros((len(texts), 0)), "shape"),
    ],
)
def test_what_makes_no_vector_per_document_is_refused(embed, said):
    payoff.register_embedding("broken", embed)
    with pytest.raises(TrainingError) as caught:
        plugged.plug("broken", ["a document"])
    assert caught.value.code == "PAY-T005"
    assert said in caught.value.got


@pytest.mark.parametrize("name", ["tfidf", "embeddings", "Ours", "a+b", "", "os.system", 3])
def test_names_that_cannot_be_used(name):
    with pytest.raises(TrainingError, match="PAY-T005"):
        payoff.register_embedding(name, letters)
    with pytest.raises(TrainingError, match="PAY-T005"):
        payoff.register_vectoriser("ours", letters)
    with pytest.raises(TrainingError, match="PAY-T005"):
        payoff.register_embedding("ours", "numpy.linalg.norm")
    with pytest.raises(TrainingError, match="no model was fitted"):
        plugged.fitted_vectoriser("ours")


def test_an_unknown_candidate_names_those_registered():
    payoff.register_embedding("letters", letters)
    with pytest.raises(TrainingError, match="'leters'") as caught:
        routed("leters", None)
    assert caught.value.code == "PAY-T002"
    assert "'letters'" in caught.value.mend


def test_empty_documents_are_zeros_and_never_asked():
    asked = []

    def embed(texts):
        asked.extend(texts)
        return letters(texts)

    payoff.register_embedding("letters", embed)
    made = plugged.plug("letters", []).embed(["", "ab", "  ", "b"])
    assert made.shape == (4, 26)
    assert made[0].sum() == made[2].sum() == 0
    assert np.linalg.norm(made[1]) == pytest.approx(1, abs=1e-4)
    assert all(t.strip() for t in asked)
