"""Twins are those that a comparison of every pair would find, and no others."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payoff.load.text import twins
from payoff.load.text.twins import jaccard, merged, twin_groups


def form(text):
    return re.sub(r"[\W_]+", " ", text.casefold()).strip() or text.strip()


def shingles(text):
    padded = f" {form(text)} "
    return {padded[k : k + 4] for k in range(max(len(padded) - 3, 1))}


def index(a, b):
    one, other = shingles(a), shingles(b)
    return len(one & other) / len(one | other)


def brute(texts, similarity):
    """Groups by comparing every pair, joined by hand."""
    group = list(range(len(texts)))
    for i, j in itertools.combinations(range(len(texts)), 2):
        same = form(texts[i]) == form(texts[j]) or index(texts[i], texts[j]) >= similarity
        if form(texts[i]) and form(texts[j]) and same:
            old, new = group[j], group[i]
            group = [new if g == old else g for g in group]
    return [group.index(g) for g in group]


def first_places(codes):
    codes = list(codes)
    return [codes.index(c) for c in codes]


def varied(rng, n):
    """Sentences, and copies of them with a few letters or words changed."""
    words = [f"{a}{b}" for a in "klmnprst" for b in ("ando", "ero", "iga", "umble", "ock")]
    base = [" ".join(rng.choice(words, rng.integers(3, 14))) for _ in range(n // 3)]
    out = list(base)
    while len(out) < n:
        text = list(base[rng.integers(len(base))])
        for _ in range(rng.integers(0, 6)):
            text[rng.integers(len(text))] = rng.choice(list("abc "))
        out.append("".join(text))
    return out


@pytest.mark.parametrize("similarity", [0.5, 0.7, 0.8, 0.9, 1.0])
def test_as_comparing_every_pair(similarity):
    missed = pairs = 0
    for seed in range(4):
        texts = varied(np.random.default_rng(seed), 150)
        want, got = brute(texts, similarity), first_places(twin_groups(texts, similarity))
        for i, j in itertools.combinations(range(len(texts)), 2):
            together, found = want[i] == want[j], got[i] == got[j]
            assert together or not found  # nothing is joined that is not alike
            pairs += together
            missed += together and not found
    assert pairs > 50
    assert missed <= 0.02 * pairs


@settings(max_examples=100)
@given(st.lists(st.text(alphabet="ab !", max_size=12), min_size=2, max_size=20))
def test_jaccard_is_that_of_the_sets(texts):
    forms = [form(t) for t in texts]
    pairs = np.array(list(itertools.combinations(range(len(texts)), 2)))
    want = [index(texts[i], texts[j]) for i, j in pairs]
    padded = [len(f) >= 2 for f in forms]
    for (i, j), a, b in zip(pairs, jaccard(forms, pairs), want, strict=True):
        if padded[i] and padded[j]:
            assert a == pytest.approx(b)


def test_spelling_only():
    texts = ["Card lost!", "card   LOST", "card, lost?", "loan lost", "", "", "!!!", "!!!", "??"]
    assert twin_groups(texts).tolist() == [0, 0, 0, 1, 2, 3, 4, 4, 5]


def test_order_of_rows_does_not_matter():
    texts = varied(np.random.default_rng(5), 200)
    order = np.random.default_rng(6).permutation(200)
    plain, shuffled = twin_groups(texts), twin_groups([texts[k] for k in order])
    back = np.empty(200, dtype=int)
    back[order] = shuffled
    assert first_places(plain) == first_places(back)


def test_one_text_many_times_and_a_template_with_many_fillings():
    texts = ["the very same letter sent by many people about one matter"] * 500
    texts += [f"dear bank, block 609 of the act was violated by account {k}" for k in range(300)]
    texts += [f"{k * 7919} nothing in common {chr(97 + k % 26) * 20}" for k in range(50)]
    sizes = np.bincount(twin_groups(texts))
    assert sizes[0] == 500
    assert sizes[1] >= 290


def test_chunks_change_nothing(monkeypatch):
    texts = varied(np.random.default_rng(9), 120)
    whole = twin_groups(texts)
    monkeypatch.setattr(twins, "_CHUNK", 150)
    assert np.array_equal(whole, twin_groups(texts))


def test_odd_documents():
    assert twin_groups([]).tolist() == []
    assert twin_groups(["one"]).tolist() == [0]
    assert twin_groups(["a", "b", "a", "日", "日"]).tolist() == [0, 1, 0, 2, 2]
    long = " ".join(str(k) for k in range(200_000))
    assert twin_groups([long, "short text", long + " end"]).tolist() == [0, 1, 0]


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30))
def test_merged_groups_are_the_coarsest_common(pairs):
    one, other = (np.array(c) for c in zip(*pairs, strict=True))
    both = merged(one, other)
    parent = {("a", x): ("a", x) for x in one} | {("b", x): ("b", x) for x in other}

    def root(key):
        while parent[key] != key:
            key = parent[key]
        return key

    for x, y in pairs:
        parent[root(("a", x))] = root(("b", y))
    want = [root(("a", x)) for x in one]
    assert first_places(both) == first_places(want)
    assert both[0] == 0
