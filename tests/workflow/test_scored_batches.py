"""Files scored some rows at a time: the same table as all rows at once."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from payoff.bundle import Bundle
from payoff.declare.file import from_toml
from payoff.errors import DataError, EnvironmentError_
from payoff.workflow import run
from payoff.workflow.scored_batches import score_file
from payoff.workflow.scored_rows import score_rows
from tests.bad_input.making import RIGHT, changed, rows
from tests.cli.running import run as command
from tests.workflow.test_strangers import routing
from tests.workflow.test_strangers import rows as messages


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calls") / "bundle"
    run(from_toml(RIGHT), rows(), out=folder)
    return folder


@pytest.fixture(scope="module")
def desks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desks") / "bundle"
    run(routing(), messages(), out=folder)
    return folder


def many(n=700, seed=3):
    base = rows(n)
    rng = np.random.default_rng(seed)
    return base.take(pa.array(rng.permutation(n)))


def saved(table, path):
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    return path


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_batches_give_the_table_of_all_rows(calls, tmp_path, ending):
    file = saved(many(), tmp_path / f"rows.{ending}")
    found = score_file(calls, file, tmp_path / "out.parquet", at_once=64)
    assert found.batches >= 700 // 64
    assert found.rows == 700
    assert not found.why_whole
    assert pq.read_table(found.path).equals(score_rows(calls, file))


def test_batches_of_documents_give_the_table_of_all_rows(desks, tmp_path):
    table = messages(900)
    blank = pa.array(["" if i < 300 else t for i, t in enumerate(table["message"].to_pylist())])
    file = saved(table.set_column(0, "message", blank), tmp_path / "rows.parquet")
    found = score_file(desks, file, tmp_path / "out.parquet", at_once=150)
    assert found.batches == 6  # two of them without a word
    whole = score_rows(desks, file)
    made = pq.read_table(found.path)
    assert made.column_names == whole.column_names
    assert {"payoff_familiar", "payoff_action"} <= set(made.column_names)
    for name in whole.column_names:
        if pa.types.is_floating(whole.schema.field(name).type):
            assert made[name].to_numpy() == pytest.approx(whole[name].to_numpy(), nan_ok=True)
        else:
            assert made[name].to_pylist() == whole[name].to_pylist()


def test_several_files_are_one(calls, tmp_path):
    table = many()
    saved(table.slice(0, 300), tmp_path / "a.parquet")
    saved(table.slice(300), tmp_path / "b.parquet")
    found = score_file(calls, str(tmp_path / "?.parquet"), tmp_path / "out.csv", at_once=100)
    assert found.rows == 700
    assert found.batches > 1
    whole = score_rows(calls, table)
    assert (
        pyarrow.csv.read_csv(found.path)["payoff_action"].to_pylist()
        == whole["payoff_action"].to_pylist()
    )


def test_a_csv_whose_types_show_late_is_read_again(calls, tmp_path):
    """Whole numbers for 30,000 rows, then a fraction: the sample did not see it."""
    n = 30_000
    table = rows(n)
    balance = [str(int(b)) for b in table["balance"].to_pylist()]
    balance[-1] = "12.5"
    place = table.column_names.index("balance")
    file = saved(table.set_column(place, "balance", pa.array(balance)), tmp_path / "rows.csv")
    found = score_file(calls, file, tmp_path / "out.parquet", at_once=5_000)
    assert found.batches == 6
    assert pq.read_table(found.path)["balance"].to_pylist()[-1] == 12.5


def test_text_that_reads_as_numbers_in_some_batches_only_is_read_whole(calls, tmp_path):
    table = many()
    code = pa.array([str(i) if i < 600 else f"x{i}" for i in range(700)])
    file = saved(table.append_column("code", code), tmp_path / "rows.parquet")
    found = score_file(calls, file, tmp_path / "out.parquet", at_once=100)
    assert found.batches == 1
    assert "numbers, dates or text" in found.why_whole
    assert pq.read_table(found.path)["code"].to_pylist()[0] == "0"
    assert sorted(f.name for f in tmp_path.iterdir()) == ["out.parquet", "rows.parquet"]


def test_what_needs_all_rows_is_scored_whole(calls, tmp_path):
    own = saved(rows(), tmp_path / "own.parquet")
    found = score_file(calls, own, tmp_path / "own-out.parquet", at_once=50)
    opened = Bundle.open(calls)
    if "payoff_part" in found.columns:
        assert "made from" in found.why_whole
    limited = tmp_path / "limited"
    capacity = changed(('call = "Call"', 'call = { label = "Call", capacity = 200 }'))
    run(from_toml(capacity), rows(), out=limited)
    file = saved(many(), tmp_path / "rows.parquet")
    found = score_file(limited, file, tmp_path / "out.parquet", at_once=64)
    assert "a limit" in found.why_whole
    assert pq.read_table(found.path).equals(score_rows(limited, file))
    assert score_file(opened, many(), tmp_path / "frame.parquet", at_once=64).batches == 1


def test_nothing_is_left_behind_when_a_batch_is_refused(calls, tmp_path):
    table = many().drop_columns(["balance"])
    file = saved(table, tmp_path / "rows.parquet")
    with pytest.raises(DataError, match="PAY-L004"):
        score_file(calls, file, tmp_path / "out.parquet", at_once=64)
    (tmp_path / "twice.csv").write_text("a,a\n" + "1,2\n" * 500)
    with pytest.raises(DataError, match="PAY-L005"):
        score_file(calls, tmp_path / "twice.csv", tmp_path / "out.parquet", at_once=64)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["rows.parquet", "twice.csv"]
    saved(many(), tmp_path / "out.parquet")
    with pytest.raises(EnvironmentError_, match="PAY-X003"):
        score_file(calls, file, tmp_path / "out.parquet", at_once=64)


def test_the_command_tells_how_far_it_is_and_in_how_many_batches(calls, tmp_path, capsys):
    file = saved(rows(45_000), tmp_path / "rows.parquet")
    out = tmp_path / "out.parquet"
    ran = command(capsys, "score", calls, file, "-o", out, "--json")
    assert ran.json["rows"] == 45_000
    assert ran.json["batches"] == 3
    assert ran.json["columns"][-1] == "payoff_action"
    ran = command(capsys, "score", calls, file, "-o", out, "--force")
    assert "score  45,000 rows" in ran.err
