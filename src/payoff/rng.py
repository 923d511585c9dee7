"""Seeds: one root per run, named children, so that adding a step never moves another's draws."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["child_seed", "generator"]


def child_seed(seed: int, name: str) -> int:
    """Derive the seed of a named stream from the root seed (63 bits, stable for ever).

    Examples
    --------
    >>> child_seed(0, "split") == child_seed(0, "split")
    True
    >>> child_seed(0, "split") == child_seed(0, "bootstrap")
    False
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, name: str) -> np.random.Generator:
    """Return the generator of a named stream.

    Parameters
    ----------
    seed
        Root seed of the run, written into the evidence.
    name
        ``"split"``, ``"bootstrap"``, ...

    Examples
    --------
    >>> generator(0, "split").integers(10) == generator(0, "split").integers(10)
    np.True_
    """
    import numpy as np

    return np.random.default_rng(child_seed(seed, name))
