"""``payoff compare``."""

from __future__ import annotations

from pathlib import Path

import click

from payoff.cli.common import (
    Console,
    Target,
    json_option,
    print_json,
    print_table,
    quiet_option,
    whole,
    wrapped,
)


@click.command(
    epilog="""\b
Examples:
  payoff compare calls-march calls-april --data may.parquet
  payoff compare now=calls-bundle new=p_new --data may.parquet
  payoff compare old=p_old new=p_new --data may.parquet --decision decision.toml""",
)
@click.argument("contestants", nargs=-1, required=True, metavar="A B ...")
@click.option("--data", help="Rows to judge on; default: the declared source.")
@click.option(
    "--decision",
    "-d",
    type=click.Path(),
    help="The decision.toml whose money judges; default: the first bundle's.",
)
@click.option("--out", "-o", type=Target(), help="Folder for compare.html and compare.json.")
@quiet_option
@json_option
def command(
    contestants: tuple[str, ...],
    data: str | None,
    decision: str | None,
    out: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Compare models or policies on the same rows: who wins, by how much, how sure, and where.

    Each of A B ... is the folder of a bundle, NAME=FOLDER, or NAME=COLUMN with the probability of
    the positive outcome or with actions decided elsewhere. Rows that helped to make a bundle do
    not judge it.
    """
    from payoff.errors import chance
    from payoff.report import write_comparison
    from payoff.workflow import compare

    found = compare(
        *contestants, data=data, decision=decision, progress=Console(quiet=quiet or as_json)
    )
    page = write_comparison(found, Path(out)) if out else None
    if as_json:
        print_json(found.to_dict() | ({"report": str(page)} if page else {}))
        return
    click.echo()
    for sentence in found.sentences:
        click.echo(wrapped(sentence, ""))
    click.echo()
    unit = str(found.decision["money_unit"])
    level = f"{float(found.decision['level']) * 100:g} %"
    pairs = {p.against: p for p in found.pairs}
    rows = []
    for one in found.standings:
        pair = pairs.get(one.name)
        gap = None if pair is None else pair.total if one.baseline else pair.together
        rows.append(
            {
                "policy": one.label + (" (needs no model)" if one.baseline else ""),
                unit: whole(one.total.value),
                f"{level} interval": _ends(one.total),
                "behind the leader by": "-"
                if gap is None or gap.value is None
                else f"{whole(gap.value)} ({_ends(gap)})",
                "best": "-" if one.chance_best is None else chance(one.chance_best),
            }
        )
    print_table(rows, right=[unit, f"{level} interval", "behind the leader by", "best"])
    if found.rules["said"]:
        click.echo(wrapped(str(found.rules["said"])))
    for why in found.rows["why"]:
        click.echo(wrapped(str(why) + "."))
    if page is not None:
        click.echo(f"\nReport: {page}")


def _ends(estimate: object) -> str:
    low, high = getattr(estimate, "low", None), getattr(estimate, "high", None)
    return "none" if low is None or high is None else f"{whole(low)} to {whole(high)}"
