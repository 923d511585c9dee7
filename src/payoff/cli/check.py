"""``payoff check``."""

from __future__ import annotations

import sys

import click

from payoff.cli.common import json_option, print_checks, print_json
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
    from payoff.workflow import check

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
