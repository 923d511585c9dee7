"""The JSON Schema says what the reader does."""

from __future__ import annotations

import json
import tomllib

import jsonschema
import pytest

from payoff.declare.file import from_toml
from payoff.declare.schema import json_schema, schema_text
from tests.bad_input.decisions import WRONG
from tests.bad_input.making import RIGHT
from tests.conftest import ROOT

BETWEEN_KEYS = {
    "range with one end",
    "no error rate for one outcome",
    "who is right is not known",
    "group without a subgroup",
    "who is acted on is not known",
}
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def test_file_is_fresh():
    path = ROOT / "src" / "payoff" / "declare" / "schema.json"
    assert path.read_text(encoding="utf-8") == schema_text()


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples").rglob("decision.toml")), ids=lambda p: p.parent.name
)
def test_examples_fit(path):
    VALIDATOR.validate(tomllib.loads(path.read_text(encoding="utf-8")))


def test_right_file_fits():
    VALIDATOR.validate(tomllib.loads(RIGHT))


@pytest.mark.parametrize(
    "wrong",
    [w for w in WRONG if w.code in ("PAY-D003", "PAY-D004", "PAY-D005")],
    ids=lambda w: w.name,
)
def test_unknown_missing_and_mistyped_keys_do_not_fit(wrong):
    if wrong.name == "money a date":
        pytest.skip("JSON has no dates")
    if wrong.name in BETWEEN_KEYS:
        pytest.skip("a schema does not hold one key against another")
    assert not VALIDATOR.is_valid(tomllib.loads(str(wrong.text)))


def test_every_key_is_explained():
    def walk(schema, path):
        for name, inner in schema.get("properties", {}).items():
            assert len(inner["description"]) > 5, f"{path}.{name}"
            walk(inner, f"{path}.{name}")

    walk(json_schema(), "")


def test_whatever_is_read_fits():
    for text in (RIGHT, RIGHT.replace("no = -5", 'no = { money = -5, source = "me" }')):
        from_toml(text)
        VALIDATOR.validate(tomllib.loads(text))
