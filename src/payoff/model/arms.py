"""One model of the outcomes per action, where acting changes what happens (a T-learner).

Each action's classifier, its calibration and its models of amounts are fitted on the rows that got
the action, and predict every row. Their difference is the predicted effect of acting.

References
----------
Kuenzel, S. R., Sekhon, J. S., Bickel, P. J. & Yu, B. (2019). Metalearners for estimating
heterogeneous treatment effects using machine learning. PNAS 116(10).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Action, Decision, Outcome, PayoffTable
from payoff.errors import DataError
from payoff.model import amounts as amount_models
from payoff.model import tabular
from payoff.model.amount_model import AmountModel, Key
from payoff.model.artefact import body_of
from payoff.model.calibrate import Calibrator
from payoff.model.candidates import LABELS
from payoff.model.scored import ScoredArms
from payoff.model.tabular import TabularModel
from payoff.progress import silent

if TYPE_CHECKING:
    import pyarrow as pa

    from payoff.load.dataset import Dataset
    from payoff.load.fields import Contract
    from payoff.progress import Progress

__all__ = ["Arm", "ArmModels", "CrossFittedArms", "arm_rows", "assignment", "cross_fit", "fit"]

_FORMAT: Final = 1
_ARMS_JSON: Final = "arms.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arm:
    """What predicts the outcomes of one action."""

    model: TabularModel
    calibrator: Calibrator
    amounts: AmountModel | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmModels:
    """One fitted model per action, data only.

    Parameters
    ----------
    name
        The candidate's name; all actions share it.
    actions, outcomes
        Names, in order of declaration.
    arms
        The different models.
    use
        For each action the place of its model in ``arms``; an action without recorded outcomes
        uses that of one whose outcomes are.
    """

    name: str
    actions: tuple[str, ...]
    outcomes: tuple[str, ...]
    arms: tuple[Arm, ...]
    use: tuple[int, ...]

    def predict_table(self, table: pa.Table, part: str) -> ScoredArms:
        """Return calibrated probabilities and amounts under every action for an Arrow table."""
        found = [
            (
                arm.calibrator.apply(arm.model.predict_table(table)),
                arm.amounts.predict_table(table) if arm.amounts else {},
            )
            for arm in self.arms
        ]
        return self._scored(found, part)

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> ScoredArms:
        """Return calibrated probabilities and amounts under every action for served rows."""
        found = [
            (
                arm.calibrator.apply(arm.model.predict_rows(rows)),
                arm.amounts.predict_rows(rows) if arm.amounts else {},
            )
            for arm in self.arms
        ]
        return self._scored(found, "served")

    def _scored(
        self, found: Sequence[tuple[NDArray[np.float64], dict[Key, NDArray[np.float64]]]], part: str
    ) -> ScoredArms:
        return ScoredArms(
            prob=np.stack([found[k][0] for k in self.use], axis=1),
            amounts=tuple(found[k][1] for k in self.use),
            part=part,
            source=self.name,
        )

    def files(self) -> dict[str, bytes]:
        """Return the artefact: file name -> content, each model's under its number."""
        body = {
            "format": _FORMAT,
            "name": self.name,
            "actions": list(self.actions),
            "outcomes": list(self.outcomes),
            "use": list(self.use),
            "calibration": [arm.calibrator.to_dict() for arm in self.arms],
        }
        out = {_ARMS_JSON: json.dumps(body, ensure_ascii=False, indent=1).encode()}
        for k, arm in enumerate(self.arms):
            out |= {f"{k}-{name}": content for name, content in arm.model.files().items()}
            if arm.amounts is not None:
                out |= {f"{k}-{name}": content for name, content in arm.amounts.files().items()}
        return out

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> ArmModels:
        """Read the artefact back.

        Raises
        ------
        BundleError
            ``PAY-B001`` when a file is missing, ``PAY-B004`` when its format is another.
        """
        body = body_of(files, _ARMS_JSON, _FORMAT)
        arms = []
        for k, calibration in enumerate(body["calibration"]):
            own = {n.removeprefix(f"{k}-"): c for n, c in files.items() if n.startswith(f"{k}-")}
            arms.append(
                Arm(
                    model=TabularModel.from_files(own),
                    calibrator=Calibrator.from_dict(calibration),
                    amounts=AmountModel.from_files(own) if "amounts.json" in own else None,
                )
            )
        return cls(
            name=body["name"],
            actions=tuple(body["actions"]),
            outcomes=tuple(body["outcomes"]),
            arms=tuple(arms),
            use=tuple(int(k) for k in body["use"]),
        )

    def describe(self) -> dict[str, Any]:
        """Return what a reader may want to know, JSON-ready; importance is averaged over models."""
        told = [arm.model.describe() for arm in self.arms]
        first = dict(told[0])
        total: dict[str, list[float]] = {}
        for one in told:
            for feature in one.get("features", ()):
                total.setdefault(feature["feature"], []).append(feature["importance"] or 0.0)
        types = {f["feature"]: f["type"] for one in told for f in one.get("features", ())}
        first["features"] = sorted(
            (
                {"feature": k, "type": types[k], "importance": round(sum(v) / len(told), 6)}
                for k, v in total.items()
            ),
            key=lambda row: -row["importance"],
        )
        first["rows"] = sum(int(one.get("rows", 0)) for one in told)
        first["algorithm"] = f"{LABELS.get(self.name, self.name)}, one model per action"
        first.pop("points", None)
        return first


def arm_rows(data: Dataset, action: int) -> Dataset:
    """Return all rows, with outcomes known only where the action was taken: what its model sees."""
    if data.logged is None:
        raise DataError.missing_column("", "the action taken", [], "key past.action")
    inside = (data.logged.taken == action) & (data.weight > 0)
    return replace(data, outcome=np.where(inside, data.outcome, np.int16(-1)).astype(np.int16))


def _modelled(data: Dataset) -> tuple[list[int], tuple[int, ...]]:
    """Return the actions that get a model, and for each action the place of its model."""
    decision = data.decision
    past = decision.past
    names = decision.action_names
    known = past.outcomes_known if past is not None and past.outcomes_known else names
    own = [code for code, name in enumerate(names) if name in known]
    return own, tuple(own.index(code) if code in own else 0 for code in range(len(names)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossFittedArms:
    """Out-of-fold predictions of each candidate under every action, and how amounts were chosen."""

    scored: Mapping[str, ScoredArms]
    failures: Mapping[str, str]
    amounts: tuple[amount_models.CrossFittedAmounts | None, ...]


def cross_fit(
    data: Dataset,
    contract: Contract,
    names: Sequence[str],
    *,
    folds: int,
    seed: int,
    progress: Progress,
) -> CrossFittedArms:
    """Fit every candidate per action and fold; every row is predicted by models that never saw it.

    Raises
    ------
    DataError, TrainingError
        As :func:`payoff.model.tabular.cross_fit`; the message names the action.
    """
    own, use = _modelled(data)
    crossed: list[tabular.CrossFitted] = []
    failures: dict[str, str] = {}
    later: list[amount_models.CrossFittedAmounts | None] = []
    for action in own:
        rows = arm_rows(data, action)
        label = data.decision.action_names[action]
        _enough(rows, label)
        found = tabular.cross_fit(rows, contract, names, folds=folds, seed=seed, progress=progress)
        crossed.append(found)
        failures |= {f"{k} ({label})": why for k, why in found.failures.items()}
        later.append(
            amount_models.cross_fit(rows, contract, folds=found.folds, seed=seed, progress=progress)
            if amount_models.needs(data.decision)
            else None
        )
    scored = {}
    for name in names:
        if any(name not in found.scored for found in crossed):
            continue
        amounts = [dict(one.amounts) if one else {} for one in later]
        scored[name] = ScoredArms(
            prob=np.stack([crossed[k].scored[name].prob for k in use], axis=1),
            amounts=tuple(amounts[k] for k in use),
            part=data.part,
            source=LABELS.get(name, name),
        )
    return CrossFittedArms(scored=scored, failures=failures, amounts=tuple(later))


def _enough(rows: Dataset, label: str) -> None:
    seen = np.unique(rows.outcome[rows.outcome >= 0])
    if len(seen) < 2:
        what = f"fit rows of each outcome where {label!r} was done"
        raise DataError.too_few(
            what,
            len(seen),
            2,
            "Use a longer window, or leave out an action that was hardly ever taken. If outcomes "
            "are recorded under some actions only, name these in past.outcomes_known",
        )


def fit(
    data: Dataset,
    contract: Contract,
    name: str,
    *,
    seed: int,
    progress: Progress,
    crossed: CrossFittedArms,
) -> ArmModels:
    """Fit one candidate per action on all rows that got it; calibration is added later."""
    own, use = _modelled(data)
    arms = []
    for k, action in enumerate(own):
        rows = arm_rows(data, action)
        later = crossed.amounts[k]
        arms.append(
            Arm(
                model=tabular.fit(rows, contract, name, seed=seed, progress=progress),
                calibrator=Calibrator.raw(len(data.decision.outcomes)),
                amounts=None
                if later is None
                else amount_models.fit(rows, contract, seed=seed, progress=progress, crossed=later),
            )
        )
    return ArmModels(
        name=name,
        actions=data.decision.action_names,
        outcomes=data.decision.outcome_names,
        arms=tuple(arms),
        use=use,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assignment:
    """How the features tell which action was taken.

    Parameters
    ----------
    fitted
        float64 (n, n_actions), out of fold, for the rows it was fitted on.
    model
        Predicts other rows.
    """

    fitted: NDArray[np.float64]
    model: TabularModel


def assignment(data: Dataset, contract: Contract, *, folds: int, seed: int) -> Assignment:
    """Model the action taken from the features: propensities, and a test of chance.

    A logistic regression, cross-fitted for the rows it is fitted on.

    Raises
    ------
    DataError
        ``PAY-L008`` when one action only was taken: nothing can be said of the others.
    """
    decision = data.decision
    if data.logged is None:
        raise DataError.missing_column("", "the action taken", [], "key past.action")
    taken = data.logged.taken
    if len(taken) and taken[0] >= 0 and (taken == taken[0]).all():
        raise DataError.one_action(decision.action_names[int(taken[0])], len(taken))
    aside = Decision(
        name="assignment",
        currency=decision.currency,
        outcomes=tuple(Outcome(name=a, values=(a,)) for a in decision.action_names),
        actions=(Action(name="this"), Action(name="that")),
        payoffs=PayoffTable.of(
            {a: dict.fromkeys(decision.action_names, 0) for a in ("this", "that")}
        ),
    )
    rows = replace(data, decision=aside, outcome=data.logged.taken.copy())
    found = tabular.cross_fit(
        rows, contract, ("logistic",), folds=folds, seed=seed, progress=silent
    )
    model = tabular.fit(rows, contract, "logistic", seed=seed, progress=silent)
    return Assignment(fitted=found.scored["logistic"].prob, model=model)
