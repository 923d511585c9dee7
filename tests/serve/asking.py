"""How the tests ask, and what every refusal must look like."""

from __future__ import annotations

import asyncio

from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from payoff.serve.app import create_app
from tests.serve.fakes import FakeBundle

JSON = {"content-type": "application/json"}
ERROR_KEYS = {"code", "what", "where", "got", "need", "mend", "problems", "request_id"}


def client_of(bundle=None, events=None, **settings):
    journal = [].append if events is None else events.append
    app = create_app(bundle or FakeBundle(), journal=journal, clock=lambda: 1.5, **settings)
    return TestClient(app)


def post(client, body, **headers):
    return client.post("/decide", content=body, headers={**JSON, **headers})


def refused(response, status, code):
    """Assert the one error body."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"error"}
    error = body["error"]
    assert set(error) == ERROR_KEYS
    assert error["code"] == code
    assert error["request_id"] == response.headers["x-request-id"]
    assert error["what"]
    assert error["mend"]
    return error


def asgi(app, receive):
    """Send one POST by hand, for what a client library would not do."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/decide", "query_string": b"",
        "headers": [(b"content-type", b"application/json")], "scheme": "http",
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return sent


def validate(document, schema, value):
    """Check a value against a schema that refers to the document's components."""
    whole = {**schema, "components": document["components"]}
    Draft202012Validator(whole).validate(value)
