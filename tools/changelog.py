"""Check the changelog fragments, or assemble them into CHANGELOG.md for a release.

Usage::

    python tools/changelog.py check
    python tools/changelog.py build 0.2.0 [--date 2030-01-31]

A fragment is a file ``changelog.d/<slug>.<type>.md`` with one entry in Markdown, without a bullet.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TITLES = {
    "added": "Added",
    "changed": "Changed",
    "fixed": "Fixed",
    "numbers": "Numbers that moved, and why",
}
NAME = re.compile(r"(?P<slug>[a-z0-9]+(?:-[a-z0-9]+)*)\.(?P<type>[a-z]+)\.md")
HEADING = "# Changelog\n"


class FragmentError(Exception):
    """One or more fragments are not as they should be; one line for each."""


def read(folder: Path) -> dict[str, list[str]]:
    """Return the entries of a folder of fragments by type, in the order of their file names.

    Parameters
    ----------
    folder
        The folder of fragments; its README.md is none.

    Returns
    -------
    dict of str to list of str
        Type to entries; a type without an entry is left out.

    Raises
    ------
    FragmentError
        If a file has a wrong name, an unknown type, a bullet of its own, or no text.
    """
    entries: dict[str, list[str]] = {}
    wrong = []
    for path in sorted(folder.iterdir()):
        if path.name == "README.md":
            continue
        match = NAME.fullmatch(path.name)
        if match is None or match["type"] not in TITLES:
            wrong.append(f"{path.name}: need <slug>.<type>.md, type one of {', '.join(TITLES)}")
            continue
        text = path.read_text(encoding="utf-8").strip()
        if not text:
            wrong.append(f"{path.name}: is empty; say what changed for a user")
        elif text.startswith(("- ", "* ", "#")):
            wrong.append(f"{path.name}: write plain text; bullet and heading are added on release")
        else:
            entries.setdefault(match["type"], []).append(text)
    if wrong:
        raise FragmentError("\n".join(wrong))
    return entries


def section(version: str, date: str, entries: dict[str, list[str]]) -> str:
    r"""Return one release's part of the changelog.

    Examples
    --------
    >>> print(section("1.0.0", "2030-01-31", {"fixed": ["One.\nTwo."]}))
    ## 1.0.0 (2030-01-31)
    <BLANKLINE>
    ### Fixed
    <BLANKLINE>
    - One.
      Two.
    <BLANKLINE>
    """
    parts = [f"## {version} ({date})\n"]
    for kind, title in TITLES.items():
        if kind in entries:
            bullets = ["- " + entry.replace("\n", "\n  ") for entry in entries[kind]]
            parts.append(f"### {title}\n\n" + "\n".join(bullets) + "\n")
    return "\n".join(parts)


def build(root: Path, version: str, date: str) -> None:
    """Put the fragments on top of CHANGELOG.md as one release, and remove them.

    Parameters
    ----------
    root
        The folder that holds ``changelog.d`` and ``CHANGELOG.md``.
    version, date
        What the release is called, and its ISO date.

    Raises
    ------
    FragmentError
        If there is no fragment, one is wrong, or the version is in the changelog already.
    """
    folder, target = root / "changelog.d", root / "CHANGELOG.md"
    entries = read(folder)
    if not entries:
        message = "changelog.d has no fragment, so there is nothing to release"
        raise FragmentError(message)
    old = target.read_text(encoding="utf-8") if target.is_file() else HEADING
    if f"\n## {version} (" in old:
        message = f"CHANGELOG.md already has a part for {version}"
        raise FragmentError(message)
    rest = old.removeprefix(HEADING).strip("\n")
    parts = [HEADING, section(version, date, entries), *([rest + "\n"] if rest else [])]
    target.write_text("\n".join(parts), encoding="utf-8")
    for path in folder.iterdir():
        if NAME.fullmatch(path.name):
            path.unlink()


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Do as the command line says and return the exit code: 1 if a fragment is wrong."""
    parser = argparse.ArgumentParser(description="Check or assemble the changelog.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("check", help="check the fragments in changelog.d")
    release = verbs.add_parser("build", help="assemble them into CHANGELOG.md and remove them")
    release.add_argument("version")
    today = dt.datetime.now(dt.UTC).date().isoformat()
    release.add_argument("--date", default=today)
    options = parser.parse_args(arguments)
    try:
        if options.verb == "check":
            read(root / "changelog.d")
        else:
            build(root, options.version, options.date)
    except FragmentError as error:
        print(f"changelog: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
