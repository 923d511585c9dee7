"""``payoff verify``."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from payoff.cli.common import Target, json_option, print_json, wrapped
from payoff.errors import counted

if TYPE_CHECKING:
    from payoff.store.verifying import Verified

_HEAD = re.compile(r"\d{1,18}:[0-9a-f]{64}")


@click.command(
    epilog="""\b
Examples:
  payoff verify calls
  payoff verify --log decisions.sqlite
  payoff verify --log decisions.sqlite --head 1204:5f0c...   as an earlier check printed it"""
)
@click.argument("bundle", type=click.Path(), required=False)
@click.option("--log", type=Target(), help="Decision log to check instead.")
@click.option("--head", metavar="NUMBER:HASH", help="Entry that the log must hold.")
@json_option
def command(bundle: str | None, log: str | None, head: str | None, as_json: bool) -> None:
    """Check every byte of BUNDLE against its manifest; exit with 1 when anything differs.

    With --log, check instead that every entry of a decision log is as it was written, follows the
    one before and is not missing.
    """
    if (bundle is None) == (log is None):
        raise click.UsageError("Give a BUNDLE, or a log with --log.")
    if head is not None and (log is None or not _HEAD.fullmatch(head)):
        raise click.UsageError("--head is NUMBER:HASH as 'payoff verify --log' prints it.")
    if log is not None:
        intact = _log(log, head, as_json=as_json)
    else:
        assert bundle is not None
        intact = _bundle(bundle, as_json=as_json)
    if not intact:
        sys.exit(1)


def _bundle(bundle: str, *, as_json: bool) -> bool:
    from payoff.bundle import differences, is_list_bundle, manifest_of

    path = Path(bundle)
    manifest = manifest_of(path)
    changes = differences(path, manifest)
    until = _until(path) if not changes and is_list_bundle(manifest) else {}
    if as_json:
        facts = {"bundle_id": manifest.get("id"), "intact": not changes, "changes": changes}
        print_json(facts | until)
    elif changes:
        click.echo(f"{bundle} was changed after it was written:")
        for change in changes:
            click.echo(f"  {change}")
    else:
        click.echo(f"{bundle}: all {len(manifest['files'])} files are as written.")
        if until:
            updates = f" ({counted(until['updates'], 'update')})" if until["updates"] else ""
            text = (
                f"Judged on interactions until {until['evidence_until']}; lists are made from "
                f"those until {until['histories_until']}{updates}."
            )
            click.echo(wrapped(text, ""))
        click.echo(f"Bundle {manifest['id']}")
    return not changes


def _until(path: Path) -> dict[str, Any]:
    """Return until when a bundle that recommends was judged, and what its lists are made from."""
    from payoff.bundle import RecommendBundle

    bundle = RecommendBundle.open(path)
    return {
        "evidence_until": bundle.evidence_until,
        "histories_until": bundle.histories_until,
        "updates": len(bundle.updates),
    }


def _log(log: str, head: str | None, *, as_json: bool) -> bool:
    from payoff.store.verifying import verify

    found = verify(log, head=head)
    if as_json:
        print_json(_facts(found))
        return found.intact
    if found.intact:
        entries = counted(found.entries, "entry", "entries")
        click.echo(f"{log}: {entries}, each as it was written and in its place.")
    else:
        click.echo(f"{log} is not as it was written: {counted(found.n_faults, 'fault')}.")
        for fault in found.faults:
            place = "" if fault.number is None else f"entry {fault.number}: "
            click.echo(f"  {place}{fault.what}")
        if found.n_faults > len(found.faults):
            click.echo(f"  and {found.n_faults - len(found.faults):,} more")
    parts = [counted(found.decisions, "decision")]
    if found.erased:
        parts.append(f"{found.erased:,} erased")
    if found.pruned:
        parts.append(f"{found.pruned:,} pruned")
    click.echo(f"  {', '.join(parts)}")
    if found.clock_back:
        times = counted(found.clock_back, "time")
        click.echo(f"  The server's clock was set back {times}; the order is that of the numbers.")
    if found.head is not None:
        click.echo(f"Head {found.head}")
    return found.intact


def _facts(found: Verified) -> dict[str, object]:
    from payoff.serve.journal import moment

    return {
        "intact": found.intact,
        "entries": found.entries,
        "decisions": found.decisions,
        "erased": found.erased,
        "pruned": found.pruned,
        "clock_back": found.clock_back,
        "first_at": None if found.first_at is None else moment(found.first_at),
        "last_at": None if found.last_at is None else moment(found.last_at),
        "head": found.head,
        "n_faults": found.n_faults,
        "faults": [{"entry": f.number, "what": f.what} for f in found.faults],
    }
