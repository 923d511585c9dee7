"""Slices that need no column: documents by length and by language."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import EnvironmentError_, counted
from payoff.load.text.language import UNKNOWN, languages

__all__ = ["by_language", "by_length", "length_limits"]

Codes = tuple[tuple[str, ...], NDArray[np.int32]]

#: Lengths that people think in; limits of bands are taken from these.
_ROUND: Final = np.array(
    [2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400]
    + [n * 100 for n in (5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200)]
)
_LEAST_SHARE: Final = 0.05
#: Identifying a language takes about as long as predicting; of more documents it is left out.
_MOST_READ: Final = 20_000
_OTHERS: Final = "other languages"
_NAMES: Final = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}


def length_limits(words: NDArray[np.int64]) -> list[int]:
    """Return round numbers of words near the quartiles, at which a new band begins.

    Parameters
    ----------
    words
        int64 (n,), words of the documents of the fit part.

    Examples
    --------
    >>> length_limits(np.array([3, 4, 9, 11, 12, 19, 22, 48, 70, 160]))
    [10, 15, 40]
    """
    if not len(words):
        return []
    limits: list[int] = []
    for at in np.quantile(words, [0.25, 0.5, 0.75]):
        near = int(_ROUND[np.abs(np.log(_ROUND / max(at, 1.0))).argmin()])
        parts = np.bincount(np.searchsorted([*limits, near], words, side="right"))
        if len(parts) > len(limits) + 1 and parts.min() >= _LEAST_SHARE * len(words):
            limits.append(near)
    return limits


def by_length(words: NDArray[np.int64], limits: Sequence[int]) -> tuple[Codes | None, str]:
    """Return the band of each document, declared in words; or why there are none.

    Examples
    --------
    >>> (labels, codes), _ = by_length(np.array([3, 10, 80]), [10, 50])
    >>> labels, codes.tolist()
    (('under 10 words', '10 to 49 words', '50 words and more'), [0, 1, 2])
    """
    if not limits:
        return None, "the documents are of much the same length"
    labels = [f"under {limits[0]:,} words"]
    labels += [f"{a:,} to {b - 1:,} words" for a, b in itertools.pairwise(limits)]
    labels.append(f"{limits[-1]:,} words and more")
    codes = np.searchsorted(np.array(limits), words, side="right").astype(np.int32)
    return (tuple(labels), codes), ""


def by_language(texts: Sequence[str], smallest: int) -> tuple[Codes | None, str]:
    """Return the language of each document, -1 where it is not sure; or why there is no such slice.

    Languages of fewer than ``smallest`` documents are one group: on short documents most of them
    are slips.
    """
    if len(texts) > _MOST_READ:
        return None, f"languages of more than {_MOST_READ:,} documents are not identified"
    try:
        found, _ = languages(texts)
    except EnvironmentError_ as error:
        return None, f"{error.what}; {error.mend}"
    counts = Counter(found.tolist())
    counts.pop(UNKNOWN, 0)
    large = [code for code, n in counts.most_common() if n >= smallest]
    rare = sum(counts.values()) - sum(counts[c] for c in large)
    if not large:
        return None, "no language was identified in documents enough"
    if len(large) + (rare >= smallest) < 2:
        others = f"; {counted(rare, 'document')} may be in others" if rare else ""
        return None, f"the documents are in one language ({_name(large[0])}){others}"
    labels = [_name(c) for c in large] + ([_OTHERS] if rare else [])
    place = {code: k for k, code in enumerate(large)}
    codes = [-1 if c == UNKNOWN else place.get(c, len(large)) for c in found.tolist()]
    return (tuple(labels), np.array(codes, dtype=np.int32)), ""


def _name(code: str) -> str:
    return _NAMES.get(code, code)
