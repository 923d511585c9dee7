"""Postgres through its Arrow driver: rows arrive as columns, without a Python object per cell."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from payoff.errors import DataError
from payoff.optional import need

__all__ = ["Postgres", "without_password"]


def without_password(url: str) -> str:
    """Return an address that may be printed or stored.

    Examples
    --------
    >>> without_password("postgresql://ann:secret@db/sales")
    'postgresql://ann:***@db/sales'
    """
    masked = re.sub(r"(://[^:/@\s]+):[^@/\s]*@", r"\1:***@", url)
    return re.sub(r"(password=)[^&\s]*", r"\1***", masked)


class Postgres:
    """Queries over a Postgres database.

    Parameters
    ----------
    url
        ``postgresql://user:password@host:port/database``; never stored in a bundle or printed.
    """

    name = "postgres"

    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, sql: str) -> pa.Table:
        """Return the rows of one SELECT, run in a read-only transaction."""
        driver: Any = need(
            "adbc_driver_postgresql.dbapi", extra="postgres", why="to read from Postgres"
        )
        try:
            with driver.connect(self._url) as connection, connection.cursor() as cursor:
                cursor.execute("set transaction read only")
                cursor.execute(sql)
                table: pa.Table = cursor.fetch_arrow_table()
                return table
        except driver.Error as error:
            text = " ".join(str(error).split())
            raise DataError.unreadable(
                without_password(self._url),
                text.replace(self._url, "the address"),
                need="one SELECT that the database can run",
                mend="Correct the query, or the address under data.database",
            ) from None
