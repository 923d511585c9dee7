"""A first decision file from a look at the data: what can be guessed is written, the rest asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from payoff.declare.writer import toml_key, toml_value
from payoff.errors import DataError, DeclarationError, listed, percent, show
from payoff.load.checks import alone
from payoff.load.frame import codes_of, is_numeric, is_temporal, numbers
from payoff.load.source import Source

__all__ = ["Answers", "Look", "gaps", "look", "outcome_name", "starter_text"]

_OUTCOME_NAMES: Final = re.compile(
    r"^(y|target|label|outcome|class|churn(ed)?|default(ed)?|converted|conversion|response|fraud|"
    r"cancel+ed|is_.*|has_.*|.*_flag)$",
    re.IGNORECASE,
)
_GROUP_NAMES: Final = re.compile(
    r"(^|[^a-z])(age|sex|gender|region|country|segment|channel|language|marital)", re.IGNORECASE
)
_MOST_OUTCOMES: Final = 20
_FEWEST_WORDS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the data itself tells.

    Parameters
    ----------
    columns
        Column -> its type in words.
    outcome
        The column that looks like the outcome, or None.
    candidates
        Columns with 2 to 20 different values.
    values
        Values of the outcome, rarest first.
    unit_id, times, subgroups
        Columns that look like an id, dates, and groups worth showing apart.
    suspects
        Column -> how well it alone ranks the outcome: leaks more often than finds.
    documents
        Columns of sentences that differ from row to row.
    """

    n_rows: int
    columns: Mapping[str, str]
    outcome: str | None
    candidates: tuple[str, ...]
    values: tuple[str, ...]
    unit_id: str | None
    times: tuple[str, ...]
    subgroups: tuple[str, ...]
    bands: Mapping[str, tuple[float, ...]]
    suspects: Mapping[str, float]
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What only a person knows; None or empty leaves a marked gap in the file."""

    source: str
    outcome: str
    positive: str
    act: str = "act"
    leave: str = "leave"
    name: str = "decision"
    title: str = ""
    unit: str = "case"
    currency: str = "EUR"
    period: str = "month"
    volume: float | None = None
    capacity: float | None = None
    money: Mapping[tuple[str, str], str] = field(default_factory=dict)
    exclude: Mapping[str, str] = field(default_factory=dict)
    subgroups: tuple[str, ...] | None = None
    time: str | None = None
    cluster: str | None = None
    weight: str | None = None
    rule: str | None = None


def look(source: Source, outcome: str | None = None) -> Look:
    """Look at every column once.

    Raises
    ------
    DataError
        ``PAY-L004`` when the named outcome is not a column, ``PAY-L006`` when it has one value or
        too many.
    """
    table = source.table
    distinct = {n: int(pc.count_distinct(table.column(n)).as_py()) for n in table.column_names}
    candidates = tuple(n for n, k in distinct.items() if 2 <= k <= _MOST_OUTCOMES)
    if outcome is None:
        named = [n for n in candidates if _OUTCOME_NAMES.match(n) and distinct[n] == 2]
        pairs = [n for n in candidates if distinct[n] == 2]
        if named:
            outcome = named[-1]
        elif len(pairs) == 1 or table.column_names[-1] in pairs:
            outcome = pairs[-1]
    elif outcome not in distinct:
        raise DataError.missing_column(outcome, "the outcome", table.column_names)
    elif outcome not in candidates:
        raise DataError.bad_column(
            outcome,
            "the outcome",
            f"{distinct[outcome]:,} different values",
            "2 to 20",
            f"Name another column; these have 2 to 20 values: {listed(candidates)}",
        )
    documents = tuple(
        n for n in table.column_names if n != outcome and _is_document(table.column(n), distinct[n])
    )
    values: tuple[str, ...] = ()
    suspects: dict[str, float] = {}
    if outcome is not None:
        codes, labels = codes_of(table.column(outcome))
        counts = np.bincount(codes[codes >= 0], minlength=len(labels))
        values = tuple(labels[k] for k in np.argsort(counts, kind="stable"))
        rows = pa.array(np.flatnonzero(codes >= 0))
        positive = codes[codes >= 0] == labels.index(values[0])
        power = {
            n: alone(table.column(n).take(rows), positive)
            for n in table.column_names
            if n not in (outcome, *documents) and distinct[n] > 1
        }
        for n, v in power.items():
            others = [
                p for m, p in power.items() if m != n and not is_temporal(table.column(m).type)
            ]
            if v >= 0.95 or (v >= 0.78 and v - max(others, default=0.5) >= 0.08):
                suspects[n] = v
    times = tuple(n for n in table.column_names if is_temporal(table.column(n).type))
    groups = tuple(
        n
        for n in table.column_names
        if n != outcome
        and _GROUP_NAMES.search(n)
        and (is_numeric(table.column(n).type) or distinct[n] <= 30)
    )[:4]
    return Look(
        n_rows=table.num_rows,
        columns={n: _words(table.column(n), distinct[n]) for n in table.column_names},
        outcome=outcome,
        candidates=candidates,
        values=values,
        unit_id=next((n for n in table.column_names if _is_id(n, table, distinct[n])), None),
        times=times,
        subgroups=groups,
        bands={
            n: _bands(table.column(n))
            for n in groups
            if is_numeric(table.column(n).type) and distinct[n] > 12
        },
        suspects=suspects,
        documents=documents,
    )


def _words(column: pa.ChunkedArray, distinct: int) -> str:
    missing = column.null_count / max(len(column), 1)
    gap = f", {percent(missing)} missing" if missing >= 0.005 else ""
    if is_numeric(column.type):
        values = numbers(column)
        good = values[np.isfinite(values)]
        if len(good) == 0:
            return "empty"
        return f"number, {good.min():,.6g} to {good.max():,.6g}{gap}"
    if is_temporal(column.type):
        ends = pc.min_max(column).as_py()
        return f"date, {ends['min']} to {ends['max']}{gap}"
    kind = "true/false" if pa.types.is_boolean(column.type) else "text"
    return f"{kind}, {distinct:,} values{gap}"


def _is_id(name: str, table: pa.Table, distinct: int) -> bool:
    named = re.search(r"(^id$|_id$|^id_|identifier|uuid|ID$)", name)
    return bool(named) and distinct == table.num_rows


def _is_document(column: pa.ChunkedArray, distinct: int) -> bool:
    """Whether a column holds sentences: four words and more in most rows, mostly different."""
    known = len(column) - column.null_count
    if not pa.types.is_string(column.type) or distinct <= known / 2:
        return False
    words = pc.add(pc.count_substring_regex(pc.utf8_trim_whitespace(column), r"\s+"), 1)
    return float(np.nanmedian(numbers(words))) >= _FEWEST_WORDS


def _bands(column: pa.ChunkedArray) -> tuple[float, ...]:
    values = numbers(column)
    quartiles = np.nanquantile(values, [0.25, 0.5, 0.75])
    span = float(np.nanmax(values) - np.nanmin(values)) or 1.0
    step = 10 ** np.floor(np.log10(span / 8))
    rounded = np.unique(np.round(quartiles / step) * step)
    return tuple(float(f"{v:.10g}") for v in rounded)


def starter_text(answers: Answers, seen: Look) -> str:
    """Write the file, commented for the analyst who will edit it.

    Cells whose money is not known stay commented out, so that payoff refuses to run until somebody
    has said what they are worth.

    Raises
    ------
    DeclarationError
        ``PAY-D006`` when the positive value is not one of the outcome's.
    """
    if answers.positive not in seen.values:
        raise DeclarationError.bad_value(
            "--positive",
            answers.positive,
            f"one of {listed(seen.values)}",
            f"Name a value of the column {show(answers.outcome)}",
        )
    parts = [
        _decision(answers, seen),
        _data(answers, seen),
        _outcomes(answers, seen),
        _actions(answers),
        _payoffs(answers, seen),
        _rule(answers, seen),
        _groups(answers, seen),
    ]
    return "\n".join(line for part in parts for line in part) + "\n"


def _decision(a: Answers, seen: Look) -> list[str]:
    lines = [
        "# A decision for payoff: what can be done, what can happen, and what each pair is worth.",
        "# Check it with 'payoff check', then 'payoff run'. Money: a gain is positive, a cost "
        "negative.",
        "schema_version = 1",
        "",
        "[decision]",
        f"name = {toml_value(a.name)}",
        f"title = {toml_value(a.title or a.name)}",
        *(
            ['kind = "text"            # documents, with ordinary columns']
            if seen.documents
            else []
        ),
        f"unit = {toml_value(a.unit)}             # what one row is, in the singular",
        f"currency = {toml_value(a.currency)}",
        f"period = {toml_value(a.period)}         # day, week, month, quarter, year, campaign",
    ]
    lines.append(
        f"volume = {a.volume:g}                 # {a.unit}s that come up per {a.period}"
        if a.volume
        else f"# volume = 1000           # how many come up per {a.period}; without it, money is "
        "per 1,000"
    )
    return [
        *lines,
        f"do_nothing = {toml_value(a.leave)}      # the action that leaves things as they are",
        f"positive = {toml_value(outcome_name(a.positive))}",
        '# owner = "..."           # who owns the decision',
        '# approver = "..."        # who may approve it',
        '# review_by = "2027-01-31"',
        "",
    ]


def outcome_name(value: str) -> str:
    """Return a name for an outcome from a value of the column."""
    word = re.sub(r"[^\w -]+", " ", value).strip()[:50]
    if re.fullmatch(r"[^\W\d][\w -]*", word or "1"):
        return word
    return {"1": "yes", "0": "no"}.get(value, f"is {word}".strip())


def _data(a: Answers, seen: Look) -> list[str]:
    lines = ["[data]", f"source = {toml_value(a.source)}", f"outcome = {toml_value(a.outcome)}"]
    if seen.documents:
        lines.append(f"text = {toml_value(seen.documents)}   # the columns that hold documents")
    if seen.unit_id:
        lines.append(f"unit_id = {toml_value(seen.unit_id)}")
    time = a.time or (seen.times[0] if len(seen.times) == 1 else None)
    if time:
        lines.append(f"time = {toml_value(time)}   # the latest rows judge")
    else:
        lines.append('# time = "..."            # when the decision was due: the latest rows judge')
    if a.cluster:
        lines.append(f"cluster = {toml_value(a.cluster)}")
    else:
        lines.append('# cluster = "..."         # whom rows belong to, when one person has several')
    if a.weight:
        lines.append(f"weight = {toml_value(a.weight)}")
    lines += ["", "# Columns not known when the decision is due, or not to be used, and why."]
    lines.append("[data.exclude]")
    lines += [f"{toml_key(c)} = {toml_value(r)}" for c, r in a.exclude.items()]
    lines += [
        f'# {toml_key(c)} = "..."   # alone it ranks the outcome with {v:.3f} of 1: known only '
        "afterwards?"
        for c, v in seen.suspects.items()
        if c not in a.exclude
    ]
    lines += ["", "# What payoff saw:"]
    lines += [f"#   {toml_value(n)[1:-1]:<28} {w}" for n, w in seen.columns.items()]
    return [*lines, ""]


def _typed(value: str) -> str:
    return value if re.fullmatch(r"-?(0|[1-9]\d{0,14})", value) else toml_value(value)


def _outcomes(a: Answers, seen: Look) -> list[str]:
    lines = [f"# name = value of the column {toml_value(a.outcome)}", "[outcomes]"]
    ordered = [a.positive, *(v for v in seen.values if v != a.positive)]
    return [*lines, *(f"{toml_key(outcome_name(v))} = {_typed(v)}" for v in ordered), ""]


def _actions(a: Answers) -> list[str]:
    limit = (
        f", capacity = {a.capacity:g}"
        if a.capacity and a.volume
        else f", capacity_share = {a.capacity:g}"
        if a.capacity and a.capacity <= 1
        else ""
    )
    act = f"{{ label = {toml_value(a.act.capitalize())}{limit} }}"
    hint = "" if limit else "   # capacity = 500 limits it per period"
    return [
        "[actions]",
        f"{toml_key(a.act)} = {act}{hint}",
        f"{toml_key(a.leave)} = {toml_value(a.leave.capitalize())}",
        "",
    ]


def _payoffs(a: Answers, seen: Look) -> list[str]:
    lines = [
        "# Money of each action under each outcome: a number, a column, or an expression like",
        '# "amount * 0.25 - 1". { money = -1, source = "Finance, May 2026" } names its origin.',
    ]
    ordered = [a.positive, *(v for v in seen.values if v != a.positive)]
    for action in (a.act, a.leave):
        if action == a.leave and not any(action == cell for cell, _ in a.money):
            lines.append("# Doing nothing is the zero point; change it where it earns or costs.")
        lines.append(f"[payoffs.{toml_key(action)}]")
        for value in ordered:
            name = outcome_name(value)
            money = a.money.get((action, name))
            if money is None and action == a.leave:
                money = "0"
            if money is None:
                lines.append(f"# {toml_key(name)} = ?     # SAY what {action!r} is worth then")
            else:
                lines.append(f"{toml_key(name)} = {_money(money)}")
        lines.append("")
    return lines


def _money(text: str) -> str:
    return text if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", text.strip()) else toml_value(text)


def _rule(a: Answers, seen: Look) -> list[str]:
    if a.rule:
        return [
            "# What is done today: the model is worth only what it adds to this.",
            "[current_rule]",
            f"otherwise = {toml_value(a.leave)}",
            "",
            "[[current_rule.cases]]",
            f"when = {toml_value(a.rule)}",
            f"then = {toml_value(a.act)}",
            "",
        ]
    usable = (n for n, words in seen.columns.items() if words.startswith("number"))
    column = next((n for n in usable if n not in (a.outcome, seen.unit_id)), "column")
    return [
        "# What is done today; the model is worth only what it adds to this.",
        "# [current_rule]",
        f"# otherwise = {toml_value(a.leave)}",
        "# [[current_rule.cases]]",
        f"# when = {toml_value(_example(column))}",
        f"# then = {toml_value(a.act)}",
        "",
    ]


def _example(column: str) -> str:
    name = column if re.fullmatch(r"[^\W\d]\w*", column) else '"' + column.replace('"', '""') + '"'
    return f"{name} > 0"


def _groups(a: Answers, seen: Look) -> list[str]:
    chosen: Sequence[str] = seen.subgroups if a.subgroups is None else a.subgroups
    lines = ["# Groups the report shows apart: who gains, who loses."]
    if not chosen:
        return [*lines, "# [[subgroups]]", '# column = "..."', ""]
    for column in chosen:
        lines += ["[[subgroups]]", f"column = {toml_value(column)}"]
        if column in seen.bands:
            lines.append(f"bands = {_limits(seen.bands[column])}")
        lines.append("")
    return lines


def _limits(bands: Sequence[float]) -> str:
    return "[" + ", ".join(f"{b:g}" for b in bands) + "]"


def gaps(text: str) -> list[int]:
    """Return the numbers of the lines that still ask for money."""
    return [n for n, line in enumerate(text.splitlines(), 1) if "= ?" in line]
