"""Checks of a declaration before any row is read: ``PAY-D101`` to ``PAY-D114``."""

from __future__ import annotations

import re
from typing import Final

from payoff.checks import Check, numbered
from payoff.declare.decision import Decision
from payoff.declare.expression import columns_of, constant_of, degree_in
from payoff.declare.limit_checks import (
    constraint_check,
    fixed_cost_check,
    limit_check,
    review_check,
)
from payoff.errors import listed

__all__ = ["check", "check_list"]

_CURRENCIES: Final = re.compile(
    r"(?<![A-Za-z])(EUR|USD|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|BRL|ZAR|TWD|KRW|MXN|TRY)"
    r"(?![A-Za-z])",
    re.IGNORECASE,
)
_SCALES: Final = re.compile(r"(?<![A-Za-z])(cents?|pence|thousands?|millions?)(?![A-Za-z])", re.I)


def check(decision: Decision) -> tuple[Check, ...]:
    """Return one result per numbered check of the declaration.

    Examples
    --------
    >>> from payoff.declare import Action, Decision, Outcome, PayoffTable
    >>> decision = Decision(
    ...     name="calls",
    ...     currency="EUR",
    ...     outcomes=(Outcome(name="yes", values=(1,)), Outcome(name="no", values=(0,))),
    ...     actions=(Action(name="call"), Action(name="leave")),
    ...     payoffs=PayoffTable.of({"call": {"yes": -1, "no": -1}, "leave": {"yes": 0, "no": 0}}),
    ... )
    >>> next(c.status for c in check(decision) if c.code == "PAY-D101")
    'issue'
    """
    return (
        _dominated(decision),
        _volume(decision),
        _do_nothing(decision),
        _unreachable(decision),
        _units(decision),
        _current_rule(decision),
        _people(decision),
        _sources(decision),
        _time(decision),
        _known_later(decision),
        review_check(decision),
        limit_check(decision),
        constraint_check(decision),
        fixed_cost_check(decision),
    )


def check_list(decision: Decision) -> tuple[Check, ...]:
    """Return the numbered checks that make sense of a list shown to a user."""
    return (_volume(decision), _units(decision), _people(decision), _sources(decision))


def _constants(decision: Decision) -> dict[str, list[float | None]]:
    return {
        a: [constant_of(decision.payoffs.cell(a, o).node) for o in decision.outcome_names]
        for a in decision.action_names
    }


def _same_or_constant(decision: Decision, better: str, worse: str) -> bool | None:
    """Whether ``better`` pays at least as much under every outcome, and more under one.

    None when a cell depends on columns in a way that cannot be compared here.
    """
    more = False
    for outcome in decision.outcome_names:
        left, right = decision.payoffs.cell(better, outcome), decision.payoffs.cell(worse, outcome)
        if left.node == right.node:
            continue
        a, b = constant_of(left.node), constant_of(right.node)
        if a is None or b is None:
            return None
        if a < b:
            return False
        more = more or a > b
    return more


def _dominated(decision: Decision) -> Check:
    result = numbered("PAY-D101", "Dominated action")
    found: list[str] = []
    unknown = False
    for worse in decision.action_names:
        for better in decision.action_names:
            if better == worse:
                continue
            verdict = _same_or_constant(decision, better, worse)
            unknown = unknown or verdict is None
            if verdict:
                found.append(f"{worse!r} never pays more than {better!r}")
                break
    if found:
        return result(
            status="issue",
            detail="; ".join(found) + ". It will never be chosen by expected money.",
            mend="Check the signs of its money (a gain is positive), or remove the action",
        )
    if unknown:
        return result(
            status="passed",
            detail="No action is dominated by constants; cells that depend on columns are compared "
            "row by row when the policy is judged.",
        )
    return result(status="passed", detail="Every action is best under some outcome, or ties.")


def _volume(decision: Decision) -> Check:
    result = numbered("PAY-D102", "Volume per period")
    if decision.volume is None:
        return result(
            status="tip",
            detail=f"No volume is declared, so money is reported {decision.money_unit}.",
            mend=f"Add 'volume' to [decision]: how many units come up per {decision.period}",
        )
    return result(status="passed", detail=f"{decision.volume:,.0f} units per {decision.period}.")


def _do_nothing(decision: Decision) -> Check:
    result = numbered("PAY-D103", "Do-nothing baseline")
    if decision.do_nothing is not None:
        return result(status="passed", detail=f"{decision.do_nothing!r} leaves things as they are.")
    zero = [a for a, row in _constants(decision).items() if all(v == 0 for v in row)]
    near = f"; {zero[0]!r} costs and earns nothing, so it may be the one" if zero else ""
    return result(
        status="issue",
        detail=f"No action is declared as leaving things as they are{near}. Without it the report "
        "cannot say what the decision is worth against doing nothing.",
        mend="Add 'do_nothing' to [decision]",
    )


def _unreachable(decision: Decision) -> Check:
    result = numbered("PAY-D104", "Cells nobody can reach")
    closed = [a.name for a in decision.actions if decision.capacity_share(a) == 0]
    rule = decision.current_rule
    if closed:
        return result(
            status="issue",
            detail=f"Capacity 0 closes {listed(closed)}: no unit can reach its cells.",
            mend="Raise the capacity, or remove the action",
        )
    used: set[str | None] = set()
    if rule and rule.cases:
        used = {rule.otherwise, *(case.then for case in rule.cases)}
    unused = [a for a in decision.action_names if used and a not in used]
    if unused:
        return result(
            status="tip",
            detail=f"Today's rule never takes {listed(unused)}; a policy may.",
        )
    return result(status="passed", detail="Every cell can be reached.")


def _units(decision: Decision) -> Check:
    result = numbered("PAY-D105", "Mixed units")
    currencies: dict[str, str] = {}
    scales: dict[str, str] = {}
    sizes: list[float] = []
    for cell in decision.payoffs.cells.values():
        for name in columns_of(cell.node):
            spaced = re.sub(r"[_.\W]+", " ", name)
            currencies |= {m.upper(): name for m in _CURRENCIES.findall(spaced)}
            scales |= {m.lower(): name for m in _SCALES.findall(spaced)}
        value = constant_of(cell.node)
        if value:
            sizes.append(abs(value))
    foreign = {c: n for c, n in currencies.items() if c != decision.currency.upper()}
    if foreign:
        return result(
            status="issue",
            detail=f"Money is declared in {decision.currency}, but column(s) "
            f"{listed(foreign.values())} speak of {', '.join(foreign)}.",
            mend="Convert in the expression (amount_usd * 0.92) or change 'currency'",
        )
    if scales:
        return result(
            status="issue",
            detail=f"Column(s) {listed(scales.values())} speak of {', '.join(scales)}.",
            mend=f"Convert to {decision.currency} in the expression, such as amount_cents / 100",
        )
    if sizes and max(sizes) / min(sizes) >= 1e6:
        return result(
            status="issue",
            detail=f"Constants run from {min(sizes):g} to {max(sizes):g}, over a million to one.",
            mend="Check that all are in the same unit",
        )
    return result(status="passed", detail=f"All money is read as {decision.currency}.")


def _current_rule(decision: Decision) -> Check:
    result = numbered("PAY-D106", "Current rule")
    if decision.current_rule is None:
        return result(
            status="tip",
            detail="What is done today is not declared, so the report compares with doing nothing "
            "and with doing the same for all only.",
            mend="Add [current_rule]; a model is worth only what it adds to today's practice",
        )
    return result(status="passed", detail=f"{decision.current_rule.label} is a baseline.")


def _people(decision: Decision) -> Check:
    result = numbered("PAY-D107", "Owner, approver, review date")
    missing = [k for k in ("owner", "approver", "review_by") if not getattr(decision, k)]
    if missing:
        return result(
            status="tip",
            detail=f"Not named yet: {', '.join(missing)}.",
            mend="Add them to [decision]; a brief without them cannot be signed",
        )
    return result(status="passed", detail="All three are named.")


def _sources(decision: Decision) -> Check:
    result = numbered("PAY-D108", "Sources of the payoffs")
    cells = decision.payoffs.cells
    bare = [
        f"{a}/{o}"
        for (a, o), cell in cells.items()
        if not cell.source and constant_of(cell.node) != 0
    ]
    if bare:
        return result(
            status="tip",
            detail=f"{len(bare)} of {len(cells)} cells do not say where their money comes from: "
            f"{listed(bare, 6)}.",
            mend='Write them as { money = ..., source = "Finance, May 2026" }',
        )
    return result(status="passed", detail="Every cell that is not 0 names its source.")


def _time(decision: Decision) -> Check:
    result = numbered("PAY-D109", "Time of the decision")
    if decision.data.time is None:
        return result(
            status="tip",
            detail="No time column is declared, so the policy is judged on rows of the same days "
            "it learnt from; the future may differ.",
            mend="Add 'time' to [data] if the rows have a date",
        )
    return result(status="passed", detail=f"Rows are ordered by {decision.data.time!r}.")


def _known_later(decision: Decision) -> Check:
    result = numbered("PAY-D110", "Money known only later")
    later = decision.data.known_later
    used = [
        (a, o, c)
        for (a, o), cell in decision.payoffs.cells.items()
        for c in columns_of(cell.node)
        if c in later
    ]
    if not used:
        return result(
            status="not_applicable", detail="No cell reads a column that is known only later."
        )
    bent = [f"{a}/{o}" for a, o, c in used if degree_in(decision.payoffs.cell(a, o).node, c) != 1]
    if bent:
        return result(
            status="tip",
            detail=f"Cells {listed(bent)} are not linear in a column known only later, so the "
            "expected money used to choose is an approximation; the money that judges is exact.",
            mend="Compute the whole cell as one column of the data and name that column",
        )
    return result(
        status="passed",
        detail="An amount model predicts what is known only later; the cells are linear in it.",
    )
