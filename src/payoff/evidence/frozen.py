"""Mappings and lists that cannot be changed by accident, and still write as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

__all__ = ["FrozenDict", "FrozenList", "frozen"]


def _refuse(self: object, *_: object, **__: object) -> NoReturn:
    raise TypeError("evidence is frozen: change a copy, from to_dict()")


class FrozenDict(dict[Any, Any]):
    """A dict whose changing methods raise TypeError.

    Examples
    --------
    >>> FrozenDict(a=1)["a"]
    1
    >>> FrozenDict(a=1)["a"] = 2
    Traceback (most recent call last):
    TypeError: evidence is frozen: change a copy, from to_dict()
    """

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[Any, Any]]]:
        """Copy by making it anew, because a copy cannot be filled key by key."""
        return FrozenDict, (dict(self),)


class FrozenList(list[Any]):
    """A list whose changing methods raise TypeError."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __reduce__(self) -> tuple[type[FrozenList], tuple[list[Any]]]:
        """Copy by making it anew, because a copy cannot be filled item by item."""
        return FrozenList, (list(self),)


def frozen(value: Any) -> Any:
    """Copy mappings and lists, however deep, into such as cannot be changed.

    Examples
    --------
    >>> mine = {"low": [1, 2]}
    >>> kept = frozen(mine)
    >>> mine["low"].append(3)
    >>> kept
    {'low': [1, 2]}
    """
    if isinstance(value, FrozenDict | FrozenList):
        return value
    if isinstance(value, Mapping):
        return FrozenDict({k: frozen(v) for k, v in value.items()})
    if isinstance(value, list):
        return FrozenList([frozen(v) for v in value])
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(frozen(v) for v in value)
    return value
