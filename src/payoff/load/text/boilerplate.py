"""What mail programs add to a letter: quoted letters, signatures, notices."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["without_boilerplate"]

_LONGEST_SIGNATURE: Final = 1_000
_QUOTED: Final = re.compile(r"^[^\S\n]*>.*\n?", re.MULTILINE)
#: From here on stands a letter that was answered, not this one.
_ANSWERED: Final = re.compile(
    r"^[^\S\n]*(?:"
    r"-{2,}[^\S\n]*(?:original message|ursprüngliche nachricht|message d'origine|mensaje original)"
    r"[^\S\n]*-{2,}"
    r"|on [^\n]{5,200} wrote:"
    r"|am [^\n]{5,200} schrieb[^\n]{0,100}:"
    r"|le [^\n]{5,200} a écrit ?:"
    r"|el [^\n]{5,200} escribió:"
    r"|(?:from|von|de): [^\n]{1,200}\n"
    r"[^\S\n]*(?:sent|date|gesendet|envoyé|enviado)[^\S\n]*:[^\n]{1,200}\n[^\S\n]*(?:to|an|à|para)[^\S\n]*:"
    r")",
    re.MULTILINE | re.IGNORECASE,
)
_SIGNATURE: Final = re.compile(r"^--[^\S\n]*\n", re.MULTILINE)
_NOTICE: Final = re.compile(
    r"^[^\S\n]*(?:"
    r"sent from my [^\n]{1,40}"
    r"|sent from (?:yahoo mail|outlook|mail for windows)[^\n]{0,40}"
    r"|get outlook for [^\n]{1,40}"
    r"|von meinem [^\n]{1,40} gesendet"
    r"|envoyé de(?:puis)? mon [^\n]{1,40}"
    r"|enviado desde mi [^\n]{1,40}"
    r"|this (?:e-?mail|message|communication)[^\n]{0,80}"
    r" (?:confidential|privileged|intended (?:only|solely))[^\n]*"
    r"|(?:diese e-?mail|ce message|este mensaje)[^\n]{0,80}"
    r" (?:vertraulich|confidentiel|confidencial)[^\n]*"
    r")[^\S\n]*$",
    re.MULTILINE | re.IGNORECASE,
)


def without_boilerplate(text: str) -> str:
    r"""Remove quoted letters, the signature and notices, unless nothing else would be left.

    Parameters
    ----------
    text
        One document with line ends ``\n``.

    Examples
    --------
    >>> without_boilerplate("Please cancel.\n\nOn Monday, Jo wrote:\n> Shall we?\n")
    'Please cancel.\n\n'
    >>> without_boilerplate("> only a quotation")
    '> only a quotation'
    """
    for step in (_before_answered, _before_signature, _without_quoted, _without_notices):
        shorter = step(text)
        if shorter.strip():
            text = shorter
    return text


def _before_answered(text: str) -> str:
    found = _ANSWERED.search(text)
    return text[: found.start()] if found else text


def _before_signature(text: str) -> str:
    found = _SIGNATURE.search(text)
    if found and len(text) - found.end() <= _LONGEST_SIGNATURE:
        return text[: found.start()]
    return text


def _without_quoted(text: str) -> str:
    return _QUOTED.sub("", text)


def _without_notices(text: str) -> str:
    return _NOTICE.sub("", text)
