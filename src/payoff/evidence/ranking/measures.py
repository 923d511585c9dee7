"""Every measure of the lists of one policy, each with its interval over users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.evidence import Estimate
from payoff.evidence.ranking.accuracy import accuracy
from payoff.evidence.ranking.beyond import exposure
from payoff.evidence.ranking.judged import ListsJudged, Shown

__all__ = [
    "ACCURACY",
    "PERIOD_DAYS",
    "UNITS",
    "ListMeasures",
    "lists_per_user",
    "measures_of",
    "none",
    "priced",
    "told",
]

#: Accuracy measures, in the order of tables.
ACCURACY: Final = ("ndcg", "recall", "map", "mrr", "hit_rate", "precision")
#: Measure -> unit of its figure.
UNITS: Final[Mapping[str, str]] = {
    "ndcg": "score from 0 to 1",
    "recall": "share",
    "map": "score from 0 to 1",
    "mrr": "score from 0 to 1",
    "hit_rate": "share",
    "precision": "share",
    "novelty": "bits",
    "popularity": "share of users",
    "diversity": "score from 0 to 1",
    "coverage": "share of the catalogue",
    "gini": "from 0, all alike, to 1",
}
#: Declared period -> days; a campaign has no length.
PERIOD_DAYS: Final[Mapping[str, float]] = {
    "day": 1.0,
    "week": 7.0,
    "month": 365.25 / 12,
    "quarter": 365.25 / 4,
    "year": 365.25,
}
_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ListMeasures:
    """The measures of one policy.

    Parameters
    ----------
    name
        The policy.
    by_user
        Measure -> float64 (n,), not-a-number for users it says nothing of.
    figures
        Measure -> estimate, of those that are means over users.
    overall
        ``coverage``, ``gini`` and ``entropy_items``, counted over all lists.
    shown
        int64 (m,), in how many lists each item stands.
    shares
        Declared group of items -> label -> estimate of the share of all places.
    """

    name: str
    by_user: Mapping[str, NDArray[np.float64]]
    figures: Mapping[str, Estimate]
    overall: Mapping[str, float]
    shown: NDArray[np.int64]
    shares: Mapping[str, Mapping[str, Estimate]]

    def value(self, measure: str) -> float | None:
        """Return the figure of a measure, also of a share of places; None where there is none."""
        found = self.estimate(measure)
        if found is not None:
            return found.value
        value = self.overall.get(measure)
        return None if value is None or np.isnan(value) else float(value)

    def estimate(self, measure: str) -> Estimate | None:
        """Return the estimate of a measure; None for those counted over all lists."""
        if measure.startswith("share:"):
            column, _, label = measure.removeprefix("share:").partition("=")
            return self.shares.get(column.strip(), {}).get(label.strip())
        return self.figures.get(measure)


def measures_of(judged: ListsJudged, shown: Shown) -> ListMeasures:
    """Measure the lists of one policy: accuracy, money of what was bought, and what they show.

    Notes
    -----
    Definitions: :data:`payoff.evidence.ranking.accuracy.MEASURES` and
    :data:`payoff.evidence.ranking.beyond.BEYOND`, at the full length of the lists. Accuracy is over
    users who bought something; money over all users.
    """
    stakes, items = judged.stakes, judged.items
    lists = shown.listed.lists
    k, m = lists.shape[1], stakes.n_items
    user, item = np.divmod(stakes.pair, m)
    right = accuracy(lists, user, item, n_items=m, at=[k])
    by_user = {name: right.by_user[name][:, 0] for name in ACCURACY}
    seen = exposure(
        lists,
        items.popularity,
        max(items.n_users, int(items.popularity.max(initial=0))),
        attributes=items.attributes,
    )
    by_user |= {"value": shown.value, "margin": shown.margin, **seen.by_user}
    empty = "" if shown.length.any() else "it shows nothing"
    figures = {name: _figure(judged, name, by_user[name], empty) for name in by_user}
    return ListMeasures(
        name=shown.name,
        by_user=by_user,
        figures=figures,
        overall=seen.overall,
        shown=seen.shown,
        shares={
            name: _shares(judged, lists, labels, codes)
            for name, (labels, codes) in items.groups.items()
        },
    )


def _figure(judged: ListsJudged, name: str, values: NDArray[np.float64], empty: str) -> Estimate:
    money = name in ("value", "margin")
    unit = judged.decision.value_unit if money else UNITS[name]
    told = values[~np.isnan(values)]
    if not len(told):
        return none(judged, unit, empty or "no user's list says anything of it")
    if empty:
        return judged.worth(told, unit=unit, identical=empty)
    return judged.worth(told, unit=unit, constant=not money)


def none(judged: ListsJudged, unit: str, reason: str) -> Estimate:
    """Return a figure that has no value, and why."""
    return Estimate(
        value=None,
        low=None,
        high=None,
        level=judged.decision.evidence.level,
        unit=unit,
        n=0,
        n_clusters=0,
        method="none",
        reason=reason,
    )


def _shares(
    judged: ListsJudged,
    lists: NDArray[np.int32],
    labels: tuple[str, ...],
    codes: NDArray[np.int32],
) -> dict[str, Estimate]:
    """Return the share of all places that items of each group take; a user is one case."""
    # The last code catches items whose group is not known and, beyond it, places that are empty.
    group = np.append(np.where(codes < 0, len(labels), codes), len(labels) + 1)[lists]
    places = (lists >= 0).sum(axis=1).astype(np.float64)
    found = {}
    for code, label in enumerate(labels):
        if not places.any():
            found[label] = none(judged, "share", "it shows nothing")
            continue
        own = (group == code).sum(axis=1).astype(np.float64)
        part = np.divide(own, places, out=np.zeros_like(own), where=places > 0)
        found[label] = judged.worth(part, weight=places, unit="share", constant=True)
    return found


def lists_per_user(judged: ListsJudged) -> float | None:
    """Return how many lists each user judged would get in the judging part, at the volume declared.

    ``volume * days of the part / days of a period / users judged``; None where a length or the
    volume is not known. Each list was judged by all that its user bought in the part, so beyond 1
    money per period counts purchases more than once, unless there are more users than were judged.
    """
    days, length = judged.stakes.days, PERIOD_DAYS.get(judged.decision.period)
    volume = judged.decision.volume
    if not days or length is None or volume is None:
        return None
    return volume * days / length / judged.n


def priced(judged: ListsJudged, shown: Shown) -> dict[str, Any]:
    """Return what making the lists takes, and its price per period where computing is priced.

    Returns
    -------
    dict
        ``fit_seconds``, ``fit_bytes``, ``model_bytes``, ``ms_per_list`` (None where not measured),
        and ``per_period``: money of fitting ``fits_per_period`` times and of making every list of a
        period, or ``not_measured``.
    """
    cost = shown.listed.cost
    names = ("fit_seconds", "fit_bytes", "model_bytes", "ms_per_list")
    told: dict[str, Any] = {name: cost.get(name) for name in names}
    rules = judged.decision.recommend
    price = None if rules is None else rules.list.cpu_hour
    missing = [n for n in ("fit_seconds", "ms_per_list") if cost.get(n) is None]
    if rules is None or price is None:
        return told | {"per_period": {"not_measured": "'cpu_hour' is not declared in [list]"}}
    if judged.decision.volume is None:
        return told | {"per_period": {"not_measured": "'volume' is not declared in [decision]"}}
    if missing and not shown.listed.policy.baseline:
        return told | {"per_period": {"not_measured": f"{missing[0]} was not measured"}}
    fitting = cost.get("fit_seconds", 0.0) * rules.list.fits_per_period
    listing = cost.get("ms_per_list", 0.0) / 1000 * judged.decision.volume
    money = price * (fitting + listing) / _HOUR
    return told | {"per_period": {"value": money, "unit": judged.decision.money_unit}}


def told(found: Estimate) -> dict[str, Any]:
    """Return an estimate as a mapping, or why there is none."""
    if found.value is None:
        return {"not_measured": found.reason}
    return asdict(found)
