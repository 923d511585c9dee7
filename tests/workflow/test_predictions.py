"""Predictions made elsewhere: found by name, declared or named; refused when they are none."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from payoff.declare import Predictions
from payoff.errors import DataError, EvidenceError
from payoff.workflow import judge_predictions
from tests.worlds import binary, calibrated


@pytest.fixture
def scored(rng):
    prob, y = calibrated(rng, 2000)
    return {
        "y": y,
        "p": prob,
        "s": np.log(prob / (1 - prob)) * 3 + 7,
        "did": np.where(prob > 0.3, "call", "leave"),
    }


def test_probabilities_scores_and_actions_of_one_model_agree(scored):
    decision = binary()
    by_prob = judge_predictions(decision, pa.table(scored), probability={"yes": "p"})
    by_score = judge_predictions(decision, pa.table(scored), score="s")
    by_action = judge_predictions(decision, pa.table(scored), action="did")
    value = {
        name: e.policies[0].value.value
        for name, e in (("prob", by_prob), ("score", by_score), ("action", by_action))
    }
    expected = np.where(scored["p"] > 0.1, np.where(scored["y"], 9, -1), 0).mean()
    assert value["prob"] == pytest.approx(expected)
    assert value["score"] == pytest.approx(expected, abs=0.1)
    acted = np.where(scored["did"] == "call", np.where(scored["y"], 9, -1), 0).mean()
    assert value["action"] == pytest.approx(acted)
    assert by_action.policies[0].name == "predicted"


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ({"p": "y_prob"}, "expected"),
        ({"p": "y_prob_yes"}, "expected"),
        ({"s": "y_score"}, "expected"),
        ({"did": "action"}, "predicted"),
    ],
)
def test_conventional_names_are_found(scored, names, kind):
    table = {names.get(k, k): v for k, v in scored.items() if k in names or k == "y"}
    assert judge_predictions(binary(), pa.table(table)).policies[0].name == kind


def test_declared_columns_are_found(scored):
    decision = dataclasses.replace(binary(), predictions=Predictions(probability={"yes": "p"}))
    assert judge_predictions(decision, pa.table(scored)).policies[0].name == "expected"


def test_both_probabilities_may_be_given(scored):
    table = {"y": scored["y"], "y_prob_yes": scored["p"], "y_prob_no": 1 - scored["p"]}
    one = judge_predictions(binary(), pa.table(table)).policies[0].value
    assert (
        one
        == judge_predictions(binary(), pa.table(scored), probability={"yes": "p"}).policies[0].value
    )


def test_rows_without_outcome_are_left_out_and_counted(scored):
    table = {k: list(v) for k, v in scored.items()}
    table["y"][:100] = [None] * 100
    found = judge_predictions(binary(), pa.table(table), probability={"yes": "p"})
    assert found.data["dropped"][0]["n"] == 100
    assert found.policies[0].value.n == 1900


def test_the_threshold_policy_is_cross_fitted(scored):
    found = judge_predictions(binary(), pa.table(scored), probability={"yes": "p"})
    tuned = found.policy("threshold")
    assert "four fifths" in tuned.how
    assert tuned.value.value <= max(found.curve["value"]) / 1000 + 1e-12


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"p": 100.0}, "PAY-E002", "Divide percentages by 100"),
        ({"p": -0.1}, "PAY-E002", "from 0 to 1"),
        ({"p": None}, "PAY-E002", "missing values in p"),
    ],
)
def test_what_is_no_probability_is_refused(scored, change, code, words):
    table = {k: list(v) for k, v in scored.items()}
    table["p"][3] = change["p"]
    with pytest.raises(EvidenceError, match=f"{code}.*{words}"):
        judge_predictions(binary(), pa.table(table), probability={"yes": "p"})


def test_probabilities_that_do_not_sum_to_one_are_refused(scored):
    with pytest.raises(EvidenceError, match=r"PAY-E002.*sum"):
        judge_predictions(binary(), pa.table(scored), probability={"yes": "p", "no": "p"})


def test_unknown_actions_and_missing_predictions_are_refused(scored):
    table = scored | {"did": np.where(scored["p"] > 0.3, "phone", "leave")}
    with pytest.raises(EvidenceError, match=r"PAY-E003.*'phone'"):
        judge_predictions(binary(), pa.table(table), action="did")
    with pytest.raises(EvidenceError, match="PAY-E004"):
        judge_predictions(binary(), pa.table({"y": scored["y"]}))
    with pytest.raises(DataError, match=r"PAY-L004.*Did you mean 'did'"):
        judge_predictions(binary(), pa.table(scored), action="dit")


def test_a_useless_score_earns_what_the_best_constant_earns(rng):
    y = (rng.random(3000) < 0.05).astype(int)
    found = judge_predictions(binary(), pa.table({"y": y, "s": rng.random(3000)}), score="s")
    assert found.policies[0].value.value == pytest.approx(0, abs=0.06)
    assert found.verdict["state"] != "deploy"
