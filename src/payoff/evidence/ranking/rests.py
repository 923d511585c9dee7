"""What the intervals of the two headline figures of lists rest on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.clusters import cluster_sums
from payoff.evidence.diagnosis import diagnose
from payoff.evidence.evidence import Estimate
from payoff.evidence.ranking.judged import ListsJudged
from payoff.evidence.sureness import intervals_told

__all__ = ["list_intervals"]


def list_intervals(judged: ListsJudged) -> dict[str, Any]:
    """Diagnose the money of the recommended lists, and their gain over the best without a model.

    Returns
    -------
    dict
        As :func:`payoff.evidence.sureness.intervals`. Each user is one independent case, so the
        design effect is 1.
    """
    own = judged.shown[0].money
    figures = [_figure(judged, "value", None, own, judged.policies[0].total)]
    best = str(judged.verdict["best_trivial"])
    against = next((c for c in judged.comparisons if c.against == best), None)
    if against is not None:
        gain = own - judged.money(best)
        figures.append(_figure(judged, "gain", best, gain, against.total))
    return intervals_told(judged, figures, clustered=False)


def _figure(
    judged: ListsJudged,
    name: str,
    against: str | None,
    values: NDArray[np.float64],
    total: Estimate,
) -> dict[str, Any]:
    sums = cluster_sums(values, np.ones(judged.n), None)
    identical = total.reason if total.method == "exact" else ""
    found = diagnose(sums, constant=judged.constant, identical=identical)
    varies = bool(np.ptp(values) > 0)
    return {
        "name": name,
        "against": against,
        "total": asdict(total),
        "diagnosis": asdict(found),
        "design_effect": 1.0 if varies else None,
        "effective_rows": float(judged.n) if varies else None,
    }
