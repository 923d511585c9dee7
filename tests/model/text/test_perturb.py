"""Changes of documents: each exact on cases made by hand, deterministic, and careful."""

import numpy as np
import pytest

from payoff.load.text.clean import clean_one
from payoff.model.text.perturb import FAMILIES, TESTS, changed_row, looks_english
from payoff.model.text.words import CONTRACTIONS, IDENTITY, NAMES, NEUTRAL

BY_NAME = {t.name: t for t in TESTS}


def change(name, text, seed=0):
    found = changed_row(BY_NAME[name], {"t": text}, np.random.default_rng(seed))
    return None if found is None else found["t"]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("capitals", "Pay [e-mail] now, Straße", "PAY [e-mail] NOW, STRASSE"),
        ("capitals", "OK 5", None),
        ("marks", "Why?! It's  5.5 (now).", "Why    It's    5.5    now  "),
        ("marks", "it's fine", None),
        ("contractions", "I don\u2019t know, it's late", "I do not know, it is late"),
        ("contractions", "Can't wait", "Cannot wait"),
        ("contractions", "I do not know", "I don't know"),
        ("contractions", "hello", None),
        ("neutral", "Maybe buy it now", "Perhaps purchase it currently"),
        ("neutral", "A LARGE one", "A BIG one"),
        ("sentence", "Hi", "Hi. By the way, it rained a little this morning."),
        ("url", "Hi!", "Hi! https://www.example.com/page"),
        ("names", "Mary met Ahmed, mary did not", "Fatima met John, mary did not"),
        ("names", "Johnson and Marys", None),
        ("gender", "He told her to call his wife", "She told him to call her husband"),
        ("gender", "Her card, she said, belongs to her.", "His card, he said, belongs to him."),
        ("gender", "the theory of shelves", None),
        ("religion", "A Muslim and a jew at church", "A Jewish and a muslim at mosque"),
        ("origin", "a black man in a black dress", "a white man in a black dress"),
        ("origin", "I am Mexican, I like Mexican food", "I am German, I like Mexican food"),
        ("origin", "nail polish, black shoes", None),
        ("age", "an old woman, an old car", "a young woman, an old car"),
        ("age", "I am 34 years old and 2 metres", "I am 69 years old and 2 metres"),
        ("orientation", "a gay man, straight away", "a straight man, straight away"),
        ("disability", "I'm deaf and my account is closed", "I'm hearing and my account is closed"),
        ("disability", "blind people, a blind spot", "sighted people, a blind spot"),
        ("negation", "It is good", "It is not good"),
        ("negation", "It isn't good", "It is good"),
        ("negation", "I can't and cannot", "I can and cannot"),
        ("negation", "I never paid", "I paid"),
        ("negation", "Good", None),
        ("numbers", "Paid 450 in 2019, x2 [IP address]", "Paid 783 in 5342, x2 [IP address]"),
        ("first", "One. Two. Three.", "Two. Three."),
        ("last", "One. Two? Three", "One. Two?"),
        ("first", "One only.", None),
        ("last", "One only.", None),
    ],
)
def test_by_hand(name, before, after):
    assert change(name, before) == after


def test_a_typing_error_swaps_two_inner_letters():
    text = "Yesterday someone charged another account without permission whatsoever [phone] again"
    made = change("typos", text)
    wrong = [(a, b) for a, b in zip(text.split(), made.split(), strict=True) if a != b]
    assert len(wrong) == round(0.1 * 9)
    for a, b in wrong:
        assert (a[0], a[-1], sorted(a)) == (b[0], b[-1], sorted(b))
        assert sum(x != y for x, y in zip(a, b, strict=True)) == 2
    assert change("typos", text) == made
    assert {change("typos", text, seed) for seed in range(20)} != {made}
    assert change("typos", "to be or not") is None


def test_an_exchange_is_undone_by_itself():
    """Pairs are symmetric; a round of three or more comes back after as many steps."""
    for pairs in (NEUTRAL, NAMES, IDENTITY["age"][1]):
        assert all(pairs[pairs[word]] == word for word in pairs)
    for clear, beside in IDENTITY.values():
        for pairs in (clear, beside):
            assert all(word == word.lower() and pairs[word] != word for word in pairs)
    assert not set(NEUTRAL) & {w for clear, _ in IDENTITY.values() for w in clear}
    assert all("'" in k for k in CONTRACTIONS)


def test_every_test_keeps_placeholders_and_survives_odd_documents():
    odd = ["", " ", "[URL]", "😀😀", "a" * 5_000, "İ ß ﬁ", "((((" * 500, "not " * 500,
           "[e-mail] he [phone] is not 5. Ok. \n Go", "\u05e9\u05dc\u05d5\u05dd 5"]  # fmt: skip
    for test in TESTS:
        assert test.family in FAMILIES
        for text in odd:
            made = change(test.name, text)
            assert made is None or (made != text and made.strip())
            if made is not None and test.name not in ("first", "last"):
                assert made.count("[e-mail]") == text.count("[e-mail]")
                clean_one(made)


def test_columns():
    row = {"title": "Late. Again.", "body": "It is late. It is dark.", "more": ""}
    rng = np.random.default_rng(0)
    assert changed_row(BY_NAME["url"], row, rng)["body"].endswith("/page")
    assert changed_row(BY_NAME["first"], row, rng)["title"] == row["title"]
    assert changed_row(BY_NAME["capitals"], row, rng)["title"] == "LATE. AGAIN."
    assert changed_row(BY_NAME["url"], {"title": ""}, rng) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I lost my card and they have not sent a new one", True),
        ("Meine Karte fehlt, nun warte ich auf neue", False),
        ("J'ai perdu ma carte et j'attends toujours la nouvelle", False),
        ("He perdido la tarjeta y no me han enviado otra", False),
        ("", False),
        ("card lost account blocked", False),
    ],
)
def test_english(text, said):
    assert looks_english(text) is said
