"""``payoff run``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from payoff.cli.common import (
    Console,
    json_option,
    out_options,
    print_json,
    print_table,
    quiet_option,
    whole,
    wrapped,
)


@click.command(epilog="Example: payoff run decision.toml --data customers.parquet --out calls")
@click.argument("decision", type=click.Path())
@out_options
@click.option("--fail-on-refuse", is_flag=True, help="Exit with 1 when the verdict is to refuse.")
@quiet_option
@json_option
def command(
    decision: str,
    data: str | None,
    out: str | None,
    force: bool,
    fail_on_refuse: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Take DECISION (a decision.toml) the whole way: check, train, judge, bundle, report.

    Models are fitted on one part of the rows, the policy is chosen on a second, and a third, which
    did neither, says what it is worth. The folder written holds the report (report.html), a model
    card, a decision record, and the bundle that 'payoff serve' answers from.
    """
    from payoff.workflow import run

    target = default_folder(decision, out)
    found = run(decision, data, out=target, force=force, progress=Console(quiet=quiet or as_json))
    if as_json:
        print_json(answer(found.evidence, target, documents=True))
    else:
        say(found.evidence)
        click.echo(f"\nReport: {target / 'report.html'}")
        click.echo(f"Serve it: payoff serve {target}")
    if fail_on_refuse and found.evidence.verdict["state"] == "refuse":
        sys.exit(1)


def default_folder(decision: str, out: str | None) -> Path:
    """Return --out, or NAME-bundle beside where the user stands."""
    if out is not None:
        return Path(out)
    from payoff.declare.file import load

    return Path(f"{load(decision).name.replace(' ', '-')}-bundle")


def answer(evidence: Any, folder: Path | None, *, documents: bool) -> dict[str, Any]:
    """Return the JSON answer of a judging command."""
    from payoff.report import headline, three_numbers

    value = {
        "verdict": dict(evidence.verdict),
        "headline": headline(evidence),
        "three_numbers": three_numbers(evidence),
        "evidence": evidence.to_dict(),
    }
    if folder is not None:
        value["folder"] = str(folder)
        if documents:
            value["report"] = str(folder / "report.html")
    return value


def say(evidence: Any) -> None:
    """Print headline, three numbers, options in money, and what the manager must see."""
    from payoff.report import headline, three_numbers

    words = headline(evidence)
    click.echo()
    click.echo(wrapped(words, ""))
    if evidence.verdict.get("next"):
        click.echo(wrapped(evidence.verdict["next"], ""))
    click.echo()
    for number in three_numbers(evidence):
        interval = f"  ({number['interval']})" if number["interval"] else ""
        click.echo(f"  {number['label']}: {number['figure']}{interval}")
        if number.get("note"):
            click.echo(wrapped(number["note"], "    "))
    click.echo()
    unit = evidence.decision["money_unit"]
    rows = []
    for policy in evidence.policies:
        total = policy.total
        interval = f"{whole(total.low)} to {whole(total.high)}" if total.low is not None else "none"
        rows.append(
            {
                "policy": policy.label + (f" ({policy.outside})" if policy.outside else ""),
                unit: whole(total.value),
                f"{total.level * 100:g} % interval": interval,
            }
        )
    print_table(rows, right=[unit, list(rows[0])[2]])
    for check in evidence.checks:
        if check.page_one:
            click.echo()
            click.echo(wrapped(f"{check.code} {check.title}: {check.detail}", ""))
