"""``payoff serve``."""

from __future__ import annotations

import contextlib

import click

from payoff.cli.common import Target, json_option


@click.command(
    epilog="""\b
Example:
  payoff serve calls --port 8000 --log decisions.sqlite
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
@click.option(
    "--log", type=Target(), help="File to keep every decision in; made where there is none."
)
@click.option("--quiet", "-q", is_flag=True, help="No access log.")
@json_option
def command(
    bundle: str,
    host: str,
    port: int,
    max_body: int,
    max_rows: int,
    log: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Answer decisions over HTTP from BUNDLE, after checking every byte of it.

    POST /decide takes rows and gives the action, the probabilities and the expected money of each;
    /livez and /readyz are for the platform; /openapi.json says what a row looks like. With --log a
    decision is answered only after it is on the disk.
    """
    from payoff.serve.server import run

    with contextlib.ExitStack() as open_files:
        kept = None
        if log is not None:
            from payoff.store import SqliteLog

            kept = open_files.enter_context(SqliteLog(log))
        run(
            bundle,
            host=host,
            port=port,
            max_body=max_body,
            max_rows=max_rows,
            quiet=quiet,
            as_json=as_json,
            log=kept,
        )
