"""Optional packages: loaded where they are used, with a reason and an install line when absent."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from payoff.errors import EnvironmentError_

__all__ = ["installed", "need"]


def need(package: str, *, extra: str, why: str) -> ModuleType:
    """Import an optional package, or raise an error that says how to get it.

    Parameters
    ----------
    package
        Module to import.
    extra
        Extra of payoff that brings it.
    why
        Ends the sentence "is needed ...", for example ``"to read from Postgres"``.

    Raises
    ------
    EnvironmentError_
        ``PAY-X001`` when absent, ``PAY-X002`` when it is there but does not load.

    Examples
    --------
    >>> need("json", extra="none", why="to show an example").dumps([1])
    '[1]'
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] == package.split(".", maxsplit=1)[0]:
            raise EnvironmentError_.missing_extra(package, extra, why) from None
        raise EnvironmentError_.broken_package(package, why, str(error)) from error
    except (ImportError, OSError) as error:
        raise EnvironmentError_.broken_package(package, why, str(error)) from error


def installed(package: str) -> bool:
    """Say whether a top-level package could be imported, without importing it.

    Examples
    --------
    >>> installed("json"), installed("no_such_package")
    (True, False)
    """
    return importlib.util.find_spec(package) is not None
