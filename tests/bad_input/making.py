"""A decision file and rows that are right, to be made wrong in one way at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from payoff.errors import PayoffError

RIGHT = """\
schema_version = 1

[decision]
name = "calls"
currency = "EUR"
unit = "customer"
volume = 1000
do_nothing = "leave"

[data]
source = "rows.parquet"
outcome = "y"

[outcomes]
yes = "yes"
no = "no"

[actions]
call = "Call"
leave = "Leave alone"

[payoffs.call]
yes = "balance * 0.1"
no = -5

[payoffs.leave]
yes = 0
no = 0

[training]
candidates = ["logistic"]
folds = 2
"""


def changed(*edits: tuple[str, str], more: str = "") -> str:
    """The right file with texts replaced, each of which must be there."""
    text = RIGHT
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text + more


def rows(n: int = 240, **columns: object) -> pa.Table:
    """Rows the right file can be judged on; columns given replace or join them, None removes."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=n)
    table = {
        "x": x,
        "job": rng.choice(["clerk", "cook", "smith"], n),
        "balance": rng.gamma(2.0, 100.0, n).round(2),
        "y": np.where(rng.random(n) < 1 / (1 + np.exp(-x)), "yes", "no"),
        **columns,
    }
    return pa.table({k: v for k, v in table.items() if v is not None})


def is_quiet(text: str, *, lines: bool = True) -> bool:
    """Whether printing this text cannot move a cursor, colour, reorder or hide anything."""
    return all(c.isprintable() or (lines and c == "\n") for c in text)


def assert_well_told(error: PayoffError, code: str) -> str:
    """Assert that a message says what, where, what it got, what it needs and how to mend it."""
    text = str(error)
    assert error.code == code, text
    for part in ("what", "where", "got", "need", "mend"):
        value = getattr(error, part)
        assert isinstance(value, str), f"{part} is missing: {text}"
        assert value.strip(), f"{part} is empty: {text}"
    assert is_quiet(text, lines=False), repr(text)
    assert len(text) <= 1500, text
    assert not text.endswith(".."), text
    return text


def put(folder: Path, decision: str | bytes, table: pa.Table | None = None) -> Path:
    """Write a decision file, and rows beside it where given; return the file's path."""
    import pyarrow.parquet as pq

    path = folder / "decision.toml"
    path.write_bytes(decision.encode() if isinstance(decision, str) else decision)
    if table is not None:
        pq.write_table(table, folder / "rows.parquet")
    return path
