"""The options that could be chosen, side by side, as several sections compare them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.evidence import PolicyEvidence
from payoff.evidence.judged import Judged

__all__ = ["MOST_OPTIONS", "Options", "options_of"]

#: The recommended policy and so many others at most, those that earned most.
MOST_OPTIONS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Options:
    """Policies that capacity allows, the recommended one first.

    Parameters
    ----------
    policies
        Their evidence.
    codes
        int16 (n,) action of each unit under each policy.
    values
        float64 (n, k), money of each unit.
    left_out
        Policies beyond capacity or without a value, and those beyond the most that are compared.
    """

    policies: tuple[PolicyEvidence, ...]
    codes: tuple[NDArray[np.int16], ...]
    values: NDArray[np.float64]
    left_out: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Words for each policy."""
        return tuple(p.label for p in self.policies)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the policies."""
        return tuple(p.name for p in self.policies)

    @property
    def simple(self) -> tuple[int, ...]:
        """Places of the policies without a model, the recommended one never among them."""
        return tuple(k for k, p in enumerate(self.policies) if k and p.baseline)


def options_of(judged: Judged) -> Options:
    """Return the recommended policy and the best of the others that capacity allows."""
    others = [p for p in judged.policies[1:] if p.feasible and p.value.value is not None]
    best = sorted(others, key=lambda p: -(p.value.value or 0.0))[: MOST_OPTIONS - 1]
    kept = (judged.policies[0], *(p for p in others if p in best))
    names = {p.name for p in kept}
    codes = {a.policy.name: a.codes for a in judged.acted}
    return Options(
        policies=kept,
        codes=tuple(codes[p.name] for p in kept),
        values=np.stack([judged.values[p.name] for p in kept], axis=1),
        left_out=tuple(p.name for p in judged.policies if p.name not in names),
    )
