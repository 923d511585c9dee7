import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from payoff.load.fields import Field
from payoff.model.codings import Bins, Plain
from payoff.model.encode import Encoder, Variable
from payoff.model.learn import learn, signal_of_outcomes
from payoff.model.readings import read_table
from tests.model.making import odd_table, planted

KINDS = ("tree", "linear", "bins")


def learnt(table, contract, kind, y=None):
    n = table.num_rows
    y = np.arange(n) % 2 if y is None else y
    signal = signal_of_outcomes(y, np.ones(n), np.arange(n), 0)
    return learn(read_table(table, contract.features), contract.features, kind, signal)[0]


def same_bits(a, b):
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def widened(table, times=12):
    """The odd rows many times over, so that their categories are frequent enough to be kept."""
    return pa.concat_tables([table] * times)


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_and_served_rows_agree_to_the_last_bit(kind):
    table, contract = odd_table()
    encoder = learnt(widened(table), contract, kind)
    rows = table.to_pylist()
    encoded = encoder.encode_table(table)
    assert same_bits(encoded, encoder.encode_rows(rows))
    alone = np.concatenate([encoder.encode_rows([row]) for row in rows])
    assert same_bits(encoded, alone)
    if kind != "tree":
        assert np.isfinite(encoded).all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_survives_json_to_the_last_bit(kind):
    table, contract = odd_table()
    encoder = learnt(widened(table), contract, kind)
    again = Encoder.from_dict(json.loads(json.dumps(encoder.to_dict(), allow_nan=False)))
    assert again == encoder
    assert same_bits(again.encode_table(table), encoder.encode_table(table))
    assert len(encoder.labels) == len(encoder.owners) == encoder.width


@pytest.mark.parametrize("kind", KINDS)
def test_unseen_and_absent_values_agree_too(kind):
    table, y, contract, _ = planted(400)
    encoder = learnt(table, contract, kind, y)
    new = pa.table(
        {
            "x": pa.array([None, 99.0, -99.0]),
            "job": ["astronaut", None, ""],
            "flag": pa.array([None, True, False]),
            "day": pa.array(["1900-01-01", None, "2199-12-31"]).cast(pa.date32()),
            "noise": [0.0, 1e300, np.inf],
        }
    )
    assert same_bits(encoder.encode_table(new), encoder.encode_rows(new.to_pylist()))
    empty = encoder.encode_rows([{}])
    nothing = encoder.encode_rows([dict.fromkeys(new.column_names)])
    assert same_bits(empty, nothing)


def test_one_value_in_three_types_is_one_category():
    table = pa.table({"c": ["1", "2"] * 20})
    encoder = learnt(
        table, type("C", (), {"features": (Field(name="c", type="category"),)}), "linear"
    )
    served = encoder.encode_rows([{"c": 1}, {"c": 1.0}, {"c": "1"}])
    assert (served == served[0]).all()
    assert served[0].sum() == 1


def test_dates_are_read_in_utc_whatever_the_zone_they_are_written_in():
    table, y, contract, _ = planted(400)
    encoder = learnt(table, contract, "linear", y)
    a, b = encoder.encode_rows(
        [{"day": "2024-03-01T01:00:00+02:00"}, {"day": "2024-02-29T23:00:00+00:00"}]
    )
    assert (a == b).all()


def test_no_rows_make_an_empty_array():
    encoder = Encoder(variables=(Variable(field="x", part="number", coding=Plain()),))
    assert encoder.encode_rows([]).shape == (0, 1)


def test_bins_hold_their_lower_edge():
    coding = Bins(edges=(1.0, 2.0))
    encoder = Encoder(variables=(Variable(field="x", part="number", coding=coding),))
    rows = [{"x": v} for v in (0.9, 1.0, 1.9, 2.0, None)]
    assert encoder.encode_rows(rows)[:, 0].tolist() == [0, 1, 1, 2, 3]
    assert coding.bins()[0] == "below 1"
    assert Bins(edges=()).bins() == ["any", "missing"]


def test_serving_loads_no_arrow_and_no_laboratory():
    code = (
        "import sys\n"
        "from payoff.model import amount_model, amounts, calibrate, codings, encode, tabular\n"
        "e = encode.Encoder(variables=(encode.Variable(field='x', part='number', "
        "coding=codings.Plain()),))\n"
        "e.encode_rows([{'x': 1}])\n"
        "heavy = {'pyarrow', 'pandas', 'sklearn', 'scipy', 'lightgbm', 'duckdb', 'onnxruntime'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=None
    )
    assert done.stdout.strip() == "[]"
