"""Errors as people: how many are acted on in vain, how many are missed, what it costs, and whom.

A mistake is a unit whose action was not the best one for what happened to it; a review is none. Per
kind of mistake (an action under an outcome) the counts are those of the confusion cells; the cost
is what the best action, known only afterwards, would have earned more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.declare.decision import plural
from payoff.declare.review import taken_by
from payoff.evidence.evidence import Cell, Estimate, PolicyEvidence
from payoff.evidence.measured import UNKNOWN_MISTAKES, GroupSums, Measured
from payoff.evidence.reviewed import act_chance, is_review, reviewed
from payoff.evidence.wording import about, quoted
from payoff.policy.choose import default_action

__all__ = ["people"]

_MOST_KINDS: Final = 12
_MOST_GROUPS: Final = 5


def people(judged: Measured) -> dict[str, Any]:
    """Return the mistakes of the recommended policy as people and money per period.

    Returns
    -------
    dict
        ``right`` and ``mistakes`` (counts per period with interval), ``kinds`` (action, outcome,
        ``word``, counts, money and cost per unit and per period), ``false_alarms`` and ``missed``
        for two outcomes, ``against`` (how many more or fewer than the reference), ``groups`` (who
        carries most of each), ``reviewed`` where a person may look first (see
        :func:`payoff.evidence.reviewed.reviewed`) and ``sentences``.
    """
    why = judged.why_not_by_outcome
    if why:
        return {"not_measured": why}
    decision = judged.decision
    own = judged.policies[0]
    kinds = [_kind(decision, c) for c in own.cells if c.regret_per_period > 1e-12 and c.n]
    kinds.sort(key=lambda k: -k["cost_per_period"])
    missing = {"not_measured": UNKNOWN_MISTAKES}
    wrong = judged.mistaken(own.name)
    found: dict[str, Any] = {
        "n": judged.n,
        "units": plural(decision.unit),
        "unit": decision.money_unit,
        "right": missing if wrong is None else _counted(judged, ~wrong),
        "mistakes": missing if wrong is None else _counted(judged, wrong),
        "cost": sum(c.regret_per_period for c in own.cells),
        "kinds": kinds[:_MOST_KINDS],
        "kinds_left_out": max(0, len(kinds) - _MOST_KINDS),
        "groups": [_group(decision, g) for g in judged.by_group()],
        "against": _against(judged, wrong),
    }
    looked_at = reviewed(judged)
    if looked_at is not None:
        found["reviewed"] = looked_at
    if len(decision.outcomes) == 2:
        found |= _two_outcomes(judged, own)
    return found | {"sentences": _sentences(judged, found)}


def _counted(judged: Measured, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Return units per period with Wilson's interval of their share."""
    return asdict(_per_period(judged.decision, judged.share(rows)))


def _per_period(decision: Decision, found: Estimate) -> Estimate:
    per = decision.period if decision.volume is not None else "1,000"
    return found.scaled(decision.units_reported, f"{plural(decision.unit)} per {per}")


def _kind(decision: Decision, cell: Cell) -> dict[str, Any]:
    return {
        "action": cell.action,
        "outcome": cell.outcome,
        "word": _word(decision, cell),
        "n": cell.n,
        "per_period": cell.per_period,
        "low": cell.low,
        "high": cell.high,
        "money_per_unit": cell.money_per_unit,
        "money_per_period": cell.money_per_period,
        "cost_per_unit": cell.regret_per_period / cell.per_period if cell.per_period else None,
        "cost_per_period": cell.regret_per_period,
    }


def _word(decision: Decision, cell: Cell) -> str:
    """Name a mistake as it is commonly called where there are two outcomes."""
    default = decision.action_names[default_action(decision)]
    if decision.actions[decision.action_names.index(cell.action)].review is not None:
        right, _ = taken_by(decision, cell.action, cell.outcome)
        return "needless review" if right == default else "needed review"
    idle = cell.action == default
    if len(decision.outcomes) > 2:
        return "wrong action"
    if cell.outcome == decision.positive:
        return "missed case" if idle else "wrong action"
    return "wrong action" if idle else "false alarm"


def _two_outcomes(judged: Measured, own: PolicyEvidence) -> dict[str, Any]:
    """Return false alarms, missed cases, and one in how many acted on is a false alarm.

    Units sent to a reviewer are none of these; see :mod:`payoff.evidence.reviewed`.
    """
    decision = judged.decision
    codes = judged.codes(own.name)
    left = codes == default_action(decision)
    acted = ~left & ~is_review(decision)[codes]
    hit = judged.outcomes == decision.positive_code
    idle = decision.action_names[default_action(decision)]

    def money(cells: Sequence[Cell]) -> dict[str, float]:
        return {
            "money_per_period": sum(c.money_per_period for c in cells),
            "cost_per_period": sum(c.regret_per_period for c in cells),
        }

    direct = {a.name for a in decision.actions if a.review is None} - {idle}
    alarms = [c for c in own.cells if c.action in direct and c.outcome != decision.positive]
    missed = [c for c in own.cells if c.action == idle and c.outcome == decision.positive]
    return {
        "false_alarms": _counted(judged, acted & ~hit) | money(alarms),
        "missed": _counted(judged, left & hit) | money(missed),
        "caught": _counted(judged, acted & hit),
        "false_alarm_share": asdict(judged.share(~hit, acted)),
    }


def _against(judged: Measured, wrong: NDArray[np.bool_] | None) -> dict[str, Any]:
    """Return how many more or fewer mistakes of each kind than under the reference."""
    name = str(judged.verdict["reference"])
    own = judged.policies[0].name
    if name == own:
        return {"not_measured": "there is no other policy to compare with"}
    decision = judged.decision
    hit = judged.outcomes == decision.positive_code
    # What reaches a unit, where a reviewer decides by the declared error rates.
    chance = act_chance(decision)
    own_acts = chance[judged.codes(own), judged.outcomes]
    other_acts = chance[judged.codes(name), judged.outcomes]
    other = judged.mistaken(name)
    weight = judged.weights / judged.weights.sum() * decision.units_reported

    def more(mine: NDArray[Any], theirs: NDArray[Any]) -> float:
        return float(weight @ mine - weight @ theirs)

    found: dict[str, Any] = {
        "policy": name,
        "label": next(p.label for p in judged.policies if p.name == name),
        "mistakes": None if wrong is None or other is None else more(wrong, other),
        "acted_on": more(own_acts, other_acts),
        "n": judged.n,
    }
    if len(decision.outcomes) == 2:
        found["false_alarms"] = more(own_acts * ~hit, other_acts * ~hit)
        found["missed"] = more((1 - own_acts) * hit, (1 - other_acts) * hit)
    return found


def _group(decision: Decision, sums: GroupSums) -> dict[str, Any]:
    """Return the groups of one subgroup with the highest share of mistakes.

    Groups with fewer rows or mistakes than may be shown are left out, not shown as zero.
    """
    if sums.mistakes is None or sums.counted is None:
        return {
            "subgroup": sums.name,
            "left_out": 0,
            "groups": [],
            "not_measured": UNKNOWN_MISTAKES,
        }
    least = decision.evidence.smallest_group
    n, weight, mistakes, cost = sums.n, sums.weight, sums.mistakes, sums.cost
    shown = (n >= least) & (sums.counted >= min(least, 10)) & (weight > 0)
    rate = np.divide(mistakes, weight, out=np.full(len(n), -1.0), where=weight > 0)
    scale = decision.units_reported / sums.total
    order = [int(k) for k in np.argsort(-rate, kind="stable") if shown[k]]
    return {
        "subgroup": sums.name,
        "left_out": int((~shown).sum()),
        "groups": [
            {
                "label": sums.labels[k],
                "n": int(n[k]),
                "share": float(rate[k]),
                "per_period": float(mistakes[k] * scale),
                "cost_per_period": float(cost[k] * scale),
                "part_of_cost": float(cost[k] / cost.sum()) if cost.sum() else None,
            }
            for k in order[:_MOST_GROUPS]
        ],
    }


def heads(value: float) -> str:
    """Write a count of people for a sentence: three significant digits.

    Examples
    --------
    >>> heads(12_345.6), heads(87.2), heads(3.26), heads(0.0)
    ('12,300', '87', '3', '0')
    """
    if abs(value) < 1000:
        return "less than 1" if 0 < abs(value) < 0.5 else f"{value:,.0f}"
    digits = len(str(int(abs(value)))) - 3
    return f"{round(value, -digits):,.0f}"


def _sentences(judged: Measured, found: dict[str, Any]) -> list[str]:
    decision = judged.decision
    per = f"per {decision.period}" if decision.volume is not None else "in every 1,000"
    units = plural(decision.unit)
    unit = decision.money_unit
    if "false_alarms" not in found:
        wrong = found["mistakes"]
        cost = found["cost"] - found.get("reviewed", {}).get("cost", 0.0)
        lost = f"{about(cost, unit)} less than the best actions, known only afterwards."
        said = [
            f"It earned {lost}"
            if "not_measured" in wrong
            else f"For {heads(wrong['value'])} {units} {per} another action would have been "
            f"better; together that is {lost}"
        ]
        worst = next((k for k in found["kinds"] if not k["word"].endswith("review")), None)
        if worst is not None:
            said.append(
                f"The costliest mistake is {quoted(decision.action_label(worst['action']))} where "
                f"the outcome is {quoted(_outcome(decision, worst['outcome']))}: "
                f"{heads(worst['per_period'])} {units} {per}."
            )
        said += _looked_at(found, decision, units, per)
        return said + _compared(found, units, per)
    alarms, missed = found["false_alarms"], found["missed"]
    name = quoted(_outcome(decision, str(decision.positive)))
    said = [
        f"{heads(alarms['value'])} {units} {per} are acted on without {name} (false alarms, "
        f"costing {about(alarms['cost_per_period'], unit)}), and {heads(missed['value'])} with "
        f"{name} are missed (costing {about(missed['cost_per_period'], unit)})."
    ]
    said += _looked_at(found, decision, units, per)
    part = found["false_alarm_share"]["value"]
    if part and part > 0:
        odds = 1 / part
        said.append(
            f"Of every 10 {units} acted on, about {part * 10:.0f} are false alarms."
            if odds < 1.95
            else f"About one in {odds:.0f} {units} acted on is a false alarm."
        )
    return said + _compared(found, units, per)


def _looked_at(found: dict[str, Any], decision: Decision, units: str, per: str) -> list[str]:
    """Say how many a person looks at, how many needlessly, and what the declared errors do."""
    looked = found.get("reviewed")
    if not looked or not looked["reviewed"]["value"]:
        return []
    needless = heads(looked["needless"]["value"])
    cost = about(looked["cost"], decision.money_unit)
    said = (
        f"{heads(looked['reviewed']['value'])} {units} {per} are looked at by a person first, "
        f"{needless} of them needlessly (all together costing {cost}, errors included); by the "
        "declared error rates "
    )
    if "false_alarms" not in looked:
        return [f"{said}{heads(looked['errors']['value'])} of them then get the wrong action."]
    name = quoted(_outcome(decision, str(decision.positive)))
    return [
        f"{said}{heads(looked['false_alarms']['value'])} without {name} are acted on all the same "
        f"and {heads(looked['missed']['value'])} with {name} let pass."
    ]


def _outcome(decision: Decision, name: str) -> str:
    return next(o.label for o in decision.outcomes if o.name == name)


def _compared(found: dict[str, Any], units: str, per: str) -> list[str]:
    other = found["against"]
    if "not_measured" in other:
        return []

    def more(value: float, what: str) -> str:
        word = "more" if value > 0 else "fewer"
        return f"{heads(abs(value))} {word} {what}"

    parts = (
        [(other["false_alarms"], "false alarms"), (other["missed"], "missed cases")]
        if "false_alarms" in other
        else [(other["mistakes"], "mistakes")]
        if other["mistakes"] is not None
        else []
    )
    told = [more(v, w) for v, w in parts if abs(v) >= 0.5]
    if not parts:
        return []
    if not told:
        return [f"That is as many as under {quoted(other['label'])}."]
    errors = ", reviewers' errors included," if found.get("reviewed") else ""
    return [f"Against {quoted(other['label'])} that is{errors} {' and '.join(told)} {per}."]
