"""Fit on the fit part, choose on the choose part, judge on the judge part, write it all down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff import bundle, report
from payoff.declare import Decision
from payoff.declare.file import load
from payoff.errors import DeclarationError
from payoff.evidence.acted import Background
from payoff.evidence.evidence import Evidence
from payoff.evidence.judge import judge
from payoff.evidence.optimism import Step, cross_fitted_choice, tuned_threshold
from payoff.load.dataset import Dataset
from payoff.model import amounts as amount_models
from payoff.model import calibrate
from payoff.model.calibrate import Calibrator
from payoff.model.kinds import Classifier, trainer_of
from payoff.model.scored import Scored
from payoff.policy.automate import with_strangers
from payoff.policy.choose import (
    Candidate,
    actions_of,
    best_policy,
    choose_candidate,
    cross_fitted_threshold,
    earned,
    paired,
    policies,
    policy_value,
)
from payoff.policy.policy import Policy
from payoff.policy.stakes import Choosing, Stakes, stakes_to_choose, stakes_to_judge
from payoff.progress import Progress, silent
from payoff.rng import generator
from payoff.workflow import arms, automating, corpora
from payoff.workflow.documents import documents_tried
from payoff.workflow.rows import Checked, check, data_facts
from payoff.workflow.scoring import score
from payoff.workflow.slices import slices_of
from payoff.workflow.trained import Outcome, Trained, candidate_rows

__all__ = ["Outcome", "run"]

#: Rows the finished model is asked about again to see what judging it on them would flatter.
_MOST_ASKED_AGAIN: Final = 100_000


def run(
    decision: str | Path | Decision,
    data: Any = None,
    *,
    out: str | Path | None = None,
    force: bool = False,
    pages: bool = True,
    progress: Progress = silent,
) -> Outcome:
    """Train, choose, judge, bundle and report one decision.

    Parameters
    ----------
    decision
        Path of ``decision.toml``, or a :class:`~payoff.declare.Decision`.
    data
        Path, pattern, SQL or frame that replaces the declared source.
    out
        Folder of the bundle; None writes nothing.
    force
        Replace an earlier bundle at ``out``.
    pages
        Whether the report, the model card and the decision record go with it.
    progress
        Told after each step.

    Returns
    -------
    Outcome
        ``evidence`` and ``folder``.

    Raises
    ------
    PayoffError
        With the reason and the mend; nothing is written then.
    """
    declared = decision if isinstance(decision, Decision) else load(decision)
    if declared.kind == "predictions":
        raise DeclarationError.not_trained_here()
    if out is not None:
        bundle.check_target(Path(out), force=force)
    if declared.kind == "recommend":
        from payoff.workflow import recommending

        return recommending.run_lists(
            decision, data, out=out, force=force, pages=pages, progress=progress
        )
    progress("read and check", 0, 1)
    checked = check(decision, data)
    progress("read and check", 1, 1, f"{len(checked.data):,} rows")
    # From here on documents are read part by part: those of all rows would be held twice.
    bare = checked.data.table.drop_columns(list(checked.decision.data.text))
    checked = replace(checked, data=replace(checked.data, table=bare))
    trained = _train(checked, progress)
    trained = documents_tried(checked, trained, progress)
    progress("judge", 0, 1)
    evidence = _judge(checked, trained)
    progress("judge", 1, 1, f"{len(checked.parts.judge):,} rows")
    if out is None:
        return Outcome(evidence=evidence, folder=None)
    folder = bundle.write(
        out,
        decision=checked.decision,
        contract=checked.parts.contract,
        policy=trained.policies[0],
        calibrator=trained.calibrator,
        evidence=evidence,
        model=trained.model,
        amounts=trained.amounts,
        documents=lambda own_id: report.documents(evidence, bundle={"id": own_id}) if pages else {},
        force=force,
    )
    progress("write", 1, 1, str(folder))
    return Outcome(evidence=evidence, folder=folder)


def _train(checked: Checked, progress: Progress) -> Trained:
    """Fit on the fit part, choose on the choose part; the judge part is not touched."""
    decision, parts = checked.decision, checked.parts
    if decision.past is not None and not decision.past.selected:
        return arms.train(checked, progress)
    seed = decision.training.seed
    trainer = trainer_of(decision.learnt_as)
    crossed = trainer.cross_fit(
        parts.fit,
        parts.contract,
        decision.training.candidates,
        folds=decision.training.folds,
        seed=seed,
        progress=progress,
    )
    held_out: Mapping[tuple[str, str], NDArray[np.float64]] = {}
    amounts = None
    if amount_models.needs(decision):
        ordinary = parts.contract.without_documents()
        known_later = amount_models.cross_fit(
            parts.fit, ordinary, folds=crossed.folds, seed=seed, progress=progress
        )
        held_out = known_later.amounts
        amounts = amount_models.fit(
            parts.fit, ordinary, seed=seed, progress=progress, crossed=known_later
        )
    at_stake = {
        name: stakes_to_choose(parts.fit, replace(scored, amounts=held_out))
        for name, scored in crossed.scored.items()
    }
    best, candidates = choose_candidate(at_stake, decision)
    model = trainer.fit(parts.fit, parts.contract, best, seed=seed, progress=progress)
    choosing, testing = automating.halves(parts.choose)
    looks = decision.text.unfamiliar > 0
    plain = Calibrator.raw(len(decision.outcomes))
    raw = score(model, amounts, plain, choosing, familiar=looks)
    known = choosing.take(choosing.outcome >= 0, "choose")
    seen = raw if len(known) == len(raw) else score(model, amounts, plain, known)
    calibrator, calibration = _calibrate(decision, known, seen)
    progress("choose", 0, 1)
    chosen = stakes_to_choose(choosing, replace(raw, prob=calibrator.apply(raw.prob)))
    ranked = with_strangers(
        decision, _recommend(decision, chosen), automating.stranger_threshold(decision, chosen)
    )
    guarantee: Mapping[str, Any] = {}
    if testing is not None:
        unseen = stakes_to_choose(
            testing, score(model, amounts, calibrator, testing, familiar=looks)
        )
        ranked, guarantee = automating.with_automation(decision, ranked, chosen, unseen)
    progress("choose", 1, 1, ranked[0].label)
    record = {
        "name": best,
        "label": model.describe()["algorithm"],
        "candidates": candidate_rows(
            decision,
            candidates,
            at_stake,
            {name: one.source for name, one in crossed.scored.items()},
            {name: _log_loss(one.prob, parts.fit) for name, one in crossed.scored.items()},
            best,
        ),
        "failures": [{"name": k, "reason": v} for k, v in crossed.failures.items()],
        "calibration": calibration,
        "amounts": amounts.describe() if amounts else [],
        "description": model.describe() | {"positive": decision.positive},
        "folds": decision.training.folds,
    }
    steps = _tuned(decision, model, amounts, parts.fit, candidates, crossed.folds, at_stake[best])
    threshold = tuned_threshold(decision, chosen, seed=seed)
    return Trained(
        model=model,
        amounts=amounts,
        calibrator=calibrator,
        policies=tuple(ranked),
        record=record,
        judging=score(model, amounts, calibrator, parts.judge, familiar=looks),
        guarantee=guarantee,
        tuned=(*steps, threshold) if threshold else steps,
        corpus=corpora.measure(
            parts.fit,
            parts.contract,
            trainer,
            replace(crossed.scored[best], amounts=held_out),
            best,
            progress=progress,
        ),
    )


def _tuned(
    decision: Decision,
    model: Classifier,
    amounts: amount_models.AmountModel | None,
    fit: Dataset,
    candidates: Mapping[str, Candidate],
    fold: NDArray[np.int64],
    held_out: Stakes,
) -> tuple[Step, ...]:
    """Return what learning and the choice among candidates would have flattered.

    The model is asked again about the rows it learnt from; of very many, about the first so many.
    """
    per_unit = {name: c.per_unit for name, c in candidates.items()}
    honest = per_unit[model.name]
    own = fit
    if len(fit) > _MOST_ASKED_AGAIN:
        rows = np.sort(
            generator(decision.training.seed, "asked again").choice(
                len(fit), _MOST_ASKED_AGAIN, replace=False
            )
        )
        own, honest = fit.take(rows, fit.part), honest[rows]
    raw = score(model, amounts, Calibrator.raw(len(decision.outcomes)), own)
    seen = stakes_to_choose(own, raw)
    steps = [
        Step(name="learning", stakes=seen, apparent=_by_expected(decision, seen), honest=honest)
    ]
    if len(per_unit) > 1:
        steps.append(
            Step(
                name="model",
                stakes=held_out,
                apparent=per_unit[model.name],
                honest=cross_fitted_choice(per_unit, held_out.weight, fold),
            )
        )
    return tuple(steps)


def _log_loss(prob: NDArray[np.float64], data: Dataset) -> float:
    known = data.outcome >= 0
    p = prob[known, data.outcome[known]]
    return float(np.average(-np.log(np.maximum(p, 1e-15)), weights=data.weight[known]))


def _calibrate(
    decision: Decision, choose: Dataset, raw: Scored
) -> tuple[Calibrator, dict[str, Any]]:
    """Choose a calibration by log-loss, and keep the raw scores where it would cost money.

    Both are cross-fitted within the choosing part, so no row is scored by a map it helped to make.
    """
    kind = decision.training.calibration
    seed = decision.training.seed
    if kind != "auto":
        fitted = Calibrator.fit(kind, raw.prob, choose.outcome, choose.weight)
        return fitted, {"kind": kind, "reason": "set in [training]", "kinds": []}
    calibrator, record = calibrate.choose(
        raw.prob,
        choose.outcome,
        choose.weight,
        folds=decision.training.folds,
        seed=seed,
        cluster=choose.cluster,
    )
    record = {"kind": calibrator.kind, **record}
    if calibrator.kind == "raw":
        return calibrator, record
    held_out = calibrate.cross_fitted(
        calibrator.kind,
        raw.prob,
        choose.outcome,
        choose.weight,
        folds=decision.training.folds,
        seed=seed,
        cluster=choose.cluster,
    )
    before = stakes_to_choose(choose, raw)
    after = stakes_to_choose(choose, replace(raw, prob=held_out))
    gain = paired(_by_expected(decision, after), _by_expected(decision, before), before)
    record["money"] = {
        **asdict(gain),
        "unit": decision.value_unit,
    }
    if gain.difference < 0:
        reason = (
            f"{record['reason']} But acting on them would have earned {-gain.difference:.4g} "
            f"{decision.currency} less per {decision.unit} on the choosing rows, so the raw "
            "probabilities are kept."
        )
        return Calibrator.raw(len(decision.outcomes)), record | {"kind": "raw", "reason": reason}
    return calibrator, record


def _by_expected(decision: Decision, at_stake: Stakes) -> NDArray[np.float64]:
    policy = best_policy(decision, at_stake)
    return earned(decision, policy, actions_of(policy, at_stake), at_stake)


def _recommend(decision: Decision, chosen: Choosing) -> list[Policy]:
    """Put the recommended policy first: expected money, unless a threshold clearly earns more.

    The threshold is compared by its cross-fitted value, so that its own tuning does not flatter it.
    """
    found = policies(decision, chosen)
    if not any(p.name == "threshold" for p in found):
        return found
    tuned = policy_value(
        cross_fitted_threshold(chosen, decision, seed=decision.training.seed), chosen
    )
    by_money = policy_value(actions_of(found[0], chosen), chosen)
    gain = paired(tuned, by_money, chosen)
    bound = found[0].bounds or any(a.fixed_cost for a in decision.actions)
    if not bound and gain.difference > 2 * gain.standard_error > 0:
        found.sort(key=lambda p: p.name != "threshold")
    return found


def _judge(checked: Checked, trained: Trained) -> Evidence:
    decision, parts = checked.decision, checked.parts
    fit_facts = parts.how["parts"]["fit"]
    how, corpus = parts.how, checked.corpus
    if trained.corpus is not None:
        how, corpus = trained.corpus.in_split(how), trained.corpus.in_corpus(corpus)
    return judge(
        decision,
        stakes_to_judge(parts.judge, trained.judging),
        trained.policies,
        recommended=trained.policies[0].name,
        subgroups=parts.judge.subgroups,
        background=Background(
            data=data_facts(checked.source, checked.data, how, parts.dropped, corpus),
            model=trained.record,
            checks=checked.checks,
            fit_shares=fit_facts["outcome_share"],
            fit_n=fit_facts["n"],
            choose_shares=parts.how["parts"]["choose"]["outcome_share"],
            tuned=trained.tuned,
            slices=slices_of(parts, trained.model, trained.judging)
            if isinstance(trained.judging, Scored)
            else None,
            trials=trained.trials,
            examples=trained.examples,
            seed=decision.training.seed,
            guarantee=trained.guarantee,
        ),
    )
