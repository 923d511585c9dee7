"""What moves a text model: shares per column, and the words of each outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from payoff.model.text.features import TextFeatures
from payoff.model.text.margins import Margins

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["importance"]

_MOST_ROWS: Final = 2_000
_WORDS_SHOWN: Final = 8
#: A word shown must occur in so many documents: a name or a number of one writer never is.
_LEAST_DOCUMENTS: Final = 5
_MEANS: Final = (
    "share of the movement of the predictions that goes through the feature, from 0 to 1"
)


def importance(
    features: TextFeatures, core: Margins, x: csr_matrix, outcomes: Sequence[str]
) -> dict[str, Any]:
    """Return each feature's share of the model's movement, most important first.

    The movement of a feature is the standard deviation over rows of its part of the margins
    relative to the first outcome's, averaged over outcomes. Text columns that share an embedding
    share its part evenly.
    """
    some = x[: min(_MOST_ROWS, x.shape[0])]
    total: dict[str, float] = dict.fromkeys(features.columns, 0.0)
    types: dict[str, str] = dict.fromkeys(features.columns, "text")
    for kind, column, first, end in features.blocks():
        if kind == "columns" and features.encoder:
            types |= {f.name: f.type for f in features.encoder.fields()}
            for j, owner in enumerate(features.encoder.owners):
                one = slice(first + j, first + j + 1)
                total[owner] = total.get(owner, 0.0) + _movement(some[:, one] @ core.coef[one])
            continue
        moved = _movement(some[:, first:end] @ core.coef[first:end])
        owners = [column] if column else list(features.columns)
        for owner in owners:
            total[owner] += moved / len(owners)
    whole = sum(total.values())
    rows = [
        {
            "feature": name,
            "type": types[name],
            "importance": round(v / whole, 6) if whole > 0 else 0.0,
        }
        for name, v in sorted(total.items(), key=lambda item: -item[1])
    ]
    words = {outcomes[code]: found for code, found in _words(features, core, x).items()}
    return {"features": rows, "importance_means": _MEANS, "words": words}


def _movement(part: Any) -> float:
    part = np.asarray(part, dtype=np.float64)
    return float((part - part[:, :1]).std(axis=0).mean())


def _words(features: TextFeatures, core: Margins, x: csr_matrix) -> dict[int, list[str]]:
    """Return the words and pairs that speak most for each outcome seen, by its code."""
    found: dict[int, list[tuple[float, str]]] = {code: [] for code in core.seen}
    for kind, column, first, end in features.blocks():
        if kind != "words":
            continue
        block = features.terms[column].words
        part = x[:, first:end]
        documents = np.asarray((part > 0).sum(axis=0)).ravel()
        usual = np.flatnonzero(documents >= _LEAST_DOCUMENTS)
        if not len(usual):
            continue
        own = core.coef[first:end][usual].astype(np.float64)
        lead = own - own.mean(axis=1, keepdims=True)
        for m, code in enumerate(core.seen):
            for j in np.argsort(-lead[:, m], kind="stable")[:_WORDS_SHOWN]:
                if lead[j, m] > 0:
                    found[code].append((float(lead[j, m]), block.terms[usual[j]]))
    return {
        code: [t for _, t in sorted(v, key=lambda item: (-item[0], item[1]))[:_WORDS_SHOWN]]
        for code, v in found.items()
    }
