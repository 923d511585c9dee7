"""Words that say what a group of documents is about, beside all others.

A term is a word, or two words next to each other. Terms are ranked by the weighted log-odds ratio
of the shares of documents that hold them, with a prior from all documents (Monroe, Colaresi and
Quinn 2008), so that neither a rare slip nor a word of every document comes first.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from payoff.load.text.personal import KINDS
from payoff.model.text.stopwords import STOPWORDS

__all__ = ["alike", "content_terms", "describe", "is_content"]

_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_PLACEHOLDER: Final = re.compile(r"\[(?:" + "|".join(KINDS) + r")\]")
_SHORTEST: Final = 3
#: They make another word of the one before them: "top up", "paid off".
_PARTICLES: Final = frozenset({"up", "off", "out", "down", "back"})
#: Characters of a document that are read for its words.
_READ: Final = 4_000
#: A term in fewer documents might name somebody.
_FEWEST: Final = 10
_PRIOR: Final = 300.0
#: Two words say more than one, so they come first where they tell themes apart nearly as well.
_PAIR: Final = 1.25
#: A term must be in this share of a theme's documents, and this much commoner than elsewhere.
_COVERS: Final = 0.03
_LIFT: Final = 1.2
_LEAST: Final = 3.5
_MOST_TERMS: Final = 8
_IN_NAME: Final = 3
_SPELLED: Final = 400
_STARTS: Final = frozenset({"", ".", "!", "?", ":", "\n"})


def is_content(word: str) -> bool:
    """Say whether a word in small letters names something.

    Examples
    --------
    >>> [w for w in ("fee", "the", "xxxx", "2024", "ab") if is_content(w)]
    ['fee']
    """
    return (
        len(word) >= _SHORTEST
        and word not in STOPWORDS
        and len(set(word)) > 1
        and not any(c.isdigit() or c == "_" for c in word)
    )


def content_terms(text: str) -> set[str]:
    """Return the words of a document that name something, and pairs of such next to each other.

    Placeholders of personal data, words of one or two letters or of one letter repeated, numbers
    and the little words of a language are left out.

    Examples
    --------
    >>> sorted(content_terms("My credit report: top up from [e-mail] XXXX"))
    ['credit', 'credit report', 'report', 'top', 'top up']
    """
    found: set[str] = set()
    text = _PLACEHOLDER.sub(" . ", text[:_READ])
    before, end = "", 0
    for match in _WORD.finditer(text):
        word = _bare(match[0].lower())
        if before and text[end : match.start()].strip(" -/"):
            before = ""
        end = match.end()
        if before and word in _PARTICLES:
            found.add(f"{before} {word}")
        if not is_content(word):
            before = ""
            continue
        found.add(word)
        if before and before != word:
            found.add(f"{before} {word}")
        before = word
    return found


def _bare(word: str) -> str:
    """Drop what English hangs on a word by an apostrophe; "don't" becomes a little word."""
    head, mark, tail = word.replace("\u2019", "'").partition("'")
    if not mark:
        return word
    return head if tail == "s" else head + tail


def alike(a: str, b: str) -> bool:
    """Say whether two words are forms of one: a plural, an ending.

    Examples
    --------
    >>> alike("fee", "fees"), alike("charged", "charging"), alike("card", "care")
    (True, True, False)
    """
    same = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        same += 1
    left = (len(a) - same, len(b) - same)
    if min(left) == 0:
        return same >= _SHORTEST and max(left) <= 4
    return same >= 4 and max(left) <= 3


def describe(
    texts: Sequence[str], codes: NDArray[np.integer], count: int
) -> list[tuple[str, tuple[str, ...]]]:
    """Return the name and the words of each theme.

    Parameters
    ----------
    texts
        n documents, redacted.
    codes
        int (n,), theme of each document from 0; -1 for none.
    count
        Number of themes K.

    Returns
    -------
    list of (name, words)
        Up to eight terms that tell the theme from the others, the best first, no two of them forms
        of one word; the name is the first three. A theme without such a term is named by its
        number.

    Notes
    -----
    With y of n documents of a theme holding a term, Y of N of the others, a share p among all, and
    A = 300 documents' worth of prior, the weighted log-odds ratio is
    ``d = logit((y + A p) / (n + A)) - logit((Y + A p) / (N + A))`` and its rank
    ``d / sqrt(1 / (y + A p) + 1 / (Y + A p))``. A term stands in at least ten documents.

    References
    ----------
    Monroe, B. L., Colaresi, M. P., Quinn, K. M. (2008). Fightin' words: lexical feature selection
    and evaluation for identifying the content of political conflict. Political Analysis 16(4).
    """
    vocabulary, seen = _seen(texts, codes, count)
    sizes = np.bincount(codes[codes >= 0], minlength=count).astype(np.float64)
    rank = _rank(seen, sizes)
    pairs = np.array([" " in t for t in vocabulary], dtype=bool)
    rank[:, pairs] *= np.where(rank[:, pairs] > 0, _PAIR, 1.0)
    named: list[tuple[str, tuple[str, ...]]] = []
    taken: set[str] = set()
    for k in range(count):
        # Six digits, then the alphabet: the same order on every machine.
        order = np.argsort(-np.round(rank[k], 6), kind="stable")
        best = _different(vocabulary[i] for i in order if rank[k, i] >= _LEAST)
        spelled = _spelling(best, [t for t, c in zip(texts, codes, strict=True) if c == k])
        name = _name(spelled, taken, k)
        taken.add(name)
        named.append((name, tuple(spelled)))
    return named


def _seen(
    texts: Sequence[str], codes: NDArray[np.integer], count: int
) -> tuple[list[str], NDArray[np.float64]]:
    """Return the terms of ten documents and more, and how many of each theme hold each (K, v)."""
    place: dict[str, int] = {}
    terms, sizes = array("i"), np.zeros(len(texts), dtype=np.int64)
    for i, (text, code) in enumerate(zip(texts, codes, strict=True)):
        if code >= 0:
            before = len(terms)
            terms.extend(place.setdefault(t, len(place)) for t in content_terms(text))
            sizes[i] = len(terms) - before
    term = np.frombuffer(terms, dtype=np.int32) if terms else np.zeros(0, dtype=np.int32)
    every = np.bincount(term, minlength=len(place))
    vocabulary = sorted(t for t, i in place.items() if every[i] >= _FEWEST)
    column = np.full(len(place), -1, dtype=np.int64)
    column[[place[t] for t in vocabulary]] = np.arange(len(vocabulary))
    told = column[term]
    cell = np.repeat(codes.astype(np.int64), sizes)[told >= 0] * len(vocabulary) + told[told >= 0]
    counts = np.bincount(cell, minlength=count * len(vocabulary)).astype(np.float64)
    return vocabulary, counts.reshape(count, len(vocabulary))


def _rank(seen: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    total, everyone = seen.sum(axis=0), max(float(sizes.sum()), 1.0)
    rest, others = total - seen, everyone - sizes[:, None]
    prior = _PRIOR * total / everyone
    inside, outside = seen + prior, rest + prior
    with np.errstate(divide="ignore", invalid="ignore"):
        d = np.log(inside / (sizes[:, None] + _PRIOR - inside))
        d -= np.log(outside / (others + _PRIOR - outside))
        rank = d / np.sqrt(1 / inside + 1 / outside)
        usual = rest / np.maximum(others, 1.0)
        common = seen / np.maximum(sizes[:, None], 1.0)
    kept = (common >= _COVERS) & (common >= _LIFT * usual) & (seen >= _FEWEST / 2)
    return np.where(kept & np.isfinite(rank), rank, -1.0)


def _different(terms: Iterable[str]) -> list[str]:
    """Keep the first terms of which no two share a word or a form of one."""
    kept: list[str] = []
    for term in terms:
        words = term.split()
        if any(alike(a, b) for one in kept for a in one.split() for b in words):
            continue
        kept.append(term)
        if len(kept) == _MOST_TERMS:
            break
    return kept


def _spelling(terms: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Write each term as most documents do: "PayPal", not "paypal"."""
    made = []
    sample = _PLACEHOLDER.sub(" ", "\n".join(t[:_READ] for t in texts[:_SPELLED]))
    for term in terms:
        pattern = r"\b" + r"[ /-]+".join(map(re.escape, term.split())) + r"\b"
        forms = Counter(
            " ".join(m[0].split())
            for m in re.finditer(pattern, sample, re.IGNORECASE)
            # A capital at the start of a sentence says nothing about the word.
            if sample[max(0, m.start() - 3) : m.start()].rstrip(" \"'(")[-1:] not in _STARTS
        )
        best = max(forms.items(), key=lambda f: (f[1], f[0].islower(), f[0]), default=(term, 0))[0]
        made.append(best if best.lower() == term else term)
    return made


def _name(terms: Sequence[str], taken: set[str], number: int) -> str:
    """Return the first terms as a name that no other theme has."""
    for size in range(_IN_NAME, len(terms) + 1):
        name = ", ".join(terms[:size])
        if name not in taken:
            return name
    name = ", ".join(terms)
    return name if name and name not in taken else f"theme {number + 1}"
