# ruff: noqa: F811  (a fixture's name is also an argument)
"""Comparing bundles and columns: which rows may judge, and what is refused."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from payoff.declare import Capacity, Constraint, Limit, Subgroup
from payoff.declare.file import from_toml
from payoff.errors import PayoffError
from payoff.evidence.limits import kept_to
from payoff.report import comparison_view, page, write_comparison
from payoff.workflow import compare, run
from tests.bad_input.making import RIGHT, rows
from tests.cli.running import run as command
from tests.trained import trained  # noqa: F401  (fixtures)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Another model of the same decision, made from the same rows."""
    text = re.sub(r"candidates = .*", 'candidates = ["scorecard"]', RIGHT)
    assert text != RIGHT
    found = run(from_toml(text), rows(), out=tmp_path_factory.mktemp("other") / "second")
    return found.folder


def with_columns():
    table = rows()
    table = table if isinstance(table, pa.Table) else pa.table(table)
    n = table.num_rows
    rng = np.random.default_rng(0)
    table = table.append_column("p", pa.array(rng.random(n)))
    names = from_toml(RIGHT).action_names
    return table.append_column("did", pa.array([names[i % 2] for i in range(n)]))


def test_two_bundles_of_the_same_rows_are_judged_by_their_common_judging_part(trained, other):
    found = compare(trained, other, data=rows())
    parts = run(from_toml(RIGHT), rows()).evidence.data["split"]["parts"]
    assert found.rows["n"] == parts["judge"]["n"]
    assert all("only its judging part" in w for w in found.rows["why"])
    assert {s.name for s in found.standings if not s.baseline} == {"calls", "second"}


def test_a_bundle_earns_in_a_comparison_what_it_earned_when_judged(trained, other):
    found = compare(trained, other, data=rows())
    own = run(from_toml(RIGHT), rows()).evidence.policies[0]
    calls = next(s for s in found.standings if s.name == "calls")
    assert calls.total.value == pytest.approx(own.total.value)
    assert (calls.total.low, calls.total.high) == pytest.approx((own.total.low, own.total.high))


def test_columns_are_probabilities_or_actions_and_bundles_may_be_named(trained):
    found = compare(f"now={trained}", "guess=p", "log=did", data=with_columns())
    assert {s.name for s in found.standings if not s.baseline} == {"now", "guess", "log"}
    assert any("made elsewhere" in w for w in found.rows["why"])
    assert any("other rows than these" in w for w in found.rows["why"])


def test_contestants_under_different_limits_are_named(trained, tmp_path, capsys):
    """One may call everybody, the other a twentieth: the money between them is not the model's."""
    scarce = run(limited(), rows(), out=tmp_path / "scarce").folder
    found = compare(f"now={trained}", f"scarce={scarce}", "log=did", data=with_columns())
    assert found.rules["differ"]
    assert found.rules["of"] == {"now": [], "scarce": ["“Call” for at most 5 % of customers"]}
    assert "scarce: “Call” for at most 5 % of customers" in found.rules["said"]
    assert "keep to different limits" in page(comparison_view(found))
    ran = command(capsys, "compare", trained, scarce, "--data", _file(tmp_path))
    assert "keep to different limits" in " ".join(ran.out.split())
    alike = compare(trained, f"log={trained}", data=rows())
    assert alike.rules == {"differ": False, "of": {"calls": [], "log": []}, "said": ""}


def limited():
    """Return the same decision with room for a twentieth of the calls."""
    decision = from_toml(RIGHT)
    return dataclasses.replace(
        decision,
        actions=tuple(
            dataclasses.replace(a, label="Call", capacity=Capacity(share=0.05))
            if a.name == "call"
            else a
            for a in decision.actions
        ),
    )


def test_what_keeps_to_limits_is_said_in_words():
    decision = dataclasses.replace(
        limited(),
        subgroups=(Subgroup(name="region", column="job"),),
        limits=(
            Limit(name="h", label="Hours", actions={"call": 0.5}, per_period=20, subgroup="region"),
        ),
        constraints=(
            Constraint(
                name="n", label="North", kind="floor", share=0.1, subgroup="region", group="n"
            ),
        ),
    )
    assert kept_to(decision) == (
        "“Call” for at most 5 % of customers",
        f"Hours: at most 20 per {decision.period} by region",
        "North: at least 10 % in “n”",
    )


def _file(folder):
    table = rows()
    pq.write_table(
        table if isinstance(table, pa.Table) else pa.table(table), folder / "rows.parquet"
    )
    return folder / "rows.parquet"


def test_columns_alone_need_a_decision():
    with pytest.raises(PayoffError, match=r"PAY-E008.*--decision"):
        compare("a=p", "b=did", data=with_columns())
    found = compare("a=p", "b=did", data=with_columns(), decision=from_toml(RIGHT))
    assert len([s for s in found.standings if not s.baseline]) == 2


@pytest.mark.parametrize(
    ("contestants", "error"),
    [
        (["one=p"], r"PAY-E008.*two or more"),
        (["a=p", "a=did"], r"PAY-E008.*'a' twice"),
        (["a=p", "b=nothing"], r"PAY-L004.*nothing"),
        (["a=p", "no-such-folder"], r"PAY-B001.*no-such-folder"),
    ],
)
def test_what_cannot_be_compared_says_why(contestants, error):
    with pytest.raises(PayoffError, match=error):
        compare(*contestants, data=with_columns(), decision=from_toml(RIGHT))


def test_another_decision_is_another_question(trained):
    text = RIGHT.replace('"EUR"', '"USD"')
    assert text != RIGHT
    with pytest.raises(PayoffError, match=r"PAY-E008.*currency"):
        compare(trained, "a=p", data=with_columns(), decision=from_toml(text))


def test_the_command_prints_one_table_and_writes_a_page(trained, other, tmp_path, capsys):
    source = _file(tmp_path)
    ran = command(capsys, "compare", trained, other, "--data", source, "-o", tmp_path / "out", "-q")
    assert ran.code == 0
    assert "behind the leader by" in ran.out
    assert (tmp_path / "out" / "compare.html").read_text(encoding="utf-8").startswith("<!DOCTYPE")
    ran = command(capsys, "compare", trained, other, "--data", source, "--json")
    assert ran.json["state"] in {"ahead", "open", "alike"}
    assert ran.json["standings"][0]["name"] == ran.json["leader"]
    ran = command(capsys, "compare", trained, "--data", source)
    assert ran.code == 2
    assert "PAY-E008" in ran.err


def test_hostile_names_are_text_on_the_page(tmp_path):
    hostile = "<script>alert(1)</script>"
    found = compare(f"{hostile}=p", "b=did", data=with_columns(), decision=from_toml(RIGHT))
    text = page(comparison_view(found))
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert write_comparison(found, tmp_path / "x").exists()
