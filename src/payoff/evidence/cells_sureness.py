"""What the headline intervals rest on, from cells: exact for constant money, else from powers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from payoff.declare.expression import constant_of
from payoff.evidence.cells import CellSet, Money, carried
from payoff.evidence.cells_judged import CellJudged
from payoff.evidence.diagnosis import Diagnosis, method_of
from payoff.evidence.evidence import Estimate
from payoff.evidence.sureness import intervals_told

__all__ = ["intervals_of_cells"]


def intervals_of_cells(judged: CellJudged) -> dict[str, Any]:
    """Diagnose the policy's value and its gain, as :func:`payoff.evidence.sureness.intervals`.

    Where money varies within cells, the number of paying cases is a lower bound
    (``differing_at_least``), and what only the largest rows show is None.
    """
    own = judged.policies[0]
    figures = [_figure(judged, "value", None, judged.money(own.name), own.total)]
    best = str(judged.verdict["best_trivial"])
    against = next((c for c in judged.comparisons if c.against == best), None)
    if against is not None:
        gain = judged.money(own.name) - judged.money(best)
        figures.append(_figure(judged, "gain", best, gain, against.total))
    return intervals_told(judged, figures, clustered=False)


def _figure(
    judged: CellJudged, name: str, against: str | None, money: Money, total: Estimate
) -> dict[str, Any]:
    cells = judged.cells.base
    weight = float(cells.w1.sum())
    mean = float(money.sums(cells).sum()) / weight
    constant = all(constant_of(c.node) is not None for c in judged.decision.payoffs.cells.values())
    facts = carried(cells, money, mean, constant=constant)
    fixed = not np.any(money.factor)
    counted = fixed and not judged.weighted
    if counted:
        facts |= _of_values(cells, money, mean)
    method, because = method_of(facts)
    if total.method in ("none", "exact") or method != total.method:
        method, because = total.method, total.reason or because
    found = Diagnosis(
        rows=judged.n,
        independent=judged.n,
        independent_effective=facts["equal"],
        differing=round(facts["differing"]),
        paying=facts["paying"],
        needed=round(facts["needed"]),
        skewness=facts["skewness"],
        balance=facts.get("balance"),
        largest=facts.get("largest"),
        largest_percent=facts.get("largest_percent"),
        largest_of_variance=facts.get("largest_of_variance"),
        method=method,
        because=because,
    )
    effect = _design_effect(cells, money, mean, weighted=judged.weighted)
    return {
        "name": name,
        "against": against,
        "total": asdict(total),
        "diagnosis": asdict(found),
        "differing_at_least": not counted,
        "design_effect": effect,
        "effective_rows": judged.n / effect if effect else None,
    }


def _of_values(cells: CellSet, money: Money, mean: float) -> dict[str, float]:
    """Return what single rows show, from how often each value of constant money occurs."""
    value, place = np.unique(money.constant, return_inverse=True)
    count = np.bincount(place, weights=cells.n)
    n = float(count.sum())
    order = np.argsort(-np.abs(value), kind="stable")
    moved = np.abs(value)[order] * count[order]
    top = max(1.0, float(int(n) // 100))
    before = np.concatenate([[0.0], np.cumsum(count[order])[:-1]])
    among = np.clip(top - before, 0.0, count[order])
    total = float(moved.sum())
    residual = value - mean
    cubes = count * residual**3
    up, down = float(cubes[cubes > 0].sum()), -float(cubes[cubes < 0].sum())
    spread = float(count @ residual**2)
    return {
        "differing": n - float(count.max()),
        "balance": min(up, down) / max(up, down) if max(up, down) > 0 else 0.0,
        "largest": float(np.abs(value).max()) / total if total > 0 else 0.0,
        "largest_percent": float(among @ np.abs(value)[order]) / total if total > 0 else 0.0,
        "largest_of_variance": float((residual**2).max()) / spread if spread > 0 else 0.0,
    }


def _design_effect(cells: CellSet, money: Money, mean: float, *, weighted: bool) -> float | None:
    """Return the design effect; None where rows do not vary or its sums are not in the cells."""
    n, total = float(cells.n.sum()), float(cells.w1.sum())
    residual = money.less(mean)
    squares = float(residual.squares(cells).sum())
    if squares <= 1e-24 * max(float(money.squares(cells).sum()), 1e-300):
        return None
    if not weighted:
        return 1.0
    if np.any(money.factor):
        return None  # needs the squares of the money under the first power of the weight
    variance = float(cells.w1 @ residual.constant**2) / total
    return squares / total**2 * n / variance
