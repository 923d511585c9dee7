"""The service of a bundle that recommends: answers, failures, its document and its page."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from payoff.bundle import RecommendBundle
from payoff.serve.list_app import create_list_app
from payoff.store import SqliteLog
from payoff.store.retention import erase
from payoff.store.verifying import verify
from tests import shops
from tests.serve.asking import JSON, refused, validate


class Keeping:
    durable = True

    def __init__(self, *, fails=False):
        self.entries, self.fails = [], fails

    def record(self, entries):
        if self.fails:
            raise OSError("the disk is full")
        self.entries += entries


def client_of(bundle, **settings):
    return TestClient(create_list_app(bundle, clock=lambda: 1.5, **settings))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    text = shops.DECISION.replace("length = 5", "length = 5\nexplore = 0.5")
    folder = shops.bundle_of(
        tmp_path_factory.mktemp("shop") / "b", "ease", decision=shops.from_toml(text)
    )
    return RecommendBundle.open(folder)


@pytest.fixture(scope="module")
def client(bundle):
    return client_of(bundle, journal=lambda _: None)


def post(client, question):
    body = question if isinstance(question, bytes) else json.dumps(question)
    return client.post("/recommend", content=body, headers=JSON)


QUESTIONS = {
    "user": {"user": "u1"},
    "stranger": {"user": "nobody", "k": 3},
    "nobody": {},
    "session": {"session": ["i4", "zz", 5]},
    "both": {"user": "u1", "session": ["i4"], "exclude": ["i2"]},
    "item": {"item": "i4", "k": 2},
    "rules": {"user": "u2", "filter": "price > 3", "at_most": {"brand": 1}, "only": None},
    "nothing left": {"only": []},
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_answers_are_the_bundles_and_fit_the_document(name, bundle, client):
    response = post(client, QUESTIONS[name])
    assert response.status_code == 200, response.text
    found = response.json()
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    validate(document, schemas["Question"], QUESTIONS[name])
    validate(document, schemas["List"], found)
    again = bundle.recommend(list_id=found["list_id"], **QUESTIONS[name])
    assert found == {"bundle_id": bundle.id, "decision": "front page", **again}


def test_the_document_is_a_good_schema_of_every_route(client):
    document = client.get("/openapi.json").json()
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    routes = {"/", "/decisions/{id}", "/livez", "/openapi.json", "/readyz", "/recommend"}
    assert set(document["paths"]) == routes
    for ref in re.findall(r'"#/components/(\w+)/(\w+)"', json.dumps(document)):
        assert ref[1] in document["components"][ref[0]]


@pytest.mark.parametrize(
    ("question", "status", "code"),
    [
        ({"k": 0}, 422, "PAY-S001"),
        ({"usr": "u1"}, 422, "PAY-S001"),
        ({"item": "nothing like it"}, 422, "PAY-S001"),
        ({"at_most": {"colour": 1}}, 422, "PAY-S001"),
        ({"filter": "colour = 'red'"}, 400, "PAY-D053"),
        ({"filter": "price <"}, 400, "PAY-D051"),
        (b"[1]", 422, "PAY-S002"),
        (b'{"k": NaN}', 422, "PAY-S002"),
        (b'{"k": 99999999999999999999999}', 422, "PAY-S001"),
        (b"", 422, "PAY-S002"),
    ],
)
def test_bad_questions_are_told(question, status, code, client):
    refused(post(client, question), status, code)


def test_other_failures_have_the_same_body(client, bundle):
    found = refused(client.post("/decide", content="{}", headers=JSON), 404, "PAY-S003")
    assert "/recommend" in found["need"]
    refused(client.get("/recommend"), 405, "PAY-S004")
    refused(client.post("/recommend", content="{}"), 415, "PAY-S007")
    small = client_of(bundle, max_body=100, journal=lambda _: None)
    refused(post(small, {"user": "u" * 150}), 413, "PAY-S005")


def test_a_list_is_recorded_before_it_is_answered(bundle):
    log = Keeping()
    found = post(client_of(bundle, log=log, journal=lambda _: None), {"user": "u1"}).json()
    [entry] = log.entries
    assert (entry.id, entry.row, entry.at) == (found["list_id"], {"user": "u1"}, 1.5)
    assert entry.answer == found
    assert {"propensity", "item"} <= set(entry.answer["items"][0])
    events = []
    full = client_of(bundle, log=Keeping(fails=True), journal=events.append)
    refused(post(full, {"user": "u1"}), 503, "PAY-S009")
    assert [e["event"] for e in events] == ["log_refused", "request"]


def test_no_line_of_the_log_holds_an_id(bundle):
    events = []
    post(client_of(bundle, journal=events.append), {"user": "u1"})
    assert "u1" not in json.dumps([{**e, "request_id": ""} for e in events])


def test_health(client, bundle):
    assert client.get("/livez").json() == {"status": "alive"}
    ready = client.get("/readyz").json()
    assert (ready["bundle_id"], ready["durable_log"]) == (bundle.id, False)


def test_the_page_shows_foreign_names_as_text(tmp_path):
    text = shops.DECISION.replace('name = "front page"', 'name = "x"\ntitle = "<b>front</b>"')
    odd = shops.items()
    table = odd.attributes.rename_columns(["sku", "<i>", "brand", "price", "story", "tags"])
    folder = shops.bundle_of(
        tmp_path / "b",
        decision=shops.from_toml(text),
        items=type(odd)(labels=odd.labels, attributes=table),
    )
    response = client_of(RecommendBundle.open(folder), journal=lambda _: None).get("/")
    assert "<b>front" not in response.text
    assert "<i>" not in response.text
    assert "&lt;i&gt;" in response.text
    policy = response.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "form-action 'none'" in policy


def test_a_list_is_kept_on_disk_and_given_again(bundle, tmp_path):
    path = tmp_path / "decisions.sqlite"
    with SqliteLog(path) as log:
        client = client_of(bundle, log=log, journal=lambda _: None)
        key = {"idempotency-key": "k"}
        first = client.post("/recommend", json={"user": "u1", "k": 2}, headers=key)
        assert first.status_code == 200
        again = client.post("/recommend", json={"user": "u1", "k": 2}, headers=key)
        assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
        list_id = first.json()["list_id"]
        kept = client.get(f"/decisions/{list_id}").json()
        assert (kept["answer"], kept["row"]["user"]) == (first.json(), "u1")
        assert verify(path).entries == 1
        assert erase(path, unit="u1", at=2.0).erased == 1
        assert client.get(f"/decisions/{list_id}").status_code == 410
