"""The OpenAPI document and the page: valid, honest about the contract, safe against names."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from html.parser import HTMLParser

import pytest
from jsonschema import Draft202012Validator

from payoff.load.fields import Contract, Field
from payoff.serve.document import openapi, sample
from payoff.serve.page import POLICY, origin_of, page
from tests.serve.asking import client_of, validate
from tests.serve.fakes import FIELDS, HOSTILE, ROW, FakeBundle

# What the OpenAPI 3.1 specification demands of the parts that are used here.
SHAPE = {
    "type": "object",
    "required": ["openapi", "info", "paths"],
    "properties": {
        "openapi": {"pattern": r"^3\.1\.\d+$"},
        "info": {"type": "object", "required": ["title", "version"]},
        "paths": {
            "patternProperties": {
                "^/": {
                    "additionalProperties": {
                        "required": ["responses"],
                        "properties": {
                            "operationId": {"type": "string"},
                            "responses": {
                                "minProperties": 1,
                                "propertyNames": {"pattern": "^([1-5][0-9][0-9]|default)$"},
                                "additionalProperties": {"required": ["description"]},
                            },
                            "requestBody": {"required": ["content"]},
                        },
                    },
                    "propertyNames": {"enum": ["get", "post"]},
                }
            },
            "additionalProperties": False,
        },
        "components": {
            "propertyNames": {"enum": ["schemas", "parameters", "headers"]},
            "additionalProperties": {"propertyNames": {"pattern": r"^[a-zA-Z0-9._-]+$"}},
        },
    },
}


def document_of(bundle=None):
    made = openapi(bundle or FakeBundle(), max_rows=1000, max_body=2_000_000, version="1.2.3")
    return json.loads(json.dumps(made, allow_nan=False))


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def hostile_bundle():
    fields = (
        Field(name=HOSTILE, type="category", categories=(HOSTILE,), n_categories=1),
        Field(name="$ref", type="number"),
        Field(name="a/b~c", type="date", first="2024-01-01", last="2024-01-02"),
        Field(name="", type="boolean"),
        Field(name="rows", type="number", required=True, role="money"),
    )
    return FakeBundle(fields=fields, title=HOSTILE, unit=HOSTILE)


@pytest.mark.parametrize("bundle", [FakeBundle(), hostile_bundle()], ids=["plain", "hostile"])
def test_the_document_is_valid(bundle):
    document = document_of(bundle)
    Draft202012Validator(SHAPE).validate(document)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    found = set(references({k: v for k, v in document.items() if k != "components"}))
    found |= set(references(document["components"]["schemas"]["Batch"]))
    assert found
    for reference in found:
        place = document
        for key in reference.removeprefix("#/").split("/"):
            place = place[key]
    names = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    assert len(set(names)) == len(names) == 7


def test_every_field_is_described():
    row = document_of()["components"]["schemas"]["Row"]
    properties = row["properties"]
    assert set(properties) == {*ROW, "customer"}
    assert row["required"] == ["amount"]
    assert row["additionalProperties"] is False
    assert properties["age"]["type"] == ["number", "null"]
    assert properties["amount"]["type"] == ["number"]
    assert "18 to 95" in properties["age"]["description"]
    assert "2024-01-01 to 2024-12-31" in properties["since"]["description"]
    assert "read by the money" in properties["amount"]["description"]
    assert properties["job"]["examples"] == ["cook", "clerk"]
    assert properties["member"]["type"] == ["boolean", "null"]


def test_a_range_is_no_limit():
    document = document_of()
    row = {"$ref": "#/components/schemas/Row"}
    validate(document, row, {"age": 1e9, "amount": -5, "job": "unseen"})
    assert client_of().post("/decide", json={"age": 1e9, "amount": 5}).status_code == 200


@pytest.mark.parametrize(
    "row",
    [
        {"amount": 1},
        {"amount": 1, "age": None},
        {"amount": 1, "age": "41"},
        {"amount": None},
        {"age": 1},
        {"amount": 1, "job": 5},
        {"amount": 1, "job": "x" * 10_001},
        {"amount": 1, "member": 1},
        {"amount": 1, "since": 20240101},
        {"amount": 1, "other": 1},
        {"amount": 1, "customer": "c"},
        {"amount": 1, "customer": "c" * 201},
        {"amount": 1, "customer": False},
        {},
    ],
)
def test_the_document_and_the_server_agree_on_rows(row):
    schema = {"$ref": "#/components/schemas/Row", "components": document_of()["components"]}
    described = Draft202012Validator(schema).is_valid(row)
    assert (client_of().post("/decide", json=row).status_code == 200) is described


@pytest.mark.parametrize("bundle", [FakeBundle(), hostile_bundle()], ids=["plain", "hostile"])
def test_the_sample_row_is_decided(bundle):
    row = sample(bundle)
    assert Contract(fields=bundle.contract.fields).check([row]) == []
    assert client_of(bundle).post("/decide", json={"rows": [row]}).status_code == 200


def test_values_that_may_name_people_are_not_published():
    names = tuple(f"Person {i}" for i in range(200))
    fields = (*FIELDS, Field(name="name", type="category", categories=names, n_categories=200))
    bundle = FakeBundle(fields=fields)
    assert "Person" not in json.dumps(document_of(bundle))
    assert "Person" not in page(bundle, "http://x")


# ------------------------------------------------------------------------------------- page


class Tags(HTMLParser):
    """Collects the tags, links and code of a page, and checks that they are balanced."""

    void = frozenset({"meta", "br", "link", "input"})

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.code = [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "action")]
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "code" in self.open:
            self.code += data


def test_the_page_names_the_decision_its_fields_and_how_to_ask():
    response = client_of().get("/")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>Whom to call</h1>" in response.text
    assert all(f'<th scope="row">{name}</th>' in response.text for name in ROW)
    assert Tags(response.text).links == ["/openapi.json"]


def test_the_page_may_run_nothing_and_style_only_itself():
    response = client_of().get("/")
    assert response.headers["content-security-policy"] == POLICY
    style = re.search("<style>(.*?)</style>", response.text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in POLICY
    assert "script-src" not in POLICY
    assert "unsafe" not in POLICY


def test_hostile_names_show_as_text():
    text = client_of(hostile_bundle()).get("/").text
    tags = Tags(text)
    assert "script" not in tags.tags
    assert tags.tags.count("style") == 1
    assert "\u202e" not in text
    assert "\\u202e" in text


@pytest.mark.parametrize("bundle", [FakeBundle(), hostile_bundle()], ids=["plain", "hostile"])
def test_the_example_of_the_page_can_be_pasted(bundle):
    code = Tags(page(bundle, "http://127.0.0.1:8000")).code
    words = shlex.split(code.replace("\\\n", " "))
    assert words[:2] == ["curl", "http://127.0.0.1:8000/decide"]
    assert words[2:5] == ["-H", "content-type: application/json", "-d"]
    body = json.loads(words[5])
    assert set(body) <= {f.name for f in bundle.contract.fields}


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("localhost:9", "localhost:9"),
        ("[::1]:80", "[::1]:80"),
        ("api.example.com", "api.example.com"),
        (None, "127.0.0.1:8000"),
        ("", "127.0.0.1:8000"),
        ("a b", "127.0.0.1:8000"),
        ("evil.com/?x=", "127.0.0.1:8000"),
        ("'; reboot; '", "127.0.0.1:8000"),
        ("<img>", "127.0.0.1:8000"),
    ],
)
def test_only_a_host_is_repeated_as_one(host, shown):
    assert origin_of("http", host) == f"http://{shown}"
    assert origin_of("javascript", host).startswith("http://")
