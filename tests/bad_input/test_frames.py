"""Every odd table is refused in words, or read right."""

from __future__ import annotations

import datetime
import warnings

import numpy as np
import pyarrow as pa
import pytest

from payoff.declare.file import from_toml
from payoff.errors import DataError, PayoffError
from payoff.load.contract import learn
from payoff.load.roles import assign
from payoff.load.source import read
from payoff.load.split import split
from payoff.policy.stakes import stakes_to_judge
from payoff.workflow import check
from tests.bad_input.frames import READ, REFUSED, TIME, N
from tests.bad_input.making import RIGHT, assert_well_told, is_quiet, rows


def test_there_are_enough_of_them():
    assert len(REFUSED) + len(READ) >= 40
    assert len({o.name for o in REFUSED}) == len(REFUSED)


@pytest.mark.parametrize("odd", REFUSED, ids=lambda o: o.name)
def test_odd_table_is_refused_in_words(odd):
    with pytest.raises(PayoffError) as caught:
        check(from_toml(odd.decision), odd.make())
    text = assert_well_told(caught.value, odd.code)
    for words in odd.says:
        assert words in text
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", READ)
def test_odd_table_is_read(name):
    make, decision = READ[name]
    table = make()
    found = check(from_toml(decision), table)
    assert len(found.data) == N
    assert {"x", "job", "balance"} <= set(found.data.features)
    codes = [c.code for c in found.checks]
    assert {f"PAY-D{n}" for n in range(101, 115)} | {f"PAY-L{n}" for n in range(101, 110)} <= set(
        codes
    )
    assert len(set(codes)) == len(codes)
    for one in found.checks:
        assert is_quiet(one.title + one.detail + one.mend), repr(one.detail)
    for note in found.source.notes:
        assert is_quiet(note, lines=False)
    assert {f.name for f in found.parts.contract.fields} == set(found.data.features)


def _read(**columns):
    """Return one tidied column by name, after the roles were given."""
    source = read(rows(**columns))
    assign(source, from_toml(RIGHT))
    return source.table.column(next(iter(columns)))


def test_numeric_strings_keep_leading_zeros():
    column = _read(x2=pa.array([f"{k:05d}" for k in range(N)]))
    assert column[7].as_py() == "00007"


def test_question_marks_are_missing_where_the_rest_are_numbers():
    column = _read(x2=pa.array(["1.5", "?", " -2 ", "NA"] * (N // 4)))
    assert column.slice(0, 4).to_pylist() == [1.5, None, -2.0, None]


def test_question_marks_stay_where_the_rest_are_words():
    assert _read(x2=pa.array(["a", "?"] * (N // 2)))[1].as_py() == "?"


def test_yes_and_no_stay_words():
    assert _read(x2=pa.array(["yes", "no"] * (N // 2)))[0].as_py() == "yes"


def test_true_and_false_as_text_mean_the_same_as_booleans():
    text = RIGHT.replace('yes = "yes"\nno = "no"', "yes = true\nno = false")
    for values in (["true", "False"], [True, False], ["TRUE ", "false"]):
        data = assign(read(rows(y=pa.array(values * (N // 2)))), from_toml(text))
        assert data.outcome[:4].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    "values",
    [[1, 0], [1.0, 0.0], ["1", "0"], [" 1", "0 "], [np.uint8(1), np.uint8(0)]],
    ids=["whole", "double", "text", "blanks", "small"],
)
def test_one_and_zero_are_the_same_outcome_in_any_type(values):
    text = RIGHT.replace('yes = "yes"\nno = "no"', "yes = 1\nno = 0")
    data = assign(read(rows(y=pa.array(values * (N // 2)))), from_toml(text))
    assert data.outcome[:4].tolist() == [0, 1, 0, 1]


def test_unknown_outcomes_are_left_out_and_counted():
    known = np.where(np.arange(N) % 5 == 0, None, rows()["y"].to_numpy(zero_copy_only=False))
    found = check(from_toml(RIGHT), rows(y=pa.array(known.tolist(), pa.string())))
    assert [dict(d) for d in found.parts.dropped] == [
        {"reason": "the outcome is not known yet", "n": 48}
    ]
    last = next(c for c in found.checks if c.code == "PAY-L109")
    assert last.status == "issue"
    assert "48 rows (20 %)" in last.detail


def test_times_of_mixed_zones_are_put_in_order():
    east = [f"2026-01-{1 + k // 24:02d}T{k % 24:02d}:30:00+02:00" for k in range(N // 2)]
    utc = [f"2026-01-{1 + k // 24:02d}T{k % 24:02d}:00:00Z" for k in range(N // 2)]
    mixed = [t for pair in zip(east, utc, strict=True) for t in pair]
    found = check(from_toml(TIME), rows(t=pa.array(mixed)))
    moments = [datetime.datetime.fromisoformat(t) for t in mixed]
    latest_fit = max(m.as_py() for m in found.parts.fit.table.column("t"))
    earliest_judge = min(m.as_py() for m in found.parts.judge.table.column("t"))
    assert latest_fit < earliest_judge
    assert min(m.as_py() for m in found.parts.fit.table.column("t")) == min(moments)


def test_a_thousand_columns_are_read():
    rng = np.random.default_rng(1)
    wide = {f"f{k}": rng.normal(size=N) for k in range(1000)}
    data = assign(read(rows(**wide)), from_toml(RIGHT))
    assert len(data.features) == 1003


def test_values_not_seen_when_fitting_are_no_error():
    table = rows(part=pa.array(["fit"] * 120 + ["choose"] * 60 + ["judge"] * 60))
    job = pa.array(["clerk"] * 180 + ["never seen"] * 60)
    table = table.set_column(1, "job", job)
    found = check(from_toml(RIGHT.replace('= "y"\n', '= "y"\npart = "part"\n')), table)
    field = next(f for f in found.parts.contract.fields if f.name == "job")
    assert field.categories == ("clerk",)
    assert not found.parts.contract.problems({"x": 1.0, "job": "never seen", "balance": 2.0})


@pytest.mark.packages("pandas")
def test_pandas_oddities():
    import pandas as pd

    frame = rows().to_pandas()
    with pytest.raises(DataError, match=r"PAY-L005.*got 'x'"):
        read(pd.concat([frame, frame[["x"]]], axis=1))
    named = frame.set_axis([0, 1, 2, 3], axis=1)
    assert read(named).table.column_names == ["0", "1", "2", "3"]
    mixed = frame.assign(z=[1, "a", None, 2.5] * (N // 4))
    with pytest.raises(DataError) as caught:
        read(mixed)
    assert "'z'" in assert_well_told(caught.value, "PAY-L002") or "z" in str(caught.value)


@pytest.mark.packages("pandas")
def test_the_frame_handed_over_is_not_changed():
    import pandas as pd

    frame = rows(x2=pa.array(["1", "?"] * (N // 2))).to_pandas()
    before = frame.copy(deep=True)
    check(from_toml(RIGHT), frame)
    pd.testing.assert_frame_equal(frame, before)


def test_no_warning_escapes_on_infinite_features():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = assign(read(rows(x2=np.full(N, np.inf))), from_toml(RIGHT))
        parts = split(data)
        learn(parts.fit)
        stakes_to_judge(parts.judge, None)
