"""What past decisions tell: how they came about, how far they carry each option, who gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts

__all__ = ["past_section"]

_TITLE: Final = "Past decisions"
_MOST: Final = 40


def past_section(facts: Facts) -> dict[str, Any]:
    """Return the section on past decisions: drawings with a table beside each."""
    found = facts.evidence.past
    why = blocks.missing_of(found)
    if why is not None:
        return blocks.section("a-past", _TITLE, [blocks.absent(_TITLE, why)])
    made: list[blocks.Block] = [
        blocks.items([visible(s, 400) for s in found.get("sentences", ())]),
        _actions(facts, found["design"]),
    ]
    if found.get("bounds"):
        made += _bounds(facts, found["bounds"])
    if found.get("estimators"):
        made += _estimators(facts, found["estimators"])
        made.append(_chance(found.get("assignment") or {}))
    effects = found.get("uplift") or []
    if isinstance(effects, Mapping):
        made.append(
            blocks.absent("Who gains from being acted upon", blocks.missing_of(effects) or "")
        )
    else:
        for effect in effects:
            made += _uplift(facts, effect)
    made += _exploration(facts, found.get("exploration") or {})
    return blocks.section("a-past", _TITLE, made)


def _actions(facts: Facts, design: Mapping[str, Any]) -> blocks.Block:
    selected = design["how"] == "selected"
    rows: list[list[Any]] = []
    for one in design["actions"][:_MOST]:
        told = wording.figure(one["share"])
        last = (
            [wording.number(float(one["unknown"]), 0)]
            if selected
            else [
                "never" if one["smallest"] is None else wording.share(one["smallest"]),
                "never" if one["median"] is None else wording.share(one["median"]),
            ]
        )
        rows.append(
            [
                facts.action(str(one["action"])),
                wording.number(float(one["n"]), 0),
                blocks.cell(told["short"], told["ends"]),
                *last,
            ]
        )
    return blocks.table(
        f"What was done in the past to the {wording.number(float(design['n']), 0)} rows judged: "
        f"{visible(design['words'], 200)}",
        [
            "Action",
            "Rows",
            "Share",
            *(["Rows without an outcome"] if selected else ["Smallest chance", "Median chance"]),
        ],
        rows,
    )


def _bounds(facts: Facts, found: Sequence[Mapping[str, Any]]) -> list[blocks.Block]:
    rows: list[list[Any]] = []
    drawn: list[dict[str, Any]] = []
    for one in found[:_MOST]:
        total = one["total"]
        told = wording.figure(total)
        ends = told["short"] if total["value"] is None else told["ends"]
        single = one["unknown"] == 0
        rows.append(
            [
                facts.policy(str(one["policy"])),
                wording.number(float(one["unknown"]), 0),
                wording.number(one["low"]),
                wording.number(one["high"]),
                ends,
            ]
        )
        drawn.append(
            {
                "label": facts.policy(str(one["policy"])),
                "value": (one["low"] + one["high"]) / 2,
                "low": one["low"],
                "high": one["high"],
                "text": wording.number(one["low"])
                if single
                else f"{wording.number(one['low'])} to {wording.number(one['high'])}",
                "mark": "main" if one is found[0] else "base",
            }
        )
    said = "; ".join(f"{r['label']}: {r['text']}" for r in drawn)
    return [
        blocks.text(
            "Bounds: the least and the most an option can have earned, whatever the outcomes that "
            "were never recorded. No point in between is likelier than another, and more rows of "
            "the same kind do not narrow them.",
            "term",
        ),
        blocks.chart(
            {
                "chart": "forest",
                "title": f"Bounds of each option, {facts.money_unit}",
                "desc": visible(f"From the least to the most each option can earn. {said}.", 600),
                "unit": facts.money_unit,
                "key": "Line: from the least to the most. The mark is its middle, no estimate.",
                "stress": True,
                "rows": drawn,
            }
        ),
        blocks.table(
            f"Bounds in {facts.money_unit}; the last column allows for the rows being a sample",
            ["Option", "Rows unknown", "Least", "Most", f"{facts.level} interval of the bounds"],
            rows,
            strong=[0],
        ),
    ]


def _estimators(facts: Facts, found: Sequence[Mapping[str, Any]]) -> list[blocks.Block]:
    rows: list[list[Any]] = []
    for one in found[:_MOST]:
        told = [wording.figure(one[k]) for k in ("dr", "ips", "snips")]
        rows.append(
            [
                facts.policy(str(one["policy"])),
                wording.number(float(one["matched"]), 0),
                wording.number(one["ess"], 0),
                wording.number(one["largest_weight"]),
                *[
                    blocks.cell(t["short"] if t["value"] is not None else "no value", t["ends"])
                    for t in told
                ],
            ]
        )
    lacking = [
        f"{facts.policy(str(e['policy']))}: {visible(e['overlap'], 300)}."
        for e in found
        if e["overlap"]
    ]
    unit = visible(facts.subject.value.unit)
    return [
        blocks.text(
            "A row says something of an option only where the past did what the option would do; "
            "there it counts for as many rows as it stands for (1 divided by the chance of what "
            "was done). Doubly robust: a model predicts all rows, and those rows correct it; it is "
            "the figure used everywhere else. The other two use the corrected rows alone. Three "
            "that lie far apart are a warning.",
            "term",
        ),
        blocks.table(
            f"Three estimates of each option in {unit}, with {facts.level} intervals where "
            "they can be given",
            [
                "Option",
                "Rows that agree",
                "Effective rows",
                "Largest weight",
                "Doubly robust",
                "Inverse propensity",
                "Self-normalised",
            ],
            rows,
            strong=[0],
        ),
        *([blocks.items(lacking)] if lacking else []),
    ]


def _chance(test: Mapping[str, Any]) -> blocks.Block:
    why = blocks.missing_of(test)
    if why is not None or not test:
        return blocks.absent("Test of chance", why or "no model of the past action was fitted")
    return blocks.text(
        f"Test of chance: the features guess what was done on {wording.share(test['guessed'])} of "
        f"{wording.number(float(test['n']), 0)} rows; always guessing the most frequent action is "
        f"right on {wording.share(test['by_share'])}. Chance alone does as well in "
        f"{wording.share(test['p_value'])} of shuffles."
    )


def _uplift(facts: Facts, effect: Mapping[str, Any]) -> list[blocks.Block]:
    action, other = (facts.action(str(effect[k]), 50) for k in ("action", "against"))
    name = f"“{action}” instead of “{other}”"
    mean, outcome = (wording.figure(effect[k], plus=True) for k in ("effect", "outcome_effect"))
    happens = facts.outcome(str(effect["outcome"]), 40)
    pairs = [
        (
            f"{name}: on average over everybody",
            f"{mean['text']} ({mean['interval']}; {wording.number(float(effect['n_action']), 0)} "
            f"rows against {wording.number(float(effect['n_against']), 0)})",
        ),
        (
            f"Change in the share of “{happens}”, in points",
            f"{outcome['text']} ({outcome['interval']})",
        ),
    ]
    why = blocks.missing_of(effect["qini"]) if "not_measured" in effect["qini"] else None
    if why is not None:
        return [blocks.facts(pairs), blocks.absent(f"Who gains from {name}", why)]
    qini = wording.figure(effect["qini"], plus=True)
    pairs.append(
        (
            "Qini coefficient: mean gain of choosing whom to treat over treating as many at random",
            f"{qini['text']} ({qini['interval']})",
        )
    )
    return [
        blocks.facts(pairs),
        blocks.chart(_curve_spec(facts, effect["curve"], name)),
        _curve_table(facts, effect["curve"], name),
        _fifths(facts, effect, name, happens),
    ]


def _curve_spec(facts: Facts, found: Mapping[str, Any], name: str) -> dict[str, Any]:
    unit = visible(found["unit"])
    every = found["gain"][-1]
    return {
        "chart": "curve",
        "key": "A curve that bulges above the straight line to its end says the model finds those "
        "who gain.",
        "title": f"Gain of {name}, by share treated",
        "desc": visible(
            f"Estimated gain in {unit} when the share with the largest predicted effect is "
            f"treated, with its {facts.level} interval; {wording.number(every)} when all are. The "
            "table below has the figures.",
            600,
        ),
        "x": [100 * s for s in found["share"]],
        "y": found["gain"],
        "low": found["low"],
        "high": found["high"],
        "lines": [{"label": f"everybody treated: {wording.number(every)}", "value": every}],
        "line_label": f"the largest predicted effects first (band: {facts.level} interval)",
        "mark": None,
        "mark_label": "",
        "x_label": f"Share of {facts.units} treated, %",
        "y_label": unit,
    }


def _curve_table(facts: Facts, found: Mapping[str, Any], name: str) -> blocks.Block:
    rows: list[list[Any]] = []
    every = found["gain"][-1]
    for k in range(4, len(found["share"]), 4):
        told = wording.figure(
            {
                "value": found["gain"][k],
                "low": found["low"][k],
                "high": found["high"][k],
                "unit": found["unit"],
                "n": found["n"],
                "level": facts.decision.get("level"),
                "reason": "nobody is treated",
            }
        )
        rows.append(
            [
                wording.share(found["share"][k]),
                told["short"],
                told["ends"],
                wording.number(every * found["share"][k]),
            ]
        )
    return blocks.table(
        f"Gain of {name} by share treated, {visible(found['unit'])}, from "
        f"{wording.number(float(found['n']), 0)} rows",
        ["Share treated", "Largest effects first", f"{facts.level} interval", "At random"],
        rows,
    )


def _fifths(facts: Facts, effect: Mapping[str, Any], name: str, happens: str) -> blocks.Block:
    rows: list[list[Any]] = []
    for one in effect["fifths"]:
        money, share = (wording.figure(one[k], plus=True) for k in ("effect", "outcome_effect"))
        rows.append(
            [
                f"{one['fifth']}. fifth",
                wording.number(float(one["n"]), 0),
                wording.number(one["predicted"], -3),
                blocks.cell(money["short"], money["ends"]),
                blocks.cell(share["short"], share["ends"]),
            ]
        )
    return blocks.table(
        f"{name}, by fifths of the predicted effect: does it come where the model says?",
        [
            "Predicted effect, largest first",
            "Rows",
            "Predicted",
            f"Measured, {visible(facts.subject.value.unit)}",
            f"Measured change of “{happens}”, in points",
        ],
        rows,
    )


def _exploration(facts: Facts, found: Mapping[str, Any]) -> list[blocks.Block]:
    slices = found.get("slices") or []
    if not slices:
        return []
    rows: list[list[Any]] = []
    for one in slices:
        cost = one["cost_per_period"]
        rows.append(
            [
                wording.share(one["share"]),
                wording.people(one["per_period"]),
                "±" + wording.number(one["half_width"]),
                "not measured" if cost is None else wording.number(cost),
            ]
        )
    return [
        blocks.text(
            "A slice left to chance: after a policy is deployed, its own decisions no longer tell "
            "what the others would have earned. Leaving a small share to chance keeps that known. "
            f"Rule: {visible(found.get('formula'), 300)}."
        ),
        blocks.table(
            f"What leaving some {facts.units} to chance tells and costs {facts.period}",
            [
                "Share left to chance",
                facts.units.capitalize(),
                f"How well one action's value is then known, {visible(found['unit'])}",
                f"Expected cost, {visible(found['total_unit'])}",
            ],
            rows,
        ),
    ]
