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
from payoff.model.text.theme_words import describe
from payoff.model.text.topic_words import TopicWords, learn_topic_words
from payoff.rng import child_seed

__all__ = ["FEWEST_DOCUMENTS", "Themes", "excerpt", "learn_themes", "no_themes"]

#: Fewer documents say too little about what they have in common.
FEWEST_DOCUMENTS: Final = 100
LONGEST_EXCERPT: Final = 160
_JSON: Final = "themes.json"
_PER_THEME: Final = 150
_LEAST: Final = 3
#: Most themes: of few documents, of up to 20,000, and one more for every 4,000 beyond.
_USUAL: Final = (4, 12)
_MANY: Final = 20_000
_MORE_EVERY: Final = 4_000
_MOST: Final = 20
_AS_GOOD: Final = 0.95
_SMALL_SHARE: Final = 0.02
_DIRECTIONS: Final = 50
_LEARNT_FROM: Final = 20_000
_TRIED_ON: Final = 2_500
_EXAMPLES: Final = 3
_FEWEST_WORDS: Final = 5
_FEWEST_COLUMNS: Final = 10
_CHUNK: Final = 8_192
_SETTLED: Final = 20


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
        placed, basis, centre = _compared(counts[full].multiply(weight).tocsr(), seed)
        basis = basis * weight[:, None]
    else:
        full = np.flatnonzero([bool(t) for t in texts])
        placed, basis, centre = _compared(np.asarray(vectors, dtype=np.float64)[full], seed)
    count, tried = _how_many(placed, wanted, seed)
    least = min(max(round(_SMALL_SHARE * len(full)), 2 * smallest), len(full) // 4)
    centres = _merged(placed, _clusters(placed, count, seed), least)
    # Larger themes first: numbers mean nothing, so they follow what a reader sees first.
    sizes = np.bincount(_nearest(placed, centres), minlength=len(centres))
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


def _compared(
    read: Any, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return unit vectors (n, d) in the widest directions, these (m, d), the mean taken off (m,).

    What all documents have in common is taken off embeddings (dense); words (sparse) have been
    weighed for it, and are brought to length 1 first.
    """
    from scipy.sparse import diags, issparse
    from sklearn.decomposition import TruncatedSVD

    n, m = read.shape
    centre = np.zeros(m)
    if issparse(read):
        size = np.sqrt(np.asarray(read.multiply(read).sum(axis=1)).ravel())
        read = (diags(1 / size) @ read).tocsr()
    else:
        centre = read.mean(axis=0)
        read = read - centre
    svd = TruncatedSVD(min(_DIRECTIONS, m - 1), n_iter=4, random_state=_state(seed, "directions"))
    with _one_thread():
        svd.fit(read[_sample(n, _LEARNT_FROM, seed)])
        vectors = np.asarray(svd.transform(read))
    return _unit(vectors), np.asarray(svd.components_, dtype=np.float64).T, centre


def _how_many(
    vectors: NDArray[np.float64], wanted: str | int, seed: int
) -> tuple[int, list[dict[str, float]]]:
    """Return the number of themes, and how well each number tried told documents apart.

    Centres are learnt from one half of a sample and judged on the other by the silhouette against
    the second nearest centre, ``1 - (1 - s1) / (1 - s2)`` with cosines s1 and s2, averaged. Of the
    numbers that beat their neighbours and come within a twentieth of the best the largest is taken:
    it says more.
    """
    n = len(vectors)
    if isinstance(wanted, int):
        return min(wanted, n // 10), []
    usual = int(np.clip(n // _PER_THEME, *_USUAL))
    most = min(_MOST, usual + max(0, n - _MANY) // _MORE_EVERY)
    rows = _sample(n, 2 * _TRIED_ON, seed)
    learn, judge = vectors[rows[::2]], vectors[rows[1::2]]
    tried = []
    for k in range(_LEAST, most + 1):
        near = np.sort(judge @ _clusters(learn, k, seed, starts=2).T, axis=1)
        apart = 1 - (1 - near[:, -1]) / np.maximum(1 - near[:, -2], 1e-9)
        tried.append({"themes": float(k), "silhouette": round(float(apart.mean()), 6)})
    told = [t["silhouette"] for t in tried]
    peaks = [
        i
        for i, value in enumerate(told)
        if value >= max(told[max(0, i - 1) : i + 2]) and value >= _AS_GOOD * max(told)
    ]
    return _LEAST + max(peaks), tried


def _clusters(
    vectors: NDArray[np.float64], count: int, seed: int, starts: int = 4
) -> NDArray[np.float64]:
    """Return unit centres (count, d) by k-means."""
    from sklearn.cluster import KMeans

    rows = _sample(len(vectors), _LEARNT_FROM, seed)
    state = _state(seed, f"clusters/{count}")
    count = min(count, len(np.unique(np.round(vectors[rows], 9), axis=0)))
    with _one_thread():
        found = KMeans(count, n_init=starts, max_iter=60, random_state=state).fit(vectors[rows])
    return _unit(found.cluster_centers_)


def _merged(
    vectors: NDArray[np.float64], centres: NDArray[np.float64], least: int
) -> NDArray[np.float64]:
    """Give up the smallest theme while it is too small; its documents go where they are nearest."""
    while True:
        for _ in range(_SETTLED):
            codes = _nearest(vectors, centres)
            sums = np.zeros_like(centres)
            np.add.at(sums, codes, vectors)
            moved = _unit(np.where((sums**2).sum(axis=1, keepdims=True) > 0, sums, centres))
            if np.allclose(moved, centres, atol=1e-6):
                break
            centres = moved
        sizes = np.bincount(_nearest(vectors, centres), minlength=len(centres))
        if len(centres) <= 2 or sizes.min() >= least:
            return centres
        centres = np.delete(centres, int(sizes.argmin()), axis=0)


def _nearest(vectors: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    found: NDArray[np.int64] = np.round(vectors @ centres.T, 6).argmax(axis=1)
    return found


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.where(size > 0, size, 1.0))


def _state(seed: int, name: str) -> int:
    return child_seed(seed, f"themes/{name}") % 2**31


def _sample(n: int, most: int, seed: int) -> NDArray[np.int64]:
    """Return all rows, or a sample of them in order of the source."""
    if n <= most:
        return np.arange(n)
    picked = np.random.default_rng(_state(seed, "sample")).permutation(n)[:most]
    return np.sort(picked)


def _one_thread() -> Any:
    """Sums by several threads end in other last digits; one thread gives one answer."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # of scikit-learn

    return threadpool_limits(limits=1)


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
