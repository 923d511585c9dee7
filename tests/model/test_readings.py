import datetime
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payoff.errors import DataError
from payoff.load.fields import Field
from payoff.load.spelling import text_of
from payoff.model.readings import (
    DATE_PARTS,
    date_parts_of,
    level_of,
    number_of,
    read_table,
    truth_of,
)
from tests.model.making import odd_table

SCALARS = st.one_of(
    st.text(max_size=8), st.integers(), st.floats(), st.booleans(), st.binary(max_size=4)
)


@given(SCALARS)
def test_a_level_is_spelt_as_the_loader_spells_it(value):
    level = level_of(value)
    if level is None:
        assert text_of(value) == "nan" or not text_of(value).strip()
    else:
        assert level == text_of(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(2.0), "2"),
        (np.int32(3), "3"),
        (np.bool_(True), "true"),
        (np.float64("nan"), None),
    ],
)
def test_numpy_scalars_are_read_as_their_python_values(value, text):
    assert level_of(value) == text


@pytest.mark.parametrize("value", [None, "x", "", "1_000", "inf", 10**400, math.nan, [1], b"z"])
def test_what_is_not_a_finite_number_is_missing(value):
    assert math.isnan(number_of(value))


def test_negative_zero_is_zero():
    assert math.copysign(1, number_of(-0.0)) == 1.0


@pytest.mark.parametrize("value", [None, "", 2, 0.5, "perhaps", math.nan])
def test_what_is_neither_true_nor_false_is_missing(value):
    assert math.isnan(truth_of(value))


@pytest.mark.parametrize(
    "value", [None, 20240101, "", "soon", "2024-13-01", "x" * 60, "0001-01-01T00:00:00+05:00"]
)
def test_what_is_not_a_date_has_no_parts(value):
    assert date_parts_of(value) is None


@given(st.datetimes(timezones=st.none() | st.timezones()))
def test_a_moment_and_its_text_have_the_same_parts(value):
    assert date_parts_of(value) == date_parts_of(value.isoformat())


@given(
    st.lists(
        st.datetimes(
            min_value=datetime.datetime(1678, 1, 1),  # noqa: DTZ001 - Arrow's range is naive
            max_value=datetime.datetime(2262, 1, 1),  # noqa: DTZ001
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(["s", "ms", "us", "ns"]),
)
def test_arrow_moments_are_read_like_python_ones(values, unit):
    table = pa.table(
        {"t": pa.array(values, pa.timestamp("us")).cast(pa.timestamp(unit), safe=False)}
    )
    parts = read_table(table, [Field(name="t", type="date")]).numbers
    found = np.stack([parts["t", p] for p in DATE_PARTS], axis=1)
    # Casting to seconds may drop a fraction towards zero, and so the day before 1970.
    kept = pa.array(values, pa.timestamp("us")).cast(pa.timestamp(unit), safe=False)
    expected = [date_parts_of(v) for v in kept.cast(pa.timestamp("us")).to_pylist()]
    assert found.tolist() == [list(e) for e in expected]


def test_an_absent_column_is_named():
    with pytest.raises(DataError, match=r"PAY-L004.*'age'"):
        read_table(pa.table({"agee": [1]}), [Field(name="age", type="number")])


def test_an_empty_table_and_one_without_chunks_are_read():
    table, contract = odd_table()
    assert read_table(table.slice(0, 0), contract.features).n == 0
    bare = pa.table(
        {c: pa.chunked_array([], table.schema.field(c).type) for c in table.column_names}
    )
    assert read_table(bare, contract.features).n == 0


def test_labels_do_not_depend_on_the_order_of_rows():
    fields = [Field(name="c", type="category")]
    codes, labels = read_table(pa.table({"c": ["b", "a", None]}), fields).levels["c"]
    assert (codes.tolist(), labels) == ([1, 0, -1], ["a", "b"])
