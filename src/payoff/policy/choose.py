"""Choosing on rows that do not judge: thresholds, prices of capacity, models, calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from payoff.clusters import mean_and_error
from payoff.declare import Decision
from payoff.errors import EvidenceError
from payoff.policy.best import (
    actions_of,
    best_policy,
    capacity_prices,
    default_action,
    earned,
    expected_policy,
    limited_shares,
    policy_value,
    without_constraints,
)
from payoff.policy.bounds import CUT, Bound, bounds_of
from payoff.policy.policy import Policy
from payoff.policy.stakes import Choosing, Stakes
from payoff.rng import generator

__all__ = [
    "Candidate",
    "PairedDifference",
    "actions_of",
    "baselines",
    "best_policy",
    "best_threshold",
    "capacity_prices",
    "choose_candidate",
    "cross_fitted_threshold",
    "default_action",
    "earned",
    "expected_policy",
    "limited_shares",
    "orientation",
    "paired",
    "policies",
    "policy_value",
    "untuned",
]


def orientation(stakes: Stakes, decision: Decision) -> tuple[int, int]:
    """Return (high, low): the action taken where the positive outcome is likely, and the other.

    The high action is the one that gains more from the positive outcome than from the negative.
    """
    positive = stakes.outcome == decision.positive_code
    gain = stakes.realised[:, 0] - stakes.realised[:, 1]

    def mean(rows: NDArray[np.bool_]) -> float:
        return float(np.average(gain[rows], weights=stakes.weight[rows])) if rows.any() else 0.0

    return (0, 1) if mean(positive) >= mean(~positive) else (1, 0)


def best_threshold(prob: NDArray[np.float64], gain: NDArray[np.float64]) -> float:
    """Return the threshold with the largest realised value: one sort, one cumulative sum.

    Parameters
    ----------
    prob
        float64 (n,), probability of the positive outcome.
    gain
        float64 (n,), weighted money of the high action less that of the low action.

    Returns
    -------
    float
        Act where ``prob >= threshold``; between the two scores around the optimum; 0 means always,
        above 1 never.

    Examples
    --------
    >>> best_threshold(np.array([0.1, 0.2, 0.8, 0.9]), np.array([-1.0, -1.0, 3.0, 3.0]))
    0.5
    """
    order = np.argsort(-prob, kind="stable")
    return _best_cut(prob[order], gain[order])


def _best_cut(prob: NDArray[np.float64], gain: NDArray[np.float64]) -> float:
    """Return the best threshold of rows already sorted by falling probability.

    A cut lies only between different probabilities. Rows of gain 0 move the cut, not the value.
    """
    n = len(prob)
    total = np.concatenate([[0.0], np.cumsum(gain)])
    ends = np.concatenate([[0], np.flatnonzero(prob[1:] != prob[:-1]) + 1, [n]])
    k = int(ends[int(np.argmax(total[ends]))])
    if k == 0:
        return float(np.nextafter(1.0, 2.0))
    return 0.0 if k == n else float((prob[k - 1] + prob[k]) / 2)


def _gain(stakes: Stakes, high: int, low: int) -> NDArray[np.float64]:
    return stakes.weight * (stakes.realised[:, high] - stakes.realised[:, low])


def cross_fitted_threshold(
    stakes: Stakes, decision: Decision, *, folds: int = 5, seed: int = 0
) -> NDArray[np.int16]:
    """Return actions by a threshold that no row helped to choose for itself.

    The rows are cut into folds (clusters kept together); each fold acts by the threshold that is
    best on the others.
    """
    high, low = orientation(stakes, decision)
    prob = np.asarray(stakes.prob)[:, decision.positive_code]
    gain = _gain(stakes, high, low)
    n_clusters = int(stakes.cluster.max()) + 1
    fold = generator(seed, "threshold folds").integers(folds, size=n_clusters)[stakes.cluster]
    order = np.argsort(-prob, kind="stable")
    sorted_prob, sorted_gain, sorted_fold = prob[order], gain[order], fold[order]
    codes = np.empty(len(stakes), dtype=np.int16)
    for k in range(folds):
        rows = fold == k
        limit = _best_cut(sorted_prob, np.where(sorted_fold == k, 0.0, sorted_gain))
        codes[rows] = np.where(prob[rows] >= limit, high, low)
    return codes


def policies(decision: Decision, chosen: Choosing) -> list[Policy]:
    """Return every policy the report compares, tuned on rows that will not judge.

    Parameters
    ----------
    chosen
        Rows to choose on, with probabilities. Judging rows are of another type.

    Raises
    ------
    EvidenceError
        ``PAY-E001`` for rows that judge.
    """
    if not isinstance(chosen, Choosing):  # for callers without a type checker
        raise EvidenceError.part_reused(chosen.part, chosen.part)
    return _policies(decision, chosen, chosen)


def untuned(decision: Decision, stakes: Stakes) -> list[Policy]:
    """Return the policies that need no outcome to be chosen, for rows that are about to be judged.

    The threshold policy among them holds 0.5, for a caller that acts by
    :func:`cross_fitted_threshold`.
    """
    return _policies(decision, stakes, None)


def _policies(decision: Decision, stakes: Stakes, chosen: Choosing | None) -> list[Policy]:
    if stakes.expected is None:
        return baselines(decision)
    found = [best_policy(decision, stakes)]
    if stakes.prob is None or stakes.bounds is not None:
        pass  # no one probability orders the rows, or no outcome of theirs may tune a number
    elif decision.is_binary:
        found += _threshold_policies(decision, stakes, chosen)
    else:
        found.append(_likeliest_policy(decision, stakes))
    return [*found, *baselines(decision), *without_constraints(decision, stakes)]


def _threshold_policies(
    decision: Decision, stakes: Stakes, chosen: Choosing | None
) -> tuple[Policy, Policy]:
    """Return the threshold tuned on ``chosen``, and the usual one half."""
    high, low = orientation(stakes, decision)
    names = decision.action_names
    limit = 0.5
    if chosen is not None:
        prob = np.asarray(chosen.prob)[:, decision.positive_code]
        gain = _gain(chosen, high, low)
        limit = _worth_its_costs(
            decision, best_threshold(prob, gain), prob, gain / chosen.weight.sum(), (high, low)
        )
    word = decision.action_label(names[high])
    tuned = Policy(
        name="threshold",
        kind="threshold",
        label="The model, by one threshold",
        how=f"{word} where the probability of {decision.positive} is at least {limit:.3g}.",
        actions=names,
        default=names[default_action(decision)],
        high=names[high],
        low=names[low],
        positive=decision.positive_code,
        threshold=limit,
        bounds=_cuts(decision, stakes),
        tuned_on=None if chosen is None else chosen.part,
    )
    half = replace(
        tuned,
        name="half",
        label="The model, by the usual threshold 0.5",
        how=f"{word} where {decision.positive} is likelier than not; money plays no part.",
        threshold=0.5,
        tuned_on=None,
    )
    return tuned, half


def _cuts(decision: Decision, stakes: Stakes) -> tuple[Bound, ...]:
    """Return the limits a batch is cut to, without prices: a threshold ranks by probability."""
    return tuple(b for b in bounds_of(decision, stakes.groups) if b.kind in CUT)


def _worth_its_costs(
    decision: Decision,
    limit: float,
    prob: NDArray[np.float64],
    gain: NDArray[np.float64],
    actions: tuple[int, int],
) -> float:
    """Return the threshold, or "always" or "never" where that saves more fixed cost than it loses.

    ``gain`` is weighted and sums to money per unit.
    """
    high, low = (decision.actions[a].fixed_cost for a in actions)
    if decision.volume is None or not (high or low):
        return limit

    def net(threshold: float) -> float:
        acted = prob >= threshold
        fixed = high * bool(acted.any()) + low * bool((~acted).any())
        return float(gain[acted].sum()) - fixed / float(decision.volume or 1)

    never = float(np.nextafter(1.0, 2.0))
    return max((limit, 0.0, never), key=net)


def _likeliest_policy(decision: Decision, stakes: Stakes) -> Policy:
    """Return what 0.5 is to two outcomes: act as if the likeliest outcome were certain."""
    names = decision.action_names
    answers = []
    for code in range(len(decision.outcomes)):
        rows = stakes.outcome == code
        mean = np.zeros(len(names))
        if rows.any():
            mean = np.average(stakes.realised[rows], axis=0, weights=stakes.weight[rows])
        answers.append(names[int(mean.argmax())])
    return Policy(
        name="half",
        kind="likeliest",
        label="The model, by the likeliest outcome",
        how="Acts as if the likeliest outcome were certain; how likely it is plays no part.",
        actions=names,
        default=names[default_action(decision)],
        answers=tuple(answers),
        bounds=_cuts(decision, stakes),
    )


def baselines(decision: Decision) -> list[Policy]:
    """Return the policies that need no model: today's rule, and every action for all."""
    names, default = decision.action_names, decision.action_names[default_action(decision)]
    found = []
    if decision.current_rule is not None:
        found.append(
            Policy(
                name="current_rule",
                kind="rule",
                label=decision.current_rule.label,
                baseline=True,
                how="What is done today.",
                actions=names,
                default=default,
            )
        )
    rule = decision.current_rule
    for action in decision.actions:
        nothing = action.name == decision.do_nothing
        if rule and not rule.columns and rule.otherwise == action.name and not nothing:
            continue  # today's rule is this very policy
        share = decision.capacity_share(action)
        beyond = share is not None and share < 1
        found.append(
            Policy(
                name="do_nothing" if nothing else f"all:{action.name}",
                kind="constant",
                label="Do nothing" if nothing else f"{action.label}: all",
                how=("Leaves every unit as it is." if nothing else "The same for every unit.")
                + (" Exceeds the capacity; shown for comparison only." if beyond else ""),
                actions=names,
                default=default,
                high=action.name,
                baseline=True,
            )
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """Mean difference of two policies on the same rows, and its standard error (per unit)."""

    difference: float
    standard_error: float


def paired(a: NDArray[np.float64], b: NDArray[np.float64], stakes: Stakes) -> PairedDifference:
    """Compare two per-unit values on the same rows, with clusters as the independent units."""
    mean, error = mean_and_error(a - b, stakes.weight, stakes.cluster)
    return PairedDifference(difference=mean, standard_error=error)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """One candidate's cross-fitted money of each unit, float64 (n,): what chose the model."""

    name: str
    per_unit: NDArray[np.float64]
    to_best: PairedDifference


def choose_candidate(
    stakes_by_name: Mapping[str, Choosing], decision: Decision
) -> tuple[str, dict[str, Candidate]]:
    """Choose the candidate whose out-of-fold predictions earn the most money.

    Every candidate acts by expected money under the declared capacity, on the fit rows, each row
    scored by a model that did not see it. Money chooses, not a measure of ranking.
    """
    values = {}
    for name, stakes in stakes_by_name.items():
        policy = best_policy(decision, stakes)
        values[name] = earned(decision, policy, actions_of(policy, stakes), stakes)
    means = {
        name: float(np.average(v, weights=stakes_by_name[name].weight))
        for name, v in values.items()
    }
    best = max(means, key=lambda name: means[name])
    return best, {
        name: Candidate(
            name=name,
            per_unit=v,
            to_best=paired(v, values[best], stakes_by_name[name]),
        )
        for name, v in values.items()
    }
