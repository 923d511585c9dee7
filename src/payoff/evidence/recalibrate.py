"""Calibration in money: what recalibrating would earn, and what a better model at most could.

Every map is learnt on some of the judging rows and used on the others (five folds, clusters
together), so no row judges a map it helped to learn. The difference is paired, row by row.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import EvidenceError
from payoff.evidence.corp import pooled
from payoff.evidence.judged import Judged
from payoff.evidence.redecide import decides_by_money, expected_with, greedy
from payoff.policy.best import default_action, policy_value
from payoff.rng import generator

__all__ = ["Recalibrated", "better_model", "promised_parts", "recalibrate", "recalibrating"]

_FOLDS: Final = 5
_BINS: Final = 4_096
_FEWEST: Final = 50
_MOST_SUBGROUPS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recalibrated:
    """Cross-fitted probabilities float64 (n, n_outcomes), their folds, and what they would earn.

    ``values`` is float64 (n,), money per unit when the action of largest expected money is taken
    again, within capacity; ``differ`` the share of units that then get another action.
    """

    prob: NDArray[np.float64]
    folds: NDArray[np.int64]
    values: NDArray[np.float64]
    differ: float


def recalibrate(judged: Judged) -> Recalibrated | str:
    """Recalibrate by isotonic regression, cross-fitted over the judging rows, and decide again.

    The other outcomes keep their proportions. Returns the reason where it cannot be done.
    """
    why = decides_by_money(judged) or _too_few(judged)
    if why:
        return why
    folds = _folds(judged)
    prob = _recalibrated(judged, folds)
    try:
        values, differ = _again(judged, prob)
    except EvidenceError as error:
        return f"by recalibrated probabilities, {error.what}"
    return Recalibrated(prob=prob, folds=folds, values=values, differ=differ)


def recalibrating(judged: Judged, made: Recalibrated | str) -> dict[str, Any]:
    """Return what the policy would earn more with recalibrated probabilities, per period."""
    if isinstance(made, str):
        return {"not_measured": made}
    same = "" if made.differ else "it would take the same actions"
    found = judged.total(judged.worth(made.values - judged.own, identical=same))
    return {"difference": asdict(found), "differ": made.differ, "folds": _FOLDS}


def better_model(judged: Judged, made: Recalibrated | str) -> dict[str, Any]:
    """Return an upper and a lower bound of what a better model could earn more, per period.

    ``most``: the best action for each unit, known afterwards, within capacity: no model earns more.
    ``groups``: per declared subgroup, what moving the odds within each group (cross-fitted, after
    recalibration) would earn more than recalibration alone: a better use of that column earns at
    least so much. On the scale of the Brier score, ``grouping_loss`` is the lower bound of the
    grouping loss by that partition, less what chance alone would show.

    References
    ----------
    Perez-Lebel, A., Le Morvan, M. and Varoquaux, G. (2023). Beyond calibration: estimating the
    grouping loss of modern neural networks. ICLR.
    """
    decision, stakes = judged.decision, judged.stakes
    if stakes.why_not_by_outcome:
        return {"not_measured": stakes.why_not_by_outcome}
    taken, fixed = greedy(decision, stakes, _untied(judged), stakes.weight)
    oracle = policy_value(taken, stakes) - fixed
    same = "" if np.any(oracle != judged.own) else "every action was the best one"
    most = judged.total(judged.worth(oracle - judged.own, identical=same))
    found: dict[str, Any] = {"most": asdict(most)}
    if isinstance(made, str):
        return found | {"groups": {"not_measured": made}}
    if not judged.subgroups:
        why = "no subgroups are declared, so no column shows what the model leaves out"
        return found | {"groups": {"not_measured": why}}
    listed = []
    for name, (labels, codes) in list(judged.subgroups.items())[:_MOST_SUBGROUPS]:
        moved = _by_group(judged, made, codes, len(labels))
        values, differ = _again(judged, moved)
        same = "" if differ else "it would take the same actions"
        gain = judged.total(judged.worth(values - made.values, identical=same))
        listed.append(
            {
                "subgroup": name,
                "difference": asdict(gain),
                "grouping_loss": _grouping_loss(judged, made.prob, codes, len(labels)),
            }
        )
    return found | {"groups": listed}


def _untied(judged: Judged) -> NDArray[np.float64]:
    """Return realised money with ties between units broken by their order, far below a cent.

    A limit that is priced leaves out all units that tie at its price; no two units tie here.
    """
    money = judged.stakes.realised
    size = float(np.abs(money).max()) or 1.0
    order = np.linspace(0.0, 1e-9 * size, len(money))
    out = money + order[:, None]
    idle = default_action(judged.decision)
    out[:, idle] = money[:, idle]
    return np.asarray(out, dtype=np.float64)


def promised_parts(judged: Judged) -> dict[str, Any]:
    """Split realised minus promised money into what probabilities and what amounts got wrong.

    With ``U(a, o)`` the money by predicted amounts: promised ``sum_o p(o) U(a, o)``, between
    ``U(a, o that happened)``, realised by the true amount. The first step is the probabilities',
    the second the amounts'.
    """
    decision, stakes = judged.decision, judged.stakes
    if not decision.data.known_later:
        return {"not_measured": "no amount is known only later"}
    if stakes.why_not_by_outcome:
        return {"not_measured": stakes.why_not_by_outcome}
    if stakes.expected is None or not stakes.cells:
        return {"not_measured": stakes.why_no_prob}
    codes, outcome = judged.first.codes, stakes.outcome
    between = np.zeros(len(stakes))
    for (a, o), money in stakes.cells.items():
        here = (codes == a) & (outcome == o)
        between[here] = np.broadcast_to(money, (len(stakes),))[here]
    promised = stakes.expected[np.arange(len(stakes)), codes]
    own = judged.before_fixed_costs(judged.first.policy.name)
    parts = {"probability": between - promised, "amount": own - between}
    return {
        name: asdict(
            judged.worth(x, identical="" if np.any(x) else "it is right on every row judged")
        )
        for name, x in parts.items()
    }


def _too_few(judged: Judged) -> str:
    hit = judged.stakes.outcome == judged.decision.positive_code
    rarer = int(min(hit.sum(), (~hit).sum()))
    if rarer < _FEWEST:
        return f"fewer than {_FEWEST} rows of the rarer outcome were judged"
    if len(np.unique(_folds(judged))) < _FOLDS:
        return f"the rows judged belong to too few clusters for {_FOLDS} folds"
    return ""


def _folds(judged: Judged) -> NDArray[np.int64]:
    """Return the fold of each row; rows of one cluster share theirs."""
    cluster = judged.stakes.cluster
    size = int(cluster.max()) + 1
    return generator(judged.seed, "recalibration folds").integers(_FOLDS, size=size)[cluster]


def _recalibrated(judged: Judged, folds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return cross-fitted isotonic probabilities, float64 (n, n_outcomes)."""
    stakes, positive = judged.stakes, judged.decision.positive_code
    prob = np.asarray(stakes.prob)
    p = prob[:, positive]
    hit = (stakes.outcome == positive).astype(np.float64)
    values = np.unique(p)
    if len(values) > _BINS:
        values = values[np.linspace(0, len(values) - 1, _BINS).astype(np.int64)]
    place = np.searchsorted(values[1:], p, side="right")
    size = len(values) * _FOLDS
    at = place * _FOLDS + folds
    total = np.bincount(at, weights=stakes.weight, minlength=size).reshape(-1, _FOLDS)
    hits = np.bincount(at, weights=stakes.weight * hit, minlength=size).reshape(-1, _FOLDS)
    new = np.empty(len(p))
    for k in range(_FOLDS):
        w = total.sum(axis=1) - total[:, k]
        seen = np.flatnonzero(w > 0)
        fitted = pooled((hits.sum(axis=1) - hits[:, k])[seen] / w[seen], w[seen])
        rows = folds == k
        new[rows] = np.interp(place[rows], seen, fitted)
    return _with_positive(prob, positive, new)


def _with_positive(
    prob: NDArray[np.float64], positive: int, new: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return probabilities with another one for the positive outcome; the rest keep their mix."""
    out = prob.copy()
    rest = 1 - prob[:, positive]
    others = out.shape[1] - 1
    scale = np.divide(1 - new, rest, out=np.zeros(len(new)), where=rest > 1e-12)
    out *= scale[:, None]
    out[rest <= 1e-12] = ((1 - new[rest <= 1e-12]) / others)[:, None]
    out[:, positive] = new
    return out


def _again(judged: Judged, prob: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Decide again by other probabilities; return money per unit and the share acted otherwise."""
    stakes = judged.stakes
    expected = expected_with(stakes, prob, len(judged.decision.actions))
    codes, fixed = greedy(judged.decision, stakes, expected, stakes.weight)
    differ = float(stakes.weight[codes != judged.first.codes].sum() / stakes.weight.sum())
    return policy_value(codes, stakes) - fixed, differ


def _by_group(
    judged: Judged, made: Recalibrated, codes: NDArray[np.int32], size: int
) -> NDArray[np.float64]:
    """Move the odds within each group by one Newton step of its intercept, learnt on other folds.

    A prior worth one row of even odds holds small groups to the common map.
    """
    stakes, positive = judged.stakes, judged.decision.positive_code
    prob, folds = made.prob, made.folds
    p = np.clip(prob[:, positive], 1e-6, 1 - 1e-6)
    off = stakes.weight * ((stakes.outcome == positive) - p)
    steep = stakes.weight * p * (1 - p)
    at = (codes.astype(np.int64) + 1) * _FOLDS + folds
    cells = (size + 1) * _FOLDS
    slope = np.bincount(at, weights=off, minlength=cells).reshape(-1, _FOLDS)
    bend = np.bincount(at, weights=steep, minlength=cells).reshape(-1, _FOLDS)
    step = (slope.sum(axis=1, keepdims=True) - slope) / (
        bend.sum(axis=1, keepdims=True) - bend + 0.25 * float(stakes.weight.mean())
    )
    step = np.clip(step, -3.0, 3.0)
    step[0] = 0.0  # the group is not known
    odds = p / (1 - p) * np.exp(step[codes.astype(np.int64) + 1, folds])
    return _with_positive(prob, positive, odds / (1 + odds))


def _grouping_loss(
    judged: Judged, prob: NDArray[np.float64], codes: NDArray[np.int32], size: int
) -> float:
    """Return the debiased lower bound of the grouping loss on the Brier scale."""
    stakes, positive = judged.stakes, judged.decision.positive_code
    p = prob[:, positive]
    hit = (stakes.outcome == positive).astype(np.float64)
    cuts = np.unique(np.quantile(p, np.linspace(0, 1, 11)[1:-1]))
    level = np.searchsorted(cuts, p, side="right")
    at = level * (size + 1) + codes.astype(np.int64) + 1
    cells = (len(cuts) + 1) * (size + 1)
    shape = (len(cuts) + 1, size + 1)
    w = np.bincount(at, weights=stakes.weight, minlength=cells).reshape(shape)
    s = np.bincount(at, weights=stakes.weight * hit, minlength=cells).reshape(shape)
    n = np.bincount(at, minlength=cells).reshape(shape)
    used = n > 1
    mean = np.divide(s, w, out=np.zeros(shape), where=w > 0)
    level_mean = s.sum(axis=1) / np.maximum(w.sum(axis=1), 1e-300)
    chance = mean * (1 - mean) / np.maximum(n - 1, 1)
    own = np.where(used, w * ((mean - level_mean[:, None]) ** 2 - chance), 0.0)
    level_chance = level_mean * (1 - level_mean) / np.maximum(n.sum(axis=1) - 1, 1)
    total = float(own.sum() + (w.sum(axis=1) * level_chance).sum())
    return max(0.0, total / float(stakes.weight.sum()))
