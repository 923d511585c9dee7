"""``payoff judge``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click

from payoff.cli.common import (
    Console,
    Target,
    json_option,
    print_json,
    quiet_option,
    wrapped,
)
from payoff.cli.run import answer, say
from payoff.errors import DeclarationError


@click.command(
    epilog="""\b
Examples:
  payoff judge predictions.parquet --decision decision.toml
  payoff judge predictions.csv -d decision.toml --probability yes=p_yes
  payoff judge log.csv -d decision.toml --action what_we_did
  payoff judge 'scored/*.parquet' -d decision.toml --cells""",
)
@click.argument("predictions", type=click.Path())
@click.option("--decision", "-d", required=True, type=click.Path(), help="The decision.toml.")
@click.option(
    "--probability",
    "-p",
    multiple=True,
    metavar="OUTCOME=COLUMN",
    help="Column with the probability of an outcome; may be repeated.",
)
@click.option("--score", metavar="COLUMN", help="Column with a score that is no probability.")
@click.option("--action", metavar="COLUMN", help="Column with the action already chosen.")
@click.option(
    "--rows", "path", flag_value="rows", help="Hold the rows in memory, however many they are."
)
@click.option(
    "--cells",
    "path",
    flag_value="cells",
    help="Judge from sums over cells, out of core; the default from 2,000,000 rows on.",
)
@click.option("--out", "-o", type=Target(), help="Folder for the report; default: none.")
@click.option("--fail-on-refuse", is_flag=True, help="Exit with 1 when the verdict is to refuse.")
@quiet_option
@json_option
def command(  # noqa: PLR0913, PLR0917 (click hands options over one by one)
    predictions: str,
    decision: str,
    probability: tuple[str, ...],
    score: str | None,
    action: str | None,
    path: Literal["rows", "cells"] | None,
    out: str | None,
    fail_on_refuse: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Judge PREDICTIONS made elsewhere: probabilities, a score, or actions alone.

    The file holds the outcome, the columns that money reads, and the predictions, one row per unit.
    None of its rows may have helped to fit or tune whatever predicted them.
    """
    from payoff import report
    from payoff.bundle import without_secrets
    from payoff.declare.file import load, to_toml
    from payoff.workflow import judge_predictions

    columns = {}
    for pair in probability:
        outcome, separator, column = pair.partition("=")
        if not (separator and outcome and column):
            raise DeclarationError.bad_value(
                "--probability", pair, "OUTCOME=COLUMN", "For example --probability yes=p_yes"
            )
        columns[outcome] = column
    if sum(map(bool, (columns, score, action))) > 1:
        raise DeclarationError.bad_value(
            "--probability, --score, --action", "several", "one kind of prediction"
        )
    evidence = judge_predictions(
        decision,
        predictions,
        probability=columns or None,
        score=score,
        action=action,
        path=path or "auto",
        progress=Console(quiet=quiet or as_json),
    )
    folder = Path(out) if out else None
    if folder is not None:
        report.write(evidence, folder)
        (folder / "evidence.json").write_text(evidence.to_json(), encoding="utf-8")
        declared = to_toml(without_secrets(load(decision)))
        (folder / "decision.toml").write_text(declared, encoding="utf-8")
    if as_json:
        print_json(answer(evidence, folder, documents=True))
    else:
        say(evidence)
        for note in evidence.data.get("path", {}).get("said", ()):
            click.echo(f"\n{wrapped(note, '')}")
        if folder is not None:
            click.echo(f"\nReport: {folder / 'report.html'}")
    if fail_on_refuse and evidence.verdict["state"] == "refuse":
        sys.exit(1)
