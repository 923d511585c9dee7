"""A list for every known user, written block by block."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from payoff.bundle import RecommendBundle
from payoff.bundle.asking import Ask
from payoff.bundle.listing import Made, batch_id, made_for
from payoff.errors import EnvironmentError_
from payoff.progress import Progress, silent

__all__ = ["AllLists", "lists_of_all"]

_BLOCK: Final = 1_000
_SCHEMA: Final = pa.schema(
    [
        ("list_id", pa.string()),
        ("user", pa.string()),
        ("place", pa.int32()),
        ("item", pa.string()),
        ("label", pa.string()),
        ("score", pa.float32()),
        ("money_if_hit", pa.float64()),
        ("expected_money", pa.float64()),
        ("propensity", pa.float64()),
        ("explored", pa.bool_()),
        ("made_by", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllLists:
    """The file written, how many users have a list in it, and its rows."""

    path: Path
    users: int
    rows: int


def lists_of_all(
    bundle: str | Path,
    out: Path,
    rules: Mapping[str, Any],
    *,
    batch: str | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> AllLists:
    """Write one row per place of the list of every known user.

    Parameters
    ----------
    bundle
        A bundle of kind ``"recommend"``.
    out
        ``.parquet`` or ``.csv``.
    rules
        ``k``, ``filter``, ``exclude``, ``only``, ``at_most`` of every question.
    batch
        Names the batch: the same name draws the same lists again; left out, a new one.

    Raises
    ------
    EnvironmentError_
        ``PAY-X003`` when the file is there already, or cannot be written.
    """
    if out.suffix.lower() not in (".parquet", ".csv"):
        raise EnvironmentError_.cannot_write(str(out), "the name ends neither .parquet nor .csv")
    if out.exists() and not force:
        raise EnvironmentError_.cannot_write(str(out), "it is there already; --force replaces it")
    opened = RecommendBundle.open(bundle)
    own = uuid.uuid4().hex if batch is None else batch
    ask, n, rows = Ask.of(rules), len(opened.users), 0
    aside = out.with_name(f".{out.name}.part")
    try:
        csv = out.suffix.lower() == ".csv"
        with pa_csv.CSVWriter(aside, _SCHEMA) if csv else pq.ParquetWriter(aside, _SCHEMA) as file:
            for first in range(0, n, _BLOCK):
                last = min(first + _BLOCK, n)
                table = _block(opened, ask, own, range(first, last))
                file.write_table(table)
                rows += table.num_rows
                progress("lists", last, n)
        aside.replace(out)
    except OSError as error:
        raise EnvironmentError_.cannot_write(str(out), error.strerror or str(error)) from None
    finally:
        aside.unlink(missing_ok=True)
    return AllLists(path=out, users=n, rows=rows)


def _block(bundle: RecommendBundle, ask: Ask, batch: str, users: range) -> pa.Table:
    made = [made_for(bundle, ask, u, batch_id(batch, str(bundle.users[u]))) for u in users]
    counts = np.array([len(m.shown.items) for m in made], dtype=np.int64)
    codes = _joined(made, "items", np.int32)
    score = np.concatenate([np.zeros(0, np.float32), *(m.score for m in made)])
    expected = np.concatenate([np.zeros(0), *(m.expected for m in made)])
    place = np.concatenate([np.zeros(0, np.int64), *(np.arange(c) for c in counts)])
    drawn = np.repeat([-1 if m.shown.place is None else m.shown.place for m in made], counts)
    owner = np.repeat(np.arange(len(made)), counts)
    ids = [batch_id(batch, str(bundle.users[u])) for u in users]
    columns = {
        "list_id": pa.array(ids, pa.string()).take(owner),
        "user": pa.array([str(bundle.users[u]) for u in users], pa.string()).take(owner),
        "place": place + 1,
        "item": [str(bundle.items.labels[c]) for c in codes],
        "label": [bundle.items.names[c] for c in codes],
        "score": pa.array(score, mask=~np.isfinite(score)),
        "money_if_hit": bundle.offer.money[codes],
        "expected_money": pa.array(expected, mask=~np.isfinite(expected)),
        "propensity": _joined(made, "propensity", np.float64),
        "explored": place == drawn,
        "made_by": pa.array([m.ranker.policy.name for m in made], pa.string()).take(owner),
    }
    return pa.table(columns).cast(_SCHEMA)


def _joined(made: list[Made], name: str, kind: Any) -> Any:
    return np.concatenate([np.zeros(0, kind), *(getattr(m.shown, name) for m in made)])
