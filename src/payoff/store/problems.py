"""What can be wrong with the file that keeps decisions."""

from __future__ import annotations

from typing import ClassVar

from payoff.errors import PayoffError, plain, show

__all__ = ["StoreError"]


class StoreError(PayoffError):
    """The decision log cannot be opened, read or written."""

    status: ClassVar[int] = 500

    @classmethod
    def not_a_log(cls, path: str, got: str) -> StoreError:
        """Something else lies there, or nothing."""
        return cls(
            "this is not a decision log",
            code="PAY-S030",
            where=plain(path),
            got=plain(got),
            need="a file that 'payoff serve BUNDLE --log PATH' made",
            mend="Check the path",
        )

    @classmethod
    def newer(cls, path: str, got: int, known: int) -> StoreError:
        """A later version of payoff wrote it."""
        return cls(
            "the decision log is of a form that this version cannot read",
            code="PAY-S031",
            where=plain(path),
            got=f"form {got}",
            need=f"form {known} or earlier",
            mend="Use the version of payoff that wrote it, or a later one",
        )

    @classmethod
    def unusable(cls, path: str, reason: str) -> StoreError:
        """The folder, the file or the disk refuses."""
        return cls(
            "the decision log cannot be opened",
            code="PAY-S032",
            where=plain(path),
            got=plain(reason)[:300],
            need="a local folder that this user may write, with room on the disk",
            mend="Choose another path, or free space; a network file system will not do",
        )

    @classmethod
    def not_yet(cls, url: str) -> StoreError:
        """An address of a server."""
        return cls(
            "decisions can be kept in a file only",
            code="PAY-S033",
            where="option --log",
            got=show(url.partition("://")[0] + "://..."),
            need="the path of a file, such as decisions.sqlite",
            mend="Give a path on a local disk; Postgres is not supported yet",
        )
