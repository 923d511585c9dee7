"""Declaration and interactions, read and checked together, for decisions that recommend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from payoff.checks import Check
from payoff.declare import Decision
from payoff.declare.checks import check_list
from payoff.declare.file import load
from payoff.load.interactions import checks as interaction_checks
from payoff.load.interactions.events import Interactions
from payoff.load.interactions.read import read_interactions
from payoff.load.interactions.sheet import sheet_of
from payoff.load.interactions.split import InteractionParts, split_interactions

__all__ = ["CheckedInteractions", "check_interactions"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckedInteractions:
    """A declaration with its interactions, their parts, checks and data sheet."""

    decision: Decision
    data: Interactions
    parts: InteractionParts
    checks: tuple[Check, ...]
    sheet: Mapping[str, Any]


def check_interactions(decision: str | Path | Decision, data: Any = None) -> CheckedInteractions:
    """Check a declaration of kind ``"recommend"`` and its interactions; nothing is fitted.

    Raises
    ------
    PayoffError
        Whatever stops the path: ``PAY-D0xx``, ``PAY-L0xx``.
    """
    folder = Path()
    if not isinstance(decision, Decision):
        folder = Path(decision).parent
        decision = load(decision)
    rows = read_interactions(decision, folder=folder, data=data)
    parts = split_interactions(rows)
    sheet = sheet_of(rows, parts)
    return CheckedInteractions(
        decision=decision,
        data=rows,
        parts=parts,
        checks=(*check_list(decision), *interaction_checks.check(rows, parts, sheet)),
        sheet=sheet,
    )
