"""The log as a table: what analysts read is what was answered."""

from __future__ import annotations

import json

import duckdb
import pyarrow.parquet as pq
import pytest

from payoff.errors import EnvironmentError_
from payoff.store import SqliteLog, exporting
from payoff.store.exporting import export
from payoff.store.retention import erase
from tests.cli.running import run
from tests.store.logs import entry

ROW = {
    "unit_id": "c-1", "action": "call", "action_label": "Call", "automated": True, "sure": 0.5,
    "probabilities": {"yes": 0.25, "no": 0.75}, "expected_money": {"call": 1, "leave": 0.0},
    "warnings": ["x"],
}  # fmt: skip
LIST = {
    "list_id": "l", "user": "u", "made_by": "ease", "currency": "EUR", "explored": False,
    "items": [{"item": "a", "propensity": 0.9}, {"item": "b", "propensity": 0.8}],
    "others": {"n": 7, "propensity": 0.01},
}  # fmt: skip


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "decisions.sqlite"
    with SqliteLog(file) as log:
        log.record([entry(answer=ROW, at=86_400.25), entry("gone", answer=ROW)])
        log.record([entry(answer={**ROW, "probabilities": {"maybe": 1.0}, "sure": None})])
        log.record([entry("u", answer=LIST), entry("v", answer={**LIST, "items": []})])
    erase(file, unit="gone", at=9.0)
    return file


def expected():
    nothing = dict.fromkeys(
        [
            "action", "action_label", "automated", "sure", "y_prob_yes", "y_prob_no",
            "expected_call", "expected_leave", "y_prob_maybe", "made_by", "explored", "items",
            "propensities", "propensity_others",
        ]
    )  # fmt: skip
    first = nothing | {
        "action": "call", "action_label": "Call", "automated": True, "sure": 0.5,
        "y_prob_yes": 0.25, "y_prob_no": 0.75, "expected_call": 1.0, "expected_leave": 0.0,
    }  # fmt: skip
    third = first | {"sure": None, "y_prob_yes": None, "y_prob_no": None, "y_prob_maybe": 1.0}
    listed = nothing | {
        "made_by": "ease", "explored": False, "items": ["a", "b"], "propensities": [0.9, 0.8],
        "propensity_others": 0.01,
    }  # fmt: skip
    return [first, nothing, third, listed, listed | {"items": [], "propensities": []}]


def rest(rows):
    fixed = {"number", "id", "request_id", "decided_at", "bundle_id", "unit_id", "erased"}
    return [{k: v for k, v in row.items() if k not in fixed} for row in rows]


@pytest.mark.parametrize("batch", [20_000, 2])
def test_parquet(path, tmp_path, monkeypatch, batch):
    monkeypatch.setattr(exporting, "_BATCH", batch)
    found = export(path, tmp_path / "out" / "d.parquet")
    assert (found.rows, found.erased) == (5, 1)
    table = pq.read_table(found.path)
    assert tuple(table.column_names) == found.columns
    rows = table.to_pylist()
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[0]["decided_at"].isoformat() == "1970-01-02T00:00:00.250000+00:00"
    assert [row["erased"] for row in rows] == [False, True, False, False, False]
    assert [row["unit_id"] for row in rows] == ["c-1", None, "c-1", "u", "v"]
    assert rest(rows) == expected()


def test_duckdb(path, tmp_path):
    export(path, tmp_path / "d.duckdb", with_fields=True)
    with duckdb.connect(str(tmp_path / "d.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "SELECT number, decided_at < now(), expected_call, row->>'$.job', propensities[2] "
            "FROM decisions ORDER BY number"
        ).fetchall()
    assert found == [
        (1, True, 1.0, "cook", None), (2, True, None, None, None), (3, True, 1.0, "cook", None),
        (4, True, None, "cook", 0.8), (5, True, None, "cook", None),
    ]  # fmt: skip
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_column_that_changes_its_type_is_text(tmp_path):
    file = tmp_path / "decisions.sqlite"
    with SqliteLog(file) as log:
        log.record([entry(answer={**ROW, "sure": value}) for value in (None, 1, "much", True)])
    table = pq.read_table(export(file, tmp_path / "d.pq").path)
    assert table.column("sure").to_pylist() == [None, "1", "much", "true"]


def test_an_empty_log(tmp_path):
    SqliteLog(tmp_path / "d.sqlite").close()
    found = export(tmp_path / "d.sqlite", tmp_path / "d.parquet")
    assert (found.rows, pq.read_table(found.path).num_rows) == (0, 0)


def test_what_is_not_written(path, tmp_path):
    (tmp_path / "d.parquet").write_text("mine")
    for name in ("d.csv", "d.parquet"):
        with pytest.raises(EnvironmentError_) as caught:
            export(path, tmp_path / name)
        assert caught.value.code == "PAY-X003"
    assert (tmp_path / "d.parquet").read_text() == "mine"
    assert export(path, tmp_path / "d.parquet", force=True).rows == 5


def test_the_command(path, tmp_path, capsys):
    ended = run(capsys, "log", "export", path, "-o", tmp_path / "d.parquet")
    assert ended.code == 0
    assert ended.out.startswith("5 decisions: ")
    assert "1 of them erased" in ended.out
    ended = run(capsys, "log", "export", path, "-o", tmp_path / "d.parquet", "--json", "--force")
    assert json.loads(ended.out)["rows"] == 5
