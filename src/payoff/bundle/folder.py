"""The folder of any bundle: its manifest, its verification, and the one place that writes it.

``manifest.json`` lists the SHA-256 and size of every other file. The bundle's id is the digest of
that list without the documents, which are made from the rest and carry the id themselves.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from payoff.declare import Decision
from payoff.errors import BundleError, EnvironmentError_, PayoffError

__all__ = [
    "FORMAT",
    "ITEMS",
    "check_target",
    "differences",
    "is_list_bundle",
    "json_text",
    "manifest_of",
    "read_folder",
    "read_json",
    "verified",
    "without_secrets",
    "write_folder",
]

FORMAT: Final = 1
#: A bundle with this file recommends. The id of the bundle covers it, as every name of a file.
ITEMS: Final = "catalogue/items.arrow"
_MANIFEST: Final = "manifest.json"
_LARGEST_JSON: Final = 200_000_000


def read_folder(path: Path) -> dict[str, bytes]:
    """Return the files below a folder by their path from it; none where there is no folder."""
    if not path.is_dir():
        return {}
    files = (f for f in sorted(path.rglob("*")) if f.is_file())
    return {f.relative_to(path).as_posix(): f.read_bytes() for f in files}


def verified(path: Path) -> Mapping[str, Any]:
    """Return a bundle's manifest after checking every byte against it.

    Raises
    ------
    BundleError
        ``PAY-B001`` not a bundle, ``PAY-B002`` changed, ``PAY-B004`` another format.
    """
    manifest = manifest_of(path)
    changes = differences(path, manifest)
    if changes:
        raise BundleError.changed(str(path), changes)
    return manifest


def read_json(path: Path) -> Any:
    """Read one JSON file of a bundle (``PAY-B001``)."""
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise BundleError.not_a_bundle(str(path), "a JSON file of more than 200 MB")
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError.not_a_bundle(str(path.parent), f"no {path.name}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError.not_a_bundle(str(path), f"unreadable: {str(error)[:200]}") from None


def manifest_of(path: Path) -> Mapping[str, Any]:
    """Read and check the shape of a bundle's manifest.

    Raises
    ------
    BundleError
        ``PAY-B001``, ``PAY-B004``.
    """
    if not path.is_dir():
        raise BundleError.not_a_bundle(str(path), "no such folder")
    manifest = read_json(path / _MANIFEST)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise BundleError.not_a_bundle(str(path), "a manifest without files")
    if manifest.get("format") != FORMAT:
        raise BundleError.incompatible(str(path), manifest.get("format"), f"format {FORMAT}")
    if not _listed_well(manifest["files"]):
        raise BundleError.not_a_bundle(str(path), "a manifest whose list of files is malformed")
    return manifest


def is_list_bundle(manifest: Mapping[str, Any]) -> bool:
    """Whether the bundle of a manifest recommends."""
    return ITEMS in manifest["files"]


def differences(path: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Return every file that is missing, added or differs from the manifest by a byte."""
    found = []
    listed: Mapping[str, Mapping[str, Any]] = manifest["files"]
    if manifest.get("id") != _id_of(listed):
        found.append("manifest.json: the id does not match its list of files")
    for name, facts in listed.items():
        file = path / name
        if not file.is_file() or file.is_symlink():
            found.append(f"{name}: missing")
            continue
        content = file.read_bytes()
        if len(content) != facts.get("size"):
            found.append(f"{name}: {len(content):,} bytes instead of {facts.get('size'):,}")
        elif hashlib.sha256(content).hexdigest() != facts.get("sha256"):
            found.append(f"{name}: changed")
    return found + [f"{name}: added" for name in _added(path, listed)]


def _added(path: Path, listed: Mapping[str, Any]) -> list[str]:
    """Return the files of a folder that its manifest does not list."""
    files = (f for f in sorted(path.rglob("*")) if f.is_file() or f.is_symlink())
    names = (f.relative_to(path).as_posix() for f in files)
    return [name for name in names if name not in listed and name != _MANIFEST]


def _listed_well(files: Mapping[str, Any]) -> bool:
    """Whether a manifest's list of files has the shape payoff writes, and stays in its folder."""
    return all(
        isinstance(facts, dict)
        and isinstance(facts.get("size"), int)
        and isinstance(facts.get("sha256"), str)
        and not Path(name).is_absolute()
        and ".." not in Path(name).parts
        and "\0" not in name
        for name, facts in files.items()
    )


def _id_of(files: Mapping[str, Mapping[str, Any]]) -> str:
    core = sorted(name for name, facts in files.items() if not facts.get("document"))
    lines = "".join(f"{name} {files[name]['sha256']}\n" for name in core)
    return hashlib.sha256(lines.encode()).hexdigest()


def _facts(content: bytes, *, document: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }
    return facts | {"document": True} if document else facts


def write_folder(
    folder: str | Path,
    files: Mapping[str, bytes],
    *,
    name: str,
    made_with: Mapping[str, Any],
    documents: Callable[[str], Mapping[str, str]] = lambda _: {},
    force: bool = False,
) -> Path:
    """Write the files of a bundle: into a temporary folder first, then moved in one step.

    Parameters
    ----------
    folder
        A new or empty folder, or, with ``force``, an earlier bundle to replace.
    files
        Path in the bundle -> content.
    name, made_with
        Name of the decision, and versions, for the manifest.
    documents
        Makes the pages and records that go with it (file name -> text) from the bundle's id.

    Raises
    ------
    BundleError
        ``PAY-B003`` when the folder holds something else.
    EnvironmentError_
        ``PAY-X003`` when it cannot be written; nothing is left half-written.
    """
    folder = Path(folder)
    check_target(folder, force=force)
    listed = {name: _facts(content, document=False) for name, content in files.items()}
    own_id = _id_of(listed)
    made = {name: text.encode() for name, text in documents(own_id).items()}
    listed |= {name: _facts(content, document=True) for name, content in made.items()}
    manifest = {
        "format": FORMAT,
        "id": own_id,
        "name": name,
        "made_with": dict(made_with),
        "files": listed,
    }
    _move_in(folder, {**files, **made, _MANIFEST: json_text(manifest)})
    return folder


def _move_in(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files aside, flushed to the disk, and move them into place."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise EnvironmentError_.cannot_write(str(folder), error.strerror or str(error)) from None
    try:
        for name, content in files.items():
            target = staging / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        staging.chmod(0o755)
        _replace(folder, staging)
    except OSError as error:
        raise EnvironmentError_.cannot_write(str(folder), error.strerror or str(error)) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _replace(folder: Path, staging: Path) -> None:
    """Move the staged bundle into place; the old one is put aside first and removed last."""
    if not folder.exists():
        staging.rename(folder)
        return
    aside = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    folder.rename(aside)
    try:
        staging.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def check_target(folder: Path, *, force: bool) -> None:
    """Refuse an output folder before any work is done for it.

    Raises
    ------
    BundleError
        ``PAY-B003`` something else is there, ``PAY-B006`` an earlier bundle and no ``force``.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BundleError.exists(str(folder))
    if not folder.exists() or not any(folder.iterdir()):
        return
    try:
        manifest = manifest_of(folder)
    except PayoffError:
        raise BundleError.exists(str(folder)) from None
    if _added(folder, manifest["files"]):  # somebody keeps files of their own in it
        raise BundleError.exists(str(folder))
    if not force:
        raise BundleError.earlier(str(folder))


def without_secrets(decision: Decision) -> Decision:
    """Return the declaration without the password of its database."""
    address = decision.data.database
    if address is None:
        return decision
    from payoff.engine.postgres_engine import without_password

    return replace(decision, data=replace(decision.data, database=without_password(address)))


def json_text(value: Any) -> bytes:
    """Return the one spelling of a JSON file of a bundle."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()
