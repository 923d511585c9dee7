"""Progress of long work: a callable passed down, so that libraries stay silent by themselves."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "silent"]


class Progress(Protocol):
    """Receives one line of news.

    ``done`` and ``total`` count steps of the named stage; ``total`` 0 means unknown.
    """

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Report that ``done`` of ``total`` steps of ``stage`` are finished."""


def silent(stage: str, done: int, total: int, note: str = "") -> None:
    """Report nothing: the default of every library function."""
