"""Amounts known only later: the mean of a column given the features and the outcome.

Money such as "donation - 0.68" reads a column that is empty when the decision is due. For every
outcome whose cells read such a column, a second model predicts its mean among rows of that
outcome. The decision then weighs it with the probability of the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.clusters import mean_and_error
from payoff.declare import Decision
from payoff.declare.expression import Call, Column, Node, children, columns_of, constant_of
from payoff.errors import DataError, PayoffError
from payoff.model.amount_model import AmountModel, Key, Part
from payoff.model.folds import assign_folds

if TYPE_CHECKING:
    from payoff.load.dataset import Dataset
    from payoff.load.fields import Contract, Field
    from payoff.model.readings import Reading
    from payoff.progress import Progress

__all__ = ["AmountModel", "CrossFittedAmounts", "Need", "cross_fit", "fit", "needs"]

#: Simplest first; the choice prefers the earlier.
KINDS: Final = ("constant", "linear", "lightgbm")
_LEAST_ROWS: Final = 60
_PENALTIES: Final = (1.0, 10.0, 100.0, 1_000.0, 10_000.0)
_PENALTY_FOLDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One column that some cell of one outcome reads.

    Parameters
    ----------
    column, outcome
        What is to be predicted, among rows of which outcome.
    cell
        The first cell that reads it, as ``action.outcome = expression``.
    default
        What the cells say an empty value is worth (``coalesce(column, 0)``), or None.
    """

    column: str
    outcome: str
    cell: str
    default: float | None

    @property
    def key(self) -> Key:
        """Key of the prediction."""
        return self.column, self.outcome


def needs(decision: Decision) -> tuple[Need, ...]:
    """Return the amounts that the payoff table needs, in order of declaration.

    Examples
    --------
    >>> from payoff.declare import Action, Data, Outcome, PayoffTable
    >>> decision = Decision(
    ...     name="mail",
    ...     currency="USD",
    ...     outcomes=(Outcome(name="gives", values=(1,)), Outcome(name="not", values=(0,))),
    ...     actions=(Action(name="mail"), Action(name="leave")),
    ...     payoffs=PayoffTable.of(
    ...         {"mail": {"gives": "gift - 0.68", "not": -0.68}, "leave": {"gives": 0, "not": 0}}
    ...     ),
    ...     data=Data(outcome="y", known_later={"gift": "arrives with the gift"}),
    ... )
    >>> [need.key for need in needs(decision)]
    [('gift', 'gives')]
    """
    found: dict[Key, list[tuple[str, set[float | None]]]] = {}
    for (action, outcome), cell in decision.payoffs.cells.items():
        for column in columns_of(cell.node):
            if column in decision.data.known_later:
                where = f"{action}.{outcome} = {cell.money}"
                found.setdefault((column, outcome), []).append(
                    (where, _defaults(cell.node, column))
                )
    out = []
    for (column, outcome), cells in found.items():
        defaults = set().union(*(d for _, d in cells))
        # Cells that disagree on what empty means leave no one number for the model to learn.
        default = defaults.pop() if len(defaults) == 1 else None
        out.append(Need(column=column, outcome=outcome, cell=cells[0][0], default=default))
    return tuple(out)


def _defaults(node: Node, column: str) -> set[float | None]:
    """Return what each use of the column is worth when empty; None where nothing says so."""
    if isinstance(node, Column):
        return {None} if node.name == column else set()
    if isinstance(node, Call) and node.function == "coalesce":
        first, second, *_ = node.arguments
        if isinstance(first, Column) and first.name == column:
            return {constant_of(second)}
    return set().union(*(_defaults(child, column) for child in children(node)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossFittedAmounts:
    """Out-of-fold amounts, and how each model was chosen.

    Parameters
    ----------
    amounts
        (column, outcome) -> float64 (n,), for all rows, from models that never saw the row.
    chosen
        (column, outcome) -> kind.
    records
        (column, outcome) -> JSON-ready: rows, and per kind its cross-fitted squared error.
    """

    amounts: Mapping[Key, NDArray[np.float64]]
    chosen: Mapping[Key, str]
    records: Mapping[Key, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Work:
    """One amount's rows."""

    reading: Reading
    fields: Sequence[Field]
    rows: NDArray[np.int64]
    value: NDArray[np.float64]
    weight: NDArray[np.float64]
    cluster: NDArray[np.int64]
    seed: int

    def fit(self, kind: str, mask: NDArray[np.bool_]) -> Part:
        """Fit one kind on the masked ones of ``rows``."""
        from payoff.model.learn import Signal, learn

        y, w, c = self.value[mask], self.weight[mask], self.cluster[mask]
        low, high, mean = float(y.min()), float(y.max()), float(w @ y / w.sum())
        constant = Part(kind="constant", low=low, high=high, intercept=mean)
        if kind == "constant" or low == high:
            return constant
        signal = Signal(values=y[:, None], weight=w, cluster=c, log_odds=False, seed=self.seed)
        encoder, x = learn(
            self.reading.take(self.rows[mask]),
            self.fields,
            "tree" if kind == "lightgbm" else "linear",
            signal,
        )
        if kind == "linear":
            coef, intercept = _ridge(x, y, w, c, self.seed)
            return Part(
                kind=kind, low=low, high=high, encoder=encoder, coef=coef, intercept=intercept
            )
        from payoff.model.boosting import boost

        # In units of the mean (or of the spread, where amounts have both signs).
        scale = mean if low >= 0 and mean > 0 else float(np.std(y))
        trees, _, _ = boost(
            x,
            y / scale,
            w,
            c,
            objective="tweedie" if low >= 0 else "l2",
            categorical=encoder.categorical,
            seed=self.seed,
        )
        return Part(kind=kind, low=low, high=high, scale=scale, encoder=encoder, trees=trees)


def _ridge(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    w: NDArray[np.float64],
    c: NDArray[np.integer],
    seed: int,
) -> tuple[NDArray[np.float64], float]:
    """Return coefficients (k,) and intercept of a weighted ridge regression.

    Minimises ``sum_i w_i (y_i - b - x_i @ a)^2 + penalty * |a|^2`` with weights of mean 1; the
    penalty has the least squared error over inner folds, found from one Gram matrix per fold.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

    w = w / w.mean()
    wide = np.concatenate([np.ones((len(x), 1)), x, y[:, None]], axis=1)
    fold = assign_folds(np.zeros(len(x), dtype=np.int64), c, _PENALTY_FOLDS, seed, "ridge")

    def solve(gram: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
        left = gram[:-1, :-1] + penalty * np.eye(len(gram) - 1)
        left[0, 0] -= penalty * (1 - 1e-9)
        return np.asarray(np.linalg.solve(left, gram[:-1, -1]))

    with threadpool_limits(limits=1):
        grams = [
            (wide[fold == f] * w[fold == f, None]).T @ wide[fold == f]
            for f in range(_PENALTY_FOLDS)
        ]
        whole = np.sum(grams, axis=0)
        errors = []
        for penalty in _PENALTIES:
            error = 0.0
            for gram in grams:
                a = np.append(solve(whole - gram, penalty), -1.0)
                error += float(a @ gram @ a)
            errors.append(error)
        best = solve(whole, _PENALTIES[int(np.argmin(errors))])
    return best[1:], float(best[0])


def _works(data: Dataset, contract: Contract, seed: int) -> dict[Key, _Work]:
    from payoff.load.frame import is_numeric, numbers
    from payoff.model.readings import read_table

    wanted = needs(data.decision)
    if not wanted:
        return {}
    reading = read_table(data.table, contract.features)
    works = {}
    for need in wanted:
        if need.column not in data.table.column_names:
            raise DataError.missing_column(need.column, "known later", data.table.column_names)
        column = data.table.column(need.column)
        if not is_numeric(column.type) and column.null_count < len(column):
            raise DataError.bad_column(
                need.column, "an amount known later", f"values of type {column.type}", "numbers"
            )
        code = data.decision.outcome_names.index(need.outcome)
        of_outcome = (data.outcome == code) & (data.weight > 0)
        value = numbers(column).copy()
        if need.default is not None:
            value[np.isnan(value)] = need.default
        rows = np.flatnonzero(of_outcome & np.isfinite(value))
        if not len(rows):
            cell, _, expression = need.cell.partition(" = ")
            raise DataError.bad_money(
                cell,
                expression,
                int(of_outcome.sum()),
                f"column {need.column} without a value on every row of that outcome",
            )
        works[need.key] = _Work(
            reading=reading,
            fields=contract.features,
            rows=rows,
            value=value[rows],
            weight=data.weight[rows],
            cluster=data.cluster[rows],
            seed=seed,
        )
    return works


def cross_fit(
    data: Dataset,
    contract: Contract,
    *,
    folds: int | NDArray[np.int64],
    seed: int,
    progress: Progress,
) -> CrossFittedAmounts:
    """Predict every amount out of fold with each kind of model, and choose a kind.

    Parameters
    ----------
    folds
        Number of folds, or the fold of each row (of the classifier's cross-fitting).

    Raises
    ------
    DataError
        ``PAY-L010`` when a cell reads a column that is empty on all rows of its outcome.
    """
    works = _works(data, contract, seed)
    fold = (
        folds
        if isinstance(folds, np.ndarray)
        else (assign_folds(data.outcome, data.cluster, folds, seed))
    )
    amounts, chosen, records = {}, {}, {}
    for i, (key, work) in enumerate(works.items()):
        progress("fit amounts", i, len(works), f"{key[0]} given {key[1]}")
        amounts[key], chosen[key], records[key] = _compare(work, fold)
    progress("fit amounts", len(works), len(works))
    return CrossFittedAmounts(amounts=amounts, chosen=chosen, records=records)


def _compare(
    work: _Work, fold: NDArray[np.int64]
) -> tuple[NDArray[np.float64], str, dict[str, Any]]:
    """Cross-fit all kinds of one amount; return the chosen one's predictions, kind and record."""
    n = work.reading.n
    inside = fold[work.rows]
    out: dict[str, NDArray[np.float64]] = {}
    failures: dict[str, str] = {}
    kinds = KINDS if len(work.rows) >= _LEAST_ROWS else KINDS[:1]
    for kind in kinds:
        found = np.empty(n)
        try:
            for f in np.unique(fold):
                held = np.flatnonzero(fold == f)
                rest = inside != f
                part = work.fit(kind, rest if rest.any() else ~rest)
                x = part.encoder.encode(work.reading.take(held)) if part.encoder else None
                found[held] = part.predict(len(held), x)
        except (PayoffError, ArithmeticError, MemoryError, ValueError) as error:
            if kind == "constant":
                raise
            failures[kind] = str(error)[:400]
            continue
        out[kind] = found
    errors = {k: (v[work.rows] - work.value) ** 2 for k, v in out.items()}
    mean = {k: float(work.weight @ e / work.weight.sum()) for k, e in errors.items()}
    best = min(mean, key=lambda k: mean[k])
    paired = {
        k: mean_and_error(e - errors[best], work.weight, work.cluster)[1] for k, e in errors.items()
    }
    chosen = next(k for k in out if mean[k] - mean[best] <= paired[k])
    record = {
        "rows": len(work.rows),
        "kinds": [
            {
                "kind": k,
                "squared_error": mean[k],
                "difference_from_best": mean[k] - mean[best],
                "standard_error": paired[k],
            }
            for k in out
        ],
        "skipped": failures,
        "reason": f"The {chosen} model is the simplest whose cross-fitted squared error is within "
        "one standard error of the least."
        if len(kinds) > 1
        else f"{len(work.rows):,} rows with an amount allow the mean only.",
    }
    return out[chosen], chosen, record


def fit(
    data: Dataset,
    contract: Contract,
    *,
    seed: int,
    progress: Progress,
    crossed: CrossFittedAmounts | None = None,
    folds: int = 5,
) -> AmountModel:
    """Fit every amount on all rows of its outcome.

    Parameters
    ----------
    crossed
        The choice of kinds made before; None makes it now, with ``folds`` folds.
    """
    if crossed is None:
        crossed = cross_fit(data, contract, folds=folds, seed=seed, progress=progress)
    parts, facts = {}, {}
    for key, work in _works(data, contract, seed).items():
        part = work.fit(crossed.chosen[key], np.ones(len(work.rows), dtype=bool))
        parts[key] = part
        facts[key] = {
            **crossed.records[key],
            "mean": float(work.weight @ work.value / work.weight.sum()),
            "low": part.low,
            "high": part.high,
            "seed": seed,
        }
    return AmountModel(parts=parts, facts=facts)
