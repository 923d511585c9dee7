"""What is committed names no package host and no machine, and carries no data."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

# Put together from pieces, so that this file keeps its own rule.
HOSTS = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("anaconda", "org"),
        ("registry", "npmjs"),
        ("download", "pytorch"),
        ("deb", "debian"),
        ("jsdelivr", "net"),
        ("unpkg", "com"),
    ]
]
INDEX_OPTIONS = ["--" + option for option in ("index-url", "extra-index-url", "find-links")]
MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(?:work|root|home/[a-z]\w*|Users/[A-Za-z]\w*)/")

DATA_SUFFIXES = {
    ".arrow", ".csv", ".db", ".duckdb", ".feather", ".gz", ".jsonl", ".ndjson", ".npy", ".npz",
    ".parquet", ".sqlite", ".tsv", ".xlsx", ".zip",
}  # fmt: skip
CODE_IN_DATA = {".joblib", ".model", ".pickle", ".pkl", ".pt"}
MOST_DATA_BYTES = 8_000
MOST_BYTES = 1_000_000
LOCKS = ["requirements.lock", "requirements-dev.lock"]


@pytest.fixture(scope="module")
def tracked():
    """Every tracked file that is there, as paths relative to the root."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so nothing says which files are the project's")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def lines(paths):
    """Yield (place, line) for each line of each text file."""
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def test_no_package_host_is_named(tracked):
    options = re.compile("|".join(map(re.escape, INDEX_OPTIONS)))
    hosts = re.compile("|".join(map(re.escape, HOSTS)), re.IGNORECASE)
    found = [
        f"{place}: {line.strip()}"
        for place, line in lines(tracked)
        if hosts.search(line) or options.search(line)
    ]
    assert not found, "\n".join(found)


def test_no_path_of_one_machine_is_named(tracked):
    found = [
        f"{place}: {line.strip()}" for place, line in lines(tracked) if MACHINE_PATH.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        ("see /" + "work/main/x", True),
        ("'/" + "root/.cache/pip'", True),
        ("/" + "home/someone/x", True),
        ("the/work/of", False),
        ("https://example.com/home/x", False),
    ],
)
def test_machine_paths_are_recognised(text, caught):
    assert bool(MACHINE_PATH.search(text)) is caught


def test_no_data_rows_are_committed(tracked):
    found = [
        f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes"
        for path in tracked
        if (path.suffix in DATA_SUFFIXES and path.stat().st_size > MOST_DATA_BYTES)
        or path.suffix in CODE_IN_DATA
        or path.stat().st_size > MOST_BYTES
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_everything_by_hash_and_nothing_by_place(name):
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    assert entries
    entry = re.compile(
        r"[a-z0-9._-]+(\[[a-z0-9,_-]+\])?==[^\s;]+( ; [^#]*?)?( +--hash=sha256:[0-9a-f]{64})+ *"
    )
    wrong = [line[:80] for line in entries if not entry.fullmatch(line)]
    assert not wrong, "\n".join(wrong)
    assert "://" not in text
    assert " @ " not in text


def test_both_locks_agree():
    pins = []
    for name in LOCKS:
        text = (ROOT / name).read_text(encoding="utf-8")
        pins.append(set(re.findall(r"^([a-z0-9._-]+==[^\\\n]+?) *\\$", text, re.MULTILINE)))
    runtime, developer = pins
    assert runtime
    assert runtime <= developer
