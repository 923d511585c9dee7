"""What an answer says beside the action: whether it was automatic, why not, and how familiar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.errors import percent
from payoff.policy.automation import chance_right
from payoff.policy.bounds import Group
from payoff.policy.policy import Policy

__all__ = ["remarks", "rightness"]


def rightness(
    policy: Policy,
    cells: Mapping[tuple[int, int], float | NDArray[np.float64]],
    prob: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    """Return the probability that each action is right where the policy asks for it, else None."""
    if policy.kind != "automation":
        return None
    places = [policy.actions.index(a) for a in policy.automatic]
    return chance_right(cells, prob, len(policy.actions), places)


def remarks(
    policy: Policy,
    expected: NDArray[np.float64],
    groups: Mapping[str, Group] | None,
    right: NDArray[np.float64] | None,
    familiar: NDArray[np.float64] | None,
) -> list[dict[str, Any]]:
    """Return what to say of each unit.

    Parameters
    ----------
    expected
        float64 (n, n_actions).
    right
        float64 (n, n_actions), as :func:`rightness` gives.
    familiar
        float64 (n,), or None.

    Returns
    -------
    list of dict
        Under automation ``automated`` (bool), ``sure`` (probability that the best action without a
        person is right) and ``why_not`` (words, None where it was automated); where the policy
        knows strangers ``familiar`` (bool) and ``familiarity`` (0 to 1). Else empty.
    """
    strange = policy.strange(familiar)
    out: list[dict[str, Any]] = [{} for _ in range(len(expected))]
    if right is not None:
        codes = policy.automated(policy.net(expected, groups))
        sure = right[np.arange(len(codes)), codes]
        needed = float(policy.threshold or 0.0)
        for i, said in enumerate(out):
            why = None
            if strange is not None and strange[i]:
                why = "unlike whatever the model learnt from"
            elif needed > 1:
                why = "no threshold passed the test of the error rate"
            elif sure[i] < needed:
                why = f"sure to {_below(sure[i], needed)}, and {percent(needed)} is needed"
            said |= {"automated": why is None, "sure": float(sure[i]), "why_not": why}
    if strange is not None and familiar is not None:
        for i, said in enumerate(out):
            said |= {"familiar": not strange[i], "familiarity": float(familiar[i])}
    return out


def _below(value: float, limit: float) -> str:
    """Write a share so that it reads as less than the limit it is below."""
    text = percent(value)
    return text if text != percent(limit) else f"just under {text}"
