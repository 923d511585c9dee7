"""Recommenders end to end: fitted, chosen by money, judged on later users, bundled, reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np

from payoff import report
from payoff.bundle import ItemTable, Past, Ranker, write_lists
from payoff.clusters import cluster_sums
from payoff.declare import Decision
from payoff.evidence.acted import Background
from payoff.evidence.evidence import Evidence
from payoff.evidence.interval import mean_money
from payoff.evidence.ranking.judge import judge_lists
from payoff.evidence.ranking.listed import ItemFacts, Listed
from payoff.load.interactions.attributes import item_groups, item_matrix
from payoff.model.recommend.blend import Blend
from payoff.model.recommend.families import Facts
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.ranker import Recommender
from payoff.model.text.arrays import give_back
from payoff.policy.listing.policy import ListPolicy, Offer
from payoff.policy.listing.stakes import ListsToJudge
from payoff.policy.listing.world import (
    World,
    histories_of,
    offer_of,
    world_to_choose,
    world_to_judge,
)
from payoff.progress import Progress, silent
from payoff.workflow.interactions import CheckedInteractions, check_interactions
from payoff.workflow.listing import Listing, Tries, made, try_families
from payoff.workflow.measuring import measured
from payoff.workflow.picking import Picked, pick
from payoff.workflow.trained import Outcome

__all__ = ["run_lists"]

#: Scores that choosing may make for one setting: users times items.
_MOST_SCORES: Final = 60_000_000
_FEWEST_USERS: Final = 2_000
_MOST_USERS: Final = 20_000
_TIMED: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fitted:
    """Recommenders fitted on all that was known before judging, and what each fit took."""

    recommenders: Mapping[str, Recommender]
    cost: Mapping[str, Mapping[str, float]]


def run_lists(
    declared: str | Path | Decision,
    rows: Any = None,
    *,
    out: str | Path | None = None,
    force: bool = False,
    pages: bool = True,
    progress: Progress = silent,
) -> Outcome:
    """Choose, fit, judge and write one decision of kind ``"recommend"``; see :func:`run`.

    Settings and policy are chosen on the choosing part by models of the fitting part. The chosen
    settings are fitted again on both, and judged on the judging part, which nothing touched before.
    """
    progress("read and check", 0, 1)
    checked = check_interactions(declared, rows)
    decision, data, parts = checked.decision, checked.data, checked.parts
    progress("read and check", 1, 1, f"{len(data.events):,} interactions")
    seed = decision.training.seed
    most = max(_FEWEST_USERS, min(_MOST_USERS, _MOST_SCORES // len(data.items)))
    world = world_to_choose(data, parts, most=most, seed=seed)
    attributes = item_matrix(data)
    assert decision.recommend is not None
    tries = Tries(
        decision=decision,
        world=world,
        facts=Facts(
            histories=world.histories,
            attributes=attributes,
            dates=data.dates,
            repeats=decision.recommend.list.repeats,
            seed=seed % 2**32,
            **({} if (segment := _segment(decision)) is None else {"segment": segment}),
        ),
    )
    found = try_families(tries, decision.training.candidates, progress)
    progress("choose", 0, 1)
    picked = pick(tries, found, item_groups(data), attributes)
    progress("choose", 1, 1, picked.best.policy.label)
    judging = world_to_judge(data, parts)
    offer = replace(judging.offer, alike=picked.alike(judging.histories))
    judging = replace(judging, offer=offer)
    fitted = _fit_again(picked, judging.histories, progress)
    progress("judge", 0, 1)
    shown = [_listed(one, fitted, judging, picked) for one in picked.all]
    evidence = judge_lists(
        decision,
        judging.stakes,
        shown,
        recommended=picked.best.policy.name,
        items=_items(checked, judging, attributes),
        background=Background(
            data=_data_facts(checked),
            model=_record(tries, picked, fitted),
            checks=checked.checks,
            seed=seed,
        ),
    )
    progress("judge", 1, 1, f"{len(judging.stakes):,} users")
    if out is None:
        return Outcome(evidence=evidence, folder=None)
    folder = _write(checked, picked, fitted, evidence, Path(out), force=force, pages=pages)
    progress("write", 1, 1, str(folder))
    return Outcome(evidence=evidence, folder=folder)


def _fit_again(picked: Picked, histories: Histories, progress: Progress) -> _Fitted:
    """Fit each chosen setting on all that was known before judging, and watch what it takes."""
    fitted: dict[str, Recommender] = {}
    cost: dict[str, dict[str, float]] = {}
    once = {x.policy.recommender: x for x in picked.all if x.recommender is not None}
    plain = [x for x in once.values() if x.setting is not None]
    for at, one in enumerate(plain):
        name = one.policy.recommender
        progress("fit again", at, len(plain), one.policy.label)
        assert one.setting is not None
        give_back()
        took = measured(partial(one.setting.make, histories))
        fitted[name] = took.result
        cost[name] = {"fit_seconds": took.seconds}
        if took.n_bytes is not None:
            cost[name]["fit_bytes"] = float(took.n_bytes)
    progress("fit again", len(plain), len(plain))
    for name, one in once.items():
        if one.parts:
            fitted[name] = Blend.of([fitted[n] for n, _ in one.parts], [w for _, w in one.parts])
            cost[name] = {
                "fit_seconds": sum(cost[n]["fit_seconds"] for n, _ in one.parts),
                **(
                    {"fit_bytes": max(cost[n]["fit_bytes"] for n, _ in one.parts)}
                    if all("fit_bytes" in cost[n] for n, _ in one.parts)
                    else {}
                ),
            }
    for name, recommender in fitted.items():
        size = float(sum(len(c) for c in recommender.files().values()))
        cost[name]["model_bytes"] = size
        if "fit_bytes" in cost[name]:  # what fitted into memory held already is at least its result
            cost[name]["fit_bytes"] = max(cost[name]["fit_bytes"], size)
    return _Fitted(recommenders=fitted, cost=cost)


def _listed(one: Listing, fitted: _Fitted, judging: World[ListsToJudge], picked: Picked) -> Listed:
    """Make the lists of one policy for everybody judged, and time some of them alone."""
    policy, asking = one.policy, judging.asking
    if not policy.recommender:
        lists = np.full((len(asking), policy.length), -1, dtype=np.int32)
        return Listed(policy=policy, lists=lists)
    recommender = fitted.recommenders[policy.recommender]
    cold = (picked.cold.policy, fitted.recommenders["popular"])
    lists = made(policy, recommender, cold, asking, judging.offer)
    cost = dict(fitted.cost[policy.recommender])
    cost["ms_per_list"] = _milliseconds(policy, recommender, asking, judging.offer)
    return Listed(policy=policy, lists=lists, cost=cost)


def _milliseconds(
    policy: ListPolicy, recommender: Recommender, asking: Histories, offer: Offer
) -> float:
    """Return the median time of one list made alone, in milliseconds."""
    took = []
    for row in np.linspace(0, len(asking) - 1, min(_TIMED, len(asking))).astype(np.int64):
        alone = asking.take([row])
        started = perf_counter()
        policy.lists(recommender, alone, offer)
        took.append(perf_counter() - started)
    return float(np.median(took) * 1000) if took else 0.0


def _items(
    checked: CheckedInteractions, judging: World[ListsToJudge], attributes: Any
) -> ItemFacts:
    histories = judging.histories
    return ItemFacts(
        labels=checked.data.items.labels,
        popularity=histories.popularity(),
        n_users=int(np.sum(np.diff(histories.start) > 0)),
        allowed=judging.offer.allowed,
        groups=item_groups(checked.data),
        attributes=attributes,
    )


def _data_facts(checked: CheckedInteractions) -> dict[str, Any]:
    """Return what the evidence records about the interactions: the data sheet and the split."""
    data = checked.data
    return {
        "source": data.source,
        "fingerprint": data.fingerprint,
        "n_rows": int(data.facts["rows"]),
        "n_unlabelled": 0,
        "weighted": False,
        "clustered": False,
        "notes": list(data.notes),
        "dropped": [],
        "unknown_where": None,
        "split": dict(checked.parts.how),
        "interactions": dict(checked.sheet),
    }


def _record(tries: Tries, picked: Picked, fitted: _Fitted) -> dict[str, Any]:
    """Return how the recommended policy came about, JSON-ready."""
    decision, best = tries.decision, picked.best
    return {
        "name": best.policy.name,
        "label": best.policy.label,
        "settings": dict(best.settings),
        "candidates": [_candidate(tries, picked, one, fitted) for one in picked.all],
        "tried": [asdict(one) for one in tries.tried],
        "failures": [{"name": k, "reason": v} for k, v in tries.failures.items()],
        "calibration": {
            "kind": "none",
            "reason": "lists are ranked; a score promises no chance",
            "kinds": [],
        },
        "amounts": [],
        "description": {
            "algorithm": best.policy.label,
            "settings": best.words,
            "how": best.policy.how,
        },
        "chosen_on": {
            "part": "choose",
            "n_users": tries.world.n_users,
            "n_drawn": len(tries.world.stakes),
            "drawn_by_seed": decision.training.seed,
            "constraints": picked.constraints,
        },
    }


def _candidate(tries: Tries, picked: Picked, one: Listing, fitted: _Fitted) -> dict[str, Any]:
    behind = one.money - picked.best.money
    error = float(behind.std(ddof=1) / np.sqrt(len(behind))) if len(behind) > 1 else 0.0
    empty = "it shows nothing, which earns nothing" if not one.policy.recommender else ""
    value = mean_money(
        cluster_sums(one.money, np.ones(len(one.money)), None),
        level=tries.decision.evidence.level,
        unit=tries.decision.value_unit,
        identical=empty,
    )
    return {
        "name": one.policy.name,
        "label": one.policy.label,
        "words": one.words,
        "value": asdict(value),
        "difference_to_best": float(behind.mean()),
        "standard_error": error,
        "ndcg": one.ndcg,
        "log_loss": None,
        "reason": picked.why(one),
        "cost": dict(fitted.cost.get(one.policy.recommender, {})),
        "chosen": one is picked.best,
    }


def _write(
    checked: CheckedInteractions,
    picked: Picked,
    fitted: _Fitted,
    evidence: Evidence,
    out: Path,
    *,
    force: bool,
    pages: bool,
) -> Path:
    """Write the bundle: the judged models, and what everybody did until the last interaction."""
    data, decision = checked.data, checked.decision
    everything = np.ones(len(data.events), dtype=np.bool_)
    known = data.known(everything)
    histories = histories_of(data, known)
    offer = offer_of(data, known, float(known.time.max()))
    policy = picked.best.policy
    cold = picked.cold.policy
    return write_lists(
        out,
        decision=decision,
        ranker=Ranker(policy=policy, recommender=fitted.recommenders.get(policy.recommender)),
        cold=Ranker(policy=cold, recommender=fitted.recommenders["popular"]),
        histories=histories,
        users=data.users.labels,
        items=ItemTable.of(decision, data.items),
        offer=replace(offer, alike=picked.alike(histories) if policy.diversity else None),
        dates=data.dates,
        segments=_segments(checked),
        past=Past(ledger=data.ledger, windows=data.windows),
        evidence=evidence,
        documents=lambda own_id: report.documents(evidence, bundle={"id": own_id}) if pages else {},
        force=force,
    )


def _segment(decision: Decision) -> str | None:
    """Return the name of the first subgroup of a column."""
    return next((s.name for s in decision.subgroups if s.column is not None), None)


def _segments(checked: CheckedInteractions) -> Sequence[str]:
    """Return the labels of the segments of histories: those of the first subgroup of a column."""
    from payoff.load.interactions.attributes import user_groups

    first = _segment(checked.decision)
    return () if first is None else user_groups(checked.data)[first][0]
