"""Subgroups: money, rates and errors of each, what stands out beyond chance, what is withheld."""

from __future__ import annotations

from payoff.evidence.subgroups.build import subgroup_evidence
from payoff.evidence.subgroups.cells import CELL_RATES, cell_bootstrap, cell_counts

__all__ = ["CELL_RATES", "cell_bootstrap", "cell_counts", "subgroup_evidence"]
