"""Themes: planted ones come back, names are what a person would say, nothing personal is shown."""

import json
import time

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import adjusted_rand_score

from payoff.errors import BundleError
from payoff.model.text import training
from payoff.model.text.model import TextModel
from payoff.model.text.theme_words import _seen, content_terms, describe
from payoff.model.text.themes import Themes, excerpt, learn_themes
from payoff.progress import silent
from tests.model.making import contract_of, dataset_of
from tests.model.text.making import FILLER, Hashed, data_of

TOPICS = {
    name: words.split()
    for name, words in {
        "bank card": "card cards stolen terminal contactless plastic chip cashpoint",
        "mortgage": "mortgage broker house instalment collateral escrow property deed",
        "internet": "router fibre modem outage wifi signal download bandwidth",
        "parcel": "parcel courier delivery doorstep tracking postcode depot sorting",
        "insurance": "policy premium claim damage insurer windscreen accident garage",
    }.items()
}
_TALK = "yesterday office letter branch window corner morning evening paper story"
SMALL_TALK = _TALK.split()


def planted(n=1_500, seed=0, shares=None):
    """Documents of five topics among small talk; returns texts and the topic of each."""
    rng = np.random.default_rng(seed)
    topic = rng.choice(len(TOPICS), size=n, p=shares)
    words = list(TOPICS.values())
    texts = [
        " ".join(
            rng.permutation(
                [*rng.choice(words[t], 3), *rng.choice(SMALL_TALK, 3), *rng.choice(FILLER, 3)]
            )
        )
        for t in topic
    ]
    return texts, topic


def placed(topic, width=64, seed=0):
    """Unit vectors around one direction per topic, beside one that all share."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(len(TOPICS), width))
    x = 3 * rng.normal(size=width) + centre[topic] + 0.5 * rng.normal(size=(len(topic), width))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def learnt(texts, **more):
    facts = {"wanted": "auto", "smallest": 30, "seed": 0}
    found, why = learn_themes(texts, np.arange(len(texts)), **(facts | more))
    return found if found is not None else why


@pytest.mark.parametrize("seed", range(3))
def test_planted_topics_are_recovered_and_counted(seed):
    texts, topic = planted(seed=seed)
    themes = learnt(texts, seed=seed)
    assert len(themes) == len(TOPICS)
    assert adjusted_rand_score(topic, themes.assign(texts)) > 0.98
    # New documents of the same world fall into the same themes.
    later, of = planted(seed=seed + 100)
    assert adjusted_rand_score(of, themes.assign(later)) > 0.98


def test_a_theme_is_named_by_the_words_of_its_topic():
    texts, topic = planted()
    themes = learnt(texts)
    codes = themes.assign(texts)
    for k, name in enumerate(themes.names):
        own = list(TOPICS.values())[np.bincount(topic[codes == k]).argmax()]
        assert all(w in own for term in name.split(", ") for w in term.split()), name
        # "card" and "cards" are one word.
        assert not {"card", "cards"} <= {w for t in themes.words[k] for w in t.split()}
    assert len(set(themes.names)) == len(themes)


def test_embeddings_recover_them_too():
    texts, topic = planted(900)
    vectors = placed(topic)
    themes = learnt(texts, vectors=vectors, by="hashed words")
    assert themes.facts["by"] == "hashed words"
    assert adjusted_rand_score(topic, themes.assign(texts, vectors)) > 0.98
    with pytest.raises(ValueError, match="embeddings"):
        themes.assign(texts)
    blank = themes.assign(["", texts[0]], vectors[:1].repeat(2, axis=0))
    assert blank[0] == -1
    assert blank[1] == themes.assign(texts[:1], vectors[:1])[0]


def test_the_same_rows_give_the_same_bytes():
    texts, _ = planted(600)
    assert learnt(texts).files() == learnt(texts).files()
    assert learnt(texts, seed=1).files() != learnt(texts).files()


def test_a_row_gets_the_answer_of_its_table_whatever_stands_around_it():
    texts, _ = planted(700)
    themes = learnt(texts)
    together = themes.assign(texts)
    assert [int(themes.assign([t])[0]) for t in texts[:60]] == together[:60].tolist()
    assert np.array_equal(themes.assign(texts[::-1])[::-1], together)
    assert themes.assign(["", "zzz qqq", "the and of"]).tolist() == [-1, -1, -1]
    assert themes.named(np.array([0, -1])) == [themes.names[0], None]


def test_the_artefact_goes_round_and_an_older_one_has_none():
    texts, _ = planted(600)
    themes = learnt(texts)
    files = themes.files()
    assert not any(name.endswith(".pkl") for name in files)
    again = Themes.from_files(files)
    assert again.files() == files
    assert np.array_equal(again.assign(texts), themes.assign(texts))
    assert Themes.from_files({}) is None
    with pytest.raises(BundleError, match="PAY-B001"):
        Themes.from_files({k: v for k, v in files.items() if "directions" not in k})


def test_small_themes_are_merged():
    rare = [0.4, 0.3, 0.27, 0.02, 0.01]
    texts, _ = planted(2_000, shares=rare)
    themes = learnt(texts, wanted=8, smallest=150)
    assert np.bincount(themes.assign(texts), minlength=len(themes)).min() >= 300
    assert len(themes) < 8
    whole = learnt(texts, wanted=2)
    assert len(whole) == 2


def test_a_number_is_obeyed_and_nothing_is_learnt_where_that_is_said():
    texts, _ = planted(1_500)
    assert len(learnt(texts, wanted=3)) == 3
    assert "themes = 0" in learnt(texts, wanted=0)
    assert "fewer than 100" in learnt(texts[:80])
    assert "too few words" in learnt(["the and of it"] * 300)
    same = learnt(["card stolen at the terminal yesterday"] * 300)
    assert isinstance(same, str) or len(same) == 1


def test_copies_count_once_in_names_and_examples():
    texts, _ = planted(800)
    copied = "card zebra zebra giraffe elephant crocodile stolen terminal"
    many = [*texts, *([copied] * 200)]
    twins = np.concatenate([np.arange(800), np.full(200, 800)])
    themes = learnt(many, twins=twins)
    assert not any("zebra" in t or "giraffe" in t for words in themes.words for t in words)
    assert all(len({e["text"] for e in some}) == len(some) for some in themes.examples)


def test_names_and_examples_hold_nothing_personal_even_when_nothing_was_replaced():
    texts, topic = planted(1_200)
    mail = "jo.smith@acme.example"
    secret = [
        f"{t} {mail} 4111 1111 1111 1111" if k == 0 else t
        for t, k in zip(texts, topic, strict=True)
    ]
    themes = learnt(secret, redacted=False)
    shown = json.dumps([themes.names, themes.words, themes.examples])
    for part in ("smith", "acme", "4111", "@"):
        assert part not in shown
    replaced = [
        t.replace(mail, "[e-mail]").replace("4111 1111 1111 1111", "[card]") for t in secret
    ]
    assert not any("mail" in n for n in learnt(replaced).names)


def test_words_of_few_documents_name_nobody():
    texts = ["card stolen Grabowski"] * 9 + ["card stolen"] * 60 + ["mortgage house"] * 60
    named = describe(texts, np.repeat([0, 1], [69, 60]), 2)
    assert "grabowski" not in " ".join(w.lower() for _, words in named for w in words)


def test_terms_are_counted_as_one_by_one():
    rng = np.random.default_rng(3)
    words = ["card", "loan", "stolen", "mortgage", "house", "fee", "rare"]
    share = [0.2, 0.2, 0.2, 0.15, 0.15, 0.09, 0.01]
    texts = [" ".join(rng.choice(words, rng.integers(0, 6), p=share)) for _ in range(300)]
    codes = rng.integers(-1, 3, 300)
    vocabulary, seen = _seen(texts, codes, 3)
    by_hand = {
        t: [
            sum(t in content_terms(x) for x, c in zip(texts, codes, strict=True) if c == k)
            for k in range(3)
        ]
        for x in texts
        for t in content_terms(x)
    }
    assert vocabulary == sorted(t for t, n in by_hand.items() if sum(n) >= 10)
    assert 5 < len(vocabulary) < len(by_hand)
    assert seen.T.tolist() == [by_hand[t] for t in vocabulary]
    assert _seen(["", "a"], np.array([0, -1]), 2)[1].shape == (2, 0)


def test_terms_are_words_and_pairs_that_name_something():
    assert content_terms("XXXX the [phone] 2024 of it") == set()
    assert content_terms("I was charged a late fee. Paid off!") == {
        "charged",
        "late",
        "late fee",
        "fee",
        "paid",
        "paid off",
    }
    assert "women" in content_terms("the women's shop")
    assert content_terms("don't can\u2019t") == set()


def test_names_are_spelled_as_people_do_and_without_markup_or_direction():
    rows = ["I sent money by PayPal yesterday"] * 60 + ["my mortgage of the house"] * 60
    named = describe(rows, np.repeat([0, 1], 60), 2)
    assert any("PayPal" in term for term in named[0][1])
    nasty = ["card <script>alert\u202e(1)</script> stolen"] * 60 + ["mortgage house"] * 60
    for name, _ in describe(nasty, np.repeat([0, 1], 60), 2):
        assert "<" not in name
        assert "\u202e" not in name


def test_an_excerpt_is_short_and_redacted():
    assert excerpt("a b") == "a b"
    long = excerpt("word " * 100)
    assert len(long) <= 160
    assert long.endswith("word…")
    cut = excerpt("x" * 150 + " jo@acme.example and more of the same " * 5)
    assert "jo@" not in cut


@pytest.fixture(scope="module")
def model():
    texts, topic = planted(900)
    y = (topic > 1).astype(int)
    data = dataset_of(pa.table({"message": texts}), y)
    fitted = training.fit(data, contract_of(message="text"), "tfidf", seed=0, progress=silent)
    return fitted, data


def test_a_model_carries_its_themes_and_reads_rows_once(model):
    fitted, data = model
    read = fitted.read_table(data.table)
    prob, theme = read.prob, read.theme
    assert np.array_equal(prob, fitted.predict_table(data.table))
    assert np.array_equal(theme, fitted.themes_of_table(data.table))
    rows = data.table.slice(0, 30).to_pylist()
    one = [fitted.read_rows([r]) for r in rows]
    assert [int(r.theme[0]) for r in one] == theme[:30].tolist()
    assert np.array_equal(np.concatenate([r.prob for r in one]), prob[:30])
    assert fitted.describe()["themes"]["documents"] == 900


def test_a_model_with_embeddings_reads_them_once():
    data, contract = data_of(400)
    asked = Hashed()
    fitted = training.fit(
        data, contract, "tfidf+embeddings", seed=0, progress=silent, embedder=asked
    )
    assert fitted.themes.topic is None
    asked.asked.clear()
    rows = [{"message": "a new document about euro and dollar"}]
    theme = fitted.read_rows(rows).theme
    assert asked.asked == ["a new document about euro and dollar"]
    assert (
        theme.tolist()
        == fitted.themes_of_table(pa.table({"message": [rows[0]["message"]]})).tolist()
    )


def test_the_bundle_of_a_model_without_themes_still_opens(model):
    fitted, data = model
    files = {k: v for k, v in fitted.files().items() if not k.startswith("themes")}
    older = TextModel.from_files(files)
    assert older.themes is None
    assert older.read_table(data.table).theme is None
    assert older.read_rows([{"message": "card"}]).theme is None
    assert older.themes_of_table(data.table) is None
    again = TextModel.from_files(fitted.files())
    assert np.array_equal(again.themes_of_table(data.table), fitted.themes_of_table(data.table))


def test_assigning_is_cheap():
    texts, _ = planted(6_000)
    themes = learnt(texts[:2_000])
    start = time.process_time()
    themes.assign(texts)
    assert len(texts) / (time.process_time() - start) > 10_000
