"""Whether to deploy, and against what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from payoff.evidence.evidence import Comparison, PolicyEvidence
from payoff.evidence.wording import money, quoted

__all__ = ["verdict"]

#: A gain smaller than this share of the two totals is the rounding of their sums.
_ROUNDING: Final = 1e-12


def verdict(found: Sequence[PolicyEvidence], comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Say whether to deploy: the larger expectation decides, the interval says how sure.

    References
    ----------
    Vickers, A. J. et al. (2023). Diagnostic and Prognostic Research 7:11 (deciding now takes the
    larger expectation; uncertainty tells whether more data are worth having).
    """
    own, simple = found[0], [p for p in found[1:] if p.baseline and p.feasible]
    feasible = {p.name for p in simple}
    measured = [p for p in simple if p.total.value is not None] or simple
    best = max(measured, key=lambda p: p.total.value or 0.0) if simple else found[-1]
    # Today's practice is what the policy replaces; one beyond its own declared capacity is none.
    reference = next((n for n in ("current_rule", "do_nothing") if n in feasible), best.name)
    gain = next((c.total for c in comparisons if c.against == best.name), None)
    label = quoted(best.label)
    state = "uncertain"
    if gain is not None and gain.value is None and gain.reason:
        sentence = f"What it is worth cannot be said: {gain.reason}."
    elif own.baseline or not simple or gain is None or gain.value is None:
        sentence = "There is no simpler policy to compare with."
    elif gain.value <= _ROUNDING * max(abs(own.total.value or 0.0), abs(best.total.value or 0.0)):
        state = "refuse"
        sentence = (
            f"Do not deploy it as it stands: a policy without a model, {label}, earned as much or "
            "more on the same rows."
        )
    elif gain.low is not None and gain.low > 0:
        state = "deploy"
        beyond = any(p.baseline and not p.feasible for p in found[1:])
        which = " that capacity allows" if beyond else ""
        sentence = (
            f"It earned more than every policy without a model{which}: {money(gain)} more "
            f"than the best of them, {label}."
        )
    elif gain.low is None:
        sentence = (
            f"It earned more than the best policy without a model, {label}, but how sure that is "
            f"cannot be said: {gain.reason}."
        )
    else:
        sentence = (
            f"It earned more than the best policy without a model, {label}, but these rows do not "
            "rule out that it is worse."
        )
    return {
        "state": state,
        "recommended": own.name,
        "reference": reference,
        "best_trivial": best.name,
        "sentence": sentence,
    }
