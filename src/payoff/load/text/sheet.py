"""The data sheet of a corpus: what is in the documents, counted once, without repeating them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import EnvironmentError_, counted, percent
from payoff.load.text.corpus import counted_words
from payoff.load.text.language import UNKNOWN, forget, languages
from payoff.load.text.personal import KINDS, find

__all__ = ["data_sheet", "label_suspects", "with_suspects"]

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_PLACEHOLDER: Final = re.compile(r"\[(" + "|".join(KINDS) + r")\]")
_AT: Final = (0, 0.05, 0.5, 0.95, 1)
_MOST_WORDS: Final = 20
_MOST_GROUPS: Final = 5
_MOST_ROWS: Final = 100
#: Documents whose language is identified, evenly spread over the rows.
_MOST_READ: Final = 20_000
#: A word in fewer documents might name somebody, so it is not repeated.
_FEWEST_DOCUMENTS: Final = 10


def data_sheet(
    texts: Sequence[str],
    labels: NDArray[np.integer],
    names: Sequence[str],
    *,
    twins: NDArray[np.int64] | None = None,
    expected: Sequence[str] = (),
    suspects: dict[str, Any] | None = None,
    keep: Collection[str] = (),
) -> dict[str, Any]:
    """Describe a corpus.

    Parameters
    ----------
    texts
        n prepared documents: cleaned, and redacted where that is declared.
    labels
        int (n,), the place of each document's label in ``names``, -1 where it is not known.
    names
        The labels.
    twins
        int64 (n,), codes of :func:`~payoff.load.text.twins.twin_groups`.
    expected
        Languages that are declared.
    suspects
        What :func:`label_suspects` found with probabilities of a model that had not seen the row.

    keep
        Handles that are no person's.

    Returns
    -------
    dict
        JSON-ready: ``documents`` (n, empty, one word), ``length`` (characters and words: least,
        5 %, median, 95 %, most), ``languages``, ``twins``, ``vocabulary``, ``personal``,
        ``labels``, ``label_noise``, ``sentences``. A part that cannot be measured is
        ``{"not_measured": reason}``. Rows are named by their place from 0; no document is repeated.

    Examples
    --------
    >>> sheet = data_sheet(["My card is lost", "", "card"], np.array([0, 0, 1]), ["card", "loan"])
    >>> sheet["documents"]
    {'n': 3, 'empty': 1, 'one_word': 1}
    """
    labels = np.asarray(labels)
    words = counted_words(texts)
    sheet: dict[str, Any] = {
        "documents": {
            "n": len(texts),
            "empty": int(np.sum(words == 0)),
            "one_word": int(np.sum(words == 1)),
        },
        "length": {
            "at": ["least", "5 %", "median", "95 %", "most"],
            "characters": _quantiles(np.array([len(t) for t in texts])),
            "words": _quantiles(words),
        },
        "languages": _languages(texts, expected),
        "twins": _twins(twins, labels),
        "vocabulary": _vocabulary(texts),
        "personal": _personal(texts, keep),
        "labels": [
            {
                "name": name,
                "n": int(np.sum(labels == code)),
                "share": float(np.mean(labels == code)) if len(labels) else 0.0,
                "median_words": float(np.median(words[labels == code]))
                if np.any(labels == code)
                else None,
            }
            for code, name in enumerate(names)
        ],
        "label_noise": suspects or {"not_measured": "no model has scored these rows yet"},
    }
    return sheet | {"sentences": _sentences(sheet)}


def with_suspects(sheet: Mapping[str, Any], suspects: Mapping[str, Any]) -> dict[str, Any]:
    """Return a data sheet with what :func:`label_suspects` found once a model had scored rows."""
    made = {**sheet, "label_noise": dict(suspects)}
    return made | {"sentences": _sentences(made)}


def _quantiles(values: NDArray[np.int64]) -> list[float]:
    return [float(q) for q in np.quantile(values, _AT)] if len(values) else []


def _languages(texts: Sequence[str], expected: Sequence[str]) -> dict[str, Any]:
    read = np.unique(np.linspace(0, len(texts) - 1, min(len(texts), _MOST_READ)).astype(np.int64))
    try:
        codes, _ = languages([texts[k] for k in read])
    except EnvironmentError_ as error:
        return {"not_measured": f"{error.what}; {error.mend}"}
    if len(texts) > _MOST_READ:  # then nobody asks again, and fitting wants the memory
        forget()
    counts = Counter(codes.tolist())
    unsure = counts.pop(UNKNOWN, 0)
    strange = np.array([bool(expected) and c not in (*expected, UNKNOWN) for c in codes], bool)
    return {
        "read": len(read),
        "counts": dict(counts.most_common()),
        "unsure": unsure,
        "expected": list(expected),
        "unexpected": {"n": int(strange.sum()), "rows": read[strange][:_MOST_ROWS].tolist()},
    }


def _places(mask: NDArray[np.bool_]) -> list[int]:
    return [int(k) for k in np.flatnonzero(mask)[:_MOST_ROWS]]


def _twins(twins: NDArray[np.int64] | None, labels: NDArray[np.integer]) -> dict[str, Any]:
    """Count twin groups, and those whose members carry different labels: one of them is wrong."""
    if twins is None:
        return {"not_measured": "documents were not compared with each other"}
    size = np.bincount(twins)
    order = np.argsort(-size, kind="stable")[:_MOST_GROUPS]
    low, high = np.full(len(size), np.iinfo(np.int64).max), np.full(len(size), -1)
    known = labels >= 0
    np.minimum.at(low, twins[known], labels[known])
    np.maximum.at(high, twins[known], labels[known])
    differ = (high >= 0) & (low < high)
    return {
        "groups": int(np.sum(size > 1)),
        "rows": int(size[size > 1].sum()),
        "largest": [
            {"n": int(size[g]), "row": int(np.flatnonzero(twins == g)[0])}
            for g in order
            if size[g] > 1
        ],
        "labelled_differently": {
            "groups": int(differ.sum()),
            "n": int(differ[twins].sum()),
            "rows": _places(differ[twins]),
        },
    }


def _vocabulary(texts: Sequence[str]) -> dict[str, Any]:
    total: Counter[str] = Counter()
    documents: Counter[str] = Counter()
    for text in texts:
        found = _WORD.findall(_PLACEHOLDER.sub(" ", text).casefold())
        total.update(found)
        documents.update(set(found))
    once = sum(1 for n in total.values() if n == 1)
    return {
        "words": sum(total.values()),
        "distinct": len(total),
        "once": once,
        "frequent": [
            {"word": word, "documents": n}
            for word, n in documents.most_common(_MOST_WORDS)
            if n >= _FEWEST_DOCUMENTS
        ],
    }


def _personal(texts: Sequence[str], keep: Collection[str]) -> dict[str, Any]:
    """Count personal data by kind: placeholders where it was replaced, else what is found."""
    replaced: Counter[str] = Counter()
    left: Counter[str] = Counter()
    documents = 0
    for text in texts:
        before = replaced.total() + left.total()
        replaced.update(_PLACEHOLDER.findall(text) if "[" in text else ())
        left.update(f.kind for f in find(text, keep=keep))
        documents += replaced.total() + left.total() > before
    return {
        "documents": documents,
        "replaced": {kind: replaced[kind] for kind in KINDS if replaced[kind]},
        "left": {kind: left[kind] for kind in KINDS if left[kind]},
    }


def label_suspects(
    prob: NDArray[np.float64], labels: NDArray[np.integer], most: int = _MOST_ROWS
) -> dict[str, Any]:
    r"""Name the rows whose label a model that had not seen them disputes confidently.

    With :math:`t_k` the mean probability of label k among the rows that carry it, a row labelled i
    is suspect when :math:`p_k \ge t_k` for some other k, and among all labels that reach their
    :math:`t_k` the likeliest is not i. Suspects are ordered by how much likelier the other label
    is. A suspicion is a row to look at, not an error: rows near the border of two labels are
    disputed too.

    Parameters
    ----------
    prob
        float64 (n, n_labels), out-of-fold probabilities.
    labels
        int (n,), -1 where not known (such rows are passed over).
    most
        Rows to name.

    Returns
    -------
    dict
        ``n``, ``share`` of the labelled rows, ``by_label`` (pairs given, likelier and their n, most
        frequent first), ``rows`` (place, given, likelier, probabilities of both).

    References
    ----------
    Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels",
    JAIR 2021, eq. 1-2.

    Examples
    --------
    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.95, 0.05]])
    >>> label_suspects(p, np.array([0, 0, 1, 1]))["rows"][0]["row"]
    3
    """
    prob, labels = np.asarray(prob, dtype=np.float64), np.asarray(labels)
    known = np.flatnonzero(labels >= 0)
    p, given = prob[known], labels[known]
    limit = np.array(
        [p[given == k, k].mean() if np.any(given == k) else np.inf for k in range(p.shape[1])]
    )
    confident = np.where(p >= limit, p, -1.0)
    likelier = confident.argmax(axis=1)
    reached = confident[np.arange(len(p)), likelier] >= 0
    suspect = np.flatnonzero(reached & (likelier != given))
    margin = p[suspect, likelier[suspect]] - p[suspect, given[suspect]]
    order = suspect[np.argsort(-margin, kind="stable")]
    pairs = Counter(zip(given[order].tolist(), likelier[order].tolist(), strict=True))
    return {
        "n": len(order),
        "share": float(len(order) / len(known)) if len(known) else 0.0,
        "by_label": [{"given": g, "likelier": k, "n": n} for (g, k), n in pairs.most_common(20)],
        "rows": [
            {
                "row": int(known[r]),
                "given": int(given[r]),
                "likelier": int(likelier[r]),
                "p_given": float(p[r, given[r]]),
                "p_likelier": float(p[r, likelier[r]]),
            }
            for r in order[:most]
        ],
    }


def _sentences(sheet: dict[str, Any]) -> list[str]:
    n = sheet["documents"]["n"]
    said = []
    twins = sheet["twins"]
    if twins.get("groups"):
        differ = twins["labelled_differently"]["groups"]
        said.append(
            f"{twins['rows']:,} of {counted(n, 'document')} are copies or near copies of another"
            + (f"; in {counted(differ, 'group')} of them the labels contradict." if differ else ".")
        )
    personal = sheet["personal"]
    found = Counter(personal["replaced"]) + Counter(personal["left"])
    if found:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in found.most_common(3))
        state = "it was replaced" if not personal["left"] else "it is still in the documents"
        said.append(
            f"{counted(personal['documents'], 'document')} held personal data ({kinds}); {state}."
        )
    noise = sheet["label_noise"]
    if noise.get("n"):
        said.append(
            f"{counted(noise['n'], 'label')} ({percent(noise['share'])}) look wrong to a model "
            "that had not seen those rows; they are listed to be looked at."
        )
    return said[:3]
