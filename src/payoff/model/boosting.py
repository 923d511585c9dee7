"""LightGBM: fitted the same way whatever the machine, kept as its own text format."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import TrainingError
from payoff.model.folds import assign_folds
from payoff.optional import need
from payoff.rng import child_seed

__all__ = ["Boosted", "boost", "threads"]

_MANY_ROWS: Final = 50_000
_PATIENCE: Final = 40
#: Below this many cells one thread fits in seconds. More threads wait for each other at every
#: split: on two cores shared with other work, two threads took eight times as long as one.
_MANY_CELLS: Final = 20_000_000
_FEW_ROWS: Final = 2_000
_WHY: Final = "to fit or apply the candidate 'lightgbm'"


def threads(cells: int) -> int:
    """Return the number of threads for so many cells; the result does not depend on it."""
    if cells < _MANY_CELLS:
        return 1
    allowed = getattr(os, "sched_getaffinity", None)  # Linux: the cores this process may use
    return max(1, min(4, len(allowed(0)) if allowed else os.cpu_count() or 1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boosted:
    """Gradient-boosted trees as LightGBM's model text.

    Parameters
    ----------
    text
        The model, as written by LightGBM.
    seen
        Codes of the outcomes that occurred; empty for a regression.
    n_outcomes
        Number of declared outcomes; 0 for a regression.
    """

    text: str
    seen: tuple[int, ...] = ()
    n_outcomes: int = 0
    _booster: list[Any] = field(default_factory=list, repr=False)

    def raw(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what LightGBM predicts: (n,) or (n, classes)."""
        few = len(x) < _FEW_ROWS  # starting threads costs more than a few rows do
        return np.asarray(self._loaded().predict(x, num_threads=1 if few else threads(x.size)))

    def _loaded(self) -> Any:
        if not self._booster:
            lightgbm = need("lightgbm", extra="all", why=_WHY)
            self._booster.append(lightgbm.Booster(model_str=self.text))
        return self._booster[0]

    def parts(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what each encoded column adds to the log-odds of each outcome seen.

        Returns
        -------
        ndarray
            float64 (n, m, k + 1), the last column being the expected value; of two outcomes the
            first has only zeros. Sums over the last axis are LightGBM's raw scores.
        """
        made = np.asarray(self._loaded().predict(x, pred_contrib=True, num_threads=1))
        width = x.shape[1] + 1
        if made.shape[1] == width:
            return np.stack([np.zeros_like(made), made], axis=1)
        return made.reshape(len(x), -1, width)

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities (n, n_outcomes) for encoded rows (n, k)."""
        out = np.zeros((len(x), self.n_outcomes))
        if not len(x):
            return out
        raw = self.raw(x)
        if raw.ndim == 1:
            raw = np.stack([1.0 - raw, raw], axis=1)
        out[:, list(self.seen)] = raw
        return out


def _settings(n: int, width: int, seed: int) -> dict[str, Any]:
    """Return LightGBM parameters: smaller trees for fewer rows, everything seeded."""
    return {
        "learning_rate": 0.1 if n >= _MANY_ROWS else 0.05,
        "num_leaves": 31 if n >= 20_000 else 15 if n >= 4_000 else 7,
        "min_data_in_leaf": int(np.clip(n // 200, 10, 50)),
        "feature_fraction": 0.7,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "max_bin": 255,
        "cat_smooth": 20.0,
        "cat_l2": 20.0,
        "min_data_per_group": int(np.clip(n // 200, 10, 100)),
        "seed": child_seed(seed, "lightgbm") % 2**31,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads(n * width),
        "verbosity": -1,
    }


def _objective(objective: str, classes: int) -> dict[str, Any]:
    if objective == "classes" and classes > 2:
        return {"objective": "multiclass", "num_class": classes}
    if objective == "classes":
        return {"objective": "binary"}
    # Amounts are chosen by squared error, whatever the likelihood they are fitted with.
    found: dict[str, Any] = {"objective": objective, "metric": "l2"}
    return found | ({"tweedie_variance_power": 1.5} if objective == "tweedie" else {})


def boost(
    x: NDArray[np.float64],
    target: NDArray[Any],
    weight: NDArray[np.float64],
    cluster: NDArray[np.integer],
    *,
    objective: str,
    categorical: list[int],
    seed: int,
    n_outcomes: int = 0,
) -> tuple[Boosted, dict[str, Any], NDArray[np.float64]]:
    """Fit on all rows with the number of rounds that did best on held-out rows.

    Parameters
    ----------
    x
        float64 (n, k), NaN where missing, categories as codes.
    target
        Outcome codes (``objective="classes"``) or amounts ("l2", "tweedie").
    weight
        float64 (n,), > 0.
    cluster
        int (n,), kept whole when rows are held out.

    Returns
    -------
    The model, its settings, and the gain of each encoded column, float64 (k,).

    Raises
    ------
    EnvironmentError_
        When LightGBM cannot be loaded (for example without libgomp).
    TrainingError
        ``PAY-T004`` when LightGBM refuses the data.
    """
    lightgbm = need("lightgbm", extra="all", why=_WHY)
    seen: NDArray[Any] = np.array([], dtype=np.int64)
    y, strata = target, np.zeros(len(x), dtype=np.int64)
    if objective == "classes":
        seen, strata = np.unique(target, return_inverse=True)
        y = strata
    params = _settings(len(x), x.shape[1], seed) | _objective(objective, len(seen))
    try:
        data = lightgbm.Dataset(
            x,
            y,
            weight=weight / weight.mean(),
            categorical_feature=categorical,
            params=params,
            free_raw_data=False,
        )
        rounds = _rounds(lightgbm, params, data, strata, cluster, seed)
        booster = lightgbm.train(params, data, num_boost_round=rounds)
    except lightgbm.basic.LightGBMError as error:
        raise TrainingError.nothing_fitted([f"LightGBM says: {error}"]) from None
    model = Boosted(
        text=_portable_text(booster.model_to_string()),
        seen=tuple(int(v) for v in seen),
        n_outcomes=n_outcomes,
    )
    settings = {k: v for k, v in params.items() if k not in ("num_threads", "verbosity")}
    gain = np.asarray(booster.feature_importance("gain"), dtype=np.float64)
    return model, {**settings, "rounds": rounds}, gain


def _rounds(
    lightgbm: Any,
    params: dict[str, Any],
    data: Any,
    strata: NDArray[np.integer],
    cluster: NDArray[np.integer],
    seed: int,
) -> int:
    """Return the number of rounds with the least held-out loss.

    Many rows: one fifth is held out once. Few rows: each of four quarters in turn, because the
    curve of one small part is mostly noise.
    """
    n = len(strata)
    many = n >= 5_000
    parts = 5 if many else 4
    fold = assign_folds(strata, cluster, parts, seed, "lightgbm rounds")
    pairs = []
    for f in range(1 if many else parts):
        rest, held = np.flatnonzero(fold != f), np.flatnonzero(fold == f)
        if len(held) and len(np.unique(strata[rest])) == len(np.unique(strata)):
            pairs.append((rest, held))
    if not pairs:
        return 50
    curve = lightgbm.cv(
        params,
        data,
        num_boost_round=300 if n >= _MANY_ROWS else 600,
        folds=pairs,
        callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False)],
    )
    loss = next(v for k, v in curve.items() if k.endswith("-mean"))
    # The final fit has more rows than the search had, and bears a little more.
    return max(5, round(len(loss) * (1.1 if many else 1.2)))


def _portable_text(text: str) -> str:
    """Drop what depends on the machine: the number of threads that happened to train."""
    return re.sub(r"^\[num_threads: \d+\]$", "[num_threads: 1]", text, flags=re.MULTILINE)
