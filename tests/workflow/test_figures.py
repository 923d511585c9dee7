# ruff: noqa: F811  (a fixture's name is also an argument)
"""Figures as SQL give the evidence's numbers to nine digits, on whatever table and names."""

from __future__ import annotations

import dataclasses
import json
import math
from fractions import Fraction

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payoff import judge_predictions
from payoff.bundle import Bundle
from payoff.declare import Action, Constraint, Data, Outcome, Subgroup
from payoff.declare.file import to_toml
from payoff.errors import BundleError, DataError, EnvironmentError_, EvidenceError
from payoff.evidence import sql
from payoff.evidence.figures_sql import FIGURES, Statements
from payoff.workflow import run as train
from payoff.workflow.figures import figures_of, other_rows, run, statements
from payoff.workflow.scored_rows import score_rows, write_rows
from tests.bad_input.making import rows
from tests.cli.running import run as command
from tests.trained import copied, trained  # noqa: F401  (fixtures)
from tests.worlds import POWERS, binary, calibrated, three_by_three


def kept(tmp_path, decision, table, **options):
    """Judge, and leave what `payoff judge --out` leaves; return folder and file."""
    file = tmp_path / "rows.parquet"
    pq.write_table(pa.table(table), file)
    evidence = judge_predictions(decision, file, **options)
    folder = tmp_path / "judged"
    folder.mkdir(exist_ok=True)
    (folder / "evidence.json").write_text(evidence.to_json(), encoding="utf-8")
    (folder / "decision.toml").write_text(to_toml(decision), encoding="utf-8")
    return folder, file, evidence


def agree(folder, file, *, left_out=()):
    made, evidence = statements(folder, table=str(file))
    assert set(made.skipped) == set(left_out)
    matches = run(made, evidence, figures_of(evidence), file)
    matches = [m for m in matches if not set(m.row.split(", ")) & set(left_out)]
    assert matches
    apart = [m for m in matches if m.apart > 1e-9]
    assert not apart, apart[:5]
    return matches


def money_rows(rng, n=900):
    prob, y = calibrated(rng, n)
    return {
        "y": y,
        "y_prob": prob,
        "amount": rng.gamma(2, 10, n),
        "g": np.array(["north", "south", "o'hara"])[rng.integers(0, 3, n)],
        "age": rng.integers(18, 80, n).astype(float),
        "w": rng.choice([0.0, 0.5, 2.0], n),
        "who": rng.integers(0, 250, n),
    }


PER_ROW = {"call": {"yes": "amount - 2", "no": -1}, "leave": {"yes": 0, "no": 0}}


@pytest.mark.parametrize(
    "roles", [{}, {"weight": "w"}, {"cluster": "who"}, {"weight": "w", "cluster": "who"}]
)
def test_every_figure_with_weights_and_clusters(tmp_path, rng, roles):
    decision = dataclasses.replace(
        binary(PER_ROW, rule="amount > 15 and g <> 'south'", volume=5000, **roles),
        subgroups=(
            Subgroup(name="g", column="g"),
            Subgroup(name="age", column="age", bands=(30, 50)),
            Subgroup(name="years", column="age"),
            Subgroup(name="both", intersect=("g", "age")),
        ),
    )
    folder, file, evidence = kept(tmp_path, decision, money_rows(rng))
    matches = agree(folder, file, left_out=["threshold"])
    assert {m.figure for m in matches} == set(FIGURES)
    assert evidence.policies[0].value.value is not None
    assert len(matches) > 100


def test_cells_and_sql_are_one(tmp_path, rng):
    decision = binary(PER_ROW, subgroups=("g",))
    folder, file, _ = kept(tmp_path, decision, money_rows(rng), path="cells")
    agree(folder, file, left_out=["threshold"])


def test_several_actions_and_outcomes(tmp_path, rng):
    n = 600
    prob = rng.dirichlet([1, 2, 6], n)
    names = np.array(["fraud", "error", "fine"])
    table = {f"y_prob_{o}": prob[:, k] for k, o in enumerate(names)}
    table |= {"y": names[[rng.choice(3, p=p) for p in prob]], "amount": rng.lognormal(5, 1, n)}
    folder, file, _ = kept(tmp_path, three_by_three(), table)
    agree(folder, file, left_out=["half"])


def test_actions_alone(tmp_path, rng):
    table = money_rows(rng)
    table["did"] = np.where(table["y_prob"] > 0.3, "call", "leave")
    folder, file, _ = kept(tmp_path, binary(POWERS), table, action="did")
    agree(folder, file)


def test_the_hand_table(tmp_path):
    """3 called right, 2 called wrong, 1 missed, 4 left right: money 1000, -100, -10, 1."""
    table = {"y": [1] * 3 + [0] * 2 + [1] + [0] * 4, "y_prob": [0.9] * 5 + [0.01] * 5}
    folder, file, _ = kept(tmp_path, binary(POWERS, volume=1000), table)
    made, _ = statements(folder, table=str(file))
    answers = duckdb.sql(made.figure("policies")).to_arrow_table().to_pylist()
    own = next(r for r in answers if r["policy"] == "expected")
    assert own["value"] == pytest.approx((3000 - 200 - 10 + 4) / 10)
    values = [Fraction(v) for v in [1000] * 3 + [-100] * 2 + [-10] + [1] * 4]
    mean = sum(values) / 10
    error = math.sqrt(sum((v - mean) ** 2 for v in values) / 9 / 10)
    assert own["standard_error"] == pytest.approx(error, rel=1e-12)


def test_the_quantile_is_students(rng):
    """The expansion against scipy, for the degrees of freedom that intervals rest on."""
    from scipy import special

    from payoff.evidence.figures_sql import _STUDENT

    z = float(special.ndtri(0.975))
    for f in (150, 400, 1_000, 1e5, 1e8):
        text = f"select {_STUDENT} as t from (select {z!r}::double as z, {f!r}::double as f)"
        found = duckdb.sql(text).fetchall()[0][0]
        assert found == pytest.approx(float(special.stdtrit(f, 0.975)), rel=1e-9)


# ------------------------------------------------------------------------------ a trained bundle


@pytest.fixture(scope="module")
def bundle_and_rows(tmp_path_factory):
    """A bundle with subgroups, per-row money and today's rule, and the file it was made from."""
    folder = tmp_path_factory.mktemp("sql")
    rng = np.random.default_rng(5)
    n = 3_000
    x, age = rng.normal(0, 1, n), rng.integers(18, 80, n)
    y = (rng.random(n) < 1 / (1 + np.exp(1.5 - 1.3 * x))).astype(int)
    table = pa.table(
        {
            "y": y,
            "x": x,
            "age": age,
            "amount": rng.gamma(2, 10, n),
            "g": np.array(["a", "b"])[age % 2],
        }
    )
    pq.write_table(table, folder / "rows.parquet")
    decision = dataclasses.replace(
        binary(PER_ROW, rule="amount > 15", subgroups=("g",)),
        data=Data(outcome="y", features=("x", "age")),
    )
    decision = dataclasses.replace(
        decision, training=dataclasses.replace(decision.training, candidates=("logistic",))
    )
    train(decision, folder / "rows.parquet", out=folder / "calls", pages=False)
    return folder / "calls", folder / "rows.parquet"


def test_a_bundle_scores_its_own_rows_and_sql_agrees(bundle_and_rows, tmp_path):
    bundle, file = bundle_and_rows
    table = score_rows(bundle, file)
    scored = write_rows(table, tmp_path / "scored.parquet")
    matches = agree(bundle, scored)
    assert {m.figure for m in matches} == set(FIGURES)
    assert {m.row for m in matches if m.figure == "policies"} >= {"expected", "threshold", "half"}
    parts = table.column("payoff_part").to_pylist()
    judged = Bundle.open(bundle).evidence().policies[0].value.n
    assert parts.count("judge") == judged
    assert set(parts) == {"fit", "choose", "judge"}


def test_rows_of_another_month_are_said_to_be_others(bundle_and_rows, tmp_path, capsys):
    """All of them are taken, as none has a part; the numbers differ, and why is said."""
    bundle, file = bundle_and_rows
    other = pq.read_table(file).slice(0, 500)
    scored = write_rows(score_rows(bundle, other), tmp_path / "scored.parquet")
    made, evidence = statements(bundle, table=str(scored))
    found = {(m.row, m.name): m.found for m in run(made, evidence, ["policies"], scored)}
    assert found["expected", "n"] == 500
    assert "other rows than these" in other_rows(made, evidence, scored)
    ran = command(capsys, "sql", bundle, "--run", scored)
    assert ran.code == 1
    assert "the numbers are expected to differ" in " ".join(ran.out.split())
    assert (
        "other rows" in command(capsys, "sql", bundle, "--run", scored, "--json").json["other_rows"]
    )
    own = write_rows(score_rows(bundle, file), tmp_path / "own.parquet")
    assert command(capsys, "sql", bundle, "--run", own, "--json").json["other_rows"] is None
    fewer = write_rows(score_rows(bundle, file).slice(0, 2000), tmp_path / "fewer.parquet")
    ran = command(capsys, "sql", bundle, "--run", fewer)
    assert "and the evidence rests on" in " ".join(ran.out.split())


def test_another_file_of_predictions_is_known_by_its_digest(tmp_path, rng):
    prob, y = calibrated(rng, 400)
    folder, file, _ = kept(tmp_path, binary(), {"y": y, "y_prob": prob})
    made, evidence = statements(folder, table=str(file))
    run(made, evidence, ["policies"], file)
    assert other_rows(made, evidence, file) == ""
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"y": y, "y_prob": prob[::-1]}), other)
    run(made, evidence, ["policies"], other)
    assert "SHA-256" in other_rows(made, evidence, other)


def test_scores_are_those_the_bundle_decides_by(bundle_and_rows):
    bundle, file = bundle_and_rows
    opened = Bundle.open(bundle)
    table = score_rows(opened, file).slice(0, 40)
    asked = [{f.name: row[f.name] for f in opened.contract.fields} for row in table.to_pylist()]
    for row, answer in zip(table.to_pylist(), opened.decide(asked), strict=True):
        assert row["payoff_action"] == answer["action"]
        assert row["y_prob_yes"] == pytest.approx(answer["probabilities"]["yes"], rel=1e-9)
        assert row["expected_call"] == pytest.approx(answer["expected_money"]["call"], rel=1e-9)


def test_new_rows_have_no_part_and_need_no_outcome(bundle_and_rows):
    bundle, file = bundle_and_rows
    table = pq.read_table(file).drop_columns(["y"]).slice(0, 100)
    scored = score_rows(bundle, table)
    assert "payoff_part" not in scored.column_names
    assert scored.num_rows == 100


def test_rows_not_scored_are_sent_to_payoff_score(bundle_and_rows):
    bundle, file = bundle_and_rows
    made, evidence = statements(bundle)
    with pytest.raises(EvidenceError, match="payoff score") as caught:
        run(made, evidence, ["policies"], file)
    assert caught.value.code == "PAY-E013"


def test_scoring_twice_is_refused(bundle_and_rows):
    bundle, file = bundle_and_rows
    with pytest.raises(DataError) as caught:
        score_rows(bundle, score_rows(bundle, file))
    assert caught.value.code == "PAY-L005"


def test_written_whole_or_not_at_all(tmp_path):
    table = pa.table({"a": [1, 2]})
    write_rows(table, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines() == ['"a"', "1", "2"]
    for path, force in (("a.csv", False), ("a.xlsx", True)):
        with pytest.raises(EnvironmentError_) as caught:
            write_rows(table, tmp_path / path, force=force)
        assert caught.value.code == "PAY-X003"
    write_rows(table.slice(0, 1), tmp_path / "a.csv", force=True)
    assert [f.name for f in tmp_path.iterdir()] == ["a.csv"]


def test_money_known_later_is_scored_too(tmp_path, trained):
    """The bundle of all tests: whatever it needs, its own rows give its own figures."""
    table = score_rows(trained, rows())
    scored = write_rows(table, tmp_path / "scored.parquet")
    made, evidence = statements(trained)
    matches = run(made, evidence, ["policies", "comparisons", "confusion"], scored)
    matches = [m for m in matches if not set(m.row.split(", ")) & set(made.skipped)]
    assert matches
    assert not [m for m in matches if m.apart > 1e-9]


# ------------------------------------------------------------------------------- names and engines

HOSTILE = [
    '"; drop table t; --',
    "'; drop table t; --",
    '") from t; delete from t; --',
    "a\nb",
    "*/ select 1 /*",
    "${jndi}",
    "{0}%s",
    "ünï",
    "select",
]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(HOSTILE), st.sampled_from(HOSTILE), st.integers(0, 100))
def test_hostile_names_are_data(tmp_path_factory, one, other, seed):
    folder = tmp_path_factory.mktemp("hostile")
    rng = np.random.default_rng(seed)
    prob, y = calibrated(rng, 300)
    names = {"y": f"y {one}", "p": f"p {other}", "m": f"m {one}", "g": f"g {other}"}
    column = sql.quoted(names["m"])
    decision = dataclasses.replace(
        binary({"call": {"yes": f"{column} - 1", "no": -1}, "leave": {"yes": 0, "no": 0}}),
        title=f"title {one}",
        data=Data(outcome=names["y"]),
        subgroups=(Subgroup(name=f"s {one}"[:70], column=names["g"]),),
        actions=(Action(name="call", label=one), Action(name="leave", label=other)),
    )
    table = {
        names["y"]: y,
        names["p"]: prob,
        names["m"]: rng.gamma(2, 10, 300),
        names["g"]: np.array([one, other])[rng.integers(0, 2, 300)],
    }
    path, file, _ = kept(folder, decision, table, probability={"yes": names["p"]})
    agree(path, file, left_out=["threshold"])
    made, evidence = statements(path, table='t"; drop table t; --')
    for name in figures_of(evidence):
        text = made.figure(name)
        connection = duckdb.connect()
        connection.register('t"; drop table t; --', pa.table(table))
        connection.execute("create table t (a int)")
        assert len(duckdb.extract_statements(text)) == 1
        connection.sql(text).fetchall()
        assert connection.sql("select count(*) from t").fetchall() == [(0,)]


def test_a_tables_name_is_quoted_part_by_part(tmp_path, rng):
    folder, _, _ = kept(tmp_path, binary(), money_rows(rng))
    made, _ = statements(folder, table="marketing.scored")
    assert 'from "marketing"."scored"' in made.figure("policies")
    made, _ = statements(folder, table="it's.parquet")
    assert "from 'it''s.parquet'" in made.figure("policies")


def test_comments_hold_one_line(tmp_path, rng):
    decision = dataclasses.replace(binary(), title="one\n; drop table t; --")
    folder, _, _ = kept(tmp_path, decision, money_rows(rng))
    made, _ = statements(folder)
    assert made.figure("policies").splitlines()[0].startswith("-- one\\n; drop table t")


@pytest.mark.postgres
@pytest.mark.packages("adbc_driver_postgresql")
def test_postgres_gives_the_same(tmp_path, rng, postgres_url):
    from adbc_driver_postgresql import dbapi as adbc

    decision = binary(PER_ROW, subgroups=("g",), rule="amount > 15", weight="w")
    folder, file, _ = kept(tmp_path, decision, money_rows(rng))
    with adbc.connect(postgres_url) as connection:
        with connection.cursor() as cursor:
            cursor.adbc_ingest("payoff_sql", pq.read_table(file), mode="replace")
        connection.commit()
        made, evidence = statements(folder, table="payoff_sql", engine="postgres")
        for name in figures_of(evidence):
            with connection.cursor() as cursor:
                cursor.execute(made.figure(name).rstrip(";\n"))
                theirs = cursor.fetch_arrow_table().to_pylist()
            mine = duckdb.sql(made.figure(name).replace('"payoff_sql"', f"'{file}'"))
            ours = mine.to_arrow_table().to_pylist()
            assert len(theirs) == len(ours)
            for a, b in zip(ours, theirs, strict=True):
                for key, value in a.items():
                    if isinstance(value, float):
                        assert float(b[key]) == pytest.approx(value, rel=1e-9, abs=1e-9)


# -------------------------------------------------------------------------------------- refusals


def test_what_sql_cannot_say(tmp_path, rng):
    folder, _, evidence = kept(tmp_path, binary(), money_rows(rng))
    made, _ = statements(folder)
    with pytest.raises(EvidenceError) as caught:
        made.figure("groups")
    assert caught.value.code == "PAY-E012"
    assert "groups" not in figures_of(evidence)
    with pytest.raises(EvidenceError):
        made.figure("polices")
    by_score = judge_predictions(binary(), pa.table(money_rows(rng)), score="y_prob")
    with pytest.raises(EvidenceError, match="regression"):
        Statements(binary(), by_score, table="t")
    limited = binary(capacity=0.2)
    by_rank = judge_predictions(limited, pa.table(money_rows(rng)))
    with pytest.raises(EvidenceError, match="by rank"):
        Statements(limited, by_rank, table="t")
    cap = Constraint(name="few", kind="cap", share=0.2)
    constrained = dataclasses.replace(binary(), constraints=(cap,))
    by_prices = judge_predictions(constrained, pa.table(money_rows(rng)))
    with pytest.raises(EvidenceError, match="constraints by prices"):
        Statements(constrained, by_prices, table="t")


def test_a_folder_without_its_files(tmp_path):
    with pytest.raises(BundleError, match=r"evidence\.json"):
        statements(tmp_path)
    (tmp_path / "evidence.json").write_text(json.dumps({"schema_version": 2}), encoding="utf-8")
    with pytest.raises(BundleError, match=r"decision\.toml"):
        statements(tmp_path)
    (tmp_path / "decision.toml").write_text(to_toml(binary()), encoding="utf-8")
    with pytest.raises(BundleError, match="unreadable"):
        statements(tmp_path)


def test_outcomes_in_any_type(tmp_path, rng):
    prob, y = calibrated(rng, 300)
    yes_no = dataclasses.replace(
        binary(),
        outcomes=(Outcome(name="yes", values=(True,)), Outcome(name="no", values=(False,))),
    )
    for decision, column in (
        (binary(), y.astype(float)),
        (binary(), y.astype("int8")),
        (binary(), y.astype(str)),
        (yes_no, y == 1),
    ):
        folder, file, _ = kept(tmp_path, decision, {"y": column, "y_prob": prob})
        agree(folder, file, left_out=["threshold"])
