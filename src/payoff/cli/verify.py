"""``payoff verify``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from payoff.cli.common import json_option, print_json, wrapped
from payoff.errors import counted


@click.command(epilog="Example: payoff verify calls")
@click.argument("bundle", type=click.Path())
@json_option
def command(bundle: str, as_json: bool) -> None:
    """Check every byte of BUNDLE against its manifest; exit with 1 when anything differs."""
    from payoff.bundle import differences, is_list_bundle, manifest_of

    path = Path(bundle)
    manifest = manifest_of(path)
    changes = differences(path, manifest)
    known = _known(path) if not changes and is_list_bundle(manifest) else {}
    if as_json:
        facts = {"bundle_id": manifest.get("id"), "intact": not changes, "changes": changes}
        print_json(facts | known)
    elif changes:
        click.echo(f"{bundle} was changed after it was written:")
        for change in changes:
            click.echo(f"  {change}")
    else:
        click.echo(f"{bundle}: all {len(manifest['files'])} files are as written.")
        if known:
            times = counted(known["updates"], "update")
            click.echo(
                wrapped(
                    f"Judged on interactions until {known['evidence_until']}; lists are made from "
                    f"those until {known['histories_until']}"
                    + (f" ({times})." if known["updates"] else "."),
                    "",
                )
            )
        click.echo(f"Bundle {manifest['id']}")
    if changes:
        sys.exit(1)


def _known(path: Path) -> dict[str, Any]:
    """Return until when a bundle that recommends was judged, and what its lists are made from."""
    from payoff.bundle import RecommendBundle

    bundle = RecommendBundle.open(path)
    return {
        "evidence_until": bundle.evidence_until,
        "histories_until": bundle.histories_until,
        "updates": len(bundle.updates),
    }
