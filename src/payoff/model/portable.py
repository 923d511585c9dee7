"""Any scikit-learn classifier by import path, carried as ONNX: data, never a pickle."""

from __future__ import annotations

import importlib
import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import PayoffError, TrainingError
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


def class_of(name: str, known: Sequence[str]) -> Any:
    """Return the scikit-learn classifier of an import path.

    Raises
    ------
    TrainingError
        ``PAY-T002`` for any other path, and for classes that give no probabilities.
    """
    if not _PATH.fullmatch(name):
        raise TrainingError.bad_candidate(
            name, "neither a short name nor the path of a scikit-learn class", known
        )
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise TrainingError.bad_candidate(name, f"it cannot be imported: {error}", known) from None
    from sklearn.base import BaseEstimator, ClassifierMixin

    if not (
        isinstance(found, type)
        and issubclass(found, BaseEstimator)
        and issubclass(found, ClassifierMixin)
    ):
        raise TrainingError.bad_candidate(name, "it is not a classifier", known)
    if not hasattr(found, "predict_proba"):
        raise TrainingError.bad_candidate(name, "it gives no probabilities", known)
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
        _converted(name, _fitted(name, x[few], y[few], weight[few], seed), x[few])
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
    portable = Portable(content=_converted(name, model, x), seen=codes, n_outcomes=n_outcomes)
    sample = x[:: max(1, len(x) // _CHECK_ROWS)]
    worst = float(np.abs(portable.predict(sample) - native.predict(sample)).max())
    if not worst <= _TOLERANCE:
        raise TrainingError.not_portable(
            name, f"its ONNX form differs by {worst:.2g} in a probability"
        )
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

    made = class_of(name, ())
    try:
        model = made()
        if "random_state" in model.get_params(deep=False):
            model.set_params(random_state=child_seed(seed, name) % 2**31)
        extra = {"sample_weight": weight / weight.mean()} if _takes_weight(model) else {}
        with warnings.catch_warnings(), threadpool_limits(limits=1):
            warnings.simplefilter("ignore")  # its advice on settings; the held-out rows judge
            return model.fit(single(x), y, **extra)
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise TrainingError.bad_candidate(name, f"it does not fit: {error}", ()) from None


def _converted(name: str, model: Any, x: NDArray[np.float64]) -> bytes:
    skl2onnx = need("skl2onnx", extra="onnx", why=_WHY)
    need("onnxruntime", extra="onnx", why=_WHY)
    from skl2onnx.common.data_types import FloatTensorType

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = skl2onnx.convert_sklearn(
                model,
                name="payoff",
                initial_types=[(_INPUT, FloatTensorType([None, x.shape[1]]))],
                options={id(model): {"zipmap": False}},
            )
    except PayoffError:
        raise
    except Exception as error:  # noqa: BLE001 - skl2onnx has no common base of its errors
        raise TrainingError.not_portable(name, f"{type(error).__name__}: {error}") from None
    return bytes(made.SerializeToString(deterministic=True))


def _is_odd(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _plain(params: dict[str, Any]) -> dict[str, Any]:
    """Return settings as JSON values."""
    simple = (str, int, float, bool, type(None))
    return {
        k: v if isinstance(v, simple) and not _is_odd(v) else repr(v)[:200]
        for k, v in params.items()
    }
