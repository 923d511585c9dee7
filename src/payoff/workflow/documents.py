"""What is said of documents once a model and a policy are there: changes tried, rows explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.bundle import Bundle
from payoff.declare import Decision
from payoff.load.dataset import Dataset
from payoff.model.scored import Scored
from payoff.model.text.explain import segments
from payoff.policy.best import actions_of
from payoff.policy.stakes import Judging, stakes_to_judge
from payoff.progress import Progress
from payoff.workflow.behaviour import try_changes
from payoff.workflow.explaining import rows_of
from payoff.workflow.rows import Checked
from payoff.workflow.trained import Trained

__all__ = ["documents_tried", "examples"]

_MOST_LOST: Final = 6
_MOST_RIGHT: Final = 2
_EXCERPT: Final = 500
_MOST_COLUMNS: Final = 5


def documents_tried(checked: Checked, trained: Trained, progress: Progress) -> Trained:
    """Add what can be said of documents only with the model and the policy.

    A decision that reads no documents comes back as it was.
    """
    decision, parts = checked.decision, checked.parts
    if not decision.data.text or decision.past is not None:
        return trained
    if not isinstance(trained.judging, Scored):
        return trained
    bundle = Bundle(
        path=Path(),
        id="",
        decision=decision,
        contract=parts.contract,
        policy=trained.policies[0],
        calibrator=trained.calibrator,
        model=trained.model,
        amounts=trained.amounts,
    )
    return replace(
        trained,
        trials=try_changes(bundle, parts.judge, progress=progress),
        examples=examples(bundle, parts.judge, stakes_to_judge(parts.judge, trained.judging)),
    )


def examples(bundle: Bundle, judge: Dataset, stakes: Judging) -> dict[str, Any]:
    """Explain the judging rows that lost most money, and typical right ones.

    Returns
    -------
    dict
        ``rows``: per row ``shown`` (``"lost"`` or ``"right"``), ``row`` (place in the source),
        ``action``, ``best``, ``outcome``, ``money``, ``best_money``, ``why`` (pair, log-odds,
        strongest columns), ``documents`` (column -> runs of text with their strength), ``nearest``,
        ``removal`` and ``sentences``. Or ``not_measured``.
    """
    decision = bundle.decision
    if not decision.text.excerpts:
        return {"not_measured": "the declaration shows no documents ([text] excerpts = false)"}
    codes = actions_of(bundle.policy, stakes)
    everyone = np.arange(len(stakes))
    own = stakes.realised[everyone, codes]
    most = stakes.realised.max(axis=1)
    expected = stakes.expected
    if expected is None:
        return {"not_measured": "there is no expected money to set beside what happened"}
    promised = expected[everyone, codes]
    picked = [("lost", i) for i in _lost(most - own, promised)]
    picked += [("right", i) for i in _right(most - own, promised, codes)]
    rows = rows_of(judge.table, bundle, [i for _, i in picked])
    made = []
    for (shown, i), row in zip(picked, rows, strict=True):
        found = bundle.explain(row)
        if found["action"] != decision.action_names[int(codes[i])]:
            continue  # a limit moved it: the reason lies in the other rows, not in its words
        facts = {
            "shown": shown,
            "row": int(judge.place[i]),
            "best": decision.action_names[int(stakes.realised[i].argmax())],
            "outcome": decision.outcome_names[int(stakes.outcome[i])],
            "money": float(own[i]),
            "best_money": float(most[i]),
        }
        made.append(facts | _told(found))
    return {"rows": made, "sentences": _sentences(decision, made)}


def _lost(regret: NDArray[np.float64], promised: NDArray[np.float64]) -> list[int]:
    """Return the rows that lost most; of equal losses those that promised most come first."""
    known = np.where(np.isfinite(regret), regret, 0.0)
    order = np.lexsort((np.arange(len(known)), -promised, -known))
    return [int(i) for i in order[:_MOST_LOST] if known[i] > 0]


def _right(
    regret: NDArray[np.float64], promised: NDArray[np.float64], codes: NDArray[np.int16]
) -> list[int]:
    """Return a right row of middling promise for each of the actions most often right."""
    right = np.flatnonzero(regret == 0)
    if not len(right):
        return []
    actions, counts = np.unique(codes[right], return_counts=True)
    out = []
    for action in actions[np.argsort(-counts, kind="stable")][:_MOST_RIGHT]:
        own = right[codes[right] == action]
        out.append(int(own[np.argsort(promised[own], kind="stable")[len(own) // 2]]))
    return out


def _told(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a page shows of an explanation."""
    why = found["why"]
    out: dict[str, Any] = {
        "action": found["action"],
        "expected_money": found["expected_money"],
        "nearest": found["nearest"],
        "removal": found["removal"],
        "sentences": found["sentences"],
        "documents": {},
    }
    if "not_measured" in why:
        return out | {"why": why}
    out["why"] = {
        "outcome": why["outcome"],
        "against": why["against"],
        "log_odds": why["log_odds"],
        "note": why["note"],
        "columns": [
            {"column": c["column"], "log_odds": c["log_odds"]}
            for c in why["columns"][:_MOST_COLUMNS]
        ],
        "rest": why["rest"],
        "words": sum(w["log_odds"] for w in why["words"]),
    }
    for column, text in found["documents"].items():
        words = [w for w in why["words"] if w["column"] == column]
        if text:
            runs = segments(text, words, _EXCERPT)
            out["documents"][column] = [{"text": t, "strength": s} for t, s in runs]
    return out


def _sentences(decision: Decision, rows: list[dict[str, Any]]) -> list[str]:
    lost = [r for r in rows if r["shown"] == "lost"]
    if not lost:
        return ["No judging row lost money against its best action."]
    labels = {a.name: a.label for a in decision.actions}
    outcomes = {o.name: o.label for o in decision.outcomes}
    first = lost[0]
    return [
        f"The dearest single mistake among the judging rows cost "
        f"{first['best_money'] - first['money']:,.2f} {decision.currency}: "
        f"{labels[first['action']]} instead of {labels[first['best']]}, where the outcome was "
        f"{outcomes[first['outcome']]}."
    ]
