"""Checks of lists: ``PAY-E261`` and on, beside those of all evidence that lists can pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from payoff.checks import Check, numbered
from payoff.errors import percent
from payoff.evidence import checks as evidence_checks
from payoff.evidence.evidence import SubgroupEvidence
from payoff.evidence.ranking.judged import ListsJudged
from payoff.evidence.ranking.measures import lists_per_user
from payoff.evidence.ranking.wording import in_users
from payoff.evidence.wording import about, quoted

__all__ = ["list_checks"]

#: Checks of all evidence that speak of what lists have: money, intervals and groups.
_SHARED: Final = frozenset({"PAY-E201", "PAY-E202", "PAY-E203", "PAY-E206", "PAY-E207", "PAY-E210"})
#: Fewer users with a hit than this are worth a word.
_FEW_HIT: Final = 100
_MUCH_NEW: Final = 0.2
_LARGEST: Final = 0.05
_HALF: Final = 0.5
#: So many lists for each user in the judging part may be a matter of who was sampled.
_OFTEN: Final = 2.0


def list_checks(
    judged: ListsJudged,
    groups: Sequence[SubgroupEvidence],
    sureness: Mapping[str, Any],
    traded: Mapping[str, Any],
) -> tuple[Check, ...]:
    """Return one result per numbered check of lists."""
    shared = evidence_checks.check(
        evidence_checks.Findings(
            decision=judged.decision,
            stakes=None,
            n=judged.n,
            policies=judged.policies,
            comparisons=judged.comparisons,
            verdict=judged.verdict,
            subgroups=tuple(g for g in groups if not g.automatic),
            calibration={"not_measured": ""},
            shift={"not_measured": ""},
            capacity=(),
            intervals=sureness,
            ours=True,
        )
    )
    mine = [
        check(judged) for check in (_hit, _new, _few, _popular, _same, _outside, _offered, _often)
    ]
    of_all = (_kept(traded["choice"]), _front(traded["front"], judged))
    return (*(_in_users(c) for c in shared if c.code in _SHARED), *mine, *of_all)


def _in_users(check: Check) -> Check:
    words = {k: in_users(getattr(check, k)) for k in ("title", "detail", "mend")}
    return Check(**{**check.to_dict(), **words})


def _hit(judged: ListsJudged) -> Check:
    result = numbered("PAY-E261", "Users whose list had a hit")
    hit = int((judged.shown[0].hits > 0).sum())
    text = (
        f"{judged.n:,} users were judged, one list each; {hit:,} of them bought something of their "
        "list."
    )
    if hit < _FEW_HIT:
        return result(
            status="issue",
            detail=f"{text} All money of the lists rests on these few.",
            mend="Judge on a longer part, or on more users",
        )
    return result(status="passed", detail=text)


def _new(judged: ListsJudged) -> Check:
    result = numbered("PAY-E262", "Users without a history")
    new = judged.stakes.known == 0
    share = float(new.mean())
    if not new.any():
        return result(status="passed", detail="Every user judged had a history.")
    money = judged.shown[0].money
    unit = judged.decision.currency
    rest = "" if new.all() else f", and {about(money[~new].mean(), unit)} to one with a history"
    text = (
        f"{percent(share)} of the users judged had no history. A list earned "
        f"{about(money[new].mean(), unit)} when shown to one of them{rest}."
    )
    if share > _MUCH_NEW:
        return result(
            status="tip",
            detail=f"{text} Models that learn from histories can do little for them.",
            mend="Ask new users what they look for, or use what is known of them in [users]",
        )
    return result(status="passed", detail=text)


def _few(judged: ListsJudged) -> Check:
    result = numbered("PAY-E263", "A few users carry the money")
    earned = np.abs(judged.shown[0].hit)
    total = float(earned.sum())
    if total <= 0:
        return result(status="not_applicable", detail="No list had a hit.")
    ordered = np.sort(earned)[::-1]
    largest = float(ordered[0] / total)
    top = float(ordered[: max(1, len(ordered) // 100)].sum() / total)
    text = (
        f"The user whose list earned most holds {percent(largest)} of the money of hits, the top "
        f"1 % of users {percent(top)}."
    )
    if largest > _LARGEST or top > _HALF:
        return result(
            status="issue",
            detail=text,
            mend="Look at these users: resellers and bots do not need a list; exclude them in "
            "[users.exclude], or judge on more users",
        )
    return result(status="passed", detail=text)


def _popular(judged: ListsJudged) -> Check:
    result = numbered("PAY-E264", "Few items take most places")
    lists = judged.shown[0].listed.lists
    had = judged.items.popularity.astype(np.float64)
    places = lists[lists >= 0]
    if not len(places) or had.sum() <= 0:
        return result(status="not_applicable", detail="No item is listed, or none was had before.")
    head = np.argsort(-had, kind="stable")[: max(1, len(had) // 100)]
    shown = float(np.isin(places, head).mean())
    bought = float(had[head].sum() / had.sum())
    text = (
        f"The {len(head):,} most popular of {len(had):,} items take {percent(shown)} of the "
        f"places; they are {percent(bought)} of what users had before."
    )
    if shown > max(_HALF, 2 * bought):
        return result(
            status="tip",
            detail=text,
            mend="See the items that are never shown under coverage, and whether a constraint of "
            "[[list.constraints]] is wanted",
        )
    return result(status="passed", detail=text)


def _same(judged: ListsJudged) -> Check:
    """Say how much of the money simple lists would have earned as well."""
    result = numbered("PAY-E265", "Hits that a list without a model has, too")
    own = judged.shown[0]
    hit = judged.stakes.hit[own.place]
    simple = [
        (p, s)
        for p, s in zip(judged.policies[1:], judged.shown[1:], strict=True)
        if p.baseline and s.length.any()
    ]
    if not simple or hit.sum() <= 0:
        return result(
            status="not_applicable",
            detail="There is no list without a model, or there are no hits.",
        )
    parts = {p.label: float(hit[np.isin(own.place, s.place)].sum() / hit.sum()) for p, s in simple}
    label = max(parts, key=lambda k: parts[k])
    text = (
        f"{percent(parts[label])} of the money of hits is of items that {quoted(label)} would have "
        "shown the same user, too."
    )
    if parts[label] > _HALF:
        return result(
            status="tip",
            detail=f"{text} What users buy of habit they buy without a list as well.",
            mend="Read the experiment under 'Trade-off': only it tells what the lists bring about",
        )
    return result(status="passed", detail=text)


def _outside(judged: ListsJudged) -> Check:
    """Say how much was bought of what no list could show."""
    result = numbered("PAY-E266", "Money of items that could not be shown")
    stakes = judged.stakes
    total = float(stakes.hit.sum())
    if total <= 0:
        return result(status="not_applicable", detail="Nothing that earns money was bought.")
    shut = ~judged.items.allowed[stakes.pair % stakes.n_items]
    share = float(stakes.hit[shut].sum() / total)
    unseen = judged.items.popularity[stakes.pair % stakes.n_items] == 0
    cold = float(stakes.hit[unseen].sum() / total)
    text = (
        f"{percent(share)} of the money of all that these users bought is of items that no list "
        f"could show, {percent(cold)} of items that nobody had bought before."
    )
    if share > _MUCH_NEW:
        return result(
            status="tip",
            detail=text,
            mend="Check [items], [stock] and the filter; content-based lists can show new items",
        )
    return result(status="passed", detail=text)


def _offered(judged: ListsJudged) -> Check:
    result = numbered("PAY-E267", "Lists show only what was offered")
    wrong = []
    for policy, shown in zip(judged.policies, judged.shown, strict=True):
        lists = shown.listed.lists
        out = int((~judged.items.allowed[lists[lists >= 0]]).sum())
        if out:
            wrong.append(f"{quoted(policy.label)} {out:,} places")
    if wrong:
        return result(
            status="issue",
            detail=f"Items that were not offered stand in lists: {', '.join(wrong)}.",
            mend="Give these lists the same offer as the others, or their money is not comparable",
        )
    return result(status="passed", detail="Every item listed was offered.")


def _often(judged: ListsJudged) -> Check:
    """Say whether money per period counts what a user buys once."""
    result = numbered("PAY-E270", "Lists shown to one user")
    lists = lists_per_user(judged)
    if lists is None:
        return result(
            status="not_applicable",
            detail="Without a volume, dates and a period of known length, money per period and "
            "money per user cannot be held against each other.",
        )
    days, decision = judged.stakes.days or 0.0, judged.decision
    once = (decision.volume or 0.0) / lists
    text = (
        f"{decision.volume:,.0f} lists per {decision.period} are {lists:,.1f} for each of the "
        f"{judged.n:,} users judged in {days:,.0f} days, and each list is credited with all that "
        "its user bought of it in them."
    )
    if lists > _OFTEN:
        return result(
            status="issue",
            page_one=True,
            detail=f"{text} Money per period then counts purchases more than once.",
            mend=f"Declare the volume of users (here {once:,.0f} per {decision.period}) unless "
            "there are as many more users than were judged; or read money per user and "
            f"{decision.period} under 'Trade-off'",
        )
    return result(status="passed", detail=text)


def _kept(choice: Mapping[str, Any]) -> Check:
    result = numbered("PAY-E268", "Constraints on lists")
    rules = choice["constraints"]
    if not rules:
        return result(status="not_applicable", detail="No constraint on lists is declared.")
    text = " ".join(rule["sentence"] for rule in rules)
    states = {rule["state"] for rule in rules}
    if "broken" in states:
        return result(
            status="issue",
            page_one=True,
            detail=text,
            mend="Declare the limit with some room, so that it holds on users who did not choose, "
            "or take an option that keeps to it",
        )
    return result(status="passed" if states == {"met"} else "tip", detail=text)


def _front(front: Mapping[str, Any], judged: ListsJudged) -> Check:
    result = numbered("PAY-E269", "An option that is better in everything")
    beaten = front["beaten_by"].get(judged.shown[0].name, [])
    if beaten:
        return result(
            status="tip",
            detail=front["sentence"],
            mend="The choosing part chose otherwise; see the paired differences before deciding",
        )
    return result(status="passed", detail=front["sentence"])
