"""Cells give the rows' answer: worlds of every kind judged both ways, and what cells refuse."""

from __future__ import annotations

import dataclasses
import itertools
import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payoff import judge_predictions
from payoff.declare import (
    Action,
    Capacity,
    Case,
    CurrentRule,
    Data,
    Decision,
    Outcome,
    PayoffTable,
    Subgroup,
)
from payoff.declare.expression import parse
from payoff.engine.scan import Scan
from payoff.errors import DataError, EvidenceError, ExpressionError, PayoffError
from payoff.evidence.cells_sql import BINS, Rows, by_action
from payoff.evidence.curve import threshold_values
from payoff.evidence.terms import linear, terms_of
from payoff.load.evaluate import RowColumns, money
from payoff.report import documents
from payoff.workflow import one_pass
from tests.worlds import POWERS, SIMPLE, binary, calibrated, three_by_three

REL = 1e-9


def close(mine, theirs, scale=1.0):
    if mine is None or theirs is None:
        return mine is theirs
    return mine == pytest.approx(theirs, rel=REL, abs=REL * max(scale, 1e-6))


def same_estimate(cells, rows, scale):
    """The value always; the interval where cells give one, which the rows then give too."""
    assert close(cells.value, rows.value, scale), (cells, rows)
    assert (cells.n, cells.n_clusters, cells.unit) == (rows.n, rows.n_clusters, rows.unit)
    if cells.low is not None:
        assert cells.method == rows.method, (cells, rows)
        assert close(cells.low, rows.low, scale), (cells, rows)
        assert close(cells.high, rows.high, scale), (cells, rows)
    else:
        assert cells.reason


def same_policies(cells, rows, but=()):
    assert [p.name for p in cells.policies] == [p.name for p in rows.policies]
    for a, b in zip(cells.policies, rows.policies, strict=True):
        if a.name in but:
            continue
        scale = max(abs(c.money_per_period) for c in b.cells) or 1.0
        same_estimate(a.value, b.value, scale)
        same_estimate(a.total, b.total, scale)
        assert [u.n for u in a.actions] == [u.n for u in b.actions]
        for x, y in zip(a.cells, b.cells, strict=True):
            assert (x.action, x.outcome, x.n) == (y.action, y.outcome, y.n)
            for name in ("share", "per_period", "low", "high", "money_per_unit"):
                assert close(getattr(x, name), getattr(y, name), scale)
            for name in ("money_per_period", "regret_per_period"):
                assert close(getattr(x, name), getattr(y, name), scale)
        for one, other in zip(a.actions, b.actions, strict=True):
            assert close(one.low, other.low)
            assert close(one.high, other.high)


def same_comparisons(cells, rows, but=()):
    for a, b in zip(cells.comparisons, rows.comparisons, strict=True):
        assert (a.policy, a.against) == (b.policy, b.against)
        if a.against not in but:
            same_estimate(a.value, b.value, abs(b.value.value) + 1)
            assert close(a.differ, b.differ)


def same_groups(cells, rows):
    for one, other in zip(cells.subgroups, rows.subgroups, strict=True):
        assert (one.name, one.reference, dict(one.unknown)) == (
            other.name,
            other.reference,
            pytest.approx(dict(other.unknown)),
        )
        for a, b in zip(one.groups, other.groups, strict=True):
            assert (a.label, a.state, a.reason, a.n, a.positives) == (
                b.label,
                b.state,
                b.reason,
                b.n,
                b.positives,
            )
            assert close(a.share, b.share)
            for name in ("rate", "value", "gain", "total_gain", "impact"):
                mine, theirs = getattr(a, name), getattr(b, name)
                assert (mine is None) == (theirs is None)
                if mine is not None:
                    same_estimate(mine, theirs, abs(theirs.value or 0) + 1)
            assert set(a.rates) == set(b.rates)
            for name, rate in a.rates.items():
                same_estimate(rate, b.rates[name], 1)


def both(decision, table, **options):
    return tuple(
        judge_predictions(decision, pa.table(table), path=path, **options)
        for path in ("cells", "rows")
    )


def answered(decision, table, path):
    """Return the evidence, or the error."""
    try:
        return judge_predictions(decision, pa.table(table), path=path)
    except PayoffError as error:
        return error


def tuned(evidence):
    """Policies tuned on the judging rows: folds are drawn otherwise, so figures differ."""
    return {"threshold"} & {p.name for p in evidence.policies}


def alike(decision, table, **options):
    cells, rows = both(decision, table, **options)
    same_policies(cells, rows, tuned(rows))
    same_comparisons(cells, rows, tuned(rows))
    same_groups(cells, rows)
    assert cells.data["path"]["kind"] == "cells"
    for key in ("n_rows", "n_unlabelled", "weighted", "clustered", "dropped"):
        assert cells.data[key] == rows.data[key]
    ours = cells.data["split"]["parts"]["judge"]["outcome_share"]
    assert ours == pytest.approx(dict(rows.data["split"]["parts"]["judge"]["outcome_share"]))
    return cells, rows


# ----------------------------------------------------------------------------- rows and cells

_CELL = st.sampled_from(
    [
        *("0", "-1", "7.5", "amount", "amount - 5", "amount / 2 - cost", "-cost"),
        *("greatest(amount, 20)", "3 * (amount - cost) / 4", "1000000 - amount"),
        "case when amount > 30 then amount else 0 end",
    ]
)


@st.composite
def worlds(draw):
    """A decision with two actions or three, weights or none, groups, a rule; and its rows."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(80, 400))
    names = ["call", "write", "leave"][: draw(st.integers(2, 3))]
    outcomes = ["yes", "no", "maybe"][: draw(st.integers(2, 3))]
    table = {a: {o: draw(_CELL) for o in outcomes} for a in names[:-1]}
    table[names[-1]] = dict.fromkeys(outcomes, 0)
    p = rng.dirichlet([1, 3, 2][: len(outcomes)], n)
    if draw(st.booleans()):
        p = np.round(p, 1)  # scores on few values, many of them on edges of bins
        p[:, -1] = 1 - p[:, :-1].sum(axis=1)
        p = np.abs(p)
    y = np.array([rng.choice(len(outcomes), p=q / q.sum()) for q in p])
    amount = rng.choice([5.0, 20.0, 80.0], n) if draw(st.booleans()) else rng.gamma(2, 20, n)
    rows = {
        "y": np.array(outcomes)[y].astype(object),
        "amount": amount,
        "cost": rng.integers(1, 9, n),
        "region": rng.choice(["north", "south", "tiny"], n, p=[0.6, 0.35, 0.05]).astype(object),
        "age": rng.integers(18, 80, n).astype(float),
        "w": rng.choice([0.0, 1.0, 2.5], n),
    }
    rows["y"][rng.random(n) < 0.05] = None
    rows["region"][rng.random(n) < 0.05] = None
    rows["age"][rng.random(n) < 0.05] = np.nan
    rows |= {f"y_prob_{o}": p[:, k] for k, o in enumerate(outcomes)}
    return (
        Decision(
            name="world",
            currency="EUR",
            outcomes=tuple(Outcome(name=o, values=(o,)) for o in outcomes),
            actions=tuple(Action(name=a) for a in names),
            payoffs=PayoffTable.of(table),
            do_nothing="leave" if names[-1] == "leave" else None,
            volume=draw(st.sampled_from([None, 5_000])),
            data=Data(outcome="y", weight="w" if draw(st.booleans()) else None),
            subgroups=(
                Subgroup(name="region", column="region"),
                Subgroup(name="age", column="age", bands=(30, 50)),
                Subgroup(name="years", column="age"),
                Subgroup(name="both", intersect=("region", "age")),
            )
            if draw(st.booleans())
            else (),
            current_rule=CurrentRule(
                cases=(Case(when="amount > 20 and region <> 'south'", then="call"),),
                otherwise=names[-1],
            )
            if draw(st.booleans())
            else None,
        ),
        rows,
    )


@settings(max_examples=25, deadline=None)
@given(worlds())
def test_any_world_judged_from_cells_is_judged_as_from_rows(world):
    decision, table = world
    rows, cells = answered(decision, table, "rows"), answered(decision, table, "cells")
    if isinstance(rows, PayoffError):
        assert rows.code == cells.code
        return
    same_policies(cells, rows, tuned(rows))
    same_comparisons(cells, rows, tuned(rows))
    same_groups(cells, rows)


@settings(max_examples=10, deadline=None)
@given(worlds(), st.integers(0, 99))
def test_given_actions_too(world, seed):
    decision, table = world
    rng = np.random.default_rng(seed)
    names = rng.choice(decision.action_names, len(table["y"])).astype(object)
    alike(decision, {**table, "did": names}, action="did")


def test_the_hand_table_counts_every_cell_once():
    decision = binary(POWERS, volume=1000)
    prob = [0.9] * 3 + [0.9] * 2 + [0.01] * 1 + [0.01] * 4
    y = [1] * 3 + [0] * 2 + [1] + [0] * 4
    table = pa.table({"y": y, "y_prob": prob})
    found = judge_predictions(decision, table, path="cells").policy("expected")
    assert [c.n for c in found.cells] == [3, 2, 1, 4]
    assert found.total.value == pytest.approx(1000 * (3 * 1000 - 200 - 10 + 4) / 10)
    assert found.cells[2].regret_per_period == pytest.approx(100 * 1010)


def test_large_money_that_varies_little_keeps_its_digits(rng):
    """Squares of a million and one lose a standard error of one, unless they are pivoted."""
    prob, y = calibrated(rng, 5_000)
    payoffs = {"call": {"yes": "amount", "no": "amount"}, "leave": {"yes": 0, "no": 0}}
    table = {"y": y, "y_prob": prob, "amount": 1e7 + rng.normal(0, 1, 5_000)}
    cells, rows = both(binary(payoffs), table)
    width = rows.policies[0].value.high - rows.policies[0].value.low
    mine = cells.policies[0].value.high - cells.policies[0].value.low
    assert mine == pytest.approx(width, rel=1e-6)


def test_the_threshold_is_tuned_on_the_other_half(rng):
    """Its regret is small, and its value is not the flattered one."""
    prob, y = calibrated(rng, 20_000)
    cells, rows = both(binary(), {"y": y, "y_prob": prob})
    mine, theirs = (e.policy("threshold").value for e in (cells, rows))
    assert mine.value == pytest.approx(theirs.value, abs=(theirs.high - theirs.low) / 10)
    assert mine.value <= max(cells.curve["value"]) / 1000 + 1e-12
    assert "tuned on one half" in cells.policy("threshold").how


def test_the_curve_is_exact_at_edges_of_bins(rng):
    prob, y = calibrated(rng, 4_000)
    amount = rng.gamma(2, 10, 4_000)
    weight = rng.integers(1, 4, 4_000).astype(float)
    payoffs = {"call": {"yes": "amount", "no": -1}, "leave": {"yes": 0, "no": 0}}
    decision = binary(payoffs, weight="w")
    table = {"y": y, "y_prob": prob, "amount": amount, "w": weight}
    curve = judge_predictions(decision, pa.table(table), path="cells").curve
    edges = np.array(curve["threshold"])
    assert np.all(np.sqrt(edges) * BINS == np.round(np.sqrt(edges) * BINS))
    value, error, share = threshold_values(
        prob, np.zeros(4_000), np.where(y == 1, amount, -1.0), weight, edges
    )
    half = (np.array(curve["high"]) - np.array(curve["low"])) / 2 / 1000
    assert np.array(curve["value"]) / 1000 == pytest.approx(value, rel=REL, abs=1e-12)
    assert half / 1.959963984540054 == pytest.approx(error, rel=REL, abs=1e-12)
    assert curve["acted_share"] == pytest.approx(share.tolist(), rel=REL, abs=1e-12)


def test_half_itself_is_acted_on(rng):
    prob = rng.choice([0.25, 0.5, np.nextafter(0.5, 0), 0.75], 2_000)
    y = (rng.random(2_000) < prob).astype(int)
    alike(binary(), {"y": y, "y_prob": prob})


@pytest.mark.parametrize("beyond", [-1e-12, 1 + 1e-12])
def test_rounding_errors_beyond_0_and_1_are_forgiven(rng, beyond):
    prob, y = calibrated(rng, 2_000)
    prob[:50] = beyond
    y[:50] = round(beyond)
    alike(binary(), {"y": y, "y_prob": prob})


def test_a_share_below_0_or_above_1_in_one_row_is_refused(rng):
    prob, y = calibrated(rng, 2_000)
    for strange in (-0.3, -1e-6, 1 + 1e-6, 40.0, np.inf):
        prob[7] = strange
        for path in ("rows", "cells"):
            with pytest.raises(PayoffError) as caught:
                judge_predictions(binary(), pa.table({"y": y, "y_prob": prob}), path=path)
            assert (caught.value.code, path) == ("PAY-E002", path)


def test_calibration_is_that_of_the_rows_within_what_it_states(rng):
    prob, y = calibrated(rng, 20_000)
    amount = rng.gamma(2, 10, 20_000)
    payoffs = {"call": {"yes": "amount", "no": -1}, "leave": {"yes": 0, "no": 0}}
    cells, rows = both(binary(payoffs), {"y": y, "y_prob": prob, "amount": amount})
    mine, theirs = cells.calibration, rows.calibration
    assert 0 <= theirs["brier"] - mine["brier"] <= (2 / BINS) ** 2 / 4
    assert 0 <= theirs["log_loss"] - mine["log_loss"] < 1e-3
    assert mine["realised"] == pytest.approx(theirs["realised"], rel=REL)
    assert abs(mine["expected"] - theirs["expected"]) < amount.mean() * 2 / BINS
    for end in ("low", "high"):
        assert mine["difference"][end] == pytest.approx(theirs["difference"][end], abs=0.01)
    assert sum(b["n"] for b in mine["bins"]) == 20_000
    for bin_ in mine["bins"]:
        inside = (prob >= bin_["low"]) & (prob < bin_["high"])
        assert inside.sum() == bin_["n"]
        assert bin_["rate"] == pytest.approx(y[inside].mean())
        assert bin_["mean_prob"] == pytest.approx(prob[inside].mean())


def test_constant_money_promises_exactly(rng):
    prob, y = calibrated(rng, 3_000)
    cells, rows = both(binary(), {"y": y, "y_prob": prob})
    assert cells.calibration["expected"] == pytest.approx(rows.calibration["expected"], rel=REL)


# ---------------------------------------------------------------------------------- linear terms


@given(st.data())
def test_linear_forms_are_the_expression(data):
    text = data.draw(_CELL)
    columns = {"amount": data.draw(st.floats(-1e6, 1e6)), "cost": data.draw(st.floats(-1e6, 1e6))}
    constant, factors = linear(parse(text))
    rows = RowColumns([columns], dict.fromkeys(columns, "number"))
    total = constant
    for term, factor in factors.items():
        total += factor * float(money(parse(term.replace("e0", "")), rows)[0])
    assert total == pytest.approx(float(money(parse(text), rows)[0]), rel=1e-12, abs=1e-9)


def test_few_terms_hold_a_whole_table():
    assert terms_of(three_by_three()).sql == ('"amount"',)
    assert len(terms_of(binary())) == 0


# ------------------------------------------------------------------------------- what is refused


def refused(decision, table, **options):
    with pytest.raises(EvidenceError) as caught:
        judge_predictions(decision, pa.table(table), path="cells", **options)
    assert caught.value.code == "PAY-E010"
    return caught.value.got


def test_what_needs_rows_is_left_to_rows(rng, tmp_path):
    prob, y = calibrated(rng, 300)
    table = {"y": y, "y_prob": prob, "s": prob, "who": np.arange(300) % 40, "x": rng.random(300)}
    assert "cluster" in refused(binary(cluster="who"), table)
    assert "capacity" in refused(binary(capacity=0.1), table)
    assert "score" in refused(binary(), table, score="s")
    text = pa.table({**table, "amount": [str(v) for v in table["x"]]})
    pq.write_table(text, tmp_path / "text.parquet")
    payoffs = {"call": {"yes": "amount", "no": -1}, "leave": {"yes": 0, "no": 0}}
    with pytest.raises(EvidenceError, match="as text"):
        judge_predictions(binary(payoffs), tmp_path / "text.parquet", path="cells")
    assert "path" in judge_predictions(binary(payoffs), text, path="cells").data  # tidied already
    for case in (
        binary(cluster="who"),
        binary(capacity=0.1),
    ):
        assert "path" not in judge_predictions(case, pa.table(table)).data


def test_uneven_money_has_no_interval_from_cells(rng):
    n = 3_000
    y = (rng.random(n) < 0.05).astype(int)
    payoffs = {"call": {"yes": "amount", "no": -1}, "leave": {"yes": 0, "no": 0}}
    table = {"y": y, "y_prob": np.full(n, 0.5), "amount": rng.gamma(2, 100, n)}
    cells, rows = both(binary(payoffs), table)
    mine, theirs = cells.policies[0].value, rows.policies[0].value
    assert theirs.method == "score"
    assert mine.value == pytest.approx(theirs.value, rel=REL)
    assert mine.low is None
    assert "--rows" in mine.reason


def test_a_few_cases_that_carry_the_money_are_seen_in_cells_too(rng):
    n = 3_000
    y = (np.arange(n) % 50 == 0).astype(int)
    amount = rng.gamma(2, 10, n)
    amount[[0, 50, 100]] = 1e6
    payoffs = {"call": {"yes": "amount", "no": -1}, "leave": {"yes": 0, "no": 0}}
    table = {"y": y, "y_prob": np.full(n, 0.5), "amount": amount}
    cells, rows = both(binary(payoffs), table)
    assert cells.policies[0].value.method == "none"
    assert cells.policies[0].value.reason == rows.policies[0].value.reason


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"y_prob": lambda t: np.where(np.arange(300) == 7, np.nan, t["y_prob"])}, "PAY-E002"),
        ({"y_prob": lambda t: t["y_prob"] * 100}, "PAY-E002"),
        ({"amount": lambda t: np.where(np.arange(300) == 7, np.nan, t["amount"])}, "PAY-L010"),
        ({"amount": lambda t: np.where(np.arange(300) == 7, np.inf, t["amount"])}, "PAY-L010"),
        ({"amount": lambda t: np.where(np.arange(300) == 7, 1e250, t["amount"])}, "PAY-L010"),
        ({"y": lambda t: np.where(np.arange(300) == 7, 3, t["y"])}, "PAY-L007"),
        ({"y": lambda _: np.zeros(300, int)}, "PAY-L008"),
        ({"w": lambda t: np.where(np.arange(300) == 7, -1.0, t["w"])}, "PAY-L006"),
        ({"w": lambda t: np.where(np.arange(300) == 7, np.nan, t["w"])}, "PAY-L006"),
        ({"did": lambda t: np.where(np.arange(300) == 7, "phone", t["did"])}, "PAY-E003"),
    ],
)
def test_rows_that_cannot_be_judged_are_refused_alike(rng, change, code):
    prob, y = calibrated(rng, 300)
    table = {
        "y": y,
        "y_prob": prob,
        "amount": rng.gamma(2, 10, 300),
        "w": np.ones(300),
        "did": np.where(prob > 0.5, "call", "leave"),
    }
    table |= {k: make(table) for k, make in change.items()}
    payoffs = {"call": {"yes": "amount", "no": -1}, "leave": {"yes": 0, "no": 0}}
    decision = dataclasses.replace(
        binary(payoffs, weight="w"), current_rule=CurrentRule(column="did")
    )
    for path in ("rows", "cells"):
        with pytest.raises(PayoffError) as caught:
            judge_predictions(decision, pa.table(table), path=path)
        assert caught.value.code == code, path


def test_missing_columns_and_wrong_kinds_are_the_same_errors(rng):
    prob, y = calibrated(rng, 100)
    table = pa.table({"y": y, "y_prob": prob, "name": ["a"] * 100})
    for expression, kind in (("amount", DataError), ("name", ExpressionError)):
        decision = binary({"call": {"yes": expression, "no": -1}, "leave": {"yes": 0, "no": 0}})
        for path in ("rows", "cells"):
            with pytest.raises(kind):
                judge_predictions(decision, table, path=path)


# ---------------------------------------------------------------------------- files, names, report


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_files_are_scanned_where_they_lie(tmp_path, rng, ending):
    prob, y = calibrated(rng, 2_000)
    table = pa.table({"y": y, "y_prob": prob, "g": np.array(["a", "b"])[y]})
    path = tmp_path / f"rows.{ending}"
    if ending == "csv":
        pa.csv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    cells = judge_predictions(binary(subgroups=("g",)), path, path="cells")
    rows = judge_predictions(binary(subgroups=("g",)), path, path="rows")
    same_policies(cells, rows, tuned(rows))
    same_groups(cells, rows)
    assert (cells.data["source"], cells.data["fingerprint"]) == (
        rows.data["source"],
        rows.data["fingerprint"],
    )


def test_patterns_of_files_are_one_table(tmp_path, rng):
    prob, y = calibrated(rng, 900)
    for k in range(3):
        part = slice(300 * k, 300 * (k + 1))
        pq.write_table(pa.table({"y": y[part], "y_prob": prob[part]}), tmp_path / f"p{k}.parquet")
    cells = judge_predictions(binary(), tmp_path / "p*.parquet", path="cells")
    whole = judge_predictions(binary(), pa.table({"y": y, "y_prob": prob}), path="rows")
    same_policies(cells, whole, tuned(whole))


def test_hostile_names_are_data(rng):
    prob, y = calibrated(rng, 400)
    names = {
        "y": 'y"; drop table payoff_rows; --',
        "p": "p'); select 1; --",
        "amount": 'a"" or 1=1 /*',
        "g": "row number",
    }
    decision = binary(
        {"call": {"yes": '"a"""" or 1=1 /*" - 1', "no": -1}, "leave": {"yes": 0, "no": 0}},
        subgroups=(names["g"],),
    )
    decision = dataclasses.replace(decision, data=Data(outcome=names["y"]))
    table = {
        names["y"]: y,
        names["p"]: prob,
        names["amount"]: rng.gamma(2, 10, 400),
        names["g"]: np.array(["'; drop table x; --", "b"])[rng.integers(0, 2, 400)],
    }
    alike(decision, table, probability={"yes": names["p"]})


def test_many_rows_take_cells_by_themselves(tmp_path, rng, monkeypatch):
    monkeypatch.setattr(one_pass, "MANY", 1_000)
    prob, y = calibrated(rng, 1_000)
    table = pa.table({"y": y, "y_prob": prob})
    pq.write_table(table, tmp_path / "many.parquet")
    pq.write_table(table.slice(0, 999), tmp_path / "few.parquet")
    assert "path" in judge_predictions(binary(), table).data
    assert "path" in judge_predictions(binary(), tmp_path / "many.parquet").data
    assert "path" not in judge_predictions(binary(), tmp_path / "few.parquet").data
    assert "path" not in judge_predictions(binary(), tmp_path / "many.parquet", path="rows").data


def test_progress_is_told_and_ends(rng):
    prob, y = calibrated(rng, 200)
    told = []
    judge_predictions(
        binary(),
        pa.table({"y": y, "y_prob": prob}),
        path="cells",
        progress=lambda stage, done, total, note="": told.append((stage, done, total)),
    )
    assert ("sum by score", 100, 100) in told
    assert ("sum by action", 100, 100) in told


def test_the_report_shows_cells_and_what_is_missing(rng):
    prob, y = calibrated(rng, 2_000)
    table = {"y": y, "y_prob": prob, "g": np.array(["a", "b"])[y]}
    cells, _ = both(binary(subgroups=("g",), volume=10_000), table)
    page = documents(cells)["report.html"]
    assert "summed where the rows lie" in page
    assert json.loads(cells.to_json())["data"]["path"]["bins"] == BINS


def test_equal_evidence_whatever_the_order_of_rows(rng):
    """Half the rows tune for the other half by row number; all else is free of order."""
    prob, y = calibrated(rng, 3_000)
    order = rng.permutation(3_000)
    one = judge_predictions(binary(), pa.table({"y": y, "y_prob": prob}), path="cells")
    other = judge_predictions(
        binary(), pa.table({"y": y[order], "y_prob": prob[order]}), path="cells"
    )
    same_policies(one, other, {"threshold"})


@pytest.mark.parametrize("values", list(itertools.product(["1", "1.0"], ["yes", "no"])))
def test_names_of_outcomes_in_text_columns(values, rng):
    prob, y = calibrated(rng, 300)
    text = np.where(y == 1, *values)
    decision = dataclasses.replace(
        binary(),
        outcomes=(Outcome(name="yes", values=(1,)), Outcome(name="no", values=(values[1],))),
    )
    table = {"y": text, "y_prob": prob}
    rows, cells = answered(decision, table, "rows"), answered(decision, table, "cells")
    if isinstance(rows, PayoffError):
        assert str(rows) == str(cells)
        return
    same_policies(cells, rows, tuned(rows))


def test_a_simple_world_both_ways(rng):
    prob, y = calibrated(rng, 20_000)
    cells, rows = alike(binary(SIMPLE, rule="x > 1"), {"y": y, "y_prob": prob, "x": prob * 4})
    assert cells.verdict["best_trivial"] == rows.verdict["best_trivial"]
    assert cells.verdict["state"] == rows.verdict["state"]


def test_capacity_is_named(rng):
    prob, y = calibrated(rng, 100)
    decision = dataclasses.replace(
        binary(), actions=(Action(name="call", capacity=Capacity(share=0.3)), Action(name="leave"))
    )
    assert "a capacity, which" in refused(decision, {"y": y, "y_prob": prob})


@pytest.mark.parametrize(
    "threshold", [(400, 410), (410, 400), (300, 300), (BINS, 200), (BINS, BINS)]
)
def test_each_half_acts_from_its_own_threshold(rng, threshold):
    """Halves are blocks of four rows, exchanged in every other 512: counted here without SQL."""
    prob, y = calibrated(rng, 3_000)
    scan = Scan(table=pa.table({"y": y, "y_prob": prob}))
    decision = binary()
    rows = Rows(
        relation=scan.relation,
        row=scan.row,
        types=scan.types,
        probability={"yes": "y_prob"},
        action=None,
    )
    made = by_action(decision, terms_of(decision), rows, threshold=threshold)
    found = scan.query(made.text).to_pandas()
    row = np.arange(1, 3_001)  # numbered from 1 in a table, from 0 in a file
    half = ((row // 4) + (row // 512)) % 2
    least = np.where(np.array(threshold) == BINS, np.inf, (np.array(threshold) / BINS) ** 2)
    acts = prob >= least[half]
    for (outcome, tuned), cells in found.groupby(["y", "tuned"]):
        assert cells["n"].sum() == np.sum((y == outcome) & (acts == tuned))


def test_columns_known_to_be_complete(tmp_path):
    full, holes = np.arange(3.0), [1.0, None, 2.0]
    table = pa.table({"a": full, "b": holes, "c": np.array([1.0, np.nan, 2.0])})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=1)
    pq.write_table(table, tmp_path / "bare.parquet", write_statistics=False)
    assert Scan(table=table).complete("abc") == {"a", "c"}
    assert Scan([tmp_path / "t.parquet"]).complete("abc") == {"a", "c"}
    assert Scan([tmp_path / "bare.parquet"]).complete("abc") == set()
    (tmp_path / "t.csv").write_text("a,b,c\n1,2,3\n")
    assert Scan([tmp_path / "t.csv"]).complete("abc") == set()


def test_whole_numbers_known_without_a_scan(tmp_path):
    table = pa.table({"a": [0, 1, 1], "b": [1, None, 2], "c": [0.0, 1.0, 2.0], "d": [-3, 40, 0]})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=1)
    pq.write_table(table, tmp_path / "bare.parquet", write_statistics=False)
    for scan in (Scan(table=table), Scan([tmp_path / "t.parquet"])):
        assert [scan.whole(c) for c in "abcd"] == [(0, 1), None, None, (-3, 40)]
    assert [Scan([tmp_path / "bare.parquet"]).whole(c) for c in "ad"] == [None, None]


@pytest.mark.parametrize("codes", [(0, 1), (3, 15), (-1, 1), (2, 900)])
def test_outcomes_of_any_numbers_are_judged_alike(rng, codes):
    """Small ones share a key with the bin of the score."""
    prob, y = calibrated(rng, 2_000)
    decision = binary()
    no, yes = codes
    named = dataclasses.replace(
        decision,
        outcomes=(
            dataclasses.replace(decision.outcomes[0], values=(str(yes),)),
            dataclasses.replace(decision.outcomes[1], values=(str(no),)),
        ),
    )
    alike(named, {"y": np.where(y == 1, yes, no), "y_prob": prob})
