"""What can be asked of a bundle that recommends, checked once for Python, HTTP and the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from payoff.errors import RequestError, nearest, show

__all__ = ["LONGEST", "MOST_ITEMS", "Ask"]

#: Places of a list that may be asked for.
LONGEST: Final = 1_000
#: Items that one question may name.
MOST_ITEMS: Final = 10_000
_LONGEST_TEXT: Final = 200
_LONGEST_FILTER: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question: a list for whom, and under which rules.

    Parameters
    ----------
    user
        Id of the user; unknown ones are answered as visitors.
    session
        Ids of items that a visitor looked at or put into the basket, the latest last. With a user
        they follow on what he did before.
    item
        Id of one item: what goes with it. Instead of user and session.
    k
        Places; left out, as many as the decision declares.
    filter
        Condition over the attributes of items that all shown items meet.
    exclude
        Ids of items not to be shown.
    only
        Ids of items of which the list is made; None for all.
    at_most
        Attribute of items -> how many of one value a list holds, beside what is declared.
    """

    user: str | None = None
    session: tuple[str, ...] = ()
    item: str | None = None
    k: int | None = None
    filter: str | None = None
    exclude: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    at_most: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Ask:
        """Read a question from plain values, such as a request's JSON.

        Raises
        ------
        RequestError
            ``PAY-S001`` with every problem.

        Examples
        --------
        >>> Ask.of({"user": 17850, "k": 3}).user
        '17850'
        """
        problems = [p for name, v in value.items() if (p := _problem(name, v)) is not None]
        if value.get("item") is not None and any(
            value.get(name) not in (None, "", []) for name in ("user", "session")
        ):
            problems.append(
                _said("item", "an item beside a user or a session", "either the item or the others")
            )
        if problems:
            raise RequestError.bad_question(problems)
        given = {n: v for n, v in value.items() if v is not None}
        for name in ("user", "item"):
            if name in given:
                given[name] = _text(given[name])
        for name in ("session", "exclude", "only"):
            if name in given:
                given[name] = tuple(_text(i) for i in given[name])
        if not str(given.get("filter", "")).strip():
            given.pop("filter", None)
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """Return what was asked, JSON-ready, without what was left out."""
        found: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if value is None or value in ((), {}):
                continue
            found[one.name] = list(value) if isinstance(value, tuple) else value
        return found | ({"only": []} if self.only == () else {})


_KNOWN: Final = ("user", "session", "item", "k", "filter", "exclude", "only", "at_most")


def _text(value: Any) -> str:
    return str(value).strip()


def _is_id(value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole or (isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST_TEXT)


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _said(name: str, got: str, need: str, mend: str | None = None) -> dict[str, Any]:
    return {
        "row": 0,
        "field": name[:_LONGEST_TEXT],
        "got": got,
        "need": need,
        "mend": mend or f"Correct {show(name)}",
    }


def _problem(name: str, value: Any) -> dict[str, Any] | None:
    """Return what is wrong with one part of a question; None where nothing is."""
    if name not in _KNOWN:
        near = nearest(name, _KNOWN)
        mend = f"Did you mean {show(near)}?" if near else "Remove it"
        return _said(name, "a field that a question does not have", ", ".join(_KNOWN), mend)
    if value is None:
        return None
    if name in ("session", "exclude", "only"):
        return _ids_problem(name, value)
    if name in ("user", "item"):
        good = _is_id(value)
        need = f"an id: text of at most {_LONGEST_TEXT} characters, or a whole number"
    elif name == "k":
        good, need = _is_whole(value, 1, LONGEST), f"a whole number from 1 to {LONGEST:,}"
    elif name == "filter":
        good = isinstance(value, str) and len(value) <= _LONGEST_FILTER
        need = f"a condition of at most {_LONGEST_FILTER:,} characters, such as price < 20"
    else:
        good = isinstance(value, Mapping) and all(_is_whole(n, 1, LONGEST) for n in value.values())
        need = 'attributes and how many of one value, such as {"brand": 2}'
    return None if good else _said(name, show(value, 40), need)


def _ids_problem(name: str, value: Any) -> dict[str, Any] | None:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return _said(name, show(value, 40), "a list of ids of items")
    if len(value) > MOST_ITEMS:
        return _said(name, f"{len(value):,} items", f"at most {MOST_ITEMS:,}")
    wrong = [v for v in value if not _is_id(v)]
    return _said(name, show(wrong[0], 40), "ids of items") if wrong else None
