"""Lists on the pages: the manager's numbers and limits, hits and misses, costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from payoff.evidence.evidence import Estimate
from payoff.evidence.ranking.experiment import LONGEST_TEST
from payoff.evidence.ranking.wording import in_users
from payoff.evidence.wording import lasting, roughly
from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts

__all__ = [
    "MOST",
    "as_users",
    "cost_section",
    "hits_section",
    "interactions_read",
    "list_limits",
    "list_numbers",
    "listed_how",
    "missing_section",
    "shown_options",
]

_COLUMNS: Final = {"words": "Settings", "ndcg": "nDCG", "money": "Money per list"}
#: Section that is made for rows -> what a row is, of lists.
_CALLED: Final = {
    **dict.fromkeys(
        ("m-options", "m-groups", "a-options", "a-rests", "a-groups", "a-slices", "a-change"),
        "user",
    ),
    "a-sure": "user",
    **dict.fromkeys(("e-split", "e-reproduce"), "interaction"),
}
#: Most lines of a table.
MOST: Final = 40
#: Sections that lists do not have, and what they are called.
_ABSENT: Final = {
    "calibration": "Calibration",
    "curve": "Value by threshold",
    "shift": "Change of outcomes over time",
    "people": "Mistakes",
    "base_rate": "The base rate",
    "past": "Logged lists",
    "optimism": "What tuning flatters",
}


def as_users(section: Mapping[str, Any]) -> dict[str, Any]:
    """Write what a row is in a section made for rows; what stands in cells of tables is left alone.

    Sections of figures speak of users, those of the data of interactions; others are left as they
    are.
    """
    word = _CALLED.get(str(section["id"]))
    return dict(section) if word is None else _called(section, word)


def _called(value: Any, word: str) -> Any:
    if isinstance(value, Mapping):
        return {k: v if k in ("cells", "runs") else _called(v, word) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_called(v, word) for v in value]
    return in_users(value, word)


def _of(facts: Facts, name: str) -> Mapping[str, Any]:
    policies: Sequence[Mapping[str, Any]] = facts.evidence.tradeoff["policies"]
    return next((p for p in policies if p["policy"] == name), policies[0])


def _own(facts: Facts) -> Mapping[str, Any]:
    return _of(facts, facts.subject.name)


def listed_how(facts: Facts) -> str:
    """Say what a list is, what its places earn, and how it was judged, for a stranger."""
    trade = facts.evidence.tradeoff
    money = {
        p["outcome"]: visible(p["money"], 80)
        for p in facts.decision["payoffs"]
        if facts.acts(p["action"])
    }
    days = trade["window"]["days"]
    window = f" of {wording.number(days, 0)} days" if days else ""
    places, n = wording.number(trade["places"], 0), wording.number(trade["n"], 0)
    return (
        f"A list has {places} places. A place earns “{money['hit']}” where the user then buys "
        f"the item, and {money['miss']} where not. Each of the {n} users judged got one list of "
        f"each option, made from what was known before the judging part{window}; what the user "
        "bought of it in that part are its hits."
    )


def shown_options(facts: Facts) -> list[Mapping[str, Any]]:
    """Return the measures of the options that show something, the recommended one first."""
    trade = facts.evidence.tradeoff
    return [p for p in trade["policies"] if p["policy"] in trade["front"]["figures"]][:MOST]


def list_numbers(facts: Facts, money: dict[str, str]) -> list[dict[str, str]]:
    """Return the manager's three numbers of lists: money, users with a hit, items shown."""
    return [money, _hits(facts), _items(facts)]


def _hits(facts: Facts) -> dict[str, str]:
    rate = _own(facts)["accuracy"]["hit_rate"]
    trade, other = facts.evidence.tradeoff, facts.trivial
    beside = ""
    if other is not None and other.name != facts.subject.name:
        theirs = _of(facts, other.name)["accuracy"]["hit_rate"]
        if "not_measured" not in theirs:
            beside = f" “{facts.policy(other.name, 60)}”: {wording.share(theirs['value'])}."
    note = f"Of {wording.number(trade['buyers'], 0)} users who bought something.{beside}"
    label = "Users who then bought something of their list"
    if "not_measured" in rate:
        return {
            "label": label,
            "figure": "not measured",
            "interval": f"no interval: {visible(rate['not_measured'], 200)}",
            "note": note,
        }
    told = wording.figure(Estimate(**rate))
    return {"label": label, "figure": told["text"], "interval": told["interval"], "note": note}


def _items(facts: Facts) -> dict[str, str]:
    trade = facts.evidence.tradeoff
    coverage = _own(facts)["beyond"]["coverage"] or 0.0
    items = float(trade["n_items"])
    other = facts.trivial
    beside = ""
    if other is not None and other.name != facts.subject.name:
        theirs = _of(facts, other.name)["beyond"]["coverage"] or 0.0
        shown = wording.number(theirs * items, 0)
        beside = f" “{facts.policy(other.name, 60)}” shows {shown}."
    return {
        "label": "Items that stand in at least one list",
        "figure": f"{wording.number(coverage * items, 0)} of {wording.number(items, 0)}",
        "interval": "no interval: counted over the lists of all users judged",
        "note": f"{wording.number(trade['places'], 0)} places in a list.{beside}",
    }


def list_limits(facts: Facts) -> list[str]:
    """Return what the figures of lists do not say, the weightiest first and in few words."""
    trade = facts.evidence.tradeoff
    active = trade["replay"]["shown_to"] == "active"
    return [
        "What a list adds: not measured. Every hit is an item that the user bought without being "
        "shown this list; the figures compare options.",
        _test(trade["experiment"]),
        "Only users who did something in the judging part are counted; lists shown to others earn "
        "no hit."
        if active
        else "All users known before the judging part are counted, also those who then bought "
        "nothing.",
    ]


def _test(test: Mapping[str, Any]) -> str:
    """Say what the test takes that would tell what a list adds."""
    if "not_measured" in test:
        return str(
            blocks.absent("The size of a test that would tell", test["not_measured"])["text"]
        )
    days = test["days"]
    long = f", {lasting(days['value'])}" if "value" in days else ""
    said = (
        f"A test on users drawn by chance would tell: {roughly(test['users'])} users"
        f"{long}, to find half of the gain ({wording.money(test['gain'], test['unit'])})"
    )
    if "value" in days and days["value"] > LONGEST_TEST:
        usual = test["usual"]
        least = wording.money(usual["gain"], test["unit"])
        said += f"; {usual['days']:.0f} days would find {least} or more"
    return f"{said}."


_LEFT_OUT: Final = {
    "no_user": "without a user",
    "no_item": "without an item",
    "no_time": "without a time",
    "no_quantity": "without a usable quantity",
    "excluded_items": "of excluded items",
    "excluded_users": "of excluded users",
}


def interactions_read(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return how rows of a file became interactions; empty where the record does not say."""
    found = data.get("interactions")
    if not found:
        return []
    out = found["left_out"]
    lost = [f"{words} {wording.number(out[k], 0)}" for k, words in _LEFT_OUT.items() if out.get(k)]
    taken = found["cancellations"]["cancellations"]
    same = found["duplicates"]["repeated_rows"]
    return [
        ("Rows read", wording.number(found["rows"], 0)),
        ("Rows left out", "; ".join(lost) or "none"),
        ("Rows that repeat another", wording.number(same, 0)),
        ("Rows that take a purchase back", wording.number(taken, 0)),
        (
            "Interactions made of them",
            f"{wording.number(found['n'], 0)}, of {wording.number(found['n_users'], 0)} users and "
            f"{wording.number(found['n_items'], 0)} items, {visible(found['first'])} to "
            f"{visible(found['last'])}",
        ),
    ]


def hits_section(facts: Facts) -> dict[str, Any]:
    """Return what the places of every option's lists came to: hits, misses and their money."""
    rows: list[list[Any]] = []
    for policy in facts.evidence.policies[:MOST]:
        cells = {c.outcome: c for c in policy.cells if facts.acts(c.action)}
        hit, miss = cells["hit"], cells["miss"]
        if not hit.n + miss.n:
            continue
        ends = ""
        if hit.low is not None and hit.high is not None:
            ends = f"{wording.people(hit.low)} to {wording.people(hit.high)}"
        rows.append(
            [
                facts.policy(policy.name),
                blocks.cell(wording.people(hit.per_period), ends),
                wording.number(hit.money_per_period),
                wording.people(miss.per_period),
                wording.number(miss.money_per_period),
            ]
        )
    currency = facts.money_unit.partition(" per ")[0]
    return blocks.section(
        "a-people",
        "Hits and misses",
        [
            blocks.table(
                f"Places of lists {facts.period}, counted on {wording.number(facts.n, 0)} users, "
                f"with {facts.level} intervals",
                ["Option", "Hits", f"{currency} of hits", "Misses", f"{currency} of misses"],
                rows,
                strong=[0],
                note="Where a hit is worth a declared constant, an item bought again counts "
                "each time.",
            )
        ],
    )


def missing_section(facts: Facts) -> dict[str, Any]:
    """Return what other decisions show and lists do not have, each with the reason."""
    made = []
    for name, title in _ABSENT.items():
        why = blocks.missing_of(getattr(facts.evidence, name))
        if why is not None:
            made.append(blocks.absent(title, why))
    return blocks.section("a-missing", "What lists do not have", made)


def cost_section(facts: Facts) -> list[dict[str, Any]]:
    """Return what every option takes to fit, to keep and to answer; nothing without lists."""
    if not facts.lists:
        return []
    rows: list[list[Any]] = []
    for p in shown_options(facts):
        cost = p["cost"]
        price = cost["per_period"]
        rows.append(
            [
                facts.policy(p["policy"]),
                _taken(cost["fit_seconds"], 1.0),
                _taken(cost["fit_bytes"], 1e6),
                _taken(cost["model_bytes"], 1e6),
                _taken(cost["ms_per_list"], 1.0),
                wording.number(price["value"]) if "value" in price else "not priced",
            ]
        )
    why = next(
        (
            visible(p["cost"]["per_period"]["not_measured"], 200)
            for p in shown_options(facts)
            if "not_measured" in p["cost"]["per_period"]
        ),
        "",
    )
    tried = list(facts.evidence.model.get("tried", ()))
    made: list[blocks.Block] = [
        blocks.table(
            "What each option takes",
            [
                "Option",
                "Fitting, processor seconds",
                "Fitting, MB of memory at most",
                "In the bundle, MB",
                "One list, milliseconds",
                f"Processor cost, {facts.money_unit}",
            ],
            rows,
            note=f"Not priced: {why}." if why else "",
        )
    ]
    made += _tried(tried)
    return [blocks.section("e-costs", "What lists take, and what was tried", made)]


def _taken(value: float | None, unit: float) -> str:
    """Write what something takes; less than a hundredth of the unit is not told apart.

    Examples
    --------
    >>> _taken(0.838, 1.0), _taken(135.0, 1e6), _taken(0.0, 1.0), _taken(None, 1.0)
    ('0.838', 'below 0.01', 'below 0.01', 'not measured')
    """
    if value is None:
        return "not measured"
    return "below 0.01" if value / unit < 0.01 else wording.number(value / unit)


def _tried(tried: Sequence[Mapping[str, Any]]) -> list[blocks.Block]:
    """Return every setting that was tried on the choosing part."""
    if not tried:
        return [blocks.text("The evidence does not hold which settings were tried.")]
    flat = {k: v for k, v in tried[0].items() if not isinstance(v, Mapping | list | tuple)}
    words = [k for k, v in flat.items() if isinstance(v, str)]
    keys = [*words, *(k for k in flat if k not in words)]
    rows = [
        [
            wording.plain_number(v)
            if isinstance(v := one.get(k), int | float) and not isinstance(v, bool)
            else visible("yes" if v is True else "no" if v is False else v or "none", 160)
            for k in keys
        ]
        for one in tried[: 2 * MOST]
    ]
    hidden = len(tried) - len(rows)
    return [
        blocks.table(
            "Settings tried on the choosing part",
            [_COLUMNS.get(k) or wording.opening(visible(k).replace("_", " ")) for k in keys],
            rows,
            left=max(1, len(words)),
            note=f"{hidden} more in the evidence file." if hidden else "",
        )
    ]
