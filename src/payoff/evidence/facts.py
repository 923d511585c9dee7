"""Facts of the declaration and of the machine that the evidence repeats."""

from __future__ import annotations

import platform
from typing import Any

from payoff.declare import Constraint, Decision, Limit
from payoff.declare.decision import plural
from payoff.declare.expression import constant_of
from payoff.declare.payoffs import Cell
from payoff.policy.choose import default_action
from payoff.policy.policy import Policy

__all__ = ["certain", "decision_facts", "versions"]


def certain(decision: Decision, policy: Policy) -> str:
    """Say why a constant policy's value is certain: its money is the same whatever happens."""
    if policy.kind != "constant":
        return ""
    cells = {
        constant_of(decision.payoffs.cell(str(policy.high), o).node) for o in decision.outcome_names
    }
    if len(cells) == 1 and None not in cells:
        return "its money is the same constant under every outcome"
    return ""


def decision_facts(decision: Decision) -> dict[str, Any]:
    """Return what the documents repeat of the declaration, ready for JSON."""
    rule = decision.current_rule
    text = None
    if rule is not None and rule.column is not None:
        text = f"as recorded in column {rule.column}"
    elif rule is not None:
        cases = "; ".join(f"{c.then} when {c.when}" for c in rule.cases)
        text = f"{cases}; otherwise {rule.otherwise}" if cases else f"{rule.otherwise} for all"
    return {
        "name": decision.name,
        "title": decision.title,
        "kind": decision.kind,
        "unit": decision.unit,
        "units": plural(decision.unit),
        "currency": decision.currency,
        "period": decision.period,
        "volume": decision.volume,
        "money_unit": decision.money_unit,
        "units_reported": decision.units_reported,
        "do_nothing": decision.do_nothing,
        "default": decision.action_names[default_action(decision)],
        "positive": decision.positive,
        "owner": decision.owner,
        "approver": decision.approver,
        "review_by": decision.review_by,
        "level": decision.evidence.level,
        "smallest_group": decision.evidence.smallest_group,
        "smallest_denominator": decision.evidence.smallest_denominator,
        "actions": [
            {
                "name": a.name,
                "label": a.label,
                "capacity_per_period": a.capacity.per_period if a.capacity else None,
                "capacity_share": decision.capacity_share(a),
                "fixed_cost": a.fixed_cost,
                "review": a.review is not None,
            }
            for a in decision.actions
        ],
        "model_cost": decision.model_cost,
        "automation": _automation(decision),
        "limits": [_fields(x) | {"actions": dict(x.actions)} for x in decision.limits],
        "constraints": [_fields(x) | {"actions": list(x.actions)} for x in decision.constraints],
        "outcomes": [{"name": o.name, "label": o.label} for o in decision.outcomes],
        "payoffs": [
            {
                "action": a,
                "outcome": o,
                "money": decision.payoffs.cell(a, o).money,
                "source": decision.payoffs.cell(a, o).source,
                "low": decision.payoffs.cell(a, o).low,
                "high": decision.payoffs.cell(a, o).high,
                "distribution": _distribution(decision.payoffs.cell(a, o)),
            }
            for a in decision.action_names
            for o in decision.outcome_names
        ],
        "excluded": [{"column": c, "reason": r} for c, r in decision.data.exclude.items()],
        "known_later": [{"column": c, "reason": r} for c, r in decision.data.known_later.items()],
        "current_rule": {"label": rule.label, "text": text} if rule else None,
    }


def _automation(decision: Decision) -> dict[str, Any] | None:
    """Return the declared error rate, its confidence and the action for the rest; or None."""
    asked = decision.automation
    if asked is None:
        return None
    return {name: getattr(asked, name) for name in asked.__dataclass_fields__}


def _distribution(cell: Cell) -> str | None:
    """Return how a payoff lies within its range; None where no range is declared."""
    return None if cell.low is None else cell.distribution


def _fields(one: Limit | Constraint) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def versions() -> dict[str, str]:
    """Return the versions of Python, payoff and what its figures depend on."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for package in ("payoff", "numpy", "scipy", "scikit-learn", "lightgbm", "pyarrow", "duckdb"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
