"""Pieces of SQL that say what payoff computes, for DuckDB and Postgres alike.

Every identifier is quoted and every text is escaped: a name is data, whatever it contains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from payoff.declare import Decision
from payoff.declare.expression import Number, constant_of, to_sql
from payoff.declare.payoffs import value_key
from payoff.errors import plain
from payoff.policy.choose import default_action

__all__ = [
    "action_of",
    "argmax",
    "comment",
    "expected",
    "literal",
    "money",
    "number",
    "outcome_of",
    "probabilities",
    "quoted",
    "rule_of",
]


def quoted(name: str) -> str:
    """Quote an identifier.

    Examples
    --------
    >>> quoted('a"; drop table b; --')
    '"a""; drop table b; --"'
    """
    return '"' + name.replace("\0", "").replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text.

    Examples
    --------
    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("\0", "").replace("'", "''") + "'"


def number(value: float) -> str:
    """Write a number that every database reads as the same double.

    Examples
    --------
    >>> number(0.1), number(-3)
    ('0.1e0', '(-3e0)')
    """
    return to_sql(Number(float(value)))


def comment(text: str) -> str:
    """Write a line of comment; a name cannot end it.

    Examples
    --------
    >>> comment("one")
    '-- one'
    """
    return f"-- {plain(text)}"


def money(decision: Decision, action: str, outcome: str) -> str:
    """Return one cell of the payoff table."""
    return to_sql(decision.payoffs.cell(action, outcome).node)


def outcome_of(decision: Decision, *, column: str | None = None) -> str:
    """Return the outcome's name from the outcome column, whatever type holds it.

    A whole number may come as ``1`` or as ``1.0``; both are spelt out.
    """
    text = f"trim(cast({column or quoted(decision.data.outcome)} as varchar))"
    cases = []
    for outcome in decision.outcomes:
        keys = [value_key(v) for v in outcome.values]
        spelt = [*keys, *(f"{k}.0" for k in keys if k.lstrip("-").isdigit())]
        listed = ", ".join(literal(k) for k in dict.fromkeys(spelt))
        cases.append(f"when {text} in ({listed}) then {literal(outcome.name)}")
    return f"case {' '.join(cases)} end"


def probabilities(decision: Decision, columns: Mapping[str, str]) -> list[str]:
    """Return the probability of each outcome: one left out is the rest to 1; clipped, summing to 1.

    Parameters
    ----------
    columns
        Outcome -> column.
    """
    names = decision.outcome_names
    raw = {o: f"cast({quoted(c)} as double precision)" for o, c in columns.items()}
    missing = [o for o in names if o not in raw]
    if missing:
        given = " + ".join(raw[o] for o in names if o in raw)
        raw[missing[0]] = f"(1e0 - ({given}))"
    clipped = [f"least(greatest({raw[o]}, 0e0), 1e0)" for o in names]
    if len(names) == 2 and missing:
        return clipped  # they sum to 1 exactly
    total = " + ".join(clipped)
    return [f"({c} / ({total}))" for c in clipped]


def expected(decision: Decision, prob: Sequence[str]) -> list[str]:
    """Return the expected money of each action, ``sum over o of p(o) * money(action, o)``."""
    found = []
    for action in decision.action_names:
        parts = []
        for p, outcome in zip(prob, decision.outcome_names, strict=True):
            if constant_of(decision.payoffs.cell(action, outcome).node) != 0:
                parts.append(f"{p} * {money(decision, action, outcome)}")
        found.append(f"({' + '.join(parts)})" if parts else "0e0")
    return found


def argmax(decision: Decision, values: Sequence[str], names: Sequence[str]) -> str:
    """Return which action has the largest value; ties go to doing nothing, then by declaration.

    Parameters
    ----------
    values
        SQL of each action's value.
    names
        What to return for each action, as SQL.
    """
    first = default_action(decision)
    order = [first, *(k for k in range(len(values)) if k != first)]
    cases = []
    for k in order[:-1]:
        others = [values[j] for j in range(len(values)) if j != k]
        most = others[0] if len(others) == 1 else f"greatest({', '.join(others)})"
        cases.append(f"when {values[k]} >= {most} then {names[k]}")
    return f"case {' '.join(cases)} else {names[order[-1]]} end"


def rule_of(decision: Decision, names: Sequence[str]) -> str | None:
    """Return the action of today's rule; None where none is declared."""
    rule = decision.current_rule
    if rule is None:
        return None
    if rule.column is not None:
        return action_of(decision, rule.column, names)
    place = dict(zip(decision.action_names, names, strict=True))
    cases = " ".join(f"when {to_sql(c.node)} then {place[c.then]}" for c in rule.cases)
    last = place[str(rule.otherwise)]
    return f"case {cases} else {last} end" if cases else last


def action_of(decision: Decision, column: str, names: Sequence[str]) -> str:
    """Return the action that a column of names records."""
    cases = " ".join(
        f"when {quoted(column)} = {literal(action)} then {name}"
        for action, name in zip(decision.action_names, names, strict=True)
    )
    return f"case {cases} end"
