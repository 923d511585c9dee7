"""``payoff score``."""

from __future__ import annotations

from pathlib import Path

import click

from payoff.cli.common import Console, Target, json_option, print_json, quiet_option


@click.command(
    epilog="""\b
Examples:
  payoff score calls-bundle october.parquet -o scored.parquet
  payoff score calls-bundle -o scored.parquet      the rows the bundle was made from"""
)
@click.argument("bundle", type=click.Path())
@click.argument("data", required=False)
@click.option("--out", "-o", type=Target(), required=True, help="File to write: .parquet or .csv.")
@click.option("--force", is_flag=True, help="Replace the file.")
@quiet_option
@json_option
def command(
    bundle: str, data: str | None, out: str, force: bool, quiet: bool, as_json: bool
) -> None:
    """Write the rows of DATA with what BUNDLE makes of them.

    Adds the probability of each outcome (y_prob_OUTCOME), the expected money of each action
    (expected_ACTION), the recommended action (payoff_action), of documents their theme
    (payoff_theme) and, for the rows the bundle was made from, their part (payoff_part). 'payoff
    sql' reads such a table.
    """
    from payoff.workflow.scored_rows import score_rows, write_rows

    table = score_rows(bundle, data, progress=Console(quiet=quiet or as_json))
    path = write_rows(table, Path(out), force=force)
    if as_json:
        print_json({"file": str(path), "rows": table.num_rows, "columns": table.column_names})
    else:
        click.echo(f"{table.num_rows:,} rows: {path}")
