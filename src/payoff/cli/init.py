"""``payoff init``."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from payoff.cli.common import Target, json_option, print_json
from payoff.errors import DeclarationError, EnvironmentError_, PayoffError

if TYPE_CHECKING:
    from payoff.workflow.starter import Answers, Look


@click.command(
    epilog="""\b
Examples:
  payoff init customers.csv
  payoff init customers.csv --outcome y --positive yes --act call \\
      --money call/yes=9 --money call/no=-1 --volume 4000 --unit customer
  payoff init orders.parquet --no-input -o orders.toml      (never asks)""",
)
@click.argument("data", type=click.Path())
@click.option(
    "--out",
    "-o",
    default="decision.toml",
    show_default=True,
    type=Target(),
    help="File to write.",
)
@click.option("--force", is_flag=True, help="Replace the file.")
@click.option("--outcome", help="Column with what happened.")
@click.option("--positive", help="Value of that column the decision is about; default: the rarest.")
@click.option("--act", help="Name of the action, such as call.")
@click.option("--leave", help="Name of doing nothing.", default="leave", show_default=True)
@click.option(
    "--money",
    multiple=True,
    metavar="ACTION/OUTCOME=MONEY",
    help="Money of a cell: a number, a column or an expression; may be repeated.",
)
@click.option("--name", help="Short name of the decision.")
@click.option("--title", help="The decision in words.")
@click.option("--unit", help="What one row is, in the singular: customer.")
@click.option("--currency", help="Such as EUR.")
@click.option(
    "--period",
    type=click.Choice(["day", "week", "month", "quarter", "year", "campaign"]),
    default="month",
    show_default=True,
    help="Period of reported money.",
)
@click.option("--volume", type=float, help="How many units come up per period.")
@click.option("--capacity", type=float, help="How often one can act per period.")
@click.option("--time", help="Column of when the decision was due.")
@click.option("--cluster", help="Column of whom the rows belong to.")
@click.option("--weight", help="Column of sample weights.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="COLUMN=REASON",
    help="Column that may not be used, and why; may be repeated.",
)
@click.option(
    "--subgroup", multiple=True, metavar="COLUMN", help="Column to report by; repeatable."
)
@click.option("--rule", metavar="CONDITION", help='When one acts today, such as "age > 60".')
@click.option("--no-input", is_flag=True, help="Never ask; leave marked gaps.")
@json_option
def command(data: str, out: str, force: bool, no_input: bool, as_json: bool, **given: Any) -> None:
    """Look at DATA and write a commented decision.toml, asking for what only a person knows.

    Nothing is guessed about money: a cell you do not name stays a marked gap, and payoff refuses to
    run until it is filled.
    """
    from payoff.load.source import read
    from payoff.workflow.starter import gaps, look, starter_text

    target = Path(out)
    if target.exists() and not force:
        raise DeclarationError.exists(out)
    seen = look(read(data), given["outcome"])
    asking = not no_input and not as_json and _person_there()
    if seen.outcome is None and asking:
        click.echo("Columns with 2 to 20 values: " + ", ".join(seen.candidates))
        seen = look(read(data), click.prompt("Which column says what happened?"))
    if seen.outcome is None:
        raise DeclarationError.unguessed_outcome(seen.candidates)
    answers = _answers(data, target, seen, given, asking=asking)
    text = starter_text(answers, seen)
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EnvironmentError_.cannot_write(out, error.strerror or str(error)) from None
    missing = gaps(text)
    if as_json:
        print_json(
            {
                "file": out,
                "outcome": seen.outcome,
                "positive": answers.positive,
                "rows": seen.n_rows,
                "suspects": dict(seen.suspects),
                "lines_to_fill": missing,
            }
        )
        return
    click.echo(
        f"Wrote {out} from {seen.n_rows:,} rows: outcome {seen.outcome!r}, positive "
        f"{answers.positive!r}."
    )
    for column, area in seen.suspects.items():
        if column not in answers.exclude:
            click.echo(
                f"Look at {column!r}: alone it ranks the outcome with {area:.3f} of 1. If it "
                "is known only afterwards, exclude it (see [data.exclude])."
            )
    if missing:
        lines = ", ".join(map(str, missing))
        click.echo(f"Money is still missing on line {lines}: say what each cell is worth.")
    click.echo(f"Next: payoff check {out}")


def _person_there() -> bool:
    return sys.stdin.isatty()


def _answers(
    data: str, target: Path, seen: Look, given: dict[str, Any], *, asking: bool
) -> Answers:
    from payoff.workflow.starter import Answers, outcome_name

    def ask(key: str, question: str, default: Any = None, kind: Any = str) -> Any:
        if given.get(key) not in (None, (), ""):
            return given[key]
        if not asking:
            return default
        answer = click.prompt(
            question,
            default=default if default is not None else "",
            type=kind if default is not None else str,
        )
        return answer if answer != "" else None

    positive = ask(
        "positive", f"Which value of {seen.outcome!r} is the decision about?", seen.values[0]
    )
    act = ask("act", "What can you do about it? (one word)", "act")
    unit = ask("unit", "What is one row? (singular)", "case")
    currency = ask("currency", "Currency?", "EUR")
    volume = ask("volume", f"How many {unit}s come up per {given['period']}? (empty: not known)")
    names = [
        outcome_name(positive),
        *(outcome_name(v) for v in seen.values if v != positive),
    ]
    money = _money(given["money"], [act, given["leave"]], names)
    if asking:
        _ask_money(money, act, names)
    exclude = _exclusions(given["exclude"], seen, asking=asking)
    for key in ("time", "cluster", "weight"):
        if given[key] is not None and given[key] not in seen.columns:
            raise DeclarationError.unknown_name(f"--{key}", given[key], "column", seen.columns)
    for column in given["subgroup"]:
        if column not in seen.columns:
            raise DeclarationError.unknown_name("--subgroup", column, "column", seen.columns)
    name = given["name"] or re.sub(r"[^\w-]+", "-", Path(data).stem).strip("-") or "decision"
    if not name[0].isalpha():
        name = f"decision-{name}"
    return Answers(
        source=_relative(data, target),
        outcome=str(seen.outcome),
        positive=positive,
        act=act,
        leave=given["leave"],
        name=name[:60],
        title=given["title"] or "",
        unit=unit,
        currency=currency,
        period=given["period"],
        volume=_number(volume),
        capacity=given["capacity"],
        money=money,
        exclude=exclude,
        subgroups=tuple(given["subgroup"]) or None,
        time=given["time"],
        cluster=given["cluster"],
        weight=given["weight"],
        rule=given["rule"],
    )


def _money(
    pairs: Sequence[str], actions: Sequence[str], outcomes: Sequence[str]
) -> dict[tuple[str, str], str]:
    """Read the ``--money`` options."""
    money = {}
    for pair in pairs:
        cell, separator, worth = pair.partition("=")
        action, slash, outcome = (part.strip() for part in cell.partition("/"))
        if not (separator and slash and worth.strip()):
            raise DeclarationError.bad_value(
                "--money", pair, "ACTION/OUTCOME=MONEY", "For example --money call/yes=9"
            )
        for kind, name, known in (("action", action, actions), ("outcome", outcome, outcomes)):
            if name not in known:
                raise DeclarationError.unknown_name("--money", name, kind, known)
        _readable(worth, f"--money {cell.strip()}")
        money[action, outcome] = worth.strip()
    return money


def _readable(worth: str, where: str) -> None:
    """Refuse money that the decision file would be refused for."""
    from payoff.declare.expression import parse

    try:
        parse(worth.strip())
    except PayoffError as error:
        raise error.within(where) from None


def _ask_money(money: dict[tuple[str, str], str], act: str, outcomes: Sequence[str]) -> None:
    click.echo("Money: a gain is positive, a cost negative; a number, a column or an expression.")
    for name in outcomes:
        if (act, name) not in money:
            answer = click.prompt(f"  {act!r} when the outcome is {name!r} is worth", default="")
            if answer.strip():
                money[act, name] = answer.strip()


def _exclusions(pairs: Sequence[str], seen: Look, *, asking: bool) -> dict[str, str]:
    """Read the ``--exclude`` options, and ask about columns that predict too well alone."""
    exclude = {}
    for pair in pairs:
        column, _, reason = pair.partition("=")
        if column not in seen.columns:
            raise DeclarationError.unknown_name("--exclude", column, "column", seen.columns)
        exclude[column] = reason.strip() or "not to be used"
    for column, area in seen.suspects.items():
        if (
            asking
            and column not in exclude
            and click.confirm(
                f"{column!r} alone ranks the outcome with {area:.3f} of 1. Is it known only "
                "afterwards?",
                default=True,
            )
        ):
            exclude[column] = "known only after the outcome"
    return exclude


def _number(value: Any) -> float | None:
    if value in (None, ""):
        return None
    try:
        return float(str(value).replace(",", "").replace("_", ""))
    except ValueError:
        raise DeclarationError.bad_value("--volume", value, "a number") from None


def _relative(data: str, target: Path) -> str:
    """Write the source relative to the decision file, as it will be read."""
    path = Path(data)
    if path.is_absolute() or re.match(r"\s*(select|with)\s", data, re.IGNORECASE):
        return data
    try:
        return Path(os.path.relpath(str(path), str(target.parent))).as_posix()
    except ValueError:  # another drive
        return str(path.resolve())
