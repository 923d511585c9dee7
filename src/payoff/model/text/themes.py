"""Themes: groups of documents that speak of the same, learnt without looking at any outcome.

A document belongs to the theme whose direction its vector points to most: embeddings where the
model has them, else the words that name something, weighed by TF-IDF. Directions are found by
k-means among vectors of length 1 in the 50 widest directions of the documents learnt from; each is
then one vector over words or the embedding, so that a table and a served row get the same answer by
one product.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.load.text.personal import redact
from payoff.model.text.arrays import array_from, bytes_of
from payoff.model.text.theme_clusters import clusters, compared, how_many, merged, nearest
from payoff.model.text.theme_words import describe
from payoff.model.text.topic_words import TopicWords, learn_topic_words

__all__ = ["FEWEST_DOCUMENTS", "Themes", "excerpt", "learn_themes", "no_themes"]

#: Fewer documents say too little about what they have in common.
FEWEST_DOCUMENTS: Final = 100
LONGEST_EXCERPT: Final = 160
_JSON: Final = "themes.json"
_SMALL_SHARE: Final = 0.02
_EXAMPLES: Final = 3
_FEWEST_WORDS: Final = 5
_FEWEST_COLUMNS: Final = 10
_CHUNK: Final = 8_192


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Themes:
    """Directions of K themes with what they are called; data only.

    Parameters
    ----------
    names
        K different names: the words that tell a theme from the others.
    words
        Up to eight such words of each theme, the best first.
    examples
        Of each theme the documents nearest to its direction: ``row`` (place in the source) and
        ``text`` (an excerpt, redacted). They go into the evidence, not into the artefact, so a
        model read back has none.
    topic
        The words that are read; None where the embedding is.
    directions
        float32 (m, K), over words or the embedding.
    offset
        float32 (K,): what the mean of the documents learnt from scores; 0 for words.
    facts
        JSON-ready: how the number of themes was chosen, documents learnt from.
    """

    names: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    examples: tuple[tuple[Mapping[str, Any], ...], ...]
    topic: TopicWords | None
    directions: NDArray[np.float32]
    offset: NDArray[np.float32]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for array in (self.directions, self.offset):
            array.setflags(write=False)

    def __len__(self) -> int:
        """Return the number of themes K."""
        return len(self.names)

    def assign(
        self, texts: Sequence[str], vectors: NDArray[np.floating] | None = None
    ) -> NDArray[np.int32]:
        """Return the theme of each document.

        Parameters
        ----------
        texts
            n documents as they were learnt from, columns joined.
        vectors
            float (n, m), their embeddings, where themes are told apart by these.

        Returns
        -------
        ndarray
            int32 (n,), places in ``names``; -1 for a document without a word that was learnt.

        Raises
        ------
        ValueError
            Without vectors where they are needed.
        """
        if self.topic is None and vectors is None:
            raise ValueError("these themes are told apart by embeddings")
        out = np.full(len(texts), -1, dtype=np.int32)
        directions = self.directions.astype(np.float64)
        for start in range(0, len(texts), _CHUNK):
            some = slice(start, start + _CHUNK)
            if self.topic is not None:
                read: Any = self.topic.encode(texts[some])
                known = np.diff(read.indptr) > 0
            else:
                read = np.asarray(vectors, dtype=np.float64)[some]
                known = np.array([bool(t) for t in texts[some]])
            # Rounded, so that equal documents tie alike on every machine; the first theme wins.
            near = np.round(np.asarray(read @ directions) - self.offset, 6)
            out[some] = np.where(known, near.argmax(axis=1), -1)
        return out

    def named(self, codes: NDArray[np.integer]) -> list[str | None]:
        """Return the name of each theme code; None for -1."""
        return [self.names[c] if c >= 0 else None for c in codes.tolist()]

    def files(self) -> dict[str, bytes]:
        """Return the artefact: names as JSON, directions as NumPy arrays."""
        body = {
            "names": list(self.names),
            "words": [list(w) for w in self.words],
            "topic": [list(w) for w in self.topic.columns] if self.topic else None,
            "facts": dict(self.facts),
        }
        return {
            _JSON: json.dumps(body, ensure_ascii=False, allow_nan=False).encode(),
            "themes.directions.npy": bytes_of(self.directions),
            "themes.offset.npy": bytes_of(self.offset),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Themes | None:
        """Read the artefact back; None from a bundle without themes.

        Raises
        ------
        BundleError
            ``PAY-B001`` when a part of it is missing.
        """
        if _JSON not in files:
            return None
        body = json.loads(files[_JSON])
        return cls(
            names=tuple(body["names"]),
            words=tuple(tuple(w) for w in body["words"]),
            examples=((),) * len(body["names"]),
            topic=TopicWords(columns=tuple(tuple(w) for w in body["topic"]))
            if body["topic"]
            else None,
            directions=array_from(files, "themes.directions.npy"),
            offset=array_from(files, "themes.offset.npy"),
            facts=body["facts"],
        )


def no_themes(wanted: str | int, documents: int) -> str:
    """Say why no themes are learnt; empty where they are.

    Parameters
    ----------
    wanted
        ``text.themes`` as declared.
    documents
        Documents learnt from that hold a word.
    """
    if wanted == 0:
        return "themes = 0 is set in [text]"
    if documents < FEWEST_DOCUMENTS:
        return f"{documents:,} documents to learn themes from are fewer than {FEWEST_DOCUMENTS}"
    return ""


def learn_themes(  # noqa: PLR0913 (documents, what is known of them, and the settings)
    texts: Sequence[str],
    place: NDArray[np.int64],
    *,
    wanted: str | int,
    smallest: int,
    seed: int,
    vectors: NDArray[np.floating] | None = None,
    by: str = "words",
    twins: NDArray[np.int64] | None = None,
    redacted: bool = True,
    excerpts: bool = True,
) -> tuple[Themes | None, str]:
    """Learn themes from the fit part's documents.

    Parameters
    ----------
    texts
        n documents, columns joined.
    place
        int64 (n,), where each stands in the source.
    wanted
        Number of themes, ``"auto"``, or 0 for none.
    smallest
        Rows below which a group is not shown; a theme of fewer than twice as many is merged.
    vectors
        float (n, m), embeddings; None tells documents apart by their words.
    by
        Name of what they are told apart by, for the record.
    twins
        int64 (n,), groups of near copies: each group counts once for names and examples.
    redacted
        Whether personal data has been replaced already.
    excerpts
        Whether examples may be shown.

    Returns
    -------
    themes, reason
        None and why, where no themes are learnt.
    """
    why = no_themes(wanted, sum(map(bool, texts)))
    if why:
        return None, why
    topic = None
    if vectors is None:
        topic, weight = learn_topic_words(texts)
        counts = topic.encode(texts)
        full = np.flatnonzero(np.diff(counts.indptr) > 0)
        if len(topic) < _FEWEST_COLUMNS or len(full) < FEWEST_DOCUMENTS:
            return None, "the documents share too few words"
        placed, basis, centre = compared(counts[full].multiply(weight).tocsr(), seed)
        basis = basis * weight[:, None]
    else:
        full = np.flatnonzero([bool(t) for t in texts])
        placed, basis, centre = compared(np.asarray(vectors, dtype=np.float64)[full], seed)
    count, tried = how_many(placed, wanted, seed)
    least = min(max(round(_SMALL_SHARE * len(full)), 2 * smallest), len(full) // 4)
    centres = merged(placed, clusters(placed, count, seed), least)
    # Larger themes first: numbers mean nothing, so they follow what a reader sees first.
    sizes = np.bincount(nearest(placed, centres), minlength=len(centres))
    centres = centres[np.argsort(-sizes, kind="stable")]
    directions = basis @ centres.T
    bare = Themes(
        names=("",) * len(centres),
        words=(),
        examples=(),
        topic=topic,
        directions=np.round(directions, 6).astype(np.float32),
        offset=np.round(centre @ directions, 6).astype(np.float32),
        facts={"documents": len(full), "wanted": wanted, "tried": tried, "by": by},
    )
    codes = bare.assign(texts, vectors)
    ready = list(texts) if redacted else [redact(t) for t in texts]
    first = _first_of_twins(twins, len(texts))
    named = describe(ready, np.where(first, codes, -1), len(centres))
    near = np.full(len(texts), -np.inf)
    near[full] = np.round((placed * centres[np.maximum(codes[full], 0)]).sum(axis=1), 6)
    return replace(
        bare,
        names=tuple(name for name, _ in named),
        words=tuple(words for _, words in named),
        examples=tuple(
            _examples(ready, place, np.flatnonzero(first & (codes == k)), near) if excerpts else ()
            for k in range(len(centres))
        ),
    ), ""


def _first_of_twins(twins: NDArray[np.int64] | None, n: int) -> NDArray[np.bool_]:
    first = np.ones(n, dtype=bool)
    if twins is not None:
        first[:] = False
        first[np.unique(twins, return_index=True)[1]] = True
    return first


def _examples(
    texts: Sequence[str],
    place: NDArray[np.int64],
    rows: NDArray[np.int64],
    near: NDArray[np.float64],
) -> tuple[Mapping[str, Any], ...]:
    """Return the documents nearest to a theme's direction; those of a few words come last."""
    short = np.array([len(texts[i].split()) < _FEWEST_WORDS for i in rows], dtype=bool)
    order = rows[np.lexsort((rows, -near[rows], short))]
    found: list[Mapping[str, Any]] = []
    for i in order.tolist():
        told = excerpt(texts[i])
        if told and all(e["text"] != told for e in found):
            found.append({"row": int(place[i]), "text": told})
        if len(found) == _EXAMPLES:
            break
    return tuple(found)


def excerpt(text: str, longest: int = LONGEST_EXCERPT) -> str:
    r"""Return the beginning of a document on one line, without personal data.

    Examples
    --------
    >>> excerpt("Mail me\nat jo@acme.example, please do", 24)
    'Mail me at [e-mail]…'
    """
    line = " ".join(redact(text[: 20 * longest]).split())
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    head, _, _ = cut.rpartition(" ")
    return (head if len(head) >= longest // 2 else cut).rstrip(" ,;:-") + "…"
