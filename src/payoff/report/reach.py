"""Whom lists reach: groups of items and of users, new ones, and the test that would settle it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payoff.evidence.wording import lasting, roughly
from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts
from payoff.report.groups import chance
from payoff.report.list_cells import figure_of, money_of, title_of
from payoff.report.listing import MOST, shown_options

__all__ = ["cold_section", "experiment_section", "exposure_section", "whom_section"]


def exposure_section(facts: Facts) -> dict[str, Any]:
    """Return how places go to the declared groups of items."""
    found = facts.evidence.tradeoff["exposure"]
    if not found:
        why = "the decision declares no 'item_groups' in [list]"
        return blocks.section(
            "a-exposure", "Who is shown: groups of items", [blocks.absent("Exposure", why)]
        )
    made: list[blocks.Block] = []
    trivial = facts.trivial.name if facts.trivial is not None else ""
    for name in dict.fromkeys(g["group"] for g in found):
        own = sorted((g for g in found if g["group"] == name), key=lambda g: -(g["bought"] or 0.0))
        rows = [
            [
                visible(g["label"], 80),
                wording.number(g["items"], 0),
                wording.share(g["catalogue"]),
                wording.share(g["had"]),
                wording.share(g["bought"]),
                figure_of("coverage", g["shown"][facts.subject.name]),
                *([figure_of("coverage", g["shown"][trivial])] if trivial in g["shown"] else []),
            ]
            for g in own[:MOST]
        ]
        hidden = len(own) - len(rows)
        other = [f"Shown by “{facts.policy(trivial, 30)}”"] if trivial in own[0]["shown"] else []
        made.append(
            blocks.table(
                f"Items by {visible(name, 60)}, with {facts.level} intervals of what is shown",
                [
                    "Group",
                    "Items",
                    "Share of the catalogue",
                    "Share of what users had",
                    "Share of money then spent",
                    "Share of all places",
                    *other,
                ],
                rows,
                note=f"{hidden} more in the evidence file." if hidden else "",
            )
        )
    return blocks.section("a-exposure", "Who is shown: groups of items", made)


def whom_section(facts: Facts) -> dict[str, Any]:
    """Return which option wins for whom, and where lists are less accurate."""
    trade = facts.evidence.tradeoff
    whom = trade["whom"]
    if "not_measured" in whom:
        return blocks.section(
            "a-whom", "Which list wins for whom", [blocks.absent("Winners", whom["not_measured"])]
        )
    rows = [
        [
            f"{visible(g['subgroup'], 40)}: {visible(g['group'], 60)}",
            facts.policy(g["best"], 60),
            wording.number(g["n"], 0),
            wording.number(g["value"]),
            wording.number(g["recommended"]),
            money_of(g["more"], plus=True) if g["more"] else "(the recommended option)",
            ", ".join(facts.policy(n, 40) for n in g["beyond_chance"]) or "none",
        ]
        for g in whom["groups"][:MOST]
    ]
    gaps = [
        [
            f"{visible(one['subgroup'], 40)}: {visible(g['group'], 60)}",
            title_of(one["measure"]),
            wording.number(g["n"], 0),
            figure_of(one["measure"], g["figure"]),
            chance(g["p_adjusted"]),
        ]
        for one in trade["gaps"]["subgroups"]
        for g in one.get("groups", ())
    ]
    made = [
        blocks.items([visible(s, 400) for s in (*whom["sentences"], *trade["gaps"]["sentences"])]),
        blocks.table(
            f"The option that earned most in each group, in {visible(whom['unit'])}; intervals "
            f"hold for all {whom['comparisons']} comparisons at once, at {facts.level}",
            [
                "Group of users",
                "Earned most",
                "Users",
                "Its money",
                f"“{facts.policy(facts.subject.name, 30)}”",
                "More by",
                "Earn more beyond chance",
            ],
            rows,
            left=2,
        ),
    ]
    if gaps:
        made.append(
            blocks.table(
                "How accurate the recommended lists are for each group",
                ["Group of users", "Measure", "Users", "Figure", "Chance of such a gap"],
                gaps[:MOST],
                left=2,
            )
        )
    return blocks.section("a-whom", "Which list wins for whom", made)


def cold_section(facts: Facts) -> dict[str, Any]:
    """Return what lists are for new users, and how they show new items."""
    cold = facts.evidence.tradeoff["cold"]
    users, items = cold["users"], cold["items"]
    rows = [
        [
            facts.policy(p["policy"]),
            money_of(users["money"][p["policy"]]),
            wording.share(items["policies"][p["policy"]]["places"]),
            wording.number(items["policies"][p["policy"]]["hits"], 0),
        ]
        for p in shown_options(facts)
    ]
    return blocks.section(
        "a-cold",
        "New users and new items",
        [
            blocks.text(
                f"{wording.number(users['n'], 0)} of the users judged "
                f"({wording.share(users['share'])}) had no history. "
                f"{wording.number(items['n'], 0)} of the items offered "
                f"({wording.share(items['share'])}) nobody had before; they are "
                f"{wording.share(items['bought'])} of the money then spent."
            ),
            blocks.table(
                "Lists for new users, and new items in lists",
                [
                    "Option",
                    f"New users, {visible(facts.subject.value.unit)}",
                    "Places for new items",
                    "Hits among them",
                ],
                rows,
                strong=[0],
            ),
        ],
    )


def experiment_section(facts: Facts) -> dict[str, Any]:
    """Return what a replay cannot tell, and the size of the test that would."""
    trade = facts.evidence.tradeoff
    made: list[blocks.Block] = [
        blocks.items([visible(s, 400) for s in trade["replay"]["sentences"]])
    ]
    test = trade["experiment"]
    if "not_measured" in test:
        made.append(blocks.absent("The experiment", test["not_measured"]))
    else:
        made += [
            blocks.items([visible(s, 600) for s in test["sentences"]]),
            blocks.facts(_test_facts(facts, test)),
            blocks.text(
                "Users in each half: 2 (1.96 + 0.84)² sd² / gain², with the standard deviation of "
                "all that one user buys in a stretch as long as the judging part.",
                "term",
            ),
        ]
    return blocks.section("a-experiment", "What replay cannot tell, and the test that would", made)


def _test_facts(facts: Facts, test: Mapping[str, Any]) -> list[tuple[str, str]]:
    days, volume = test["days"], test["by_volume"]
    against = facts.policy(test["against"])
    return [
        ("Shown to the other half", f"“{against}”"),
        ("Gain to find", wording.money(test["gain"], test["unit"])),
        ("Standard deviation of one user's money", wording.money(test["sd"], test["unit"])),
        ("Users in all", roughly(test["users"])),
        (
            "Users, adjusted for what they did before",
            f"{roughly(test['with_past']['users'])} (it explains "
            f"{wording.share(test['with_past']['share'])} of the variance)",
        ),
        ("Time, at the users of the judging part", _days(days)),
        ("Time, at the declared volume", _days(volume)),
        ("Power", wording.share(test["power"])),
        ("Level, two-sided", wording.share(test["significance"])),
    ]


def _days(found: Mapping[str, Any]) -> str:
    if "not_measured" in found:
        return f"not measured: {visible(found['not_measured'], 120)}"
    return lasting(found["value"])
