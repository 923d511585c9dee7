"""Documents on disk: the only place of this package that touches the file system."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from payoff.errors import EnvironmentError_
from payoff.evidence.evidence import Evidence
from payoff.report.decision_record import decision_record
from payoff.report.html import page
from payoff.report.model_card import model_card
from payoff.report.summarise import summarise

__all__ = ["FILES", "documents", "write"]

FILES: Final = ("report.html", "model-card.md", "decision-record.md")


def documents(evidence: Evidence, *, bundle: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return every document as text by its file name; nothing is written."""
    view = summarise(evidence, bundle=bundle)
    texts = (page(view), model_card(evidence, view), decision_record(evidence, view))
    return dict(zip(FILES, texts, strict=True))


def write(
    evidence: Evidence, folder: Path, *, bundle: Mapping[str, Any] | None = None
) -> list[Path]:
    """Write every document into a folder, each whole or not at all.

    Parameters
    ----------
    evidence
        What one judging found.
    folder
        Made when it is not there; documents of an earlier report in it are replaced.
    bundle
        Facts of the bundle, for the engineer's page.

    Returns
    -------
    list of Path
        The files written: ``report.html``, ``model-card.md``, ``decision-record.md``.

    Raises
    ------
    EnvironmentError_
        ``PAY-X003`` when the folder or a file cannot be written.
    """
    return replace_text(Path(folder), documents(evidence, bundle=bundle))


def replace_text(folder: Path, made: Mapping[str, str]) -> list[Path]:
    """Write files (name -> text) into a folder, each whole or not at all.

    Raises
    ------
    EnvironmentError_
        ``PAY-X003`` when the folder or a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_replace(folder / name, text) for name, text in made.items()]
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EnvironmentError_.cannot_write(str(folder), reason) from error


def _replace(path: Path, text: str) -> Path:
    """Write beside the target and rename, so that a reader never sees half a document."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    return path
