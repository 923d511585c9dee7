"""Slices by length and language: bands in round words, languages only where there are several."""

import numpy as np
import pytest

from payoff.load.text.slices import by_language, by_length, length_limits

ENGLISH = "Where is the money that I sent to my brother on Monday morning?"
GERMAN = "Mein Konto wurde gesperrt und niemand antwortet auf meine Briefe seit Montag"


def test_bands_hold_about_a_quarter_each_and_begin_at_round_numbers(rng):
    words = rng.poisson(rng.gamma(3.0, 12.0, 4_000)).astype(np.int64)
    limits = length_limits(words)
    (labels, codes), why = by_length(words, limits)
    assert why == ""
    assert len(labels) == 4
    assert np.bincount(codes).min() > 0.12 * len(words)
    assert all(limit % 5 == 0 or limit < 10 for limit in limits)
    for code, label in enumerate(labels):
        inside = words[codes == code]
        if label.startswith("under"):
            assert inside.max() < limits[0]
        elif label.endswith("and more"):
            assert inside.min() >= limits[-1]
        else:
            low, high = (int(w) for w in label.removesuffix(" words").split(" to "))
            assert low <= inside.min() <= inside.max() <= high


def test_documents_of_one_length_have_no_bands():
    assert length_limits(np.full(100, 7)) == []
    assert length_limits(np.array([], dtype=np.int64)) == []
    found, why = by_length(np.full(100, 7), [])
    assert found is None
    assert "same length" in why


@pytest.mark.packages("py3langid")
def test_languages_are_a_slice_only_where_there_are_two():
    (labels, codes), _ = by_language([ENGLISH] * 60 + [GERMAN] * 40 + ["ok"] * 5, 30)
    assert labels == ("English", "German")
    assert np.bincount(codes[codes >= 0]).tolist() == [60, 40]
    assert (codes[-5:] == -1).all()
    found, why = by_language([ENGLISH] * 60 + [GERMAN] * 4, 30)
    assert found is None
    assert "one language (English); 4 documents may be in others" in why
    assert by_language(["ok"] * 50, 30)[0] is None


@pytest.mark.packages("py3langid")
def test_rare_languages_are_one_group():
    french = "Où est l'argent que j'ai envoyé à mon frère lundi matin ?"
    texts = [ENGLISH] * 60 + [GERMAN] * 20 + [french] * 20
    (labels, codes), _ = by_language(texts, 30)
    assert labels == ("English", "other languages")
    assert np.bincount(codes).tolist() == [60, 40]


def test_too_many_documents_are_not_read():
    assert "20,000" in by_language([""] * 20_001, 30)[1]
