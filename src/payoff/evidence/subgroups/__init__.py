"""Subgroups: money, rates and errors of each, what stands out beyond chance, what is withheld."""

from __future__ import annotations

from payoff.evidence.subgroups.build import subgroup_evidence

__all__ = ["subgroup_evidence"]
