"""Rows unlike those learnt from: how many, how the model errs there, what sparing them earns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.checks import Check, numbered
from payoff.declare import Decision
from payoff.declare.decision import plural
from payoff.errors import percent
from payoff.evidence.automation import error_share
from payoff.evidence.evidence import Estimate
from payoff.evidence.interval import share
from payoff.evidence.judged import Judged
from payoff.evidence.people import heads
from payoff.evidence.wording import money, quoted
from payoff.policy.automation import misrouted
from payoff.policy.best import actions_of, fixed_cost
from payoff.policy.policy import best_actions
from payoff.policy.stakes import money_of

__all__ = ["familiarity", "familiarity_check", "why_not"]

#: So many times the declared share of strangers is worth a warning.
_TOO_MANY: Final = 2.0


def familiarity(judged: Judged) -> dict[str, Any]:
    """Return how the policy fares on rows that are unlike those learnt from.

    Returns
    -------
    dict
        ``threshold``, ``declared`` (share), ``action`` (what strangers get, None where they are
        only flagged); ``n`` and ``n_strangers`` (rows); ``strangers`` (share, estimate);
        ``error``: ``strangers`` and ``familiar``, how often the model's own best action without a
        person is not the best of those (share, estimates); ``value``: the same two, money per unit
        without the rule (estimates); ``rule`` (money per period the rule earns, estimate, or
        ``not_measured``); ``sentences``. Or ``not_measured``.
    """
    stakes, policy, decision = judged.stakes, judged.first.policy, judged.decision
    strange = policy.strange(stakes.familiar)
    if strange is None:
        return {"not_measured": why_not(decision)}
    wrong = _wrong(judged)
    without = replace(policy, stranger=None)
    codes = actions_of(without, stakes)
    plain = money_of(codes, stakes, logged=False) - fixed_cost(
        decision, without, codes, stakes.weight
    )
    out: dict[str, Any] = {
        "threshold": policy.unfamiliar,
        "declared": decision.text.unfamiliar,
        "action": policy.stranger,
        "n": len(stakes),
        "n_strangers": int(strange.sum()),
        "strangers": asdict(
            share(strange, stakes.weight, stakes.resampled, level=decision.evidence.level)
        ),
        "error": {
            "strangers": _dict(error_share(wrong & strange, strange, judged)),
            "familiar": _dict(error_share(wrong & ~strange, ~strange, judged)),
        },
        "value": {
            "strangers": _mean(judged, plain, strange),
            "familiar": _mean(judged, plain, ~strange),
        },
        "rule": _rule(judged, plain, codes),
    }
    return out | {"sentences": _sentences(judged, out)}


def why_not(decision: Decision) -> str:
    """Say why strangers are not told apart where the policy does not know them."""
    if decision.kind == "text" and decision.text.unfamiliar == 0:
        return "unfamiliar = 0 in [text] turns it off"
    return "the model does not tell how like a row is to those it learnt from"


def _wrong(judged: Judged) -> NDArray[np.bool_]:
    """Whether the model's own best action without a person is not the best of those."""
    names = judged.decision.action_names
    automatic = judged.decision.automatic or names
    places = np.array([names.index(a) for a in automatic], dtype=np.int16)
    codes = places[best_actions(np.asarray(judged.stakes.expected)[:, places], 0)]
    return misrouted(judged.stakes.realised, codes, places.tolist())


def _dict(estimate: Estimate | None) -> dict[str, Any] | None:
    return None if estimate is None else asdict(estimate)


def _mean(
    judged: Judged, values: NDArray[np.float64], rows: NDArray[np.bool_]
) -> dict[str, Any] | None:
    if not rows.any():
        return None
    places = np.flatnonzero(rows)
    return asdict(judged.worth(values[places], rows=places))


def _rule(judged: Judged, plain: NDArray[np.float64], codes: NDArray[np.int16]) -> dict[str, Any]:
    if judged.first.policy.stranger is None:
        return {"not_measured": "no action is for such rows, so they are only flagged"}
    same = "" if np.any(codes != judged.first.codes) else "the rule changes no action"
    return asdict(judged.total(judged.worth(judged.own - plain, identical=same)))


def _range(found: Mapping[str, Any]) -> str:
    said = percent(found["value"])
    if found["low"] is None:
        return said
    return f"{said} ({percent(found['low'])} to {percent(found['high'])})"


def _sentences(judged: Judged, found: Mapping[str, Any]) -> list[str]:
    decision = judged.decision
    units = plural(decision.unit)
    if not found["n_strangers"]:
        return [f"None of the {found['n']:,} {units} judged is unlike those learnt from."]
    part, errs = found["strangers"], found["error"]
    per = f"per {decision.period}" if decision.volume is not None else "of 1,000"
    said = [
        f"{_range(part)} of {units} are unlike all that the model learnt from: about "
        f"{heads(part['value'] * decision.units_reported)} {per}."
    ]
    if errs["familiar"] is not None:
        said.append(
            f"Left to itself the model would take a wrong action for {_range(errs['strangers'])} "
            f"of them, against {_range(errs['familiar'])} of the others."
        )
    rule = found["rule"]
    if "not_measured" in rule:
        return [*said, "They are flagged, not treated otherwise: no action is a review."]
    gain = Estimate(**rule)
    action = quoted(decision.action_label(str(found["action"])))
    if gain.value is None:
        return [*said, f"They go to {action}."]
    if gain.value == 0:
        return [*said, f"They go to {action}, where they would have gone anyway."]
    word = "more" if gain.value > 0 else "less"
    return [
        *said,
        f"They go to {action}, whatever the model says; that brings {money(gain)}: "
        f"{word} than deciding them like the others.",
    ]


def familiarity_check(found: Mapping[str, Any]) -> Check:
    """Say whether more rows are strangers than were declared to be."""
    result = numbered("PAY-E242", "Rows unlike those learnt from")
    if "not_measured" in found:
        return result(status="not_applicable", detail=f"{found['not_measured'].capitalize()}.")
    text = " ".join(found["sentences"])
    low = found["strangers"]["low"]
    if low is not None and low > _TOO_MANY * found["declared"]:
        return result(
            status="issue",
            detail=f"{text} When the policy was chosen it was "
            f"{percent(found['declared'])}: what comes in has changed.",
            mend="Look at some of them; where a new kind of document has come up, label some and "
            "train again",
        )
    return result(status="passed", detail=text)
