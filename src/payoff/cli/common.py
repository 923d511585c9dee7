"""What several commands share: options, progress on standard error, tables for a terminal."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from payoff.checks import Check
from payoff.errors import counted, plain

__all__ = [
    "Console",
    "json_option",
    "out_options",
    "print_checks",
    "print_json",
    "quiet_option",
    "whole",
]

_MARKS = {"issue": "ISSUE", "tip": "tip", "passed": "ok", "not_applicable": "-", "skipped": "-"}


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print the answer as JSON on standard output."
    )(function)


def quiet_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--quiet``."""
    return click.option("--quiet", "-q", is_flag=True, help="No progress on standard error.")(
        function
    )


def out_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--data``, ``--out`` and ``--force``."""
    function = click.option(
        "--force", is_flag=True, help="Replace an earlier bundle at --out (nothing else)."
    )(function)
    function = click.option(
        "--out", "-o", type=Target(), help="Folder to write; default: NAME-bundle."
    )(function)
    return click.option(
        "--data", help="File, pattern or SQL to use instead of the declared source."
    )(function)


def print_json(value: Any) -> None:
    """Print a JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


class Target(click.Path):
    """A path to write; not the next option, taken for it by mistake."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse a path that looks like an option."""
        if str(value).startswith("-"):
            self.fail(f"{str(value)!r} looks like an option, not like a path", param, ctx)
        return super().convert(value, param, ctx)


class Console:
    """Progress: one line that moves on a terminal, one line per finished stage elsewhere."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._moving = sys.stderr.isatty()
        self._stage = ""
        self._started = time.perf_counter()
        self._width = 0

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Report progress of a stage."""
        if self._quiet:
            return
        if stage != self._stage:
            self._stage, self._started = stage, time.perf_counter()
        seconds = time.perf_counter() - self._started
        finished = total > 0 and done >= total
        text = f"  {stage}"
        if not finished and total > 1:
            text += f"  {done}/{total}"
            if done and seconds > 2:
                text += f"  about {seconds / done * (total - done):.0f} s left"
        if note:
            text += f"  {plain(note)[:80]}"
        if finished:
            text += f"  {seconds:.1f} s"
        if self._moving:
            end = "\n" if finished else "\r"
            click.echo(text.ljust(self._width) + end, err=True, nl=False)
            self._width = 0 if finished else len(text)
        elif finished:
            click.echo(text, err=True)


def print_table(rows: Sequence[Mapping[str, str]], right: Sequence[str] = ()) -> None:
    """Print rows of equal keys as a table; the columns named in ``right`` are right-aligned."""
    if not rows:
        return
    rows = [{plain(k): plain(v) for k, v in row.items()} for row in rows]
    names = list(rows[0])
    widths = {n: max(len(n), *(len(r[n]) for r in rows)) for n in names}

    def line(values: Mapping[str, str]) -> str:
        cells = (
            values[n].rjust(widths[n]) if n in right else values[n].ljust(widths[n]) for n in names
        )
        return "  " + "  ".join(cells).rstrip()

    click.echo(line({n: n for n in names}))
    for row in rows:
        click.echo(line(row))


def whole(value: float | None) -> str:
    """Write money in whole units; "-" where there is none.

    Examples
    --------
    >>> whole(-321208.4), whole(0.0), whole(None)
    ('−321,208', '0', '-')
    """  # noqa: RUF002 - the sign of the report
    if value is None:
        return "-"
    text = f"{abs(value):,.0f}"
    return f"\N{MINUS SIGN}{text}" if value < 0 and text != "0" else text


def wrapped(text: str, indent: str = "  ") -> str:
    """Wrap a paragraph for the terminal."""
    import shutil
    import textwrap

    width = min(100, shutil.get_terminal_size((100, 24)).columns)
    clean = re.sub(r"\s+", " ", plain(text))
    return textwrap.fill(clean, width=width, initial_indent=indent, subsequent_indent=indent)


def print_checks(checks: Sequence[Check], *, every: bool) -> None:
    """Print checks: issues and tips in words, the rest as one count unless ``every``."""
    shown = [c for c in checks if every or c.status in ("issue", "tip")]
    for check in sorted(shown, key=lambda c: list(_MARKS).index(c.status)):
        click.echo(f"{_MARKS[check.status]:>5}  {check.code}  {check.title}")
        click.echo(wrapped(check.detail, " " * 7))
        if check.mend and check.status in ("issue", "tip"):
            click.echo(wrapped(f"Mend: {check.mend}.", " " * 7))
    passed = sum(c.status == "passed" for c in checks)
    rest = sum(c.status in ("not_applicable", "skipped") for c in checks)
    issues = sum(c.status == "issue" for c in checks)
    tips = sum(c.status == "tip" for c in checks)
    click.echo(
        f"{len(checks)} checks: {counted(issues, 'issue')}, {counted(tips, 'tip')}, "
        f"{passed} passed, "
        f"{rest} not applicable."
    )
