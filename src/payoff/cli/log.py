"""``payoff log``: what is taken out of a decision log."""

from __future__ import annotations

import datetime
import sys
import time
from typing import TYPE_CHECKING

import click

from payoff.cli.common import Target, json_option, print_json
from payoff.errors import counted

if TYPE_CHECKING:
    from payoff.store.retention import Removed


@click.group(
    epilog="""\b
Examples:
  payoff log export decisions.sqlite -o decisions.parquet
  payoff log erase decisions.sqlite --unit c-7
  payoff log prune decisions.sqlite --before 2026-01-01"""
)
def command() -> None:
    """Take decisions out of a log that 'payoff serve --log' keeps; the server may be running.

    An export changes nothing. What is erased or pruned cannot be brought back. The chain stays
    whole, and an entry of the log says what was taken out: 'payoff verify --log' checks both.
    """


@command.command(
    "export", epilog="Example: payoff log export decisions.sqlite -o decisions.parquet"
)
@click.argument("path", type=click.Path())
@click.option(
    "--out", "-o", type=Target(), required=True, help="File to write: .parquet or .duckdb."
)
@click.option("--with-fields", is_flag=True, help="Add the fields of each row, as JSON.")
@click.option("--force", is_flag=True, help="Replace the file.")
@json_option
def export_command(path: str, out: str, with_fields: bool, force: bool, as_json: bool) -> None:
    """Write every decision in PATH as one row of a table, for analysts.

    Columns: number, id, decided_at, bundle_id, unit_id, action, the probability of each outcome
    (y_prob_OUTCOME), the expected money of each action (expected_ACTION); of lists the items and
    their propensities. In DuckDB the table is called decisions.
    """
    from payoff.store.exporting import export

    found = export(path, out, with_fields=with_fields, force=force)
    if as_json:
        facts = {"rows": found.rows, "erased": found.erased, "columns": list(found.columns)}
        print_json({"file": str(found.path), **facts})
    else:
        click.echo(f"{counted(found.rows, 'decision')}: {found.path}")
        if found.erased:
            click.echo(f"  {found.erased:,} of them erased: number, time and bundle only")


@command.command("erase", epilog="Example: payoff log erase decisions.sqlite --unit c-7")
@click.argument("path", type=click.Path())
@click.option("--unit", required=True, help="Id of the unit, as it was sent.")
@json_option
def erase_command(path: str, unit: str, as_json: bool) -> None:
    """Erase every decision about one unit in PATH; exit with 1 when there is none.

    Fields, answer and id of the unit go for good, from the file as well. Number, time, bundle and
    digest stay, so that the chain can still be checked.
    """
    from payoff.store.retention import erase

    removed = erase(path, unit=unit, at=time.time())
    _say(removed, as_json=as_json, nothing="No decision about this unit has content in the log.")
    if not removed.erased:
        sys.exit(1)


@command.command("prune", epilog="Example: payoff log prune decisions.sqlite --before 2026-01-01")
@click.argument("path", type=click.Path())
@click.option(
    "--before",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day, as 2026-01-01 in UTC; what was decided earlier goes.",
)
@json_option
def prune_command(path: str, before: datetime.datetime, as_json: bool) -> None:
    """Remove every decision in PATH made before a day."""
    from payoff.store.retention import prune

    day = before.replace(tzinfo=datetime.UTC).timestamp()
    if day > time.time():
        raise click.UsageError("--before lies in the future, so it would remove everything.")
    removed = prune(path, before=day, at=time.time())
    _say(removed, as_json=as_json, nothing="No decision in the log is that old.")


def _say(removed: Removed, *, as_json: bool, nothing: str) -> None:
    if as_json:
        print_json(
            {
                "erased": removed.erased,
                "dropped": removed.dropped,
                "entry": removed.entry,
                "on_disk": removed.on_disk,
            }
        )
        return
    if removed.entry is None:
        click.echo(nothing)
        return
    if removed.dropped:
        click.echo(f"{counted(removed.dropped, 'entry', 'entries')} removed.")
    if removed.erased:
        click.echo(f"{counted(removed.erased, 'decision')} erased.")
    click.echo(f"Entry {removed.entry} says so.")
    if not removed.on_disk:
        click.echo(
            "Another program is reading the log, so the old content still lies in the file beside "
            "it. Run this again later; it goes when nobody reads."
        )
