"""Changelog fragments become a changelog, and wrong ones are refused."""

from __future__ import annotations

import importlib.util

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def changelog():
    spec = importlib.util.spec_from_file_location("changelog", ROOT / "tools" / "changelog.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path):
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "changelog.d" / "README.md").write_text("How to.\n")
    return tmp_path


def test_fragments_of_this_repository_are_right(changelog):
    assert changelog.main(["check"]) == 0


def test_releases_stack_newest_first_and_use_up_their_fragments(changelog, root):
    folder = root / "changelog.d"
    (folder / "b.fixed.md").write_text("B.\n")
    (folder / "a-first.added.md").write_text("A,\nat length.\n")
    assert changelog.main(["build", "0.1.0", "--date", "2030-01-01"], root) == 0
    (folder / "interval-width.numbers.md").write_text("Wider.\n")
    assert changelog.main(["build", "0.2.0", "--date", "2030-02-01"], root) == 0
    assert (root / "CHANGELOG.md").read_text() == (
        "# Changelog\n\n"
        "## 0.2.0 (2030-02-01)\n\n### Numbers that moved, and why\n\n- Wider.\n\n"
        "## 0.1.0 (2030-01-01)\n\n### Added\n\n- A,\n  at length.\n\n### Fixed\n\n- B.\n"
    )
    assert [path.name for path in folder.iterdir()] == ["README.md"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("Big Slug.added.md", "x", "need <slug>.<type>.md"),
        ("slug.improved.md", "x", "type one of added, changed, fixed, numbers"),
        ("slug.md", "x", "need <slug>.<type>.md"),
        ("slug.added.md", " \n", "is empty"),
        ("slug.added.md", "- x", "write plain text"),
    ],
)
def test_a_wrong_fragment_is_refused_and_nothing_is_written(
    changelog, root, capsys, name, text, said
):
    (root / "changelog.d" / name).write_text(text)
    assert changelog.main(["check"], root) == 1
    assert changelog.main(["build", "0.1.0"], root) == 1
    assert said in capsys.readouterr().err
    assert not (root / "CHANGELOG.md").exists()
    assert (root / "changelog.d" / name).exists()


def test_nothing_to_release_is_an_error(changelog, root, capsys):
    assert changelog.main(["build", "0.1.0"], root) == 1
    assert "no fragment" in capsys.readouterr().err


def test_a_version_is_released_once(changelog, root, capsys):
    for code in (0, 1):
        (root / "changelog.d" / "a.added.md").write_text("A.\n")
        assert changelog.main(["build", "0.1.0"], root) == code
    assert "already has a part for 0.1.0" in capsys.readouterr().err
