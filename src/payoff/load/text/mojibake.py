"""UTF-8 that was read as Windows-1252 (``cafÃ©``, ``donâ€™t``), put right where it is certain."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["mended"]


def _bytes_of_characters() -> dict[str, int]:
    """Map each character to the byte that a careless reader of Windows-1252 or Latin-1 saw."""
    found = {chr(b): b for b in range(0x80, 0x100)}
    for byte in range(0x80, 0xA0):
        try:
            found[bytes([byte]).decode("cp1252")] = byte
        except UnicodeDecodeError:  # five bytes have no character there and came as controls
            continue
    return found


_BYTE: Final = _bytes_of_characters()
_NEXT: Final = "[" + "".join(re.escape(c) for c, b in _BYTE.items() if b < 0xC0) + "]"
_RUN: Final = re.compile(f"(?:[Â-ß]{_NEXT}|[à-ï]{_NEXT}{{2}}|[ð-ô]{_NEXT}{{3}})+")
_QUOTES: Final = frozenset("‘’‚“”„‹›«»")


def mended(text: str) -> str:
    """Return the text with sequences that only wrong decoding makes put right.

    A sequence is put right when its bytes are UTF-8 and stand for what is written next to other
    letters: one accented Latin letter or mark, a punctuation mark, symbol, ideograph or emoji, or
    two and more letters of another script. Anything else stays as it is.

    Examples
    --------
    >>> mended("donâ€™t, cafÃ©, ÐŸÑ€Ð¸Ð²ÐµÑ‚, ðŸ˜€"), mended("„JÄ“ sagte CAFÉ®")
    ('don’t, café, Привет, 😀', '„JÄ“ sagte CAFÉ®')
    """
    return _RUN.sub(_mend, text)


def _mend(run: re.Match[str]) -> str:
    seen = run[0]
    try:
        meant = bytes(_BYTE[c] for c in seen).decode("utf-8")
    except UnicodeDecodeError:
        return seen
    before = run.string[run.start() - 1] if run.start() else " "
    if len(meant) == 1 and len(seen) == 2 and before.isupper() and seen[1] in _QUOTES:
        return seen  # a word in capitals before a closing quotation mark
    return meant if _is_likely(meant) else seen


def _is_likely(meant: str) -> bool:
    for character in meant:
        code = ord(character)
        if unicodedata.category(character) in ("Cn", "Co", "Cs", "Cc"):
            return False
        if code < 0x180 or 0x2000 <= code < 0x2C00 or code == 0xFEFF:
            continue
        if 0x3000 <= code < 0xA000 or 0xAC00 <= code < 0xD7B0 or code >= 0xF900:
            continue
        if len(meant) < 2 or 0x180 <= code < 0x370:
            return False
    return True
