import numpy as np
import pytest

from payoff.model.text import training
from payoff.model.text.explain import contributions, nearest_documents, removals
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
