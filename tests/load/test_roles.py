"""Columns take their roles: weights, clusters, subgroups, features."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from payoff.declare.file import from_toml
from payoff.load.contract import learn
from payoff.load.fields import Contract
from payoff.load.roles import assign
from payoff.load.source import read
from payoff.load.split import split
from tests.bad_input.making import RIGHT, rows

N = 240


def data_of(text=RIGHT, **columns):
    return assign(read(rows(N, **columns)), from_toml(text))


def groups(more: str, **columns):
    return data_of(RIGHT + more, **columns).subgroups


def test_bands_hold_their_lower_limit():
    age = pa.array([29.0, 30.0, 44.9, 45.0, None, 99.0] * 40)
    labels, codes = groups('\n[[subgroups]]\ncolumn = "age"\nbands = [30, 45]\n', age=age)["age"]
    assert labels == ("below 30", "30 to below 45", "45 and over")
    assert codes[:6].tolist() == [0, 1, 1, 2, -1, 2]


def test_numbers_of_many_values_are_cut_by_quartiles():
    labels, codes = groups('\n[[subgroups]]\ncolumn = "x"\n')["x"]
    assert len(labels) == 4
    assert np.bincount(codes).tolist() == [60, 60, 60, 60]


def test_few_numbers_are_groups_of_their_own():
    labels, _ = groups('\n[[subgroups]]\ncolumn = "few"\n', few=np.arange(N) % 3)["few"]
    assert labels == ("0", "1", "2")


def test_groups_beyond_thirty_are_one():
    many = pa.array([f"g{k % 100:02d}" if k > 120 else "big" for k in range(N)])
    labels, codes = groups('\n[[subgroups]]\ncolumn = "g"\n', g=many)["g"]
    assert len(labels) == 30
    assert labels[-1].startswith("all others (")
    assert codes.min() >= 0
    assert len(np.unique(codes)) == 30


def test_intersections_hold_only_pairs_that_occur():
    a = np.array(["p", "q"] * 120)
    b = np.array(["u", "v", "w"] * 80)
    more = "".join(f'\n[[subgroups]]\ncolumn = "{c}"\n' for c in "ab")
    more += '\n[[subgroups]]\nname = "both"\nintersect = ["a", "b"]\n'
    labels, codes = groups(more, a=a, b=b)["both"]
    for row in range(12):
        assert labels[codes[row]] == f"{a[row]}, {b[row]}"
    assert len(labels) == 6


def test_features_are_what_has_no_other_role():
    lines = 'outcome = "y"\nunit_id = "id"\ntime = "t"\nweight = "w"\ncluster = "c"\n'
    text = RIGHT.replace('outcome = "y"\n', lines) + '\n[data.exclude]\njob = "law"\n'
    k = np.arange(N)
    data = data_of(text, id=k, t=k, w=k + 1.0, c=k // 2, extra=k * 1.0)
    assert data.features == ("x", "balance", "extra")
    assert data.weight[:3].tolist() == [1, 2, 3]
    assert data.cluster[:4].tolist() == [0, 0, 1, 1]


def test_declared_features_and_their_order_are_kept():
    text = RIGHT.replace('outcome = "y"\n', 'outcome = "y"\nfeatures = ["job", "x"]\n')
    assert data_of(text).features == ("job", "x")


def test_contract_survives_json_and_finds_what_is_wrong():
    data = data_of(
        flag=pa.array([True, False] * 120), day=pa.array(range(N), pa.date32()),
        gap=pa.array([None, 1.0] * 120),
    )  # fmt: skip
    contract = learn(split(data).fit)
    assert Contract.from_dict(contract.to_dict()) == contract
    types = {f.name: f.type for f in contract.fields}
    assert types == {"x": "number", "job": "category", "balance": "number", "flag": "boolean",
                     "day": "date", "gap": "number"}  # fmt: skip
    good = {"x": 1, "job": "cook", "balance": 2.0, "flag": True, "day": "2026-01-02", "gap": None}
    assert contract.problems(good) == []
    assert contract.problems({"balance": 1}) == []
    wrong = {
        "x": "1", "job": ["a"], "balance": None, "flag": 1, "day": "02/01/2026",
        "gap": float("nan"), "jobs": 1,
    }  # fmt: skip
    problems = contract.problems(wrong, 3)
    assert {p["field"] for p in problems} == {*wrong}
    assert all(p["row"] == 3 and p["got"] and p["need"] and p["mend"] for p in problems)
    assert len(contract.check([wrong] * 50)) == 100
    for value in (True, 1e400, 10**400, float("inf")):
        assert contract.problems({**good, "x": value})[0]["field"] == "x"
