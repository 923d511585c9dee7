"""Types of CSV columns come from all rows, however late one shows what a column holds."""

import pytest

from payoff.engine.duckdb_engine import read_csv
from payoff.engine.scan import Scan


@pytest.mark.parametrize("late", ["12.5", "abc", "2026-01-01", "9007199254740993"])
def test_a_late_value_is_read_as_it_is_written(tmp_path, late):
    file = tmp_path / "late.csv"
    file.write_text("a,b\n" + "3,x\n" * 30_000 + f"{late},x\n")
    read = read_csv([file])["a"].to_pylist()
    assert str(read[-1]) == late
    (scanned,) = (
        Scan([file])
        .query(
            f"select a from (select * from {Scan([file]).relation}) offset 30000",
            ordered=True,
        )["a"]
        .to_pylist()
    )
    assert str(scanned) == late
    assert [t["a"].to_pylist()[-1] for t in Scan([file]).batches(10_000)][-1] == read[-1]
