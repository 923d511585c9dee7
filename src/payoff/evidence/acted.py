"""What a judging is given beside the stakes: actions already taken, and facts for the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.checks import Check
from payoff.evidence.optimism import Step
from payoff.evidence.slices import Slices
from payoff.evidence.trials import Trials
from payoff.policy.policy import Policy

__all__ = ["Acted", "Background"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Acted:
    """A policy and the action it took on each judging row (int16, (n,))."""

    policy: Policy
    codes: NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What the evidence records beside the figures: data, model, earlier checks, seed.

    ``tuned`` holds the steps of tuning whose optimism the evidence shows; ``guarantee`` says how
    the threshold of ``[automation]`` was found (see :mod:`payoff.policy.automate`). Where documents
    are read, ``trials`` are changed documents decided again, ``examples`` judging rows explained,
    and ``slices`` groups of documents that are judged beside the declared subgroups; else None.
    """

    data: Mapping[str, Any]
    model: Mapping[str, Any]
    checks: tuple[Check, ...] = ()
    fit_shares: Mapping[str, float] | None = None
    fit_n: int = 0
    choose_shares: Mapping[str, float] | None = None
    tuned: tuple[Step, ...] = ()
    slices: Slices | None = None
    trials: Trials | None = None
    examples: Mapping[str, Any] | None = None
    seed: int = 0
    guarantee: Mapping[str, Any] = field(default_factory=dict)
