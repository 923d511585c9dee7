"""A fitted text classifier: data only, the same answer for a table and a row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.model.artefact import body_of, described
from payoff.model.encode import Encoder
from payoff.model.scored import Read
from payoff.model.text.arrays import array_from, bytes_of
from payoff.model.text.embedding import embedder_from
from payoff.model.text.familiar import References
from payoff.model.text.features import TextFeatures
from payoff.model.text.margins import Margins
from payoff.model.text.prepare import documents_of_rows, documents_of_table, joined
from payoff.model.text.terms import Block, Terms
from payoff.model.text.themes import Themes

if TYPE_CHECKING:
    import pyarrow as pa
    from scipy.sparse import csr_matrix

__all__ = ["FORMAT", "TextModel"]

FORMAT: Final = "text 1"
_MODEL_JSON: Final = "model.json"
_CHUNK: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextModel:
    """One fitted text classifier with its features.

    Parameters
    ----------
    name
        The candidate's name.
    outcomes
        Names of the outcomes, in order of declaration: the columns of every probability array.
    references
        Vectors of documents learnt from, to tell what is unlike all of them.
    facts
        JSON-ready: settings, importance, number of rows, seed.
    themes
        What the documents speak of; None where none were learnt.
    """

    name: str
    outcomes: tuple[str, ...]
    features: TextFeatures
    core: Margins
    references: References
    facts: Mapping[str, Any] = field(default_factory=dict)
    themes: Themes | None = None

    def predict_table(self, table: pa.Table) -> NDArray[np.float64]:
        """Return probabilities (n, O) for an Arrow table, a few thousand rows at a time."""
        prob = np.zeros((table.num_rows, len(self.outcomes)))
        for start in range(0, table.num_rows, _CHUNK):
            x = self.features.encode_table(table.slice(start, _CHUNK))
            prob[start : start + x.shape[0]] = self.core.predict(x)
        return prob

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """Return probabilities (n, O) for mappings of field to value."""
        return self.core.predict(self.features.encode_rows(rows))

    def familiarity_table(self, table: pa.Table) -> NDArray[np.float64]:
        """Return how familiar each row is, float64 (n,) from 0 (unlike anything) to 1.

        ``max p * mean cosine to the 3 nearest documents learnt from``.
        """
        return np.asarray(self.read_table(table, familiar=True).familiar)

    def familiarity_rows(self, rows: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """Return the same for mappings of field to value."""
        return np.asarray(self.read_rows(rows, familiar=True).familiar)

    def read_table(self, table: pa.Table, *, familiar: bool = False) -> Read:
        """Return probabilities, themes and, if asked, familiarity; documents are read once."""
        prob = np.zeros((table.num_rows, len(self.outcomes)))
        theme = np.full(table.num_rows, -1, dtype=np.int32)
        known = np.zeros(table.num_rows)
        for start in range(0, table.num_rows, _CHUNK):
            some = table.slice(start, _CHUNK)
            x = self.features.encode_table(some)
            rows = slice(start, start + x.shape[0])
            prob[rows] = self.core.predict(x)
            if self.themes is not None:
                texts = joined(documents_of_table(some, self.features.columns))
                theme[rows] = self.themes.assign(texts, self.features.vectors(x))
            if familiar:
                known[rows] = self._familiarity(x, prob[rows])
        return Read(
            prob=prob,
            theme=None if self.themes is None else theme,
            familiar=known if familiar else None,
        )

    def read_rows(self, rows: Sequence[Mapping[str, Any]], *, familiar: bool = False) -> Read:
        """Return the same for mappings of field to value."""
        x = self.features.encode_rows(rows)
        prob, theme = self.core.predict(x), None
        if self.themes is not None:
            texts = joined(documents_of_rows(rows, self.features.columns))
            theme = self.themes.assign(texts, self.features.vectors(x))
        known = self._familiarity(x, prob) if familiar else None
        return Read(prob=prob, theme=theme, familiar=known)

    def themes_of_table(self, table: pa.Table) -> NDArray[np.int32] | None:
        """Return the theme of each row and nothing else; None where none were learnt."""
        if self.themes is None:
            return None
        texts = joined(documents_of_table(table, self.features.columns))
        embedder = self.features.dense
        return self.themes.assign(texts, embedder.embed(texts) if embedder else None)

    def _familiarity(self, x: csr_matrix, prob: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(prob.max(axis=1) * self.references.likeness(self.features.semantic(x)))

    def files(self) -> dict[str, bytes]:
        """Return the artefact: JSON, NumPy arrays without objects, and an ONNX model if used."""
        features = self.features
        body: dict[str, Any] = {
            "format": FORMAT,
            "name": self.name,
            "outcomes": list(self.outcomes),
            "facts": dict(self.facts),
            "columns": list(features.columns),
            "terms": [
                {"column": c, "words": list(t.words.terms), "characters": list(t.chars.terms)}
                for c, t in features.terms.items()
            ],
            "embedding": features.embedder.name if features.embedder else None,
            "encoder": features.encoder.to_dict() if features.encoder else None,
            "scale": features.scale,
            "core": {"seen": list(self.core.seen), "slope": self.core.slope},
        }
        out = {_MODEL_JSON: json.dumps(body, ensure_ascii=False, allow_nan=False).encode()}
        for i, terms in enumerate(features.terms.values()):
            out[f"terms{i}.words.idf.npy"] = bytes_of(terms.words.idf)
            out[f"terms{i}.characters.idf.npy"] = bytes_of(terms.chars.idf)
        out["coef.npy"] = bytes_of(self.core.coef)
        out["intercept.npy"] = bytes_of(self.core.intercept)
        out |= self.references.files()
        out |= self.themes.files() if self.themes else {}
        return out | (features.embedder.files() if features.embedder else {})

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> TextModel:
        """Read the artefact back.

        Raises
        ------
        BundleError
            ``PAY-B001`` when a file is missing, ``PAY-B004`` when its format is another.
        """
        body = body_of(files, _MODEL_JSON, FORMAT)
        terms = {
            one["column"]: Terms(
                words=Block(
                    terms=tuple(one["words"]), idf=array_from(files, f"terms{i}.words.idf.npy")
                ),
                chars=Block(
                    terms=tuple(one["characters"]),
                    idf=array_from(files, f"terms{i}.characters.idf.npy"),
                ),
            )
            for i, one in enumerate(body["terms"])
        }
        features = TextFeatures(
            columns=tuple(body["columns"]),
            terms=terms,
            embedder=embedder_from(files) if body["embedding"] else None,
            encoder=Encoder.from_dict(body["encoder"]) if body["encoder"] else None,
            scale=float(body["scale"]),
        )
        return cls(
            name=body["name"],
            outcomes=tuple(body["outcomes"]),
            features=features,
            core=Margins(
                n_outcomes=len(body["outcomes"]),
                seen=tuple(int(v) for v in body["core"]["seen"]),
                coef=array_from(files, "coef.npy"),
                intercept=array_from(files, "intercept.npy"),
                slope=float(body["core"]["slope"]),
            ),
            references=References.from_files(files, features.semantic_width),
            facts=body["facts"],
            themes=Themes.from_files(files),
        )

    def describe(self) -> dict[str, Any]:
        """Return what a reader may want to know, JSON-ready."""
        return described(self.name, self.outcomes, self.facts)
