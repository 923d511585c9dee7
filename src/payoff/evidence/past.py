"""What past decisions can and cannot tell: how they came about, overlap, three estimators, uplift.

A section of the evidence: arrays in, JSON-ready mapping out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.errors import percent
from payoff.evidence.acted import Acted
from payoff.evidence.evidence import Estimate
from payoff.evidence.exploration import exploration
from payoff.evidence.interval import cluster_sums, mean_money, share
from payoff.evidence.judged import Judged
from payoff.evidence.offpolicy import (
    effective_sample_size,
    inverse_propensity,
    no_overlap,
    self_normalised,
)
from payoff.evidence.uplift import gain_curve, positions, qini_scores
from payoff.evidence.wording import money, quoted
from payoff.policy.choose import default_action
from payoff.policy.past import PastStakes, doubly_robust
from payoff.rng import generator

__all__ = ["HOW", "NOT_DECLARED", "assigned_by_chance", "past_section"]

#: Why nothing is said of the past where the decision file does not.
NOT_DECLARED: Final = (
    "the decision file does not say what was done in the past: [past] is not declared"
)

HOW: Final = {
    "randomised": "chance chose the action",
    "given": "the probability of each past action is recorded",
    "modelled": "the probability of each past action was modelled from the features",
}
_MOST_UPLIFTS: Final = 6
_POINTS: Final = 21
_FIFTHS: Final = 5
_PERMUTATIONS: Final = 999
_MOST_TESTED: Final = 20_000


def past_section(judged: Judged) -> dict[str, Any]:
    """Return how the past came about, how far it carries each policy, and who gains from acting.

    Keys: ``design``, ``estimators`` (one per policy), ``uplift`` (one per action against the
    default), ``assignment`` (a test of chance), ``exploration`` and ``sentences``.
    """
    past = judged.stakes.past
    if past is None:
        return {"not_measured": NOT_DECLARED}
    estimators = [_estimators(judged, past, one) for one in judged.acted]
    effects = _uplifts(judged, past)
    tested = assigned_by_chance(judged)
    return {
        "design": _design(judged, past),
        "estimators": estimators,
        "uplift": effects,
        "assignment": tested,
        "exploration": exploration(
            judged.decision, judged.stakes, judged.first.codes, _spread(judged, past)
        ),
        "sentences": _sentences(judged, past, estimators[0], effects),
    }


def _design(judged: Judged, past: PastStakes) -> dict[str, Any]:
    decision, stakes = judged.decision, judged.stakes
    actions = []
    for code, name in enumerate(decision.action_names):
        rows = past.taken == code
        part = share(rows, stakes.weight, stakes.resampled, level=decision.evidence.level)
        chance = past.propensity[rows]
        actions.append(
            {
                "action": name,
                "n": int(rows.sum()),
                "share": asdict(part),
                "smallest": float(chance.min()) if rows.any() else None,
                "median": float(np.median(chance)) if rows.any() else None,
            }
        )
    return {
        "how": past.how,
        "words": HOW[past.how],
        "n": len(stakes),
        "actions": actions,
        "floor": past.floor,
        "trimmed": past.trimmed,
        "models": past.modelled,
    }


def _estimators(judged: Judged, past: PastStakes, one: Acted) -> dict[str, Any]:
    """Return the doubly robust, inverse-propensity and self-normalised values of one policy."""
    stakes, decision = judged.stakes, judged.decision
    name = one.policy.name
    told = {"policy": name, "label": one.policy.label, "logged": name in judged.logged}
    agree = one.codes == past.taken
    if name in judged.logged:
        found = asdict(judged.worth(past.money))
        return {
            **told,
            "overlap": "",
            "matched": len(stakes),
            "agree": 1.0,
            "ess": effective_sample_size(stakes.weight),
            "largest_weight": 1.0,
            "dr": found,
            "ips": found,
            "snips": found,
        }
    names = tuple(decision.action_label(a) for a in decision.action_names)
    why = no_overlap(stakes, one.codes, names)
    weight = past.weights(one.codes)
    facts = {
        **told,
        "overlap": why,
        "matched": int(agree.sum()),
        "agree": float(stakes.weight[agree].sum() / stakes.weight.sum()),
        "ess": effective_sample_size(weight * stakes.weight),
        "largest_weight": float(weight.max()),
    }
    if why:
        none = _not_known(judged, why)
        return {**facts, "dr": none, "ips": none, "snips": none}
    settings: dict[str, Any] = {
        "level": decision.evidence.level,
        "unit": decision.value_unit,
    }
    return {
        **facts,
        "dr": asdict(judged.worth(judged.before_fixed_costs(name))),
        "ips": asdict(inverse_propensity(stakes, weight, **settings)),
        "snips": asdict(self_normalised(stakes, weight, **settings)),
    }


def _not_known(judged: Judged, why: str) -> dict[str, Any]:
    return asdict(
        Estimate(
            value=None,
            low=None,
            high=None,
            level=judged.decision.evidence.level,
            unit=judged.decision.value_unit,
            n=len(judged.stakes),
            n_clusters=0,
            method="none",
            reason=why,
        )
    )


# ------------------------------------------------------------------------------------- uplift


def _uplifts(judged: Judged, past: PastStakes) -> Any:
    """Return the effect of each action against the default, or why it cannot be told."""
    decision = judged.decision
    base = default_action(decision)
    names = decision.action_names
    if not (past.taken == base).any():
        return {"not_measured": f"{names[base]!r} was never done in the past"}
    tried = [a for a in range(len(names)) if a != base and (past.taken == a).any()]
    return [_uplift(judged, past, a, base) for a in tried[:_MOST_UPLIFTS]]


def _uplift(judged: Judged, past: PastStakes, action: int, base: int) -> dict[str, Any]:
    decision, stakes = judged.decision, judged.stakes
    names = decision.action_names
    effect = stakes.realised[:, action] - stakes.realised[:, base]
    outcomes = _outcome_effect(judged, past, action, base)
    made = {
        "action": names[action],
        "against": names[base],
        "n_action": int((past.taken == action).sum()),
        "n_against": int((past.taken == base).sum()),
        "effect": asdict(judged.worth(effect)),
        "outcome": decision.positive,
        "outcome_effect": asdict(_share_effect(judged, outcomes)),
    }
    if stakes.expected is None:
        why = "no model predicts who gains: only actions were given"
        return {**made, "qini": {"not_measured": why}, "curve": {"not_measured": why}, "fifths": []}
    score = stakes.expected[:, action] - stakes.expected[:, base]
    if np.ptp(score) <= 0:
        why = "the model predicts the same effect for everybody"
        return {**made, "qini": {"not_measured": why}, "curve": {"not_measured": why}, "fifths": []}
    weight = stakes.weight
    return {
        **made,
        "qini": asdict(judged.worth(qini_scores(score, effect, weight))),
        "qini_outcome": asdict(_share_effect(judged, qini_scores(score, outcomes, weight))),
        "curve": _curve(judged, score, effect),
        "fifths": _fifths(judged, score, effect, outcomes),
    }


def _outcome_effect(
    judged: Judged, past: PastStakes, action: int, base: int
) -> NDArray[np.float64]:
    """Return the doubly robust effect of acting on the positive outcome, per row."""
    code = judged.decision.positive_code
    happened = (judged.stakes.outcome == code).astype(np.float64)
    model = np.ascontiguousarray(past.prob[:, :, code])
    unknown = judged.stakes.outcome < 0
    seen = np.where(unknown, model[np.arange(len(model)), past.taken], happened)
    found = doubly_robust(model, past.taken, past.propensity, seen)
    return found[:, action] - found[:, base]


def _share_effect(
    judged: Judged, values: NDArray[np.float64], rows: NDArray[np.int64] | None = None
) -> Estimate:
    stakes = judged.stakes
    weight, cluster = stakes.weight, stakes.resampled
    if rows is not None:
        weight, cluster = weight[rows], None if cluster is None else cluster[rows]
    return mean_money(
        cluster_sums(values, weight, cluster),
        level=judged.decision.evidence.level,
        unit="share",
    )


def _curve(
    judged: Judged, score: NDArray[np.float64], effect: NDArray[np.float64]
) -> dict[str, Any]:
    shares = np.linspace(0.0, 1.0, _POINTS)
    stakes = judged.stakes
    gain, error = gain_curve(score, effect, stakes.weight, shares, stakes.resampled)
    z = float(special.ndtri(0.5 + judged.decision.evidence.level / 2))
    units = judged.decision.units_reported
    return {
        "unit": judged.decision.money_unit,
        "share": shares.tolist(),
        "gain": (gain * units).tolist(),
        "low": ((gain - z * error) * units).tolist(),
        "high": ((gain + z * error) * units).tolist(),
        "n": len(stakes),
    }


def _fifths(
    judged: Judged,
    score: NDArray[np.float64],
    effect: NDArray[np.float64],
    outcomes: NDArray[np.float64],
) -> list[dict[str, Any]]:
    """Return predicted and measured effect by fifths of the predicted effect, largest first."""
    place, _ = positions(score, judged.stakes.weight)
    fifth = np.minimum((place * _FIFTHS).astype(np.int64), _FIFTHS - 1)
    found = []
    for k in range(_FIFTHS - 1, -1, -1):
        rows = np.flatnonzero(fifth == k)
        if not len(rows):
            continue
        weight = judged.stakes.weight[rows]
        found.append(
            {
                "fifth": _FIFTHS - k,
                "n": len(rows),
                "predicted": float(np.average(score[rows], weights=weight)),
                "effect": asdict(judged.worth(effect[rows], rows=rows)),
                "outcome_effect": asdict(_share_effect(judged, outcomes[rows], rows)),
            }
        )
    return found


# ---------------------------------------------------------------------------- chance


def assigned_by_chance(judged: Judged) -> dict[str, Any]:
    """Test whether the features tell which action was taken, as they cannot where chance chose.

    A model of the action, fitted on other rows, scores the judging rows by
    ``mean log p(A_i | x_i)``; the p-value is the share of 999 random permutations of the actions
    that score as high. One row
    of each cluster is used, and 20,000 rows at most.

    References
    ----------
    Lopez-Paz, D. & Oquab, M. (2017). Revisiting classifier two-sample tests. ICLR. Phipson, B. &
    Smyth, G. K. (2010). Permutation p-values should never be zero.
    """
    stakes, past = judged.stakes, judged.stakes.past
    if past is None or past.assignment is None:
        return {"not_measured": "no model of the past action was fitted"}
    if past.how == "given":
        return {"not_measured": "the recorded probabilities may differ from row to row"}
    rng = generator(judged.seed, "assignment")
    rows = np.arange(len(stakes))
    if stakes.resampled is not None:
        rows = np.unique(stakes.resampled, return_index=True)[1]
    if len(rows) > _MOST_TESTED:
        rows = rng.choice(rows, _MOST_TESTED, replace=False)
    taken = past.taken[rows]
    logs = np.log(np.maximum(past.assignment[rows], 1e-12))
    every = np.arange(len(rows))
    seen = float(logs[every, taken].mean())
    drawn = np.array([logs[every, rng.permutation(taken)].mean() for _ in range(_PERMUTATIONS)])
    counts = np.bincount(taken)
    return {
        "n": len(rows),
        "p_value": float((1 + np.sum(drawn >= seen - 1e-12)) / (1 + _PERMUTATIONS)),
        "guessed": float(np.mean(past.assignment[rows].argmax(axis=1) == taken)),
        "by_share": float(counts.max() / len(rows)),
    }


def _spread(judged: Judged, past: PastStakes) -> float:
    """Return the largest standard deviation of money among rows that got one action."""
    found = [
        float(np.std(past.money[past.taken == a]))
        for a in range(len(judged.decision.actions))
        if np.sum(past.taken == a) > 1
    ]
    return max(found, default=0.0)


# ---------------------------------------------------------------------------------- sentences


def _sentences(
    judged: Judged, past: PastStakes, first: Mapping[str, Any], effects: Any
) -> list[str]:
    n = f"{len(judged.stakes):,}"
    if past.how == "randomised":
        said = [
            f"In the past, chance chose what was done in each of the {n} rows judged, so the "
            "figures say what acting changes, not who would have done so anyway."
        ]
    elif past.how == "given":
        said = [
            f"For each of the {n} rows judged, the chance of what was done is recorded; "
            "each counts for as many as it stands for."
        ]
    else:
        said = [
            f"Nobody recorded why it was done in the {n} rows judged; the figures hold only "
            "if every reason is among the columns. Only decisions left to chance can rule the rest "
            "out."
        ]
    if first["overlap"]:
        said.append(f"What the policy is worth cannot be said: {first['overlap']}.")
    elif not first["logged"]:
        said.append(
            f"The policy and the past did the same in {first['matched']:,} of them "
            f"({percent(first['agree'])}); its value rests on those."
        )
    told = _effect_sentence(judged, effects)
    return [*said, told] if told else said


def _effect_sentence(judged: Judged, effects: Any) -> str:
    """Say what the best action changes on average."""
    if not isinstance(effects, list) or not effects:
        return ""
    known = [e for e in effects if e["effect"]["value"] is not None]
    if not known:
        return ""
    best = max(known, key=lambda e: e["effect"]["value"])
    figure = judged.total(Estimate(**best["effect"]))
    label, other = (judged.decision.action_label(best[k]) for k in ("action", "against"))
    said = f"{quoted(label)} instead of {quoted(other)} for everybody would have earned"
    if figure.value is None or figure.low is None or figure.high is None:
        return f"What {quoted(label)} changes on average cannot be said: {figure.reason}."
    if figure.value < 0:
        doubt = "" if figure.high < 0 else "; that it gains money is not ruled out"
        return f"{said} {money(figure.turned())} less{doubt}."
    doubt = "" if figure.low > 0 else "; that it loses money is not ruled out"
    return f"{said} {money(figure)} more{doubt}."
