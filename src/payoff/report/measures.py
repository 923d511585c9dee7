"""Threshold, calibration and change over time: parts that may not be measurable at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payoff.report import blocks, wording
from payoff.report.calibrated import calibration_in_money, reliability_curve
from payoff.report.escape import visible
from payoff.report.facts import Facts

__all__ = ["PARTS", "calibration_section", "curve_section", "optimism_section", "shift_section"]

PARTS: Final = {
    "fit": "fit (to learn from)",
    "choose": "choose (to pick the policy)",
    "judge": "judge (to measure it)",
}
_ROWS_OF_CURVE: Final = 20


def curve_section(facts: Facts) -> dict[str, Any]:
    """Return value by threshold as a drawing and a table."""
    found = facts.evidence.curve
    why = blocks.missing_of(found)
    title = "Value by threshold"
    if why is not None:
        return blocks.section("a-curve", title, [blocks.absent(title, why)])
    score, action = visible(found.get("score")), facts.action(str(found.get("action")))
    chosen = found.get("threshold_chosen")
    step = max(1, -(-len(found["threshold"]) // _ROWS_OF_CURVE))
    top = max(found["threshold"], default=1.0)
    digits = max(2, 1 - wording.place_of(0.0, top)) if top > 0 else 2
    rows: list[list[Any]] = []
    for i in range(0, len(found["threshold"]), step):
        value, low, high = found["value"][i], found["low"][i], found["high"][i]
        told = wording.figure(
            {
                "value": value,
                "low": low,
                "high": high,
                "unit": found.get("unit"),
                "n": facts.n,
                "reason": "not computed at this threshold",
            }
        )
        rows.append(
            [
                f"{found['threshold'][i]:.{digits}f}",
                wording.share(found["acted_share"][i]),
                told["short"],
                told["ends"],
            ]
        )
    made: list[blocks.Block] = [
        blocks.text(
            f"Threshold: “{action}” is taken where the {score} is at least this number. The curve "
            "is drawn from the rows that judge, so its peak flatters: no threshold is chosen from "
            "it.",
            "term",
        ),
        blocks.chart(_curve_spec(facts, found, score, chosen)),
        blocks.table(
            f"Money by threshold, from {wording.number(facts.n, 0)} rows; one point in "
            f"{step} of the drawing",
            [
                "Threshold",
                f"Share of {facts.units} acted on",
                visible(found.get("unit")),
                f"{facts.level} interval",
            ],
            rows,
        ),
    ]
    if chosen is not None:
        made.append(blocks.text(f"Threshold chosen beforehand: {wording.number(chosen, -3)}."))
    return blocks.section("a-curve", title, made)


def _curve_spec(
    facts: Facts, found: Mapping[str, Any], score: str, chosen: float | None
) -> dict[str, Any]:
    lines = []
    for key, label in (
        ("recommended_value", f"“{facts.policy(facts.subject.name, 50)}”"),
        ("do_nothing", "acting on nobody"),
        ("all", "acting on everybody"),
    ):
        value = found.get(key)
        if value is not None:
            told = wording.money(value, str(found.get("unit")))
            lines.append({"label": f"{label}: {told}", "value": value})
    unit = visible(found.get("unit"))
    return {
        "chart": "curve",
        "key": "The rows that judge draw this curve, so its peak flatters.",
        "title": f"Money by threshold on the {score}",
        "desc": visible(
            f"Estimated {unit} by threshold, with its {facts.level} interval as a "
            f"band. {'; '.join(x['label'] for x in lines)}. The table below has the figures.",
            600,
        ),
        "x": found["threshold"],
        "y": found["value"],
        "low": found["low"],
        "high": found["high"],
        "lines": lines,
        "line_label": f"one threshold for all (band: {facts.level} interval)",
        "mark": chosen,
        "x_label": f"Threshold on the {score}",
        "y_label": unit,
        "mark_label": "" if chosen is None else f"threshold chosen: {wording.number(chosen, -3)}",
    }


def _bin_row(found: Mapping[str, Any]) -> list[Any]:
    told = wording.figure(
        {
            "value": found.get("rate"),
            "low": found.get("rate_low"),
            "high": found.get("rate_high"),
            "unit": "share",
            "n": found.get("n"),
            "reason": "the bin has too few rows",
        }
    )
    return [
        f"{wording.number(found['low'], -3)} to {wording.number(found['high'], -3)}",
        wording.number(float(found.get("n") or 0), 0),
        wording.share(found.get("mean_prob")),
        told["short"],
        told["ends"],
    ]


def calibration_section(facts: Facts) -> dict[str, Any]:
    """Return promised against observed shares, and promised against realised money."""
    found = facts.evidence.calibration
    why = blocks.missing_of(found)
    title = "Calibration"
    if why is not None:
        return blocks.section("a-calibration", title, [blocks.absent(title, why)])
    outcome = facts.outcome(str(found.get("outcome")))
    bins = [
        {
            "x": b.get("mean_prob"),
            "value": b.get("rate"),
            "low": b.get("rate_low"),
            "high": b.get("rate_high"),
            "n": b.get("n"),
        }
        for b in found.get("bins", ())
    ]
    rows = [_bin_row(b) for b in found.get("bins", ())]
    n = wording.number(float(found.get("n") or 0), 0)
    made: list[blocks.Block] = [
        blocks.text(
            "Calibrated: of all units given a probability of 20 %, about 20 in 100 turn out so. "
            "Money is computed from these probabilities, so it is only as right as they are.",
            "term",
        )
    ]
    if bins:
        made += [
            blocks.chart(_reliability_spec(facts, bins, outcome) | reliability_curve(facts, found)),
            blocks.table(
                f"Promised and observed shares of “{outcome}”, from {n} rows",
                ["Probability", "Rows", "Mean promised", "Observed", f"{facts.level} interval"],
                rows,
            ),
        ]
    difference = wording.figure(found.get("difference"), plus=True)
    made += calibration_in_money(facts, found)
    made.append(
        blocks.facts(
            [
                ("Money the model promised", _money(found.get("expected"), facts)),
                ("Money that came", _money(found.get("realised"), facts)),
                (
                    "Money that came minus money promised",
                    f"{difference['text']} ({difference['interval']}, "
                    f"{wording.number(difference['n'], 0)} rows)",
                ),
                ("Log loss (lower is better)", wording.plain_number(found.get("log_loss"))),
                ("Brier score (lower is better)", wording.plain_number(found.get("brier"))),
            ]
        )
    )
    return blocks.section("a-calibration", title, made)


def _money(value: float | None, facts: Facts) -> str:
    if value is None:
        return "not measured, because the evidence does not hold it"
    return wording.money(value, facts.subject.value.unit)


def _reliability_spec(facts: Facts, bins: list[dict[str, Any]], outcome: str) -> dict[str, Any]:
    said = "; ".join(
        f"promised {wording.share(b['x'])}, observed {wording.share(b['value'])}" for b in bins
    )
    return {
        "chart": "reliability",
        "key": "Points below the dashes: promised too much. Above: promised too little.",
        "title": f"Promised and observed shares of “{outcome}”",
        "desc": visible(f"One point per band of probability. {said}.", 600),
        "bins": bins,
        "x_label": "Promised probability",
        "y_label": "Observed share",
        "diagonal_label": "where promise and observation agree",
        "dot_label": f"observed share, with its {facts.level} interval",
    }


def shift_section(facts: Facts) -> dict[str, Any]:
    """Return the share of each outcome in each part, and the window of each part."""
    evidence = facts.evidence
    parts: Mapping[str, Any] = evidence.data.get("split", {}).get("parts", {})
    names = [n for n in PARTS if n in parts]
    title = "Outcomes and dates of each part"
    rows: list[list[Any]] = []
    for name in names:
        part = parts[name]
        first, last = part.get("first"), part.get("last")
        window = f"{_day(first)} to {_day(last)}" if first and last else "no dates declared"
        shares = part.get("outcome_share") or {}
        declared = [str(o["name"]) for o in facts.decision.get("outcomes", ())]
        said = ", ".join(
            f"{facts.outcome(o, 40)} {wording.share(shares[o])}"
            for o in declared[:6]
            if o in shares
        )
        rows.append(
            [PARTS[name], window, said or "not known", wording.number(float(part.get("n") or 0), 0)]
        )
    made: list[blocks.Block] = []
    if rows:
        made.append(
            blocks.table(
                "Rows, dates and base rates of each part",
                ["Part", "Dates", "Base rates", "Rows"],
                rows,
                left=3,
            )
        )
        made.append(
            blocks.text(
                "Base rate: the share of rows with an outcome, whatever the model says.", "term"
            )
        )
    made.extend(_shift(facts))
    return blocks.section("a-parts", title, made)


def _day(moment: Any) -> str:
    """Write a date without the midnight that comes with it."""
    return visible(moment).removesuffix(" 00:00:00").removesuffix("T00:00:00")


def _shift(facts: Facts) -> list[blocks.Block]:
    found = facts.evidence.shift
    why = blocks.missing_of(found)
    if why is not None:
        return [blocks.absent("Change between the parts", why)]
    rows: list[list[Any]] = []
    for o in list(found.get("outcomes", ()))[:40]:
        told = wording.figure(o.get("difference"), plus=True)
        rows.append(
            [
                facts.outcome(str(o.get("outcome"))),
                wording.share(o.get("fit")),
                wording.share(o.get("choose")),
                wording.share(o.get("judge")),
                blocks.cell(told["short"], told["ends"]),
                wording.number(told["n"], 0),
            ]
        )
    made: list[blocks.Block] = [
        blocks.table(
            f"Did the outcomes change between the parts? Judge minus fit with its {facts.level} "
            "interval",
            ["Outcome", "Fit", "Choose", "Judge", "Judge minus fit", "Rows"],
            rows,
        )
    ]
    warning = visible(found.get("warning") or "", 400)
    return [*made, blocks.text(warning, "warn")] if warning else made


def optimism_section(facts: Facts) -> dict[str, Any]:
    """Return what tuning would have flattered, step by step."""
    found = facts.evidence.optimism
    title = "Flattery taken out"
    why = blocks.missing_of(found)
    if why is not None:
        return blocks.section("a-optimism", title, [blocks.absent(title, why)])
    rows: list[list[Any]] = []
    for step in found["steps"]:
        told = {k: wording.figure(step[k], plus=k == "removed") for k in ("apparent", "honest")}
        removed = wording.figure(step["removed"], plus=True)
        rows.append(
            [
                visible(step["what"], 200),
                told["apparent"]["short"],
                told["honest"]["short"],
                blocks.cell(removed["short"], wording.ends(removed)),
                wording.number(step["removed"]["n"], 0),
            ]
        )
    return blocks.section(
        "a-optimism",
        title,
        [
            blocks.text(
                "What was tuned on some rows looks better on those rows than it is. Each step is "
                "measured twice on the same rows: as they flatter themselves, and judged by what "
                "other rows tuned. No figure elsewhere holds the difference.",
                "term",
            ),
            blocks.table(
                f"What tuning would have added to the figures, in {facts.money_unit}",
                ["Step", "Flattered", "Honest", "Taken out", "Rows"],
                rows,
            ),
        ],
    )
