"""The analyst's panel about themes: what is lost on each, what they hold, and how they move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts
from payoff.report.groups import chance

__all__ = ["themes_sections"]

_MOST_THEMES: Final = 20
_MOST_DRAWN: Final = 10
_MOST_LINES: Final = 3
_MOST_OUTCOMES: Final = 4
_MOST_PERIODS: Final = 12
_STYLES: Final = ("main", "again", "base-0")


def themes_sections(facts: Facts) -> list[dict[str, Any]]:
    """Return the section about themes, or no section where the decision reads no documents."""
    found = facts.evidence.themes
    if not facts.evidence.data.get("corpus"):
        return []
    title = "Themes"
    why = blocks.missing_of(found)
    if why is not None:
        return [blocks.section("a-themes", title, [blocks.absent(title, why)])]
    themes = list(found["themes"])[:_MOST_THEMES]
    later = set(found["drift"].get("sentences", ()))
    said = [visible(s, 600) for s in found["sentences"] if s not in later]
    made: list[blocks.Block] = [blocks.items(said)]
    spec = _lost_spec(facts, themes)
    if spec["rows"]:
        made.append(blocks.chart(spec))
    made += [_table(facts, themes), _outcomes(facts, themes)]
    made += [blocks.text(term, "term") for term in _terms(facts, found)]
    made += _examples(themes)
    made += _drift(facts, found["drift"])
    return [blocks.section("a-themes", title, made)]


def _name(theme: Mapping[str, Any], most: int = 60) -> str:
    return visible(theme["name"], most)


def _lost_spec(facts: Facts, themes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rows = [
        {
            "label": _name(t),
            "value": -t["lost"]["value"],
            "text": f"{wording.number(t['lost']['value'])} ({wording.share(t['lost_share'])})",
        }
        for t in themes
        if t["lost"] is not None and t["lost"]["value"] and t["lost_share"] is not None
    ][:_MOST_DRAWN]
    said = "; ".join(f"{r['label']}: {r['text']}" for r in rows)
    return {
        "chart": "bars",
        "title": "Money lost on each theme",
        "desc": visible(f"Money lost {facts.per} against knowing each outcome. {said}.", 600),
        "unit": facts.money_unit,
        "key": "How much more the best action for each row, known only afterwards, would have "
        "brought; in brackets the share of all that is lost.",
        "rows": rows,
    }


def _table(facts: Facts, themes: Sequence[Mapping[str, Any]]) -> blocks.Block:
    rows: list[list[Any]] = []
    for t in themes:
        why = visible(t["reason"], 160)
        rows.append(
            [
                blocks.cell(_name(t), visible(", ".join(t["words"][3:]), 120)),
                blocks.cell(wording.number(float(t["n"]), 0), wording.share(t["share"])),
                _cell(t["lost"], why),
                "" if t["lost_share"] is None else wording.share(t["lost_share"]),
                _cell(t["lost_per_unit"], why),
                _cell(t["errors"], why),
                chance(t["p_adjusted"]["lost_per_unit"]),
                chance(t["p_adjusted"]["errors"]),
            ]
        )
    unknown = facts.evidence.themes["unknown"]
    note = ""
    if unknown["n"]:
        note = f"Without a word that was learnt: {wording.number(float(unknown['n']), 0)} rows."
    unit = visible(facts.subject.value.unit)
    return blocks.table(
        f"What is lost on each theme, with its {facts.level} interval",
        [
            "Theme, and more of its words",
            f"Rows, share of {facts.units}",
            f"Lost, {facts.money_unit}",
            "Share of all lost",
            f"Lost, {unit}",
            "Errors",
            "Chance of a difference in money",
            "Chance of a difference in errors",
        ],
        rows,
        note=note,
    )


def _outcomes(facts: Facts, themes: Sequence[Mapping[str, Any]]) -> blocks.Block:
    known = [t for t in themes if t["outcomes"]]
    if not known:
        return blocks.absent("Outcomes by theme", "no theme has enough rows to be shown")
    names = [o["outcome"] for o in known[0]["outcomes"]]
    if len(names) == 2:  # the other one is what is left
        names = [n for n in names if n == facts.decision.get("positive")] or names[:1]
    most = sorted(
        names,
        key=lambda n: -sum(t["n"] * _rate(t, n) for t in known),
    )[:_MOST_OUTCOMES]
    shown = [n for n in names if n in most]
    rows: list[list[str | dict[str, str]]] = [
        [
            _name(t),
            *(
                _cell(next(o["rate"] for o in t["outcomes"] if o["outcome"] == name), "")
                for name in shown
            ),
        ]
        for t in known
    ]
    hidden = len(names) - len(shown)
    return blocks.table(
        f"Outcomes by theme: share of its {facts.units}",
        ["Theme", *(f"“{facts.outcome(n, 40)}”" for n in shown)],
        rows,
        note=f"{hidden} rarer outcomes are in the evidence file." if hidden else "",
    )


def _rate(theme: Mapping[str, Any], name: str) -> float:
    found = next((o["rate"]["value"] for o in theme["outcomes"] if o["outcome"] == name), 0.0)
    return float(found or 0.0)


def _cell(estimate: Mapping[str, Any] | None, why: str) -> dict[str, str]:
    if estimate is None:
        return blocks.cell("not measured", f"because {why}" if why else "")
    told = wording.figure(dict(estimate))
    if told["value"] is None:
        return blocks.cell("not measured", f"because {wording.reason_of(dict(estimate))}")
    return blocks.cell(told["short"], told["ends"])


def _terms(facts: Facts, found: Mapping[str, Any]) -> list[str]:
    learnt = found["learnt"]
    documents = wording.number(float(learnt.get("documents") or 0), 0)
    by = visible(learnt.get("by") or "words", 60)
    alike = "the words they share" if by == "words" else f"their embeddings ({by})"
    return [
        f"Theme: documents that speak of the same. Learnt from {documents} fitting rows by "
        f"{alike}, without looking at any outcome; named by the words that tell it from the "
        "others. Only judging rows are counted here.",
        "Lost: what the best action for each row, known only afterwards, would have brought more. "
        "Error: a row on which another action would have brought more; a person's review is none.",
        "Chance of a difference: how often themes that do not differ show one this large anywhere "
        "among them, money and errors taken together. Themes and other slices that nobody declared "
        "have an allowance for false alarms of their own, beside that of the declared subgroups.",
    ]


def _examples(themes: Sequence[Mapping[str, Any]]) -> list[blocks.Block]:
    rows: list[list[str | dict[str, str]]] = [
        [
            blocks.cell(_name(t), f"row {wording.number(float(e['row']) + 1, 0)}"),
            visible(e["text"], 200),
        ]
        for t in themes
        for e in t["examples"][:1]
    ]
    if not rows:
        return []
    return [
        blocks.table(
            "The document nearest to the middle of each theme, redacted",
            ["Theme", "Beginning of the document"],
            rows,
            left=2,
            note="Two more of each are in the evidence file.",
        )
    ]


def _drift(facts: Facts, found: Mapping[str, Any]) -> list[blocks.Block]:
    why = blocks.missing_of(found)
    if why is not None:
        return [blocks.absent("How themes move over time", why)]
    shown = [k for k, p in enumerate(found["periods"]) if p["shown"]]
    themes = list(found["themes"])
    moved = sorted(themes, key=lambda t: (_least_p(t), -_swing(t)))
    made: list[blocks.Block] = [blocks.items(visible(s, 400) for s in found["sentences"])]
    if len(shown) > 1:
        made.append(blocks.chart(_drift_spec(found, moved[:_MOST_LINES], shown)))
    made.append(_drift_table(facts, found, moved))
    return made


def _least_p(theme: Mapping[str, Any]) -> float:
    known = [theme[k] for k in ("p_change", "p_periods") if theme[k] is not None]
    return float(min(known, default=1.0))


def _swing(theme: Mapping[str, Any]) -> float:
    shares = [s["value"] for s in theme["shares"] if s is not None]
    return float(max(shares) - min(shares)) if shares else 0.0


def _drift_spec(
    found: Mapping[str, Any], themes: Sequence[Mapping[str, Any]], shown: Sequence[int]
) -> dict[str, Any]:
    labels = [visible(found["periods"][k]["label"], 40) for k in shown]
    series = []
    for style, theme in zip(_STYLES, themes, strict=False):
        told = [theme["shares"][k] for k in shown]
        line: dict[str, Any] = {
            "label": _name(theme, 40),
            "css": style,
            "y": [100 * s["value"] for s in told],
        }
        if style == "main":
            line["low"] = [100 * s["low"] for s in told]
            line["high"] = [100 * s["high"] for s in told]
        series.append(line)
    ends = "; ".join(f"{s['label']}: {s['y'][0]:.0f} % to {s['y'][-1]:.0f} %" for s in series)
    return {
        "chart": "lines",
        "title": "Themes that move most",
        "desc": visible(f"Share of documents from {labels[0]} to {labels[-1]}. {ends}.", 600),
        "key": "Band: interval of the first theme.",
        "x": [float(k) for k in shown],
        "series": series,
        "marks": [],
        "x_label": f"{wording.opening(found['by'])}s since {labels[0]}",
        "y_label": "Share of documents, %",
    }


def _drift_table(
    facts: Facts, found: Mapping[str, Any], themes: Sequence[Mapping[str, Any]]
) -> blocks.Block:
    parts = found["parts"]
    rows: list[list[Any]] = []
    for t in themes[:_MOST_THEMES]:
        low, high = _extremes(found, t)
        row: list[Any] = [_name(t), _cell(t["share"], ""), low, high, chance(t["p_periods"])]
        if parts:
            row += [
                _cell(t["fit"], ""),
                _cell(t["judge"], ""),
                _change(t["change"]),
                chance(t["p_change"]),
            ]
        rows.append(row)
    columns = ["Theme", "All", "Least in", "Most in", "Chance of such periods"]
    if parts:
        columns += [
            f"Fitting rows ({visible(parts['fit'], 60)})",
            f"Judging rows ({visible(parts['judge'], 60)})",
            "Change, for all themes at once",
            "Chance of such a change",
        ]
    return blocks.table(
        f"Share of {facts.units} by {visible(found['by'])}, with its {facts.level} interval",
        columns,
        rows,
        note="Shares of every period are in the evidence file.",
    )


def _extremes(found: Mapping[str, Any], theme: Mapping[str, Any]) -> list[dict[str, str]]:
    known = [(s["value"], k) for k, s in enumerate(theme["shares"]) if s is not None]
    ends = (min(known), max(known))
    return [
        blocks.cell(wording.share(value), visible(found["periods"][k]["label"], 40))
        for value, k in ends
    ]


def _change(change: Mapping[str, Any] | None) -> dict[str, str]:
    if change is None:
        return blocks.cell("not measured")
    told = wording.figure(dict(change), plus=True)
    return blocks.cell(told["short"], told["ends"])
