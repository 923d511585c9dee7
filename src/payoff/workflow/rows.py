"""Declaration and rows, read and checked together: the start of every command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.checks import Check, numbered
from payoff.declare import Decision
from payoff.declare import checks as declare_checks
from payoff.declare.file import load
from payoff.errors import DeclarationError, percent
from payoff.load import checks as load_checks
from payoff.load.dataset import Dataset, Parts
from payoff.load.evaluate import TableColumns
from payoff.load.roles import assign
from payoff.load.source import Source, read
from payoff.load.split import split
from payoff.load.text import checks as text_checks
from payoff.model.text.arrays import give_back
from payoff.policy.expected import check_money, rule_actions

__all__ = ["Checked", "check", "data_facts", "hidden_under", "open_rows", "unknown_where"]

#: Outcomes missing on this share of an action's rows, and known on this share of all others.
_HIDDEN: Final = 0.95
_FEWEST_HIDDEN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checked:
    """A declaration with its rows, parts, checks and, of documents, the data sheet."""

    decision: Decision
    source: Source
    data: Dataset
    parts: Parts
    checks: tuple[Check, ...]
    corpus: Mapping[str, Any]


def open_rows(decision: str | Path | Decision, data: Any = None) -> tuple[Decision, Source]:
    """Read the decision and its rows; ``data`` replaces the source the file names.

    Examples
    --------
    >>> open_rows("no-such-decision.toml")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    payoff.errors.DeclarationError: PAY-D002
    """
    folder = Path()
    if not isinstance(decision, Decision):
        folder = Path(decision).parent
        decision = load(decision)
    if decision.kind == "recommend":
        raise DeclarationError.lists_not_rows()
    source = (
        read(decision.data, folder=folder)
        if data is None
        else read(data, database=decision.data.database)
    )
    return decision, source


def check(decision: str | Path | Decision, data: Any = None) -> Checked:
    """Check a declaration and its rows, without fitting anything.

    Raises
    ------
    PayoffError
        Whatever stops the path: ``PAY-D0xx``, ``PAY-L0xx``.
    """
    decision, source = open_rows(decision, data)
    rows = assign(source, decision)
    columns = TableColumns(rows.table)
    check_money(decision, columns, rows.outcome, (rows.outcome >= 0) & (rows.weight > 0))
    rule = rule_actions(decision, columns, rows.table)
    parts = split(rows)
    corpus = text_checks.sheet_of(rows, parts)
    found = (
        *declare_checks.check(decision),
        *load_checks.check(rows, parts),
        _rule_fires(decision, rule),
        *text_checks.check(rows, parts, corpus),
    )
    # Nobody reads the documents as they came any more: fitting wants their memory.
    source = replace(source, table=source.table.drop_columns(list(decision.data.text)))
    del columns
    give_back()
    return Checked(
        decision=decision, source=source, data=rows, parts=parts, checks=found, corpus=corpus
    )


def _rule_fires(decision: Decision, rule: NDArray[np.int16] | None) -> Check:
    result = numbered("PAY-L111", "What today's rule does")
    if rule is None or decision.current_rule is None:
        return result(status="not_applicable", detail="Today's rule is not declared.")
    counts = np.bincount(rule, minlength=len(decision.actions))
    shares = ", ".join(
        f"{name} {percent(n / len(rule))}"
        for name, n in zip(decision.action_names, counts, strict=True)
    )
    if decision.current_rule.cases and np.count_nonzero(counts) == 1:
        return result(
            status="issue",
            detail=f"Today's rule takes the same action on all {len(rule):,} rows ({shares}).",
            mend="Check its conditions: text compares letter by letter, and a missing value "
            "fulfils no condition",
        )
    return result(status="passed", detail=f"Today's rule: {shares} of rows.")


def data_facts(
    source: Source,
    data: Dataset,
    how: Mapping[str, Any],
    dropped: Any,
    corpus: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what the evidence records about the rows, and of documents their data sheet."""
    decision = data.decision
    return {
        "source": source.name,
        "fingerprint": source.fingerprint,
        "n_rows": len(data),
        "n_unlabelled": int(np.sum(data.outcome < 0)),
        **({} if data.document is None else {"n_documents": len(data.leading)}),
        "weighted": decision.data.weight is not None,
        "clustered": decision.data.cluster is not None or data.document is not None,
        "notes": list(source.notes),
        "dropped": [dict(d) for d in dropped],
        "unknown_where": unknown_where(data),
        "split": dict(how),
        **({"corpus": dict(corpus)} if corpus else {}),
    }


def unknown_where(data: Dataset) -> dict[str, Any] | None:
    """Return the recorded action under which outcomes are missing, when they are not elsewhere.

    This is how selective labels look: refused applicants have no repayment to record.
    """
    decision = data.decision
    rule = decision.current_rule
    if rule is None or rule.column is None or decision.past is not None:
        return None
    taken = rule_actions(decision, TableColumns(data.table), data.table)
    if taken is None:
        return None
    size = len(decision.actions)
    n = np.bincount(taken, minlength=size)
    return hidden_under(decision, n, np.bincount(taken[data.outcome < 0], minlength=size))


def hidden_under(
    decision: Decision, n: NDArray[np.int64], unknown: NDArray[np.int64]
) -> dict[str, Any] | None:
    """Return the recorded action under which outcomes are missing, from counts.

    Parameters
    ----------
    n, unknown
        int64 (n_actions,), rows with each recorded action, and those of them without an outcome.
    """
    rule = decision.current_rule
    if rule is None or rule.column is None or decision.past is not None:
        return None
    others, elsewhere = n.sum() - n, unknown.sum() - unknown
    for code in np.flatnonzero(n >= _FEWEST_HIDDEN):
        if (
            others[code]
            and unknown[code] >= _HIDDEN * n[code]
            and elsewhere[code] <= (1 - _HIDDEN) * others[code]
        ):
            return {
                "column": rule.column,
                "action": decision.action_names[int(code)],
                "n": int(n[code]),
                "unknown": int(unknown[code]),
            }
    return None
