"""payoff: from a model's scores to the decision it should drive, and what that decision is worth.

Names resolve when they are first used, so importing this package loads the standard library only.

>>> import payoff
>>> payoff.Outcome(name="yes", values=(1,)).label
'yes'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from payoff.bundle import Bundle, RecommendBundle
    from payoff.declare import (
        Action,
        Capacity,
        CurrentRule,
        Data,
        Decision,
        Outcome,
        PayoffTable,
        Subgroup,
    )
    from payoff.declare.file import load as load_decision
    from payoff.errors import PayoffError
    from payoff.evidence.evidence import Evidence
    from payoff.load.text.names import register_names
    from payoff.model.recommend.plugged import register_recommender
    from payoff.model.text.plugged import register_embedding, register_vectoriser
    from payoff.workflow import check, compare, judge_predictions, run, update

__all__ = [
    "Action",
    "Bundle",
    "Capacity",
    "CurrentRule",
    "Data",
    "Decision",
    "Evidence",
    "Outcome",
    "PayoffError",
    "PayoffTable",
    "RecommendBundle",
    "Subgroup",
    "check",
    "compare",
    "judge_predictions",
    "load_decision",
    "register_embedding",
    "register_names",
    "register_recommender",
    "register_vectoriser",
    "run",
    "update",
]

_HOME = {
    "Bundle": "payoff.bundle:Bundle",
    "Evidence": "payoff.evidence.evidence:Evidence",
    "PayoffError": "payoff.errors:PayoffError",
    "RecommendBundle": "payoff.bundle:RecommendBundle",
    "check": "payoff.workflow:check",
    "compare": "payoff.workflow:compare",
    "judge_predictions": "payoff.workflow:judge_predictions",
    "load_decision": "payoff.declare.file:load",
    "register_recommender": "payoff.model.recommend.plugged:register_recommender",
    "register_embedding": "payoff.model.text.plugged:register_embedding",
    "register_names": "payoff.load.text.names:register_names",
    "register_vectoriser": "payoff.model.text.plugged:register_vectoriser",
    "run": "payoff.workflow:run",
    "update": "payoff.workflow:update",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'payoff' has no attribute {name!r}")
    module, _, attribute = _HOME.get(name, f"payoff.declare:{name}").partition(":")
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
