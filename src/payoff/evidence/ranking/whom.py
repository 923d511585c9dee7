"""Which list wins for whom, and for whom the recommended lists are less accurate.

Every other option is compared with the recommended one in every group, all at once: the intervals
hold together, because each takes an equal part of the allowance for error (Bonferroni).
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.evidence.evidence import Estimate, SubgroupEvidence
from payoff.evidence.ranking.groups import HISTORY, history_of, places_of
from payoff.evidence.ranking.judged import ListsJudged
from payoff.evidence.ranking.measures import ListMeasures, told
from payoff.evidence.subgroups.simultaneous import cases_of, contrast
from payoff.evidence.wording import money, number, quoted
from payoff.policy.bounds import Group
from payoff.rng import generator

__all__ = ["gaps", "wins"]

#: Accuracy that is compared between groups of users.
_GAPS: Final = ("ndcg", "hit_rate")


def _groups(judged: ListsJudged) -> dict[str, Group]:
    return {**judged.groups, HISTORY: history_of(judged.stakes.known)}


def wins(judged: ListsJudged, subgroups: tuple[SubgroupEvidence, ...]) -> dict[str, Any]:
    """Say for each group of users which option earns most, and whether that is beyond chance.

    Parameters
    ----------
    subgroups
        The evidence of the groups: those without figures there have none here.

    Returns
    -------
    dict
        ``level``, ``comparisons`` (how many are made at once), ``groups``: for each ``subgroup``,
        ``group``, ``n``, ``best`` (policy of the highest mean), ``value`` (its money per list) and
        ``more`` (estimate of its money over the recommended policy's, simultaneous; None where it
        is the recommended), ``beyond_chance`` (policies that earn more than the recommended one,
        all comparisons considered); ``sentences``.
    """
    places = places_of(_groups(judged))
    rows: list[tuple[str, str, NDArray[np.int64]]] = []
    for subgroup in subgroups:
        for code, group in enumerate(subgroup.groups):
            if group.state == "ok":
                rows.append(
                    (subgroup.name, group.label, np.flatnonzero(places[subgroup.name] == code))
                )
    others = [s for s in judged.shown[1:] if s.length.any()]
    count = len(rows) * len(others)
    if not count:
        return {"not_measured": "there is one list only, or no group that is large enough"}
    declared = judged.decision.evidence.level
    level = 1 - (1 - declared) / count
    found = [_group(judged, row, [s.name for s in others], level) for row in rows]
    return {
        "level": declared,
        "comparisons": count,
        "unit": judged.decision.value_unit,
        "groups": found,
        "sentences": _sentences(judged, found),
    }


def _group(
    judged: ListsJudged,
    row: tuple[str, str, NDArray[np.int64]],
    others: list[str],
    level: float,
) -> dict[str, Any]:
    subgroup, label, users = row
    own = judged.shown[0]
    more = {
        name: _difference(judged, judged.money(name)[users] - own.money[users], level)
        for name in others
    }
    means = {own.name: float(own.money[users].mean())}
    means |= {name: float(judged.money(name)[users].mean()) for name in others}
    best = max(means, key=lambda k: means[k])
    return {
        "subgroup": subgroup,
        "group": label,
        "n": len(users),
        "best": best,
        "value": means[best],
        "recommended": means[own.name],
        "more": None if best == own.name else asdict(more[best]),
        "beyond_chance": [n for n, e in more.items() if e.low is not None and e.low > 0],
    }


def _difference(judged: ListsJudged, values: NDArray[np.float64], level: float) -> Estimate:
    """Estimate a paired difference so that all comparisons hold together at the declared level."""
    same = "" if np.any(values) else "the two earn the same for every user"
    found = judged.worth(values, identical=same, level=level)
    method = found.method if found.method in ("none", "exact") else "bonferroni"
    return replace(found, level=judged.decision.evidence.level, method=method)


def _sentences(judged: ListsJudged, found: list[dict[str, Any]]) -> list[str]:
    labels = {p.name: p.label for p in judged.policies}
    own = quoted(judged.policies[0].label)
    sure = [g for g in found if g["best"] in g["beyond_chance"]]
    said = [
        f"For users with {g['subgroup']} {quoted(g['group'])}, {quoted(labels[g['best']])} earned "
        f"more than {own}: {money(Estimate(**g['more']))}."
        for g in sure[:3]
    ]
    if not sure:
        open_ = sum(g["best"] != judged.shown[0].name for g in found)
        beside = (
            f" In {open_} of {len(found)} groups another option earned more, by no more than "
            "chance may bring."
            if open_
            else ""
        )
        said = [
            f"In no group of users did another option earn more than {own} beyond chance.{beside}"
        ]
    return said


def gaps(
    judged: ListsJudged, measures: ListMeasures, subgroups: tuple[SubgroupEvidence, ...]
) -> dict[str, Any]:
    """Compare how accurate the recommended lists are for the groups of users.

    Returns
    -------
    dict
        ``subgroups``: for each ``name`` and measure (``ndcg``, ``hit_rate``) the ``groups`` with
        ``n``, the estimate and ``p_adjusted`` (how often chance makes *any* group differ as much
        from the others), or ``not_measured``; ``sentences``.
    """
    groups = _groups(judged)
    places = places_of(groups)
    found: list[dict[str, Any]] = []
    for subgroup in subgroups:
        labels = [*groups[subgroup.name][0]]
        shown = np.array([g.state == "ok" for g in subgroup.groups][: len(labels)])
        for measure in _GAPS:
            values = measures.by_user[measure]
            known = np.flatnonzero(~np.isnan(values) & (places[subgroup.name] < len(labels)))
            found.append(
                {
                    "subgroup": subgroup.name,
                    "measure": measure,
                    **_compared(
                        judged,
                        labels,
                        values[known],
                        places[subgroup.name][known],
                        shown,
                        f"{subgroup.name}/{measure}",
                        len(groups) * len(_GAPS),
                    ),
                }
            )
    return {"subgroups": found, "sentences": _gap_sentences(judged, found)}


def _compared(
    judged: ListsJudged,
    labels: list[str],
    values: NDArray[np.float64],
    place: NDArray[np.int64],
    shown: NDArray[np.bool_],
    name: str,
    parts: int,
) -> dict[str, Any]:
    sizes = np.bincount(place, minlength=len(labels))
    fewest = judged.decision.evidence.smallest_group
    family = shown & (sizes >= fewest)
    if family.sum() < 2:
        return {"not_measured": "fewer than two groups are large enough to compare"}
    cases = cases_of(values, np.ones(len(values)), place, None)
    rng = generator(judged.seed, f"gaps/{name}")
    # Groups beyond the family stand among the others only.
    full = np.append(family, np.zeros(max(0, int(place.max()) + 1 - len(family)), bool))
    contrasted = contrast(cases, full, level=judged.decision.evidence.level, rng=rng)
    p = np.ones(len(full)) if contrasted is None else np.minimum(1, contrasted.p_adjusted * parts)
    return {
        "groups": [
            {
                "group": label,
                "n": int(sizes[k]),
                "figure": told(judged.worth(values[place == k], unit="score", constant=True)),
                "p_adjusted": float(p[k]),
            }
            for k, label in enumerate(labels)
            if family[k]
        ]
    }


def _gap_sentences(judged: ListsJudged, found: list[dict[str, Any]]) -> list[str]:
    limit = 1 - judged.decision.evidence.level
    said = []
    for one in found:
        if one["measure"] != "ndcg" or "groups" not in one:
            continue
        apart = [g for g in one["groups"] if g["p_adjusted"] <= limit]
        if not apart:
            continue
        named = "; ".join(
            f"{quoted(g['group'])} {number(g['figure']['value'])} ({g['n']:,} users)"
            for g in apart[:4]
        )
        said.append(f"By {one['subgroup']} the lists are not equally accurate (nDCG): {named}.")
    return said or [
        "No group of users stands out: how accurate lists are differs no more than chance makes "
        "groups differ."
    ]
