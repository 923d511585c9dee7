"""Small data sets with a known answer, and odd ones."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa

from payoff.declare import Action, Data, Decision, Outcome, PayoffTable
from payoff.load.dataset import Dataset
from payoff.load.fields import Contract, Field

UTC = datetime.UTC


def decision_of(names=("no", "yes"), payoffs=None, known_later=None):
    table = payoffs or {
        "act": {name: 9 if i else -1 for i, name in enumerate(names)},
        "leave": dict.fromkeys(names, 0),
    }
    return Decision(
        name="trial",
        currency="EUR",
        outcomes=tuple(Outcome(name=n, values=(i,)) for i, n in enumerate(names)),
        actions=(Action(name="act"), Action(name="leave")),
        payoffs=PayoffTable.of(table),
        do_nothing="leave",
        positive=names[-1],
        data=Data(outcome="y", known_later=known_later or {}),
    )


def dataset_of(table, outcome, *, decision=None, weight=None, cluster=None):
    n = table.num_rows
    return Dataset(
        decision=decision or decision_of(),
        table=table,
        part="fit",
        outcome=np.array(outcome, dtype=np.int16),
        weight=np.ones(n) if weight is None else np.array(weight, dtype=np.float64),
        cluster=np.arange(n) if cluster is None else np.array(cluster, dtype=np.int64),
        subgroups={},
        features=tuple(table.column_names),
        fingerprint="0" * 64,
        place=np.arange(table.num_rows),
    )


def contract_of(**types):
    return Contract(fields=tuple(Field(name=n, type=t) for n, t in types.items()))


def planted(n, seed=0, outcomes=2):
    """Rows whose true log-odds are known: a number, a category, a truth, a date and noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    job = rng.choice(["cook", "pilot", "clerk"], size=n)
    flag = rng.random(n) < 0.4
    day = rng.integers(0, 700, size=n)
    z = 1.5 * x + np.where(job == "cook", 1.0, -0.3) + 0.8 * flag - 1.0
    if outcomes == 2:
        y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    else:
        logits = np.stack([np.zeros(n), z, -z + 0.5], axis=1)
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        y = (rng.random(n)[:, None] > p.cumsum(axis=1)).sum(axis=1)
    seen = np.where(rng.random(n) < 0.1, np.nan, x)
    start = datetime.date(2024, 1, 1)
    table = pa.table(
        {
            "x": pa.array(seen, from_pandas=True),
            "job": job,
            "flag": flag,
            "day": [start + datetime.timedelta(days=int(d)) for d in day],
            "noise": rng.normal(size=n),
        }
    )
    fields = contract_of(x="number", job="category", flag="boolean", day="date", noise="number")
    return table, y, fields, z


def odd_table():
    """Every kind of awkward column, 12 rows."""
    n = 12
    zone = datetime.timezone(datetime.timedelta(hours=-5))
    moments = [datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=zone)] + [
        datetime.datetime(2020 + i % 3, 1 + i, 28, i, 30, tzinfo=zone) for i in range(n - 2)
    ]
    many = [f"id{i}" for i in range(n)]
    columns = {
        "plain": pa.array([1.5, None, -0.0, 0.0, 1e308, -1e308, np.inf, -np.inf, np.nan, 3, 4, 5]),
        "whole": pa.array([2**53 + 1, 2**63 - 1, -(2**63), None, *range(8)], pa.int64()),
        "unsigned": pa.array([2**64 - 1, 2**64 - 1025, None, *range(9)], pa.uint64()),
        "single": pa.array([0.1, 1e-45, 3.4e38, None, *range(8)], pa.float32()),
        "money": pa.array(
            [Decimal("0.1"), Decimal("123456789012345678.91"), None] * 4, pa.decimal128(38, 2)
        ),
        "as text": pa.array(["1.5", " 2 ", "1_000", "nan", "inf", "x", "", None, *"1234"]),
        "all missing": pa.nulls(n),
        "constant": pa.array([7.0] * n),
        "truth": pa.array([True, False, None] * 4),
        "truth as text": pa.array(["TRUE", "false", "1", "0", "maybe", None] * 2),
        "job": pa.array(
            ["cook", "", "  ", None, "cook", "pilot", "pilot", "é\u0301", *["cook"] * 4]
        ),
        "codes": pa.array([1.0, 2.0, 2.5, None, np.nan, 1e20, *[1.0] * 6]),
        "dictionary": pa.array(["a", "b", None] * 4).dictionary_encode(),
        "yes or no": pa.array([True, False, None, True] * 3),
        "identifier": pa.array(many),
        "bytes": pa.array([b"a", b"\xff", None] * 4),
        "lists": pa.array([[1], None, [2, 3]] * 4),
        "date": pa.array([datetime.date(1, 1, 1), datetime.date(9999, 12, 31), None] * 4),
        "date64": pa.array([datetime.date(1965, 2, 3), None] * 6, pa.date64()),
        "moment": pa.array([*moments, None], pa.timestamp("us", tz="America/New_York")),
        "naive": pa.array([m.replace(tzinfo=None) for m in moments] + [None], pa.timestamp("s")),
        "date text": pa.array(
            ["2024-02-29", "2024-02-29T23:00:00-05:00", "20240301", "no", "", None] * 2
        ),
        'a"b\n</script>': pa.array([float(i) for i in range(n)]),
        "a": pa.array([float(i % 2) for i in range(n)]),
        "A": pa.array([float(i % 3) for i in range(n)]),
    }
    types = dict.fromkeys(columns, "number")
    types |= {"truth": "boolean", "truth as text": "boolean"}
    types |= dict.fromkeys(
        ["job", "codes", "dictionary", "yes or no", "identifier", "bytes", "lists"], "category"
    )
    types |= dict.fromkeys(["date", "date64", "moment", "naive", "date text"], "date")
    return pa.table(columns), contract_of(**types)
