"""The judging of lists: what users bought and the lists of frozen policies in, evidence out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from payoff.declare import Decision
from payoff.errors import DataError, EvidenceError
from payoff.evidence.acted import Background
from payoff.evidence.evidence import (
    ActionUse,
    Cell,
    Comparison,
    Estimate,
    Evidence,
    PolicyEvidence,
    SubgroupEvidence,
)
from payoff.evidence.facts import decision_facts, versions
from payoff.evidence.information import information
from payoff.evidence.ranking.checks import list_checks
from payoff.evidence.ranking.groups import list_subgroups
from payoff.evidence.ranking.judged import ListsJudged, Shown, shown_of
from payoff.evidence.ranking.kept import broken
from payoff.evidence.ranking.levers import list_sensitivity
from payoff.evidence.ranking.listed import ItemFacts, Listed
from payoff.evidence.ranking.measures import ListMeasures, measures_of
from payoff.evidence.ranking.rests import list_intervals
from payoff.evidence.ranking.tradeoff import tradeoff
from payoff.evidence.ranking.wording import in_users
from payoff.evidence.verdict import verdict
from payoff.policy.listing.stakes import ListsToJudge

__all__ = ["judge_lists"]

#: Section -> why lists have none.
_WITHOUT: Final[Mapping[str, str]] = {
    "calibration": "lists are ranked; their scores promise no chance that could be held against "
    "what happened",
    "curve": "a list has no threshold",
    "shift": "what users buy depends on the list, so there are no outcome shares to compare",
    "people": "a place that was no hit is no mistake: who buys nothing of a list may have wanted "
    "nothing",
    "base_rate": "what is bought of a list depends on the list, so there is no base rate to move",
    "past": "no log of lists with the chance of each item to be shown was given, so what other "
    "lists would have earned cannot be weighed by those chances; lists are judged by what users "
    "bought without them",
    "automation": "no guaranteed error rate is asked of a list",
    "familiarity": "new users and new items are counted in 'tradeoff' instead",
    "optimism": "the models were chosen by the choosing part and fitted again; the figures of that "
    "part are in 'model'",
    "behaviour": "lists are not made from documents",
    "explanations": "lists are explained by the items a user had, when they are served",
    "themes": "lists are not made from documents",
}


def judge_lists(
    decision: Decision,
    stakes: ListsToJudge,
    listed: Sequence[Listed],
    *,
    recommended: str,
    items: ItemFacts,
    background: Background,
) -> Evidence:
    """Judge list policies by what their users bought in a part that took no part in choosing them.

    Parameters
    ----------
    decision
        The declaration, of kind ``"recommend"``.
    stakes
        The users judged, and what each bought; what may choose is of another type.
    listed
        Frozen policies with the list that each made for every user.
    recommended
        Name of the policy the evidence is about.
    items
        What is known of the catalogue.
    background
        Facts for the record.

    Raises
    ------
    EvidenceError
        ``PAY-E001`` when users or policies come from the wrong part, ``PAY-E031`` when lists do not
        fit the users or the catalogue, or hold an item twice.
    DataError
        ``PAY-L003`` without users.

    Notes
    -----
    The money of a list is that of everything its user then bought of it, and the declared miss for
    each other place. Users are independent cases, so an interval over users needs no clusters.
    """
    if not isinstance(stakes, ListsToJudge):  # for callers without a type checker
        raise EvidenceError.part_reused(stakes.part, "these lists")
    if len(stakes) == 0:
        raise DataError.empty("the judging users")
    for one in listed:
        _fits(one, stakes, items)
    ordered = sorted(listed, key=lambda x: x.policy.name != recommended)
    judged = ListsJudged(
        decision=decision,
        stakes=stakes,
        items=items,
        background=background,
        shown=tuple(shown_of(stakes, x) for x in ordered),
    )
    measures = {shown.name: measures_of(judged, shown) for shown in judged.shown}
    found = tuple(_policy(judged, shown, measures[shown.name]) for shown in judged.shown)
    first = judged.shown[0]
    comparisons = tuple(_comparison(judged, first, other) for other in judged.shown[1:])
    # Whoever buys without any list would have bought: showing nothing is no yardstick of a replay.
    told = in_users(verdict(found, comparisons))
    told["reference"] = told["best_trivial"]
    judged = dataclasses.replace(judged, policies=found, comparisons=comparisons, verdict=told)
    groups = tuple(_in_users(g) for g in list_subgroups(judged))
    sureness = in_users(list_intervals(judged))
    traded = tradeoff(judged, measures, groups)
    return Evidence(
        decision=decision_facts(decision),
        data=background.data,
        model=background.model,
        verdict=told,
        policies=found,
        comparisons=comparisons,
        subgroups=groups,
        capacity=(),
        checks=(*background.checks, *list_checks(judged, groups, sureness, traded)),
        seed=background.seed,
        made_with=versions(),
        intervals=sureness,
        information=in_users(information(judged)),
        sensitivity=in_users(list_sensitivity(judged)),
        tradeoff=traded,
        **_without(),
    )


def _without() -> dict[str, Any]:
    """Return the sections that lists do not have, each with the reason."""
    return {name: {"not_measured": why} for name, why in _WITHOUT.items()}


def _fits(listed: Listed, stakes: ListsToJudge, items: ItemFacts) -> None:
    """Refuse lists that were chosen on these users, or that are not lists of this catalogue."""
    policy, lists = listed.policy, listed.lists
    if policy.tuned_on == stakes.part:
        raise EvidenceError.part_reused(stakes.part, "judge")
    name = f"the lists of {policy.name!r}"
    if lists.ndim != 2 or len(lists) != len(stakes):
        raise EvidenceError.bad_lists(
            name, f"shape {lists.shape}", f"({len(stakes)}, k), one list for each user"
        )
    for what, m in (("labels", len(items.labels)), ("popularity", len(items.popularity))):
        if m != stakes.n_items:
            raise EvidenceError.bad_lists(f"items.{what}", f"{m:,}", f"{stakes.n_items:,} items")
    if lists.size and (lists.min() < -1 or lists.max() >= stakes.n_items):
        raise EvidenceError.bad_lists(
            name, f"items {lists.min()} to {lists.max()}", f"items from 0 to {stakes.n_items - 1}"
        )
    if ((lists[:, :-1] < 0) & (lists[:, 1:] >= 0)).any():
        raise EvidenceError.bad_lists(name, "an item after -1", "-1 only at the end")
    in_order = np.sort(lists, axis=1)
    if ((in_order[:, 1:] == in_order[:, :-1]) & (in_order[:, 1:] >= 0)).any():
        raise EvidenceError.bad_lists(name, "an item twice in one list", "each item once")


def _policy(judged: ListsJudged, shown: Shown, measures: ListMeasures) -> PolicyEvidence:
    """Return the figures of one policy: money per list and per period, places, hits and misses."""
    policy = shown.listed.policy
    empty = "" if shown.length.any() else "it shows nothing, which earns nothing"
    value = judged.worth(shown.money, identical=empty)
    return PolicyEvidence(
        name=policy.name,
        label=policy.label,
        how=policy.how,
        baseline=policy.baseline,
        value=value,
        total=judged.total(value),
        actions=_uses(judged, shown),
        cells=_cells(judged, shown),
        breaks=broken(judged, measures) if shown.length.any() else (),
    )


def _uses(judged: ListsJudged, shown: Shown) -> tuple[ActionUse, ...]:
    units = judged.decision.units_reported
    listed = int((shown.length > 0).sum())
    counts = {"show": listed, "none": judged.n - listed}
    return tuple(
        ActionUse(
            action=name,
            n=counts[name],
            share=counts[name] / judged.n,
            per_period=counts[name] / judged.n * units,
        )
        for name in judged.decision.action_names
    )


def _cells(judged: ListsJudged, shown: Shown) -> tuple[Cell, ...]:
    """Return hits and misses: of lists, cells count places, and hits as often as they pay."""
    decision, stakes = judged.decision, judged.stakes
    places = float(shown.length.sum())
    counts = {
        "hit": (shown.hits, judged.bought_pieces(shown), shown.hit),
        "miss": (shown.length - shown.hits,) * 2 + ((shown.length - shown.hits) * stakes.miss,),
    }
    found = []
    for action in decision.action_names:
        for outcome in decision.outcome_names:
            n, paying, money = counts[outcome] if action == "show" else (np.zeros(judged.n),) * 3
            rate = _rate(judged, paying)
            found.append(
                Cell(
                    action=action,
                    outcome=outcome,
                    n=int(n.sum()),
                    share=float(n.sum()) / places if places else 0.0,
                    per_period=float(paying.mean()) * decision.units_reported,
                    low=rate.low,
                    high=rate.high,
                    money_per_unit=float(money.sum() / n.sum()) if n.any() else None,
                    money_per_period=float(money.mean()) * decision.units_reported,
                )
            )
    return tuple(found)


def _rate(judged: ListsJudged, per_user: Any) -> Estimate:
    found = judged.worth(per_user, unit="places per list", constant=True)
    return found.scaled(judged.decision.units_reported, "places")


def _comparison(judged: ListsJudged, first: Shown, other: Shown) -> Comparison:
    a, b = (np.sort(x.listed.lists, axis=1) for x in (first, other))
    differ = np.ones(judged.n, bool) if a.shape[1] != b.shape[1] else (a != b).any(axis=1)
    same = "" if differ.any() else "the two show the same items to every user"
    value = judged.worth(first.money - other.money, identical=same)
    return Comparison(
        policy=first.name,
        against=other.name,
        value=value,
        total=judged.total(value),
        differ=float(differ.mean()),
    )


def _in_users(found: SubgroupEvidence) -> SubgroupEvidence:
    """Write the sentences and reasons of a subgroup with users for rows."""
    groups = tuple(dataclasses.replace(g, reason=in_users(g.reason)) for g in found.groups)
    return dataclasses.replace(
        found,
        groups=groups,
        sentences=in_users(found.sentences),
        compared=in_users(found.compared),
        shrinkage=in_users(found.shrinkage),
    )
