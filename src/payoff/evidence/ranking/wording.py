"""Sentences of the shared sections, where a row is a user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["in_users"]

_ROWS: Final = re.compile(r"\b([Rr])ow(s?)\b")
_QUOTED: Final = re.compile(r"(“[^”]*”)")


def in_users(value: Any, word: str = "user") -> Any:
    """Write "users" for "rows" in every text of a section; keys and quoted labels stay.

    Parameters
    ----------
    word
        What a row is: a user, where lists were judged; an interaction, where they were read.

    Examples
    --------
    >>> in_users({"rows": ["Rows: “Tidy rows” rests on 1 row."]})
    {'rows': ['Users: “Tidy rows” rests on 1 user.']}
    """

    def called(found: re.Match[str]) -> str:
        return (word.capitalize() if found[1] == "R" else word) + found[2]

    if isinstance(value, str):
        parts = _QUOTED.split(value)
        return "".join(p if p.startswith("“") else _ROWS.sub(called, p) for p in parts)
    if isinstance(value, Mapping):
        return {k: in_users(v, word) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(in_users(v, word) for v in value)
    return value
