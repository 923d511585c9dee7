import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from payoff.model.text import features
from payoff.model.text.features import TextFeatures
from payoff.model.text.terms import char_terms, learn_terms, word_terms
from tests.model.text.making import Hashed, corpus

TEXTS = [
    "I lost my card, my CARD!",
    "What's the exchange-rate?",
    "a",
    "",
    "   ",
    "Straße 12 — naïve café 😀😀",
    "lost lost lost",
]


def reference(analyzer):
    """The same weights by scikit-learn."""
    return TfidfVectorizer(analyzer=analyzer, sublinear_tf=True)


def test_both_blocks_equal_scikit_learn():
    terms = learn_terms(TEXTS)
    for encode, block, analyzer in (
        (terms.encode_words, terms.words, word_terms),
        (terms.encode_chars, terms.chars, char_terms),
    ):
        peer = reference(analyzer).fit(TEXTS)
        assert list(peer.get_feature_names_out()) == list(block.terms)
        new = [*TEXTS, "my lost phone", "nothing known zzz"]
        np.testing.assert_allclose(
            encode(new).toarray(), peer.transform(new).toarray(), rtol=2e-6, atol=1e-7
        )


def test_character_runs_are_those_of_char_wb():
    peer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True).fit(TEXTS)
    terms = learn_terms(TEXTS)
    assert list(peer.get_feature_names_out()) == list(terms.chars.terms)
    np.testing.assert_allclose(
        terms.encode_chars(TEXTS).toarray(), peer.transform(TEXTS).toarray(), rtol=2e-6, atol=1e-7
    )


def test_pairs_reach_three_words_and_mark_both_ends():
    found = word_terms("a b c d e")
    assert [t for t in found if t.startswith("a ")] == ["a b", "a c", "a d"]
    assert [t for t in found if t.endswith("$")] == ["c $", "d $", "e $"]
    assert word_terms("?!") == []


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8), st.data())
def test_a_row_never_depends_on_the_others(texts, data):
    terms = learn_terms(TEXTS + texts)
    whole = terms.encode(texts).toarray()
    i = data.draw(st.integers(0, len(texts) - 1))
    assert (terms.encode([texts[i]]).toarray()[0] == whole[i]).all()
    # Each block has length 1, or is empty.
    norms = (whole.astype(np.float64) ** 2).sum(axis=1)
    assert norms == pytest.approx(np.round(norms), abs=1e-5)
    assert norms.max() < 2.5


def test_a_very_long_document_is_read_from_its_beginning():
    terms = learn_terms(["start of it", "x" * 1_000])
    x = terms.encode(["start " + "word " * 2_000_000])
    assert x[0, terms.words.place["start"]] > 0
    assert learn_terms(["y" * 10_000_000]).width < 2_000
    assert word_terms("é " * 1)[0] == "é"


def test_terms_of_one_document_leave_a_large_vocabulary():
    texts = [f"common word{i}" for i in range(20_001)]
    terms = learn_terms(texts)
    assert "common" in terms.words.place
    assert "word7" not in terms.words.place


@pytest.mark.parametrize("at_once", [1, 7, 40])
def test_rows_encoded_few_at_a_time_are_the_same(monkeypatch, at_once):
    texts, _ = corpus(40)
    whole = TextFeatures(
        columns=("a", "b"),
        terms={"a": learn_terms(texts), "b": learn_terms(texts[:9])},
        embedder=Hashed(),
        encoder=None,
        scale=1.0,
    )
    documents = {"a": texts, "b": texts[::-1]}
    expected = whole.encode(documents, None)
    monkeypatch.setattr(features, "_ROWS_AT_ONCE", at_once)
    found = whole.encode(documents, None)
    assert found.dtype == np.float32
    assert found.shape == expected.shape == (40, whole.width)
    assert (found != expected).nnz == 0
    assert whole.encode({"a": [], "b": []}, None).shape == (0, whole.width)
