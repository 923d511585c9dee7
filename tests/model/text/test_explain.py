import time

import numpy as np
import pytest

from payoff.model.text import training
from payoff.model.text.explain import (
    contributions,
    left_out,
    nearest_documents,
    removals,
    segments,
    strengths,
)
from payoff.progress import silent
from tests.model.text.making import Hashed, data_of

ROW = {"message": "Please help, I LOST my card! 😀 İstanbul card's gone...", "amount": 0.3}


@pytest.fixture(scope="module", params=["tfidf", "tfidf+embeddings"])
def model(request):
    data, contract = data_of(400, extra=True)
    return training.fit(data, contract, request.param, seed=0, progress=silent, embedder=Hashed())


@pytest.mark.parametrize("text", [ROW["message"], "lost card", "!!!", "", "card lost card"])
def test_contributions_sum_to_the_log_odds(model, text):
    row = {**ROW, "message": text}
    found = contributions(model, row, outcome="card", against="login")
    p = model.predict_rows([row])[0]
    total = sum(w["log_odds"] for w in found["words"])
    total += sum(found["columns"].values()) + sum(found["rest"].values())
    assert set(found["columns"]) == {"amount"}
    assert found["log_odds"] == pytest.approx(np.log(p[0] / p[2]), abs=1e-5)
    assert total == pytest.approx(found["log_odds"], abs=1e-5)


def test_words_are_where_the_text_has_them(model):
    text = "I lost my card!"
    found = contributions(model, {"message": text}, outcome="card")
    assert [w["word"] for w in found["words"]] == ["I", "lost", "my", "card"]
    assert all(text[w["start"] : w["end"]] == w["word"] for w in found["words"])
    strength = {w["word"]: w["log_odds"] for w in found["words"]}
    assert min(strength["lost"], strength["card"]) > max(strength["I"], strength["my"])


def test_the_other_outcome_is_the_likeliest_other_one(model):
    row = {"message": "lost card password"}
    p = model.predict_rows([row])[0]
    found = contributions(model, row, outcome=model.outcomes[int(p.argmax())])
    assert found["against"] == model.outcomes[int(np.argsort(-p)[1])]


def test_a_document_is_nearest_to_itself(model):
    data, _ = data_of(400, extra=True)
    rows = data.table.to_pylist()
    for i in (0, 17, 399):
        first = nearest_documents(model, rows[i], 3)
        assert rows[first[0]["row"]]["message"] == rows[i]["message"]
        assert first[0]["cosine"] > 0.9
        assert sorted((d["cosine"] for d in first), reverse=True) == [d["cosine"] for d in first]


def test_a_removal_is_checked_by_deciding_again(model):
    def decide(rows):
        return [model.outcomes[k] for k in model.predict_rows(rows).argmax(axis=1)]

    row = {"message": "please help me with my stolen plastic password thanks", "amount": 0.0}
    before = decide([row])[0]
    words = contributions(model, row, outcome=before)["words"]
    found = removals(row, words, decide)
    assert found["action"] == before
    assert found["removed"]
    kept = [w for w in row["message"].split() if w not in found["removed"]]
    assert decide([{**row, "message": " ".join(kept)}])[0] == found["becomes"] != before


def test_no_removal_changes_a_constant_decision(model):
    words = contributions(model, ROW, outcome="card")["words"]
    found = removals(ROW, words, lambda rows: ["wait"] * len(rows))
    assert found["removed"] is None
    assert found["tried"] > 1


@pytest.mark.parametrize("name", ["embeddings", "tfidf+embeddings"])
def test_leaving_a_word_out_is_what_the_model_says_without_it(name):
    data, contract = data_of(400, extra=True)
    model = training.fit(data, contract, name, seed=0, progress=silent, embedder=Hashed())
    text = "please help i lost my card now"
    row = {"message": text, "amount": 0.3}
    found = contributions(model, row, outcome="card", against="login")
    words = left_out(model, row, found["words"], outcome="card", against="login")
    assert [w["word"] for w in words] == text.split()

    def log_odds(message):
        p = model.predict_rows([{**row, "message": message}])[0]
        return np.log(p[0] / p[2])

    for word in words:
        without = " ".join(w for w in text.split() if w != word["word"])
        change = log_odds(text) - log_odds(without)
        assert word["without"] == pytest.approx(change, abs=1e-4)
    marks = dict(zip(text.split(), strengths(words), strict=True))
    assert marks["card"] > 0
    many = {"message": "lost card " * 400, "amount": 0.0}
    found = contributions(model, many, outcome="card", against="login")
    assert len(left_out(model, many, found["words"], outcome="card", against="login")) == 800


def test_a_word_is_found_by_its_place_however_long_the_document(model):
    """Each token's words are looked up, not searched: 40,000 of them in well under a minute."""
    text = "lost!card ,a-b! " * 10_000
    started = time.perf_counter()
    found = contributions(model, {"message": text, "amount": 0.0}, outcome="card", against="login")
    assert time.perf_counter() - started < 30  # 2 s; searching took minutes
    total = sum(w["log_odds"] for w in found["words"])
    total += sum(found["columns"].values()) + sum(found["rest"].values())
    assert total == pytest.approx(found["log_odds"], abs=1e-3)


def test_a_stretch_holds_the_strongest_words():
    text = "dull " * 300 + "lost card " + "dull " * 300
    words = [
        {"start": 0, "end": 4, "strength": 1},
        {"start": 1500, "end": 1504, "strength": 3},
        {"start": 1505, "end": 1509, "strength": -2},
    ]
    found = segments(text, words, 200)
    assert ("lost", 3) in found
    assert ("card", -2) in found
    whole = "".join(part for part, _ in found)
    assert whole.startswith("… ")
    assert whole.endswith(" …")
    assert len(whole) <= 204
    assert whole.strip("… ") in text
    short = segments("lost card", [{"start": 0, "end": 4, "strength": 2}], 200)
    assert short == [("lost", 2), (" card", 0)]
