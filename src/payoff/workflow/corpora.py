"""Two figures about documents that need a trained model: what twins add, and doubtful labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.clusters import cluster_sums
from payoff.errors import PayoffError, counted, percent
from payoff.evidence.interval import mean_money
from payoff.evidence.wording import money as in_words
from payoff.evidence.worth import worth
from payoff.load.multilabel import label_codes
from payoff.load.roles import own_clusters
from payoff.load.text.sheet import label_suspects, with_suspects
from payoff.model.scored import Scored
from payoff.policy.choose import actions_of, best_policy, earned
from payoff.policy.stakes import Choosing, stakes_to_choose

if TYPE_CHECKING:
    from payoff.load.dataset import Dataset
    from payoff.load.fields import Contract
    from payoff.model.kinds import Trainer
    from payoff.progress import Progress

__all__ = ["CorpusFigures", "inflation", "measure"]

#: With more rows the second cross-fitting would take longer than everything else.
_MOST_ROWS: Final = 20_000
#: Fewer twins among the fitting rows cannot move a figure that a reader would see.
_FEWEST_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusFigures:
    """What training says about the documents; both empty where a decision reads none.

    Parameters
    ----------
    inflation
        See :func:`inflation`.
    label_noise
        See :func:`~payoff.load.text.sheet.label_suspects`; rows are places in the source.
    """

    inflation: Mapping[str, Any]
    label_noise: Mapping[str, Any]

    def in_split(self, how: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the record of the split with the inflation in it, where it was not known before.

        A reason that the split gave itself (twins are not kept together) stays.
        """
        if not self.inflation or how["twins"]["rule"] != "keep together":
            return how
        return {**how, "twins": {**how["twins"], "inflation": dict(self.inflation)}}

    def in_corpus(self, sheet: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the data sheet with the doubtful labels in it."""
        return with_suspects(sheet, self.label_noise) if self.label_noise else sheet


def measure(
    fit: Dataset,
    contract: Contract,
    trainer: Trainer,
    kept: Scored,
    name: str,
    *,
    progress: Progress,
) -> CorpusFigures:
    """Return both figures for the rows that fitted the model, from its cross-fitted predictions.

    Parameters
    ----------
    fit
        The fit part.
    kept
        Out-of-fold predictions of the chosen candidate, twins in one fold.
    name
        The chosen candidate.
    """
    if not fit.decision.data.text:
        return CorpusFigures(inflation={}, label_noise={})
    found = label_suspects(kept.prob, fit.outcome)
    rows = [{**row, "row": int(fit.place[row["row"]])} for row in found["rows"]]
    if fit.decision.multilabel is not None:
        names, codes = fit.decision.multilabel.names, label_codes(fit.table, fit.decision)
        asked = [names[codes[row["row"]]] for row in found["rows"]]
        rows = [{**row, "label": name} for row, name in zip(rows, asked, strict=True)]
    noise = {**found, "rows": rows, "labels": int(np.sum(fit.outcome >= 0))}
    return CorpusFigures(
        inflation=inflation(fit, contract, trainer, kept, name, progress=progress),
        label_noise=noise,
    )


def inflation(
    fit: Dataset,
    contract: Contract,
    trainer: Trainer,
    kept: Scored,
    name: str,
    *,
    progress: Progress,
) -> dict[str, Any]:
    """Measure what twins on both sides would have added to value and accuracy.

    The candidate is cross-fitted again, with twins dealt to folds like any other row, and compared
    row by row with its predictions when they share a fold. Twins are resampled together.

    Returns
    -------
    dict
        ``value`` (money per unit) and ``accuracy`` (share): estimates of the difference, fitted
        beside twins less twins kept together; ``accuracy_kept`` and ``accuracy_beside``; ``rows``
        (in groups of two and more), ``n``, ``sentences``. Or ``{"not_measured": reason}``.
    """
    if fit.decision.text.twins != "keep together" or fit.twins is None:
        return {"not_measured": "twins are not kept together"}
    twin = np.bincount(fit.twins)[fit.twins] > 1
    if not twin.any():
        return {"not_measured": "no document of the fitting part is a copy of another there"}
    if twin.mean() < _FEWEST_SHARE:
        return {
            "not_measured": f"{counted(int(twin.sum()), 'fitting row')} of {len(fit):,} are copies "
            "of another, too few to move the figures"
        }
    if len(fit) > _MOST_ROWS:
        return {
            "not_measured": f"with more than {_MOST_ROWS:,} fitting rows a second cross-fitting "
            "would take longer than all the rest"
        }
    decision = fit.decision
    apart = replace(fit, twins=None, cluster=own_clusters(fit.table, decision, fit.document))

    def again(stage: str, done: int, total: int, note: str = "") -> None:
        progress(f"{stage} beside twins", done, total, note)

    try:
        crossed = trainer.cross_fit(
            apart,
            contract,
            (name,),
            folds=decision.training.folds,
            seed=decision.training.seed,
            progress=again,
        )
    except PayoffError as error:
        return {"not_measured": f"cross-fitting again failed: {error.what}"}
    beside = replace(crossed.scored[name], amounts=kept.amounts)
    return _compared(fit, kept, beside, twin)


def _compared(
    fit: Dataset, kept: Scored, beside: Scored, twin: NDArray[np.bool_]
) -> dict[str, Any]:
    decision = fit.decision
    with_, without = stakes_to_choose(fit, beside), stakes_to_choose(fit, kept)
    same = "both cross-fittings decide every row alike"
    gain = _earned(fit, with_) - _earned(fit, without)
    money = worth(decision, without, gain, identical="" if gain.any() else same)
    known = np.flatnonzero((fit.outcome >= 0) & (fit.weight > 0))
    right = [_right(one, fit)[known] for one in (kept, beside)]
    difference = right[1] - right[0]
    weight = fit.weight[known]
    share = mean_money(
        cluster_sums(difference, weight, fit.cluster[known]),
        level=decision.evidence.level,
        unit="share",
        identical="" if difference.any() else "both call the same rows right",
        constant=True,
    )
    before, after = (float(np.average(r, weights=weight)) for r in right)
    sentences = [
        f"{counted(int(twin.sum()), 'fitting row')} of {len(fit):,} are copies or near copies of "
        f"another. Had they been on both sides, accuracy would read {percent(after)} instead of "
        f"{percent(before)}.",
        f"The model's value would differ by {in_words(money)}"
        + (f"; no interval, because {money.reason}." if money.low is None else "."),
    ]
    return {
        "value": asdict(money),
        "accuracy": asdict(share),
        "accuracy_kept": before,
        "accuracy_beside": after,
        "n": len(known),
        "rows": int(twin.sum()),
        "sentences": sentences,
    }


def _earned(fit: Dataset, at_stake: Choosing) -> NDArray[np.float64]:
    policy = best_policy(fit.decision, at_stake)
    return earned(fit.decision, policy, actions_of(policy, at_stake), at_stake)


def _right(scored: Scored, fit: Dataset) -> NDArray[np.float64]:
    right: NDArray[np.float64] = (scored.prob.argmax(axis=1) == fit.outcome).astype(np.float64)
    return right
