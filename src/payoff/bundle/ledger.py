"""What was bought and taken back, kept in a bundle so that later interactions can be joined to it.

Histories hold less: what was wholly taken back is not in them, nor how many pieces there were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from payoff.bundle.folder import read_folder
from payoff.errors import BundleError
from payoff.model.text.arrays import array_from, bytes_of

if TYPE_CHECKING:
    from payoff.load.interactions.events import Ledger, Windows

__all__ = ["Past"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Past:
    """A ledger, and the stretches of time in which items are in the catalogue and in stock."""

    ledger: Ledger
    windows: Sequence[Windows] = ()

    def files(self) -> dict[str, bytes]:
        """Return the files of a bundle that hold it, by path."""
        parts: dict[str, Any] = {
            "purchases": self.ledger.purchases,
            "cancellations": self.ledger.cancellations,
            **{f"window-{j}": window for j, window in enumerate(self.windows)},
        }
        return {
            f"ledger/{part}-{spec.name}.npy": bytes_of(getattr(held, spec.name))
            for part, held in parts.items()
            for spec in fields(held)
        }

    @classmethod
    def read(cls, folder: Path) -> Past:
        """Read it from a bundle's folder.

        Raises
        ------
        BundleError
            ``PAY-B005`` when the bundle holds none.
        """
        from payoff.load.interactions.events import Events, Ledger, Windows

        arrays = read_folder(folder / "ledger")
        if not arrays:
            raise BundleError.lacks(
                str(folder), "ledger", "a bundle that 'payoff run' wrote from interactions"
            )

        def held(part: str, kind: Any) -> dict[str, Any]:
            return {s.name: array_from(arrays, f"{part}-{s.name}.npy") for s in fields(kind)}

        n = sum(name.startswith("window-") and name.endswith("-item.npy") for name in arrays)
        return cls(
            ledger=Ledger(
                purchases=Events(**held("purchases", Events)),
                cancellations=Events(**held("cancellations", Events)),
            ),
            windows=tuple(Windows(**held(f"window-{j}", Windows)) for j in range(n)),
        )
