"""What is automated at which error rate, and what happens to strangers, for the analyst's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts

__all__ = ["automation_sections"]

_EVERY: Final = 4
_MOST_SENTENCES: Final = 6


def automation_sections(facts: Facts) -> list[dict[str, Any]]:
    """Return the sections on automation and on strangers, where the decision asks for them."""
    made = []
    if facts.evidence.automation.get("max_error") is not None:
        made.append(_automation(facts, facts.evidence.automation))
    elif facts.decision.get("automation"):
        title = "What is automated"
        why = str(blocks.missing_of(facts.evidence.automation))
        made.append(blocks.section("a-automated", title, [blocks.absent(title, why)]))
    if facts.evidence.familiarity.get("n_strangers") is not None:
        made.append(_strangers(facts, facts.evidence.familiarity))
    return made


def _said(found: Mapping[str, Any]) -> blocks.Block:
    return blocks.items(visible(s, 500) for s in list(found["sentences"])[:_MOST_SENTENCES])


def _automation(facts: Facts, found: Mapping[str, Any]) -> dict[str, Any]:
    made: list[blocks.Block] = [
        _said(found),
        blocks.text(
            "Error: the action taken without a person earns less than the best other action that "
            "needs none, for the outcome that happened. The limit holds for rows that come from "
            "where these came from; when what comes in changes, it does not.",
            "term",
        ),
    ]
    curve = found["curve"]
    if "points" in curve:
        points = [dict(p) for p in curve["points"]]
        made += [blocks.chart(_spec(facts, found, points)), _table(facts, found, points)]
    else:
        made.append(blocks.absent("The curve", str(curve["not_measured"])))
    made.append(blocks.facts(_facts(facts, found)))
    return blocks.section("a-automated", "What is automated, at which error rate", made)


def _spec(facts: Facts, found: Mapping[str, Any], points: list[dict[str, Any]]) -> dict[str, Any]:
    across = [p["automated"] * 100 for p in points]
    limit = found["max_error"] * 100
    marks = []
    if found["threshold"] is not None and found["n_automated"]:
        marks.append({"x": found["automated"]["value"] * 100, "label": "as chosen"})
    return {
        "chart": "lines",
        "title": "Error rate against the share automated",
        "desc": visible(
            f"Error rate among automated {facts.units}, in per cent, against the share of "
            f"{facts.units} automated. {' '.join(found['sentences'])}",
            600,
        ),
        "key": "The further right, the more is automated; the line says how often that errs.",
        "x": across,
        "series": [
            {
                "label": f"error rate on the rows judged (band: {facts.level} interval at each "
                "share alone)",
                "y": [p["error"] * 100 for p in points],
                "low": [p["low"] * 100 for p in points],
                "high": [p["high"] * 100 for p in points],
                "css": "main",
            },
            {
                "label": f"the limit, {wording.share(found['max_error'])}",
                "x": [across[0], across[-1]],
                "y": [limit, limit],
                "css": "base-0",
            },
        ],
        "marks": marks,
        "x_label": f"Share of {facts.units} automated, %",
        "y_label": "Error rate among them, %",
    }


def _table(facts: Facts, found: Mapping[str, Any], points: list[dict[str, Any]]) -> blocks.Block:
    rows: list[list[Any]] = [
        [
            wording.share(p["automated"]),
            f"{p['threshold']:.4f}",
            blocks.cell(
                wording.share(p["error"]),
                f"{wording.share(p['low'])} to {wording.share(p['high'])}",
            ),
            wording.number(p["n"], 0),
        ]
        for p in [*points[_EVERY - 1 :: _EVERY], *points[-1:]]
    ]
    if len(rows) > 1 and rows[-1][0] == rows[-2][0]:
        rows.pop()
    strong = []
    rate = found["error"]
    if rate is not None and found["threshold"] is not None:
        own = [
            f"{wording.share(found['automated']['value'])}, as chosen",
            f"{found['threshold']:.4f}",
            blocks.cell(
                wording.share(rate["value"]),
                "no interval"
                if rate["low"] is None
                else f"{wording.share(rate['low'])} to {wording.share(rate['high'])}",
            ),
            wording.number(found["n_automated"], 0),
        ]
        rows.insert(0, own)
        strong = [0]
    return blocks.table(
        f"Error rate at other thresholds, on {wording.number(found['curve']['n'], 0)} rows judged "
        f"({facts.level} interval at each share alone)",
        ["Automated", "Sure to at least", "Error rate among them", "Rows automated"],
        rows,
        strong=strong,
    )


def _facts(facts: Facts, found: Mapping[str, Any]) -> list[tuple[str, str]]:
    chosen = found["chosen"]
    by = {
        "binomial": "exact binomial test",
        "chernoff": "Chernoff bound for weights and clusters",
    }
    rows = wording.number(chosen["n"], 0)
    tried = wording.number(chosen["tried"], 0)
    pairs = [
        ("Limit", f"{wording.share(found['max_error'])} of what is automated"),
        ("Confidence", wording.share(found["confidence"])),
        ("Tested on", f"{rows} rows that did nothing else; thresholds tried: {tried}"),
    ]
    if found["threshold"] is not None:
        errors = wording.number(chosen["errors"], 0)
        pairs.append(
            (
                "Errors there",
                f"{errors} of {wording.number(chosen['automated'], 0)} automated "
                f"({by[chosen['method']]}, p = {chosen['p_value']:.3g})",
            )
        )
    elif chosen["needed"] is not None and chosen["needed"] > chosen["n"]:
        pairs.append(("Rows that would have been enough", wording.people(chosen["needed"])))
    rest = found["rest"]
    left = f"{wording.people(rest['per_period'])} {facts.period}"
    if rest["room_per_period"] is not None:
        left += f"; room for {wording.people(rest['room_per_period'])}"
    pairs.append((f"Left to “{facts.action(str(found['otherwise']))}”", left))
    gain = wording.figure(found["against"]["total"], plus=True)
    pairs.append(("Money against expected money alone", f"{gain['text']} ({gain['interval']})"))
    return pairs


def _strangers(facts: Facts, found: Mapping[str, Any]) -> dict[str, Any]:
    made: list[blocks.Block] = [_said(found)]
    value, error = found["value"], found["error"]
    rows: list[list[Any]] = []
    for key, label, n in (
        ("strangers", "Unlike those learnt from", found["n_strangers"]),
        ("familiar", "All others", found["n"] - found["n_strangers"]),
    ):
        rate, money = error[key], value[key]
        shown = wording.figure(money) if money is not None else None
        rows.append(
            [
                label,
                wording.number(n, 0),
                "no rows"
                if rate is None
                else blocks.cell(
                    wording.share(rate["value"]),
                    f"{wording.share(rate['low'])} to {wording.share(rate['high'])}",
                ),
                "no rows" if shown is None else blocks.cell(shown["short"], shown["ends"]),
            ]
        )
    unit = facts.subject.value.unit
    made.append(
        blocks.table(
            f"How the model would fare on them by itself ({facts.level} intervals)",
            ["Rows", "Number", "Wrong action", f"{visible(unit)}, without this rule"],
            rows,
        )
    )
    made.append(
        blocks.text(
            "Unlike those learnt from: the probability of the likeliest outcome times the mean "
            "similarity to the three nearest rows learnt from is below "
            f"{found['threshold']:.3f}; {wording.share(found['declared'])} of the rows that chose "
            "the policy fell below it.",
            "term",
        )
    )
    return blocks.section("a-strangers", "Rows unlike those learnt from", made)
