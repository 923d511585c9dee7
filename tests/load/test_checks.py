"""Numbered checks of the rows: each finds what it is for, and is silent otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from payoff.declare import Action, Data, Decision, Outcome, PayoffTable
from payoff.declare.file import from_toml
from payoff.load.checks import alone, check
from payoff.load.roles import assign
from payoff.load.source import read
from payoff.load.split import split
from tests.bad_input.making import RIGHT, rows

N = 600


def found(code: str, table=None, text=RIGHT, **columns):
    data = assign(read(table if table is not None else rows(N, **columns)), from_toml(text))
    results = {c.code: c for c in check(data, split(data))}
    assert list(results) == CODES
    return results[code]


def with_data(line: str) -> str:
    return RIGHT.replace('outcome = "y"\n', f'outcome = "y"\n{line}\n')


CODES = [f"PAY-L{n}" for n in range(101, 111)]
Y = rows(N)["y"].to_pylist()
HIT = np.array([float(v == "yes") for v in Y])
NOISE = np.random.default_rng(5).normal(size=N)
HALF = np.arange(N) % 2 == 0

FOUND = {
    "L110": (
        "tip",
        {"balance": pa.array([None if v == "no" and k % 9 == 0 else 3.0 for k, v in enumerate(Y)])},
        RIGHT,
    ),
    "L101": ("tip", {"x": np.arange(N) % 50 * 1.0, "job": None, "balance": np.ones(N)}, RIGHT),
    "L102 beyond 0.95": ("issue", {"leak": HIT + NOISE * 0.1}, RIGHT),
    "L102 by absence": ("issue", {"leak": pa.array([1.0 if h else None for h in HIT])}, RIGHT),
    "L102 by word": ("issue", {"leak": pa.array(["paid" if h else "open" for h in HIT])}, RIGHT),
    "L103": (
        "issue",
        {
            "t": pa.array(np.arange(N) * 86_400, pa.timestamp("s")),
            "late": pa.array(np.arange(N) * 86_400 + 9, pa.timestamp("s")),
        },
        with_data('time = "t"'),
    ),
    "L104 empty": ("tip", {"gap": pa.nulls(N)}, RIGHT),
    "L104 half": ("tip", {"gap": pa.array([1.5 if k % 3 == 0 else None for k in range(N)])}, RIGHT),
    "L105": ("issue", {"t": np.arange(N), "moved": np.arange(N) * 1.0}, with_data('time = "t"')),
    "L106": ("tip", {}, RIGHT),
    "L107": ("tip", {"same": np.ones(N)}, RIGHT),
    "L108": ("issue", {"id": pa.array([f"c{k}" for k in range(N)])}, RIGHT),
    "L109": ("issue", {"y": pa.array([None if k % 9 == 0 else v for k, v in enumerate(Y)])}, RIGHT),
}


@pytest.mark.parametrize("name", FOUND)
def test_check_finds_it(name):
    status, columns, text = FOUND[name]
    result = found(f"PAY-{name[:4]}", text=text, **columns)
    assert result.status == status, result
    assert result.mend
    for column in columns:
        if column in ("leak", "late", "gap", "moved", "same", "id"):
            assert column in result.detail


@pytest.mark.parametrize("code", [c for c in CODES if c not in ("PAY-L103", "PAY-L106")])
def test_check_passes_honest_rows(code):
    assert found(code).status == "passed"


def test_dates_before_the_decision_and_many_rows_pass():
    t = pa.array(np.arange(N) * 86_400, pa.timestamp("s"))
    early = pa.array(np.arange(N) * 86_400 - 9, pa.timestamp("s"))
    assert found("PAY-L103", text=with_data('time = "t"'), t=t, early=early).status == "passed"
    assert found("PAY-L103").status == "not_applicable"
    assert found("PAY-L106", rows(2000)).status == "passed"


def test_one_column_alone_is_measured_as_ranks_are():
    from sklearn.metrics import roc_auc_score

    positive = HIT == 1
    for values in (NOISE, NOISE + HIT, np.round(NOISE + HIT)):
        area = roc_auc_score(positive, values)
        got = alone(pa.chunked_array([values]), positive)
        assert got == pytest.approx(max(area, 1 - area))
    many = pa.chunked_array([pa.array([f"c{k}" for k in range(N)])])
    assert alone(many, positive) < 0.6


# ------------------------------------------------------------------------- leaks that are known


def decide(outcome: str, yes, no, **roles) -> Decision:
    return Decision(
        name="known", currency="EUR",
        outcomes=(Outcome(name="yes", values=(yes,)), Outcome(name="no", values=(no,))),
        actions=(Action(name="call"), Action(name="leave")),
        payoffs=PayoffTable.of({"call": {"yes": 9, "no": -1}, "leave": {"yes": 0, "no": 0}}),
        data=Data(outcome=outcome, **roles),
    )  # fmt: skip


def leak(decision, path, n=20_000):
    source = read(path)
    step = max(1, source.table.num_rows // n)
    table = source.table.take(pa.array(np.arange(0, source.table.num_rows, step)))
    data = assign(replace(source, table=table), decision)
    return next(c for c in check(data, split(data)) if c.code == "PAY-L102")


def test_length_of_the_call_is_caught(shared_data):
    path = shared_data / "tabular" / "bank_marketing_additional.parquet"
    names = read(path).table.column_names
    outcome = "y" if "y" in names else names[-1]
    values = sorted(set(read(path).table[outcome].to_pylist()), key=str)
    decision = decide(outcome, values[1], values[0])
    result = leak(decision, path)
    assert result.status == "issue"
    assert "'duration'" in result.detail
    honest = replace(decision, data=replace(decision.data, exclude={"duration": "known later"}))
    assert "'duration'" not in leak(honest, path).detail


def test_the_gift_itself_is_caught(shared_data):
    path = shared_data / "tabular" / "kdd98_donor.parquet"
    table = read(path).table
    outcome, amount = "Donate", "Donation.Amount"
    values = sorted(set(table[outcome].to_pylist()), key=str)
    result = leak(decide(outcome, values[1], values[0]), path, n=4000)
    assert result.status == "issue"
    assert amount in result.detail
    honest = decide(outcome, values[1], values[0], exclude={amount: "arrives with the answer"})
    assert amount not in leak(honest, path, n=4000).detail
