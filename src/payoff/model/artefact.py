"""What the files of every kind of model have in common: one JSON text that names its format."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from payoff.errors import BundleError
from payoff.model.candidates import LABELS

__all__ = ["body_of", "described"]


def body_of(
    files: Mapping[str, bytes],
    name: str,
    form: object,
    missing: str = "the model's file is missing",
) -> dict[str, Any]:
    """Return the JSON body of an artefact, whose ``format`` must be the one this version reads.

    Parameters
    ----------
    files
        File name -> content.
    name
        The file of the body.
    form
        The format that can be read.
    missing
        What to say where the file is not there.

    Raises
    ------
    BundleError
        ``PAY-B001`` when the file is missing, ``PAY-B004`` when its format is another.

    Examples
    --------
    >>> body_of({"model.json": b'{"format": 1, "name": "logistic"}'}, "model.json", 1)["name"]
    'logistic'
    """
    if name not in files:
        raise BundleError.not_a_bundle(name, missing)
    body: dict[str, Any] = json.loads(files[name])
    if body.get("format") != form:
        raise BundleError.incompatible(name, body.get("format"), f"format {form}")
    return body


def described(name: str, outcomes: Sequence[str], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a reader may want to know of any model, JSON-ready.

    Examples
    --------
    >>> described("logistic", ("yes", "no"), {"folds": 5})["outcomes"]
    ['yes', 'no']
    """
    return {
        "name": name,
        "algorithm": LABELS.get(name, name),
        "outcomes": list(outcomes),
        **facts,
    }
