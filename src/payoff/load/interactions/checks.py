"""Checks of interactions: ``PAY-L131`` to ``PAY-L142``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from payoff.checks import Check, numbered
from payoff.errors import counted, listed, percent
from payoff.load.interactions.events import Interactions
from payoff.load.interactions.split import InteractionParts

__all__ = ["check"]

_MUCH: Final = 0.05
_LITTLE: Final = 0.01
_CONCENTRATED: Final = 0.3
_HEAVY: Final = 0.1
#: Interactions due at an item's earlier rate, from which none at all is no chance (e^-3 = 5 %).
_EXPECTED: Final = 3.0


def check(
    data: Interactions, parts: InteractionParts, sheet: Mapping[str, Any]
) -> tuple[Check, ...]:
    """Return one result per numbered check of the interactions."""
    return (
        _left_out(data),
        _leakage(data, parts),
        _duplicates(data),
        _cancellations(data),
        _heavy(sheet),
        _popularity(sheet),
        _no_products(data, sheet),
        _never_again(data, parts),
        _cold(parts),
        _repeats(data, sheet),
        _spelling(sheet),
        _money(data),
    )


def _left_out(data: Interactions) -> Check:
    result = numbered("PAY-L131", "Rows that say nothing")
    out, n = data.facts["left_out"], max(data.facts["rows"], 1)
    worth = data.facts["value_left_out"]
    words = {
        "no_user": "no user",
        "no_item": "no item",
        "no_time": "no time",
        "no_quantity": "a quantity of 0, none, or below 0 without being a cancellation",
    }
    lost = sum(out[k] for k in words)
    if not lost:
        return result(status="passed", detail=f"All {counted(n, 'row')} name user, item and time.")
    currency = data.decision.currency
    named = "; ".join(
        f"{text} in {counted(out[k], 'row')}"
        + (f" ({currency} {worth[k]:,.0f})" if worth[k] else "")
        for k, text in words.items()
        if out[k]
    )
    return result(
        status="issue" if lost > _MUCH * n else "tip",
        detail=f"{percent(lost / n)} of {n:,} rows were left out: {named}.",
        mend="Find out who they are: what is recommended is judged on the others only",
    )


def _leakage(data: Interactions, parts: InteractionParts) -> Check:
    result = numbered("PAY-L132", "Leakage across time")
    method = parts.how["method"]
    time = data.events.time
    last = float(time[parts.part < 2][parts.part[parts.part < 2] >= 0].max())
    judged = time[parts.part == 2]
    before = float(np.mean(judged <= last))
    if before == 0:
        return result(
            status="passed",
            detail=f"Every judging interaction is later than all that is learnt from (split by "
            f"{method}); what is returned later is not known earlier.",
        )
    return result(
        status="issue",
        detail=f"{percent(before)} of the judging interactions are no later than the last that is "
        f"learnt from (split by {method}): the model has seen what came into fashion, and what is "
        "bought together at that moment. Such figures are for comparison with papers; they are "
        "too good for the future.",
        mend="Set split.method to 'time' to learn what the model will be worth",
    )


def _duplicates(data: Interactions) -> Check:
    result = numbered("PAY-L133", "Repeated interactions")
    n, rows = data.facts["repeated_rows"], data.facts["rows"]
    if not n:
        return result(
            status="passed", detail="No row repeats user, item, time, quantity and money."
        )
    dropped = data.facts["duplicates"] == "drop"
    money = f", {data.facts['repeated_value']:,.0f} {data.decision.currency}"
    return result(
        status="tip" if n <= _MUCH * rows else "issue",
        detail=f"{counted(n, 'row')} ({percent(n / rows)}{money if data.facts['has_value'] else ''}"
        f") repeat another in user, item, time, quantity and money. They are "
        f"{'dropped' if dropped else 'counted as further pieces'}.",
        mend="If they are pieces scanned one by one, set duplicates = 'keep' in [interactions]"
        if dropped
        else "If the export made them, set duplicates = 'drop' in [interactions]",
    )


def _cancellations(data: Interactions) -> Check:
    result = numbered("PAY-L134", "Cancellations without a purchase")
    n, alone = data.facts["cancellations"], data.facts["unmatched"]
    if not n:
        return result(status="not_applicable", detail="No row takes a purchase back.")
    currency = data.decision.currency
    worth = f" ({data.facts['cancelled_value']:,.0f} {currency})"
    detail = f"{counted(n, 'row')}{worth if data.facts['has_value'] else ''} take purchases back. "
    if not alone:
        return result(status="passed", detail=detail + "Each finds what it takes back.")
    lost = f", {data.facts['unmatched_value']:,.0f} {currency}"
    return result(
        status="issue" if alone > 0.2 * n else "tip",
        detail=f"{detail}{alone:,} of them ({percent(alone / n)}"
        f"{lost if data.facts['has_value'] else ''}) find no earlier purchase of that user and "
        "item, or not all the pieces; the rest is ignored.",
        mend="Expected where the data begins in the middle of trade; else check the ids and times "
        "of cancellations",
    )


def _heavy(sheet: Mapping[str, Any]) -> Check:
    result = numbered("PAY-L135", "Heavy users and bots")
    heavy = sheet["heavy_users"]
    detail = (
        f"The busiest 1 % of users make {percent(heavy['top_1_percent'])} of interactions; the "
        f"busiest one makes {heavy['largest'][0]:,}, the median user "
        f"{sheet['per_user']['median']:,.0f}. The most items one user took at one moment: "
        f"{heavy['same_moment']:,}."
    )
    if heavy["share"] > _HEAVY or heavy["largest"][0] > _HEAVY * sheet["n"]:
        return result(
            status="issue",
            detail=f"{detail} {counted(heavy['n'], 'user')} with over {heavy['limit']:,.0f} make "
            f"{percent(heavy['share'])}.",
            mend="Look at them: scripts, resellers and shared accounts go into [users.exclude]",
        )
    if heavy["n"]:
        return result(
            status="tip",
            detail=f"{detail} {counted(heavy['n'], 'user')} with over {heavy['limit']:,.0f} make "
            f"{percent(heavy['share'])}.",
            mend="Look at them; users that are no customers go into [users.exclude]",
        )
    return result(status="passed", detail=detail)


def _popularity(sheet: Mapping[str, Any]) -> Check:
    result = numbered("PAY-L136", "Popularity concentration")
    found = sheet["popularity"]
    detail = (
        f"The most popular 1 % of {sheet['n_items']:,} items draw "
        f"{percent(found['top_1_percent'])} of interactions; Gini {found['gini']:.2f} (0: all "
        "alike, 1: one takes all)."
    )
    if found["top_1_percent"] > _CONCENTRATED:
        return result(
            status="tip",
            detail=detail + " A list of bestsellers will look good here.",
            mend="Compare with the list of bestsellers, and look at the coverage of the catalogue",
        )
    return result(status="passed", detail=detail)


def _no_products(data: Interactions, sheet: Mapping[str, Any]) -> Check:
    result = numbered("PAY-L137", "Items that are no products")
    idle = [p for p, n in data.facts["excluded"].items() if n == 0]
    odd = sheet["odd_items"]
    done = data.facts["left_out"]["excluded_items"]
    detail = f"Excluded as no products: {counted(done, 'row')}." if done else ""
    if odd:
        named = ", ".join(f"{o['item']} ({o['n']:,})" for o in odd)
        return result(
            status="issue",
            detail=f"{detail} These ids look like postage, fees or adjustments: {named}.".strip(),
            mend="Write those that nobody would be shown into [interactions.exclude], with the "
            "reason",
        )
    if idle:
        return result(
            status="tip",
            detail=f"{detail} No row fits {listed(idle)}.",
            mend="Patterns are compared letter by letter; * stands for any letters, ? for one",
        )
    return result(status="passed", detail=detail or "No id looks like postage, a fee or a sample.")


def _never_again(data: Interactions, parts: InteractionParts) -> Check:
    result = numbered("PAY-L138", "Items never met again")
    if parts.how["method"] in ("last", "random"):
        return result(
            status="not_applicable",
            detail="The judging part is no stretch of time, so nothing can be gone by then.",
        )
    early = np.bincount(parts.history.item, minlength=len(data.items))
    late = np.bincount(parts.judge.item, minlength=len(data.items))
    absent = (early > 0) & (late == 0)
    gone = absent & (early * (len(parts.judge) / len(parts.history)) >= _EXPECTED)
    share = float(early[gone].sum() / early.sum())
    met = int(np.sum(early > 0))
    detail = (
        f"{absent.sum():,} of {counted(met, 'item')} ({percent(float(absent.sum()) / met)}) that "
        f"are learnt from do not occur in the judging part. For {gone.sum():,} of them that is "
        f"hardly chance, as at their earlier rate {_EXPECTED:g} or more were due; these drew "
        f"{percent(share)} of interactions."
    )
    known = bool(data.windows)
    if share > _LITTLE and not known:
        return result(
            status="issue" if share > _HEAVY else "tip",
            detail=detail + " They may be out of the catalogue, and would waste places of a list.",
            mend="Declare 'until' in [items], or [stock], so that no list shows them",
        )
    return result(
        status="passed",
        detail=detail + (" Lists respect the declared catalogue." if known else ""),
    )


def _cold(parts: InteractionParts) -> Check:
    result = numbered("PAY-L139", "New users and new items")
    cold = parts.how["cold"]["judge"]
    by_user, by_item = (cold[k] / cold["n"] for k in ("n_of_cold_users", "n_of_cold_items"))
    detail = (
        f"Of the judging part, {cold['users']:,} of {counted(cold['users_of'], 'user')} "
        f"({percent(by_user)} of interactions) and {cold['items']:,} of "
        f"{counted(cold['items_of'], 'item')} ({percent(by_item)}) were never met before."
    )
    if max(by_user, by_item) > 0.2:
        return result(
            status="tip",
            detail=detail + " They are counted apart: nothing personal is known of them.",
            mend="Decide what a new user sees; attributes of new items go into [items]",
        )
    return result(status="passed", detail=detail + " They are counted apart.")


def _repeats(data: Interactions, sheet: Mapping[str, Any]) -> Check:
    result = numbered("PAY-L140", "Repeat purchases")
    assert data.decision.recommend is not None
    share = sheet["repeat_share"]
    if not data.decision.recommend.list.repeats:
        n = data.facts.get("repeats_left_out", 0)
        total = n + sheet["n"]
        detail = f"Declared as not shown again: {counted(n, 'interaction')} "
        detail += f"({percent(n / total)}) with an item the user had were left out."
        if n > 0.2 * total:
            return result(
                status="issue",
                detail=detail + " Users do come back for what they know.",
                mend="Set repeats = true in [list]; showing it again may be what earns most",
            )
        return result(status="passed", detail=detail)
    if share < _LITTLE:
        return result(
            status="tip",
            detail=f"{percent(share)} of interactions repeat an item, yet lists may show again "
            "what the user has: such places are wasted.",
            mend="Set repeats = false in [list]",
        )
    return result(
        status="passed",
        detail=f"{percent(share)} of interactions are with an item the user had; lists may show it "
        "again.",
    )


def _spelling(sheet: Mapping[str, Any]) -> Check:
    result = numbered("PAY-L141", "Ids spelt in two ways")
    found = {k: v for k, v in sheet["spelling"].items() if v["n"]}
    if not found:
        return result(status="passed", detail="No two ids differ in case, blanks or zeros only.")
    named = "; ".join(
        f"{counted(v['n'], k[:-1])} such as {listed(v['such_as'])}" for k, v in found.items()
    )
    return result(
        status="tip",
        detail=f"Ids differ only in upper and lower case, blanks or leading zeros: {named}. They "
        "are taken as different.",
        mend="If they mean the same, write them alike in the export or in a query, such as "
        "upper(sku)",
    )


def _money(data: Interactions) -> Check:
    result = numbered("PAY-L142", "Purchases without money")
    if not data.facts["has_value"]:
        return result(
            status="tip",
            detail="Neither price nor value is declared: a hit is worth the constant in "
            "[payoffs.show], whatever was bought.",
            mend="Declare 'price' or 'value', so that a list of dear items counts for more",
        )
    events = data.known(np.ones(len(data.events), dtype=np.bool_))
    n = len(events)
    free = int(np.sum(events.value <= 0))
    lacking = data.facts["no_value"]
    value = np.sort(events.value)[::-1]
    total = float(value.sum())
    largest = float(value[0]) / total if total > 0 else 0.0
    detail = (
        f"{counted(free, 'purchase')} of {n:,} that were kept earned nothing or less; "
        f"{lacking:,} rows lack a price. The largest purchase is {percent(largest)} of all value."
    )
    if free + lacking > _LITTLE * n or largest > _LITTLE:
        return result(
            status="issue",
            detail=detail,
            mend="Gifts, samples and corrections belong into 'where' or 'exclude'; one purchase "
            "that large decides every interval",
        )
    return result(status="passed", detail=detail)
