"""``payoff train``."""

from __future__ import annotations

from typing import Any

import click

from payoff.cli.common import (
    Console,
    json_option,
    out_options,
    print_json,
    print_table,
    quiet_option,
    wrapped,
)
from payoff.cli.run import answer, default_folder


@click.command(epilog="Example: payoff train decision.toml --out calls")
@click.argument("decision", type=click.Path())
@out_options
@quiet_option
@json_option
def command(
    decision: str,
    data: str | None,
    out: str | None,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Fit the candidates of DECISION, choose by cross-fitted money, judge, and write a bundle.

    Like 'payoff run', with the training told in full and without the pages; 'payoff report' writes
    them later.
    """
    from payoff.workflow import run

    target = default_folder(decision, out)
    found = run(
        decision,
        data,
        out=target,
        force=force,
        pages=False,
        progress=Console(quiet=quiet or as_json),
    )
    if as_json:
        print_json(answer(found.evidence, target, documents=False))
        return
    if found.evidence.decision["kind"] == "recommend":
        _lists(found.evidence)
        click.echo(f"\nBundle: {target}")
        click.echo(f"Next: payoff report {target}   (or: payoff serve {target})")
        return
    model = found.evidence.model
    unit = found.evidence.decision["currency"]
    click.echo("\nCross-fitted on the fit rows (each row scored by a model that did not see it):")
    print_table(
        [
            {
                "candidate": c["label"],
                f"{unit} per unit": f"{c['value']['value']:.4g}",
                "behind the best": "-"
                if c["chosen"]
                else f"{-c['difference_to_best']:.3g} (se {c['standard_error']:.2g})",
                "log-loss": f"{c['log_loss']:.4f}",
                "": "chosen" if c["chosen"] else "",
            }
            for c in model["candidates"]
        ],
        right=[f"{unit} per unit", "behind the best", "log-loss"],
    )
    for failure in model["failures"]:
        click.echo(wrapped(f"{failure['name']} was skipped: {failure['reason']}"))
    click.echo(wrapped(f"Calibration: {model['calibration']['reason']}", ""))
    for amount in model["amounts"]:
        click.echo(
            wrapped(
                f"Amount {amount.get('column')} given {amount.get('outcome')}: "
                f"{amount.get('reason', amount.get('kind', ''))}",
                "",
            )
        )
    click.echo(f"\nBundle: {target}")
    click.echo(f"Next: payoff report {target}   (or: payoff serve {target})")


def _lists(evidence: Any) -> None:
    """Print what recommenders earned on the choosing part, and what fitting them takes."""
    model = evidence.model
    unit = evidence.decision["currency"]
    about = model["chosen_on"]
    users = f"{about['n_users']:,} users"
    if about["n_drawn"] < about["n_users"]:
        users = f"{about['n_drawn']:,} users, drawn by seed from {about['n_users']:,}"
    click.echo(f"\nChosen on the choosing part ({users}), by models of the fitting part:")
    print_table(
        [
            {
                "policy": c["label"],
                f"{unit} per list": f"{c['value']['value']:.4g}",
                "behind the best": "-"
                if c["chosen"]
                else f"{-c['difference_to_best']:.3g} (se {c['standard_error']:.2g})",
                "nDCG": f"{c['ndcg']:.4f}",
                "fit": f"{c['cost']['fit_seconds']:.2f} s" if "fit_seconds" in c["cost"] else "",
                "": "chosen" if c["chosen"] else "",
            }
            for c in model["candidates"]
        ],
        right=[f"{unit} per list", "behind the best", "nDCG", "fit"],
    )
    click.echo(f"{len(model['tried'])} settings were tried.")
    for candidate in model["candidates"]:
        if candidate["words"]:
            click.echo(wrapped(f"{candidate['label']}: {candidate['words']}", ""))
    for failure in model["failures"]:
        click.echo(wrapped(f"{failure['name']} was skipped: {failure['reason']}"))
