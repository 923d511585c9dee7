import json

import numpy as np
import pytest

from payoff.model.learn import learn, signal_of_outcomes
from payoff.model.readings import read_table
from payoff.model.scorecard import Scorecard, fit_scorecard
from tests.model.making import contract_of, planted


@pytest.fixture(scope="module")
def fitted():
    table, y, contract, z = planted(6_000)
    n = len(y)
    signal = signal_of_outcomes(y, np.ones(n), np.arange(n), 0)
    encoder, x = learn(read_table(table, contract.features), contract.features, "bins", signal)
    card, _ = fit_scorecard(encoder, x, y, np.ones(n), np.arange(n), n_outcomes=2, seed=0)
    return encoder, x, card, y, z


def test_points_add_up_to_the_odds(fitted):
    encoder, x, card, _, _ = fitted
    told = card.points(encoder, 1)
    for row in x[:50].astype(int):
        total = told["base"] + sum(
            f["bins"][code]["points"] for f, code in zip(told["features"], row, strict=True)
        )
        p = card.predict(row[None, :].astype(float))[0, 1]
        assert 20 * np.log2(p / (1 - p)) == pytest.approx(total, abs=0.1 * len(row))
    assert all(min(b["points"] for b in f["bins"]) == 0 for f in told["features"])


def test_the_planted_effects_are_readable(fitted):
    encoder, _, card, _, _ = fitted
    points = {f["feature"]: f["bins"] for f in card.points(encoder, 1)["features"]}
    job = {b["bin"]: b["points"] for b in points["job"]}
    # 1.3 log-odds between cook and the others, at 20 points per doubling
    assert job["cook"] - job["pilot"] == pytest.approx(1.3 * 20 / np.log(2), abs=6)
    rising = [b["points"] for b in points["x"][:-1]]
    assert rising == sorted(rising)
    assert points["x"][-1]["bin"] == "missing"


def test_points_of_the_other_outcome_are_the_opposite(fitted):
    encoder, _, card, _, _ = fitted
    a = card.points(encoder, 1)["features"][0]["bins"]
    b = card.points(encoder, 0)["features"][0]["bins"]
    assert a[0]["points"] - a[1]["points"] == pytest.approx(
        b[1]["points"] - b[0]["points"], abs=0.2
    )


def test_json_and_single_rows_keep_every_bit(fitted):
    _, x, card, _, _ = fitted
    again = Scorecard.from_dict(json.loads(json.dumps(card.to_dict())))
    whole = card.predict(x)
    assert whole.tobytes() == again.predict(x).tobytes()
    assert (
        whole[:20].tobytes() == np.concatenate([again.predict(r[None]) for r in x[:20]]).tobytes()
    )


def test_an_unseen_outcome_has_no_points():
    table, y, _, _ = planted(300)
    contract = contract_of(x="number")
    signal = signal_of_outcomes(y, np.ones(300), np.arange(300), 0)
    encoder, x = learn(read_table(table, contract.features), contract.features, "bins", signal)
    card, _ = fit_scorecard(encoder, x, y, np.ones(300), np.arange(300), n_outcomes=3, seed=0)
    assert card.points(encoder, 2) == {"base": None, "features": []}
    assert (card.predict(x)[:, 2] == 0).all()
