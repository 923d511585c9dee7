"""Classifiers over mixed columns: cross-fitted to be compared, fitted once to be served."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from payoff.errors import BundleError, TrainingError
from payoff.model.artefact import body_of, described
from payoff.model.boosting import Boosted
from payoff.model.candidates import CANDIDATES
from payoff.model.crossed import CrossFitted, try_candidates
from payoff.model.encode import Encoder
from payoff.model.folds import assign_folds, feasible_folds
from payoff.model.linear import Softmax
from payoff.model.portable import Portable
from payoff.model.scorecard import Scorecard

if TYPE_CHECKING:
    import pyarrow as pa

    from payoff.load.dataset import Dataset
    from payoff.load.fields import Contract, Field
    from payoff.model.readings import Reading
    from payoff.progress import Progress

__all__ = ["CANDIDATES", "CrossFitted", "TabularModel", "check_names", "cross_fit", "fit"]

_FORMAT: Final = 1
_MODEL_JSON: Final = "model.json"
_MODEL_TEXT: Final = "model.txt"
_MODEL_ONNX: Final = "model.onnx"


class Core(Protocol):
    """What predicts from encoded rows."""

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities (n, O)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TabularModel:
    """One fitted classifier with its encoder: data only, the same answer for a table and a row.

    Parameters
    ----------
    name
        The candidate's name.
    outcomes
        Names of the outcomes, in order of declaration: the columns of every probability array.
    facts
        JSON-ready: settings, importance, number of rows, seed.
    """

    name: str
    outcomes: tuple[str, ...]
    encoder: Encoder
    core: Core
    facts: Mapping[str, Any] = field(default_factory=dict)

    def predict_table(self, table: pa.Table) -> NDArray[np.float64]:
        """Return probabilities (n, O) for an Arrow table."""
        return self.core.predict(self.encoder.encode_table(table))

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """Return probabilities (n, O) for mappings of field to value."""
        return self.core.predict(self.encoder.encode_rows(rows))

    def files(self) -> dict[str, bytes]:
        """Return the artefact: file name -> content, no executable format among them."""
        body: dict[str, Any] = {
            "format": _FORMAT,
            "name": self.name,
            "outcomes": list(self.outcomes),
            "encoder": self.encoder.to_dict(),
            "facts": dict(self.facts),
        }
        out: dict[str, bytes] = {}
        if isinstance(self.core, Boosted):
            body["core"] = {"kind": "lightgbm", "seen": list(self.core.seen)}
            out[_MODEL_TEXT] = self.core.text.encode()
        elif isinstance(self.core, Portable):
            body["core"] = {"kind": "onnx", "seen": list(self.core.seen)}
            out[_MODEL_ONNX] = self.core.content
        elif isinstance(self.core, Softmax | Scorecard):
            kind = "softmax" if isinstance(self.core, Softmax) else "scorecard"
            body["core"] = {"kind": kind, **self.core.to_dict()}
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, indent=1)
        return {_MODEL_JSON: text.encode(), **out}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> TabularModel:
        """Read the artefact back.

        Raises
        ------
        BundleError
            ``PAY-B001`` when a file is missing, ``PAY-B004`` when its format is another.
        """
        body = body_of(files, _MODEL_JSON, _FORMAT)
        outcomes = tuple(body["outcomes"])
        return cls(
            name=body["name"],
            outcomes=outcomes,
            encoder=Encoder.from_dict(body["encoder"]),
            core=_core_from(body["core"], files, len(outcomes)),
            facts=body["facts"],
        )

    def describe(self) -> dict[str, Any]:
        """Return what a reader may want to know, JSON-ready."""
        out = described(self.name, self.outcomes, self.facts)
        if isinstance(self.core, Scorecard):
            positive = int(self.facts.get("positive", 0))
            out["points_for"] = self.outcomes[positive]
            out["points"] = self.core.points(self.encoder, positive)
        return out


def _core_from(value: Mapping[str, Any], files: Mapping[str, bytes], n_outcomes: int) -> Core:
    kind = value["kind"]
    if kind == "softmax":
        return Softmax.from_dict(value)
    if kind == "scorecard":
        return Scorecard.from_dict(value)
    name = _MODEL_TEXT if kind == "lightgbm" else _MODEL_ONNX
    if name not in files:
        raise BundleError.not_a_bundle(name, "the model's file is missing")
    seen = tuple(int(v) for v in value["seen"])
    if kind == "lightgbm":
        return Boosted(text=files[name].decode(), seen=seen, n_outcomes=n_outcomes)
    return Portable(content=files[name], seen=seen, n_outcomes=n_outcomes)


def check_names(names: Sequence[str]) -> None:
    """Refuse candidates that no one could fit.

    Raises
    ------
    TrainingError
        ``PAY-T002``.
    """
    from payoff.model.portable import class_of

    for name in names:
        if name not in CANDIDATES:
            class_of(name)


def cross_fit(
    data: Dataset,
    contract: Contract,
    names: Sequence[str],
    *,
    folds: int,
    seed: int,
    progress: Progress,
) -> CrossFitted:
    """Fit every candidate once per fold and predict the fold that was left out.

    Encoders are learnt anew within each fold. Rows of unknown outcome or weight 0 are predicted,
    never learnt from. Rare outcomes lower the number of folds.

    Raises
    ------
    DataError
        ``PAY-L003``, ``PAY-L008`` or ``PAY-L009`` when the rows cannot be cross-fitted.
    TrainingError
        ``PAY-T001`` no usable feature, ``PAY-T002`` unknown candidate, ``PAY-T004`` every
        candidate failed.
    """
    from payoff.model.readings import read_table

    check_names(names)
    outcomes = data.decision.outcome_names
    outcome = np.where(data.weight > 0, data.outcome, -1)
    folds = feasible_folds(outcome, data.cluster, folds, outcomes, data.part)
    fold = assign_folds(outcome, data.cluster, folds, seed)
    reading = read_table(data.table, contract.features)
    work = _Work(
        reading=reading,
        fields=contract.features,
        outcome=outcome,
        weight=data.weight,
        cluster=data.cluster,
        n_outcomes=len(outcomes),
        seed=seed,
    )
    # Without a feature (PAY-T001) no candidate could do better.
    return try_candidates(names, work.out_of_fold, fold, data.part, progress, fatal=("PAY-T001",))


def fit(
    data: Dataset, contract: Contract, name: str, *, seed: int, progress: Progress
) -> TabularModel:
    """Fit one candidate on all rows whose outcome is known.

    Raises
    ------
    DataError, TrainingError
        As for :func:`cross_fit`; also ``PAY-T003`` when the model cannot be written as data.
    """
    from payoff.model.readings import read_table

    check_names([name])
    outcomes = data.decision.outcome_names
    outcome = np.where(data.weight > 0, data.outcome, -1)
    feasible_folds(outcome, data.cluster, 2, outcomes, data.part)
    progress("fit model", 0, 1, name)
    work = _Work(
        reading=read_table(data.table, contract.features),
        fields=contract.features,
        outcome=outcome,
        weight=data.weight,
        cluster=data.cluster,
        n_outcomes=len(outcomes),
        seed=seed,
    )
    encoder, core, facts = work.fit(name, np.ones(len(data), dtype=bool), trial=False)
    progress("fit model", 1, 1, name)
    facts = {
        **facts,
        "rows": int((outcome >= 0).sum()),
        "rows_per_outcome": {o: int((outcome == code).sum()) for code, o in enumerate(outcomes)},
        "positive": data.decision.positive_code,
        "seed": seed,
    }
    return TabularModel(name=name, outcomes=outcomes, encoder=encoder, core=core, facts=facts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Work:
    """Everything a candidate needs, read once for all folds."""

    reading: Reading
    fields: Sequence[Field]
    outcome: NDArray[Any]
    weight: NDArray[np.float64]
    cluster: NDArray[np.int64]
    n_outcomes: int
    seed: int

    def out_of_fold(
        self, name: str, fold: NDArray[np.int64], step: Callable[[int], None]
    ) -> NDArray[np.float64]:
        """Return probabilities (n, O), each row from the fit that left its fold out."""
        prob = np.zeros((len(fold), self.n_outcomes))
        for f in range(int(fold.max()) + 1):
            step(f)
            held = np.flatnonzero(fold == f)
            encoder, core, _ = self.fit(name, fold != f, trial=True)
            prob[held] = core.predict(encoder.encode(self.reading.take(held)))
        bad = int((~np.isfinite(prob).all(axis=1)).sum())
        if bad:
            raise TrainingError.nothing_fitted([f"{name} predicts no number for {bad:,} rows"])
        return prob

    def fit(
        self, name: str, mask: NDArray[np.bool_], *, trial: bool
    ) -> tuple[Encoder, Core, dict[str, Any]]:
        """Fit on the rows of a mask whose outcome is known; return encoder, core and facts."""
        from payoff.model.learn import Kind, learn, signal_of_outcomes

        rows = np.flatnonzero(mask & (self.outcome >= 0))
        y, w, c = self.outcome[rows], self.weight[rows], self.cluster[rows]
        kinds: dict[str, Kind] = {"lightgbm": "tree", "scorecard": "bins"}
        signal = signal_of_outcomes(y, w, c, self.seed)
        encoder, x = learn(self.reading.take(rows), self.fields, kinds.get(name, "linear"), signal)
        settings: dict[str, Any]
        core: Core
        share: NDArray[np.float64] | None
        if name == "lightgbm":
            from payoff.model.boosting import boost

            core, settings, share = boost(
                x,
                y,
                w,
                c,
                objective="classes",
                categorical=encoder.categorical,
                seed=self.seed,
                n_outcomes=self.n_outcomes,
            )
        elif name == "scorecard":
            from payoff.model.scorecard import fit_scorecard

            core, strength = fit_scorecard(
                encoder, x, y, w, c, n_outcomes=self.n_outcomes, seed=self.seed
            )
            settings = {"C": strength, "penalty": "squared steps between neighbouring bins"}
            codes = x.astype(np.int64)
            share = np.array(
                [_spread(t[codes[:, j]][:, None, :])[0] for j, t in enumerate(core.tables)]
            )
        elif name == "logistic":
            from payoff.model.linear import fit_softmax

            core, strength = fit_softmax(x, y, w, c, n_outcomes=self.n_outcomes, seed=self.seed)
            settings = {"C": strength, "penalty": "squared coefficients"}
            share = x.std(axis=0) * _spread(core.coef.T[None, :, :], over=2)
        else:
            from payoff.model.portable import fit_portable

            core, settings, share = fit_portable(
                name, x, y, w, n_outcomes=self.n_outcomes, seed=self.seed, trial=trial
            )
        return encoder, core, {"settings": settings, **_importance(encoder, share)}


def _spread(values: NDArray[np.float64], over: int = 0) -> NDArray[np.float64]:
    """Return how much a contribution moves log-odds.

    ``over=0``: values (n, k, m), the standard deviation over rows of each contribution, averaged
    over outcomes. ``over=2``: values (1, k, m), the standard deviation over outcomes of slopes.
    """
    if over == 2:
        return np.asarray(np.ptp(values[0], axis=1))
    relative = values - values[:, :, :1]
    return np.asarray(relative.std(axis=0).mean(axis=1))


def _importance(encoder: Encoder, share: NDArray[np.float64] | None) -> dict[str, Any]:
    """Return the features with their share of the model's movement, most important first."""
    types = {f.name: f.type for f in encoder.fields()}
    total: dict[str, float] = dict.fromkeys(types, 0.0)
    if share is not None:
        for owner, value in zip(encoder.owners, share.tolist(), strict=True):
            total[owner] += value
    whole = sum(total.values())
    rows = [
        {
            "feature": name,
            "type": types[name],
            "importance": None if share is None else round(v / whole, 6) if whole > 0 else 0.0,
        }
        for name, v in sorted(total.items(), key=lambda item: -item[1])
    ]
    return {
        "features": rows,
        "importance_means": "share of the movement of the predictions that goes through the "
        "feature, from 0 to 1",
    }
