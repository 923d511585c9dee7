"""A fitted model of documents with several labels: one yes/no head per label, the rest shared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from payoff.model.artefact import body_of, described
from payoff.model.scored import Read
from payoff.model.text.arrays import array_from, bytes_of
from payoff.model.text.margins import Margins
from payoff.model.text.model import FORMAT as TEXT_FORMAT
from payoff.model.text.model import TextModel
from payoff.model.text.prepare import documents_of_rows, documents_of_table, joined

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from payoff.model.text.features import TextFeatures
    from payoff.model.text.themes import Themes

__all__ = ["FORMAT", "LabelModel", "yes_or_no"]

FORMAT: Final = "labels 1"
_MODEL_JSON: Final = "model.json"
_CARRIED: Final = "references.labels.npy"
_CHUNK: Final = 8_192


def yes_or_no(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of yes, ``1 / (1 + exp(-log_odds))``.

    Examples
    --------
    >>> yes_or_no(np.array([0.0, 2.0])).round(3).tolist()
    [0.5, 0.881]
    """
    from scipy.special import expit

    out: NDArray[np.float64] = expit(log_odds)
    return out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelModel:
    """Yes/no heads over shared features; a row is a document and one label.

    Parameters
    ----------
    shared
        Features, themes and references; its core has one column of log-odds per label, which are
        its outcomes.
    column
        Name of the column that holds the label.
    outcomes
        Names of the two outcomes.
    carried
        Place of the outcome that the document carries the label.
    known
        int8 (d, L), whether each reference carries each label: 1, 0, or -1 where not known.
    """

    shared: TextModel
    column: str
    outcomes: tuple[str, ...]
    carried: int
    known: NDArray[np.int8]

    @property
    def name(self) -> str:
        """The candidate's name."""
        return self.shared.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in order of declaration."""
        return self.shared.outcomes

    @property
    def features(self) -> TextFeatures:
        """The features that all heads read."""
        return self.shared.features

    @property
    def themes(self) -> Themes | None:
        """What the documents speak of; None where nothing was learnt."""
        return self.shared.themes

    @property
    def facts(self) -> Mapping[str, Any]:
        """JSON-ready: settings, importance, number of rows, seed."""
        return self.shared.facts

    def of(self, label: str) -> TextModel:
        """Return the yes/no classifier of one label."""
        k = self.labels.index(label)
        zero = np.zeros_like(self.shared.core.coef[:, k])
        own, bias = self.shared.core.coef[:, k], self.shared.core.intercept[k]
        order = (0, 1) if self.carried == 1 else (1, 0)
        outcome = np.array([1 - self.carried, self.carried, -1])[self.known[:, k]]
        return replace(
            self.shared,
            outcomes=self.outcomes,
            core=Margins(
                n_outcomes=2,
                seen=(0, 1),
                coef=np.ascontiguousarray(np.stack([zero, own], axis=1)[:, order]),
                intercept=np.array([0.0, bias], dtype=np.float32)[list(order)],
                slope=1.0,
            ),
            references=replace(self.shared.references, outcome=outcome, _kept=[]),
        )

    def predict_table(self, table: pa.Table) -> NDArray[np.float64]:
        """Return probabilities (n, 2) for an Arrow table of documents and labels."""
        return self._of_table(table, familiar=False, themed=False).prob

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """Return probabilities (n, 2) for mappings of field to value."""
        return self._of_rows(rows, familiar=False, themed=False).prob

    def read_table(self, table: pa.Table, *, familiar: bool = False) -> Read:
        """Return probabilities, themes and, if asked, familiarity; a document is read once."""
        return self._of_table(table, familiar=familiar, themed=self.themes is not None)

    def read_rows(self, rows: Sequence[Mapping[str, Any]], *, familiar: bool = False) -> Read:
        """Return the same for mappings of field to value."""
        return self._of_rows(rows, familiar=familiar, themed=self.themes is not None)

    def themes_of_table(self, table: pa.Table) -> NDArray[np.int32] | None:
        """Return the theme of each row and nothing else; None where none were learnt."""
        if self.themes is None:
            return None
        first, owner = self._runs(self._values(table))
        found = self.shared.themes_of_table(table.take(pa.array(first)))
        return None if found is None else found[owner]

    def _of_table(self, table: pa.Table, *, familiar: bool, themed: bool) -> Read:
        parts = []
        for start in range(0, max(table.num_rows, 1), _CHUNK):
            some = table.slice(start, _CHUNK)
            first, owner = self._runs(self._values(some))
            documents = some.take(pa.array(first))
            x = self.features.encode_table(documents)
            texts = documents_of_table(documents, self.features.columns) if themed else {}
            codes = self._codes(some.column(self.column).to_pylist())
            parts.append(self._answer(x, texts, owner, codes, familiar=familiar))
        return _joined(parts)

    def _of_rows(self, rows: Sequence[Mapping[str, Any]], *, familiar: bool, themed: bool) -> Read:
        names = self._fields()
        first, owner = self._runs([tuple(row.get(n) for n in names) for row in rows])
        documents = [rows[int(i)] for i in first]
        x = self.features.encode_rows(documents)
        texts = documents_of_rows(documents, self.features.columns) if themed else {}
        codes = self._codes([row.get(self.column) for row in rows])
        return self._answer(x, texts, owner, codes, familiar=familiar)

    def _fields(self) -> tuple[str, ...]:
        encoder = self.features.encoder
        return (*self.features.columns, *(f.name for f in (encoder.fields() if encoder else ())))

    def _values(self, table: pa.Table) -> list[tuple[Any, ...]]:
        names = [n for n in self._fields() if n in table.column_names]
        return list(zip(*(table.column(n).to_pylist() for n in names), strict=True))

    @staticmethod
    def _runs(values: Sequence[object]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where a new document begins, and which run each row belongs to."""
        new = [i == 0 or values[i] != values[i - 1] for i in range(len(values))]
        begins = np.array(new, dtype=np.bool_)
        return np.flatnonzero(begins).astype(np.int64), np.cumsum(begins) - 1

    def _codes(self, labels: Sequence[Any]) -> NDArray[np.int64]:
        place = {name: k for k, name in enumerate(self.labels)}
        return np.array([place[label] for label in labels], dtype=np.int64)

    def _answer(
        self,
        x: csr_matrix,
        texts: Mapping[str, Sequence[str]],
        owner: NDArray[np.int64],
        codes: NDArray[np.int64],
        *,
        familiar: bool,
    ) -> Read:
        """Return what is said of rows, from the features of their documents."""
        log_odds = self.shared.core.margins(x)[owner, codes]
        prob = np.empty((len(codes), 2))
        prob[:, self.carried] = yes_or_no(log_odds)
        prob[:, 1 - self.carried] = 1.0 - prob[:, self.carried]
        theme = None
        if texts and self.themes is not None:
            theme = self.themes.assign(joined(texts), self.features.vectors(x))[owner]
        known = None
        if familiar:
            like = self.shared.references.likeness(self.features.semantic(x))
            known = prob.max(axis=1) * like[owner]
        return Read(prob=prob, theme=theme, familiar=known)

    def files(self) -> dict[str, bytes]:
        """Return the artefact: that of the shared model, and what each head adds."""
        files = self.shared.files()
        body = json.loads(files[_MODEL_JSON])
        body["format"] = FORMAT
        body["multilabel"] = {
            "column": self.column,
            "outcomes": list(self.outcomes),
            "carried": self.carried,
        }
        files[_MODEL_JSON] = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        return files | {_CARRIED: bytes_of(self.known)}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> LabelModel:
        """Read the artefact back.

        Raises
        ------
        BundleError
            ``PAY-B001`` when a file is missing, ``PAY-B004`` when its format is another.
        """
        body = body_of(files, _MODEL_JSON, FORMAT)
        own = body.pop("multilabel")
        shared = json.dumps({**body, "format": TEXT_FORMAT}, ensure_ascii=False).encode()
        return cls(
            shared=TextModel.from_files({**files, _MODEL_JSON: shared}),
            column=str(own["column"]),
            outcomes=tuple(own["outcomes"]),
            carried=int(own["carried"]),
            known=array_from(files, _CARRIED),
        )

    def describe(self) -> dict[str, Any]:
        """Return what a reader may want to know, JSON-ready."""
        return described(self.name, self.outcomes, {**self.facts, "labels": list(self.labels)})


def _joined(parts: Sequence[Read]) -> Read:
    def of(name: str) -> Any:
        found = [getattr(one, name) for one in parts]
        return None if any(f is None for f in found) else np.concatenate(found)

    return Read(prob=of("prob"), theme=of("theme"), familiar=of("familiar"))
