"""Whether to deploy, and against what; who wins otherwise, and what to do now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from payoff.evidence.evidence import Comparison, Estimate, PolicyEvidence
from payoff.evidence.wording import money, quoted

__all__ = ["NEXT_IF_REFUSED", "verdict"]

#: What to do when a policy without a model does better.
NEXT_IF_REFUSED: Final = "For now use {label}. Judge again once rows, money or model have changed."
_NEXT_IF_OPEN: Final = (
    "If it has to be decided now, the larger expectation is the better bet; judging on more rows "
    "would tell how good."
)

#: A gain smaller than this share of the two totals is the rounding of their sums.
_ROUNDING: Final = 1e-12


def verdict(found: Sequence[PolicyEvidence], comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Say whether to deploy: the larger expectation decides, the interval says how sure.

    Returns
    -------
    dict
        ``state``, ``recommended``, ``reference``, ``best_trivial``; ``sentence``: how the policy
        fared against the best without a model; ``next``: what to do now where it is not to be
        deployed, else empty.

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
    state, then = "uncertain", ""
    if gain is not None and gain.value is None and gain.reason:
        sentence = f"What it is worth cannot be said: {gain.reason}."
    elif own.baseline or not simple or gain is None or gain.value is None:
        sentence = "There is no simpler policy to compare with."
    elif gain.value <= _ROUNDING * max(abs(own.total.value or 0.0), abs(best.total.value or 0.0)):
        state = "refuse"
        sentence, then = _refused(gain, own.total.value, label), NEXT_IF_REFUSED.format(label=label)
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
        then = f"How sure that is cannot be said. {_NEXT_IF_OPEN}"
    else:
        sentence = (
            f"It earned more than the best policy without a model, {label}, but these rows do not "
            "rule out that it is worse."
        )
        then = f"These rows do not rule out that it is worse. {_NEXT_IF_OPEN}"
    return {
        "state": state,
        "recommended": own.name,
        "reference": reference,
        "best_trivial": best.name,
        "sentence": sentence,
        "next": then,
    }


def _refused(gain: Estimate, own: float | None, label: str) -> str:
    """Say by how much a policy without a model did better on the same rows."""
    less = -float(gain.value or 0.0)
    if less <= _ROUNDING * abs(own or 0.0):
        return f"{label}, which needs no model, earned as much on the same rows."
    return f"{label}, which needs no model, earned {money(gain.turned())} more on the same rows."
