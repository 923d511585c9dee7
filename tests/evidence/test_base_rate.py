"""Value against the base rate: hand figures, reweighted rows, the odds that are moved."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from payoff.evidence.acted import Background
from payoff.evidence.base_rate import takes_over
from payoff.evidence.joint import covariance, fieller, joint_means
from payoff.evidence.refit import moved_odds
from payoff.workflow.predictions import judge_predictions
from tests.worlds import POWERS, binary, calibrated, judged, three_by_three

FACTS = {"data": {}, "model": {}, "fit_shares": {"yes": 0.05, "no": 0.95}, "fit_n": 1000}


def one(found, name):
    return next(o for o in found["options"] if o["policy"] == name)


def test_a_line_by_hand():
    """Of 4 yes, 3 called; of 6 no, 2 called: within yes 9 * 3/4, within no -1 * 2/6."""
    prob = [0.9] * 3 + [0.01] + [0.9] * 2 + [0.01] * 4
    found = judged(binary(volume=100), {"y": [1] * 4 + [0] * 6}, prob).base_rate
    for q, value in zip(found["rate"], one(found, "expected")["value"], strict=True):
        assert value == pytest.approx(100 * (q * 6.75 - (1 - q) / 3))
    (crossing,) = [c for c in found["crossings"] if c["against"] == "all:call"]
    # q (6.75 - 9) = (1 - q) (1/3 - 1)  ->  2.25 q = (2/3) (1 - q)
    assert crossing["rate"]["value"] == pytest.approx((2 / 3) / (2.25 + 2 / 3))
    assert crossing["ahead"] == "below"
    assert takes_over(found, "all:call") == "above 23 %"


def test_every_point_is_the_value_of_reweighted_rows(rng):
    """Weights that give the outcome another share must give the same figure as the line."""
    prob, y = calibrated(rng, 700)
    plain = judged(binary(POWERS), {"y": y}, prob)
    rate = y.mean()
    for q in (plain.base_rate["rate"][7], plain.base_rate["rate"][30]):
        w = np.where(y == 1, q / rate, (1 - q) / (1 - rate))
        heavy = judged(binary(POWERS, weight="w"), {"y": y, "w": w}, prob)
        place = plain.base_rate["rate"].index(q)
        for name in ("half", "all:call", "do_nothing"):
            assert one(plain.base_rate, name)["value"][place] == pytest.approx(
                heavy.policy(name).total.value
            )


def test_at_the_judged_rate_the_line_is_the_value_judged_with_its_interval(rng):
    prob, y = calibrated(rng, 900)
    found = judged(binary(POWERS), {"y": y}, prob)
    for p in found.policies:
        assert one(found.base_rate, p.name)["at_judged"] == pytest.approx(p.total.value)


def test_the_refitted_policy_at_the_rate_it_speaks_of_is_the_policy_itself(rng):
    prob, y = calibrated(rng, 3000)
    found = judged(
        binary(),
        {"y": y},
        prob,
        background=Background(
            data={}, model={}, fit_shares={"yes": y.mean(), "no": 1 - y.mean()}, fit_n=3000
        ),
    )
    again = found.base_rate["refitted"]
    assert again["speaks_of"] == pytest.approx(y.mean())
    place = int(np.argmin(np.abs(np.array(again["rate"]) - y.mean())))
    q = again["rate"][place]
    own = np.interp(q, found.base_rate["rate"], one(found.base_rate, "expected")["value"])
    assert again["value"][place] == pytest.approx(own, rel=0.02)


def test_where_the_rate_moved_correcting_the_odds_regains_the_money(rng):
    """Probabilities made at 5 %, rows at 30 %: the corrected policy beats the one that was not."""
    n = 6000
    y = (rng.random(n) < 0.3).astype(int)
    score = rng.normal(y, 1.0)
    odds = np.exp(score - 0.5) * 0.05 / 0.95
    found = judged(binary(), {"y": y}, odds / (1 + odds), background=Background(**FACTS))
    again = found.base_rate["refitted"]
    assert again["at_judged"] > 1.2 * one(found.base_rate, "expected")["at_judged"]
    (loud,) = [c for c in found.checks if c.code == "PAY-E204"]
    assert loud.status == "issue"
    assert "“call: all” earns more once the share of “yes” is above" in loud.detail


@settings(max_examples=40)
@given(st.floats(0.01, 0.99), st.floats(0.01, 100.0))
def test_moved_odds_multiply_the_odds(p, ratio):
    q = moved_odds(np.array([[p, 1 - p]]), 0, ratio)[0, 0]
    assert q / (1 - q) == pytest.approx(p / (1 - p) * ratio)


def test_the_best_option_of_every_stretch_is_the_best_at_its_middle(rng):
    prob, y = calibrated(rng, 500)
    found = judged(binary(POWERS), {"y": y}, prob).base_rate
    assert found["best"][0]["from"] == 0
    assert found["best"][-1]["to"] == 1
    hit, miss = {}, {}
    for o in found["options"]:
        slope = (o["value"][-1] - o["value"][0]) / (found["rate"][-1] - found["rate"][0])
        miss[o["policy"]], hit[o["policy"]] = o["value"][0], o["value"][0] + slope
    for part in found["best"]:
        q = (part["from"] + part["to"]) / 2
        value = {k: q * hit[k] + (1 - q) * miss[k] for k in hit}
        assert value[part["policy"]] == pytest.approx(max(value.values()))


def test_three_outcomes_set_the_positive_against_the_rest(rng):
    n = 600
    prob = rng.dirichlet([1, 2, 6], n)
    y = np.array(["fraud", "error", "fine"])[[rng.choice(3, p=p) for p in prob]]
    table = {"y": y, "amount": rng.lognormal(5, 1, n)}
    found = judged(three_by_three(), table, prob)
    for p in found.policies:
        assert one(found.base_rate, p.name)["at_judged"] == pytest.approx(p.total.value)


def test_actions_alone_have_lines_but_nothing_to_refit(rng):
    y = rng.integers(0, 2, 300)
    table = pa.table({"y": y, "action": np.where(rng.random(300) < 0.5, "call", "leave")})
    found = judge_predictions(binary(), table, action="action").base_rate
    assert "probabilities" in found["refitted"]["not_measured"]
    assert len(found["options"]) == 3


# -------------------------------------------------------------------------- the joint figures


def test_joint_covariance_is_numpys_and_weights_repeat_rows(rng):
    x = rng.normal(size=(200, 3))
    found = joint_means(x, np.ones(200), None)
    np.testing.assert_allclose(found.cov, np.cov(x.T) / 200, rtol=1e-12)
    cluster = np.repeat(np.arange(50), 4)
    sums = np.add.reduceat(x - x.mean(0), np.arange(0, 200, 4)) / 200
    np.testing.assert_allclose(covariance((x - x.mean(0)) / 200, cluster), sums.T @ sums * 50 / 49)


def test_fieller_is_the_inverted_t_test(rng):
    """The ends are where the paired t test of d + u slope is just rejected, by scipy."""
    d, s = rng.normal(1.0, 2.0, 120), rng.normal(-0.8, 1.0, 120)
    found = joint_means(np.stack([d, s], axis=1), np.ones(120), None)
    low, high = fieller(*found.mean, found.cov, stats.t.ppf(0.975, 119))
    for u in (low, high):
        x = d + u * s
        t = x.mean() / stats.sem(x)
        assert 2 * stats.t.sf(abs(t), 119) == pytest.approx(0.05, abs=1e-9)
    assert fieller(1.0, 0.01, np.eye(2), 2.0) is None
