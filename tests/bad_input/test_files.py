"""Files as they come: ragged, truncated, misnamed, not UTF-8; refused in words or read."""

from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from payoff.errors import DataError
from payoff.load.source import read
from tests.bad_input.files import BAD
from tests.bad_input.making import assert_well_told, rows


def _parquet(folder):
    pq.write_table(rows(), folder / "good.parquet")
    return (folder / "good.parquet").read_bytes()


@pytest.mark.parametrize("name", BAD)
def test_bad_file_is_told(name, tmp_path):
    content, code, says = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(name, folder=tmp_path)
    assert caught.value.code.startswith(code)
    text = assert_well_told(caught.value, caught.value.code)
    assert name in text
    for words in says:
        assert words in text


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_truncated_parquet_is_told(kept, tmp_path):
    content = _parquet(tmp_path)
    (tmp_path / "cut.parquet").write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError) as caught:
        read(tmp_path / "cut.parquet")
    assert "cut.parquet" in assert_well_told(caught.value, "PAY-L002")


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        ("rowss.csv", "PAY-L001", "'rows.csv'"),
        ("no/such/rows.csv", "PAY-L001", "rows.csv"),
        ("*.parquet", "PAY-L001", "*.parquet"),
        ("folder", "PAY-L002", "folder/*.parquet"),
        ("", "PAY-L001", "an empty path"),
        ("a\0b.csv", "PAY-L001", r"a\x00b.csv"),
        ("a\x1b[31mb.csv", "PAY-L001", r"a\x1b[31mb.csv"),
        ("n" * 5000, "PAY-L001", "nnn"),
        ("n" * 300 + ".csv", "PAY-L00", "nnn"),
        ("[", "PAY-L001", "["),
    ],
    ids=["near", "far", "pattern", "folder", "nothing", "NUL", "escape", "long", "longish", "open"],
)
def test_source_that_is_not_there(given, code, says, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "rows.csv").write_text("a\n1\n")
    with pytest.raises(DataError) as caught:
        read(given, folder=tmp_path)
    assert caught.value.code.startswith(code)
    assert says in assert_well_told(caught.value, caught.value.code)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read every file")
@pytest.mark.parametrize("name", ["shut.csv", "shut.parquet", "shut.arrow"])
def test_unreadable_file_is_told(name, tmp_path):
    (tmp_path / name).write_bytes(b"a\n1\n")
    (tmp_path / name).chmod(0)
    with pytest.raises(DataError) as caught:
        read(tmp_path / name)
    assert_well_told(caught.value, "PAY-L002")


def test_files_of_one_pattern_must_agree(tmp_path):
    pq.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": ["x"], "c": [2]}), tmp_path / "2.parquet")
    with pytest.raises(DataError) as caught:
        read("*.parquet", folder=tmp_path)
    assert_well_told(caught.value, "PAY-L002")


def test_arrow_files_of_one_pattern_must_agree(tmp_path):
    pyarrow.feather.write_feather(pa.table({"a": [1]}), tmp_path / "1.arrow")
    pyarrow.feather.write_feather(pa.table({"b": [1]}), tmp_path / "2.arrow")
    with pytest.raises(DataError) as caught:
        read("*.arrow", folder=tmp_path)
    assert_well_told(caught.value, "PAY-L002")


GOOD = {
    "plain": (b"a,b\n1,x\n2,y\n", [1, 2]),
    "byte order mark": (b"\xef\xbb\xbfa,b\n1,x\n2,y\n", [1, 2]),
    "Windows line ends": (b"a,b\r\n1,x\r\n2,y\r\n", [1, 2]),
    "no last line end": (b"a,b\n1,x\n2,y", [1, 2]),
    "semicolons": (b"a;b\n1;x\n2;y\n", [1, 2]),
    "tabs": (b"a\tb\n1\tx\n2\ty\n", [1, 2]),
    "line end in quotes": (b'a,b\n1,"x\nz"\n2,y\n', [1, 2]),
    "all quoted": (b'"a","b"\n"1","x"\n"2","y"\n', [1, 2]),
    "leading zeros": (b"a,b\n007,x\n010,y\n", ["007", "010"]),
    "question marks": (b"a,b\n1.5,x\n?,y\n", [1.5, None]),
    "dates": (b"a,b\n2026-01-02,x\n2026-01-03,y\n", ["2026-01-02", "2026-01-03"]),
    "huge integers": (b"a,b\n123456789012345678901234,x\n1,y\n", [123456789012345678901234.0, 1.0]),
    "late decimals": (b"a,b\n" + b"1,x\n" * 30_000 + b"2.5,y\n", [1.0, 1.0]),
    "late words": (b"a,b\n" + b"1,x\n" * 30_000 + b"one,y\n", ["1", "1"]),
    "one column": (b"a\n1\n2\n", [1, 2]),
    "yes and no": (b"a,b\nyes,x\nno,y\n", ["yes", "no"]),
    "unicode": ("a,b\nZürich,x\n客户,y\n".encode(), ["Zürich", "客户"]),
}


@pytest.mark.parametrize("name", GOOD)
def test_odd_but_good_csv_is_read(name, tmp_path):
    content, expected = GOOD[name]
    (tmp_path / "rows.csv").write_bytes(content)
    values = read("rows.csv", folder=tmp_path).table.column("a").slice(0, 2).to_pylist()
    values = [str(v)[:10] if hasattr(v, "isoformat") else v for v in values]
    assert values == expected


def test_nul_bytes_in_csv_do_not_end_the_value(tmp_path):
    (tmp_path / "rows.csv").write_bytes(b"a,b\nx\0y,1\nz,2\n")
    try:
        values = read("rows.csv", folder=tmp_path).table.column("a").to_pylist()
    except DataError as error:
        assert_well_told(error, "PAY-L002")
    else:
        assert values == ["x\0y", "z"]
