"""Limits and constraints of groups from the file to the served answer."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from payoff.bundle import Bundle
from payoff.declare import Constraint, Data, Limit, Subgroup
from payoff.errors import EvidenceError
from payoff.workflow import judge_predictions, run
from tests.serve.asking import client_of, post, refused
from tests.workflow.test_training import decision, planted

STUDENTS = Limit(
    name="desk", label="Students' desk", actions={"call": 1.0}, share=0.2, subgroup="job",
    group="student", resource="call",
)  # fmt: skip
CLERKS = Constraint(name="clerks", kind="floor", share=0.6, subgroup="job", group="clerk")


def limited(**more):
    made = decision()
    return dataclasses.replace(
        made,
        data=dataclasses.replace(made.data, features=("amount", "noise")),
        **{"limits": (STUDENTS,), "constraints": (CLERKS,), **more},
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    table = planted(np.random.default_rng(11), 3000)
    return table, run(limited(), table, out=tmp_path_factory.mktemp("limited") / "b")


def test_the_bundle_decides_a_row_as_the_policy_would_in_its_group(made):
    table, found = made
    bundle = Bundle.open(found.folder)
    assert {f.name: (f.role, f.required) for f in bundle.contract.fields}["job"] == (
        "subgroup", True,
    )  # fmt: skip
    desk, clerks = bundle.policy.bounds
    assert set(desk.prices) == {"student"}
    assert desk.prices["student"] > 0 > clerks.prices["clerk"]
    rows = table.slice(0, 200).to_pylist()
    answers = bundle.decide([{k: v for k, v in row.items() if k != "y"} for row in rows])
    price = {"student": desk.prices["student"], "clerk": clerks.prices["clerk"], "retired": 0.0}
    for row, answer in zip(rows, answers, strict=True):
        money = answer["expected_money"]
        acts = money["call"] - price[row["job"]] > money["leave"]
        assert answer["action"] == ("call" if acts else "leave")
    assert {a["action"] for a in answers} == {"call", "leave"}


def test_the_server_asks_for_the_group(made):
    client = client_of(Bundle.open(made[1].folder))
    row = {"amount": 40.0, "noise": 0.0}
    response = post(client, json.dumps({"rows": [row]}))
    assert refused(response, 422, "PAY-S001")["problems"][0]["field"] == "job"
    assert "limits and constraints of groups" in client.get("/openapi.json").text
    assert post(client, json.dumps({"rows": [{**row, "job": "student"}]})).status_code == 200
    pilot = json.dumps({"rows": [{**row, "job": "pilot"}]})
    assert post(client, pilot).status_code == 200  # a group not seen pays no price


def test_the_evidence_speaks_of_both(made):
    evidence = made[1].evidence
    assert [(c["name"], c["group"]) for c in evidence.capacity] == [("desk", "student")]
    assert [c["name"] for c in evidence.constraints] == ["clerks"]
    page = (made[1].folder / "report.html").read_text(encoding="utf-8")
    assert "Students&#39; desk" in page or "Students' desk" in page
    assert "Constraints, and what keeping each costs" in page
    assert all(not p.name.startswith("without:") for p in evidence.policies)


def test_predictions_made_elsewhere_are_held_to_the_same(made):
    table = made[0].append_column("y_prob", [np.where(
        np.array(made[0].column("job").to_pylist()) == "student", 0.5, 0.05)])  # fmt: skip
    evidence = judge_predictions(limited(), table)
    (desk,) = evidence.capacity
    assert desk["used_share"] <= 0.2 + 1e-9
    assert evidence.constraints[0]["state"] in ("met", "within")
    assert evidence.constraints[0]["price"]["value"] is not None
    actions = table.append_column("action", [["call", "leave"] * (len(table) // 2)])
    taken = judge_predictions(limited(), actions, action="action")
    assert "not_measured" in taken.constraints[0]["price"]
    assert taken.capacity[0]["used_share"] == pytest.approx(0.5, abs=0.05)
    assert taken.capacity[0]["shadow_price"] is None


def test_what_cannot_hold_is_refused_before_anything_is_written(tmp_path):
    table = planted(np.random.default_rng(3), 600)
    floor = dataclasses.replace(CLERKS, group="student", share=0.9)
    with pytest.raises(EvidenceError, match=r"PAY-E022.*'desk'.*'clerks'"):
        run(limited(constraints=(floor,)), table, out=tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_groups_without_bands_are_refused_by_a_plain_message():
    table = planted(np.random.default_rng(3), 600)
    made = limited(
        subgroups=(Subgroup(name="size", column="amount"),), constraints=(),
        limits=(dataclasses.replace(STUDENTS, subgroup="size", group=None),),
    )  # fmt: skip
    with pytest.raises(EvidenceError, match=r"PAY-E023.*bands"):
        run(dataclasses.replace(made, data=Data(outcome="y")), table)
