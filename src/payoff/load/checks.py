"""Checks of the rows: ``PAY-L101`` to ``PAY-L110``."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from payoff.checks import Check, numbered
from payoff.errors import listed, percent, show
from payoff.load.dataset import Dataset, Parts
from payoff.load.frame import codes_of, is_numeric, is_temporal, moments, numbers
from payoff.load.split import times

__all__ = ["alone", "check", "population_stability"]

_MOST_ROWS: Final = 50_000
#: A feature that alone ranks outcomes this well is more often a leak than a find.
_LEAK: Final = 0.95
_SUSPECT: Final = 0.78
_AHEAD: Final = 0.08
_DRIFT: Final = 0.25


def check(data: Dataset, parts: Parts) -> tuple[Check, ...]:
    """Return one result per numbered check of the rows."""
    return (
        _repeated_rows(data),
        _leak_alone(parts.fit),
        _leak_by_time(data),
        _missing(parts.fit),
        _drift(parts),
        _rare_outcomes(parts),
        _useless(parts.fit),
        _identifiers(parts.fit),
        _unlabelled(data, parts),
        _blank_money(data),
    )


def _repeated_rows(data: Dataset) -> Check:
    result = numbered("PAY-L101", "Repeated rows")
    names = [c for c in data.features if c in data.table.column_names][:60]
    if not names:
        return result(status="not_applicable", detail="There are no feature columns to compare.")
    sums = np.zeros(len(data), dtype=np.uint64)
    for name in names:
        codes, _ = codes_of(data.table.column(name))
        mixed = (codes + 2).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        sums = (sums ^ mixed ^ (sums >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    repeated = len(sums) - len(np.unique(sums))
    share = repeated / len(data)
    apart = data.decision.data.cluster is None and not (
        data.decision.data.text and data.decision.text.twins == "keep together"
    )
    if share > 0.01 and apart:
        return result(
            status="tip",
            detail=f"{repeated:,} rows ({percent(share)}) repeat all features of another row; "
            "twins on both sides of the split flatter the model.",
            mend="Remove true duplicates, or declare 'cluster' so that twins stay together",
        )
    return result(status="passed", detail=f"{repeated:,} of {len(data):,} rows repeat another.")


def alone(values: pa.ChunkedArray, positive: NDArray[np.bool_]) -> float:
    """Return how well one column alone ranks an outcome: the area under its ROC curve, >= 0.5.

    Categories are ranked by their outcome share in the even rows and scored on the odd ones, so
    that an identifier does not look like a leak.
    """
    if len(values) > _MOST_ROWS:
        step = len(values) // _MOST_ROWS + 1
        values, positive = (
            values.take(pa.array(np.arange(0, len(positive), step))),
            positive[::step],
        )
    if is_numeric(values.type) or is_temporal(values.type) or pa.types.is_boolean(values.type):
        if is_temporal(values.type):
            values = moments(values)
        x = numbers(values)
        blank = np.isnan(x)
        score = np.where(blank, np.nanmin(x) - 1 if not blank.all() else 0.0, x)
        by_value, by_absence = _auc(score, positive), _auc(blank.astype(float), positive)
        return max(by_value, 1 - by_value, by_absence, 1 - by_absence)
    codes, labels = codes_of(values)
    half = np.arange(len(codes)) % 2 == 0
    hits = np.bincount(codes[half] + 1, weights=positive[half], minlength=len(labels) + 1)
    seen = np.bincount(codes[half] + 1, minlength=len(labels) + 1)
    base = positive[half].mean() if half.any() else 0.5
    share = (hits + 10 * base) / (seen + 10)
    return max(0.5, _auc(share[codes[~half] + 1], positive[~half]))


def _auc(score: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    n_pos = int(positive.sum())
    n_neg = len(positive) - n_pos
    if n_pos == 0 or n_neg == 0:
        return 0.5
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # ties share their middle rank
    return float((ranks[positive].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg))


def _leak_alone(fit: Dataset) -> Check:
    result = numbered("PAY-L102", "A feature that predicts alone")
    known = fit.outcome >= 0
    rows = pa.array(np.flatnonzero(known))
    positive = fit.outcome[known] == fit.decision.positive_code
    power = {name: alone(fit.table.column(name).take(rows), positive) for name in fit.ordinary}
    if not power:
        return result(status="not_applicable", detail="There are no features.")
    ranked = sorted(power.items(), key=lambda item: -item[1])
    best, area = ranked[0]
    # A date often ranks outcomes because the world moved; it says little about what is usual.
    usual = [v for n, v in ranked[1:] if not is_temporal(fit.table.column(n).type)]
    second = max(usual, default=0.5)
    seen = f"{show(best)} alone ranks the outcome with an area under the curve of {area:.3f}"
    mend = (
        f"Ask when {show(best)} becomes known. If only with the outcome, exclude it: "
        f'[data.exclude] {best} = "known only afterwards"'
    )
    if area >= _LEAK:
        return result(
            status="issue", detail=f"{seen}; that is rarely possible honestly.", mend=mend
        )
    if area >= _SUSPECT and area - second >= _AHEAD:
        return result(
            status="issue",
            detail=f"{seen}; the next best feature reaches {second:.3f}. A feature this far ahead "
            "is often known only after the decision.",
            mend=mend,
        )
    sure = _sure_values(fit)
    if sure:
        return result(
            status="tip",
            detail=f"One value settles the outcome: {sure}. Rules do that, and leaks.",
            mend="Ask whether it is known when the decision is due; if not, exclude the column",
        )
    return result(status="passed", detail=f"The strongest single feature: {seen}.")


def _sure_values(fit: Dataset) -> str:
    """Name values of features with which an outcome always or never comes, though it should have.

    A value counts when its rows would show the rarer outcome at least 20 times by chance.
    """
    known = fit.outcome >= 0
    positive = (fit.outcome[known] == fit.decision.positive_code).astype(float)
    base = float(positive.mean())
    found = []
    for name in fit.ordinary:
        codes, labels = codes_of(fit.table.column(name))
        if not 2 <= len(labels) <= 50:
            continue
        inside = codes[known]
        n = np.bincount(inside[inside >= 0], minlength=len(labels))
        hits = np.bincount(
            inside[inside >= 0], weights=positive[inside >= 0], minlength=len(labels)
        )
        for k in np.flatnonzero(n * min(base, 1 - base) >= 20):
            if hits[k] in (0, n[k]):
                word = "never" if hits[k] == 0 else "always"
                found.append(
                    f"{show(name)} = {show(labels[k])} ({int(n[k]):,} rows: {word} "
                    f"{show(fit.decision.positive)})"
                )
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return "; ".join(found[:3]) + more


def _leak_by_time(data: Dataset) -> Check:
    result = numbered("PAY-L103", "A feature dated after the decision")
    if data.decision.data.time is None:
        return result(
            status="not_applicable",
            detail="No time column is declared, so order cannot be checked.",
        )
    if not is_temporal(data.table.column(data.decision.data.time).type):
        return result(status="not_applicable", detail="The time column holds numbers, not dates.")
    due = times(data)
    late = {}
    for name in data.features:
        column = data.table.column(name)
        if is_temporal(column.type):
            moment = numbers(moments(column))
            with np.errstate(invalid="ignore"):
                share = float(np.mean(moment > due))
            if share > 0.01:
                late[name] = share
    if late:
        worst = max(late, key=lambda k: late[k])
        return result(
            status="issue",
            detail=f"{listed(late)} lie after the time of the decision ({show(worst)} in "
            f"{percent(late[worst])} of rows).",
            mend="Exclude them in [data.exclude], or correct 'time'",
        )
    return result(status="passed", detail="No dated feature lies after the time of the decision.")


def _missing(fit: Dataset) -> Check:
    result = numbered("PAY-L104", "Missing values")
    shares = {n: _missing_share(fit.table.column(n)) for n in fit.features}
    empty = [n for n, s in shares.items() if s == 1]
    many = [n for n, s in shares.items() if 0.5 < s < 1]
    if empty:
        return result(
            status="tip",
            detail=f"{listed(empty)} hold no value at all in the fit rows.",
            mend="Check the export; the model ignores them",
        )
    if many:
        return result(
            status="tip",
            detail=f"More than half of {listed(many)} is missing.",
            mend="Check that they will be filled when the decision is due",
        )
    worst = max(shares, key=lambda k: shares[k], default=None)
    if worst is None or shares[worst] == 0:
        return result(status="passed", detail="No feature has missing values.")
    return result(
        status="passed", detail=f"At most {percent(shares[worst])} missing ({show(worst)})."
    )


def _missing_share(column: pa.ChunkedArray) -> float:
    if is_numeric(column.type):
        return float(np.mean(np.isnan(numbers(column))))
    return float(column.null_count / max(len(column), 1))


def population_stability(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the population stability index of two vectors of counts (half a row is added to each).

    Examples
    --------
    >>> round(population_stability(np.array([50.0, 50.0]), np.array([50.0, 50.0])), 6)
    0.0
    """
    p = (a + 0.5) / (a + 0.5).sum()
    q = (b + 0.5) / (b + 0.5).sum()
    return float(np.sum((q - p) * np.log(q / p)))


def _binned(fit: pa.ChunkedArray, judge: pa.ChunkedArray) -> tuple[Any, Any]:
    if is_numeric(fit.type) or is_temporal(fit.type):
        if is_temporal(fit.type):
            fit, judge = (moments(c) for c in (fit, judge))
        x, y = numbers(fit), numbers(judge)
        good = x[np.isfinite(x)]
        cuts = np.unique(np.quantile(good, np.linspace(0.1, 0.9, 9))) if len(good) else np.zeros(1)
        codes = [np.where(np.isnan(v), len(cuts) + 1, np.searchsorted(cuts, v)) for v in (x, y)]
        size = len(cuts) + 2
    else:
        both, labels = codes_of(pa.chunked_array([*fit.chunks, *judge.chunks]))
        counts = np.bincount(both[: len(fit)] + 1, minlength=len(labels) + 1)
        top = np.argsort(-counts, kind="stable")[:19]
        place = np.full(len(labels) + 1, 19)
        place[top] = np.arange(len(top))
        codes = [place[both[: len(fit)] + 1], place[both[len(fit) :] + 1]]
        size = 20
    first, second = (np.bincount(c, minlength=size).astype(float) for c in codes)
    return first, second


def _drift(parts: Parts) -> Check:
    result = numbered("PAY-L105", "Drift between the parts")
    shift = {
        name: population_stability(
            *_binned(parts.fit.table.column(name), parts.judge.table.column(name))
        )
        for name in parts.fit.ordinary
    }
    moved = sorted((n for n in shift if shift[n] > _DRIFT), key=lambda n: -shift[n])
    if moved:
        shown = ", ".join(f"{show(n)} {shift[n]:.2f}" for n in moved[:6])
        return result(
            status="issue" if parts.how["method"] == "time" else "tip",
            detail=f"{len(moved)} feature(s) are distributed otherwise in the judging rows than in "
            f"the fit rows (population stability index above {_DRIFT}): {shown}.",
            mend="Expect the same after deployment: retrain often, watch the value, or drop them",
        )
    most = max(shift.values(), default=0.0)
    return result(status="passed", detail=f"Largest population stability index {most:.2f}.")


def _rare_outcomes(parts: Parts) -> Check:
    result = numbered("PAY-L106", "Rare outcomes")
    names = parts.fit.decision.outcome_names
    counts = {
        f"{names[code]} in {part.part}": int(np.sum(part.outcome == code))
        for part in (parts.fit, parts.choose, parts.judge)
        for code in range(len(names))
    }
    rare = {k: n for k, n in counts.items() if n < 100}
    if rare:
        shown = ", ".join(f"{k}: {n}" for k, n in rare.items())
        return result(
            status="tip",
            detail=f"Fewer than 100 rows of {shown}.",
            mend="Collect a longer window; intervals will be wide",
        )
    return result(status="passed", detail=f"At least {min(counts.values()):,} rows of each.")


def _useless(fit: Dataset) -> Check:
    result = numbered("PAY-L107", "Constant features")
    constant = [n for n in fit.features if len(pc.unique(fit.table.column(n)).drop_null()) < 2]
    if constant:
        return result(
            status="tip",
            detail=f"{listed(constant)} have one value in all fit rows.",
            mend="Nothing can be learnt from them; exclude them",
        )
    return result(status="passed", detail="Every feature varies.")


def _identifiers(fit: Dataset) -> Check:
    result = numbered("PAY-L108", "Features that look like identifiers")
    ids = []
    for name in fit.ordinary:
        column = fit.table.column(name)
        whole = pa.types.is_integer(column.type) or pa.types.is_string(column.type)
        distinct = len(pc.unique(column).drop_null())
        if whole and len(fit) >= 50 and distinct > 0.95 * len(fit) and column.null_count == 0:
            ids.append(name)
    if ids:
        return result(
            status="issue",
            detail=f"{listed(ids)} differ in nearly every row, like an id or free text.",
            mend="Declare an id as 'unit_id', or exclude it; nothing general is learnt from it",
        )
    return result(status="passed", detail="No feature differs in every row.")


def _unlabelled(data: Dataset, parts: Parts) -> Check:
    result = numbered("PAY-L109", "Rows whose outcome is not known")
    lost = int(np.sum(data.outcome < 0))
    share = lost / len(data)
    past = data.decision.past
    if past is not None and past.outcomes_known:
        return result(
            status="passed",
            detail=f"{lost:,} rows ({percent(share)}) have no outcome; [past] says under which "
            "actions outcomes were recorded.",
        )
    if share > 0.05:
        return result(
            status="issue",
            detail=f"{lost:,} rows ({percent(share)}) have no outcome and are left out. If "
            "outcomes are known only where somebody acted, the figures hold for those rows only.",
            mend="Wait until outcomes are complete, or say in the brief whom the figures are about",
        )
    return result(status="passed", detail=f"{lost:,} of {len(data):,} rows have no outcome.")


def _blank_money(data: Dataset) -> Check:
    result = numbered("PAY-L110", "Missing values under money")
    later = data.decision.data.known_later
    columns = [c for c in data.decision.payoffs.columns if c not in later]
    if not columns:
        return result(status="not_applicable", detail="No cell reads a column known in time.")
    shares = {c: _missing_share(data.table.column(c)) for c in columns}
    blank = {c: s for c, s in shares.items() if s > 0}
    if blank:
        shown = ", ".join(f"{show(c)} in {percent(s)} of rows" for c, s in blank.items())
        return result(
            status="tip",
            detail=f"Money reads columns that are missing: {shown}. coalesce, least and greatest "
            "skip what is missing; any other expression would stop the run.",
            mend="Say with coalesce(column, value) what a missing value is worth",
        )
    return result(status="passed", detail="Every column that money reads is filled.")
