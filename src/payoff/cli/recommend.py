"""``payoff recommend``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from payoff.cli.common import (
    Console,
    Target,
    json_option,
    print_json,
    print_table,
    quiet_option,
    wrapped,
)
from payoff.errors import plain


@click.command(
    epilog="""\b
Examples:
  payoff recommend front-page --user 17850
  payoff recommend front-page --session 85123A,71053 --filter "price < 20"
  payoff recommend front-page --item 85123A             what goes with it
  payoff recommend front-page --all -o lists.parquet    every known user"""
)
@click.argument("bundle", type=click.Path())
@click.option("--user", metavar="ID", help="Id of a user.")
@click.option("--session", metavar="IDS", help="Items of a visitor, with commas, the latest last.")
@click.option("--item", metavar="ID", help="What goes with this item.")
@click.option("--all", "everybody", is_flag=True, help="A list for every known user, to --out.")
@click.option("--k", type=click.IntRange(1, 1_000), help="Places; default: as declared.")
@click.option("--filter", "condition", metavar="CONDITION", help="Over the attributes of items.")
@click.option("--exclude", metavar="IDS", help="Items not to be shown, with commas.")
@click.option("--id", "list_id", metavar="ID", help="Id of the list: draws the same one again.")
@click.option("--out", "-o", type=Target(), help="With --all: file to write, .parquet or .csv.")
@click.option("--force", is_flag=True, help="With --all: replace the file.")
@quiet_option
@json_option
def command(  # noqa: PLR0913, PLR0917 (the options of a question)
    bundle: str,
    user: str | None,
    session: str | None,
    item: str | None,
    everybody: bool,
    k: int | None,
    condition: str | None,
    exclude: str | None,
    list_id: str | None,
    out: str | None,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """List items for a user, a visitor or an item, from BUNDLE, and say why.

    Unknown users are answered as strangers. With --all every known user gets the list that a
    question alone would give, one row per place in the file.
    """
    from payoff.bundle import RecommendBundle

    asked: dict[str, Any] = {
        "user": user,
        "session": _ids(session),
        "item": item,
        "k": k,
        "filter": condition,
        "exclude": _ids(exclude),
    }
    if everybody:
        if out is None or any((user, session, item)):
            raise click.UsageError("--all goes with --out, and not with --user, --session, --item.")
        _write_all(bundle, asked, list_id, Path(out), force=force, quiet=quiet, as_json=as_json)
        return
    if out is not None:
        raise click.UsageError("--out goes with --all; --json prints one list.")
    found = RecommendBundle.open(bundle).recommend(
        list_id=list_id, **{n: v for n, v in asked.items() if v is not None}
    )
    if as_json:
        print_json(found)
    else:
        _show(found)


def _ids(text: str | None) -> list[str] | None:
    return None if text is None else [part for part in text.split(",") if part.strip()]


def _write_all(
    bundle: str,
    asked: Mapping[str, Any],
    batch: str | None,
    out: Path,
    *,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    from payoff.workflow.all_lists import lists_of_all

    rules = {n: v for n, v in asked.items() if v is not None}
    found = lists_of_all(
        bundle, out, rules, batch=batch, force=force, progress=Console(quiet=quiet or as_json)
    )
    if as_json:
        print_json({"file": str(found.path), "users": found.users, "rows": found.rows})
    else:
        click.echo(f"{found.users:,} users, {found.rows:,} rows: {found.path}")


def _show(found: Mapping[str, Any]) -> None:
    if found["known"] is False:
        click.echo(wrapped(f"User {found['user']} is not known: the list of strangers.", ""))
    if found["ignored"]:
        click.echo(wrapped(f"No such items, ignored: {', '.join(found['ignored'])}.", ""))
    if not found["items"]:
        click.echo("Nothing to show.")
        return
    money = f"{found['currency']} if bought"
    print_table(
        [
            {
                "place": str(place),
                "item": one["item"],
                "name": one["label"][:40] if one["label"] != one["item"] else "",
                money: f"{one['money_if_hit']:,.2f}",
                "propensity": f"{one['propensity']:.4g}",
            }
            for place, one in enumerate(found["items"], 1)
        ],
        right=["place", money, "propensity"],
    )
    click.echo()
    for place, one in enumerate(found["items"], 1):
        click.echo(wrapped(f"{place}. {plain(one['why']['sentence'])}"))
    click.echo(f"\n{plain(found['made_by_label'])}; list {plain(found['list_id'])}.")
