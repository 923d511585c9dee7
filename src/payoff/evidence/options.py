"""The options that could be chosen, side by side, as several sections compare them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from payoff.evidence.evidence import PolicyEvidence
from payoff.evidence.measured import Column, Measured

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
    columns
        Money of each unit under each of them.
    left_out
        Policies beyond capacity or without a value, and those beyond the most that are compared.
    """

    policies: tuple[PolicyEvidence, ...]
    columns: tuple[Column, ...]
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


def options_of(judged: Measured) -> Options:
    """Return the recommended policy and the best of the others that capacity allows."""
    others = [p for p in judged.policies[1:] if p.feasible and p.value.value is not None]
    best = sorted(others, key=lambda p: -(p.value.value or 0.0))[: MOST_OPTIONS - 1]
    kept = (judged.policies[0], *(p for p in others if p in best))
    names = {p.name for p in kept}
    return Options(
        policies=kept,
        columns=tuple(judged.money(p.name) for p in kept),
        left_out=tuple(p.name for p in judged.policies if p.name not in names),
    )
