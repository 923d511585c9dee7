"""Judging predictions made elsewhere: probabilities, one score, or the actions themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from payoff.columns import ACTION, PROBABILITY, SCORE, probability_of
from payoff.declare import Decision
from payoff.declare import checks as declare_checks
from payoff.declare.file import load
from payoff.engine.scan import Scan
from payoff.errors import DataError, DeclarationError, EvidenceError
from payoff.evidence.acted import Acted, Background
from payoff.evidence.evidence import Evidence
from payoff.evidence.judge import judge
from payoff.evidence.optimism import tuned_threshold
from payoff.load.dataset import Dataset
from payoff.load.frame import codes_of, is_numeric, numbers
from payoff.load.roles import assign
from payoff.load.source import files_of, fingerprint_of, label_of, read
from payoff.load.split import describe_part, judgeable
from payoff.model import amounts as amount_models
from payoff.model import calibrate
from payoff.model.scored import Scored, ScoredArms
from payoff.policy.choose import (
    TunedThresholds,
    baselines,
    tuned_thresholds,
    untuned,
)
from payoff.policy.policy import Policy
from payoff.policy.stakes import Judging, stakes_to_judge
from payoff.progress import Progress, silent
from payoff.workflow import one_pass
from payoff.workflow.cells import Predicted
from payoff.workflow.one_pass import recorded_policy
from payoff.workflow.rows import data_facts, open_rows

__all__ = ["judge_predictions", "probabilities", "recorded", "without_features"]

_WANTED_ARMS: Final = (
    "with [past], an action column, or one column per outcome and action, such as "
    "y_prob_<outcome>_<action>: a probability that is the same for every action cannot tell them "
    "apart"
)


def judge_predictions(
    decision: str | Path | Decision,
    predictions: Any,
    *,
    probability: Mapping[str, str] | None = None,
    score: str | None = None,
    action: str | None = None,
    path: Literal["auto", "rows", "cells"] = "auto",
    progress: Progress = silent,
) -> Evidence:
    """Judge predictions made elsewhere, from probabilities, from one score, or from actions alone.

    Probabilities and actions need no tuning, so every row judges. A score that is no probability is
    turned into one by isotonic regression, cross-fitted in five folds; so is the threshold policy.

    Parameters
    ----------
    predictions
        Rows with the outcome, the columns money reads, and the predictions.
    path
        ``"rows"`` holds the rows in memory; ``"cells"`` sums over them, out of core, and
        judges from sums; ``"auto"`` takes cells from 2,000,000 rows on, where they can answer.
    probability, score, action
        Columns of the predictions; found by name (``y_prob_<outcome>``, ``y_prob``, ``y_score``,
        ``action``) or in ``[predictions]`` when not given.

    Raises
    ------
    EvidenceError
        ``PAY-E002`` not probabilities, ``PAY-E003`` unknown action, ``PAY-E004`` no predictions.
    """
    declared = decision if isinstance(decision, Decision) else load(decision)
    if declared.kind == "recommend":
        raise DeclarationError.lists_not_rows()
    declared = _as_asked(declared, probability, score, action)
    if path != "rows":
        found = _one_pass(declared, predictions, progress, forced=path == "cells")
        if found is not None:
            return found
    decision, source = open_rows(declared, predictions)
    progress("read and check", 0, 1)
    columns = _prediction_columns(decision, source.table.column_names)
    decision = without_features(decision, source.table.column_names)
    rows = assign(source, decision)
    known = np.flatnonzero(judgeable(rows) & (rows.weight > 0))
    dropped = []
    if len(known) < len(rows):
        dropped.append(
            {"reason": "the outcome is not known, or the weight is 0", "n": len(rows) - len(known)}
        )
    data = rows.take(known, "judge")
    if len(data) == 0:
        raise DataError.empty(source.name, "no row whose outcome is known")
    progress("read and check", 1, 1, f"{len(data):,} rows")
    how = {
        "method": "none",
        "reason": "the predictions were made elsewhere; payoff takes it that none of these rows "
        "helped to fit or tune what predicted them",
        "parts": {"judge": describe_part(data)},
    }
    kind, columns_used = columns
    progress("judge", 0, 1, kind)
    acted, at_stake, note, tuned = _foreign(decision, data, kind, columns_used)
    threshold = tuned_threshold(decision, at_stake, seed=decision.training.seed, tuned=tuned)
    background = Background(
        tuned=(threshold,) if threshold else (),
        data=data_facts(source, rows, how, dropped)
        | {"predictions": {"kind": kind, "columns": dict(columns_used)}},
        model={"not_measured": note},
        checks=declare_checks.check(decision),
        seed=decision.training.seed,
    )
    evidence = judge(
        decision,
        at_stake,
        acted,
        recommended=(acted[0].policy if isinstance(acted[0], Acted) else acted[0]).name,
        subgroups=data.subgroups,
        background=background,
    )
    progress("judge", 1, 1)
    return evidence


def _as_asked(
    decision: Decision,
    probability: Mapping[str, str] | None,
    score: str | None,
    action: str | None,
) -> Decision:
    """Let the columns named in the call replace those declared."""
    declared = decision.predictions
    given = bool(probability or score or action)
    return replace(
        decision,
        predictions=replace(
            declared,
            probability=probability or ({} if given else declared.probability),
            score=score or (None if given else declared.score),
            action=action or (None if given else declared.action),
        ),
    )


def _one_pass(
    decision: Decision, predictions: Any, progress: Progress, *, forced: bool
) -> Evidence | None:
    """Judge from cells where that is asked for, or the rows are many; None leaves it to rows."""
    files = files_of(predictions)
    if not (forced or _many(predictions, files)):
        return None
    if files:
        scan = Scan(files)
        name, fingerprint = label_of(str(predictions), files), ""
    else:
        source = read(predictions, database=decision.data.database)
        scan = Scan(table=source.table)
        name, fingerprint = source.name, source.fingerprint
    kind, columns = _prediction_columns(decision, list(scan.types))
    asked = Predicted(
        decision=without_features(decision, list(scan.types)),
        scan=scan,
        name=name,
        fingerprint=fingerprint,
        kind=kind,
        columns=columns,
    )
    against = one_pass.unfit(asked)
    if against:
        if forced:
            raise EvidenceError.needs_rows(against)
        progress("read and check", 0, 1, f"single rows, because of {against}")
        return None
    if files:
        progress("fingerprint", 0, 1)
        asked = replace(asked, fingerprint=fingerprint_of(files))
        progress("fingerprint", 1, 1, name)
    why = "as asked for" if forced else f"{one_pass.MANY:,} rows or more"
    return one_pass.judge_in_one_pass(asked, why, progress)


def _many(predictions: Any, files: Sequence[Path]) -> bool:
    """Whether there are so many rows that cells are the default."""
    if not files:
        size = getattr(predictions, "num_rows", None)
        if (
            size is None
            and not isinstance(predictions, str | Path)
            and hasattr(predictions, "shape")
        ):
            size = predictions.shape[0]
        return isinstance(size, int) and size >= one_pass.MANY
    if sum(f.stat().st_size for f in files) < one_pass.MANY:  # a byte a row is the least
        return False
    try:
        return Scan(files).rows() >= one_pass.MANY
    except (DataError, OSError, pa.ArrowException):
        return False  # reading the rows tells what is wrong


def without_features(decision: Decision, columns: Sequence[str]) -> Decision:
    """Drop what only training needs, so that a slim file of predictions can be judged."""
    names = set(columns)
    data = decision.data
    keep = {c: r for c, r in data.exclude.items() if c in names}
    return replace(
        decision,
        kind="predictions",
        data=replace(
            data,
            features=None,
            exclude=keep,
            part=data.part if data.part in names else None,
            time=data.time if data.time in names else None,
            unit_id=data.unit_id if data.unit_id in names else None,
        ),
    )


def _prediction_columns(decision: Decision, names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return what the predictions are, and outcome or role -> column."""
    declared = decision.predictions
    by_outcome = {
        o: probability_of(o) for o in decision.outcome_names if probability_of(o) in names
    }

    def named(role: str, column: str) -> dict[str, str]:
        return {role: column} if column in names else {}

    by_action = _by_action(decision, names)
    for kind, columns in (
        ("arms", by_action),
        ("action", {"action": declared.action} if declared.action else {}),
        ("probability", dict(declared.probability)),
        ("score", {"score": declared.score} if declared.score else {}),
        ("probability", by_outcome or named(str(decision.positive), PROBABILITY)),
        ("score", named("score", SCORE)),
        ("action", {} if _is_past(decision, ACTION) else named("action", ACTION)),
    ):
        if columns:
            return kind, columns
    if decision.past is not None and not decision.past.selected:
        raise EvidenceError.no_predictions(names, _WANTED_ARMS)
    wanted = (
        f"{probability_of(decision.outcome_names[0])} (or {PROBABILITY}, the probability of "
        f"{decision.positive!r}), {SCORE}, or {ACTION}"
    )
    raise EvidenceError.no_predictions(names, f"a column named {wanted}")


def _is_past(decision: Decision, column: str) -> bool:
    """Whether a column says what was done, not what a policy would do."""
    return decision.past is not None and decision.past.action == column


def _by_action(decision: Decision, names: Sequence[str]) -> dict[str, str]:
    """Return "outcome under action" -> column, where every action has its probabilities."""
    past = decision.past
    if past is None or past.selected or decision.predictions.action:
        return {}
    found = {
        f"{o} under {a}": probability_of(o, a)
        for a in decision.action_names
        for o in decision.outcome_names
        if probability_of(o, a) in names
    }
    each = [sum(k.endswith(f" under {a}") for k in found) for a in decision.action_names]
    return found if min(each) >= len(decision.outcomes) - 1 else {}


def _foreign(
    decision: Decision, data: Dataset, kind: str, columns: Mapping[str, str]
) -> tuple[list[Policy | Acted], Judging, str, TunedThresholds | None]:
    for role, column in columns.items():
        if column not in data.table.column_names:
            raise DataError.missing_column(column, f"the {kind} ({role})", data.table.column_names)
    if kind == "action":
        return *_foreign_actions(decision, data, columns["action"]), None
    causal = decision.past is not None and not decision.past.selected
    if causal and kind != "arms":
        raise EvidenceError.no_predictions(data.table.column_names, _WANTED_ARMS)
    known_later = decision.data.known_later and amount_models.needs(decision)
    if known_later:
        raise EvidenceError.no_predictions(
            data.table.column_names,
            "an action column: money of this decision is known only later, and its expected amount "
            "is not among the predictions",
        )
    if kind == "arms":
        at_stake = stakes_to_judge(data, _arms(decision, data))
        note = "the probabilities of each outcome under each action were made elsewhere"
        return list(untuned(decision, at_stake)), at_stake, note, None
    if kind == "score":
        prob = _from_score(decision, data, columns["score"])
        note = (
            f"the scores in column {columns['score']!r} were made elsewhere; payoff turned them "
            "into probabilities by isotonic regression, cross-fitted in five folds"
        )
    else:
        prob = probabilities(decision, data, columns)
        note = f"the probabilities ({', '.join(columns.values())}) were made elsewhere"
    at_stake = stakes_to_judge(data, Scored(prob=prob, part="judge", source="made elsewhere"))
    found: list[Policy | Acted] = []
    tuned = None
    for policy in untuned(decision, at_stake):
        if policy.name != "threshold":
            found.append(policy)
        elif not policy.bounds:
            tuned = tuned_thresholds(at_stake, decision, seed=decision.training.seed)
            how = "One threshold on the probability; tuned on four fifths, used on the other fifth."
            found.append(Acted(policy=replace(policy, how=how, threshold=None), codes=tuned.codes))
    return found, at_stake, note, tuned


def _arms(decision: Decision, data: Dataset) -> ScoredArms:
    """Read the probabilities of every outcome under every action."""
    names = data.table.column_names
    prob = [
        probabilities(
            decision,
            data,
            {
                o: probability_of(o, a)
                for o in decision.outcome_names
                if probability_of(o, a) in names
            },
        )
        for a in decision.action_names
    ]
    return ScoredArms(
        prob=np.stack(prob, axis=1),
        part="judge",
        amounts=tuple({} for _ in decision.action_names),
        source="made elsewhere",
    )


def _foreign_actions(
    decision: Decision, data: Dataset, column: str
) -> tuple[list[Policy | Acted], Judging, str]:
    taken = recorded(decision, data, column)
    at_stake = stakes_to_judge(data, None)
    policy = recorded_policy(decision, column)
    found: list[Policy | Acted] = [Acted(policy=policy, codes=taken), *baselines(decision)]
    return found, at_stake, f"only actions were given (column {column!r}), no probabilities"


def recorded(decision: Decision, data: Dataset, column: str) -> NDArray[np.int16]:
    """Return the actions written in a column.

    Raises
    ------
    EvidenceError
        ``PAY-E003`` for a value that is no declared action.
    """
    codes, labels = codes_of(data.table.column(column))
    names = decision.action_names
    place = np.array([names.index(v) if v in names else -2 for v in labels] + [-2], dtype=np.int16)
    taken: NDArray[np.int16] = place[codes]
    if (taken < 0).any():
        strange = [v for v in labels if v not in names] or ["(missing)"]
        raise EvidenceError.unknown_action(column, strange, int((taken < 0).sum()), names)
    return taken


def probabilities(
    decision: Decision, data: Dataset, columns: Mapping[str, str]
) -> NDArray[np.float64]:
    """Return the probabilities (n, n_outcomes) written in columns.

    Raises
    ------
    EvidenceError
        ``PAY-E002`` for what is no probability, ``PAY-E004`` when an outcome has none.
    """
    names = decision.outcome_names
    out = np.full((len(data), len(names)), np.nan, order="F")  # read an outcome at a time
    for outcome, column in columns.items():
        values = data.table.column(column)
        if not is_numeric(values.type):
            raise DataError.bad_column(
                column,
                f"the probability of {outcome!r}",
                f"values of type {values.type}",
                "numbers",
            )
        out[:, names.index(outcome)] = numbers(values)
    missing = [k for k, n in enumerate(names) if n not in columns]
    if len(missing) == 1:
        others = [k for k in range(len(names)) if k != missing[0]]
        out[:, missing[0]] = 1 - out[:, others].sum(axis=1)
    elif missing:
        raise EvidenceError.no_predictions(
            data.table.column_names, f"probabilities of {', '.join(names[k] for k in missing)} too"
        )
    given = ", ".join(columns.values())
    blank = ~np.isfinite(out).all(axis=1)
    if blank.any():
        raise EvidenceError.bad_probabilities(
            f"missing values in {given}",
            int(blank.sum()),
            "a number in every row",
            "Predict every row, or leave those rows out",
        )
    outside = ((out < -1e-9) | (out > 1 + 1e-9)).any(axis=1)
    if outside.any():
        first = int(np.flatnonzero(outside)[0])
        raise EvidenceError.bad_probabilities(
            f"{out[first].round(6).tolist()} in row {first + 1:,} ({given})",
            int(outside.sum()),
            "probabilities from 0 to 1",
            "Divide percentages by 100; give a score that is no probability with --score",
        )
    off = np.abs(out.sum(axis=1) - 1) > 1e-3
    if off.any():
        first = int(np.flatnonzero(off)[0])
        raise EvidenceError.bad_probabilities(
            f"a sum of {out[first].sum():.4g} in row {first + 1:,}",
            int(off.sum()),
            "probabilities of all outcomes that sum to 1",
            "Normalise them",
        )
    clipped = np.clip(out, 0, 1)
    normal: NDArray[np.float64] = clipped / clipped.sum(axis=1, keepdims=True)
    return normal


def _from_score(decision: Decision, data: Dataset, column: str) -> NDArray[np.float64]:
    values = data.table.column(column)
    if not is_numeric(values.type):
        raise DataError.bad_column(column, "the score", f"values of type {values.type}", "numbers")
    if len(decision.outcomes) != 2:
        raise EvidenceError.no_predictions(
            data.table.column_names, "a probability per outcome: one score orders two outcomes only"
        )
    score = numbers(values)
    if not np.isfinite(score).all():
        raise EvidenceError.bad_probabilities(
            f"missing or infinite values in {column}",
            int((~np.isfinite(score)).sum()),
            "a number in every row",
            "Score every row, or leave those rows out",
        )
    ranks = np.unique(score, return_inverse=True)[1]
    scaled = (ranks + 0.5) / (ranks.max() + 1)
    prob = np.empty((len(data), 2))
    prob[:, decision.positive_code] = scaled
    prob[:, 1 - decision.positive_code] = 1 - scaled
    return calibrate.cross_fitted(
        "isotonic", prob, data.outcome, data.weight, folds=5, seed=decision.training.seed
    )
