"""Changes to a document that should not matter to its decision, or whose effect is worth knowing.

Each change is a pure function of a document and, where it draws, of a generator. It returns None
where it cannot change the document. Lists are of English; changes of letters, marks, numbers and
sentences work in any language with blanks between words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from payoff.model.text.words import (
    CONTRACTIONS,
    ENGLISH,
    IDENTITY,
    NAMES,
    NEUTRAL,
    NOT_POSSESSED,
    PERSON,
)

__all__ = ["FAMILIES", "TESTS", "BehaviourTest", "changed_row", "looks_english"]

Change = Callable[[str, np.random.Generator], str | None]

#: Family -> what its tests have in common.
FAMILIES: Final = {
    "typing": "ways of typing that should not matter",
    "wording": "wording and additions that should not matter",
    "identity": "names and identity terms that should not matter",
    "meaning": "changes that may matter: how much the decision hangs on them",
}
_PLACEHOLDER: Final = re.compile(r"\[[a-zA-Z -]{2,12}\]")
_LONG_WORD: Final = re.compile(r"(?<![\w'\u2019])[^\W\d_]{4,}(?![\w'\u2019])")
_WORD: Final = re.compile(r"\w+")
_MARKS: Final = re.compile(r"(?<!\w)[^\w\s\[\]]+|[^\w\s\[\]]+(?!\w)")
_NUMBER: Final = re.compile(r"(?<![^\W\d_])\d+(?![^\W\d_])")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…])\s+|\n+")
_AUXILIARY: Final = re.compile(
    r"\b(am|is|are|was|were|will|would|can|could|should|must|may|might|do|does|did|has|have|had)\b"
    r"(?!\s+not\b)",
    re.IGNORECASE,
)
_NEGATION: Final = re.compile(r"(?<=\w)n['\u2019]t\b|\s+(?:not|never)\b|\bcannot\b", re.IGNORECASE)
_YEARS: Final = re.compile(r"\b([1-9]\d)(?=(?: |-)?(?:years?|yrs?)(?: |-)old\b)", re.IGNORECASE)
#: Stands behind a word that has been exchanged already, so that it is not exchanged back.
_KEEP: Final = "\ue000"
_ENGLISH_SHARE: Final = 1 / 7
_TYPO_SHARE: Final = 0.1
#: What is added: about nothing that a decision is about, and an address that nobody owns.
SENTENCE: Final = "By the way, it rained a little this morning."
URL: Final = "https://www.example.com/page"


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourTest:
    """One way to change a document.

    Parameters
    ----------
    name, family
        Identifiers; the family is one of :data:`FAMILIES`.
    label
        What is done, for a reader.
    english
        Whether it works on English documents only.
    change
        Document and generator -> the changed document, or None where there is nothing to change.
    where
        ``"all"`` text columns, the ``"last"`` one that says something, or the ``"longest"``.
    """

    name: str
    family: str
    label: str
    change: Change
    english: bool = False
    where: str = "all"


def changed_row(
    test: BehaviourTest, texts: Mapping[str, str], rng: np.random.Generator
) -> dict[str, str] | None:
    """Return a row's documents with one change made, or None where it changes none of them.

    Examples
    --------
    >>> upper = next(t for t in TESTS if t.name == "capitals")
    >>> changed_row(upper, {"title": "Late", "body": ""}, np.random.default_rng(0))
    {'title': 'LATE', 'body': ''}
    """
    filled = [name for name, text in texts.items() if text]
    if not filled:
        return None
    if test.where == "last":
        names = filled[-1:]
    elif test.where == "longest":
        names = [max(filled, key=lambda n: len(texts[n]))]
    else:
        names = filled
    out = dict(texts)
    for name in names:
        made = test.change(texts[name], rng)
        if made is not None and made.strip():
            out[name] = made
    return out if out != dict(texts) else None


def looks_english(text: str) -> bool:
    """Say whether at least one word in seven is one that English alone uses often.

    Examples
    --------
    >>> looks_english("I lost my card and the bank did not help"), looks_english("Karte weg, Hilfe")
    (True, False)
    """
    words = _WORD.findall(text[:2_000].lower())
    return bool(words) and sum(w in ENGLISH for w in words) >= _ENGLISH_SHARE * len(words)


def _outside(text: str, change: Callable[[str], str]) -> str | None:
    """Change what stands outside placeholders; None where nothing changes."""
    parts, at = [], 0
    for found in _PLACEHOLDER.finditer(text):
        parts += [change(text[at : found.start()]), found[0]]
        at = found.end()
    made = "".join(parts) + change(text[at:])
    return made if made != text else None


def typos(text: str, rng: np.random.Generator) -> str | None:
    """Swap two neighbouring inner letters in one of ten longer words, in one at least."""
    held = [m.span() for m in _PLACEHOLDER.finditer(text)]
    words = [
        m
        for m in _LONG_WORD.finditer(text)
        if len(set(m[0][1:-1])) > 1 and not any(a <= m.start() < b for a, b in held)
    ]
    if not words:
        return None
    count = max(1, round(_TYPO_SHARE * len(words)))
    for i in sorted(rng.choice(len(words), count, replace=False), reverse=True):
        word, start = words[i][0], words[i].start()
        places = [k for k in range(1, len(word) - 2) if word[k] != word[k + 1]]
        k = places[int(rng.integers(len(places)))]
        swapped = word[:k] + word[k + 1] + word[k] + word[k + 2 :]
        text = text[:start] + swapped + text[start + len(word) :]
    return text


def capitals(text: str, _: np.random.Generator) -> str | None:
    """Write everything in capitals."""
    return _outside(text, str.upper)


def no_marks(text: str, _: np.random.Generator) -> str | None:
    """Take punctuation away, but for marks within words, and double the blanks."""
    made = _outside(text, lambda t: _MARKS.sub(" ", t).replace(" ", "  "))
    return made if made is not None and made.split() != text.split() else None


def contractions(text: str, _: np.random.Generator) -> str | None:
    """Write contractions out; where there are none, contract what can be."""
    long = _swap(CONTRACTIONS)(text.replace("\u2019", "'"))
    if long is not None:
        return long
    return _swap({v: k for k, v in CONTRACTIONS.items()})(text)


def negated(text: str, _: np.random.Generator) -> str | None:
    """Take the first negation out, or put one after the first auxiliary verb.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> negated("It is good", rng), negated("It isn't good", rng)
    ('It is not good', 'It is good')
    """
    found = _NEGATION.search(text)
    if found is not None:
        kept = found[0][:3] if found[0].lower() == "cannot" else ""
        at = found.start()
        if text[max(0, at - 2) : at].lower() == "ca" and found[0][:1] in "nN":  # can't
            kept = found[0][0]
        return text[:at] + kept + text[found.end() :]
    verb = _AUXILIARY.search(text)
    return None if verb is None else f"{text[: verb.end()]} not{text[verb.end() :]}"


def numbers(text: str, _: np.random.Generator) -> str | None:
    """Change every number into another of as many digits."""

    def other(found: re.Match[str]) -> str:
        digits = found[0]
        first = str(1 + (int(digits[0]) + 2) % 9)
        return first + "".join(str((int(d) + 3) % 10) for d in digits[1:])

    return _outside(text, lambda t: _NUMBER.sub(other, t))


def without_first(text: str, _: np.random.Generator) -> str | None:
    """Take the first sentence away."""
    found = _SENTENCE_END.search(text)
    return text[found.end() :] if found else None


def without_last(text: str, _: np.random.Generator) -> str | None:
    """Take the last sentence away."""
    ends = [m for m in _SENTENCE_END.finditer(text) if m.end() < len(text)]
    return text[: ends[-1].start()] if ends else None


def _added(what: str) -> Change:
    def add(text: str, _: np.random.Generator) -> str:
        end = "" if text.rstrip()[-1:] in ".!?…" else "."
        return f"{text.rstrip()}{end} {what}"

    return add


def _like(new: str, old: str) -> str:
    """Write a word in the capitals of another."""
    if len(old) > 1 and old.isupper():
        return new.upper()
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def _swap(pairs: Mapping[str, str]) -> Callable[[str], str | None]:
    """Return what exchanges whole words or phrases, whatever their capitals."""
    longest = sorted(pairs, key=len, reverse=True)
    pattern = re.compile(
        rf"(?<![\w'\u2019-])(?:{'|'.join(map(re.escape, longest))})(?![\w{_KEEP}-])", re.I
    )
    return lambda text: _outside(
        text, lambda t: pattern.sub(lambda m: _like(pairs[m[0].lower()], m[0]), t)
    )


def _words(pairs: Mapping[str, str]) -> Change:
    swap = _swap(pairs)
    return lambda text, _: swap(text)


def _names(text: str, _: np.random.Generator) -> str | None:
    """Exchange first names, where they are written as names."""
    return _outside(text, lambda t: _NAME.sub(lambda m: NAMES[m[0]], t))


_NAME: Final = re.compile(rf"\b(?:{'|'.join(NAMES)})\b")


def _identity(kind: str) -> Change:
    """Exchange terms: anywhere where they are clear, beside a person where they are not."""
    clear, beside = IDENTITY[kind]
    swap = _swap(clear) if clear else None
    pattern = None
    if beside:
        terms = "|".join(map(re.escape, sorted(beside, key=len, reverse=True)))
        pattern = re.compile(
            rf"\b(?:{terms})(?=\s+(?:{PERSON})\b)"
            rf"|(?:(?<=\b(?:am|is) )|(?<=\b(?:are|was) )|(?<=['\u2019]m ))(?:{terms})\b",
            re.IGNORECASE,
        )

    def change(text: str, _: np.random.Generator) -> str | None:
        made = _outside(text, lambda t: _hers(t) if kind == "gender" else t) or text
        if kind == "age":
            made = _YEARS.sub(lambda m: str(int(m[0]) + (35 if int(m[0]) < 45 else -35)), made)
        if pattern is not None:
            made = pattern.sub(lambda m: _like(beside[m[0].lower()], m[0]), made)
        if swap is not None:
            made = swap(made) or made
        if made != text:
            made = _ARTICLE.sub(lambda m: m[1] + ("n" if m[2][-1] in "oO" else "") + m[2], made)
        made = made.replace(_KEEP, "")
        return made if made != text else None

    return change


#: An article before a word that an exchange may have put there.
_ARTICLE: Final = re.compile(r"\b(a)n?(\s+(?:y(?=oung)|o(?=ld)))", re.IGNORECASE)
_HER: Final = re.compile(r"\bher\b(?=(\s+\w+)?)", re.IGNORECASE)


def _hers(text: str) -> str:
    """Turn "her" into "his" before what she has, else into "him"."""

    def other(found: re.Match[str]) -> str:
        following = (found[1] or "").strip().lower()
        his = bool(following) and following not in NOT_POSSESSED
        return _like("his" if his else "him", found[0]) + _KEEP

    return _HER.sub(other, text)


def _tests() -> Sequence[BehaviourTest]:
    one = BehaviourTest
    english = {
        "gender": "Words for women and men exchanged",
        "religion": "Religions exchanged",
        "origin": "Nationalities and ethnic terms exchanged",
        "age": "Young and old exchanged",
        "orientation": "Sexual orientations exchanged",
        "disability": "Terms of disability exchanged",
    }
    return (
        one(name="typos", family="typing", label="A typing error in one of ten words",
            change=typos),
        one(name="capitals", family="typing", label="All in capitals", change=capitals),
        one(name="marks", family="typing", label="No punctuation, double blanks", change=no_marks),
        one(name="contractions", family="wording", label="Contractions written out, or made",
            change=contractions, english=True),
        one(name="neutral", family="wording", label="Neutral words exchanged for like ones",
            change=_words(NEUTRAL), english=True),
        one(name="sentence", family="wording", label="A sentence about nothing added",
            change=_added(SENTENCE), english=True, where="last"),
        one(name="url", family="wording", label="A web address added", change=_added(URL),
            where="last"),
        one(name="names", family="identity", label="First names exchanged", change=_names,
            english=True),
        *(one(name=k, family="identity", label=v, change=_identity(k), english=True)
          for k, v in english.items()),
        one(name="negation", family="meaning", label="A negation put in, or taken out",
            change=negated, english=True, where="longest"),
        one(name="numbers", family="meaning", label="Every number changed", change=numbers),
        one(name="first", family="meaning", label="Without the first sentence",
            change=without_first, where="longest"),
        one(name="last", family="meaning", label="Without the last sentence", change=without_last,
            where="longest"),
    )  # fmt: skip


#: Every test, in the order of the report.
TESTS: Final = tuple(_tests())
