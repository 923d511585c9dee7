"""Text files of odd line ends and lengths are read, or refused without repeating a document."""

import numpy as np
import pyarrow as pa
import pytest

from payoff.engine.duckdb_engine import read_csv
from payoff.engine.scan import Scan
from payoff.errors import DataError
from payoff.load.roles import assign
from payoff.load.source import read
from tests.model.making import decision_of


def written(tmp_path, content):
    file = tmp_path / "letters.csv"
    file.write_bytes(content)
    return file


def test_lines_may_end_in_a_bare_carriage_return(tmp_path):
    lines = [b"t,y", *(b"letter %d,card" % n for n in range(60))]
    table = read_csv([written(tmp_path, b"\r".join(lines) + b"\r")])
    assert table.column_names == ["t", "y"]
    assert table.num_rows == 60


def test_a_bare_carriage_return_among_other_line_ends_is_named(tmp_path):
    rows = [b"my letter %d,card" % n for n in range(60)]
    rows[3] = b"my\rletter,card"
    with pytest.raises(DataError, match="PAY-L002") as caught:
        read_csv([written(tmp_path, b"t,y\n" + b"\n".join(rows) + b"\n")])
    assert "1 value in line" in caught.value.got
    assert "bare carriage return" in caught.value.got


def test_a_document_too_long_for_a_csv_file_is_not_repeated(tmp_path):
    file = written(tmp_path, b"t,y\n" + b"secret " * 500_000 + b",card\nmy letter,card\n")
    for look in (lambda: read_csv([file]), lambda: Scan([file]).rows()):
        with pytest.raises(DataError, match="PAY-L002") as caught:
            look()
        assert "a line of 3,500,00" in caught.value.got
        assert "secret" not in str(caught.value)


def test_rows_that_are_only_decided_may_all_weigh_nothing():
    from dataclasses import replace

    decision = decision_of(["yes", "no"])
    decision = replace(decision, data=replace(decision.data, weight="w"))
    rows = {"x": [1.0, 2.0], "w": [0.0, 0.0], decision.data.outcome: ["0", "1"]}
    table = pa.table(rows)
    asked = assign(read(table), decision, need_outcome=False)
    assert asked.weight.tolist() == np.ones(2).tolist()
    with pytest.raises(DataError, match="PAY-L006"):
        assign(read(table), decision)
