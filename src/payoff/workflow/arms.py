"""Training where acting changes what happens: one model of the outcomes per action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.evidence.optimism import Step, cross_fitted_choice
from payoff.load.dataset import Dataset
from payoff.model import arms, calibrate
from payoff.model.arms import ArmModels, Assignment
from payoff.model.calibrate import Calibrator
from payoff.model.folds import assign_folds
from payoff.model.scored import ScoredArms
from payoff.policy.choose import choose_candidate, policies
from payoff.policy.stakes import stakes_to_choose
from payoff.progress import Progress
from payoff.workflow.rows import Checked
from payoff.workflow.trained import Trained, candidate_rows

__all__ = ["score", "train"]


def score(model: ArmModels, how: Assignment | None, data: Dataset) -> ScoredArms:
    """Return predictions under every action, and how the features tell what was done."""
    scored = model.predict_table(data.table, data.part)
    if how is None:
        return scored
    return replace(scored, assignment=how.model.predict_table(data.table))


def train(checked: Checked, progress: Progress) -> Trained:
    """Fit one model per action on the fit part, choose on the choose part.

    Candidates are compared by the doubly robust value of the policy they imply; each action's
    probabilities are calibrated by log-loss on the choosing rows that got it.
    """
    decision, parts = checked.decision, checked.parts
    seed, folds = decision.training.seed, decision.training.folds
    how = _assignment(checked)
    crossed = arms.cross_fit(
        parts.fit,
        parts.contract,
        decision.training.candidates,
        folds=folds,
        seed=seed,
        progress=progress,
    )
    fitted = None if how is None else how.fitted
    scored = {k: replace(v, assignment=fitted) for k, v in crossed.scored.items()}
    at_stake = {name: stakes_to_choose(parts.fit, one) for name, one in scored.items()}
    best, candidates = choose_candidate(at_stake, decision)
    raw = arms.fit(parts.fit, parts.contract, best, seed=seed, progress=progress, crossed=crossed)
    model, calibration = _calibrated(decision, raw, parts.choose)
    progress("choose", 0, 1)
    ranked = policies(decision, stakes_to_choose(parts.choose, score(model, how, parts.choose)))
    progress("choose", 1, 1, ranked[0].label)
    per_unit = {name: c.per_unit for name, c in candidates.items()}
    steps: tuple[Step, ...] = ()
    if len(per_unit) > 1:
        fold = assign_folds(parts.fit.outcome, parts.fit.cluster, folds, seed, "choice")
        honest = cross_fitted_choice(per_unit, parts.fit.weight, fold)
        steps = (Step(name="model", stakes=at_stake[best], apparent=per_unit[best], honest=honest),)
    losses = {name: _log_loss(one, parts.fit) for name, one in scored.items()}
    labels = {name: one.source for name, one in scored.items()}
    description = model.describe()
    record = {
        "name": best,
        "label": description["algorithm"],
        "candidates": candidate_rows(decision, candidates, at_stake, labels, losses, best),
        "failures": [{"name": k, "reason": v} for k, v in crossed.failures.items()],
        "calibration": calibration,
        "amounts": _amounts(model),
        "description": description | {"positive": decision.positive},
        "folds": folds,
    }
    return Trained(
        model=model,
        amounts=None,
        calibrator=Calibrator.raw(len(decision.outcomes)),
        policies=tuple(ranked),
        record=record,
        judging=score(model, how, parts.judge),
        tuned=steps,
    )


def _assignment(checked: Checked) -> Assignment | None:
    """Model the action taken; with known probabilities that is only a check, and may be left out.

    Raises
    ------
    DataError
        ``PAY-L008`` when one action only was taken and its probability is to be modelled.
    """
    decision, parts = checked.decision, checked.parts
    logged, past = parts.fit.logged, decision.past
    if logged is None or past is None:
        return None
    if past.how != "modelled" and len(np.unique(logged.taken)) < 2:
        return None
    settings = decision.training
    return arms.assignment(parts.fit, parts.contract, folds=settings.folds, seed=settings.seed)


def _calibrated(
    decision: Decision, model: ArmModels, choose: Dataset
) -> tuple[ArmModels, dict[str, Any]]:
    """Calibrate each action's model on the choosing rows that got the action."""
    own: dict[int, int] = {}
    for action, place in enumerate(model.use):
        own.setdefault(place, action)
    made, records = [], []
    for place, arm in enumerate(model.arms):
        rows = arms.arm_rows(choose, own[place])
        prob = arm.model.predict_table(choose.table)
        label = decision.action_label(model.actions[own[place]])
        calibrator, record = _calibrator(decision, prob, rows)
        made.append(replace(arm, calibrator=calibrator))
        records.append({"action": label, **record})
    kinds = [str(r["kind"]) for r in records]
    said = " ".join(f"{r['action']}: {r['reason']}" for r in records)
    return replace(model, arms=tuple(made)), {
        "kind": kinds[0] if len(set(kinds)) == 1 else "one per action",
        "reason": said,
        "kinds": [],
        "by_action": records,
    }


def _calibrator(
    decision: Decision, prob: NDArray[np.float64], rows: Dataset
) -> tuple[Calibrator, Mapping[str, Any]]:
    kind = decision.training.calibration
    if kind != "auto":
        fitted = Calibrator.fit(kind, prob, rows.outcome, rows.weight)
        return fitted, {"kind": kind, "reason": "set in [training]."}
    found, record = calibrate.choose(
        prob,
        rows.outcome,
        rows.weight,
        folds=decision.training.folds,
        seed=decision.training.seed,
        cluster=rows.cluster,
    )
    return found, {"kind": found.kind, **record}


def _amounts(model: ArmModels) -> Sequence[Mapping[str, Any]]:
    """Return what is told of each amount; its outcome names the action too."""
    own: dict[int, str] = {}
    for action, place in enumerate(model.use):
        own.setdefault(place, model.actions[action])
    return [
        {**told, "action": own[place]}
        for place, arm in enumerate(model.arms)
        if arm.amounts is not None
        for told in arm.amounts.describe()
    ]


def _log_loss(scored: ScoredArms, data: Dataset) -> float:
    """Return the log-loss of the outcomes that happened, under the action that was taken."""
    logged = data.logged
    if logged is None:
        return float("nan")
    known = np.flatnonzero(data.outcome >= 0)
    p = scored.prob[known, logged.taken[known], data.outcome[known]]
    return float(np.average(-np.log(np.maximum(p, 1e-15)), weights=data.weight[known]))
