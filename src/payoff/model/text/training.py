"""Text classifiers: cross-fitted to be compared, fitted once to be served."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import TrainingError
from payoff.model.candidates import TEXT_CANDIDATES
from payoff.model.crossed import CrossFitted, try_candidates
from payoff.model.encode import Encoder
from payoff.model.folds import assign_folds, feasible_folds
from payoff.model.text.arrays import give_back
from payoff.model.text.embedding import Embedder, Remembering, minilm
from payoff.model.text.familiar import learn_references
from payoff.model.text.features import TextFeatures
from payoff.model.text.margins import (
    EMBEDDED_STRENGTH,
    STRENGTHS,
    USUAL_STRENGTH,
    Margins,
    filled,
    fit_margins,
    held_out_margins,
    slope_of,
)
from payoff.model.text.model import TextModel
from payoff.model.text.plugged import keep, plug, plugged_candidates
from payoff.model.text.prepare import documents_of_table, joined
from payoff.model.text.summary import importance
from payoff.model.text.terms import learn_terms
from payoff.model.text.themes import Themes, learn_themes

if TYPE_CHECKING:
    import pyarrow as pa
    from scipy.sparse import csr_matrix

    from payoff.load.dataset import Dataset
    from payoff.load.fields import Contract, Field
    from payoff.model.readings import Reading
    from payoff.progress import Progress

__all__ = ["Work", "check_names", "cross_fit", "fit", "themes_of", "usual_strength"]

#: With so few rows the strength is worth choosing; with more, the usual one is near the best.
_FEW_ROWS: Final = 4_000
_TEMPERATURE_ROWS: Final = 20_000
_TEMPERATURE_FOLDS: Final = 3
_SMALL_FOLDS: Final = 5


def check_names(names: Sequence[str]) -> None:
    """Refuse candidates that no one could fit.

    Raises
    ------
    TrainingError
        ``PAY-T002``.
    """
    known = (*TEXT_CANDIDATES, *plugged_candidates())
    for name in names:
        if name not in known:
            why = "no model of documents, and nothing is registered under this name"
            raise TrainingError.bad_candidate(name, why, known)


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
    """Fit every candidate once per fold and predict the fold that was left out.

    Vocabularies, weights, encoders and temperatures are learnt without the rows they are applied
    to. Rows of unknown outcome or weight 0 are predicted, never learnt from. Rare outcomes lower
    the number of folds.

    Parameters
    ----------
    embedder
        Instead of the one of the extra ``text``.

    Raises
    ------
    DataError
        ``PAY-L003``, ``PAY-L008`` or ``PAY-L009`` when the rows cannot be cross-fitted.
    TrainingError
        ``PAY-T001`` no text, ``PAY-T002`` unknown candidate, ``PAY-T004`` every candidate failed.
    """
    check_names(names)
    outcomes = data.decision.outcome_names
    outcome = np.where(data.weight > 0, data.outcome, -1)
    folds = feasible_folds(outcome, data.cluster, folds, outcomes, data.part)
    fold = assign_folds(outcome, data.cluster, folds, seed)
    work = Work.of(data, contract, outcome, seed, embedder)
    return try_candidates(names, work.out_of_fold, fold, data.part, progress)


def fit(
    data: Dataset,
    contract: Contract,
    name: str,
    *,
    seed: int,
    progress: Progress,
    embedder: Embedder | None = None,
) -> TextModel:
    """Fit one candidate on all rows whose outcome is known.

    Raises
    ------
    DataError, TrainingError, EnvironmentError_
        As for :func:`cross_fit`; ``PAY-X001`` when the embedding's extra is absent.
    """
    check_names([name])
    outcomes = data.decision.outcome_names
    outcome = np.where(data.weight > 0, data.outcome, -1)
    feasible_folds(outcome, data.cluster, 2, outcomes, data.part)
    progress("fit model", 0, 1, name)
    work = Work.of(data, contract, outcome, seed, embedder)
    rows = np.flatnonzero(outcome >= 0)
    features, x = work.features(name, rows)
    keep(features.embedder)
    y, w = outcome[rows], data.weight[rows]
    margins, known, strength = work.held_out(x, rows, usual_strength(features))
    slope = slope_of(margins, known, w[work.sample(rows)])
    core = fit_margins(x, y, w, n_outcomes=len(outcomes), strength=strength, seed=seed, slope=slope)
    themes, told = themes_of(data, work, features, x, rows)
    progress("fit model", 1, 1, name)
    return TextModel(
        name=name,
        outcomes=outcomes,
        features=features,
        core=core,
        references=learn_references(x, data.place[rows], y, seed, features.semantic),
        facts={
            "settings": {
                "C": strength,
                "loss": "hinge over all outcomes (Crammer and Singer)"
                if len(core.seen) > 2
                else "squared hinge",
                "temperature": round(1.0 / slope, 6),
                "embedding": features.embedder.name if features.embedder else None,
                "terms": {c: t.width for c, t in features.terms.items()},
            },
            **importance(features, core, x, outcomes),
            "rows": len(rows),
            "rows_per_outcome": {
                o: int((outcome == code).sum()) for code, o in enumerate(outcomes)
            },
            "positive": data.decision.positive_code,
            "seed": seed,
            "themes": told,
        },
        themes=themes,
    )


def themes_of(
    data: Dataset, work: Work, features: TextFeatures, x: csr_matrix, rows: NDArray[np.int64]
) -> tuple[Themes | None, dict[str, Any]]:
    """Learn the themes of documents as they are declared, and say how, or why there are none.

    Parameters
    ----------
    data
        One row per document.
    x
        What ``features`` make of ``rows``.
    """
    settings = data.decision.text
    themes, without = learn_themes(
        joined(work.take(rows)),
        data.place[rows],
        wanted=settings.themes,
        smallest=data.decision.evidence.smallest_group,
        seed=work.seed,
        vectors=features.vectors(x),
        by=features.dense.name if features.dense else "words",
        twins=None if data.twins is None else data.twins[rows],
        redacted=settings.redact,
        excerpts=settings.excerpts,
    )
    return themes, dict(themes.facts) if themes else {"not_measured": without}


def usual_strength(features: TextFeatures) -> float:
    """Return the strength taken where rows are many: with an embedding a lower one."""
    return EMBEDDED_STRENGTH if features.embedder else USUAL_STRENGTH


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Work:
    """Everything a candidate needs, read once for all folds."""

    table: pa.Table
    reading: Reading
    ordinary: Sequence[Field]
    embedder: Remembering | None
    outcome: NDArray[Any]
    weight: NDArray[np.float64]
    cluster: NDArray[np.int64]
    n_outcomes: int
    seed: int

    @classmethod
    def of(
        cls,
        data: Dataset,
        contract: Contract,
        outcome: NDArray[Any],
        seed: int,
        embedder: Embedder | None,
        n_outcomes: int | None = None,
    ) -> Work:
        """Read what all folds share; ``outcome`` as declared, or of ``n_outcomes`` other kinds."""
        from payoff.model.readings import read_table

        names = [f.name for f in contract.features if f.type == "text"]
        if not names:
            raise TrainingError.no_features("no text column among the features")
        table = data.table.select(names)
        if not any(any(texts) for texts in documents_of_table(table, names).values()):
            raise TrainingError.no_features("every document is empty")
        ordinary = [f for f in contract.features if f.type != "text"]
        return cls(
            table=table,
            reading=read_table(data.table, ordinary),
            ordinary=ordinary,
            embedder=Remembering(inner=embedder) if embedder else None,
            outcome=outcome,
            weight=data.weight,
            cluster=data.cluster,
            n_outcomes=n_outcomes or len(data.decision.outcome_names),
            seed=seed,
        )

    def take(self, rows: NDArray[np.int64]) -> dict[str, list[str]]:
        """Return the documents of some rows, made anew: text of Python takes twice the memory."""
        return documents_of_table(self.table.take(rows), self.table.column_names)

    def features(self, name: str, rows: NDArray[np.int64]) -> tuple[TextFeatures, csr_matrix]:
        """Learn a candidate's features from rows whose outcome is known, and encode these."""
        documents = self.take(rows)
        embedder: Embedder | None = None
        if name not in TEXT_CANDIDATES:
            embedder = plug(name.removeprefix("tfidf+"), joined(documents))
        elif name != "tfidf":
            embedder = self.embedder or minilm()
        encoder, scale = self._encoder(rows)
        made = TextFeatures(
            columns=tuple(self.table.column_names),
            terms={c: learn_terms(texts) for c, texts in documents.items()}
            if name == "tfidf" or name.startswith("tfidf+")
            else {},
            embedder=embedder,
            encoder=encoder,
            scale=scale,
        )
        x = self.encode(made, rows, documents)
        for terms in made.terms.values():
            terms.forget()
        return made, x

    def _encoder(self, rows: NDArray[np.int64]) -> tuple[Encoder | None, float]:
        from payoff.model.learn import learn, signal_of_outcomes

        if not self.ordinary:
            return None, 1.0
        y, w, c = self.outcome[rows], self.weight[rows], self.cluster[rows]
        try:
            encoder, codes = learn(
                self.reading.take(rows),
                self.ordinary,
                "linear",
                signal_of_outcomes(y, w, c, self.seed),
            )
        except TrainingError as error:
            if error.code == "PAY-T001":  # no ordinary column tells rows apart: the text remains
                return None, 1.0
            raise
        square = float((codes**2).sum(axis=1).mean())
        return encoder, 1.0 / np.sqrt(square) if square > 0 else 1.0

    def encode(
        self,
        features: TextFeatures,
        rows: NDArray[np.int64],
        documents: Mapping[str, Sequence[str]] | None = None,
    ) -> csr_matrix:
        """Return the features of some rows."""
        documents = self.take(rows) if documents is None else documents
        codes = features.encoder.encode(self.reading.take(rows)) if features.encoder else None
        return features.encode(documents, codes)

    def sample(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of the rows teach the temperature: all, or of very many the first."""
        if len(rows) <= _TEMPERATURE_ROWS:
            return np.arange(len(rows))
        from payoff.rng import generator

        picked = generator(self.seed, "temperature rows").permutation(len(rows))
        return np.sort(picked[:_TEMPERATURE_ROWS])

    def held_out(
        self, x: csr_matrix, rows: NDArray[np.int64], usual: float
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], float]:
        """Return held-out margins, the place of each outcome among those seen, and the strength."""
        some = self.sample(rows)
        kept = rows[some]
        y, w, c = self.outcome[kept], self.weight[kept], self.cluster[kept]
        few = len(rows) <= _FEW_ROWS
        margins, strength = held_out_margins(
            x if len(some) == len(rows) else x[some],
            y,
            w,
            c,
            folds=_SMALL_FOLDS if few else _TEMPERATURE_FOLDS,
            strengths=STRENGTHS if few else (usual,),
            seed=self.seed,
        )
        return margins, np.unique(y, return_inverse=True)[1], strength

    def _left_out(
        self, name: str, rest: NDArray[np.int64], held: NDArray[np.int64], every: NDArray[Any]
    ) -> tuple[Margins, NDArray[np.float64]]:
        """Fit ``rest`` and return the margins of ``held``; features are gone before the next."""
        features, x = self.features(name, rest)
        strength = usual_strength(features)
        if len(rest) <= _FEW_ROWS:
            strength = self.held_out(x, rest, strength)[2]
        model = fit_margins(
            x,
            np.searchsorted(every, self.outcome[rest]),
            self.weight[rest],
            n_outcomes=len(every),
            strength=strength,
            seed=self.seed,
        )
        del x
        return model, filled(model, model.margins(self.encode(features, held)), len(every))

    def out_of_fold(
        self, name: str, fold: NDArray[np.int64], step: Callable[[int], None]
    ) -> NDArray[np.float64]:
        """Return probabilities (n, O), each row from the fit that left its fold out.

        The temperature of a fold is learnt from the held-out margins of the other folds.
        """
        known = self.outcome >= 0
        every = np.unique(self.outcome[known])
        margins = np.zeros((len(fold), len(every)))
        models: list[Margins] = []
        for f in range(int(fold.max()) + 1):
            step(f)
            rest, held = np.flatnonzero(known & (fold != f)), np.flatnonzero(fold == f)
            model, margins[held] = self._left_out(name, rest, held, every)
            give_back()
            # Of the model only what it saw is wanted again, not its coefficients.
            models.append(replace(model, coef=model.coef[:0].copy()))
        y = np.searchsorted(every, self.outcome)
        prob = np.zeros((len(fold), self.n_outcomes))
        for f, model in enumerate(models):
            others, held = known & (fold != f), np.flatnonzero(fold == f)
            slope = slope_of(margins[others], y[others], self.weight[others])
            whole = replace(model, n_outcomes=self.n_outcomes, seen=tuple(every.tolist()))
            prob[held] = whole.spread(margins[held], slope)
        return prob
