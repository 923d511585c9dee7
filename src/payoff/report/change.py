"""What would change the answer, on the analyst's page: payoffs, their ranges, capacity, volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts
from payoff.report.sure import off_by

__all__ = ["change_section"]

_MOST_LEVERS: Final = 8
_MOST_OPTIONS: Final = 5
_ROWS: Final = 4
_EVERY: Final = 3


def change_section(facts: Facts) -> dict[str, Any]:
    """Return break-even points, the map of two payoffs, ranges, capacity and volume."""
    found = facts.evidence.sensitivity
    title = "What would change the answer"
    why = blocks.missing_of(found)
    if why is not None:
        return blocks.section("a-change", title, [blocks.absent(title, why)])
    made = [blocks.text(visible(s, 600)) for s in found.get("sentences", ())]
    if "levers" not in found:
        return blocks.section("a-change", title, made)
    made += _levers(facts, found)
    made += _map(facts, found["map"])
    made += _ranges(facts, found["ranges"])
    made += _capacity(facts, found["capacity"])
    said = visible(found["volume"].get("sentence") or "", 400)
    why_not = blocks.missing_of(found["volume"])
    made.append(blocks.text(said) if why_not is None else blocks.absent("Volume", why_not))
    return blocks.section("a-change", title, made)


def _name(facts: Facts, lever: Mapping[str, Any], most: int = 60) -> str:
    """Name a lever in words."""
    action = facts.action(str(lever["action"]), most)
    if lever["outcome"] is None:
        return f"Each “{action}” costs more by"
    outcome = facts.outcome(str(lever["outcome"]), most)
    times = ", times" if lever["kind"] == "factor" else ""
    return f"{action}, outcome {outcome}{times}"


def _levers(facts: Facts, found: Mapping[str, Any]) -> list[blocks.Block]:
    every = found["levers"][:_MOST_LEVERS]
    if not every:
        return [blocks.text("No payoff moves the options apart.")]
    against = facts.policy(str(found["against"]), 60)
    drawn = [x for x in every if x["lead_less"] != x["lead_more"]]
    made: list[blocks.Block] = []
    if drawn:
        made.append(blocks.chart(_tornado(facts, found, drawn)))
    rows: list[list[Any]] = []
    for x in every:
        stays = x["stays"]
        rows.append(
            [
                _name(facts, x),
                wording.number(x["now"]),
                _turn(facts, stays["low"], stays["below"]),
                _turn(facts, stays["high"], stays["above"]),
                _again(x["again"]),
            ]
        )
    own = facts.policy(facts.subject.name, 60)
    made.append(
        blocks.table(
            f"Between which values “{own}” stays ahead of every policy without a model, on "
            f"{wording.number(facts.n, 0)} rows (with the {facts.level} interval of each end)",
            ["Payoff", "Declared", "From", "To", "If the policy decides again"],
            rows,
        )
    )
    made.append(
        blocks.text(
            "From, to: at this value the option named earns as much; every policy keeps its "
            "actions. Decides again: the same, when the policy acts by the changed payoff. The "
            f"drawing compares with “{against}”.",
            "term",
        )
    )
    again = [x["again"] for x in every]
    left = {a["not_measured"] for a in again if "--rows" in a.get("not_measured", "")}
    made += [blocks.absent("If the policy decides again", why) for why in sorted(left)]
    most = max((a.get("off_by_at_most") or 0.0 for a in again), default=0.0)
    return made + off_by(facts, most or None)


def _turn(facts: Facts, end: Mapping[str, Any], who: str | None) -> dict[str, str]:
    if end["value"] is None or who is None:
        return blocks.cell("no limit")
    told = wording.figure({**end, "unit": ""})
    interval = "no interval" if end["low"] is None else told["ends"]
    return blocks.cell(told["short"], f"{interval}; then {facts.policy(who, 40)}")


def _again(again: Mapping[str, Any]) -> str:
    if "not_measured" in again:
        return "not measured"
    low, high = again["low"], again["high"]
    if low is None and high is None:
        seen = f"{wording.number(again['looked_from'])} to {wording.number(again['looked_to'])}"
        return f"no limit from {seen}"
    ends = [
        "no limit" if low is None else wording.number(low),
        "no limit" if high is None else wording.number(high),
    ]
    return " to ".join(ends)


def _tornado(
    facts: Facts, found: Mapping[str, Any], levers: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    rows = []
    for x in levers:
        ends = sorted((x["lead_less"], x["lead_more"]))
        place = wording.place_of(*ends)
        told = f"{wording.number(ends[0], place)} to {wording.number(ends[1], place)}"
        rows.append(
            {
                "label": _name(facts, x, 40),
                "value": x["lead"],
                "low": ends[0],
                "high": ends[1],
                "text": told,
                "mark": "main",
            }
        )
    own = facts.policy(facts.subject.name, 60)
    against = facts.policy(str(found["against"]), 60)
    said = "; ".join(f"{r['label']}: {r['text']}" for r in rows)
    return {
        "chart": "forest",
        "title": f"Lead of “{own}” over “{against}” when one payoff is 20 % smaller or larger",
        "desc": visible(f"Lead {facts.per}, one payoff at a time. {said}.", 600),
        "unit": f"Lead, {facts.money_unit}",
        "key": "Disc: as declared. Line: from 20 % less to 20 % more of that payoff; it is no "
        "interval. Left of zero the other option is better.",
        "stress": False,
        "rows": rows,
    }


# ------------------------------------------------------------------------------------- the map


def _map(facts: Facts, found: Mapping[str, Any]) -> list[blocks.Block]:
    why = blocks.missing_of(found)
    if why is not None:
        return [blocks.absent("Two payoffs at once", why)]
    used = list(dict.fromkeys(name for row in found["best"] for name in row))
    names = used[:_MOST_OPTIONS]
    places = [[min(used.index(n), _MOST_OPTIONS - 1) for n in row] for row in found["best"]]
    across, up = found["across"], found["up"]
    here = (_nearest(across), _nearest(up))
    labels = [facts.policy(n, 60) for n in names]
    if len(used) > _MOST_OPTIONS:
        labels[-1] = "another option"
    spec = {
        "chart": "places",
        "title": "Which option is best as two payoffs move together",
        "desc": visible(
            f"Across: {_name(facts, across)}. Upwards: {_name(facts, up)}. Best options: "
            f"{'; '.join(labels)}. The table has the stretches.",
            600,
        ),
        "key": "Framed: the payoffs as declared. Every policy keeps its actions.",
        "across": across["values"],
        "up": up["values"],
        "best": places,
        "options": labels,
        "here": here,
        "x_label": _name(facts, across),
        "y_label": _name(facts, up),
    }
    rows = _merged(
        [
            (wording.number(v), _stretches(across["values"], [labels[k] for k in row]))
            for v, row in reversed([*zip(up["values"], places, strict=True)])
        ]
    )
    table = blocks.table(
        f"Best option by “{_name(facts, up)}” (first column) and “{_name(facts, across)}”",
        [_name(facts, up), "Best option"],
        rows,
        left=2,
    )
    return [blocks.chart(spec), table]


def _merged(rows: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Join neighbouring rows that say the same."""
    found: list[tuple[str, str, str]] = []
    for value, said in rows:
        if found and found[-1][2] == said:
            found[-1] = (found[-1][0], value, said)
        else:
            found.append((value, value, said))
    return [[a if a == b else f"{a} to {b}", said] for a, b, said in found]


def _nearest(axis: Mapping[str, Any]) -> int:
    return min(range(len(axis["values"])), key=lambda k: abs(axis["values"][k] - axis["now"]))


def _stretches(values: Sequence[float], labels: Sequence[str]) -> str:
    said = []
    start = 0
    for k in range(1, len(labels) + 1):
        if k == len(labels) or labels[k] != labels[start]:
            ends = [wording.number(values[start]), wording.number(values[k - 1])]
            said.append(f"{ends[0] if ends[0] == ends[1] else ' to '.join(ends)}: {labels[start]}")
            start = k
    return "; ".join(said)


# ---------------------------------------------------------------------------- ranges, capacity


def _ranges(facts: Facts, found: Mapping[str, Any]) -> list[blocks.Block]:
    why = blocks.missing_of(found)
    if why is not None:
        return [blocks.absent("Payoffs as ranges", why)]
    payoffs = blocks.table(
        "Payoffs declared as ranges, and how much of the doubt about the gain each causes",
        ["Payoff", "Least", "Most", "Shape", "Part of the doubt"],
        [
            [
                _name(facts, p),
                wording.number(p["low"]),
                wording.number(p["high"]),
                p["distribution"],
                wording.share(p["part"]),
            ]
            for p in found["payoffs"]
        ],
        note=f"The rest, {wording.share(found['rows_part'])}, is which rows were judged.",
    )
    rows = []
    for key, label in (("value", "Value"), ("lead", "Gain over the best without a model")):
        row: list[str | dict[str, str]] = [label]
        for part in ("without", "with"):
            told = wording.figure({**found[key][part], "unit": "", "n": found["n"]})
            row.append(blocks.cell(told["short"], told["ends"]))
        rows.append(row)
    unit = facts.money_unit
    return [
        payoffs,
        blocks.table(
            f"{unit}, from {wording.number(found['draws'], 0)} draws, with {facts.level} between "
            "the ends",
            ["", "Payoffs as declared", "Payoffs as ranges"],
            rows,
        ),
        blocks.facts(
            [
                (
                    "Draws in which no policy without a model earns more",
                    wording.share(found["still_best"]),
                ),
                (
                    "Worth of knowing the payoffs before choosing",
                    wording.money(found["knowing"], unit),
                ),
            ]
        ),
    ]


def _capacity(facts: Facts, found: Mapping[str, Any]) -> list[blocks.Block]:
    why = blocks.missing_of(found)
    if why is not None:
        return [blocks.absent("Value by capacity", why)]
    action = facts.action(str(found["action"]), 40)
    marks = [{"x": found["room"] * 100, "label": "declared"}]
    if found["enough"] < found["share"][-1]:
        marks.append({"x": found["enough"] * 100, "label": "more earns nothing"})
    spec = {
        "chart": "lines",
        "title": f"Value by room for “{action}”",
        "desc": visible(
            f"Money {facts.per} if the share of {facts.units} that “{action}” can reach were "
            "different. The table has the figures.",
            600,
        ),
        "key": f"Band: {facts.level} interval at each capacity.",
        "x": [s * 100 for s in found["share"]][::_EVERY],
        "series": [
            {
                "label": f"taken by falling expected gain (band: {facts.level} interval)",
                "y": found["value"][::_EVERY],
                "low": found["low"][::_EVERY],
                "high": found["high"][::_EVERY],
                "css": "main",
            }
        ],
        "marks": marks,
        "x_label": f"Room, % of {facts.units}",
        "y_label": visible(found["unit"]),
    }
    step = max(1, len(found["share"]) // _ROWS)
    rows = []
    for k in range(0, len(found["share"]), step):
        told = wording.figure(
            {key: found[key][k] for key in ("value", "low", "high")} | {"unit": ""}
        )
        rows.append(
            [
                wording.share(found["share"][k]),
                wording.people(found["per_period"][k]),
                wording.share(found["acted"][k]),
                told["short"],
                told["ends"],
            ]
        )
    return [
        blocks.chart(spec),
        blocks.table(
            f"Value by room for “{action}”, from {wording.number(found['n'], 0)} rows",
            [
                f"Room, share of {facts.units}",
                f"Room {facts.period}",
                "Share used",
                visible(found["unit"]),
                f"{facts.level} interval",
            ],
            rows,
        ),
    ]
