"""Names of persons are replaced by a finder that somebody brings, wherever documents are read."""

import json
import re

import numpy as np
import pyarrow as pa
import pytest

import payoff
from payoff.bundle import Bundle
from payoff.declare import TextSettings, Training
from payoff.declare.file import from_toml, to_toml
from payoff.errors import BundleError, DeclarationError, TrainingError
from payoff.load.text.names import finder_of, redacted, unregister_names
from payoff.model.text.prepare import prepared_rows
from payoff.workflow.rows import check
from payoff.workflow.training import run
from tests.model.text.making import corpus
from tests.workflow.test_text import TOPICS, routing

PEOPLE = re.compile(r"\b(?:Jo|Amy|Olu) [A-Z]\w+")


def people(text):
    return [m.span() for m in PEOPLE.finditer(text)]


@pytest.fixture(autouse=True)
def _registered():
    payoff.register_names("people", people)
    yield
    unregister_names("people")


def rows():
    texts, y = corpus(300)
    rng = np.random.default_rng(0)
    signed = [f"{t} Amy Okafor" if rng.random() < 0.2 else t for t in texts]
    return pa.table(
        {
            "id": [f"m{i}" for i in range(300)],
            "message": signed,
            "topic": [TOPICS[k] for k in y],
        }
    )


def decision():
    return routing(
        text=TextSettings(names="people", behaviour=False),
        training=Training(candidates=("tfidf",), folds=2),
    )


def test_names_and_numbers_are_replaced_together():
    said = "Amy Okafor, jo@acme.example, +44 20 7946 0958, Jo Miller"
    assert redacted(said, "people") == "[name], [e-mail], [phone], [name]"
    assert redacted(said).startswith("Amy Okafor, [e-mail]")


def test_doing_it_twice_changes_nothing_even_with_a_greedy_finder():
    payoff.register_names("greedy", lambda t: [m.span() for m in re.finditer(r"\S+", t)])
    once = redacted("mail jo@acme.example now", "greedy")
    assert redacted(once, "greedy") == once
    unregister_names("greedy")


def test_the_whole_way(tmp_path):
    table = rows()
    found = check(decision(), table)
    texts = found.data.table.column("message").to_pylist()
    assert not any("Okafor" in t for t in texts)
    told = next(c for c in found.checks if c.code == "PAY-L124")
    assert "'people'" in told.detail
    run(decision(), table, out=tmp_path / "bundle")
    for file in (tmp_path / "bundle").rglob("*"):
        assert not file.is_file() or b"okafor" not in file.read_bytes().lower(), file
    bundle = Bundle.open(tmp_path / "bundle")
    [kept] = bundle.prepare([{"message": "my card is lost. Olu Adeyemi"}])
    assert kept["message"] == "my card is lost. [name]"
    asked = [{"message": m} for m in table.column("message").to_pylist()[:20]]
    assert bundle.decide(asked) == bundle.decide(bundle.prepare(asked))
    assert "Okafor" not in json.dumps(bundle.explain({"message": "my card, Amy Okafor"}))
    unregister_names("people")
    with pytest.raises(BundleError, match="PAY-B007"):
        Bundle.open(tmp_path / "bundle")


def test_a_finder_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(BundleError, match="PAY-B007") as caught:
        finder_of("persons")
    assert "'people'" in caught.value.got


@pytest.mark.parametrize(
    ("find", "got"),
    [
        (lambda _: [(3, 1)], "(3, 1)"),
        (lambda _: [(0, 10_000)], "(0, 10000)"),
        (lambda _: [(-1, 2)], "(-1, 2)"),
        (lambda _: [1], "TypeError"),
        (lambda t: [][len(t)], "IndexError"),
    ],
)
def test_a_finder_that_fails_is_named_and_the_document_is_not_repeated(find, got):
    payoff.register_names("broken", find)
    with pytest.raises(TrainingError, match="PAY-T006") as caught:
        redacted("Amy Okafor came", "broken")
    assert got in caught.value.got
    assert "Okafor" not in str(caught.value)
    unregister_names("broken")


@pytest.mark.parametrize(("name", "find"), [("Big", people), ("", people), ("ok", 3)])
def test_what_cannot_be_registered(name, find):
    with pytest.raises(TrainingError, match="PAY-T006"):
        payoff.register_names(name, find)


def test_the_declaration_keeps_it_and_needs_redaction():
    made = decision()
    assert from_toml(to_toml(made)) == made
    with pytest.raises(DeclarationError):
        TextSettings(names="people", redact=False)


def test_kept_handles_stay_in_rows_and_served_documents_and_are_no_issue():
    table = rows()
    said = [f"@Acme {m} @jo" for m in table.column("message").to_pylist()]
    table = table.set_column(1, "message", pa.array(said))
    asked = routing(text=TextSettings(keep=("@acme",)), training=Training(candidates=("tfidf",)))
    found = check(asked, table)
    first = found.data.table.column("message")[0].as_py()
    assert first.startswith("@Acme ")
    assert first.endswith(" [handle]")
    assert prepared_rows([{"message": said[0]}], asked)[0]["message"] == first
    told = next(c for c in found.checks if c.code == "PAY-L124")
    assert told.status == "passed"
    assert "handle 300" in told.detail
    assert from_toml(to_toml(asked)) == asked
    with pytest.raises(DeclarationError):
        TextSettings(keep=("acme",))
