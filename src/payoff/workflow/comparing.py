"""Several models or policies, judged on rows that none of them has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.bundle import Bundle
from payoff.declare import Decision
from payoff.declare.file import load
from payoff.errors import DataError, DeclarationError, EvidenceError
from payoff.evidence.acted import Acted
from payoff.evidence.contest import Compared, contest
from payoff.evidence.limits import kept_to
from payoff.load.dataset import Dataset
from payoff.load.frame import codes_of
from payoff.load.roles import assign
from payoff.load.source import Source, read
from payoff.load.split import split
from payoff.model.scored import Scored, ScoredArms
from payoff.policy.choose import actions_of, baselines, best_policy
from payoff.policy.policy import Policy
from payoff.policy.stakes import stakes_to_judge
from payoff.progress import Progress, silent
from payoff.workflow.predictions import probabilities, recorded, without_features
from payoff.workflow.scoring import score

__all__ = ["compare"]

_FEWEST = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Entry:
    """One contestant: a bundle, or a column of predictions or of actions."""

    name: str
    bundle: Bundle | None = None
    column: str | None = None


def compare(
    *contestants: str | Path,
    data: Any = None,
    decision: str | Path | Decision | None = None,
    progress: Progress = silent,
) -> Compared:
    """Compare models or policies on the same rows, paired.

    Parameters
    ----------
    contestants
        Two or more of: the folder of a bundle; ``name=folder`` to call it so; ``name=column``, a
        column of ``data`` with the probability of the positive outcome or with actions.
    data
        Path, pattern, SQL or frame with the rows; the source that the decision declares when left
        out.
    decision
        The declaration whose money judges; the first bundle's when left out.
    progress
        Told after each step.

    Returns
    -------
    Compared

    Raises
    ------
    EvidenceError
        ``PAY-E008`` for a contest that cannot be held.
    PayoffError
        As for reading bundles and rows.

    Notes
    -----
    Rows that fitted or chose any of the bundles do not judge: where a bundle was made from these
    very rows (same fingerprint), only its judging part takes part, and the parts of several bundles
    are intersected. Every policy decides as it would in use, by its own declaration; the money of
    all is counted by one.
    """
    progress("read and check", 0, 1)
    entries = _entries(contestants)
    judging, source = _rows(entries, data, decision)
    rows = assign(source, judging)
    kept, facts = _common(entries, source, rows)
    common = rows.take(kept, "judge")
    progress("read and check", 1, 1, f"{len(common):,} rows judge")
    acted = []
    for number, entry in enumerate(entries):
        progress("decide", number, len(entries), entry.name)
        acted.append(_act(entry, judging, common, source, kept))
    progress("decide", len(entries), len(entries))
    at_stake = stakes_to_judge(common, _helper(entries, judging, source, kept))
    simple = [Acted(policy=p, codes=actions_of(p, at_stake)) for p in baselines(judging)]
    found = contest(
        judging,
        at_stake,
        acted,
        simple,
        subgroups=common.subgroups,
        rows={"source": source.name, "fingerprint": source.fingerprint, "n": len(common), **facts},
        seed=judging.training.seed,
    )
    progress("compare", 1, 1)
    return replace(found, rules=_rules(entries, acted, judging))


def _rules(entries: Sequence[_Entry], acted: Sequence[Acted], judging: Decision) -> dict[str, Any]:
    """Say what each contestant keeps to, and whether they play by the same rules.

    Recorded actions keep to what nobody wrote down; they are left out.
    """
    of = {
        e.name: kept_to(e.bundle.decision if e.bundle else judging)
        for e, a in zip(entries, acted, strict=True)
        if a.policy.kind != "recorded"
    }
    differ = len(set(of.values())) > 1
    said = ""
    if differ:
        each = "; ".join(f"{name}: {', '.join(words) or 'none'}" for name, words in of.items())
        said = (
            f"The contestants keep to different limits ({each}), so part of the difference may be "
            "what a limit costs, not what a model is worth."
        )
    return {"differ": differ, "of": {k: list(v) for k, v in of.items()}, "said": said}


def _entries(contestants: Sequence[str | Path]) -> list[_Entry]:
    if len(contestants) < 2:
        raise EvidenceError.no_contest(
            f"{len(contestants)} to compare", "two or more bundles or columns"
        )
    found = []
    for one in contestants:
        text = str(one)
        name, separator, rest = text.partition("=")
        if Path(text).is_dir():
            found.append(_Entry(name=Path(text).resolve().name, bundle=Bundle.open(text)))
        elif separator and name and Path(rest).is_dir():
            found.append(_Entry(name=name, bundle=Bundle.open(rest)))
        elif separator and name and rest:
            found.append(_Entry(name=name, column=rest))
        else:
            Bundle.open(text)  # says that there is no such folder
    names = [e.name for e in found]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise EvidenceError.no_contest(
            f"the name {twice[0]!r} twice", "a name for each", "Write NAME=FOLDER to name them"
        )
    return found


def _rows(
    entries: Sequence[_Entry], data: Any, decision: str | Path | Decision | None
) -> tuple[Decision, Source]:
    """Return the declaration that judges, and the rows."""
    folder = Path()
    first = next((e.bundle for e in entries if e.bundle is not None), None)
    if isinstance(decision, Decision):
        judging = decision
    elif decision is not None:
        judging, folder = load(decision), Path(decision).parent
        if judging.kind == "recommend":
            raise DeclarationError.lists_not_rows()
    elif first is not None:
        judging = first.decision
    else:
        raise EvidenceError.no_contest(
            "columns only, and no decision", "the declaration whose money judges", "Add --decision"
        )
    source = (
        read(judging.data, folder=folder)
        if data is None
        else read(data, database=judging.data.database)
    )
    _same_question(entries, judging)
    return without_features(judging, source.table.column_names), source


def _same_question(entries: Sequence[_Entry], judging: Decision) -> None:
    """Refuse bundles that answer another question: other actions, outcomes or currency."""
    for entry in entries:
        if entry.bundle is None:
            continue
        other = entry.bundle.decision
        for what, a, b in (
            ("actions", judging.action_names, other.action_names),
            ("outcomes", judging.outcome_names, other.outcome_names),
            ("currency", judging.currency, other.currency),
        ):
            if a != b:
                raise EvidenceError.no_contest(
                    f"{what} {b} in {entry.name!r} and {a} in the decision that judges",
                    f"the same {what}",
                    "Compare policies of one decision",
                )


def _common(
    entries: Sequence[_Entry], source: Source, rows: Dataset
) -> tuple[NDArray[np.int64], dict[str, Any]]:
    """Return places of the rows that may judge every contestant, and why those."""
    mask = (rows.outcome >= 0) & (rows.weight > 0)
    said = []
    for entry in entries:
        if entry.bundle is None:
            said.append(
                f"{entry.name}: the predictions in column {entry.column!r} were made elsewhere; "
                "whether these rows helped to make them is not known"
            )
            continue
        if not entry.bundle.made_from(source.fingerprint):
            said.append(
                f"{entry.name}: made from other rows than these; whether some are the same is "
                "not known"
            )
            continue
        part = split(assign(source, entry.bundle.decision)).judge.place
        own = np.zeros(len(rows), dtype=bool)
        own[np.isin(rows.place, part)] = True
        mask &= own
        said.append(f"{entry.name}: made from these rows; only its judging part takes part")
    kept = np.flatnonzero(mask)
    if len(kept) < _FEWEST or len(np.unique(rows.outcome[kept])) < 2:
        raise EvidenceError.no_contest(
            f"{len(kept):,} rows that no contestant was made from",
            f"at least {_FEWEST}, with two outcomes among them",
            "Give rows that none of them has seen with --data, or train them on the same split",
        )
    return kept, {"why": said}


def _helper(
    entries: Sequence[_Entry], judging: Decision, source: Source, kept: NDArray[np.int64]
) -> Scored | ScoredArms | None:
    """Return a model's predictions where past decisions are judged: they narrow the intervals.

    The doubly robust score holds whatever the model says, because what was done to whom is known;
    so the first bundle's model may help to judge all.
    """
    first = next((e.bundle for e in entries if e.bundle is not None and e.bundle.model), None)
    if judging.past is None or first is None or first.model is None:
        return None
    own = assign(source, first.decision).take(kept, "judge")
    return score(first.model, first.amounts, first.calibrator, own)


def _act(
    entry: _Entry, judging: Decision, common: Dataset, source: Source, kept: NDArray[np.int64]
) -> Acted:
    if entry.bundle is not None:
        return _bundle_acts(entry.name, entry.bundle, source, kept)
    column = str(entry.column)
    if column not in common.table.column_names:
        raise DataError.missing_column(
            column, f"contestant {entry.name!r}", source.table.column_names
        )
    values = common.table.column(column)
    _, labels = codes_of(values)
    if set(labels) <= set(judging.action_names):
        policy = _named(baselines(judging)[-1], entry.name, f"As written in column {column}.")
        policy = replace(policy, kind="recorded", high=None)
        return Acted(policy=policy, codes=recorded(judging, common, column))
    prob = probabilities(judging, common, {str(judging.positive): column})
    at_stake = stakes_to_judge(common, Scored(prob=prob, part="judge", source="made elsewhere"))
    policy = _named(best_policy(judging, at_stake), entry.name, f"Expected money by {column}.")
    return Acted(policy=policy, codes=actions_of(policy, at_stake))


def _bundle_acts(name: str, bundle: Bundle, source: Source, kept: NDArray[np.int64]) -> Acted:
    """Let a bundle decide the rows as it would in use: by its own declaration."""
    own = assign(source, bundle.decision).take(kept, "judge")
    scored = None
    if bundle.model is not None:
        looks = bundle.policy.unfamiliar is not None
        scored = score(bundle.model, bundle.amounts, bundle.calibrator, own, familiar=looks)
    at_stake = stakes_to_judge(own, scored)
    policy = _named(bundle.policy, name, bundle.policy.how)
    return Acted(policy=policy, codes=actions_of(bundle.policy, at_stake))


def _named(policy: Policy, name: str, how: str) -> Policy:
    return replace(policy, name=name, label=name, how=how, baseline=False)
