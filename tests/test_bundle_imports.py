# ruff: noqa: F811  (a fixture's name is also an argument)
"""A path of a class that somebody writes into a bundle is never imported, whatever is done with it.

The trap is a module that notes in a file that it was imported. It lies where a class that may be a
candidate lies, within ``sklearn``, and beside it as a module of its own.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest
import sklearn

from payoff.bundle import Bundle
from payoff.declare.file import from_toml
from payoff.errors import BundleError, PayoffError
from payoff.model.portable import class_of
from payoff.workflow import run as run_workflow
from payoff.workflow.explaining import explain_row
from payoff.workflow.scored_rows import score_rows
from tests.bad_input.making import changed, rows
from tests.cli.running import run
from tests.serve.asking import client_of
from tests.trained import copied, trained  # noqa: F401  (fixtures)

PATHS = ("sklearn.planted.Evil", "planted_class.Evil")
TREE = "sklearn.tree.DecisionTreeClassifier"


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """Return whether the planted module was imported; forget it afterwards."""
    folder, note = tmp_path / "planted", tmp_path / "imported"
    folder.mkdir()
    text = f"open({str(note)!r}, 'w').close()\nclass Evil:\n    pass\n"
    for name in ("planted.py", "planted_class.py"):
        (folder / name).write_text(text)
    monkeypatch.setattr(sklearn, "__path__", [*sklearn.__path__, str(folder)])
    monkeypatch.syspath_prepend(folder)
    yield note.exists
    for path in PATHS:
        sys.modules.pop(path.rpartition(".")[0], None)


def resigned(folder: Path) -> None:
    """Make the manifest fit the files again, as whoever can write the folder could."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for name, facts in manifest["files"].items():
        content = (folder / name).read_bytes()
        facts |= {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    core = sorted(n for n, f in manifest["files"].items() if not f.get("document"))
    lines = "".join(f"{n} {manifest['files'][n]['sha256']}\n" for n in core)
    manifest["id"] = hashlib.sha256(lines.encode()).hexdigest()
    path.write_text(json.dumps(manifest))


def rename(folder: Path, place: str, path: str) -> None:
    """Write a path where a bundle names its candidates, its model or its kind of model."""
    if place == "candidates":
        file = folder / "decision.toml"
        text = file.read_text()
        assert '"logistic"' in text
        file.write_text(text.replace('"logistic"', f'"{path}"'))
        return
    file = folder / "model" / "model.json"
    body = json.loads(file.read_text())
    if place == "name":
        body["name"] = path
    else:
        body["core"]["kind"] = path
    file.write_text(json.dumps(body))


def use(folder: Path, capsys) -> None:
    """Do with a bundle what can be done with one."""
    bundle = Bundle.open(folder)
    table = rows(20)
    sent = {"rows": [{"x": 0.5, "job": "cook", "balance": 100.0}]}
    client = client_of(bundle)
    assert client.post("/decide", json=sent).status_code == 200
    assert client.post("/explain", json=sent).status_code == 200
    assert score_rows(bundle, table).num_rows == 20
    assert explain_row(bundle, table, row=1)["action"] in ("call", "leave")
    assert run(capsys, "verify", folder).code == 0
    assert run(capsys, "report", folder, "-o", folder.parent / "pages").code == 0


def test_the_trap_catches_what_training_imports(trap):
    with pytest.raises(PayoffError, match="not a classifier"):
        class_of(PATHS[0])
    assert trap()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("place", ["candidates", "name", "kind"])
def test_a_changed_bundle_is_refused_and_nothing_imported(place, path, copied, trap):
    rename(copied, place, path)
    with pytest.raises(BundleError, match="PAY-B002"):
        Bundle.open(copied)
    assert not trap()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("place", ["candidates", "name"])
def test_a_bundle_written_anew_with_another_class_imports_nothing(
    place, path, copied, trap, capsys
):
    rename(copied, place, path)
    resigned(copied)
    use(copied, capsys)
    assert not trap()


@pytest.mark.parametrize("path", PATHS)
def test_a_kind_of_model_that_is_no_kind_is_refused_and_not_imported(path, copied, trap):
    rename(copied, "kind", path)
    resigned(copied)
    with pytest.raises(BundleError, match="PAY-B001"):
        Bundle.open(copied)
    assert not trap()


@pytest.mark.packages("onnxruntime", "skl2onnx")
@pytest.mark.parametrize("path", PATHS)
def test_a_carried_class_is_a_label_once_it_is_in_a_bundle(path, tmp_path, trap, capsys):
    decision = from_toml(changed(('"logistic"', f'"{TREE}"')))
    folder = run_workflow(decision, rows(), out=tmp_path / "tree").folder
    before = Bundle.open(folder).decide([{"x": 0.5, "job": "cook", "balance": 100.0}])
    for place in ("name", "kind"):
        rename(folder, place, path)
    resigned(folder)
    use(folder, capsys)
    assert Bundle.open(folder).decide([{"x": 0.5, "job": "cook", "balance": 100.0}]) == before
    assert not trap()
