"""Bad input on the command line: exit code 2, one paragraph, no traceback, nothing written."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from tests.bad_input.decisions import WRONG
from tests.bad_input.files import BAD
from tests.bad_input.frames import REFUSED
from tests.bad_input.making import RIGHT, is_quiet, put, rows
from tests.cli.running import run, run_alone

SOME = [w for k, w in enumerate(WRONG) if k % 5 == 0 or "control" in w.name or "bidi" in w.name]
SOME_FRAMES = [
    o for k, o in enumerate(REFUSED) if k % 4 == 0 and not o.name.startswith(("no col", "a "))
]


def assert_told(ran, code: str) -> None:
    assert ran.code == 2, (ran.out, ran.err)
    assert ran.out == ""
    assert ran.err.startswith(code), ran.err
    assert ran.err.count("\n") == 1, ran.err
    assert ran.err.endswith("\n")
    assert "Traceback" not in ran.err
    for word in ("; got ", "; need "):
        assert word in ran.err
    assert is_quiet(ran.err)


def listing(folder) -> dict:
    return {str(f): f.stat().st_size for f in sorted(folder.rglob("*"))}


@pytest.mark.parametrize("wrong", SOME, ids=lambda w: w.name)
@pytest.mark.parametrize("verb", ["check", "run"])
def test_wrong_decision(verb, wrong, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    put(tmp_path, wrong.text, rows())
    before = listing(tmp_path)
    assert_told(run(capsys, verb, "decision.toml"), wrong.code)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("wrong", SOME[::3], ids=lambda w: w.name)
def test_wrong_decision_as_json(wrong, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    put(tmp_path, wrong.text, rows())
    ran = run(capsys, "check", "decision.toml", "--json")
    assert ran.code == 2
    assert ran.err == ""
    assert is_quiet(ran.out)
    facts = json.loads(ran.out)["error"]
    assert facts["code"] == wrong.code
    assert all(facts[k] for k in ("what", "where", "got", "need", "mend"))


@pytest.mark.parametrize("odd", SOME_FRAMES, ids=lambda o: o.name)
@pytest.mark.parametrize("verb", ["check", "run"])
def test_odd_table(verb, odd, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    put(tmp_path, odd.decision)
    pq.write_table(odd.make(), tmp_path / "rows.parquet")
    before = listing(tmp_path)
    assert_told(
        run(capsys, verb, "decision.toml", "-q")
        if verb == "run"
        else run(capsys, verb, "decision.toml"),
        odd.code,
    )
    assert listing(tmp_path) == before


@pytest.mark.parametrize("name", list(BAD)[::3])
def test_bad_file(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    put(tmp_path, RIGHT)
    content, code, _ = BAD[name]
    (tmp_path / name).write_bytes(content)
    before = listing(tmp_path)
    assert_told(run(capsys, "check", "decision.toml", "--data", name), code)
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("check", "missing.toml"), "PAY-D002"),
        (("run", "missing.toml"), "PAY-D002"),
        (("train", "missing.toml"), "PAY-D002"),
        (("check", "."), "PAY-D002"),
        (("check", "decision.toml", "--data", "missing.parquet"), "PAY-L001"),
        (("check", "decision.toml", "--data", "."), "PAY-L002"),
        (("check", "decision.toml", "--data", ""), "PAY-L001"),
        (("check", "decision.toml", "--data", "select * from nowhere"), "PAY-L002"),
        (("check", "decision.toml", "--data", "select 1 as a; drop table x"), "PAY-L00"),
        (("judge", "missing.csv", "-d", "decision.toml"), "PAY-L001"),
        (("judge", "rows.parquet", "-d", "missing.toml"), "PAY-D002"),
        (("judge", "rows.parquet", "-d", "decision.toml"), "PAY-E004"),
        (("judge", "rows.parquet", "-d", "decision.toml", "--score", "nope"), "PAY-L004"),
        (("judge", "rows.parquet", "-d", "decision.toml", "--score", "job"), "PAY-L006"),
        (("judge", "rows.parquet", "-d", "decision.toml", "--action", "job"), "PAY-E003"),
        (("judge", "rows.parquet", "-d", "decision.toml", "-p", "yes"), "PAY-D006"),
        (("judge", "rows.parquet", "-d", "decision.toml", "-p", "maybe=x"), "PAY-D007"),
        (("judge", "rows.parquet", "-d", "decision.toml", "-p", "yes=x"), "PAY-E002"),
        (
            ("judge", "rows.parquet", "-d", "decision.toml", "-p", "yes=x", "--score", "x"),
            "PAY-D006",
        ),
        (("run", "decision.toml", "--out", "rows.parquet"), "PAY-B003"),
        (("run", "decision.toml", "--out", "full"), "PAY-B003"),
        (("run", "decision.toml", "--out", "full", "--force"), "PAY-B003"),
        (("verify", "missing"), "PAY-B001"),
        (("verify", "full"), "PAY-B001"),
        (("verify", "decision.toml"), "PAY-B001"),
        (("report", "full"), "PAY-B001"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else v,
)
def test_wrong_words(words, code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    put(tmp_path, RIGHT, rows())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "keep.txt").write_text("mine")
    before = listing(tmp_path)
    quiet = ("-q",) if words[0] in ("run", "train", "judge") else ()
    assert_told(run(capsys, *words, *quiet), code)
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (RIGHT.replace("balance *", "balanc *"), "PAY-L004"),
        (RIGHT.replace("calls", "a\x1b[31mb"), "PAY-D001"),
        (RIGHT.replace('"EUR"', r'"a\u001b[31m\u202e</script>"'), "PAY-D006"),
    ],
    ids=["column", "escape", "currency"],
)
def test_in_a_process_of_its_own(text, code, tmp_path):
    put(tmp_path, text, rows())
    before = listing(tmp_path)
    assert_told(run_alone("run", "decision.toml", "-q", folder=tmp_path), code)
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    "name", ["a\x1b[31mb", "a\nb", "a\u202eb", "</script>", "{x}", "a.b", 'a"b', "it's", "%s"]
)
def test_odd_names_reach_the_end(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table = rows()
    table = table.append_column(name, table.column("x"))
    table = table.set_column(1, "job", [[f"{name} {k % 3}" for k in range(len(table))]])
    put(tmp_path, RIGHT + '\n[[subgroups]]\ncolumn = "job"\n', table)
    ran = run(capsys, "run", "decision.toml")
    assert ran.code == 0, ran.err
    assert is_quiet(ran.out + ran.err)
    page = (tmp_path / "calls-bundle" / "report.html").read_text(encoding="utf-8")
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert page.count("</script>") == page.count("<script")
    assert run(capsys, "verify", "calls-bundle").code == 0
