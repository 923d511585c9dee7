"""Exact and near copies among documents: MinHash proposes pairs, the Jaccard index decides."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["jaccard", "merged", "twin_groups"]

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint32]

#: Characters of one shingle.
_WIDTH: Final = 4
#: Hashes of a signature, cut into bands; pairs that agree in a whole band are proposed.
_HASHES: Final = 168
#: Probability with which a pair right at the limit is proposed.
_FOUND: Final = 0.99
#: How far below the limit a signature's estimate may lie; five standard errors at .8.
_SLACK: Final = 0.15
#: Neighbours compared in a bucket; of a larger one also every member with the first.
_MOST_NEIGHBOURS: Final = 24
_CHUNK: Final = 2_000_000
_SEED: Final = 0x7E57

_MARKS: Final = re.compile(r"[\W_]+")


def twin_groups(texts: Sequence[str], similarity: float = 0.8) -> Ints:
    """Return the group of each document; documents of one group are twins, directly or by others.

    Two documents are twins when they are equal but for case, punctuation and white space, or when
    the Jaccard index of their sets of 4-character shingles, ``|A & B| / |A | B|``, is at least
    ``similarity``. Groups are the connected components of that relation. Candidates come from
    MinHash signatures of 168 hashes in bands as long as still propose a pair at the limit with
    probability .99 (``1 - (1 - similarity ** rows) ** bands``; .8: 24 bands of 7). Each candidate
    is verified on the shingles themselves, so no pair below the limit is ever joined directly.
    Documents without a letter or digit are compared as they are written; empty ones are nobody's
    twins.

    Parameters
    ----------
    texts
        n cleaned documents.
    similarity
        Limit of the Jaccard index, 0.5 to 1.

    Returns
    -------
    ndarray of int64, shape (n,)
        Codes 0..n_groups-1 in order of first appearance.

    References
    ----------
    Broder, "On the resemblance and containment of documents", SEQUENCES 1997.

    Examples
    --------
    >>> twin_groups(["My card is lost!", "my card is lost", "Where is my refund?", ""]).tolist()
    [0, 0, 1, 2]
    """
    n = len(texts)
    forms = [_form(t) for t in texts]
    place: dict[str, int] = {}
    first = np.empty(n, dtype=np.int64)
    for number, form in enumerate(forms):
        first[number] = place.setdefault(form, number) if form else number
    distinct = np.array([i for i in range(n) if first[i] == i and forms[i]], dtype=np.int64)
    edges = np.empty((0, 2), dtype=np.int64)
    if len(distinct) > 1:
        kept = [forms[i] for i in distinct]
        signatures = _signatures(kept)
        pairs = _likely(signatures, _candidates(signatures, similarity), similarity)
        edges = distinct[pairs[jaccard(kept, pairs) >= similarity]]
    return _components(n, np.concatenate([edges, np.stack([np.arange(n), first], axis=1)]))


def merged(*codes: Ints) -> Ints:
    """Join several groupings of the same rows: rows that share a code in any of them are one group.

    Parameters
    ----------
    codes
        int64 (n,) each, from 0 up.

    Returns
    -------
    ndarray of int64, shape (n,)
        Codes in order of first appearance.

    Examples
    --------
    >>> merged(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])).tolist()
    [0, 0, 0, 1]
    """
    n = len(codes[0])
    edges = []
    for one in codes:
        _, start, back = np.unique(one, return_index=True, return_inverse=True)
        edges.append(np.stack([np.arange(n), start[back]], axis=1))
    return _components(n, np.concatenate(edges))


def _components(n: int, edges: Ints) -> Ints:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if n == 0:
        return np.empty(0, dtype=np.int64)
    ones = np.ones(len(edges), dtype=np.int8)
    graph = coo_array((ones, (edges[:, 0], edges[:, 1])), shape=(n, n)).tocsr()
    _, labels = connected_components(graph, directed=False)
    _, start, back = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(start), dtype=np.int64)
    rank[np.argsort(start, kind="stable")] = np.arange(len(start))
    out: Ints = rank[back]
    return out


def _form(text: str) -> str:
    """Return what is compared: letters and digits in small letters, or the text if it has none."""
    return _MARKS.sub(" ", text.casefold()).strip() or text.strip()


def _shingles(forms: Sequence[str]) -> tuple[Hashes, Ints]:
    """Return one 32-bit hash per shingle, and how many shingles each document has.

    A document gets a space at each end, so that a word's beginning and end count.
    """
    padded = [f" {f} ".ljust(_WIDTH) for f in forms]
    lengths = np.array([len(p) for p in padded], dtype=np.int64)
    letters = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    size = len(letters) - _WIDTH + 1
    hashed = np.zeros(size, dtype=np.uint32)
    for k in range(_WIDTH):
        hashed *= np.uint32(0x01000193)
        hashed += letters[k : k + size]
    inside = np.ones(len(letters), dtype=np.bool_)
    ends = np.cumsum(lengths)
    for k in range(1, _WIDTH):
        inside[ends - k] = False
    hashed = hashed[inside[:size]]
    hashed ^= hashed >> np.uint32(16)
    hashed *= np.uint32(0x85EBCA6B)
    hashed ^= hashed >> np.uint32(13)
    hashed *= np.uint32(0xC2B2AE35)
    hashed ^= hashed >> np.uint32(16)
    return hashed, lengths - _WIDTH + 1


def _chunks(forms: Sequence[str]) -> list[slice]:
    """Cut the documents so that no chunk holds many more than two million characters."""
    sizes = np.cumsum([len(f) + 2 for f in forms])
    found, start = [], 0
    while start < len(forms):
        before = sizes[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(sizes, before + _CHUNK, side="right")))
        found.append(slice(start, stop))
        start = stop
    return found


def _signatures(forms: Sequence[str]) -> Hashes:
    """Return MinHash signatures, uint32 (168, n)."""
    rng = np.random.default_rng(_SEED)
    mask = rng.integers(0, 2**32, _HASHES, dtype=np.uint32)
    odd = rng.integers(0, 2**31, _HASHES, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    out = np.empty((_HASHES, len(forms)), dtype=np.uint32)
    for part in _chunks(forms):
        hashed, counts = _shingles(forms[part])
        starts = np.cumsum(counts) - counts
        work = np.empty_like(hashed)
        for k in range(_HASHES):
            np.bitwise_xor(hashed, mask[k], out=work)
            np.multiply(work, odd[k], out=work)
            out[k, part] = np.minimum.reduceat(work, starts)
    return out


def _rows_of_band(similarity: float) -> int:
    """Return the longest band that still proposes a pair at the limit nearly always."""
    return max(
        r for r in range(1, 13) if r == 1 or (1 - similarity**r) ** (_HASHES // r) <= 1 - _FOUND
    )


def _candidates(signatures: Hashes, similarity: float) -> Ints:
    """Return pairs (m, 2) of documents that share a whole band."""
    n = signatures.shape[1]
    rows = _rows_of_band(similarity)
    found: list[Ints] = [np.empty(0, dtype=np.int64)]
    for band in range(_HASHES // rows):
        key = np.zeros(n, dtype=np.uint64)
        for k in range(band * rows, (band + 1) * rows):
            key = (key ^ signatures[k]) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        order = np.argsort(key)
        ordered = key[order]
        for step in range(1, min(_MOST_NEIGHBOURS, n - 1) + 1):
            same = np.flatnonzero(ordered[step:] == ordered[:-step])
            if not len(same):
                break
            found.append(_pair(order[same], order[same + step], n))
        else:
            start = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
            size = np.diff(np.r_[start, n])
            head = np.repeat(order[start], size)
            far = (np.repeat(size, size) > _MOST_NEIGHBOURS) & (head != order)
            found.append(_pair(head[far], order[far], n))
        if len(found) > 8:
            found = [np.unique(np.concatenate(found))]
    codes = np.unique(np.concatenate(found))
    return np.stack([codes // n, codes % n], axis=1)


def _pair(one: Ints, other: Ints, n: int) -> Ints:
    """Write a pair as one number, the smaller place first."""
    codes: Ints = np.minimum(one, other) * n + np.maximum(one, other)
    return codes


def _likely(signatures: Hashes, pairs: Ints, similarity: float) -> Ints:
    """Keep the pairs whose signatures agree nearly as often as twins' do."""
    kept = [np.empty((0, 2), dtype=np.int64)]
    by_document = np.ascontiguousarray(signatures.T)
    for start in range(0, len(pairs), 50_000):
        some = pairs[start : start + 50_000]
        agree = (by_document[some[:, 0]] == by_document[some[:, 1]]).mean(axis=1)
        kept.append(some[agree >= similarity - _SLACK])
    return np.concatenate(kept)


def jaccard(forms: Sequence[str], pairs: Ints) -> NDArray[np.float64]:
    """Return the Jaccard index of the shingle sets of each pair.

    Parameters
    ----------
    forms
        Documents as they are compared.
    pairs
        int64 (m, 2), places in ``forms``.

    Returns
    -------
    ndarray of float64, shape (m,)

    Examples
    --------
    >>> jaccard(["abc", "abc", "xyz"], np.array([[0, 1], [0, 2]])).tolist()
    [1.0, 0.0]
    """
    out = np.empty(len(pairs))
    lengths = np.array([len(f) for f in forms], dtype=np.int64)
    cost = np.cumsum(lengths[pairs].sum(axis=1)) if len(pairs) else np.empty(0, dtype=np.int64)
    start = 0
    while start < len(pairs):
        before = cost[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(cost, before + _CHUNK, side="right")))
        out[start:stop] = _jaccard(forms, pairs[start:stop])
        start = stop
    return out


def _jaccard(forms: Sequence[str], pairs: Ints) -> NDArray[np.float64]:
    from scipy.sparse import csr_array

    documents, back = np.unique(pairs, return_inverse=True)
    back = back.reshape(pairs.shape)
    hashed, counts = _shingles([forms[d] for d in documents])
    owner = np.repeat(np.arange(len(documents), dtype=np.uint64), counts)
    both = np.unique((owner << np.uint64(32)) | hashed)
    row = (both >> np.uint64(32)).astype(np.int64)
    _, column = np.unique(both & np.uint64(0xFFFFFFFF), return_inverse=True)
    sizes = np.bincount(row, minlength=len(documents))
    shape: Any = (len(documents), int(column.max()) + 1)
    sets = csr_array((np.ones(len(both)), column, np.r_[0, np.cumsum(sizes)]), shape=shape)
    left, right = back[:, 0], back[:, 1]
    shared = np.asarray(sets[left].multiply(sets[right]).sum(axis=1)).ravel()
    result: NDArray[np.float64] = shared / (sizes[left] + sizes[right] - shared)
    return result
