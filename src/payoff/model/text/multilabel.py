"""Training of models of documents with several labels: features once, one yes/no head per label.

Labels share documents, so vocabulary, embeddings and ordinary columns are read once per fold; a
head is a linear classifier of its own (binary relevance). Its margins become log-odds by a line of
its own (Platt), learnt from margins that were held out: a slope alone would draw a rare label that
nothing tells towards one in two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import DataError
from payoff.load.multilabel import label_codes
from payoff.model.crossed import CrossFitted, try_candidates
from payoff.model.folds import assign_folds
from payoff.model.text.arrays import give_back
from payoff.model.text.embedding import Embedder
from payoff.model.text.familiar import learn_references
from payoff.model.text.labels import LabelModel, yes_or_no
from payoff.model.text.margins import Margins, fit_margins
from payoff.model.text.model import TextModel
from payoff.model.text.plugged import keep
from payoff.model.text.summary import importance
from payoff.model.text.training import Work, check_names, themes_of, usual_strength

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from payoff.load.dataset import Dataset
    from payoff.load.fields import Contract
    from payoff.model.text.features import TextFeatures
    from payoff.progress import Progress

__all__ = ["cross_fit", "fit", "line_of"]

_INNER_FOLDS: Final = 3
_FEWEST_DOCUMENTS: Final = 10
_FEWEST_CLUSTERS: Final = 4
#: With fewer documents that carry a label, or lack it, its share is all that can be said.
_FEWEST_OF_A_KIND: Final = 5


def cross_fit(
    data: Dataset,
    contract: Contract,
    names: Sequence[str],
    *,
    folds: int,
    seed: int,
    progress: Progress,
    embedder: Embedder | None = None,
) -> CrossFitted:
    """Fit every candidate once per fold of documents and predict the fold that was left out.

    Parameters
    ----------
    data
        One row per document and label.

    Raises
    ------
    DataError
        ``PAY-L008`` or ``PAY-L009`` when the documents cannot be cross-fitted.
    TrainingError
        ``PAY-T001`` no text, ``PAY-T002`` unknown candidate, ``PAY-T004`` every candidate failed.
    """
    check_names(names)
    corpus = _Corpus.of(data, contract, seed, embedder)
    folds = max(2, min(folds, len(np.unique(corpus.documents.cluster))))
    fold = assign_folds(corpus.strata, corpus.documents.cluster, folds, seed)

    def out_of_fold(
        name: str, fold_of_rows: NDArray[np.int64], step: Callable[[int], None]
    ) -> NDArray[np.float64]:
        return corpus.out_of_fold(name, fold_of_rows[data.leading], step)

    return try_candidates(names, out_of_fold, fold[corpus.document], data.part, progress)


def fit(
    data: Dataset,
    contract: Contract,
    name: str,
    *,
    seed: int,
    progress: Progress,
    embedder: Embedder | None = None,
) -> LabelModel:
    """Fit one candidate on all documents with a label that is known.

    Raises
    ------
    DataError, TrainingError, EnvironmentError_
        As for :func:`cross_fit`; ``PAY-X001`` when the embedding's extra is absent.
    """
    check_names([name])
    progress("fit model", 0, 1, name)
    corpus = _Corpus.of(data, contract, seed, embedder)
    rows = np.flatnonzero(corpus.usable)
    features, x = corpus.work.features(name, rows)
    keep(features.embedder)
    strength = usual_strength(features)
    slope, offset = corpus.lines(x, rows, strength)
    heads = corpus.heads(x, rows, strength)
    heads = replace(
        heads,
        coef=(heads.coef * slope).astype(np.float32),
        intercept=(heads.intercept * slope + offset).astype(np.float32),
    )
    documents = corpus.documents
    themes, told = themes_of(documents, corpus.work, features, x, rows)
    # What stands for an outcome here is the document, so that each label's can be looked up.
    references = learn_references(x, documents.place[rows], rows, seed, features.semantic)
    known = corpus.carries[references.outcome]
    progress("fit model", 1, 1, name)
    return LabelModel(
        shared=TextModel(
            name=name,
            outcomes=corpus.labels,
            features=features,
            core=heads,
            references=references,
            facts=_facts(corpus, features, heads, x, rows, strength) | {"themes": told},
            themes=themes,
        ),
        column=corpus.column,
        outcomes=data.decision.outcome_names,
        carried=corpus.carried,
        known=known.astype(np.int8),
    )


def _facts(
    corpus: _Corpus,
    features: TextFeatures,
    heads: Margins,
    x: csr_matrix,
    rows: NDArray[np.int64],
    strength: float,
) -> dict[str, Any]:
    """Return what a reader may want to know, JSON-ready."""
    carries = (corpus.carries == 1).sum(axis=0)
    return {
        "settings": {
            "C": strength,
            "loss": "squared hinge, one yes/no head per label",
            "embedding": features.embedder.name if features.embedder else None,
            "terms": {c: t.width for c, t in features.terms.items()},
        },
        **_importance(features, heads, x, corpus.labels),
        "rows": len(rows),
        "rows_per_label": {n: int(k) for n, k in zip(corpus.labels, carries, strict=True)},
        "by_share_only": [n for k, n in enumerate(corpus.labels) if not corpus.learnable(k, rows)],
        "positive": corpus.documents.decision.positive_code,
        "seed": corpus.seed,
    }


def _importance(
    features: TextFeatures, heads: Margins, x: csr_matrix, labels: Sequence[str]
) -> dict[str, Any]:
    """Return the importance of features, against carrying nothing at all."""
    zero = np.zeros((heads.coef.shape[0], 1), dtype=np.float32)
    core = Margins(
        n_outcomes=len(labels) + 1,
        seen=tuple(range(len(labels) + 1)),
        coef=np.concatenate([zero, heads.coef], axis=1),
        intercept=np.concatenate([[0.0], heads.intercept]).astype(np.float32),
        slope=1.0,
    )
    found = importance(features, core, x, ("", *labels))
    return {**found, "words": {k: v for k, v in found["words"].items() if k}}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Corpus:
    """The documents behind rows of labels, and which carries what.

    Parameters
    ----------
    documents
        One row per document.
    document
        int64 (n_rows,), which document each row is about.
    label
        int64 (n_rows,), which label.
    carries
        int8 (d, L): 1, 0, or -1 where it is not known or the weight is 0.
    strata
        int64 (d,), the rarest label each document carries, L for none: spread over folds.
    """

    documents: Dataset
    document: NDArray[np.int64]
    label: NDArray[np.int64]
    carries: NDArray[np.int8]
    strata: NDArray[np.int64]
    labels: tuple[str, ...]
    column: str
    carried: int
    seed: int
    work: Work

    @classmethod
    def of(cls, data: Dataset, contract: Contract, seed: int, embedder: Embedder | None) -> _Corpus:
        decision = data.decision
        assert decision.multilabel is not None
        assert data.document is not None
        names = decision.multilabel.names
        label = label_codes(data.table, decision)
        documents = data.take(data.leading, data.part)
        carries = np.full((len(documents), len(names)), -1, dtype=np.int8)
        known = (data.outcome >= 0) & (data.weight > 0)
        flag = (data.outcome == decision.carried_code).astype(np.int8)
        carries[data.document[known], label[known]] = flag[known]
        count = (carries == 1).sum(axis=0)
        rare = np.where(carries == 1, count, len(data) + 1)
        strata = np.where((carries == 1).any(axis=1), rare.argmin(axis=1), len(names))
        usable = np.asarray((carries >= 0).any(axis=1))
        _refuse(data, documents, carries, usable)
        work = Work.of(
            documents, contract, np.where(usable, strata, -1), seed, embedder, len(names) + 1
        )
        return cls(
            documents=documents,
            document=data.document,
            label=label,
            carries=carries,
            strata=strata,
            labels=names,
            column=decision.multilabel.column,
            carried=decision.carried_code,
            seed=seed,
            work=work,
        )

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Documents of which something is known."""
        return np.asarray((self.carries >= 0).any(axis=1))

    def learnable(self, k: int, rows: NDArray[np.int64]) -> bool:
        """Whether enough documents carry a label, and lack it, to learn its head."""
        own = self.carries[rows, k]
        return bool(min((own == 1).sum(), (own == 0).sum()) >= _FEWEST_OF_A_KIND)

    def heads(self, x: csr_matrix, rows: NDArray[np.int64], strength: float) -> Margins:
        """Fit every label's head; one that cannot be learnt says its label's share."""
        size = len(self.labels)
        coef = np.zeros((x.shape[1], size), dtype=np.float32)
        intercept = np.zeros(size, dtype=np.float32)
        for k in range(size):
            own = self.carries[rows, k]
            known = np.flatnonzero(own >= 0)
            if not self.learnable(k, rows):
                yes = float((own == 1).sum())
                intercept[k] = np.log((yes + 0.5) / (len(known) - yes + 0.5))
                continue
            head = fit_margins(
                x if len(known) == len(rows) else x[known],
                own[known],
                self.work.weight[rows][known],
                n_outcomes=2,
                strength=strength,
                seed=self.seed,
            )
            coef[:, k] = head.coef[:, 1]
            intercept[k] = head.intercept[1]
        return Margins(
            n_outcomes=size,
            seen=tuple(range(size)),
            coef=coef,
            intercept=intercept,
            slope=1.0,
        )

    def lines(
        self, x: csr_matrix, rows: NDArray[np.int64], strength: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return each head's slope and offset, float64 (L,), from margins that were held out."""
        some = self.work.sample(rows)
        kept, part = rows[some], x if len(some) == len(rows) else x[some]
        fold = assign_folds(
            self.strata[kept],
            self.documents.cluster[kept],
            _INNER_FOLDS,
            self.seed,
            "temperature folds",
        )
        margins = np.zeros((len(kept), len(self.labels)))
        for f in range(_INNER_FOLDS):
            rest, held = np.flatnonzero(fold != f), np.flatnonzero(fold == f)
            if len(rest) and len(held):
                margins[held] = self.heads(part[rest], kept[rest], strength).margins(part[held])
        return self._lines(margins, kept)

    def _lines(
        self, margins: NDArray[np.float64], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return each label's slope and offset from held-out margins (n, L) of some documents."""
        slope, offset = np.ones(len(self.labels)), np.zeros(len(self.labels))
        for k in range(len(self.labels)):
            own = self.carries[rows, k]
            known = own >= 0
            if self.learnable(k, rows):
                slope[k], offset[k] = line_of(
                    margins[known, k], own[known], self.work.weight[rows][known]
                )
        return slope, offset

    def out_of_fold(
        self, name: str, fold: NDArray[np.int64], step: Callable[[int], None]
    ) -> NDArray[np.float64]:
        """Return probabilities (n_rows, 2), each from the fit that left its document's fold out.

        The lines of a fold are learnt from the held-out margins of the other folds.
        """
        usable = self.usable
        margins = np.zeros((len(fold), len(self.labels)))
        for f in range(int(fold.max()) + 1):
            step(f)
            rest, held = np.flatnonzero(usable & (fold != f)), np.flatnonzero(fold == f)
            features, x = self.work.features(name, rest)
            heads = self.heads(x, rest, usual_strength(features))
            del x
            margins[held] = heads.margins(self.work.encode(features, held))
            give_back()
        yes = np.zeros_like(margins)
        for f in range(int(fold.max()) + 1):
            others, held = np.flatnonzero(usable & (fold != f)), np.flatnonzero(fold == f)
            slope, offset = self._lines(margins[others], others)
            yes[held] = yes_or_no(margins[held] * slope + offset)
        prob = np.empty((len(self.document), 2))
        prob[:, self.carried] = yes[self.document, self.label]
        prob[:, 1 - self.carried] = 1.0 - prob[:, self.carried]
        return prob


def line_of(
    margin: NDArray[np.float64], carries: NDArray[np.integer], weight: NDArray[np.float64]
) -> tuple[float, float]:
    """Return slope >= 0 and offset of the log-odds with least log-loss; both outcomes occur.

    The targets are Platt's: ``(n1 + 1) / (n1 + 2)`` of those that carry, ``1 / (n0 + 2)`` of those
    that do not, so that margins which part them keep finite odds.

    Parameters
    ----------
    margin
        float64 (n,), of documents that were held out.
    carries
        int (n,), 1 or 0.
    weight
        float64 (n,), > 0.

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines", 1999.

    Examples
    --------
    >>> slope, offset = line_of(
    ...     np.array([1.0] * 4 + [-1.0] * 4), np.array([1, 1, 1, 0] * 2), np.ones(8)
    ... )
    >>> round(slope, 3), round(offset, 2)  # nothing tells them apart: odds of 6/7 to 1/4 targets
    (0.0, 0.94)
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    w = weight / weight.sum()
    yes = float(np.sum(carries == 1))
    target = np.where(carries == 1, (yes + 1) / (yes + 2), 1 / (len(carries) - yes + 2))

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = at[0] * margin + at[1]
        gone = expit(z) - target
        value = float(w @ (np.logaddexp(0.0, z) - target * z))
        return value, np.array([w @ (gone * margin), w @ gone])

    start = np.array([1.0, 0.0])
    found: Any = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, 200.0), (-30.0, 30.0)]
    )
    return float(found.x[0]), float(found.x[1])


def _refuse(
    data: Dataset,
    documents: Dataset,
    carries: NDArray[np.int8],
    usable: NDArray[np.bool_],
) -> None:
    """Refuse documents that no fold could learn from."""
    clusters = len(np.unique(documents.cluster[usable]))
    if usable.sum() < _FEWEST_DOCUMENTS or clusters < _FEWEST_CLUSTERS:
        few = usable.sum() < _FEWEST_DOCUMENTS
        raise DataError.too_few(
            f"{data.part} documents whose labels are known" if few else "clusters of documents",
            int(usable.sum()) if few else clusters,
            _FEWEST_DOCUMENTS if few else _FEWEST_CLUSTERS,
            "Use a longer window, or enlarge the part in [split]",
        )
    if not ((carries == 1).any(axis=0) & (carries == 0).any(axis=0)).any():
        one = data.decision.outcome_names[int(data.outcome[data.outcome >= 0][0])]
        raise DataError.one_class(one, len(data), data.part)
