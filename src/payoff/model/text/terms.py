"""TF-IDF of words, pairs of nearby words and character n-grams: data only, one path for all rows.

A document becomes two blocks of unit length. *Words*: every word, and every ordered pair of words
at most three apart, with marks for the document's start and end. *Characters*: every run of 2 to 5
characters within one blank-separated token, which survives typos and endings. A count c weighs
``(1 + ln c) * idf`` with ``idf = 1 + ln((1 + n) / (1 + df))``, as in scikit-learn.

The same code reads a table and a served row, and a row's numbers never depend on the others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Block", "Terms", "char_terms", "learn_terms", "word_terms"]

_WORD: Final = re.compile(r"\w+")
_APART: Final = 3
_SHORTEST: Final = 2
_LONGEST: Final = 5
#: Characters of a document that are read; a longer one is decided by its beginning.
MOST_CHARACTERS: Final = 100_000
_MOST_TERMS: Final = 150_000
#: Terms counted at once while learning; terms seen once are dropped when there are more.
_MOST_COUNTED: Final = 3_000_000
_MANY_DOCUMENTS: Final = 20_000
_MOST_REMEMBERED: Final = 200_000
_LONGEST_TOKEN: Final = 200


def word_terms(text: str) -> list[str]:
    """Return the words of a document, then its pairs of words at most three apart.

    Examples
    --------
    >>> word_terms("Lost card")
    ['lost', 'card', '^ lost', '^ card', '^ $', 'lost card', 'lost $', 'card $']
    """
    words = _WORD.findall(text[:MOST_CHARACTERS].lower())
    if not words:
        return []
    marked = ["^", *words, "$"]
    return words + [
        f"{a} {b}" for i, a in enumerate(marked) for b in marked[i + 1 : i + 1 + _APART]
    ]


def token_grams(token: str) -> list[str]:
    """Return the runs of 2 to 5 characters of one token, its blanks included.

    Examples
    --------
    >>> token_grams("hi")
    [' h', 'hi', 'i ', ' hi', 'hi ', ' hi ']
    """
    padded = f" {token[:_LONGEST_TOKEN]} "
    size = len(padded)
    return [
        padded[i : i + n]
        for n in range(_SHORTEST, min(_LONGEST, size) + 1)
        for i in range(size - n + 1)
    ]


def char_terms(text: str) -> list[str]:
    """Return the character n-grams of a document, token by token."""
    return [g for token in text[:MOST_CHARACTERS].lower().split() for g in token_grams(token)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """One vocabulary with its weights.

    Parameters
    ----------
    terms
        In ascending order: the columns of the block.
    idf
        float32 (k,), > 0.
    """

    terms: tuple[str, ...]
    idf: NDArray[np.float32]
    place: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Lay out the look-up and freeze the weights."""
        self.idf.setflags(write=False)
        object.__setattr__(self, "place", {t: i for i, t in enumerate(self.terms)})

    def weigh(self, found: Iterable[Iterable[int]]) -> csr_matrix:
        """Return float32 (n, k) rows of unit length (or empty) of each document's columns."""
        from scipy.sparse import csr_matrix

        columns: list[int] = []
        ends = [0]
        for some in found:
            columns.extend(some)
            ends.append(len(columns))
        x = csr_matrix(
            (
                np.ones(len(columns), dtype=np.float32),
                np.array(columns, dtype=np.int32),
                np.array(ends, dtype=np.int64),
            ),
            shape=(len(ends) - 1, len(self.terms)),
        )
        x.sum_duplicates()
        x.data = ((1.0 + np.log(x.data)) * self.idf[x.indices]).astype(np.float32)
        counts = np.diff(x.indptr)
        # Each row is summed by itself: a whole-array sum would depend on the rows around it.
        squares = x.data.astype(np.float64) ** 2
        full = counts > 0
        norm = np.ones(len(counts))
        if full.any():
            norm[full] = np.sqrt(_row_sums(squares, x.indptr)[full])
        x.data = (x.data / np.repeat(norm, counts)).astype(np.float32)
        return x


def _row_sums(values: NDArray[np.float64], ends: NDArray[Any]) -> NDArray[np.float64]:
    """Return the sum of each row's values, added one after another."""
    from scipy.sparse import csr_matrix

    n = len(ends) - 1
    ones = csr_matrix((values, np.zeros(len(values), dtype=np.int32), ends), shape=(n, 1))
    return np.asarray(ones @ np.ones(1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terms:
    """The two blocks of one text column.

    Examples
    --------
    >>> terms = learn_terms(["lost card", "lost my card", "new card"])
    >>> x = terms.encode(["a card", ""])
    >>> x.shape[0], round(float(x[0].multiply(x[0]).sum()), 6), x[1].nnz
    (2, 2.0, 0)
    """

    words: Block
    chars: Block
    #: Token -> columns of the character block, filled as tokens come by; never written.
    _seen: dict[str, tuple[int, ...]] = field(default_factory=dict, init=False, repr=False)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.words.terms) + len(self.chars.terms)

    @property
    def labels(self) -> list[str]:
        """Names of the columns; a character run stands in quotation marks."""
        return [*self.words.terms, *(f'"{t}"' for t in self.chars.terms)]

    def encode(self, texts: Sequence[str]) -> csr_matrix:
        """Return float32 (n, k) of n clean documents."""
        from scipy.sparse import hstack

        return hstack([self.encode_words(texts), self.encode_chars(texts)], format="csr")

    def encode_words(self, texts: Sequence[str]) -> csr_matrix:
        """Return the block of words and pairs."""
        get = self.words.place.get
        return self.words.weigh(
            [j for j in map(get, word_terms(text)) if j is not None] for text in texts
        )

    def encode_chars(self, texts: Sequence[str]) -> csr_matrix:
        """Return the block of character n-grams."""
        return self.chars.weigh(
            chain.from_iterable(map(self.columns, text[:MOST_CHARACTERS].lower().split()))
            for text in texts
        )

    def columns(self, token: str) -> tuple[int, ...]:
        """Return the columns of a token's character runs within their block."""
        found = self._seen.get(token)
        if found is None:
            get = self.chars.place.get
            found = tuple(j for g in token_grams(token) if (j := get(g)) is not None)
            if len(self._seen) < _MOST_REMEMBERED:
                self._seen[token] = found
        return found

    def forget(self) -> None:
        """Let go of the tokens that came by: those of many documents take memory."""
        self._seen.clear()


def learn_terms(texts: Sequence[str]) -> Terms:
    """Learn the vocabulary and weights of clean documents; labels play no part.

    Parameters
    ----------
    texts
        n documents. With more than 20,000 a term must occur in two of them; of more than 150,000
        terms per block the most widespread are kept.
    """
    least = 1 if len(texts) <= _MANY_DOCUMENTS else 2
    return Terms(
        words=_learn(texts, lambda text: set(word_terms(text)), least),
        chars=_learn(texts, _gram_sets(), least),
    )


def _gram_sets() -> Callable[[str], set[str]]:
    seen: dict[str, list[str]] = {}

    def grams(text: str) -> set[str]:
        out: set[str] = set()
        for token in text[:MOST_CHARACTERS].lower().split():
            found = seen.get(token)
            if found is None:
                found = token_grams(token)
                if len(seen) < _MOST_REMEMBERED:
                    seen[token] = found
            out.update(found)
        return out

    return grams


def _learn(texts: Sequence[str], terms_of: Callable[[str], set[str]], least: int) -> Block:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(terms_of(text))
        if len(counts) > _MOST_COUNTED:
            counts = Counter({t: c for t, c in counts.items() if c > 1})
    kept = [(t, c) for t, c in counts.items() if c >= least]
    if len(kept) > _MOST_TERMS:
        kept = sorted(kept, key=lambda item: (-item[1], item[0]))[:_MOST_TERMS]
    kept.sort()
    df = np.array([c for _, c in kept], dtype=np.float64)
    idf = 1.0 + np.log((1.0 + len(texts)) / (1.0 + df))
    # Written anew once the others are gone: the few kept would hold the memory of the millions
    # between which they stand. No term has a line end in it.
    together = "\n".join(t for t, _ in kept)
    del counts, kept
    return Block(terms=tuple(together.split("\n")) if len(df) else (), idf=idf.astype(np.float32))
