"""One small bundle, trained once for all tests that open, change or copy it."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import pytest

from payoff.declare.file import from_toml
from payoff.workflow import run
from tests.bad_input.making import RIGHT, rows


@cache
def _train(folder: Path) -> Path:
    found = run(from_toml(RIGHT), rows(), out=folder / "calls")
    assert found.folder is not None
    return found.folder


_FOLDERS: list[Path] = []


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """The folder of a bundle that no test may change."""
    if not _FOLDERS:
        _FOLDERS.append(tmp_path_factory.mktemp("trained"))
    return _train(_FOLDERS[0])


@pytest.fixture
def copied(trained, tmp_path) -> Path:
    """A copy of the bundle that a test may spoil."""
    return Path(shutil.copytree(trained, tmp_path / "calls"))
