"""Figures of the evidence as frames in the caller's own library."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from payoff.errors import EvidenceError

if TYPE_CHECKING:
    from payoff.evidence.evidence import Estimate, Evidence

__all__ = ["FRAMES", "LIBRARIES", "frame", "rows_of"]

#: name -> what one row is.
FRAMES: Final[Mapping[str, str]] = {
    "policies": "one policy",
    "comparisons": "the recommended policy less another one, on the same rows",
    "groups": "one group of one subgroup under the recommended policy",
    "confusion": "one action under one outcome, of one policy",
    "curve": "one threshold",
}
LIBRARIES: Final = ("pandas", "polars", "pyarrow")
_WHOLE: Final = ("n", "n_clusters")
_TEXTS: Final = (
    *("policy", "label", "against", "subgroup", "group", "state", "action", "outcome"),
    *("method", "reason"),
)


def _estimate(found: Estimate | None, name: str) -> dict[str, Any]:
    """Return one estimate as columns: the figure, its ends and its unit."""
    return {
        name: None if found is None else found.value,
        f"{name}_low": None if found is None else found.low,
        f"{name}_high": None if found is None else found.high,
        f"{name}_unit": None if found is None else found.unit,
    }


def _said(found: Estimate | None) -> dict[str, Any]:
    return {
        "level": None if found is None else found.level,
        "method": None if found is None else found.method,
        "reason": None if found is None else found.reason,
    }


def _policies(evidence: Evidence) -> list[dict[str, Any]]:
    return [
        {
            "policy": p.name,
            "label": p.label,
            "baseline": p.baseline,
            "feasible": p.feasible,
            "n": p.value.n,
            "n_clusters": p.value.n_clusters,
            **_estimate(p.value, "value"),
            **_estimate(p.total, "total"),
            **_said(p.value),
        }
        for p in evidence.policies
    ]


def _comparisons(evidence: Evidence) -> list[dict[str, Any]]:
    return [
        {
            "policy": c.policy,
            "against": c.against,
            "differ": c.differ,
            "n": c.value.n,
            "n_clusters": c.value.n_clusters,
            **_estimate(c.value, "value"),
            **_estimate(c.total, "total"),
            **_said(c.value),
        }
        for c in evidence.comparisons
    ]


def _groups(evidence: Evidence) -> list[dict[str, Any]]:
    return [
        {
            "subgroup": s.name,
            "group": g.label,
            "state": g.state,
            "n": g.n,
            "share": g.share,
            "acted": g.acted,
            **_estimate(g.rate, "rate"),
            **_estimate(g.value, "value"),
            **_estimate(g.gain, "gain"),
            **_estimate(g.total_gain, "total_gain"),
            "reason": g.reason,
        }
        for s in evidence.subgroups
        for g in s.groups
    ]


def _confusion(evidence: Evidence) -> list[dict[str, Any]]:
    return [
        {
            "policy": p.name,
            "action": c.action,
            "outcome": c.outcome,
            "n": c.n,
            "share": c.share,
            "per_period": c.per_period,
            "per_period_low": c.low,
            "per_period_high": c.high,
            "per_period_unit": str(evidence.decision.get("units") or "units"),
            "money_each": c.money_per_unit,
            "money_per_period": c.money_per_period,
            "regret_per_period": c.regret_per_period,
            "money_unit": p.total.unit,
        }
        for p in evidence.policies
        for c in p.cells
    ]


def _curve(evidence: Evidence) -> list[dict[str, Any]]:
    curve = evidence.curve
    if "not_measured" in curve:
        raise EvidenceError.no_frame("curve", f"not measured: {curve['not_measured']}", FRAMES)
    columns = ("threshold", "value", "low", "high", "acted_share")
    return [
        {
            "threshold": threshold,
            "n": curve["n"],
            "value": value,
            "value_low": low,
            "value_high": high,
            "value_unit": curve["unit"],
            "acted_share": share,
        }
        for threshold, value, low, high, share in zip(*(curve[c] for c in columns), strict=True)
    ]


_ROWS: Final = {
    "policies": _policies,
    "comparisons": _comparisons,
    "groups": _groups,
    "confusion": _confusion,
    "curve": _curve,
}


def rows_of(evidence: Evidence, name: str) -> list[dict[str, Any]]:
    """Return the rows of a frame as plain dicts.

    Raises
    ------
    EvidenceError
        ``PAY-E011`` for a name that is no frame, or one that was not measured.
    """
    if name not in _ROWS:
        raise EvidenceError.no_frame(name, "there is no such frame", FRAMES)
    return _ROWS[name](evidence)


def frame(evidence: Evidence, name: str, library: str) -> Any:
    """Return figures as a pandas, Polars or PyArrow table; see :meth:`Evidence.frame`."""
    if library not in LIBRARIES:
        raise EvidenceError.no_frame(library, "a library payoff cannot hand over to", LIBRARIES)
    if importlib.util.find_spec(library) is None:
        raise EvidenceError.no_frame(library, "it is not installed", LIBRARIES)
    import narwhals as nw

    rows = rows_of(evidence, name)
    names = list(rows[0]) if rows else ["subgroup", "group"]
    schema = {c: _type(c, rows) for c in names}
    columns = {c: [None if r[c] is None else _cast(r[c]) for r in rows] for c in names}
    backend: Any = library
    return nw.from_dict(columns, schema=schema, backend=backend).to_native()


def _cast(value: Any) -> Any:
    return value if isinstance(value, bool | int | str) else float(value)


def _type(name: str, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return the column's type: the same whatever values the rows happen to hold."""
    import narwhals as nw

    if name in _WHOLE:
        return nw.Int64()
    if name in ("baseline", "feasible"):
        return nw.Boolean()
    return nw.String() if name in _TEXTS or name.endswith("_unit") else nw.Float64()
