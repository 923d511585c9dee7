"""The one spelling of a value read as text, the same for a table and for a served row."""

from __future__ import annotations

__all__ = ["text_of"]


def text_of(value: object) -> str:
    """Return the one spelling of a value used wherever columns are read as text.

    Examples
    --------
    >>> text_of(3.0), text_of(True), text_of("x")
    ('3', 'true', 'x')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
