"""Why this document got this decision: words, nearest documents, and what removing words does.

Everything here is plain data; a page that shows it must escape it like any other text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.model.text.prepare import documents_of_rows
from payoff.model.text.terms import MOST_CHARACTERS, Terms

if TYPE_CHECKING:
    from payoff.model.text.model import TextModel

__all__ = [
    "contributions",
    "documents_read",
    "left_out",
    "nearest_documents",
    "removals",
    "segments",
    "strengths",
]

_TOKEN: Final = re.compile(r"\S+")
_WORD: Final = re.compile(r"\w+")
_MOST_REMOVED: Final = 5
_MOST_TRIED: Final = 40
_FEWEST_TRIED: Final = 8
_MOST_LEFT_OUT: Final = 80
#: Characters that may be read again to find removals, so that a long document is not read for ever.
_MOST_CHARACTERS_AGAIN: Final = 400_000
_SHARES: Final = (0.1, 0.3, 0.6)
_FAINTEST: Final = 0.2


def contributions(
    model: TextModel, row: Mapping[str, Any], *, outcome: str, against: str | None = None
) -> dict[str, Any]:
    """Return what each word adds to the log-odds of one outcome over another, exactly.

    A linear model's log-odds are a sum over features. The part of a feature that is a word goes to
    that word, of a pair to both words evenly, of a run of characters to the tokens that hold it,
    by how often they do. What no word carries (embedding, ordinary columns, intercept) is named.

    Parameters
    ----------
    row
        Field -> value, documents already prepared.
    outcome, against
        Names of outcomes that occurred among the rows learnt from; ``against`` is the likeliest
        other one where it is not given.

    Returns
    -------
    dict
        ``log_odds``; ``words``, a list of ``{"column", "word", "start", "end", "log_odds"}`` in
        the order of the text; ``columns``, ordinary column -> log-odds; ``rest``, name -> log-odds.
        They sum to ``log_odds``.
    """
    x = model.features.encode_rows([row])
    margins = model.core.margins(x)[0]
    seen = [model.outcomes[code] for code in model.core.seen]
    one = seen.index(outcome)
    two = (
        int(np.argmax(np.where(np.arange(len(seen)) == one, -np.inf, margins)))
        if against is None
        else seen.index(against)
    )
    slope = model.core.slope
    direction = slope * (
        model.core.coef[:, one].astype(np.float64) - model.core.coef[:, two].astype(np.float64)
    )
    part = np.zeros(x.shape[1])
    part[x.indices] = x.data.astype(np.float64) * direction[x.indices]
    documents = documents_of_rows([row], model.features.columns)
    words: list[dict[str, Any]] = []
    rest: dict[str, float] = {
        "intercept": slope * float(model.core.intercept[one] - model.core.intercept[two])
    }
    blocks = {(kind, column): (a, b) for kind, column, a, b in model.features.blocks()}
    for column, terms in model.features.terms.items():
        (a, b), (c, d) = blocks["words", column], blocks["characters", column]
        words += _by_word(documents[column][0], column, terms, part[a:b], part[c:d])
    columns: dict[str, float] = {}
    labels = model.features.encoder.owners if model.features.encoder else []
    for kind, _, a, b in model.features.blocks():
        if kind == "embedding":
            rest["meaning of the whole document"] = float(part[a:b].sum())
        elif kind == "columns":
            for owner, value in zip(labels, part[a:b].tolist(), strict=True):
                columns[owner] = columns.get(owner, 0.0) + value
    return {
        "outcome": outcome,
        "against": seen[two],
        "log_odds": slope * float(margins[one] - margins[two]),
        "words": words,
        "columns": columns,
        "rest": rest,
    }


def left_out(
    model: TextModel,
    row: Mapping[str, Any],
    words: Sequence[Mapping[str, Any]],
    *,
    outcome: str,
    against: str,
) -> list[dict[str, Any]]:
    """Return the words with what leaving each out takes from the log-odds (``without``).

    An embedding belongs to a whole document, so no exact part of it is a word's. What the model
    says without the word is exact, but such differences do not sum to the log-odds. Of long
    documents neighbouring words are left out together and share the difference.

    Parameters
    ----------
    words
        As :func:`contributions` returns them; made here where the model counts no words.
    """
    every = [dict(w) for w in words] or _bare_words(model, row)
    size = 1 + sum(len(str(row.get(c) or "")) for c in model.features.columns)
    most = min(_MOST_LEFT_OUT, max(_FEWEST_TRIED, _MOST_CHARACTERS_AGAIN // size))
    together = max(1, -(-len(every) // most))
    groups: list[list[dict[str, Any]]] = []
    for column in model.features.columns:  # one document at a time
        own = [w for w in every if w["column"] == column]
        groups += [own[k : k + together] for k in range(0, len(own), together)]
    rows = [row, *(_without(row, group) for group in groups)]
    margins = model.core.margins(model.features.encode_rows(rows))
    seen = [model.outcomes[code] for code in model.core.seen]
    log_odds = model.core.slope * (
        margins[:, seen.index(outcome)] - margins[:, seen.index(against)]
    )
    for group, value in zip(groups, (log_odds[0] - log_odds[1:]).tolist(), strict=True):
        for word in group:
            word["without"] = value / len(group)
    return every


def _bare_words(model: TextModel, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the words of a row's documents, none of which carries a part of its own."""
    return [
        {"column": c, "word": m[0], "start": m.start(), "end": m.end(), "log_odds": 0.0}
        for c, text in documents_read(model, row).items()
        for m in _WORD.finditer(text)
    ]


def strengths(words: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return how strongly each word is marked, from -3 (against) to 3 (for).

    A word is marked by its share of the strongest word's log-odds (of what leaving it out takes
    from them, where that is known): 3 from 60 %, 2 from 30 %, 1 from 10 %. Where no word reaches
    0.2 the shares are of 0.2, so that noise is not painted.

    Examples
    --------
    >>> strengths([{"log_odds": 2.0}, {"log_odds": -0.7}, {"log_odds": 0.1}])
    [3, -2, 0]
    """
    values = [_effect(w) for w in words]
    most = max([_FAINTEST, *map(abs, values)])
    levels = [sum(abs(v) >= share * most for share in _SHARES) for v in values]
    return [level if v > 0 else -level for v, level in zip(values, levels, strict=True)]


def _effect(word: Mapping[str, Any]) -> float:
    return float(word.get("without", word["log_odds"]))


def segments(text: str, words: Sequence[Mapping[str, Any]], longest: int) -> list[tuple[str, int]]:
    """Cut a document into runs of text with their strengths, around its strongest words.

    Parameters
    ----------
    text
        As :func:`documents_read` returns it.
    words
        Words of this document with ``start``, ``end`` and ``strength``, in order.
    longest
        Most characters; of a longer document the stretch that holds most strength is kept.

    Examples
    --------
    >>> words = [{"start": 2, "end": 6, "strength": 3}]
    >>> segments("I lost it", words, 100)
    [('I ', 0), ('lost', 3), (' it', 0)]
    """
    first, end = _stretch(text, words, longest)
    out: list[tuple[str, int]] = [("… ", 0)] if first else []
    at = first
    for word in words:
        if word["strength"] and word["start"] >= at and word["end"] <= end:
            if word["start"] > at:
                out.append((text[at : word["start"]], 0))
            out.append((text[word["start"] : word["end"]], word["strength"]))
            at = word["end"]
    out.append((text[at:end] + (" …" if end < len(text) else ""), 0))
    return [part for part in out if part[0]]


def _stretch(text: str, words: Sequence[Mapping[str, Any]], longest: int) -> tuple[int, int]:
    """Return the run of characters, cut between words, that holds most strength."""
    if len(text) <= longest:
        return 0, len(text)
    marked = [w for w in words if w["strength"]]
    best, most = 0, -1.0
    for i, word in enumerate(marked):
        inside = 0.0
        for other in marked[i:]:
            if other["end"] > word["start"] + longest - longest // 8:
                break
            inside += other["strength"] ** 2
        if inside > most:
            best, most = word["start"], inside
    first = min(max(0, best - longest // 8), len(text) - longest)
    blank = text.rfind(" ", 0, first + 1)
    first = blank + 1 if first and first - blank < 40 else first
    end = min(len(text), first + longest)
    if end < len(text):
        blank = text.rfind(" ", first, end)
        end = blank if end - blank < 40 else end
    return first, end


def documents_read(model: TextModel, row: Mapping[str, Any]) -> dict[str, str]:
    """Return each document as the places of its words count it."""
    documents = documents_of_rows([row], model.features.columns)
    return {column: _read(texts[0]) for column, texts in documents.items()}


def _read(text: str) -> str:
    """Return the document as the features see it, in its own case where places stay the same."""
    text = text[:MOST_CHARACTERS]
    lower = text.lower()
    return text if len(lower) == len(text) else lower


def _by_word(
    text: str,
    column: str,
    terms: Terms,
    word_part: NDArray[np.float64],
    char_part: NDArray[np.float64],
) -> list[dict[str, Any]]:
    """Spread the parts of a document's features over its words."""
    text = _read(text)
    spans = [(m.start(), m.end()) for m in _WORD.finditer(text.lower())]
    starts = [start for start, _ in spans]
    value = np.zeros(len(spans))
    loose: list[tuple[int, int, float]] = []
    lower = [text[a:b].lower() for a, b in spans]
    _spread_words(lower, terms, word_part, value)
    held: dict[int, list[int]] = {}
    tokens = [(m.start(), m.end()) for m in _TOKEN.finditer(text)]
    for t, (a, b) in enumerate(tokens):
        for j in terms.columns(text[a:b].lower()):
            held.setdefault(j, []).append(t)
    per_token = np.zeros(len(tokens))
    for j, places in held.items():
        for t in places:
            per_token[t] += char_part[j] / len(places)
    for (a, b), amount in zip(tokens, per_token.tolist(), strict=True):
        first, last = bisect_left(starts, a), bisect_left(starts, b)
        if last > first:
            value[first:last] += amount / (last - first)
        elif amount:
            loose.append((a, b, amount))  # a token of marks only, such as "!!!"
    rows = [(a, b, v) for (a, b), v in zip(spans, value.tolist(), strict=True)] + loose
    return [
        {"column": column, "word": text[a:b], "start": a, "end": b, "log_odds": v}
        for a, b, v in sorted(rows)
    ]


def _spread_words(
    lower: Sequence[str], terms: Terms, part: NDArray[np.float64], value: NDArray[np.float64]
) -> None:
    """Give the part of each word and pair to the words it is made of."""
    made: list[tuple[str, tuple[int, ...]]] = [(w, (i,)) for i, w in enumerate(lower)]
    marked = [("^", -1), *((w, i) for i, w in enumerate(lower)), ("$", -1)]
    for i, (first, a) in enumerate(marked):
        for second, b in marked[i + 1 : i + 4]:
            made.append((f"{first} {second}", tuple(k for k in (a, b) if k >= 0)))
    if not lower:
        return
    count: dict[str, int] = {}
    for term, _ in made:
        count[term] = count.get(term, 0) + 1
    for term, owners in made:
        j = terms.words.place.get(term)
        for k in owners if j is not None else ():
            value[k] += part[j] / count[term] / len(owners)


def nearest_documents(
    model: TextModel, row: Mapping[str, Any], count: int = 3
) -> list[dict[str, Any]]:
    """Return the documents learnt from that are most like a row.

    Returns
    -------
    list of dict
        ``row`` (its place in the source, from 0), ``outcome`` and ``cosine``, most similar first.
    """
    x = model.features.semantic(model.features.encode_rows([row]))
    rows, cosines = model.references.nearest(x, count)
    return [
        {
            "row": int(model.references.place[r]),
            "outcome": model.outcomes[int(model.references.outcome[r])],
            "cosine": float(c),
        }
        for r, c in zip(rows[0], cosines[0], strict=True)
    ]


def removals(
    row: Mapping[str, Any],
    words: Sequence[Mapping[str, Any]],
    decide: Callable[[list[Mapping[str, Any]]], Sequence[str]],
) -> dict[str, Any]:
    """Return the fewest words found whose removal changes the decision, checked by deciding again.

    Words are tried one by one, those that speak most for the decision first, up to 40 (of long
    documents fewer, down to 8); then the first two, three, and so on up to five together.

    Parameters
    ----------
    words
        As :func:`contributions` returns them.
    decide
        Rows -> their actions: the whole way from document to action.

    Returns
    -------
    dict
        ``action`` as it stands; ``removed``, the words, and ``becomes``, the action without them,
        or None where none of the trials changes it; ``tried``, how many rows were decided.
    """
    usable = [w for w in words if _effect(w) > 0]
    size = 1 + sum(len(str(row.get(c) or "")) for c in {str(w["column"]) for w in words})
    most = min(_MOST_TRIED, max(_FEWEST_TRIED, _MOST_CHARACTERS_AGAIN // size))
    ranked = sorted(usable, key=lambda w: (-_effect(w), w["start"]))[:most]
    groups = [[w] for w in ranked]
    groups += [ranked[:n] for n in range(2, min(_MOST_REMOVED, len(ranked)) + 1)]
    actions = decide([row, *(_without(row, group) for group in groups)])
    before = actions[0]
    for group, action in zip(groups, actions[1:], strict=True):
        if action != before:
            found = sorted(group, key=lambda w: (w["column"], w["start"]))
            removed: list[str] | None = [str(w["word"]) for w in found]
            return {
                "action": before,
                "removed": removed,
                "becomes": action,
                "tried": len(actions),
            }
    return {"action": before, "removed": None, "becomes": None, "tried": len(actions)}


def _without(row: Mapping[str, Any], words: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    out = dict(row)
    for word in sorted(words, key=lambda w: -w["start"]):
        text = _read(str(out[word["column"]]))
        kept = f"{text[: word['start']]} {text[word['end'] :]}"
        out[word["column"]] = " ".join(kept.split())
    return out
