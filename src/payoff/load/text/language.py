"""The language of each document, by a small model of letter sequences (extra ``text``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.optional import need

__all__ = ["UNKNOWN", "forget", "languages"]

#: ISO 639-2 for "undetermined".
UNKNOWN: Final = "und"
#: Fewer letters than this say too little.
_LEAST_LETTERS: Final = 12
#: Characters that are read of a long document.
_READ: Final = 300
_SURE: Final = 0.5
_NOISE: Final = re.compile(r"\[[\w -]{2,12}\]|[@#]\w+|[\W\d_]+")


def languages(texts: Sequence[str]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Identify the language of each document.

    Parameters
    ----------
    texts
        n cleaned documents; the first 300 characters of each are read.

    Returns
    -------
    codes : ndarray of str, shape (n,)
        ISO 639-1 (639-3 where there is none), or ``"und"`` where fewer than 12 letters stand or no
        language is likelier than all others together.
    confidence : ndarray of float64, shape (n,)
        The model's probability of the likeliest language, tempered by length; 0 where too few
        letters stand.

    Raises
    ------
    EnvironmentError_
        ``PAY-X001`` when the extra ``text`` is not installed.

    References
    ----------
    Lui and Baldwin, "langid.py: an off-the-shelf language identification tool", ACL 2012; the
    model is that of py3langid.

    Examples
    --------
    >>> languages(["Where is the money I sent on Monday?", "ok"])[0].tolist()
    ['en', 'und']
    """
    codes = np.full(len(texts), UNKNOWN, dtype="U3")
    confidence = np.zeros(len(texts))
    identify = _identifier().classify
    for number, text in enumerate(texts):
        words = _NOISE.sub(" ", text[:_READ]).strip()
        if len(words) < _LEAST_LETTERS:
            continue
        code, sure = identify(words)
        confidence[number] = sure
        if sure > _SURE:
            codes[number] = code
    return codes, confidence


@cache
def _identifier() -> Any:
    module = need("py3langid.langid", extra="text", why="to identify languages")
    return module.LanguageIdentifier.from_model_file(module.MODEL_FILE, norm_probs=True)


def forget() -> None:
    """Let go of the model, which holds 70 MB; it is read again in half a second when asked."""
    _identifier.cache_clear()
