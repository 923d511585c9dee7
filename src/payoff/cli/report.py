"""``payoff report``."""

from __future__ import annotations

from pathlib import Path

import click

from payoff.cli.common import Target, json_option, print_json


@click.command(epilog="Example: payoff report calls --out calls-report")
@click.argument("bundle", type=click.Path())
@click.option("--out", "-o", type=Target(), help="Folder to write; default: BUNDLE-report.")
@json_option
def command(bundle: str, out: str | None, as_json: bool) -> None:
    """Write the pages of BUNDLE: report.html, model-card.md, decision-record.md.

    The bundle itself is not touched; its bytes are checked first.
    """
    from payoff.bundle import opened as open_bundle
    from payoff.report import write

    opened = open_bundle(bundle)
    folder = Path(out) if out else Path(f"{Path(bundle).name}-report")
    files = write(opened.evidence(), folder, bundle={"id": opened.id, "path": str(bundle)})
    if as_json:
        print_json({"bundle_id": opened.id, "files": [str(f) for f in files]})
        return
    for file in files:
        click.echo(file)
