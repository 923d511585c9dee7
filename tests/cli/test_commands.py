# ruff: noqa: F811  (a fixture's name is also an argument)
"""What every command says of itself, answers in JSON, and ends with."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from payoff.cli import main as cli_main
from payoff.cli.main import _COMMANDS, EXIT_CODES
from payoff.declare.checks import check as declaration_checks
from payoff.declare.file import from_toml
from tests.bad_input.making import RIGHT, is_quiet, put, rows
from tests.cli.running import run, run_alone
from tests.trained import copied, trained  # noqa: F401  (fixtures)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path, RIGHT, rows())
    return tmp_path


@pytest.mark.parametrize("verb", ["", *(v for v in _COMMANDS if v != "init")])
def test_help_is_as_written(verb, snapshot, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    ran = run(capsys, *filter(None, [verb, "--help"]))
    assert ran.code == 0
    assert ran.err == ""
    snapshot.check(f"cli/{verb or 'payoff'}.txt", ran.out)


def test_help_names_every_command(capsys):
    text = run(capsys, "--help").out
    for verb, (_, words) in _COMMANDS.items():
        assert f"  {verb}" in text
        assert words.split(",")[0][:30] in text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("trein", "train"),
        ("rnu", "run"),
        ("judg", "judge"),
        ("VERIFY", "verify"),
        ("doctr", "doctor"),
    ],
)
def test_unknown_command_suggests_the_nearest(typed, meant, capsys):
    ran = run(capsys, typed)
    assert ran.code == 2
    assert ran.err.startswith("PAY-X010")
    assert f"Did you mean '{meant}'?" in ran.err


def test_unknown_command_far_from_all(capsys):
    ran = run(capsys, "zzzzzz")
    assert ran.code == 2
    assert "Did you mean" not in ran.err


@pytest.mark.parametrize(
    "words",
    [("check",), ("check", "a", "b"), ("check", "--nope"), ("judge", "x"),
     ("serve", "x", "--port", "y"),
     ("run", "decision.toml", "--out"), ("check", "decision.toml", "--al\x1b[31m")],
)  # fmt: skip
def test_wrong_options_are_told(words, folder, capsys):
    ran = run(capsys, *words)
    assert ran.code == 2
    assert ran.err.startswith("PAY-X010: ")
    assert "--help" in ran.err
    assert is_quiet(ran.err)
    facts = run(capsys, words[0], "--json", *words[1:])
    assert facts.code == 2
    assert facts.json["error"]["code"] == "PAY-X010"


def test_version(capsys):
    assert run(capsys, "--version").out.startswith("payoff 0.")


# ----------------------------------------------------------------------------------- answers


def test_check_in_words_and_in_json(folder, capsys):
    ran = run(capsys, "check", "decision.toml")
    assert ran.code == 0
    assert "240 rows from rows.parquet" in ran.out
    assert "fit 120, choose 48, judge 72" in ran.out
    assert " checks: " in ran.out
    answer = run(capsys, "check", "decision.toml", "--json").json
    assert answer["rows"] == 240
    assert answer["features"] == ["x", "job", "balance"]
    assert len(answer["checks"]) >= 19
    assert answer["split"]["method"] == "random"
    assert [c.to_dict() for c in declaration_checks(from_toml(RIGHT))] == answer["checks"][:14]
    assert {f.name for f in folder.iterdir()} == {"decision.toml", "rows.parquet"}


def test_check_shows_every_check_when_asked(folder, capsys):
    every = run(capsys, "check", "decision.toml", "--all").out
    for number in (*range(101, 115),):
        assert f"PAY-D{number}" in every
    for number in range(101, 110):
        assert f"PAY-L{number}" in every


def test_strict_check_ends_with_1_on_an_issue(folder, capsys):
    assert run(capsys, "check", "decision.toml", "--strict").code == 0
    put(folder, RIGHT.replace('do_nothing = "leave"\n', ""))
    assert run(capsys, "check", "decision.toml").code == 0
    ran = run(capsys, "check", "decision.toml", "--strict")
    assert ran.code == 1
    assert "ISSUE  PAY-D103" in ran.out


def test_run_in_words(folder, capsys):
    ran = run(capsys, "run", "decision.toml", "--out", "calls")
    assert ran.code == 0
    assert "Report: calls/report.html" in ran.out
    assert "EUR per month" in ran.out
    assert ran.err.count("\n") == 6
    assert "Traceback" not in ran.out + ran.err
    again = run(capsys, "run", "decision.toml", "--out", "calls", "-q")
    assert again.code == 2
    assert again.err.startswith("PAY-B006")
    forced = run(capsys, "run", "decision.toml", "--out", "calls", "-q", "--force")
    assert (forced.code, forced.err) == (0, "")


def test_run_in_json(folder, capsys):
    answer = run(capsys, "run", "decision.toml", "--json").json
    assert answer["folder"] == "calls-bundle"
    assert answer["verdict"]["state"]
    assert len(answer["three_numbers"]) == 3
    assert answer["evidence"]["decision"]["name"] == "calls"
    assert json.loads((folder / "calls-bundle" / "evidence.json").read_text()) == answer["evidence"]


def test_judge_in_json_and_nothing_written(folder, capsys):
    before = sorted(f.name for f in folder.iterdir())
    import pyarrow.parquet as pq

    table = rows().append_column("p", [[0.5 + (k % 7) / 20 for k in range(240)]])
    pq.write_table(table, folder / "scored.parquet")
    ran = run(capsys, "judge", "scored.parquet", "-d", "decision.toml", "-p", "yes=p", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["evidence"]["data"]["n_rows"] == 240
    assert sorted(f.name for f in folder.iterdir()) == [*before, "scored.parquet"]


def test_verify_in_words_and_in_json(trained, capsys):
    ran = run(capsys, "verify", trained)
    assert ran.code == 0
    assert "as written" in ran.out
    answer = run(capsys, "verify", trained, "--json").json
    assert answer["intact"] is True
    assert answer["changes"] == []
    assert len(answer["bundle_id"]) == 64


def test_report_writes_beside_and_leaves_the_bundle(copied, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = run(capsys, "report", copied, "--json")
    assert answer.code == 0, answer.err
    names = {f.rpartition("/")[2] for f in answer.json["files"]}
    assert {"report.html", "model-card.md", "decision-record.md"} <= names
    assert all((tmp_path / f).is_file() for f in answer.json["files"])
    assert run(capsys, "verify", copied).code == 0


def test_doctor_in_words_and_in_json(capsys):
    ran = run(capsys, "doctor")
    assert ran.code == 0
    assert "duckdb" in ran.out
    answer = run(capsys, "doctor", "--json").json
    assert answer["broken"] == {}
    assert answer["packages"]["base"]["numpy"]
    assert answer["engines"]["duckdb"] is True


def test_broken_library_is_named_by_doctor(capsys, monkeypatch):
    import importlib

    original = importlib.import_module

    def broken(name, package=None):
        if name == "lightgbm":
            raise OSError("libgomp.so.1: cannot open shared object file")
        return original(name, package)

    monkeypatch.setattr(importlib, "import_module", broken)
    from payoff.cli.doctor import facts

    assert "apt-get install libgomp1" in facts()["broken"]["lightgbm"]


# ------------------------------------------------------------------------------- how it ends


def test_exit_codes_are_documented(capsys):
    assert set(EXIT_CODES) == {0, 1, 2, 3, 130, 141}
    assert "0 done; 1 done and the answer is no; 2 wrong input; 3 a bug" in " ".join(
        run(capsys, "--help").out.split()
    )


def test_titles_cannot_act_on_a_terminal(folder, capsys):
    put(folder, RIGHT.replace("unit =", 'title = "a\\u202eb\\u001b]0;x\\u0007"\nunit ='))
    for words in (("check", "decision.toml"), ("run", "decision.toml", "-q")):
        ran = run(capsys, *words)
        assert ran.code == 0
        assert is_quiet(ran.out + ran.err), repr(ran.out)


def _raising(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("payoff.workflow.check", fail)
    monkeypatch.delenv("PAYOFF_DEBUG", raising=False)


@pytest.mark.parametrize(
    ("error", "code", "starts"),
    [
        (RuntimeError("boom\x1b[31m\nsecond line"), 3, "PAY-X012"),
        (RuntimeError(), 3, "PAY-X012"),
        (KeyError("x"), 3, "PAY-X012"),
        (MemoryError(), 2, "PAY-X011"),
        (KeyboardInterrupt(), 130, "Stopped"),
        (RecursionError("deep"), 3, "PAY-X012"),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, BaseException) else str(v),
)
def test_bugs_and_stops_end_without_a_traceback(error, code, starts, folder, monkeypatch, capsys):
    _raising(monkeypatch, error)
    ran = run(capsys, "check", "decision.toml")
    assert ran.code == code
    assert ran.err.strip().startswith(starts)
    assert "Traceback" not in ran.err
    assert is_quiet(ran.err), repr(ran.err)


def test_bug_shows_itself_on_request(folder, monkeypatch):
    _raising(monkeypatch, RuntimeError("boom"))
    monkeypatch.setenv("PAYOFF_DEBUG", "1")
    with pytest.raises(RuntimeError, match="boom"):
        cli_main(["check", "decision.toml"])


def test_closed_pipe_ends_quietly(tmp_path):
    import subprocess
    import sys

    put(tmp_path, RIGHT, rows())
    program = "from payoff.cli import main; main(['check', 'decision.toml', '--json'])"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        child.stdout.close()
        err = child.stderr.read()
        child.wait(timeout=60)
    assert b"Traceback" not in err
    assert b"Exception ignored" not in err


def test_in_a_process_of_its_own(tmp_path):
    ran = run_alone("trein", folder=tmp_path)
    assert ran.code == 2
    assert "Did you mean 'train'?" in ran.err
    assert run_alone("--help", folder=tmp_path).out.startswith("Usage: payoff")


@pytest.mark.parametrize(
    "words", [["--help"], ["doctor"], ["verify", "no-such-bundle", "--json"], ["sql", "--help"]]
)
def test_a_reader_who_stops_reading_ends_the_command_quietly(words):
    """As ``payoff ... | head``: not 1, which is the answer no."""
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "payoff", *words],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")
