"""Scoring files of any size: some rows at a time, read by the engine and written as they come."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from payoff.bundle import Bundle
from payoff.engine.duckdb_engine import refuse_duplicates
from payoff.engine.scan import Scan
from payoff.errors import EnvironmentError_
from payoff.load.roles import assign
from payoff.load.source import files_of, fingerprint_of, label_of, read
from payoff.progress import Progress, silent
from payoff.workflow.scored_rows import refuse_target, score_rows, scored_table, write_rows

__all__ = ["AT_ONCE", "Written", "score_file"]

#: Rows of one batch; files with no more are read whole.
AT_ONCE: Final = 20_000


class _WholeNeeded(Exception):
    """A batch reads unlike another, so only all rows together say what a column holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written.

    Parameters
    ----------
    path
        The file.
    rows
        Its rows.
    columns
        Their names.
    batches
        In how many batches the rows were scored.
    why_whole
        Why all rows were scored at once; "" where they were not.
    """

    path: Path
    rows: int
    columns: tuple[str, ...]
    batches: int
    why_whole: str = ""


def score_file(
    bundle: str | Path | Bundle,
    data: Any,
    out: Path,
    *,
    force: bool = False,
    at_once: int = AT_ONCE,
    progress: Progress = silent,
) -> Written:
    """Score rows with a bundle, and write them.

    CSV and Parquet files of more than ``at_once`` rows are read, scored and written that many rows
    at a time, so that memory does not grow with them; the result is that of all rows at once. Two
    things need all rows together: a limit, which goes to the rows of largest gain, and the bundle's
    own rows, whose part in the split is written too.

    Parameters
    ----------
    bundle, data
        As for :func:`~payoff.workflow.scored_rows.score_rows`.
    out
        A file that ends in ``.parquet``, ``.pq`` or ``.csv``; written whole or not at all.
    force
        Replace the file.
    at_once
        Rows of a batch.
    progress
        Told after each batch.

    Raises
    ------
    BundleError, DataError, EnvironmentError_
        As ``score_rows`` and ``write_rows`` do.
    """
    refuse_target(out, force=force)
    opened = bundle if isinstance(bundle, Bundle) else Bundle.open(bundle)
    source = opened.decision.data.source if data is None else data
    why = _why_whole(opened, source, at_once)
    if not why:
        try:
            return _by_batches(opened, files_of(source), out, at_once, progress)
        except _WholeNeeded:
            why = "a column reads as numbers, dates or text only when all rows are seen"
    table = score_rows(opened, data, progress=progress)
    path = write_rows(table, out, force=force)
    return Written(
        path=path,
        rows=table.num_rows,
        columns=tuple(table.column_names),
        batches=1,
        why_whole=why,
    )


def _why_whole(bundle: Bundle, source: Any, at_once: int) -> str:
    """Say why all rows are scored at once; "" where batches do."""
    files = [] if source is None else files_of(source)
    if not files or bundle.model is None:
        return "the rows are not in CSV or Parquet files, or the bundle has no model"
    refuse_duplicates(files)
    if Scan(files).rows() <= at_once:
        return "they are few"
    reasons = {
        "a limit goes to the rows of largest gain among all of them": bundle.policy.bounds,
        "each unit must stand there once": bundle.decision.data.unit_id,
        "they are those the bundle was made from, and their part is written too": bundle.made_from(
            fingerprint_of(files)
        ),
    }
    return next((why for why, applies in reasons.items() if applies), "")


def _by_batches(
    bundle: Bundle, files: list[Path], out: Path, at_once: int, progress: Progress
) -> Written:
    name = label_of(str(files[0]), files)
    scan = Scan(files)
    total, done, batches = scan.rows(), 0, 0
    writer: Any = None
    tidy: pa.Schema | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.", suffix=".part")
        os.close(handle)
        try:
            progress("score", 0, max(total, 1))
            for table, read_as in _scored(bundle, scan, name, at_once):
                if writer is None:
                    tidy = read_as
                    writer = _writer(out, part, table.schema)
                elif read_as != tidy:
                    raise _WholeNeeded
                writer.write_table(table)
                done, batches = done + table.num_rows, batches + 1
                progress("score", min(done, total - 1), total)
            writer.close()
            os.replace(part, out)
        except BaseException:
            if writer is not None:
                writer.close()
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise EnvironmentError_.cannot_write(str(out), error.strerror or str(error)) from None
    progress("score", done, done, f"{done:,} rows")
    return Written(path=out, rows=done, columns=tuple(table.column_names), batches=batches)


def _scored(
    bundle: Bundle, scan: Scan, name: str, at_once: int
) -> Generator[tuple[pa.Table, pa.Schema], None, None]:
    """Give each batch with what a bundle makes of it, and how its columns were read."""
    decision = bundle.decision
    for batch in scan.batches(at_once):
        source = read(batch)
        source = type(source)(
            table=source.table, name=name, fingerprint=source.fingerprint, notes=source.notes
        )
        # The outcome plays no part here, and a batch may lack it where others have it.
        asked = source.table
        if decision.data.outcome in asked.column_names:
            asked = asked.drop_columns([decision.data.outcome])
        rows = assign(
            type(source)(table=asked, name=name, fingerprint=source.fingerprint),
            decision,
            need_outcome=False,
        )
        yield scored_table(bundle, source, rows, None), source.table.schema


def _writer(out: Path, part: str, schema: pa.Schema) -> Any:
    if out.name.lower().endswith(".csv"):
        return pyarrow.csv.CSVWriter(part, schema)
    return pq.ParquetWriter(part, schema)
