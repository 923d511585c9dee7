"""Routes, their answers, and the one error body for hostile requests."""

from __future__ import annotations

import json
import re

import pytest

from payoff.errors import BundleError, EnvironmentError_
from payoff.load.fields import Field
from tests.serve.asking import client_of, post, refused
from tests.serve.fakes import FIELDS, ROW, FakeBundle, KeptLog
from tests.serve.test_wire import MALFORMED, UNFIT


@pytest.fixture(scope="module")
def client():
    return client_of()


# ---------------------------------------------------------------------------------- answers


def test_one_row_is_answered(client):
    response = client.post("/decide", json={**ROW, "customer": "c-7"})
    assert response.status_code == 200
    body = response.json()
    [decision] = body.pop("decisions")
    assert body == {"bundle_id": "f" * 64, "decision": "calls", "currency": "EUR"}
    assert re.fullmatch("[0-9a-f]{32}", decision.pop("id"))
    assert decision == {
        "unit_id": "c-7",
        "action": "call",
        "action_label": "Call them",
        "probabilities": {"yes": 0.5, "no": 0.5},
        "expected_money": {"call": 5.0, "leave": 0.0},
        "warnings": [],
    }


def test_a_row_unlike_those_learnt_from_is_decided_with_a_warning(client):
    decided = client.post("/decide", json={"amount": 10**9}).json()["decisions"][0]
    assert decided["action"] == "call"
    assert any("'amount' = 1000000000 lies outside" in w for w in decided["warnings"])


def test_many_rows_have_the_shape_of_one_and_their_order(client):
    rows = [{"amount": amount} for amount in (100, 2, 30)]
    one = client.post("/decide", json=rows[0]).json()
    many = client.post("/decide", json={"rows": rows}).json()
    assert many.keys() == one.keys()
    assert many["decisions"][0].keys() == one["decisions"][0].keys()
    assert [d["action"] for d in many["decisions"]] == ["call", "leave", "call"]
    assert len({d["id"] for d in many["decisions"]}) == 3


def test_a_field_named_rows_is_sent_in_a_batch():
    bundle = FakeBundle(fields=(*FIELDS, Field(name="rows", type="number")))
    answer = client_of(bundle).post("/decide", json={"rows": [{**ROW, "rows": 3}]})
    assert answer.status_code == 200


def test_health(client):
    assert client.get("/livez").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {
        "status": "ready",
        "bundle_id": "f" * 64,
        "decision": "calls",
        "durable_log": False,
    }
    assert client_of(log=KeptLog()).get("/readyz").json()["durable_log"] is True


# ----------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("name", MALFORMED)
def test_hostile_body(client, name):
    error = refused(post(client, MALFORMED[name][0]), 422, "PAY-S002")
    assert error["problems"] == []


@pytest.mark.parametrize("name", UNFIT)
def test_hostile_value(client, name):
    error = refused(post(client, UNFIT[name][0]), 422, "PAY-S001")
    assert len(error["problems"]) == 1


@pytest.mark.parametrize(
    ("path", "methods", "allow"),
    [
        ("/decide", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"], "POST"),
        ("/livez", ["POST", "DELETE", "OPTIONS"], "GET, HEAD"),
        ("/readyz", ["POST"], "GET, HEAD"),
        ("/openapi.json", ["POST"], "GET, HEAD"),
        ("/", ["POST", "PUT"], "GET, HEAD"),
    ],
)
def test_wrong_method(client, path, methods, allow):
    for method in methods:
        response = client.request(method, path)
        refused(response, 405, "PAY-S004")
        assert response.headers["allow"] == allow


@pytest.mark.parametrize(
    "path",
    [
        "/decide/",
        "/Decide",
        "/admin",
        "/..%2f..%2fetc%2fpasswd",
        "/%00",
        "/" + "a" * 3000,
        "/x?y=1",
    ],
)
def test_unknown_path(client, path):
    error = refused(client.get(path, follow_redirects=False), 404, "PAY-S003")
    assert len(error["got"]) < 200


def test_wrong_content_type(client):
    refused(client.post("/decide", data={"age": "1"}), 415, "PAY-S007")
    refused(client.post("/decide", content=b"{}"), 415, "PAY-S007")
    refused(post(client, b"\x1f\x8b", **{"content-encoding": "gzip"}), 415, "PAY-S007")


@pytest.mark.parametrize("size", [1001, 5000, 100_000])
def test_too_many_bytes(size):
    client = client_of(max_body=1000)
    refused(post(client, b" " * size), 413, "PAY-S005")
    parts = (b" " * 100 for _ in range(size // 100 + 1))  # sent in chunks, with no length
    response = post(client, parts)
    refused(response, 413, "PAY-S005")
    assert response.headers["connection"] == "close"


def test_a_body_of_exactly_the_limit_is_read():
    body = b'{"amount": 30}'
    assert post(client_of(max_body=len(body)), body).status_code == 200


def test_a_lie_about_the_length(client):
    refused(post(client, b"{}", **{"content-length": "9" * 5000}), 413, "PAY-S005")


def test_too_many_rows():
    client = client_of(max_rows=2)
    refused(client.post("/decide", json={"rows": [ROW] * 3}), 413, "PAY-S006")
    assert client.post("/decide", json={"rows": [ROW] * 2}).status_code == 200


def test_contract_problems_are_all_listed(client):
    rows = [
        {"amount": 1, "age": "old", "jbo": "cook"},
        {"age": 3},
        {"amount": True, "since": "yesterday", "member": "yes", "customer": 1.5},
    ]
    error = refused(client.post("/decide", json={"rows": rows}), 422, "PAY-S001")
    found = {(p["row"], p["field"]) for p in error["problems"]}
    assert found == {
        (0, "age"), (0, "jbo"), (1, "amount"),
        (2, "amount"), (2, "since"), (2, "member"), (2, "customer"),
    }  # fmt: skip
    slip = next(p for p in error["problems"] if p["field"] == "jbo")
    assert slip["mend"] == "Did you mean 'job'?"
    assert error["got"] == "7 problems"


def test_a_row_with_only_an_id_is_no_row():
    fields = tuple(f for f in FIELDS if not f.required)
    client = client_of(FakeBundle(fields=fields))
    error = refused(client.post("/decide", json={"customer": "c-7"}), 422, "PAY-S001")
    assert [p["field"] for p in error["problems"]] == [None]


@pytest.mark.parametrize("unit_id", ["x" * 201, 1.5, True, [1]])
def test_an_id_is_short_text_or_a_whole_number(client, unit_id):
    response = client.post("/decide", json={**ROW, "customer": unit_id})
    assert refused(response, 422, "PAY-S001")["problems"][0]["field"] == "customer"


def test_thousands_of_unknown_fields_are_refused_quickly(client):
    row = {f"age{i}": 1 for i in range(20_000)}
    error = refused(client.post("/decide", json=row), 422, "PAY-S001")
    assert len(error["problems"]) == 100


def test_without_a_unit_column_an_id_is_an_unknown_field():
    from payoff.declare import Data

    client = client_of(FakeBundle(data=Data(outcome="y")))
    assert client.post("/decide", json=ROW).json()["decisions"][0]["unit_id"] is None
    refused(client.post("/decide", json={**ROW, "customer": "c"}), 422, "PAY-S001")


def test_missing_money_is_the_requests_fault(client):
    error = refused(client.post("/decide", json={**ROW, "amount": -3}), 400, "PAY-L010")
    assert "payoffs.call.yes" in error["where"]


@pytest.mark.parametrize(
    "failure",
    [
        KeyError("secret-value"),
        RecursionError("secret-value"),
        MemoryError("secret-value"),
        BundleError.lacks("/secret-value", "model", "secret-value"),
        EnvironmentError_.missing_extra("secret-value", "onnx", "to score"),
    ],
)
def test_a_fault_of_the_server_tells_the_client_nothing(failure):
    events = []
    client = client_of(FakeBundle(failure=failure), events)
    response = client.post("/decide", json=ROW)
    error = refused(response, 500, "PAY-S010")
    assert "secret" not in response.text
    fault = next(e for e in events if e["event"] == "fault")
    assert fault["type"] == type(failure).__name__
    assert fault["request_id"] == error["request_id"]
    assert any("fakes:" in frame for frame in fault["frames"])
    assert "secret" not in json.dumps(events)


def test_money_that_is_no_number_is_a_fault_and_not_an_answer():
    bundle = FakeBundle()
    bundle._one = lambda _: {
        "action": "call",
        "probabilities": {"yes": float("nan"), "no": 0.5},
        "expected_money": {"call": float("inf"), "leave": 0.0},
    }
    refused(client_of(bundle).post("/decide", json=ROW), 500, "PAY-S010")


def test_a_bundle_that_loses_rows_is_a_fault():
    bundle = FakeBundle()
    bundle.decide = lambda rows: []
    refused(client_of(bundle).post("/decide", json=ROW), 500, "PAY-S010")
