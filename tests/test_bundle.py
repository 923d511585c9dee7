# ruff: noqa: F811  (a fixture's name is also an argument)
"""A bundle: every changed byte is found, writing is all or nothing, opening runs nobody's code."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payoff import bundle
from payoff.bundle import Bundle, differences, manifest_of
from payoff.errors import BundleError, EnvironmentError_
from payoff.workflow import run as run_workflow
from tests.bad_input.making import RIGHT, assert_well_told, rows
from tests.cli.running import run
from tests.trained import copied, trained  # noqa: F401  (fixtures)


def files(folder: Path) -> list[Path]:
    return sorted(f for f in folder.rglob("*") if f.is_file())


def write(folder: Path, opened: Bundle, **changes):
    facts = {
        "decision": opened.decision,
        "contract": opened.contract,
        "policy": opened.policy,
        "calibrator": opened.calibrator,
        "evidence": opened.evidence(),
        "model": opened.model,
        "amounts": None,
        "documents": lambda own_id: {"report.html": f"<p>{own_id}", "model-card.md": "#"},
    }
    return bundle.write(folder, **{**facts, **changes})


# ------------------------------------------------------------------------------ what is in it


def test_intact_bundle_opens(trained):
    opened = Bundle.open(trained)
    assert differences(trained, manifest_of(trained)) == []
    assert opened.id == manifest_of(trained)["id"]
    assert opened.decision.action_names == ("call", "leave")
    names = {f.relative_to(trained).as_posix() for f in files(trained)}
    assert {"decision.toml", "contract.json", "policy.json", "evidence.json"} <= names
    assert {"report.html", "model-card.md", "decision-record.md"} <= names
    assert names == {*opened.manifest["files"], "manifest.json"}


def test_no_file_is_a_pickle(trained):
    for file in files(trained):
        content = file.read_bytes()
        assert not content.startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"))
        assert not content.startswith((b"\x93NUMPY", b"PK\x03\x04"))
        assert file.suffix in (".toml", ".json", ".html", ".md", ".txt", ".onnx")
        if file.suffix == ".json":
            json.loads(content)


def test_nothing_in_it_tells_of_this_machine(trained, tmp_path):
    for file in files(trained):
        text = file.read_bytes().decode("utf-8", "replace")
        assert str(tmp_path.parent.parent) not in text
        assert str(Path.home()) + "/" not in text


def test_same_input_gives_the_same_bundle(trained, tmp_path):
    from payoff.declare.file import from_toml

    again = run_workflow(from_toml(RIGHT), rows(), out=tmp_path / "again").folder
    assert manifest_of(again)["id"] == manifest_of(trained)["id"]


def test_reopened_bundle_decides_the_same_rows_the_same(trained, copied):
    table = rows(60).drop_columns("y").to_pylist()
    table.append({"x": None, "job": None, "balance": 5.0})
    table.append({"x": 1e6, "job": "never seen", "balance": 0.0})
    first = Bundle.open(trained).decide(table)
    assert Bundle.open(copied).decide(table) == first
    one_by_one = [Bundle.open(trained).decide([row])[0] for row in table[:5]]
    for left, right in zip(one_by_one, first, strict=False):
        assert left["action"] == right["action"]
        assert left["expected_money"] == pytest.approx(right["expected_money"], rel=1e-12)
    for answer in first:
        assert answer["action"] in ("call", "leave")
        assert sum(answer["probabilities"].values()) == pytest.approx(1)
        assert answer["expected_money"]["leave"] == 0
    assert len({a["action"] for a in first}) == 2


def test_decision_follows_expected_money(trained):
    opened = Bundle.open(trained)
    for answer in opened.decide(rows(40).drop_columns("y").to_pylist()):
        if opened.policy.kind == "expected":
            assert answer["action"] == max(
                answer["expected_money"], key=answer["expected_money"].get
            )


def test_no_rows_no_answers(trained):
    assert Bundle.open(trained).decide([]) == []


# ---------------------------------------------------------------------------- what is changed


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_flipped_bit_is_found(trained, data):
    file = data.draw(st.sampled_from(files(trained)))
    content = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    bit = data.draw(st.integers(0, 7))
    name = file.relative_to(trained).as_posix()
    content[place] ^= 1 << bit
    with pytest.MonkeyPatch.context() as patch:
        original = Path.read_bytes
        patch.setattr(
            Path, "read_bytes", lambda self: bytes(content) if self == file else original(self)
        )
        patch.setattr(
            Path,
            "read_text",
            lambda self, encoding="utf-8", errors=None: self.read_bytes().decode(encoding),
        )
        try:
            with pytest.raises(BundleError) as caught:
                Bundle.open(trained)
        except pytest.fail.Exception:
            # Only space between the manifest's values, or what it says of the program that wrote
            # it, may differ unseen: neither says what is decided.
            assert name == "manifest.json"
            before, after = json.loads(original(file)), json.loads(bytes(content))
            for key in ("format", "id", "files"):
                assert before[key] == after[key]
            return
    assert_well_told(caught.value, caught.value.code)
    assert caught.value.code in ("PAY-B001", "PAY-B002", "PAY-B004")
    assert name != "manifest.json" or caught.value.code


def _truncate(folder):
    file = folder / "policy.json"
    file.write_bytes(file.read_bytes()[:-1])
    return "policy.json"


def _longer(folder):
    with (folder / "report.html").open("ab") as stream:
        stream.write(b" ")
    return "report.html"


def _empty(folder):
    (folder / "contract.json").write_bytes(b"")
    return "contract.json"


def _gone(folder):
    (folder / "evidence.json").unlink()
    return "evidence.json"


def _renamed(folder):
    (folder / "report.html").rename(folder / "index.html")
    return "index.html"


def _added(folder):
    (folder / "model" / "extra.txt").write_text("x")
    return "model/extra.txt"


def _hidden(folder):
    (folder / ".hidden").write_text("x")
    return ".hidden"


def _linked(folder):
    file = folder / "decision.toml"
    file.rename(folder.parent / "elsewhere.toml")
    file.symlink_to(folder.parent / "elsewhere.toml")
    return "decision.toml"


def _link_added(folder):
    (folder / "more").symlink_to(folder.parent)
    return "more"


def _swapped(folder):
    one, two = folder / "model-card.md", folder / "decision-record.md"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    return "model-card.md"


def _same_length(folder):
    file = folder / "decision.toml"
    file.write_bytes(file.read_bytes().replace(b"-5", b"-6"))
    return "decision.toml"


CHANGES = [
    _truncate, _longer, _empty, _gone, _renamed, _added, _hidden, _linked, _link_added, _swapped,
    _same_length,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__[1:])
def test_change_is_found_and_named(change, copied, capsys):
    name = change(copied)
    found = differences(copied, manifest_of(copied))
    assert any(name in words for words in found)
    with pytest.raises(BundleError) as caught:
        Bundle.open(copied)
    assert name in assert_well_told(caught.value, "PAY-B002")
    ran = run(capsys, "verify", copied)
    assert ran.code == 1
    assert name in ran.out
    answer = run(capsys, "verify", copied, "--json")
    assert answer.code == 1
    assert answer.json["intact"] is False
    assert any(name in words for words in answer.json["changes"])


def test_manifest_rewritten_to_fit_a_change_has_another_id(copied):
    """Whoever can write both can make a valid bundle, but not one of the same id."""
    path = copied / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"]["policy.json"]["sha256"] = "0" * 64
    path.write_text(json.dumps(manifest))
    assert any("id" in words for words in differences(copied, manifest_of(copied)))


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        (b"", "PAY-B001"),
        (b"[]", "PAY-B001"),
        (b"{}", "PAY-B001"),
        (b'{"files": []}', "PAY-B001"),
        (b'{"files": {}, "format": 99}', "PAY-B004"),
        (b'{"files": {}}', "PAY-B004"),
        (b"\xff\xfe", "PAY-B001"),
        (b"[" * 100_000, "PAY-B001"),
        (b'{"files": {"a": 1}, "format": 1}', "PAY-B00"),
        (b'{"files": {"../../etc/passwd": {"size": 1, "sha256": "x"}}, "format": 1}', "PAY-B00"),
        (b'{"files": {"/etc/passwd": {"size": 1, "sha256": "x"}}, "format": 1}', "PAY-B00"),
        (b'{"files": {"a\\u0000b": {"size": 1, "sha256": "x"}}, "format": 1}', "PAY-B00"),
    ],
    ids=[
        "empty",
        "list",
        "object",
        "list of files",
        "format 99",
        "no format",
        "not UTF-8",
        "deep",
        "number",
        "outside",
        "absolute",
        "NUL",
    ],
)
def test_broken_manifest_is_told(manifest, code, copied, capsys):
    (copied / "manifest.json").write_bytes(manifest)
    with pytest.raises(BundleError) as caught:
        Bundle.open(copied)
    assert caught.value.code.startswith(code)
    assert_well_told(caught.value, caught.value.code)
    assert run(capsys, "verify", copied).code in (1, 2)


# ------------------------------------------------------------------------------ how it is written


@pytest.mark.parametrize("at", [0, 1, 3, 7])
def test_full_disk_leaves_nothing(at, trained, tmp_path, monkeypatch):
    calls = {"n": 0}

    def full(_):
        calls["n"] += 1
        if calls["n"] > at:
            raise OSError(28, "No space left on device")

    opened = Bundle.open(trained)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentError_) as caught:
        write(tmp_path / "new", opened)
    assert "No space left" in assert_well_told(caught.value, "PAY-X003")
    assert list(tmp_path.iterdir()) == []


def test_keyboard_interrupt_leaves_nothing(trained, tmp_path, monkeypatch):
    opened = Bundle.open(trained)

    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "new", opened)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("at", [0, 1])
def test_failed_replacement_keeps_the_old_bundle(at, trained, copied, monkeypatch):
    opened = Bundle.open(trained)
    original, calls = Path.rename, {"n": 0}

    def rename(self, target):
        calls["n"] += 1
        if calls["n"] == at + 1:
            raise OSError(5, "Input/output error")
        return original(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(EnvironmentError_):
        write(copied, opened, force=True)
    monkeypatch.undo()
    assert Bundle.open(copied).id == opened.id
    assert [f.name for f in copied.parent.iterdir()] == ["calls"]


def test_force_replaces_a_bundle(trained, copied):
    opened = Bundle.open(trained)
    write(copied, opened, force=True, documents=lambda _: {"report.html": "<p>new"})
    assert (copied / "report.html").read_bytes() == b"<p>new"
    assert not (copied / "model-card.md").exists()
    assert [f.name for f in copied.parent.iterdir()] == ["calls"]


def test_id_is_of_what_decides_and_stands_in_the_documents(trained, tmp_path):
    opened = Bundle.open(trained)
    assert opened.id in (trained / "report.html").read_text()
    assert opened.id in (trained / "decision-record.md").read_text()
    other = write(tmp_path / "other", opened, documents=lambda _: {"report.html": "<p>other"})
    assert Bundle.open(other).id == opened.id
    changed = dataclasses.replace(opened.policy, label="another")
    assert Bundle.open(write(tmp_path / "third", opened, policy=changed)).id != opened.id


def test_password_of_the_database_is_not_stored(trained, tmp_path):
    opened = Bundle.open(trained)
    data = dataclasses.replace(
        opened.decision.data,
        source=None,
        query="select 1",
        database="postgresql://ann:topsecret@db/sales",
    )
    decision = dataclasses.replace(opened.decision, data=data)
    folder = write(tmp_path / "calls", opened, decision=decision)
    assert not [f for f in files(folder) if b"topsecret" in f.read_bytes()]
    assert "ann:***@db" in (folder / "decision.toml").read_text()


def test_bundle_of_an_older_version_is_told(trained, copied):
    """Every byte as written, but a key this version needs is not there."""
    from payoff.bundle.folder import _facts, _id_of

    choice = json.loads((copied / "policy.json").read_text())
    del choice["policy"]["answers"]
    (copied / "policy.json").write_text(json.dumps(choice))
    manifest = json.loads((copied / "manifest.json").read_text())
    content = (copied / "policy.json").read_bytes()
    manifest["files"]["policy.json"] = _facts(content, document=False)
    manifest["id"] = _id_of(manifest["files"])
    (copied / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="PAY-B004"):
        Bundle.open(copied)


def test_without_force_a_bundle_is_kept(trained, copied):
    with pytest.raises(BundleError) as caught:
        write(copied, Bundle.open(trained))
    assert_well_told(caught.value, "PAY-B006")
    assert Bundle.open(copied).id == Bundle.open(trained).id


@pytest.mark.parametrize("force", [False, True])
def test_other_folders_are_never_replaced(force, trained, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years")
    with pytest.raises(BundleError) as caught:
        write(tmp_path / "mine", Bundle.open(trained), force=force)
    assert_well_told(caught.value, "PAY-B003")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("kind", ["file", "link", "dangling link", "link to a bundle"])
def test_targets_that_are_no_folder_are_refused(kind, force, trained, copied, tmp_path):
    target = tmp_path / "out"
    if kind == "file":
        target.write_text("mine")
    elif kind == "link":
        (tmp_path / "empty").mkdir()
        target.symlink_to(tmp_path / "empty")
    elif kind == "dangling link":
        target.symlink_to(tmp_path / "nowhere")
    else:
        target.symlink_to(copied)
    with pytest.raises(BundleError) as caught:
        write(target, Bundle.open(trained), force=force)
    assert_well_told(caught.value, "PAY-B003")
    assert Bundle.open(copied).id == Bundle.open(trained).id


def test_a_bundle_with_the_owners_files_in_it_is_kept(trained, copied):
    """--force replaces what payoff wrote, not what somebody put there since."""
    (copied / "notes.txt").write_text("mine")
    with pytest.raises(BundleError):
        write(copied, Bundle.open(trained), force=True)
    assert (copied / "notes.txt").read_text() == "mine"


def test_empty_folder_and_new_folders_are_filled(trained, tmp_path):
    opened = Bundle.open(trained)
    (tmp_path / "empty").mkdir()
    assert write(tmp_path / "empty", opened).is_dir()
    assert Bundle.open(write(tmp_path / "a" / "b" / "c", opened)).decision == opened.decision


def test_parent_that_is_a_file_is_told(trained, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises((EnvironmentError_, BundleError)) as caught:
        write(tmp_path / "file" / "out", Bundle.open(trained))
    assert_well_told(caught.value, caught.value.code)


def test_moved_bundle_is_the_same(copied, tmp_path):
    before = Bundle.open(copied).id
    shutil.move(copied, tmp_path / "moved")
    assert Bundle.open(tmp_path / "moved").id == before


def test_evidence_reads_back(trained):
    evidence = Bundle.open(trained).evidence()
    again = type(evidence).from_dict(json.loads(evidence.to_json()))
    assert again.to_json() == evidence.to_json()
    assert np.isfinite(evidence.policies[0].total.value)


def test_it_knows_the_rows_it_was_made_from(trained, monkeypatch):
    opened = Bundle.open(trained)
    own = opened.evidence().data["fingerprint"]
    assert opened.made_from(own)
    assert not opened.made_from(own[:-1])  # it stands in the evidence, but is not the fingerprint
    monkeypatch.setattr(type(opened), "evidence", None)
    assert not opened.made_from("0" * 64)  # answered without reading the evidence


def test_rows_decided_together_are_decided_as_one_by_one(trained):
    opened = Bundle.open(trained)
    some = rows(60).to_pylist()
    assert opened.decide(some) == [opened.decide([row])[0] for row in some]
