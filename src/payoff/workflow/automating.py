"""What training does for ``[automation]`` and for strangers: rows set aside, thresholds, order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from payoff.declare import Decision
from payoff.load.dataset import Dataset
from payoff.model.text.familiar import threshold_for
from payoff.policy.automate import automation_policy
from payoff.policy.policy import Policy
from payoff.policy.stakes import Choosing
from payoff.rng import generator

__all__ = ["halves", "stranger_threshold", "with_automation"]


def halves(choose: Dataset) -> tuple[Dataset, Dataset | None]:
    """Cut the choosing rows in two where ``[automation]`` is declared; else None is the second.

    The first half chooses calibration, prices and all policies; the second does nothing but prove
    the error rate of the threshold, so that the proof holds whatever the first half chose. What
    belongs together stays together.
    """
    if choose.decision.automation is None:
        return choose, None
    rng = generator(choose.decision.training.seed, "rows that prove the error rate")
    size = int(choose.cluster.max()) + 1 if len(choose) else 0
    second = np.zeros(size, dtype=bool)
    second[rng.permutation(size)[: size // 2]] = True
    proving = second[choose.cluster]
    return choose.take(~proving, "choose"), choose.take(proving, "choose")


def stranger_threshold(decision: Decision, chosen: Choosing) -> float | None:
    """Return the familiarity below which the declared share of documents that belong falls.

    None where the model does not know how familiar a row is, or nobody asks.
    """
    share = decision.text.unfamiliar
    if chosen.familiar is None or share <= 0 or not np.any(chosen.weight > 0):
        return None
    return threshold_for(chosen.familiar, chosen.weight, share)


def with_automation(
    decision: Decision, found: Sequence[Policy], chosen: Choosing, testing: Choosing
) -> tuple[list[Policy], dict[str, Any]]:
    """Add the policy of ``[automation]`` and the record of how its threshold was found.

    It is recommended, that is, put first, unless the rest exceeds what limits leave to
    ``otherwise``; then it stands beside the others.
    """
    base = next(p for p in found if p.name == "expected")
    policy, record = automation_policy(decision, base, chosen, testing)
    if record["fits"]:
        return [policy, *found], record
    how = f"{policy.how} Exceeds the limits of what it leaves to others; shown for comparison only."
    return [*found, replace(policy, how=how)], record
