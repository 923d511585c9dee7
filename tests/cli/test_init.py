"""``payoff init``: asked by a person, told by flags, and never guessing money."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from click.testing import CliRunner

from payoff.cli import init
from payoff.declare.file import load
from tests.cli.running import run


@pytest.fixture
def folder(tmp_path, rng, monkeypatch):
    """A file of 300 orders, with a column that is known only afterwards."""
    late = rng.random(300) < 0.3
    table = pa.table(
        {
            "age": rng.integers(18, 80, 300),
            "hours": late * 50.0 + rng.random(300),
            "late": np.where(late, "yes", "no"),
        }
    )
    pacsv.write_csv(table, tmp_path / "orders.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_person_is_asked_for_what_only_a_person_knows(folder, monkeypatch):
    monkeypatch.setattr(init, "_person_there", lambda: True)
    answers = ["yes", "call", "order", "USD", "1,200", "age * 2", "-3", "y"]
    ran = CliRunner().invoke(init.command, ["orders.csv"], input="\n".join(answers) + "\n")
    assert ran.exit_code == 0, ran.output
    decision = load(folder / "decision.toml")
    assert decision.positive == "yes"
    assert (decision.unit, decision.currency, decision.volume) == ("order", "USD", 1200)
    assert decision.payoffs.cell("call", "yes").money == "age * 2"
    assert decision.payoffs.cell("call", "no").money == "-3"
    assert "known only" in decision.data.exclude["hours"]


def test_without_a_person_money_stays_a_gap(folder, capsys):
    ran = run(capsys, "init", "orders.csv", "--act", "call", "--json")
    assert ran.code == 0
    assert ran.json["lines_to_fill"]
    assert list(ran.json["suspects"]) == ["hours"]
    lines = (folder / "decision.toml").read_text().splitlines()
    assert all("= ?" in lines[n - 1] for n in ran.json["lines_to_fill"])
    assert run(capsys, "check", "decision.toml").code == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--money", "call/yes"], "ACTION/OUTCOME=MONEY"),
        (["--money", "call/yes=10%"], "0.25, not 25%"),
        (["--money", "cal/yes=1"], "Did you mean 'call'?"),
        (["--money", "call/maybe=1"], "'maybe'"),
        (["--exclude", "hour=late"], "Did you mean 'hours'?"),
        (["--time", "when"], "--time"),
        (["--subgroup", "ages"], "Did you mean 'age'?"),
        (["--positive", "perhaps"], "--positive"),
        (["--outcome", "lat"], "Did you mean 'late'?"),
        (["--volume", "many"], "many"),
        (["--out", "--force"], "looks like an option"),
    ],
)
def test_wrong_flags_write_nothing(folder, capsys, words, told):
    ran = run(capsys, "init", "orders.csv", "--act", "call", *words)
    assert ran.code == 2
    assert told in ran.err
    assert [f.name for f in folder.iterdir()] == ["orders.csv"]


def test_a_file_is_not_replaced_unless_told(folder, capsys):
    (folder / "decision.toml").write_text("mine")
    assert run(capsys, "init", "orders.csv").code == 2
    assert (folder / "decision.toml").read_text() == "mine"
    assert run(capsys, "init", "orders.csv", "--force").code == 0
