"""Past decisions from the rows to the served answer: what is planted is found."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from payoff import report
from payoff.bundle import Bundle
from payoff.declare import CurrentRule, Data, Past, PayoffTable, Training
from payoff.declare.file import load
from payoff.errors import EvidenceError, PayoffError
from payoff.workflow import judge_predictions, run
from tests.conftest import ROOT
from tests.past_worlds import campaign, draw

FAST = Training(candidates=("logistic",))


def check_of(evidence, code):
    return next(c for c in evidence.checks if c.code == code)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """A randomised campaign in which mailing pays for x above 0 only."""
    world = draw(np.random.default_rng(7), 6000, even=True)
    table = pa.table({k: v for k, v in world.table.items() if k != "chance"})
    folder = tmp_path_factory.mktemp("past") / "bundle"
    return world, run(campaign(training=FAST), table, out=folder)


def test_the_planted_policy_beats_everybody_and_nobody(trial):
    world, found = trial
    evidence = found.evidence
    assert evidence.verdict["state"] == "deploy"
    best = world.expected().max(axis=1).mean()
    value = evidence.policies[0].value
    assert value.low < best < value.high
    assert evidence.past["uplift"][0]["qini"]["low"] > 0
    assert check_of(evidence, "PAY-E225").status == "passed"
    assert check_of(evidence, "PAY-E226").status == "passed"
    assert check_of(evidence, "PAY-E211").status == "passed"
    assert evidence.model["label"].endswith("one model per action")


def test_the_bundle_decides_by_each_actions_own_model(trial):
    _, found = trial
    bundle = Bundle.open(found.folder)
    gains, loses = bundle.decide([{"x": 1.5}, {"x": -1.5}])
    assert (gains["action"], loses["action"]) == ("mail", "leave")
    scored = bundle.model.predict_rows([{"x": 1.5}])
    for a, name in enumerate(("mail", "leave")):
        money = scored.prob[0, a] @ np.array([[9.0, -1.0], [10.0, 0.0]][a])
        assert gains["expected_money"][name] == pytest.approx(money)
    assert gains["probabilities"]["buys"] == pytest.approx(scored.prob[0, 0, 0])


def test_the_pages_tell_it(trial):
    _, found = trial
    page = report.documents(found.evidence, bundle={"id": "x"})["report.html"]
    for said in ("Past decisions", "Self-normalised", "Qini coefficient", "1. fifth"):
        assert said in page


def test_a_rule_that_favoured_some_is_modelled_and_the_page_says_so():
    world = draw(np.random.default_rng(8), 4000)
    table = pa.table({k: v for k, v in world.table.items() if k != "chance"})
    evidence = run(campaign(training=FAST, past=Past(action="done")), table).evidence
    assert evidence.past["design"]["how"] == "modelled"
    assert any("every reason is among the columns" in s for s in evidence.past["sentences"])
    truth = world.expected()[:, 0].mean()
    mail = evidence.policy("all:mail").value
    assert mail.low < truth < mail.high
    naive = np.where(world.outcome == 0, 9.0, -1.0)[world.taken == 0].mean()
    assert naive > mail.high  # taking those who were mailed for everybody is wrong
    assert check_of(evidence, "PAY-E225").status == "tip"


def test_a_declared_coin_that_was_none_is_found_out():
    world = draw(np.random.default_rng(9), 3000)
    table = pa.table({k: v for k, v in world.table.items() if k != "chance"})
    check = check_of(run(campaign(training=FAST), table).evidence, "PAY-E225")
    assert (check.status, check.page_one) == ("issue", True)


def test_recorded_probabilities_need_no_model_of_them():
    world = draw(np.random.default_rng(10), 3000)
    past = Past(action="done", propensity="chance")
    evidence = run(campaign(training=FAST, past=past), pa.table(world.table)).evidence
    mail = evidence.policy("all:mail").value
    assert mail.low < world.expected()[:, 0].mean() < mail.high
    assert "chance" not in {f["feature"] for f in evidence.model["description"]["features"]}


def credit(**more):
    """To grant or refuse; whether an applicant pays back is known of the granted only."""
    return campaign(
        payoffs=PayoffTable.of({"mail": {"buys": 10, "not": -50}, "leave": {"buys": 0, "not": 0}}),
        training=FAST,
        **more,
    )


def selected(rng, n=3000):
    world = draw(rng, n)
    pays = rng.random(n) < 1 / (1 + np.exp(-2.5 - world.x))
    done = np.where(world.x + rng.normal(size=n) * 0.4 > -0.7, "mail", "leave")
    y = np.where(done == "mail", pays.astype(float), np.nan)
    return pays, pa.table({"x": world.x, "done": done, "y": y})


def test_selective_labels_give_bounds_that_hold_the_truth(tmp_path):
    pays, table = selected(np.random.default_rng(11))
    decision = credit(past=Past(action="done", outcomes_known=("mail",)))
    found = run(decision, table, out=tmp_path / "b")
    evidence = found.evidence
    everybody = evidence.policy("all:mail").value
    assert everybody.value is None
    assert everybody.low < np.where(pays, 10, -50).mean() < everybody.high
    assert evidence.policy("do_nothing").value.value == 0
    assert all(b["low"] <= b["high"] for b in evidence.past["bounds"])
    assert check_of(evidence, "PAY-E226").status == "issue"
    page = report.documents(evidence, bundle={"id": "x"})["report.html"]
    assert "Bounds of each option" in page
    assert Bundle.open(found.folder).decide([{"x": 3.0}])[0]["action"] == "mail"


def test_selective_labels_that_nobody_declared_are_noticed():
    _, table = selected(np.random.default_rng(12))
    decision = credit(past=None, current_rule=CurrentRule(column="done"))
    check = check_of(run(decision, table).evidence, "PAY-E211")
    assert (check.status, check.page_one) == ("issue", True)
    assert "“leave”" in check.detail
    assert "outcomes_known" in check.mend


def test_the_current_rule_may_be_what_was_done():
    _, table = selected(np.random.default_rng(13))
    past = Past(action="done", outcomes_known=("mail",))
    evidence = run(credit(past=past, current_rule=CurrentRule(column="done")), table).evidence
    rule = evidence.policy("current_rule").value
    assert rule.value is not None  # what was done earned what it earned
    assert evidence.verdict["reference"] == "current_rule"
    world = draw(np.random.default_rng(14), 3000, even=True)
    done = campaign(training=FAST, current_rule=CurrentRule(column="done"))
    judged = run(done, pa.table({k: v for k, v in world.table.items() if k != "chance"})).evidence
    assert "past" not in {p.name for p in judged.policies}
    assert judged.past["estimators"][1]["logged"]


def test_an_experiment_on_refusals_knows_what_its_money_needs():
    """Refusing earns 0 whatever happens, so its missing outcomes are no loss."""
    rng = np.random.default_rng(15)
    n = 3000
    x = rng.normal(size=n)
    pays = rng.random(n) < 1 / (1 + np.exp(-2.5 - x))
    done = rng.choice(["mail", "leave"], n)
    table = pa.table({"x": x, "done": done, "y": np.where(done == "mail", pays * 1.0, np.nan)})
    past = Past(action="done", randomised=True, outcomes_known=("mail",))
    evidence = run(credit(past=past), table).evidence
    everybody = evidence.policy("all:mail").value
    assert everybody.low < np.where(pays, 10, -50).mean() < everybody.high
    assert evidence.policy("do_nothing").value.value == 0
    dear = PayoffTable.of({"mail": {"buys": 9, "not": -1}, "leave": {"buys": 1, "not": 0}})
    with pytest.raises(EvidenceError) as error:
        run(dataclasses.replace(credit(past=past), payoffs=dear), table)
    assert error.value.code == "PAY-E025"


def test_an_action_that_was_never_taken_stops_with_its_name():
    world = draw(np.random.default_rng(16), 600, even=True)
    table = pa.table({"x": world.x, "y": 1 - world.outcome, "done": ["mail"] * 600})
    with pytest.raises(PayoffError) as error:
        run(campaign(training=FAST), table)
    assert error.value.code in {"PAY-L008", "PAY-L009"}


@pytest.mark.parametrize("past", [Past(action="done"), Past(action="done", randomised=True)])
def test_outcomes_known_under_one_action_only_point_to_the_key_that_says_so(past):
    rng = np.random.default_rng(17)
    pays, done = rng.random(600) < 0.8, rng.choice(["mail", "leave"], 600)
    outcome = np.where(done == "mail", pays * 1.0, np.nan)
    table = pa.table({"x": rng.normal(size=600), "done": done, "y": outcome})
    with pytest.raises(PayoffError, match=r"past\.outcomes_known"):
        run(credit(past=past), table)


def predicted(world, **columns):
    return pa.table({**world.table, **columns})


def test_actions_given_are_judged_by_inverse_propensity():
    world = draw(np.random.default_rng(21), 3000)
    given = np.array(["mail", "leave"])[(world.x <= 0).astype(int)]
    decision = campaign(past=Past(action="done", propensity="chance"))
    evidence = judge_predictions(decision, predicted(world, action=given))
    truth = world.expected()[np.arange(3000), (world.x <= 0).astype(int)].mean()
    value = evidence.policy("predicted").value
    assert value.low < truth < value.high
    first = evidence.past["estimators"][0]
    assert abs(first["dr"]["value"] - first["snips"]["value"]) < 0.1
    assert first["matched"] == np.sum(given == world.table["done"])


def test_probabilities_under_each_action_are_judged_doubly_robust():
    world = draw(np.random.default_rng(22), 3000)
    columns = {f"y_prob_buys_{a}": world.buys[:, k] for k, a in enumerate(("mail", "leave"))}
    decision = campaign(past=Past(action="done", propensity="chance"))
    evidence = judge_predictions(decision, predicted(world, **columns))
    best = world.expected().max(axis=1).mean()
    value = evidence.policy("expected").value
    assert value.low < best < value.high
    assert evidence.past["uplift"][0]["qini"]["low"] > 0


def test_one_probability_for_all_actions_is_refused():
    world = draw(np.random.default_rng(23), 500)
    decision = campaign(past=Past(action="done", propensity="chance"))
    with pytest.raises(EvidenceError) as error:
        judge_predictions(decision, predicted(world, y_prob=world.buys[:, 0]))
    assert error.value.code == "PAY-E004"
    assert "one column per outcome and action" in str(error.value)
    unknown = campaign(past=Past(action="done"))
    given = np.array(["mail"] * 500)
    with pytest.raises(EvidenceError) as error:
        judge_predictions(unknown, predicted(world, what=given), action="what")
    assert error.value.code == "PAY-E025"


def test_the_column_of_what_was_done_is_no_prediction():
    world = draw(np.random.default_rng(24), 300)
    table = predicted(world).rename_columns(["x", "action", "y", "chance"])
    with pytest.raises(EvidenceError) as error:
        judge_predictions(campaign(past=Past(action="action", propensity="chance")), table)
    assert error.value.code == "PAY-E004"


def test_predictions_for_selected_labels_have_bounds():
    pays, table = selected(np.random.default_rng(25))
    table = table.append_column("y_prob", pa.array(np.full(len(pays), 0.9)))
    evidence = judge_predictions(credit(past=Past(action="done", outcomes_known=("mail",))), table)
    value = evidence.policy("expected").value
    assert value.value is None
    assert value.low < np.where(pays, 10, -50).mean() < value.high


@pytest.mark.slow
def test_hillstrom_is_judged_as_a_decision(tmp_path, shared_data):
    decision = load(ROOT / "examples" / "tabular" / "email" / "decision.toml")
    decision = dataclasses.replace(decision, training=FAST)
    evidence = run(
        decision, str(shared_data / "tabular" / "hillstrom.parquet"), out=tmp_path / "b"
    ).evidence
    assert evidence.past["design"]["how"] == "randomised"
    assert check_of(evidence, "PAY-E225").status == "passed"
    mens = next(e for e in evidence.past["uplift"] if e["action"] == "mens")
    # Mean spend 1.4226 against 0.6528: 30 % of it, less 10 cents, on all 64,000 rows.
    assert mens["effect"]["low"] < 0.30 * (1.4226 - 0.6528) - 0.10 < mens["effect"]["high"]
    assert mens["outcome_effect"]["low"] > 0
    assert evidence.policy("past").value.value > 0
    assert isinstance(decision.data, Data)
