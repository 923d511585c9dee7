"""Rows get their part: fit, choose or judge, each row in exactly one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from payoff.declare import PARTS, Decision
from payoff.errors import DataError, counted, show
from payoff.load.contract import learn
from payoff.load.dataset import Dataset, Parts
from payoff.load.frame import codes_of, is_numeric, is_temporal, moments
from payoff.load.text.together import LEFT_OUT, exposed, twin_record, with_twins
from payoff.rng import generator

__all__ = ["describe_part", "judgeable", "split", "times"]

_FEWEST: Final = {"fit": 40, "choose": 20, "judge": 20}


def split(data: Dataset) -> Parts:
    """Split rows by the declared method; rows whose outcome is not known take no part.

    ``auto`` takes the part column when there is one, else time, else clusters, else chance
    (stratified by outcome). Rows of one moment, and rows of one cluster, stay together.

    Documents that are near copies stay in one part too, unless ``text.twins`` is ``"ignore"``. When
    time decides, a row whose twin stands in an earlier part is left out instead, because moving it
    would put the future among the rows learnt from; a declared part column is obeyed.

    Raises
    ------
    DataError
        ``PAY-L008`` one outcome in a part, ``PAY-L009`` too few rows, ``PAY-L006`` unusable time.
    """
    decision = data.decision
    known = np.flatnonzero(judgeable(data))
    usable = known[data.weight[known] > 0]
    dropped: list[dict[str, Any]] = []
    if len(known) < len(data):
        dropped.append({"reason": _why_not(data), "n": len(data) - len(known)})
    if len(usable) < len(known):
        dropped.append({"reason": "the weight is 0", "n": len(known) - len(usable)})
    method, reason = _method(decision)
    if method == "time":
        timed = ~np.isnan(times(data)[usable])
        if not timed.all():
            dropped.append({"reason": "the time is missing", "n": int((~timed).sum())})
            usable = usable[timed]
    elif method == "column":
        codes, _ = codes_of(data.table.column(str(decision.data.part)))
        assigned = codes[usable] >= 0
        if not assigned.all():
            dropped.append({"reason": "the part is not given", "n": int((~assigned).sum())})
            usable = usable[assigned]
    rows = data.take(usable, "all")
    if len(rows.leading) < sum(_FEWEST.values()):
        raise DataError.too_few(
            "usable rows" if data.document is None else "usable documents",
            len(rows.leading),
            sum(_FEWEST.values()),
            "Collect more rows; below this nothing can be fitted and judged on separate rows",
            f"{counted(len(data), 'row')}"
            + "".join(f", of which {d['n']:,} are left out: {d['reason']}" for d in dropped),
        )
    compared = with_twins(rows) if decision.data.text else rows
    rows, part, twins = _with_twins(rows, compared, method, dropped)
    # Where nothing was random, rows without an outcome are judged within bounds, and not learnt.
    past = decision.past
    learnt = (rows.outcome >= 0) | (past is not None and not past.selected)
    taken = {
        name: rows.take((part == number) & (learnt | (name != "fit")), name)
        for number, name in enumerate(PARTS)
    }
    unused = int(np.sum((part == PARTS.index("fit")) & ~learnt))
    if unused:
        dropped.append({"reason": "nothing can be learnt without an outcome", "n": unused})
    for name, one in taken.items():
        _check_part(one, name, f"split by {method}{_by(decision, method)}")
    return Parts(
        **taken,
        contract=learn(taken["fit"]),
        twins=compared.twins,
        how={
            "method": method,
            "reason": reason,
            "parts": {name: describe_part(one) for name, one in taken.items()},
            **({"twins": twins} if twins else {}),
        },
        dropped=tuple(dropped),
    )


def _with_twins(
    data: Dataset, compared: Dataset, method: str, dropped: list[dict[str, Any]]
) -> tuple[Dataset, NDArray[np.int8], dict[str, Any]]:
    """Give each row its part, twins together; return rows, parts and what is said of twins.

    ``compared`` are the rows with the twin groups of their documents; the rows where none has any.
    """
    otherwise = _parts(data, method)
    if not data.decision.data.text:
        return data, otherwise, {}
    if data.decision.text.twins == "ignore":
        compared = replace(compared, cluster=data.cluster)
        return compared, otherwise, twin_record(compared, otherwise, otherwise, 0)
    if method in ("random", "cluster"):
        part = _parts(compared, method)
        return compared, part, twin_record(compared, part, otherwise, 0)
    late = exposed(otherwise, np.asarray(compared.twins))
    if method == "column" or not late.any():
        return compared, otherwise, twin_record(compared, otherwise, otherwise, 0)
    dropped.append({"reason": LEFT_OUT, "n": int(late.sum())})
    record = twin_record(compared, otherwise, otherwise, int(late[compared.leading].sum()))
    return compared.take(~late, "all"), otherwise[~late], record


def judgeable(data: Dataset) -> NDArray[np.bool_]:
    """Return which rows take part: their outcome is known, or ``[past]`` says why it is not."""
    known = data.outcome >= 0
    past = data.decision.past
    if past is None or data.logged is None:
        return known
    taken = data.logged.taken
    if not past.outcomes_known:
        return known & (taken >= 0)
    places = [data.decision.action_names.index(a) for a in past.outcomes_known]
    return (taken >= 0) & (known | ~np.isin(taken, places))


def _why_not(data: Dataset) -> str:
    past = data.decision.past
    if past is None:
        return "the outcome is not known yet"
    return "the outcome is not known yet, or the action taken is not recorded"


def _by(decision: Decision, method: str) -> str:
    data = decision.data
    column = {"time": data.time, "cluster": data.cluster, "column": data.part}.get(method)
    return f" {column}" if column and method == "column" else f", column {column}" if column else ""


def _method(decision: Decision) -> tuple[str, str]:
    data, method = decision.data, decision.split.method
    if data.part is not None:
        return "column", f"the column {data.part!r} says which part each row belongs to"
    if method == "auto":
        method = "time" if data.time else "cluster" if data.cluster else "random"
    if method == "time" and data.time is None:
        raise DataError.missing_column("", "the time (split.method is 'time')", [], "key data.time")
    if method == "cluster" and data.cluster is None:
        raise DataError.missing_column(
            "", "the cluster (split.method is 'cluster')", [], "key data.cluster"
        )
    reasons = {
        "time": "the model will decide about the future, so the latest rows judge it",
        "cluster": "rows of one cluster resemble each other, so a cluster is never on both sides",
        "random": "no time or cluster column is declared, so chance decides; "
        "the judging rows are of the same days as the rows learnt from",
    }
    return method, reasons[method]


def times(data: Dataset) -> NDArray[np.float64]:
    """Return the time of each row as a number that orders rows, NaN where it is missing."""
    name = str(data.decision.data.time)
    column = data.table.column(name)
    if is_temporal(column.type):
        values = pc.cast(moments(column), pa.float64(), safe=False).to_numpy()
    elif is_numeric(column.type):
        values = pc.cast(column, pa.float64(), safe=False).to_numpy()
    else:
        first = column.drop_null()
        example = f"such as {show(first[0].as_py())}" if len(first) else "all missing"
        raise DataError.bad_column(
            name,
            "the time",
            f"values of type {column.type}, {example}",
            "dates, or numbers that rise with time",
            "Write dates as 2026-11-23, or as 2026-11-23T10:30:00",
        )
    return np.asarray(values, dtype=np.float64)


def _parts(data: Dataset, method: str) -> NDArray[np.int8]:
    split_ = data.decision.split
    shares = np.array([split_.fit, split_.choose, split_.judge])
    limits = np.cumsum(shares)[:2]
    if method == "column":
        return _from_column(data)
    if method == "time":
        _, moment, counts = np.unique(times(data), return_inverse=True, return_counts=True)
        middle = (np.cumsum(counts) - counts / 2) / len(
            data
        )  # a moment goes where its middle falls
        return np.searchsorted(limits, middle, side="right").astype(np.int8)[moment]
    rng = generator(data.decision.training.seed, "split")
    if method == "cluster":
        return _dealt(np.bincount(data.cluster), limits, rng)[data.cluster]
    strata = data.outcome.astype(np.int64)
    if data.logged is not None:
        strata = strata * 1000 + data.logged.taken
    apart = (data.twins is None and data.document is None) or not data.clustered
    unit = np.arange(len(data)) if apart else data.cluster  # twins go with the first of them
    leading = strata[np.unique(unit, return_index=True)[1]]
    sizes = np.bincount(unit)
    out = np.empty(len(sizes), dtype=np.int8)
    for code in np.unique(leading):  # the same shares of outcomes (and past actions) in each part
        out[leading == code] = _dealt(sizes[leading == code], limits, rng)
    return out[unit]


def _dealt(
    sizes: NDArray[np.int64], limits: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int8]:
    """Deal groups by chance; each goes where the middle of its rows falls."""
    order = rng.permutation(len(sizes))
    dealt = sizes[order]
    middle = (np.cumsum(dealt) - dealt / 2) / dealt.sum()
    part = np.empty(len(sizes), dtype=np.int8)
    part[order] = np.searchsorted(limits, middle, side="right")
    return part


def _from_column(data: Dataset) -> NDArray[np.int8]:
    name = str(data.decision.data.part)
    codes, labels = codes_of(data.table.column(name))
    strange = [label for label in labels if label not in PARTS]
    if strange:
        raise DataError.bad_column(
            name, "the part", f"values such as {show(strange[0])}", "'fit', 'choose' or 'judge'"
        )
    return np.array([PARTS.index(label) for label in labels], dtype=np.int8)[codes]


def _check_part(part: Dataset, name: str, how: str) -> None:
    if len(part.leading) < _FEWEST[name]:
        mend = "Collect more rows, or give this part a larger share in [split]"
        if how.startswith(("split by time", "split by cluster")):
            mend += "; rows of one moment, and rows of one cluster, stay in one part"
        what = "rows" if part.document is None else "documents"
        raise DataError.too_few(
            f"{what} in the part {name!r}", len(part.leading), _FEWEST[name], mend, how
        )
    seen = np.unique(part.outcome[part.outcome >= 0])
    if not len(seen):
        raise DataError.empty(f"the {name} rows", "no row whose outcome is known")
    if len(seen) < 2:
        raise DataError.one_class(part.decision.outcome_names[seen[0]], len(part), name)


def describe_part(part: Dataset) -> dict[str, Any]:
    """Return rows, first and last time, and outcome shares of one part, ready for JSON."""
    decision = part.decision
    known = part.outcome >= 0
    weight = part.weight[known]
    sums = np.bincount(part.outcome[known], weights=weight, minlength=len(decision.outcomes))
    first = last = None
    if decision.data.time is not None and decision.data.time in part.table.column_names:
        ends = pc.min_max(part.table.column(decision.data.time)).as_py()
        first, last = str(ends["min"]), str(ends["max"])
    total = weight.sum()
    return {
        "n": len(part),
        "n_clusters": int(part.cluster.max()) + 1 if len(part) else 0,
        "first": first,
        "last": last,
        "outcome_share": {
            name: float(s / total) if total else 0.0
            for name, s in zip(decision.outcome_names, sums, strict=True)
        },
    }
