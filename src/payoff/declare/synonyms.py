"""What a key that payoff does not know was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["meant"]

#: Table of the decision file -> what others call a key -> the key here. A dot leads elsewhere.
_WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "": {
            "action": "actions",
            "alternatives": "actions",
            "choices": "actions",
            "classes": "outcomes",
            "columns": "data",
            "constraint": "constraints",
            "costs": "payoffs",
            "group": "subgroups",
            "groups": "subgroups",
            "history": "past",
            "labels": "outcomes",
            "limit": "limits",
            "model": "training",
            "money": "payoffs",
            "outcome": "outcomes",
            "payoff": "payoffs",
            "rule": "current_rule",
            "segments": "subgroups",
            "source": "data.source",
            "target": "data.outcome",
            "version": "schema_version",
        },
        "decision": {
            "baseline": "do_nothing",
            "count": "volume",
            "customers": "volume",
            "default": "do_nothing",
            "description": "title",
            "fixed_cost": "model_cost",
            "id": "name",
            "n": "volume",
            "noop": "do_nothing",
            "per": "period",
            "question": "title",
            "responsible": "owner",
            "size": "volume",
            "target": "data.outcome",
            "type": "kind",
        },
        "data": {
            "by": "cluster",
            "columns": "features",
            "date": "time",
            "db": "database",
            "documents": "text",
            "drop": "exclude",
            "feature": "features",
            "file": "source",
            "files": "source",
            "group": "cluster",
            "groups": "cluster",
            "household": "cluster",
            "id": "unit_id",
            "ignore": "exclude",
            "index": "unit_id",
            "key": "unit_id",
            "label": "outcome",
            "leakage": "exclude",
            "path": "source",
            "primary_key": "unit_id",
            "sample_weight": "weight",
            "split": "part",
            "sql": "query",
            "table": "query",
            "target": "outcome",
            "timestamp": "time",
            "unit": "unit_id",
            "url": "database",
            "y": "outcome",
        },
        "outcomes": {"is": "value", "description": "label", "name": "label"},
        "actions": {
            "cost": "fixed_cost",
            "description": "label",
            "limit": "capacity",
            "max": "capacity",
            "max_share": "capacity_share",
            "name": "label",
            "share": "capacity_share",
        },
        "payoffs": {
            "amount": "money",
            "cost": "money",
            "from": "low",
            "max": "high",
            "min": "low",
            "reason": "source",
            "to": "high",
            "value": "money",
        },
        "subgroups": {"bins": "bands", "by": "column", "cuts": "bands", "field": "column"},
        "limits": {"capacity": "per_period", "max": "per_period", "unit": "resource"},
        "constraints": {"max": "share", "min": "share", "type": "kind", "value": "share"},
        "current_rule": {"default": "otherwise", "else": "otherwise", "rules": "cases"},
        "past": {
            "probability": "propensity",
            "random": "randomised",
            "treatment": "action",
        },
        "predictions": {"probabilities": "probability", "scores": "score"},
        "split": {
            "by": "method",
            "kind": "method",
            "test": "judge",
            "train": "fit",
            "type": "method",
            "validation": "choose",
        },
        "training": {"cv": "folds", "models": "candidates", "random_state": "seed"},
        "evidence": {
            "alpha": "level",
            "confidence": "level",
            "min_group": "smallest_group",
            "minimum_group": "smallest_group",
        },
    }
)


def meant(key: str, known: Iterable[str], tables: Mapping[str, Iterable[str]]) -> str:
    """Return the key that was probably meant, with its table where it stands elsewhere; or "".

    Parameters
    ----------
    key
        Dotted, as it stands in the file.
    known
        Keys of the table it stands in.
    tables
        Table -> its keys, of the tables with fixed keys.

    Examples
    --------
    >>> tables = {"data": ["unit_id", "outcome"], "decision": ["name"]}
    >>> meant("data.id", ["unit_id", "outcome"], tables)
    'unit_id'
    >>> meant("decision.outcome", ["name"], tables), meant("decision.xyz", ["name"], tables)
    ('data.outcome', '')
    """
    path, _, name = key.rpartition(".")
    table = path.partition(".")[0].partition("[")[0]
    name = name.casefold()
    word = _WORDS.get(table, {}).get(name, "")
    if word in known or "." in word:
        return word
    if path and path != table:
        return ""
    return next((f"{t}.{name}" for t, keys in tables.items() if name in keys and t != table), "")
