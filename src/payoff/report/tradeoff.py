"""The trade-off of lists in full: every measure, the front, the choice and the runner-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts
from payoff.report.list_cells import figure_of, money_of, number_of, title_of
from payoff.report.listing import shown_options
from payoff.report.reach import cold_section, experiment_section, exposure_section, whom_section

__all__ = ["record_sections", "tradeoff_sections"]

_MOST_DRAWN: Final = 14
_ACCURACY: Final = ("ndcg", "recall", "map", "mrr", "hit_rate", "precision")
_BEYOND: Final = ("coverage", "gini", "novelty", "popularity", "diversity")
_MONEY: Final = {"revenue": "Bought of the list", "margin": "Margin of that"}
_ORDER: Final = ("money", "revenue", "margin", *_ACCURACY, *_BEYOND)
_STATES: Final = {
    "met": "yes",
    "within": "missed, within chance",
    "broken": "no",
    "unknown": "not known",
}


def tradeoff_sections(facts: Facts) -> list[dict[str, Any]]:
    """Return the sections of the trade-off; none where the decision is not about lists."""
    if not facts.lists:
        return []
    return [
        _tradeoff(facts),
        _choice(facts),
        exposure_section(facts),
        whom_section(facts),
        cold_section(facts),
        experiment_section(facts),
    ]


def _tradeoff(facts: Facts) -> dict[str, Any]:
    trade = facts.evidence.tradeoff
    shown = shown_options(facts)
    made: list[blocks.Block] = [blocks.items([visible(s, 500) for s in trade["sentences"]])]
    if len(shown) > 1 and "ndcg" in trade["front"]["measures"]:
        made.append(blocks.chart(_front_spec(facts, shown)))
    made += [_front_table(facts, shown), _money_table(facts, shown), _accuracy(facts, shown)]
    made.append(
        blocks.text(
            "nDCG, MAP and MRR: 1 where everything bought stands at the top of the list, 0 where "
            "none of it is listed. Recall: the share of what was bought that is listed. Hit rate: "
            "the share of users with a hit. Precision: the share of places that are hits. All over "
            "users who bought something, among all items that could be shown.",
            "term",
        )
    )
    made += [_beyond(facts, shown)]
    made.append(
        blocks.text(
            "Coverage: the share of the catalogue that stands in at least one list. Gini: how "
            "unevenly places go to items, 0 evenly, 1 all to one. Novelty: 1 bit for an item that "
            "half of the users had, one more for each halving. Popularity: the mean share of users "
            "who had the items listed. Diversity: 1 less how alike the items of a list are.",
            "term",
        )
    )
    return blocks.section("a-tradeoff", "Trade-off", made)


def _front_spec(facts: Facts, shown: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the drawing of money against nDCG, options of the front stressed."""
    points = []
    for number, p in enumerate(shown[:_MOST_DRAWN], 1):
        ndcg, money = p["accuracy"]["ndcg"], p["per_list"]["money"]
        policy = facts.evidence.policy(p["policy"])
        main = p["policy"] == facts.subject.name
        points.append(
            {
                "label": f"{number}",
                "x": ndcg.get("value") or 0.0,
                "y": money.get("value") or 0.0,
                "low": money.get("low"),
                "high": money.get("high"),
                "mark": "main" if main else "base" if policy.baseline else "alt",
                "front": bool(p["front"]),
            }
        )
    unit = visible(facts.subject.value.unit)
    names = "; ".join(
        f"{n}: {facts.policy(p['policy'], 40)}" for n, p in enumerate(shown[:_MOST_DRAWN], 1)
    )
    return {
        "chart": "front",
        "title": "Money and accuracy of every option",
        "desc": visible(f"Money per list (upright) against nDCG (across). {names}.", 800),
        "x_label": "nDCG (1: everything bought stands at the top)",
        "y_label": unit,
        "key": "Numbers: the options of the table below. Disc: the option this page is about. "
        "Square: another option with a model. Diamond: needs no model. Ring: on the front. "
        f"Line: {facts.level} interval of the money.",
        "points": points,
    }


def _front_table(facts: Facts, shown: Sequence[Mapping[str, Any]]) -> blocks.Block:
    front = facts.evidence.tradeoff["front"]
    names = list(front["measures"])
    rows: list[list[Any]] = []
    for number, p in enumerate(shown, 1):
        figures = front["figures"][p["policy"]]
        by = ", ".join(facts.policy(n, 60) for n in p["beaten_by"][:2])
        more = len(p["beaten_by"]) - 2
        rows.append(
            [
                blocks.cell(
                    f"{number} {facts.policy(p['policy'])}", "on the front" if p["front"] else ""
                ),
                *[number_of(m, figures[m]) for m in names],
                (f"{by} and {more} more" if more > 0 else by) or "none",
            ]
        )
    return blocks.table(
        "The front: the options that no other equals in everything and beats in something",
        [
            "Option",
            *[visible(facts.subject.value.unit) if m == "money" else title_of(m) for m in names],
            "Better in everything",
        ],
        rows,
        strong=[0],
    )


def _money_table(facts: Facts, shown: Sequence[Mapping[str, Any]]) -> blocks.Block:
    trade = facts.evidence.tradeoff
    keys = [("money", "Money"), ("revenue", "Bought of the list"), ("margin", "Margin of that")]
    why = trade["window"]["per_period"].get("not_measured", "")
    rows = [
        [
            facts.policy(p["policy"]),
            *[money_of(p["per_list"][k]) for k, _ in keys],
            *([] if why else [money_of(p["per_user_period"][k]) for k, _ in keys]),
        ]
        for p in shown
    ]
    period = visible(facts.decision.get("period") or "period")
    currency = facts.money_unit.partition(" per ")[0]
    days = trade["window"]["days"]
    why_none = next(
        (m["reason"] for m in (p["per_list"]["money"] for p in shown) if m.get("reason")), ""
    )
    reason = f" No interval: {visible(why_none, 200)}." if why_none else ""
    note = (
        f"Per user and {period}: not measured, because {visible(why, 200)}."
        if why
        else f"Per user and {period}: the judging part of {wording.number(days)} days, scaled; for "
        "users like those judged."
    )
    return blocks.table(
        f"Money in {currency}, with {facts.level} intervals",
        [
            "Option",
            *[f"{label} per list" for _, label in keys],
            *([] if why else [f"{label} per user and {period}" for _, label in keys]),
        ],
        rows,
        strong=[0],
        note=note + reason,
    )


def _accuracy(facts: Facts, shown: Sequence[Mapping[str, Any]]) -> blocks.Block:
    rows = [
        [facts.policy(p["policy"]), *[figure_of(m, p["accuracy"][m]) for m in _ACCURACY]]
        for p in shown
    ]
    trade = facts.evidence.tradeoff
    return blocks.table(
        f"Accuracy at {trade['places']} places over {wording.number(trade['buyers'], 0)} users who "
        f"bought something, with {facts.level} intervals",
        ["Option", *[title_of(m) for m in _ACCURACY]],
        rows,
        strong=[0],
    )


def _beyond(facts: Facts, shown: Sequence[Mapping[str, Any]]) -> blocks.Block:
    names = [m for m in _BEYOND if any(p["beyond"].get(m) is not None for p in shown)]
    rows = [
        [facts.policy(p["policy"]), *[figure_of(m, p["beyond"].get(m)) for m in names]]
        for p in shown
    ]
    missing = (
        ""
        if "diversity" in names
        else ("Diversity: not measured, because no attributes of items are declared.")
    )
    return blocks.table(
        f"What the lists show, with {facts.level} intervals where a figure is a mean over users",
        ["Option", *[title_of(m).replace(" of exposure", "") for m in names]],
        rows,
        strong=[0],
        note=missing,
    )


def _choice(facts: Facts) -> dict[str, Any]:
    """Return the choice, its constraints and what the runner-up would give up."""
    trade = facts.evidence.tradeoff
    made: list[blocks.Block] = [blocks.text(visible(trade["choice"]["sentence"], 500))]
    rules = list(trade["choice"]["constraints"])
    if rules:
        made.append(
            blocks.table(
                "Constraints on lists, measured on users who did not choose",
                ["Constraint", "Why", "Measured", "Kept"],
                [
                    [
                        visible(wording.opening(r["label"]), 160),
                        visible(r["reason"], 200),
                        _rule_figure(r),
                        _STATES[r["state"]],
                    ]
                    for r in rules
                ],
                left=2,
            )
        )
    lost = trade["gives_up"]
    if "not_measured" in lost:
        made.append(blocks.absent("What the runner-up gives up", lost["not_measured"]))
        return blocks.section("a-choice", "The choice and the runner-up", made)
    figures = {**lost["paired"], **lost["counted"]}
    rows = [
        [
            _MONEY.get(m) or title_of(m),
            money_of(e, plus=True) if m in ("money", "revenue", "margin") else _signed(m, e),
            visible(e.get("unit", "") if isinstance(e, Mapping) else ""),
        ]
        for m, e in ((m, figures[m]) for m in _ORDER if m in figures)
    ]
    made += [
        blocks.table(
            f"“{facts.policy(facts.subject.name, 60)}” minus the runner-up "
            f"“{facts.policy(lost['against'], 60)}”, user by user, with {facts.level} intervals",
            ["Measure", "Difference", "Unit"],
            [[r[0], r[1], r[2] or "counted over all lists"] for r in rows],
        ),
        blocks.text(visible(lost["sentence"], 500)),
    ]
    return blocks.section("a-choice", "The choice and the runner-up", made)


def _rule_figure(rule: Mapping[str, Any]) -> Any:
    measured = rule["measured"]
    if "not_measured" in measured:
        return blocks.cell("not measured", visible(measured["not_measured"], 160))
    name = "coverage" if rule["measure"].startswith("share:") else rule["measure"]
    return figure_of(name, measured if "low" in measured else measured["value"])


def _signed(measure: str, found: Any) -> Any:
    cell = figure_of(measure, found)
    if isinstance(cell, str):
        return wording.signed(cell)
    return blocks.cell(wording.signed(cell["text"]), cell["small"])


def record_sections(facts: Facts) -> list[dict[str, Any]]:
    """Return the sections that a decision record of lists repeats from the analyst's page."""
    wanted = ("a-tradeoff", "a-choice", "a-whom", "a-experiment")
    return [s for s in tradeoff_sections(facts) if s["id"] in wanted]
