"""The whole path on planted data: the right answer is known, and the same twice."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from payoff.bundle import Bundle
from payoff.declare import Training
from payoff.workflow import check, run
from tests.worlds import binary


def planted(rng, n=1500):
    """Calling pays for students with a large amount; 'noise' says nothing."""
    job = rng.choice(["student", "clerk", "retired"], n)
    amount = rng.lognormal(3, 0.5, n)
    prob = np.where(job == "student", 0.5, 0.05)
    return pa.table(
        {
            "job": job, "amount": amount, "noise": rng.normal(size=n),
            "y": (rng.random(n) < prob).astype(int),
        }
    )  # fmt: skip


def decision(**more):
    made = binary(
        {"call": {"yes": "amount - 5", "no": -5}, "leave": {"yes": 0, "no": 0}},
        subgroups=("job",),
        **more,
    )
    return dataclasses.replace(made, training=Training(candidates=("logistic",)))


def test_the_planted_policy_is_found(rng, tmp_path):
    table = planted(rng)
    found = run(decision(), table, out=tmp_path / "b")
    evidence = found.evidence
    assert evidence.verdict["state"] == "deploy"
    parts = check(decision(), table).parts
    judge = parts.judge
    job = np.array(judge.table.column("job").to_pylist())
    amount = judge.table.column("amount").to_numpy()
    y = judge.outcome == 0
    ideal_act = np.where(job == "student", 0.5, 0.05) * amount > 5
    ideal = np.where(ideal_act, np.where(y, amount, 0) - 5, 0).mean()
    assert evidence.policies[0].value.value > 0.8 * ideal
    bundle = Bundle.open(found.folder)
    rich, poor = bundle.decide(
        [
            {"job": "student", "amount": 100.0, "noise": 0.0},
            {"job": "clerk", "amount": 5.0, "noise": 0.0},
        ]
    )
    assert (rich["action"], poor["action"]) == ("call", "leave")
    assert rich["expected_money"]["call"] == pytest.approx(
        rich["probabilities"]["yes"] * 100 - 5, rel=1e-9
    )


def test_the_served_answer_is_the_judged_action(rng, tmp_path):
    """Row by row from the bundle, and in the batch that was judged."""
    table = planted(rng)
    found = run(decision(), table, out=tmp_path / "b")
    judge = check(decision(), table).parts.judge
    answers = Bundle.open(found.folder).decide(judge.table.drop_columns(["y"]).to_pylist())
    acted = np.array([a["action"] == "call" for a in answers])
    assert acted.mean() == found.evidence.policies[0].actions[0].share
    y, amount = judge.outcome == 0, judge.table.column("amount").to_numpy()
    value = np.where(acted, np.where(y, amount, 0) - 5, 0).mean()
    assert found.evidence.policies[0].value.value == pytest.approx(value, rel=1e-12)


def test_equal_inputs_give_equal_bytes(rng, tmp_path):
    table = planted(rng, 600)
    one = run(decision(), table, out=tmp_path / "one").folder
    two = run(decision(), table, out=tmp_path / "two").folder
    assert (one / "manifest.json").read_bytes() == (two / "manifest.json").read_bytes()


def test_another_seed_gives_another_split(rng):
    table = planted(rng, 600)
    other = dataclasses.replace(decision(), training=Training(candidates=("logistic",), seed=1))
    one, two = check(decision(), table).parts.judge, check(other, table).parts.judge
    assert one.table.column("noise").to_pylist() != two.table.column("noise").to_pylist()


def test_money_chooses_the_candidate(rng):
    made = dataclasses.replace(
        decision(), training=Training(candidates=("logistic", "scorecard", "lightgbm"))
    )
    model = run(made, planted(rng)).evidence.model
    chosen = [c for c in model["candidates"] if c["chosen"]]
    assert len(chosen) == 1
    assert chosen[0]["value"]["value"] == max(c["value"]["value"] for c in model["candidates"])
    assert all(c["value"]["low"] < c["value"]["value"] for c in model["candidates"])
    assert chosen[0]["difference_to_best"] == 0
    assert all(c["difference_to_best"] <= 0 for c in model["candidates"])


def test_capacity_holds_on_the_judging_rows(rng):
    found = run(decision(capacity=0.1), planted(rng)).evidence
    (room,) = found.capacity
    assert room["used_share"] <= 0.1 + 1e-9
    assert room["shadow_price"] > 0


def test_the_judging_rows_play_no_part_in_what_is_chosen(rng, tmp_path):
    """Other outcomes in the judging rows: another value, the very same model and policy."""
    table = planted(rng, 900).append_column(
        "part", pa.array((["fit"] * 5 + ["choose"] * 2 + ["judge"] * 3) * 90)
    )
    made = dataclasses.replace(decision(), data=dataclasses.replace(decision().data, part="part"))
    y = table.column("y").to_numpy().copy()
    judging = np.array(table.column("part").to_pylist()) == "judge"
    y[judging] = 1 - y[judging]
    turned = table.set_column(3, "y", pa.array(y))
    one = run(made, table, out=tmp_path / "one")
    two = run(made, turned, out=tmp_path / "two")
    for name in ("policy.json", "model/model.json", "contract.json"):
        assert (one.folder / name).read_bytes() == (two.folder / name).read_bytes()
    assert one.evidence.policies[0].value.value != two.evidence.policies[0].value.value


def test_two_stages_beat_a_constant_amount(rng):
    """The gift is known only when it arrives, and depends on income."""
    n = 4000
    income = rng.lognormal(0, 1, n)
    gives = rng.random(n) < 0.2
    gift = np.where(gives, income * 5 + rng.normal(0, 0.5, n), np.nan)
    table = pa.table(
        {"income": income, "gift": pa.array(gift, from_pandas=True), "y": gives.astype(int)}
    )
    made = binary(
        {"call": {"yes": "gift - 1.5", "no": -1.5}, "leave": {"yes": 0, "no": 0}},
        known_later={"gift": "arrives later"},
    )
    made = dataclasses.replace(made, training=Training(candidates=("logistic",)))
    evidence = run(made, table).evidence
    assert evidence.verdict["state"] == "deploy"
    everyone = evidence.policy("all:call").value.value
    assert evidence.policies[0].value.value > everyone + 0.2
    assert [a["outcome"] for a in evidence.model["amounts"]] == ["yes"]
    assert "gift" not in str(evidence.model["description"]["features"])
    assert "income" in str(evidence.model["description"]["features"])


@pytest.mark.parametrize(("worth", "kept"), [("more", "sigmoid"), ("less", "raw")])
def test_a_calibration_that_costs_money_is_not_taken(rng, monkeypatch, worth, kept):
    """Log-loss proposes, money disposes: the same map is taken or refused by what it earns."""
    from payoff.model import calibrate
    from payoff.model.scored import Scored
    from payoff.workflow.training import _calibrate
    from tests.worlds import calibrated, rows

    prob, y = calibrated(rng, 600)
    made = binary()
    choose = rows(made, {"y": y}, part="choose")
    right = np.stack([prob, 1 - prob], axis=1)
    wrong = right[:, ::-1].copy()
    raw, proposed = (wrong, right) if worth == "more" else (right, wrong)
    sigmoid = calibrate.Calibrator.fit("sigmoid", raw, choose.outcome, choose.weight)
    monkeypatch.setattr(
        calibrate, "choose", lambda *_, **__: (sigmoid, {"reason": "By log-loss.", "kinds": []})
    )
    monkeypatch.setattr(calibrate, "cross_fitted", lambda *_, **__: proposed)
    calibrator, record = _calibrate(made, choose, Scored(prob=raw, part="choose"))
    assert calibrator.kind == record["kind"] == kept
    assert ("less" in record["reason"]) == (kept == "raw")
    assert (record["money"]["difference"] < 0) == (kept == "raw")


def test_predictions_made_elsewhere_are_not_trained(rng):
    from payoff.errors import DeclarationError

    made = dataclasses.replace(decision(), kind="predictions")
    with pytest.raises(DeclarationError, match="PAY-D012"):
        run(made, planted(rng, 200))


@pytest.mark.parametrize(
    ("when", "status"), [("job = 'student'", "passed"), ("job = 'Student'", "issue")]
)
def test_a_rule_that_never_fires_is_told(rng, when, status):
    table = planted(rng, 300)
    made = decision(rule=when)
    (found,) = [c for c in check(made, table).checks if c.code == "PAY-L111"]
    assert found.status == status
    assert "call" in found.detail


def test_money_that_cannot_be_computed_is_found_before_training_with_its_row(rng):
    from payoff.errors import DataError

    table = planted(rng, 300)
    amount = table.column("amount").to_pylist()
    amount[41] = None
    table = table.set_column(1, "amount", pa.array(amount))
    with pytest.raises(DataError, match=r"PAY-L010.*row 42"):
        check(decision(), table)


def test_a_value_that_settles_the_outcome_is_told(rng):
    y = rng.random(2000) < 0.3
    parking = np.where(~y & (rng.random(2000) < 0.2), 1, 0)
    table = pa.table({"noise": rng.normal(size=2000), "parking": parking, "y": y.astype(int)})
    (found,) = [c for c in check(binary(), table).checks if c.code == "PAY-L102"]
    assert found.status == "tip"
    assert "'parking' = '1'" in found.detail
    assert "never 'yes'" in found.detail


def test_files_in_a_query_are_relative_to_the_decision_file(rng, tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    from payoff.declare.file import to_toml

    (tmp_path / "project").mkdir()
    pq.write_table(planted(rng, 300), tmp_path / "project" / "rows.parquet")
    data = dataclasses.replace(decision().data, query="select * from 'rows.parquet'")
    text = to_toml(dataclasses.replace(decision(), data=data))
    (tmp_path / "project" / "decision.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    found = check("project/decision.toml")
    assert len(found.data) == 300
    assert "select * from 'rows.parquet'" in found.source.name
