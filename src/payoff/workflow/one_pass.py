"""Judging predictions from sums over rows that need not fit in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from payoff.declare import Decision
from payoff.declare import checks as declare_checks
from payoff.declare.expression import constant_of
from payoff.errors import DataError, show
from payoff.evidence import sql
from payoff.evidence.acted import Background
from payoff.evidence.cells_curve import cross_fitted
from payoff.evidence.cells_sql import BINS, FOLDS, Rows, by_action, by_score, columns_read
from payoff.evidence.evidence import Evidence
from payoff.evidence.judge_cells import judge_cells, means
from payoff.evidence.terms import Terms, terms_of
from payoff.load.evaluate import TableColumns, condition, money
from payoff.load.roles import assign
from payoff.load.source import read
from payoff.policy.choose import baselines, orientation
from payoff.policy.policy import Policy
from payoff.progress import Progress, silent
from payoff.workflow.cells import Found, Predicted, Reading
from payoff.workflow.rows import hidden_under

__all__ = ["MANY", "judge_in_one_pass", "recorded_policy", "unfit"]

#: From this many rows on, cells are the default.
MANY: Final = 2_000_000
_SAMPLE: Final = 10_000
_MOST_TERMS: Final = 4
_MOST_VALUES: Final = 1_000
_NUMBERS: Final = ("INT", "FLOAT", "DOUBLE", "DECIMAL")
_PLAIN: Final = ("VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP")


def unfit(asked: Predicted) -> str:
    """Say why cells cannot judge this; "" when they can.

    Raises
    ------
    PayoffError
        For what would stop the judging of rows too: a missing column, an expression of the wrong
        kind.
    """
    decision = asked.decision
    later = set(decision.data.known_later) & set(decision.payoffs.columns)
    reasons = {
        "rows of one cluster, which vary together": decision.data.cluster,
        "a capacity, which goes to the rows of largest gain": decision.limits
        or [a for a in decision.actions if a.capacity is not None],
        "constraints, kept by prices on the gain of each row": decision.constraints,
        "fixed costs, which decide which actions are used at all": decision.model_cost
        or [a for a in decision.actions if a.fixed_cost],
        "past decisions, which are weighed row by row": decision.past,
        "a score, which is turned into probabilities row by row": asked.kind == "score",
        "money that depends on amounts known only later": asked.kind == "probability" and later,
        f"money made of more than {_MOST_TERMS} different terms over columns": len(
            terms_of(decision)
        )
        > _MOST_TERMS,
    }
    found = next((why for why, applies in reasons.items() if applies), "")
    return found or _unfit_columns(asked) or _unfit_values(asked)


def _unfit_columns(asked: Predicted) -> str:
    """Say which column is of a type whose values payoff would tidy before use."""
    decision, types = asked.decision, asked.scan.types
    for role, column in asked.columns.items():
        if column not in types:
            raise DataError.missing_column(column, f"the {asked.kind} ({role})", types)
    if decision.data.outcome not in types:
        raise DataError.missing_column(decision.data.outcome, "the outcome", types)
    numeric = [decision.data.weight] if decision.data.weight else []
    numeric += asked.columns.values() if asked.kind == "probability" else []
    for column in numeric:
        if not _is_number(types.get(column, "DOUBLE")):
            return f"column {show(column)} of {types[column]}, not of numbers"
    rule = decision.current_rule
    read_by = [*decision.payoffs.columns, *(rule.columns if rule else ())]
    for column in dict.fromkeys([*read_by, *(s.column for s in decision.subgroups if s.column)]):
        kind = types.get(column, "VARCHAR")
        if not _is_number(kind) and kind not in _PLAIN:
            return f"column {show(column)} of type {kind}"
        if column in read_by and kind in ("DATE", "TIMESTAMP"):
            return f"column {show(column)} of dates, which expressions read as text"
    named = [rule.column] if rule and rule.column else []
    named += [asked.columns["action"]] if asked.kind == "action" else []
    for column in named:
        if types.get(column, "VARCHAR") != "VARCHAR":
            return f"column {show(column)} of {types[column]}, where names of actions should be"
    return ""


def _is_number(kind: str) -> bool:
    return any(word in kind.split("(", maxsplit=1)[0] for word in _NUMBERS)


def _unfit_values(asked: Predicted) -> str:
    """Look at the first rows: every expression is evaluated there as it is for rows."""
    decision, scan = asked.decision, asked.scan
    head = scan.query(f"select * from {scan.relation} limit {_SAMPLE}")  # noqa: S608
    if head.num_rows == 0:
        raise DataError.empty(asked.name)
    outcome = decision.data.outcome
    if pc.count_distinct(head.column(outcome)).as_py() > _MOST_VALUES:
        return f"column {show(outcome)} of more than {_MOST_VALUES:,} values"
    sample = read(head.drop_columns([outcome]))
    assign(sample, decision, need_outcome=False)
    columns = TableColumns(sample.table)
    for cell in decision.payoffs.cells.values():
        if constant_of(cell.node) is None:
            money(cell.node, columns)
    rule = decision.current_rule
    for case in rule.cases if rule else ():
        condition(case.node, columns)
    read_by = [*decision.payoffs.columns, *(rule.columns if rule else ())]
    for column in dict.fromkeys(read_by):
        if scan.types[column] == "VARCHAR" and not pa.types.is_string(
            sample.table.column(column).type
        ):
            return f"column {show(column)} of numbers or dates kept as text"
    for subgroup in decision.subgroups:
        if subgroup.column is None or subgroup.bands:
            continue
        if pc.count_distinct(head.column(subgroup.column)).as_py() > _MOST_VALUES:
            return (
                f"a subgroup {show(subgroup.name)} of more than {_MOST_VALUES:,} values; give it "
                "'bands'"
            )
    return ""


def judge_in_one_pass(asked: Predicted, why: str, progress: Progress = silent) -> Evidence:
    """Judge predictions from sums over cells, without reading the rows in.

    Parameters
    ----------
    asked
        What to judge; :func:`unfit` must have nothing against it.
    why
        Why cells and not rows, for the record.
    progress
        Told while the scan runs.

    Raises
    ------
    PayoffError
        What would stop the judging of rows too.
    """
    decision = asked.decision
    columns = columns_read(decision, _rows(asked))
    with asked.scan.parsed(columns, progress) as scan:
        found, terms, n_cells = _summed(replace(asked, scan=scan), progress)
    recorded = None
    if asked.kind == "action":
        recorded = recorded_policy(decision, asked.columns["action"])
        note = f"only actions were given (column {asked.columns['action']!r}), no probabilities"
    else:
        note = f"the probabilities ({', '.join(asked.columns.values())}) were made elsewhere"
    return judge_cells(
        decision,
        terms,
        found.cells,
        recorded=recorded,
        background=Background(
            data=_facts(asked, found, n_cells, why),
            model={"not_measured": note},
            checks=declare_checks.check(decision),
            seed=decision.training.seed,
        ),
    )


def _rows(asked: Predicted) -> Rows:
    return Rows(
        relation=asked.scan.relation,
        row=asked.scan.row,
        types=asked.scan.types,
        probability=asked.columns if asked.kind == "probability" else {},
        action=asked.columns.get("action") if asked.kind == "action" else None,
        complete=asked.scan.complete(asked.decision.payoffs.columns),
        outcomes=asked.scan.whole(asked.decision.data.outcome),
    )


def _summed(asked: Predicted, progress: Progress) -> tuple[Found, Terms, int]:
    """Ask both queries; return the cells, the terms of their sums, and how many cells there are."""
    decision, scan, rows = asked.decision, asked.scan, _rows(asked)
    terms = _usual(terms_of(decision), asked)
    score, threshold, n_cells = None, None, 0
    scored = by_score(decision, terms, rows)
    if scored is not None:
        try:
            table = scan.query(scored.text, progress, "sum by score")
        except DataError:  # the engine takes no root of a probability below 0
            rows = replace(rows, careful=True)
            scored = by_score(decision, terms, rows)
            assert scored is not None
            table = scan.query(scored.text, progress, "sum by score")
        score = Reading(asked, terms, scored, table).by_score()
        n_cells += table.num_rows
        if decision.is_binary:
            direction = orientation(means(decision, terms, score, with_prob=True), decision)
            threshold = cross_fitted(terms, score, direction)
    made = by_action(decision, terms, rows, threshold=threshold)
    table = scan.query(made.text, progress, "sum by action")
    found = Reading(asked, terms, made, table).cells(score, threshold)
    return found, terms, n_cells + table.num_rows


def recorded_policy(decision: Decision, column: str) -> Policy:
    """Return the policy of actions that were given."""
    return replace(
        baselines(decision)[-1],
        name="predicted",
        kind="recorded",
        baseline=False,
        high=None,
        label="The actions given",
        how=f"As written in column {column}.",
    )


def _usual(terms: Terms, asked: Predicted) -> Terms:
    """Measure a usual value of each term on the first rows."""
    if len(terms) == 0:
        return terms
    medians = ", ".join(f"median({t}) as t{k}" for k, t in enumerate(terms.sql))
    casts = ", ".join(
        f"cast({sql.quoted(c)} as double) as {sql.quoted(c)}"
        if _is_number(asked.scan.types[c])
        else sql.quoted(c)
        for c in asked.decision.payoffs.columns
    )
    text = f"select {medians} from (select {casts} from {asked.scan.relation} limit {_SAMPLE})"  # noqa: S608
    row = asked.scan.query(text).to_pylist()[0]
    values = [row[f"t{k}"] for k in range(len(terms))]
    return terms.pivoted([v if v is not None and abs(v) < 1e200 else 0.0 for v in values])


def _facts(asked: Predicted, found: Found, cells: int, why: str) -> dict[str, Any]:
    """Return what the evidence records about the rows, as for rows."""
    decision = asked.decision
    n = round(float(found.cells.base.n.sum()))
    dropped = []
    if found.n_rows > n:
        reason = "the outcome is not known, or the weight is 0"
        dropped.append({"reason": reason, "n": found.n_rows - n})
    said = f"judged from {cells:,} cells, summed where the rows lie ({why})"
    return {
        "source": asked.name,
        "fingerprint": asked.fingerprint,
        "n_rows": found.n_rows,
        "n_unlabelled": found.n_unlabelled,
        "weighted": decision.data.weight is not None,
        "clustered": False,
        "notes": [said],
        "dropped": dropped,
        "unknown_where": hidden_under(decision, *found.by_rule) if found.by_rule else None,
        "split": {
            "method": "none",
            "reason": "the predictions were made elsewhere; payoff takes it that none of these "
            "rows helped to fit or tune what predicted them",
            "parts": {
                "judge": {
                    "n": n,
                    "n_clusters": n,
                    "first": None,
                    "last": None,
                    "outcome_share": dict(
                        zip(decision.outcome_names, found.shares.tolist(), strict=True)
                    ),
                }
            },
        },
        "predictions": {"kind": asked.kind, "columns": dict(asked.columns)},
        "path": {
            "kind": "cells",
            "said": [
                f"Judged from {cells:,} cells, summed where the rows lie ({why}). Figures that "
                "need single rows are marked as not measured; --rows measures them."
            ],
            "why": why,
            "cells": cells,
            "bins": BINS,
            "folds": FOLDS,
            "edges": f"(k / {BINS})^2",
            "tolerance": "values, totals, differences, their t intervals, confusion cells and "
            "groups are those of the rows to 1e-9; the curve is exact at the edges of bins; "
            "reliability is by whole bins; what decides again says by how much it can be off; how "
            "sure the choice is, and groups with amounts side by side, rest on the normal limit",
        },
    }
