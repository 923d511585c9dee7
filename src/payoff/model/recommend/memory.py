"""How much memory may be used, asked before a model is fitted, not after it failed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from payoff.errors import TrainingError

__all__ = ["available", "need"]

#: Share of what is free that one model may take.
_SHARE: Final = 0.8


def available(meminfo: Path = Path("/proc/meminfo"), limits: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the bytes that a model may take: 80 % of what the machine and container have free.

    Where the system does not say what is free, half of the memory there is.
    """
    free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    if meminfo.is_file():
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
    try:
        cap = (limits / "memory.max").read_text(encoding="ascii").strip()
        used = int((limits / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        cap, used = "max", 0
    if cap.isdigit():
        free = min(free, max(0, int(cap) - used))
    return int(free * _SHARE)


def need(n_bytes: float, what: str, instead: str, limit: int | None = None) -> None:
    """Refuse to begin what will not fit.

    Parameters
    ----------
    n_bytes
        Peak of the arrays that fitting will hold.
    what
        The model and its size, for the reader.
    instead
        What to do about it.
    limit
        Bytes that may be used; left out, what is free now.

    Raises
    ------
    TrainingError
        ``PAY-T007`` when more is needed than there is.

    Examples
    --------
    >>> need(8, "a small model", "", limit=100)
    """
    there = available() if limit is None else limit
    if n_bytes > there:
        raise TrainingError.too_large(what, n_bytes, there, instead)
