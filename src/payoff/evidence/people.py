"""Errors as people: how many are acted on in vain, how many are missed, what it costs, and whom.

A mistake is a unit whose action was not the best one for what happened to it. Per kind of mistake
(an action under an outcome) the counts are those of the confusion cells; the cost is what the best
action, known only afterwards, would have earned more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.declare.decision import plural
from payoff.evidence.evidence import Cell, Estimate, PolicyEvidence
from payoff.evidence.interval import share
from payoff.evidence.judged import Judged
from payoff.evidence.wording import about, quoted
from payoff.policy.choose import default_action

__all__ = ["people"]

_MOST_KINDS: Final = 12
_MOST_GROUPS: Final = 5


def people(judged: Judged) -> dict[str, Any]:
    """Return the mistakes of the recommended policy as people and money per period.

    Returns
    -------
    dict
        ``right`` and ``mistakes`` (counts per period with interval), ``kinds`` (action, outcome,
        ``word``, counts, money and cost per unit and per period), ``false_alarms`` and ``missed``
        for two outcomes, ``against`` (how many more or fewer than the reference), ``groups`` (who
        carries most of each) and ``sentences``.
    """
    why = judged.stakes.why_not_by_outcome
    if why:
        return {"not_measured": why}
    decision = judged.decision
    own = judged.policies[0]
    kinds = [_kind(decision, c) for c in own.cells if c.regret_per_period > 1e-12 and c.n]
    kinds.sort(key=lambda k: -k["cost_per_period"])
    wrong = _mistaken(judged, judged.before_fixed_costs(judged.first.policy.name))
    found: dict[str, Any] = {
        "n": len(judged.stakes),
        "units": plural(decision.unit),
        "unit": decision.money_unit,
        "right": _counted(judged, ~wrong),
        "mistakes": _counted(judged, wrong),
        "cost": sum(c.regret_per_period for c in own.cells),
        "kinds": kinds[:_MOST_KINDS],
        "kinds_left_out": max(0, len(kinds) - _MOST_KINDS),
        "groups": _by_group(judged, wrong),
        "against": _against(judged, wrong),
    }
    if len(decision.outcomes) == 2:
        found |= _two_outcomes(judged, own)
    return found | {"sentences": _sentences(judged, found)}


def _mistaken(judged: Judged, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    best = judged.stakes.realised.max(axis=1)
    return np.asarray(values < best - 1e-12 * np.maximum(1.0, np.abs(best)), dtype=np.bool_)


def _counted(judged: Judged, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Return units per period with Wilson's interval of their share."""
    decision = judged.decision
    found = share(
        rows, judged.stakes.weight, judged.stakes.resampled, level=decision.evidence.level
    )
    return asdict(_per_period(decision, found))


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
    idle = cell.action == decision.action_names[default_action(decision)]
    if len(decision.outcomes) > 2:
        return "wrong action"
    if cell.outcome == decision.positive:
        return "missed case" if idle else "wrong action"
    return "wrong action" if idle else "false alarm"


def _two_outcomes(judged: Judged, own: PolicyEvidence) -> dict[str, Any]:
    """Return false alarms, missed cases, and one in how many acted on is a false alarm."""
    decision, stakes = judged.decision, judged.stakes
    acted = judged.first.codes != default_action(decision)
    hit = stakes.outcome == decision.positive_code
    idle = decision.action_names[default_action(decision)]

    def money(cells: Sequence[Cell]) -> dict[str, float]:
        return {
            "money_per_period": sum(c.money_per_period for c in cells),
            "cost_per_period": sum(c.regret_per_period for c in cells),
        }

    alarms = [c for c in own.cells if c.action != idle and c.outcome != decision.positive]
    missed = [c for c in own.cells if c.action == idle and c.outcome == decision.positive]
    among = share(
        ~hit[acted],
        stakes.weight[acted],
        None if stakes.resampled is None else stakes.resampled[acted],
        level=decision.evidence.level,
    )
    return {
        "false_alarms": _counted(judged, acted & ~hit) | money(alarms),
        "missed": _counted(judged, ~acted & hit) | money(missed),
        "caught": _counted(judged, acted & hit),
        "false_alarm_share": asdict(among),
    }


def _against(judged: Judged, wrong: NDArray[np.bool_]) -> dict[str, Any]:
    """Return how many more or fewer mistakes of each kind than under the reference."""
    name = str(judged.verdict["reference"])
    if name == judged.first.policy.name:
        return {"not_measured": "there is no other policy to compare with"}
    decision, stakes = judged.decision, judged.stakes
    codes = next(a.codes for a in judged.acted if a.policy.name == name)
    other = _mistaken(judged, judged.before_fixed_costs(str(judged.verdict["reference"])))
    idle, hit = default_action(decision), stakes.outcome == decision.positive_code
    own_acts, other_acts = judged.first.codes != idle, codes != idle
    weight = stakes.weight / stakes.weight.sum() * decision.units_reported

    def more(mine: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> float:
        return float(weight @ mine - weight @ theirs)

    found: dict[str, Any] = {
        "policy": name,
        "label": next(p.label for p in judged.policies if p.name == name),
        "mistakes": more(wrong, other),
        "acted_on": more(own_acts, other_acts),
        "n": len(stakes),
    }
    if len(decision.outcomes) == 2:
        found["false_alarms"] = more(own_acts & ~hit, other_acts & ~hit)
        found["missed"] = more(~own_acts & hit, ~other_acts & hit)
    return found


def _by_group(judged: Judged, wrong: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return, per declared subgroup, the groups with the highest share of mistakes.

    Groups with fewer rows or mistakes than may be shown are left out, not shown as zero.
    """
    decision, stakes = judged.decision, judged.stakes
    least = decision.evidence.smallest_group
    own = judged.before_fixed_costs(judged.first.policy.name)
    cost = stakes.weight * (stakes.realised.max(axis=1) - own)
    found = []
    for name, (labels, place) in judged.subgroups.items():
        code = place.astype(np.int64) + 1
        size = len(labels) + 1
        n = np.bincount(code, minlength=size)[1:]
        weight = np.bincount(code, weights=stakes.weight, minlength=size)[1:]
        mistakes = np.bincount(code, weights=stakes.weight * wrong, minlength=size)[1:]
        counted = np.bincount(code, weights=wrong, minlength=size)[1:]
        money = np.bincount(code, weights=cost, minlength=size)[1:]
        shown = (n >= least) & (counted >= min(least, 10)) & (weight > 0)
        rate = np.divide(mistakes, weight, out=np.full(len(n), -1.0), where=weight > 0)
        scale = decision.units_reported / float(stakes.weight.sum())
        order = [int(k) for k in np.argsort(-rate, kind="stable") if shown[k]]
        found.append(
            {
                "subgroup": name,
                "left_out": int((~shown).sum()),
                "groups": [
                    {
                        "label": labels[k],
                        "n": int(n[k]),
                        "share": float(rate[k]),
                        "per_period": float(mistakes[k] * scale),
                        "cost_per_period": float(money[k] * scale),
                        "part_of_cost": float(money[k] / money.sum()) if money.sum() else None,
                    }
                    for k in order[:_MOST_GROUPS]
                ],
            }
        )
    return found


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


def _sentences(judged: Judged, found: dict[str, Any]) -> list[str]:
    decision = judged.decision
    per = f"per {decision.period}" if decision.volume is not None else "in every 1,000"
    units = plural(decision.unit)
    unit = decision.money_unit
    if "false_alarms" not in found:
        wrong = found["mistakes"]
        said = [
            f"For {heads(wrong['value'])} {units} {per} another action would have been better; "
            f"together that is {about(found['cost'], unit)} less than the best actions, known "
            "only afterwards."
        ]
        if found["kinds"]:
            worst = found["kinds"][0]
            said.append(
                f"The costliest mistake is {quoted(decision.action_label(worst['action']))} where "
                f"the outcome is {quoted(_outcome(decision, worst['outcome']))}: "
                f"{heads(worst['per_period'])} {units} {per}."
            )
        return said + _compared(found, units, per)
    alarms, missed = found["false_alarms"], found["missed"]
    name = quoted(_outcome(decision, str(decision.positive)))
    said = [
        f"{heads(alarms['value'])} {units} {per} are acted on without {name} (false alarms, "
        f"costing {about(alarms['cost_per_period'], unit)}), and {heads(missed['value'])} with "
        f"{name} are missed (costing {about(missed['cost_per_period'], unit)})."
    ]
    part = found["false_alarm_share"]["value"]
    if part and part > 0:
        odds = 1 / part
        said.append(
            f"Of every 10 {units} acted on, about {part * 10:.0f} are false alarms."
            if odds < 1.95
            else f"About one in {odds:.0f} {units} acted on is a false alarm."
        )
    return said + _compared(found, units, per)


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
    )
    told = [more(v, w) for v, w in parts if abs(v) >= 0.5]
    if not told:
        return [f"That is as many as under {quoted(other['label'])}."]
    return [f"Against {quoted(other['label'])} that is {' and '.join(told)} {per}."]
