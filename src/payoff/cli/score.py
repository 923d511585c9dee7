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
    sql' reads such a table. CSV and Parquet files of any size are scored some rows at a time.
    """
    from payoff.workflow.scored_batches import score_file

    found = score_file(
        bundle, data, Path(out), force=force, progress=Console(quiet=quiet or as_json)
    )
    if as_json:
        print_json(
            {
                "file": str(found.path),
                "rows": found.rows,
                "columns": list(found.columns),
                "batches": found.batches,
            }
        )
    else:
        click.echo(f"{found.rows:,} rows: {found.path}")
