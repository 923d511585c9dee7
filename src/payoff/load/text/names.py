"""Finders of names of persons that somebody else brings, registered under a name.

Names have no form that could be checked, and what finds them is a model or a list of somebody's
choice. A decision names the finder (``names`` in ``[text]``); a bundle holds that name and no code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from payoff.errors import BundleError, TrainingError
from payoff.load.text.personal import KINDS, redact

__all__ = ["finder_of", "redacted", "register_names", "unregister_names"]

Finder = Callable[[str], Iterable[tuple[int, int]]]

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,40}")
_PLACEHOLDER: Final = re.compile(r"\[(?:" + "|".join(KINDS) + r")\]")
_REGISTERED: Final[dict[str, Finder]] = {}


def register_names(name: str, find: Finder) -> None:
    r"""Make a finder of names of persons available to ``names`` in ``[text]``.

    Parameters
    ----------
    name
        Small letters, digits, ``-`` and ``_``. Registering a name again replaces it.
    find
        Takes one cleaned document and yields start and end of each name in it, as places of
        characters; the same document must always give the same.

    Raises
    ------
    TrainingError
        ``PAY-T006`` for a name that cannot be used, or for something that cannot be called.

    Examples
    --------
    >>> import re
    >>> register_names("titles", lambda t: (m.span(1) for m in re.finditer(r"Mrs? (\w+)", t)))
    >>> redacted("I spoke to Mr Miller and Mrs Jones", "titles")
    'I spoke to Mr [name] and Mrs [name]'
    >>> unregister_names("titles")
    """
    if not _NAME.fullmatch(str(name)):
        raise TrainingError.bad_names(
            str(name), "the name cannot be used", "small letters, digits, '-' and '_'"
        )
    if not callable(find):
        raise TrainingError.bad_names(name, "it cannot be called", "a function of one document")
    _REGISTERED[name] = find


def unregister_names(name: str) -> None:
    """Forget a finder, if it was registered."""
    _REGISTERED.pop(name, None)


def finder_of(name: str) -> Finder | None:
    """Return the finder of a name, checked as it goes; None for an empty name.

    Raises
    ------
    BundleError
        ``PAY-B007`` when nothing is registered under it.
    """
    if not name:
        return None
    if name not in _REGISTERED:
        raise BundleError.no_names(name, _REGISTERED)
    find = _REGISTERED[name]

    def checked(text: str) -> Iterator[tuple[int, int]]:
        held = [m.span() for m in _PLACEHOLDER.finditer(text)] if "[" in text else []
        for start, end in _asked(name, find, text):
            if all(end <= a or start >= b for a, b in held):  # a placeholder is nobody's name
                yield start, end

    return checked


def _asked(name: str, find: Finder, text: str) -> list[tuple[int, int]]:
    need = "pairs of whole numbers, start < end, within the document"
    try:
        found = [(int(start), int(end)) for start, end in find(text)]
    except Exception as error:  # noqa: BLE001  (whatever somebody else's code raises)
        # Its message may repeat the document, so only its kind is told.
        raise TrainingError.bad_names(name, f"it raised {type(error).__name__}", need) from None
    for start, end in found:
        if not 0 <= start < end <= len(text):
            got = f"({start}, {end}) in a document of {len(text):,} characters"
            raise TrainingError.bad_names(name, got, need)
    return found


def redacted(text: str, names: str = "") -> str:
    """Replace personal data, and names of persons where a finder is named.

    Raises
    ------
    BundleError, TrainingError
        ``PAY-B007``, ``PAY-T006``.

    Examples
    --------
    >>> redacted("Jo Miller, jo@acme.example")
    'Jo Miller, [e-mail]'
    """
    return redact(text, finder_of(names))
