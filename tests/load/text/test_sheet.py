"""The data sheet counts what a hand counts, and names rows instead of repeating them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from payoff import optional
from payoff.load.text import language
from payoff.load.text.corpus import documents
from payoff.load.text.language import languages
from payoff.load.text.sheet import data_sheet, label_suspects
from payoff.load.text.twins import twin_groups
from tests.load.text.worlds import corpus

TEXTS = [
    "My card was declined at the shop, please help me today",
    "my CARD was declined at the shop: please help me today!",
    "ok",
    "",
    "Wann kommt endlich meine neue Karte an, ich warte schon zwei Wochen",
    "Write to [e-mail] or call [phone] or [phone]",
    "jo@acme.example is still here",
]
LABELS = np.array([0, 1, 0, -1, 0, 1, 1])


def sheet(**changes):
    return data_sheet(TEXTS, LABELS, ["card", "loan"], **changes)


def test_counts_by_hand():
    found = sheet(twins=twin_groups(TEXTS))
    assert found["documents"] == {"n": 7, "empty": 1, "one_word": 1}
    assert found["length"]["words"][0] == 0
    assert found["length"]["words"][4] == 12
    assert found["personal"] == {
        "documents": 2,
        "replaced": {"e-mail": 1, "phone": 2},
        "left": {"e-mail": 1},
    }
    assert found["twins"]["groups"] == 1
    assert found["twins"]["largest"] == [{"n": 2, "row": 0}]
    assert found["twins"]["labelled_differently"] == {"groups": 1, "n": 2, "rows": [0, 1]}
    assert [row["n"] for row in found["labels"]] == [3, 3]
    every = " ".join(TEXTS).replace("[e-mail]", "").replace("[phone]", "").casefold()
    words = {w.strip(",:!@.") for w in every.replace("@", " ").replace(".", " ").split()}
    assert found["vocabulary"]["distinct"] == len(words - {""})
    assert "copies" in found["sentences"][0]
    assert "still in the documents" in found["sentences"][1]


def test_no_document_is_repeated():
    words = " ".join(corpus(60)["narrative"].to_pylist())
    text = json.dumps(sheet(twins=twin_groups(TEXTS)), allow_nan=False)
    assert "declined" not in text
    assert "acme" not in text
    assert words.split()[0] not in text


def test_frequent_words_are_those_of_many_documents():
    texts = documents(corpus(100), ["narrative"])
    found = data_sheet(texts, np.zeros(100, int), ["a", "b"])["vocabulary"]
    for row in found["frequent"]:
        assert row["documents"] == sum(row["word"] in t.split() for t in texts)
        assert row["documents"] >= 10
    assert found["words"] == 100 * 12


@pytest.mark.packages("py3langid")
def test_languages():
    found = sheet(expected=("en",))["languages"]
    assert found["counts"]["en"] >= 2
    assert found["counts"]["de"] == 1
    assert found["unexpected"] == {"n": 1, "rows": [4]}
    codes, sure = languages(TEXTS)
    assert codes[2] == codes[3] == "und"
    assert sure[2] == 0
    assert sure[4] > 0.9


def test_of_many_documents_the_model_of_languages_is_let_go(monkeypatch):
    pytest.importorskip("py3langid")
    few = sheet()["languages"]
    assert language._identifier.cache_info().currsize == 1
    monkeypatch.setattr("payoff.load.text.sheet._MOST_READ", len(TEXTS) - 1)
    assert sheet()["languages"]["read"] == few["read"] - 1
    assert language._identifier.cache_info().currsize == 0


def test_without_the_extra_it_says_how_to_get_it(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="py3langid")

    monkeypatch.setattr(optional.importlib, "import_module", absent)
    language._identifier.cache_clear()
    try:
        found = sheet()["languages"]
    finally:
        language._identifier.cache_clear()
    assert "payoff[text]" in found["not_measured"]


def test_planted_wrong_labels_are_named():
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 4, 2_000)
    logits = rng.normal(size=(2_000, 4))
    logits[np.arange(2_000), truth] += 6
    prob = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    given = truth.copy()
    wrong = rng.choice(2_000, 100, replace=False)
    given[wrong] = (truth[wrong] + 1 + rng.integers(0, 3, 100)) % 4
    given[:3] = -1
    found = label_suspects(prob, given, most=2_000)
    named = {row["row"] for row in found["rows"]}
    planted = set(wrong.tolist()) - {0, 1, 2}
    assert len(named & planted) / len(planted) > 0.85
    assert len(named & planted) / len(named) > 0.5
    assert not named & {0, 1, 2}
    margins = [row["p_likelier"] - row["p_given"] for row in found["rows"]]
    assert margins == sorted(margins, reverse=True)
    assert sum(row["n"] for row in found["by_label"]) == found["n"]


def test_suspects_by_hand():
    prob = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]])
    given = np.array([0, 0, 1, 1])  # limits: .75 and .55
    assert label_suspects(prob, given)["n"] == 0
    prob[3] = [0.8, 0.2]  # limits: .75 and .5
    found = label_suspects(prob, given)
    assert [(r["row"], r["given"], r["likelier"]) for r in found["rows"]] == [(3, 1, 0)]
    assert found["share"] == 0.25
