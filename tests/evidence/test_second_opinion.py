"""Every statistic a second time: other software, exact fractions, or a plain loop, to 1e-9.

To add one: a function under ``@opinion("what it is, and who says so")`` that takes a generator and
returns ``ours, theirs``: numbers, or sequences of numbers.
"""

from __future__ import annotations

import itertools
import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
import sklearn.metrics
from scipy import optimize, stats

from payoff.clusters import cluster_sums, mean_and_error, standard_error
from payoff.evidence.curve import threshold_values
from payoff.evidence.diagnosis import diagnose, effective
from payoff.evidence.interval import mean_money, score_ends, share, wilson
from payoff.evidence.sureness import design_effect
from payoff.policy.choose import best_threshold, capacity_prices, cross_fitted_threshold, paired
from tests.worlds import POWERS, SIMPLE, at_stake, binary, calibrated, judged, three_by_three

OPINIONS = {}


def opinion(name):
    """Register a second computation; see the module's first lines."""

    def register(function):
        assert name not in OPINIONS, name
        OPINIONS[name] = function
        return function

    return register


def exact(values):
    return [Fraction(float(v)) for v in values]


def clustered(rng, n=300, count=40):
    return rng.normal(1, 2, n), rng.random(n) + 0.5, rng.integers(0, count, n)


def world(rng, payoffs=SIMPLE, n=400, weighted=False):
    """A judged binary decision with its rows: evidence, probabilities, outcomes, weights."""
    prob, y = calibrated(rng, n, a=1.0, b=6.0)
    weight = rng.random(n) + 0.2 if weighted else np.ones(n)
    more = {"weight": "w"} if weighted else {}
    found = judged(binary(payoffs, volume=1000, **more), {"y": y, "w": weight}, prob)
    return found, prob, y, weight


# ------------------------------------------------------------------------- means and errors


@opinion("mean: exact fractions")
def _(rng):
    values = rng.lognormal(0, 2, 500)
    ours = cluster_sums(values, np.ones(500), None).mean
    return ours, float(sum(exact(values)) / 500)


@opinion("weighted mean: exact fractions")
def _(rng):
    values, weight, _ = clustered(rng)
    v, w = exact(values), exact(weight)
    theirs = sum(a * b for a, b in zip(v, w, strict=True)) / sum(w)
    return mean_and_error(values, weight, None)[0], float(theirs)


@opinion("standard error of a mean: statistics.stdev")
def _(rng):
    values = rng.gamma(1, 3, 200)
    theirs = statistics.stdev(map(float, values)) / math.sqrt(200)
    return mean_and_error(values, np.ones(200), None)[1], theirs


@opinion("cluster-robust error: the sandwich of a weighted regression on a constant")
def _(rng):
    values, weight, cluster = clustered(rng)
    x = np.ones((300, 1))
    bread = np.linalg.inv(x.T @ (x * weight[:, None]))
    beta = bread @ (x.T @ (weight * values))
    score = x * (weight * (values - x @ beta))[:, None]
    codes = np.unique(cluster)
    meat = sum(np.outer(score[cluster == c].sum(0), score[cluster == c].sum(0)) for c in codes) * (
        len(codes) / (len(codes) - 1)
    )
    theirs = math.sqrt((bread @ meat @ bread)[0, 0])
    return mean_and_error(values, weight, cluster)[1], theirs


@opinion("cluster-robust error: exact fractions")
def _(rng):
    values, weight, cluster = clustered(rng, 60, 7)
    v, w = exact(values), exact(weight)
    total = sum(w)
    mean = sum(a * b for a, b in zip(v, w, strict=True)) / total
    square = sum(
        sum(w[i] * (v[i] - mean) for i in range(60) if cluster[i] == c) ** 2
        for c in np.unique(cluster)
    )
    count = len(np.unique(cluster))
    theirs = math.sqrt(square * Fraction(count, count - 1) / total**2)
    return standard_error(cluster_sums(values, weight, cluster)), theirs


@opinion("paired difference and its error: scipy's paired t test")
def _(rng):
    prob, y = calibrated(rng, 300)
    _, stake = at_stake(binary(), {"y": y}, prob)
    a, b = rng.normal(1, 1, 300), rng.normal(0, 1, 300)
    found = paired(a, b, stake)
    test = stats.ttest_rel(a, b)
    return found.difference / found.standard_error, test.statistic


@opinion("t interval: scipy.stats.t")
def _(rng):
    values = rng.normal(3, 1, 2000)
    found = mean_money(cluster_sums(values, np.ones(2000), None), level=0.9, unit="EUR")
    assert found.method == "t"
    theirs = stats.t.interval(0.9, 1999, values.mean(), stats.sem(values))
    return (found.low, found.high), theirs


@opinion("score interval of two values: Wilson's closed form")
def _(rng):
    n, k, z = 401, 23, 1.96
    values = rng.permutation(np.repeat([7.0, -2.0], [k, n - k]))
    theirs = [9 * p - 2 for p in wilson_by_hand(k / n, n - 1, z)]
    return score_ends(cluster_sums(values, np.ones(n), None), z), theirs


def wilson_by_hand(p, n, z):
    """Return the roots of (p - x)^2 n = z^2 x (1 - x)."""
    return sorted(np.roots([1 + z * z / n, -(2 * p + z * z / n), p * p]).real)


@opinion("Wilson's interval: scipy.stats.binomtest")
def _(_rng):
    cases = [(0, 10), (3, 10), (17, 400), (400, 400)]
    ours = [x for k, n in cases for x in wilson(k / n, n, 0.95)]
    theirs = [x for k, n in cases for x in stats.binomtest(k, n).proportion_ci(method="wilson")]
    return ours, theirs


@opinion("share with clusters: Wilson on p (1 - p) / se^2")
def _(rng):
    _, weight, cluster = clustered(rng)
    hit = rng.random(300) < 0.3
    found = share(hit, weight, cluster, level=0.95)
    p, error = mean_and_error(hit.astype(float), weight, cluster)
    n = min(p * (1 - p) / error**2, 300)
    return (found.value, found.low, found.high), (p, *wilson_by_hand(p, n, stats.norm.ppf(0.975)))


@opinion("skewness: scipy.stats.skew")
def _(rng):
    values = rng.gamma(0.5, 1, 300)
    return diagnose(cluster_sums(values, np.ones(300), None)).skewness, stats.skew(values)


@opinion("equal paying cases: n over scipy's kurtosis")
def _(rng):
    values = rng.gamma(0.5, 1, 300)
    ours = diagnose(cluster_sums(values, np.ones(300), None)).paying
    return ours, 300 / stats.kurtosis(values, fisher=False)


@opinion("Satterthwaite's count of equal cases: exact fractions")
def _(rng):
    weight = rng.exponential(1, 50)
    w = [x * x for x in exact(weight)]
    return effective(weight), float(sum(w) ** 2 / sum(x * x for x in w))


@opinion("share of the largest 1 %: sorting")
def _(rng):
    values = rng.normal(0, 1, 1000) ** 3
    money = sorted(map(abs, values), reverse=True)
    found = diagnose(cluster_sums(values, np.ones(1000), None))
    theirs = (money[0] / sum(money), sum(money[:10]) / sum(money))
    return (found.largest, found.largest_percent), theirs


@opinion("design effect of equal clusters: analysis of variance")
def _(rng):
    values = (rng.normal(0, 1, 30)[:, None] + rng.normal(0, 1, (30, 5))).ravel()
    cluster = np.repeat(np.arange(30), 5)
    between = values.reshape(30, 5).mean(1).var(ddof=1) / 30
    theirs = between / (values.var(ddof=1) / 150)
    sums = cluster_sums(values, np.ones(150), cluster)
    return design_effect(values, np.ones(150), sums), theirs


# --------------------------------------------------------------------- what a decision is worth


@opinion("confusion cells: sklearn.metrics.confusion_matrix")
def _(rng):
    found, prob, y, _ = world(rng)
    theirs = sklearn.metrics.confusion_matrix(y, prob > 0.1, labels=[1, 0])  # rows: what happened
    cells = {(c.action, c.outcome): c.n for c in found.policy("expected").cells}
    ours = [cells[a, o] for o, a in itertools.product(("yes", "no"), ("call", "leave"))]
    return ours, theirs.ravel()


@opinion("net value: exact fractions over the rows, with weights")
def _(rng):
    found, prob, y, weight = world(rng, POWERS, weighted=True)
    total = mass = Fraction(0)
    for p, happened, w in zip(prob, y, exact(weight), strict=True):
        call = Fraction(float(p)) * 1010 > (1 - Fraction(float(p))) * 101
        money = (1000 if happened else -100) if call else (-10 if happened else 1)
        total, mass = total + w * money, mass + w
    return found.policy("expected").value.value, float(total / mass)


@opinion("net value: Vickers and Elkin's net benefit at the threshold's odds")
def _(rng):
    found, prob, y, _ = world(rng)
    call = prob > 0.1
    odds = 0.1 / 0.9
    benefit = (call & (y == 1)).mean() - (call & (y == 0)).mean() * odds
    return found.policy("expected").value.value, 9 * benefit


@opinion("net value: rates, base rate and money (expected value frame)")
def _(rng):
    found, prob, y, _ = world(rng, POWERS)
    call = prob > 101 / 1111
    rate = y.mean()
    caught, alarmed = sklearn.metrics.recall_score(y, call), call[y == 0].mean()
    theirs = rate * (caught * 1000 + (1 - caught) * -10) + (1 - rate) * (
        alarmed * -100 + (1 - alarmed) * 1
    )
    return found.policy("expected").value.value, theirs


@opinion("regret: the best action of each row, by a loop")
def _(rng):
    found, prob, y, _ = world(rng, POWERS)
    table = {1: (1000, -10), 0: (-100, 1)}
    theirs = sum(max(table[h]) - table[h][0 if p > 101 / 1111 else 1] for p, h in zip(prob, y))  # noqa: B905
    ours = sum(c.regret_per_period for c in found.policy("expected").cells)
    return ours, theirs / 400 * 1000


@opinion("share acted on, and units per period: counting")
def _(rng):
    found, prob, _, _ = world(rng)
    use = next(a for a in found.policy("expected").actions if a.action == "call")
    return (use.share, use.per_period), ((prob > 0.1).sum() / 400, (prob > 0.1).sum() / 0.4)


@opinion("gain: the difference of two totals")
def _(rng):
    found, *_ = world(rng, POWERS)
    ours = [c.total.value for c in found.comparisons]
    own = found.policy("expected").total.value
    return ours, [own - found.policy(c.against).total.value for c in found.comparisons]


@opinion("gain's interval: the differences row by row")
def _(rng):
    found, prob, y, _ = world(rng, n=3000)
    gain = next(c for c in found.comparisons if c.against == "all:call").value
    money = np.where(y == 1, 9.0, -1.0)
    theirs = mean_money(
        cluster_sums(np.where(prob > 0.1, 0.0, -money), np.ones(3000), None),
        level=0.95,
        unit="EUR",
        constant=True,
    )
    return (gain.low, gain.high), (theirs.low, theirs.high)


@opinion("expected money: a loop over units, actions and outcomes")
def _(rng):
    prob, amount = rng.dirichlet([1, 2, 6], 50), rng.lognormal(5, 1, 50)
    names = ["fraud", "error", "fine"]
    _, stake = at_stake(three_by_three(), {"y": rng.choice(names, 50), "amount": amount}, prob)
    theirs = []
    for p, a in zip(prob, amount, strict=True):
        for row in ((a, a / 2, -200), (a - 30, a / 2 - 30, -30), (0, 0, 0)):
            theirs.append(math.fsum(q * m for q, m in zip(p, row, strict=True)))  # noqa: PERF401
    return stake.expected.ravel(), theirs


@opinion("log-loss: sklearn.metrics.log_loss")
def _(rng):
    found, prob, y, weight = world(rng, weighted=True)
    theirs = sklearn.metrics.log_loss(y, np.clip(prob, 1e-15, 1), sample_weight=weight)
    return found.calibration["log_loss"], theirs


@opinion("Brier score: sklearn.metrics.brier_score_loss")
def _(rng):
    found, prob, y, weight = world(rng, weighted=True)
    theirs = sklearn.metrics.brier_score_loss(y, prob, sample_weight=weight)
    return found.calibration["brier"], theirs


@opinion("promised and realised money: averages over the rows called")
def _(rng):
    found, prob, y, _ = world(rng)
    call = prob > 0.1
    theirs = (
        np.where(call, 10 * prob - 1, 0).mean(),
        np.where(call, 10 * y - 1, 0).mean(),
    )
    return (found.calibration["expected"], found.calibration["realised"]), theirs


# ------------------------------------------------------------------------ what chooses a policy


@opinion("best threshold's value: every cut, by a loop")
def _(rng):
    prob, gain = rng.random(300).round(2), rng.normal(0, 1, 300)
    found = best_threshold(prob, gain)
    theirs = max(math.fsum(gain[prob >= t]) for t in [*prob, 2.0])
    return math.fsum(gain[prob >= found]), theirs


@opinion("value of every threshold: a loop with exact fractions")
def _(rng):
    prob, high, low = rng.random(80), rng.normal(0, 1, 80), rng.normal(0, 1, 80)
    weight = rng.random(80)
    cuts = np.array([0.0, 0.2, 0.5, 0.9])
    value, _, _ = threshold_values(prob, low, high, weight, cuts)
    h, lo, w = exact(high), exact(low), exact(weight)
    theirs = [
        float(sum(w[i] * (h[i] if prob[i] >= t else lo[i]) for i in range(80)) / sum(w))
        for t in cuts
    ]
    return value, theirs


@opinion("cross-fitted threshold's value: each fold by the best cut of the others")
def _(rng):
    from payoff.rng import generator

    prob, y = calibrated(rng, 300, b=6.0)
    decision = binary()
    _, stake = at_stake(decision, {"y": y}, prob, part="choose")
    codes = cross_fitted_threshold(stake, decision, seed=3)
    fold = generator(3, "threshold folds").integers(5, size=300)
    money = np.where(y == 1, 9.0, -1.0)
    theirs = 0.0
    for k in range(5):
        kept = fold != k
        cuts = np.unique(prob[kept])
        cuts = [0.0, *((cuts[1:] + cuts[:-1]) / 2), 2.0]
        best = max(cuts, key=lambda t, kept=kept: math.fsum(money[kept & (prob >= t)]))
        theirs += math.fsum(money[~kept & (prob >= best)])
    return stake.realised[np.arange(300), codes].sum(), theirs


@opinion("price of capacity: the dual of a linear programme (scipy, HiGHS)")
def _(rng):
    decision = binary(capacity=0.2)
    gain = rng.normal(0.2, 1, 101)
    expected = np.stack([gain, np.zeros(101)], axis=1)
    price = capacity_prices(expected, np.ones(101), decision)["call"]
    limit = 0.2 * 101  # not whole, so that the dual is unique
    solved = optimize.linprog(-gain, A_ub=np.ones((1, 101)), b_ub=[limit], bounds=(0, 1))
    return price, -solved.ineqlin.marginals[0]


@opinion("value under capacity: the linear programme's optimum")
def _(rng):
    decision = binary(capacity=0.2)
    gain = rng.normal(0.2, 1, 100)
    expected = np.stack([gain, np.zeros(100)], axis=1)
    price = capacity_prices(expected, np.ones(100), decision)["call"]
    solved = optimize.linprog(-gain, A_ub=np.ones((1, 100)), b_ub=[20], bounds=(0, 1))
    return math.fsum(gain[gain > price]), -solved.fun


@pytest.mark.parametrize("name", list(OPINIONS))
def test_second_opinion(name, rng):
    ours, theirs = OPINIONS[name](rng)
    assert np.all(np.isfinite(np.asarray(ours, dtype=float)))
    assert np.asarray(ours, dtype=float) == pytest.approx(
        np.asarray(theirs, dtype=float), rel=1e-9, abs=1e-9
    )


def test_there_are_enough():
    assert len(OPINIONS) >= 30
