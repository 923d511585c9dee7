"""``payoff update``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from payoff.cli.common import Console, Target, json_option, print_json, quiet_option, wrapped
from payoff.errors import counted, plain, show


@click.command(
    epilog="Example: payoff update front-page --interactions today.parquet -o front-page-today"
)
@click.argument("bundle", type=click.Path())
@click.option(
    "--interactions",
    required=True,
    metavar="SOURCE",
    help="File, pattern or SQL with the columns that the decision declares.",
)
@click.option("--out", "-o", required=True, type=Target(), help="Folder of the new bundle.")
@click.option("--force", is_flag=True, help="Replace the bundle there.")
@quiet_option
@json_option
def command(
    bundle: str, interactions: str, out: str, *, force: bool, quiet: bool, as_json: bool
) -> None:
    """Write BUNDLE again with later interactions; nothing is fitted or judged again.

    Rows may overlap those already known: they count once. Items that the bundle does not know are
    named and left out, as no list can hold them before 'payoff run' fits again.
    """
    from payoff.workflow import update

    console = Console(quiet=quiet or as_json)
    found = update(bundle, interactions, out, force=force, progress=console)
    if as_json:
        print_json({"folder": str(found.folder), "bundle_id": found.bundle_id, **found.added})
        return
    for line in _lines(found.added):
        click.echo(wrapped(plain(line), ""))
    if not found.changed:
        click.echo("Nothing new: the bundle has the same contents and the same id.")
    click.echo(f"Bundle {found.bundle_id}: {plain(str(found.folder))}")


def _lines(added: Mapping[str, Any]) -> list[str]:
    bought, back, new = added["purchases"], added["cancellations"], added["new_items"]
    found = [
        f"{counted(added['rows'], 'row')} of {added['source']}: "
        f"{counted(bought['new'], 'new purchase')}, {bought['known']:,} already known"
        + (f", {bought['changed']:,} known with other pieces" if bought["changed"] else "")
        + "."
    ]
    if back["new"] or back["known"]:
        found.append(
            f"{counted(back['new'], 'new cancellation')}, {back['known']:,} already known."
        )
    found.append(f"{counted(added['new_users'], 'new user')}.")
    if new["n"]:
        found.append(
            f"{counted(new['n'], 'item')} in {counted(new['rows'], 'row')} not known to the "
            f"bundle and left out: {_named(new)}. 'payoff run' on all interactions "
            "learns them."
        )
    lost = sum(added["left_out"].values())
    if lost:
        why = ", ".join(f"{k.replace('_', ' ')} {n:,}" for k, n in added["left_out"].items())
        found.append(f"{counted(lost, 'row')} left out: {why}.")
    until = added["until"]
    found.append(
        f"Lists are made from interactions until {until['after']} (before: {until['before']}). "
        "The evidence stays as it was judged."
    )
    return found


def _named(new: Mapping[str, Any]) -> str:
    few = [show(item) for item in new["items"][:5]]
    return ", ".join(few) + (f" and {new['n'] - len(few):,} more" if new["n"] > len(few) else "")
