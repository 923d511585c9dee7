"""Comparing many groups at once: every deal by hand, other software, and properties."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from payoff.evidence.subgroups.cells import CELL_RATES, cell_bootstrap, cell_counts
from payoff.evidence.subgroups.impact import impact_ratio
from payoff.evidence.subgroups.permute import dealt_sums
from payoff.evidence.subgroups.rates import effective_rows, rates
from payoff.evidence.subgroups.shrink import shrink
from payoff.evidence.subgroups.simultaneous import cases_of, contrast
from tests.worlds import binary, calibrated, judged

BORROWED = 30.0


def t_of(value, group, borrowed=BORROWED):
    """The studentised difference of each group from the rest, written out row by row."""
    v = value.var(ddof=1)
    out = []
    for g in range(int(group.max()) + 1):
        own, rest = value[group == g], value[group != g]
        errors = [
            (((x - x.mean()) ** 2).sum() + borrowed * v) / (len(x) - 1 + borrowed) / len(x)
            for x in (own, rest)
        ]
        out.append((own.mean() - rest.mean()) / math.sqrt(sum(errors)))
    return np.array(out)


def test_t_is_welchs_with_nothing_borrowed(rng):
    value, group = rng.lognormal(0, 1, 60), np.repeat([0, 1, 2], 20)
    found = contrast(
        cases_of(value, np.ones(60), group, None),
        np.ones(3, dtype=bool),
        level=0.95,
        rng=rng,
        resamples=9,
        borrowed=0.0,
    )
    for g in range(3):
        second = stats.ttest_ind(value[group == g], value[group != g], equal_var=False).statistic
        assert found.t[g] == pytest.approx(second, rel=1e-9)
        assert found.error[g] == pytest.approx(stats.sem(value[group == g]), rel=1e-9)


def test_the_adjusted_p_is_the_share_of_all_deals(rng):
    """Seven cases in groups of 2, 2 and 3: all 210 deals, against sampled ones."""
    value = np.array([1.0, 10.0, 100.0, 1000.0, -7.0, 33.0, 250.0])
    group = np.array([0, 0, 1, 1, 2, 2, 2])
    observed = np.abs(t_of(value, group))
    largest = np.array(
        [np.abs(t_of(value, np.array(g))).max() for g in set(itertools.permutations(group))]
    )
    assert len(largest) == 210
    found = contrast(
        cases_of(value, np.ones(7), group, None),
        np.ones(3, dtype=bool),
        level=0.95,
        rng=rng,
        resamples=20_000,
    )
    assert np.abs(found.t) == pytest.approx(observed, rel=1e-9)
    for g in range(3):
        exact = (largest >= observed[g] * (1 - 1e-12)).mean()
        assert found.p_adjusted[g] == pytest.approx(exact, abs=0.02)


def test_the_same_by_counts_of_few_values(rng):
    value = np.repeat([9.0, -1.0, 9.0, -1.0], [2, 4, 1, 1])
    group = np.repeat([0, 1], [6, 2])
    observed = np.abs(t_of(value, group))
    largest = np.array(
        [
            np.abs(t_of(value, np.isin(np.arange(8), pair).astype(int))).max()
            for pair in itertools.combinations(range(8), 2)
        ]
    )
    found = contrast(
        cases_of(value, np.ones(8), group, None),
        np.ones(2, dtype=bool),
        level=0.95,
        rng=rng,
        resamples=20_000,
    )
    exact = (largest >= observed[0] * (1 - 1e-9)).mean()
    assert found.p_adjusted[0] == pytest.approx(exact, abs=0.02)


def test_two_groups_agree_with_scipys_permutation_test(rng):
    value = np.where(rng.random(200) < 0.2, 9.0, -1.0) + 0.01 * rng.random(200)
    group = np.repeat([0, 1], [60, 140])
    value[group == 0] += 1.0
    v = value.var(ddof=1)

    def statistic(x, y, axis=-1):
        def error(z):
            n = z.shape[axis]
            own = z.var(axis=axis, ddof=1) * (n - 1)
            return (own + BORROWED * v) / (n - 1 + BORROWED) / n

        return (x.mean(axis=axis) - y.mean(axis=axis)) / np.sqrt(error(x) + error(y))

    second = stats.permutation_test(
        (value[group == 0], value[group == 1]),
        statistic,
        n_resamples=4999,
        vectorized=True,
        rng=np.random.default_rng(1),
    )
    found = contrast(
        cases_of(value, np.ones(200), group, None),
        np.ones(2, dtype=bool),
        level=0.95,
        rng=rng,
        resamples=4999,
    )
    assert abs(found.t[0]) == pytest.approx(abs(second.statistic), rel=1e-9)
    assert found.p_adjusted[0] == pytest.approx(second.pvalue, abs=0.025)


def test_p_falls_as_t_grows_and_is_never_missing(rng):
    """Ranks by a wrong sort put the p-values of others on a group; NaN ones void them all."""
    value, group = rng.normal(size=600), rng.integers(0, 12, 600)
    group[:2] = 12  # a group outside the family
    family = np.arange(13) < 12
    found = contrast(
        cases_of(value, np.ones(600), group, None), family, level=0.95, rng=rng, resamples=199
    )
    order = np.argsort(-np.abs(found.t[:12]))
    assert np.all(np.diff(found.p_adjusted[:12][order]) >= 0)
    assert np.all(np.isfinite(found.p_adjusted))
    assert found.p_adjusted[12] == 1
    assert np.isnan(found.t[12])
    assert found.p_any == found.p_adjusted.min()


def test_a_group_of_equal_rows_does_not_break_the_comparison(rng):
    value = np.concatenate([np.full(40, -1.0), np.where(rng.random(400) < 0.1, 9.0, -1.0)])
    group = np.repeat([0, 1, 2], [40, 200, 200])
    found = contrast(
        cases_of(value, np.ones(440), group, None),
        np.ones(3, dtype=bool),
        level=0.95,
        rng=rng,
    )
    assert np.all(np.isfinite(found.t))
    wins = int((value > 0).sum())
    alone = stats.hypergeom(440, wins, 40).pmf(0)  # how often this group gets no win at all
    assert found.p_adjusted[0] > 0.7 * alone


def test_no_spread_or_one_group_is_nothing_to_compare(rng):
    one = cases_of(np.ones(50), np.ones(50), np.repeat([0, 1], 25), None)
    assert contrast(one, np.ones(2, dtype=bool), level=0.95, rng=rng) is None
    two = cases_of(rng.normal(size=50), np.ones(50), np.zeros(50, dtype=np.int64), None)
    assert contrast(two, np.ones(1, dtype=bool), level=0.95, rng=rng) is None


def test_scale_and_order_do_not_matter():
    rng = np.random.default_rng(0)
    value, group = rng.lognormal(0, 1, 300), rng.integers(0, 4, 300)
    every = np.ones(4, dtype=bool)

    def run(v, g):
        cases = cases_of(v, np.ones(len(v)), g, None)
        return contrast(cases, every, level=0.95, rng=np.random.default_rng(5), resamples=999)

    first, scaled = run(value, group), run(value * 1000, group)
    assert scaled.t == pytest.approx(first.t)
    assert scaled.p_adjusted == pytest.approx(first.p_adjusted)
    order = rng.permutation(300)
    shuffled = run(value[order], group[order])
    assert shuffled.t == pytest.approx(first.t)
    assert shuffled.p_adjusted == pytest.approx(first.p_adjusted, abs=0.06)


def test_clusters_inside_groups_are_the_cases(rng):
    cluster = np.repeat(np.arange(60), 5)
    group = np.repeat(np.arange(3), 100)
    value = np.repeat(rng.normal(size=60), 5)
    by_row = cases_of(value, np.ones(300), group, cluster)
    assert by_row.cluster is None
    assert len(by_row.s) == 60
    by_hand = cases_of(value[::5], np.full(60, 5.0), group[::5], None)
    assert by_row.s == pytest.approx(by_hand.s)
    found = [
        contrast(c, np.ones(3, dtype=bool), level=0.95, rng=np.random.default_rng(1))
        for c in (by_row, by_hand)
    ]
    assert found[0].t == pytest.approx(found[1].t)


def test_clusters_across_groups_widen_or_narrow_the_error(rng):
    """One customer's rows in two groups rise and fall together: their difference varies less."""
    cluster = np.tile(np.arange(200), 2)
    group = np.repeat([0, 1], 200)
    level = np.tile(rng.normal(0, 3, 200), 2)
    together = cases_of(level + rng.normal(size=400), np.ones(400), group, cluster)
    assert together.cluster is not None
    opposed = cases_of(
        np.where(group == 0, level, -level) + rng.normal(size=400), np.ones(400), group, cluster
    )
    apart = [
        contrast(c, np.ones(2, dtype=bool), level=0.95, rng=rng, resamples=99)
        for c in (together, opposed)
    ]
    assert apart[0].error[0] < 0.6 * apart[1].error[0]


def test_deals_keep_totals_and_sizes(rng):
    for draw in (rng.normal(size=50), rng.normal(size=6000), rng.integers(0, 3, 900)):
        n = len(draw)
        s = draw - draw.mean()
        sizes = np.array([n // 5, n // 5, n - 2 * (n // 5)])
        out = dealt_sums(s, np.ones(n), sizes, resamples=20, rng=rng)
        assert out[:, :, 1] == pytest.approx(np.tile(sizes, (20, 1)))
        assert out[:, :, 0].sum(axis=1) == pytest.approx(np.zeros(20), abs=1e-6 * n)
        assert out[:, :, 2].sum(axis=1) == pytest.approx(np.full(20, (s * s).sum()), rel=0.2)


# ------------------------------------------------------------------------- rates and ratios


def test_rates_with_weights_are_those_of_copied_rows(rng):
    acted, positive = rng.random(80) < 0.4, rng.random(80) < 0.3
    copies = rng.integers(1, 4, 80)
    weighted = rates(acted, positive, copies.astype(float), None, level=0.95, fewest=1)
    copied = rates(
        np.repeat(acted, copies),
        np.repeat(positive, copies),
        np.ones(copies.sum()),
        None,
        level=0.95,
        fewest=1,
    )
    for name, rate in weighted.items():
        assert rate.value == pytest.approx(copied[name].value, abs=1e-12)
        assert rate.high - rate.low > copied[name].high - copied[name].low


def test_effective_rows_are_rows_and_fewer_with_clusters(rng):
    hit = rng.random(200) < 0.3
    assert effective_rows(hit, np.ones(200), None) == (pytest.approx(hit.mean()), 200)
    alike = np.repeat(rng.random(40) < 0.3, 5)
    _, n = effective_rows(alike, np.ones(200), np.repeat(np.arange(40), 5))
    assert n == pytest.approx(39)  # 40 customers, one degree of freedom less


def test_the_impact_ratio_against_scipy_without_the_half():
    """With many cases the half does not matter, and scipy's interval of a relative risk is ours."""
    found = impact_ratio((0.2, 20_000), (0.3, 50_000), level=0.95, n=20_000)
    second = stats.contingency.relative_risk(4000, 20_000, 15_000, 50_000)
    interval = second.confidence_interval(0.95)
    assert found.value == pytest.approx(second.relative_risk, rel=1e-12)
    assert found.low == pytest.approx(interval.low, rel=1e-4)
    assert found.high == pytest.approx(interval.high, rel=1e-4)


def test_the_impact_ratio_at_its_edges():
    nobody = impact_ratio((0.0, 50), (0.4, 100), level=0.95, n=50)
    assert nobody.value == nobody.low == 0
    assert 0 < nobody.high < 0.5
    everybody = impact_ratio((1.0, 50), (1.0, 80), level=0.95, n=50)
    assert (everybody.value, everybody.low, everybody.method) == (1.0, None, "none")
    assert "everybody" in everybody.reason
    none = impact_ratio((0.4, 50), (0.0, 80), level=0.95, n=50)
    assert none.value is None
    assert "nobody" in none.reason


# ---------------------------------------------------------------------------------- shrinking


def test_no_spread_between_groups_shrinks_to_one_mean():
    found = shrink(np.array([1.0, 1.1, 0.9, 1.0, 1.05]), np.full(5, 1.0))
    assert found.tau2 == 0
    assert found.estimate == pytest.approx(np.full(5, 1.01))
    assert np.all(found.error > math.sqrt(1 / 5))  # more than of a common mean that is known


def test_a_wide_spread_leaves_the_means_alone():
    mean = np.array([0.0, 100.0, -50.0, 1000.0, 3.0])
    found = shrink(mean, np.full(5, 0.01))
    assert found.estimate == pytest.approx(mean, abs=0.01)
    assert found.error == pytest.approx(np.full(5, 0.1), rel=0.02)


def test_every_piece_in_fractions():
    """Five groups, exactly, by the formulas of DerSimonian and Laird and of Morris."""
    m = [Fraction(x) for x in (1, 4, 10, 2, 8)]
    s2 = [Fraction(x) for x in (1, 2, 4, 1, 2)]
    a = [1 / s for s in s2]
    centre = sum(x * y for x, y in zip(a, m, strict=True)) / sum(a)
    q = sum(x * (y - centre) ** 2 for x, y in zip(a, m, strict=True))
    tau2 = (q - 4) / (sum(a) - sum(x * x for x in a) / sum(a))
    w = [1 / (s + tau2) for s in s2]
    mu = sum(x * y for x, y in zip(w, m, strict=True)) / sum(w)
    average = sum(x * s for x, s in zip(w, s2, strict=True)) / sum(w)
    found = shrink(np.array([float(x) for x in m]), np.array([float(x) for x in s2]))
    assert found.tau2 == pytest.approx(float(tau2), rel=1e-12)
    assert found.mean == pytest.approx(float(mu), rel=1e-12)
    for k in range(5):
        b = s2[k] / (s2[k] + tau2)
        assert found.weight[k] == pytest.approx(float(b), rel=1e-12)
        assert found.estimate[k] == pytest.approx(float(b * mu + (1 - b) * m[k]), rel=1e-12)
        c = b * Fraction(2, 4)
        spread = s2[k] * (1 - Fraction(4, 5) * c)
        spread += c * c * (average + tau2) / (s2[k] + tau2) * (m[k] - mu) ** 2
        assert found.error[k] ** 2 == pytest.approx(float(spread), rel=1e-12)


# -------------------------------------------------------------------------------------- cells


def test_cells_are_counted_and_measured_by_hand():
    acted = np.array([1, 1, 0, 0, 1, 0], dtype=bool)
    positive = np.array([1, 0, 1, 0, 1, 0], dtype=bool)
    counts = cell_counts(acted, positive, np.array([0, 0, 0, 0, 1, 1]), 2)
    assert counts.tolist() == [[1, 1, 1, 1], [1, 0, 0, 1]]
    found = cell_bootstrap(counts, CELL_RATES, level=0.95, rng=np.random.default_rng(0))
    assert [e.value for e in found["true_positive_rate"]] == [0.5, 1.0]
    assert [e.value for e in found["accuracy"]] == [0.5, 1.0]


def test_an_empty_cell_is_not_certain():
    """Without the correction, no false alarm among 40 would be none in every draw."""
    counts = np.array([[40, 3, 0, 7], [300, 30, 25, 60]])
    rng = np.random.default_rng(0)
    plain = cell_bootstrap(counts, CELL_RATES, level=0.95, rng=rng, added=0.0)
    corrected = cell_bootstrap(counts, CELL_RATES, level=0.95, rng=rng)
    assert plain["false_positive_rate"][0].high == 0
    assert corrected["false_positive_rate"][0].high > 0
    assert plain["false_positive_rate"][1].high > 0.05


# ------------------------------------------------------------------------------------- checks


def codes_of(found):
    return {c.code: c for c in found.checks}


def test_forty_groups_that_do_not_differ_raise_no_alarm(seed):
    """By each group's own interval one of them nearly always loses."""
    rng = np.random.default_rng(seed)
    naive = alarms = 0
    for _ in range(8):
        n = 4000
        prob = np.full(n, 0.1000001)  # acts on everybody; the gain is 0 on average
        y = (rng.random(n) < 0.1).astype(int)
        group = np.array([f"g{k:02d}" for k in rng.integers(0, 29, n)])
        found = judged(binary(subgroups=("g",)), {"y": y, "g": group}, prob)
        gains = [g.gain for g in found.subgroups[0].groups if g.gain and g.gain.high is not None]
        naive += any(e.high < 0 for e in gains)
        alarms += codes_of(found)["PAY-E210"].status == "issue"
    assert alarms <= 3
    assert naive >= alarms


def test_groups_treated_unlike_are_named_by_ratio_and_error(rng):
    n = 6000
    group = np.array(["a", "b", "c"])[rng.choice(3, n, p=[0.6, 0.3, 0.1])]
    y = (rng.random(n) < 0.3).astype(int)
    prob = np.where(group == "b", 0.02, np.where(rng.random(n) < 0.5, 0.5, 0.02))
    prob = np.where((group == "b") & (rng.random(n) < 0.1), 0.5, prob)
    found = judged(binary(subgroups=("g",)), {"y": y, "g": group}, prob)
    checks = codes_of(found)
    assert checks["PAY-E215"].status == "issue"
    assert "g: b" in checks["PAY-E215"].detail
    assert "g: c" not in checks["PAY-E215"].detail
    assert "not a verdict" in checks["PAY-E215"].detail
    assert checks["PAY-E216"].status == "issue"
    assert "g: b" in checks["PAY-E216"].detail


def test_a_ratio_below_four_fifths_by_chance_is_a_tip():
    found = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        prob, y = calibrated(rng, 700)
        group = np.where(np.arange(700) < 45, "few", "many")
        found.append(codes_of(judged(binary(subgroups=("g",)), {"y": y, "g": group}, prob)))
    assert "issue" not in {f["PAY-E215"].status for f in found}
    assert "passed" in {f["PAY-E215"].status for f in found}


def test_without_subgroups_the_checks_do_not_apply(rng):
    prob, y = calibrated(rng, 200)
    checks = codes_of(judged(binary(), {"y": y}, prob))
    assert {checks[c].status for c in ("PAY-E210", "PAY-E215", "PAY-E216")} == {"not_applicable"}
