"""Decisions on disk: an append-only log whose entries are chained, and what is done with it.

:class:`SqliteLog` is what the server records through; the other names work on the file.
"""

from payoff.store.sqlite_log import SqliteLog

__all__ = ["SqliteLog"]
