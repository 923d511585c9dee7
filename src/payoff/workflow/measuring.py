"""What a piece of work takes: processor seconds, and memory at most."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

__all__ = ["Took", "measured"]

_T = TypeVar("_T")
_EVERY_SECONDS: Final = 0.01
_STATM: Final = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Took(Generic[_T]):
    """A result and what it took.

    Parameters
    ----------
    result
        What the work returned.
    seconds
        Processor time of this process.
    n_bytes
        How much more memory the process held at most than when the work began; None where the
        system does not say.
    """

    result: _T
    seconds: float
    n_bytes: int | None


def measured(work: Callable[[], _T]) -> Took[_T]:
    """Do some work, and watch what it takes.

    Notes
    -----
    The memory of the process is read every hundredth of a second, so that a shorter peak is missed;
    memory that an earlier step gave back to this process, not to the system, is not counted twice.

    Examples
    --------
    >>> measured(lambda: 1 + 1).result
    2
    """
    before = _resident()
    peak = [before or 0]
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(_EVERY_SECONDS):
            peak[0] = max(peak[0], _resident() or 0)

    watcher = threading.Thread(target=watch, daemon=True)
    if before is not None:
        watcher.start()
    started = time.process_time()
    try:
        result = work()
    finally:
        seconds = time.process_time() - started
        stop.set()
    if before is None:
        return Took(result=result, seconds=seconds, n_bytes=None)
    watcher.join()
    highest = max(peak[0], _resident() or 0)
    return Took(result=result, seconds=seconds, n_bytes=max(0, highest - before))


def _resident() -> int | None:
    """Return the bytes of memory this process holds; None where the system does not say."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
