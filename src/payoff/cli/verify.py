"""``payoff verify``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from payoff.cli.common import json_option, print_json


@click.command(epilog="Example: payoff verify calls")
@click.argument("bundle", type=click.Path())
@json_option
def command(bundle: str, as_json: bool) -> None:
    """Check every byte of BUNDLE against its manifest; exit with 1 when anything differs."""
    from payoff.bundle import differences, manifest_of

    path = Path(bundle)
    manifest = manifest_of(path)
    changes = differences(path, manifest)
    if as_json:
        print_json({"bundle_id": manifest.get("id"), "intact": not changes, "changes": changes})
    elif changes:
        click.echo(f"{bundle} was changed after it was written:")
        for change in changes:
            click.echo(f"  {change}")
    else:
        click.echo(f"{bundle}: all {len(manifest['files'])} files are as written.")
        click.echo(f"Bundle {manifest['id']}")
    if changes:
        sys.exit(1)
