"""The group of commands, and what happens to errors."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any, Final

import click

from payoff.errors import PayoffError, plain

__all__ = ["EXIT_CODES", "main"]

#: verb -> (module, one line of help); in the order of the work.
_COMMANDS: Final = {
    "init": ("payoff.cli.init", "Write a decision file by looking at the data and asking."),
    "check": ("payoff.cli.check", "Check a decision file and its rows; fits nothing."),
    "train": ("payoff.cli.train", "Fit, choose and judge a model; write a bundle."),
    "judge": ("payoff.cli.judge", "Judge predictions or actions made elsewhere."),
    "run": ("payoff.cli.run", "The whole path: check, train, judge, bundle, report."),
    "compare": ("payoff.cli.compare", "Compare models or policies on rows none has seen."),
    "score": ("payoff.cli.score", "Write rows with a bundle's probabilities, money and action."),
    "explain": ("payoff.cli.explain", "Say why one row gets its decision: words, columns, money."),
    "recommend": ("payoff.cli.recommend", "List items for a user, a visitor or an item, and why."),
    "update": ("payoff.cli.update", "Add later interactions to a bundle that recommends."),
    "sql": ("payoff.cli.sql", "Write the figures as SQL for a table of your own, or run it."),
    "report": ("payoff.cli.report", "Write the pages of a bundle again."),
    "serve": ("payoff.cli.serve", "Answer decisions over HTTP from a bundle."),
    "verify": ("payoff.cli.verify", "Check every byte of a bundle, or every entry of a log."),
    "log": ("payoff.cli.log", "Take decisions out of a log: for analysts, or for good."),
    "doctor": ("payoff.cli.doctor", "Print versions, extras and paths for a bug report."),
}

EXIT_CODES: Final = {
    0: "done",
    1: "done, and the answer is no: a check found an issue (check --strict), a bundle or a log "
    "was changed (verify), there is nothing to erase (log erase), or the verdict is to refuse "
    "(run, judge with --fail-on-refuse)",
    2: "the input is wrong: the message says what, where and how to mend it; nothing was written",
    3: "payoff itself failed: a bug worth reporting",
    130: "stopped by the keyboard",
    141: "whoever read standard output stopped reading (payoff ... | head)",
}

_EPILOG: Final = """\b
Start here:
  payoff init customers.csv        look at the data, write decision.toml
  payoff check decision.toml       what is wrong or doubtful, before any work
  payoff run decision.toml         fit, judge, and write the report
\b
Exit codes: 0 done; 1 done and the answer is no; 2 wrong input; 3 a bug.
Every command takes --json (machine-readable answer on standard output)."""


class _HungUp(Exception):
    """Nobody reads standard output any more; click would end with 1, which is an answer here."""


class _Lazy(click.Group):
    """A group that imports a command only when it is run or its own help is shown."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        try:
            return super().make_context(*args, **more)
        except BrokenPipeError:
            raise _HungUp from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _HungUp from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name][0])
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands, in the order of the work"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from payoff.errors import nearest

        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            near = nearest(args[0], _COMMANDS)
            hint = f" Did you mean {near!r}?" if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"payoff {version('payoff')}")
        ctx.exit()


@click.group(
    cls=_Lazy,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
def group() -> None:
    """From a model's scores to the decision they should drive, and what that decision is worth.

    A decision is declared once, in decision.toml: what can be done, what can happen, and what each
    pair is worth in money.
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line and turn errors into messages and exit codes."""
    words = sys.argv[1:] if args is None else args
    try:
        code = _run(words, as_json="--json" in words)
        sys.stdout.flush()
    except (_HungUp, BrokenPipeError):
        # Throw away what nobody reads; the code is that of a tool which the closed pipe ended.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    sys.exit(code)


def _run(words: list[str], *, as_json: bool) -> int:
    """Run a command; return its exit code."""
    try:
        code = group.main(words, prog_name="payoff", standalone_mode=False)
    except SystemExit as ended:
        code = ended.code
    except PayoffError as error:
        _say(error.to_dict(), str(error), as_json=as_json)
        code = error.exit_code
    except click.exceptions.Abort:
        click.echo("Stopped; nothing was written.", err=True)
        code = 130
    except click.ClickException as error:
        what = plain(error.format_message())
        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = f"See '{context.command_path if context else 'payoff'} --help'."
        facts = {"code": "PAY-X010", "what": what, "mend": hint}
        _say(facts, f"PAY-X010: {what}\n{hint}", as_json=as_json)
        code = 2
    except (_HungUp, BrokenPipeError):
        raise
    except MemoryError:
        _say(
            {"code": "PAY-X011", "what": "out of memory"},
            "PAY-X011: there is not enough memory for this. Use fewer rows or columns, or a "
            "machine with more memory.",
            as_json=as_json,
        )
        code = 2
    except Exception as error:
        if os.environ.get("PAYOFF_DEBUG"):
            raise
        text = plain(f"{type(error).__name__}: {error}".splitlines()[0])[:300]
        _say(
            {"code": "PAY-X012", "what": "payoff itself failed", "got": text},
            f"PAY-X012: payoff itself failed ({text}). This is a bug: please report it with the "
            "output of 'payoff doctor'. PAYOFF_DEBUG=1 shows where it happened.",
            as_json=as_json,
        )
        code = 3
    return code if isinstance(code, int) else 0


def _say(facts: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"error": facts}, ensure_ascii=False))
    else:
        click.echo(text, err=True)
