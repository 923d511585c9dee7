"""``payoff serve``."""

from __future__ import annotations

import click

from payoff.cli.common import json_option


@click.command(
    epilog="""\b
Example:
  payoff serve calls --port 8000
  curl -s localhost:8000/decide -H 'content-type: application/json' -d '{"rows": [{...}]}'
  curl -s localhost:8000/openapi.json        what a row looks like""",
)
@click.argument("bundle", type=click.Path())
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port; 0 takes a free one and prints it.",
)
@click.option(
    "--max-body",
    default=2_000_000,
    show_default=True,
    type=click.IntRange(1_000, 1_000_000_000),
    help="Largest request body, in bytes.",
)
@click.option(
    "--max-rows",
    default=1_000,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="Most rows in one request.",
)
@click.option("--quiet", "-q", is_flag=True, help="No access log.")
@json_option
def command(
    bundle: str, host: str, port: int, max_body: int, max_rows: int, quiet: bool, as_json: bool
) -> None:
    """Answer decisions over HTTP from BUNDLE, after checking every byte of it.

    POST /decide takes rows and gives the action, the probabilities and the expected money of each;
    /livez and /readyz are for the platform; /openapi.json says what a row looks like.
    """
    from payoff.serve.server import run

    run(
        bundle,
        host=host,
        port=port,
        max_body=max_body,
        max_rows=max_rows,
        quiet=quiet,
        as_json=as_json,
    )
