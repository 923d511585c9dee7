"""What changes of a document do to its decision, and to money: one section from many trials.

A trial changed documents of the judging rows in one way and decided them again, the whole way that
a served row goes. Whatever is said here is of the model and policy judged; judging rows choose
nothing by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.evidence.evidence import Estimate
from payoff.evidence.interval import sharpest_share
from payoff.evidence.judged import Judged
from payoff.evidence.trials import Trial, Trials
from payoff.evidence.wording import money
from payoff.evidence.worth import worth

__all__ = ["NO_DOCUMENTS", "THRESHOLDS", "behaviour"]

#: Shares of decisions changed from which a state is given; a share counts by the lower end of its
#: interval, so that chance alone gives none.
THRESHOLDS: Final = {"tip": 0.02, "issue": 0.10, "identity": 0.01}
_MOST_MOVES: Final = 4
#: Rewording noise is believed up to this share: neutral words in few documents tell too little.
_MOST_NOISE: Final = 0.10
_RANK: Final = {"issue": 3, "tip": 2, "passed": 1, "few": 0}


#: Why nothing is said of documents where there are none.
NO_DOCUMENTS: Final = "this decision reads no documents"


def behaviour(judged: Judged) -> dict[str, Any]:
    """Return what changes of documents do, or why it was not measured.

    Returns
    -------
    dict
        ``tests``: per test ``name``, ``family``, ``label``, ``scanned`` (rows looked at),
        ``documents`` (changed), ``changed`` (decisions), ``share`` (of decisions changed, over
        documents changed), ``money`` (per unit of all rows looked at) and ``total`` (per period,
        if all documents that can came so), ``moves``, ``example``, ``state`` (``"issue"``,
        ``"tip"``, ``"passed"``, or ``"few"`` where too few documents were changed to pass); or
        ``not_measured``.
        ``thresholds``, ``language``, ``sentences``.
    """
    found = judged.background.trials
    if found is None:
        return {"not_measured": NO_DOCUMENTS}
    if found.reason:
        return {"not_measured": found.reason}
    tests = [_measured(judged, found, trial) for trial in found.trials]
    _judge_all(judged, tests)
    return {
        "tests": tests,
        "families": dict(found.families),
        "thresholds": dict(THRESHOLDS),
        "language": found.language,
        "sentences": _sentences(judged, tests),
    }


def _measured(judged: Judged, found: Trials, trial: Trial) -> dict[str, Any]:
    facts = {"name": trial.name, "family": trial.family, "label": trial.label}
    n = int(trial.changed.sum())
    if trial.reason or not n:
        reason = trial.reason or (
            f"none of the {len(trial.rows):,} documents looked at has what this test changes"
        )
        return {**facts, "not_measured": reason, "state": "not_measured"}
    stakes, decision = judged.stakes, judged.decision
    differ = trial.before != trial.after
    gain = stakes.realised[trial.rows, trial.after] - stakes.realised[trial.rows, trial.before]
    value = worth(decision, stakes, gain, rows=trial.rows)
    if value.value is not None and abs(value.value) < 1e-12 * float(np.abs(gain).max(initial=0.0)):
        value = replace(value, value=0.0)  # gains and losses that cancel but for rounding
    return {
        **facts,
        "scanned": len(trial.rows),
        "documents": n,
        "changed": int(differ.sum()),
        "share": asdict(_share(judged, trial.rows[trial.changed], differ[trial.changed])),
        "money": asdict(value),
        "total": asdict(value.scaled(decision.units_reported, decision.money_unit)),
        "moves": _moves(judged, trial),
        "example": _example(judged, found, trial, gain),
        "state": "passed",
    }


def _share(judged: Judged, rows: NDArray[np.int64], hit: NDArray[np.bool_]) -> Estimate:
    """Estimate the share of decisions changed; exactly where documents are independent."""
    weight = judged.stakes.weight[rows]
    cluster = judged.stakes.resampled
    own = None if cluster is None else cluster[rows]
    return sharpest_share(hit, weight, own, level=judged.decision.evidence.level)


def _moves(judged: Judged, trial: Trial) -> list[dict[str, Any]]:
    """Return the most frequent changes of action."""
    names = judged.decision.action_names
    differ = trial.before != trial.after
    pairs, counts = np.unique(
        np.stack([trial.before[differ], trial.after[differ]], axis=1), axis=0, return_counts=True
    )
    order = np.argsort(-counts, kind="stable")[:_MOST_MOVES]
    return [
        {"from": names[pairs[k, 0]], "to": names[pairs[k, 1]], "n": int(counts[k])} for k in order
    ]


def _example(
    judged: Judged, found: Trials, trial: Trial, gain: NDArray[np.float64]
) -> dict[str, Any] | None:
    """Return the change that lost most money, else the first; None where no decision changed."""
    differ = np.flatnonzero(trial.before != trial.after)
    if not len(differ):
        return None
    i = int(differ[np.argmin(gain[differ])])
    names = judged.decision.action_names
    texts = trial.texts.get(i)
    return {
        "row": int(found.place[trial.rows[i]]),
        "before": names[trial.before[i]],
        "after": names[trial.after[i]],
        "money": float(gain[i]),
        "text_before": texts[0] if texts else None,
        "text_after": texts[1] if texts else None,
    }


def _judge_all(judged: Judged, tests: Sequence[dict[str, Any]]) -> None:
    """Set each test's state by :data:`THRESHOLDS`."""
    made = [t for t in tests if "not_measured" not in t]
    neutral = next((t for t in made if t["name"] == "neutral"), None)
    identity = [t for t in made if t["family"] == "identity"]
    for test in made:
        low = test["share"]["low"] or 0.0
        moved = _beyond_chance(test["money"], 1)
        if test["family"] == "identity":
            # Rewording that keeps the meaning moves some decisions too; beyond that it is the term.
            high = neutral["share"]["high"] if neutral else 0.0
            noise = max(THRESHOLDS["identity"], min(high, _MOST_NOISE))
            test["noise"] = noise
            apart = _beyond_chance(test["money"], len(identity))
            test["state"] = (
                "issue" if low > noise or apart else "tip" if test["changed"] else "passed"
            )
        elif test["family"] == "meaning":
            test["state"] = "passed"
        elif low > THRESHOLDS["issue"]:
            test["state"] = "issue"
        elif low > THRESHOLDS["tip"] or moved:
            test["state"] = "tip"
        if test["state"] == "passed" and test["family"] != "meaning":
            test["state"] = "few" if test["share"]["high"] > THRESHOLDS["issue"] else "passed"


def _beyond_chance(estimate: Mapping[str, Any], of: int) -> bool:
    """Say whether a difference leaves zero out, at a level that allows for so many of them.

    The interval is widened on the normal scale, by the ratio of the two quantiles.
    """
    if estimate["low"] is None or estimate["value"] == 0:
        return False
    level = estimate["level"]
    wider = float(
        special.ndtri(1 - (1 - level) / 2 / max(of, 1)) / special.ndtri(1 - (1 - level) / 2)
    )
    value = estimate["value"]
    near = estimate["low"] if value > 0 else estimate["high"]
    return bool(abs(value) > wider * abs(value - near))


def _sentences(judged: Judged, tests: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what a manager can repeat: the worst of what should not matter, then identity."""
    made = [t for t in tests if "not_measured" not in t]
    out = []
    for families, opening in (
        (("typing", "wording"), "Of the ways of writing tried that should not matter"),
        (("identity",), "Of the names and identity terms tried"),
    ):
        some = [t for t in made if t["family"] in families]
        if not some:
            continue
        worst = max(some, key=lambda t: (_RANK[t["state"]], t["share"]["low"]))
        if not any(t["changed"] for t in some):
            out.append(f"{opening}, none changed a decision ({_documents(some)} changed).")
            continue
        out.append(f"{opening}, the one that changed most decisions is: {_said(judged, worst)}")
    if made and not any(t["family"] == "identity" for t in made):
        out.append("Exchanging names or identity terms could not be tried on these documents.")
    return out


def _documents(tests: Sequence[Mapping[str, Any]]) -> str:
    most = max(t["documents"] for t in tests)
    return f"up to {most:,} document{'' if most == 1 else 's'} each"


def _said(judged: Judged, test: Mapping[str, Any]) -> str:
    ends = test["share"]
    label = test["label"][0].lower() + test["label"][1:]
    text = (
        f"{label}. {test['changed']:,} of {test['documents']:,} decisions changed "
        f"({percent(ends['value'])}; {ends['level'] * 100:g} % interval {percent(ends['low'])} to "
        f"{percent(ends['high'])})"
    )
    total = Estimate(**test["total"])
    if total.low is None:
        return f"{text}."
    return f"{text}. If every document that can be so changed were: {money(total)}."


def percent(value: float) -> str:
    """Write a share.

    Examples
    --------
    >>> percent(0.0861)
    '8.6 %'
    """
    return f"{value * 100:.1f} %"
