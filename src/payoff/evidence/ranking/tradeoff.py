"""The trade-off of lists: every measure of every option, the front, and the choice.

Money decides. Beside it stands what else a list is good for, what it takes, for whom another one
would be better, and what no replay can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from payoff.errors import percent
from payoff.evidence.evidence import Estimate, SubgroupEvidence
from payoff.evidence.ranking.experiment import experiment
from payoff.evidence.ranking.front import front_of
from payoff.evidence.ranking.judged import ListsJudged, Shown
from payoff.evidence.ranking.kept import WORDS, kept, written
from payoff.evidence.ranking.measures import (
    ACCURACY,
    PERIOD_DAYS,
    UNITS,
    ListMeasures,
    lists_per_user,
    priced,
    told,
)
from payoff.evidence.ranking.whom import gaps, wins
from payoff.evidence.wording import about, money, quoted

__all__ = ["listed_words", "tradeoff"]

#: What the front is made of, beside money; diversity where it was measured.
_FRONT: Final = ("ndcg", "coverage", "novelty", "diversity")
_MOST_NAMED: Final = 4

Measures = Mapping[str, ListMeasures]


def tradeoff(
    judged: ListsJudged, measures: Measures, subgroups: tuple[SubgroupEvidence, ...]
) -> dict[str, Any]:
    """Return the record of the trade-off.

    Parameters
    ----------
    measures
        Policy -> its measures.
    subgroups
        The evidence of the groups of users.

    Returns
    -------
    dict
        ``n``, ``buyers``, ``places``, ``window``, ``policies``, ``exposure``, ``front``,
        ``choice``, ``gives_up``, ``whom``, ``gaps``, ``cold``, ``replay``, ``experiment`` and
        ``sentences``; see ``docs/reference/evidence-json.md``.
    """
    window = _window(judged)
    front = _front(judged, measures)
    found: dict[str, Any] = {
        "n": judged.n,
        "buyers": len(np.unique(judged.stakes.pair // judged.stakes.n_items)),
        "n_items": judged.stakes.n_items,
        "places": judged.shown[0].listed.lists.shape[1],
        "level": judged.decision.evidence.level,
        "window": window,
        "policies": [
            _policy(judged, s, measures[s.name], window, front["beaten_by"]) for s in judged.shown
        ],
        "exposure": _exposure(judged, measures),
        "front": front,
        "choice": _choice(judged, measures),
        "gives_up": _gives_up(judged, measures),
        "whom": wins(judged, subgroups),
        "gaps": gaps(judged, measures[judged.shown[0].name], subgroups),
        "cold": _cold(judged),
        "replay": _replay(judged),
        "experiment": experiment(judged),
    }
    return found | {"sentences": _sentences(found)}


def _window(judged: ListsJudged) -> dict[str, Any]:
    """Return how long the judging part is, and how many of it make one declared period."""
    days, period = judged.stakes.days, judged.decision.period
    if not days:
        why = "the time of the interactions is not a date, or of one moment only"
        return {"days": None, "per_period": {"not_measured": why}}
    length = PERIOD_DAYS.get(period)
    if length is None:
        return {"days": days, "per_period": {"not_measured": f"a {period} has no declared length"}}
    found = {"days": days, "per_period": {"value": length / days, "period": period}}
    return found | {"lists_per_user": lists_per_user(judged)}


def _policy(
    judged: ListsJudged,
    shown: Shown,
    measures: ListMeasures,
    window: Mapping[str, Any],
    beaten: Mapping[str, list[str]],
) -> dict[str, Any]:
    """Return every measure of one policy."""
    evidence = next(p for p in judged.policies if p.name == shown.name)
    money = {
        "money": evidence.value,
        "revenue": measures.figures["value"],
        "margin": measures.figures["margin"],
    }
    factor = window["per_period"].get("value")
    unit = f"{judged.decision.currency} per user and {judged.decision.period}"
    beyond = {name: told(measures.figures[name]) for name in _beyond(measures)}
    return {
        "policy": shown.name,
        "per_list": {name: told(e) for name, e in money.items()},
        "per_user_period": {
            name: told(e.scaled(factor, unit)) if factor else dict(window["per_period"])
            for name, e in money.items()
        },
        "hits": told(
            judged.worth(shown.hits, unit="hits per list", constant=True, identical=_nothing(shown))
        ),
        "accuracy": {name: told(measures.figures[name]) for name in ACCURACY},
        "beyond": {
            **beyond,
            **{name: _whole(measures.overall[name]) for name in measures.overall},
        },
        "cost": priced(judged, shown),
        "front": shown.name in beaten and not beaten[shown.name],
        "beaten_by": beaten.get(shown.name, []),
    }


def _beyond(measures: ListMeasures) -> list[str]:
    return [name for name in ("novelty", "popularity", "diversity") if name in measures.figures]


def _whole(value: float) -> float | None:
    """Return a figure counted over all lists; it has no interval, and none where none is shown."""
    return None if np.isnan(value) else value


def _front(judged: ListsJudged, measures: Measures) -> dict[str, Any]:
    """Return the options that no other beats in money, accuracy, coverage, novelty, diversity."""
    shown = [s.name for s in judged.shown if s.length.any()]
    names = [m for m in _FRONT if shown and all(measures[n].value(m) is not None for n in shown)]
    values = {p.name: p.value.value for p in judged.policies}
    figures = {
        n: {
            "money": float(values[n] or 0.0),
            **{m: float(measures[n].value(m) or 0) for m in names},
        }
        for n in shown
    }
    by = front_of(figures, ["money", *names])
    labels = {p.name: p.label for p in judged.policies}
    own = judged.policies[0]
    on = [n for n in by if not by[n]]
    what = listed_words(["money", *names])
    if own.name not in by:
        sentence = "The recommended option shows nothing, so it is not compared."
    elif by[own.name]:
        better = listed_words([quoted(labels[n]) for n in by[own.name][:_MOST_NAMED]])
        sentence = f"{quoted(own.label)} is beaten in {what} at once by {better}."
    else:
        others = [quoted(labels[n]) for n in on if n != own.name]
        beside = f" Nor {_beats(others)}." if others else ""
        sentence = f"No option beats {quoted(own.label)} in {what} at once.{beside}"
    return {
        "measures": ["money", *names],
        "figures": figures,
        "beaten_by": by,
        "on": on,
        "sentence": sentence,
    }


def _beats(others: list[str]) -> str:
    more = len(others) - _MOST_NAMED
    named = others[:_MOST_NAMED] + ([f"{more} more"] if more > 0 else [])
    return f"does any beat {listed_words(named)}"


def listed_words(names: list[str]) -> str:
    """Join words, measures by their name.

    Examples
    --------
    >>> listed_words(["money", "ndcg", "coverage"])
    'money, nDCG and coverage of the catalogue'
    """
    said = [WORDS.get(n, n) for n in names]
    return " and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else "".join(said)


def _exposure(judged: ListsJudged, measures: Measures) -> list[dict[str, Any]]:
    """Return, for each group of items, its share of places beside catalogue and purchases."""
    stakes, items = judged.stakes, judged.items
    item = stakes.pair % stakes.n_items
    found = []
    for name, (labels, codes) in items.groups.items():
        for code, label in enumerate(labels):
            own = codes == code
            found.append(
                {
                    "group": name,
                    "label": label,
                    "items": int(own.sum()),
                    "catalogue": float(own[items.allowed].mean()) if items.allowed.any() else None,
                    "had": _part(items.popularity.astype(float), own),
                    "bought": _part(stakes.hit, own[item]),
                    "shown": {n: told(m.shares[name][label]) for n, m in measures.items()},
                }
            )
    return found


def _part(values: Any, own: Any) -> float | None:
    total = float(values.sum())
    return float(values[own].sum()) / total if total > 0 else None


def _choice(judged: ListsJudged, measures: Measures) -> dict[str, Any]:
    """Return how the recommended option was chosen, and whether it kept to the constraints."""
    own = judged.policies[0]
    rules = kept(judged, measures[own.name])
    state = {rule["state"] for rule in rules}
    held = (
        "No constraint on lists is declared."
        if not rules
        else "On the users judged it kept to every declared constraint."
        if state == {"met"}
        else " ".join(r["sentence"] for r in rules if r["state"] != "met")
    )
    among = " among those that kept to the constraints there" if rules else ""
    return {
        "chosen": own.name,
        "by": f"most money on the choosing part{among}",
        "constraints": rules,
        "sentence": f"{quoted(own.label)} was chosen for earning most on the choosing part{among}. "
        f"{held}",
    }


def _gives_up(judged: ListsJudged, measures: Measures) -> dict[str, Any]:
    """Compare the recommended lists with those of the runner-up, measure by measure, paired."""
    others = [p for p in judged.policies[1:] if judged.of(p.name).length.any()]
    if not others:
        return {"not_measured": "no other option shows a list"}
    second = max(others, key=lambda p: p.value.value or 0.0)
    own, other = judged.shown[0], judged.of(second.name)
    a, b = measures[own.name], measures[other.name]
    same = "" if np.any(own.listed.lists != other.listed.lists) else "the lists are the same"
    paired = {"money": judged.worth(own.money - other.money, identical=same)}
    for name in ("value", "margin", *ACCURACY, "novelty", "popularity", "diversity"):
        if name not in a.by_user or name not in b.by_user:
            continue
        difference = a.by_user[name] - b.by_user[name]
        known = difference[~np.isnan(difference)]
        if not len(known):
            continue
        key = "revenue" if name == "value" else name
        unit = judged.decision.value_unit if name in ("value", "margin") else UNITS[name]
        alike = same or ("" if np.any(known) else "it is the same for every user")
        paired[key] = judged.worth(
            known, unit=unit, identical=alike, constant=name not in ("value", "margin")
        )
    counted = {
        name: (a.overall[name] - b.overall[name])
        for name in ("coverage", "gini")
        if not np.isnan(a.overall[name] - b.overall[name])
    }
    total = judged.total(paired["money"])
    return {
        "against": second.name,
        "paired": {name: told(e) for name, e in paired.items()},
        "total": told(total),
        "counted": counted,
        "sentence": _given_up(judged, second.label, total, paired, counted),
    }


def _given_up(
    judged: ListsJudged,
    label: str,
    total: Estimate,
    paired: Mapping[str, Estimate],
    counted: Mapping[str, float],
) -> str:
    """Say what taking the runner-up instead would cost, and what it would bring."""
    ahead = (total.value or 0.0) >= 0
    word = "less" if ahead else "more"
    turned = total if ahead else total.turned()
    much = money(turned)
    if turned.value is not None and turned.low is None:
        much = about(turned.value, turned.unit)
    said = f"{quoted(label)} instead would earn {much} {word}"
    better = [
        f"{WORDS[name]} by {written(name, -(e.value or 0.0))}"
        + (" bits" if name == "novelty" else "")
        for name, e in paired.items()
        if name in ("ndcg", "hit_rate", "novelty", "diversity")
        and e.high is not None
        and e.high < 0
    ]
    if counted.get("coverage", 0.0) < 0:
        better.append(f"coverage by {percent(-counted['coverage'])} of the catalogue")
    rest = (
        f"; it is ahead in {', '.join(better)}" if better else "; it is ahead in no other measure"
    )
    return f"{said}{rest if judged.n > 1 else ''}."


def _cold(judged: ListsJudged) -> dict[str, Any]:
    """Return figures of users without a history and of items that nobody had before."""
    stakes, items = judged.stakes, judged.items
    new, cold = stakes.known == 0, items.popularity == 0
    item = stakes.pair % stakes.n_items
    users = {
        "n": int(new.sum()),
        "share": float(new.mean()),
        "money": {
            s.name: told(judged.worth(s.money[new], identical=_nothing(s)))
            if new.any()
            else {"not_measured": "every user judged had a history"}
            for s in judged.shown
        },
    }
    total = float(stakes.hit.sum())
    own = {
        s.name: {
            "places": _places(s, cold),
            "hits": int(cold[s.listed.lists[s.row, s.rank]].sum()),
        }
        for s in judged.shown
    }
    return {
        "users": users,
        "items": {
            "n": int((cold & items.allowed).sum()),
            "share": float(cold[items.allowed].mean()) if items.allowed.any() else None,
            "bought": float(stakes.hit[cold[item]].sum()) / total if total > 0 else None,
            "policies": own,
        },
    }


def _nothing(shown: Shown) -> str:
    return "" if shown.length.any() else "it shows nothing, which earns nothing"


def _places(shown: Shown, cold: Any) -> float | None:
    lists = shown.listed.lists
    places = lists[lists >= 0]
    return float(cold[places].mean()) if len(places) else None


def _replay(judged: ListsJudged) -> dict[str, Any]:
    """Say what counting hits cannot tell: what users would have bought without the list."""
    own = judged.shown[0]
    hit = judged.stakes.hit[own.place]
    total = float(hit.sum())
    also = {
        s.name: float(hit[np.isin(own.place, s.place)].sum()) / total
        for s in judged.shown[1:]
        if total > 0 and s.listed.policy.baseline and s.length.any()
    }
    rules = judged.decision.recommend
    active = rules is None or rules.list.shown_to == "active"
    said = [
        "Every hit is an item that the user bought without being shown this list. A list changes "
        "what is bought: some of this money would have come anyway, and some that a list would "
        "bring is not in it. The figures compare options; they are not what a list adds.",
    ]
    if also:
        most = max(also, key=lambda n: also[n])
        label = quoted(next(p.label for p in judged.policies if p.name == most))
        said.append(
            f"{percent(also[most])} of the money of hits is of items that {label} would have shown "
            "the same user."
        )
    said.append(
        "Only users who did something in the judging part are counted; lists shown to users who "
        "then buy nothing earn less than these figures say."
        if active
        else "All users known before the judging part are counted, also those who then bought "
        "nothing."
    )
    return {
        "shown_to": "active" if active else "known",
        "also_listed": also,
        "sentences": said,
    }


def _sentences(found: Mapping[str, Any]) -> list[str]:
    """Return what a manager can repeat, the weightiest first."""
    said = [found["choice"]["sentence"], found["front"]["sentence"]]
    said += [found["gives_up"]["sentence"]] if "sentence" in found["gives_up"] else []
    said += list(found["whom"].get("sentences", ()))[:1]
    return said
