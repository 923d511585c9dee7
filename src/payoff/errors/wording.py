"""How foreign text, counts, shares and lists of names are written in a message."""

from __future__ import annotations

import datetime
import difflib
import math
from collections.abc import Iterable, Mapping

__all__ = [
    "as_written",
    "chance",
    "counted",
    "listed",
    "nearest",
    "percent",
    "plain",
    "show",
    "type_name",
]

_LONGEST_SHOWN = 80


def show(value: object, longest: int = _LONGEST_SHOWN) -> str:
    r"""Quote a value for a message: one line, bounded, with nothing that acts on a terminal.

    Control characters, bidirectional overrides and line ends are written as escapes, because a
    column name or a cell is somebody else's text.

    Examples
    --------
    >>> show("a\x1b[31mb")
    "'a\\x1b[31mb'"
    >>> show("x" * 200, longest=10)
    "'xxxxxxxxx... (200 characters)"
    >>> show("job = 'clerk'")
    '"job = \'clerk\'"'
    """
    if isinstance(value, str):
        text = plain(value)
        quote = '"' if "'" in text and '"' not in text else "'"
        text = quote + text.replace(quote, "\\" + quote) + quote
        if len(text) > longest:
            return f"{text[:longest]}... ({len(value)} characters)"
        return text
    try:
        text = plain(repr(value))
    except (ValueError, RecursionError):  # an int of more than 4,300 digits has no repr
        return f"a {type(value).__name__} too large to print"
    return text if len(text) <= longest else text[:longest] + "..."


def plain(text: str) -> str:
    r"""Replace every character that could move the cursor, reorder text or end the line.

    Examples
    --------
    >>> plain("one\ntwo")
    'one\\ntwo'
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> counted(1, "row"), counted(1200, "row"), counted(2, "entry", "entries")
    ('1 row', '1,200 rows', '2 entries')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def percent(share: float) -> str:
    """Write a share for a sentence: one decimal, none that is zero, two digits of a small one.

    Examples
    --------
    >>> percent(0.95), percent(0.1234), percent(0.00042), percent(0.9999), percent(0)
    ('95 %', '12.3 %', '0.042 %', 'over 99.9 %', '0 %')
    """
    value = share * 100
    if 99.95 <= value < 100:
        return "over 99.9 %"
    if 0 < value < 0.01:
        return "below 0.01 %"
    decimals = 1 if value >= 1 or value == 0 else 1 - math.floor(math.log10(value))
    text = f"{value:,.{decimals}f}".rstrip("0").rstrip(".")
    return f"{text} %"


def chance(p: float) -> str:
    """Write a probability that was counted on draws, without claiming certainty.

    Examples
    --------
    >>> chance(0.924), chance(1.0), chance(0.0)
    ('92 %', 'over 99 %', 'below 1 %')
    """
    if p > 0.99:
        return "over 99 %"
    return "below 1 %" if p < 0.01 else f"{p * 100:.0f} %"


def listed(names: Iterable[object], most: int = 12) -> str:
    """Join names for a message, cut after ``most``.

    Examples
    --------
    >>> listed(["a", "b"])
    "'a', 'b'"
    """
    every = list(names)
    text = ", ".join(show(n) for n in every[:most])
    return text + (f" and {len(every) - most} more" if len(every) > most else "")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest in spelling to ``name``, or None.

    Examples
    --------
    >>> nearest("capcity", ["capacity", "label"])
    'capacity'
    """
    by_fold = {str(k).casefold(): str(k) for k in known}
    found = difflib.get_close_matches(name[:200].casefold(), list(by_fold), n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def type_name(value: object) -> str:
    """Name a TOML or JSON type as a person would."""
    names = {str: "text", bool: "the truth value", int: "a number", float: "a number"}
    names |= {dict: "a table", list: "a list", type(None): "nothing"}
    names |= {datetime.date: "a date", datetime.datetime: "a date", datetime.time: "a time"}
    return names.get(type(value), f"a {type(value).__name__}")


def as_written(value: object) -> str:
    """Show a value as TOML writes it, not as Python does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return f"with the keys {listed(value)}" if value else "without keys"
    return show(list(value) if isinstance(value, tuple) else value)
