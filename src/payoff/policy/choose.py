"""Choosing on rows that do not judge: thresholds, prices of capacity, models, calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from payoff.clusters import mean_and_error
from payoff.declare import Decision
from payoff.errors import EvidenceError
from payoff.policy.policy import Policy
from payoff.policy.stakes import Choosing, Stakes
from payoff.rng import generator

__all__ = [
    "Candidate",
    "PairedDifference",
    "actions_of",
    "baselines",
    "best_threshold",
    "capacity_prices",
    "choose_candidate",
    "cross_fitted_threshold",
    "default_action",
    "expected_policy",
    "limited_shares",
    "orientation",
    "paired",
    "policies",
    "policy_value",
    "untuned",
]

_ROUNDS: Final = 12


def default_action(decision: Decision) -> int:
    """Return the place of the action that wins ties: doing nothing, or the first unlimited one."""
    if decision.do_nothing is not None:
        return decision.action_names.index(decision.do_nothing)
    free = [i for i, a in enumerate(decision.actions) if a.capacity is None]
    return free[0] if free else 0


def limited_shares(decision: Decision) -> dict[str, float]:
    """Return action -> largest share of units, for the actions that have a capacity."""
    shares = {a.name: decision.capacity_share(a) for a in decision.actions}
    return {name: share for name, share in shares.items() if share is not None}


def capacity_prices(
    expected: NDArray[np.float64], weight: NDArray[np.float64], decision: Decision
) -> dict[str, float]:
    """Return the price per unit that keeps each limited action within its capacity.

    For one limit this is exact: the price is the gain of the first unit that finds no room, which
    is what one more unit of capacity would earn (its shadow price), and 0 when the limit does not
    bind. Several limits are solved one at a time in turn until no price moves.

    Parameters
    ----------
    expected
        float64 (n, n_actions).
    weight
        float64 (n,).

    Examples
    --------
    >>> from payoff.declare import Action, Capacity, Decision, Outcome, PayoffTable
    >>> decision = Decision(
    ...     name="calls",
    ...     currency="EUR",
    ...     outcomes=(Outcome(name="yes", values=(1,)), Outcome(name="no", values=(0,))),
    ...     actions=(Action(name="call", capacity=Capacity(share=0.5)), Action(name="leave")),
    ...     payoffs=PayoffTable.of({"call": {"yes": 9, "no": -1}, "leave": {"yes": 0, "no": 0}}),
    ... )
    >>> gain = np.array([[4.0, 0.0], [3.0, 0.0], [2.0, 0.0], [1.0, 0.0]])
    >>> capacity_prices(gain, np.ones(4), decision)
    {'call': 2.0}
    """
    shares = limited_shares(decision)
    prices = dict.fromkeys(shares, 0.0)
    names = decision.action_names
    for _ in range(_ROUNDS if len(shares) > 1 else 1):
        before = dict(prices)
        for action, share in shares.items():
            code = names.index(action)
            net = expected.copy()
            for other, price in prices.items():
                if other != action:
                    net[:, names.index(other)] -= price
            gain = net[:, code] - np.delete(net, code, axis=1).max(axis=1)
            order = np.argsort(-gain, kind="stable")
            used = np.cumsum(weight[order])
            first_out = int(np.searchsorted(used, share * used[-1] * (1 + 1e-12), side="right"))
            price = float(gain[order[first_out]]) if first_out < len(order) else 0.0
            prices[action] = max(0.0, price)
        if all(math.isclose(prices[a], before[a], rel_tol=1e-9, abs_tol=1e-12) for a in prices):
            break
    return prices


def orientation(stakes: Stakes, decision: Decision) -> tuple[int, int]:
    """Return (high, low): the action taken where the positive outcome is likely, and the other.

    The high action is the one that gains more from the positive outcome than from the negative.
    """
    positive = stakes.outcome == decision.positive_code
    gain = stakes.realised[:, 0] - stakes.realised[:, 1]

    def mean(rows: NDArray[np.bool_]) -> float:
        return float(gain[rows].mean()) if rows.any() else 0.0

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


def expected_policy(decision: Decision, prices: Mapping[str, float]) -> Policy:
    """Return the policy of largest expected money under capacity."""
    shares = limited_shares(decision)
    how = "For each unit it takes the action with the largest expected money"
    if shares:
        limits = ", ".join(
            f"{decision.action_label(a)} for at most {s:.1%}" for a, s in shares.items()
        )
        how += f", within capacity ({limits} of units)"
    return Policy(
        name="expected",
        kind="expected",
        label="The model, by expected money",
        how=how + ".",
        actions=decision.action_names,
        default=decision.action_names[default_action(decision)],
        prices=prices,
        shares=shares,
    )


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
    prices = capacity_prices(stakes.expected, stakes.weight, decision)
    found = [expected_policy(decision, prices)]
    if decision.is_binary:
        found += _threshold_policies(decision, stakes, chosen)
    else:
        found.append(_likeliest_policy(decision, stakes))
    return [*found, *baselines(decision)]


def _threshold_policies(
    decision: Decision, stakes: Stakes, chosen: Choosing | None
) -> tuple[Policy, Policy]:
    """Return the threshold tuned on ``chosen``, and the usual one half."""
    high, low = orientation(stakes, decision)
    names = decision.action_names
    limit = 0.5
    if chosen is not None:
        prob = np.asarray(chosen.prob)[:, decision.positive_code]
        limit = best_threshold(prob, _gain(chosen, high, low))
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
        shares=limited_shares(decision),
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


def _likeliest_policy(decision: Decision, stakes: Stakes) -> Policy:
    """Return what 0.5 is to two outcomes: act as if the likeliest outcome were certain."""
    names = decision.action_names
    answers = []
    for code in range(len(decision.outcomes)):
        rows = stakes.outcome == code
        mean = stakes.realised[rows].mean(axis=0) if rows.any() else np.zeros(len(names))
        answers.append(names[int(mean.argmax())])
    return Policy(
        name="half",
        kind="likeliest",
        label="The model, by the likeliest outcome",
        how="Acts as if the likeliest outcome were certain; how likely it is plays no part.",
        actions=names,
        default=names[default_action(decision)],
        answers=tuple(answers),
        shares=limited_shares(decision),
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
                shares={},
            )
        )
    return found


def actions_of(policy: Policy, stakes: Stakes) -> NDArray[np.int16]:
    """Apply a policy to what is at stake."""
    return policy.apply(
        n=len(stakes),
        expected=stakes.expected,
        prob=stakes.prob,
        rule=stakes.rule,
        weight=stakes.weight,
    )


def policy_value(codes: NDArray[np.int16], stakes: Stakes) -> NDArray[np.float64]:
    """Return the realised money of each unit under the given actions, float64 (n,)."""
    out: NDArray[np.float64] = stakes.realised[np.arange(len(codes)), codes]
    return out


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
        expected = np.asarray(stakes.expected)
        policy = expected_policy(decision, capacity_prices(expected, stakes.weight, decision))
        values[name] = policy_value(actions_of(policy, stakes), stakes)
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
