"""Rows with what a bundle makes of them: probabilities, expected money, action, and their part."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from payoff.bundle import Bundle
from payoff.columns import (
    SCORED_ACTION,
    SCORED_AUTOMATED,
    SCORED_FAMILIAR,
    SCORED_FAMILIARITY,
    SCORED_PART,
    SCORED_THEME,
    expected_of,
    probability_of,
)
from payoff.errors import BundleError, DataError, EnvironmentError_
from payoff.load.dataset import Dataset
from payoff.load.evaluate import TableColumns
from payoff.load.roles import assign
from payoff.load.source import Source, read
from payoff.load.split import split
from payoff.model.scored import Scored, ScoredArms
from payoff.policy.answer import rightness
from payoff.policy.expected import (
    cell_money,
    expected_by_action,
    rule_actions,
    weighted_money,
)
from payoff.policy.policy import Policy
from payoff.progress import Progress, silent
from payoff.workflow.scoring import score

__all__ = ["refuse_target", "rows_to_score", "score_rows", "scored_table", "write_rows"]

_ENDINGS: Final = (".parquet", ".pq", ".csv")


def score_rows(
    bundle: str | Path | Bundle, data: Any = None, *, progress: Progress = silent
) -> pa.Table:
    """Score rows with a bundle.

    Parameters
    ----------
    bundle
        A bundle with a model, or its folder.
    data
        Path, pattern, SQL or frame; None takes the declared source.
    progress
        Told after each step.

    Returns
    -------
    pyarrow.Table
        The rows as read, with ``y_prob_<outcome>``, ``expected_<action>`` (money per unit),
        ``payoff_action``, of documents ``payoff_theme`` (null for one without a word that was
        learnt), and, where the rows are those the bundle was made from, ``payoff_part``
        (``fit``, ``choose``, ``judge``; null for rows that took no part). Where the policy keeps an
        error rate also ``payoff_automated``, and where it knows strangers ``payoff_familiar`` and
        ``payoff_familiarity`` (0 to 1). The action is that of
        the recommended policy; a capacity is filled within each part, or within all rows given.

    Raises
    ------
    BundleError
        ``PAY-B005`` when the bundle has no model.
    DataError
        ``PAY-L005`` when the rows have such columns already; whatever reading them raises.
    """
    opened, source, rows = rows_to_score(bundle, data, progress)
    progress("score", 0, 1)
    table = scored_table(opened, source, rows, _parts(opened, source, rows))
    progress("score", 1, 1, f"{len(rows):,} rows")
    return table


def rows_to_score(
    bundle: str | Path | Bundle, data: Any, progress: Progress
) -> tuple[Bundle, Source, Dataset]:
    """Open a bundle with a model, and read the rows it is to score.

    Parameters
    ----------
    bundle, data, progress
        As for :func:`score_rows`.

    Raises
    ------
    BundleError
        ``PAY-B005`` when the bundle has no model.
    DataError
        Whatever reading the rows raises.
    """
    opened = bundle if isinstance(bundle, Bundle) else Bundle.open(bundle)
    if opened.model is None:
        raise BundleError.lacks(str(opened.path), "model", "a model to score rows")
    decision = opened.decision
    progress("read", 0, 1)
    source = read(decision.data if data is None else data, database=decision.data.database)
    rows = assign(source, decision, need_outcome=False)
    progress("read", 1, 1, f"{len(rows):,} rows")
    return opened, source, rows


def scored_table(
    opened: Bundle, source: Source, rows: Dataset, parts: NDArray[np.str_] | None
) -> pa.Table:
    """Return the rows as read with what a bundle with a model makes of them.

    Parameters
    ----------
    source, rows
        The rows as read, and with their roles.
    parts
        The part of each row, "" where it has none; None where none has.
    """
    assert opened.model is not None
    decision = opened.decision
    _refuse_names(opened, source)
    looks = opened.policy.unfamiliar is not None
    scored = score(opened.model, opened.amounts, opened.calibrator, rows, familiar=looks)
    columns = TableColumns(rows.table)
    right = known = None
    if isinstance(scored, Scored):
        cells = cell_money(decision, columns, scored.amounts)
        expected = weighted_money(cells, scored.prob, len(decision.actions))
        right, known = rightness(opened.policy, cells, scored.prob), scored.familiar
    else:
        expected = expected_by_action(decision, columns, scored.prob, scored.amounts)
    rule = rule_actions(decision, columns, rows.table) if opened.policy.kind == "rule" else None
    parts = np.full(len(rows), "", dtype="<U6") if parts is None else parts
    groups = {g.name: g.read(columns) for g in opened.policy.groupings}
    codes = np.empty(len(rows), dtype=np.int16)
    for part in np.unique(parts):
        inside = np.flatnonzero(parts == part)
        codes[inside] = opened.policy.apply(
            n=len(inside),
            expected=expected[inside],
            prob=scored.prob[inside],
            rule=None if rule is None else rule[inside],
            weight=rows.weight[inside],
            groups={k: (labels, of[inside]) for k, (labels, of) in groups.items()},
            right=None if right is None else right[inside],
            familiar=None if known is None else known[inside],
        )
    prob = scored.prob
    if isinstance(scored, ScoredArms):  # what is promised under the action chosen
        prob = prob[np.arange(len(rows)), codes]
    table = source.table
    labels = decision.multilabel
    if labels is not None:  # one row per document and label
        table = table.take(pa.array(rows.place))
        table = table.append_column(labels.column, rows.table.column(labels.column))
    for o, outcome in enumerate(decision.outcome_names):
        table = table.append_column(probability_of(outcome), pa.array(prob[:, o]))
    for a, action in enumerate(decision.action_names):
        table = table.append_column(expected_of(action), pa.array(expected[:, a]))
    names = np.array(decision.action_names)
    table = table.append_column(SCORED_ACTION, pa.array(names[codes].tolist(), pa.string()))
    table = _with_remarks(table, opened.policy, codes, known)
    if isinstance(scored, Scored) and scored.theme is not None and opened.themes is not None:
        told = pa.array(opened.themes.named(scored.theme), pa.string())
        table = table.append_column(SCORED_THEME, told)
    if (parts != "").any():
        table = table.append_column(SCORED_PART, pa.array([p or None for p in parts.tolist()]))
    return table


def _with_remarks(
    table: pa.Table,
    policy: Policy,
    codes: NDArray[np.int16],
    known: NDArray[np.float64] | None,
) -> pa.Table:
    """Add whether a row was automated, and how familiar it is, where the policy asks."""
    if policy.kind == "automation":
        acted = codes != policy.actions.index(str(policy.otherwise))
        table = table.append_column(SCORED_AUTOMATED, pa.array(acted))
    strange = policy.strange(known)
    if strange is not None:
        table = table.append_column(SCORED_FAMILIAR, pa.array(~strange))
        table = table.append_column(SCORED_FAMILIARITY, pa.array(known))
    return table


def _parts(bundle: Bundle, source: Source, rows: Dataset) -> NDArray[np.str_]:
    """Return the part of each row of the bundle's own data; "" where it has none."""
    parts = np.full(len(rows), "", dtype="<U6")
    if bundle.made_from(source.fingerprint):
        found = split(rows)
        for part in (found.fit, found.choose, found.judge):
            parts[np.isin(rows.place, part.place)] = part.part
    return parts


def _refuse_names(bundle: Bundle, source: Source) -> None:
    decision = bundle.decision
    ours = [
        *map(probability_of, decision.outcome_names),
        *map(expected_of, decision.action_names),
        SCORED_ACTION,
        SCORED_PART,
        SCORED_AUTOMATED,
        SCORED_FAMILIAR,
        SCORED_FAMILIARITY,
        *([SCORED_THEME] if bundle.themes else []),
    ]
    twice = [name for name in ours if name in source.table.column_names]
    if twice:
        raise DataError.duplicate_columns(twice, f"{source.name} and what scoring adds")


def refuse_target(path: Path, *, force: bool) -> None:
    """Refuse to write a file of another ending, or one that is there already.

    Raises
    ------
    EnvironmentError_
        ``PAY-X003``.
    """
    if not path.name.lower().endswith(_ENDINGS):
        need = f"a name that ends in {', '.join(_ENDINGS)}"
        raise EnvironmentError_.cannot_write(
            str(path), f"{path.suffix or 'no ending'}; need {need}"
        )
    if path.exists() and not force:
        raise EnvironmentError_.cannot_write(str(path), "it is there already; --force replaces it")


def write_rows(table: pa.Table, path: Path, *, force: bool = False) -> Path:
    """Write a table as Parquet or CSV, whole or not at all.

    Raises
    ------
    EnvironmentError_
        ``PAY-X003`` for another ending, a file that is there already, or a disk that refuses.
    """
    refuse_target(path, force=force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        os.close(handle)
        try:
            if path.name.lower().endswith(".csv"):
                pyarrow.csv.write_csv(table, name)
            else:
                pq.write_table(table, name)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise EnvironmentError_.cannot_write(str(path), error.strerror or str(error)) from None
    return path
