"""What an engine is: something that answers SQL with an Arrow table."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa

__all__ = ["Engine"]


class Engine(Protocol):
    """Runs a query where the rows are; the conformance suite in the tests holds every engine."""

    name: str

    def query(self, sql: str) -> pa.Table:
        """Return the rows of one SELECT.

        Raises
        ------
        DataError
            ``PAY-L002`` with the database's own words.
        """
