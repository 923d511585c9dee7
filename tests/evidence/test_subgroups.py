"""Subgroups in a judging: second computations, and the defects other tools have had."""

from __future__ import annotations

import numpy as np
import pytest

from tests.worlds import binary, calibrated, judged


def test_subgroup_money_adds_up_to_the_whole(rng):
    prob, y = calibrated(rng, 3000)
    group = np.array(list("abc"))[rng.integers(0, 3, 3000)]
    found = judged(binary(volume=900, subgroups=("g",)), {"y": y, "g": group}, prob)
    (by_group,) = found.subgroups
    gain = next(c for c in found.comparisons if c.against == "do_nothing")
    assert sum(g.total_gain.value for g in by_group.groups) == pytest.approx(gain.total.value)
    assert sum(g.share for g in by_group.groups) == pytest.approx(1)
    for g in by_group.groups:
        rows = group == g.label
        acted = prob[rows] > 0.1
        assert g.n == rows.sum()
        assert g.acted.value == pytest.approx(acted.mean())
        assert g.value.value == pytest.approx(np.where(acted, np.where(y[rows], 9, -1), 0).mean())
        assert g.rate.value == pytest.approx(y[rows].mean())


def test_a_group_without_positives_is_not_estimable_rather_than_zero(rng):
    prob, y = calibrated(rng, 500)
    group = np.where(np.arange(500) < 60, "empty", "full")
    y = np.where(group == "empty", 0, y)
    (by_group,) = judged(binary(subgroups=("g",)), {"y": y, "g": group}, prob).subgroups
    empty = next(g for g in by_group.groups if g.label == "empty")
    assert empty.state == "not_estimable"
    assert (empty.value, empty.gain) == (None, None)
    assert empty.positives == 0
    assert empty.rate.low == 0
    assert empty.rate.high > 0.03


def test_small_and_unknown_groups_are_named_not_measured(rng):
    prob, y = calibrated(rng, 500)
    group = np.array(["big"] * 400 + ["tiny"] * 10 + [None] * 90, dtype=object)
    (by_group,) = judged(binary(subgroups=("g",)), {"y": y, "g": group}, prob).subgroups
    states = {g.label: g.state for g in by_group.groups}
    assert states == {"big": "ok", "tiny": "small", "not known": "withheld"}
    tiny = next(g for g in by_group.groups if g.label == "tiny")
    assert (tiny.rate, tiny.value, tiny.positives) == (None, None, None)


def test_a_group_that_loses_is_named(rng):
    n = 4000
    group = np.where(np.arange(n) % 2 == 0, "gains", "loses")
    prob = np.full(n, 0.5)
    y = np.where(group == "gains", rng.random(n) < 0.9, rng.random(n) < 0.02).astype(int)
    found = judged(binary(subgroups=("g",)), {"y": y, "g": group}, prob)
    losing = next(c for c in found.checks if c.code == "PAY-E210")
    assert losing.status == "issue"
    assert "g: loses" in losing.detail
    assert "g: gains" not in losing.detail


def world(rng, n=4000, groups=6, **settings):
    """A world of calibrated probabilities in groups that differ in size, not in kind."""
    prob, y = calibrated(rng, n)
    group = np.array([f"g{k}" for k in range(groups)])[
        np.minimum(rng.geometric(0.4, n) - 1, groups - 1)
    ]
    return prob, y, group, judged(binary(subgroups=("g",), **settings), {"y": y, "g": group}, prob)


def test_rates_are_those_of_scikit_learn_on_a_mask(rng):
    from sklearn.metrics import precision_score, recall_score

    prob, y, group, found = world(rng)
    for g in found.subgroups[0].groups:
        rows = group == g.label
        acted = prob[rows] > 0.1
        truth = y[rows]
        second = {
            "acted": acted.mean(),
            "true_positive_rate": recall_score(truth, acted),
            "false_positive_rate": 1 - recall_score(1 - truth, ~acted),
            "precision": precision_score(truth, acted),
            "missed": 1 - recall_score(truth, acted),
        }
        assert {k: e.value for k, e in g.rates.items()} == pytest.approx(second, abs=1e-12)
        assert g.rates["true_positive_rate"].n == truth.sum()
        assert all(e.low <= e.value <= e.high for e in g.rates.values())


def test_a_group_without_positives_does_not_drive_a_difference(rng):
    """Elsewhere its true positive rate is 0.0, interval [0, 0], and it is the "worst" group."""
    prob, y = calibrated(rng, 3000)
    group = np.array(["a", "b", "none"])[rng.integers(0, 3, 3000)]
    y = np.where(group == "none", 0, y)
    (found,) = judged(binary(subgroups=("g",)), {"y": y, "g": group}, prob).subgroups
    none = next(g for g in found.groups if g.label == "none")
    rate = none.rates["true_positive_rate"]
    assert (rate.value, rate.low, rate.high, rate.n) == (None, None, None, 0)
    assert rate.reason == "no row with the positive outcome was judged"
    assert none.p_adjusted["true_positive_rate"] is None
    assert found.compared["true_positive_rate"]["groups"] == 2
    assert none.rates["false_positive_rate"].value is not None
    assert found.worst != "none"


def test_a_rate_among_too_few_rows_is_not_estimable(rng):
    prob, y = calibrated(rng, 2000)
    group = np.where(np.arange(2000) < 100, "few", "many")
    y = np.where((group == "few") & (np.arange(2000) > 3), 0, y)
    y[:4] = 1
    (found,) = judged(binary(subgroups=("g",)), {"y": y, "g": group}, prob).subgroups
    few = next(g for g in found.groups if g.label == "few")
    rate = few.rates["true_positive_rate"]
    assert rate.value is None
    assert rate.reason == "only 4 rows with the positive outcome were judged"


def test_no_number_of_a_group_is_missing_without_a_reason(rng):
    _, _, _, found = world(rng, n=300)
    for g in found.subgroups[0].groups:
        for p in g.p_adjusted.values():
            assert p is None or 0 < p <= 1
        for rate in g.rates.values():
            assert rate.value is not None or rate.reason


def test_the_pieces_of_the_shrunken_gain_by_hand(rng):
    prob, y, group, found = world(rng)
    (sub,) = found.subgroups
    gain = np.where(prob > 0.1, np.where(y, 9.0, -1.0), 0.0)
    labels = [g.label for g in sub.groups]
    m = np.array([gain[group == k].mean() for k in labels])
    n = np.array([(group == k).sum() for k in labels])
    own = np.array([((gain[group == k] - gain[group == k].mean()) ** 2).sum() for k in labels])
    s2 = (own + 300 * own.sum() / (n - 1).sum()) / (n - 1 + 300) / n
    a = 1 / s2
    q = (a * (m - (a * m).sum() / a.sum()) ** 2).sum()
    tau2 = max(0, (q - (len(n) - 1)) / (a.sum() - (a**2).sum() / a.sum()))
    b = s2 / (s2 + tau2)
    mu = (m / (s2 + tau2)).sum() / (1 / (s2 + tau2)).sum()
    assert [g.shrunken_gain.value for g in sub.groups] == pytest.approx(b * mu + (1 - b) * m)
    assert sub.shrinkage["gain"]["spread"] == pytest.approx(np.sqrt(tau2))
    assert sub.worst == labels[int(np.argmin(b * mu + (1 - b) * m))]


def test_fewer_than_four_groups_are_not_shrunken(rng):
    _, _, _, found = world(rng, groups=3)
    (sub,) = found.subgroups
    assert "fewer than 4 groups" in sub.shrinkage["not_measured"]
    assert all(g.shrunken_gain is None for g in sub.groups)
    assert sub.worst == min(sub.groups, key=lambda g: g.gain.value).label


def test_the_simultaneous_interval_is_never_narrower_than_the_groups_own(rng):
    _, _, _, found = world(rng)
    for g in found.subgroups[0].groups:
        assert g.gain_simultaneous.low <= g.gain.low
        assert g.gain_simultaneous.high >= g.gain.high
        assert g.gain_simultaneous.value == g.gain.value


def test_more_subgroups_share_one_allowance_for_false_alarms(rng):
    prob, y = calibrated(rng, 2000)
    g = np.array(list("abcd"))[rng.integers(0, 4, 2000)]
    one = judged(binary(subgroups=("g",)), {"y": y, "g": g}, prob).subgroups[0]
    two = judged(binary(subgroups=("g", "h")), {"y": y, "g": g, "h": g}, prob).subgroups[0]
    for a, b in zip(one.groups, two.groups, strict=True):
        assert b.p_adjusted["gain"] == pytest.approx(min(1, 2 * a.p_adjusted["gain"]))
        wide = b.gain_simultaneous.high - b.gain_simultaneous.low
        assert wide > a.gain_simultaneous.high - a.gain_simultaneous.low


def test_the_impact_ratio_compares_with_the_largest_known_group(rng):
    prob, y = calibrated(rng, 3000)
    group = np.array(["big"] * 1200 + ["mid"] * 600 + [None] * 1200, dtype=object)
    (found,) = judged(binary(subgroups=("g",)), {"y": y, "g": group}, prob).subgroups
    assert found.reference == "big"
    by = {g.label: g for g in found.groups}
    acted = prob > 0.1
    expected = acted[1200:1800].mean() / acted[:1200].mean()
    assert by["mid"].impact.value == pytest.approx(expected, rel=1e-12)
    assert by["big"].impact is None
    assert found.unknown == {"n": 1200, "share": pytest.approx(0.4)}
    assert any("40 %" in s and "not known" in s for s in found.sentences)


def test_more_than_two_outcomes_and_actions():
    import dataclasses

    from payoff.declare import Subgroup
    from tests.worlds import three_by_three

    rng = np.random.default_rng(4)
    n = 900
    decision = dataclasses.replace(
        three_by_three(), subgroups=(Subgroup(name="g", column="g"),), positive="fraud"
    )
    prob = rng.dirichlet([1, 1, 3], n)
    y = np.array(["fraud", "error", "fine"])[[rng.choice(3, p=p) for p in prob]]
    group = np.array(["a", "b"])[rng.integers(0, 2, n)]
    amount = rng.lognormal(4, 1, n)
    found = judged(decision, {"y": y, "amount": amount, "g": group}, prob)
    money = np.stack(
        [
            np.where(y == "fraud", amount, np.where(y == "error", amount / 2, -200)),
            np.where(y == "fraud", amount - 30, np.where(y == "error", amount / 2 - 30, -30)),
            np.zeros(n),
        ]
    )
    expected = np.stack(
        [
            prob[:, 0] * amount + prob[:, 1] * amount / 2 - prob[:, 2] * 200,
            prob[:, 0] * (amount - 30) + prob[:, 1] * (amount / 2 - 30) - prob[:, 2] * 30,
            np.zeros(n),
        ]
    )
    took = expected.argmax(axis=0)
    for g in found.subgroups[0].groups:
        rows = group == g.label
        assert g.rates["acted"].value == pytest.approx((took[rows] != 2).mean())
        fraud = rows & (y == "fraud")
        assert g.rates["true_positive_rate"].value == pytest.approx((took[fraud] != 2).mean())
        assert g.value.value == pytest.approx(money[took, np.arange(n)][rows].mean())


def every_number(value):
    """Walk through plain evidence and yield its estimates."""
    if isinstance(value, dict):
        if {"value", "low", "high", "reason"} <= set(value):
            yield value
        for inner in value.values():
            yield from every_number(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from every_number(inner)


@pytest.mark.parametrize("kind", ["weights", "clusters across", "clusters inside", "all of it"])
def test_weights_and_clusters_go_all_the_way(kind, rng):
    from payoff.evidence.evidence import Evidence

    n = 1500
    prob, y = calibrated(rng, n)
    group = np.array(["a", "b", "c", "d", "e", None], dtype=object)[rng.integers(0, 6, n)]
    cluster = rng.integers(0, 300, n)
    if kind == "clusters inside":
        cluster = np.where(group == "a", cluster, cluster + 1000)
    weight = np.where(rng.random(n) < 0.05, 0.0, rng.lognormal(0, 0.5, n))
    columns = {}
    if kind in ("weights", "all of it"):
        columns["weight"] = "w"
    if kind != "weights":
        columns["cluster"] = "c"
    found = judged(
        binary(subgroups=("g",), **columns),
        {"y": y, "g": group, "w": weight, "c": cluster},
        prob,
    )
    for estimate in every_number(found.to_dict()["subgroups"]):
        assert estimate["value"] is not None or estimate["reason"]
        assert estimate["low"] is not None or estimate["reason"]
    used = weight if "weight" in columns else np.ones(n)
    for g in found.subgroups[0].groups:
        rows = (group == None) if g.label == "not known" else group == g.label  # noqa: E711
        acted = prob > 0.1
        assert g.acted.value == pytest.approx(np.average(acted[rows], weights=used[rows]))
        hit = rows & (y == 1)
        assert g.rates["true_positive_rate"].value == pytest.approx(
            np.average(acted[hit], weights=used[hit])
        )
        assert 0 < g.p_adjusted["gain"] <= 1
    again = Evidence.from_dict(found.to_dict())
    assert again.subgroups == found.subgroups


def test_a_policy_that_acts_on_nobody_has_rates_and_no_ratio(rng):
    y = (rng.random(400) < 0.2).astype(int)
    group = np.array(["a", "b"])[rng.integers(0, 2, 400)]
    (found,) = judged(binary(subgroups=("g",)), {"y": y, "g": group}, np.full(400, 0.01)).subgroups
    for g in found.groups:
        assert g.rates["acted"].value == 0
        assert g.rates["acted"].high > 0
        assert g.rates["precision"].reason == "no row acted on was judged"
    assert found.compared["gain"]["not_measured"] == "the gain is the same on every row"
    small = next(g for g in found.groups if g.label != found.reference)
    assert small.impact.value is None
    assert small.impact.reason == "nobody is acted on in the reference group"


def test_a_worst_group_is_named_in_words_only_where_groups_differ(rng):
    n = 6000
    group = np.array(list("abcde"))[rng.integers(0, 5, n)]
    prob = np.full(n, 0.5)
    same = (rng.random(n) < 0.3).astype(int)
    differs = (rng.random(n) < np.where(group == "c", 0.05, 0.3)).astype(int)
    for y, named in ((same, False), (differs, True)):
        (found,) = judged(binary(subgroups=("g",)), {"y": y, "g": group}, prob).subgroups
        assert found.worst is not None
        said = " ".join(found.sentences)
        assert ("The lowest gain by g, after allowing for chance, is in “c”" in said) is named
        assert ("No group by g stands out" in said) is not named
