"""``payoff sql``."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from payoff.cli.common import json_option, print_json, print_table, wrapped

_FIGURES: Final = ("policies", "comparisons", "groups", "confusion", "curve")
_CLOSE: Final = 1e-9


@click.command(
    epilog="""\b
Examples:
  payoff sql calls-bundle --figure policies --table marketing.scored
  payoff sql calls-bundle --run scored.parquet     (from: payoff score calls-bundle)
  payoff sql judged --run predictions.parquet      (from: payoff judge ... --out judged)"""
)
@click.argument("bundle", type=click.Path())
@click.option(
    "--figure",
    multiple=True,
    type=click.Choice(_FIGURES),
    help="Which figure; may be repeated; default: all there are.",
)
@click.option("--table", help="Table or file that the SQL reads; default: scored.")
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "postgres"]),
    default="duckdb",
    show_default=True,
    help="Whose SQL to write.",
)
@click.option("--run", "data", metavar="FILE", help="Run it on a file, beside the evidence.")
@click.option("--decision", "-d", type=click.Path(), help="Decision file, if BUNDLE has none.")
@json_option
def command(
    bundle: str,
    figure: tuple[str, ...],
    table: str | None,
    engine: str,
    data: str | None,
    decision: str | None,
    as_json: bool,
) -> None:
    """Print SQL that computes the figures of BUNDLE from a table of scored rows.

    BUNDLE is a bundle, or the folder of 'payoff judge --out'. With --run the statements are run by
    DuckDB and every number is set beside the evidence's; exit code 1 says that some differ by more
    than 1e-9.
    """
    from payoff.workflow.figures import figures_of, other_rows, run, statements

    made, evidence = statements(bundle, table=data or table, engine=engine, decision=decision)
    names = list(figure) or figures_of(evidence)
    if data is None:
        texts = {name: made.figure(name) for name in names}
        if as_json:
            print_json({"sql": texts, "left_out": made.skipped})
        else:
            click.echo("\n".join(texts.values()), nl=False)
        return
    matches = [m for m in run(made, evidence, names, data) if not _skipped(m.row, made.skipped)]
    apart = [m for m in matches if m.apart > _CLOSE]
    others = other_rows(made, evidence, data)
    if as_json:
        rows = [dataclasses.asdict(m) for m in matches]
        print_json(
            {
                "numbers": rows,
                "left_out": made.skipped,
                "apart": len(apart),
                "other_rows": others or None,
            }
        )
    else:
        _show(matches, made.skipped)
        if others and apart:
            click.echo(
                wrapped(
                    f"Other rows: {others}. So the numbers are expected to differ: SQL "
                    "says what the same policies earned on these rows.",
                    "",
                )
            )
    if apart:
        sys.exit(1)


def _skipped(row: str, left_out: dict[str, str]) -> bool:
    return any(name in row.split(", ") for name in left_out)


def _show(matches: Sequence[Any], left_out: dict[str, str]) -> None:
    rows = [
        {
            "figure": m.figure,
            "row": m.row,
            "number": m.name,
            "SQL": _number(m.found),
            "evidence": _number(m.evidence),
            "": "" if m.apart <= _CLOSE else "DIFFERS",
        }
        for m in matches
        if m.name in ("value", "total", "low", "high", "money_per_period") or m.apart > _CLOSE
    ]
    print_table(rows, right=["SQL", "evidence"])
    same = sum(m.apart <= _CLOSE for m in matches)
    click.echo(f"\n{same:,} of {len(matches):,} numbers agree to 1e-9.")
    for name, why in left_out.items():
        click.echo(f"Left out: {name}: {why}.")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.10g}"
