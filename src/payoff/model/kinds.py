"""One table of the kinds of decision that payoff trains, so that nothing else asks for the kind.

A kind of model is a module that offers :class:`Trainer` and a fitted value that offers
:class:`Classifier`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from payoff.errors import BundleError

if TYPE_CHECKING:
    import pyarrow as pa

    from payoff.load.dataset import Dataset
    from payoff.load.fields import Contract
    from payoff.model.crossed import CrossFitted
    from payoff.model.scored import Read
    from payoff.model.text.themes import Themes
    from payoff.progress import Progress

__all__ = ["Classifier", "PerLabel", "Themed", "Trainer", "classifier_from", "trainer_of"]

_MODEL_JSON: Final = "model.json"


@runtime_checkable
class Classifier(Protocol):
    """A fitted model of one outcome per row."""

    @property
    def name(self) -> str:
        """The candidate's name."""
        ...

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes: the columns of every probability array."""
        ...

    def predict_table(self, table: pa.Table) -> NDArray[np.float64]:
        """Return probabilities (n, O) for an Arrow table."""
        ...

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """Return probabilities (n, O) for mappings of field to value."""
        ...

    def files(self) -> dict[str, bytes]:
        """Return the artefact: file name -> content, no executable format among them."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what a reader may want to know, JSON-ready."""
        ...


@runtime_checkable
class Themed(Protocol):
    """A fitted model that also says what its documents speak of."""

    @property
    def themes(self) -> Themes | None:
        """Themes that were learnt; None where none were."""
        ...

    def read_table(self, table: pa.Table, *, familiar: bool = False) -> Read:
        """Return what an Arrow table says, read once; with ``familiar``, how familiar it is too."""
        ...

    def read_rows(self, rows: Sequence[Mapping[str, Any]], *, familiar: bool = False) -> Read:
        """Return the same for mappings of field to value."""
        ...

    def themes_of_table(self, table: pa.Table) -> NDArray[np.int32] | None:
        """Return themes (n,) of an Arrow table and nothing else."""
        ...


@runtime_checkable
class PerLabel(Protocol):
    """A fitted model that answers yes or no about each of several labels."""

    def of(self, label: str) -> Classifier:
        """Return the classifier of one label, which shares everything else."""
        ...


class Trainer(Protocol):
    """What fits the models of a kind."""

    def cross_fit(
        self,
        data: Dataset,
        contract: Contract,
        names: Sequence[str],
        *,
        folds: int,
        seed: int,
        progress: Progress,
    ) -> CrossFitted:
        """Fit every candidate once per fold and predict the fold that was left out."""
        ...

    def fit(
        self, data: Dataset, contract: Contract, name: str, *, seed: int, progress: Progress
    ) -> Classifier:
        """Fit one candidate on all rows whose outcome is known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """Where a kind's trainer and model live; loaded when they are needed."""

    trainer: str
    model: str
    format: object


_KINDS: Final = {
    "tabular": _Kind(
        trainer="payoff.model.tabular", model="payoff.model.tabular:TabularModel", format=1
    ),
    "text": _Kind(
        trainer="payoff.model.text.training",
        model="payoff.model.text.model:TextModel",
        format="text 1",
    ),
    "multilabel": _Kind(
        trainer="payoff.model.text.multilabel",
        model="payoff.model.text.labels:LabelModel",
        format="labels 1",
    ),
}


def trainer_of(kind: str) -> Trainer:
    """Return what fits the models of a kind of decision, as ``Decision.learnt_as`` names it."""
    return cast("Trainer", import_module(_KINDS[kind].trainer))


def classifier_from(files: Mapping[str, bytes]) -> Classifier:
    """Read any kind's artefact back.

    Raises
    ------
    BundleError
        ``PAY-B001`` when a file is missing, ``PAY-B004`` when its format is another.
    """
    if _MODEL_JSON not in files:
        raise BundleError.not_a_bundle(_MODEL_JSON, "the model's file is missing")
    found = json.loads(files[_MODEL_JSON]).get("format")
    for kind in _KINDS.values():
        if kind.format == found:
            module, _, name = kind.model.partition(":")
            read: Callable[[Mapping[str, bytes]], Classifier] = getattr(
                import_module(module), name
            ).from_files
            return read(files)
    known = " or ".join(f"format {kind.format}" for kind in _KINDS.values())
    raise BundleError.incompatible(_MODEL_JSON, found, known)
