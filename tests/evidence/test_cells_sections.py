"""What cells say beside values: people, base rate, what would change the answer, many groups."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pyarrow as pa
import pytest

from payoff import judge_predictions
from payoff.declare import Action, Data, Decision, Outcome, PayoffTable
from payoff.declare.payoffs import Cell
from payoff.evidence import judge as judge_rows
from payoff.evidence import judge_cells
from payoff.evidence.cells import CellSet, Higher, Money
from payoff.evidence.cells_judged import mistaken_in
from payoff.evidence.cells_sums import FAR, CellSums
from payoff.evidence.evidence import Evidence
from payoff.evidence.joint import joint_means
from payoff.evidence.options import options_of
from payoff.evidence.subgroups.simultaneous import RowSums, cases_of, contrast
from payoff.report import documents
from tests.worlds import SIMPLE, binary, calibrated, three_by_three

VARYING = {"call": {"yes": "amount - 5", "no": -5}, "leave": {"yes": 0, "no": 0}}
N = 20_000


def world(rng, n=N):
    prob, y = calibrated(rng, n)
    return {
        "y": y,
        "y_prob": prob,
        "amount": rng.gamma(2, 10, n),
        "x": prob + rng.normal(0, 0.1, n),
        "g": rng.choice(list("abcdef"), n),
        "w": rng.integers(1, 4, n).astype(float),
    }


def both(decision, table, **options):
    return tuple(
        judge_predictions(decision, pa.table(table), path=path, **options)
        for path in ("cells", "rows")
    )


def captured(monkeypatch, module, decision, table, path):
    """Judge, and return what a section was given: the judging, and deciding again."""
    seen = []
    section = module.sensitivity

    def spy(judged, again, **rest):
        seen.append((judged, again))
        return section(judged, again, **rest)

    monkeypatch.setattr(module, "sensitivity", spy)
    judge_predictions(decision, pa.table(table), path=path)
    return seen[0]


def leaves(value, at=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{at}.{key}")
    elif isinstance(value, list):
        for k, inner in enumerate(value):
            yield from leaves(inner, f"{at}[{k}]")
    else:
        yield at, value


def same(cells, rows, but=(), rel=1e-8):
    """Every leaf of the rows' section is in the cells' section, with the same value."""
    mine, theirs = dict(leaves(cells)), dict(leaves(rows))
    told = 0
    for at, value in theirs.items():
        if any(re.search(pattern, at) for pattern in but):
            continue
        assert at in mine, at
        told += 1
        if isinstance(value, float):
            assert mine[at] == pytest.approx(value, rel=rel, abs=rel), at
        else:
            assert mine[at] == value, at
    assert told


def plain(section):
    from payoff.evidence.evidence import finite

    return finite(section)


# ------------------------------------------------------------------------------------ people


def test_errors_as_people_are_those_of_the_rows(rng):
    table = world(rng)
    for extra in ({}, {"weight": "w"}):
        decision = binary(SIMPLE, subgroups=("g",), rule="x > 0.2", volume=1_000, **extra)
        cells, rows = both(decision, table)
        same(plain(cells.people), plain(rows.people))
        assert cells.people["mistakes"]["n"] == N


def test_mistakes_that_cells_cannot_count_say_so_and_the_rest_is_exact(rng):
    table = world(rng)
    decision = binary(VARYING, subgroups=("g",), rule="x > 0.2", volume=1_000)
    cells, rows = both(decision, table)
    same(
        plain(cells.people),
        plain(rows.people),
        but=(r"^\.(right|mistakes)", r"^\.groups", r"^\.against\.mistakes"),
    )
    for one in (cells.people["mistakes"], cells.people["right"], cells.people["groups"][0]):
        assert "--rows" in one["not_measured"]
    assert cells.people["against"]["mistakes"] is None


def test_money_that_varies_alike_under_every_action_hides_no_mistake(rng):
    """The amount is earned whatever is done: it cancels, and every cell is of one mind."""
    payoffs = {"call": {"yes": "amount + 9", "no": "amount - 1"}}
    payoffs["leave"] = {"yes": "amount", "no": "amount"}
    cells, rows = both(binary(payoffs), world(rng))
    same(plain(cells.people), plain(rows.people))


def test_cells_without_regret_hold_no_mistake():
    """Two amounts above the cost of calling: whoever has the outcome should be called."""
    rng = np.random.default_rng(3)
    n = 4_000
    y = (rng.random(n) < 0.5).astype(int)
    table = {"y": y, "y_prob": np.where(y == 1, 0.9, 0.01), "amount": rng.choice([20.0, 90.0], n)}
    cells, rows = both(binary(VARYING), table)
    assert rows.people["mistakes"]["value"] == 0
    same(plain(cells.people), plain(rows.people), but=(r"^\.against\.mistakes",))


def test_three_actions_three_outcomes(rng):
    n = 6_000
    prob = rng.dirichlet([1, 2, 6], n)
    names = np.array(["fraud", "error", "fine"])
    y = names[(prob.cumsum(axis=1) > rng.random(n)[:, None]).argmax(axis=1)]
    table = {"y": y, "amount": rng.gamma(2, 300, n)}
    table |= {f"y_prob_{o}": prob[:, k] for k, o in enumerate(names)}
    cells, rows = both(three_by_three(), table)
    same(
        plain(cells.people),
        plain(rows.people),
        but=(r"^\.(right|mistakes)", "sentences", "against"),
    )
    assert cells.people["sentences"][0].startswith("It earned EUR ")
    same(plain(cells.base_rate), plain(rows.base_rate), but=("refitted", "sentences"))


def test_which_cells_hold_mistakes_is_only_said_where_it_is_known():
    cells = small_cells(np.array([3.0, 8.0]), np.ones(2), np.zeros(2, np.int64))

    class Terms:
        constant = np.array([[-5.0, -5.0], [0.0, 0.0]])
        factor = np.array([[[1.0], [0.0]], [[0.0], [0.0]]])

    assert mistaken_in(Terms, cells, np.zeros(1, np.int16)) is None  # 3 is wrong, 8 is right


# ------------------------------------------------------- base rate, what would change the answer


@pytest.mark.parametrize("payoffs", [SIMPLE, VARYING])
@pytest.mark.parametrize("weight", [None, "w"])
def test_lines_of_the_base_rate_are_those_of_the_rows(rng, payoffs, weight):
    decision = binary(payoffs, rule="x > 0.2", weight=weight)
    cells, rows = both(decision, world(rng))
    tuned = [k for k, o in enumerate(rows.base_rate["options"]) if o["policy"] == "threshold"]
    same(
        plain(cells.base_rate),
        plain(rows.base_rate),
        but=(r"refitted", rf"options\[{tuned[0]}\]", r"^\.best", "sentences"),
    )
    known = [c["rate"]["value"] is not None for c in cells.base_rate["crossings"]]
    assert any(known)


@pytest.mark.parametrize("payoffs", [SIMPLE, VARYING])
def test_break_even_points_are_those_of_the_rows(rng, payoffs):
    decision = binary(payoffs, rule="x > 0.2", weight="w", volume=5_000)
    cells, rows = both(decision, world(rng))
    same(
        plain(cells.sensitivity),
        plain(rows.sensitivity),
        but=(r"\.again", r"stays_best", r"\.map\.best"),  # with the threshold, tuned otherwise
    )
    flips = zip(
        np.ravel(plain(cells.sensitivity)["map"]["best"]),
        np.ravel(plain(rows.sensitivity)["map"]["best"]),
        strict=True,
    )
    assert sum(a != b for a, b in flips) <= 2  # ties where a payoff is 0


def test_payoff_ranges_are_carried_in(rng):
    table = dict(binary().payoffs.cells)
    table["call", "yes"] = Cell(money="9", low=4, high=14)
    decision = dataclasses.replace(binary(volume=1_000), payoffs=PayoffTable(cells=table))
    cells, rows = both(decision, world(rng))
    mine, theirs = cells.sensitivity["ranges"], rows.sensitivity["ranges"]
    assert mine["lead"]["with"]["value"] == pytest.approx(theirs["lead"]["with"]["value"])
    for end in ("low", "high"):
        width = theirs["lead"]["with"]["high"] - theirs["lead"]["with"]["low"]
        gap = mine["lead"]["with"][end] - theirs["lead"]["with"][end]
        assert abs(gap) < 0.05 * width
    assert mine["payoffs"][0]["part"] == pytest.approx(theirs["payoffs"][0]["part"], abs=0.02)
    assert mine["sentence"]


def three_actions():
    return Decision(
        name="three",
        currency="EUR",
        outcomes=(Outcome(name="yes", values=(1,)), Outcome(name="no", values=(0,))),
        actions=(Action(name="call"), Action(name="write"), Action(name="leave")),
        payoffs=PayoffTable.of(
            {
                "call": {"yes": 30, "no": -6},
                "write": {"yes": 9, "no": -1},
                "leave": {"yes": 0, "no": 0},
            }
        ),
        do_nothing="leave",
        data=Data(outcome="y"),
    )


@pytest.mark.parametrize("lumps", [0.0, 0.3])
@pytest.mark.parametrize("decision", [binary(), binary(weight="w"), three_actions()])
def test_deciding_again_stays_within_what_it_states(rng, monkeypatch, decision, lumps):
    table = world(rng, 8_000)
    table["y_prob"] = np.where(
        rng.random(8_000) < lumps, np.round(table["y_prob"], 1), table["y_prob"]
    )
    _, by_cell = captured(monkeypatch, judge_cells, decision, table, "cells")
    _, by_row = captured(monkeypatch, judge_rows, decision, table, "rows")
    scale = abs(by_row.by_payoff("call", "yes", np.zeros(1), "payoff").value[0])
    for action, outcome in (("call", "yes"), ("call", "no"), ("leave", "no")):
        grid = np.linspace(-12, 12, 41)
        mine = by_cell.by_payoff(action, outcome, grid, "payoff")
        theirs = by_row.by_payoff(action, outcome, grid, "payoff")
        assert np.abs(mine.value - theirs.value).max() <= mine.off + 1e-9 * scale
        assert lumps or mine.off < 0.05 * scale
    grid = np.linspace(0, 0.6, 31)
    mine, theirs = by_cell.by_rate(grid, None), by_row.by_rate(grid, None)
    gap = np.abs(np.array(mine["value"]) - theirs["value"])
    assert gap.max() <= mine["off_by_at_most"] + 1e-9 * scale
    assert mine["speaks_of"] == pytest.approx(theirs["speaks_of"])
    assert by_cell.spread() == pytest.approx(by_row.spread())


def test_what_is_decided_again_by_amounts_is_left_to_rows(rng):
    cells, _ = both(binary(VARYING), world(rng))
    assert "row to row" in cells.base_rate["refitted"]["not_measured"]
    for lever in cells.sensitivity["levers"]:
        assert lever["kind"] == "cost" or "row to row" in lever["again"]["not_measured"]


# ---------------------------------------------------------------------------- how sure the choice


@pytest.mark.parametrize("payoffs", [SIMPLE, VARYING])
def test_covariances_are_those_of_the_rows(rng, monkeypatch, payoffs):
    decision, table = binary(payoffs, rule="x > 0.2", weight="w"), world(rng)
    by_cell, _ = captured(monkeypatch, judge_cells, decision, table, "cells")
    by_row, _ = captured(monkeypatch, judge_rows, decision, table, "rows")
    options = options_of(by_cell)
    mine = by_cell.joint(options.columns)
    columns = []
    for name in options.names:
        if name != "threshold":
            columns.append(by_row.money(name))
            continue
        # nearly its edges, applied to the rows, whichever half they are in
        edge = float(re.findall(r"0\.\d+", by_cell.acted[name].policy.how)[-1])
        rows = np.where(table["y_prob"] >= edge, 0, 1)
        columns.append(by_row.stakes.realised[np.arange(N), rows])
    theirs = joint_means(np.stack(columns).T, by_row.stakes.weight, None)
    known = np.array([name != "threshold" for name in options.names])
    assert mine.mean[known] == pytest.approx(theirs.mean[known], rel=1e-9)
    size = np.sqrt(np.outer(np.diag(theirs.cov), np.diag(theirs.cov)))
    for a in range(len(columns)):
        for b in range(len(columns)):
            tuned = "threshold" in (options.names[a], options.names[b])
            gap = abs(mine.cov[a, b] - theirs.cov[a, b])
            assert gap <= (0.1 if tuned else 1e-9) * size[a, b] + 1e-300
    assert np.linalg.eigvalsh(mine.cov).min() > -1e-12 * np.diag(mine.cov).max()


def test_how_sure_the_choice_is_agrees_with_the_rows(rng):
    decision = binary(SIMPLE, rule="x > 0.2", volume=1_000)
    table = world(rng)
    cells, rows = (
        judge_predictions(decision, pa.table(table | {"did": did}), path=path, action="did")
        for did in [np.where(table["y_prob"] > 0.2, "call", "leave")]
        for path in ("cells", "rows")
    )
    mine, theirs = cells.information, rows.information
    assert mine["method"] == theirs["method"] == "normal"
    for a, b in zip(mine["options"], theirs["options"], strict=True):
        assert a["probability_best"] == pytest.approx(b["probability_best"], abs=0.03)
    assert mine["rows_needed"] == theirs["rows_needed"]
    assert mine["beats_simple"] == pytest.approx(theirs["beats_simple"], abs=0.03)
    same(plain(mine["margin"]), plain(theirs["margin"]))
    assert mine["perfect"]["worth"] >= mine["more"][1]["worth"] >= mine["more"][0]["worth"]


def test_what_tuning_would_have_flattered(rng):
    cells, rows = both(binary(), world(rng, 3_000))
    mine, theirs = cells.optimism["steps"][0], rows.optimism["steps"][0]
    # the best of 1,025 edges is at most the best of all thresholds, and misses little of it
    lead = theirs["apparent"]["value"] - mine["apparent"]["value"]
    assert 0 <= lead <= 0.02 * theirs["apparent"]["value"]
    assert mine["removed"]["value"] == pytest.approx(
        mine["apparent"]["value"] - mine["honest"]["value"]
    )
    assert mine["honest"]["value"] == pytest.approx(cells.policy("threshold").total.value)


@pytest.mark.parametrize("n", [5_000, 40_000])
def test_what_intervals_rest_on_is_exact_for_constant_money(rng, n):
    table = world(rng, n)
    for payoffs in (SIMPLE, {"call": {"yes": 900, "no": -2}, "leave": {"yes": -40, "no": 1}}):
        cells, rows = both(binary(payoffs, rule="x > 0.2"), table)
        same(plain(cells.intervals), plain(rows.intervals))


@pytest.mark.parametrize("weight", [None, "w"])
def test_what_intervals_rest_on_with_amounts(rng, weight):
    cells, rows = both(binary(VARYING, rule="x > 0.2", weight=weight), world(rng))
    for mine, theirs in zip(cells.intervals["figures"], rows.intervals["figures"], strict=True):
        a, b = dict(mine["diagnosis"]), dict(theirs["diagnosis"])
        assert mine["differing_at_least"]
        assert 0.5 * b["differing"] < a["differing"] <= b["differing"]
        for key in ("rows", "independent", "independent_effective", "needed"):
            assert a[key] == pytest.approx(b[key])
        for key in ("paying", "skewness"):
            assert a[key] == pytest.approx(b[key], rel=1e-7)
        for key in ("balance", "largest", "largest_percent", "largest_of_variance"):
            assert a[key] is None
        if weight is None:
            assert mine["design_effect"] == pytest.approx(theirs["design_effect"])
    assert any(word in cells.intervals["sentences"][0] for word in ("at least", "cannot be said"))


@pytest.mark.parametrize(
    "payoffs",
    [
        SIMPLE,
        {"call": {"yes": 5, "no": 5}, "leave": {"yes": 0, "no": 0}},
        {
            "call": {"yes": "amount + 3", "no": "amount - 1"},
            "leave": {"yes": "amount", "no": "amount"},
        },
        {"call": {"yes": -3, "no": -1}, "leave": {"yes": 0, "no": 0}},
    ],
)
def test_checks_of_rows_are_made_where_cells_show_them(rng, payoffs):
    cells, rows = both(binary(payoffs), world(rng, 3_000))
    for code in ("PAY-E208", "PAY-E212"):
        mine, theirs = (next(c for c in e.checks if c.code == code) for e in (cells, rows))
        assert mine == theirs


# ------------------------------------------------------------------------------------- groups


def test_groups_side_by_side_are_those_of_the_rows_where_money_is_constant(rng):
    table = world(rng)
    table["g"] = np.where(rng.random(N) < 0.001, "tiny", table["g"])
    table["g"] = np.where(rng.random(N) < 0.02, None, table["g"])
    decision = binary(SIMPLE, subgroups=("g",), rule="x > 0.2", volume=1_000)
    cells, rows = both(decision, table)
    mine = plain(cells.to_dict()["subgroups"])
    same(mine, plain(rows.to_dict()["subgroups"]), but=(r"p_adjusted", r"p_any"))
    for a, b in zip(cells.subgroups[0].groups, rows.subgroups[0].groups, strict=True):
        assert set(a.p_adjusted) == set(b.p_adjusted)
        for name, p in b.p_adjusted.items():
            assert a.p_adjusted[name] == (None if p is None else pytest.approx(p, abs=0.002))


@pytest.mark.parametrize("weight", [None, "w"])
def test_groups_with_amounts_agree_within_the_deals(rng, weight):
    n = 60_000
    table = world(rng, n)
    table["amount"] = np.where(table["g"] == "a", 1.6, 1.0) * rng.uniform(20, 30, n)
    decision = binary(VARYING, subgroups=("g",), weight=weight)
    cells, rows = both(decision, table)
    mine, theirs = cells.subgroups[0], rows.subgroups[0]
    assert (mine.worst, mine.reference) == (theirs.worst, theirs.reference)
    assert mine.compared["gain"]["p_any"] == pytest.approx(0.0005)
    assert "normal limit" in mine.compared["gain"]["how"]
    same(plain(dict(mine.shrinkage)), plain(dict(theirs.shrinkage)))
    for a, b in zip(mine.groups, theirs.groups, strict=True):
        for what in ("shrunken_gain", "shrunken_value"):
            for end in ("value", "low", "high"):
                assert getattr(getattr(a, what), end) == pytest.approx(
                    getattr(getattr(b, what), end), rel=1e-7
                )
        for name, p in b.p_adjusted.items():
            assert a.p_adjusted[name] == pytest.approx(p, abs=0.05)
        wide = b.gain_simultaneous.high - b.gain_simultaneous.low
        for end in ("low", "high"):
            gap = getattr(a.gain_simultaneous, end) - getattr(b.gain_simultaneous, end)
            assert abs(gap) < 0.06 * wide


def small_cells(value, weight, group):
    """Cells of one term, one per group, and the powers of their rows."""
    groups = np.unique(group)

    def sums(q, d):
        found = [(weight[group == g] ** q * value[group == g] ** d).sum() for g in groups]
        return np.array(found).reshape(len(groups), *(1,) * d)

    letters = {
        f"{letter}{d}": sums(q, d)
        for q, letter in enumerate("xyzq", start=1)
        for d in range(1, q + 1)
    }
    higher = {name: letters.pop(name) for name in [*letters] if name[0] in "zq"}
    return CellSet(
        n=np.array([(group == g).sum() for g in groups], dtype=float),
        outcome=np.zeros(len(groups), np.int16),
        own=np.zeros(len(groups), np.int16),
        rule=None,
        likely=None,
        score=None,
        fold=None,
        tuned=None,
        half=None,
        higher=Higher(**higher),
        w1=sums(1, 0),
        w2=sums(2, 0),
        w3=sums(3, 0),
        w4=sums(4, 0),
        prob=None,
        best=sums(1, 1)[:, 0],
        **letters,
    )


def cell_sums(value, weight, group):
    cells = small_cells(value, weight, group)
    groups = int(group.max()) + 1
    money = Money(constant=np.zeros(len(cells)), factor=np.ones((len(cells), 1)))
    return CellSums.of(cells, money, np.unique(group), groups)


def test_sums_of_groups_are_those_of_their_rows(rng):
    value, weight = 100 + rng.gamma(2, 10, 900), rng.choice([1.0, 2.5], 900)
    group = rng.integers(0, 4, 900)
    mine = cell_sums(value, weight, group)
    theirs = RowSums.of(cases_of(value, weight, group, None), 4)
    assert mine.sizes.tolist() == theirs.sizes.tolist()
    size = np.abs(theirs.found).sum(axis=0)
    assert np.abs(mine.found - theirs.found).max(axis=0) == pytest.approx(
        0 * size, abs=1e-9 * size.max()
    )
    every = np.ones(4, dtype=bool)
    one, other = (
        contrast(c, every, level=0.95, rng=np.random.default_rng(1)) for c in (mine, theirs)
    )
    assert one.t == pytest.approx(other.t, rel=1e-8)
    assert one.p_adjusted == pytest.approx(other.p_adjusted, abs=0.05)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=0.1)


def test_groups_that_do_not_differ_raise_few_false_alarms(rng):
    """Eight groups of skewed money, weighted: any group at all stands out in one set of twenty."""
    alarms, uncovered, sets = 0, 0, 200
    for _ in range(sets):
        value = rng.gamma(1, 10, 4_000)
        weight = rng.choice([1.0, 2.0], 4_000)
        group = rng.integers(0, 8, 4_000)
        found = contrast(
            cell_sums(value, weight, group),
            np.ones(8, dtype=bool),
            level=0.95,
            rng=rng,
            resamples=399,
        )
        alarms += found.p_any <= 0.05
        mean = np.array(
            [np.average(value[group == g], weights=weight[group == g]) for g in range(8)]
        )
        low, high = mean - found.high * found.error, mean - found.low * found.error
        uncovered += bool(((low > 10) | (high < 10)).any())
    assert alarms / sets < 0.10
    assert uncovered / sets < 0.12


def test_a_group_too_small_for_the_limit_is_not_compared(rng):
    n = 40_000
    table = world(rng, n)
    table["g"] = np.where(np.arange(n) < 60, "small", table["g"])
    cells, rows = both(binary(VARYING, subgroups=("g",)), table)
    found = cells.subgroups[0]
    assert found.compared["gain"]["left_out"] == ["small"]
    small = next(g for g in found.groups if g.label == "small")
    assert small.p_adjusted["gain"] is None
    assert small.gain_simultaneous is None
    assert str(FAR) in found.compared["gain"]["how"]
    assert rows.subgroups[0].compared["gain"]["groups"] > found.compared["gain"]["groups"]


# -------------------------------------------------------------------------------- calibration


def test_the_split_of_the_scores_is_that_of_the_rows_within_bins(rng):
    table = world(rng)
    cells, rows = both(binary(), table)
    mine, theirs = cells.calibration["corp"], rows.calibration["corp"]
    for score in ("brier", "log_loss"):
        for part in ("score", "miscalibration", "discrimination", "uncertainty"):
            assert mine[score][part] == pytest.approx(theirs[score][part], abs=2e-3)
    assert mine["p_value"] > 0.01
    for point in mine["curve"]:
        assert point["low"] - 0.1 <= point["rate"] <= point["high"] + 0.1
    assert cells.calibration["sentences"][0] == rows.calibration["sentences"][0]


@pytest.mark.parametrize("weight", [None, "w"])
def test_the_split_is_exact_where_a_bin_holds_one_probability(rng, weight):
    table = world(rng, 8_000)
    table["y_prob"] = np.round(table["y_prob"] * 256) / 256
    cells, rows = both(binary(weight=weight), table)
    same(plain(cells.calibration["corp"]), plain(rows.calibration["corp"]))


def test_probabilities_that_promise_too_much_are_found_from_cells_too(rng):
    table = world(rng)
    table["y_prob"] = np.minimum(1.0, table["y_prob"] * 1.3)
    cells, _ = both(binary(), table)
    assert cells.calibration["corp"]["p_value"] < 0.01


# ------------------------------------------------------------------------- nothing is forgotten

#: Path in the evidence -> why it is in that of rows and not in that of cells.
ABSENT = {
    r"^\.calibration\.(recalibrating|better_model)\.": "what other probabilities would have "
    "earned is measured row by row",
}
SECTIONS = tuple(
    f.name for f in dataclasses.fields(Evidence) if f.default_factory is not dataclasses.MISSING
)


def paths(value):
    return {re.sub(r"\[\d+\]", "[]", at) for at, _ in leaves(value)}


def test_what_the_evidence_of_cells_lacks_is_listed_here(rng):
    table = world(rng)
    decision = binary(SIMPLE, subgroups=("g",), rule="x > 0.2", volume=1_000)
    cells, rows = (plain(e.to_dict()) for e in both(decision, table))
    missing = sorted(paths(rows) - paths(cells))
    unlisted = [at for at in missing if not any(re.search(p, at) for p in ABSENT)]
    assert not unlisted
    used = [p for p in ABSENT if any(re.search(p, at) for at in missing)]
    assert used == list(ABSENT), "an entry that is not needed any more"
    codes = [c["code"] for c in cells["checks"]]
    assert codes == [c["code"] for c in rows["checks"]]
    for name in SECTIONS:
        assert ("not_measured" in cells[name]) == ("not_measured" in rows[name]), name
        if "not_measured" in rows[name]:
            assert cells[name] == rows[name]


def test_every_reason_for_a_gap_is_in_words(rng):
    table = world(rng)
    decision = binary(VARYING, subgroups=("g",), rule="x > 0.2")
    cells, rows = (plain(e.to_dict()) for e in both(decision, table))
    theirs = {v for at, v in leaves(rows) if at.endswith("not_measured")}
    gaps = {v for at, v in leaves(cells) if at.endswith("not_measured")} - theirs
    assert gaps
    assert not [gap for gap in gaps if "--rows" not in gap]


def test_the_report_of_cells_has_every_section(rng):
    table = world(rng)
    for payoffs in (SIMPLE, VARYING):
        decision = binary(payoffs, subgroups=("g",), rule="x > 0.2", volume=1_000)
        page = documents(both(decision, table)[0])["report.html"]
        for words in ("Mistakes as people", "base rate", "How often each option is the best"):
            assert words in page
        assert not re.search(r">\s*(None|nan)\s*<", page)
