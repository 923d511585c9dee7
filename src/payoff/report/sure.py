"""Errors as people, the base rate, and what more rows are worth, on the analyst's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payoff.errors import counted
from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts

__all__ = ["base_rate_section", "errors_section", "information_section", "off_by"]

_MOST_OPTIONS: Final = 12
_MOST_LINES: Final = 3
_MOST_GROUPS: Final = 2
_MOST_SHOWN: Final = 3


def _said(found: Mapping[str, Any]) -> list[blocks.Block]:
    return [blocks.text(visible(s, 600)) for s in found.get("sentences", ())]


# --------------------------------------------------------------------------------- errors


def errors_section(facts: Facts) -> dict[str, Any]:
    """Return the mistakes as people: which, how many, at what cost, and among whom."""
    found = facts.evidence.people
    title = "Mistakes as people"
    why = blocks.missing_of(found)
    if why is not None:
        return blocks.section("a-errors", title, [blocks.absent(title, why)])
    made = _said(found)
    if "kinds" not in found:
        return blocks.section("a-errors", title, made)
    currency = facts.money_unit.partition(" per ")[0]
    rows: list[list[Any]] = []
    for k in found["kinds"]:
        each = k["cost_per_unit"]
        rows.append(
            [
                blocks.cell(
                    wording.opening(k["word"]),
                    f"{facts.action(k['action'], 40)}, outcome {facts.outcome(k['outcome'], 40)}",
                ),
                blocks.cell(wording.people(k["per_period"]), _between(k["low"], k["high"])),
                wording.number(k["n"], 0),
                "no rows" if each is None else wording.number(each),
                wording.number(k["cost_per_period"]),
            ]
        )
    why = blocks.missing_of(found.get("mistakes") or {})
    if why is not None:
        made.append(blocks.absent("How many mistakes in all", why))
    if rows:
        made.append(
            blocks.table(
                f"Where another action would have been better, on {wording.number(found['n'], 0)} "
                f"rows, with the {facts.level} interval of the count",
                [
                    "What",
                    f"{wording.opening(facts.units)} {facts.period}",
                    "Rows",
                    f"{currency} each, against the best action",
                    facts.money_unit,
                ],
                rows,
            )
        )
    for group in found["groups"][:_MOST_GROUPS]:
        made += _groups(facts, group)
    if len(found["groups"]) > _MOST_GROUPS:
        hidden = len(found["groups"]) - _MOST_GROUPS
        made.append(blocks.text(f"{hidden} more subgroups are in the evidence file."))
    return blocks.section("a-errors", title, made)


def _between(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f"{wording.people(low)} to {wording.people(high)}"


def _groups(facts: Facts, found: Mapping[str, Any]) -> list[blocks.Block]:
    name = visible(found["subgroup"], 60)
    why = blocks.missing_of(found)
    if why is not None:
        return [blocks.absent(f"Mistakes by {name}", why)]
    if not found["groups"]:
        return [blocks.text(f"By {name}: no group has enough rows and mistakes to be shown.")]
    rows = [
        [
            visible(g["label"], 60),
            wording.share(g["share"]),
            wording.people(g["per_period"]),
            wording.number(g["cost_per_period"]),
            wording.number(g["n"], 0),
        ]
        for g in found["groups"][:_MOST_SHOWN]
    ]
    return [
        blocks.table(
            f"By {name}: groups with the highest share of mistakes; among many groups some stand "
            "out by chance",
            ["Group", "Share with a mistake", f"Mistakes {facts.period}", facts.money_unit, "Rows"],
            rows,
            note=f"Left out, for too few rows or mistakes: {counted(found['left_out'], 'group')}."
            if found["left_out"]
            else "",
        )
    ]


# ------------------------------------------------------------------------------- base rate


def base_rate_section(facts: Facts) -> dict[str, Any]:
    """Return value against the base rate, drawn and in full."""
    found = facts.evidence.base_rate
    title = "If the outcome became rarer or more common"
    why = blocks.missing_of(found)
    if why is not None:
        return blocks.section("a-rate", title, [blocks.absent(title, why)])
    made = _said(found)
    if "rate" not in found:
        return blocks.section("a-rate", title, made)
    made.append(
        blocks.text(
            "Base rate: the share of the positive outcome. The lines hold what happens within each "
            "outcome and change only how common it is.",
            "term",
        )
    )
    made.append(blocks.chart(_rate_spec(facts, found)))
    known = found["fit"] is not None
    rows: list[list[Any]] = []
    turns = {c["against"]: c for c in found["crossings"]}
    for o in found["options"][:_MOST_OPTIONS]:
        cells = [wording.number(o["at_judged"])]
        if known:
            cells.insert(0, wording.number(o["at_fit"]))
        rows.append([facts.policy(o["policy"]), *cells, _crossing(turns.get(o["policy"]))])
    again = found["refitted"]
    if "not_measured" not in again:
        cells = [wording.number(again["at_judged"])]
        if known:
            cells.insert(0, wording.number(again["at_fit"]))
        rows.append(["The model, corrected for each base rate", *cells, ""])
    outcome = facts.outcome(str(found["outcome"]), 40)
    judged = f"At {wording.share(found['judged']['value'])}, as judged"
    made.append(
        blocks.table(
            f"{facts.money_unit} by the share of “{outcome}”, from "
            f"{wording.number(found['n'], 0)} rows",
            [
                "Option",
                *([f"At {wording.share(found['fit'])}, as learnt from"] if known else []),
                judged,
                f"Overtakes the policy judged ({facts.level} interval)",
            ],
            rows,
        )
    )
    if "not_measured" in again:
        made.append(blocks.absent("Correcting the probabilities", str(again["not_measured"])))
    else:
        made.append(blocks.text(visible(again["note"], 400), "term"))
        made += off_by(facts, again.get("off_by_at_most"))
    return blocks.section("a-rate", title, made)


def off_by(facts: Facts, most: float | None) -> list[blocks.Block]:
    """Say how far figures decided again by bins of the score can be off; nothing for rows."""
    if most is None:
        return []
    return [
        blocks.text(
            "Decided again by bins of the probability, not row by row: off by at most "
            f"{wording.money(most, facts.money_unit)}.",
            "term",
        )
    ]


def _crossing(found: Mapping[str, Any] | None) -> dict[str, str]:
    if found is None:
        return blocks.cell("")
    told = found["rate"]
    if told["value"] is None:
        return blocks.cell("at no share" if found["ahead"] == "always" else "at every share")
    side = "above" if found["ahead"] == "below" else "below"
    shown = wording.figure(told)
    ends = "no interval" if told["low"] is None else shown["ends"]
    return blocks.cell(f"{side} {shown['short']}", ends)


def _marks(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the base rates judged and learnt from; one mark where they all but agree."""
    judged, fit = found["judged"]["value"], found["fit"]
    if fit is not None and abs(fit - judged) < 0.02 * found["rate"][-1]:
        return [{"x": judged * 100, "label": "as learnt from and as judged"}]
    marks = [{"x": judged * 100, "label": "as judged"}]
    return marks if fit is None else [*marks, {"x": fit * 100, "label": "as learnt from"}]


def _rate_spec(facts: Facts, found: Mapping[str, Any]) -> dict[str, Any]:
    own, others = found["options"][0], found["options"][1:]
    wanted = [
        str(facts.evidence.verdict.get("best_trivial")),
        str(facts.evidence.verdict.get("reference")),
    ]
    kept = [o for name in dict.fromkeys(wanted) for o in others if o["policy"] == name]
    simple = {p.name for p in facts.evidence.policies if p.baseline}
    kept += [o for o in others if o["policy"] in simple and o not in kept]
    series = [
        {
            "label": f"{facts.policy(own['policy'], 50)} (band: {facts.level} interval)",
            "y": own["value"][::4],
            "low": own["low"][::4],
            "high": own["high"][::4],
            "css": "main",
        }
    ]
    again = found["refitted"]
    if "not_measured" not in again:
        series.append(
            {
                "label": "the model, corrected for each base rate",
                "x": [q * 100 for q in again["rate"]][::2],
                "y": again["value"][::2],
                "css": "again",
            }
        )
    series += [
        {
            "label": facts.policy(o["policy"], 50),
            "x": [found["rate"][0] * 100, found["rate"][-1] * 100],
            "y": [o["value"][0], o["value"][-1]],  # a straight line
            "css": f"base-{k}",
        }
        for k, o in enumerate(kept[:_MOST_LINES])
    ]
    marks = _marks(found)
    outcome = facts.outcome(str(found["outcome"]), 40)
    return {
        "chart": "lines",
        "title": f"Money by the share of “{outcome}”",
        "desc": visible(
            f"{facts.money_unit} of each option against the share of “{outcome}”. "
            f"{' '.join(found['sentences'])}",
            600,
        ),
        "key": "The option whose line is highest is the best one at that share.",
        "x": [q * 100 for q in found["rate"][::4]],
        "series": series,
        "marks": marks,
        "x_label": f"Share of “{outcome}”, %",
        "y_label": visible(found["unit"]),
    }


# ----------------------------------------------------------------------------- information


def information_section(facts: Facts) -> dict[str, Any]:
    """Return how likely each option is the best, and what more rows would be worth."""
    found = facts.evidence.information
    title = "How sure the choice is, and whether more rows would help"
    why = blocks.missing_of(found)
    if why is not None:
        return blocks.section("a-sure", title, [blocks.absent(title, why)])
    made = _said(found)
    if "options" not in found:
        return blocks.section("a-sure", title, made)
    rough = "; a rough guide, as a few cases decide" if found.get("caution") else ""
    ordered = sorted(found["options"], key=lambda o: -o["probability_best"])[:_MOST_OPTIONS]
    made.append(
        blocks.table(
            f"How often each option is the best one in {wording.number(found['draws'], 0)} redraws "
            f"of {wording.number(found['n'], 0)} rows{rough}",
            ["Option", "Share of redraws" if rough else "Probability that it is the best"],
            [[facts.policy(o["policy"]), wording.chance(o["probability_best"])] for o in ordered],
        )
    )
    if found.get("caution"):
        return blocks.section("a-sure", title, made)
    pairs = [
        (
            f"Worth of {m['words']} ({wording.number(m['rows'], 0)})",
            wording.money(m["worth"], m["unit"]),
        )
        for m in found["more"]
    ]
    perfect = found["perfect"]
    pairs.append(("Worth of perfect knowledge", wording.money(perfect["worth"], perfect["unit"])))
    need = found["rows_needed"]
    if "not_measured" not in need:
        said = f"about {wording.people(need['rows'])} (judged: {wording.number(need['have'], 0)})"
        pairs.append(
            (f"Rows at which the gain over “{facts.policy(need['against'], 40)}” is clear", said)
        )
    margin = found["margin"]
    if "sentence" in margin:
        pairs.append(("Not worse than today", visible(margin["sentence"], 400)))
    made.append(blocks.facts(pairs))
    made.append(blocks.text(visible(found["note"], 500), "term"))
    return blocks.section("a-sure", title, made)
