"""Odd tables: those payoff refuses, and those it must read right."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tests.bad_input.making import RIGHT, changed, rows

N = 240


@dataclass(frozen=True, kw_only=True)
class Odd:
    """One odd table: how to make it, with which decision, and the error it must raise."""

    name: str
    make: Callable[[], Any]
    code: str
    says: tuple[str, ...]
    decision: str


def _odd(name: str, make: Callable[[], Any], code: str, *says: str, decision: str = RIGHT) -> Odd:
    return Odd(name=name, make=make, code=code, says=says, decision=decision)


def _with(*lines: str) -> str:
    return changed(('outcome = "y"\n', 'outcome = "y"\n' + "\n".join(lines) + "\n"))


def _named(*names: str) -> pa.Table:
    table = rows()
    extra = [pa.array(np.arange(N) % 7) for _ in names]
    return pa.table([*table.columns, *extra], names=[*table.column_names, *names])


def _y(*values: Any) -> pa.Array:
    return pa.array([values[k % len(values)] for k in range(N)])


TIME = _with('time = "t"')
PART = _with('part = "part"')
WEIGHT = _with('weight = "w"')
ID = _with('unit_id = "id"')
RULE = changed(more='\n[current_rule]\ncolumn = "done"\n')
BANDS = changed(more='\n[[subgroups]]\ncolumn = "job"\nbands = [1, 2]\n')
DAYS = [datetime.date(2026, 1, 1) + datetime.timedelta(days=k) for k in range(N)]
HUGE = 10**30

REFUSED = (
    # ------------------------------------------------------------------------------- rows
    _odd("no rows", lambda: rows().slice(0, 0), "PAY-L003", "0 rows"),
    _odd("no columns", lambda: pa.table({}), "PAY-L003", "0 columns"),
    _odd("a single row", lambda: rows().slice(0, 1), "PAY-L009", "1"),
    _odd("twenty rows", lambda: rows().slice(0, 20), "PAY-L009", "20", "80"),
    _odd("all outcomes yes", lambda: rows(y=_y("yes")), "PAY-L008", "'yes' in all"),
    _odd("no outcome known", lambda: rows(y=pa.nulls(N)), "PAY-L003", "column y"),
    _odd("no outcome known, as text", lambda: rows(y=pa.nulls(N, pa.string())), "PAY-L003", "y"),
    _odd("outcomes blank", lambda: rows(y=_y("", "  ")), "PAY-L003", "column y"),
    _odd("one column only", lambda: rows(x=None, job=None, balance=None), "PAY-L004", "balance"),
    _odd("outcome missing", lambda: rows(y=None), "PAY-L004", "the outcome", "'y'"),
    _odd("outcome in capitals", lambda: rows(y=None, Y=_y("yes", "no")), "PAY-L004", "'Y'"),
    _odd("money column missing", lambda: rows(balance=None), "PAY-L004", "balance"),
    _odd(
        "excluded column missing",
        rows,
        "PAY-L004",
        "data.exclude.xx",
        "'x'",
        decision=changed(more='\n[data.exclude]\nxx = "leak"\n'),
    ),
    _odd("feature missing", rows, "PAY-L004", "a feature", decision=_with('features = ["xs"]')),
    _odd(
        "subgroup missing",
        rows,
        "PAY-L004",
        "subgroup",
        decision=changed(more='\n[[subgroups]]\ncolumn = "jobs"\n'),
    ),
    # ---------------------------------------------------------------------------- columns
    _odd("a column twice", lambda: _named("x"), "PAY-L005", "'x'"),
    _odd("a column twice by case", lambda: _named("X"), "PAY-L005", "'X'"),
    _odd("a column twice by blanks", lambda: _named(" x "), "PAY-L005", "' x '"),
    _odd("escapes in a name twice", lambda: _named("a\x1b[2Jb", "A\x1b[2JB"), "PAY-L005", "x1b"),
    _odd("bidi in a name twice", lambda: _named("a\u202eb", "A\u202eB"), "PAY-L005", "u202e"),
    # --------------------------------------------------------------------------- outcomes
    _odd(
        "an outcome not declared",
        lambda: rows(y=_y("yes", "no", "maybe")),
        "PAY-L007",
        "'maybe'",
        "80 rows",
    ),
    _odd("outcomes 1 and 0", lambda: rows(y=_y(1, 0)), "PAY-L007", "'1'", "'yes'"),
    _odd("outcomes true and false", lambda: rows(y=_y(True, False)), "PAY-L007", "'true'"),
    _odd("outcome by case", lambda: rows(y=_y("Yes", "No")), "PAY-L007", "'No' is not 'no'"),
    _odd("outcome '?'", lambda: rows(y=_y("yes", "no", "?")), "PAY-L007", "'?'"),
    _odd(
        "outcome with an escape",
        lambda: rows(y=_y("yes", "no", "a\x1b]0;x\x07b")),
        "PAY-L007",
        "x1b",
    ),
    _odd("outcome with a line end", lambda: rows(y=_y("yes", "no", "a\nb")), "PAY-L007", r"a\nb"),
    _odd(
        "200 other outcomes",
        lambda: rows(y=_y(*(f"v{k}" for k in range(200)))),
        "PAY-L007",
        "and 188 more",
    ),
    # ------------------------------------------------------------------------------ money
    _odd(
        "money 1e308",
        lambda: rows(balance=np.full(N, 1e308)),
        "PAY-L010",
        "1e+307",
        "payoffs.call.yes",
    ),
    _odd(
        "money infinite",
        lambda: rows(balance=np.where(np.arange(N) % 9 == 0, np.inf, 1.0)),
        "PAY-L010",
        "inf",
    ),
    _odd(
        "money missing",
        lambda: rows(balance=pa.array([None, 1.0] * (N // 2))),
        "PAY-L010",
        "missing",
        "coalesce",
    ),
    _odd("money all missing", lambda: rows(balance=pa.nulls(N)), "PAY-L010", "missing"),
    _odd("money of text", lambda: rows(balance=_y("much", "little")), "PAY-D054", "balance"),
    _odd("money of dates", lambda: rows(balance=pa.array(DAYS)), "PAY-D054", "balance"),
    _odd("money true or false", lambda: rows(balance=_y(True, False)), "PAY-D054", "balance"),
    _odd("money in a list", lambda: rows(balance=pa.array([[1.0]] * N)), "PAY-D054", "balance"),
    _odd(
        "money divided by zero",
        rows,
        "PAY-L010",
        "missing",
        decision=changed(("balance * 0.1", "balance / (balance - balance)")),
    ),
    # ----------------------------------------------------------------------------- weights
    _odd(
        "a weight negative",
        lambda: rows(w=np.where(np.arange(N) == 5, -1.0, 1.0)),
        "PAY-L006",
        "column w",
        "1 weight missing",
        decision=WEIGHT,
    ),
    _odd(
        "a weight missing",
        lambda: rows(w=pa.array([None] + [1.0] * (N - 1))),
        "PAY-L006",
        "column w",
        decision=WEIGHT,
    ),
    _odd(
        "a weight NaN",
        lambda: rows(w=np.where(np.arange(N) == 5, np.nan, 1.0)),
        "PAY-L006",
        "missing",
        decision=WEIGHT,
    ),
    _odd(
        "a weight infinite",
        lambda: rows(w=np.where(np.arange(N) == 5, np.inf, 1.0)),
        "PAY-L006",
        "too large",
        decision=WEIGHT,
    ),
    _odd(
        "weights of text",
        lambda: rows(w=_y("heavy", "light")),
        "PAY-L006",
        "numbers",
        decision=WEIGHT,
    ),
    _odd(
        "weights all 0", lambda: rows(w=np.zeros(N)), "PAY-L006", "all weights 0", decision=WEIGHT
    ),
    _odd("weights all 1e308", lambda: rows(w=np.full(N, 1e308)), "PAY-L006", "w", decision=WEIGHT),
    # -------------------------------------------------------------------------------- ids
    _odd(
        "ids repeated",
        lambda: rows(id=np.arange(N) // 2),
        "PAY-L011",
        "column id",
        "120",
        "cluster",
        decision=ID,
    ),
    _odd(
        "ids missing",
        lambda: rows(id=pa.array([None, *range(1, N)])),
        "PAY-L006",
        "column id",
        decision=ID,
    ),
    # -------------------------------------------------------------------------- part, time
    _odd(
        "parts train and test",
        lambda: rows(part=_y("train", "test")),
        "PAY-L006",
        "'fit', 'choose' or 'judge'",
        decision=PART,
    ),
    _odd(
        "parts numbered",
        lambda: rows(part=_y(0, 1, 2)),
        "PAY-L006",
        "'fit', 'choose' or 'judge'",
        decision=PART,
    ),
    _odd(
        "parts in capitals",
        lambda: rows(part=_y("Fit", "Choose", "Judge")),
        "PAY-L006",
        "'Choose'",
        decision=PART,
    ),
    _odd(
        "no judge rows",
        lambda: rows(part=_y("fit", "choose")),
        "PAY-L009",
        "'judge'",
        decision=PART,
    ),
    _odd(
        "no part given", lambda: rows(part=pa.nulls(N, pa.string())), "PAY-L009", "0", decision=PART
    ),
    _odd(
        "time of words",
        lambda: rows(t=_y("Monday", "Tuesday")),
        "PAY-L006",
        "column t",
        "2026-11-23",
        decision=TIME,
    ),
    _odd(
        "time of US dates",
        lambda: rows(t=_y("11/23/2026", "11/24/2026")),
        "PAY-L006",
        "11/2",
        decision=TIME,
    ),
    _odd(
        "time all missing",
        lambda: rows(t=pa.nulls(N)),
        "PAY-L009",
        "the time is missing",
        decision=TIME,
    ),
    _odd(
        "time all missing text",
        lambda: rows(t=pa.nulls(N, pa.string())),
        "PAY-L006",
        "column t",
        decision=TIME,
    ),
    _odd(
        "time true or false", lambda: rows(t=_y(True, False)), "PAY-L006", "column t", decision=TIME
    ),
    _odd(
        "time of day only",
        lambda: rows(t=pa.array([datetime.time(k % 24) for k in range(N)])),
        "PAY-L006",
        "column t",
        decision=TIME,
    ),
    _odd("one moment", lambda: rows(t=pa.array([DAYS[0]] * N)), "PAY-L009", "part", decision=TIME),
    # ------------------------------------------------------------------------------- others
    _odd("bands on text", rows, "PAY-L006", "'job'", "bands", decision=BANDS),
    _odd(
        "a rule column of other words",
        lambda: rows(done=_y("call", "ring")),
        "PAY-E003",
        "'ring'",
        decision=RULE,
    ),
    _odd(
        "a rule column with gaps",
        lambda: rows(done=_y("call", None)),
        "PAY-E003",
        "missing",
        decision=RULE,
    ),
    _odd("a dictionary", lambda: {"x": [1], "y": ["yes"]}, "PAY-L012", "dict"),
    _odd("a list", lambda: [[1, 2]], "PAY-L012", "list"),
    _odd("an array", lambda: np.zeros((3, 3)), "PAY-L012", "ndarray"),
    _odd("a number", lambda: 3, "PAY-L012", "int"),
)

#: Tables that look odd and must be read; name -> (table, decision).
READ: dict[str, tuple[Callable[[], Any], str]] = {
    "dots in a name": (lambda: _named("a.b"), RIGHT),
    "braces in a name": (lambda: _named("{a}", "{{b}}"), RIGHT),
    "quotes in a name": (lambda: _named('a"b', "it's"), RIGHT),
    "a line end in a name": (lambda: _named("a\nb"), RIGHT),
    "an escape in a name": (lambda: _named("a\x1b[31mb"), RIGHT),
    "bidi in a name": (lambda: _named("a\u202eb"), RIGHT),
    "script in a name": (lambda: _named("</script><script>alert(1)</script>"), RIGHT),
    "an empty name": (lambda: _named(""), RIGHT),
    "a name of 5,000": (lambda: _named("n" * 5000), RIGHT),
    "percent in a name": (lambda: _named("100%", "%s"), RIGHT),
    "odd values": (
        lambda: rows(job=_y("a\x1b[31mb", "a\nb", "</script>", "\u202eab", '"', "'", "{x}", "\0")),
        RIGHT,
    ),
    "a value of 20,000": (lambda: rows(job=_y("v" * 20_000, "w")), RIGHT),
    "values seen once": (lambda: rows(job=_y(*(f"j{k}" for k in range(N)))), RIGHT),
    "a feature all missing": (lambda: rows(x2=pa.nulls(N)), RIGHT),
    "a feature all NaN": (lambda: rows(x2=np.full(N, np.nan)), RIGHT),
    "a text feature all missing": (lambda: rows(x2=pa.nulls(N, pa.string())), RIGHT),
    "a feature of blanks": (lambda: rows(x2=_y("", " ")), RIGHT),
    "a feature infinite": (lambda: rows(x2=np.where(np.arange(N) % 9 == 0, np.inf, 1.0)), RIGHT),
    "a feature both infinite": (
        lambda: rows(x2=np.where(np.arange(N) % 2, np.inf, -np.inf)),
        RIGHT,
    ),
    "a feature of 1e308": (lambda: rows(x2=np.where(np.arange(N) % 2, 1e308, -1e308)), RIGHT),
    "a feature of one value": (lambda: rows(x2=np.ones(N)), RIGHT),
    "a list": (lambda: rows(x2=pa.array([[1, 2]] * N)), RIGHT),
    "a struct": (lambda: rows(x2=pa.array([{"a": k % 3} for k in range(N)])), RIGHT),
    "a map": (lambda: rows(x2=pa.array([[("k", 1)]] * N, pa.map_(pa.string(), pa.int64()))), RIGHT),
    "bytes": (lambda: rows(x2=_y(b"\xff\xfe", b"ab", None)), RIGHT),
    "bytes of one length": (
        lambda: rows(x2=pa.array([b"ab", b"cd"] * (N // 2), pa.binary(2))),
        RIGHT,
    ),
    "a duration": (lambda: rows(x2=_y(datetime.timedelta(days=2), datetime.timedelta(0))), RIGHT),
    "a month interval": (
        lambda: rows(x2=pa.array([(1, 2, 3)] * N, pa.month_day_nano_interval())),
        RIGHT,
    ),
    "decimals": (lambda: rows(x2=_y(decimal.Decimal("1.10"), decimal.Decimal("2.25"))), RIGHT),
    "wide decimals": (
        lambda: rows(x2=pa.array([decimal.Decimal(HUGE)] * N, pa.decimal256(60, 2))),
        RIGHT,
    ),
    "money as decimals": (
        lambda: rows(balance=_y(decimal.Decimal("1.10"), decimal.Decimal("2.25"))),
        RIGHT,
    ),
    "half precision": (lambda: rows(x2=np.ones(N, np.float16)), RIGHT),
    "unsigned to the limit": (
        lambda: rows(x2=pa.array([2**64 - 1, 0] * (N // 2), pa.uint64())),
        RIGHT,
    ),
    "a time of day": (lambda: rows(x2=_y(datetime.time(9), datetime.time(10, 30))), RIGHT),
    "times with a zone": (
        lambda: rows(
            t=pa.array(
                [
                    datetime.datetime(
                        2026, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=2))
                    )
                    + datetime.timedelta(hours=k)
                    for k in range(N)
                ]
            )
        ),
        TIME,
    ),
    "text times of mixed zones": (
        lambda: rows(
            t=pa.array([f"{d}T10:00:00{'+02:00' if k % 2 else 'Z'}" for k, d in enumerate(DAYS)])
        ),
        TIME,
    ),
    "times before 1700": (
        lambda: rows(t=pa.array([d.replace(year=1000 + k % 9) for k, d in enumerate(DAYS)])),
        TIME,
    ),
    "times in nanoseconds": (
        lambda: rows(t=pa.array(np.arange(N) * 10**9 + 1, pa.timestamp("ns"))),
        TIME,
    ),
    "times as text": (lambda: rows(t=pa.array([str(d) for d in DAYS])), TIME),
    "times as whole numbers": (lambda: rows(t=np.arange(N)), TIME),
    "weights 0 in part": (lambda: rows(w=np.where(np.arange(N) < 20, 0.0, 1.0)), WEIGHT),
    "ids with leading zeros": (lambda: rows(id=pa.array([f"{k:05d}" for k in range(N)])), ID),
    "ids of huge integers": (lambda: rows(id=pa.array([2**63 - 1 - k for k in range(N)])), ID),
    "categories": (lambda: rows(job=_y("a", "b", None).dictionary_encode()), RIGHT),
    "large text": (lambda: rows(job=_y("a", "b").cast(pa.large_string())), RIGHT),
    "text views": (lambda: rows(job=_y("a", "b").cast(pa.string_view())), RIGHT),
    "numbers with '?'": (lambda: rows(x2=_y("1.5", "?", "-2")), RIGHT),
    "bigger than a double": (lambda: rows(x2=_y("1e999", "2")), RIGHT),
}
