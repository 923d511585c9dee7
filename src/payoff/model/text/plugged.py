"""Embeddings and vectorisers that somebody else brings: registered by name, saved as a name.

A bundle is data. Of a plugged-in model it holds the name under which the work was registered and
what that work made of a few fixed sentences; never the code, and nothing is imported by a name
found in a bundle. Whoever opens it registers the same work first, and the sentences show whether it
is the same.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import BundleError, TrainingError
from payoff.model.candidates import TEXT_CANDIDATES
from payoff.model.text.embedding import Remembering

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = [
    "PLUGGED_JSON",
    "Plugged",
    "fitted_vectoriser",
    "keep",
    "open_plugged",
    "plug",
    "plugged_candidates",
    "register_embedding",
    "register_vectoriser",
    "unregister",
]

PLUGGED_JSON: Final = "plugged.json"
_PROBES: Final = (
    "The card was charged twice, and nobody answers the telephone.",
    "Thank you! The parcel arrived on Monday.",
    "Wann wird die Rechnung von 2026 bezahlt?",
)
#: Another machine rounds otherwise; another embedding differs by far more.
_SAME: Final = 1e-3
_AT_ONCE: Final = 1_024
_MOST_WIDTH: Final = 1 << 20
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,40}")


@dataclass(slots=True, kw_only=True, eq=False)
class _Entry:
    """What was registered under a name."""

    name: Any
    work: Any
    learns: bool
    fitted: Any = None
    remembering: Remembering | None = None


_REGISTERED: Final[dict[str, _Entry]] = {}


def register_embedding(name: str, embed: Callable[[list[str]], Any]) -> None:
    """Make an embedding a candidate for documents: ``name``, and ``tfidf+name`` beside words.

    Parameters
    ----------
    name
        Small letters, digits, ``-`` and ``_``. Registering a name again replaces it.
    embed
        Takes n documents, none empty, and returns float (n, d), dense or sparse. A document's
        vector must not depend on the others given with it. Vectors are scaled to length 1.

    Raises
    ------
    TrainingError
        ``PAY-T005`` for a name that cannot be used, or for something that cannot be called.

    Examples
    --------
    >>> def lengths(texts):
    ...     return [[len(t), t.count(" ")] for t in texts]
    >>> register_embedding("lengths", lengths)
    >>> plugged_candidates()
    ('lengths', 'tfidf+lengths')
    >>> unregister("lengths")
    """
    if not callable(embed):
        raise TrainingError.bad_plugged(name, "it cannot be called", "a function of documents")
    _register(_Entry(name=name, work=embed, learns=False))


def register_vectoriser(name: str, vectoriser: Any) -> None:
    """Make a scikit-learn vectoriser a candidate for documents: ``name``, and ``tfidf+name``.

    Each fit learns with a copy of its own, on its own fitting rows. A bundle does not hold what was
    learnt: :func:`fitted_vectoriser` returns it, to be kept and registered where the bundle is
    opened. One without memory, such as ``HashingVectorizer``, is registered as it is.

    Parameters
    ----------
    name
        As for :func:`register_embedding`.
    vectoriser
        With ``fit(documents)`` and ``transform(documents)``, which returns float (n, d), dense or
        sparse, d at most 1,048,576.

    Raises
    ------
    TrainingError
        ``PAY-T005``.
    """
    if not callable(getattr(vectoriser, "transform", None)) or not callable(
        getattr(vectoriser, "fit", None)
    ):
        raise TrainingError.bad_plugged(
            name, "it lacks 'fit' or 'transform'", "a vectoriser with 'fit' and 'transform'"
        )
    _register(_Entry(name=name, work=vectoriser, learns=True))


def unregister(name: str) -> None:
    """Forget what was registered under a name, if anything was."""
    _REGISTERED.pop(name, None)


def fitted_vectoriser(name: str) -> Any:
    """Return the vectoriser that the latest model of this process was fitted with.

    Raises
    ------
    TrainingError
        ``PAY-T005`` when there is none.
    """
    entry = _REGISTERED.get(name)
    if entry is None or entry.fitted is None:
        raise TrainingError.bad_plugged(
            name, "no model was fitted with it in this process", "a run with this candidate first"
        )
    return entry.fitted


def plugged_candidates() -> tuple[str, ...]:
    """Return the names of candidates that registering made."""
    return tuple(f"{words}{name}" for name in sorted(_REGISTERED) for words in ("", "tfidf+"))


def _register(entry: _Entry) -> None:
    usual = {part for name in TEXT_CANDIDATES for part in name.split("+")}
    if not isinstance(entry.name, str) or not _NAME.fullmatch(entry.name) or entry.name in usual:
        raise TrainingError.bad_plugged(
            str(entry.name),
            "the name cannot be used",
            "a name of small letters, digits, '-' and '_' that is no candidate of payoff's own",
        )
    _REGISTERED[entry.name] = entry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plugged:
    """Registered work, as an embedder.

    Parameters
    ----------
    name
        As registered.
    width
        Length d of a vector.
    sparse
        Whether vectors are sparse, as a vectoriser's are.
    work
        Documents to vectors.
    origin
        The object that was registered, or the copy that was fitted.
    probe
        What it makes of a few fixed sentences, (3, d).
    """

    name: str
    width: int
    sparse: bool
    work: Callable[[list[str]], Any] = field(repr=False)
    origin: Any = field(repr=False)
    probe: csr_matrix = field(repr=False)

    def embed(self, texts: Sequence[str]) -> Any:
        """Return (n, d) of unit rows, float32, sparse or not; of an empty document zeros.

        Raises
        ------
        TrainingError
            ``PAY-T005`` when the work fails or returns something else than a row per document.
        """
        from scipy.sparse import csr_matrix, vstack

        full = [i for i, t in enumerate(texts) if t.strip()]
        parts = [
            _unit(self.name, self.work, [texts[i] for i in full[a : a + _AT_ONCE]], self.width)
            for a in range(0, len(full), _AT_ONCE)
        ]
        made = vstack(parts, format="csr") if parts else csr_matrix((0, self.width))
        place = csr_matrix(
            (np.ones(len(full), dtype=np.float32), (full, np.arange(len(full)))),
            shape=(len(texts), len(full)),
        )
        out = (place @ made).astype(np.float32).tocsr()
        return out if self.sparse else out.toarray()

    def files(self) -> dict[str, bytes]:
        """Return the artefact: the name, and what the work makes of a few fixed sentences."""
        rows = [self.probe[i] for i in range(self.probe.shape[0])]
        body = {
            "name": self.name,
            "width": self.width,
            "sparse": self.sparse,
            "probe": [
                {"columns": r.indices.tolist(), "values": [round(float(v), 6) for v in r.data]}
                for r in rows
            ],
        }
        return {PLUGGED_JSON: json.dumps(body).encode()}


def plug(name: str, texts: Sequence[str]) -> Plugged | Remembering:
    """Return what a candidate embeds documents with; a vectoriser is fitted on them first.

    Raises
    ------
    TrainingError
        ``PAY-T005`` when it does not do what it must.
    """
    entry = _REGISTERED[name]
    if entry.remembering is not None:
        return entry.remembering
    if entry.learns:
        try:
            work = copy.deepcopy(entry.work)
            work = work.fit([t for t in texts if t.strip()]) or work
        except Exception as error:
            raise _failed(name, error) from error
        return _plugged(name, work, work.transform)
    made = _plugged(name, entry.work, entry.work)
    if made.sparse:
        return made
    entry.remembering = Remembering(inner=made)
    return entry.remembering


def keep(embedder: object) -> None:
    """Remember the fitted vectoriser of a model, so that its bundle opens in this process."""
    if isinstance(embedder, Plugged) and embedder.name in _REGISTERED:
        entry = _REGISTERED[embedder.name]
        entry.fitted = embedder.origin if entry.learns else None


def open_plugged(content: bytes) -> Plugged:
    """Find the registered work that a bundle names, and check that it is the same.

    Raises
    ------
    BundleError
        ``PAY-B007`` when nothing is registered under the name, or something else.
    """
    body: Mapping[str, Any] = json.loads(content)
    name, width = str(body["name"]), int(body["width"])
    entry = _REGISTERED.get(name)
    if entry is None:
        raise BundleError.not_registered(name, "nothing is registered under this name")
    other = "what is registered under this name is another one"
    for origin in (entry.fitted, entry.work):
        if origin is None:
            continue
        try:
            found = _plugged(name, origin, origin.transform if entry.learns else origin)
        except TrainingError as error:
            other = f"{error.got}"
            continue
        if found.width != width:
            other = f"what is registered makes vectors of length {found.width}, not {width}"
        elif _as_saved(found.probe, body["probe"]):
            return found
    raise BundleError.not_registered(name, other)


def _as_saved(probe: csr_matrix, saved: Sequence[Mapping[str, Any]]) -> bool:
    for row, one in zip(probe, saved, strict=True):
        was = dict(zip(one["columns"], one["values"], strict=True))
        now = dict(zip(row.indices.tolist(), row.data.tolist(), strict=True))
        if any(abs(was.get(k, 0.0) - now.get(k, 0.0)) > _SAME for k in was.keys() | now.keys()):
            return False
    return True


def _plugged(name: str, origin: Any, work: Callable[[list[str]], Any]) -> Plugged:
    """Try the work on fixed sentences: together and one by one it must say the same."""
    from scipy.sparse import issparse, vstack

    raw = _called(name, work, list(_PROBES))
    together = _unit(name, lambda _: raw, list(_PROBES), None)
    alone = vstack([_unit(name, work, [t], together.shape[1]) for t in _PROBES])
    if abs(together - alone).max() > _SAME:
        raise TrainingError.bad_plugged(
            name,
            "a document gets another vector when others are with it",
            "vectors that do not depend on the other documents of a call",
        )
    return Plugged(
        name=name,
        width=together.shape[1],
        sparse=issparse(raw),
        work=work,
        origin=origin,
        probe=together,
    )


def _called(name: str, work: Callable[[list[str]], Any], texts: list[str]) -> Any:
    try:
        return work(texts)
    except Exception as error:
        raise _failed(name, error) from error


def _failed(name: str, error: Exception) -> TrainingError:
    return TrainingError.bad_plugged(
        name, f"it failed: {type(error).__name__}: {error}", "a vector of each document"
    )


def _unit(
    name: str, work: Callable[[list[str]], Any], texts: list[str], width: int | None
) -> csr_matrix:
    """Return (n, d) of unit rows, rounded; refuse what is no row per document."""
    from scipy.sparse import csr_matrix, diags, issparse

    found = _called(name, work, texts)
    need = f"float ({len(texts)}, {width or 'd'}), one row per document"
    try:
        if not issparse(found):
            found = np.asarray(found, dtype=np.float64)
            if found.ndim != 2:
                raise TrainingError.bad_plugged(name, f"an array of shape {found.shape}", need)
        made = csr_matrix(found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TrainingError.bad_plugged(name, f"no table of numbers: {error}", need) from None
    rows, columns = made.shape
    if rows != len(texts) or columns != (width or columns) or not 0 < columns <= _MOST_WIDTH:
        raise TrainingError.bad_plugged(name, f"an array of shape {made.shape}", need)
    if not np.isfinite(made.data).all():
        raise TrainingError.bad_plugged(name, "a vector holds NaN or infinity", "finite numbers")
    size: NDArray[np.float64] = np.sqrt(np.asarray(made.multiply(made).sum(axis=1)).ravel())
    out = (diags(1.0 / np.where(size > 0, size, 1.0)) @ made).tocsr()
    out.data = np.round(out.data, 5)  # coarser than the last bits, in which a batch may differ
    out.sum_duplicates()
    return out
