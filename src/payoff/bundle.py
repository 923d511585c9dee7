"""One folder that holds a whole decision: declaration, contract, model, policy, evidence, pages.

``manifest.json`` lists the SHA-256 and size of every other file. The bundle's id is the digest of
that list without the documents, which are made from the rest and carry the id themselves.
Everything in it is data (TOML, JSON, LightGBM text, ONNX, HTML, Markdown): opening a bundle runs
nobody's code. This module is the only writer.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from payoff.declare import Decision
from payoff.declare.file import from_toml, to_toml
from payoff.errors import BundleError, EnvironmentError_, PayoffError
from payoff.load.evaluate import RowColumns
from payoff.load.fields import Contract
from payoff.model.arms import ArmModels
from payoff.model.calibrate import Calibrator
from payoff.model.kinds import Classifier, PerLabel, Themed, classifier_from
from payoff.model.text.prepare import prepared_rows
from payoff.policy.answer import remarks, rightness
from payoff.policy.expected import (
    cell_money,
    expected_by_action,
    rule_actions,
    weighted_money,
)
from payoff.policy.explain import explanation
from payoff.policy.policy import Policy

if TYPE_CHECKING:
    from payoff.evidence.evidence import Evidence
    from payoff.model.amounts import AmountModel
    from payoff.model.text.themes import Themes

__all__ = ["FORMAT", "Bundle", "differences", "manifest_of", "without_secrets", "write"]

FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_LARGEST_JSON: Final = 200_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """An opened bundle.

    Parameters
    ----------
    id
        SHA-256 over the digests of all files but the documents: equal ids decide alike.
    model, amounts, calibrator
        None when the predictions were made elsewhere.
    policy
        The recommended policy.
    """

    path: Path
    id: str
    decision: Decision
    contract: Contract
    policy: Policy
    calibrator: Calibrator
    model: Classifier | ArmModels | None = None
    amounts: AmountModel | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str | Path) -> Bundle:
        """Open a bundle after checking every byte against its manifest.

        Raises
        ------
        BundleError
            ``PAY-B001`` not a bundle, ``PAY-B002`` changed, ``PAY-B004`` another format.
        """
        path = Path(path)
        manifest = manifest_of(path)
        changes = differences(path, manifest)
        if changes:
            raise BundleError.changed(str(path), changes)
        try:
            return cls._read(path, manifest)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Every byte is as it was written, so another version of payoff wrote it.
            raise BundleError.incompatible(
                str(path), f"{type(error).__name__}: {error}", "the keys of this version"
            ) from None

    @classmethod
    def _read(cls, path: Path, manifest: Mapping[str, Any]) -> Bundle:
        model_files = _folder(path / "model")
        amounts_files = _folder(path / "amounts")
        amounts = None
        if amounts_files:
            from payoff.model.amounts import AmountModel

            amounts = AmountModel.from_files(amounts_files)
        choice = _json(path / "policy.json")
        return cls(
            path=path,
            id=str(manifest["id"]),
            decision=from_toml((path / "decision.toml").read_text(encoding="utf-8")),
            contract=Contract.from_dict(_json(path / "contract.json")),
            policy=Policy.from_dict(choice["policy"]),
            model=_model(model_files),
            amounts=amounts,
            calibrator=Calibrator.from_dict(choice["calibration"]),
            manifest=manifest,
        )

    def evidence(self) -> Evidence:
        """Read the evidence (not needed to decide, so not read when the bundle is opened)."""
        from payoff.evidence.evidence import Evidence

        return Evidence.from_dict(_json(self.path / "evidence.json"))

    @property
    def themes(self) -> Themes | None:
        """Themes of the documents; None where none were learnt."""
        model: object = self.model
        return model.themes if isinstance(model, Themed) else None

    def prepare(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Return rows as they may be kept: documents cleaned and redacted as is declared.

        A document of a decision about labels that names none becomes one row per label. Preparing
        twice changes nothing, and a prepared row is decided like the row it was.
        """
        if not self.decision.data.text:
            return rows
        ready = prepared_rows(rows, self.decision)
        labels = self.decision.multilabel
        if labels is None:
            return ready
        asked = [(row, row.get(labels.column)) for row in ready]
        return [
            {**row, labels.column: name}
            for row, one in asked
            for name in (labels.names if one is None else (one,))
        ]

    def one(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return one prepared row to be explained: of labels the one asked for, or the likeliest.

        Raises
        ------
        BundleError, DataError
            As for :meth:`decide`.
        """
        rows = self.prepare([row])
        if len(rows) == 1:
            return rows[0]
        carried = self.decision.outcome_names[self.decision.carried_code]
        chances = [made["probabilities"][carried] for made in self.decide(rows)]
        return rows[int(np.argmax(chances))]

    def decide(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Decide rows that fit the contract, one at a time as the server does.

        Parameters
        ----------
        rows
            Field -> value; check them with ``contract.check`` first.

        Returns
        -------
        list of dict
            ``action``, ``probabilities`` (outcome -> share; under the action chosen, where acting
            changes what happens), ``expected_money`` (action -> money of
            the decision's currency, before the price of capacity), ``currency``, and the unit's id;
            of documents whose themes were learnt, ``theme`` (its name, or None). Where the policy
            keeps an error rate also ``automated``, ``sure`` and ``why_not``, and where it knows
            strangers ``familiar`` and ``familiarity``: see :func:`payoff.policy.answer.remarks`.
            Of documents that may carry several labels there is one per label, with ``label``.

        Raises
        ------
        BundleError
            ``PAY-B005`` when the bundle has no model.
        DataError
            ``PAY-L010`` when money cannot be computed for a row.
        """
        if self.model is None:
            raise BundleError.lacks(str(self.path), "model", "a model to score rows")
        if not rows:
            return []
        decision = self.decision
        rows = self.prepare(rows)
        columns = RowColumns(rows, {f.name: f.type for f in self.contract.fields})
        arms = self.model.predict_rows(rows) if isinstance(self.model, ArmModels) else None
        prob = np.zeros((len(rows), len(decision.outcomes)))
        theme = right = known = None
        if arms is not None:
            expected = expected_by_action(decision, columns, arms.prob, arms.amounts)
        elif isinstance(self.model, Classifier):
            if isinstance(self.model, Themed):
                looks = self.policy.unfamiliar is not None
                read = self.model.read_rows(rows, familiar=looks)
                raw, theme, known = read.prob, read.theme, read.familiar
            else:
                raw = self.model.predict_rows(rows)
            prob = self.calibrator.apply(raw)
            amounts = self.amounts.predict_rows(rows) if self.amounts else {}
            cells = cell_money(decision, columns, amounts)
            expected = weighted_money(cells, prob, len(decision.actions))
            right = rightness(self.policy, cells, prob)
        rule = None
        if self.policy.kind == "rule":
            rule = rule_actions(decision, columns)
        groups = {g.name: g.read(columns) for g in self.policy.groupings}
        codes = np.concatenate(
            [
                self.policy.apply(
                    n=1,
                    expected=expected[i : i + 1],
                    prob=prob[i : i + 1],
                    rule=None if rule is None else rule[i : i + 1],
                    right=None if right is None else right[i : i + 1],
                    familiar=None if known is None else known[i : i + 1],
                    groups={k: (labels, of[i : i + 1]) for k, (labels, of) in groups.items()},
                )
                for i in range(len(rows))
            ]
        )
        if arms is not None:  # what is promised under the action chosen
            prob = arms.prob[np.arange(len(rows)), codes]
        key, labels = decision.data.unit_id, decision.multilabel
        said = remarks(self.policy, expected, groups, right, known)
        named = None
        if theme is not None and self.themes is not None:
            named = self.themes.named(theme)
        return [
            {
                "action": decision.action_names[int(codes[i])],
                "probabilities": dict(
                    zip(decision.outcome_names, (float(p) for p in prob[i]), strict=True)
                ),
                "expected_money": dict(
                    zip(decision.action_names, (float(m) for m in expected[i]), strict=True)
                ),
                "currency": decision.currency,
                "unit_id": row.get(key) if key else None,
                **({"label": row[labels.column]} if labels else {}),
                **({"theme": named[i]} if named is not None else {}),
                **said[i],
            }
            for i, row in enumerate(rows)
        ]

    def explain(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Explain the decision about one row that fits the contract.

        Returns
        -------
        dict
            What :meth:`decide` returns, and ``next_best``, ``why``, ``documents``, ``nearest``,
            ``removal`` and ``sentences`` (:func:`payoff.policy.explain.explanation`).

        Raises
        ------
        BundleError, DataError
            As for :meth:`decide`.
        """
        row = self.one(row)
        [made] = self.decide([row])
        money: dict[tuple[int, int], float] = {}
        arms = isinstance(self.model, ArmModels)
        if not arms and isinstance(self.model, Classifier):
            columns = RowColumns([row], {f.name: f.type for f in self.contract.fields})
            amounts = self.amounts.predict_rows([row]) if self.amounts else {}
            cells = cell_money(self.decision, columns, amounts)
            money = {cell: float(np.ravel(value)[0]) for cell, value in cells.items()}

        def again(rows: list[Mapping[str, Any]]) -> list[str]:
            return [str(one["action"]) for one in self.decide(rows)]

        asked: object = self.model
        model = asked.of(made["label"]) if isinstance(asked, PerLabel) else self.model
        return made | explanation(self.decision, model, row, made, money, again)


def _folder(path: Path) -> dict[str, bytes]:
    if not path.is_dir():
        return {}
    return {f.name: f.read_bytes() for f in sorted(path.iterdir()) if f.is_file()}


def _model(files: Mapping[str, bytes]) -> Classifier | ArmModels | None:
    if not files:
        return None
    return ArmModels.from_files(files) if "arms.json" in files else classifier_from(files)


def _json(path: Path) -> Any:
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
    manifest = _json(path / _MANIFEST)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise BundleError.not_a_bundle(str(path), "a manifest without files")
    if manifest.get("format") != FORMAT:
        raise BundleError.incompatible(str(path), manifest.get("format"), f"format {FORMAT}")
    if not _listed_well(manifest["files"]):
        raise BundleError.not_a_bundle(str(path), "a manifest whose list of files is malformed")
    return manifest


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


def write(  # noqa: PLR0913 (the parts of a bundle)
    folder: str | Path,
    *,
    decision: Decision,
    contract: Contract,
    policy: Policy,
    calibrator: Calibrator,
    evidence: Evidence,
    model: Classifier | ArmModels | None,
    amounts: AmountModel | None,
    documents: Callable[[str], Mapping[str, str]] = lambda _: {},
    force: bool = False,
) -> Path:
    """Write a bundle: into a temporary folder first, then moved into place in one step.

    Parameters
    ----------
    folder
        A new or empty folder, or, with ``force``, an earlier bundle to replace.
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
    choice = {"policy": policy.to_dict(), "calibration": calibrator.to_dict()}
    files: dict[str, bytes] = {
        "decision.toml": to_toml(without_secrets(decision)).encode(),
        "contract.json": _text(contract.to_dict()),
        "policy.json": _text(choice),
        "evidence.json": evidence.to_json().encode(),
        **{f"model/{k}": v for k, v in (model.files() if model else {}).items()},
        **{f"amounts/{k}": v for k, v in (amounts.files() if amounts else {}).items()},
    }
    listed = {name: _facts(content, document=False) for name, content in files.items()}
    own_id = _id_of(listed)
    made = {name: text.encode() for name, text in documents(own_id).items()}
    listed |= {name: _facts(content, document=True) for name, content in made.items()}
    files |= made
    manifest = {
        "format": FORMAT,
        "id": own_id,
        "name": decision.name,
        "made_with": dict(evidence.made_with),
        "files": listed,
    }
    files[_MANIFEST] = _text(manifest)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise EnvironmentError_.cannot_write(str(folder), error.strerror or str(error)) from None
    try:
        for name, content in files.items():
            target = staging / name
            target.parent.mkdir(exist_ok=True)
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
    return folder


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


def _text(value: Any) -> bytes:
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()
