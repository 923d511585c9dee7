"""One numbered check: a judgement that is never silent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

__all__ = ["STATUSES", "Check", "numbered"]

#: ``issue``: mend or explain before deploying. ``tip``: worth knowing. The rest say why not.
STATUSES: Final = ("issue", "tip", "passed", "not_applicable", "skipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What one numbered check found.

    Parameters
    ----------
    code, title
        ``PAY-D1xx`` declaration, ``PAY-L1xx`` data, ``PAY-E2xx`` evidence; explained in
        ``docs/reference/checks.md``.
    status
        One of :data:`STATUSES`.
    detail, mend
        What was seen, with numbers; and what to do about it.
    page_one
        Whether the manager must see it first.
    """

    code: str
    title: str
    status: str
    detail: str
    mend: str = ""
    page_one: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def numbered(code: str, title: str) -> Callable[..., Check]:
    """Return a maker of checks of one code, so that code and title are written once.

    Examples
    --------
    >>> check = numbered("PAY-D101", "Dominated action")
    >>> check(status="passed", detail="none").code
    'PAY-D101'
    """
    return partial(Check, code=code, title=title)
