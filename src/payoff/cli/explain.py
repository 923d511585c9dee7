"""``payoff explain``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from payoff.cli.common import (
    Console,
    json_option,
    print_json,
    print_table,
    quiet_option,
    wrapped,
)
from payoff.errors import plain

_LONGEST: Final = 1_200
_LONGEST_OTHER: Final = 160
_MOST_COLUMNS: Final = 10


@click.command(
    epilog="""\b
Examples:
  payoff explain routing --row 17                  a row of the declared source
  payoff explain routing october.parquet --unit c-1041
  payoff explain routing --row 17 --json           what POST /explain answers"""
)
@click.argument("bundle", type=click.Path())
@click.argument("data", required=False)
@click.option("--row", type=click.IntRange(1), help="Which row, counted from 1; default: 1.")
@click.option("--unit", metavar="ID", help="The unit's id, instead of --row.")
@click.option("--label", help="Of a document that may carry several, which; default: likeliest.")
@quiet_option
@json_option
def command(
    bundle: str,
    data: str | None,
    row: int | None,
    unit: str | None,
    label: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Say why one row of DATA gets the decision that BUNDLE makes.

    Shows the expected money of each action, what every word and column adds to the log-odds (a sum
    that is exact), the nearest documents learnt from, and the fewest words found whose removal
    changes the decision, checked by deciding again.
    """
    from payoff.workflow.explaining import explain_row

    if row is not None and unit is not None:
        raise click.UsageError("Give --row or --unit, not both.")
    console = Console(quiet=quiet or as_json)
    found = explain_row(bundle, data, row=row, unit=unit, label=label, progress=console)
    if as_json:
        print_json(found)
        return
    _show(found)


def _show(found: Mapping[str, Any]) -> None:
    name = f"row {found['row']:,}"
    if found["unit_id"] is not None:
        name += f", unit {plain(str(found['unit_id']))}"
    if "label" in found:
        name += f", label {plain(found['label'])}"
    click.echo(f"{plain(found['decision'])}, {name}: {plain(found['action_label'])}")
    for sentence in found["sentences"]:
        click.echo(wrapped(sentence))
    if found["outcome"] is not None:
        click.echo(wrapped(f"What happened: {found['outcome']}."))
    for warning in found["warnings"]:
        click.echo(wrapped(f"Unlike the rows learnt from: {warning}."))
    click.echo()
    print_table(
        [
            {
                "action": action + (" (taken)" if action == found["action"] else ""),
                f"expected {found['currency']}": f"{money:,.2f}",
            }
            for action, money in found["expected_money"].items()
        ],
        right=[f"expected {found['currency']}"],
    )
    click.echo()
    print_table(
        [
            {"outcome": outcome, "probability": f"{share * 100:.1f} %"}
            for outcome, share in _likeliest(found["probabilities"])
        ],
        right=["probability"],
    )
    why = found["why"]
    if "not_measured" in why:
        click.echo(f"\nWhy: not measured, because {plain(why['not_measured'])}.")
        return
    click.echo(
        f"\nLog-odds of {plain(why['outcome'])} over {plain(why['against'])}: "
        f"{why['log_odds']:+.2f} ({why['method']})"
    )
    if any("without" in w for w in why["words"]):
        click.echo(wrapped(why["note"], ""))
    _show_words(found, why)
    _show_parts(why)
    _show_nearest(found["nearest"])


def _likeliest(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(shares.items(), key=lambda item: -item[1])[:5]


def _show_words(found: Mapping[str, Any], why: Mapping[str, Any]) -> None:
    from payoff.model.text.explain import segments

    if not why["words"]:
        return
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    marks = "colour" if coloured else "[+word] for, [-word] against, more signs for more"
    click.echo(f"Words ({marks}):")
    for column, text in found["documents"].items():
        words = [w for w in why["words"] if w["column"] == column]
        if not text:
            continue
        said = "".join(
            _marked(part, strength, coloured=coloured)
            for part, strength in segments(text, words, _LONGEST)
        )
        heading = f"{plain(column)}: " if len(found["documents"]) > 1 else ""
        click.echo(f"  {heading}{said}")


def _marked(text: str, strength: int, *, coloured: bool) -> str:
    text = plain(" ".join(text.split(" ")).replace("\n", " "))
    if not strength:
        return text
    if coloured:
        return click.style(
            text,
            fg="green" if strength > 0 else "red",
            bold=abs(strength) > 1,
            underline=abs(strength) > 2,
        )
    return f"[{('+' if strength > 0 else '-') * abs(strength)}{text}]"


def _show_parts(why: Mapping[str, Any]) -> None:
    rows = [
        {"part": f"{c['column']} = {_value(c['value'])}", "log-odds": f"{c['log_odds']:+.2f}"}
        for c in why["columns"][:_MOST_COLUMNS]
    ]
    hidden = why["columns"][_MOST_COLUMNS:]
    if hidden:
        rest = sum(c["log_odds"] for c in hidden)
        rows.append({"part": f"{len(hidden)} more columns", "log-odds": f"{rest:+.2f}"})
    if why["words"]:
        total = sum(w["log_odds"] for w in why["words"])
        rows.insert(0, {"part": "all words", "log-odds": f"{total:+.2f}"})
    rows += [{"part": r["name"], "log-odds": f"{r['log_odds']:+.2f}"} for r in why["rest"]]
    click.echo()
    print_table(rows, right=["log-odds"])


def _value(value: Any) -> str:
    return "missing" if value is None else str(value)[:60]


def _show_nearest(nearest: Any) -> None:
    if not isinstance(nearest, Sequence):
        return
    click.echo("\nNearest documents learnt from:")
    for one in nearest:
        click.echo(
            f"  row {one['row'] + 1:,} of the source, {plain(one['outcome'])}, "
            f"cosine {one['cosine']:.2f}"
        )
        if one.get("itself"):
            click.echo("    this row itself: the model has learnt it")
        elif one.get("text"):
            text = " ".join(one["text"].split())
            short = text if len(text) <= _LONGEST_OTHER else text[:_LONGEST_OTHER] + "…"
            click.echo(wrapped(short, "    "))
