"""First decision files: what is guessed, what is left open, and that they load once filled."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from payoff.declare.file import from_toml
from payoff.errors import DataError, DeclarationError
from payoff.load.source import read
from payoff.workflow.starter import Answers, gaps, look, starter_text


@pytest.fixture
def table(rng):
    n = 400
    y = (rng.random(n) < 0.2).astype(int)
    return {
        "customer_id": [f"c{i}" for i in range(n)],
        "age": rng.integers(18, 90, n),
        'odd "name"': rng.normal(size=n),
        "seconds on phone": y * 100.0 + rng.random(n),
        "default": rng.choice(["yes", "no"], n),
        "churned": np.where(y, "yes", "no"),
    }


def test_guesses(table):
    seen = look(read(pa.table(table)))
    assert seen.outcome == "churned"
    assert seen.values == ("yes", "no")
    assert seen.unit_id == "customer_id"
    assert set(seen.suspects) == {"seconds on phone"}
    assert "age" in seen.subgroups
    assert 3 >= len(seen.bands["age"]) >= 2


def test_money_is_never_guessed_and_the_filled_file_loads(table):
    seen = look(read(pa.table(table)))
    answers = Answers(source="x.csv", outcome="churned", positive="yes", act="call")
    text = starter_text(answers, seen)
    assert len(gaps(text)) == 2
    with pytest.raises(DeclarationError, match=r"PAY-D008.*payoffs\.call"):
        from_toml(text)
    filled = starter_text(
        Answers(
            source="x.csv",
            outcome="churned",
            positive="yes",
            act="call",
            volume=500,
            capacity=50,
            money={("call", "yes"): "age * 2", ("call", "no"): "-1"},
            exclude={'odd "name"': 'he said "no"'},
            rule='"seconds on phone" > 3',
            unit="customer",
            name="churn",
            time=None,
        ),
        seen,
    )
    decision = from_toml(filled)
    assert gaps(filled) == []
    assert decision.payoffs.cell("call", "yes").money == "age * 2"
    assert decision.data.exclude['odd "name"'] == 'he said "no"'
    assert decision.actions[0].capacity.per_period == 50
    assert decision.data.unit_id == "customer_id"


@pytest.mark.parametrize(
    "values", [[0, 1], [True, False], ["</script>", "{{7*7}}"], [1.5, 2.5], ["a\nb", "'\""]]
)
def test_any_outcome_values_give_a_file_that_loads(values, rng):
    table = pa.table({"x": rng.normal(size=60), "y": [values[i % 2] for i in range(60)]})
    seen = look(read(table), "y")
    text = starter_text(
        Answers(source="x.csv", outcome="y", positive=seen.values[0], act="call"), seen
    )
    from payoff.workflow.starter import outcome_name

    cells = {("call", outcome_name(v)): "1" for v in seen.values}
    text = starter_text(
        Answers(source="x.csv", outcome="y", positive=seen.values[0], act="call", money=cells), seen
    )
    assert len(from_toml(text).outcomes) == 2


def test_an_outcome_that_cannot_be_is_refused(table):
    source = read(pa.table(table))
    with pytest.raises(DataError, match=r"PAY-L004.*churned"):
        look(source, "churnd")
    with pytest.raises(DataError, match=r"PAY-L006.*different values"):
        look(source, "customer_id")
    with pytest.raises(DeclarationError, match="PAY-D006"):
        starter_text(Answers(source="x", outcome="churned", positive="maybe"), look(source))


def test_columns_of_sentences_are_read_as_documents():
    from tests.load.text.worlds import corpus

    seen = look(read(corpus(200)), "topic")
    assert seen.documents == ("narrative",)
    assert "narrative" not in seen.suspects
    text = starter_text(
        Answers(
            source="rows.parquet",
            outcome="topic",
            positive="card",
            money={(a, o): "1" for a in ("act", "leave") for o in ("card", "loan")},
        ),
        seen,
    )
    decision = from_toml(text)
    assert decision.kind == "text"
    assert decision.data.text == ("narrative",)


def test_names_and_codes_are_no_documents():
    table = pa.table({"who": [f"person {k}" for k in range(60)], "y": ["a", "b"] * 30})
    assert look(read(table), "y").documents == ()
