"""``payoff check``."""

from __future__ import annotations

import sys

import click

from payoff.cli.common import json_option, print_checks, print_json, print_table
from payoff.errors import plain


@click.command(
    epilog="Example: payoff check decision.toml --data last_month.parquet",
)
@click.argument("decision", type=click.Path())
@click.option("--data", help="File, pattern or SQL to use instead of the declared source.")
@click.option("--all", "every", is_flag=True, help="Show the checks that passed, too.")
@click.option("--strict", is_flag=True, help="Exit with 1 when a check finds an issue.")
@json_option
def command(decision: str, data: str | None, every: bool, strict: bool, as_json: bool) -> None:
    """Check DECISION (a decision.toml) and its rows; fits nothing and writes nothing.

    Numbered checks look for what costs money later: signs and units of the payoff table, features
    known only after the outcome, repeated units, drift between the parts.
    """
    from payoff.declare.file import load
    from payoff.workflow import check

    if load(decision).kind == "recommend":
        _interactions(decision, data, every=every, strict=strict, as_json=as_json)
        return
    found = check(decision, data)
    parts = found.parts.how["parts"]
    if as_json:
        print_json(
            {
                "decision": found.decision.name,
                "source": found.source.name,
                "fingerprint": found.source.fingerprint,
                "rows": len(found.data),
                "notes": list(found.source.notes),
                "features": list(found.data.features),
                "split": dict(found.parts.how),
                "dropped": [dict(d) for d in found.parts.dropped],
                "checks": [c.to_dict() for c in found.checks],
            }
        )
    else:
        click.echo(
            f"{plain(found.decision.title)}: {len(found.data):,} rows from {found.source.name}"
        )
        sizes = ", ".join(f"{name} {facts['n']:,}" for name, facts in parts.items())
        click.echo(
            f"Split by {found.parts.how['method']}: {sizes}; {len(found.data.features)} features."
        )
        for note in found.source.notes:
            click.echo(f"  {note}")
        click.echo()
        print_checks(found.checks, every=every)
    if strict and any(c.status == "issue" for c in found.checks):
        sys.exit(1)


def _interactions(
    decision: str, data: str | None, *, every: bool, strict: bool, as_json: bool
) -> None:
    """Check a decision that recommends: interactions instead of rows with an outcome."""
    from payoff.workflow import check_interactions

    found = check_interactions(decision, data)
    sheet, how = found.sheet, found.parts.how
    if as_json:
        print_json(
            {
                "decision": found.decision.name,
                "source": sheet["source"],
                "fingerprint": sheet["fingerprint"],
                "rows": sheet["rows"],
                "notes": list(found.data.notes),
                "split": dict(how),
                "interactions": dict(sheet),
                "checks": [c.to_dict() for c in found.checks],
            }
        )
    else:
        click.echo(
            f"{plain(found.decision.title)}: {sheet['n']:,} interactions of {sheet['n_users']:,} "
            f"users with {sheet['n_items']:,} items, from {sheet['rows']:,} rows of "
            f"{sheet['source']}"
        )
        click.echo(f"From {sheet['first']} to {sheet['last']}; split by {how['method']}:")
        click.echo()
        money = [found.decision.currency] if found.data.facts["has_value"] else []
        print_table(
            [
                {
                    "part": name,
                    "interactions": f"{facts['n']:,}",
                    "users": f"{facts['n_users']:,}",
                    "items": f"{facts['n_items']:,}",
                    **dict.fromkeys(money, f"{facts['value']:,.0f}"),
                    "from": facts["first"] or "-",
                    "to": facts["last"] or "-",
                }
                for name, facts in how["parts"].items()
            ],
            right=["interactions", "users", "items", *money],
        )
        for note in found.data.notes:
            click.echo(f"  {note}")
        click.echo()
        print_checks(found.checks, every=every)
    if strict and any(c.status == "issue" for c in found.checks):
        sys.exit(1)
