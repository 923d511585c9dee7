"""The bundle of a decision about rows: contract, model, calibration and policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from payoff.bundle.folder import (
    is_list_bundle,
    json_text,
    read_folder,
    read_json,
    verified,
    without_secrets,
    write_folder,
)
from payoff.declare import Decision
from payoff.declare.file import from_toml, to_toml
from payoff.errors import BundleError
from payoff.load.evaluate import RowColumns
from payoff.load.fields import Contract
from payoff.load.text.names import finder_of
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

__all__ = ["Bundle", "write"]


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
            ``PAY-B001`` not a bundle, ``PAY-B002`` changed, ``PAY-B004`` another format,
            ``PAY-B008`` one that makes lists.
        """
        path = Path(path)
        manifest = verified(path)
        if is_list_bundle(manifest):
            raise BundleError.makes_lists(str(path))
        try:
            return cls._read(path, manifest)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Every byte is as it was written, so another version of payoff wrote it.
            raise BundleError.incompatible(
                str(path), f"{type(error).__name__}: {error}", "the keys of this version"
            ) from None

    @classmethod
    def _read(cls, path: Path, manifest: Mapping[str, Any]) -> Bundle:
        model_files = read_folder(path / "model")
        amounts_files = read_folder(path / "amounts")
        amounts = None
        if amounts_files:
            from payoff.model.amounts import AmountModel

            amounts = AmountModel.from_files(amounts_files)
        choice = read_json(path / "policy.json")
        decision = from_toml((path / "decision.toml").read_text(encoding="utf-8"))
        finder_of(decision.text.names)  # refused here rather than with the first document
        return cls(
            path=path,
            id=str(manifest["id"]),
            decision=decision,
            contract=Contract.from_dict(read_json(path / "contract.json")),
            policy=Policy.from_dict(choice["policy"]),
            model=_model(model_files),
            amounts=amounts,
            calibrator=Calibrator.from_dict(choice["calibration"]),
            manifest=manifest,
        )

    def evidence(self) -> Evidence:
        """Read the evidence (not needed to decide, so not read when the bundle is opened)."""
        from payoff.evidence.evidence import Evidence

        return Evidence.from_dict(read_json(self.path / "evidence.json"))

    def made_from(self, fingerprint: str) -> bool:
        """Tell whether the bundle was made from the rows of a fingerprint.

        The evidence, which may be long, is understood only where that fingerprint stands in it.
        """
        if fingerprint.encode() not in (self.path / "evidence.json").read_bytes():
            return False
        return bool(self.evidence().data.get("fingerprint") == fingerprint)

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
        codes = self.policy.apply(
            n=len(rows),
            expected=expected,
            prob=prob,
            rule=rule,
            right=right,
            familiar=known,
            groups=groups,
            cut_to_fit=False,  # each by itself: prices act alone
        )
        if arms is not None:  # what is promised under the action chosen
            prob = arms.prob[np.arange(len(rows)), codes]
        key, labels = decision.data.unit_id, decision.multilabel
        said = remarks(self.policy, expected, groups, right, known)
        named = None
        if theme is not None and self.themes is not None:
            named = self.themes.named(theme)
        outcomes, actions = decision.outcome_names, decision.action_names
        chances, money = prob.tolist(), expected.tolist()
        return [
            {
                "action": actions[codes[i]],
                "probabilities": dict(zip(outcomes, chances[i], strict=True)),
                "expected_money": dict(zip(actions, money[i], strict=True)),
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


def _model(files: Mapping[str, bytes]) -> Classifier | ArmModels | None:
    if not files:
        return None
    return ArmModels.from_files(files) if "arms.json" in files else classifier_from(files)


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
    choice = {"policy": policy.to_dict(), "calibration": calibrator.to_dict()}
    files: dict[str, bytes] = {
        "decision.toml": to_toml(without_secrets(decision)).encode(),
        "contract.json": json_text(contract.to_dict()),
        "policy.json": json_text(choice),
        "evidence.json": evidence.to_json().encode(),
        **{f"model/{k}": v for k, v in (model.files() if model else {}).items()},
        **{f"amounts/{k}": v for k, v in (amounts.files() if amounts else {}).items()},
    }
    return write_folder(
        folder,
        files,
        name=decision.name,
        made_with=evidence.made_with,
        documents=documents,
        force=force,
    )
