"""Any scikit-learn classifier by import path, carried as ONNX: data, never a pickle.

A class is imported in one place, :func:`class_of`, and only while a model is trained: the path is a
candidate of the decision that ``payoff run`` was given, and must name a class within ``sklearn``.
A bundle holds that path too, in ``decision.toml`` and as the model's name, but opening, serving,
explaining, scoring or verifying it never comes here: its model is the ONNX graph, which onnxruntime
reads as data, and its name is a label. A path that somebody writes into a bundle is not imported.
Whoever trains again from a bundle's ``decision.toml`` gives that file to ``payoff run``, and trusts
it as any other decision of theirs.
"""

from __future__ import annotations

import importlib
import math
import re
import warnings
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import TrainingError
from payoff.model.candidates import CANDIDATES
from payoff.optional import need
from payoff.rng import child_seed

__all__ = ["Portable", "class_of", "fit_portable"]

_PATH: Final = re.compile(r"sklearn(\.[a-z_][a-z0-9_]*)*\.[A-Z][A-Za-z0-9]*")
_WHY: Final = "to carry a scikit-learn model as data"
#: Largest difference of a probability between scikit-learn and its ONNX form (single precision).
_TOLERANCE: Final = 1e-4
_TRIAL_ROWS: Final = 300
_CHECK_ROWS: Final = 20_000
_INPUT: Final = "x"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Portable:
    """A classifier as ONNX, run by onnxruntime on one thread.

    Parameters
    ----------
    content
        The ONNX model: float32 (n, k) in, label and probabilities (n, m) out.
    seen
        Codes of the m outcomes that occurred.
    n_outcomes
        Number of declared outcomes O.
    """

    content: bytes
    seen: tuple[int, ...]
    n_outcomes: int
    _session: list[Any] = field(default_factory=list, repr=False)

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities (n, O) for encoded rows (n, k)."""
        if not self._session:
            runtime = need("onnxruntime", extra="onnx", why=_WHY)
            options = runtime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 3
            self._session.append(
                runtime.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])
            )
        out = np.zeros((len(x), self.n_outcomes))
        if len(x):
            found = self._session[0].run(None, {_INPUT: single(x)})[1]
            out[:, list(self.seen)] = _normal(np.asarray(found, dtype=np.float64))
        return out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Native:
    """The scikit-learn model itself, for predictions within one process."""

    model: Any
    seen: tuple[int, ...]
    n_outcomes: int

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.zeros((len(x), self.n_outcomes))
        if len(x):
            found = self.model.predict_proba(single(x))
            out[:, list(self.seen)] = _normal(np.asarray(found, dtype=np.float64))
        return out


def single(x: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the rows in single precision, in which ONNX holds its thresholds."""
    return np.ascontiguousarray(np.clip(x, -3e38, 3e38), dtype=np.float32)


def _normal(prob: NDArray[np.float64]) -> NDArray[np.float64]:
    prob = np.clip(prob, 0.0, 1.0)
    total = prob.sum(axis=1, keepdims=True)
    return np.where(total > 0, prob / np.where(total > 0, total, 1.0), 1.0 / prob.shape[1])


def class_of(name: str) -> Any:
    """Return the scikit-learn classifier of an import path.

    Raises
    ------
    TrainingError
        ``PAY-T002`` for any other path, and for classes that give no probabilities.
    """
    if not _PATH.fullmatch(name):
        raise TrainingError.bad_candidate(
            name, "neither a short name nor the path of a scikit-learn class", CANDIDATES
        )
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise TrainingError.bad_candidate(
            name, f"it cannot be imported: {error}", CANDIDATES
        ) from None
    from sklearn.base import BaseEstimator, ClassifierMixin

    if not (
        isinstance(found, type)
        and issubclass(found, BaseEstimator)
        and issubclass(found, ClassifierMixin)
    ):
        raise TrainingError.bad_candidate(name, "it is not a classifier", CANDIDATES)
    if not hasattr(found, "predict_proba"):
        raise TrainingError.bad_candidate(name, "it gives no probabilities", CANDIDATES)
    return found


def fit_portable(
    name: str,
    x: NDArray[np.float64],
    outcome: NDArray[np.integer],
    weight: NDArray[np.float64],
    *,
    n_outcomes: int,
    seed: int,
    trial: bool,
) -> tuple[Portable | _Native, dict[str, Any], NDArray[np.float64] | None]:
    """Fit the class with its default settings.

    Parameters
    ----------
    trial
        True within a fold: convert a fit on a few rows only, to learn early whether the class
        converts at all, and predict with scikit-learn. False: convert and verify the model.

    Returns
    -------
    The model, its settings, and the importance of each encoded column (n, k) or None.

    Raises
    ------
    TrainingError
        ``PAY-T002`` the class cannot be made or fitted, ``PAY-T003`` it does not convert.
    EnvironmentError_
        ``PAY-X001`` without the extra ``onnx``.
    """
    seen, y = np.unique(outcome, return_inverse=True)
    codes = tuple(int(v) for v in seen)
    few = _few(y)
    if trial:
        small = _Native(
            model=_fitted(name, x[few], y[few], weight[few], seed),
            seen=codes,
            n_outcomes=n_outcomes,
        )
        _verified(name, small, x[few])
    model = _fitted(name, x, y, weight, seed)
    weighted = _takes_weight(model)
    settings = {"parameters": _plain(model.get_params(deep=False)), "weights_used": weighted}
    importance = getattr(model, "feature_importances_", None)
    if importance is None and hasattr(model, "coef_"):
        importance = np.abs(np.atleast_2d(model.coef_)).mean(axis=0) * x.std(axis=0)
    share = None if importance is None else np.asarray(importance, dtype=np.float64)
    share = share if share is not None and share.shape == (x.shape[1],) else None
    native = _Native(model=model, seen=codes, n_outcomes=n_outcomes)
    if trial:
        return native, settings, share
    portable, worst = _verified(name, native, x)
    return portable, {**settings, "largest_difference_of_onnx": worst}, share


def _few(y: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return some rows of every outcome, in order."""
    each = max(2, _TRIAL_ROWS // (int(y.max()) + 1))
    return np.sort(np.concatenate([np.flatnonzero(y == c)[:each] for c in np.unique(y)]))


def _takes_weight(model: Any) -> bool:
    from sklearn.utils.validation import has_fit_parameter

    return bool(has_fit_parameter(model, "sample_weight"))


def _fitted(
    name: str,
    x: NDArray[np.float64],
    y: NDArray[np.int64],
    weight: NDArray[np.float64],
    seed: int,
) -> Any:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

    made = class_of(name)
    try:
        model = made()
        if not hasattr(model, "predict_proba"):
            raise TrainingError.bad_candidate(
                name, "it gives no probabilities with its default settings", CANDIDATES
            )
        if "random_state" in model.get_params(deep=False):
            model.set_params(random_state=child_seed(seed, name) % 2**31)
        extra = {"sample_weight": weight / weight.mean()} if _takes_weight(model) else {}
        with warnings.catch_warnings(), threadpool_limits(limits=1):
            warnings.simplefilter("ignore")  # its advice on settings; the held-out rows judge
            return model.fit(single(x), y, **extra)
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise TrainingError.bad_candidate(name, f"it does not fit: {error}", CANDIDATES) from None


def _verified(name: str, native: _Native, x: NDArray[np.float64]) -> tuple[Portable, float]:
    """Convert a model and hold it against the original; return it with the largest difference."""
    need("skl2onnx", extra="onnx", why=_WHY)
    need("onnxruntime", extra="onnx", why=_WHY)
    sample = x[:: max(1, len(x) // _CHECK_ROWS)]
    try:
        portable = Portable(
            content=_converted(native.model, x.shape[1]),
            seen=native.seen,
            n_outcomes=native.n_outcomes,
        )
        worst = float(np.abs(portable.predict(sample) - native.predict(sample)).max())
    except Exception as error:  # noqa: BLE001 - neither package has a common base of its errors
        why = str(error).splitlines()[:1] or [""]
        raise TrainingError.not_portable(name, f"{type(error).__name__}: {why[0]}") from None
    if not worst <= _TOLERANCE:
        raise TrainingError.not_portable(
            name, f"its ONNX form differs by {worst:.2g} in a probability"
        )
    return portable, worst


def _converted(model: Any, width: int) -> bytes:
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = skl2onnx.convert_sklearn(
            model,
            name="payoff",
            initial_types=[(_INPUT, FloatTensorType([None, width]))],
            options={id(model): {"zipmap": False}},
        )
    kept = {v.name: v.name for v in (*made.graph.input, *made.graph.output)}
    _rename(made.graph, kept, [0])
    return bytes(made.SerializeToString(deterministic=True))


def _rename(graph: Any, names: dict[str, str], count: list[int]) -> None:
    """Number the graph's inner names: the converter's grow with every model of the process.

    ``names`` maps old to new; a graph within a node sees the names around it.
    """

    def new(old: str) -> str:
        if old and old not in names:
            names[old] = f"v{count[0]}"
            count[0] += 1
        return names.get(old, "")

    for tensor in graph.initializer:
        tensor.name = new(tensor.name)
    for i, node in enumerate(graph.node):
        node.name = f"n{count[0]}_{i}"
        node.input[:] = [new(v) for v in node.input]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                inner = attribute.g
                inner.name = f"g{count[0]}"
                _rename(inner, dict(names), count)
        node.output[:] = [new(v) for v in node.output]
    for value in (*graph.input, *graph.output, *graph.value_info):
        value.name = new(value.name)


def _is_odd(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _plain(params: dict[str, Any]) -> dict[str, Any]:
    """Return settings as JSON values."""
    simple = (str, int, float, bool, type(None))
    return {
        k: v if isinstance(v, simple) and not _is_odd(v) else repr(v)[:200]
        for k, v in params.items()
    }
