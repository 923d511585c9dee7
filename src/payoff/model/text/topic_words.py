"""The words a document is about, counted: what themes are told apart by without embeddings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from payoff.model.text.theme_words import is_content

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["TopicWords", "learn_topic_words"]

_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_READ: Final = 20_000
_MOST_WORDS: Final = 8_000
_WIDESPREAD: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TopicWords:
    """Words that name something, and how much each says.

    Parameters
    ----------
    columns
        For each column its words: one, or one with its plural.
    """

    columns: tuple[tuple[str, ...], ...]
    _place: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Lay out the look-up."""
        place = {word: j for j, words in enumerate(self.columns) for word in words}
        object.__setattr__(self, "_place", place)

    def __len__(self) -> int:
        """Return the number of columns m."""
        return len(self.columns)

    def encode(self, texts: Sequence[str]) -> csr_matrix:
        """Return ``1 + ln c`` of each document's counts c, float64 (n, m).

        Examples
        --------
        >>> TopicWords(columns=(("fee", "fees"), ("loan",))).encode(["A fee! Fees?"]).toarray()
        array([[1.69314718, 0.        ]])
        """
        from scipy.sparse import csr_matrix

        get = self._place.get
        data: list[float] = []
        found: list[int] = []
        ends = [0]
        for text in texts:
            counts: dict[int, int] = {}
            for word in _WORD.findall(text[:_READ].lower()):
                j = get(word)
                if j is not None:
                    counts[j] = counts.get(j, 0) + 1
            found += sorted(counts)
            data += [counts[j] for j in sorted(counts)]
            ends.append(len(found))
        values = 1.0 + np.log(np.array(data, dtype=np.float64))
        shape = (len(texts), len(self.columns))
        return csr_matrix((values, np.array(found, dtype=np.int64), ends), shape=shape)


def learn_topic_words(texts: Sequence[str]) -> tuple[TopicWords, NDArray[np.float64]]:
    """Learn which words tell documents apart, and the weight of each.

    Left out are the little words of a language, words in more than half of the documents, and words
    in fewer than three of them (of many, one in a thousand). A word and its plural are one.

    Returns
    -------
    words, weight
        float64 (m,), ``1 + ln((1 + n) / (1 + df))``.
    """
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update(set(_WORD.findall(text[:_READ].lower())))
    n = len(texts)
    least = max(3, n // 1_000)
    good = [w for w, c in seen.items() if least <= c <= _WIDESPREAD * n and is_content(w)]
    good.sort(key=lambda w: (-seen[w], w))
    kept = sorted(good[:_MOST_WORDS])
    known = set(kept)
    columns: dict[str, list[str]] = {}
    for word in kept:
        columns.setdefault(_singular(word, known), []).append(word)
    made = tuple(tuple(words) for words in columns.values())
    # Of a word and its plural the share that hold either, at most their sum.
    df = np.array([min(sum(seen[w] for w in words), n) for words in made], dtype=np.float64)
    return TopicWords(columns=made), 1.0 + np.log((1.0 + n) / (1.0 + df))


def _singular(word: str, known: set[str]) -> str:
    """Return the singular where it is a word by itself.

    Examples
    --------
    >>> known = {"fee", "dress", "story", "gas"}
    >>> [_singular(w, known) for w in ("fees", "dresses", "stories", "gas", "was")]
    ['fee', 'dress', 'story', 'gas', 'was']
    """
    for ending, instead in (("ies", "y"), ("es", ""), ("s", "")):
        stem = word.removesuffix(ending) + instead
        if word.endswith(ending) and len(stem) >= 3 and stem in known:
            return stem
    return word
